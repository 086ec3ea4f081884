/* base/digits, base/real, formats/json_text, formats/json_out, formats/csv_out and
 * formats/html_out. */
#define _POSIX_C_SOURCE 200809L

#include "base/digits.h"
#include "base/mem.h"
#include "base/real.h"
#include "base/utf8.h"
#include "check.h"
#include "formats/csv_out.h"
#include "formats/html_out.h"
#include "formats/json_out.h"
#include "formats/json_text.h"
#include "mix.h"

#include <math.h>
#include <stdlib.h>

static ss_error err;

/* ---- numbers ---- */

static void
check_int(int64_t value)
{
    char text[SS_INT_TEXT + 1], want[32];

    *ss_digits_int(value, text) = '\0';
    snprintf(want, sizeof(want), "%lld", (long long)value);
    CHECK_STR(text, want);
}

static void
test_integers(void)
{
    check_int(0);
    check_int(INT64_MIN);
    check_int(INT64_MAX);
    for (int n = 0; n < 19; n++) {
        for (int64_t off = -2; off <= 2; off++) {
            check_int((int64_t)ss_powers_of_ten[n] + off);
            check_int(-(int64_t)ss_powers_of_ten[n] + off);
        }
    }
    for (uint64_t i = 0; i < 20000; i++) {
        check_int((int64_t)(mix(i) >> (i % 64)));
    }
    char text[20];
    CHECK_INT(ss_digits_fixed(7, 3, text) - text, 3);
    CHECK(memcmp(text, "007", 3) == 0);
}

static size_t
significant(const char *text)
{
    size_t n = 0, zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text == '0') {
            zeros += n > 0;
        }
        else if (*text >= '1' && *text <= '9') {
            n += zeros + 1;
            zeros = 0;
        }
    }
    return n;
}

/* Reads back, and no shorter correctly rounded text does. */
static void
check_real(double value)
{
    char text[SS_REAL_TEXT + 1], shorter[64];

    char *end = ss_real_put(value, text);
    CHECK(end - text <= SS_REAL_TEXT);
    *end = '\0';
    double back = strtod(text, NULL);
    CHECK(memcmp(&back, &value, sizeof(value)) == 0);
    size_t n = significant(text);
    CHECK(n <= 17);
    if (n > 1) {
        snprintf(shorter, sizeof(shorter), "%.*e", (int)n - 2, value);
        CHECK(strtod(shorter, NULL) != value);
    }
    CHECK(strpbrk(text, ".e") != NULL);
}

static double
from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void
test_reals(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-42.17, "-42.17"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100.0, "100.0"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {0.000012345, "1.2345e-05"},
        {123456789.125, "123456789.125"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {0x1p-44, "5.684341886080802e-14"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {-1.7976931348623157e308, "-1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[SS_REAL_TEXT + 1];
        *ss_real_put(cases[i].value, text) = '\0';
        CHECK_STR(text, cases[i].text);
        check_real(cases[i].value);
    }
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        check_real(from_bits(exponent << 52 | (exponent == 0)));
        check_real(from_bits((exponent << 52) + 1));
        check_real(from_bits((exponent << 52) | ((UINT64_C(1) << 52) - 1)));
    }
}

static void
test_random_reals(void)
{
    uint64_t n = (uint64_t)check_times(60000, 20000000);

    for (uint64_t i = 1; i <= n; i++) {
        double any = from_bits(mix(i));
        if (isfinite(any)) {
            check_real(any);
        }
        /* Where the second way works, and where people's numbers are. */
        double bits52 = (double)(mix(i + n) >> 12) * 0x1p-52;
        check_real(from_bits((UINT64_C(1009) + i % 74) << 52 | mix(i) >> 12));
        check_real(bits52 * 1000);
        check_real(round(bits52 * 1e8) / 1e3);
        check_real((double)(mix(i) >> (i % 64)));
    }
}

/* ---- escaping ---- */

/* Byte by byte, as the standard says. */
static size_t
escape_slowly(const char *s, size_t n, bool html, char *to)
{
    char *at = to;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        const char *letter = c != '\0' ? strchr("\"\"\\\\\bb\ff\nn\rr\tt", c) : NULL;
        if (c < 0x20 || c == '"' || c == '\\') {
            at += letter != NULL ? sprintf(at, "\\%c", letter[1])
                                 : sprintf(at, "\\u%04x", c);
        }
        else if (html && strchr("<>&'", c) != NULL) {
            at += sprintf(at, "\\u%04x", c);
        }
        else if (html && n - i >= 3 && memcmp(s + i, "\xE2\x80\xA8", 3) == 0) {
            at += sprintf(at, "\\u2028");
            i += 2;
        }
        else if (html && n - i >= 3 && memcmp(s + i, "\xE2\x80\xA9", 3) == 0) {
            at += sprintf(at, "\\u2029");
            i += 2;
        }
        else {
            *at++ = s[i];
        }
    }
    return (size_t)(at - to);
}

