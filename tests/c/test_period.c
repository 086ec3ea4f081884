/* base/period: windows, buckets and what they are compared with. */
#include "base/period.h"

#include "base/moment.h"
#include "check.h"

#include <stdio.h>
#include <string.h>

static int32_t
day_of(const char *text)
{
    int32_t day = 0;
    if (!ss_day_parse(text, strlen(text), &day)) {
        check_fail(__FILE__, __LINE__, text);
    }
    return day;
}

/* "2025-01-01 2025-01-31" */
static void
show(ss_days days, char out[32])
{
    ss_day_format(days.start, out);
    out[10] = ' ';
    ss_day_format(days.end, out + 11);
}

static void
period(const char *text, const char *as_of, const char *want)
{
    int32_t day = 0, start = INT32_MIN;
    char got[SS_DAY_TEXT] = "none";

    day = day_of(as_of);
    if (ss_period_start(text, strlen(text), day, &start)) {
        ss_day_format(start, got);
    }
    if (strcmp(got, want) != 0) {
        char line[128];
        snprintf(line, sizeof(line), "%s until %s: %s, not %s", text, as_of, got, want);
        check_fail(__FILE__, __LINE__, line);
    }
}

static void
test_windows(void)
{
    period("1d", "2025-10-31", "2025-10-31");
    period("7d", "2025-10-31", "2025-10-25");
    period("30d", "2025-03-01", "2025-01-31");
    period("12w", "2025-10-31", "2025-08-09");
    period("1m", "2025-10-31", "2025-10-01");
    period("1m", "2025-03-31", "2025-03-01");
    period("1m", "2024-03-31", "2024-03-01");
    period("1m", "2025-01-15", "2024-12-16");
    period("6m", "2025-10-31", "2025-05-01");
    period("6m", "2025-08-31", "2025-03-01");
    period("12m", "2025-10-31", "2024-11-01");
    period("13m", "2025-01-31", "2024-01-01");
    period("1y", "2025-10-31", "2024-11-01");
    period("1y", "2024-02-29", "2023-03-01");
    period("4y", "2024-02-29", "2020-03-01");
    period("1y", "2025-02-28", "2024-03-01");
    period("1m", "2025-02-28", "2025-02-01");
    period("1m", "2024-02-28", "2024-01-29");
    period("3m", "2025-09-30", "2025-07-01");
    period("1m", "2025-09-30", "2025-09-01");
    period("1m", "2025-09-29", "2025-08-30");
    period("1m", "0001-01-31", "0001-01-01");
    period("1m", "0001-01-30", "none");
    period("1d", "0001-01-01", "0001-01-01");
    period("2d", "0001-01-01", "none");
    period("9998y", "9999-12-31", "0002-01-01");
    period("9999y", "9999-12-31", "0001-01-01");
    period("9999y", "9999-12-30", "none");
    period("999999999y", "2025-10-31", "none");
    period("999999999d", "2025-10-31", "none");
    period("99999999999999999999d", "2025-10-31", "none");
    period("mtd", "2025-10-31", "2025-10-01");
    period("mtd", "2025-10-01", "2025-10-01");
    period("qtd", "2025-06-30", "2025-04-01");
    period("qtd", "2025-12-01", "2025-10-01");
    period("ytd", "2025-12-31", "2025-01-01");
    period("ytd", "0001-05-05", "0001-01-01");
    static const char *const wrong[] = {"wtd", "MTD", "mtdx", "md",   "",     "d",
                                        "7",   "0d",  "-7d",  "+7d",  "7 d",  " 7d",
                                        "7D",  "7h",  "7dd",  "1.5m", "0x7d", "d7"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        period(wrong[i], "2025-10-31", "none");
    }
}

static void
bucket(ss_every every, const char *day, const char *want)
{
    char got[32];

    show(ss_bucket_of(every, day_of(day)), got);
    CHECK_STR(got, want);
}

