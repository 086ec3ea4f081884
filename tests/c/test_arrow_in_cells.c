/* formats/arrow_cells, arrow_decimal: each type of Arrow as each kind of ours. */
#include "arrow_case.h"
#include "check.h"
#include "formats/arrow_decimal.h"

#include <stdlib.h>

/* ---- numbers ---- */

static void
test_integers(void)
{
    static const int8_t i8[] = {-128, 127, 0, 5};
    static const uint8_t u8[] = {0, 255, 7, 9};
    static const int16_t i16[] = {-32768, 32767, 1, 2};
    static const uint16_t u16[] = {0, 65535, 1, 2};
    static const int32_t i32[] = {INT32_MIN, INT32_MAX, 1, 2};
    static const uint32_t u32[] = {0, UINT32_MAX, 1, 2};
    static const int64_t i64[] = {INT64_MIN, INT64_MAX, 1, 2};
    static const uint64_t u64[] = {0, INT64_MAX, 1, 2};

    CHECK_STR(read_as("i", PLAIN("c", i8)), "-128 127 0 5");
    CHECK_STR(read_as("i", PLAIN("C", u8)), "0 255 7 9");
    CHECK_STR(read_as("i", PLAIN("s", i16)), "-32768 32767 1 2");
    CHECK_STR(read_as("i", PLAIN("S", u16)), "0 65535 1 2");
    CHECK_STR(read_as("i", PLAIN("i", i32)), "-2147483648 2147483647 1 2");
    CHECK_STR(read_as("i", PLAIN("I", u32)), "0 4294967295 1 2");
    CHECK_STR(read_as("i", PLAIN("l", i64)),
              "-9223372036854775808 9223372036854775807 1 2");
    CHECK_STR(read_as("i", PLAIN("L", u64)), "0 9223372036854775807 1 2");
    CHECK_STR(read_as("i", HOLES("l", i64)), "9223372036854775807 NULL 2");
    CHECK_STR(read_as("i", HOLES("c", i8)), "127 NULL 5");
    CHECK_STR(read_as("r", HOLES("S", u16)), "65535 NULL 2");
}

static void
test_integers_out_of_range(void)
{
    static const uint64_t u64[] = {1, UINT64_C(1) << 63};
    static const int64_t past[] = {INT64_C(1) << 53, (INT64_C(1) << 53) + 1};
    static const int64_t most[] = {INT64_MIN, INT64_MAX};
    static const uint64_t all[] = {UINT64_MAX - 2047, UINT64_MAX};

    CHECK_STR(read_as("i", PLAIN("L", u64)),
              "OVERFLOW row 1: i: 9223372036854775808 does not fit in 64 bits with a "
              "sign");
    CHECK(err.has_row && err.row == 1);
    CHECK_STR(err.column, "i");
    CHECK_STR(err.table, "things");
    CHECK_STR(err.value, "9223372036854775808");
    CHECK_STR(read_as("r", PLAIN("L", u64)), "1 9.2233720368547758e+18");
    CHECK_STR(read_as("r", PLAIN("l", past)),
              "VALUE row 1: r: 9007199254740993 has more digits than a float can hold");
    CHECK_STR(read_as("r", PLAIN("l", most)),
              "VALUE row 1: r: 9223372036854775807 has more digits than a float can "
              "hold");
    CHECK_STR(read_as("r", PLAIN("L", all)),
              "VALUE row 1: r: 18446744073709551615 has more digits than a float can "
              "hold");
}

static void
test_floats(void)
{
    static const double f64[] = {1.5, -0.25, 1e300, 3};
    static const float f32[] = {1.5f, -0.25f, 16777216, 3};
    /* 1, -2, the least subnormal, the largest, 0 */
    static const uint16_t f16[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x0000};
    static const double whole[] = {3, -0x1p63, 9007199254740992.0};

    CHECK_STR(read_as("r", PLAIN("g", f64)), "1.5 -0.25 1e+300 3");
    CHECK_STR(read_as("r", HOLES("g", f64)), "-0.25 NULL 3");
    CHECK_STR(read_as("r", PLAIN("f", f32)), "1.5 -0.25 16777216 3");
    CHECK_STR(read_as("r", PLAIN("e", f16)), "1 -2 5.9604644775390625e-08 65504 0");
    CHECK_STR(read_as("i", PLAIN("g", whole)),
              "3 -9223372036854775808 9007199254740992");
}

