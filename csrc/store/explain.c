/* store/explain: SQLite's result codes as our kinds of error, in words that help. */
#define _POSIX_C_SOURCE 200809L /* strerror_r() that returns int */

#include "store/explain.h"

#include <fcntl.h>  // AT_FDCWD
#include <stdio.h>  // snprintf()
#include <string.h> // strchr(), strstr()
#include <sys/stat.h>
#include <unistd.h> // faccessat()

ss_code
ss_explain_code(int rc)
{
    if (rc == SQLITE_IOERR_NOMEM) {
        return SS_NOMEM;
    }
    switch (rc & 0xFF) {
    case SQLITE_NOMEM:
        return SS_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SS_BUSY;
    case SQLITE_FULL:
        return SS_DISK_FULL;
    case SQLITE_READONLY:
        return SS_READ_ONLY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return SS_INTEGRITY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return SS_DATABASE;
    case SQLITE_TOOBIG:
        return SS_DATA;
    case SQLITE_ERROR:
        return SS_PROGRAMMING;
    case SQLITE_INTERRUPT:
        return SS_INTERRUPTED;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_AUTH:
    case SQLITE_ABORT:
    case SQLITE_SCHEMA:
    case SQLITE_NOLFS:
        return SS_OPERATIONAL;
    default: /* MISUSE, RANGE, INTERNAL, and what is not known */
        return SS_INTERNAL;
    }
}

/* Which table and column a named CHECK is about: "<table>_<column>_check" can be cut in
 * more than one place, so the schema is asked. Whatever fails here leaves it unsaid. */
static void
where_of_check(sqlite3 *db, const char *name, ss_error *err)
{
    static const char sql[] =
        "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c"
        " WHERE s.type = 'table' AND substr(?1, 1, length(s.name) + 1) = s.name || '_'"
        " AND ?1 = s.name || '_' || c.name || '_check'";
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(stmt, 0);
        const char *column = (const char *)sqlite3_column_text(stmt, 1);
        ss_error_where(err, table, column, NULL);
    }
    sqlite3_finalize(stmt);
}

/* "t.a, t.b" as table t and column "a, b". */
static void
where_of_list(const char *list, ss_error *err)
{
    char table[sizeof(err->table)], columns[sizeof(err->column)] = "";
    const char *dot = strchr(list, '.');
    size_t n = dot != NULL ? (size_t)(dot - list) : 0, at = 0;

    if (dot == NULL || n >= sizeof(table)) {
        return;
    }
    memcpy(table, list, n);
    table[n] = '\0';
    for (const char *p = list; p != NULL && strncmp(p, table, n) == 0 && p[n] == '.';) {
        const char *column = p + n + 1, *end = strstr(column, ", ");
        size_t length = end != NULL ? (size_t)(end - column) : strlen(column);

        if (at + length + 3 > sizeof(columns)) {
            break;
        }
        if (at > 0) {
            memcpy(columns + at, ", ", 2);
            at += 2;
        }
        memcpy(columns + at, column, length);
        at += length;
        columns[at] = '\0';
        p = end != NULL ? end + 2 : NULL;
    }
    ss_error_where(err, table, columns, NULL);
}

/* Table and column of a refused row, from SQLite's message. */
static void
where_of_constraint(sqlite3 *db, int rc, const char *message, ss_error *err)
{
    const char *list = strstr(message, "constraint failed: ");

    if (rc == SQLITE_CONSTRAINT_DATATYPE) {
        /* "cannot store TEXT value in INTEGER column t.a" */
        list = strstr(message, " column ");
        if (list != NULL) {
            where_of_list(list + strlen(" column "), err);
        }
    }
    else if (list != NULL) {
        list += strlen("constraint failed: ");
        if (rc == SQLITE_CONSTRAINT_CHECK) {
            where_of_check(db, list, err);
        }
        else if (strncmp(list, "index '", 7) != 0) {
            where_of_list(list, err);
        }
    }
}

/* Is this the failure of a WAL file whose folder lets nobody make the -wal and -shm
 * that even reading needs? */
static bool
is_locked_folder(const ss_explained *of, int rc)
{
    char folder[4096];
    const char *slash = strrchr(of->path, '/');
    struct stat st;

    if ((rc & 0xFF) != SQLITE_CANTOPEN && rc != SQLITE_READONLY_CANTINIT &&
        rc != SQLITE_READONLY_CANTLOCK && rc != SQLITE_READONLY_DIRECTORY) {
        return false;
    }
    if (of->opened && sqlite3_db_readonly(of->db, "main") == 0) {
        return false; /* a write that could not make its journal */
    }
    if (slash == NULL || stat(of->path, &st) != 0 ||
        faccessat(AT_FDCWD, of->path, R_OK, AT_EACCESS) != 0) {
        return false;
    }
    int n = snprintf(folder, sizeof(folder), "%.*s",
                     slash == of->path ? 1 : (int)(slash - of->path), of->path);
    return n > 0 && (size_t)n < sizeof(folder) &&
           faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) != 0;
}

