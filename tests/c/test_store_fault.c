/* The store when memory runs out: every allocation of ours and, in a second layer,
 * every one of SQLite's is made to fail, one after another, once and for good. What
 * counts: an honest error, nothing leaked (the address sanitizer says), everything
 * usable after. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "check.h"
#include "scratch.h"
#include "store/pool.h"
#include "store/pool_fork.h"

#ifndef SS_TEST_FAULTS
int
main(void)
{
    printf("skipped: built without SS_TEST_FAULTS\n");
    return 0;
}
#else

/* ---- SQLite's allocator, wrapped ---- */

static sqlite3_mem_methods real_methods;
static _Atomic long sqlite_asked, sqlite_after;
static atomic_bool sqlite_on, sqlite_persistent;

static bool
sqlite_fails(void)
{
    if (!atomic_load(&sqlite_on)) {
        return false;
    }
    long asked = atomic_fetch_add(&sqlite_asked, 1);
    long after = atomic_load(&sqlite_after);
    return asked == after || (atomic_load(&sqlite_persistent) && asked > after);
}

static void *
faulty_malloc(int n)
{
    return sqlite_fails() ? NULL : real_methods.xMalloc(n);
}

static void *
faulty_realloc(void *p, int n)
{
    return sqlite_fails() ? NULL : real_methods.xRealloc(p, n);
}

static void
wrap_sqlite(void)
{
    sqlite3_mem_methods faulty;

    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods);
    faulty = real_methods;
    faulty.xMalloc = faulty_malloc;
    faulty.xRealloc = faulty_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
    sqlite3_initialize();
}

typedef enum { LAYER_OURS, LAYER_SQLITE } layer;

static void
start_faults(layer which, long n, bool persistent)
{
    if (which == LAYER_OURS) {
        ss_mem_fail_after(n, persistent);
        return;
    }
    atomic_store(&sqlite_asked, 0);
    atomic_store(&sqlite_after, n);
    atomic_store(&sqlite_persistent, persistent);
    atomic_store(&sqlite_on, true);
}

/* End the faults; true when there was one. */
static bool
stop_faults(layer which, long n)
{
    long asked;

    if (which == LAYER_OURS) {
        asked = ss_mem_count();
        ss_mem_fail_after(-1, false);
    }
    else {
        atomic_store(&sqlite_on, false);
        asked = atomic_load(&sqlite_asked);
    }
    return asked > n;
}

/* ---- the operations ---- */

static ss_status
write_rows(ss_pool *pool, ss_error *err)
{
    static const char insert[] = "INSERT INTO t(a) VALUES (?)";
    ss_value day = {.tag = SS_VALUE_DATE, .as.i = 20389};
    ss_stmt *stmt = NULL;
    ss_lease lease;
    ss_status rc;
    bool row;

    SS_TRY(ss_pool_write(pool, NULL, &lease, err));
    rc = ss_conn_exec(lease.conn, "BEGIN IMMEDIATE", err);
    if (rc == SS_OK) {
        rc = ss_stmt_cache_get(lease.cache, insert, strlen(insert), &stmt, err);
    }
    if (rc == SS_OK) {
        rc = ss_stmt_bind_all(stmt, &day, 1, err);
    }
    if (rc == SS_OK) {
        rc = ss_stmt_step(stmt, "writing t", &row, err);
    }
    if (rc == SS_OK) {
        rc = ss_conn_exec(lease.conn, "COMMIT", err);
    }
    ss_stmt_cache_put(lease.cache, stmt);
    ss_pool_return(&lease);
    return rc;
}

static ss_status
read_rows(ss_pool *pool, ss_error *err)
{
    static const char select[] = "SELECT a, count(*) FROM t GROUP BY a ORDER BY a";
    ss_stmt *one = NULL, *two = NULL;
    ss_lease lease;
    ss_status rc;
    bool row = true;
    int64_t version;

    SS_TRY(ss_pool_read(pool, NULL, &lease, err));
    rc = ss_stmt_cache_get(lease.cache, select, strlen(select), &one, err);
    if (rc == SS_OK) {
        rc = ss_stmt_cache_get(lease.cache, select, strlen(select), &two, err);
    }
    while (rc == SS_OK && row) {
        ss_value value;
        rc = ss_stmt_step(one, "reading t", &row, err);
        if (rc == SS_OK && row) {
            ss_stmt_column(one, 0, &value);
        }
    }
    if (rc == SS_OK) {
        rc = ss_conn_int(lease.conn, "PRAGMA schema_version", &version, err);
    }
    ss_stmt_cache_put(lease.cache, two);
    ss_stmt_cache_put(lease.cache, one);
    ss_pool_return(&lease);
    return rc;
}

static ss_status
open_pool(ss_pool **pool, ss_error *err)
{
    ss_pool_options options = {.path = path,
                               .mode = SS_MODE_RWC,
                               .durability = SS_DURABILITY_OFF,
                               .max_readers = 2,
                               .busy_ms = 1000};

    return ss_pool_open(&options, NULL, pool, err);
}

