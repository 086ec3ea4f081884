/* store/stmt: one prepared statement: bind, step, reset.
 *
 * Owns the sqlite3_stmt; belongs to the thread that holds its connection.  Called
 * without the GIL.  Invariant: after the last row or an error the statement has been
 * reset, because one left open pins a snapshot and lets the WAL grow.
 * Refuses NaN (SQLite would store NULL in its place) and text with two statements (the
 * second would be ignored silently).
 */
#include "store/stmt.h"

#include "base/mem.h"
#include "base/moment.h"

#include <math.h>   // isnan()
#include <stdio.h>  // snprintf()
#include <string.h> // memchr()

/* ---- prepare ---- */

size_t
ss_stmt_skip_blank(const char *sql, size_t n, size_t at, bool semicolons)
{
    while (at < n) {
        if (memchr(" \t\n\f\r", sql[at], 5) != NULL || (semicolons && sql[at] == ';')) {
            at++;
        }
        else if (n - at >= 2 && sql[at] == '-' && sql[at + 1] == '-') {
            const char *end = memchr(sql + at, '\n', n - at);
            at = end != NULL ? (size_t)(end - sql) + 1 : n;
        }
        else if (n - at >= 2 && sql[at] == '/' && sql[at + 1] == '*') {
            /* "/" + "*" + "/" is no end; a comment may also end with the text. */
            for (at += 3; at < n && !(sql[at] == '/' && sql[at - 1] == '*'); at++) {
            }
            at = at < n ? at + 1 : n;
        }
        else {
            break;
        }
    }
    return at;
}

/* Add to the message where in the text the error lies, with the text there. */
static void
name_the_place(const char *sql, size_t n, int offset, ss_error *err)
{
    size_t used = strlen(err->message), at = (size_t)offset;
    int line = 1, column = 1;

    if (offset < 0 || at > n) {
        return;
    }
    for (size_t i = 0; i < at; i++) {
        if (sql[i] == '\n') {
            line++;
            column = 1;
        }
        else if (((unsigned char)sql[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    size_t length = 0;
    while (at + length < n && length < 40 && sql[at + length] != '\n' &&
           sql[at + length] != '\0') {
        length++;
    }
    char place[96];
    ss_value text = {.tag = SS_VALUE_TEXT, .as.s = {sql + at, length}};
    ss_value_show(&text, place, sizeof(place));
    (void)snprintf(err->message + used, sizeof(err->message) - used,
                   " (line %d, column %d: %s)", line, column, place);
}

static ss_status
prepare_failed(ss_conn *conn, int rc, const char *sql, size_t n, ss_error *err)
{
    int offset = -1;

#if SQLITE_VERSION_NUMBER >= 3038000
    offset = sqlite3_error_offset(ss_conn_handle(conn));
#endif
    bool fresh = err != NULL && err->code == SS_OK;
    ss_status status = ss_conn_error(conn, rc, NULL, err);
    if (fresh && (rc & 0xFF) == SQLITE_ERROR) {
        name_the_place(sql, n, offset, err);
    }
    return status;
}

ss_status
ss_stmt_prepare(ss_conn *conn, const char *sql, size_t n, bool keep, ss_stmt **out,
                ss_error *err)
{
    sqlite3 *db = ss_conn_handle(conn);
    sqlite3_stmt *raw = NULL;
    ss_stmt *stmt = NULL;
    const char *tail = NULL;
    ss_status status = SS_OK;

    if (n > (size_t)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, -1)) {
        return ss_error_set(err, SS_DATA, "the SQL text is too long: %zu bytes", n);
    }
    int rc = sqlite3_prepare_v3(db, sql, (int)n, keep ? SQLITE_PREPARE_PERSISTENT : 0,
                                &raw, &tail);
    if (rc != SQLITE_OK) {
        status = prepare_failed(conn, rc, sql, n, err);
        goto done;
    }
    if (raw == NULL) {
        status = ss_error_set(err, SS_PROGRAMMING, "there is no statement in the SQL");
        goto done;
    }
    if (ss_stmt_skip_blank(sql, n, (size_t)(tail - sql), true) < n) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "one statement at a time: there is text after the first");
        name_the_place(
            sql, n, (int)ss_stmt_skip_blank(sql, n, (size_t)(tail - sql), true), err);
        goto done;
    }
    stmt = ss_calloc(1, sizeof(*stmt));
    if (stmt == NULL) {
        status = ss_error_nomem(err);
        goto done;
    }
    stmt->raw = raw;
    stmt->conn = conn;
    stmt->varies = ss_conn_varies(conn) || sqlite3_stmt_isexplain(raw) != 0;
    raw = NULL;
    *out = stmt;

done:
    (void)sqlite3_finalize(raw);
    return status;
}

void
ss_stmt_finalize(ss_stmt *stmt)
{
    if (stmt == NULL) {
        return;
    }
    (void)sqlite3_finalize(stmt->raw);
    ss_free(stmt->sql);
    ss_free(stmt);
}

/* ---- bind ---- */

static ss_status
bind_moment(ss_stmt *stmt, int index, const ss_value *value, int *rc, ss_error *err)
{
    char text[SS_INSTANT_TEXT];
    size_t n;
    bool day = value->tag == SS_VALUE_DATE;
    int64_t least = day ? SS_DAY_MIN : SS_DAY_MIN * SS_US_PER_DAY;
    int64_t most = day ? SS_DAY_MAX : (SS_DAY_MAX + 1) * SS_US_PER_DAY - 1;

    if (value->as.i < least || value->as.i > most) {
        return ss_error_set(err, SS_VALUE,
                            "parameter %d: a date outside the years 1 to 9999", index);
    }
    n = day ? ss_day_format((int32_t)value->as.i, text)
            : ss_instant_format(value->as.i, text);
    *rc = sqlite3_bind_text64(stmt->raw, index, text, n, SQLITE_TRANSIENT, SQLITE_UTF8);
    return SS_OK;
}

ss_status
ss_stmt_bind(ss_stmt *stmt, int index, const ss_value *value, ss_error *err)
{
    sqlite3_stmt *raw = stmt->raw;
    int rc = SQLITE_OK;

    switch (value->tag) {
    case SS_VALUE_NULL:
        rc = sqlite3_bind_null(raw, index);
        break;
    case SS_VALUE_INT:
        rc = sqlite3_bind_int64(raw, index, value->as.i);
        break;
    case SS_VALUE_REAL:
        if (isnan(value->as.r)) {
            return ss_error_set(err, SS_VALUE, "parameter %d: NaN cannot be stored",
                                index);
        }
        rc = sqlite3_bind_double(raw, index, value->as.r);
        break;
    case SS_VALUE_TEXT:
        rc = sqlite3_bind_text64(raw, index, value->as.s.p, value->as.s.n,
                                 SQLITE_STATIC, SQLITE_UTF8);
        break;
    case SS_VALUE_BLOB:
        rc = sqlite3_bind_blob64(raw, index, value->as.s.p, value->as.s.n,
                                 SQLITE_STATIC);
        break;
    case SS_VALUE_DATE:
    case SS_VALUE_TIMESTAMP:
        SS_TRY(bind_moment(stmt, index, value, &rc, err));
        break;
    }
    return rc == SQLITE_OK ? SS_OK
                           : ss_conn_error(stmt->conn, rc, "binding a parameter", err);
}

ss_status
ss_stmt_bind_all(ss_stmt *stmt, const ss_value *values, int n, ss_error *err)
{
    int wanted = sqlite3_bind_parameter_count(stmt->raw);

    if (n != wanted) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "the statement has %d parameter%s, but %d value%s given",
                            wanted, wanted == 1 ? "" : "s", n,
                            n == 1 ? " was" : "s were");
    }
    for (int i = 0; i < n; i++) {
        SS_TRY(ss_stmt_bind(stmt, i + 1, &values[i], err));
    }
    return SS_OK;
}

