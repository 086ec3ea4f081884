/* columns/aggregate: one pass to find each row's day and group, then one pass over each
 * measure's column.
 *
 * A measure needs at most two sums: weighted means and ratios have an upper and a lower
 * one, which count the same rows.
 */
#include "columns/aggregate.h"

#include "base/mem.h"
#include "base/moment.h"

#include <assert.h>
#include <math.h>   // fabs(), isinf(), isnan()
#include <stdlib.h> // qsort()
#include <string.h> // memcmp()

enum { NOWHERE = INT32_MIN };

/* One figure in the making. */
typedef struct {
    double sum, lost; /* Neumaier: what the roundings dropped */
    int64_t whole;    /* the same of integers */
    int64_t n;
    int32_t newest; /* of a stock: the day that the rest is of */
} sum_cell;

typedef struct {
    const ss_column *column; /* NULL: only rows are counted */
    const ss_column *times;  /* multiplied by this, or NULL */
    const ss_column *with;   /* rows count where this has a value, too; or NULL */
    bool stock;
    sum_cell *cells; /* owned; bucket * n_groups + group */
    int32_t *newest; /* owned; of a stock: the newest day in each bucket */
} sum;

struct ss_aggregate {
    ss_aggregate_request request; /* its lists are these: */
    int by[SS_MAX_COLUMNS];
    ss_measure measures[SS_MAX_COLUMNS + 1];
    int64_t n_buckets, n_groups;
    int32_t *bucket_of; /* owned; by days since the begin of the window */
    int32_t *day;       /* owned; of each row, or NOWHERE */
    int32_t *group;     /* owned; of each row; NULL without n_by */
    int32_t *first_row; /* owned; of each group */
    int32_t *in_order;  /* owned; groups as they are numbered outside */
    sum (*sums)[2];     /* owned; for each measure */
};

/* ---- days ---- */

static int32_t
day_in_zone(const ss_aggregate *g, int64_t instant)
{
    const int64_t *midnights = g->request.midnights;
    int64_t low = 0,
            high = (int64_t)g->request.window.end - g->request.window.start + 1;

    if (instant < midnights[0] || instant >= midnights[high]) {
        return NOWHERE;
    }
    while (high - low > 1) { /* midnights[low] <= instant < midnights[high] */
        int64_t middle = low + (high - low) / 2;
        if (midnights[middle] <= instant) {
            low = middle;
        }
        else {
            high = middle;
        }
    }
    return (int32_t)(g->request.window.start + low);
}

static int32_t
day_of_row(const ss_aggregate *g, const ss_column *time, int64_t row)
{
    if (ss_column_is_null(time, row)) {
        return NOWHERE;
    }
    if (time->kind == SS_KIND_DATE) {
        return time->data.i32[row];
    }
    return g->request.midnights != NULL ? day_in_zone(g, time->data.i64[row])
                                        : ss_day_of_instant(time->data.i64[row]);
}

static ss_status
find_days(ss_aggregate *g, ss_error *err)
{
    const ss_aggregate_request *r = &g->request;
    g->day = ss_calloc((size_t)r->rows->n_rows + 1, sizeof(*g->day));
    if (g->day == NULL) {
        return ss_error_nomem(err);
    }
    for (int64_t row = 0; row < r->rows->n_rows; row++) {
        int32_t day = r->time < 0 ? r->window.end
                                  : day_of_row(g, &r->rows->columns[r->time], row);
        bool inside = day >= r->window.start && day <= r->window.end;
        g->day[row] = inside ? day : NOWHERE;
    }
    return SS_OK;
}

static ss_status
make_buckets(ss_aggregate *g, ss_error *err)
{
    const ss_days window = g->request.window;
    int64_t n_days = (int64_t)window.end - window.start + 1;
    g->bucket_of = ss_calloc((size_t)n_days, sizeof(*g->bucket_of));
    if (g->bucket_of == NULL) {
        return ss_error_nomem(err);
    }
    int32_t bucket = 0;
    for (int64_t i = 0; i < n_days && !g->request.whole; bucket++) {
        int32_t end = ss_bucket_of(g->request.every, (int32_t)(window.start + i)).end;
        for (; i < n_days && window.start + i <= end; i++) {
            g->bucket_of[i] = bucket;
        }
    }
    g->n_buckets = g->request.whole ? 1 : bucket;
    return SS_OK;
}

