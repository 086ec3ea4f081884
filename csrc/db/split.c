/* SQLite says what it would do by EXPLAIN QUERY PLAN. Its words are for people and may
 * change: what is not recognised is read by one statement, and no answer depends on it.
 */
#include "db/split.h"

#include "base/mem.h"
#include "base/moment.h"
#include "db/db_int.h"
#include "store/watch.h"

#include <string.h> // strncmp(), strchr(), strlen()

enum {
    MIN_PAGES = 256,  /* in the file; below that, no table is large */
    MIN_ROWS = 20000, /* to be visited */
    PARTS = 32,       /* so that nobody waits long for the one who reads the last */
    MIN_IDS = 2048,
    MAX_IDS = 65536, /* how soon a reader hears that another has failed */
    MAX_PARTS = 4096,
    PART_ROWS = 4096, /* of a part in time */
    MANY_PARTS = 512, /* then they become larger */
    FEW_DAYS = 31,
    MUCH = 3,   /* of that part of a table each row is not looked up by an index */
    SPARSE = 4, /* times as many rows read as are wanted: an index is better */
};

/* --- what it would take ------------------------------------------------------------------ */

/* Bytes of one of the connection's files; 0 where it is not known. */
static int64_t
size_of(ss_conn *conn, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    (void)sqlite3_file_control(ss_conn_handle(conn), "main", which, &file);
    bool known = file != NULL && file->pMethods != NULL &&
                 file->pMethods->xFileSize(file, &size) == SQLITE_OK;
    return known ? size : 0;
}

static int64_t
size_of_file(ss_conn *conn)
{
    return size_of(conn, SQLITE_FCNTL_FILE_POINTER) +
           size_of(conn, SQLITE_FCNTL_JOURNAL_POINTER);
}

/* With a log its index knows; to ask the system would take longer than reading a row. */
static bool
is_small_file(ss_access *access)
{
    enum { PAGE = 4096 };
    ss_stamp stamp;
    uint32_t pages = 0;
    if (ss_watch_before(access->session->pool, &stamp) &&
        ss_watch_kind(&stamp) == SS_STAMP_WAL) {
        pages = ss_stamp_wal_state(&stamp).n_pages;
    }
    return pages != 0 ? pages < MIN_PAGES
                      : size_of_file(access->conn) < MIN_PAGES * PAGE;
}

/* The first row of a statement that `made` is the outcome of making; frees the text.
 * *found false: there is none, or not the integers that are expected. */
