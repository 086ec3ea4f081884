/* formats/arrow_in, arrow_cells, arrow_type, arrow_decimal: arrays made by hand, honest
 * and hostile.  What is read is compared as text: the cells, or the error's message. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "check.h"
#include "formats/arrow_decimal.h"
#include "formats/arrow_in.h"

#include <errno.h>
#include <stdlib.h>

/* ---- a table with a column of each kind, and one with what a row must have ---- */

static const ss_column_desc free_columns[] = {
    {.name = "i", .kind = SS_KIND_INT},        {.name = "r", .kind = SS_KIND_REAL},
    {.name = "t", .kind = SS_KIND_TEXT},       {.name = "d", .kind = SS_KIND_DATE},
    {.name = "ts", .kind = SS_KIND_TIMESTAMP},
};
static const ss_table_desc free_table = {
    .name = "things", .columns = free_columns, .n_columns = 5};

static const ss_column_desc strict_columns[] = {
    {.name = "day", .kind = SS_KIND_DATE, .flags = SS_COL_KEY | SS_COL_REQUIRED},
    {.name = "name", .kind = SS_KIND_TEXT, .flags = SS_COL_REQUIRED},
    {.name = "count", .kind = SS_KIND_INT},
    {.name = "secret", .kind = SS_KIND_DATE, .flags = SS_COL_SECRET},
};
static const ss_table_desc strict_table = {
    .name = "strict", .columns = strict_columns, .n_columns = 4};

/* ---- a producer ---- */

typedef struct spec {
    const char *name, *format;
    int64_t length, offset, null_count;
    int n_buffers;
    const void *buffers[6];
    const struct spec *children[2];
    const struct spec *dictionary;
} spec;

static int live_schemas, live_arrays, live_streams;

static void
release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) {
            schema->children[i]->release(schema->children[i]);
        }
        free(schema->children[i]);
    }
    if (schema->dictionary != NULL) {
        schema->dictionary->release(schema->dictionary);
        free(schema->dictionary);
    }
    free(schema->children);
    schema->children = NULL;
    schema->release = NULL;
    live_schemas--;
}

static void
make_schema(const spec *s, struct ArrowSchema *out)
{
    *out = (struct ArrowSchema){
        .format = s->format, .name = s->name, .release = release_schema};
    out->children = calloc(2, sizeof(*out->children));
    for (; out->n_children < 2 && s->children[out->n_children] != NULL;
         out->n_children++) {
        out->children[out->n_children] = calloc(1, sizeof(struct ArrowSchema));
        make_schema(s->children[out->n_children], out->children[out->n_children]);
    }
    if (s->dictionary != NULL) {
        out->dictionary = calloc(1, sizeof(struct ArrowSchema));
        make_schema(s->dictionary, out->dictionary);
    }
    live_schemas++;
}

/* What make_array allocated, whatever a test made of the struct since. */
typedef struct {
    struct ArrowArray *children[8];
    int n_children;
    struct ArrowArray *dictionary;
    const void *buffers[6];
} array_private;

static void
release_array(struct ArrowArray *array)
{
    array_private *own = array->private_data;
    for (int i = 0; i < own->n_children; i++) {
        if (own->children[i]->release != NULL) {
            own->children[i]->release(own->children[i]);
        }
        free(own->children[i]);
    }
    if (own->dictionary != NULL) {
        if (own->dictionary->release != NULL) {
            own->dictionary->release(own->dictionary);
        }
        free(own->dictionary);
    }
    free(own);
    array->release = NULL;
    live_arrays--;
}

static void
make_array(const spec *s, struct ArrowArray *out)
{
    array_private *own = calloc(1, sizeof(*own));
    *out = (struct ArrowArray){.length = s->length,
                               .offset = s->offset,
                               .null_count = s->null_count,
                               .n_buffers = s->n_buffers,
                               .buffers = own->buffers,
                               .children = own->children,
                               .release = release_array,
                               .private_data = own};
    memcpy(own->buffers, s->buffers, sizeof(own->buffers));
    for (int i = 0; i < 2 && s->children[i] != NULL; i++) {
        own->children[i] = calloc(1, sizeof(struct ArrowArray));
        make_array(s->children[i], own->children[i]);
        own->n_children++;
    }
    out->n_children = own->n_children;
    if (s->dictionary != NULL) {
        own->dictionary = calloc(1, sizeof(struct ArrowArray));
        make_array(s->dictionary, own->dictionary);
        out->dictionary = own->dictionary;
    }
    live_arrays++;
}

