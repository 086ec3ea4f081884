/* base/mem, buf, error, nearest and thread. */
#define _POSIX_C_SOURCE 200809L

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "check.h"

#include <locale.h>
#include <math.h>

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
    RUN(test_error_first_stays);
    RUN(test_error_cut_between_characters);
    RUN(test_error_where_and_row);
    RUN(test_value_show);
    RUN(test_value_show_other_locale);
    RUN(test_nearest);
    RUN(test_thread_waits);
    return check_end();
}
