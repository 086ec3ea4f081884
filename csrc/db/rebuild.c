/* db/rebuild: one older table after the other, row by row.
 *
 * Works on one connection inside one transaction, with foreign keys off and with
 * legacy_alter_table on, so that renaming a table touches no view of the user. Nothing
 * is lost: each row is copied, or kept as JSON in `_rejected` with the reason; a row of
 * which a cell did not fit is both. The newest row of a key comes first (row ids
 * descend) and wins.  Columns that are not ours are carried over behind ours.
 *
 * CHECKs need no twin here: each is named after its column, so the one that refuses a
 * row says which cell to clear.
 */
#include "db/rebuild.h"

#include "base/buf.h"
#include "base/mem.h"
#include "db/aside.h"
#include "db/fit.h"
#include "db/rejected.h"
#include "store/stmt.h"

#include <stdio.h>  // snprintf()
#include <string.h> // strlen(), strstr()
#include <time.h>   // time()

typedef struct {
    ss_conn *conn;
    ss_migration *report;
    const ss_table_desc *table;
    char **names; /* owned, as are the strings: the old columns */
    int n_old, n_cells;
    int *to;                        /* owned: an old column's cell of the new row */
    int source[SS_MAX_COLUMNS];     /* the old column of each of ours, or -1 */
    int substitute[SS_MAX_COLUMNS]; /* that of its desc->source, or -1 */
    ss_value *raw;                  /* owned: the old row, borrowed cells */
    ss_value *cells;                /* owned: the new row */
    ss_stmt *select, *insert, *reject, *find;
    ss_buf lost;          /* this row: why cells were cleared, */
    uint64_t filled;      /* which were filled, */
    int changed, cleared; /* and how many changed and were cleared */
    int64_t row_id;
    ss_value now;
    ss_migration_counts counts;
} rebuild;

/* ---- the old columns ---- */

/* The affinity of a declared type, as SQLite derives it; the type's own words are not
 * repeated, since they are whatever the file says. */
static const char *
affinity(const char *type)
{
    static const char *const rules[][2] = {
        {"INT", "INTEGER"}, {"CHAR", "TEXT"}, {"CLOB", "TEXT"}, {"TEXT", "TEXT"},
        {"BLOB", "BLOB"},   {"REAL", "REAL"}, {"FLOA", "REAL"}, {"DOUB", "REAL"},
    };
    char upper[64];
    size_t n = 0;
    for (; type[n] != '\0' && n + 1 < sizeof(upper); n++) {
        char c = type[n];
        upper[n] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    upper[n] = '\0';
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strstr(upper, rules[i][0]) != NULL) {
            return rules[i][1];
        }
    }
    return n == 0 ? "BLOB" : "NUMERIC";
}

/* The new table gets the column, too. */
static ss_status
carry_column(rebuild *r, const char *name, const char *type, ss_error *err)
{
    ss_buf sql;
    ss_buf_init(&sql);
    ss_buf_printf(&sql, "ALTER TABLE \"%s\" ADD COLUMN ", r->table->name);
    ss_buf_identifier(&sql, name);
    ss_buf_printf(&sql, " %s", affinity(type));
    SS_TRY(ss_conn_run(r->conn, &sql, err));
    r->to[r->n_old] = r->n_cells++;
    return SS_OK;
}

static ss_status
take_column(rebuild *r, const ss_table_layout *layout, const char *name,
            const char *type, ss_error *err)
{
    char **names = ss_realloc_array(r->names, (size_t)r->n_old + 1, sizeof(*names));
    if (names != NULL) {
        r->names = names;
    }
    int *to = ss_realloc_array(r->to, (size_t)r->n_old + 1, sizeof(*to));
    if (to != NULL) {
        r->to = to;
    }
    if (names == NULL || to == NULL) {
        return ss_error_nomem(err);
    }
    int ours = -1;
    for (int c = 0; c < r->table->n_columns; c++) {
        const ss_column_desc *column = &r->table->columns[c];
        if (layout->stored[c] != NULL &&
            sqlite3_stricmp(layout->stored[c], name) == 0) {
            ours = c;
            r->source[c] = r->n_old;
        }
        if (column->source != NULL && sqlite3_stricmp(column->source, name) == 0) {
            r->substitute[c] = r->n_old;
        }
    }
    r->to[r->n_old] = ours;
    if (ours < 0) {
        SS_TRY(carry_column(r, name, type, err));
    }
    r->names[r->n_old] = ss_strdup(name);
    return r->names[r->n_old++] != NULL ? SS_OK : ss_error_nomem(err);
}

