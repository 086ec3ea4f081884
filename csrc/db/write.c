#include "db/write.h"

#include "base/mem.h"
#include "base/moment.h"
#include "catalog/sql.h"
#include "db/db_int.h"
#include "db/group.h"
#include "db/refused.h"

#include <string.h> // strlen(), memcpy()
#include <time.h>   // time()

/* --- is this allowed here? ------------------------------------------------------------ */

static ss_status
check_table(const ss_access *access, int index, ss_error *err)
{
    const char *name = ss_tables[index].name;
    const ss_layout *layout = access->layout;
    if (!layout->tables[index].present) {
        ss_error_set(err, SS_SCHEMA,
                     layout->kind == SS_FILE_LEGACY
                         ? "this file has no table %s; it has an older layout, which "
                           "db.migrate() brings up to date"
                         : "this file has no table %s; initialize_database() creates "
                           "the tables that are missing",
                     name);
    }
    else if (layout->triggers[index] != NULL) {
        ss_error_set(err, SS_SCHEMA,
                     "%s has the trigger %s, which this package would not run; it is "
                     "not written",
                     name, layout->triggers[index]);
    }
    else {
        return SS_OK;
    }
    ss_error_where(err, name, NULL, NULL);
    return SS_SCHEMA;
}

static ss_status
check_columns(const ss_access *access, int index, const ss_filter *values, int n,
              ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    for (int i = 0; i < n; i++) {
        const char *column = table->columns[values[i].column].name;
        bool by_rowid = values[i].column == 0 && n == 1; /* update(5), delete(5) */
        if (!by_rowid &&
            access->layout->tables[index].stored[values[i].column] == NULL) {
            ss_error_set(err, SS_SCHEMA,
                         "this file's table %s has no column %s; it has an older "
                         "layout, which db.migrate() brings up to date",
                         table->name, column);
            ss_error_where(err, table->name, column, NULL);
            return SS_SCHEMA;
        }
    }
    return SS_OK;
}

ss_status
ss_write_check(ss_access *access, int index, const ss_filter *values, int n,
               ss_error *err)
{
    SS_TRY(ss_db_refresh_layout(access, false, err));
    SS_TRY(check_table(access, index, err));
    return check_columns(access, index, values, n, err);
}

/* --- statements --------------------------------------------------------------------------- */

/* Run a built statement that yields no row. */
static ss_status
run_change(ss_access *access, const ss_sql *sql, const char *what, ss_error *err)
{
    ss_stmt *stmt = NULL;
    bool row;
    SS_TRY(ss_access_lend(access->cache, sql, &stmt, err));
    ss_status status = ss_stmt_step(stmt, what, &row, err);
    ss_stmt_cache_put(access->cache, stmt);
    return status;
}

/* The first cell of the first row of a built statement, if there is one. */
static ss_status
run_find(ss_access *access, const ss_sql *sql, const char *what, bool *found,
         int64_t *id, ss_error *err)
{
    ss_stmt *stmt = NULL;
    SS_TRY(ss_access_lend(access->cache, sql, &stmt, err));
    ss_status status = ss_stmt_step(stmt, what, found, err);
    if (status == SS_OK && *found) {
        ss_value cell;
        ss_stmt_column(stmt, 0, &cell);
        *id = cell.tag == SS_VALUE_INT ? cell.as.i : 0;
    }
    ss_stmt_cache_put(access->cache, stmt);
    return status;
}

static const ss_value *
value_of(const ss_filter *values, int n, int column)
{
    for (int i = 0; i < n; i++) {
        if (values[i].column == column) {
            return &values[i].value;
        }
    }
    return NULL;
}

/* The natural key of the row to add. A key column that was left out has its default;
 * when a row is made is known to us only: now, to the second. */
static void
make_key(const ss_table_desc *table, const ss_filter *values, int n, ss_filter *key)
{
    for (int i = 0; i < table->n_key; i++) {
        int16_t column = table->key[i];
        const ss_value *value = value_of(values, n, column);
        key[i].column = column;
        if (value != NULL) {
            key[i].value = *value;
        }
        else if (column == table->created_at) {
            key[i].value.tag = SS_VALUE_TIMESTAMP;
            key[i].value.as.i = (int64_t)time(NULL) * 1000000;
        }
        else {
            const char *text = table->columns[column].default_text;
            key[i].value.tag = text != NULL ? SS_VALUE_TEXT : SS_VALUE_NULL;
            key[i].value.as.s.p = text != NULL ? text : "";
            key[i].value.as.s.n = text != NULL ? strlen(text) : 0;
        }
    }
}