static void
test_floats_refused(void)
{
    static const double missing[] = {1, 0.0 / 0.0}, endless[] = {1, -1.0 / 0.0};
    static const double part[] = {1, 1.5}, large[] = {1, 0x1p63};
    static const uint16_t f16[] = {0x3c00, 0x7e00}, f16_endless[] = {0x3c00, 0x7c00};

    CHECK_STR(read_as("r", PLAIN("e", f16_endless)),
              "VALUE row 1: r: expected a finite number, got inf");
    CHECK_STR(read_as("r", PLAIN("g", endless)),
              "VALUE row 1: r: expected a finite number, got -inf");
    CHECK_STR(read_as("i", PLAIN("g", endless)),
              "VALUE row 1: i: expected a finite number, got -inf");
    CHECK_STR(read_as("i", PLAIN("g", part)),
              "TYPE row 1: i: expected a whole number, got 1.5");
    CHECK_STR(read_as("i", PLAIN("g", large)),
              "OVERFLOW row 1: i: 9.2233720368547758e+18 does not fit in 64 bits");
    CHECK_HAS(read_as("r", PLAIN("g", missing)),
              "nan is not a value; give a null where one is missing");
    CHECK_HAS(read_as("r", PLAIN("e", f16)), "is not a value");
    CHECK_HAS(read_as("i", PLAIN("g", missing)), "is not a value");
}

static void
test_bool_and_null(void)
{
    static const uint8_t bits[] = {0x0d};
    const spec truth = {
        .format = "b", .length = 4, .n_buffers = 2, .buffers = {NULL, bits}};
    const spec later = {.format = "b",
                        .length = 3,
                        .offset = 1,
                        .null_count = -1,
                        .n_buffers = 2,
                        .buffers = {holes, bits}};
    const spec nothing = {.format = "n", .length = 2, .null_count = 2};
    const spec with_bitmap = {
        .format = "n", .length = 2, .null_count = 2, .n_buffers = 1, .buffers = {NULL}};

    CHECK_STR(read_as("i", &truth), "1 0 1 1");
    CHECK_STR(read_as("i", &later), "0 NULL 1");
    CHECK_STR(read_as("r", &truth), "1 0 1 1");
    CHECK_STR(read_as("i", &nothing), "NULL NULL");
    CHECK_STR(read_as("i", &with_bitmap), "NULL NULL");
    CHECK_STR(read_as("t", &nothing), "NULL NULL");
    CHECK_STR(read_as("ts", &nothing), "NULL NULL");
}

static void
test_decimals(void)
{
    static const int32_t d32[] = {125, -5, 100};
    static const int64_t d64[] = {INT64_MIN, 900719925474099300, 10};
    static const int64_t d128[] = {125, 0, -125, -1, 0, 54210};
    static const int64_t d256[] = {7, 0, 0, 0, -7, -1, -1, -1, 0, 0, 0, INT64_MIN};
    static const int64_t most[] = {INT64_MAX, 0, INT64_MIN, -1};
    const spec wide = {
        .format = "d:38,2", .length = 2, .n_buffers = 2, .buffers = {NULL, d128}};
    const spec zeros = {
        .format = "d:38,-3", .length = 2, .n_buffers = 2, .buffers = {NULL, d128}};
    const spec huge = {
        .format = "d:76,0,256", .length = 3, .n_buffers = 2, .buffers = {NULL, d256}};
    const spec limits = {
        .format = "d:38,0", .length = 2, .n_buffers = 2, .buffers = {NULL, most}};

    CHECK_STR(read_as("r", PLAIN("d:9,2,32", d32)), "1.25 -0.05 1");
    CHECK_STR(read_as("r", &wide), "1.25 -1.25");
    CHECK_STR(read_as("i", &zeros), "125000 -125000");
    CHECK_STR(read_as("i", &limits), "9223372036854775807 -9223372036854775808");
    CHECK_STR(
        read_as("i", &huge),
        "OVERFLOW row 2: i: -578960446186580977117854925043439539266349923328202820"
        "19728792003956564819968 does not fit in 64 bits");
    CHECK_STR(read_as("i", PLAIN("d:9,2,32", d32)),
              "TYPE row 0: i: expected a whole number, got 1.25");
    CHECK_STR(read_as("i", PLAIN("d:18,1,64", d64)),
              "TYPE row 0: i: expected a whole number, got -922337203685477580.8");
    CHECK_STR(read_as("r", PLAIN("d:18,0,64", d64)),
              "VALUE row 0: r: -9223372036854775808 has more digits than a float can "
              "hold");
    CHECK_STR(read_as("r", &(spec){.format = "d:18,2,64",
                                   .length = 1,
                                   .offset = 1,
                                   .n_buffers = 2,
                                   .buffers = {NULL, d64}}),
              "VALUE row 0: r: 9007199254740993 has more digits than a float can hold");
}

