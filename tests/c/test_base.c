/* The rooms of csrc/base. */
#define _POSIX_C_SOURCE 200809L

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/nearest.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "check.h"

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>

/* A small generator with a fixed seed, so that a failure comes back. */
static uint64_t random_state = UINT64_C(0x2545F4914F6CDD1D);

static uint32_t
random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

/* ---- mem ---- */

static void
test_mem_overflow(void)
{
    /* volatile: the compiler knows, too, that these are too large. */
    volatile size_t huge = SIZE_MAX / 2 + 1, most = SIZE_MAX;

    CHECK(ss_malloc(huge) == NULL);
    CHECK(ss_malloc(most) == NULL);
    CHECK(ss_calloc(huge, 2) == NULL);
    CHECK(ss_calloc(most, most) == NULL);
    CHECK(ss_strndup("", most) == NULL);
    char *p = ss_strdup("kept");
    CHECK(p != NULL);
    CHECK(ss_realloc_array(p, huge, 2) == NULL);
    CHECK(ss_realloc_array(p, most / 8 + 2, 8) == NULL);
    CHECK_STR(p, "kept");
    ss_free(p);
}

static void
test_mem_empty(void)
{
    void *a = ss_malloc(0), *b = ss_calloc(0, 8), *c = ss_realloc_array(NULL, 0, 8);
    char *d = ss_strndup("abc", 0), *e = ss_strndup("a\0b", 3);

    CHECK(a != NULL && b != NULL && c != NULL && d != NULL && e != NULL);
    CHECK_STR(d, "");
    CHECK(memcmp(e, "a\0b", 4) == 0);
    ss_free(a);
    ss_free(b);
    ss_free(c);
    ss_free(d);
    ss_free(e);
    ss_free(NULL);
}

#ifdef SS_TEST_FAULTS
static void
test_mem_faults(void)
{
    void *p[4];

    ss_mem_fail_after(2, false);
    for (int i = 0; i < 4; i++) {
        p[i] = ss_malloc(8);
    }
    CHECK_INT(ss_mem_count(), 4);
    ss_mem_fail_after(-1, false);
    CHECK(p[0] != NULL && p[1] != NULL && p[2] == NULL && p[3] != NULL);
    ss_free(p[0]);
    ss_free(p[1]);
    ss_free(p[3]);
    ss_mem_fail_after(1, true);
    p[0] = ss_calloc(1, 8);
    p[1] = ss_calloc(1, 8);
    p[2] = ss_realloc_array(NULL, 1, 8);
    p[3] = ss_strdup("x");
    ss_mem_fail_after(-1, false);
    CHECK(p[0] != NULL && p[1] == NULL && p[2] == NULL && p[3] == NULL);
    ss_free(p[0]);
}
#endif

/* ---- buf ---- */

static void
test_buf_grows(void)
{
    ss_buf buf;

    ss_buf_init(&buf);
    ss_buf_add(&buf, "", 0);
    CHECK_STR(buf.data, "");
    for (int i = 0; i < 10000; i++) {
        ss_buf_printf(&buf, "%d,", i % 10);
    }
    CHECK(ss_buf_ok(&buf));
    CHECK_INT(buf.size, 20000);
    CHECK_INT(strlen(buf.data), 20000);
    CHECK(memcmp(buf.data + 19990, "5,6,7,8,9,", 10) == 0);
    size_t capacity = buf.capacity;
    ss_buf_clear(&buf);
    CHECK_INT(buf.size, 0);
    CHECK_INT(buf.capacity, capacity);
    ss_buf_identifier(&buf, "plain");
    ss_buf_puts(&buf, " ");
    ss_buf_identifier(&buf, "a\"b\"\"");
    ss_buf_puts(&buf, " ");
    ss_buf_identifier(&buf, "");
    CHECK_STR(buf.data, "\"plain\" \"a\"\"b\"\"\"\"\" \"\"");
    ss_buf_free(&buf);
    ss_buf_free(&buf);
}

