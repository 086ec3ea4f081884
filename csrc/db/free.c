#include "db/free.h"

#include "columns/fetch.h"
#include "db/fresh.h"

#include <string.h> // strlen(), strcmp()

/* --- parameters ------------------------------------------------------------------------- */

static const char *
name_at(ss_stmt *stmt, int index)
{
    return sqlite3_bind_parameter_name(stmt->raw, index);
}

static const ss_param *
find_param(const ss_free_request *r, const char *name)
{
    for (int i = 0; i < r->n_params; i++) {
        if (strcmp(r->params[i].name, name) == 0) {
            return &r->params[i];
        }
    }
    return NULL;
}

static ss_status
bind_named(ss_stmt *stmt, const ss_free_request *r, int n, ss_error *err)
{
    for (int i = 1; i <= n; i++) {
        const char *name = name_at(stmt, i);
        if (name == NULL || name[0] == '?') {
            return ss_error_set(err, SS_PROGRAMMING,
                                "the statement has parameters by position (?), but a "
                                "mapping was given");
        }
        const ss_param *param = find_param(r, name + 1);
        if (param == NULL) {
            return ss_error_set(err, SS_PROGRAMMING, "no value was given for %s", name);
        }
        SS_TRY(ss_stmt_bind(stmt, i, &param->value, err));
    }
    return SS_OK;
}

ss_status
ss_free_bind(ss_stmt *stmt, const ss_free_request *r, ss_error *err)
{
    int n = sqlite3_bind_parameter_count(stmt->raw);
    if (r->n_params > 0 && r->params[0].name != NULL) {
        return bind_named(stmt, r, n, err);
    }
    if (n != r->n_params) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "the statement has %d parameters, %d values were given", n,
                            r->n_params);
    }
    for (int i = 0; i < n; i++) {
        SS_TRY(ss_stmt_bind(stmt, i + 1, &r->params[i].value, err));
    }
    return SS_OK;
}

ss_status
ss_free_prepare(ss_access *access, ss_guard guard, const ss_free_request *r,
                ss_stmt **out, ss_error *err)
{
    ss_conn_guard(access->conn, guard);
    ss_status status = ss_stmt_cache_get(access->cache, r->sql, r->n_sql, out, err);
    ss_conn_guard(access->conn, SS_GUARD_OFF);
    return status;
}

/* --- query --------------------------------------------------------------------------------- */

static bool
only_reads(const ss_stmt *stmt)
{
    return sqlite3_stmt_readonly(stmt->raw) && sqlite3_column_count(stmt->raw) > 0;
}

static ss_status
reads_once(ss_db *db, const ss_call *call, const ss_free_request *request, bool *out,
           ss_error *err)
{
    ss_access access;
    ss_stmt *stmt = NULL;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    ss_status status = ss_free_prepare(&access, SS_GUARD_FREE, request, &stmt, err);
    if (status == SS_OK) {
        *out = only_reads(stmt);
    }
    ss_stmt_cache_put(access.cache, stmt);
    ss_db_leave(&access);
    return status;
}

ss_status
ss_db_reads(ss_db *db, const ss_call *call, const ss_free_request *request, bool *out,
            ss_error *err)
{
    ss_status status = reads_once(db, call, request, out, err);
    if (status != SS_OK && ss_db_recovered(db, call, err)) {
        status = reads_once(db, call, request, out, err);
    }
    return status;
}

static ss_status
query(ss_access *access, const ss_free_request *r, ss_batch **out, bool *varies,
      ss_error *err)
{
    ss_stmt *stmt = NULL;
    SS_TRY(ss_free_prepare(access, SS_GUARD_FREE, r, &stmt, err));
    *varies = stmt->varies;
    ss_status status = SS_OK;
    if (!only_reads(stmt)) {
        status =
            ss_error_set(err, SS_PROGRAMMING,
                         "query() runs statements that read; use execute() for one "
                         "that writes");
    }
    if (status == SS_OK) {
        status = ss_free_bind(stmt, r, err);
    }
    if (status == SS_OK) {
        status = ss_fetch_free(stmt, r->raw, r->strict, "running the query", out, err);
    }
    ss_stmt_cache_put(access->cache, stmt);
    return status;
}

static ss_status
query_once(ss_db *db, const ss_call *call, const ss_free_request *request,
           ss_batch **out, ss_error *err)
{
    ss_access access;
    ss_reading reading;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    ss_status status = ss_reading_begin(&access, false, request->stamp, &reading, err);
    if (status == SS_OK) {
        bool varies = false;
        status = query(&access, request, out, &varies, err);
        ss_reading_end(&access, &reading);
        if (varies && request->stamp != NULL) {
            request->stamp->epoch = 0;
        }
    }
    ss_db_leave(&access);
    return status;
}