/* All of them first: a column cannot be added while the list is being read. */
static ss_status
take_columns(rebuild *r, const ss_table_layout *layout, ss_error *err)
{
    static const char sql[] = "SELECT name, type FROM pragma_table_info(?1)";
    ss_buf names;
    ss_stmt *stmt = NULL;
    bool row = true;
    int n = 0;
    char aside[128];
    snprintf(aside, sizeof(aside), SS_ASIDE "%s", r->table->name);
    ss_value table = ss_value_text(aside), cell;
    ss_buf_init(&names);
    SS_TRY(ss_stmt_prepare(r->conn, sql, sizeof(sql) - 1, false, &stmt, err));
    ss_status status = ss_stmt_bind(stmt, 1, &table, err);
    while (status == SS_OK) {
        status = ss_stmt_step(stmt, "reading the schema", &row, err);
        if (status != SS_OK || !row) {
            break;
        }
        for (int i = 0; i < 2; i++, n++) {
            ss_stmt_column(stmt, i, &cell);
            ss_buf_add(&names, cell.as.s.p, strlen(cell.as.s.p) + 1);
        }
    }
    ss_stmt_finalize(stmt);
    if (status == SS_OK && !ss_buf_ok(&names)) {
        status = ss_error_nomem(err);
    }
    const char *name = names.data;
    for (; status == SS_OK && n > 0; n -= 2) {
        const char *type = name + strlen(name) + 1;
        status = take_column(r, layout, name, type, err);
        name = type + strlen(type) + 1;
    }
    ss_buf_free(&names);
    return status;
}

/* ---- statements ---- */

static ss_status
prepare(rebuild *r, ss_buf *sql, ss_stmt **out, ss_error *err)
{
    ss_status status =
        ss_buf_ok(sql) ? ss_stmt_prepare(r->conn, sql->data, sql->size, true, out, err)
                       : ss_error_nomem(err);
    ss_buf_free(sql);
    return status;
}

static ss_status
prepare_select(rebuild *r, ss_error *err)
{
    ss_buf sql;
    ss_buf_init(&sql);
    ss_buf_puts(&sql, "SELECT rowid");
    for (int i = 0; i < r->n_old; i++) {
        ss_buf_puts(&sql, ", ");
        ss_buf_identifier(&sql, r->names[i]);
    }
    ss_buf_printf(&sql, " FROM \"" SS_ASIDE "%s\" ORDER BY rowid DESC", r->table->name);
    return prepare(r, &sql, &r->select, err);
}

static ss_status
prepare_insert(rebuild *r, ss_error *err)
{
    ss_buf sql;
    ss_buf_init(&sql);
    ss_buf_printf(&sql, "INSERT INTO \"%s\" (", r->table->name);
    for (int c = 0; c < r->table->n_columns; c++) {
        ss_buf_printf(&sql, "%s\"%s\"", c > 0 ? ", " : "", r->table->columns[c].name);
    }
    for (int i = 0; i < r->n_old; i++) {
        if (r->to[i] >= r->table->n_columns) {
            ss_buf_puts(&sql, ", ");
            ss_buf_identifier(&sql, r->names[i]);
        }
    }
    ss_buf_puts(&sql, ") VALUES (");
    for (int c = 0; c < r->n_cells; c++) {
        ss_buf_printf(&sql, "%s?%d", c > 0 ? ", " : "", c + 1);
    }
    ss_buf_puts(&sql, ")");
    return prepare(r, &sql, &r->insert, err);
}

static ss_status
prepare_find(rebuild *r, ss_error *err)
{
    ss_buf sql;
    ss_buf_init(&sql);
    ss_buf_printf(&sql, "SELECT id FROM \"%s\" WHERE ", r->table->name);
    for (int i = 0; i < r->table->n_key; i++) {
        ss_buf_printf(&sql, "%s\"%s\" = ?%d", i > 0 ? " AND " : "",
                      r->table->columns[r->table->key[i]].name, i + 1);
    }
    return prepare(r, &sql, &r->find, err);
}

/* ---- one row ---- */

