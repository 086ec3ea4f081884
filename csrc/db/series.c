/* db/series: see the header. Each answer is built in three steps: which columns to read,
 * the groups of what was read, and the rows of the answer.
 */
#include "db/series.h"

#include "base/mem.h"
#include "base/moment.h"
#include "db/block.h"
#include "db/fresh.h"

#include <math.h>   // isfinite(), isinf()
#include <stdlib.h> // qsort()
#include <string.h> // strcmp(), strlen()

/* ---- windows ---- */

static ss_status
read_one_time(ss_db *db, const ss_call *call, int table, bool newest, ss_stamp *stamp,
              ss_value *out, ss_error *err)
{
    int16_t column = ss_tables[table].time_column;
    ss_order_desc order = {column, newest};
    ss_request request = ss_request_for(table, false);
    ss_batch *batch = NULL;
    request.columns = &column;
    request.n_columns = 1;
    request.order = &order;
    request.n_order = 1;
    request.limit = 1;
    request.stamp = stamp;
    /* A bound that all times fulfil keeps out the nulls of older files. */
    request.start = (ss_value){.tag = SS_VALUE_DATE, .as.i = SS_DAY_MIN};
    SS_TRY(ss_db_read(db, call, &request, &batch, err));
    *out = (ss_value){.tag = SS_VALUE_NULL};
    if (batch->n_rows > 0) {
        ss_column_get(&batch->columns[0], 0, out);
    }
    ss_batch_release(batch);
    return SS_OK;
}

ss_status
ss_db_extent(ss_db *db, const ss_call *call, int table, ss_stamp *stamp, ss_extent *out,
             ss_error *err)
{
    ss_extent extent;
    if (ss_tables[table].time_column < 0) {
        return ss_error_set(err, SS_TYPE, "%s has no time column to select by",
                            ss_tables[table].name);
    }
    SS_TRY(read_one_time(db, call, table, false, stamp, &extent.oldest, err));
    SS_TRY(read_one_time(db, call, table, true, NULL, &extent.newest, err));
    *out = extent;
    return SS_OK;
}

static ss_status
check_span(const ss_span *span, ss_error *err)
{
    if (span->period != NULL && (span->has_start || span->has_end)) {
        return ss_error_set(err, SS_TYPE,
                            "period= counts back from as_of=; it cannot be combined "
                            "with start= or end=");
    }
    if (span->has_start && span->has_end && span->start > span->end) {
        return ss_error_set(err, SS_VALUE, "start= is after end=");
    }
    if (span->has_start && !span->has_end && span->has_as_of &&
        span->start > span->as_of) {
        return ss_error_set(err, SS_VALUE, "start= is after as_of=");
    }
    int32_t unused;
    if (span->period != NULL &&
        !ss_period_start(span->period, span->n_period, 0, &unused)) {
        return ss_period_error(span->period, span->n_period, err);
    }
    return SS_OK;
}

ss_status
ss_span_window(const ss_span *span, const ss_table_desc *table, const ss_days *stored,
               ss_days *window, int32_t *known, bool *empty, ss_error *err)
{
    SS_TRY(check_span(span, err));
    bool has_end = span->has_end || span->has_as_of || stored != NULL;
    bool has_start = span->has_start || span->period != NULL || stored != NULL;
    *empty = !has_end || !has_start;
    if (*empty) {
        return SS_OK;
    }
    ss_days days;
    days.end = span->has_end ? span->end : span->has_as_of ? span->as_of : stored->end;
    if (span->period != NULL) {
        if (!ss_period_start(span->period, span->n_period, days.end, &days.start)) {
            days.start = SS_DAY_MIN;
        }
    }
    else {
        days.start = span->has_start ? span->start : stored->start;
    }
    /* Only a start after the newest, or an end before the oldest stored day is left. */
    *empty = days.start > days.end;
    *window = days;
    *known = span->has_as_of  ? span->as_of
             : stored != NULL ? ss_bucket_of((ss_every)table->step, stored->end).end
                              : SS_DAY_MIN;
    return SS_OK;
}

/* ---- reading ---- */

