/* columns/column, columns/batch and columns/fetch. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/moment.h"
#include "check.h"
#include "columns/fetch.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static ss_error err;

enum { N_KINDS = 6 };
static const uint8_t all_kinds[N_KINDS] = {SS_KIND_INT,       SS_KIND_REAL,
                                           SS_KIND_TEXT,      SS_KIND_DATE,
                                           SS_KIND_TIMESTAMP, SS_KIND_ANY};
static const char *const all_names[N_KINDS] = {"i", "r", "t", "d", "ts", "any"};

/* ---- material ---- */

static uint64_t
mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

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

static bool
same_cell(const ss_value *a, const ss_value *b)
{
    return a->tag == b->tag && ss_value_equal(a, b);
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

/* ---- fetch ---- */

static ss_conn *
open_conn(const char *sql)
{
    ss_conn_options options = {.path = ":memory:", .flags = SS_CONN_CREATE};
    ss_conn *conn = NULL;

    ss_error_init(&err);
    if (ss_conn_open(&options, &conn, &err) != SS_OK ||
        ss_fetch_register(conn, &err) != SS_OK ||
        ss_conn_exec(conn, sql, &err) != SS_OK) {
        printf("  %s\n", err.message);
        ss_conn_close(conn);
        return NULL;
    }
    return conn;
}

typedef ss_status fetcher(ss_stmt *, ss_batch *, bool, const char *, ss_error *);

static ss_status
fetch(ss_conn *conn, const char *sql, fetcher *how, bool strict, const uint8_t *kinds,
      int n, ss_batch **out)
{
    ss_stmt *stmt = NULL;
    ss_batch *batch = NULL;

    ss_error_init(&err);
    SS_TRY(ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, &err));
    ss_status status = ss_batch_new_free(all_names, kinds, n, 1, &batch, &err);
    if (status == SS_OK) {
        status = how(stmt, batch, strict, "reading x", &err);
    }
    ss_stmt_finalize(stmt);
    if (status != SS_OK) {
        ss_batch_release(batch);
        return status;
    }
    *out = batch;
    return SS_OK;
}

static bool
same_batch(const ss_batch *a, const ss_batch *b)
{
    if (a->n_rows != b->n_rows || a->n_columns != b->n_columns ||
        a->n_notes != b->n_notes) {
        return false;
    }
    for (int c = 0; c < a->n_columns; c++) {
        for (int64_t row = 0; row < a->n_rows; row++) {
            ss_value x, y;
            ss_column_get(&a->columns[c], row, &x);
            ss_column_get(&b->columns[c], row, &y);
            if (!same_cell(&x, &y)) {
                return false;
            }
        }
    }
    for (int64_t i = 0; i < a->n_notes; i++) {
        if (a->notes[i].row != b->notes[i].row ||
            a->notes[i].column != b->notes[i].column ||
            strcmp(a->notes[i].value, b->notes[i].value) != 0) {
            return false;
        }
    }
    return true;
}

#define NUMBERS(n) \
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT " #n ") "
#define MIXED                                                                     \
    "CREATE TABLE x(i, r, t, d, ts, a); INSERT INTO x " NUMBERS(20000)            \
    "SELECT iif(n % 5 = 0, NULL, n * 1234567), iif(n % 7 = 0, NULL, n / 3.0),"    \
    " iif(n % 11 = 0, NULL, printf('%.*c', n % 50, 'x') || n),"                   \
    " iif(n % 3 = 0, NULL, date(20000 + n / 9.0 + 2440587)),"                     \
    " iif(n % 4 = 0, NULL, datetime(n * 3600, 'unixepoch')),"                     \
    " CASE n % 6 WHEN 0 THEN n WHEN 1 THEN n + 0.5 WHEN 2 THEN 'text' || n"       \
    " WHEN 3 THEN zeroblob(n % 30) WHEN 4 THEN '' END FROM c"

