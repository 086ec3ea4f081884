#include "db/layout.h"

#include "base/mem.h"
#include "base/thread.h"
#include "store/stmt.h"

#include <string.h> // strchr(), strcspn(), strlen(), strncmp(), strspn(), strstr()

static void
free_one(ss_layout *layout)
{
    for (int i = 0; layout->triggers != NULL && i < ss_n_tables; i++) {
        ss_free(layout->triggers[i]);
    }
    ss_free(layout->triggers);
    ss_free(layout->tables);
    ss_free(layout);
}

void
ss_layout_free(ss_layout *layout)
{
    while (layout != NULL) {
        ss_layout *older = layout->older;
        free_one(layout);
        layout = older;
    }
}

static ss_status
layout_new(ss_layout **out, ss_error *err)
{
    ss_layout *layout = ss_calloc(1, sizeof(*layout));
    if (layout != NULL) {
        layout->tables = ss_calloc((size_t)ss_n_tables, sizeof(*layout->tables));
        layout->triggers = ss_calloc((size_t)ss_n_tables, sizeof(*layout->triggers));
    }
    if (layout == NULL || layout->tables == NULL || layout->triggers == NULL) {
        ss_layout_free(layout);
        return ss_error_nomem(err);
    }
    *out = layout;
    return SS_OK;
}

/* --- columns ----------------------------------------------------------------------- */