static void
test_buckets(void)
{
    bucket(SS_EVERY_DAY, "2025-10-31", "2025-10-31 2025-10-31");
    bucket(SS_EVERY_WEEK, "2025-10-27", "2025-10-27 2025-11-02"); /* a Monday */
    bucket(SS_EVERY_WEEK, "2025-11-02", "2025-10-27 2025-11-02");
    bucket(SS_EVERY_WEEK, "2025-01-01", "2024-12-30 2025-01-05");
    bucket(SS_EVERY_WEEK, "1969-12-28", "1969-12-22 1969-12-28");
    bucket(SS_EVERY_WEEK, "1969-12-29", "1969-12-29 1970-01-04");
    bucket(SS_EVERY_WEEK, "0001-01-03", "0001-01-01 0001-01-07"); /* a Monday */
    bucket(SS_EVERY_WEEK, "9999-12-31", "9999-12-27 9999-12-31");
    bucket(SS_EVERY_MONTH, "2024-02-10", "2024-02-01 2024-02-29");
    bucket(SS_EVERY_MONTH, "2025-12-31", "2025-12-01 2025-12-31");
    bucket(SS_EVERY_MONTH, "9999-12-01", "9999-12-01 9999-12-31");
    bucket(SS_EVERY_QUARTER, "2025-05-31", "2025-04-01 2025-06-30");
    bucket(SS_EVERY_QUARTER, "2025-12-01", "2025-10-01 2025-12-31");
    bucket(SS_EVERY_YEAR, "2024-07-01", "2024-01-01 2024-12-31");
    bucket(SS_EVERY_YEAR, "9999-07-01", "9999-01-01 9999-12-31");
    /* Every day is in the bucket of its bucket's ends, and the next begins after it. */
    for (int32_t day = SS_DAY_MAX - 3000; day <= SS_DAY_MAX; day++) {
        for (int every = SS_EVERY_DAY; every <= SS_EVERY_YEAR; every++) {
            ss_days days = ss_bucket_of((ss_every)every, day);
            CHECK(days.start <= day && day <= days.end);
            CHECK(ss_bucket_of((ss_every)every, days.start).end == days.end);
            CHECK(ss_bucket_of((ss_every)every, days.end).start == days.start);
        }
    }
}

static void
before(const char *start, const char *end, const char *text, const char *want)
{
    ss_days days = {day_of(start), day_of(end)}, out;
    char got[32] = "none";

    if (ss_days_before(days, text, text != NULL ? strlen(text) : 0, &out)) {
        show(out, got);
    }
    CHECK_STR(got, want);
}

static void
year_before(const char *start, const char *end, const char *want)
{
    ss_days days = {day_of(start), day_of(end)}, out;
    char got[32] = "none";

    if (ss_days_year_before(days, &out)) {
        show(out, got);
    }
    CHECK_STR(got, want);
}

static void
test_comparisons(void)
{
    before("2025-10-25", "2025-10-31", "7d", "2025-10-18 2025-10-24");
    before("2025-10-01", "2025-10-31", "31d", "2025-08-31 2025-09-30");
    before("2025-10-01", "2025-10-31", "1m", "2025-09-01 2025-09-30");
    before("2025-02-16", "2025-03-15", "1m", "2025-01-16 2025-02-15");
    before("2024-11-01", "2025-10-31", "1y", "2023-11-01 2024-10-31");
    before("2025-11-01", "2025-11-22", "mtd", "2025-10-01 2025-10-22");
    before("2025-03-01", "2025-03-30", "mtd", "2025-02-01 2025-02-28");
    before("2025-02-01", "2025-02-28", "mtd", "2025-01-01 2025-01-31"); /* all of it */
    before("2025-10-01", "2025-11-22", "qtd", "2025-07-01 2025-08-22");
    before("2025-01-01", "2025-11-22", "ytd", "2024-01-01 2024-11-22");
    before("2024-01-01", "2024-02-29", "ytd", "2023-01-01 2023-02-28");
    /* by its ends: whole months go with whole months, other days with as many days */
    before("2025-10-01", "2025-10-31", NULL, "2025-09-01 2025-09-30");
    before("2025-07-01", "2025-09-30", NULL, "2025-04-01 2025-06-30");
    before("2025-01-01", "2025-12-31", NULL, "2024-01-01 2024-12-31");
    before("2025-10-02", "2025-10-31", NULL, "2025-09-02 2025-10-01");
    before("2025-10-31", "2025-10-31", NULL, "2025-10-30 2025-10-30");
    before("0001-01-01", "0001-01-31", NULL, "none");
    before("0001-01-02", "0001-01-03", NULL, "none");
    before("0001-01-03", "0001-01-04", NULL, "0001-01-01 0001-01-02");
    before("0001-01-01", "0001-01-05", "5d", "none");
    before("0001-01-01", "0001-01-05", "mtd", "none");

    year_before("2025-10-02", "2025-10-31", "2024-10-02 2024-10-31");
    year_before("2025-02-01", "2025-02-28", "2024-02-01 2024-02-29");
    year_before("2025-02-05", "2025-02-28", "2024-02-05 2024-02-28");
    year_before("2024-02-29", "2024-02-29", "2023-02-28 2023-02-28");
    year_before("0001-01-01", "0001-01-05", "none");
}

static void
test_what_is_wrong_with_it(void)
{
    ss_error err;
    ss_error_init(&err);
    CHECK_INT(ss_period_error("3000y", 5, &err), SS_VALUE);
    CHECK_HAS(err.message, "before the year 1");
    ss_error_init(&err);
    CHECK_INT(ss_period_error("7\0", 2, &err), SS_VALUE); /* a NUL is no unit */
    CHECK_HAS(err.message, "expected a number followed by");
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_windows);
    RUN(test_buckets);
    RUN(test_comparisons);
    RUN(test_what_is_wrong_with_it);
    return check_end();
}