/* ---- groups ---- */

static bool
same_cell(const ss_column *column, int64_t a, int64_t b)
{
    ss_value x, y;
    ss_column_get(column, a, &x);
    ss_column_get(column, b, &y);
    return ss_value_equal(&x, &y);
}

static bool
same_group(const ss_aggregate *g, int64_t a, int64_t b)
{
    for (int i = 0; i < g->request.n_by; i++) {
        if (!same_cell(&g->request.rows->columns[g->request.by[i]], a, b)) {
            return false;
        }
    }
    return true;
}

static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ p[i]) * UINT64_C(1099511628211); /* FNV-1a */
    }
    return hash;
}

static uint64_t
hash_row(const ss_aggregate *g, int64_t row)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 0; i < g->request.n_by; i++) {
        ss_value v;
        ss_column_get(&g->request.rows->columns[g->request.by[i]], row, &v);
        if (v.tag == SS_VALUE_TEXT || v.tag == SS_VALUE_BLOB) {
            hash = hash_bytes(hash, v.as.s.p, v.as.s.n);
        }
        else if (v.tag == SS_VALUE_REAL) {
            double real = v.as.r + 0.0; /* -0.0 equals 0.0 */
            hash = hash_bytes(hash, &real, sizeof(real));
        }
        else if (v.tag != SS_VALUE_NULL) {
            hash = hash_bytes(hash, &v.as.i, sizeof(v.as.i));
        }
        hash = hash_bytes(hash, "", 1);
    }
    return hash ^ hash >> 29;
}

/* Open addressing: slots hold group numbers, -1 is empty. */
typedef struct {
    int32_t *slots; /* owned */
    size_t n_slots; /* a power of two */
} group_table;

static bool
table_grow(group_table *table, ss_aggregate *g)
{
    size_t n = table->n_slots * 2;
    int32_t *slots = ss_calloc(n, sizeof(*slots));
    int32_t *rows = ss_realloc_array(g->first_row, n, sizeof(*rows));
    if (rows != NULL) {
        g->first_row = rows;
    }
    if (slots == NULL || rows == NULL) {
        ss_free(slots);
        return false;
    }
    memset(slots, 0xff, n * sizeof(*slots));
    for (int32_t i = 0; i < g->n_groups; i++) {
        size_t at = hash_row(g, g->first_row[i]) & (n - 1);
        while (slots[at] >= 0) {
            at = (at + 1) & (n - 1);
        }
        slots[at] = i;
    }
    ss_free(table->slots);
    *table = (group_table){slots, n};
    return true;
}

/* The group of a row, made when it is the first; -1: no memory. */
static int32_t
group_of(group_table *table, ss_aggregate *g, int64_t row)
{
    if ((size_t)g->n_groups * 2 >= table->n_slots && !table_grow(table, g)) {
        return -1;
    }
    size_t at = hash_row(g, row) & (table->n_slots - 1);
    while (table->slots[at] >= 0) {
        if (same_group(g, g->first_row[table->slots[at]], row)) {
            return table->slots[at];
        }
        at = (at + 1) & (table->n_slots - 1);
    }
    int32_t fresh = (int32_t)g->n_groups++;
    table->slots[at] = fresh;
    g->first_row[fresh] = (int32_t)row;
    return fresh;
}

static ss_status
find_groups(ss_aggregate *g, ss_error *err)
{
    const ss_batch *rows = g->request.rows;
    group_table table = {NULL, 32};
    ss_status status = SS_OK;
    if (g->request.n_by == 0) {
        g->n_groups = 1;
        return SS_OK;
    }
    g->group = ss_calloc((size_t)rows->n_rows + 1, sizeof(*g->group));
    if (g->group == NULL || !table_grow(&table, g)) {
        status = ss_error_nomem(err);
    }
    for (int64_t row = 0; status == SS_OK && row < rows->n_rows; row++) {
        if (g->day[row] == NOWHERE) {
            continue;
        }
        /* Neighbours are often of one group. */
        bool again =
            row > 0 && g->day[row - 1] != NOWHERE && same_group(g, row - 1, row);
        g->group[row] = again ? g->group[row - 1] : group_of(&table, g, row);
        if (g->group[row] < 0) {
            status = ss_error_nomem(err);
        }
    }
    ss_free(table.slots);
    return status;
}

