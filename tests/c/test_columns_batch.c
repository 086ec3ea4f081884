/* columns/column and columns/batch. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "check.h"
#include "columns_case.h"
#include "mix.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* ---- material ---- */

/* Text and blobs of the cells point into this. */
static char bytes[4096];

static ss_value
bytes_value(ss_tag tag, uint64_t x)
{
    /* Mostly short; now and then longer than the room set aside. */
    size_t n = x % 97 == 0 ? 500 + x % 3000 : x % 40;
    ss_value value = {.tag = tag};

    value.as.s.p = bytes + x % 500;
    value.as.s.n = n;
    return value;
}

/* The cell that belongs at this place: the same at every call. */
static ss_value
cell_at(ss_kind kind, int64_t row)
{
    uint64_t x = mix((uint64_t)row * 8 + kind);
    ss_value value = {.tag = SS_VALUE_NULL};

    if (x % 7 == 0) {
        return value;
    }
    switch (kind) {
    case SS_KIND_INT:
        return (ss_value){.tag = SS_VALUE_INT, .as.i = (int64_t)mix(x)};
    case SS_KIND_REAL:
        return (ss_value){.tag = SS_VALUE_REAL, .as.r = (double)(int64_t)mix(x) / 3.0};
    case SS_KIND_TEXT:
        return bytes_value(SS_VALUE_TEXT, x);
    case SS_KIND_DATE:
        return (ss_value){.tag = SS_VALUE_DATE,
                          .as.i = (int64_t)(x % 3000000) - 700000};
    case SS_KIND_TIMESTAMP:
        return (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = (int64_t)mix(x) / 7};
    case SS_KIND_ANY:
        switch (x % 5) {
        case 0:
            return bytes_value(SS_VALUE_TEXT, x);
        case 1:
            return bytes_value(SS_VALUE_BLOB, x);
        case 2:
            return (ss_value){.tag = SS_VALUE_REAL, .as.r = (double)x};
        case 3:
            return (ss_value){.tag = SS_VALUE_DATE, .as.i = (int64_t)(x % 20000)};
        default:
            return (ss_value){.tag = SS_VALUE_INT, .as.i = -(int64_t)(x >> 1)};
        }
    }
    return value;
}

static ss_batch *
new_batch(int64_t hint)
{
    ss_batch *batch = NULL;

    ss_error_init(&err);
    if (ss_batch_new_free(all_names, all_kinds, N_KINDS, hint, &batch, &err) != SS_OK) {
        return NULL;
    }
    return batch;
}

static ss_status
put_row(ss_batch *batch, int64_t row)
{
    SS_TRY(ss_batch_row(batch));
    for (int c = 0; c < batch->n_columns; c++) {
        ss_value value = cell_at((ss_kind)batch->columns[c].kind, row);
        SS_TRY(ss_batch_put(batch, c, &value));
    }
    ss_batch_row_done(batch);
    return SS_OK;
}

static void
check_cells(const ss_batch *batch, int64_t n_rows)
{
    CHECK_INT(batch->n_rows, n_rows);
    for (int c = 0; c < batch->n_columns; c++) {
        const ss_column *column = &batch->columns[c];
        int64_t nulls = 0;
        for (int64_t row = 0; row < n_rows; row++) {
            ss_value want = cell_at((ss_kind)column->kind, row), got;
            ss_column_get(column, row, &got);
            CHECK(same_cell(&want, &got));
            CHECK_INT(ss_column_is_null(column, row), want.tag == SS_VALUE_NULL);
            nulls += want.tag == SS_VALUE_NULL;
        }
        CHECK_INT(column->null_count, nulls);
        CHECK(column->kind != SS_KIND_TEXT || column->data.offsets[0] == 0);
        CHECK(column->kind != SS_KIND_TEXT ||
              (size_t)column->data.offsets[n_rows] == column->n_bytes);
    }
}

/* ---- column ---- */

static void
test_kind_names(void)
{
    CHECK_STR(ss_kind_name(SS_KIND_INT), "INTEGER");
    CHECK_STR(ss_kind_name(SS_KIND_REAL), "REAL");
    CHECK_STR(ss_kind_name(SS_KIND_TEXT), "TEXT");
    CHECK_STR(ss_kind_name(SS_KIND_DATE), "DATE");
    CHECK_STR(ss_kind_name(SS_KIND_TIMESTAMP), "TIMESTAMP");
    CHECK_STR(ss_kind_name(SS_KIND_ANY), "ANY");
    CHECK_INT(ss_kind_width(SS_KIND_DATE), 4);
    CHECK_INT(ss_kind_width(SS_KIND_ANY), 16);
    CHECK_INT(ss_kind_width(SS_KIND_TEXT), 8);
}