/* A stream of `n_chunks` times the same array of `n` columns. */
typedef struct {
    const spec *columns;
    int n, n_chunks, made;
    int64_t offset; /* of the array of all columns */
    void (*spoil_schema)(struct ArrowSchema *schema);
    void (*spoil_array)(struct ArrowArray *array);
    int schema_code, next_code;
    const char *last_error;
} producer;

static int
get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    producer *p = stream->private_data;
    static const spec all = {.format = "+s"};
    if (p->schema_code != 0) {
        return p->schema_code;
    }
    make_schema(&all, out);
    out->n_children = p->n;
    free(out->children);
    out->children = calloc((size_t)p->n + 1, sizeof(*out->children));
    for (int i = 0; i < p->n; i++) {
        out->children[i] = calloc(1, sizeof(struct ArrowSchema));
        make_schema(&p->columns[i], out->children[i]);
    }
    if (p->spoil_schema != NULL) {
        p->spoil_schema(out);
    }
    return 0;
}

static void
never_released(struct ArrowArray *array)
{
    array->release = NULL;
    live_arrays += 1000; /* seen by read_all */
}

static int
get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    producer *p = stream->private_data;
    spec all = {.n_buffers = 1, .offset = p->offset};
    if (p->made == p->n_chunks) {
        /* A failure hands nothing over, whatever is left in the struct. */
        out->release = p->next_code == 0 ? NULL : never_released;
        return p->next_code;
    }
    p->made++;
    all.length = p->columns[0].length - p->offset;
    make_array(&all, out);
    array_private *own = out->private_data;
    for (int i = 0; i < p->n; i++) {
        own->children[i] = calloc(1, sizeof(struct ArrowArray));
        make_array(&p->columns[i], own->children[i]);
    }
    own->n_children = p->n;
    out->n_children = p->n;
    if (p->spoil_array != NULL) {
        p->spoil_array(out);
    }
    return 0;
}

static const char *
get_last_error(struct ArrowArrayStream *stream)
{
    return ((producer *)stream->private_data)->last_error;
}

static void
release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
    live_streams--;
}

static struct ArrowArrayStream
make_stream(producer *p)
{
    live_streams++;
    return (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = p};
}

/* ---- what was read, as text ---- */

static char shown[8192];
static ss_error err;

static void
show(const char *text)
{
    size_t at = strlen(shown);
    snprintf(shown + at, sizeof(shown) - at, "%s", text);
}

static void
show_batch(const ss_batch *batch)
{
    char cell[64];
    ss_value value;
    for (int64_t row = 0; row < batch->n_rows; row++) {
        for (int c = 0; c < batch->n_columns; c++) {
            ss_column_get(&batch->columns[c], row, &value);
            ss_value_show(&value, cell, sizeof(cell));
            show(shown[0] == '\0' ? "" : c == 0 ? " " : ",");
            show(cell);
        }
    }
}

static void
show_error(ss_status status)
{
    show(shown[0] == '\0' ? "" : " ");
    show(status == err.code ? "" : "(status and err differ) ");
    show(status == SS_TYPE          ? "TYPE "
         : status == SS_VALUE       ? "VALUE "
         : status == SS_OVERFLOW    ? "OVERFLOW "
         : status == SS_OPERATIONAL ? "OPERATIONAL "
         : status == SS_NOMEM       ? "NOMEM "
                                    : "? ");
    show(err.message);
}

static ss_status
read_stream(producer *p, const ss_table_desc *table, int64_t max_rows)
{
    struct ArrowArrayStream stream = make_stream(p);
    ss_arrow_in *in = NULL;
    ss_batch *batch;
    ss_error_init(&err);
    ss_status status = ss_arrow_in_open(&stream, table, &in, &err);
    CHECK_VALUE(stream.release == NULL, SS_OK);
    while (status == SS_OK) {
        batch = NULL;
        status = ss_arrow_in_next(in, max_rows, &batch, &err);
        if (status != SS_OK || batch == NULL) {
            break;
        }
        CHECK_VALUE(batch->n_rows > 0 && batch->n_rows <= max_rows, SS_OK);
        show_batch(batch);
        ss_batch_release(batch);
    }
    ss_arrow_in_free(in);
    return status;
}

