/* formats/arrow_in, arrow_type: which columns fit a table, and the first row that does not. */
#include "arrow_case.h"
#include "check.h"

/* ---- the schema as a whole ---- */

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

/* An empty array is handed on, so that the caller can stop a producer of nothing else. */
static void
test_arrays_without_rows(void)
{
    spec columns[3];
    memcpy(columns, good_columns, sizeof(columns));
    columns[0].length = columns[1].length = columns[2].length = 0;
    producer p = {.columns = columns, .n = 3, .n_chunks = 2};
    struct ArrowArrayStream stream = make_stream(&p);
    ss_arrow_in *in = NULL;
    ss_batch *batch = NULL;
    ss_error_init(&err);
    CHECK_INT(ss_arrow_in_open(&stream, &strict_table, &in, &err), SS_OK);
    for (int made = 1; made <= 2; made++) {
        CHECK_INT(ss_arrow_in_next(in, 100, &batch, &err), SS_OK);
        CHECK(batch != NULL && batch->n_rows == 0);
        CHECK_INT(p.made, made);
        ss_batch_release(batch);
        batch = NULL;
    }
    CHECK_INT(ss_arrow_in_next(in, 100, &batch, &err), SS_OK);
    CHECK(batch == NULL);
    ss_arrow_in_free(in);
    CHECK_INT(live_arrays + live_streams, 0);
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

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_columns);
    RUN(test_all_mismatches_at_once);
    RUN(test_types_that_do_not_fit);
    RUN(test_first_bad_row);
    RUN(test_rows_count_through_chunks);
    RUN(test_arrays_without_rows);
    RUN(test_a_secret_is_not_shown);
    return check_end();
}
