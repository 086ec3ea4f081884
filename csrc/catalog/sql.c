#include "catalog/sql.h"

#include "base/digits.h"
#include "base/moment.h"

void
ss_sql_init(ss_sql *sql, ss_dialect dialect)
{
    ss_buf_init(&sql->text);
    sql->n_params = 0;
    sql->first_param = 1;
    sql->dialect = dialect;
}

void
ss_sql_free(ss_sql *sql)
{
    ss_buf_free(&sql->text);
}

/* --- pieces ---------------------------------------------------------------------- */

static void
add(ss_sql *sql, const char *text)
{
    ss_buf_puts(&sql->text, text);
}

static void
add_name(ss_sql *sql, const char *name)
{
    ss_buf_identifier(&sql->text, name);
}

/* The number of a new parameter. */
static int
new_param(ss_sql *sql, const ss_value *value)
{
    if (sql->n_params == SS_MAX_PARAMS) {
        sql->text.failed = true; /* cannot be: four per column, one per term are used */
        return 1;
    }
    sql->params[sql->n_params] = *value;
    return sql->first_param + sql->n_params++;
}

static void
add_param_number(ss_sql *sql, int number)
{
    char text[1 + SS_INT_TEXT];
    text[0] = sql->dialect == SS_DIALECT_SQLITE ? '?' : '$';
    char *end = ss_digits_int(number, text + 1);
    ss_buf_add(&sql->text, text, (size_t)(end - text));
}

static void
add_param(ss_sql *sql, const ss_value *value)
{
    add_param_number(sql, new_param(sql, value));
}

static void
add_int(ss_sql *sql, int64_t i)
{
    ss_value value = {.tag = SS_VALUE_INT, .as.i = i};
    add_param(sql, &value);
}

static const char *
rowid_name(const ss_sql *sql)
{
    return sql->dialect == SS_DIALECT_SQLITE ? "rowid" : "\"id\"";
}

static ss_status
finish(const ss_sql *sql, ss_error *err)
{
    return ss_buf_ok(&sql->text) ? SS_OK : ss_error_nomem(err);
}

static bool
is_moment(ss_kind kind)
{
    return kind == SS_KIND_DATE || kind == SS_KIND_TIMESTAMP;
}

/* The column as a number of days or microseconds, whatever form its text has. */
static void
add_moment_number(ss_sql *sql, ss_kind kind, const char *stored)
{
    add(sql, kind == SS_KIND_DATE ? "ss_day(" : "ss_instant(");
    add_name(sql, stored);
    add(sql, ")");
}

/* --- WHERE ----------------------------------------------------------------------- */

static void
add_where(ss_sql *sql, bool *first)
{
    add(sql, *first ? " WHERE " : " AND ");
    *first = false;
}

/* A bound of the time column as the text it is compared with. */
static void
add_moment_param(ss_sql *sql, ss_kind kind, int64_t at)
{
    ss_value value = {
        .tag = kind == SS_KIND_DATE ? SS_VALUE_DATE : SS_VALUE_TIMESTAMP,
        .as.i = at,
    };
    add_param(sql, &value);
}

static void
add_compare(ss_sql *sql, const char *stored, const char *op, ss_kind kind, int64_t at,
            bool *first)
{
    add_where(sql, first);
    add_name(sql, stored);
    add(sql, op);
    add_moment_param(sql, kind, at);
}

/* The rough text range of a legacy file, then the exact one by number. */
static void
add_legacy_bound(ss_sql *sql, const char *stored, const char *op, ss_kind kind,
                 int64_t at, int64_t margin, bool *first)
{
    int64_t day = kind == SS_KIND_DATE ? at : ss_day_of_instant(at);
    ss_value rough = {.tag = SS_VALUE_DATE, .as.i = day + margin};
    if (rough.as.i >= SS_DAY_MIN && rough.as.i <= SS_DAY_MAX) {
        add_where(sql, first);
        add_name(sql, stored);
        add(sql, op);
        add_param(sql, &rough);
    }
    add_where(sql, first);
    add_moment_number(sql, kind, stored);
    add(sql, op);
    add_int(sql, at);
}

