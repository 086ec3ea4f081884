/* base/moment: days and instants, and the texts of them. */
#include "base/moment.h"

#include "base/mem.h"
#include "check.h"
#include "mix.h"

#include <limits.h>

static bool
parses_day(const char *s, int32_t *out)
{
    char *exact = ss_malloc(strlen(s));
    memcpy(exact, s, strlen(s));
    bool ok = ss_day_parse(exact, strlen(s), out);
    ss_free(exact);
    return ok;
}

static bool
parses(const char *s, int64_t *out)
{
    char *exact = ss_malloc(strlen(s));
    memcpy(exact, s, strlen(s));
    bool ok = ss_instant_parse(exact, strlen(s), out);
    ss_free(exact);
    return ok;
}

/* Every day there is, against a calendar that only counts. */
static void
test_moment_every_day(void)
{
    int32_t day = SS_DAY_MIN;

    for (int year = 1; year <= 9999; year++) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        for (int month = 1; month <= 12; month++) {
            int days = month == 2 ? 28 + leap : 31 - (month - 1) % 7 % 2;
            CHECK_INT(ss_days_in_month(year, month), days);
            for (int d = 1; d <= days; d++, day++) {
                char text[SS_DAY_TEXT], want[32];
                int32_t back = 0;
                ss_civil c = ss_civil_from_day(day);
                CHECK(c.year == year && c.month == month && c.day == d);
                CHECK(ss_day_from_civil(year, month, d) == day);
                CHECK(ss_day_format(day, text) == 10 && text[10] == '\0');
                CHECK(ss_day_parse(text, 10, &back) && back == day);
                if (d == days) {
                    snprintf(want, sizeof(want), "%04d-%02d-%02d", year, month, d);
                    CHECK_STR(text, want);
                    snprintf(want, sizeof(want), "%04d-%02d-%02d", year, month, d + 1);
                    CHECK(!parses_day(want, &back));
                }
            }
        }
    }
    CHECK_INT(day, SS_DAY_MAX + 1);
}

static void
test_moment_instants(void)
{
    static const struct {
        const char *text;
        int64_t us; /* since 2025-10-28 00:00 UTC */
    } cases[] = {
        {"2025-10-28", 0},
        {"2025-10-28 05:42:44", INT64_C(20564000000)},
        {"2025-10-28T05:42:44", INT64_C(20564000000)},
        {"2025-10-28 11:12:44.398531", INT64_C(40364398531)},
        {"2025-10-28T12:02:06.516003", INT64_C(43326516003)},
        {"2025-10-28T05:42", INT64_C(20520000000)},
        {"2025-10-28 05:42", INT64_C(20520000000)},
        {"2025-10-28T05:42Z", INT64_C(20520000000)},
        {"2025-10-28T05:42+05:30", INT64_C(720000000)},
        {"2025-10-28T05:42:00+0530", INT64_C(720000000)},
        {"2025-10-28 05:42:00.000001+05:30", INT64_C(720000001)},
        {"2025-10-28T05:42:44.398+05", INT64_C(2564398000)}, /* 26 bytes */
        {"2025-10-28T05:42:44.398531Z", INT64_C(20564398531)},
        {"2025-10-28T05:42:44.5", INT64_C(20564500000)},
        {"2025-10-28T05:42:44.3985319999", INT64_C(20564398531)},
        {"2025-10-28T00:00:00-23:59", INT64_C(86340000000)},
        {"2025-10-28T00:00:00+23:59", INT64_C(-86340000000)},
        {"2025-10-28T23:59:59.999999", INT64_C(86399999999)},
    };
    int64_t us = 0, base = INT64_C(20389) * SS_US_PER_DAY;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!parses(cases[i].text, &us)) {
            check_fail(__FILE__, __LINE__, cases[i].text);
            return;
        }
        CHECK_INT(us - base, cases[i].us);
    }
}

static void
test_moment_refuses(void)
{
    static const char *const wrong[] = {
        "",
        "2",
        "2025-10-2",
        "2025-02-30",
        "2025-02-29",
        "1900-02-29",
        "2025-13-01",
        "2025-00-10",
        "2025-10-00",
        "2025-10-32",
        "0000-01-01",
        "2025/10/28",
        "2025-10-28 ",
        " 2025-10-28",
        "2025-10-28T",
        "2025-10-28Z",
        "2025-10-28+05:30",
        "2025-10-28 24:00:00",
        "2025-10-28 23:60:00",
        "2025-10-28 23:59:60",
        "2025-10-28 5:42:44",
        "2025-10-28 05:42:4",
        "2025-10-28 05:42:",
        "2025-10-28 05",
        "2025-10-28 05:",
        "2025-10-28T05-00:00",
        "2025-10-28 05:4",
        "2025-10-28 05:42:44 ",
        "2025-10-28 05:42:44x",
        "2025-10-28 05:42:44.",
        "2025-10-28 05:42:44.x",
        "2025-10-28 05:42:44.12345x",
        "2025-10-28 05:42:44.+05:30",
        "2025-10-28 05:42:44,398531",
        "2025-10-28 05:42:44+24:00",
        "2025-10-28 05:42:44+05:60",
        "2025-10-28 05:42:44+5",
        "2025-10-28 05:42:44+053",
        "2025-10-28 05:42:44+05:3",
        "2025-10-28 05:42:44+05:300",
        "2025-10-28 05:42:44+",
        "2025-10-28 05:42:44z",
        "2025-10-28 05:42:44ZZ",
        "2025-10-28 05:42:44 +05:30",
        "2025-10-28_05:42:44",
        "2025-10-28t05:42:44",
        "2025-10-28 0a:42:44",
        "2025-1x-28",
        "-025-10-28",
        "0001-01-01 00:00:00+00:01",
        "9999-12-31 23:59:59-00:01",
        "2025-10-28 05-42-44",
        "+2025-10-28",
        "20251028",
        "2025-W44-2",
        "2025-10-28 05:42:44+05-30",
    };
    int64_t us;
    int32_t day;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (parses(wrong[i], &us) || parses_day(wrong[i], &day)) {
            check_fail(__FILE__, __LINE__, wrong[i]);
            return;
        }
    }
    CHECK(!ss_day_parse("2025-10-28\0", 11, &day));
}

