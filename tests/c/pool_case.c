/* pool_case: see pool_case.h. */
#include "pool_case.h"

#include "check.h"

ss_pool *
open_pool(const char *file, ss_mode mode, int readers, int64_t busy_ms, ss_error *err)
{
    ss_pool_options options = {.path = file,
                               .mode = mode,
                               .durability = SS_DURABILITY_OFF,
                               .max_readers = readers,
                               .busy_ms = busy_ms};
    ss_pool *pool = NULL;

    ss_error_init(err);
    return ss_pool_open(&options, NULL, &pool, err) == SS_OK ? pool : NULL;
}

ss_pool *
new_pool(const char *name, int readers, int64_t busy_ms)
{
    ss_error err;
    ss_lease lease;
    ss_pool *pool = open_pool(fresh_path(name), SS_MODE_RWC, readers, busy_ms, &err);

    CHECK_VALUE(pool != NULL, NULL);
    CHECK_VALUE(ss_pool_write(pool, NULL, &lease, &err) == SS_OK, NULL);
    CHECK_VALUE(ss_conn_exec(lease.conn,
                             "PRAGMA journal_mode=wal; CREATE TABLE t(a INTEGER)",
                             &err) == SS_OK,
                NULL);
    ss_pool_return(&lease);
    return pool;
}

ss_status
write_one(ss_pool *pool, ss_error *err)
{
    ss_lease lease;
    ss_status rc;

    ss_error_init(err);
    rc = ss_pool_write(pool, NULL, &lease, err);
    if (rc == SS_OK) {
        rc = ss_conn_exec(lease.conn, BEGIN_AND_INSERT "; COMMIT", err);
        ss_pool_return(&lease);
    }
    return rc;
}

ss_status
count_t(ss_pool *pool, int64_t *n, ss_error *err)
{
    ss_lease lease;
    ss_status rc;

    ss_error_init(err);
    rc = ss_pool_read(pool, NULL, &lease, err);
    if (rc == SS_OK) {
        rc = ss_conn_int(lease.conn, "SELECT count(*) FROM t", n, err);
        ss_pool_return(&lease);
    }
    return rc;
}

ss_pool_stats
stats_of(ss_pool *pool)
{
    ss_pool_stats stats;

    ss_pool_get_stats(pool, &stats);
    return stats;
}

bool
close_pool(ss_pool *pool)
{
    ss_error err;

    ss_error_init(&err);
    bool ok = ss_pool_close(pool, NULL, &err) == SS_OK;
    ss_pool_free(pool);
    return ok;
}
