/* columns/aggregate: rows into figures: buckets of days, groups of equal cells, and in each
 * of them every measure aggregated by its own rule (catalog/measure).
 *
 * What is unknown stays unknown: a figure without a value behind it is null, never 0.
 * Null cells count for nothing; a weight or divisor that adds up to 0 makes null.
 * Integers are added as integers and refuse to overflow; reals are added with
 * Neumaier's compensation (ZAMM 54, 1974), so that their order does not show. Infinite
 * ones, which older files may hold, make an infinite figure or, of both signs, none.
 *
 * Built by one thread from an immutable batch, constant afterwards, without the GIL.
 */
#ifndef SS_COLUMNS_AGGREGATE_H
#define SS_COLUMNS_AGGREGATE_H

#include "base/period.h"
#include "catalog/measure.h"
#include "columns/batch.h"

typedef struct {
    const ss_batch *rows; /* borrowed for the life of the groups */
    int time;      /* its column of days or instants; -1: all rows lie in window */
    const int *by; /* copied: group by these columns; n_by 0: one group, always there */
    int n_by;
    const ss_measure *measures; /* copied; their columns are columns of `rows` */
    int n_measures;
    ss_days window; /* rows outside count for nothing */
    bool whole;     /* one bucket: the window */
    bool add_up;    /* the groups are parts of a whole, so their rows have to add up */
    ss_every every;
    /* Where each day of the window and the one after it begin, in UTC; NULL: at 00:00
     * UTC. Only for instants; a stored day is a day everywhere. */
    const int64_t *midnights;
} ss_aggregate_request;

typedef struct ss_aggregate ss_aggregate;

/* The most figures per measure: buckets times groups. */
enum { SS_AGGREGATE_MAX = 4000000 };

/* SS_VALUE when there would be more than SS_AGGREGATE_MAX, or when rows that do not add up
 * would have to; SS_DATA when a sum of integers leaves 64 bits. New. */
ss_status ss_aggregate_new(const ss_aggregate_request *request, ss_aggregate **out,
                           ss_error *err) SS_MUST_CHECK;
void ss_aggregate_free(ss_aggregate *groups); /* NULL is fine */

int64_t ss_aggregate_n_groups(
    const ss_aggregate *groups); /* in order of their cells, nulls last */
int64_t ss_aggregate_n_buckets(const ss_aggregate *groups);
/* The days of a bucket, cut to the window; *whole: nothing was cut off. */
ss_days ss_aggregate_bucket(const ss_aggregate *groups, int64_t bucket, bool *whole);
/* The cell of the `i`th grouping column; text is borrowed from the batch. */
void ss_aggregate_key(const ss_aggregate *groups, int64_t group, int i, ss_value *out);
/* SS_VALUE_INT, SS_VALUE_REAL or SS_VALUE_NULL; see ss_aggregate_kind. */
void ss_aggregate_value(const ss_aggregate *groups, int64_t bucket, int64_t group,
                        int measure, ss_value *out);
ss_kind ss_aggregate_kind(const ss_aggregate *groups, int measure);
/* On how many days of the window the measure had a value; -1 when out of memory. */
int64_t ss_aggregate_days(const ss_aggregate *groups, int measure);

#endif