static int
find_table(const char *name)
{
    for (int i = 0; i < ss_n_tables; i++) {
        if (sqlite3_stricmp(ss_tables[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* The file has a column of this name: it is ours under its name or its older one. */
static void
claim_column(const ss_table_desc *table, ss_table_layout *layout, const char *name)
{
    for (int i = 0; i < table->n_columns; i++) {
        const ss_column_desc *column = &table->columns[i];
        if (sqlite3_stricmp(column->name, name) == 0) {
            layout->stored[i] = column->name;
        }
        else if (column->old_name != NULL && layout->stored[i] == NULL &&
                 sqlite3_stricmp(column->old_name, name) == 0) {
            layout->stored[i] = column->old_name;
        }
    }
}

static const char *
text_at(ss_stmt *stmt, int index)
{
    ss_value value;
    ss_stmt_column(stmt, index, &value);
    return value.tag == SS_VALUE_TEXT ? value.as.s.p : "";
}

static int64_t
int_at(ss_stmt *stmt, int index)
{
    ss_value value;
    ss_stmt_column(stmt, index, &value);
    return value.tag == SS_VALUE_INT ? value.as.i : 0;
}

static ss_status
load_columns(ss_conn *conn, int index, ss_layout *layout, ss_error *err)
{
    static const char sql[] = "SELECT name, hidden FROM pragma_table_xinfo(?1)";
    const ss_table_desc *table = &ss_tables[index];
    ss_stmt *stmt = NULL;
    SS_TRY(ss_stmt_prepare(conn, sql, sizeof(sql) - 1, false, &stmt, err));
    ss_value name = {.tag = SS_VALUE_TEXT};
    name.as.s.p = table->name;
    name.as.s.n = strlen(table->name);
    ss_status status = ss_stmt_bind(stmt, 1, &name, err);
    bool row = true;
    while (status == SS_OK) {
        status = ss_stmt_step(stmt, "reading the schema", &row, err);
        if (status != SS_OK || !row) {
            break;
        }
        if (int_at(stmt, 1) != 0) {
            status = ss_error_set(err, SS_SCHEMA,
                                  "%s.%s is a generated or hidden column; this "
                                  "package reads plain columns only",
                                  table->name, text_at(stmt, 0));
            ss_error_where(err, table->name, text_at(stmt, 0), NULL);
            break;
        }
        claim_column(table, &layout->tables[index], text_at(stmt, 0));
    }
    ss_stmt_finalize(stmt);
    return status;
}

/* A file with our marks has exactly the columns of its version. */
static void
claim_all(int index, ss_layout *layout)
{
    for (int i = 0; i < ss_tables[index].n_columns; i++) {
        layout->tables[index].stored[i] = ss_tables[index].columns[i].name;
    }
}

/* --- tables ------------------------------------------------------------------------ */

static ss_status
claim_object(ss_layout *layout, const char *type, const char *name, const char *table,
             bool is_odd, ss_error *err)
{
    if (strcmp(type, "trigger") == 0) {
        int on = find_table(table);
        if (on >= 0 && layout->triggers[on] == NULL) {
            layout->triggers[on] = ss_strdup(name);
            return layout->triggers[on] != NULL ? SS_OK : ss_error_nomem(err);
        }
        return SS_OK;
    }
    int index = find_table(name);
    if (index < 0 || strcmp(type, "index") == 0) {
        return SS_OK;
    }
    bool is_table = strcmp(type, "table") == 0;
    if (!is_table || is_odd) {
        ss_error_set(err, SS_SCHEMA,
                     "%s is a %s in this file, not a table; it will not be read",
                     ss_tables[index].name, is_table ? "virtual table" : type);
        ss_error_where(err, ss_tables[index].name, NULL, NULL);
        return SS_SCHEMA;
    }
    layout->tables[index].present = true;
    return SS_OK;
}

/* The row id orders rows, names them in messages, and stands for an id that is missing:
 * a table WITHOUT ROWID cannot be read. (A column of that name is as good.) */
static ss_status
check_rowid(ss_conn *conn, const char *type, const char *name, ss_error *err)
{
    int index = find_table(name);
    if (index < 0 || strcmp(type, "table") != 0) {
        return SS_OK;
    }
    char sql[128];
    ss_stmt *stmt = NULL;
    ss_error unused;
    ss_error_init(&unused);
    sqlite3_snprintf(sizeof(sql), sql, "SELECT rowid FROM \"%s\"",
                     ss_tables[index].name);
    ss_status status = ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, &unused);
    ss_stmt_finalize(stmt);
    if (status != SS_PROGRAMMING) {
        return SS_OK; /* what else is wrong, reading it will say */
    }
    ss_error_set(err, SS_SCHEMA,
                 "%s is a table WITHOUT ROWID in this file; it will not be read",
                 ss_tables[index].name);
    ss_error_where(err, ss_tables[index].name, NULL, NULL);
    return SS_SCHEMA;
}

/* Note which of our tables are there; *n_objects counts everything in the file. */
static ss_status
load_tables(ss_conn *conn, ss_layout *layout, int *n_objects, ss_error *err)
{
    /* SQLite writes each of its own tables so; the text of another kind may have been
     * put there by hand, with a comment in between. */
    static const char sql[] =
        "SELECT type, name, tbl_name, sql NOT LIKE 'CREATE TABLE %', sql LIKE '%rowid%' "
        "FROM sqlite_schema";
    ss_stmt *stmt = NULL;
    SS_TRY(ss_stmt_prepare(conn, sql, sizeof(sql) - 1, false, &stmt, err));
    ss_status status = SS_OK;
    bool row = true;
    *n_objects = 0;
    while (status == SS_OK) {
        status = ss_stmt_step(stmt, "reading the schema", &row, err);
        if (status != SS_OK || !row) {
            break;
        }
        ++*n_objects;
        status = claim_object(layout, text_at(stmt, 0), text_at(stmt, 1),
                              text_at(stmt, 2), int_at(stmt, 3) != 0, err);
        if (status == SS_OK && int_at(stmt, 4) != 0) {
            status = check_rowid(conn, text_at(stmt, 0), text_at(stmt, 1), err);
        }
    }
    ss_stmt_finalize(stmt);
    return status;
}

static ss_file_kind
kind_of(int64_t application_id, int64_t user_version, const ss_layout *layout,
        int n_objects)
{
    bool ours = application_id == SS_APPLICATION_ID;
    if (n_objects == 0) {
        return SS_FILE_EMPTY;
    }
    if (ours && user_version > ss_n_migrations) {
        return SS_FILE_NEWER;
    }
    if (ours && user_version == ss_n_migrations) {
        return SS_FILE_CURRENT;
    }
    for (int i = 0; i < ss_n_tables; i++) {
        if (layout->tables[i].present) {
            return SS_FILE_LEGACY;
        }
    }
    return SS_FILE_FOREIGN;
}

static ss_status
load_kind(ss_conn *conn, ss_layout *layout, ss_error *err)
{
    int64_t application_id = 0;
    int n_objects = 0;
    char journal[16];
    SS_TRY(ss_conn_int(conn, "PRAGMA application_id", &application_id, err));
    SS_TRY(ss_conn_int(conn, "PRAGMA user_version", &layout->user_version, err));
    SS_TRY(ss_conn_int(conn, "PRAGMA schema_version", &layout->schema_version, err));
    SS_TRY(ss_conn_text(conn, "PRAGMA journal_mode", journal, sizeof(journal), err));
    SS_TRY(load_tables(conn, layout, &n_objects, err));
    layout->wal = strcmp(journal, "wal") == 0;
    if (application_id != 0 && application_id != SS_APPLICATION_ID) {
        return ss_error_set(err, SS_SCHEMA,
                            "this is the database of another application "
                            "(application_id %lld)",
                            (long long)application_id);
    }
    layout->kind = kind_of(application_id, layout->user_version, layout, n_objects);
    return SS_OK;
}

ss_status
ss_layout_load(ss_conn *conn, ss_layout **out, ss_error *err)
{
    ss_layout *layout = NULL;
    SS_TRY(layout_new(&layout, err));
    ss_status status = load_kind(conn, layout, err);
    for (int i = 0; status == SS_OK && i < ss_n_tables; i++) {
        if (layout->tables[i].present && layout->kind == SS_FILE_CURRENT) {
            claim_all(i, layout);
        }
        else if (layout->tables[i].present) {
            status = load_columns(conn, i, layout, err);
        }
        layout->tables[i].canonical = layout->kind == SS_FILE_CURRENT;
    }
    if (status != SS_OK) {
        ss_layout_free(layout);
        return status;
    }
    *out = layout;
    return SS_OK;
}

/* --- creating ------------------------------------------------------------------------ */

/* Needs the file for itself for a moment; other processes may be opening it, too, and
 * SQLite does not always wait here, so the wait is ours. */
ss_status
ss_layout_set_wal(ss_conn *conn, int64_t busy_ms, ss_error *err)
{
    enum { PAUSE_US = 10000 };
    int64_t until = ss_clock_ms() + busy_ms;
    for (;;) {
        char mode[16];
        ss_error_init(err);
        ss_status status =
            ss_conn_text(conn, "PRAGMA journal_mode = WAL", mode, sizeof(mode), err);
        if (status != SS_BUSY || ss_clock_ms() >= until) {
            return status;
        }
        ss_sleep_us(PAUSE_US);
    }
}

static ss_status
mark_as_ours(ss_conn *conn, ss_error *err)
{
    char sql[96];
    sqlite3_snprintf(sizeof(sql), sql,
                     "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     SS_APPLICATION_ID, ss_n_migrations);
    return ss_conn_exec(conn, sql, err);
}

static ss_status
create_tables(ss_conn *conn, ss_error *err)
{
    int64_t n_objects = 0;
    SS_TRY(ss_conn_int(conn, "SELECT count(*) FROM sqlite_schema", &n_objects, err));
    if (n_objects > 0) {
        return SS_OK; /* somebody was faster */
    }
    for (int i = 0; i < ss_n_migrations; i++) {
        SS_TRY(ss_conn_exec(conn, ss_migrations[i], err));
    }
    return mark_as_ours(conn, err);
}

/* Past space and `--` comments. */
static const char *
skip_comments(const char *sql)
{
    for (;;) {
        sql += strspn(sql, " \n");
        if (strncmp(sql, "--", 2) != 0) {
            return sql;
        }
        sql += strcspn(sql, "\n");
    }
}

/* The end of the statement at `sql`: past its semicolon. None in a migration has one
 * inside a text or a comment in its middle. */
static const char *
statement_end(const char *sql)
{
    const char *semicolon = strchr(sql, ';');
    return semicolon != NULL ? semicolon + 1 : sql + strlen(sql);
}

/* Which of our tables a CREATE TABLE or CREATE INDEX of a migration is about. */
static int
statement_table(const char *sql)
{
    const char *name = strncmp(sql, "CREATE TABLE ", 13) == 0 ? sql + 13
                       : strstr(sql, " ON ") != NULL          ? strstr(sql, " ON ") + 4
                                                              : "";
    return ss_catalog_table(name, strcspn(name, " ("));
}

static ss_status
run_statement(ss_conn *conn, const char *sql, size_t n, ss_error *err)
{
    char *text = ss_strndup(sql, n);
    if (text == NULL) {
        return ss_error_nomem(err);
    }
    ss_status status = ss_conn_exec(conn, text, err);
    ss_free(text);
    return status;
}

/* Is the table or index that a statement makes in the file already? */
static ss_status
is_there(ss_conn *conn, const char *sql, bool *out, ss_error *err)
{
    char query[160];
    int64_t n = 0;
    const char *name = strncmp(sql, "CREATE TABLE ", 13) == 0   ? sql + 13
                       : strncmp(sql, "CREATE INDEX ", 13) == 0 ? sql + 13
                                                                : "";
    sqlite3_snprintf(sizeof(query), query,
                     "SELECT count(*) FROM sqlite_schema WHERE name = '%.*s'",
                     (int)strcspn(name, " (\n"), name);
    SS_TRY(ss_conn_int(conn, query, &n, err));
    *out = n > 0;
    return SS_OK;
}

/* A file of ours gets each object that it lacks; another one tables alone, with their
 * indexes: what is there is somebody else's. */
static ss_status
create_absent(ss_conn *conn, const ss_layout *layout, const char *script, ss_error *err)
{
    for (const char *sql = skip_comments(script); *sql != '\0';) {
        const char *end = statement_end(sql);
        int table = statement_table(sql);
        bool there = table >= 0 && layout->tables[table].present;
        if (layout->kind == SS_FILE_CURRENT) {
            SS_TRY(is_there(conn, sql, &there, err));
        }
        if (!there) {
            SS_TRY(run_statement(conn, sql, (size_t)(end - sql), err));
        }
        sql = skip_comments(end);
    }
    return SS_OK;
}

ss_status
ss_layout_create_missing(ss_conn *conn, const ss_layout *layout, ss_error *err)
{
    bool ours = layout->kind == SS_FILE_CURRENT;
    if (layout->user_version != 0 && !ours) {
        return ss_error_set(err, SS_SCHEMA,
                            "this file has user_version %lld of another application; "
                            "the tables were not created",
                            (long long)layout->user_version);
    }
    for (int i = 0; i < ss_n_migrations; i++) {
        SS_TRY(create_absent(conn, layout, ss_migrations[i], err));
    }
    /* With an older table among them it stays a legacy file, read by column name. */
    return ours || layout->kind == SS_FILE_LEGACY ? SS_OK : mark_as_ours(conn, err);
}

ss_status
ss_layout_create(ss_conn *conn, bool wal, int64_t busy_ms, ss_error *err)
{
    if (wal) {
        SS_TRY(ss_layout_set_wal(conn, busy_ms, err));
    }
    SS_TRY(ss_conn_exec(conn, "BEGIN IMMEDIATE", err));
    ss_status status = create_tables(conn, err);
    if (status == SS_OK) {
        status = ss_conn_exec(conn, "COMMIT", err);
    }
    ss_conn_rollback(conn);
    return status;
}
