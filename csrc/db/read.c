#include "db/read.h"

#include "base/mem.h"
#include "base/moment.h"
#include "base/period.h"
#include "columns/fetch.h"
#include "db/db_int.h"
#include "db/fresh.h"
#include "db/place.h"
#include "db/scan.h"
#include "db/split.h"

#include <string.h> // memcpy(), strlen()

/* A request resolved: the selection, and room for what it points to. */
typedef struct {
    ss_select select;
    ss_order_desc order[SS_MAX_ORDER];
    int16_t columns[SS_MAX_COLUMNS];
    bool nothing;   /* the answer is known to be empty */
    bool relative;  /* the window counts from the newest stored day */
    ss_place place; /* where the page before ended; filled when the request has one */
} resolved;

ss_request
ss_request_for(int table, bool getter)
{
    ss_request request = {
        .table = table, .getter = getter, .limit = -1, .strict = true};
    request.date.tag = request.start.tag = request.end.tag = SS_VALUE_NULL;
    request.as_of.tag = SS_VALUE_NULL;
    return request;
}

static bool
given(const ss_value *value)
{
    return value->tag != SS_VALUE_NULL;
}

/* --- windows ----------------------------------------------------------------------- */

static int32_t
day_of(const ss_value *value)
{
    return value->tag == SS_VALUE_TIMESTAMP ? ss_day_of_instant(value->as.i)
                                            : (int32_t)value->as.i;
}

static void
window_from_day(ss_window *window, ss_kind kind, int32_t day)
{
    window->has_from = true;
    window->from = kind == SS_KIND_DATE ? day : (int64_t)day * SS_US_PER_DAY;
}

/* Up to the end of `day`; the last day of the calendar needs no bound. */
static void
window_until_day(ss_window *window, ss_kind kind, int32_t day)
{
    window->has_until = day < SS_DAY_MAX;
    window->until = kind == SS_KIND_DATE ? day + 1 : ((int64_t)day + 1) * SS_US_PER_DAY;
}

static void
window_from(ss_window *window, ss_kind kind, const ss_value *at)
{
    if (at->tag == SS_VALUE_TIMESTAMP && kind == SS_KIND_TIMESTAMP) {
        window->has_from = true;
        window->from = at->as.i;
    }
    else {
        window_from_day(window, kind, day_of(at));
    }
}

static void
window_until(ss_window *window, ss_kind kind, const ss_value *at)
{
    if (at->tag == SS_VALUE_TIMESTAMP && kind == SS_KIND_TIMESTAMP) {
        /* Inclusive, to the microsecond; the last one there is needs no bound. */
        window->has_until = at->as.i < ((int64_t)SS_DAY_MAX + 1) * SS_US_PER_DAY - 1;
        window->until = at->as.i + 1;
    }
    else {
        window_until_day(window, kind, day_of(at));
    }
}

/* Which arguments make sense together. */
static ss_status
check_window(const ss_request *r, const ss_table_desc *table, ss_error *err)
{
    bool ranged = given(&r->start) || given(&r->end) || r->period != NULL;
    bool any = ranged || given(&r->date) || given(&r->as_of);
    if (any && table->time_column < 0) {
        return ss_error_set(err, SS_TYPE, "%s has no time column to select by",
                            table->name);
    }
    if (given(&r->date) && (ranged || given(&r->as_of))) {
        return ss_error_set(
            err, SS_TYPE,
            "date= is one day; it cannot be combined with start=, end=, "
            "period= or as_of=");
    }
    if (r->period != NULL && (given(&r->start) || given(&r->end))) {
        return ss_error_set(err, SS_TYPE,
                            "period= counts back from as_of=; it cannot be combined "
                            "with start= or end=");
    }
    if (given(&r->as_of) && given(&r->end)) {
        return ss_error_set(err, SS_TYPE, "as_of= and end= both say where to end");
    }
    return SS_OK;
}

