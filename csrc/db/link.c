/* A thread's turn encloses everything; in it, the db's list of bounds has one entry while
 * a transaction is open. The turn is guarded by the db's lock, a leaf.
 */
#include "db/link.h"

#include "columns/fetch.h"
#include "db/block.h"
#include "db/db_int.h"

#include <string.h> // strlen()

void
ss_link_make(ss_db *db)
{
    db->options.single = true;
    db->options.max_readers = 1;
}

/* --- turns -------------------------------------------------------------------------- */

/* In the child of such a fork SQLite's own locks would stay as a running statement has
 * them. */
static bool
others_fork(const ss_db *db, uint64_t me)
{
    return db->forking != 0 && db->forking != me;
}

static ss_status
take_turn(ss_db *db, const ss_call *call, ss_error *err)
{
    uint64_t me = ss_thread_id();
    int64_t last_check = ss_clock_coarse_ms();
    ss_status status = SS_OK;
    ss_mutex_lock(&db->lock);
    if (db->turn == me) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "a statement of this connection is still running; a "
                              "signal handler cannot use it meanwhile");
    }
    db->n_turns++;
    while (status == SS_OK && (db->turn != 0 || others_fork(db, me))) {
        (void)ss_cond_wait(&db->changed, &db->lock, 50);
        ss_mutex_unlock(&db->lock);
        status = ss_call_poll(call, &last_check, err);
        ss_mutex_lock(&db->lock);
    }
    db->n_turns--;
    if (status == SS_OK) {
        db->turn = me;
    }
    ss_mutex_unlock(&db->lock);
    return status;
}

static void
give_turn(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    db->turn = 0;
    if (db->n_turns > 0 || db->forking != 0) {
        ss_cond_broadcast(&db->changed);
    }
    ss_mutex_unlock(&db->lock);
}

static ss_status
enter(ss_db *db, const ss_call *call, ss_access *out, ss_error *err)
{
    SS_TRY(take_turn(db, call, err));
    ss_status status = ss_db_anchor_enter(db, call, out, err);
    if (status != SS_OK) {
        give_turn(db);
    }
    return status;
}

/* Keep the connection when the statement left a transaction open, let go of it when
 * none is. Only a failure to keep it is an error; `status` goes before it. */
static ss_status
leave(ss_access *access, ss_status status, ss_error *err)
{
    ss_db *db = access->db;
    if (access->bound) {
        ss_bound *held = access->held;
        ss_db_leave(access);
        if (held->dead) {
            ss_bound_drop(db, held);
        }
    }
    else if (!ss_conn_in_transaction(access->conn)) {
        ss_db_leave(access);
    }
    else if (ss_bound_hold(access, SS_BOUND_TRANSACTION, err) != SS_OK) {
        ss_db_leave(access); /* which rolls back */
        status = SS_NOMEM;
    }
    give_turn(db);
    return status;
}

/* --- statements ----------------------------------------------------------------------- */

bool
ss_link_changes_rows(const char *sql, size_t n)
{
    static const char *const words[] = {"insert", "update", "delete", "replace"};
    size_t at = ss_stmt_skip_blank(sql, n, 0, false);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if (n - at >= length &&
            sqlite3_strnicmp(sql + at, words[i], (int)length) == 0) {
            return true;
        }
    }
    return false;
}

