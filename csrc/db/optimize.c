#include "db/optimize.h"

#include "db/block.h"
#include "db/db_int.h"
#include "store/file.h"

/* ANALYZE looks at so many rows of an index, so that it takes no longer for a large table
 * than for a small one. The setting is the connection's, and goes back to "all". */
#define ANALYZE "PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA analysis_limit = 0"

static ss_status
extent_of(ss_conn *conn, const char *path, ss_space *out, ss_error *err)
{
    SS_TRY(ss_conn_int(conn, "PRAGMA page_count", &out->pages, err));
    SS_TRY(ss_conn_int(conn, "PRAGMA freelist_count", &out->free_pages, err));
    out->file_bytes = ss_file_bytes(path, "");
    out->wal_bytes = ss_file_bytes(path, "-wal");
    return SS_OK;
}

ss_status
ss_db_measure(ss_db *db, const ss_call *call, ss_space *out, ss_error *err)
{
    ss_access access;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    ss_status status = extent_of(access.conn, db->path, out, err);
    ss_db_leave(&access);
    return status;
}

static ss_status
rewrite(ss_db *db, ss_access *access, bool vacuum, ss_optimized *out, ss_error *err)
{
    SS_TRY(extent_of(access->conn, db->path, &out->before, err));
    if (vacuum) {
        SS_TRY(ss_conn_exec(access->conn, "VACUUM", err));
    }
    return ss_conn_exec(access->conn, ANALYZE, err);
}

ss_status
ss_db_optimize(ss_db *db, const ss_call *call, bool vacuum, ss_optimized *out,
               ss_error *err)
{
    ss_optimized done = {.vacuumed = vacuum};
    ss_access access;

    if (ss_db_is_bound(db)) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "optimize() inside this thread's own transaction() or "
                            "snapshot(); leave the with block first");
    }
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status = rewrite(db, &access, vacuum, &done, err);
    ss_session *session = ss_session_retain(access.session);
    ss_db_leave(&access);
    if (status == SS_OK) {
        status = ss_pool_checkpoint(session->pool, call, &done.checkpointed, err);
    }
    ss_session_release(session);
    SS_TRY(status);
    SS_TRY(ss_db_measure(db, call, &done.after, err));
    *out = done;
    return SS_OK;
}