static void
add_window(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
           const ss_window *window, bool *first)
{
    if (!window->has_from && !window->has_until) {
        return;
    }
    const char *stored =
        table->time_column < 0 ? NULL : layout->stored[table->time_column];
    if (stored == NULL) {
        add_where(sql, first);
        add(sql, "0"); /* no time is known: nothing lies in any window */
        return;
    }
    ss_kind kind = (ss_kind)table->columns[table->time_column].kind;
    if (window->has_from) {
        if (layout->canonical) {
            add_compare(sql, stored, " >= ", kind, window->from, first);
        }
        else {
            add_legacy_bound(sql, stored, " >= ", kind, window->from, -1, first);
        }
    }
    if (window->has_until) {
        if (layout->canonical) {
            add_compare(sql, stored, " < ", kind, window->until, first);
        }
        else {
            add_legacy_bound(sql, stored, " < ", kind, window->until, 2, first);
        }
    }
}

static void
add_filter(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
           const ss_filter *filter, bool *first)
{
    const char *stored = layout->stored[filter->column];
    ss_kind kind = (ss_kind)table->columns[filter->column].kind;
    bool null = filter->value.tag == SS_VALUE_NULL;
    if (stored == NULL && filter->column == 0 && !null) {
        add_where(sql, first); /* a table without id: the row id is one */
        add(sql, rowid_name(sql));
        add(sql, " = ");
        add_param(sql, &filter->value);
        return;
    }
    if (stored == NULL) {
        if (!null) { /* an absent column reads as NULL: it equals nothing else */
            add_where(sql, first);
            add(sql, "0");
        }
        return;
    }
    if (!null && is_moment(kind) && !layout->canonical) {
        /* One day or instant is the half-open range of length one. */
        add_legacy_bound(sql, stored, " >= ", kind, filter->value.as.i, -1, first);
        add_legacy_bound(sql, stored, " < ", kind, filter->value.as.i + 1, 2, first);
        return;
    }
    add_where(sql, first);
    add_name(sql, stored);
    if (null) {
        add(sql, " IS NULL");
        return;
    }
    add(sql, " = ");
    add_param(sql, &filter->value);
}

static void
add_conditions(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
               const ss_filter *filters, int n_filters, const ss_window *window,
               bool *first)
{
    for (int i = 0; i < n_filters; i++) {
        add_filter(sql, table, layout, &filters[i], first);
    }
    if (window != NULL) {
        add_window(sql, table, layout, window, first);
    }
}

static void
add_newest_of(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
              const ss_filter *filters, int n_filters, const ss_window *window)
{
    const char *stored = layout->stored[table->time_column];
    ss_kind kind = (ss_kind)table->columns[table->time_column].kind;
    add(sql, "SELECT max(");
    if (layout->canonical) {
        add_name(sql, stored);
    }
    else {
        add_moment_number(sql, kind, stored);
    }
    add(sql, ") FROM ");
    add_name(sql, table->name);
    bool first = true;
    add_conditions(sql, table, layout, filters, n_filters, window, &first);
}

/* time = (the newest time among the rows that match). A file without the time column
 * has one step only: all its rows. */
static void
add_newest(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
           const ss_select *select, bool *first)
{
    const char *stored =
        table->time_column < 0 ? NULL : layout->stored[table->time_column];
    if (stored == NULL) {
        return;
    }
    add_where(sql, first);
    if (layout->canonical) {
        add_name(sql, stored);
    }
    else {
        add_moment_number(sql, (ss_kind)table->columns[table->time_column].kind,
                          stored);
    }
    add(sql, " = (");
    add_newest_of(sql, table, layout, select->filters, select->n_filters,
                  &select->window);
    add(sql, ")");
}

/* One term of the order as it is sorted by. False: all rows are equal in it here. */
static bool
add_order_term(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
               int16_t column)
{
    const char *stored = column < 0 ? NULL : layout->stored[column];
    if (column < 0 || (column == 0 && stored == NULL)) {
        add(sql, rowid_name(sql));
        return true;
    }
    if (stored == NULL) {
        return false;
    }
    ss_kind kind = (ss_kind)table->columns[column].kind;
    if (is_moment(kind) && !layout->canonical) {
        add_moment_number(sql, kind, stored);
    }
    else {
        add_name(sql, stored);
    }
    return true;
}

/* --- after a place in the order -------------------------------------------------- */