static void
test_fetch_step_equals_sink(void)
{
    ss_conn *conn = open_conn(MIXED);
    ss_batch *step = NULL, *sink = NULL;

    CHECK(conn != NULL);
    for (int strict = 0; strict < 2; strict++) {
        CHECK_INT(fetch(conn, "SELECT i, r, t, d, ts, a FROM x ORDER BY rowid",
                        ss_fetch_step, strict, all_kinds, 6, &step),
                  SS_OK);
        CHECK_INT(fetch(conn, "SELECT ss_sink(?1, i, r, t, d, ts, a) FROM x",
                        ss_fetch_sink, strict, all_kinds, 6, &sink),
                  SS_OK);
        CHECK_INT(step->n_rows, 20000);
        CHECK(same_batch(step, sink));
        CHECK_INT(step->columns[0].null_count, 4000);
        CHECK_INT(step->columns[5].null_count, 20000 / 6);
        ss_value v;
        ss_column_get(&step->columns[0], 0, &v);
        CHECK(v.tag == SS_VALUE_INT && v.as.i == 1234567);
        ss_column_get(&step->columns[2], 19999, &v);
        CHECK(v.tag == SS_VALUE_TEXT && memcmp(v.as.s.p, "20000", 5) != 0);
        ss_batch_release(step);
        ss_batch_release(sink);
    }
    /* Not strict, every column read as every other kind. */
    for (int shift = 1; shift < 6; shift++) {
        uint8_t kinds[6];
        for (int c = 0; c < 6; c++) {
            kinds[c] = all_kinds[(c + shift) % 6];
        }
        CHECK_INT(fetch(conn, "SELECT i, r, t, d, ts, a FROM x ORDER BY rowid",
                        ss_fetch_step, false, kinds, 6, &step),
                  SS_OK);
        CHECK_INT(fetch(conn, "SELECT ss_sink(?1, i, r, t, d, ts, a) FROM x",
                        ss_fetch_sink, false, kinds, 6, &sink),
                  SS_OK);
        CHECK(step->n_notes > 1000);
        CHECK(same_batch(step, sink));
        ss_batch_release(step);
        ss_batch_release(sink);
    }
    CHECK_INT(fetch(conn, "SELECT ss_sink(?1, i) FROM x WHERE 0", ss_fetch_sink, true,
                    all_kinds, 1, &sink),
              SS_OK);
    CHECK_INT(sink->n_rows, 0);
    CHECK(sink->columns[0].validity == NULL);
    ss_batch_release(sink);
    ss_conn_close(conn);
}

/* One value read as one kind, both ways; the cell is kept in *out (its text dies). */
static ss_status
read_one(const char *value, ss_kind kind, bool strict, ss_value *out, int64_t *n_notes)
{
    uint8_t kinds[1] = {(uint8_t)kind};
    char sql[400];
    ss_batch *step = NULL, *sink = NULL;

    snprintf(sql, sizeof(sql), "CREATE TABLE x(v); INSERT INTO x VALUES (%s)", value);
    ss_conn *conn = open_conn(sql);
    CHECK_VALUE(conn != NULL, -1);
    ss_status two = fetch(conn, "SELECT ss_sink(?1, v) FROM x", ss_fetch_sink, strict,
                          kinds, 1, &sink);
    ss_error of_sink = err;
    ss_status one =
        fetch(conn, "SELECT v FROM x", ss_fetch_step, strict, kinds, 1, &step);
    ss_conn_close(conn);
    CHECK_VALUE(one == two, -1);
    CHECK_VALUE(err.code == of_sink.code && strcmp(err.message, of_sink.message) == 0,
                -1);
    if (one == SS_OK) {
        CHECK_VALUE(same_batch(step, sink) && step->n_rows == 1, -1);
        ss_column_get(&step->columns[0], 0, out);
        *n_notes = step->n_notes;
    }
    ss_batch_release(step);
    ss_batch_release(sink);
    return one;
}

