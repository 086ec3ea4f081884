/* base/moment: days and instants.  A day is a count of days since 1970-01-01 in the
 * proleptic Gregorian calendar; an instant is microseconds since the epoch in UTC.
 * Both are limited to the years 1 to 9999, as Python's datetime is.
 *
 * Stored text takes these forms (all are read; the first of each kind is written):
 *   day      2025-10-28
 *   instant  2025-10-28 05:42:44            fraction of a second absent when zero
 *            2025-10-28 11:12:44.398531     else six digits
 *            2025-10-28T12:02:06.516003, 2025-10-31T07:19:00, 2025-10-28T05:42
 *            any of them followed by Z, +05:30, +0530 or +05; without: UTC
 */
#ifndef SS_BASE_MOMENT_H
#define SS_BASE_MOMENT_H

#include "base/status.h"

#define SS_US_PER_DAY INT64_C(86400000000)
#define SS_DAY_MIN (-719162) /* 0001-01-01 */
#define SS_DAY_MAX 2932896   /* 9999-12-31 */

typedef struct {
    int year, month, day; /* month 1..12, day 1..31 */
} ss_civil;

int32_t ss_day_from_civil(int year, int month, int day); /* a valid date */
ss_civil ss_civil_from_day(int32_t day);
int ss_days_in_month(int year, int month);
bool ss_civil_valid(int year, int month, int day);

/* The day named by a day form, or the (UTC) day of an instant form. False: neither. */
bool ss_day_parse(const char *s, size_t n, int32_t *out);
/* A day form counts as its midnight. Digits past the sixth of a fraction are cut. */
bool ss_instant_parse(const char *s, size_t n, int64_t *out);

/* The same for one of many instants in a row: neighbours mostly share their day, whose
 * arithmetic is most of the work. Starts as zeroes. */
typedef struct {
    char text[10]; /* of the day read last */
    bool known;
    int32_t day;
} ss_day_memo;
bool ss_instant_parse_next(const char *s, size_t n, ss_day_memo *memo, int64_t *out);

/* Write the canonical text; return its length (without the closing NUL). */
enum { SS_DAY_TEXT = 11, SS_INSTANT_TEXT = 27 }; /* sizes including the NUL */
size_t ss_day_format(int32_t day, char out[SS_DAY_TEXT]);
size_t ss_instant_format(int64_t us, char out[SS_INSTANT_TEXT]);

/* The same for many in a row, as in reading: the day written last is copied. Starts as
 * zeroes. `between` stands between day and clock; no NUL is written; returns the end. */
typedef struct {
    char text[10];
    bool known;
    int32_t day;
} ss_day_text;
char *ss_day_put(int32_t day, ss_day_text *memo, char *to);
char *ss_instant_put(int64_t us, char between, ss_day_text *memo, char *to);

/* The day an instant falls on (floor, also before 1970). */
static inline int32_t
ss_day_of_instant(int64_t us)
{
    int64_t day = us / SS_US_PER_DAY;
    return (int32_t)(us % SS_US_PER_DAY < 0 ? day - 1 : day);
}

#endif