/* Can rows of this file be NULL in the term?  Nulls come first, descending last. */
static bool
term_has_nulls(const ss_table_desc *table, const ss_table_layout *layout,
               int16_t column)
{
    if (column < 0 || (column == 0 && layout->stored[0] == NULL)) {
        return false;
    }
    bool required = table->columns[column].flags & (SS_COL_KEY | SS_COL_REQUIRED);
    return !(layout->canonical && (column == 0 || required));
}

typedef struct {
    ss_sql *sql;
    const ss_table_desc *table;
    const ss_table_layout *layout;
    const ss_select *select;
    int params[SS_MAX_ORDER]; /* of each term; 0: the place is NULL there */
} place;

static bool
is_constant(const place *p, int term)
{
    int16_t column = p->select->order[term].column;
    return column > 0 && p->layout->stored[column] == NULL;
}

/* `term op`, and the place's value when `op` wants one. */
static void
add_term(const place *p, int term, const char *op, bool value)
{
    (void)add_order_term(p->sql, p->table, p->layout, p->select->order[term].column);
    add(p->sql, op);
    if (value) {
        add_param_number(p->sql, p->params[term]);
    }
}

static bool
has_nulls(const place *p, int term)
{
    return term_has_nulls(p->table, p->layout, p->select->order[term].column);
}

/* The rows behind the place by this term alone. */
static void
add_behind(const place *p, int term)
{
    bool descending = p->select->order[term].descending;
    if (p->params[term] == 0 && descending) {
        add(p->sql, "0"); /* nulls come last */
    }
    else if (p->params[term] == 0) {
        add_term(p, term, " IS NOT NULL", false);
    }
    else {
        add_term(p, term, descending ? " < " : " > ", true);
        if (descending && has_nulls(p, term)) {
            add(p->sql, " OR ");
            add_term(p, term, " IS NULL", false);
        }
    }
}

/* What an index can serve: not before the place by the first term. */
static void
add_not_before(const place *p, int term, bool *first)
{
    bool descending = p->select->order[term].descending;
    if (p->params[term] == 0 && descending) {
        add_where(p->sql, first);
        add_term(p, term, " IS NULL", false);
    }
    else if (p->params[term] != 0 && !(descending && has_nulls(p, term))) {
        add_where(p->sql, first);
        add_term(p, term, descending ? " <= " : " >= ", true);
    }
}

/* Behind by one term, or equal in it and behind by the next. SQL's comparison of rows
 * knows one direction only, and nothing of nulls. */
static void
add_after(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
          const ss_select *select, bool *first)
{
    place p = {.sql = sql, .table = table, .layout = layout, .select = select};
    int open = 0;
    for (int i = 0; i < select->n_order; i++) {
        if (is_constant(&p, i)) {
            continue;
        }
        if (select->after[i].tag != SS_VALUE_NULL) {
            p.params[i] = new_param(sql, &select->after[i]);
        }
        if (open++ == 0) {
            add_not_before(&p, i, first);
            add_where(sql, first);
        }
        add(sql, "(");
        add_behind(&p, i);
        if (i < select->n_order - 1) { /* the last is the row id: no two are equal */
            add(sql, " OR ");
            add_term(&p, i, p.params[i] == 0 ? " IS NULL" : " = ", p.params[i] != 0);
            add(sql, " AND ");
        }
    }
    for (; open > 0; open--) {
        add(sql, ")");
    }
}

static void
add_ids(ss_sql *sql, int64_t first_id, int64_t last_id, bool *first)
{
    add_where(sql, first);
    add(sql, rowid_name(sql));
    add(sql, " BETWEEN ");
    add_int(sql, first_id);
    add(sql, " AND ");
    add_int(sql, last_id);
}

static void
add_from_where(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
               const ss_select *select)
{
    bool first = true;
    add(sql, " FROM ");
    add_name(sql, table->name);
    if (select->sink) {
        add(sql, " NOT INDEXED"); /* row id order, also where an index would cover */
    }
    if (select->sink && select->ranged) {
        add_ids(sql, select->first_id, select->last_id, &first);
    }
    add_conditions(sql, table, layout, select->filters, select->n_filters,
                   &select->window, &first);
    if (select->newest) {
        add_newest(sql, table, layout, select, &first);
    }
    if (select->after != NULL) {
        add_after(sql, table, layout, select, &first);
    }
}

/* --- ORDER BY, LIMIT --------------------------------------------------------------- */