/* Everything the stream gives, in slices of `max_rows`. */
static const char *
read_all(producer *p, const ss_table_desc *table, int64_t max_rows)
{
    shown[0] = '\0';
    p->made = 0;
    ss_status status = read_stream(p, table, max_rows);
    if (status != SS_OK) {
        show_error(status);
    }
    CHECK_VALUE(live_schemas == 0 && live_arrays == 0 && live_streams == 0, "leak");
    return shown;
}

/* One column, under the name of one of things' columns. The same in slices of 1. */
static const char *
read_as(const char *name, const spec *column)
{
    static char at_once[sizeof(shown)];
    spec named = *column;
    named.name = name;
    producer p = {.columns = &named, .n = 1, .n_chunks = 1};
    snprintf(at_once, sizeof(at_once), "%s", read_all(&p, &free_table, 1000));
    if (strstr(at_once, "row ") == NULL) { /* else the rows before it are shown, too */
        CHECK_VALUE(strcmp(at_once, read_all(&p, &free_table, 1)) == 0, "slices");
    }
    return at_once;
}

#define N(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))
/* A column of fixed-width values without nulls. */
#define PLAIN(fmt, array) \
    (&(spec){.format = (fmt), .length = N(array), .n_buffers = 2, \
             .buffers = {NULL, (array)}})
/* The same from its row 1 on, in which rows 2 (and 9) are null. */
static const uint8_t holes[] = {0xfb, 0xfd};
#define HOLES(fmt, array) \
    (&(spec){.format = (fmt), .length = N(array) - 1, .offset = 1, .null_count = 1, \
             .n_buffers = 2, .buffers = {holes, (array)}})

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

    CHECK_STR(read_as("i", &truth), "1 0 1 1");
    CHECK_STR(read_as("i", &later), "0 NULL 1");
    CHECK_STR(read_as("r", &truth), "1 0 1 1");
    CHECK_STR(read_as("i", &nothing), "NULL NULL");
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

#define STRINGS(ends, data) \
    (&(spec){.format = "u", .length = N(ends) - 1, .n_buffers = 3, \
             .buffers = {NULL, (ends), (data)}})

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

/* ---- the schema as a whole ---- */

static const int64_t two[] = {1, 2};
static const int32_t two_days[] = {0, 1};
static const int32_t two_ends[] = {0, 1, 2};
static const spec good_columns[] = {
    {.name = "count",
     .format = "l",
     .length = 2,
     .n_buffers = 2,
     .buffers = {NULL, two}},
    {.name = "name",
     .format = "u",
     .length = 2,
     .n_buffers = 3,
     .buffers = {NULL, two_ends, "xy"}},
    {.name = "day",
     .format = "tdD",
     .length = 2,
     .n_buffers = 2,
     .buffers = {NULL, two_days}},
};

static void
test_columns(void)
{
    producer p = {.columns = good_columns, .n = 3, .n_chunks = 2};
    CHECK_STR(read_all(&p, &strict_table, 100),
              "1,'x',1970-01-01 2,'y',1970-01-02 1,'x',1970-01-01 2,'y',1970-01-02");
    p.offset = 1;
    CHECK_STR(read_all(&p, &strict_table, 100), "2,'y',1970-01-02 2,'y',1970-01-02");

    struct ArrowArrayStream stream = make_stream(&p);
    ss_arrow_in *in;
    int n;
    CHECK_INT(ss_arrow_in_open(&stream, &strict_table, &in, &err), SS_OK);
    const int16_t *columns = ss_arrow_in_columns(in, &n);
    CHECK(n == 3 && columns[0] == 2 && columns[1] == 1 && columns[2] == 0);
    CHECK_INT(ss_arrow_in_rows(in), 0);
    ss_arrow_in_free(in);
    CHECK_INT(live_streams, 0);
}

static void
test_all_mismatches_at_once(void)
{
    static const spec wrong[] = {
        {.name = "cuont", .format = "l"},  {.name = "name", .format = "tdD"},
        {.name = "count", .format = "+l"}, {.name = "count", .format = "l"},
        {.name = NULL, .format = "l"},     {.name = "secret", .format = "!?"},
    };
    producer p = {.columns = wrong, .n = 6};
    CHECK_STR(read_all(&p, &strict_table, 1),
              "TYPE the data does not fit strict: there is no column 'cuont' (did you "
              "mean 'count'?); 'name' is date32, which cannot become TEXT; 'count' is "
              "list, which cannot become INTEGER; 'count' is there twice; there is no "
              "column ''; 'secret' is !?, which cannot become DATE; missing: day");
}