/* What is read: columns of the table, each once, and where the measures find theirs. */
typedef struct {
    int16_t columns[SS_MAX_COLUMNS];
    int n;
    int by[SS_MAX_COLUMNS];
    ss_measure measures[SS_MAX_COLUMNS + 1];
} read_plan;

static int16_t
want(read_plan *plan, int16_t column)
{
    if (column < 0) {
        return -1;
    }
    for (int i = 0; i < plan->n; i++) {
        if (plan->columns[i] == column) {
            return (int16_t)i;
        }
    }
    plan->columns[plan->n] = column;
    return (int16_t)plan->n++;
}

static void
make_plan(const ss_figures *f, read_plan *plan)
{
    const ss_table_desc *table = &ss_tables[f->table];
    plan->n = 0;
    want(plan, table->time_column < 0 ? 0 : table->time_column);
    for (int i = 0; i < f->n_by; i++) {
        plan->by[i] = want(plan, f->by[i]);
    }
    for (int i = 0; i < f->n_measures; i++) {
        ss_measure m = f->measures[i];
        m.column = want(plan, m.column);
        m.a = want(plan, m.a);
        m.b = want(plan, m.b);
        m.apart = want(plan, m.apart);
        plan->measures[i] = m;
    }
}

/* Bounds of time as the column has them; nulls where there are none. */
typedef struct {
    ss_value start, end;
} bounds;

static bounds
bounds_of(const ss_figures *f)
{
    const ss_days w = f->window;
    bounds b = {{.tag = SS_VALUE_NULL}, {.tag = SS_VALUE_NULL}};
    if (f->all || ss_tables[f->table].time_column < 0) {
        return b;
    }
    if (f->midnights == NULL) {
        b.start = (ss_value){.tag = SS_VALUE_DATE, .as.i = w.start};
        b.end = (ss_value){.tag = SS_VALUE_DATE, .as.i = w.end};
        return b;
    }
    int64_t n_days = (int64_t)w.end - w.start + 1;
    b.start = (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = f->midnights[0]};
    b.end = (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = f->midnights[n_days] - 1};
    return b;
}

/* New reference in *out. */
static ss_status
read_rows(ss_db *db, const ss_call *call, const ss_figures *f, const read_plan *plan,
          const bounds *b, ss_batch **out, ss_error *err)
{
    ss_request request = ss_request_for(f->table, false);
    request.columns = plan->columns;
    request.n_columns = plan->n;
    request.filters = f->filters;
    request.n_filters = f->n_filters;
    request.start = b->start;
    request.end = b->end;
    request.any_order = true;
    request.strict = f->strict;
    return ss_db_read(db, call, &request, out, err);
}

/* The groups of a window's rows, of which they borrow. */
static ss_status
group_rows(const ss_figures *f, const read_plan *plan, bool whole, ss_every every,
           const ss_batch *rows, ss_aggregate **groups, ss_error *err)
{
    ss_aggregate_request group = {
        .rows = rows,
        .time = ss_tables[f->table].time_column >= 0 ? 0 : -1,
        .by = plan->by,
        .n_by = f->n_by,
        .measures = plan->measures,
        .n_measures = f->n_measures,
        .window = f->window,
        .whole = whole,
        .add_up = f->add_up,
        .every = every,
        .midnights = f->midnights,
    };
    return ss_aggregate_new(&group, groups, err);
}

/* The groups of a window. *rows is what they borrow from; new reference. */
static ss_status
read_groups(ss_db *db, const ss_call *call, const ss_figures *f, bool whole,
            ss_every every, ss_batch **rows, ss_aggregate **groups, ss_error *err)
{
    read_plan plan;
    ss_batch *batch = NULL;
    const bounds b = bounds_of(f);
    make_plan(f, &plan);
    SS_TRY(read_rows(db, call, f, &plan, &b, &batch, err));
    ss_status status = group_rows(f, &plan, whole, every, batch, groups, err);
    if (status != SS_OK) {
        ss_batch_release(batch);
        return status;
    }
    *rows = batch;
    return SS_OK;
}

/* The end of an answer: takes the finished rows, says what state they show. */
static void
finish(ss_db *db, const ss_figures *f, ss_batch *batch, ss_batch **out)
{
    ss_batch_finish(batch);
    if (f->stamp != NULL) {
        ss_db_still(db, f->stamp);
    }
    *out = batch;
}