static void
add_order(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
          const ss_select *select)
{
    bool first = true;
    for (int i = 0; i < select->n_order; i++) {
        int16_t column = select->order[i].column;
        if (column > 0 && layout->stored[column] == NULL) {
            continue; /* absent here: all rows are equal in it */
        }
        add(sql, first ? " ORDER BY " : ", ");
        first = false;
        (void)add_order_term(sql, table, layout, column);
        if (select->order[i].descending) {
            add(sql, " DESC");
        }
    }
}

static void
add_limit(ss_sql *sql, int64_t limit, int64_t offset)
{
    if (limit < 0 && offset == 0) {
        return;
    }
    add(sql, " LIMIT ");
    add_int(sql, limit < 0 ? INT64_MAX : limit);
    if (offset != 0) {
        add(sql, " OFFSET ");
        add_int(sql, offset);
    }
}

/* --- statements ---------------------------------------------------------------------- */

static void
add_columns(ss_sql *sql, const ss_table_layout *layout, const int16_t *columns, int n)
{
    for (int i = 0; i < n; i++) {
        const char *stored = layout->stored[columns[i]];
        if (i > 0) {
            add(sql, ", ");
        }
        if (stored != NULL) {
            add_name(sql, stored);
        }
        else if (columns[i] == 0) {
            add(sql, rowid_name(sql)); /* a table without id: the row id is one */
        }
        else {
            add(sql, "NULL");
        }
    }
}

ss_status
ss_sql_select(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
              const ss_select *select, ss_error *err)
{
    if (select->sink) {
        sql->first_param = 2;
        add(sql, "SELECT ss_sink(?1, ");
        add_columns(sql, layout, select->columns, select->n_columns);
        add(sql, ")");
        add_from_where(sql, table, layout, select);
        return finish(sql, err);
    }
    add(sql, "SELECT ");
    add_columns(sql, layout, select->columns, select->n_columns);
    for (int i = 0; select->paged && i < select->n_order; i++) {
        add(sql, ", ");
        if (!add_order_term(sql, table, layout, select->order[i].column)) {
            add(sql, "NULL");
        }
    }
    add_from_where(sql, table, layout, select);
    add_order(sql, table, layout, select);
    add_limit(sql, select->limit + (select->paged ? 1 : 0), select->offset);
    return finish(sql, err);
}

ss_status
ss_sql_rowid_at(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
                const ss_select *select, int64_t offset, ss_error *err)
{
    add(sql, "SELECT ");
    add(sql, rowid_name(sql));
    add_from_where(sql, table, layout, select);
    add_order(sql, table, layout, select);
    add_limit(sql, 1, select->offset + offset);
    return finish(sql, err);
}

ss_status
ss_sql_rowid_some(ss_sql *sql, const ss_table_desc *table,
                  const ss_table_layout *layout, const ss_select *select, int64_t n,
                  ss_error *err)
{
    add(sql, "SELECT ");
    add(sql, rowid_name(sql));
    add_from_where(sql, table, layout, select);
    add_limit(sql, 1, n);
    return finish(sql, err);
}

/* Each in a query of its own: together, SQLite would read the whole table for them. */
static ss_status
bounds_of(ss_sql *sql, const ss_table_desc *table, const char *column, ss_error *err)
{
    for (int i = 0; i < 2; i++) {
        add(sql, i == 0 ? "SELECT (SELECT min(" : "), (SELECT max(");
        if (column == NULL) {
            add(sql, rowid_name(sql));
        }
        else {
            add_name(sql, column);
        }
        add(sql, ") FROM ");
        add_name(sql, table->name);
    }
    add(sql, ")");
    return finish(sql, err);
}

ss_status
ss_sql_rowid_bounds(ss_sql *sql, const ss_table_desc *table, ss_error *err)
{
    return bounds_of(sql, table, NULL, err);
}

ss_status
ss_sql_time_bounds(ss_sql *sql, const ss_table_desc *table,
                   const ss_table_layout *layout, ss_error *err)
{
    return bounds_of(sql, table, layout->stored[table->time_column], err);
}

ss_status
ss_sql_rowid_extent(ss_sql *sql, const ss_table_desc *table,
                    const ss_table_layout *layout, const ss_select *select,
                    ss_error *err)
{
    add(sql, "SELECT min(");
    add(sql, rowid_name(sql));
    add(sql, "), max(");
    add(sql, rowid_name(sql));
    add(sql, "), count(*)");
    add_from_where(sql, table, layout, select);
    return finish(sql, err);
}