static int
compare_values(const ss_value *a, const ss_value *b)
{
    if (a->tag == SS_VALUE_NULL || b->tag == SS_VALUE_NULL) {
        return (a->tag == SS_VALUE_NULL) - (b->tag == SS_VALUE_NULL);
    }
    if (a->tag == SS_VALUE_TEXT && b->tag == SS_VALUE_TEXT) {
        size_t n = a->as.s.n < b->as.s.n ? a->as.s.n : b->as.s.n;
        int order = memcmp(a->as.s.p, b->as.s.p, n);
        return order != 0 ? order : (a->as.s.n > b->as.s.n) - (a->as.s.n < b->as.s.n);
    }
    if (a->tag == SS_VALUE_REAL && b->tag == SS_VALUE_REAL) {
        return (a->as.r > b->as.r) - (a->as.r < b->as.r);
    }
    return (a->as.i > b->as.i) - (a->as.i < b->as.i);
}

typedef struct {
    const ss_aggregate *g;
    int32_t group;
} sort_item;

static int
compare_groups(const void *a, const void *b)
{
    const sort_item *x = a, *y = b;
    const ss_aggregate *g = x->g;
    int order = 0;
    for (int i = 0; order == 0 && i < g->request.n_by; i++) {
        const ss_column *column = &g->request.rows->columns[g->request.by[i]];
        ss_value v, w;
        ss_column_get(column, g->first_row[x->group], &v);
        ss_column_get(column, g->first_row[y->group], &w);
        order = compare_values(&v, &w);
    }
    return order;
}

static ss_status
sort_groups(ss_aggregate *g, ss_error *err)
{
    size_t n = (size_t)g->n_groups;
    sort_item *items = ss_calloc(n + 1, sizeof(*items));
    g->in_order = ss_calloc(n + 1, sizeof(*g->in_order));
    if (items == NULL || g->in_order == NULL) {
        ss_free(items);
        return ss_error_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = (sort_item){g, (int32_t)i};
    }
    if (g->request.n_by > 0) {
        qsort(items, n, sizeof(*items), compare_groups);
    }
    for (size_t i = 0; i < n; i++) {
        g->in_order[i] = items[i].group;
    }
    ss_free(items);
    return SS_OK;
}

/* ---- sums ---- */

static inline void
add_real(sum_cell *cell, double x)
{
    double total = cell->sum + x;
    cell->lost +=
        fabs(cell->sum) >= fabs(x) ? (cell->sum - total) + x : (x - total) + cell->sum;
    cell->sum = total;
}

static inline double
number_at(const ss_column *column, int64_t row)
{
    return column->kind == SS_KIND_INT ? (double)column->data.i64[row]
                                       : column->data.f64[row];
}

static inline bool
counts(const sum *s, int64_t row)
{
    return (s->column == NULL || !ss_column_is_null(s->column, row)) &&
           (s->times == NULL || !ss_column_is_null(s->times, row)) &&
           (s->with == NULL || !ss_column_is_null(s->with, row));
}

/* False: the integers do not fit 64 bits. */
static bool
add_row(const sum *s, sum_cell *cell, int64_t row)
{
    cell->n++;
    if (s->column == NULL) {
        return true;
    }
    if (s->column->kind == SS_KIND_INT && s->times == NULL) {
        return !__builtin_add_overflow(cell->whole, s->column->data.i64[row],
                                       &cell->whole);
    }
    double x = number_at(s->column, row);
    add_real(cell, s->times == NULL ? x : x * number_at(s->times, row));
    return true;
}

static inline int32_t
bucket_of_row(const ss_aggregate *g, int64_t row)
{
    return g->bucket_of[g->day[row] - g->request.window.start];
}

static inline sum_cell *
cell_of_row(const ss_aggregate *g, const sum *s, int64_t row)
{
    int32_t group = g->group != NULL ? g->group[row] : 0;
    return &s->cells[bucket_of_row(g, row) * g->n_groups + group];
}

/* Of a stock: the day that alone counts, in each cell and in each bucket. */
static void
find_newest(const ss_aggregate *g, sum *s)
{
    for (int64_t row = 0; row < g->request.rows->n_rows; row++) {
        int32_t day = g->day[row];
        if (day == NOWHERE || !counts(s, row)) {
            continue;
        }
        sum_cell *cell = cell_of_row(g, s, row);
        int32_t *newest = &s->newest[bucket_of_row(g, row)];
        cell->newest = day > cell->newest ? day : cell->newest;
        *newest = day > *newest ? day : *newest;
    }
}