static const char *
measure_name(const ss_figures *f, int i)
{
    const ss_measure *m = &f->measures[i];
    return m->rule == SS_RULE_ROWS ? SS_MEASURE_ROWS
                                   : ss_tables[f->table].columns[m->column].name;
}

/* ---- rows of an answer ---- */

/* The columns of an answer, in order. */
typedef struct {
    const char *names[2 * SS_MAX_COLUMNS + 8];
    uint8_t kinds[2 * SS_MAX_COLUMNS + 8];
    int n;
} header;

static void
head(header *h, const char *name, ss_kind kind)
{
    h->names[h->n] = name;
    h->kinds[h->n++] = (uint8_t)kind;
}

static void
head_by(header *h, const ss_figures *f)
{
    for (int i = 0; i < f->n_by; i++) {
        const ss_column_desc *column = &ss_tables[f->table].columns[f->by[i]];
        head(h, column->name, (ss_kind)column->kind);
    }
}

/* What a measure yields, also when nothing was read. */
static ss_kind
measure_kind(const ss_figures *f, int i)
{
    const ss_measure *m = &f->measures[i];
    bool exact = m->rule == SS_RULE_SUM || m->rule == SS_RULE_LAST;
    if (m->rule == SS_RULE_ROWS) {
        return SS_KIND_INT;
    }
    return exact ? (ss_kind)ss_tables[f->table].columns[m->column].kind : SS_KIND_REAL;
}

static ss_status
new_answer(const header *h, int64_t rows, ss_batch **out, ss_error *err)
{
    return ss_batch_new_free(h->names, h->kinds, h->n, rows, out, err);
}

/* A row of an answer being written, cell by cell. */
typedef struct {
    ss_batch *batch; /* borrowed */
    int column;
    ss_status status;
} writer;

static writer
begin_row(ss_batch *batch)
{
    writer w = {batch, 0, ss_batch_row(batch)};
    return w;
}

static void
put(writer *w, const ss_value *value)
{
    if (w->status == SS_OK) {
        w->status = ss_batch_put(w->batch, w->column++, value);
    }
}

static void
put_int(writer *w, int64_t i)
{
    ss_value v = {.tag = SS_VALUE_INT, .as.i = i};
    put(w, &v);
}

static void
put_day(writer *w, int32_t day)
{
    ss_value v = {.tag = SS_VALUE_DATE, .as.i = day};
    put(w, &v);
}

static void
put_text(writer *w, const char *text)
{
    ss_value v = {.tag = SS_VALUE_NULL};
    if (text != NULL) {
        v = ss_value_text(text);
    }
    put(w, &v);
}

static void
put_real(writer *w, bool known, double x)
{
    ss_value v = {.tag = SS_VALUE_NULL};
    if (known) {
        v = (ss_value){.tag = SS_VALUE_REAL, .as.r = x};
    }
    put(w, &v);
}

/* A difference or a share: beyond the range of numbers it is not known. */
static void
put_finite(writer *w, bool known, double x)
{
    put_real(w, known && isfinite(x), x);
}

static ss_status
end_row(writer *w, ss_error *err)
{
    if (w->status != SS_OK) {
        return w->status == SS_NOMEM
                   ? ss_error_nomem(err)
                   : ss_error_set(err, SS_INTERNAL, "a figure of the wrong kind");
    }
    ss_batch_row_done(w->batch);
    return SS_OK;
}

/* ---- series ---- */

/* The figure of a bucket after filling. `last`: of each group and measure, the latest
 * known one, or NULL when nothing is carried on. */
static void
filled(const ss_series *s, const ss_aggregate *g, int64_t bucket, int64_t group, int i,
       ss_value *last, ss_value *out)
{
    ss_aggregate_value(g, bucket, group, i, out);
    if (s->fill == SS_FILL_ZERO && out->tag == SS_VALUE_NULL) {
        *out = (ss_value){.tag = SS_VALUE_INT};
        if (measure_kind(&s->figures, i) == SS_KIND_REAL) {
            *out = (ss_value){.tag = SS_VALUE_REAL};
        }
    }
    if (last != NULL) {
        ss_value *kept = &last[group * s->figures.n_measures + i];
        if (out->tag == SS_VALUE_NULL) {
            *out = *kept;
        }
        *kept = *out;
    }
}