static ss_status
keep_aside(rebuild *r, const char *column, const char *what, const char *reason,
           ss_error *err)
{
    const ss_rejected_row row = {.table = r->table->name,
                                 .id = r->row_id,
                                 .n_columns = r->n_old,
                                 .names = r->names,
                                 .cells = r->raw};
    SS_TRY(ss_rejected_keep(r->reject, &row, reason, &r->now, err));
    return ss_migration_add_row(r->report, r->table->name, r->row_id, column, what,
                                reason) == SS_OK
               ? SS_OK
               : ss_error_nomem(err);
}

static void
lose_cell(rebuild *r, int c, const char *why)
{
    char shown[128];
    bool secret = (r->table->columns[c].flags & SS_COL_SECRET) != 0;
    ss_value_show(&r->raw[r->source[c]], shown, sizeof(shown));
    ss_buf_printf(&r->lost, "%s%s: %s %s", r->lost.size > 0 ? "; " : "",
                  r->table->columns[c].name, secret ? "the value" : shown, why);
    r->cells[c] = (ss_value){.tag = SS_VALUE_NULL};
    r->cleared++;
}

static void
take_cell(rebuild *r, int c)
{
    char why[40];
    ss_kind kind = (ss_kind)r->table->columns[c].kind;
    r->cells[c] = (ss_value){.tag = SS_VALUE_NULL};
    if (r->source[c] < 0) {
        return;
    }
    switch (ss_fit_convert(kind, &r->raw[r->source[c]], &r->cells[c])) {
    case SS_FIT_SAME:
        break;
    case SS_FIT_CHANGED:
        r->changed++;
        break;
    case SS_FIT_NOT:
        snprintf(why, sizeof(why), "is no %s", ss_kind_name(kind));
        lose_cell(r, c, why);
        break;
    }
}

/* A cell that is missing: from its substitute, or what stands for it. True: filled. */
static bool
fill_cell(rebuild *r, int c)
{
    const ss_column_desc *column = &r->table->columns[c];
    ss_value *cell = &r->cells[c];
    if (r->substitute[c] >= 0 &&
        ss_fit_convert((ss_kind)column->kind, &r->raw[r->substitute[c]], cell) ==
            SS_FIT_NOT) {
        *cell = (ss_value){.tag = SS_VALUE_NULL};
    }
    if (cell->tag == SS_VALUE_NULL && column->otherwise != NULL) {
        *cell = ss_value_text(column->otherwise);
    }
    bool absent = r->source[c] < 0;
    if (cell->tag == SS_VALUE_NULL && column->default_text != NULL &&
        (absent || (column->flags & SS_COL_KEY))) {
        *cell = ss_value_text(column->default_text);
    }
    return cell->tag != SS_VALUE_NULL && (column->flags & SS_COL_KEY);
}

/* When the row was made and changed, if it does not say: now, and when it was made. */
static void
fill_times(rebuild *r)
{
    const ss_table_desc *table = r->table;
    int made = table->created_at, changed = table->updated_at;
    if (made >= 0 && r->cells[made].tag == SS_VALUE_NULL &&
        !(table->columns[made].flags & SS_COL_KEY)) {
        r->cells[made] = r->now;
    }
    if (changed >= 0 && r->cells[changed].tag == SS_VALUE_NULL) {
        r->cells[changed] =
            made >= 0 && r->cells[made].tag != SS_VALUE_NULL ? r->cells[made] : r->now;
    }
}

/* Fill r->cells; the column that is missing and must not be, or -1. */
static int
make_cells(rebuild *r)
{
    int missing = -1;
    for (int i = 0; i < r->n_old; i++) {
        if (r->to[i] >= r->table->n_columns) {
            r->cells[r->to[i]] = r->raw[i];
        }
    }
    for (int c = 0; c < r->table->n_columns; c++) {
        const unsigned flags = r->table->columns[c].flags;
        take_cell(r, c);
        if (r->cells[c].tag == SS_VALUE_NULL && fill_cell(r, c)) {
            r->filled |= UINT64_C(1) << c;
        }
        if (r->cells[c].tag == SS_VALUE_NULL && missing < 0 &&
            (flags & (SS_COL_REQUIRED | SS_COL_KEY))) {
            missing = c;
        }
    }
    if (r->cells[0].tag == SS_VALUE_NULL) {
        r->cells[0] = (ss_value){.tag = SS_VALUE_INT, .as.i = r->row_id};
    }
    fill_times(r);
    return missing;
}

