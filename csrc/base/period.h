/* base/period: stretches of days: windows such as "30d", the buckets of a calendar, and
 * the stretch that one is compared with.
 *
 * Days as in base/moment. Weeks are those of ISO 8601 (Monday to Sunday); months,
 * quarters and years have the lengths that the calendar gives them.
 */
#ifndef SS_BASE_PERIOD_H
#define SS_BASE_PERIOD_H

#include "base/error.h"

/* Both days belong to it. */
typedef struct {
    int32_t start, end;
} ss_days;

typedef enum {
    SS_EVERY_DAY,
    SS_EVERY_WEEK,
    SS_EVERY_MONTH,
    SS_EVERY_QUARTER,
    SS_EVERY_YEAR,
} ss_every;

/* The first day of the window that ends at `as_of` (inclusive) and is `period` long:
 * "7d" is exactly 7 days, "12w" exactly 84; months and years count by the calendar
 * (one that ends with a month begins with a month: "1m" ending on the 30th of September
 * begins on the 1st); "mtd", "qtd" and "ytd" begin
 * with the month, quarter or year of as_of. False when `period` is none of these, or
 * the window leaves the calendar. */
bool ss_period_start(const char *period, size_t n, int32_t as_of, int32_t *out);

/* SS_VALUE: what a period may be. */
ss_status ss_period_error(const char *period, size_t n, ss_error *err);

/* The bucket that `day` lies in. At the ends of the calendar it is cut. */
ss_days ss_bucket_of(ss_every every, int32_t day);

/* The stretch just before `days`, equally long: for `period` (n bytes, NULL when the
 * days were given by their ends) by that period's own measure, "30d" by 30 days, "1m" by
 * a calendar month, "mtd" by the same days of the month before. Days that are whole
 * calendar months go with as many whole months. False when it leaves the calendar. */
bool ss_days_before(ss_days days, const char *period, size_t n, ss_days *out);
/* The same days of the year before; 29 February gives way to the 28th. */
bool ss_days_year_before(ss_days days, ss_days *out);

#endif