static ss_status
run_sum(const ss_aggregate *g, sum *s, const char *name, ss_error *err)
{
    if (s->stock) {
        find_newest(g, s);
    }
    for (int64_t row = 0; row < g->request.rows->n_rows; row++) {
        if (g->day[row] == NOWHERE || !counts(s, row)) {
            continue;
        }
        sum_cell *cell = cell_of_row(g, s, row);
        if (s->stock && g->day[row] != cell->newest) {
            continue;
        }
        if (!add_row(s, cell, row)) {
            return ss_error_set(err, SS_DATA, "%s: the sum does not fit 64 bits", name);
        }
    }
    return SS_OK;
}

static ss_status
sum_alloc(const ss_aggregate *g, sum *s, ss_error *err)
{
    size_t n = (size_t)(g->n_buckets * g->n_groups);
    s->cells = ss_calloc(n + 1, sizeof(*s->cells));
    s->newest = s->stock ? ss_calloc((size_t)g->n_buckets, sizeof(*s->newest)) : NULL;
    if (s->cells == NULL || (s->stock && s->newest == NULL)) {
        return ss_error_nomem(err);
    }
    for (size_t i = 0; s->stock && i < n; i++) {
        s->cells[i].newest = NOWHERE;
    }
    for (int64_t i = 0; s->stock && i < g->n_buckets; i++) {
        s->newest[i] = NOWHERE;
    }
    return SS_OK;
}

static void
plan_sums(const ss_aggregate *g, const ss_measure *m, sum sums[2])
{
    const ss_column *columns = g->request.rows->columns;
    switch (m->rule) {
    case SS_RULE_ROWS:
        break;
    case SS_RULE_SUM:
    case SS_RULE_MEAN:
        sums[0].column = &columns[m->column];
        break;
    case SS_RULE_LAST:
        sums[0].column = &columns[m->column];
        sums[0].stock = true;
        break;
    case SS_RULE_WEIGHTED:
        sums[0].column = &columns[m->column];
        sums[0].times = &columns[m->b];
        sums[1].column = &columns[m->b];
        sums[1].with = &columns[m->column];
        break;
    case SS_RULE_RATIO:
        sums[0] = (sum){
            .column = &columns[m->a], .with = &columns[m->b], .stock = m->a_is_last};
        sums[1] = (sum){
            .column = &columns[m->b], .with = &columns[m->a], .stock = m->b_is_last};
        break;
    }
}

static bool
has_two(const ss_measure *m)
{
    return m->rule == SS_RULE_WEIGHTED || m->rule == SS_RULE_RATIO;
}

static const char *
name_of(const ss_aggregate *g, const ss_measure *m)
{
    return m->rule == SS_RULE_ROWS ? SS_MEASURE_ROWS
                                   : g->request.rows->names[m->column];
}

static ss_status
run_measure(ss_aggregate *g, int i, ss_error *err)
{
    const ss_measure *m = &g->request.measures[i];
    plan_sums(g, m, g->sums[i]);
    for (int k = 0; k < (has_two(m) ? 2 : 1); k++) {
        SS_TRY(sum_alloc(g, &g->sums[i][k], err));
        SS_TRY(run_sum(g, &g->sums[i][k], name_of(g, m), err));
    }
    return SS_OK;
}

/* ---- what does not add up ---- */

static ss_status
refuse_apart(const ss_aggregate *g, const ss_measure *m, int64_t a, int64_t b,
             ss_error *err)
{
    const ss_column *column = &g->request.rows->columns[m->apart];
    const char *name = name_of(g, m), *apart = g->request.rows->names[m->apart];
    char one[64], other[64];
    ss_value v;
    ss_column_get(column, a, &v);
    ss_value_show(&v, one, sizeof(one));
    ss_column_get(column, b, &v);
    ss_value_show(&v, other, sizeof(other));
    if (g->request.add_up) {
        return ss_error_set(err, SS_VALUE,
                            "%s of different %s makes no whole (%s, %s), so it has no "
                            "shares: choose one with %s=%s",
                            name, apart, one, other, apart, one);
    }
    return ss_error_set(err, SS_VALUE,
                        "%s of different %s does not add up (%s, %s): group with "
                        "by=\"%s\", or choose one with %s=%s",
                        name, apart, one, other, apart, apart, one);
}