static ss_status
find_row(ss_access *access, int index, const ss_filter *key, bool *found, int64_t *id,
         ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_find(&sql, table, &access->layout->tables[index], key,
                                   table->n_key, err);
    if (status == SS_OK) {
        status = run_find(access, &sql, table->name, found, id, err);
    }
    ss_sql_free(&sql);
    return status;
}

/* The values and, where the caller left a key column to us, the key's. */
static int
with_key(const ss_table_desc *table, const ss_filter *values, int n,
         const ss_filter *key, ss_filter *out)
{
    memcpy(out, values, (size_t)n * sizeof(*values));
    for (int i = 0; i < table->n_key; i++) {
        if (value_of(values, n, key[i].column) == NULL) {
            out[n++] = key[i];
        }
    }
    return n;
}

static ss_status
insert_row(ss_access *access, int index, const ss_filter *values, int n,
           const ss_filter *key, int64_t *id, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    ss_filter all[2 * SS_MAX_COLUMNS];
    int n_all = with_key(table, values, n, key, all);
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        ss_sql_insert(&sql, table, &access->layout->tables[index], all, n_all, err);
    if (status == SS_OK) {
        status = run_change(access, &sql, table->name, err);
    }
    if (status == SS_OK) {
        *id = sqlite3_last_insert_rowid(ss_conn_handle(access->conn));
    }
    ss_sql_free(&sql);
    return status;
}

static ss_status
update_row(ss_access *access, int index, const ss_filter *values, int n, int64_t rowid,
           ss_add_outcome *outcome, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    const ss_table_layout *layout = &access->layout->tables[index];
    if (n == 0 &&
        (table->updated_at < 0 || layout->stored[table->updated_at] == NULL)) {
        *outcome = SS_ADD_IGNORED;
        return SS_OK;
    }
    *outcome = SS_ADD_UPDATED;
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        ss_sql_update(&sql, table, layout, values, n, NULL, 0, &rowid, err);
    if (status == SS_OK) {
        status = run_change(access, &sql, table->name, err);
    }
    ss_sql_free(&sql);
    return status;
}

/* What is set when the row is there already: not its key, which is equal (and in a
 * legacy file may be written in another form), nor an id, which is for a new row. */
static int
without_key(const ss_table_desc *table, const ss_filter *values, int n, ss_filter *out)
{
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (values[i].column != 0 &&
            !(table->columns[values[i].column].flags & SS_COL_KEY)) {
            out[kept++] = values[i];
        }
    }
    return kept;
}

/* --- by the key ----------------------------------------------------------------------- */

/* Does the key name one row at most?  That of a current file is UNIQUE; it cannot be
 * NULL there, which an INSERT will say. */
static bool
is_unique(const ss_access *access, const ss_filter *key, int n_key)
{
    bool unique = access->layout->kind == SS_FILE_CURRENT;
    for (int i = 0; i < n_key; i++) {
        unique = unique && key[i].value.tag != SS_VALUE_NULL;
    }
    return unique;
}

typedef struct {
    bool found;
    int64_t id;
} changed_row;

static void
on_change(void *arg, int op, const char *schema, const char *table, sqlite3_int64 id)
{
    (void)op;
    (void)schema;
    (void)table;
    *(changed_row *)arg = (changed_row){.found = true, .id = id};
}

static bool
sets_columns(const ss_key_update *kept, const ss_filter *changes, int n)
{
    bool same = kept->plan.text != NULL && kept->n == n;
    for (int i = 0; same && i < n; i++) {
        same = kept->columns[i] == changes[i].column;
    }
    return same;
}

static ss_status
make_key_update(const ss_access *access, int index, const ss_filter *changes, int n,
                const ss_filter *key, ss_key_update *out, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_update(&sql, table, &access->layout->tables[index],
                                     changes, n, key, table->n_key, NULL, err);
    char *text = status == SS_OK ? ss_strndup(sql.text.data, sql.text.size) : NULL;
    if (status == SS_OK && text == NULL) {
        status = ss_error_nomem(err);
    }
    if (status == SS_OK) {
        ss_free(out->plan.text);
        out->plan = (ss_plan){.text = text, .n = sql.text.size};
        out->n = n;
        for (int i = 0; i < n; i++) {
            out->columns[i] = changes[i].column;
        }
    }
    ss_sql_free(&sql);
    return status;
}