/* ---- step ---- */

ss_status
ss_stmt_step(ss_stmt *stmt, const char *what, bool *row, ss_error *err)
{
    int rc = sqlite3_step(stmt->raw);
    ss_status status = SS_OK;

    if (rc == SQLITE_ROW) {
        *row = true;
        return SS_OK;
    }
    if (rc == SQLITE_DONE) {
        *row = false;
    }
    else {
        /* First: the reset would change SQLite's message. */
        status = ss_conn_error(stmt->conn, rc, what, err);
    }
    (void)sqlite3_reset(stmt->raw);
    return status;
}

void
ss_stmt_reset(ss_stmt *stmt)
{
    (void)sqlite3_reset(stmt->raw);
    (void)sqlite3_clear_bindings(stmt->raw);
}

void
ss_stmt_column(ss_stmt *stmt, int index, ss_value *out)
{
    sqlite3_stmt *raw = stmt->raw;
    const void *p;

    switch (sqlite3_column_type(raw, index)) {
    case SQLITE_INTEGER:
        out->tag = SS_VALUE_INT;
        out->as.i = sqlite3_column_int64(raw, index);
        return;
    case SQLITE_FLOAT:
        out->tag = SS_VALUE_REAL;
        out->as.r = sqlite3_column_double(raw, index);
        return;
    case SQLITE_TEXT:
        out->tag = SS_VALUE_TEXT;
        p = sqlite3_column_text(raw, index);
        break;
    case SQLITE_BLOB:
        out->tag = SS_VALUE_BLOB;
        p = sqlite3_column_blob(raw, index);
        break;
    default:
        out->tag = SS_VALUE_NULL;
        return;
    }
    /* The pointer first: asking for it may convert the cell (a UTF-16 file), which
     * changes its size. NULL is an empty blob, or no memory for that conversion: then
     * the next step fails with SS_NOMEM. */
    out->as.s.p = p != NULL ? p : "";
    out->as.s.n = p != NULL ? (size_t)sqlite3_column_bytes(raw, index) : 0;
}