/* The column whose CHECK refused the row and that may be NULL, or -1. */
static int
refused_column(const rebuild *r, const char *message)
{
    char name[160];
    for (int c = 0; c < r->table->n_columns; c++) {
        const ss_column_desc *column = &r->table->columns[c];
        snprintf(name, sizeof(name), ": %s_%s_check", r->table->name, column->name);
        const char *at = strstr(message, name);
        if (at != NULL && at[strlen(name)] == '\0') {
            bool needed =
                (column->flags & (SS_COL_REQUIRED | SS_COL_KEY | SS_COL_MANAGED)) != 0;
            return needed || r->source[c] < 0 ? -1 : c;
        }
    }
    return -1;
}

static ss_status
merge_row(rebuild *r, ss_error *err)
{
    char reason[96] = "a newer row has the same key";
    bool row = false;
    for (int i = 0; i < r->table->n_key; i++) {
        SS_TRY(ss_stmt_bind(r->find, i + 1, &r->cells[r->table->key[i]], err));
    }
    SS_TRY(ss_stmt_step(r->find, "looking a key up", &row, err));
    if (row) {
        ss_value id;
        ss_stmt_column(r->find, 0, &id);
        snprintf(reason, sizeof(reason), "row %lld, which is newer, has the same key",
                 (long long)id.as.i);
    }
    ss_stmt_reset(r->find);
    r->counts.merged++;
    return keep_aside(r, NULL, "merged", reason, err);
}

static ss_status
reject_row(rebuild *r, const char *column, const char *reason, ss_error *err)
{
    r->counts.rejected++;
    return keep_aside(r, column, "rejected", reason, err);
}

static ss_status
row_copied(rebuild *r, ss_error *err)
{
    r->counts.copied++;
    r->counts.changed += r->changed;
    r->counts.cleared += r->cleared;
    for (int c = 0; c < r->table->n_columns; c++) {
        char shown[64];
        if (!(r->filled >> c & 1)) {
            continue;
        }
        r->counts.filled++;
        ss_value_show(&r->cells[c], shown, sizeof(shown));
        if (ss_migration_add_row(r->report, r->table->name, r->row_id,
                                 r->table->columns[c].name, "filled", shown) != SS_OK) {
            return ss_error_nomem(err);
        }
    }
    if (r->cleared == 0) {
        return SS_OK;
    }
    return ss_buf_ok(&r->lost) ? keep_aside(r, NULL, "cleared", r->lost.data, err)
                               : ss_error_nomem(err);
}

/* Insert the cells; a CHECK clears its cell, and a taken id is given up. */
static ss_status
store_row(rebuild *r, ss_error *err)
{
    for (;;) {
        ss_error refused;
        bool row;
        ss_error_init(&refused);
        ss_status status = ss_stmt_bind_all(r->insert, r->cells, r->n_cells, &refused);
        if (status == SS_OK) {
            status = ss_stmt_step(r->insert, r->table->name, &row, &refused);
        }
        char why[256];
        snprintf(why, sizeof(why), "%s", sqlite3_errmsg(ss_conn_handle(r->conn)));
        ss_stmt_reset(r->insert);
        if (status == SS_OK) {
            return row_copied(r, err);
        }
        if (status != SS_INTEGRITY) {
            *err = refused;
            return status;
        }
        int c = refused.sqlite_code == SQLITE_CONSTRAINT_CHECK ? refused_column(r, why)
                                                               : -1;
        if (refused.sqlite_code == SQLITE_CONSTRAINT_UNIQUE) {
            return merge_row(r, err);
        }
        if (c >= 0 && r->cells[c].tag != SS_VALUE_NULL) {
            lose_cell(r, c, "is out of its range");
        }
        else if (refused.sqlite_code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                 refused.sqlite_code == SQLITE_CONSTRAINT_ROWID) {
            r->cells[0] = (ss_value){.tag = SS_VALUE_NULL};
        }
        else {
            return reject_row(r, NULL, why, err);
        }
    }
}