static ss_status
begin_first(ss_access *access, ss_begin begin, ss_error *err)
{
    static const char *const texts[] = {
        [SS_BEGIN_DEFERRED] = "BEGIN DEFERRED",
        [SS_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
        [SS_BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE",
    };
    if (begin == SS_BEGIN_NEVER || ss_conn_in_transaction(access->conn)) {
        return SS_OK;
    }
    return ss_access_run(access, texts[begin], "beginning a transaction", err);
}

static ss_status
declared_types(ss_stmt *stmt, const ss_batch *batch, ss_buf *into, ss_error *err)
{
    for (int i = 0; i < batch->n_columns; i++) {
        const char *type = sqlite3_column_decltype(stmt->raw, i);
        type = type != NULL ? type : "";
        ss_buf_add(into, type, strlen(type) + 1);
    }
    return ss_buf_ok(into) ? SS_OK : ss_error_nomem(err);
}

static ss_status
run(ss_access *access, const ss_free_request *r, ss_begin begin, ss_buf *declared,
    ss_batch **out, ss_link_outcome *outcome, ss_error *err)
{
    sqlite3 *handle = ss_conn_handle(access->conn);
    int64_t before = sqlite3_total_changes64(handle);
    bool changes = ss_link_changes_rows(r->sql, r->n_sql);
    ss_stmt *stmt = NULL;
    ss_batch *batch = NULL;
    SS_TRY(ss_free_prepare(access, SS_GUARD_LINK, r, &stmt, err));
    ss_status status = changes ? begin_first(access, begin, err) : SS_OK;
    if (status == SS_OK) {
        status = ss_free_bind(stmt, r, err);
    }
    if (status == SS_OK) {
        status = ss_fetch_free(stmt, true, r->strict, NULL, &batch, err);
    }
    if (status == SS_OK && declared != NULL) {
        status = declared_types(stmt, batch, declared, err);
    }
    if (status == SS_OK) {
        outcome->total = sqlite3_total_changes64(handle) - before;
        outcome->changed = !changes             ? -1
                           : outcome->total > 0 ? sqlite3_changes64(handle)
                                                : 0;
        outcome->last_id = sqlite3_last_insert_rowid(handle);
        *out = batch;
        batch = NULL;
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_batch_release(batch);
    return status;
}

ss_status
ss_link_execute(ss_db *db, const ss_call *call, const ss_free_request *request,
                ss_begin begin, ss_buf *declared, ss_batch **out,
                ss_link_outcome *outcome, ss_error *err)
{
    ss_access access;
    ss_batch *batch = NULL;
    ss_link_outcome result = {.changed = -1};
    SS_TRY(enter(db, call, &access, err));
    ss_status status = SS_OK;
    if (ss_stmt_skip_blank(request->sql, request->n_sql, 0, true) < request->n_sql) {
        status = run(&access, request, begin, declared, &batch, &result, err);
    }
    status = leave(&access, status, err);
    if (status != SS_OK) {
        ss_batch_release(batch);
        return status;
    }
    *out = batch;
    *outcome = result;
    return SS_OK;
}

ss_status
ss_link_script(ss_db *db, const ss_call *call, const char *sql, int64_t *total,
               ss_error *err)
{
    ss_access access;
    ss_status status = SS_OK;
    SS_TRY(enter(db, call, &access, err));
    sqlite3 *handle = ss_conn_handle(access.conn);
    int64_t before = sqlite3_total_changes64(handle);
    if (ss_conn_in_transaction(access.conn)) {
        status = ss_access_run(&access, "COMMIT", "committing", err);
    }
    if (status == SS_OK) {
        ss_conn_guard(access.conn, SS_GUARD_LINK);
        status = ss_conn_exec(access.conn, sql, err);
        ss_conn_guard(access.conn, SS_GUARD_OFF);
    }
    *total = sqlite3_total_changes64(handle) - before;
    return leave(&access, status, err);
}

ss_status
ss_link_end(ss_db *db, const ss_call *call, bool commit, ss_error *err)
{
    ss_access access;
    ss_status status = SS_OK;
    SS_TRY(enter(db, call, &access, err));
    if (ss_conn_in_transaction(access.conn)) {
        status = commit ? ss_access_run(&access, "COMMIT", "committing", err)
                        : ss_access_run(&access, "ROLLBACK", "rolling back", err);
    }
    return leave(&access, status, err);
}

bool
ss_link_in_transaction(ss_db *db)
{
    return ss_db_is_bound(db);
}

ss_status
ss_link_close(ss_db *db, const ss_call *call, ss_error *err)
{
    SS_TRY(take_turn(db, call, err));
    ss_mutex_lock(&db->lock);
    ss_bound *held = db->bounds;
    ss_mutex_unlock(&db->lock);
    if (held != NULL) {
        ss_bound_drop(db, held);
    }
    ss_status status = ss_db_close(db, call, err);
    give_turn(db);
    return status;
}