static void
test_value_equal(void)
{
    static const struct {
        int64_t i;
        double r;
        bool equal;
    } cases[] = {
        {1, 1.0, true},
        {0, -0.0, true},
        {INT64_C(9007199254740993), 9007199254740992.0, false},
        {INT64_C(9007199254740992), 9007199254740992.0, true},
        {INT64_MAX, 9223372036854775808.0, false},
        {INT64_MIN, -9223372036854775808.0, true},
        {1, 1.5, false},
        {0, (double)NAN, false},
        {INT64_MAX, (double)INFINITY, false},
        {INT64_MIN, -(double)INFINITY, false},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        ss_value i = {.tag = SS_VALUE_INT, .as.i = cases[k].i};
        ss_value r = {.tag = SS_VALUE_REAL, .as.r = cases[k].r};
        CHECK_INT(ss_value_equal(&i, &r), cases[k].equal);
        CHECK_INT(ss_value_equal(&r, &i), cases[k].equal);
    }
    ss_value null = {.tag = SS_VALUE_NULL, .as.i = 1}, other = {.tag = SS_VALUE_NULL};
    ss_value nan = {.tag = SS_VALUE_REAL, .as.r = (double)NAN};
    ss_value text = {.tag = SS_VALUE_TEXT, .as.s = {"a\0b", 3}};
    ss_value longer = {.tag = SS_VALUE_TEXT, .as.s = {"a\0bc", 4}};
    ss_value differs = {.tag = SS_VALUE_TEXT, .as.s = {"a\0c", 3}};
    ss_value blob = {.tag = SS_VALUE_BLOB, .as.s = {"a\0b", 3}};
    ss_value day = {.tag = SS_VALUE_DATE, .as.i = 1};
    ss_value one = {.tag = SS_VALUE_INT, .as.i = 1};
    CHECK(ss_value_equal(&null, &other));
    CHECK(!ss_value_equal(&nan, &nan));
    CHECK(ss_value_equal(&text, &text) && ss_value_equal(&blob, &blob));
    CHECK(!ss_value_equal(&text, &longer) && !ss_value_equal(&text, &differs));
    CHECK(!ss_value_equal(&text, &blob) && !ss_value_equal(&day, &one));
    CHECK(!ss_value_equal(&null, &one) && ss_value_equal(&day, &day));
}

/* ---- batch ---- */

static void
grow_to(int64_t hint, int64_t n_rows)
{
    ss_batch *batch = new_batch(hint);

    CHECK(batch != NULL);
    CHECK_INT(atomic_load(&batch->refs), 1);
    for (int64_t row = 0; row < n_rows; row++) {
        CHECK_INT(put_row(batch, row), SS_OK);
    }
    check_cells(batch, n_rows);
    size_t before = ss_batch_size(batch);
    ss_batch_finish(batch);
    check_cells(batch, n_rows);
    CHECK(ss_batch_size(batch) <= before);
    CHECK(ss_batch_size(batch) >= (size_t)n_rows * (8 + 8 + 8 + 4 + 8 + 16));
    ss_batch_release(batch);
}

static void
test_batch_growth(void)
{
    static const int64_t hints[] = {0, 1, 2, 63, 64, 65, 1000000};
    static const int64_t sizes[] = {0,    1,    2,    7,    8,   9,    63,
                                    64,   65,   511,  512,  513, 1023, 1024,
                                    1025, 2047, 2048, 2049, 5000};

    for (size_t h = 0; h < sizeof(hints) / sizeof(hints[0]); h++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            grow_to(hints[h], sizes[s]);
        }
    }
    grow_to(1, 100000);
}