static void
test_buf_overflow_stays_failed(void)
{
    ss_buf buf;

    ss_buf_init(&buf);
    ss_buf_puts(&buf, "before");
    volatile size_t most = SIZE_MAX;
    ss_buf_add(&buf, "x", most - 3);
    CHECK(!ss_buf_ok(&buf));
    ss_buf_puts(&buf, "after");
    ss_buf_printf(&buf, "%s", "after");
    CHECK_STR(buf.data, "before");
    ss_buf_clear(&buf);
    CHECK(ss_buf_ok(&buf));
    ss_buf_free(&buf);
}

#ifdef SS_TEST_FAULTS
static void
test_buf_out_of_memory(void)
{
    ss_buf buf;

    ss_buf_init(&buf);
    ss_buf_puts(&buf, "before");
    ss_mem_fail_after(0, false);
    for (int i = 0; i < 200; i++) {
        ss_buf_puts(&buf, "0123456789");
    }
    ss_mem_fail_after(-1, false);
    CHECK(!ss_buf_ok(&buf));
    CHECK(strncmp(buf.data, "before0123456789", 16) == 0);
    CHECK(buf.size == strlen(buf.data));
    ss_buf_free(&buf);
}
#endif

/* ---- utf8 ---- */

/* By the definition, from code points: slow and different from the room's way. */
static bool
reference_valid(const unsigned char *s, size_t n)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < n;) {
        size_t length = s[i] < 0x80   ? 1
                        : s[i] < 0xC0 ? 0
                        : s[i] < 0xE0 ? 2
                        : s[i] < 0xF0 ? 3
                        : s[i] < 0xF8 ? 4
                                      : 0;
        if (length == 0 || length > n - i) {
            return false;
        }
        uint32_t c = length == 1 ? s[i] : s[i] & (0x7Fu >> length);
        for (size_t k = 1; k < length; k++) {
            if (s[i + k] >> 6 != 2) {
                return false;
            }
            c = c << 6 | (s[i + k] & 0x3Fu);
        }
        if (c < least[length] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
            return false;
        }
        i += length;
    }
    return true;
}

static size_t
encode(uint32_t c, unsigned char *out)
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (unsigned char)((0xF00u >> n & 0xFF) | c);
    return n;
}

static void
test_utf8_all_code_points(void)
{
    unsigned char s[4];

    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        size_t n = encode(c, s);
        bool want = c < 0xD800 || c >= 0xE000;
        CHECK(ss_utf8_valid((char *)s, n) == want);
    }
    CHECK(!ss_utf8_valid("\xF4\x90\x80\x80", 4));
    CHECK(!ss_utf8_valid("\xC0\x80", 2));
    CHECK(!ss_utf8_valid("\xE0\x9F\xBF", 3));
    CHECK(ss_utf8_valid("", 0));
}

