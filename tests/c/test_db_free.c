/* db/free: SQL of a user: what is refused, its parameters, scripts. */
#include "check.h"
#include "db_case.h"

static void
test_free_guard(void)
{
    static const char *const refused[] = {"BEGIN",
                                          "COMMIT",
                                          "ROLLBACK",
                                          "SAVEPOINT a",
                                          "RELEASE a",
                                          "END",
                                          "ATTACH ':memory:' AS x",
                                          "DETACH main",
                                          "VACUUM",
                                          "PRAGMA journal_mode = DELETE",
                                          "PRAGMA foreign_keys = 0",
                                          "PRAGMA wal_checkpoint",
                                          "PRAGMA query_only = 0",
                                          "PRAGMA optimize",
                                          "SELECT 1; SELECT 2",
                                          "",
                                          "-- nothing",
                                          "SELECT nope",
                                          "SELECT load_extension('x')"};
    ss_db *db = open_new("guard.db");
    int64_t n;

    CHECK(db != NULL);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CHECK_INT(execute(db, NULL, refused[i], &n), SS_PROGRAMMING);
        CHECK_INT(query_int(db, refused[i]), -SS_PROGRAMMING);
        ss_error_init(&err);
        CHECK(refused[i][0] == '\0' || refused[i][0] == '-' ||
              ss_db_script(db, NULL, refused[i], &err) != SS_OK ||
              strncmp(refused[i], "SELECT 1", 8) == 0);
    }
    CHECK_INT(query_int(db, "PRAGMA user_version"), ss_n_migrations);
    CHECK_INT(query_int(db, "INSERT INTO usage_alerts(title) VALUES ('x')"),
              -SS_PROGRAMMING);
    CHECK_INT(
        query_int(db, "INSERT INTO usage_alerts(title) VALUES ('x') RETURNING id"),
        -SS_PROGRAMMING);
    CHECK_INT(
        execute(db, NULL, "INSERT INTO usage_alerts(title) VALUES ('x'), ('y')", &n),
        SS_OK);
    CHECK_INT(n, 2);
    CHECK_INT(execute(db, NULL, "SELECT 1", &n), SS_OK);
    CHECK_INT(n, 0);
    CHECK_INT(execute(db, NULL, "UPDATE usage_alerts SET level = 1 WHERE 0", &n),
              SS_OK);
    CHECK_INT(n, 0);
    CHECK_INT(query_int(db, "SELECT ss_day('2025-01-01T10:00')"), DAY0);
    CHECK_INT(query_int(db, "SELECT ss_instant('1970-01-01 00:00:01')"), 1000000);
    CHECK_INT(query_int(db, "SELECT ss_day('x') IS NULL AND ss_day(5) IS NULL"), 1);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    close_db(db);
}

static void
test_free_parameters(void)
{
    ss_db *db = open_new("params.db");
    ss_param named[] = {{"b", int_value(20)}, {"a", int_value(1)}};
    ss_param placed[] = {{NULL, int_value(1)}, {NULL, text_value("x")}};
    static const struct {
        const char *sql;
        bool by_name;
        int want;
    } cases[] = {
        {"SELECT :a + @b * $a", true, SS_OK},      {"SELECT :a", true, SS_OK},
        {"SELECT :c", true, SS_PROGRAMMING},       {"SELECT ?", true, SS_PROGRAMMING},
        {"SELECT ?1, ?2", false, SS_OK},           {"SELECT ?", false, SS_PROGRAMMING},
        {"SELECT ?, ?, ?", false, SS_PROGRAMMING}, {"SELECT :a, :b", false, SS_OK},
    };
    CHECK(db != NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ss_free_request r = {.sql = cases[i].sql,
                             .n_sql = strlen(cases[i].sql),
                             .params = cases[i].by_name ? named : placed,
                             .n_params = 2};
        ss_batch *batch = NULL;
        ss_value v;
        ss_error_init(&err);
        CHECK_INT(ss_db_query(db, NULL, &r, &batch, &err), cases[i].want);
        if (batch != NULL) {
            ss_column_get(&batch->columns[0], 0, &v);
            CHECK_INT(v.as.i, i == 0 ? 21 : 1);
        }
        ss_batch_release(batch);
    }
    close_db(db);
}

static void
test_script(void)
{
    ss_db *db = new_db(fresh_path("script.db"), SS_MODE_RWC);
    ss_db_stats stats;

    CHECK_INT(ss_db_script(db, NULL,
                           "CREATE TABLE usage_alerts(title TEXT); -- one\n"
                           "INSERT INTO usage_alerts VALUES ('a');",
                           &err),
              SS_OK);
    CHECK_INT(ss_db_get_stats(db, NULL, &stats, &err), SS_OK);
    CHECK_INT(stats.file_kind, SS_FILE_LEGACY);
    CHECK_INT(outside_int("SELECT count(*) FROM sqlite_schema"), 1);
    CHECK_INT(count_rows(db, "usage_alerts"), 1);
    /* All or nothing. */
    CHECK_INT(ss_db_script(db, NULL,
                           "INSERT INTO usage_alerts VALUES ('b'); SELECT nope", &err),
              SS_PROGRAMMING);
    CHECK_INT(count_rows(db, "usage_alerts"), 1);
    ss_error_init(&err);
    CHECK_INT(
        ss_db_script(db, NULL, "INSERT INTO usage_alerts VALUES ('b'); COMMIT", &err),
        SS_PROGRAMMING);
    CHECK_INT(count_rows(db, "usage_alerts"), 1);
    ss_error_init(&err);
    CHECK_INT(
        ss_db_script(db, NULL, "CREATE TABLE overview_kpis(record_date DATE)", &err),
        SS_OK);
    ss_request request = ss_request_for(table("overview_kpis"), true);
    CHECK_INT(n_read(db, &request), 0);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_free_guard);
    RUN(test_free_parameters);
    RUN(test_script);
    return check_end();
}