static void
test_types_that_do_not_fit(void)
{
    static const char *const formats[] = {
        "z",   "Z",     "vz",      "w:3", "tts",  "ttn",   "tDs",   "tiM",
        "+l",  "+L",    "+w:",     "+s",  "+m",   "+ud:0", "+us:0", "d:",
        "d:3", "d:3,x", "d:3,1,7", "",    "tsx:", "tss",   "u!",    "+vl",
    };
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const spec s = {.format = formats[i]};
        CHECK_HAS(read_as("t", &s), "TYPE the data does not fit things: 't' is ");
        CHECK_HAS(read_as("i", &s), "which cannot become INTEGER");
    }
    CHECK_HAS(read_as("t", PLAIN("l", two)), "'t' is int64, which cannot become TEXT");
    CHECK_HAS(read_as("ts", PLAIN("l", two)), "cannot become TIMESTAMP");
    CHECK_HAS(read_as("d", PLAIN("g", two)), "'d' is double, which cannot become DATE");
    CHECK_HAS(read_as("i", PLAIN("tdD", two_days)), "cannot become INTEGER");
    CHECK_HAS(read_as("r", STRINGS(two_ends, "xy")), "'r' is string");
}

/* ---- the first bad row ---- */

static void
test_first_bad_row(void)
{
    static const double counts[] = {1, 2, 3, 4.5, 5};
    static const int32_t ends[] = {0, 1, 2, 2, 3, 4};
    static const int32_t days[] = {0, 1, 2, 3, 4};
    const uint8_t no_third[] = {0x1b};
    spec columns[] = {
        {.name = "count",
         .format = "g",
         .length = 5,
         .n_buffers = 2,
         .buffers = {NULL, counts}},
        {.name = "name",
         .format = "u",
         .length = 5,
         .n_buffers = 3,
         .buffers = {NULL, ends, "abcd"}},
        {.name = "day",
         .format = "tdD",
         .length = 5,
         .null_count = 1,
         .n_buffers = 2,
         .buffers = {no_third, days}},
    };
    producer p = {.columns = columns, .n = 3, .n_chunks = 2};
    /* Row 3 of the first column is bad, too, but row 2 of the last comes first. */
    CHECK_STR(read_all(&p, &strict_table, 100), "TYPE row 2: day: cannot be NULL");
    CHECK_INT(err.row, 2);
    CHECK_STR(err.column, "day");
    CHECK_STR(err.table, "strict");
    CHECK_STR(read_all(&p, &strict_table, 2),
              "1,'a',1970-01-01 2,'b',1970-01-02 TYPE row 2: day: cannot be NULL");
    columns[2].buffers[0] = NULL;
    columns[2].null_count = 0;
    CHECK_STR(read_all(&p, &strict_table, 100),
              "TYPE row 3: count: expected a whole number, got 4.5");
    CHECK_STR(err.value, "4.5");
    columns[1].buffers[2] = "abc\xff";
    CHECK_STR(read_all(&p, &strict_table, 100),
              "TYPE row 3: count: expected a whole number, got 4.5");
}

static int bad_chunk;
static void
spoil_second_chunk(struct ArrowArray *array)
{
    static const double bad[] = {1, 1.5};
    if (bad_chunk++ == 1) {
        array->children[0]->buffers[1] = bad;
    }
}

static void
test_rows_count_through_chunks(void)
{
    static const double counts[] = {1, 2};
    spec columns[] = {{.name = "i",
                       .format = "g",
                       .length = 2,
                       .n_buffers = 2,
                       .buffers = {NULL, counts}}};
    producer p = {
        .columns = columns, .n = 1, .n_chunks = 3, .spoil_array = spoil_second_chunk};
    bad_chunk = 0;
    CHECK_STR(read_all(&p, &free_table, 100),
              "1 2 TYPE row 3: i: expected a whole number, got 1.5");
}

