/* store/stmt and store/stmt_cache. */
#include "base/mem.h"
#include "check.h"
#include "store/stmt_cache.h"
#include "store_case.h"

#include <math.h>

/* ---- stmt ---- */

static ss_status
prepare(ss_conn *conn, const char *sql, ss_stmt **stmt)
{
    size_t n = strlen(sql);
    char *exact = ss_malloc(n); /* no closing NUL: reading past the end is seen */

    memcpy(exact, sql, n);
    ss_error_init(&err);
    ss_status rc = ss_stmt_prepare(conn, exact, n, false, stmt, &err);
    ss_free(exact);
    return rc;
}

static void
test_stmt_one_statement(void)
{
    static const char *const fine[] = {
        "SELECT 1",
        "SELECT 1;",
        "SELECT 1 ; ;; ",
        "SELECT 1; -- end",
        "SELECT 1;--",
        "/* a */ SELECT 1 /* b */; /* c */ -- d\n\t\r\f ;",
        "SELECT 1; /* open",
        "SELECT 1 -- ; SELECT 2",
        "SELECT 1; /*/ still open",
        "SELECT 1;/**/",
    };
    static const char *const two[] = {
        "SELECT 1; SELECT 2", "SELECT 1;;x", "SELECT 1; /* a */ SELECT 2",
        "SELECT 1; /",        "SELECT 1; -", "SELECT 1; -- a\n SELECT 2"};
    static const char *const none[] = {"", "  ", ";", "-- x", "/* x */;", "/* x"};
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt;

    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        stmt = NULL;
        CHECK_INT(prepare(conn, fine[i], &stmt), SS_OK);
        ss_stmt_finalize(stmt);
    }
    for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
        CHECK_INT(prepare(conn, two[i], &stmt), SS_PROGRAMMING);
        CHECK_HAS(err.message, "one statement");
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK_INT(prepare(conn, none[i], &stmt), SS_PROGRAMMING);
        CHECK_HAS(err.message, "no statement");
    }
    ss_error_init(&err);
    CHECK_INT(ss_stmt_prepare(conn, "SELECT 1\0; SELECT 2", 19, false, &stmt, &err),
              SS_PROGRAMMING);
    ss_stmt_finalize(NULL);
    ss_conn_close(conn);
}

static void
test_stmt_error_place(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt;

    CHECK_INT(prepare(conn, "SELECT '\xC3\xA9',\n  nope FROM (SELECT 1)", &stmt),
              SS_PROGRAMMING);
    CHECK_HAS(err.message, "no such column: nope");
#if SQLITE_VERSION_NUMBER >= 3038000
    CHECK_HAS(err.message, "(line 2, column 3: 'nope FROM (SELECT 1)')");
#endif
    CHECK_INT(prepare(conn, "SELEC 1", &stmt), SS_PROGRAMMING);
    CHECK_HAS(err.message, "near \"SELEC\": syntax error");
    ss_conn_close(conn);
}