/* The statement that sets these columns in the row of this key, its parameters bound. */
static ss_status
lend_key_update(ss_access *access, int index, const ss_filter *changes, int n,
                const ss_filter *key, ss_stmt **out, ss_error *err)
{
    ss_key_update *kept = &access->session->key_updates[index];
    ss_stmt *stmt = NULL;
    if (!sets_columns(kept, changes, n)) {
        SS_TRY(make_key_update(access, index, changes, n, key, kept, err));
    }
    SS_TRY(ss_stmt_cache_get(access->cache, kept->plan.text, kept->plan.n, &stmt, err));
    ss_status status = SS_OK;
    for (int i = 0; status == SS_OK && i < n; i++) {
        status = ss_stmt_bind(stmt, 1 + i, &changes[i].value, err);
    }
    for (int i = 0; status == SS_OK && i < ss_tables[index].n_key; i++) {
        status = ss_stmt_bind(stmt, 1 + n + i, &key[i].value, err);
    }
    if (status != SS_OK) {
        ss_stmt_cache_put(access->cache, stmt);
        return status;
    }
    *out = stmt;
    return SS_OK;
}

/* Change the one row of this key, if it is there: without looking for it first, and
 * without RETURNING, which makes a table of what it returns. */
static ss_status
update_by_key(ss_access *access, int index, const ss_filter *changes, int n,
              const ss_filter *key, bool *found, int64_t *id, ss_error *err)
{
    sqlite3 *db = ss_conn_handle(access->conn);
    changed_row changed = {.found = false};
    ss_stmt *stmt = NULL;
    bool row;
    SS_TRY(lend_key_update(access, index, changes, n, key, &stmt, err));
    (void)sqlite3_update_hook(db, on_change, &changed);
    ss_status status = ss_stmt_step(stmt, ss_tables[index].name, &row, err);
    (void)sqlite3_update_hook(db, NULL, NULL);
    ss_stmt_cache_put(access->cache, stmt);
    *found = changed.found;
    *id = changed.id;
    return status;
}

/* --- add ------------------------------------------------------------------------------------ */

static ss_status
refuse_double(const ss_table_desc *table, const ss_filter *key, int64_t id,
              ss_error *err)
{
    const char *column = table->columns[key[0].column].name;
    char shown[128];
    ss_value_show(&key[0].value, shown, sizeof(shown));
    ss_error_set(err, SS_INTEGRITY,
                 "%s already has a row with this key (%s = %s%s; row id %lld)",
                 table->name, column, shown, table->n_key > 1 ? ", ..." : "",
                 (long long)id);
    ss_error_where(err, table->name, column, &key[0].value);
    ss_error_row(err, id);
    err->sqlite_code = SQLITE_CONSTRAINT_UNIQUE;
    return SS_INTEGRITY;
}

/* The row of the key is there. */
static ss_status
meet_row(ss_access *access, int index, const ss_filter *key, const ss_filter *changes,
         int n, ss_conflict conflict, int64_t id, ss_add_outcome *outcome,
         ss_error *err)
{
    switch (conflict) {
    case SS_CONFLICT_ERROR:
        return refuse_double(&ss_tables[index], key, id, err);
    case SS_CONFLICT_IGNORE:
        *outcome = SS_ADD_IGNORED;
        return SS_OK;
    case SS_CONFLICT_UPDATE:
        break;
    }
    return update_row(access, index, changes, n, id, outcome, err);
}

ss_status
ss_write_row(ss_access *access, int index, const ss_filter *values, int n,
             ss_conflict conflict, int64_t *id, ss_add_outcome *outcome, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    ss_filter key[SS_MAX_COLUMNS], changes[SS_MAX_COLUMNS];
    bool found = false;
    make_key(table, values, n, key);
    SS_TRY(check_columns(access, index, key, table->n_key, err));
    int n_changes = without_key(table, values, n, changes);
    bool at_once = conflict == SS_CONFLICT_UPDATE && n_changes > 0 &&
                   is_unique(access, key, table->n_key);
    if (at_once) {
        *outcome = SS_ADD_UPDATED;
        SS_TRY(update_by_key(access, index, changes, n_changes, key, &found, id, err));
    }
    else {
        SS_TRY(find_row(access, index, key, &found, id, err));
    }
    if (!found) {
        *outcome = SS_ADD_INSERTED;
        return insert_row(access, index, values, n, key, id, err);
    }
    return at_once ? SS_OK
                   : meet_row(access, index, key, changes, n_changes, conflict, *id,
                              outcome, err);
}