static void
test_utf8_random(void)
{
    int n_valid = 0;

    for (int round = 0; round < 300000; round++) {
        unsigned char s[64];
        size_t n = 0;
        for (uint32_t parts = random_below(14); parts > 0 && n < 56; parts--) {
            uint32_t kind = random_below(10);
            uint32_t c = kind < 6   ? random_below(0x80)
                         : kind < 7 ? random_below(0x800)
                         : kind < 9 ? random_below(0xD800)
                                    : 0x10000 + random_below(0x100000);
            n += encode(c, s + n);
        }
        if (n > 0 && random_below(3) == 0) {
            s[random_below((uint32_t)n)] = (unsigned char)random_below(256);
        }
        if (n > 0 && random_below(4) == 0) {
            n = random_below((uint32_t)n);
        }
        /* A block of its own, so that reading past the end is seen. */
        char *copy = ss_strndup((char *)s, n);
        char *exact = ss_malloc(n);
        memcpy(exact, copy, n);
        bool got = ss_utf8_valid(exact, n), want = reference_valid(s, n);
        size_t floor = ss_utf8_floor(exact, n);
        bool floor_fine = floor <= n && n - floor < 4 && (!want || floor == n) &&
                          (!want || ss_utf8_valid(exact, floor));
        ss_free(copy);
        ss_free(exact);
        n_valid += want;
        CHECK(got == want);
        CHECK(floor_fine);
    }
    CHECK(n_valid > 50000 && n_valid < 250000);
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

/* Every length up to three words and a bit, with one byte that is not ASCII at every
 * place and with none. */
static void
test_utf8_copy_ascii(void)
{
    char from[32], to[33];

    for (size_t n = 0; n < sizeof(from); n++) {
        for (size_t at = 0; at <= n; at++) {
            memset(from, 'a', sizeof(from));
            memset(to, '#', sizeof(to));
            if (at < n) {
                from[at] = (char)0xC3;
            }
            bool ascii = ss_utf8_copy_ascii(to, from, n);
            CHECK(ascii == (at == n));
            CHECK(memcmp(to, from, n) == 0);
            CHECK(to[n] == '#');
        }
    }
}

static void
test_utf8_floor(void)
{
    const char *text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    for (size_t n = 0; n <= 11; n++) {
        CHECK_INT(ss_utf8_floor(text, n), want[n]);
    }
    CHECK_INT(ss_utf8_floor("\x80\x80", 2), 2);
}

/* ---- error ---- */

static void
test_error_first_stays(void)
{
    ss_error err;

    ss_error_init(&err);
    CHECK_INT(err.code, SS_OK);
    CHECK_INT(ss_error_set(&err, SS_VALUE, "first %d", 1), SS_VALUE);
    CHECK_INT(ss_error_set(&err, SS_TYPE, "second"), SS_TYPE);
    CHECK_INT(ss_error_nomem(&err), SS_NOMEM);
    CHECK_INT(err.code, SS_VALUE);
    CHECK_STR(err.message, "first 1");
    ss_error_init(&err);
    CHECK_INT(ss_error_nomem(&err), SS_NOMEM);
    CHECK_INT(err.code, SS_NOMEM);
    CHECK_INT(ss_error_set(NULL, SS_TYPE, "nobody listens"), SS_TYPE);
}

static void
test_error_cut_between_characters(void)
{
    char text[2000];
    ss_error err;

    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t i = 0; i < 400; i++) {
            memcpy(text + shift + 4 * i, "\xF0\x9F\x98\x80", 4);
        }
        text[shift + 1600] = '\0';
        ss_error_init(&err);
        ss_error_set(&err, SS_VALUE, "%s", text);
        size_t n = strlen(err.message);
        CHECK(n > sizeof(err.message) - 5 && n < sizeof(err.message));
        CHECK(ss_utf8_valid(err.message, n));
        ss_error_where(&err, text, text, NULL);
        CHECK(strlen(err.table) > 59 && ss_utf8_valid(err.table, strlen(err.table)));
    }
    ss_error_init(&err);
    ss_error_set(&err, SS_VALUE, "bad \xFF\xC3 byte \xE2\x82\xAC\x80 end\xE2\x82");
    CHECK_STR(err.message, "bad ?? byte \xE2\x82\xAC? end");
}

static void
test_error_where_and_row(void)
{
    ss_value value = {.tag = SS_VALUE_INT, .as.i = -7};
    ss_error err;

    ss_error_init(&err);
    ss_error_where(&err, "t", NULL, &value);
    ss_error_where(&err, NULL, "c", NULL);
    ss_error_row(&err, 12);
    CHECK_STR(err.table, "t");
    CHECK_STR(err.column, "c");
    CHECK_STR(err.value, "-7");
    CHECK(err.has_row);
    CHECK_INT(err.row, 12);
    ss_error_where(NULL, "t", "c", &value);
    ss_error_row(NULL, 1);
}