/* The newest stored day of the table; *found false when it has none. */
static ss_status
newest_day(ss_access *access, const ss_table_desc *table, const ss_table_layout *layout,
           bool *found, int32_t *day, ss_error *err)
{
    *found = false;
    if (layout->stored[table->time_column] == NULL) {
        return SS_OK;
    }
    ss_sql sql;
    ss_stmt *stmt = NULL;
    ss_value cell;
    bool row = false;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_newest(&sql, table, layout, NULL, 0, err);
    if (status == SS_OK) {
        status = ss_access_lend(access->cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, table->name, &row, err);
    }
    if (status == SS_OK && row) {
        ss_stmt_column(stmt, 0, &cell);
        if (cell.tag == SS_VALUE_TEXT) {
            *found = ss_day_parse(cell.as.s.p, cell.as.s.n, day);
        }
        else if (cell.tag == SS_VALUE_INT) {
            bool instant = table->columns[table->time_column].kind == SS_KIND_TIMESTAMP;
            *found = true;
            *day = instant ? ss_day_of_instant(cell.as.i) : (int32_t)cell.as.i;
        }
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
    return status;
}

static ss_status
resolve_period(ss_access *access, const ss_request *r, const ss_table_desc *table,
               const ss_table_layout *layout, resolved *out, ss_error *err)
{
    int32_t last = 0, first = 0;
    bool found = true;
    if (!ss_period_start(r->period, r->n_period, 0, &first)) {
        return ss_period_error(r->period, r->n_period, err);
    }
    if (out->relative && r->after != NULL) {
        return SS_OK; /* the window of the first page is in the token */
    }
    if (given(&r->as_of)) {
        last = day_of(&r->as_of);
    }
    else {
        SS_TRY(newest_day(access, table, layout, &found, &last, err));
    }
    if (!found) {
        out->nothing = true;
        return SS_OK;
    }
    if (!ss_period_start(r->period, r->n_period, last, &first)) {
        first = SS_DAY_MIN;
    }
    ss_kind kind = (ss_kind)table->columns[table->time_column].kind;
    window_from_day(&out->select.window, kind, first);
    window_until_day(&out->select.window, kind, last);
    return SS_OK;
}

static ss_status
resolve_window(ss_access *access, const ss_request *r, const ss_table_desc *table,
               const ss_table_layout *layout, resolved *out, ss_error *err)
{
    SS_TRY(check_window(r, table, err));
    if (table->time_column < 0) {
        return SS_OK;
    }
    ss_kind kind = (ss_kind)table->columns[table->time_column].kind;
    ss_window *window = &out->select.window;
    if (r->period != NULL) {
        return resolve_period(access, r, table, layout, out, err);
    }
    if (given(&r->date)) {
        window_from_day(window, kind, day_of(&r->date));
        window_until_day(window, kind, day_of(&r->date));
    }
    if (given(&r->start)) {
        window_from(window, kind, &r->start);
    }
    if (given(&r->end) || given(&r->as_of)) {
        window_until(window, kind, given(&r->end) ? &r->end : &r->as_of);
    }
    if (window->has_from && window->has_until && window->from >= window->until &&
        given(&r->start)) {
        return ss_error_set(err, SS_VALUE, "start= is after %s",
                            given(&r->end) ? "end=" : "as_of=");
    }
    return SS_OK;
}

/* --- shapes ---------------------------------------------------------------------------- */

static void
order_by(resolved *out, int column, bool descending)
{
    ss_order_desc *order = &out->order[out->select.n_order++];
    order->column = (int16_t)column;
    order->descending = descending;
}

static void
order_by_table(resolved *out, const ss_table_desc *table)
{
    for (int i = 0; i < table->n_order; i++) {
        order_by(out, table->order[i].column, table->order[i].descending);
    }
}

/* Which rows, and in which order, when the caller did not say. */
static void
resolve_shape(const ss_request *r, const ss_table_desc *table, resolved *out)
{
    ss_select *select = &out->select;
    bool ranged = given(&r->start) || given(&r->end) || r->period != NULL;
    bool asked = ranged || given(&r->date);
    switch ((ss_shape)table->shape) {
    case SS_SHAPE_ONE:
        order_by(out, table->time_column, true);
        order_by(out, -1, true);
        select->limit = 1;
        return;
    case SS_SHAPE_SET:
        select->newest = !asked;
        if (ranged) {
            order_by(out, table->time_column, false);
        }
        order_by_table(out, table);
        break;
    case SS_SHAPE_HISTORY:
        order_by(out, table->time_column, false);
        break;
    case SS_SHAPE_EVENTS:
        order_by(out, table->time_column, true);
        order_by(out, -1, true);
        if (r->limit < 0 && !asked) {
            select->limit = SS_EVENTS_DEFAULT_LIMIT;
        }
        return;
    case SS_SHAPE_ALL:
        order_by_table(out, table);
        break;
    }
    order_by(out, -1, false);
}

static void
resolve_order(const ss_request *r, const ss_table_desc *table, resolved *out)
{
    ss_select *select = &out->select;
    bool one = r->getter && table->shape == SS_SHAPE_ONE;
    select->order = out->order;
    if (r->getter) {
        resolve_shape(r, table, out);
    }
    if (r->order != NULL) {
        select->n_order = 0;
        for (int i = 0; i < r->n_order && i < SS_MAX_COLUMNS; i++) {
            order_by(out, r->order[i].column, r->order[i].descending);
        }
        order_by(out, -1, false); /* ties have an order, too */
    }
    else if (!r->getter) {
        order_by(out, -1, false);
    }
    select->paged = r->paged && !one && select->limit >= 0 && select->limit < INT64_MAX;
    if (select->newest && (select->paged || r->after != NULL)) {
        /* All rows are equal in it: it keeps the time step for the pages to come. */
        memmove(out->order + 1, out->order,
                (size_t)select->n_order * sizeof(*out->order));
        out->order[0] = (ss_order_desc){table->time_column, false};
        select->n_order++;
    }
}

/* Go on behind the place that the token names, in the window that its page had. */
static ss_status
resolve_after(const ss_request *r, const ss_table_desc *table,
              const ss_table_layout *layout, resolved *out, ss_error *err)
{
    ss_select *select = &out->select;
    SS_TRY(ss_place_read(&out->place, r->after, r->n_after, table, layout, select,
                         out->relative, err));
    select->after = out->place.values;
    if (out->relative) {
        select->window = out->place.window;
        select->newest = false;
    }
    return SS_OK;
}

/* Within a window the index of the time has the rows in its own order, and needs no sorter;
 * the cells of a legacy file are no such index. */
static ss_status
resolve_any_order(ss_access *access, const ss_table_desc *table,
                  const ss_table_layout *layout, resolved *out, ss_error *err)
{
    const ss_window *window = &out->select.window;
    bool by_time = false;
    if (layout->canonical && (window->has_from || window->has_until)) {
        SS_TRY(ss_split_order(access, table, layout, window, &by_time, err));
    }
    if (by_time) {
        out->select.n_order = 0;
        order_by(out, table->time_column, false);
        order_by(out, -1, false);
    }
    return SS_OK;
}

static ss_status
resolve(ss_access *access, const ss_request *r, const ss_table_desc *table,
        const ss_table_layout *layout, resolved *out, ss_error *err)
{
    out->nothing = false;
    out->place.bytes = NULL;
    ss_select *select = &out->select;
    *select = (ss_select){
        .filters = r->filters,
        .n_filters = r->n_filters,
        .limit = r->limit,
        .offset = r->offset,
    };
    if (r->columns != NULL) {
        select->columns = r->columns;
        select->n_columns = r->n_columns;
    }
    else {
        for (int i = 0; i < table->n_columns; i++) {
            out->columns[i] = (int16_t)i;
        }
        select->columns = out->columns;
        select->n_columns = table->n_columns;
    }
    resolve_order(r, table, out);
    out->relative = select->newest || (r->period != NULL && !given(&r->as_of));
    SS_TRY(resolve_window(access, r, table, layout, out, err));
    if (r->any_order) {
        SS_TRY(resolve_any_order(access, table, layout, out, err));
    }
    if (r->after != NULL) {
        SS_TRY(resolve_after(r, table, layout, out, err));
    }
    /* Everything, by row id: SQLite hands the rows over inside its own loop. */
    select->sink = !r->getter && r->order == NULL && r->limit < 0 && r->offset == 0 &&
                   r->n_filters == 0 && !select->window.has_from &&
                   !select->window.has_until && r->after == NULL &&
                   select->n_columns <= SS_SINK_MAX_COLUMNS;
    return SS_OK;
}

/* --- running ------------------------------------------------------------------------------ */

static ss_status
bind_params(ss_stmt *stmt, const ss_sql *sql, ss_error *err)
{
    for (int i = 0; i < sql->n_params; i++) {
        SS_TRY(ss_stmt_bind(stmt, sql->first_param + i, &sql->params[i], err));
    }
    return SS_OK;
}

static ss_kind
kind_of_column(const ss_table_desc *table, const char *name)
{
    int column = ss_catalog_column(table, name, strlen(name));
    return column < 0 ? SS_KIND_ANY : (ss_kind)table->columns[column].kind;
}

/* A cell did not fit its column: say which row it is in, by id. */
static void
name_bad_row(ss_access *access, const ss_table_desc *table,
             const ss_table_layout *layout, const ss_select *select, ss_error *err)
{
    ss_sql sql;
    ss_stmt *stmt = NULL;
    ss_error unused;
    bool row = false;
    ss_error_init(&unused);
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    if (ss_sql_rowid_at(&sql, table, layout, select, err->row, &unused) == SS_OK &&
        ss_access_lend(access->cache, &sql, &stmt, &unused) == SS_OK &&
        ss_stmt_step(stmt, table->name, &row, &unused) == SS_OK && row) {
        ss_value id;
        ss_stmt_column(stmt, 0, &id);
        ss_error seen = *err;
        ss_error_init(err);
        ss_error_set(err, SS_DATA,
                     "%s.%s, row id %lld: the stored value %s is no %s "
                     "(strict=False reads such a cell as None and notes it)",
                     seen.table, seen.column, (long long)id.as.i, seen.value,
                     ss_kind_name(kind_of_column(table, seen.column)));
        memcpy(err->table, seen.table, sizeof(err->table));
        memcpy(err->column, seen.column, sizeof(err->column));
        memcpy(err->value, seen.value, sizeof(err->value));
        ss_error_row(err, id.as.i);
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
}

/* The outcome of reading, with a bad cell's row named. */
static ss_status
named(ss_access *access, const ss_request *r, const ss_table_layout *layout,
      const ss_select *select, ss_status status, ss_error *err)
{
    if (status == SS_DATA && err->has_row) {
        name_bad_row(access, &ss_tables[r->table], layout, select, err);
    }
    return status;
}

/* Rows to make room for at once: few where few can come. */
static int64_t
expected_rows(const ss_select *select)
{
    if (select->limit >= 0) {
        return select->limit < 64 ? select->limit : 64;
    }
    return select->newest ? 16 : 64;
}

static ss_status
new_batch(const ss_table_desc *table, const ss_select *select, bool raw, ss_batch **out,
          ss_error *err)
{
    if (!raw) {
        return ss_batch_new_table(table, select->columns, select->n_columns,
                                  expected_rows(select), out, err);
    }
    const char *names[SS_MAX_COLUMNS];
    uint8_t kinds[SS_MAX_COLUMNS];
    for (int i = 0; i < select->n_columns; i++) {
        names[i] = table->columns[select->columns[i]].name;
        kinds[i] = SS_KIND_ANY;
    }
    return ss_batch_new_free(names, kinds, select->n_columns, expected_rows(select),
                             out, err);
}

/* A page: the rows up to the limit, and where the next one begins. */
static ss_status
fetch_page(ss_stmt *stmt, const ss_request *r, const ss_table_layout *layout,
           const resolved *res, ss_batch *batch, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[r->table];
    const ss_select *select = &res->select;
    const char *names[SS_MAX_ORDER];
    uint8_t kinds[SS_MAX_ORDER];
    ss_batch *last = NULL;
    for (int i = 0; i < select->n_order; i++) {
        names[i] = "";
        kinds[i] = SS_KIND_ANY;
    }
    SS_TRY(ss_batch_new_free(names, kinds, select->n_order, 1, &last, err));
    ss_status status =
        ss_fetch_page(stmt, batch, select->limit, r->strict, table->name, last, err);
    if (status == SS_OK && last->n_rows > 0) {
        status = ss_place_write(last, table, layout, select, res->relative,
                                &batch->next_token, err);
    }
    ss_batch_release(last);
    return status;
}

/* Step through the rows. *large: there are so many that it was given up, for several
 * readers to begin. */
static ss_status
fetch_rows(ss_access *access, ss_stmt *stmt, const ss_request *r,
           const ss_table_layout *layout, const ss_select *select, ss_batch *batch,
           bool *large, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[r->table];
    int64_t first = *large ? SS_SPLIT_LATER : INT64_MAX;
    bool more;
    *large = false;
    SS_TRY(ss_fetch_some(stmt, batch, first, r->strict, table->name, &more, err));
    if (more) {
        ss_split split;
        ss_status status =
            ss_split_find(access, table, layout, select, &split, large, err);
        ss_split_free(&split);
        SS_TRY(status);
    }
    if (more && !*large) {
        SS_TRY(ss_fetch_rest(stmt, batch, r->strict, table->name, err));
    }
    ss_batch_finish(batch);
    return SS_OK;
}

static ss_status
fetch(ss_access *access, ss_stmt *stmt, const ss_request *r,
      const ss_table_layout *layout, const resolved *res, ss_batch *batch, bool *large,
      ss_error *err)
{
    if (res->select.paged) {
        *large = false;
        return fetch_page(stmt, r, layout, res, batch, err);
    }
    if (res->select.sink) {
        *large = false;
        return ss_fetch_sink(stmt, batch, r->strict, ss_tables[r->table].name, err);
    }
    return fetch_rows(access, stmt, r, layout, &res->select, batch, large, err);
}

/* The text of a selection, and its parameters. */
typedef struct {
    const ss_sql *sql;
    const char *text;
    size_t n;
} statement;

/* *large: may it turn out to be, and did it?  Then there is no answer. */
static ss_status
run_statement(ss_access *access, const ss_request *r, const ss_table_layout *layout,
              const resolved *res, const statement *made, bool *large, ss_batch **out,
              ss_error *err)
{
    const ss_select *select = &res->select;
    ss_stmt *stmt = NULL;
    ss_batch *batch = NULL;
    SS_TRY(ss_stmt_cache_get(access->cache, made->text, made->n, &stmt, err));
    ss_status status = bind_params(stmt, made->sql, err);
    if (status == SS_OK) {
        status = new_batch(&ss_tables[r->table], select, r->raw, &batch, err);
    }
    if (status == SS_OK) {
        status = fetch(access, stmt, r, layout, res, batch, large, err);
    }
    ss_stmt_cache_put(access->cache, stmt);
    if (status == SS_OK && !*large) {
        *out = batch;
        return SS_OK;
    }
    ss_batch_release(batch);
    return named(access, r, layout, select, status, err);
}

/* By one statement, or by several readers when it is a lot. */
static ss_status
run_select(ss_access *access, const ss_request *r, const ss_table_layout *layout,
           const resolved *res, const statement *made, ss_batch **out, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[r->table];
    bool early = !r->raw && ss_split_early(table, &res->select);
    bool large = !r->raw && !early, done = false;
    if (!early) {
        SS_TRY(run_statement(access, r, layout, res, made, &large, out, err));
    }
    if (early || large) {
        ss_status status = ss_scan_read(access, table, layout, &res->select, r->strict,
                                        &done, out, err);
        SS_TRY(named(access, r, layout, &res->select, status, err));
        large = false;
        if (!done) {
            return run_statement(access, r, layout, res, made, &large, out, err);
        }
    }
    return SS_OK;
}

static ss_status
run_built(ss_access *access, const ss_request *r, const ss_table_layout *layout,
          const resolved *res, ss_batch **out, ss_error *err)
{
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        ss_sql_select(&sql, &ss_tables[r->table], layout, &res->select, err);
    if (status == SS_OK) {
        statement made = {&sql, sql.text.data, sql.text.size};
        status = run_select(access, r, layout, res, &made, out, err);
    }
    ss_sql_free(&sql);
    return status;
}

static ss_status
empty_batch(const ss_table_desc *table, const ss_select *select, bool raw,
            ss_batch **out, ss_error *err)
{
    SS_TRY(new_batch(table, select, raw, out, err));
    ss_batch_finish(*out);
    return SS_OK;
}

static ss_status
read_request(ss_access *access, const ss_request *r, ss_batch **out, ss_error *err)
{
    SS_TRY(ss_db_refresh_layout(access, false, err));
    const ss_table_desc *table = &ss_tables[r->table];
    const ss_table_layout *layout = &access->layout->tables[r->table];
    resolved res;
    ss_status status = resolve(access, r, table, layout, &res, err);
    if (status == SS_OK) {
        status = res.nothing || !layout->present
                     ? empty_batch(table, &res.select, r->raw, out, err)
                     : run_built(access, r, layout, &res, out, err);
    }
    ss_place_clear(&res.place);
    return status;
}

/* --- the plain getters --------------------------------------------------------------------- */

/* get_<table>() and get_<table>(date): the SQL never changes while the layout stays, so
 * a canonical file keeps its text (building it costs a third of a one-row read). */
static bool
is_plain(const ss_request *r)
{
    return r->getter && !r->raw && r->n_filters == 0 && r->columns == NULL &&
           r->order == NULL && r->limit < 0 && r->offset == 0 && r->after == NULL &&
           r->period == NULL && !given(&r->start) && !given(&r->end) &&
           !given(&r->as_of);
}

static const ss_plan *
plan_publish(_Atomic(ss_plan *) *slot, const ss_sql *sql)
{
    ss_plan *plan = ss_malloc(sizeof(*plan));
    char *text = ss_strndup(sql->text.data, sql->text.size);
    if (plan == NULL || text == NULL) {
        ss_free(plan);
        ss_free(text);
        return NULL; /* no plan is kept: the caller goes the built way */
    }
    *plan = (ss_plan){.text = text, .n = sql->text.size};
    ss_plan *expected = NULL;
    if (!atomic_compare_exchange_strong(slot, &expected, plan)) {
        ss_free(text);
        ss_free(plan);
        return expected;
    }
    return plan;
}

/* The parameters in the order the text was built with: window bounds, then limit. */
static void
plan_params(ss_sql *sql, const ss_table_desc *table, const ss_select *select)
{
    ss_kind kind = table->time_column < 0
                       ? SS_KIND_INT
                       : (ss_kind)table->columns[table->time_column].kind;
    ss_tag tag = kind == SS_KIND_DATE ? SS_VALUE_DATE : SS_VALUE_TIMESTAMP;
    if (select->window.has_from) {
        sql->params[sql->n_params++] =
            (ss_value){.tag = tag, .as.i = select->window.from};
    }
    if (select->window.has_until) {
        sql->params[sql->n_params++] =
            (ss_value){.tag = tag, .as.i = select->window.until};
    }
    if (select->limit >= 0) {
        sql->params[sql->n_params++] =
            (ss_value){.tag = SS_VALUE_INT, .as.i = select->limit + select->paged};
    }
}

static ss_status
read_plain(ss_access *access, const ss_request *r, ss_batch **out, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[r->table];
    const ss_table_layout *layout = &access->layout->tables[r->table];
    resolved res;
    SS_TRY(resolve(access, r, table, layout, &res, err));
    bool dated = res.select.window.has_from;
    if (dated && !res.select.window.has_until) {
        return run_built(access, r, layout, &res, out, err);
    }
    _Atomic(ss_plan *) *slot =
        &access->session->plans[r->table * SS_PLANS_PER_TABLE + (dated ? 1 : 0)];
    const ss_plan *plan = atomic_load_explicit(slot, memory_order_acquire);
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = SS_OK;
    if (plan == NULL) {
        status = ss_sql_select(&sql, table, layout, &res.select, err);
        plan = status == SS_OK ? plan_publish(slot, &sql) : NULL;
    }
    else {
        plan_params(&sql, table, &res.select);
    }
    if (status == SS_OK) {
        statement made = {&sql, plan != NULL ? plan->text : sql.text.data,
                          plan != NULL ? plan->n : sql.text.size};
        status = run_select(access, r, layout, &res, &made, out, err);
    }
    ss_sql_free(&sql);
    return status;
}

/* Two statements of one answer (newest day, then the rows) must see one state. */
static bool
takes_several(const ss_access *access, const ss_request *r)
{
    return r->period != NULL || access->layout->kind != SS_FILE_CURRENT;
}

static ss_status
read_once(ss_db *db, const ss_call *call, const ss_request *r, ss_batch **out,
          ss_error *err)
{
    ss_access access;
    ss_reading reading;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    ss_status status =
        ss_reading_begin(&access, takes_several(&access, r), r->stamp, &reading, err);
    if (status == SS_OK) {
        bool plain = is_plain(r) && access.layout->kind == SS_FILE_CURRENT &&
                     access.layout->tables[r->table].present;
        status = plain ? read_plain(&access, r, out, err)
                       : read_request(&access, r, out, err);
        ss_reading_end(&access, &reading);
    }
    ss_db_leave(&access);
    return status;
}

ss_status
ss_db_read(ss_db *db, const ss_call *call, const ss_request *request, ss_batch **out,
           ss_error *err)
{
    ss_status status = read_once(db, call, request, out, err);
    if (status != SS_OK && ss_db_recovered(db, call, err)) {
        status = read_once(db, call, request, out, err);
    }
    return status;
}

/* --- count ------------------------------------------------------------------------------------ */

static ss_status
count_request(ss_access *access, const ss_request *r, int64_t *out, ss_error *err)
{
    SS_TRY(ss_db_refresh_layout(access, false, err));
    const ss_table_desc *table = &ss_tables[r->table];
    const ss_table_layout *layout = &access->layout->tables[r->table];
    resolved res;
    SS_TRY(resolve(access, r, table, layout, &res, err));
    if (res.nothing || !layout->present) {
        *out = 0;
        return SS_OK;
    }
    ss_sql sql;
    ss_stmt *stmt = NULL;
    bool row = false;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_count(&sql, table, layout, &res.select, err);
    if (status == SS_OK) {
        status = ss_access_lend(access->cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, table->name, &row, err);
    }
    if (status == SS_OK && row) {
        ss_value cell;
        ss_stmt_column(stmt, 0, &cell);
        *out = cell.as.i;
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
    return status;
}

static ss_status
count_once(ss_db *db, const ss_call *call, const ss_request *request, int64_t *out,
           ss_error *err)
{
    ss_access access;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    ss_reading reading;
    ss_status status = ss_reading_begin(&access, takes_several(&access, request),
                                        request->stamp, &reading, err);
    if (status == SS_OK) {
        status = count_request(&access, request, out, err);
        ss_reading_end(&access, &reading);
    }
    ss_db_leave(&access);
    return status;
}

ss_status
ss_db_count(ss_db *db, const ss_call *call, const ss_request *request, int64_t *out,
            ss_error *err)
{
    ss_status status = count_once(db, call, request, out, err);
    if (status != SS_OK && ss_db_recovered(db, call, err)) {
        status = count_once(db, call, request, out, err);
    }
    return status;
}