static ss_status
numbers(ss_access *access, ss_sql *sql, ss_status made, int64_t *out, int n,
        bool *found, ss_error *err)
{
    ss_stmt *stmt = NULL;
    ss_value cell;
    *found = false;
    if (made == SS_OK) {
        made = ss_access_lend(access->cache, sql, &stmt, err);
    }
    if (made == SS_OK) {
        made = ss_stmt_step(stmt, "looking for parts", found, err);
    }
    for (int i = 0; made == SS_OK && *found && i < n; i++) {
        ss_stmt_column(stmt, i, &cell);
        *found = cell.tag == SS_VALUE_INT;
        out[i] = cell.as.i;
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(sql);
    return made;
}

static ss_status
bounds_of_table(ss_access *access, const ss_split *s, int64_t out[2], bool *found,
                ss_error *err)
{
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status made = ss_sql_rowid_bounds(&sql, s->table, err);
    return numbers(access, &sql, made, out, 2, found, err);
}

static bool
has_window(const ss_select *select)
{
    return select->window.has_from || select->window.has_until;
}

static bool
is_ascending_id(const ss_split *s)
{
    const ss_order_desc *first = &s->select->order[0];
    bool id = first->column < 0 || (first->column == 0 && s->layout->canonical);
    const ss_value *after = s->select->after;
    return id && !first->descending && (after == NULL || after->tag == SS_VALUE_INT);
}

/* In a legacy file the order of time is not that of an index. */
static bool
is_by_time(const ss_split *s)
{
    int column = s->table->time_column;
    if (!s->layout->canonical || column < 0 || s->layout->stored[column] == NULL ||
        s->select->order[0].column != column) {
        return false;
    }
    /* A row without a time lies in no range of time. */
    bool all_have = s->table->columns[column].flags & (SS_COL_KEY | SS_COL_REQUIRED);
    return all_have || has_window(s->select);
}

static bool
is_whole(const ss_select *select)
{
    return select->n_order > 0 && select->limit < 0 && select->offset == 0 &&
           !select->newest && !select->paged;
}

/* --- what SQLite would do ------------------------------------------------------------------- */

typedef enum {
    REACH_FEW,    /* or not what can be cut */
    REACH_ALL,    /* it reads the whole table, */
    REACH_BEHIND, /* the rows behind some row id, */
    REACH_WINDOW, /* or those of a range of time, by an index */
} reach;

static reach
reach_of(const char *detail, const char *time)
{
    if (strncmp(detail, "SCAN ", 5) == 0) {
        return REACH_ALL;
    }
    const char *terms = strchr(detail, '(');
    if (strncmp(detail, "SEARCH ", 7) != 0 || terms == NULL) {
        return REACH_FEW;
    }
    if (strncmp(terms, "(rowid>", 7) == 0) {
        return REACH_BEHIND;
    }
    size_t n = time == NULL ? 0 : strlen(time);
    if (n > 0 && strncmp(terms + 1, time, n) == 0 &&
        (terms[n + 1] == '>' || terms[n + 1] == '<')) {
        return REACH_WINDOW;
    }
    return REACH_FEW;
}

static ss_status
plan_of(ss_access *access, const ss_split *s, const ss_select *select, reach *out,
        ss_error *err)
{
    enum { DETAIL = 3 };
    const char *time =
        s->table->time_column < 0 ? NULL : s->layout->stored[s->table->time_column];
    ss_sql sql;
    ss_stmt *stmt = NULL;
    bool row = false;
    *out = REACH_FEW;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_buf_puts(&sql.text, "EXPLAIN QUERY PLAN ");
    ss_status status = ss_sql_select(&sql, s->table, s->layout, select, err);
    if (status == SS_OK) {
        status = ss_access_lend(access->cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, s->table->name, &row, err);
    }
    if (status == SS_OK && row) {
        const char *detail = (const char *)sqlite3_column_text(stmt->raw, DETAIL);
        *out = detail == NULL ? REACH_FEW : reach_of(detail, time);
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
    return status;
}

/* What SQLite is asked about: can an index serve a range of time? With one bound alone it
 * takes half the table for granted, and an index for of no use. */
static ss_select
in_a_window(const ss_select *select)
{
    ss_select part = *select;
    part.window.has_from = part.window.has_until = true;
    return part;
}

/* A time as it is stored in a current file. */
static bool
read_time(const ss_split *s, const ss_value *cell, int64_t *out)
{
    int32_t day;
    if (cell->tag != SS_VALUE_TEXT) {
        return false;
    }
    if (s->table->columns[s->table->time_column].kind == SS_KIND_TIMESTAMP) {
        return ss_instant_parse(cell->as.s.p, cell->as.s.n, out);
    }
    bool good = ss_day_parse(cell->as.s.p, cell->as.s.n, &day);
    *out = good ? day : 0;
    return good;
}

/* A day as the time column counts. */
static int64_t
unit_of_day(const ss_split *s)
{
    bool instant = s->table->columns[s->table->time_column].kind == SS_KIND_TIMESTAMP;
    return instant ? SS_US_PER_DAY : 1;
}

/* The first day or instant that is none. */
static int64_t
end_of_time(const ss_split *s)
{
    return ((int64_t)SS_DAY_MAX + 1) * unit_of_day(s);
}

/* The first time that is stored, and the one after the last. */
static ss_status
extent_of_time(ss_access *access, const ss_split *s, int64_t out[2], bool *found,
               ss_error *err)
{
    ss_sql sql;
    ss_stmt *stmt = NULL;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_time_bounds(&sql, s->table, s->layout, err);
    if (status == SS_OK) {
        status = ss_access_lend(access->cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, "looking for an order", found, err);
    }
    for (int i = 0; status == SS_OK && *found && i < 2; i++) {
        ss_value cell;
        ss_stmt_column(stmt, i, &cell);
        *found = read_time(s, &cell, &out[i]);
        out[i] += i;
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
    return status;
}

ss_status
ss_split_order(ss_access *access, const ss_table_desc *table,
               const ss_table_layout *layout, const ss_window *window, bool *by_time,
               ss_error *err)
{
    const ss_split s = {.table = table, .layout = layout};
    int64_t ids[2], all[2];
    bool found;
    int64_t from = window->has_from ? window->from : INT64_MIN / 4;
    int64_t until = window->has_until ? window->until : INT64_MAX / 4;
    *by_time = true;
    if (until - from <= FEW_DAYS * unit_of_day(&s) || is_small_file(access)) {
        return SS_OK;
    }
    SS_TRY(bounds_of_table(access, &s, ids, &found, err));
    if (!found || (uint64_t)ids[1] - (uint64_t)ids[0] < MIN_ROWS) {
        return SS_OK;
    }
    SS_TRY(extent_of_time(access, &s, all, &found, err));
    if (found) {
        from = from > all[0] ? from : all[0];
        until = until < all[1] ? until : all[1];
        *by_time = until - from <= (all[1] - all[0]) / MUCH;
    }
    return SS_OK;
}

/* The window from (or, descending, to) the time that the page before ended with. */
static bool
go_on_in_window(const ss_split *s, ss_window *window)
{
    int64_t at;
    if (s->select->after == NULL) {
        return true;
    }
    if (!read_time(s, s->select->after, &at)) {
        return false;
    }
    if (!s->select->order[0].descending) {
        window->from = window->has_from && window->from >= at ? window->from : at;
        window->has_from = true;
    }
    else if (at + 1 < (window->has_until ? window->until : end_of_time(s))) {
        window->until = at + 1;
        window->has_until = true;
    }
    return true;
}

/* What would be read of the table; *worth false: nothing to be cut. */
static ss_status
find_visited(ss_access *access, ss_split *s, bool *worth, ss_error *err)
{
    const ss_select *select = s->select;
    bool window = s->by_time || has_window(select);
    ss_select asked = window ? in_a_window(select) : *select;
    reach found = REACH_ALL;
    if (!select->sink) { /* what that is, is known */
        SS_TRY(plan_of(access, s, &asked, &found, err));
    }
    s->visited =
        (ss_select){.order = select->order, .n_order = select->n_order, .limit = -1};
    if (found == REACH_WINDOW) {
        s->visited.window = select->window;
    }
    if (s->by_time) {
        *worth = found == REACH_WINDOW && go_on_in_window(s, &s->visited.window);
        return SS_OK;
    }
    s->counted = found == REACH_WINDOW;
    s->visited.after = found == REACH_ALL ? NULL : select->after;
    *worth = found != REACH_FEW;
    return SS_OK;
}

/* --- is it worth it --------------------------------------------------------------------- */

/* Are so many rows visited?  Their ids alone do not say. Without an index on the time,
 * which only an altered file lacks, looking is a scan: it is not done a second time. */
static ss_status
count_enough(ss_access *access, const ss_split *s, const ss_select *visited,
             bool *enough, ss_error *err)
{
    ss_sql sql;
    ss_stmt *stmt = NULL;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status =
        ss_sql_rowid_some(&sql, s->table, s->layout, visited, MIN_ROWS, err);
    if (status == SS_OK) {
        status = ss_access_lend(access->cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        int scanned =
            sqlite3_stmt_status(stmt->raw, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
        if (has_window(visited) && scanned > MIN_ROWS) {
            *enough = true;
        }
        else {
            status = ss_stmt_step(stmt, "looking for parts", enough, err);
        }
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
    return status;
}

/* What is cheap to know and mostly says no. */
static ss_status
could_be_worth(ss_access *access, ss_split *s, bool *could, ss_error *err)
{
    int64_t bounds[2];
    *could = false;
    if (!is_whole(s->select) || !(s->by_time || is_ascending_id(s))) {
        return SS_OK;
    }
    if (is_small_file(access)) {
        return SS_OK;
    }
    if (has_window(s->select)) {
        const ss_select window = {.window = s->select->window, .limit = -1};
        return count_enough(access, s, &window, could, err);
    }
    SS_TRY(bounds_of_table(access, s, bounds, could, err));
    *could = *could && (uint64_t)bounds[1] - (uint64_t)bounds[0] >= MIN_ROWS;
    return SS_OK;
}

bool
ss_split_early(const ss_table_desc *table, const ss_select *select)
{
    bool by_time = table->time_column >= 0 && select->n_order > 0 &&
                   select->order[0].column == table->time_column;
    return select->sink || (has_window(select) && !by_time);
}

ss_status
ss_split_find(ss_access *access, const ss_table_desc *table,
              const ss_table_layout *layout, const ss_select *select, ss_split *out,
              bool *worth, ss_error *err)
{
    *out = (ss_split){.table = table, .layout = layout, .select = select};
    out->by_time = select->n_order > 0 && is_by_time(out);
    SS_TRY(could_be_worth(access, out, worth, err));
    if (*worth) {
        SS_TRY(find_visited(access, out, worth, err));
    }
    if (*worth) {
        SS_TRY(count_enough(access, out, &out->visited, worth, err));
    }
    return SS_OK;
}

/* --- by row ids ---------------------------------------------------------------------------- */

/* Where among the row ids the window's rows lie, and are they close enough together? */
static ss_status
find_extent(ss_access *access, ss_split *s, bool *worth, ss_error *err)
{
    int64_t extent[3], total = 0;
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status made = ss_sql_rowid_extent(&sql, s->table, s->layout, &s->visited, err);
    SS_TRY(numbers(access, &sql, made, extent, 3, worth, err));
    if (!*worth) {
        return SS_OK;
    }
    s->first_id = extent[0];
    s->last_id = extent[1];
    uint64_t span = (uint64_t)extent[1] - (uint64_t)extent[0];
    uint64_t most = (uint64_t)extent[2] * SPARSE;
    if (span < most) {
        return SS_OK;
    }
    const ss_select all = {.limit = -1};
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    made = ss_sql_count(&sql, s->table, s->layout, &all, err);
    SS_TRY(numbers(access, &sql, made, &total, 1, worth, err));
    *worth = *worth && (uint64_t)total < most; /* most ids of the span are not there */
    return SS_OK;
}

static ss_status
find_ids(ss_access *access, ss_split *s, bool *worth, ss_error *err)
{
    int64_t bounds[2];
    if (s->counted) {
        return find_extent(access, s, worth, err);
    }
    SS_TRY(bounds_of_table(access, s, bounds, worth, err));
    if (*worth) {
        const ss_value *after = s->visited.after;
        bool behind = after != NULL && after->as.i >= bounds[0];
        *worth = !behind || after->as.i < bounds[1];
        s->first_id = behind && *worth ? after->as.i + 1 : bounds[0];
        s->last_id = bounds[1];
    }
    return SS_OK;
}

static void
cut_ids(ss_split *s)
{
    uint64_t span = (uint64_t)s->last_id - (uint64_t)s->first_id;
    uint64_t each = span / PARTS;
    each = each < MIN_IDS ? MIN_IDS : each > MAX_IDS ? MAX_IDS : each;
    if (span / each >= MAX_PARTS) {
        each = span / MAX_PARTS + 1;
    }
    s->ids_each = each;
    s->n_parts = (int)(span / each) + 1;
}

/* --- in time --------------------------------------------------------------------------------- */

/* The time `rows` rows further on in the window; *found false: it ends before. */
static ss_status
time_further(ss_access *access, const ss_split *s, const ss_select *rest, int64_t rows,
             int64_t *out, bool *found, ss_error *err)
{
    ss_sql sql;
    ss_stmt *stmt = NULL;
    ss_value cell;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_time_at(&sql, s->table, s->layout, rest, rows, err);
    if (status == SS_OK) {
        status = ss_access_lend(access->cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, "looking for parts", found, err);
    }
    if (status == SS_OK && *found) {
        ss_stmt_column(stmt, 0, &cell);
        *found = read_time(s, &cell, out);
    }
    ss_stmt_cache_put(access->cache, stmt);
    ss_sql_free(&sql);
    return status;
}

static ss_status
cut_time(ss_access *access, ss_split *s, ss_error *err)
{
    ss_select rest = s->visited;
    int n = 0;
    s->cuts = ss_calloc(MAX_PARTS, sizeof(*s->cuts));
    if (s->cuts == NULL) {
        return ss_error_nomem(err);
    }
    int64_t until = rest.window.has_until ? rest.window.until : end_of_time(s);
    while (n < MAX_PARTS - 1) {
        int64_t at = 0;
        bool found = false;
        int64_t rows = (int64_t)PART_ROWS << (n / MANY_PARTS * 2);
        SS_TRY(time_further(access, s, &rest, rows, &at, &found, err));
        if (found && rest.window.has_from && at <= rest.window.from) {
            at = rest.window.from + 1; /* so many rows of one time */
        }
        if (!found || at >= until) {
            break;
        }
        s->cuts[n++] = at;
        rest.window.has_from = true;
        rest.window.from = at;
    }
    s->n_parts = n + 1;
    return SS_OK;
}

/* --- the parts -------------------------------------------------------------------------------- */

ss_status
ss_split_cut(ss_access *access, ss_split *s, bool *worth, ss_error *err)
{
    s->file_size = size_of_file(access->conn);
    if (s->by_time) {
        SS_TRY(cut_time(access, s, err));
        *worth = s->n_parts > 1;
        return SS_OK;
    }
    SS_TRY(find_ids(access, s, worth, err));
    if (*worth) {
        cut_ids(s);
    }
    return SS_OK;
}

static void
part_in_time(const ss_split *s, int part, ss_select *out)
{
    int at = s->select->order[0].descending ? s->n_parts - 1 - part : part;
    if (at > 0) {
        out->window.has_from = true;
        out->window.from = s->cuts[at - 1];
    }
    if (at < s->n_parts - 1) {
        out->window.has_until = true;
        out->window.until = s->cuts[at];
    }
}

void
ss_split_part(const ss_split *s, int part, ss_select *out)
{
    *out = *s->select;
    if (s->by_time) {
        part_in_time(s, part, out);
        return;
    }
    uint64_t first = (uint64_t)s->first_id + (uint64_t)part * s->ids_each;
    out->sink = out->ranged = true;
    out->first_id = (int64_t)first;
    out->last_id =
        part == s->n_parts - 1 ? s->last_id : (int64_t)(first + s->ids_each - 1);
}

void
ss_split_free(ss_split *s)
{
    ss_free(s->cuts);
    s->cuts = NULL;
}