static void
show_text_in(const char *text, size_t n, size_t size, const char *want)
{
    char *out = ss_malloc(size);
    ss_value value = {.tag = SS_VALUE_TEXT, .as.s = {text, n}};

    ss_value_show(&value, out, size);
    check_str_(out, want, text, __FILE__, __LINE__);
    ss_free(out);
}

static void
test_value_show(void)
{
    static const struct {
        ss_value value;
        const char *want;
    } cases[] = {
        {{.tag = SS_VALUE_NULL}, "NULL"},
        {{.tag = SS_VALUE_INT, .as.i = INT64_MIN}, "-9223372036854775808"},
        {{.tag = SS_VALUE_REAL, .as.r = 0.1}, "0.1"},
        {{.tag = SS_VALUE_REAL, .as.r = 0.1 + 0.2}, "0.30000000000000004"},
        {{.tag = SS_VALUE_REAL, .as.r = -1e300}, "-1e+300"},
        {{.tag = SS_VALUE_REAL, .as.r = (double)INFINITY}, "inf"},
        {{.tag = SS_VALUE_BLOB, .as.s = {"\x00\xAB", 2}}, "x'00ab'"},
        {{.tag = SS_VALUE_DATE, .as.i = 20389}, "2025-10-28"},
        {{.tag = SS_VALUE_TIMESTAMP, .as.i = 1}, "1970-01-01 00:00:00.000001"},
    };
    char out[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ss_value_show(&cases[i].value, out, sizeof(out));
        CHECK_STR(out, cases[i].want);
    }
    show_text_in("abc", 3, 64, "'abc'");
    show_text_in("", 0, 64, "''");
    show_text_in("a'b\\\n\t\x1b[2J\0z", 12, 64, "'a\\'b\\\\\\n\\t\\x1b[2J\\x00z'");
    show_text_in("\xC2\x9B\xFF\xC3\xA9\x7F", 6, 64, "'\\x9b\\xff\xC3\xA9\\x7f'");
    show_text_in("abcdef", 6, 9, "'abcdef'");
    show_text_in("abcdefg", 7, 9, "'abc'...");
    show_text_in("ab\xF0\x9F\x98\x80yyyyyy", 12, 11, "'ab'...");
    show_text_in("ab\xF0\x9F\x98\x80yyyyyy", 12, 12, "'ab\xF0\x9F\x98\x80'...");
    for (size_t size = 1; size < 9; size++) {
        ss_value value = {.tag = SS_VALUE_TEXT, .as.s = {"abcdefghijkl", 12}};
        char *small = ss_malloc(size);
        ss_value_show(&value, small, size);
        size_t n = strlen(small);
        ss_free(small);
        CHECK(n < size);
    }
}

static void
test_value_show_other_locale(void)
{
    ss_value value = {.tag = SS_VALUE_REAL, .as.r = 1.5};
    char out[32];

    /* Where no such locale is installed this shows nothing new. */
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL) {
        setlocale(LC_NUMERIC, "C");
    }
    ss_value_show(&value, out, sizeof(out));
    setlocale(LC_NUMERIC, "C");
    CHECK_STR(out, "1.5");
}

/* ---- moment ---- */

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

/* ---- nearest ---- */

static const char *
nearest(const char *wanted)
{
    static const char *const names[] = {"overview_kpis", "revenue_summary",
                                        "category_revenue", "id", "limit"};
    ss_nearest search;

    ss_nearest_init(&search, wanted, strlen(wanted));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ss_nearest_offer(&search, names[i]);
    }
    return search.best != NULL ? search.best : "-";
}