static void
test_a_secret_is_not_shown(void)
{
    static const int32_t ends[] = {0, 6};
    spec columns[3];
    memcpy(columns, good_columns, sizeof(columns));
    columns[0] = *STRINGS(ends, "hunter");
    columns[0].name = "secret";
    columns[1].length = columns[2].length = 1;
    producer p = {.columns = columns, .n = 3, .n_chunks = 1};
    CHECK_STR(read_all(&p, &strict_table, 100),
              "VALUE row 0: secret: expected a day as 'YYYY-MM-DD'");
    CHECK_STR(err.value, "");
}

/* ---- producers that fail, and hostile ones ---- */

static void
test_errors_of_the_stream(void)
{
    producer p = {.columns = good_columns, .n = 3, .n_chunks = 1};
    p.schema_code = EIO;
    p.last_error = "the disk is gone";
    CHECK_STR(read_all(&p, &strict_table, 100),
              "OPERATIONAL the Arrow stream failed: the disk is gone");
    p.schema_code = 0;
    p.next_code = EINVAL;
    CHECK_HAS(read_all(&p, &strict_table, 100),
              "OPERATIONAL the Arrow stream failed: the disk is gone");
    p.last_error = NULL;
    CHECK_HAS(read_all(&p, &strict_table, 100),
              "failed with error 22 and said no more");
    p.next_code = ENOMEM;
    CHECK_HAS(read_all(&p, &strict_table, 100), "NOMEM ");
}

static void
test_a_stream_is_read_once(void)
{
    producer p = {.columns = good_columns, .n = 3};
    struct ArrowArrayStream stream = make_stream(&p);
    ss_arrow_in *in = NULL, *again = NULL;
    ss_batch *batch = NULL;
    ss_error_init(&err);
    CHECK_INT(ss_arrow_in_open(&stream, &strict_table, &in, &err), SS_OK);
    CHECK_INT(ss_arrow_in_open(&stream, &strict_table, &again, &err), SS_VALUE);
    CHECK_HAS(err.message, "released");
    CHECK(again == NULL);
    ss_error_init(&err);
    CHECK_INT(ss_arrow_in_next(in, 1, &batch, &err), SS_OK);
    CHECK(batch == NULL);
    CHECK_INT(ss_arrow_in_next(in, 1, &batch, &err), SS_OK); /* the end, once more */
    p.next_code = EIO;
    CHECK_INT(ss_arrow_in_next(in, 1, &batch, &err), SS_OPERATIONAL);
    ss_error_init(&err);
    CHECK_INT(ss_arrow_in_next(in, 1, &batch, &err), SS_INTERFACE);
    ss_arrow_in_free(in);
    CHECK_INT(live_streams, 0);

    stream = make_stream(&p);
    stream.get_next = NULL;
    ss_error_init(&err);
    CHECK_INT(ss_arrow_in_open(&stream, &strict_table, &in, &err), SS_VALUE);
    CHECK_INT(live_streams, 0);
}

#define SPOIL(name, type, ...) \
    static void name(struct type *it) { __VA_ARGS__; }
/* clang-format off */
SPOIL(schema_released, ArrowSchema,
      struct ArrowSchema *c = it->children[1]; c->release(c))
SPOIL(schema_no_format, ArrowSchema, it->children[1]->format = NULL)
SPOIL(schema_of_one, ArrowSchema, it->format = "l")
SPOIL(array_long, ArrowArray, it->length = 3)
SPOIL(array_negative, ArrowArray, it->length = -1)
SPOIL(array_offset, ArrowArray, it->offset = INT64_MAX)
SPOIL(array_offset_negative, ArrowArray, it->offset = -1)
SPOIL(array_children, ArrowArray, it->n_children = 2)
SPOIL(array_no_children, ArrowArray, it->children = NULL)
SPOIL(array_buffers, ArrowArray, it->n_buffers = 0)
SPOIL(array_no_buffers, ArrowArray, it->buffers = NULL)
SPOIL(array_nulls, ArrowArray, it->null_count = 1)
SPOIL(array_null_row, ArrowArray, it->buffers[0] = "\1")
SPOIL(child_negative, ArrowArray, it->children[0]->length = -1)
SPOIL(child_short, ArrowArray, it->children[1]->length = 1)
SPOIL(child_vast, ArrowArray, it->children[0]->length = INT64_MAX)
SPOIL(child_offset, ArrowArray, it->children[0]->offset = -2)
SPOIL(child_offset_vast, ArrowArray, it->children[0]->offset = INT64_MAX - 1)
SPOIL(child_nulls, ArrowArray, it->children[0]->null_count = -2)
SPOIL(child_more_nulls, ArrowArray, it->children[0]->null_count = 3)
SPOIL(child_no_bitmap, ArrowArray, it->children[0]->null_count = 1)
SPOIL(child_n_buffers, ArrowArray, it->children[1]->n_buffers = 2)
SPOIL(child_no_buffers, ArrowArray, it->children[1]->buffers = NULL)
SPOIL(child_no_data, ArrowArray, it->children[0]->buffers[1] = NULL)
SPOIL(child_no_offsets, ArrowArray, it->children[1]->buffers[1] = NULL)
SPOIL(child_no_bytes, ArrowArray, it->children[1]->buffers[2] = NULL)
SPOIL(child_children, ArrowArray, it->children[0]->n_children = 1)
SPOIL(child_dictionary, ArrowArray, it->children[0]->dictionary = it)
SPOIL(child_released, ArrowArray,
      struct ArrowArray *c = it->children[2]; c->release(c))
