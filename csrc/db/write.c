#include "db/write.h"

#include "base/moment.h"
#include "catalog/sql.h"
#include "db/group.h"

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

/* Run a built statement; *id: the first cell of its row if it yields one. */
static ss_status
run_sql(ss_access *access, const ss_sql *sql, const char *what, bool *row, int64_t *id,
        ss_error *err)
{
    ss_stmt *stmt = NULL;
    SS_TRY(
        ss_stmt_cache_get(access->cache, sql->text.data, sql->text.size, &stmt, err));
    ss_status status = ss_stmt_bind_all(stmt, sql->params, sql->n_params, err);
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, what, row, err);
    }
    if (status == SS_OK && *row) {
        ss_value cell;
        ss_stmt_column(stmt, 0, &cell);
        *id = cell.tag == SS_VALUE_INT ? cell.as.i : 0;
        bool more;
        status = ss_stmt_step(stmt, what, &more, err); /* let RETURNING finish */
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
        status = run_sql(access, &sql, table->name, found, id, err);
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
    bool row;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        ss_sql_insert(&sql, table, &access->layout->tables[index], all, n_all, err);
    if (status == SS_OK) {
        status = run_sql(access, &sql, table->name, &row, id, err);
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
    bool row;
    int64_t unused;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        ss_sql_update(&sql, table, layout, values, n, NULL, 0, &rowid, err);
    if (status == SS_OK) {
        status = run_sql(access, &sql, table->name, &row, &unused, err);
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

ss_status
ss_write_row(ss_access *access, int index, const ss_filter *values, int n,
             ss_conflict conflict, int64_t *id, ss_add_outcome *outcome, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[index];
    ss_filter key[SS_MAX_COLUMNS], changes[SS_MAX_COLUMNS];
    bool found = false;
    make_key(table, values, n, key);
    SS_TRY(check_columns(access, index, key, table->n_key, err));
    SS_TRY(find_row(access, index, key, &found, id, err));
    if (!found) {
        *outcome = SS_ADD_INSERTED;
        return insert_row(access, index, values, n, key, id, err);
    }
    switch (conflict) {
    case SS_CONFLICT_ERROR:
        return refuse_double(table, key, *id, err);
    case SS_CONFLICT_IGNORE:
        *outcome = SS_ADD_IGNORED;
        return SS_OK;
    case SS_CONFLICT_UPDATE:
        break;
    }
    int n_changes = without_key(table, values, n, changes);
    return update_row(access, index, changes, n_changes, *id, outcome, err);
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
    return ss_write_row(access, r->table, r->values, r->n, r->conflict, &r->id, &unused,
                        err);
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
    bool row;
    int64_t unused;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        r->delete ? ss_sql_delete(&sql, table, layout, r->where, r->n_where, err)
                  : ss_sql_update(&sql, table, layout, r->values, r->n, r->where,
                                  r->n_where, NULL, err);
    if (status == SS_OK) {
        status = run_sql(access, &sql, table->name, &row, &unused, err);
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
    return change_rows(access, r, err);
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