static ss_status
write_series(const ss_series *s, const ss_aggregate *g, ss_value *last, ss_batch *batch,
             ss_error *err)
{
    const ss_figures *f = &s->figures;
    for (int64_t bucket = 0; bucket < ss_aggregate_n_buckets(g); bucket++) {
        bool whole;
        ss_days days = ss_aggregate_bucket(g, bucket, &whole);
        for (int64_t group = 0; group < ss_aggregate_n_groups(g); group++) {
            writer w = begin_row(batch);
            ss_value v;
            put_day(&w, days.start);
            put_day(&w, days.end);
            put_int(&w, whole && days.end <= s->known);
            for (int i = 0; i < f->n_by; i++) {
                ss_aggregate_key(g, group, i, &v);
                put(&w, &v);
            }
            for (int i = 0; i < f->n_measures; i++) {
                filled(s, g, bucket, group, i, last, &v);
                put(&w, &v);
            }
            SS_TRY(end_row(&w, err));
        }
    }
    return SS_OK;
}

static ss_status
fill_series(ss_db *db, const ss_call *call, const ss_series *s, ss_batch *batch,
            ss_error *err)
{
    ss_batch *rows = NULL;
    ss_aggregate *g = NULL;
    ss_value *last = NULL;
    const ss_figures *f = &s->figures;
    SS_TRY(read_groups(db, call, f, s->whole, s->every, &rows, &g, err));
    ss_status status = SS_OK;
    if (s->fill == SS_FILL_PREVIOUS) {
        /* Zeroes are nulls: SS_VALUE_NULL is the first tag. */
        last = ss_calloc((size_t)ss_aggregate_n_groups(g) + 1,
                         (size_t)(f->n_measures + 1) * sizeof(*last));
        status = last != NULL ? SS_OK : ss_error_nomem(err);
    }
    if (status == SS_OK) {
        status = write_series(s, g, last, batch, err);
    }
    ss_free(last);
    ss_aggregate_free(g);
    ss_batch_release(rows);
    return status;
}

static ss_status
check_fill(const ss_series *s, ss_error *err)
{
    const ss_figures *f = &s->figures;
    for (int i = 0; s->fill == SS_FILL_ZERO && i < f->n_measures; i++) {
        ss_rule rule = f->measures[i].rule;
        if (rule != SS_RULE_SUM && rule != SS_RULE_ROWS) {
            return ss_error_set(
                err, SS_VALUE,
                "fill=0 would say that %s was 0, but it is a %s: leave it unknown "
                "(fill=None) or carry it on (fill=\"previous\")",
                measure_name(f, i), rule == SS_RULE_LAST ? "stock" : "rate or a mean");
        }
    }
    return SS_OK;
}

ss_status
ss_db_series(ss_db *db, const ss_call *call, const ss_series *s, ss_batch **out,
             ss_error *err)
{
    header h = {.n = 0};
    ss_batch *batch = NULL;
    SS_TRY(check_fill(s, err));
    head(&h, "start", SS_KIND_DATE);
    head(&h, "end", SS_KIND_DATE);
    head(&h, "complete", SS_KIND_INT);
    head_by(&h, &s->figures);
    for (int i = 0; i < s->figures.n_measures; i++) {
        head(&h, measure_name(&s->figures, i), measure_kind(&s->figures, i));
    }
    SS_TRY(new_answer(&h, 64, &batch, err));
    if (!s->figures.empty) {
        ss_status status = fill_series(db, call, s, batch, err);
        if (status != SS_OK) {
            ss_batch_release(batch);
            return status;
        }
    }
    finish(db, &s->figures, batch, out);
    return SS_OK;
}

/* ---- comparisons ---- */

static bool
as_real(const ss_value *v, double *out)
{
    *out = v->tag == SS_VALUE_INT ? (double)v->as.i : v->as.r;
    return v->tag != SS_VALUE_NULL;
}

/* The units in which a difference is said in points of a hundred. */
static double
points_of(const char *unit)
{
    return strcmp(unit, "percent") == 0 ? 1 : strcmp(unit, "fraction") == 0 ? 100 : 0;
}