/* The float is taken exactly when its shortest text is the decimal. */
static void
test_decimal_digits(void)
{
    static const struct {
        int64_t unscaled;
        int scale;
        const char *text; /* NULL: refused */
    } cases[] = {
        {1, 1, "0.1"},
        {10000000000000001, 17, NULL}, /* 0.10000000000000001 is printed 0.1 */
        {30000000000000004, 17, "0.30000000000000004"},
        {30000000000000003, 17, NULL},
        {9007199254740993, 0, NULL},
        {9007199254740992, 0, "9007199254740992"},
        {123456789012345678, 5, NULL},
        {1, 400, NULL},  /* nothing is left of it */
        {1, -400, NULL}, /* more than there is */
        {0, 3, "0"},
        {-17976931348623157, -292, "-1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ss_decimal decimal;
        double r = 0;
        ss_decimal_read(&cases[i].unscaled, 64, cases[i].scale, &decimal);
        ss_status status = ss_decimal_to_real(&decimal, &r);
        CHECK_INT(status, cases[i].text != NULL ? SS_OK : SS_VALUE);
        if (cases[i].text != NULL) {
            CHECK(r == strtod(cases[i].text, NULL));
        }
    }
}

/* ---- text ---- */

static const char words[] = "alphabetagamma";
static const int32_t word_ends[] = {0, 5, 9, 9, 14};
static const int64_t long_ends[] = {0, 5, 9, 9, 14};

static void
test_strings(void)
{
    const spec large = {.format = "U",
                        .length = 4,
                        .n_buffers = 3,
                        .buffers = {NULL, long_ends, words}};
    const spec part = {.format = "u",
                       .length = 3,
                       .offset = 1,
                       .null_count = 1,
                       .n_buffers = 3,
                       .buffers = {holes, word_ends, words}};
    const spec empty = {.format = "u",
                        .length = 2,
                        .n_buffers = 3,
                        .buffers = {NULL, (int32_t[]){0, 0, 0}, NULL}};
    const spec tail = {.format = "U",
                       .length = 2,
                       .offset = 2,
                       .n_buffers = 3,
                       .buffers = {NULL, long_ends, words}};

    CHECK_STR(read_as("t", STRINGS(word_ends, words)), "'alpha' 'beta' '' 'gamma'");
    CHECK_STR(read_as("t", &large), "'alpha' 'beta' '' 'gamma'");
    CHECK_STR(read_as("t", &tail), "'' 'gamma'");
    CHECK_STR(read_as("t", &part), "'beta' NULL 'gamma'");
    CHECK_STR(read_as("t", &empty), "'' ''");
}

static void
test_utf8(void)
{
    static const int32_t ends[] = {0, 2, 5}, cut[] = {0, 1, 2}, bad[] = {0, 1, 2};

    CHECK_STR(read_as("t", STRINGS(ends, "\xc3\xa9\xe2\x82\xac")),
              "'\xc3\xa9' '\xe2\x82\xac'");
    /* The two bytes are a character together, and none apart. */
    CHECK_STR(read_as("t", STRINGS(cut, "\xc3\xa9")),
              "VALUE row 0: t: '\\xc3' is not UTF-8");
    CHECK_STR(read_as("t", STRINGS(bad, "a\xff")),
              "VALUE row 1: t: '\\xff' is not UTF-8");
}

static void
test_string_views(void)
{
    typedef struct {
        int32_t size;
        char head[4];
        int32_t buffer, offset;
    } view;
    static const char second[] = "....a text of more than twelve";
    static const int64_t sizes[] = {14, 30};
    static const view views[] = {
        {5, {'s', 'h', 'o', 'r'}, 't', 0}, {26, {'a', ' ', 't', 'e'}, 1, 4}, {0}};
    static const view wrong[][1] = {
        {{26, "a te", 1, 5}},  {{26, "a te", 2, 0}}, {{26, "a te", -1, 0}},
        {{26, "a te", 1, -1}}, {{-1, "", 0, 0}},     {{26, "a te", 0, 0}},
    };
    const spec good = {.format = "vu",
                       .length = 3,
                       .n_buffers = 5,
                       .buffers = {NULL, views, words, second, sizes}};
    const spec small = {
        .format = "vu", .length = 1, .n_buffers = 3, .buffers = {NULL, views, NULL}};

    CHECK_STR(read_as("t", &good), "'short' 'a text of more than twelve' ''");
    CHECK_STR(read_as("t", &small), "'short'");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        spec bad = good;
        bad.length = 1;
        bad.buffers[1] = wrong[i];
        CHECK_STR(read_as("t", &bad),
                  "VALUE row 0: t: the array is malformed: a view points nowhere");
    }
}