static void
check_number(const char *value, ss_kind kind, bool fits, int64_t i, double r)
{
    ss_value got = {.tag = SS_VALUE_NULL};
    int64_t notes = -1;

    CHECK_INT(read_one(value, kind, true, &got, &notes), fits ? SS_OK : SS_DATA);
    if (fits) {
        CHECK_INT(notes, 0);
        CHECK(kind == SS_KIND_REAL ? got.tag == SS_VALUE_REAL && got.as.r == r
                                   : got.as.i == i);
    }
    else {
        CHECK(err.has_row && err.row == 0);
        CHECK_HAS(err.message, ss_kind_name(kind));
        CHECK_INT(read_one(value, kind, false, &got, &notes), SS_OK);
        CHECK_INT(got.tag, SS_VALUE_NULL);
        CHECK_INT(notes, 1);
    }
}

static void
test_fetch_numbers(void)
{
    check_number("9223372036854775807", SS_KIND_INT, true, INT64_MAX, 0);
    check_number("-9223372036854775808", SS_KIND_INT, true, INT64_MIN, 0);
    check_number("9223372036854775807.0", SS_KIND_INT, false, 0, 0); /* 2^63 */
    check_number("9223372036854774784.0", SS_KIND_INT, true,
                 INT64_C(9223372036854774784), 0);
    check_number("-9223372036854775808.0", SS_KIND_INT, true, INT64_MIN, 0);
    check_number("-9223372036854777856.0", SS_KIND_INT, false, 0, 0);
    check_number("9e999", SS_KIND_INT, false, 0, 0);
    check_number("-9e999", SS_KIND_INT, false, 0, 0);
    check_number("1e300", SS_KIND_INT, false, 0, 0);
    check_number("2.0", SS_KIND_INT, true, 2, 0);
    check_number("-0.0", SS_KIND_INT, true, 0, 0);
    check_number("2.5", SS_KIND_INT, false, 0, 0);
    check_number("'2'", SS_KIND_INT, false, 0, 0);
    check_number("''", SS_KIND_INT, false, 0, 0);
    check_number("x'32'", SS_KIND_INT, false, 0, 0);
    check_number("3", SS_KIND_REAL, true, 0, 3.0);
    check_number("9007199254740993", SS_KIND_REAL, true, 0, 9007199254740992.0);
    check_number("9e999", SS_KIND_REAL, true, 0, (double)INFINITY);
    check_number("'3'", SS_KIND_REAL, false, 0, 0);
    check_number("x''", SS_KIND_REAL, false, 0, 0);
}

static void
check_moment(const char *value, ss_kind kind, bool fits, int64_t at)
{
    ss_value got = {.tag = SS_VALUE_NULL};
    int64_t notes = -1;

    CHECK_INT(read_one(value, kind, true, &got, &notes), fits ? SS_OK : SS_DATA);
    if (fits) {
        CHECK_INT(got.tag, kind == SS_KIND_DATE ? SS_VALUE_DATE : SS_VALUE_TIMESTAMP);
        CHECK_INT(got.as.i, at);
    }
    else {
        CHECK_HAS(err.message, ss_kind_name(kind));
    }
}