ss_status
ss_sql_time_at(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
               const ss_select *select, int64_t offset, ss_error *err)
{
    add(sql, "SELECT ");
    add_name(sql, layout->stored[table->time_column]);
    add_from_where(sql, table, layout, select);
    add(sql, " ORDER BY ");
    add_name(sql, layout->stored[table->time_column]);
    add_limit(sql, 1, offset);
    return finish(sql, err);
}

ss_status
ss_sql_count(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
             const ss_select *select, ss_error *err)
{
    add(sql, "SELECT count(*)");
    add_from_where(sql, table, layout, select);
    return finish(sql, err);
}

ss_status
ss_sql_newest(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
              const ss_filter *filters, int n_filters, ss_error *err)
{
    add_newest_of(sql, table, layout, filters, n_filters, NULL);
    return finish(sql, err);
}

ss_status
ss_sql_find(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
            const ss_filter *key, int n_key, ss_error *err)
{
    add(sql, "SELECT ");
    add(sql, rowid_name(sql));
    add(sql, " FROM ");
    add_name(sql, table->name);
    bool first = true;
    add_conditions(sql, table, layout, key, n_key, NULL, &first);
    add(sql, " ORDER BY ");
    add(sql, rowid_name(sql));
    add(sql, " DESC LIMIT 1");
    return finish(sql, err);
}

static bool
gives(const ss_filter *values, int n, int16_t column)
{
    for (int i = 0; i < n; i++) {
        if (values[i].column == column) {
            return true;
        }
    }
    return false;
}

/* A maintained time stamp that the caller left to us and the file has. */
static const char *
own_stamp(const ss_table_layout *layout, int16_t column, const ss_filter *values, int n)
{
    return column < 0 || gives(values, n, column) ? NULL : layout->stored[column];
}

ss_status
ss_sql_insert(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
              const ss_filter *values, int n, ss_error *err)
{
    const char *stamps[] = {own_stamp(layout, table->created_at, values, n),
                            own_stamp(layout, table->updated_at, values, n)};
    add(sql, "INSERT INTO ");
    add_name(sql, table->name);
    add(sql, " (");
    for (int i = 0; i < n; i++) {
        add(sql, i > 0 ? ", " : "");
        add_name(sql, layout->stored[values[i].column]);
    }
    for (int i = 0; i < 2; i++) {
        if (stamps[i] != NULL) {
            add(sql, ", ");
            add_name(sql, stamps[i]);
        }
    }
    add(sql, ") VALUES (");
    for (int i = 0; i < n; i++) {
        add(sql, i > 0 ? ", " : "");
        add_param(sql, &values[i].value);
    }
    for (int i = 0; i < 2; i++) {
        add(sql, stamps[i] != NULL ? ", CURRENT_TIMESTAMP" : "");
    }
    /* SQLite tells the new id without, and makes a table of what a statement returns. */
    add(sql, sql->dialect == SS_DIALECT_SQLITE ? ")" : ") RETURNING \"id\"");
    return finish(sql, err);
}

/* Is column c one that an add changes in the row that is there?  Not the id nor the key. */
static bool
is_changed(const ss_table_desc *table, uint64_t given, int c)
{
    return c != 0 && ((given >> c) & 1) && !(table->columns[c].flags & SS_COL_KEY);
}

/* One condition of those under which a row stays as it is; what it is compared with
 * follows. */
static void
add_same(ss_sql *sql, const char *column, bool *any)
{
    add(sql, *any ? " AND " : "CASE WHEN ");
    *any = true;
    add_name(sql, column);
    add(sql, sql->dialect == SS_DIALECT_SQLITE ? " IS " : " IS NOT DISTINCT FROM ");
}

/* Now, unless the row stays as it is: giving a row again changes nothing in the file. */
static void
add_stamp(ss_sql *sql, const char *stamp, bool any)
{
    if (any) {
        add(sql, " THEN ");
        add_name(sql, stamp);
        add(sql, " ELSE ");
    }
    add(sql, any ? "CURRENT_TIMESTAMP END" : "CURRENT_TIMESTAMP");
}