static ss_status
check_apart(const ss_aggregate *g, const ss_measure *m, ss_error *err)
{
    if (m->apart < 0) {
        return SS_OK;
    }
    const ss_batch *rows = g->request.rows;
    bool each_group = g->group != NULL && !g->request.add_up;
    int32_t *seen = ss_calloc((size_t)g->n_groups + 1, sizeof(*seen)); /* row + 1 */
    ss_status status = seen != NULL ? SS_OK : ss_error_nomem(err);
    for (int64_t row = 0; status == SS_OK && row < rows->n_rows; row++) {
        if (g->day[row] == NOWHERE ||
            ss_column_is_null(&rows->columns[m->column], row)) {
            continue;
        }
        int32_t *first = &seen[each_group ? g->group[row] : 0];
        if (*first == 0) {
            *first = (int32_t)row + 1;
        }
        else if (!same_cell(&rows->columns[m->apart], *first - 1, row)) {
            status = refuse_apart(g, m, *first - 1, row, err);
        }
    }
    ss_free(seen);
    return status;
}

/* ---- making ---- */

static ss_status
check_size(const ss_aggregate *g, ss_error *err)
{
    if (g->n_groups == 0 || g->n_buckets <= SS_AGGREGATE_MAX / g->n_groups) {
        return SS_OK;
    }
    return ss_error_set(err, SS_VALUE,
                        "%lld stretches of time and %lld groups would be more than %d "
                        "rows: ask for a shorter range or a longer every=",
                        (long long)g->n_buckets, (long long)g->n_groups,
                        SS_AGGREGATE_MAX);
}

static ss_status
build(ss_aggregate *g, ss_error *err)
{
    if (g->request.rows->n_rows >= INT32_MAX) {
        return ss_error_set(err, SS_VALUE, "more than 2147483646 rows: ask for less");
    }
    SS_TRY(find_days(g, err));
    SS_TRY(make_buckets(g, err));
    SS_TRY(find_groups(g, err));
    SS_TRY(check_size(g, err));
    SS_TRY(sort_groups(g, err));
    g->sums = ss_calloc((size_t)g->request.n_measures + 1, sizeof(*g->sums));
    if (g->sums == NULL) {
        return ss_error_nomem(err);
    }
    for (int i = 0; i < g->request.n_measures; i++) {
        SS_TRY(check_apart(g, &g->request.measures[i], err));
        SS_TRY(run_measure(g, i, err));
    }
    return SS_OK;
}

/* The caller's lists need not outlive the call: what is asked later looks into ours. */
static void
take_request(ss_aggregate *g, const ss_aggregate_request *request)
{
    assert(request->n_by <= SS_MAX_COLUMNS);
    assert(request->n_measures <= SS_MAX_COLUMNS + 1);
    g->request = *request;
    for (int i = 0; i < request->n_by; i++) {
        g->by[i] = request->by[i];
    }
    for (int i = 0; i < request->n_measures; i++) {
        g->measures[i] = request->measures[i];
    }
    g->request.by = g->by;
    g->request.measures = g->measures;
}

ss_status
ss_aggregate_new(const ss_aggregate_request *request, ss_aggregate **out, ss_error *err)
{
    ss_aggregate *g = ss_calloc(1, sizeof(*g));
    if (g == NULL) {
        return ss_error_nomem(err);
    }
    take_request(g, request);
    ss_status status = build(g, err);
    if (status != SS_OK) {
        ss_aggregate_free(g);
        return status;
    }
    *out = g;
    return SS_OK;
}

void
ss_aggregate_free(ss_aggregate *g)
{
    if (g == NULL) {
        return;
    }
    for (int i = 0; g->sums != NULL && i < 2 * g->request.n_measures; i++) {
        ss_free(g->sums[i / 2][i % 2].cells);
        ss_free(g->sums[i / 2][i % 2].newest);
    }
    ss_free(g->sums);
    ss_free(g->bucket_of);
    ss_free(g->day);
    ss_free(g->group);
    ss_free(g->first_row);
    ss_free(g->in_order);
    ss_free(g);
}