static void
test_fetch_moments(void)
{
    int64_t d = ss_day_from_civil(2025, 10, 28), us = d * SS_US_PER_DAY;
    const int64_t minute = 60000000, second = 1000000;

    check_moment("'2025-10-28'", SS_KIND_DATE, true, d);
    check_moment("'2025-10-28 05:42:44'", SS_KIND_DATE, true, d);
    check_moment("'2025-10-28T00:30:00+01:00'", SS_KIND_DATE, true, d - 1);
    check_moment("'0001-01-01'", SS_KIND_DATE, true, SS_DAY_MIN);
    check_moment("'9999-12-31'", SS_KIND_DATE, true, SS_DAY_MAX);
    check_moment("'2025-02-29'", SS_KIND_DATE, false, 0);
    check_moment("'0000-01-01'", SS_KIND_DATE, false, 0);
    check_moment("'28.10.2025'", SS_KIND_DATE, false, 0);
    check_moment("'2025-10-28 '", SS_KIND_DATE, false, 0);
    check_moment("''", SS_KIND_DATE, false, 0);
    check_moment("20389", SS_KIND_DATE, false, 0);
    check_moment("x'323032352d31302d3238'", SS_KIND_DATE, false, 0);

    check_moment("'2025-10-28'", SS_KIND_TIMESTAMP, true, us);
    check_moment("'2025-10-28 05:42:44'", SS_KIND_TIMESTAMP, true,
                 us + (5 * 60 + 42) * minute + 44 * second);
    check_moment("'2025-10-28 11:12:44.398531'", SS_KIND_TIMESTAMP, true,
                 us + (11 * 60 + 12) * minute + 44 * second + 398531);
    check_moment("'2025-10-28T12:02:06.516003'", SS_KIND_TIMESTAMP, true,
                 us + (12 * 60 + 2) * minute + 6 * second + 516003);
    check_moment("'2025-10-28T05:42'", SS_KIND_TIMESTAMP, true,
                 us + (5 * 60 + 42) * minute);
    check_moment("'2025-10-28T05:42:44Z'", SS_KIND_TIMESTAMP, true,
                 us + (5 * 60 + 42) * minute + 44 * second);
    check_moment("'2025-10-28T05:30:00+05:30'", SS_KIND_TIMESTAMP, true, us);
    check_moment("'2025-10-28T05:30:00+0530'", SS_KIND_TIMESTAMP, true, us);
    check_moment("'2025-10-28T05:30:00+05'", SS_KIND_TIMESTAMP, true, us + 30 * minute);
    check_moment("'2025-10-27T23:00:00.5-01:00'", SS_KIND_TIMESTAMP, true, us + 500000);
    check_moment("'2025-10-28 05:42:44.1234567'", SS_KIND_TIMESTAMP, true,
                 us + (5 * 60 + 42) * minute + 44 * second + 123456);
    check_moment("'2025-10-28 24:00:00'", SS_KIND_TIMESTAMP, false, 0);
    check_moment("'2025-10-28 05:60:00'", SS_KIND_TIMESTAMP, false, 0);
    check_moment("'yesterday'", SS_KIND_TIMESTAMP, false, 0);
    check_moment("1761630164", SS_KIND_TIMESTAMP, false, 0);
}

static void
test_fetch_text(void)
{
    static const char *const good[] = {"''", "'plain'", "'\xC3\xA9\xF0\x9F\x98\x80'",
                                       "'a' || char(0) || 'b'"};
    static const char *const bad[] = {"CAST(x'ff' AS TEXT)",
                                      "CAST(x'61c3' AS TEXT)",
                                      "CAST(x'c080' AS TEXT)",
                                      "CAST(x'eda080' AS TEXT)",
                                      "CAST(x'f4908080' AS TEXT)",
                                      "CAST(x'6161616161616161ff' AS TEXT)",
                                      "1",
                                      "1.5",
                                      "x'61'"};
    ss_value got = {.tag = SS_VALUE_NULL};
    int64_t notes = -1;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK_INT(read_one(good[i], SS_KIND_TEXT, true, &got, &notes), SS_OK);
        CHECK_INT(got.tag, SS_VALUE_TEXT);
    }
    CHECK_INT(got.as.s.n, 3);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_INT(read_one(bad[i], SS_KIND_TEXT, true, &got, &notes), SS_DATA);
        CHECK_HAS(err.message, "no TEXT");
        CHECK_INT(read_one(bad[i], SS_KIND_TEXT, false, &got, &notes), SS_OK);
        CHECK(got.tag == SS_VALUE_NULL && notes == 1);
    }
    /* As stored, whatever it is. */
    CHECK_INT(read_one(bad[0], SS_KIND_ANY, true, &got, &notes), SS_OK);
    CHECK(got.tag == SS_VALUE_TEXT && got.as.s.n == 1 && notes == 0);
}