static ss_status
copy_row(rebuild *r, ss_error *err)
{
    ss_value id;
    char reason[96];
    ss_stmt_column(r->select, 0, &id);
    r->row_id = id.tag == SS_VALUE_INT ? id.as.i : 0; /* a column may be called so */
    for (int i = 0; i < r->n_old; i++) {
        ss_stmt_column(r->select, i + 1, &r->raw[i]);
    }
    ss_buf_clear(&r->lost);
    r->filled = 0;
    r->changed = r->cleared = 0;
    r->counts.rows++;
    int missing = make_cells(r);
    if (missing < 0) {
        return store_row(r, err);
    }
    const char *column = r->table->columns[missing].name;
    snprintf(reason, sizeof(reason), "it has no %s", column);
    return reject_row(r, column, reason, err);
}

/* ---- one table ---- */

static ss_status
copy_rows(rebuild *r, ss_error *err)
{
    bool row = true;
    r->raw = ss_calloc((size_t)r->n_old + 1, sizeof(*r->raw));
    r->cells = ss_calloc((size_t)r->n_cells, sizeof(*r->cells));
    if (r->raw == NULL || r->cells == NULL) {
        return ss_error_nomem(err);
    }
    SS_TRY(prepare_select(r, err));
    SS_TRY(prepare_insert(r, err));
    SS_TRY(prepare_find(r, err));
    SS_TRY(ss_rejected_prepare(r->conn, &r->reject, err));
    for (;;) {
        SS_TRY(ss_stmt_step(r->select, r->table->name, &row, err));
        if (!row) {
            return SS_OK;
        }
        SS_TRY(copy_row(r, err));
    }
}

/* No id that was ever given is given again. */
static ss_status
keep_counter(rebuild *r, ss_error *err)
{
    ss_buf sql;
    const char *name = r->table->name;
    ss_buf_init(&sql);
    ss_buf_printf(&sql,
                  "INSERT INTO sqlite_sequence (name, seq) SELECT '%s', 0 WHERE NOT "
                  "EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '%s');"
                  "UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT seq FROM "
                  "sqlite_sequence WHERE name = '" SS_ASIDE
                  "%s'), 0)) WHERE name = '%s'",
                  name, name, name, name);
    return ss_conn_run(r->conn, &sql, err);
}

static ss_status
drop_aside(rebuild *r, ss_error *err)
{
    ss_buf sql;
    ss_buf_init(&sql);
    ss_buf_printf(&sql, "DROP TABLE \"" SS_ASIDE "%s\"", r->table->name);
    return ss_conn_run(r->conn, &sql, err);
}

static void
close_statements(rebuild *r)
{
    ss_stmt_finalize(r->select);
    ss_stmt_finalize(r->insert);
    ss_stmt_finalize(r->reject);
    ss_stmt_finalize(r->find);
    r->select = r->insert = r->reject = r->find = NULL;
}

static ss_status
rebuild_table(rebuild *r, const ss_table_layout *layout, ss_error *err)
{
    SS_TRY(take_columns(r, layout, err));
    ss_status status = copy_rows(r, err);
    close_statements(r); /* a table that is read cannot be dropped */
    SS_TRY(status);
    SS_TRY(keep_counter(r, err));
    SS_TRY(drop_aside(r, err));
    return ss_migration_add_table(r->report, r->table->name, &r->counts) == SS_OK
               ? SS_OK
               : ss_error_nomem(err);
}

static void
rebuild_free(rebuild *r)
{
    for (int i = 0; i < r->n_old; i++) {
        ss_free(r->names[i]);
    }
    ss_free(r->names);
    ss_free(r->to);
    ss_free(r->raw);
    ss_free(r->cells);
    ss_buf_free(&r->lost);
}

ss_status
ss_rebuild_copy(ss_conn *conn, const ss_layout *layout, ss_migration *report,
                ss_error *err)
{
    const ss_value now = {.tag = SS_VALUE_TIMESTAMP,
                          .as.i = (int64_t)time(NULL) * 1000000};
    SS_TRY(ss_rejected_create(conn, err));
    for (int i = 0; i < ss_n_tables; i++) {
        if (!layout->tables[i].present) {
            continue;
        }
        rebuild r = {.conn = conn,
                     .report = report,
                     .table = &ss_tables[i],
                     .n_cells = ss_tables[i].n_columns,
                     .now = now};
        ss_buf_init(&r.lost);
        memset(r.source, -1, sizeof(r.source));
        memset(r.substitute, -1, sizeof(r.substitute));
        ss_status status = rebuild_table(&r, &layout->tables[i], err);
        rebuild_free(&r);
        SS_TRY(status);
    }
    return SS_OK;
}