/* ---- answers ---- */

int64_t
ss_aggregate_n_groups(const ss_aggregate *g)
{
    return g->n_groups;
}

int64_t
ss_aggregate_n_buckets(const ss_aggregate *g)
{
    return g->n_buckets;
}

ss_days
ss_aggregate_bucket(const ss_aggregate *g, int64_t bucket, bool *whole)
{
    ss_days window = g->request.window;
    if (g->request.whole) {
        *whole = true;
        return window;
    }
    /* The first day of that bucket in the window: buckets are at least a day long. */
    int64_t low = 0, high = (int64_t)window.end - window.start;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (g->bucket_of[middle] < bucket) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    ss_days all = ss_bucket_of(g->request.every, (int32_t)(window.start + low));
    *whole = all.start >= window.start && all.end <= window.end;
    return (ss_days){all.start < window.start ? window.start : all.start,
                     all.end > window.end ? window.end : all.end};
}

void
ss_aggregate_key(const ss_aggregate *g, int64_t group, int i, ss_value *out)
{
    ss_column_get(&g->request.rows->columns[g->request.by[i]],
                  g->first_row[g->in_order[group]], out);
}

ss_kind
ss_aggregate_kind(const ss_aggregate *g, int measure)
{
    const ss_measure *m = &g->request.measures[measure];
    bool exact = m->rule == SS_RULE_SUM || m->rule == SS_RULE_LAST;
    if (m->rule == SS_RULE_ROWS) {
        return SS_KIND_INT;
    }
    return exact && g->request.rows->columns[m->column].kind == SS_KIND_INT
               ? SS_KIND_INT
               : SS_KIND_REAL;
}

static double
total(const sum *s, const sum_cell *cell)
{
    bool whole = s->column->kind == SS_KIND_INT && s->times == NULL;
    if (!whole && isinf(cell->sum)) {
        return cell->sum; /* what was lost on the way there is no number */
    }
    return whole ? (double)cell->whole : cell->sum + cell->lost;
}

/* Has the cell a figure: a value, and of a stock one of the bucket's newest day? */
static bool
is_known(const sum *s, const sum_cell *cell, int64_t bucket)
{
    return cell->n > 0 && (!s->stock || cell->newest == s->newest[bucket]);
}

void
ss_aggregate_value(const ss_aggregate *g, int64_t bucket, int64_t group, int measure,
                   ss_value *out)
{
    const ss_measure *m = &g->request.measures[measure];
    int64_t at = bucket * g->n_groups + g->in_order[group];
    const sum *s = g->sums[measure];
    const sum_cell *cell = &s->cells[at];
    *out = (ss_value){.tag = SS_VALUE_NULL};
    if (m->rule == SS_RULE_ROWS) {
        *out = (ss_value){.tag = SS_VALUE_INT, .as.i = cell->n};
        return;
    }
    if (!is_known(s, cell, bucket)) {
        return;
    }
    if (ss_aggregate_kind(g, measure) == SS_KIND_INT) {
        *out = (ss_value){.tag = SS_VALUE_INT, .as.i = cell->whole};
        return;
    }
    double x = total(s, cell);
    if (m->rule == SS_RULE_MEAN) {
        x /= (double)cell->n;
    }
    else if (has_two(m)) {
        const sum_cell *below = &s[1].cells[at];
        if (!is_known(&s[1], below, bucket) || total(&s[1], below) == 0.0) {
            return;
        }
        x /= total(&s[1], below);
    }
    if (!isnan(x)) { /* as infinities of both signs make it */
        *out = (ss_value){.tag = SS_VALUE_REAL, .as.r = x};
    }
}

int64_t
ss_aggregate_days(const ss_aggregate *g, int measure)
{
    const ss_days window = g->request.window;
    bool *seen = ss_calloc((size_t)((int64_t)window.end - window.start + 1), 1);
    int64_t n = 0;
    if (seen == NULL) {
        return -1;
    }
    for (int64_t row = 0; row < g->request.rows->n_rows; row++) {
        int32_t day = g->day[row];
        if (day == NOWHERE || !counts(&g->sums[measure][0], row)) {
            continue;
        }
        n += !seen[day - window.start];
        seen[day - window.start] = true;
    }
    ss_free(seen);
    return n;
}