SPOIL(child_descends, ArrowArray,
      static const int32_t ends[3] = {0, 2, 1}; it->children[1]->buffers[1] = ends)
SPOIL(child_below, ArrowArray,
      static const int32_t ends[3] = {-1, 0, 1}; it->children[1]->buffers[1] = ends)
/* clang-format on */

static void
test_hostile_schemas(void)
{
    static void (*const spoils[])(struct ArrowSchema *) = {
        schema_released, schema_no_format, schema_of_one};
    producer p = {.columns = good_columns, .n = 3, .n_chunks = 1};
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        p.spoil_schema = spoils[i];
        CHECK_HAS(read_all(&p, &strict_table, 100),
                  i == 2 ? "TYPE expected a stream of named columns, got one of int64"
                         : "VALUE the Arrow stream is malformed: one of its columns");
    }
    p.spoil_schema = NULL;
    p.n = 0;
    CHECK_HAS(read_all(&p, &strict_table, 100), "its number of columns cannot be");
}

static void
test_hostile_arrays(void)
{
    static void (*const spoils[])(struct ArrowArray *) = {
        array_long,       array_negative,    array_offset,      array_offset_negative,
        array_children,   array_no_children, array_buffers,     array_no_buffers,
        array_nulls,      array_null_row,    child_negative,    child_short,
        child_vast,       child_offset,      child_offset_vast, child_nulls,
        child_more_nulls, child_no_bitmap,   child_n_buffers,   child_no_buffers,
        child_no_data,    child_no_offsets,  child_no_bytes,    child_children,
        child_dictionary, child_released,    child_descends,    child_below,
    };
    producer p = {.columns = good_columns, .n = 3, .n_chunks = 1};
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        p.spoil_array = spoils[i];
        CHECK_HAS(read_all(&p, &strict_table, 100), "is malformed: ");
    }
}

/* Packed arrays whose parts are released or missing, one after another. */
static const spec *packed_column;
static void
spoil_part(struct ArrowArray *array, int part)
{
    struct ArrowArray *child = array->children[0];
    if (packed_column->dictionary != NULL && part == 0) {
        child->dictionary->release(child->dictionary);
    }
    else if (packed_column->dictionary != NULL) {
        child->dictionary = NULL;
    }
    else {
        struct ArrowArray *one = child->children[part];
        one->release(one);
    }
}
SPOIL(spoil_part_0, ArrowArray, spoil_part(it, 0))
SPOIL(spoil_part_1, ArrowArray, spoil_part(it, 1))
SPOIL(spoil_run_values, ArrowArray, it->children[0]->children[1]->length = 1)