static void
test_dictionaries(void)
{
    static const int8_t small[] = {3, 0, 0, 1};
    static const uint64_t large[] = {1, 0};
    static const int8_t outside[] = {0, 4}, below[] = {0, -1};
    const spec texts = {.format = "u",
                        .length = 4,
                        .n_buffers = 3,
                        .buffers = {NULL, word_ends, words}};
    const spec gaps = {.format = "u",
                       .length = 4,
                       .null_count = 1,
                       .n_buffers = 3,
                       .buffers = {holes, word_ends, words}};
    const spec days = {.format = "tdD",
                       .length = 2,
                       .n_buffers = 2,
                       .buffers = {NULL, (int32_t[]){0, 1}}};
    spec s = *PLAIN("c", small);
    s.dictionary = &texts;
    CHECK_STR(read_as("t", &s), "'gamma' 'alpha' 'alpha' 'beta'");
    s = *HOLES("c", small);
    s.dictionary = &texts;
    CHECK_STR(read_as("t", &s), "'alpha' NULL 'beta'");
    s = *PLAIN("c", ((int8_t[]){2, 1}));
    s.dictionary = &gaps;
    CHECK_STR(read_as("t", &s), "NULL 'beta'");
    s = *PLAIN("L", large);
    s.dictionary = &days;
    CHECK_STR(read_as("ts", &s), "1970-01-02 00:00:00 1970-01-01 00:00:00");
    s = *PLAIN("c", outside);
    s.dictionary = &texts;
    CHECK_HAS(read_as("t", &s), "row 1: t: the array is malformed: an index outside");
    s = *PLAIN("c", below);
    s.dictionary = &texts;
    CHECK_HAS(read_as("t", &s), "row 1: t: the array is malformed: an index outside");
}

static void
test_runs(void)
{
    static const int32_t ends[] = {2, 3, 6};
    static const int64_t numbers[] = {7, 8, 9};
    const spec run_ends = {
        .format = "i", .length = 3, .n_buffers = 2, .buffers = {NULL, ends}};
    const spec values = {.format = "l",
                         .length = 3,
                         .null_count = 1,
                         .n_buffers = 2,
                         .buffers = {(uint8_t[]){0x05}, numbers}};
    const spec texts = {.format = "u",
                        .length = 4,
                        .n_buffers = 3,
                        .buffers = {NULL, word_ends, words}};
    const spec packed = {.format = "C",
                         .length = 3,
                         .n_buffers = 2,
                         .buffers = {NULL, (uint8_t[]){0, 3, 1}},
                         .dictionary = &texts};
    spec s = {.format = "+r", .length = 6, .children = {&run_ends, &values}};

    CHECK_STR(read_as("i", &s), "7 7 NULL 9 9 9");
    s.offset = 1;
    s.length = 3;
    CHECK_STR(read_as("i", &s), "7 NULL 9");
    s.children[1] = &packed;
    CHECK_STR(read_as("t", &s), "'alpha' 'gamma' 'beta'");
    s.length = 6;
    CHECK_HAS(read_as("t", &s), "its runs end before its rows do");
}

/* ---- moments ---- */