static void
test_stmt_values(void)
{
    static const char bytes[] = "a\0b\xC3\xA9";
    ss_value in[] = {
        {.tag = SS_VALUE_NULL},
        {.tag = SS_VALUE_INT, .as.i = INT64_MIN},
        {.tag = SS_VALUE_REAL, .as.r = -0.0},
        {.tag = SS_VALUE_TEXT, .as.s = {bytes, 5}},
        {.tag = SS_VALUE_TEXT, .as.s = {"", 0}},
        {.tag = SS_VALUE_BLOB, .as.s = {bytes, 5}},
        {.tag = SS_VALUE_BLOB, .as.s = {"", 0}},
        {.tag = SS_VALUE_DATE, .as.i = 20389},
        {.tag = SS_VALUE_TIMESTAMP, .as.i = INT64_C(20389) * 86400000000 + 1},
    };
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt = NULL;
    ss_value out;
    bool row = false;

    CHECK_INT(prepare(conn, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", &stmt), SS_OK);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(ss_stmt_bind_all(stmt, in, 9, &err), SS_OK);
        CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
        for (int i = 0; i < 7; i++) {
            ss_stmt_column(stmt, i, &out);
            CHECK_INT(out.tag, in[i].tag);
            switch (out.tag) {
            case SS_VALUE_INT:
                CHECK_INT(out.as.i, in[i].as.i);
                break;
            case SS_VALUE_REAL:
                CHECK(out.as.r == 0 && signbit(out.as.r));
                break;
            case SS_VALUE_NULL:
                break;
            default:
                CHECK_INT(out.as.s.n, in[i].as.s.n);
                CHECK(out.as.s.p != NULL);
                CHECK(memcmp(out.as.s.p, in[i].as.s.p, out.as.s.n) == 0);
            }
        }
        ss_stmt_column(stmt, 7, &out);
        CHECK(out.tag == SS_VALUE_TEXT && out.as.s.n == 10);
        CHECK(memcmp(out.as.s.p, "2025-10-28", 10) == 0);
        ss_stmt_column(stmt, 8, &out);
        CHECK(out.as.s.n == 26);
        CHECK(memcmp(out.as.s.p, "2025-10-28 00:00:00.000001", 26) == 0);
        CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && !row);
        CHECK(!sqlite3_stmt_busy(stmt->raw));
    }
    ss_stmt_reset(stmt);
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    ss_stmt_column(stmt, 1, &out);
    CHECK_INT(out.tag, SS_VALUE_NULL); /* bindings were cleared */
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

static void
test_stmt_refuses(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_value nan_value = {.tag = SS_VALUE_REAL, .as.r = (double)NAN};
    ss_value day = {.tag = SS_VALUE_DATE, .as.i = 2932897};
    ss_value two[2] = {{.tag = SS_VALUE_NULL}, {.tag = SS_VALUE_NULL}};
    ss_stmt *stmt = NULL;
    bool row;

    CHECK_INT(prepare(conn, "SELECT ?", &stmt), SS_OK);
    CHECK_INT(ss_stmt_bind(stmt, 1, &nan_value, &err), SS_VALUE);
    ss_error_init(&err);
    CHECK_INT(ss_stmt_bind(stmt, 1, &day, &err), SS_VALUE);
    ss_error_init(&err);
    CHECK_INT(ss_stmt_bind_all(stmt, two, 2, &err), SS_PROGRAMMING);
    CHECK_STR(err.message, "the statement has 1 parameter, but 2 values were given");
    ss_error_init(&err);
    CHECK_INT(ss_stmt_bind(stmt, 2, &two[0], &err), SS_INTERNAL);
    ss_stmt_finalize(stmt);
    CHECK_INT(prepare(conn, "SELECT abs(-9223372036854775808)", &stmt), SS_OK);
    CHECK_INT(ss_stmt_step(stmt, "reading t", &row, &err), SS_PROGRAMMING);
    CHECK_STR(err.message, "reading t: integer overflow");
    CHECK(!sqlite3_stmt_busy(stmt->raw));
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

static void
test_stmt_length_limit(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    char text[1100];
    ss_stmt *stmt = NULL;

    memset(text, 'x', sizeof(text));
    sqlite3_limit(ss_conn_handle(conn), SQLITE_LIMIT_LENGTH, 1000);
    CHECK_INT(prepare(conn, "SELECT length(?)", &stmt), SS_OK);
    for (size_t n = 999; n <= 1001; n++) {
        ss_value value = {.tag = SS_VALUE_TEXT, .as.s = {text, n}};
        ss_error_init(&err);
        CHECK_INT(ss_stmt_bind(stmt, 1, &value, &err), n <= 1000 ? SS_OK : SS_DATA);
    }
    ss_stmt_finalize(stmt);
    sqlite3_limit(ss_conn_handle(conn), SQLITE_LIMIT_SQL_LENGTH, 1000);
    memcpy(text, "SELECT 1;--", 11);
    for (size_t n = 999; n <= 1001; n++) {
        ss_error_init(&err);
        stmt = NULL;
        CHECK_INT(ss_stmt_prepare(conn, text, n, false, &stmt, &err),
                  n <= 1000 ? SS_OK : SS_DATA);
        ss_stmt_finalize(stmt);
    }
    ss_conn_close(conn);
}

/* A cell of a UTF-16 file changes its size when it is asked for as UTF-8. */
static void
test_stmt_utf16(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt = NULL;
    ss_value out;
    bool row;

    CHECK_INT(exec(conn, "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a);"
                         "INSERT INTO t VALUES ('h\xC3\xA9llo')"),
              SS_OK);
    CHECK_INT(prepare(conn, "SELECT a FROM t", &stmt), SS_OK);
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    ss_stmt_column(stmt, 0, &out);
    CHECK(out.as.s.n == 6 && memcmp(out.as.s.p, "h\xC3\xA9llo", 6) == 0);
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

/* ---- stmt_cache ---- */

static ss_stmt *
get(ss_stmt_cache *cache, const char *sql)
{
    ss_stmt *stmt = NULL;

    ss_error_init(&err);
    return ss_stmt_cache_get(cache, sql, strlen(sql), &stmt, &err) == SS_OK ? stmt
                                                                            : NULL;
}

static void
test_cache_reuse(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    ss_value one = {.tag = SS_VALUE_INT, .as.i = 1};
    ss_value out;
    bool row;

    CHECK_INT(ss_stmt_cache_new(conn, 4, &cache, &err), SS_OK);
    ss_stmt *a = get(cache, "SELECT ?"), *b = get(cache, "SELECT ?");
    CHECK(a != NULL && b != NULL && a != b && a->cached && !b->cached);
    CHECK_INT(ss_stmt_bind(a, 1, &one, &err), SS_OK);
    CHECK(ss_stmt_step(a, "t", &row, &err) == SS_OK && row);
    ss_stmt_cache_put(cache, a); /* in the middle of its rows */
    ss_stmt_cache_put(cache, b);
    ss_stmt_cache_put(cache, NULL);
    ss_stmt *again = get(cache, "SELECT ?");
    CHECK(again == a && !sqlite3_stmt_busy(a->raw));
    CHECK(ss_stmt_step(a, "t", &row, &err) == SS_OK && row);
    ss_stmt_column(a, 0, &out);
    CHECK_INT(out.tag, SS_VALUE_NULL);
    ss_stmt_cache_put(cache, a);
    CHECK(get(cache, "SELECT") == NULL);
    CHECK_INT(err.code, SS_PROGRAMMING);
    ss_stmt_cache_free(cache);
    ss_stmt_cache_free(NULL);
    ss_conn_close(conn);
}

static int
count_statements(ss_conn *conn)
{
    int n = 0;

    for (sqlite3_stmt *s = NULL;
         (s = sqlite3_next_stmt(ss_conn_handle(conn), s)) != NULL;) {
        n++;
    }
    return n;
}

static void
test_cache_eviction(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    ss_stmt *out[5];
    char sql[32];

    CHECK_INT(ss_stmt_cache_new(conn, 4, &cache, &err), SS_OK);
    for (int i = 0; i < 200; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        ss_stmt_cache_put(cache, get(cache, sql));
        ss_stmt *kept = get(cache, "SELECT 0"); /* used all the time: it stays */
        sqlite3_stmt *raw = kept->raw;
        CHECK(sqlite3_stmt_status(raw, SQLITE_STMTSTATUS_RUN, 0) == i);
        bool row;
        CHECK(ss_stmt_step(kept, "t", &row, &err) == SS_OK);
        ss_stmt_cache_put(cache, kept);
        CHECK_INT(count_statements(conn), i < 3 ? i + 1 : 4);
    }
    /* All lent out: one more is prepared, but not kept. */
    for (int i = 0; i < 5; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", 1000 + i);
        out[i] = get(cache, sql);
        CHECK(out[i] != NULL && out[i]->cached == (i < 4));
    }
    for (int i = 0; i < 5; i++) {
        ss_stmt_cache_put(cache, out[i]);
    }
    CHECK_INT(count_statements(conn), 4);
    ss_stmt_cache_free(cache);
    CHECK_INT(count_statements(conn), 0);
    ss_conn_close(conn);
}

/* Against a list that is searched from end to end, with many texts. */
static void
test_cache_random(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    int recent[8], n_recent = 0;
    unsigned state = 12345;

    CHECK_INT(ss_stmt_cache_new(conn, 8, &cache, &err), SS_OK);
    for (int i = 0; i < 5000; i++) {
        char sql[64];
        state = state * 1103515245u + 12345u;
        int which = (int)(state >> 16) % 20, at = 0;
        snprintf(sql, sizeof(sql), "SELECT '%.*s', %d", which % 9, "xxxxxxxxx", which);
        while (at < n_recent && recent[at] != which) {
            at++;
        }
        bool known = at < n_recent;
        ss_stmt *stmt = get(cache, sql);
        bool row;
        CHECK(stmt != NULL && strcmp(sqlite3_sql(stmt->raw), sql) == 0);
        CHECK((sqlite3_stmt_status(stmt->raw, SQLITE_STMTSTATUS_RUN, 0) > 0) == known);
        CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK);
        ss_stmt_cache_put(cache, stmt);
        if (!known) {
            n_recent += n_recent < 8;
            at = n_recent - 1;
        }
        memmove(recent + 1, recent, (size_t)at * sizeof(int));
        recent[0] = which;
    }
    ss_stmt_cache_free(cache);
    ss_conn_close(conn);
}

static void
test_cache_schema_change(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    bool row;

    CHECK_INT(exec(conn, "CREATE TABLE t(a); INSERT INTO t VALUES (1)"), SS_OK);
    CHECK_INT(ss_stmt_cache_new(conn, 4, &cache, &err), SS_OK);
    ss_stmt *stmt = get(cache, "SELECT * FROM t");
    CHECK_INT(sqlite3_column_count(stmt->raw), 1);
    ss_stmt_cache_put(cache, stmt);
    CHECK_INT(exec(conn, "ALTER TABLE t ADD COLUMN b"), SS_OK);
    stmt = get(cache, "SELECT * FROM t");
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    CHECK_INT(sqlite3_column_count(stmt->raw), 2);
    ss_stmt_cache_put(cache, stmt);
    CHECK_INT(count_statements(conn), 0);
    stmt = get(cache, "SELECT * FROM t");
    CHECK_INT(sqlite3_column_count(stmt->raw), 2);
    ss_stmt_cache_put(cache, stmt);
    ss_stmt_cache_free(cache);
    ss_conn_close(conn);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_stmt_one_statement);
    RUN(test_stmt_error_place);
    RUN(test_stmt_values);
    RUN(test_stmt_refuses);
    RUN(test_stmt_length_limit);
    RUN(test_stmt_utf16);
    RUN(test_cache_reuse);
    RUN(test_cache_eviction);
    RUN(test_cache_random);
    RUN(test_cache_schema_change);
    return check_end();
}