/* What the error and the notes say of a cell that does not fit. */
static void
test_fetch_unfit(void)
{
    static const char *const statements[] = {
        "SELECT stage_name, stage_order FROM x ORDER BY rowid",
        "SELECT ss_sink(?1, stage_name, stage_order) FROM x"};
    const ss_table_desc *table = &ss_tables[ss_catalog_table("conversion_funnel", 17)];
    static const int16_t map[] = {2, 3};
    ss_conn *conn = open_conn("CREATE TABLE x(stage_name, stage_order);"
                              "INSERT INTO x VALUES ('a', 1), ('b', 2.0), ('c', 'odd'),"
                              " (x'00', 4), ('e', NULL)");

    CHECK(conn != NULL);
    for (int way = 0; way < 2; way++) {
        fetcher *how = way == 0 ? ss_fetch_step : ss_fetch_sink;
        const char *sql = statements[way];
        for (int strict = 0; strict < 2; strict++) {
            ss_stmt *stmt = NULL;
            ss_batch *batch = NULL;
            ss_error_init(&err);
            CHECK_INT(ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, &err),
                      SS_OK);
            CHECK_INT(ss_batch_new_table(table, map, 2, 1, &batch, &err), SS_OK);
            ss_status status = how(stmt, batch, strict, "x", &err);
            if (strict) {
                CHECK_INT(status, SS_DATA);
                CHECK_INT(err.code, SS_DATA);
                CHECK_STR(err.table, "conversion_funnel");
                CHECK_STR(err.column, "stage_order");
                CHECK_HAS(err.value, "odd");
                CHECK(err.has_row && err.row == 2);
                CHECK_HAS(err.message, "conversion_funnel.stage_order");
                CHECK_HAS(err.message, "INTEGER");
            }
            else {
                CHECK_INT(status, SS_OK);
                CHECK_INT(batch->n_rows, 5);
                CHECK_INT(batch->n_notes, 2);
                CHECK(batch->notes[0].row == 2 && batch->notes[0].column == 1);
                CHECK_HAS(batch->notes[0].value, "odd");
                CHECK(batch->notes[1].row == 3 && batch->notes[1].column == 0);
                CHECK_INT(batch->columns[0].null_count, 1);
                CHECK_INT(batch->columns[1].null_count, 2);
            }
            ss_batch_release(batch);
            /* The statement is free again: nothing is pinned. */
            CHECK(!sqlite3_stmt_busy(stmt->raw));
            ss_stmt_finalize(stmt);
        }
    }
    ss_conn_close(conn);
}