/* What the operating system said, as ": No space left", or "". SQLite keeps its errno
 * for these two kinds; after any other it is an old one. */
static void
system_reason(const ss_explained *of, int rc, char *out, size_t size)
{
    bool kept = (rc & 0xFF) == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_IOERR;
    int number = kept ? sqlite3_system_errno(of->db) : 0;
    char text[128];

    out[0] = '\0';
    if (number != 0 && strerror_r(number, text, sizeof(text)) == 0) {
        (void)snprintf(out, size, ": %s", text);
    }
}

static void
explain_file(const ss_explained *of, int rc, const char *what, const char *colon,
             ss_error *err)
{
    char reason[160];
    ss_code code = ss_explain_code(rc);

    if ((rc & 0xFF) == SQLITE_NOTADB) {
        ss_error_set(err, code, "%s is not a SQLite database", of->path);
    }
    else if (is_locked_folder(of, rc)) {
        ss_error_set(err, SS_OPERATIONAL,
                     "%s%s%s is in WAL mode and its folder cannot be written: when no "
                     "%s-wal exists and nobody writes the file, open it with "
                     "immutable=True; otherwise make a copy in rollback-journal mode "
                     "(PRAGMA journal_mode=DELETE) and open that",
                     what, colon, of->path, of->path);
    }
    else if (rc == SQLITE_READONLY_ROLLBACK) {
        ss_error_set(err, SS_OPERATIONAL,
                     "%s%s%s: a write of another process was cut short and must be "
                     "undone by a connection that may write: open the file for writing "
                     "once",
                     what, colon, of->path);
    }
    else if (rc == SQLITE_CANTOPEN_SYMLINK) {
        ss_error_set(err, code,
                     "%s%s%s leads through a symbolic link, which is refused for "
                     "untrusted files",
                     what, colon, of->path);
    }
    else {
        system_reason(of, rc, reason, sizeof(reason));
        ss_error_set(err, code, "%s%s%s (%s%s)", what, colon, sqlite3_errmsg(of->db),
                     of->path, reason);
    }
}

/* A full disk and a table that has given its largest id have one code. Is there such a
 * table, and can the call (`what` is its table or a phrase) be about it? */
static bool
is_out_of_ids(sqlite3 *db, const char *what, char *table, size_t size)
{
    static const char sql[] =
        "SELECT name FROM sqlite_sequence WHERE seq = 9223372036854775807 AND"
        " (name = ?1 OR NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1))";
    sqlite3_stmt *stmt = NULL;
    const char *name = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_bind_text(stmt, 1, what, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        name = (const char *)sqlite3_column_text(stmt, 0);
    }
    (void)snprintf(table, size, "%s", name != NULL ? name : "");
    sqlite3_finalize(stmt);
    return name != NULL;
}

static void
explain_full(const ss_explained *of, int rc, const char *what, const char *colon,
             ss_error *err)
{
    char table[sizeof(err->table)];

    if (is_out_of_ids(of->db, what, table, sizeof(table))) {
        ss_error_set(err, SS_OPERATIONAL,
                     "%s has given its largest row id, 9223372036854775807: a new row "
                     "needs an id of its own, or delete that row and lower the table's "
                     "seq in sqlite_sequence",
                     table);
        ss_error_where(err, table, NULL, NULL);
    }
    else {
        explain_file(of, rc, what, colon, err);
    }
}

void
ss_explain(const ss_explained *of, int rc, const char *what, const char *colon,
           ss_error *err)
{
    ss_code code = ss_explain_code(rc);

    if (code == SS_NOMEM) {
        ss_error_nomem(err);
    }
    else if (code == SS_BUSY) {
        ss_error_set(err, code, "%s%s%s (%s; waited up to %lld ms)", what, colon,
                     sqlite3_errmsg(of->db), of->path, (long long)of->busy_ms);
    }
    else if (code == SS_DISK_FULL) {
        explain_full(of, rc, what, colon, err);
    }
    else if (code == SS_OPERATIONAL || code == SS_DATABASE || code == SS_READ_ONLY) {
        explain_file(of, rc, what, colon, err);
    }
    else {
        /* errmsg is about the last call on the handle: MISUSE is not stored there. */
        const char *text = sqlite3_extended_errcode(of->db) == rc
                               ? sqlite3_errmsg(of->db)
                               : sqlite3_errstr(rc);
        ss_error_set(err, code, "%s%s%s", what, colon, text);
        if ((rc & 0xFF) == SQLITE_CONSTRAINT) {
            char message[sizeof(err->message)]; /* asking the schema changes errmsg */
            (void)snprintf(message, sizeof(message), "%s", text);
            where_of_constraint(of->db, rc, message, err);
        }
    }
}