static void
test_hostile_packing(void)
{
    static const int32_t ends[] = {2, 2}, from_zero[] = {0, 2};
    const spec run_ends = {
        .format = "i", .length = 2, .n_buffers = 2, .buffers = {NULL, from_zero}};
    const spec no_ascent = {
        .format = "i", .length = 2, .n_buffers = 2, .buffers = {NULL, ends}};
    const spec good_ends = {.format = "i",
                            .length = 2,
                            .n_buffers = 2,
                            .buffers = {NULL, (int32_t[]){1, 2}}};
    const spec none = {.format = "i", .offset = 5, .n_buffers = 2};
    const spec values = {
        .format = "l", .length = 2, .n_buffers = 2, .buffers = {NULL, two}};
    spec runs = {
        .name = "i", .format = "+r", .length = 2, .children = {&good_ends, &values}};
    const spec dictionary = {.name = "i",
                             .format = "i",
                             .length = 2,
                             .n_buffers = 2,
                             .buffers = {NULL, two_days},
                             .dictionary = &values};
    producer p = {.columns = packed_column = &runs, .n = 1, .n_chunks = 1};
    void (*const spoils[])(struct ArrowArray *) = {spoil_part_0, spoil_part_1,
                                                   spoil_run_values};
    CHECK_STR(read_all(&p, &free_table, 9), "1 2");
    for (int i = 0; i < 3; i++) {
        p.spoil_array = spoils[i];
        CHECK_HAS(read_all(&p, &free_table, 9), "is malformed: ");
    }
    p.spoil_array = NULL;
    const spec *const bad_ends[] = {&run_ends, &no_ascent, &none};
    for (int i = 0; i < 3; i++) {
        runs.children[0] = bad_ends[i];
        CHECK_HAS(read_all(&p, &free_table, 9),
                  i < 2 ? "is malformed: i: its run ends do not ascend"
                        : "is malformed: i: its runs end before its rows do");
    }
    p.columns = packed_column = &dictionary;
    CHECK_STR(read_all(&p, &free_table, 9), "1 2");
    for (int i = 0; i < 2; i++) {
        p.spoil_array = spoils[i];
        CHECK_HAS(read_all(&p, &free_table, 9), "is malformed: ");
    }
}