/* Which of the values the table refused; SQLite names the column alone. */
static ss_status
name_refused(const ss_table_desc *table, const ss_filter *values, int n,
             ss_status status, ss_error *err)
{
    if (status == SS_INTEGRITY && err->value[0] == '\0') {
        int column = ss_refused_column(table, err);
        for (int i = 0; i < n; i++) {
            if (values[i].column == column) {
                ss_refused_value(&table->columns[column], &values[i].value, err);
            }
        }
    }
    return status;
}

typedef struct {
    int table;
    const ss_filter *values;
    int n;
    ss_conflict conflict;
    int64_t id; /* out */
} add_request;

static ss_status
add_work(ss_access *access, void *arg, ss_error *err)
{
    add_request *r = arg;
    SS_TRY(ss_write_check(access, r->table, r->values, r->n, err));
    ss_add_outcome unused;
    ss_status status = ss_write_row(access, r->table, r->values, r->n, r->conflict,
                                    &r->id, &unused, err);
    return name_refused(&ss_tables[r->table], r->values, r->n, status, err);
}

ss_status
ss_db_add(ss_db *db, const ss_call *call, int table, const ss_filter *values, int n,
          ss_conflict conflict, int64_t *id, ss_error *err)
{
    add_request r = {.table = table, .values = values, .n = n, .conflict = conflict};
    SS_TRY(ss_group_write(db, call, false, add_work, &r, err));
    *id = r.id;
    return SS_OK;
}

/* --- update, delete --------------------------------------------------------------------------- */

typedef struct {
    int table;
    bool delete;
    const ss_filter *values; /* none when deleting */
    int n;
    const ss_filter *where;
    int n_where;
    int64_t n_rows; /* out */
} change_request;

static ss_status
change_rows(ss_access *access, change_request *r, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[r->table];
    const ss_table_layout *layout = &access->layout->tables[r->table];
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        r->delete ? ss_sql_delete(&sql, table, layout, r->where, r->n_where, err)
                  : ss_sql_update(&sql, table, layout, r->values, r->n, r->where,
                                  r->n_where, NULL, err);
    if (status == SS_OK) {
        status = run_change(access, &sql, table->name, err);
    }
    if (status == SS_OK) {
        r->n_rows = sqlite3_changes64(ss_conn_handle(access->conn));
    }
    ss_sql_free(&sql);
    return status;
}

static ss_status
change_work(ss_access *access, void *arg, ss_error *err)
{
    change_request *r = arg;
    SS_TRY(ss_write_check(access, r->table, r->values, r->n, err));
    /* A condition on an absent column would hold for all. */
    SS_TRY(check_columns(access, r->table, r->where, r->n_where, err));
    return name_refused(&ss_tables[r->table], r->values, r->n,
                        change_rows(access, r, err), err);
}

static ss_status
change(ss_db *db, const ss_call *call, change_request *r, int64_t *n_rows,
       ss_error *err)
{
    bool one_row = r->n_where == 1 && r->where[0].column == 0;
    SS_TRY(ss_group_write(db, call, !one_row, change_work, r, err));
    *n_rows = r->n_rows;
    return SS_OK;
}

ss_status
ss_db_update(ss_db *db, const ss_call *call, int table, const ss_filter *values, int n,
             const ss_filter *where, int n_where, int64_t *n_rows, ss_error *err)
{
    change_request r = {
        .table = table, .values = values, .n = n, .where = where, .n_where = n_where};
    return change(db, call, &r, n_rows, err);
}

ss_status
ss_db_delete(ss_db *db, const ss_call *call, int table, const ss_filter *where,
             int n_where, int64_t *n_rows, ss_error *err)
{
    change_request r = {
        .table = table, .delete = true, .where = where, .n_where = n_where};
    return change(db, call, &r, n_rows, err);
}
