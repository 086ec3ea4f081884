/* columns/fetch: rows of a statement as a batch, step by step and through ss_sink. */
#include "base/mem.h"
#include "base/moment.h"
#include "check.h"
#include "columns/fetch.h"
#include "columns_case.h"

#include <math.h>

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
    check_begin(argc, argv);
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
