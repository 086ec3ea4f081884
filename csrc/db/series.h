/* db/series: figures over time: series, comparisons, rankings and shares.
 *
 * A window is resolved in steps, because a day of another zone begins where only the
 * caller can say: ss_db_extent finds what is stored, ss_span_window makes the window
 * of days of it, and the request then carries that window (and its midnights).
 * The rows of the window are read by SQL of catalog/sql and grouped by columns/aggregate.
 */
#ifndef SS_DB_SERIES_H
#define SS_DB_SERIES_H

#include "columns/aggregate.h"
#include "db/read.h"

/* The oldest and newest stored time of a table: DATE or TIMESTAMP, NULL when it has no
 * row with one. */
typedef struct {
    ss_value oldest, newest;
} ss_extent;

/* `stamp` (may be NULL): the state in which it began to look. */
ss_status ss_db_extent(ss_db *db, const ss_call *call, int table, ss_stamp *stamp,
                       ss_extent *out, ss_error *err) SS_MUST_CHECK;

/* What was asked of the time: days; `period` counts back from as_of. */
typedef struct {
    bool has_start, has_end, has_as_of;
    int32_t start, end, as_of;
    const char *period; /* borrowed, or NULL */
    size_t n_period;
} ss_span;

/* The window, and up to which day the data is known: as_of, by default the newest stored
 * day (of a table whose rows count for a month, the end of that month). `stored`: the
 * oldest and newest stored day, NULL for an empty table. *empty: nothing is stored and
 * nothing was said from which a window follows. SS_VALUE, SS_TYPE. */
ss_status ss_span_window(const ss_span *span, const ss_table_desc *table,
                         const ss_days *stored, ss_days *window, int32_t *known,
                         bool *empty, ss_error *err) SS_MUST_CHECK;

typedef enum { SS_FILL_NONE, SS_FILL_ZERO, SS_FILL_PREVIOUS } ss_fill;

typedef struct {
    int table;
    const ss_measure *measures; /* columns of the table */
    int n_measures;
    const int16_t *by; /* columns of the table */
    int n_by;
    const ss_filter *filters;
    int n_filters;
    bool empty;  /* no window: the answer has no rows */
    bool all;    /* the window holds every stored row: no need to look */
    bool add_up; /* as in columns/aggregate; ss_db_rank sets it for shares */
    ss_days window;
    const int64_t *midnights; /* as in columns/aggregate, or NULL */
    bool strict;
    ss_stamp *stamp; /* of ss_db_extent: after the answer, is that still the state? */
} ss_figures;

/* Rows of start, end, complete (1 or 0), the grouping columns and one column for each
 * measure, by bucket, then group. `complete`: all of the bucket lies in the window and
 * not after `known`. With a group that appears anywhere in the window, every bucket has
 * a row. */
typedef struct {
    ss_figures figures;
    ss_every every;
    bool whole; /* one bucket, the window, instead of `every` */
    ss_fill fill;
    int32_t known;
} ss_series;

ss_status ss_db_series(ss_db *db, const ss_call *call, const ss_series *series,
                       ss_batch **out, ss_error *err) SS_MUST_CHECK;

/* One row for each measure:
 * measure, value, previous, delta, percent, unit, delta_unit, trend, verdict,
 * start, end, previous_start, previous_end, days, previous_days.
 * Both windows are read from one state. */
typedef struct {
    ss_figures figures;
    ss_days against;
    const int64_t *against_midnights;
} ss_comparison;

ss_status ss_db_compare(ss_db *db, const ss_call *call, const ss_comparison *comparison,
                        ss_batch **out, ss_error *err) SS_MUST_CHECK;

/* The groups by their one measure, largest first: the grouping columns, the measure,
 * with `shares` share (percent of the whole), start, end. */
typedef struct {
    ss_figures figures;
    int64_t limit; /* negative: all */
    bool shares;
} ss_ranking;

ss_status ss_db_rank(ss_db *db, const ss_call *call, const ss_ranking *ranking,
                     ss_batch **out, ss_error *err) SS_MUST_CHECK;

#endif