static void
test_fetch_free(void)
{
    static const uint8_t want[] = {SS_KIND_INT,  SS_KIND_REAL,      SS_KIND_TEXT,
                                   SS_KIND_DATE, SS_KIND_TIMESTAMP, SS_KIND_ANY,
                                   SS_KIND_ANY};
    static const char sql[] = "SELECT a, b, c, d, e, f, a + 1 AS g FROM x";
    ss_conn *conn = open_conn(
        "CREATE TABLE x(a integer, b REAL, c TEXT, d DATE, e Timestamp, f VARCHAR(10));"
        "INSERT INTO x VALUES (1, 2, 'c', '2025-01-01', '2025-01-01 10:00:00', 'f')");
    ss_stmt *stmt = NULL;
    ss_batch *batch = NULL;
    ss_value got;

    CHECK(conn != NULL);
    CHECK_INT(ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, &err), SS_OK);
    for (int raw = 0; raw < 2; raw++) {
        CHECK_INT(ss_fetch_free(stmt, raw, true, "x", &batch, &err), SS_OK);
        CHECK_INT(batch->n_columns, 7);
        CHECK_STR(batch->names[6], "g");
        for (int c = 0; c < 7; c++) {
            CHECK_INT(batch->columns[c].kind, raw ? SS_KIND_ANY : want[c]);
        }
        ss_column_get(&batch->columns[3], 0, &got);
        CHECK_INT(got.tag, raw ? SS_VALUE_TEXT : SS_VALUE_DATE);
        ss_column_get(&batch->columns[6], 0, &got);
        CHECK(got.tag == SS_VALUE_INT && got.as.i == 2);
        ss_batch_release(batch);
    }
    /* Prepared anew inside the step: the columns are those of now. */
    CHECK_INT(ss_conn_exec(conn, "ALTER TABLE x RENAME b TO b2", &err), SS_OK);
    CHECK_INT(ss_fetch_free(stmt, false, true, "x", &batch, &err), SS_PROGRAMMING);
    ss_stmt_finalize(stmt);
    ss_error_init(&err);
    static const char star[] = "SELECT * FROM x";
    CHECK_INT(ss_stmt_prepare(conn, star, strlen(star), false, &stmt, &err), SS_OK);
    CHECK_INT(ss_conn_exec(conn, "ALTER TABLE x ADD COLUMN h INTEGER", &err), SS_OK);
    CHECK_INT(ss_fetch_free(stmt, false, true, "x", &batch, &err), SS_OK);
    CHECK_INT(batch->n_columns, 7);
    CHECK_STR(batch->names[6], "h");
    ss_batch_release(batch);
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

/* An error in the middle of the rows is SQLite's own; what was read is let go. */
static void
test_fetch_error_midway(void)
{
    static const uint8_t kinds[] = {SS_KIND_ANY};
    ss_conn *conn =
        open_conn("CREATE TABLE x(v); INSERT INTO x " NUMBERS(3000) "SELECT n FROM c");
    ss_batch *batch = NULL;

    CHECK(conn != NULL);
    CHECK_INT(fetch(conn,
                    "SELECT iif(v = 2500, abs(-9223372036854775807 - 1), v) FROM x",
                    ss_fetch_step, true, kinds, 1, &batch),
              SS_PROGRAMMING);
    CHECK_HAS(err.message, "reading x");
    CHECK_INT(fetch(conn,
                    "SELECT ss_sink(?1, iif(v = 2500, abs(-9223372036854775807 - 1),"
                    " v)) FROM x",
                    ss_fetch_sink, true, kinds, 1, &batch),
              SS_PROGRAMMING);
    CHECK_HAS(err.message, "overflow");
    ss_conn_close(conn);
}

/* ss_sink holds a pointer of ours: no SQL of a user gets near it. */
static void
test_sink_refuses_free_sql(void)
{
    static const char *const statements[] = {
        "SELECT ss_sink(1, v) FROM x",
        "SELECT ss_sink(NULL, v) FROM x",
        "SELECT ss_sink('smartshopie.sink', v) FROM x",
        "SELECT ss_sink(x'0000000000000000', v) FROM x",
        "SELECT ss_sink(v) FROM x",
        "SELECT ss_sink(1)",
        "SELECT ss_sink(?1, v) FROM x",
        "SELECT ss_sink(v, v) FROM x GROUP BY v",
        "SELECT ss_sink(1, v) OVER () FROM x",
    };
    ss_conn *conn = open_conn("CREATE TABLE x(v); INSERT INTO x VALUES (1), (2)");

    CHECK(conn != NULL);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        ss_stmt *stmt = NULL;
        ss_batch *batch = NULL;
        const char *sql = statements[i];
        ss_error_init(&err);
        ss_status status = ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, &err);
        if (status == SS_OK) {
            status = ss_fetch_free(stmt, true, true, "x", &batch, &err);
        }
        CHECK_INT(status, SS_PROGRAMMING);
        CHECK_HAS(err.message, "ss_sink");
        ss_stmt_finalize(stmt);
    }
    /* Nor does a schema: it is for direct use only. */
    ss_error_init(&err);
    CHECK(ss_conn_exec(conn, "CREATE INDEX y ON x(ss_sink(v))", &err) != SS_OK);
    ss_conn_close(conn);
}