static void
test_nearest(void)
{
    ss_nearest search;
    char longer[80];

    CHECK_STR(nearest("overview_kpi"), "overview_kpis");
    CHECK_STR(nearest("overveiw_kpis"), "overview_kpis");
    CHECK_STR(nearest("OVERVIEW_KPIS"), "overview_kpis");
    CHECK_STR(nearest("limt"), "limit");
    CHECK_STR(nearest("revenue_category"), "-");
    CHECK_STR(nearest("zzz"), "-");
    CHECK_STR(nearest(""), "-");
    CHECK_STR(nearest("xd"), "-"); /* half of it would change */
    ss_nearest_init(&search, "abcd", 4);
    ss_nearest_offer(&search, "badc"); /* two swaps of four bytes: too far */
    CHECK(search.best == NULL);
    ss_nearest_offer(&search, "abdc");
    CHECK_STR(search.best, "abdc");
    CHECK_INT(search.distance, 1);
    ss_nearest_offer(&search, "abce"); /* as near, but later */
    CHECK_STR(search.best, "abdc");
    memset(longer, 'a', 79);
    longer[79] = '\0';
    ss_nearest_init(&search, longer, 79);
    ss_nearest_offer(&search, longer);
    CHECK(search.best == NULL);
    ss_nearest_init(&search, longer, 64);
    ss_nearest_offer(&search, longer + 15);
    CHECK(search.best == longer + 15);
    CHECK_INT(search.distance, 0);
    /* OSA, not Damerau: "ca" to "abc" is 3. */
    ss_nearest_init(&search, "ca_____", 7);
    ss_nearest_offer(&search, "abc_____");
    CHECK(search.best == NULL);
}

/* ---- thread ---- */

static ss_mutex mutex;
static ss_cond cond;
static bool flag;

static void *
raise_flag(void *arg)
{
    (void)arg;
    ss_sleep_us(20000);
    ss_mutex_lock(&mutex);
    flag = true;
    ss_cond_signal(&cond);
    ss_mutex_unlock(&mutex);
    return NULL;
}

static void
test_thread_waits(void)
{
    pthread_t thread;

    CHECK(ss_mutex_init(&mutex) == SS_OK && ss_cond_init(&cond) == SS_OK);
    ss_mutex_lock(&mutex);
    int64_t begun = ss_clock_ms();
    CHECK(!ss_cond_wait(&cond, &mutex, 30));
    int64_t took = ss_clock_ms() - begun;
    CHECK(took >= 29 && took < 1000);
    CHECK(!ss_cond_wait(&cond, &mutex, 0));
    flag = false;
    CHECK(pthread_create(&thread, NULL, raise_flag, NULL) == 0);
    while (!flag) {
        CHECK(ss_cond_wait(&cond, &mutex, -1));
    }
    ss_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    ss_cond_destroy(&cond);
    ss_mutex_destroy(&mutex);
    CHECK(ss_thread_id() != 0 && ss_thread_id() == ss_thread_id());
    int64_t apart = ss_clock_ms() - ss_clock_coarse_ms();
    CHECK(apart >= 0 && apart < 100);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_mem_overflow);
    RUN(test_mem_empty);
#ifdef SS_TEST_FAULTS
    RUN(test_mem_faults);
    RUN(test_buf_out_of_memory);
#endif
    RUN(test_buf_grows);
    RUN(test_buf_overflow_stays_failed);
    RUN(test_utf8_all_code_points);
    RUN(test_utf8_random);
    RUN(test_instants_in_a_row);
    RUN(test_utf8_copy_ascii);
    RUN(test_utf8_floor);
    RUN(test_error_first_stays);
    RUN(test_error_cut_between_characters);
    RUN(test_error_where_and_row);
    RUN(test_value_show);
    RUN(test_value_show_other_locale);
    RUN(test_moment_every_day);
    RUN(test_moment_instants);
    RUN(test_moment_refuses);
    RUN(test_moment_limits);
    RUN(test_moment_round_trip);
    RUN(test_moment_mutants);
    RUN(test_nearest);
    RUN(test_thread_waits);
    return check_end();
}