static void
add_conflict(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
             uint64_t given, const char *stamp, bool update)
{
    const char *before = ") DO UPDATE SET ";
    add(sql, " ON CONFLICT (");
    for (int i = 0; i < table->n_key; i++) {
        add(sql, i > 0 ? ", " : "");
        add_name(sql, layout->stored[table->key[i]]);
    }
    for (int c = 0; update && c < table->n_columns; c++) {
        if (is_changed(table, given, c)) {
            add(sql, before);
            before = ", ";
            add_name(sql, layout->stored[c]);
            add(sql, " = excluded.");
            add_name(sql, layout->stored[c]);
        }
    }
    if (update && stamp != NULL) {
        add(sql, before);
        before = ", ";
        bool any = false;
        add_name(sql, stamp);
        add(sql, " = ");
        for (int c = 0; c < table->n_columns; c++) {
            if (is_changed(table, given, c)) {
                add_same(sql, layout->stored[c], &any);
                add(sql, "excluded.");
                add_name(sql, layout->stored[c]);
            }
        }
        add_stamp(sql, stamp, any);
    }
    add(sql, before[0] == ')' ? ") DO NOTHING" : "");
}

ss_status
ss_sql_move(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
            uint64_t given, ss_conflict conflict, ss_error *err)
{
    const int16_t stamp_columns[] = {table->created_at, table->updated_at};
    const char *stamps[] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        if (stamp_columns[i] >= 0 && !((given >> stamp_columns[i]) & 1)) {
            stamps[i] = layout->stored[stamp_columns[i]];
        }
    }
    add(sql, "INSERT INTO ");
    add_name(sql, table->name);
    add(sql, " (");
    add_name(sql, layout->stored[0]);
    for (int c = 1; c < table->n_columns; c++) {
        if ((given >> c) & 1) {
            add(sql, ", ");
            add_name(sql, layout->stored[c]);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (stamps[i] != NULL) {
            add(sql, ", ");
            add_name(sql, stamps[i]);
        }
    }
    add(sql, ") SELECT c0");
    for (int c = 1; c < table->n_columns; c++) {
        if ((given >> c) & 1) {
            ss_buf_printf(&sql->text, ", c%d", c);
        }
    }
    for (int i = 0; i < 2; i++) {
        add(sql, stamps[i] != NULL ? ", CURRENT_TIMESTAMP" : "");
    }
    add(sql, " FROM ss_rows(?1)");
    if (conflict != SS_CONFLICT_ERROR) {
        add(sql, " WHERE true"); /* or the parser takes ON for that of a join */
        add_conflict(sql, table, layout, given, stamps[1],
                     conflict == SS_CONFLICT_UPDATE);
    }
    return finish(sql, err);
}

ss_status
ss_sql_update(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
              const ss_filter *values, int n, const ss_filter *where, int n_where,
              const int64_t *rowid, ss_error *err)
{
    const char *stamp = own_stamp(layout, table->updated_at, values, n);
    add(sql, "UPDATE ");
    add_name(sql, table->name);
    add(sql, " SET ");
    int first = sql->first_param + sql->n_params;
    for (int i = 0; i < n; i++) {
        add(sql, i > 0 ? ", " : "");
        add_name(sql, layout->stored[values[i].column]);
        add(sql, " = ");
        add_param(sql, &values[i].value);
    }
    if (stamp != NULL) {
        add(sql, n > 0 ? ", " : "");
        add_name(sql, stamp);
        add(sql, " = ");
        bool any = false;
        for (int i = 0; i < n; i++) {
            add_same(sql, layout->stored[values[i].column], &any);
            add_param_number(sql, first + i);
        }
        add_stamp(sql, stamp, any);
    }
    bool none = true;
    if (rowid != NULL) {
        add_where(sql, &none);
        add(sql, rowid_name(sql));
        add(sql, " = ");
        add_int(sql, *rowid);
    }
    else {
        add_conditions(sql, table, layout, where, n_where, NULL, &none);
    }
    return finish(sql, err);
}

ss_status
ss_sql_delete(ss_sql *sql, const ss_table_desc *table, const ss_table_layout *layout,
              const ss_filter *where, int n_where, ss_error *err)
{
    add(sql, "DELETE FROM ");
    add_name(sql, table->name);
    bool first = true;
    add_conditions(sql, table, layout, where, n_where, NULL, &first);
    return finish(sql, err);
}