static void
test_batch_small_is_one_block(void)
{
#ifdef SS_TEST_FAULTS
    for (int64_t n = 1; n <= 64; n += 9) {
        ss_mem_fail_after(1000000, false);
        ss_batch *batch = new_batch(n);
        CHECK(batch != NULL);
        for (int64_t row = 0; row < n; row++) {
            CHECK_INT(ss_batch_row(batch), SS_OK);
            for (int c = 0; c < N_KINDS; c++) {
                ss_value value = cell_at((ss_kind)all_kinds[c], row);
                if (value.tag == SS_VALUE_TEXT || value.tag == SS_VALUE_BLOB) {
                    value.as.s.n = 24; /* what is set aside for each */
                }
                CHECK_INT(ss_batch_put(batch, c, &value), SS_OK);
            }
            ss_batch_row_done(batch);
        }
        ss_batch_finish(batch);
        CHECK_INT(ss_mem_count(), 1);
        for (int c = 0; c < N_KINDS; c++) {
            CHECK_INT(batch->columns[c].own, 0);
        }
        ss_mem_fail_after(-1, false);
        ss_batch_release(batch);
    }
#endif
}

static void
test_batch_under_a_null_is_zero(void)
{
    ss_batch *batch = new_batch(4);
    ss_value null = {.tag = SS_VALUE_NULL, .as.i = -1};

    CHECK(batch != NULL);
    for (int row = 0; row < 3; row++) {
        CHECK_INT(ss_batch_row(batch), SS_OK);
        for (int c = 0; c < N_KINDS; c++) {
            CHECK_INT(ss_batch_put(batch, c, &null), SS_OK);
        }
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    for (int c = 0; c < N_KINDS; c++) {
        ss_column *column = &batch->columns[c];
        size_t n = ss_kind_width((ss_kind)column->kind) * 3;
        const char *raw = column->data.p;
        CHECK_INT(column->null_count, 3);
        CHECK(column->validity != NULL && (column->validity[0] & 7) == 0);
        for (size_t i = 0; i < n; i++) {
            CHECK_INT(raw[i], 0);
        }
    }
    ss_batch_release(batch);
}

static void
test_batch_finish_drops_bitmaps(void)
{
    static const uint8_t kinds[] = {SS_KIND_INT, SS_KIND_INT};
    static const char *const names[] = {"full", "holed"};

    for (int64_t n = 1; n <= 3000; n += 2999) {
        ss_batch *batch = NULL;
        CHECK_INT(ss_batch_new_free(names, kinds, 2, 1, &batch, &err), SS_OK);
        for (int64_t row = 0; row < n; row++) {
            ss_value value = {.tag = SS_VALUE_INT, .as.i = row};
            ss_value hole = {.tag = row == n - 1 ? SS_VALUE_NULL : SS_VALUE_INT};
            CHECK_INT(ss_batch_row(batch), SS_OK);
            CHECK_INT(ss_batch_put(batch, 1, &hole), SS_OK);
            CHECK_INT(ss_batch_put(batch, 0, &value), SS_OK);
            ss_batch_row_done(batch);
        }
        CHECK(batch->columns[0].validity != NULL);
        ss_batch_finish(batch);
        CHECK(batch->columns[0].validity == NULL);
        CHECK(batch->columns[1].validity != NULL);
        CHECK(!ss_column_is_null(&batch->columns[0], n - 1));
        CHECK(ss_column_is_null(&batch->columns[1], n - 1));
        ss_batch_finish(batch); /* once more does nothing */
        ss_batch_release(batch);
    }
}

static void
test_batch_big_texts(void)
{
    static const size_t sizes[] = {0,    1,    23,   24, 25,     4095,     4096,
                                   4097, 8191, 8193, 0,  100000, 10000000, 3};
    enum { N = sizeof(sizes) / sizeof(sizes[0]) };
    static const uint8_t kinds[] = {SS_KIND_TEXT, SS_KIND_ANY};
    static const char *const names[] = {"t", "a"};
    char *big = malloc(10000000);
    ss_batch *batch = NULL;

    CHECK(big != NULL);
    for (size_t i = 0; i < 10000000; i++) {
        big[i] = (char)('a' + i % 23);
    }
    CHECK_INT(ss_batch_new_free(names, kinds, 2, 1, &batch, &err), SS_OK);
    for (int i = 0; i < N; i++) {
        ss_value value = {.tag = SS_VALUE_TEXT, .as.s = {big + i, 0}};
        value.as.s.n = i == 12 ? sizes[i] - 12 : sizes[i];
        CHECK_INT(ss_batch_row(batch), SS_OK);
        CHECK_INT(ss_batch_put(batch, 0, &value), SS_OK);
        value.tag = SS_VALUE_BLOB;
        CHECK_INT(ss_batch_put(batch, 1, &value), SS_OK);
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    for (int i = 0; i < N; i++) {
        for (int c = 0; c < 2; c++) {
            ss_value got;
            ss_column_get(&batch->columns[c], i, &got);
            CHECK_INT(got.tag, c == 0 ? SS_VALUE_TEXT : SS_VALUE_BLOB);
            CHECK_INT(got.as.s.n, i == 12 ? sizes[i] - 12 : sizes[i]);
            CHECK(memcmp(got.as.s.p, big + i, got.as.s.n) == 0);
        }
    }
    CHECK(ss_batch_size(batch) > 20000000);
    ss_batch_release(batch);
    free(big);
}

static void
test_batch_refuses_other_kinds(void)
{
    static const ss_tag tag_of[] = {SS_VALUE_INT, SS_VALUE_REAL, SS_VALUE_TEXT,
                                    SS_VALUE_DATE, SS_VALUE_TIMESTAMP};
    ss_batch *batch = new_batch(1);

    CHECK(batch != NULL);
    CHECK_INT(ss_batch_row(batch), SS_OK);
    for (int c = 0; c < 5; c++) {
        for (int t = SS_VALUE_INT; t <= SS_VALUE_TIMESTAMP; t++) {
            ss_value value = {.tag = (ss_tag)t, .as.s = {"x", 1}};
            if (t != SS_VALUE_TEXT && t != SS_VALUE_BLOB) {
                value.as.i = 1;
            }
            CHECK_INT(ss_batch_put(batch, c, &value),
                      t == (int)tag_of[c] ? SS_OK : SS_TYPE);
        }
    }
    ss_batch_release(batch);
}

static void
test_batch_names_and_tables(void)
{
    static const int16_t some[] = {4, 0, 1};
    const ss_table_desc *table = &ss_tables[ss_catalog_table("conversion_funnel", 17)];
    int16_t map[SS_KIND_ANY + 64];
    char name[] = "ab";
    const char *names[] = {name, "ab", ""};
    ss_batch *batch = NULL;

    CHECK_INT(ss_batch_new_free(names, all_kinds, 3, 1, &batch, &err), SS_OK);
    name[0] = 'x'; /* they are copied */
    CHECK_STR(batch->names[0], "ab");
    CHECK_INT(ss_batch_find(batch, "ab", 2), 0);
    CHECK_INT(ss_batch_find(batch, "a", 1), -1);
    CHECK_INT(ss_batch_find(batch, "", 0), 2);
    CHECK(batch->table == NULL && !batch->whole);
    ss_batch_release(batch);

    CHECK_INT(ss_batch_new_table(table, some, 3, 1, &batch, &err), SS_OK);
    CHECK(batch->table == table && !batch->whole);
    CHECK_STR(batch->names[0], "count");
    CHECK_INT(batch->columns[2].kind, SS_KIND_DATE);
    ss_batch_release(batch);
    for (int16_t i = 0; i < table->n_columns; i++) {
        map[i] = i;
    }
    CHECK_INT(ss_batch_new_table(table, map, table->n_columns, 1, &batch, &err), SS_OK);
    CHECK(batch->whole);
    ss_batch_release(batch);
    map[0] = 1;
    map[1] = 0;
    CHECK_INT(ss_batch_new_table(table, map, table->n_columns, 1, &batch, &err), SS_OK);
    CHECK(!batch->whole);
    ss_batch_release(batch);
    CHECK_INT(ss_batch_new_table(table, map, 65, 1, &batch, &err), SS_INTERNAL);
    ss_error_init(&err);
    CHECK_INT(ss_batch_new_free(names, all_kinds, 0, 1, &batch, &err), SS_OK);
    ss_batch_finish(batch);
    ss_batch_release(batch);
    ss_batch_release(NULL);
}

enum { N_THREADS = 8, N_TURNS = 20000 };

/* Takes one reference. */
static void *
use_batch(void *arg)
{
    ss_batch *batch = arg;
    ss_value value;

    for (int i = 0; i < N_TURNS; i++) {
        ss_batch *mine = ss_batch_retain(batch);
        ss_column_get(&mine->columns[2], i % mine->n_rows, &value);
        ss_batch_release(mine);
    }
    ss_batch_release(batch);
    return NULL;
}

static void
test_batch_references(void)
{
    pthread_t threads[N_THREADS];
    ss_batch *batch = new_batch(1);

    CHECK(batch != NULL);
    for (int64_t row = 0; row < 2000; row++) {
        CHECK_INT(put_row(batch, row), SS_OK);
    }
    ss_batch_finish(batch);
    for (int i = 0; i < N_THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, use_batch, ss_batch_retain(batch)) ==
              0);
    }
    ss_batch_release(batch); /* the last thread frees it */
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void
test_batch_notes(void)
{
    ss_batch *batch = new_batch(1);
    ss_value text = {.tag = SS_VALUE_TEXT, .as.s = {bytes, 500}};

    CHECK(batch != NULL);
    for (int64_t row = 0; row < 100; row++) {
        CHECK_INT(put_row(batch, row), SS_OK);
        CHECK_INT(ss_batch_note(batch, (int)(row % 6), &text), SS_OK);
    }
    CHECK_INT(batch->n_notes, 100);
    for (int64_t i = 0; i < 100; i++) {
        CHECK_INT(batch->notes[i].row, i + 1);
        CHECK_INT(batch->notes[i].column, i % 6);
        CHECK(strlen(batch->notes[i].value) < sizeof(batch->notes[i].value));
        CHECK_HAS(batch->notes[i].value, "...");
    }
    ss_batch_release(batch);
}

#ifdef SS_TEST_FAULTS
static ss_status
build_some(ss_batch **out)
{
    ss_value bad = {.tag = SS_VALUE_INT, .as.i = 1};
    ss_batch *batch = new_batch(1);

    if (batch == NULL) {
        return err.code;
    }
    for (int64_t row = 0; row < 3000; row++) {
        ss_status status = put_row(batch, row);
        if (status == SS_OK && row % 100 == 0) {
            status = ss_batch_note(batch, 0, &bad);
        }
        if (status != SS_OK) {
            ss_batch_release(batch);
            return status;
        }
    }
    *out = batch;
    return SS_OK;
}
#endif

static void
test_batch_without_memory(void)
{
#ifdef SS_TEST_FAULTS
    for (long n = 0;; n++) {
        for (int persistent = 0; persistent < 2; persistent++) {
            ss_batch *batch = NULL;
            ss_mem_fail_after(n, persistent);
            ss_status status = build_some(&batch);
            bool hit = ss_mem_count() > n;
            ss_mem_fail_after(-1, false);
            CHECK_INT(status, hit ? SS_NOMEM : SS_OK);
            ss_batch_release(batch);
            if (!hit) {
                CHECK(n > 20);
                printf("  %ld allocations\n", n);
                return;
            }
        }
    }
#endif
}

/* A row that could not be begun leaves the batch as it was: trying again works. */
static void
test_batch_grows_after_a_failure(void)
{
#ifdef SS_TEST_FAULTS
    for (long n = 0; n < 12; n++) {
        ss_batch *batch = new_batch(64);
        CHECK(batch != NULL);
        for (int64_t row = 0; row < 64; row++) {
            CHECK_INT(put_row(batch, row), SS_OK);
        }
        ss_mem_fail_after(n, false);
        CHECK_INT(ss_batch_row(batch), SS_NOMEM);
        ss_mem_fail_after(-1, false);
        check_cells(batch, 64);
        for (int64_t row = 64; row < 2000; row++) {
            CHECK_INT(put_row(batch, row), SS_OK);
        }
        ss_batch_finish(batch);
        check_cells(batch, 2000);
        ss_batch_release(batch);
    }
#endif
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)('a' + i % 26);
    }
    check_begin(argc, argv);
    RUN(test_kind_names);
    RUN(test_value_equal);
    RUN(test_batch_growth);
    RUN(test_batch_small_is_one_block);
    RUN(test_batch_under_a_null_is_zero);
    RUN(test_batch_finish_drops_bitmaps);
    RUN(test_batch_big_texts);
    RUN(test_batch_refuses_other_kinds);
    RUN(test_batch_names_and_tables);
    RUN(test_batch_references);
    RUN(test_batch_notes);
    RUN(test_batch_without_memory);
    RUN(test_batch_grows_after_a_failure);
    return check_end();
}
