/* store/stmt: one prepared statement: bind, step, reset.
 *
 * A statement belongs to the thread that holds its connection.  Text bound by value
 * is borrowed (SQLITE_STATIC) until the statement is reset or put back; days and
 * instants are bound as their canonical text and copied.
 */
#ifndef SS_STORE_STMT_H
#define SS_STORE_STMT_H

#include "base/value.h"
#include "store/conn.h"

typedef struct ss_stmt {
    sqlite3_stmt *raw; /* owned */
    ss_conn *conn;     /* borrowed: outlives the statement */
    bool varies;       /* free SQL: its answer may depend on more than the content */
    /* --- private: store/stmt_cache --- */
    char *sql; /* owned key, NUL-terminated */
    size_t n_sql;
    struct ss_stmt *newer, *older; /* by last use */
    struct ss_stmt *next;          /* same hash slot */
    uint32_t hash;
    bool leased, cached, guarded;
} ss_stmt;

/* Prepare exactly one statement. Text after it other than space and comments, or no
 * statement at all, is SS_PROGRAMMING. The error of bad SQL names the place. */
ss_status ss_stmt_prepare(ss_conn *conn, const char *sql, size_t n, bool keep,
                          ss_stmt **out, ss_error *err) SS_MUST_CHECK;
void ss_stmt_finalize(ss_stmt *stmt); /* NULL is fine */

/* The first byte at or after `at` that is neither space nor comment (nor, when
 * `semicolons`, a semicolon); n when there is none. */
size_t ss_stmt_skip_blank(const char *sql, size_t n, size_t at, bool semicolons);

/* `index` counts from 1. */
ss_status ss_stmt_bind(ss_stmt *stmt, int index, const ss_value *value, ss_error *err)
    SS_MUST_CHECK;
ss_status ss_stmt_bind_all(ss_stmt *stmt, const ss_value *values, int n, ss_error *err)
    SS_MUST_CHECK;

/* *row: true when a row is there. After an error or the last row the statement has
 * been reset (so that it pins no snapshot). `what` is for the error message. */
ss_status ss_stmt_step(ss_stmt *stmt, const char *what, bool *row, ss_error *err)
    SS_MUST_CHECK;
void ss_stmt_reset(ss_stmt *stmt); /* and clear the bindings */

/* A result cell as it is stored (text and blob borrowed until the next step). In a
 * UTF-16 file the conversion may run out of memory: the cell is then empty and the next
 * ss_stmt_step fails with SS_NOMEM: trust what was read after the last step. */
void ss_stmt_column(ss_stmt *stmt, int index, ss_value *out);

#endif