static void
test_dates(void)
{
    static const int32_t days[] = {0, -719162, 2932896}, late[] = {0, 2932897};
    static const int64_t ms[] = {0, 86400000, -86400000}, part[] = {0, 1};

    CHECK_STR(read_as("d", PLAIN("tdD", days)), "1970-01-01 0001-01-01 9999-12-31");
    CHECK_STR(read_as("d", HOLES("tdD", days)), "0001-01-01 NULL");
    CHECK_STR(read_as("ts", PLAIN("tdD", days)),
              "1970-01-01 00:00:00 0001-01-01 00:00:00 9999-12-31 00:00:00");
    CHECK_STR(read_as("d", PLAIN("tdm", ms)), "1970-01-01 1970-01-02 1969-12-31");
    CHECK_STR(read_as("d", PLAIN("tdD", late)),
              "VALUE row 1: d: 2932897 (in its column's unit, from 1970) is outside of "
              "the years 1 to 9999");
    CHECK_STR(read_as("d", PLAIN("tdm", part)),
              "VALUE row 1: d: 1 milliseconds from 1970 are not a whole day");
}

static void
test_instants(void)
{
    static const int64_t one[] = {1, -1}, us[] = {1500000, -1}, ns[] = {1999, -1};
    static const int64_t first[] = {INT64_C(-62135596800)},
                         before[] = {INT64_C(-62135596801)}, most[] = {INT64_MAX};

    CHECK_STR(read_as("ts", PLAIN("tss:", one)),
              "1970-01-01 00:00:01 1969-12-31 23:59:59");
    CHECK_STR(read_as("ts", PLAIN("tsm:UTC", one)),
              "1970-01-01 00:00:00.001000 1969-12-31 23:59:59.999000");
    CHECK_STR(read_as("ts", PLAIN("tsu:Asia/Kolkata", us)),
              "1970-01-01 00:00:01.500000 1969-12-31 23:59:59.999999");
    CHECK_STR(read_as("ts", PLAIN("tsn:", ns)),
              "1970-01-01 00:00:00.000001 1969-12-31 23:59:59.999999");
    CHECK_STR(read_as("ts", HOLES("tsn:", ns)), "1969-12-31 23:59:59.999999");
    CHECK_STR(read_as("d", PLAIN("tsu:", us)), "1970-01-01 1969-12-31");
    CHECK_STR(read_as("ts", PLAIN("tss:", first)), "0001-01-01 00:00:00");
    CHECK_HAS(read_as("ts", PLAIN("tss:", before)), "outside of the years 1 to 9999");
    CHECK_HAS(read_as("ts", PLAIN("tss:", most)), "outside of the years 1 to 9999");
    CHECK_HAS(read_as("ts", PLAIN("tsu:", most)), "outside of the years 1 to 9999");
    CHECK_STR(read_as("ts", PLAIN("tsn:", most)), "2262-04-11 23:47:16.854775");
}

static void
test_moments_as_text(void)
{
    static const int32_t ends[] = {0, 10, 29}, bad[] = {0, 10, 20};
    static const char text[] = "2025-10-282025-10-28T05:42:44";
    static const char wrong[] = "2025-10-282025-02-30";

    CHECK_STR(read_as("d", STRINGS(ends, text)), "2025-10-28 2025-10-28");
    CHECK_STR(read_as("ts", STRINGS(ends, text)),
              "2025-10-28 00:00:00 2025-10-28 05:42:44");
    CHECK_STR(read_as("d", STRINGS(bad, wrong)),
              "VALUE row 1: d: expected a day as 'YYYY-MM-DD', got '2025-02-30'");
    CHECK_STR(err.value, "'2025-02-30'");
    CHECK_STR(read_as("ts", STRINGS(bad, wrong)),
              "VALUE row 1: ts: expected an instant as 'YYYY-MM-DD HH:MM:SS', got "
              "'2025-02-30'");
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_integers);
    RUN(test_integers_out_of_range);
    RUN(test_floats);
    RUN(test_floats_refused);
    RUN(test_bool_and_null);
    RUN(test_decimals);
    RUN(test_decimal_digits);
    RUN(test_strings);
    RUN(test_utf8);
    RUN(test_string_views);
    RUN(test_dictionaries);
    RUN(test_runs);
    RUN(test_dates);
    RUN(test_instants);
    RUN(test_moments_as_text);
    return check_end();
}
