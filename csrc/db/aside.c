/* db/aside: the tables of an older file step aside for ours, with all that hangs on
 * them, and what belongs on the new ones comes back. */
#include "db/aside.h"

#include "base/buf.h"
#include "base/mem.h"
#include "db/rejected.h"
#include "store/stmt.h"

#include <string.h> // strcmp(), strlen()

static int
find_ours(const ss_layout *layout, const char *name)
{
    for (int i = 0; i < ss_n_tables; i++) {
        if (layout->tables[i].present &&
            sqlite3_stricmp(ss_tables[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static ss_status
note_object(const ss_layout *layout, ss_stmt *stmt, ss_migration *report, ss_error *err)
{
    ss_value cell[4];
    for (int i = 0; i < 4; i++) {
        ss_stmt_column(stmt, i, &cell[i]);
        if (cell[i].tag != SS_VALUE_TEXT) {
            return SS_OK; /* an index of a constraint has no text */
        }
    }
    const char *type = cell[0].as.s.p, *table = cell[2].as.s.p;
    bool view = strcmp(type, "view") == 0;
    if (strcmp(type, "table") == 0 || (!view && find_ours(layout, table) < 0)) {
        return SS_OK;
    }
    ss_status status = ss_migration_add_object(
        report, type, cell[1].as.s.p, view ? NULL : table,
        strcmp(type, "index") == 0 ? "dropped" : "kept", cell[3].as.s.p);
    return status == SS_OK ? SS_OK : ss_error_nomem(err);
}

static ss_status
note_objects(ss_conn *conn, const ss_layout *layout, ss_migration *report,
             ss_error *err)
{
    static const char sql[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema";
    ss_stmt *stmt = NULL;
    bool row = true;
    SS_TRY(ss_stmt_prepare(conn, sql, sizeof(sql) - 1, false, &stmt, err));
    ss_status status = SS_OK;
    while (status == SS_OK) {
        status = ss_stmt_step(stmt, "reading the schema", &row, err);
        if (status != SS_OK || !row) {
            break;
        }
        status = note_object(layout, stmt, report, err);
    }
    ss_stmt_finalize(stmt);
    return status;
}

/* A cell of the report's objects; new. */
static char *
object_text(const ss_migration *report, int64_t row, int column)
{
    ss_value value;
    ss_column_get(&report->objects->columns[column], row, &value);
    return value.tag == SS_VALUE_TEXT ? ss_strndup(value.as.s.p, value.as.s.n)
                                      : ss_strdup("");
}

static ss_status
drop_index(ss_conn *conn, const char *name, ss_error *err)
{
    ss_buf sql;
    ss_buf_init(&sql);
    ss_buf_puts(&sql, "DROP INDEX ");
    ss_buf_identifier(&sql, name);
    return ss_conn_run(conn, &sql, err);
}

/* The text is whatever the file says, and SQLite has read its first statement only: no
 * other of it is run. */
static ss_status
make_trigger(ss_conn *conn, const char *sql, ss_error *err)
{
    ss_stmt *stmt = NULL;
    bool row;
    SS_TRY(ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, err));
    ss_status status = ss_stmt_step(stmt, "making a trigger again", &row, err);
    ss_stmt_finalize(stmt);
    return status;
}

/* Drop the indexes of the report (`type` "index"), or make its triggers again. */
static ss_status
for_objects(ss_conn *conn, const ss_migration *report, const char *wanted,
            ss_error *err)
{
    const bool drop = strcmp(wanted, "index") == 0;
    ss_status status = SS_OK;
    for (int64_t i = 0; status == SS_OK && i < report->objects->n_rows; i++) {
        char *type = object_text(report, i, 0);
        char *what = object_text(report, i, drop ? 1 : 4);
        if (type == NULL || what == NULL) {
            status = ss_error_nomem(err);
        }
        else if (strcmp(type, wanted) == 0) {
            status = drop ? drop_index(conn, what, err) : make_trigger(conn, what, err);
        }
        ss_free(type);
        ss_free(what);
    }
    return status;
}

/* ---- the names that are needed ---- */

/* What has the name in the file: "table", "index" or "view"; "" is nothing. */
static ss_status
type_of(ss_conn *conn, const char *name, char *out, size_t size, ss_error *err)
{
    char sql[256];
    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT coalesce((SELECT type FROM sqlite_schema WHERE type <> "
                     "'trigger' AND name = '%q' COLLATE NOCASE), '')",
                     name);
    return ss_conn_text(conn, sql, out, size, err);
}

static ss_status
name_taken(const char *type, const char *name, const char *use, ss_error *err)
{
    ss_error_set(err, SS_SCHEMA,
                 "the file has a %s %s of another system; migrate() needs that name "
                 "for %s: rename it",
                 type, name, use);
    ss_error_where(err, name, NULL, NULL);
    return SS_SCHEMA;
}

/* An earlier migration of ours may have made it. */
static ss_status
check_rejected(ss_conn *conn, ss_error *err)
{
    char type[16];
    ss_error unused;
    ss_stmt *stmt = NULL;
    SS_TRY(type_of(conn, "_rejected", type, sizeof(type), err));
    if (type[0] == '\0') {
        return SS_OK;
    }
    ss_error_init(&unused);
    ss_status status = ss_rejected_prepare(conn, &stmt, &unused);
    ss_stmt_finalize(stmt);
    return status == SS_OK && strcmp(type, "table") == 0
               ? SS_OK
               : name_taken(type, "_rejected", "the rows that it cannot copy", err);
}

ss_status
ss_aside_check(ss_conn *conn, const ss_layout *layout, ss_error *err)
{
    SS_TRY(check_rejected(conn, err));
    for (int i = 0; i < ss_n_tables; i++) {
        char name[128], type[16];
        if (!layout->tables[i].present) {
            continue;
        }
        sqlite3_snprintf(sizeof(name), name, SS_ASIDE "%s", ss_tables[i].name);
        SS_TRY(type_of(conn, name, type, sizeof(type), err));
        if (type[0] != '\0') {
            return name_taken(type, name, "the old table", err);
        }
    }
    return SS_OK;
}

ss_status
ss_aside_all(ss_conn *conn, const ss_layout *layout, ss_migration *report,
             ss_error *err)
{
    SS_TRY(note_objects(conn, layout, report, err));
    SS_TRY(for_objects(conn, report, "index", err));
    for (int i = 0; i < ss_n_tables; i++) {
        if (layout->tables[i].present) {
            ss_buf sql;
            ss_buf_init(&sql);
            ss_buf_printf(&sql, "ALTER TABLE \"%s\" RENAME TO \"" SS_ASIDE "%s\"",
                          ss_tables[i].name, ss_tables[i].name);
            SS_TRY(ss_conn_run(conn, &sql, err));
        }
    }
    return SS_OK;
}

/* A row that was merged may have been referred to: as ON DELETE SET NULL would do. */
static ss_status
clear_references(ss_conn *conn, ss_error *err)
{
    static const char sql[] =
        "SELECT c.\"table\", c.rowid, l.\"from\" FROM pragma_foreign_key_check c, "
        "pragma_foreign_key_list(c.\"table\") l WHERE l.id = c.fkid";
    ss_stmt *stmt = NULL;
    ss_buf updates;
    bool row = true;
    ss_buf_init(&updates);
    SS_TRY(ss_stmt_prepare(conn, sql, sizeof(sql) - 1, false, &stmt, err));
    ss_status status = SS_OK;
    while (status == SS_OK) {
        status = ss_stmt_step(stmt, "checking references", &row, err);
        if (status != SS_OK || !row) {
            break;
        }
        ss_value table, id, column;
        ss_stmt_column(stmt, 0, &table);
        ss_stmt_column(stmt, 1, &id);
        ss_stmt_column(stmt, 2, &column);
        if (ss_catalog_table(table.as.s.p, table.as.s.n) >= 0) {
            ss_buf_printf(&updates, "UPDATE \"%s\" SET ", table.as.s.p);
            ss_buf_identifier(&updates, column.as.s.p);
            ss_buf_printf(&updates, " = NULL WHERE id = %lld;", (long long)id.as.i);
        }
    }
    ss_stmt_finalize(stmt);
    if (status != SS_OK || updates.size == 0) {
        ss_buf_free(&updates);
        return status;
    }
    return ss_conn_run(conn, &updates, err);
}

ss_status
ss_aside_finish(ss_conn *conn, ss_migration *report, ss_error *err)
{
    SS_TRY(clear_references(conn, err));
    return for_objects(conn, report, "trigger", err);
}