static void
check_escape(const char *s, size_t n, bool html)
{
    size_t specials = ss_json_text_specials(s, n, html);
    char *want = malloc(n * SS_JSON_ESCAPE + 1);
    size_t n_want = escape_slowly(s, n, html, want);
    CHECK(n_want <= n + specials * (SS_JSON_ESCAPE - 1));
    CHECK(specials > 0 || n_want == n);
    /* In a block of just that size, so that the sanitizer sees a byte too far. */
    char *got = malloc(n_want + 1), *copy = malloc(n + 1);
    memcpy(copy, s, n);
    size_t n_got = (size_t)(ss_json_text_put(copy, n, html, got) - got);
    CHECK_INT(n_got, n_want);
    CHECK(memcmp(got, want, n_want) == 0);
    free(copy);
    free(got);
    free(want);
}

static void
test_escaping(void)
{
    static const char *const pieces[] = {"plain",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\x7f",
                                         "<",
                                         ">",
                                         "&",
                                         "'",
                                         "é",
                                         "☃",
                                         "😀",
                                         "\xE2\x80\xA8",
                                         "\xE2\x80\xA9",
                                         "\xE2\x80",
                                         "\xE2",
                                         "a",
                                         "b",
                                         "=",
                                         "%",
                                         "\t",
                                         "\x1f",
                                         " "};
    size_t n_pieces = sizeof(pieces) / sizeof(pieces[0]);
    static char text[4096];

    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at < 19; at++) {
            memset(text, 'x', 19);
            text[at] = (char)c;
            check_escape(text, 19, false);
            check_escape(text, 19, true);
        }
    }
    for (uint64_t i = 0; i < 3000; i++) {
        size_t n = 0, wanted = mix(i) % (i % 10 == 0 ? 2000 : 40);
        while (n < wanted) {
            uint64_t x = mix(i * 7919 + n);
            const char *piece = x % 3 ? "plain" : pieces[x / 3 % n_pieces];
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        check_escape(text, n, i % 2 == 0);
    }
}

static void
test_tail(void)
{
    CHECK_INT(ss_utf8_tail("abcdefgh", 8, 4), 4);
    CHECK_INT(ss_utf8_tail("abcd", 4, 4), 4);
    CHECK_INT(ss_utf8_tail("", 0, 4), 0);
    CHECK_INT(ss_utf8_tail("key-é☃😀x", 14, 4), 4);
}

/* ---- rows ---- */

enum { N_KINDS = 6 };
static const uint8_t kinds[N_KINDS] = {SS_KIND_INT,  SS_KIND_REAL,      SS_KIND_TEXT,
                                       SS_KIND_DATE, SS_KIND_TIMESTAMP, SS_KIND_ANY};
static const char *const names[N_KINDS] = {"i", "r\"", "t", "d", "ts", "any"};