static const char *
verdict_of(const char *better, double delta)
{
    if (better[0] == '\0') {
        return NULL;
    }
    if (delta == 0) {
        return "same";
    }
    return (strcmp(better, "higher") == 0) == (delta > 0) ? "better" : "worse";
}

static void
put_change(writer *w, const ss_column_desc *desc, const ss_value *value,
           const ss_value *previous)
{
    const char *unit = desc != NULL ? desc->unit : "count";
    const char *better = desc != NULL ? desc->better : "";
    double now, before;
    bool has_now = as_real(value, &now), has_before = as_real(previous, &before);
    bool both = has_now && has_before && !(isinf(now) && isinf(before));
    double points = points_of(unit);
    double delta = both ? (now - before) * (points > 0 ? points : 1) : 0;
    put_real(w, has_now, now);
    put_real(w, has_before, before);
    put_finite(w, both, delta);
    put_finite(w, both && points == 0 && before != 0,
               both ? 100 * delta / (before < 0 ? -before : before) : 0);
    put_text(w, unit[0] != '\0' ? unit : NULL);
    put_text(w, points > 0 ? "points" : unit[0] != '\0' ? unit : NULL);
    put_text(w, !both ? NULL : delta > 0 ? "up" : delta < 0 ? "down" : "flat");
    put_text(w, both ? verdict_of(better, delta) : NULL);
}

static ss_status
write_comparison(const ss_comparison *c, const ss_aggregate *now,
                 const ss_aggregate *before, ss_batch *batch, ss_error *err)
{
    const ss_figures *f = &c->figures;
    for (int i = 0; i < f->n_measures; i++) {
        int16_t column = f->measures[i].column;
        int64_t days = ss_aggregate_days(now, i),
                previous_days = ss_aggregate_days(before, i);
        if (days < 0 || previous_days < 0) {
            return ss_error_nomem(err);
        }
        writer w = begin_row(batch);
        ss_value value, previous;
        ss_aggregate_value(now, 0, 0, i, &value);
        ss_aggregate_value(before, 0, 0, i, &previous);
        put_text(&w, measure_name(f, i));
        put_change(&w, column < 0 ? NULL : &ss_tables[f->table].columns[column], &value,
                   &previous);
        put_day(&w, f->window.start);
        put_day(&w, f->window.end);
        put_day(&w, c->against.start);
        put_day(&w, c->against.end);
        put_int(&w, days);
        put_int(&w, previous_days);
        SS_TRY(end_row(&w, err));
    }
    return SS_OK;
}

/* Nothing is stored, so nothing is known but what was asked for. */
static ss_status
write_unknown(const ss_comparison *c, int n_columns, ss_batch *batch, ss_error *err)
{
    for (int i = 0; i < c->figures.n_measures; i++) {
        writer w = begin_row(batch);
        put_text(&w, measure_name(&c->figures, i));
        for (int k = 1; k < n_columns; k++) {
            put_text(&w, NULL);
        }
        SS_TRY(end_row(&w, err));
    }
    return SS_OK;
}

/* The figures that the others are compared with. */
static ss_figures
figures_before(const ss_comparison *c)
{
    ss_figures before = c->figures;
    before.window = c->against;
    before.midnights = c->against_midnights;
    before.all = false;
    return before;
}

/* Rows of both windows, which may be the same, and may hold others beside. */
static ss_status
compare_rows(const ss_comparison *c, const read_plan *plan, const ss_batch *rows,
             const ss_batch *old_rows, ss_batch *batch, ss_error *err)
{
    const ss_figures old = figures_before(c);
    ss_aggregate *now = NULL, *before = NULL;
    ss_status status =
        group_rows(&c->figures, plan, true, SS_EVERY_DAY, rows, &now, err);
    if (status == SS_OK) {
        status = group_rows(&old, plan, true, SS_EVERY_DAY, old_rows, &before, err);
    }
    if (status == SS_OK) {
        status = write_comparison(c, now, before, batch, err);
    }
    ss_aggregate_free(now);
    ss_aggregate_free(before);
    return status;
}

/* No day lies between the windows, so that one read has the rows of both. */
static bool
windows_touch(const ss_comparison *c)
{
    const ss_days a = c->figures.window, b = c->against;
    return a.start <= (int64_t)b.end + 1 && b.start <= (int64_t)a.end + 1;
}