static void
test_moment_limits(void)
{
    int64_t us;
    int32_t day;

    CHECK(parses("0001-01-01 00:00:00", &us));
    CHECK_INT(us, SS_DAY_MIN * SS_US_PER_DAY);
    CHECK(parses("9999-12-31T23:59:59.9999999", &us));
    CHECK_INT(us, (SS_DAY_MAX + 1) * SS_US_PER_DAY - 1);
    CHECK(parses_day("2025-10-28T23:30:00-01:00", &day));
    CHECK_INT(day, 20390);
    CHECK(parses_day("1969-12-31 23:59:59.999999", &day));
    CHECK_INT(day, -1);
    CHECK_INT(ss_day_of_instant(-1), -1);
    CHECK_INT(ss_day_of_instant(-SS_US_PER_DAY), -1);
    CHECK_INT(ss_day_of_instant(-SS_US_PER_DAY - 1), -2);
    CHECK_INT(ss_day_of_instant(0), 0);
}

static void
test_moment_round_trip(void)
{
    char text[SS_INSTANT_TEXT];
    int64_t least = SS_DAY_MIN * SS_US_PER_DAY, back;
    int64_t span = ((int64_t)SS_DAY_MAX - SS_DAY_MIN + 1) * SS_US_PER_DAY;

    for (int i = 0; i < 300000; i++) {
        uint64_t big = (uint64_t)random_below(INT_MAX) << 31 | random_below(INT_MAX);
        int64_t us = least + (int64_t)(big % (uint64_t)span);
        if (i % 3 == 0) {
            us -= us % 1000000;
        }
        size_t n = ss_instant_format(us, text);
        CHECK(n == strlen(text) && n == (us % 1000000 == 0 ? 19u : 26u));
        CHECK(ss_instant_parse(text, n, &back));
        CHECK_INT(back, us);
    }
    CHECK_INT(ss_instant_format(least, text), 19);
    CHECK_STR(text, "0001-01-01 00:00:00");
    ss_instant_format(least + span - 1, text);
    CHECK_STR(text, "9999-12-31 23:59:59.999999");
    ss_instant_format(-1, text);
    CHECK_STR(text, "1969-12-31 23:59:59.999999");
}

/* Whatever the bytes, the fast paths and the long way agree on what a day is. */
static void
test_moment_mutants(void)
{
    const char *seed = "2025-10-28 11:12:44.398531+05:30";

    for (int i = 0; i < 300000; i++) {
        char text[40];
        size_t n = random_below(33);
        int64_t us;
        int32_t day;

        memcpy(text, seed, 32);
        for (uint32_t k = random_below(3); n > 0 && k > 0; k--) {
            text[random_below((uint32_t)n)] = (char)random_below(256);
        }
        bool a = ss_instant_parse(text, n, &us), b = ss_day_parse(text, n, &day);
        CHECK(a == b);
        if (a) {
            char canonical[SS_INSTANT_TEXT];
            CHECK_INT(ss_day_of_instant(us), day);
            CHECK(day >= SS_DAY_MIN && day <= SS_DAY_MAX);
            ss_instant_format(us, canonical);
        }
    }
}

/* Whatever came before, the answer is that of the plain parser. */
static void
test_instants_in_a_row(void)
{
    static const char *const texts[] = {
        "2025-10-28 05:42:44",
        "2025-10-28T05:42:45.5",
        "2025-10-28",
        "2025-10-28 25:00:00",
        "2025-10-29 00:00:00+05:30",
        "2025-02-30 00:00:00",
        "2025-10-29 00:00:01",
        "2025-10-2",
        "",
        "9999-12-31 23:59:59.999999",
        "9999-12-31 23:59:59-01:00",
        "2025-1x-29 00:00:01",
    };
    enum { N = sizeof(texts) / sizeof(texts[0]) };

    for (int first = 0; first < N; first++) {
        for (int second = 0; second < N; second++) {
            ss_day_memo memo = {0};
            int64_t plain = 0, got = 0, unused;
            const char *s = texts[second];
            (void)ss_instant_parse_next(texts[first], strlen(texts[first]), &memo,
                                        &unused);
            bool want = ss_instant_parse(s, strlen(s), &plain);
            CHECK(ss_instant_parse_next(s, strlen(s), &memo, &got) == want);
            CHECK(!want || got == plain);
        }
    }
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_instants_in_a_row);
    RUN(test_moment_every_day);
    RUN(test_moment_instants);
    RUN(test_moment_refuses);
    RUN(test_moment_limits);
    RUN(test_moment_round_trip);
    RUN(test_moment_mutants);
    return check_end();
}