ss_status
ss_db_query(ss_db *db, const ss_call *call, const ss_free_request *request,
            ss_batch **out, ss_error *err)
{
    ss_status status = query_once(db, call, request, out, err);
    if (status != SS_OK && ss_db_recovered(db, call, err)) {
        status = query_once(db, call, request, out, err);
    }
    return status;
}

/* --- execute -------------------------------------------------------------------------------- */

/* Step to the end, keeping the rows when somebody wants them. */
static ss_status
step_to_end(ss_stmt *stmt, const ss_free_request *r, ss_batch **out, ss_error *err)
{
    if (out != NULL) {
        return ss_fetch_free(stmt, r->raw, r->strict, "running the statement", out,
                             err);
    }
    bool row = true;
    while (row) {
        SS_TRY(ss_stmt_step(stmt, "running the statement", &row, err));
    }
    return SS_OK;
}

static ss_status
run_to_end(ss_stmt *stmt, const ss_free_request *r, ss_batch **out, ss_error *err)
{
    ss_status status = step_to_end(stmt, r, out, err);
    if (status != SS_OK && strstr(err->message, "cannot VACUUM") != NULL) {
        /* SQLite blames a transaction, and it is ours. */
        ss_error_init(err);
        ss_error_set(err, SS_PROGRAMMING,
                     "free SQL cannot VACUUM; use db.optimize(vacuum=True)");
    }
    return status;
}

static ss_status
execute(ss_access *access, const ss_free_request *r, ss_batch **out,
        ss_outcome *outcome, ss_error *err)
{
    sqlite3 *handle = ss_conn_handle(access->conn);
    ss_stmt *stmt = NULL;
    SS_TRY(ss_free_prepare(access, SS_GUARD_FREE, r, &stmt, err));
    outcome->has_rows = sqlite3_column_count(stmt->raw) > 0;
    int64_t before = sqlite3_total_changes64(handle);
    ss_status status = ss_free_bind(stmt, r, err);
    if (status == SS_OK) {
        status = run_to_end(stmt, r, out, err);
    }
    if (status == SS_OK) {
        /* changes() keeps the last writer's count; the total tells whether this wrote,
         * and leaves out what foreign key actions did. */
        bool wrote = sqlite3_total_changes64(handle) != before;
        outcome->changed = wrote ? sqlite3_changes64(handle) : 0;
        outcome->last_id = sqlite3_last_insert_rowid(handle);
    }
    ss_stmt_cache_put(access->cache, stmt);
    return status;
}

ss_status
ss_db_execute(ss_db *db, const ss_call *call, const ss_free_request *request,
              ss_batch **out, ss_outcome *outcome, ss_error *err)
{
    ss_access access;
    ss_batch *batch = NULL;
    ss_outcome result = {0};
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status = ss_db_begin_work(&access, err);
    if (status == SS_OK) {
        status = execute(&access, request, out != NULL ? &batch : NULL, &result, err);
        if (status == SS_OK) { /* before the commit: a schema we cannot use is undone */
            status = ss_db_refresh_layout(&access, true, err);
        }
        status = ss_db_end_work(&access, status, err);
    }
    ss_db_leave(&access);
    if (status != SS_OK) {
        ss_batch_release(batch);
        return status;
    }
    *outcome = result;
    if (out != NULL) {
        *out = batch;
    }
    return SS_OK;
}

/* --- scripts ------------------------------------------------------------------------------------ */

static ss_status
in_one_transaction(ss_db *db, const ss_call *call, const char *sql,
                   ss_status (*work)(ss_access *, const char *, ss_error *),
                   ss_error *err)
{
    ss_access access;
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status = ss_db_begin_work(&access, err);
    if (status == SS_OK) {
        status = work(&access, sql, err);
        if (status == SS_OK) { /* before the commit: a schema we cannot use is undone */
            status = ss_db_refresh_layout(&access, true, err);
        }
        status = ss_db_end_work(&access, status, err);
    }
    ss_db_leave(&access);
    return status;
}

static ss_status
run_script(ss_access *access, const char *sql, ss_error *err)
{
    ss_conn_guard(access->conn, SS_GUARD_FREE);
    ss_status status = ss_conn_exec(access->conn, sql, err);
    ss_conn_guard(access->conn, SS_GUARD_OFF);
    return status;
}

ss_status
ss_db_script(ss_db *db, const ss_call *call, const char *sql, ss_error *err)
{
    SS_TRY(ss_db_connect_bare(db, call, err));
    return in_one_transaction(db, call, sql, run_script, err);
}

static ss_status
create_missing(ss_access *access, const char *unused, ss_error *err)
{
    (void)unused;
    SS_TRY(ss_db_refresh_layout(access, true, err));
    return ss_layout_create_missing(access->conn, access->layout, err);
}

ss_status
ss_db_initialize(ss_db *db, const ss_call *call, ss_error *err)
{
    return in_one_transaction(db, call, NULL, create_missing, err);
}