static ss_status
compare_by_one_read(ss_db *db, const ss_call *call, const ss_comparison *c,
                    ss_batch *batch, ss_error *err)
{
    const ss_figures old = figures_before(c);
    const bounds now = bounds_of(&c->figures), before = bounds_of(&old);
    bounds both = now;
    read_plan plan;
    ss_batch *rows = NULL;
    if (!c->figures.all) {
        both.start = before.start.as.i < now.start.as.i ? before.start : now.start;
        both.end = before.end.as.i > now.end.as.i ? before.end : now.end;
    }
    make_plan(&c->figures, &plan);
    SS_TRY(read_rows(db, call, &c->figures, &plan, &both, &rows, err));
    ss_status status = compare_rows(c, &plan, rows, rows, batch, err);
    ss_batch_release(rows);
    return status;
}

static ss_status
compare_by_two_reads(ss_db *db, const ss_call *call, const ss_comparison *c,
                     ss_batch *batch, ss_error *err)
{
    const ss_figures old = figures_before(c);
    const bounds now = bounds_of(&c->figures), before = bounds_of(&old);
    read_plan plan;
    ss_batch *rows = NULL, *old_rows = NULL;
    make_plan(&c->figures, &plan);
    SS_TRY(read_rows(db, call, &c->figures, &plan, &now, &rows, err));
    ss_status status = read_rows(db, call, &old, &plan, &before, &old_rows, err);
    if (status == SS_OK) {
        status = compare_rows(c, &plan, rows, old_rows, batch, err);
        ss_batch_release(old_rows);
    }
    ss_batch_release(rows);
    return status;
}

/* Two reads must see one state: they are made in a snapshot, unless this thread is in a
 * block already. */
static ss_status
compare_in_one_state(ss_db *db, const ss_call *call, const ss_comparison *c,
                     ss_batch *batch, ss_error *err)
{
    uint64_t thread = 0;
    ss_error ignored;
    if (windows_touch(c)) {
        return compare_by_one_read(db, call, c, batch, err);
    }
    if (ss_db_is_bound(db)) {
        return compare_by_two_reads(db, call, c, batch, err);
    }
    SS_TRY(ss_db_snapshot_begin(db, call, &thread, err));
    ss_status status = compare_by_two_reads(db, call, c, batch, err);
    ss_error_init(&ignored);
    ss_status end = ss_db_snapshot_end(db, thread, status == SS_OK ? err : &ignored);
    return status == SS_OK ? end : status;
}

ss_status
ss_db_compare(ss_db *db, const ss_call *call, const ss_comparison *c, ss_batch **out,
              ss_error *err)
{
    static const struct {
        const char *name;
        ss_kind kind;
    } columns[] = {
        {"measure", SS_KIND_TEXT},      {"value", SS_KIND_REAL},
        {"previous", SS_KIND_REAL},     {"delta", SS_KIND_REAL},
        {"percent", SS_KIND_REAL},      {"unit", SS_KIND_TEXT},
        {"delta_unit", SS_KIND_TEXT},   {"trend", SS_KIND_TEXT},
        {"verdict", SS_KIND_TEXT},      {"start", SS_KIND_DATE},
        {"end", SS_KIND_DATE},          {"previous_start", SS_KIND_DATE},
        {"previous_end", SS_KIND_DATE}, {"days", SS_KIND_INT},
        {"previous_days", SS_KIND_INT},
    };
    header h = {.n = 0};
    ss_batch *batch = NULL;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        head(&h, columns[i].name, columns[i].kind);
    }
    SS_TRY(new_answer(&h, c->figures.n_measures, &batch, err));
    ss_status status = c->figures.empty ? write_unknown(c, h.n, batch, err)
                                        : compare_in_one_state(db, call, c, batch, err);
    if (status != SS_OK) {
        ss_batch_release(batch);
        return status;
    }
    finish(db, &c->figures, batch, out);
    return SS_OK;
}

/* ---- rankings ---- */

typedef struct {
    int64_t group;
    double value;
} ranked;

