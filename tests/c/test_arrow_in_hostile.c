/* formats/arrow_in: producers that fail or lie, arrays that are malformed, and no memory. */
#include "arrow_case.h"
#include "base/mem.h"
#include "check.h"

#include <errno.h>
#include <stdlib.h>

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
SPOIL(schema_negative, ArrowSchema, it->n_children = -1)
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
    CHECK_HAS(read_all(&p, &strict_table, 100), "missing: day, name");
    p.spoil_schema = schema_negative;
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