/* Without an argument there is nothing to look into. */
static void
test_sink_without_arguments(void)
{
    static const char sql[] = "SELECT ss_sink() FROM x";
    ss_conn *conn = open_conn("CREATE TABLE x(v); INSERT INTO x VALUES (1), (2)");
    ss_stmt *stmt = NULL;
    ss_batch *batch = NULL;

    CHECK(conn != NULL);
    ss_status status = ss_stmt_prepare(conn, sql, strlen(sql), false, &stmt, &err);
    if (status == SS_OK) {
        status = ss_fetch_free(stmt, true, true, "x", &batch, &err);
    }
    CHECK_INT(status, SS_PROGRAMMING);
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

/* A sink statement whose columns are not as many as the batch's. */
static void
test_sink_counts_columns(void)
{
    ss_conn *conn = open_conn("CREATE TABLE x(v); INSERT INTO x VALUES (1)");
    ss_batch *batch = NULL;

    CHECK(conn != NULL);
    CHECK_INT(fetch(conn, "SELECT ss_sink(?1, v, v, v) FROM x", ss_fetch_sink, true,
                    all_kinds, 2, &batch),
              SS_PROGRAMMING);
    CHECK_INT(fetch(conn, "SELECT ss_sink(?1, v) FROM x", ss_fetch_sink, true,
                    all_kinds, 2, &batch),
              SS_PROGRAMMING);
    ss_conn_close(conn);
}

static void
test_fetch_without_memory(void)
{
#ifdef SS_TEST_FAULTS
    ss_conn *conn = open_conn("CREATE TABLE x(v); INSERT INTO x " NUMBERS(
        2500) "SELECT iif(n % 90 = 0, n, 'text that is not short' || n)"
              " FROM c");
    static const uint8_t kinds[] = {SS_KIND_TEXT};
    static const char *const sql[] = {"SELECT v FROM x",
                                      "SELECT ss_sink(?1, v) FROM x"};

    CHECK(conn != NULL);
    for (int way = 0; way < 3; way++) {
        for (long n = 0;; n++) {
            ss_batch *batch = NULL;
            ss_status status;
            ss_mem_fail_after(n, false);
            if (way < 2) {
                status = fetch(conn, sql[way], way == 0 ? ss_fetch_step : ss_fetch_sink,
                               false, kinds, 1, &batch);
            }
            else {
                ss_stmt *stmt = NULL;
                ss_error_init(&err);
                status =
                    ss_stmt_prepare(conn, sql[0], strlen(sql[0]), false, &stmt, &err);
                if (status == SS_OK) {
                    status = ss_fetch_free(stmt, true, true, "x", &batch, &err);
                }
                ss_stmt_finalize(stmt);
            }
            bool hit = ss_mem_count() > n;
            ss_mem_fail_after(-1, false);
            CHECK_INT(status, hit ? SS_NOMEM : SS_OK);
            CHECK_INT(err.code, hit ? SS_NOMEM : SS_OK);
            ss_batch_release(batch);
            if (!hit) {
                CHECK(n >= 8);
                break;
            }
        }
    }
    ss_conn_close(conn);
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
    RUN(test_fetch_step_equals_sink);
    RUN(test_fetch_numbers);
    RUN(test_fetch_moments);
    RUN(test_fetch_text);
    RUN(test_fetch_unfit);
    RUN(test_fetch_free);
    RUN(test_fetch_error_midway);
    RUN(test_sink_refuses_free_sql);
    RUN(test_sink_counts_columns);
    RUN(test_fetch_without_memory);
    RUN(test_sink_without_arguments);
    return check_end();
}