/* A bitmap is believed, whatever the count of nulls says. */
static void
test_null_counts_that_lie(void)
{
    static const int64_t three[] = {1, 2, 3};
    spec s = *PLAIN("l", three);
    s.buffers[0] = (uint8_t[]){0x05};
    CHECK_STR(read_as("i", &s), "1 NULL 3");
    s.null_count = 3;
    CHECK_STR(read_as("i", &s), "1 NULL 3");

    s = *STRINGS(two_ends, "abc");
    s.buffers[0] = (uint8_t[]){0xfd, 0xff};
    s.length = 12;
    s.buffers[1] = (int32_t[]){0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    CHECK_STR(read_as("t", &s), "'a' NULL 'c' '' '' '' '' '' '' '' '' ''");
}

/* What lies under a null is nobody's business. */
static void
test_garbage_under_nulls(void)
{
    static const double reals[] = {1, 0.0 / 0.0, 3};
    static const int32_t days[] = {1, INT32_MAX, 3};
    static const int64_t instants[] = {1, INT64_MAX, 3};
    static const int32_t ends[] = {0, 1, 2, 3};
    const uint8_t hole[] = {0x05};
    spec s = *PLAIN("g", reals);
    s.buffers[0] = hole;
    CHECK_STR(read_as("r", &s), "1 NULL 3");
    s = *PLAIN("tdD", days);
    s.buffers[0] = hole;
    CHECK_STR(read_as("d", &s), "1970-01-02 NULL 1970-01-04");
    s = *PLAIN("tss:", instants);
    s.buffers[0] = hole;
    CHECK_STR(read_as("ts", &s), "1970-01-01 00:00:01 NULL 1970-01-01 00:00:03");
    s = *STRINGS(ends, "a\xff"
                       "b");
    s.buffers[0] = hole;
    CHECK_STR(read_as("t", &s), "'a' NULL 'b'");
}

/* After nulls and some rows the fast way gives up; what it did must not show. */
static void
test_starting_over(void)
{
    static const int32_t ends[] = {0, 1, 2, 3};
    static const int32_t run_ends[] = {1, 2, 3, 4};
    const uint8_t first_null[] = {0x06};
    const spec strings = {.format = "u",
                          .length = 3,
                          .n_buffers = 3,
                          .buffers = {first_null, ends, "ab\xff"}};
    const spec more = {
        .format = "i", .length = 4, .n_buffers = 2, .buffers = {NULL, run_ends}};
    const spec packed = {.format = "c",
                         .length = 4,
                         .n_buffers = 2,
                         .buffers = {NULL, (int8_t[]){1, 1, 0, 2}},
                         .dictionary = &strings};
    const spec runs = {.format = "+r", .length = 4, .children = {&more, &packed}};
    CHECK_STR(read_as("t", &runs), "VALUE row 3: t: '\\xff' is not UTF-8");

    spec columns[] = {good_columns[2], strings};
    columns[0].length = 2;
    columns[1].name = "name";
    columns[1].length = 2;
    producer p = {.columns = columns, .n = 2, .n_chunks = 1};
    CHECK_STR(read_all(&p, &strict_table, 9), "TYPE row 0: name: cannot be NULL");
}

/* Nothing is aligned, and no byte behind the last row is touched. */
static void
test_unaligned_and_exact(void)
{
    enum { ROWS = 1000 };
    char *block = malloc(ROWS * 8 + 1), *ends = malloc((ROWS + 1) * 4 + 1);
    char *bitmap = malloc(ROWS / 8), *bytes = malloc(ROWS);
    for (int32_t i = 0; i <= ROWS; i++) {
        int64_t value = i;
        memcpy(ends + 1 + i * 4, &i, 4);
        if (i < ROWS) {
            memcpy(block + 1 + i * 8, &value, 8);
            bytes[i] = (char)('a' + i % 26);
        }
    }
    memset(bitmap, 0xff, ROWS / 8);
    spec columns[] = {
        {.name = "i",
         .format = "l",
         .length = ROWS,
         .n_buffers = 2,
         .buffers = {bitmap, block + 1}},
        {.name = "ts",
         .format = "tsu:",
         .length = ROWS,
         .n_buffers = 2,
         .buffers = {bitmap, block + 1}},
        {.name = "t",
         .format = "u",
         .length = ROWS,
         .n_buffers = 3,
         .buffers = {bitmap, ends + 1, bytes}},
    };
    producer p = {.columns = columns, .n = 3, .n_chunks = 1};
    for (int rows = 1; rows <= 1000; rows *= 10) {
        CHECK_HAS(read_all(&p, &free_table, rows),
                  " 77,1970-01-01 00:00:00.000077,'z' 78,");
    }
    free(block);
    free(ends);
    free(bitmap);
    free(bytes);
}

static void
test_without_memory(void)
{
    enum { ROWS = 200 };
    static int64_t numbers[ROWS];
    static int32_t ends[ROWS + 1];
    static char bytes[ROWS * 40];
    memset(bytes, 'a', sizeof(bytes));
    for (int i = 0; i < ROWS; i++) {
        numbers[i] = i;
        ends[i + 1] = (i + 1) * 40;
    }
    const spec columns[] = {
        {.name = "i",
         .format = "l",
         .length = ROWS,
         .n_buffers = 2,
         .buffers = {NULL, numbers}},
        {.name = "t",
         .format = "u",
         .length = ROWS,
         .n_buffers = 3,
         .buffers = {NULL, ends, bytes}},
    };
    static const spec wrong[] = {{.name = "no", .format = "l"}};
    producer p = {.columns = columns, .n = 2, .n_chunks = 2};
    for (int i = 0; i < 2; i++) {
        long n = 0;
        bool failed = true;
        for (; failed; n++) {
            shown[0] = '\0';
            p.made = 0;
            ss_mem_fail_after(n, false);
            ss_status status = read_stream(&p, &free_table, 150);
            ss_mem_fail_after(-1, false);
            failed = status == SS_NOMEM;
            CHECK(live_schemas == 0 && live_arrays == 0 && live_streams == 0);
            CHECK(failed || status == (i == 0 ? SS_OK : SS_TYPE));
            CHECK(!failed || err.code == SS_NOMEM);
        }
        CHECK(n > (i == 0 ? 12 : 2));
        p.columns = wrong;
        p.n = 1;
    }
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
    RUN(test_columns);
    RUN(test_all_mismatches_at_once);
    RUN(test_types_that_do_not_fit);
    RUN(test_first_bad_row);
    RUN(test_rows_count_through_chunks);
    RUN(test_a_secret_is_not_shown);
    RUN(test_errors_of_the_stream);
    RUN(test_a_stream_is_read_once);
    RUN(test_hostile_schemas);
    RUN(test_hostile_arrays);
    RUN(test_hostile_packing);
    RUN(test_null_counts_that_lie);
    RUN(test_garbage_under_nulls);
    RUN(test_starting_over);
    RUN(test_unaligned_and_exact);
    RUN(test_without_memory);
    return check_end();
}
