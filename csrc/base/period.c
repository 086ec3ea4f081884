/* base/period: arithmetic on days; pure functions, any thread. */
#include "base/period.h"

#include "base/moment.h"

#include <string.h> // memchr(), memcmp(), strspn()

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The day `months` before `day`, on the same day of the month or the last there is; with
 * `ends`, the end of a month stays one. */
static bool
months_before(int32_t day, int64_t months, bool ends, int64_t *out)
{
    ss_civil c = ss_civil_from_day(day);
    int64_t month = (int64_t)c.year * 12 + (c.month - 1) - months;

    if (month < 0) {
        return false;
    }
    int y = (int)(month / 12), m = (int)(month % 12) + 1;
    int last = ss_days_in_month(y, m);
    bool whole = ends && c.day == ss_days_in_month(c.year, c.month);
    *out = ss_day_from_civil(y, m, c.day < last && !whole ? c.day : last);
    return true;
}

/* ---- windows ---- */

/* Months from the begin of a month, quarter or year to the next; 0: no such word. */
static int
months_to_date(const char *period, size_t n)
{
    if (n != 3 || memcmp(period + 1, "td", 2) != 0) {
        return 0;
    }
    return period[0] == 'm' ? 1 : period[0] == 'q' ? 3 : period[0] == 'y' ? 12 : 0;
}

static int32_t
begin_of_months(int32_t day, int months)
{
    ss_civil c = ss_civil_from_day(day);
    return ss_day_from_civil(c.year, c.month - (c.month - 1) % months, 1);
}

bool
ss_period_start(const char *period, size_t n, int32_t as_of, int32_t *out)
{
    int64_t count = 0, before;

    /* Nine digits cannot overflow, and reach past the calendar in any unit but days
     * with leading zeros, which nobody writes. */
    if (n < 2 || n > 10 || as_of < SS_DAY_MIN || as_of > SS_DAY_MAX) {
        return false;
    }
    int months = months_to_date(period, n);
    if (months > 0) {
        *out = begin_of_months(as_of, months);
        return true;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (!is_digit(period[i])) {
            return false;
        }
        count = count * 10 + (period[i] - '0');
    }
    if (count == 0) {
        return false;
    }
    switch (period[n - 1]) {
    case 'd':
        before = as_of - count;
        break;
    case 'w':
        before = as_of - count * 7;
        break;
    case 'm':
    case 'y':
        count *= period[n - 1] == 'y' ? 12 : 1;
        if (!months_before(as_of, count, true, &before)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (before + 1 < SS_DAY_MIN) {
        return false;
    }
    *out = (int32_t)(before + 1);
    return true;
}

/* A count and a unit, of more than the calendar has. */
static bool
is_too_long(const char *period, size_t n)
{
    size_t digits = 0;

    while (digits < n && is_digit(period[digits])) {
        digits++;
    }
    return digits > 0 && digits + 1 == n && memchr("dwmy", period[digits], 4) != NULL &&
           strspn(period, "0") < digits;
}

ss_status
ss_period_error(const char *period, size_t n, ss_error *err)
{
    if (is_too_long(period, n)) {
        return ss_error_set(err, SS_VALUE,
                            "period: \"%.*s\" would begin before the year 1",
                            (int)(n < 40 ? n : 40), period);
    }
    return ss_error_set(err, SS_VALUE,
                        "period: expected a number followed by d, w, m or y, such as "
                        "\"7d\", \"12w\", \"6m\" or \"1y\", or one of \"mtd\", \"qtd\" "
                        "and \"ytd\", got \"%.*s\"",
                        (int)(n < 40 ? n : 40), period);
}

/* ---- buckets ---- */

static int32_t
at_most_the_last(int64_t day)
{
    return day > SS_DAY_MAX ? SS_DAY_MAX : (int32_t)day;
}

/* The last day of the `months` that begin at `start`, a first of a month. */
static int32_t
end_of_months(int32_t start, int months)
{
    ss_civil c = ss_civil_from_day(start);
    int month = c.month + months;
    int year = c.year + (month - 1) / 12;

    if (year > 9999) {
        return SS_DAY_MAX;
    }
    return ss_day_from_civil(year, (month - 1) % 12 + 1, 1) - 1;
}

ss_days
ss_bucket_of(ss_every every, int32_t day)
{
    ss_days days = {day, day};
    int months = every == SS_EVERY_MONTH ? 1 : every == SS_EVERY_QUARTER ? 3 : 12;

    switch (every) {
    case SS_EVERY_DAY:
        break;
    case SS_EVERY_WEEK: {
        /* 1970-01-01 was a Thursday, three days after a Monday. */
        int32_t since_monday = ((day + 3) % 7 + 7) % 7;
        days.start = day - since_monday < SS_DAY_MIN ? SS_DAY_MIN : day - since_monday;
        days.end = at_most_the_last((int64_t)day - since_monday + 6);
        break;
    }
    case SS_EVERY_MONTH:
    case SS_EVERY_QUARTER:
    case SS_EVERY_YEAR:
        days.start = begin_of_months(day, months);
        days.end = end_of_months(days.start, months);
        break;
    }
    return days;
}

/* ---- what to compare with ---- */

static bool
is_whole_months(ss_days days)
{
    ss_civil last = ss_civil_from_day(days.end);
    return ss_civil_from_day(days.start).day == 1 &&
           last.day == ss_days_in_month(last.year, last.month);
}

static int64_t
months_of(ss_days days)
{
    ss_civil a = ss_civil_from_day(days.start), b = ss_civil_from_day(days.end);
    return (int64_t)(b.year - a.year) * 12 + b.month - a.month + 1;
}

/* Both ends `months` earlier; whole months stay whole. */
static bool
shift_months(ss_days days, int64_t months, ss_days *out)
{
    int64_t start, end;

    if (!months_before(days.start, months, false, &start) || start < SS_DAY_MIN ||
        !months_before(days.end, months, is_whole_months(days), &end)) {
        return false;
    }
    *out = (ss_days){(int32_t)start, (int32_t)end};
    return true;
}

bool
ss_days_before(ss_days days, const char *period, size_t n, ss_days *out)
{
    int to_date = period != NULL ? months_to_date(period, n) : 0;
    bool counted = period != NULL && to_date == 0;
    int64_t length = (int64_t)days.end - days.start + 1;

    if (to_date > 0) {
        return shift_months(days, to_date, out);
    }
    if (!counted && is_whole_months(days)) {
        return shift_months(days, months_of(days), out);
    }
    if (days.start == SS_DAY_MIN) {
        return false;
    }
    ss_days before = {0, days.start - 1};
    if (counted) {
        if (!ss_period_start(period, n, before.end, &before.start)) {
            return false;
        }
    }
    else {
        if (days.start - length < SS_DAY_MIN) {
            return false;
        }
        before.start = (int32_t)(days.start - length);
    }
    *out = before;
    return true;
}

bool
ss_days_year_before(ss_days days, ss_days *out)
{
    return shift_months(days, 12, out);
}