static ss_batch *
new_batch(const char *const *of, int64_t n_rows)
{
    static const char *const texts[] = {"", "x", "say \"hi\"\n",
                                        "a longer text of words", "☃ <b>"};
    ss_batch *batch = NULL;

    ss_error_init(&err);
    if (ss_batch_new_free(of, kinds, N_KINDS, 1, &batch, &err) != SS_OK) {
        return NULL;
    }
    for (int64_t row = 0; row < n_rows; row++) {
        const char *text = texts[mix((uint64_t)row) % 5];
        ss_value cells[N_KINDS] = {
            {.tag = SS_VALUE_INT, .as.i = (int64_t)mix((uint64_t)row) >> (row % 64)},
            {.tag = SS_VALUE_REAL, .as.r = (double)row / 7},
            {.tag = SS_VALUE_TEXT, .as.s = {text, strlen(text)}},
            {.tag = SS_VALUE_DATE, .as.i = (int64_t)(mix((uint64_t)row) % 20000)},
            {.tag = SS_VALUE_TIMESTAMP, .as.i = (int64_t)(mix((uint64_t)row) >> 13)},
            {.tag = SS_VALUE_NULL},
        };
        cells[5] = cells[mix((uint64_t)row * 31) % 6];
        if (ss_batch_row(batch) != SS_OK) {
            ss_batch_release(batch);
            return NULL;
        }
        for (int c = 0; c < N_KINDS; c++) {
            static const ss_value null = {.tag = SS_VALUE_NULL};
            bool empty = mix((uint64_t)(row * 6 + c)) % 9 == 0;
            if (ss_batch_put(batch, c, empty ? &null : &cells[c]) != SS_OK) {
                ss_batch_release(batch);
                return NULL;
            }
        }
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    return batch;
}

/* The answer as a new string, written into a block of just the bound. */
static char *
json_of(const ss_view *view, const ss_json_options *options)
{
    ss_json *json = NULL;

    ss_error_init(&err);
    if (ss_json_begin(view, options, &json, &err) != SS_OK) {
        return NULL;
    }
    char *text = malloc(ss_json_bound(json));
    size_t n = ss_json_write(json, text);
    char *copy = malloc(n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    free(text);
    ss_json_free(json);
    return copy;
}

static void
check_json(const ss_view *view, const ss_json_options *options, const char *want)
{
    char *got = json_of(view, options);

    CHECK_STR(got, want);
    free(got);
}

static void
put(ss_batch *batch, const ss_value *cells)
{
    CHECK_INT(ss_batch_row(batch), SS_OK);
    for (int c = 0; c < batch->n_columns; c++) {
        CHECK_INT(ss_batch_put(batch, c, &cells[c]), SS_OK);
    }
    ss_batch_row_done(batch);
}

static void
test_shapes(void)
{
    ss_batch *batch = NULL;
    const ss_value first[N_KINDS] = {{.tag = SS_VALUE_INT, .as.i = -5},
                                     {.tag = SS_VALUE_REAL, .as.r = NAN},
                                     {.tag = SS_VALUE_TEXT, .as.s = {"a\"</", 4}},
                                     {.tag = SS_VALUE_DATE, .as.i = 20389},
                                     {.tag = SS_VALUE_TIMESTAMP, .as.i = 1},
                                     {.tag = SS_VALUE_TEXT, .as.s = {"\0", 1}}};
    const ss_value second[N_KINDS] = {
        {.tag = SS_VALUE_NULL},      {.tag = SS_VALUE_REAL, .as.r = 2},
        {.tag = SS_VALUE_NULL},      {.tag = SS_VALUE_NULL},
        {.tag = SS_VALUE_TIMESTAMP}, {.tag = SS_VALUE_REAL, .as.r = INFINITY}};

    ss_error_init(&err);
    CHECK_INT(ss_batch_new_free(names, kinds, N_KINDS, 1, &batch, &err), SS_OK);
    put(batch, first);
    put(batch, second);
    ss_batch_finish(batch);
    ss_view all = {batch, 0, 1, 2}, none = {batch, 0, 1, 0}, one = {batch, 1, 1, 1};
    ss_view back = {batch, 1, -1, 2};
#define FIRST \
    "{\"i\":-5,\"r\\\"\":null,\"t\":\"a\\\"</\",\"d\":\"2025-10-28\"," \
    "\"ts\":\"1970-01-01T00:00:00.000001\",\"any\":\"\\u0000\"}"
#define SECOND \
    "{\"i\":null,\"r\\\"\":2.0,\"t\":null,\"d\":null," \
    "\"ts\":\"1970-01-01T00:00:00\",\"any\":null}"
    ss_json_options options = {.orient = SS_JSON_RECORDS};
    check_json(&all, &options, "[" FIRST "," SECOND "]");
    check_json(&back, &options, "[" SECOND "," FIRST "]");
    check_json(&none, &options, "[]");
    options = (ss_json_options){SS_JSON_LINES, .prefix = "<<", .n_prefix = 2,
                                .suffix = ">", .n_suffix = 1};
    check_json(&all, &options, "<<" FIRST "\n" SECOND "\n>");
    check_json(&none, &options, "<<>");
    options = (ss_json_options){.orient = SS_JSON_OBJECT};
    check_json(&one, &options, SECOND);
    options = (ss_json_options){.orient = SS_JSON_COLUMNS};
    check_json(&none, &options,
               "{\"i\":[],\"r\\\"\":[],\"t\":[],\"d\":[],\"ts\":[],\"any\":[]}");
    options.html = true;
    check_json(&all, &options,
               "{\"i\":[-5,null],\"r\\\"\":[null,2.0],\"t\":[\"a\\\"\\u003c/\",null],"
               "\"d\":[\"2025-10-28\",null],\"ts\":[\"1970-01-01T00:00:00.000001\","
               "\"1970-01-01T00:00:00\"],\"any\":[\"\\u0000\",null]}");
    ss_batch_release(batch);
}

static void
test_rows_without_columns(void)
{
    ss_batch *batch = NULL;
    ss_error_init(&err);
    CHECK_INT(ss_batch_new_free(names, kinds, 0, 100, &batch, &err), SS_OK);
    for (int row = 0; row < 100; row++) {
        CHECK_INT(ss_batch_row(batch), SS_OK);
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    ss_view two = {batch, 0, 1, 2}, one = {batch, 0, 1, 1}, all = {batch, 0, 1, 100};
    ss_json_options options = {.orient = SS_JSON_RECORDS};
    check_json(&two, &options, "[{},{}]");
    options.orient = SS_JSON_LINES;
    check_json(&two, &options, "{}\n{}\n");
    char *got = json_of(&all, &options); /* has room for all of them */
    CHECK_INT(strlen(got), 300);
    free(got);
    options.orient = SS_JSON_OBJECT;
    check_json(&one, &options, "{}");
    ss_batch_release(batch);
}

/* A slice says the same as the part of the whole, whatever had to be escaped in it. */
static void
test_slices(void)
{
    ss_batch *batch = new_batch(names, 300);
    ss_json_options options = {.orient = SS_JSON_LINES};

    CHECK(batch != NULL);
    for (int64_t step = -3; step <= 3; step++) {
        for (int64_t start = 0; step != 0 && start < 300; start += 37) {
            ss_view view = {batch, start, step, 0};
            view.length =
                step > 0 ? (300 - start + step - 1) / step : start / -step + 1;
            char *all = json_of(&view, &options), *at = all;
            CHECK(all != NULL);
            for (int64_t i = 0; i < view.length; i++) {
                ss_view row = {batch, start + i * step, 1, 1};
                char *line = json_of(&row, &options);
                CHECK(line != NULL && strncmp(at, line, strlen(line)) == 0);
                at += strlen(line);
                free(line);
            }
            CHECK_INT(*at, '\0');
            free(all);
        }
    }
    ss_batch_release(batch);
}

/* Each kind alone with its longest values, in a block of just the bound. */
static void
test_longest(void)
{
    static const ss_value longest[N_KINDS] = {
        {.tag = SS_VALUE_INT, .as.i = INT64_MIN},
        {.tag = SS_VALUE_REAL, .as.r = -2.2250738585072014e-308},
        {.tag = SS_VALUE_TEXT, .as.s = {"\x01\x02\x03\x04", 4}},
        {.tag = SS_VALUE_DATE, .as.i = SS_DAY_MAX},
        {.tag = SS_VALUE_TIMESTAMP, .as.i = -1},
        {.tag = SS_VALUE_TEXT, .as.s = {"\x01\x02\x03\x04", 4}}};
    static const size_t sizes[N_KINDS] = {20, 24, 26, 12, 28, 26};

    for (int k = 0; k < N_KINDS; k++) {
        ss_batch *batch = NULL;
        CHECK_INT(ss_batch_new_free(names + k, kinds + k, 1, 1, &batch, &err), SS_OK);
        for (int i = 0; i < 1000; i++) {
            put(batch, &longest[k]);
        }
        ss_batch_finish(batch);
        ss_view view = {batch, 0, 1, 1000};
        ss_json_options options = {.orient = SS_JSON_COLUMNS};
        char *got = json_of(&view, &options);
        CHECK(got != NULL);
        CHECK(strlen(got) >= 1000 * (sizes[k] + 1));
        free(got);
        ss_batch_release(batch);
    }
}

static void
test_names(void)
{
    static const char *const odd[N_KINDS] = {"same", "a\xff\xc3z", "same",
                                             "",     "é'",         "\t"};
    ss_batch *batch = new_batch(odd, 0);
    ss_json_options options = {.orient = SS_JSON_COLUMNS, .html = true};
    ss_view view = {batch, 0, 1, 0};

    CHECK(batch != NULL);
    check_json(
        &view, &options,
        "{\"same\":[],\"a\uFFFD\uFFFDz\":[],\"\":[],\"é\\u0027\":[],\"\\t\":[]}");
    ss_batch_release(batch);
}

static void
test_secrets(void)
{
    static const char *const secret[N_KINDS] = {"api_key", "r", "t", "d", "ts", "any"};
    static const char *const text[N_KINDS] = {"i", "r", "api_key", "d", "ts", "any"};
    static const uint8_t one_kind[] = {SS_KIND_ANY};
    ss_json_options options = {.orient = SS_JSON_LINES, .redact = true};

    for (int which = 0; which < 2; which++) {
        ss_batch *batch = new_batch(which == 0 ? secret : text, 50);
        ss_view view = {batch, 0, 1, 50};
        char *got = json_of(&view, &options);
        CHECK(got != NULL);
        CHECK(strstr(got, which == 0 ? "\"api_key\":\"...\""
                                     : "\"api_key\":\"...ords\"") != NULL);
        CHECK(strstr(got, "\"api_key\":\"a longer") == NULL);
        free(got);
        ss_batch_release(batch);
    }
    ss_batch *batch = NULL;
    const ss_value cells[] = {{.tag = SS_VALUE_TEXT, .as.s = {"sk-12é☃6\"", 12}},
                              {.tag = SS_VALUE_TEXT, .as.s = {"abcd", 4}},
                              {.tag = SS_VALUE_INT, .as.i = 123456789},
                              {.tag = SS_VALUE_NULL}};
    CHECK_INT(ss_batch_new_free(secret, one_kind, 1, 1, &batch, &err), SS_OK);
    for (int i = 0; i < 4; i++) {
        put(batch, &cells[i]);
    }
    ss_batch_finish(batch);
    ss_view view = {batch, 0, 1, 4};
    options.orient = SS_JSON_COLUMNS;
    check_json(&view, &options, "{\"api_key\":[\"...é☃6\\\"\",\"...\",\"...\",null]}");
    ss_batch_release(batch);
}

static void
refused(ss_value cell, const char *part)
{
    static const char *const one[] = {"picture"};
    static const uint8_t kind[] = {SS_KIND_ANY};
    ss_json_options options = {.orient = SS_JSON_RECORDS};
    ss_batch *batch = NULL;
    ss_json *json = NULL;

    ss_error_init(&err);
    CHECK_INT(ss_batch_new_free(one, kind, 1, 1, &batch, &err), SS_OK);
    put(batch, &cell);
    ss_batch_finish(batch);
    ss_view view = {batch, 0, 1, 1};
    CHECK_INT(ss_json_begin(&view, &options, &json, &err), SS_DATA);
    CHECK_HAS(err.message, "column picture, row 0");
    CHECK_HAS(err.message, part);
    ss_batch_release(batch);
}

static void
test_refused(void)
{
    refused((ss_value){.tag = SS_VALUE_BLOB, .as.s = {"x", 1}}, "JSON has no bytes");
    refused((ss_value){.tag = SS_VALUE_TEXT, .as.s = {"\xff", 1}}, "not UTF-8");
}

static void
test_no_memory(void)
{
#ifdef SS_TEST_FAULTS
    ss_batch *batch = new_batch(names, 20);
    ss_view view = {batch, 0, 1, 20};
    ss_json_options options = {.orient = SS_JSON_RECORDS};
    int failed = 0;

    CHECK(batch != NULL);
    for (long n = 0;; n++) {
        ss_mem_fail_after(n, false);
        char *text = json_of(&view, &options);
        ss_mem_fail_after(-1, false);
        if (text != NULL) {
            free(text);
            break;
        }
        CHECK_INT(err.code, SS_NOMEM);
        failed++;
    }
    CHECK(failed >= 3);
    ss_batch_release(batch);
#endif
}

/* ---- CSV ---- */

static char *
csv_of(const ss_view *view, const ss_csv_options *options)
{
    ss_csv *csv = NULL;

    ss_error_init(&err);
    if (ss_csv_begin(view, options, &csv, &err) != SS_OK) {
        return NULL;
    }
    char *text = malloc(ss_csv_bound(csv));
    size_t n = ss_csv_write(csv, text);
    char *copy = malloc(n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    free(text);
    ss_csv_free(csv);
    return copy;
}

static void
test_csv(void)
{
    static const char *const one[] = {"na\xffme"};
    static const uint8_t kind[] = {SS_KIND_TEXT};
    ss_csv_options options = {.delimiter = ';', .header = true, .defuse = true};
    ss_batch *batch = NULL;
    ss_value cells[] = {{.tag = SS_VALUE_TEXT, .as.s = {"=\"\"\"\"", 5}},
                        {.tag = SS_VALUE_NULL},
                        {.tag = SS_VALUE_TEXT, .as.s = {"x;", 2}}};

    CHECK_INT(ss_batch_new_free(one, kind, 1, 1, &batch, &err), SS_OK);
    for (int i = 0; i < 3; i++) {
        put(batch, &cells[i]);
    }
    ss_batch_finish(batch);
    ss_view view = {batch, 2, -1, 3};
    char *got = csv_of(&view, &options);
    CHECK_STR(got, "na\uFFFDme\r\n\"x;\"\r\n\"\"\r\n\"'=\"\"\"\"\"\"\"\"\"\r\n");
    free(got);
    ss_batch_release(batch);
}

static void
test_csv_no_memory(void)
{
#ifdef SS_TEST_FAULTS
    ss_batch *batch = new_batch(names, 20);
    ss_view view = {batch, 0, 1, 20};
    ss_csv_options options = {.delimiter = ',', .header = true};
    int failed = 0;

    CHECK(batch != NULL);
    for (long n = 0;; n++) {
        ss_mem_fail_after(n, false);
        char *text = csv_of(&view, &options);
        ss_mem_fail_after(-1, false);
        if (text != NULL) {
            free(text);
            break;
        }
        CHECK_INT(err.code, SS_NOMEM);
        failed++;
    }
    CHECK(failed >= 10);
    ss_batch_release(batch);
#endif
}

/* ---- HTML ---- */

static void
test_html(void)
{
    static const char *const odd[N_KINDS] = {"i", "<r>", "t\xff", "d", "ts", "api_key"};
    ss_batch *batch = new_batch(odd, 50);
    ss_view view = {batch, 49, -1, 50};
    ss_buf out;

    CHECK(batch != NULL);
    ss_buf_init(&out);
    ss_html_rows(&view, &out);
    CHECK(ss_buf_ok(&out));
    CHECK_HAS(out.data, "<em>40 more rows</em>");
    CHECK_HAS(out.data, "&lt;r&gt;");
    CHECK_HAS(out.data, "t\uFFFD<");
    CHECK(ss_utf8_valid(out.data, out.size));
    ss_buf_clear(&out);
    ss_html_record(&view, &out);
    CHECK_HAS(out.data, "<b>Row</b>");
    ss_buf_free(&out);
#ifdef SS_TEST_FAULTS
    for (long n = 0; n < 6; n++) {
        ss_mem_fail_after(n, false);
        ss_html_rows(&view, &out);
        ss_mem_fail_after(-1, false);
        CHECK(!ss_buf_ok(&out));
        ss_buf_free(&out);
    }
#endif
    ss_batch_release(batch);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_integers);
    RUN(test_reals);
    RUN(test_random_reals);
    RUN(test_escaping);
    RUN(test_tail);
    RUN(test_shapes);
    RUN(test_rows_without_columns);
    RUN(test_slices);
    RUN(test_longest);
    RUN(test_names);
    RUN(test_secrets);
    RUN(test_refused);
    RUN(test_no_memory);
    RUN(test_csv);
    RUN(test_csv_no_memory);
    RUN(test_html);
    return check_end();
}