/* Largest first; equal ones in the order of their cells. */
static int
by_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value) {
        return x->value < y->value ? 1 : -1;
    }
    return (x->group > y->group) - (x->group < y->group);
}

/* The groups that have a figure, sorted; new. *total: the whole, or 0 when shares of it
 * mean nothing (a part is negative). */
static ss_status
sort_ranked(const ss_aggregate *g, ranked **out, int64_t *n, double *total,
            ss_error *err)
{
    ranked *items = ss_calloc((size_t)ss_aggregate_n_groups(g) + 1, sizeof(*items));
    bool negative = false;
    if (items == NULL) {
        return ss_error_nomem(err);
    }
    *n = 0;
    *total = 0;
    for (int64_t group = 0; group < ss_aggregate_n_groups(g); group++) {
        ss_value v;
        double x;
        ss_aggregate_value(g, 0, group, 0, &v);
        if (as_real(&v, &x)) {
            items[(*n)++] = (ranked){group, x};
            *total += x;
            negative = negative || x < 0;
        }
    }
    *total = negative ? 0 : *total;
    qsort(items, (size_t)*n, sizeof(*items), by_value);
    *out = items;
    return SS_OK;
}

static ss_status
write_ranking(const ss_ranking *r, const ss_aggregate *g, ss_batch *batch,
              ss_error *err)
{
    const ss_figures *f = &r->figures;
    bool timed = ss_tables[f->table].time_column >= 0;
    ranked *items = NULL;
    int64_t n = 0;
    double total = 0;
    SS_TRY(sort_ranked(g, &items, &n, &total, err));
    ss_status status = SS_OK;
    for (int64_t k = 0; status == SS_OK && k < n && (r->limit < 0 || k < r->limit);
         k++) {
        writer w = begin_row(batch);
        ss_value v;
        for (int i = 0; i < f->n_by; i++) {
            ss_aggregate_key(g, items[k].group, i, &v);
            put(&w, &v);
        }
        ss_aggregate_value(g, 0, items[k].group, 0, &v);
        put(&w, &v);
        if (r->shares) {
            put_finite(&w, total > 0, total > 0 ? 100 * items[k].value / total : 0);
        }
        if (timed) {
            put_day(&w, f->window.start);
            put_day(&w, f->window.end);
        }
        status = end_row(&w, err);
    }
    ss_free(items);
    return status;
}

static ss_status
fill_ranking(ss_db *db, const ss_call *call, const ss_ranking *r, ss_batch *batch,
             ss_error *err)
{
    ss_batch *rows = NULL;
    ss_aggregate *g = NULL;
    ss_figures figures = r->figures;
    figures.add_up = r->shares;
    SS_TRY(read_groups(db, call, &figures, true, SS_EVERY_DAY, &rows, &g, err));
    ss_status status = write_ranking(r, g, batch, err);
    ss_aggregate_free(g);
    ss_batch_release(rows);
    return status;
}

static ss_status
check_shares(const ss_ranking *r, ss_error *err)
{
    const ss_figures *f = &r->figures;
    if (r->shares && !ss_measure_is_additive(&f->measures[0])) {
        return ss_error_set(err, SS_VALUE,
                            "breakdown(): %s is a rate or a mean; parts of it make no "
                            "whole, so they have no shares",
                            measure_name(f, 0));
    }
    return SS_OK;
}

ss_status
ss_db_rank(ss_db *db, const ss_call *call, const ss_ranking *r, ss_batch **out,
           ss_error *err)
{
    const ss_figures *f = &r->figures;
    header h = {.n = 0};
    ss_batch *batch = NULL;
    SS_TRY(check_shares(r, err));
    head_by(&h, f);
    head(&h, measure_name(f, 0), measure_kind(f, 0));
    if (r->shares) {
        head(&h, "share", SS_KIND_REAL);
    }
    if (ss_tables[f->table].time_column >= 0) {
        head(&h, "start", SS_KIND_DATE);
        head(&h, "end", SS_KIND_DATE);
    }
    SS_TRY(new_answer(&h, 64, &batch, err));
    if (!f->empty) {
        ss_status status = fill_ranking(db, call, r, batch, err);
        if (status != SS_OK) {
            ss_batch_release(batch);
            return status;
        }
    }
    finish(db, f, batch, out);
    return SS_OK;
}