/* Everything once: open, write, read on a new reader, checkpoint, close. */
static ss_status
whole_life(ss_error *err)
{
    ss_pool *pool = NULL;
    bool done;
    ss_status rc = open_pool(&pool, err);

    if (rc == SS_OK) {
        rc = write_rows(pool, err);
    }
    if (rc == SS_OK) {
        rc = read_rows(pool, err);
    }
    if (rc == SS_OK) {
        rc = ss_pool_checkpoint(pool, NULL, &done, err);
    }
    if (rc == SS_OK) {
        rc = ss_pool_close(pool, NULL, err);
    }
    ss_pool_free(pool);
    return rc;
}

/* The other operations on a pool that is open already, with the connections there and
 * not (a fork closes them). */
static ss_status
later_life(ss_pool *pool, ss_error *err)
{
    SS_TRY(write_rows(pool, err));
    SS_TRY(read_rows(pool, err));
    if (!ss_pool_before_fork(pool, 100)) {
        return ss_error_set(err, SS_INTERNAL, "not ready");
    }
    ss_pool_after_fork_parent(pool);
    SS_TRY(write_rows(pool, err));
    return read_rows(pool, err);
}

static void
make_file(void)
{
    ss_pool *pool = NULL;
    ss_lease lease;
    ss_error err;

    fresh_path("fault.db");
    ss_error_init(&err);
    CHECK_INT(open_pool(&pool, &err), SS_OK);
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, "PRAGMA journal_mode=wal", &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, "CREATE TABLE t(a)", &err), SS_OK);
    ss_pool_return(&lease);
    CHECK_INT(ss_pool_close(pool, NULL, &err), SS_OK);
    ss_pool_free(pool);
}

/* ---- the loops ---- */

/* An error that running out of memory may end in. Where SQLite cannot say NOMEM it says
 * something of the outside world; a wrong answer or a wrong kind would be a bug. */
static bool
is_honest(layer which, const ss_error *err)
{
    return err->code == SS_NOMEM ||
           (which == LAYER_SQLITE &&
            (err->code == SS_OPERATIONAL || err->code == SS_BUSY ||
             err->code == SS_DATABASE));
}

static void
life_loop(layer which, bool persistent)
{
    long n_failed = 0, n;
    ss_error err;

    make_file();
    for (n = 0; n < 100000; n++) {
        ss_error_init(&err);
        start_faults(which, n, persistent);
        ss_status rc = whole_life(&err);
        bool hit = stop_faults(which, n);
        if (!hit) {
            CHECK_INT(rc, SS_OK);
            break;
        }
        /* SQLite does without some of what it asks for. */
        n_failed += rc != SS_OK;
        if (rc != SS_OK && !is_honest(which, &err)) {
            check_fail(__FILE__, __LINE__, err.message);
            return;
        }
        CHECK(which == LAYER_SQLITE || rc != SS_OK);
    }
    CHECK(n_failed >= (which == LAYER_OURS ? 10 : 100));
    printf("  %s: %ld allocations, %ld failures\n",
           which == LAYER_OURS ? "ours" : "SQLite's", n, n_failed);
}

static void
later_loop(layer which, bool persistent)
{
    ss_pool *pool = NULL;
    ss_error err;
    long n_failed = 0, n;

    make_file();
    ss_error_init(&err);
    CHECK_INT(open_pool(&pool, &err), SS_OK);
    for (n = 0; n < 100000; n++) {
        ss_error_init(&err);
        start_faults(which, n, persistent);
        ss_status rc = later_life(pool, &err);
        bool hit = stop_faults(which, n);
        if (rc != SS_OK && !is_honest(which, &err)) {
            check_fail(__FILE__, __LINE__, err.message);
            return;
        }
        n_failed += rc != SS_OK;
        /* The same pool goes on. */
        ss_error_init(&err);
        rc = later_life(pool, &err);
        if (rc != SS_OK) {
            check_fail(__FILE__, __LINE__, err.message);
            return;
        }
        if (!hit) {
            break;
        }
    }
    CHECK(n_failed >= (which == LAYER_OURS ? 8 : 80));
    ss_error_init(&err);
    ss_lease lease;
    char text[16];
    CHECK_INT(ss_pool_read(pool, NULL, &lease, &err), SS_OK);
    ss_status rc =
        ss_conn_text(lease.conn, "PRAGMA integrity_check", text, sizeof(text), &err);
    CHECK_INT(rc, SS_OK);
    CHECK_STR(text, "ok");
    ss_pool_return(&lease);
    CHECK_INT(ss_pool_close(pool, NULL, &err), SS_OK);
    ss_pool_free(pool);
    printf("  %s: %ld allocations, %ld failures\n",
           which == LAYER_OURS ? "ours" : "SQLite's", n, n_failed);
}

static void
test_our_memory(void)
{
    life_loop(LAYER_OURS, false);
    life_loop(LAYER_OURS, true);
    later_loop(LAYER_OURS, false);
    later_loop(LAYER_OURS, true);
}

static void
test_sqlite_memory_once(void)
{
    life_loop(LAYER_SQLITE, false);
    later_loop(LAYER_SQLITE, false);
}

static void
test_sqlite_memory_persistent(void)
{
    life_loop(LAYER_SQLITE, true);
    later_loop(LAYER_SQLITE, true);
}

int
main(int argc, char **argv)
{
    wrap_sqlite();
    check_begin(argc, argv);
    RUN(test_our_memory);
    RUN(test_sqlite_memory_once);
    RUN(test_sqlite_memory_persistent);
    return check_end();
}
#endif
