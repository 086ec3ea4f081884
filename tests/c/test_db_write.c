/* db/write: one row added, rows updated and deleted, in files of ours and legacy ones. */
#include "check.h"
#include "db/write.h"
#include "db_case.h"

static void
test_add_conflicts(void)
{
    ss_db *db = open_new("add.db");

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(add_kpi(db, DAY0, 2, SS_CONFLICT_IGNORE), 1);
    CHECK_INT(customers(db, DAY0), 1);
    CHECK_INT(add_kpi(db, DAY0, 3, SS_CONFLICT_ERROR), -SS_INTEGRITY);
    CHECK_STR(err.table, "overview_kpis");
    CHECK_STR(err.column, "record_date");
    CHECK_INT(err.sqlite_code, SQLITE_CONSTRAINT_UNIQUE);
    CHECK(err.has_row && err.row == 1);
    CHECK_INT(customers(db, DAY0), 1);
    for (int i = 0; i < 10; i++) { /* no id is burnt */
        CHECK_INT(add_kpi(db, DAY0, 10 + i, SS_CONFLICT_UPDATE), 1);
    }
    CHECK_INT(customers(db, DAY0), 19);
    CHECK_INT(add_kpi(db, DAY0 + 1, 5, SS_CONFLICT_UPDATE), 2);

    /* Only the columns given change. */
    int t = table("overview_kpis");
    ss_filter some[] = {
        {column(t, "record_date"), day_value(DAY0)},
        {column(t, "conversion_rate"), {.tag = SS_VALUE_REAL, .as.r = 5}}};
    int64_t id = 0;
    CHECK_INT(ss_db_add(db, NULL, t, some, 2, SS_CONFLICT_UPDATE, &id, &err), SS_OK);
    CHECK_INT(id, 1);
    CHECK_INT(customers(db, DAY0), 19);
    CHECK_INT(query_int(db, "SELECT conversion_rate = 5 FROM overview_kpis WHERE id=1"),
              1);
    /* updated_at moves, created_at stays. */
    CHECK_INT(outside("UPDATE overview_kpis SET created_at='2020-01-01 00:00:00',"
                      " updated_at='2020-01-01 00:00:00'"),
              SS_OK);
    CHECK_INT(add_kpi(db, DAY0, 20, SS_CONFLICT_UPDATE), 1);
    CHECK_INT(query_int(db, "SELECT count(*) FROM overview_kpis WHERE id = 1 AND"
                            " created_at < '2021-01-01' AND updated_at > '2021-01-01'"),
              1);
    CHECK_INT(query_int(db, "SELECT count(*) FROM overview_kpis WHERE id = 2 AND"
                            " updated_at < '2021-01-01'"),
              1);
    close_db(db);
}

static void
test_add_failed_leaves_nothing(void)
{
    ss_db *db = open_new("failed.db");
    int t = table("conversion_funnel");
    ss_filter lacking[] = {{column(t, "record_date"), day_value(DAY0)},
                           {column(t, "stage_order"), int_value(1)}};
    int64_t id = -5;

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, -1, SS_CONFLICT_UPDATE), -SS_INTEGRITY);
    CHECK_STR(err.column, "total_customers");
    CHECK_INT(ss_db_add(db, NULL, t, lacking, 2, SS_CONFLICT_UPDATE, &id, &err),
              SS_INTEGRITY);
    CHECK_INT(id, -5);
    CHECK_INT(count_rows(db, "overview_kpis"), 0);
    CHECK_INT(count_rows(db, "conversion_funnel"), 0);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_UPDATE), 1);
    /* Inside a transaction the rest of it stays. */
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 1, 2, SS_CONFLICT_UPDATE), 2);
    CHECK_INT(add_kpi(db, DAY0, -1, SS_CONFLICT_UPDATE), -SS_INTEGRITY);
    CHECK_INT(add_kpi(db, DAY0 + 2, -1, SS_CONFLICT_UPDATE), -SS_INTEGRITY);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    CHECK_INT(customers(db, DAY0), 1);
    close_db(db);
}

/* The text of an update by the key is kept for the next that sets the same columns. */
static void
test_add_other_columns(void)
{
    ss_db *db = open_new("columns.db");
    int t = table("overview_kpis");
    ss_filter rate = {column(t, "conversion_rate"), {.tag = SS_VALUE_REAL, .as.r = 5}};
    ss_filter values[] = {
        {column(t, "record_date"), {.tag = SS_VALUE_NULL}}, rate, rate};
    int64_t id = 0;

    CHECK(db != NULL);
    CHECK_INT(ss_db_add(db, NULL, t, values, 2, SS_CONFLICT_UPDATE, &id, &err),
              SS_INTEGRITY); /* no day: that is none of the rows */
    for (int i = 0; i < 3; i++) {
        ss_error_init(&err);
        values[0].value = day_value(DAY0 + i);
        CHECK_INT(add_kpi(db, DAY0 + i, 10 + i, SS_CONFLICT_UPDATE), 1 + i);
        CHECK_INT(ss_db_add(db, NULL, t, values, 2, SS_CONFLICT_UPDATE, &id, &err),
                  SS_OK);
        CHECK_INT(id, 1 + i);
        values[2] = (ss_filter){column(t, "ai_interactions"), int_value(7 + i)};
        CHECK_INT(ss_db_add(db, NULL, t, values, 3, SS_CONFLICT_UPDATE, &id, &err),
                  SS_OK);
        CHECK_INT(id, 1 + i);
        CHECK_INT(customers(db, DAY0 + i), 10 + i);
    }
    CHECK_INT(query_int(db, "SELECT sum(ai_interactions) FROM overview_kpis"
                            " WHERE conversion_rate = 5"),
              7 + 8 + 9);
    close_db(db);
}

/* A key column that is left out has its default, and for the time of making: now. */
static void
test_add_default_keys(void)
{
    ss_db *db = open_new("keys.db");
    int t = table("conversion_trends"), u = table("usage_alerts");
    ss_filter trend[] = {{column(t, "record_date"), day_value(DAY0)}};
    ss_filter alert[] = {{column(u, "title"), text_value("full")}};
    int64_t id = 0, before = outside_int("SELECT 1");

    CHECK(db != NULL && before == 1);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ss_db_add(db, NULL, t, trend, 1, SS_CONFLICT_UPDATE, &id, &err),
                  SS_OK);
        CHECK_INT(id, 1);
    }
    CHECK_INT(query_int(db, "SELECT period_type = 'daily' FROM conversion_trends"), 1);
    CHECK_INT(ss_db_add(db, NULL, u, alert, 1, SS_CONFLICT_ERROR, &id, &err), SS_OK);
    CHECK_INT(query_int(db, "SELECT abs(strftime('%s', created_at) - strftime('%s',"
                            " 'now')) < 5 FROM usage_alerts"),
              1);
    close_db(db);
}

static void
test_update_and_delete(void)
{
    ss_db *db = open_new("update.db");
    int t = table("overview_kpis");
    ss_filter where[] = {{column(t, "total_customers"), int_value(7)}};
    ss_filter null[] = {{column(t, "conversion_rate"), {.tag = SS_VALUE_NULL}}};
    ss_filter values[] = {
        {column(t, "conversion_rate"), {.tag = SS_VALUE_REAL, .as.r = 9}}};
    ss_filter bad[] = {
        {column(t, "conversion_rate"), {.tag = SS_VALUE_REAL, .as.r = 900}}};
    int64_t n = -1;

    CHECK(db != NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(add_kpi(db, DAY0 + i, i < 4 ? 7 : 8, SS_CONFLICT_ERROR), i + 1);
    }
    CHECK_INT(ss_db_update(db, NULL, t, values, 1, where, 1, &n, &err), SS_OK);
    CHECK_INT(n, 4);
    CHECK_INT(ss_db_update(db, NULL, t, bad, 1, NULL, 0, &n, &err), SS_INTEGRITY);
    CHECK_INT(n, 4);
    ss_error_init(&err);
    CHECK_INT(ss_db_delete(db, NULL, t, null, 1, &n, &err), SS_OK);
    CHECK_INT(n, 6);
    CHECK_INT(count_rows(db, "overview_kpis"), 4);
    CHECK_INT(ss_db_delete(db, NULL, t, null, 1, &n, &err), SS_OK);
    CHECK_INT(n, 0);
    CHECK_INT(ss_db_delete(db, NULL, t, NULL, 0, &n, &err), SS_OK);
    CHECK_INT(n, 4);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 11); /* ids are not reused */
    close_db(db);
}

/* A legacy file has no unique key and mixed forms: the row is found all the same. */
static void
test_add_legacy(void)
{
    fresh_path("old.db");
    CHECK_INT(outside("CREATE TABLE overview_kpis(id INTEGER PRIMARY KEY AUTOINCREMENT,"
                      " record_date DATE, total_customers INTEGER);"
                      "INSERT INTO overview_kpis VALUES (3, '2025-01-01T10:00:00', 5),"
                      " (4, '2025-01-02T00:30:00+01:00', 6), (5, '2025-01-03', 7)"),
              SS_OK);
    ss_db *db = new_db(path, SS_MODE_RW);
    CHECK_INT(add_kpi(db, DAY0, 50, SS_CONFLICT_UPDATE), 4); /* the newer of two */
    CHECK_INT(outside_int("SELECT total_customers FROM overview_kpis WHERE id = 4"),
              50);
    CHECK_INT(outside_int("SELECT record_date = '2025-01-02T00:30:00+01:00' FROM"
                          " overview_kpis WHERE id = 4"),
              1); /* its key stays as it was written */
    CHECK_INT(add_kpi(db, DAY0 + 2, 70, SS_CONFLICT_ERROR), -SS_INTEGRITY);
    CHECK_INT(add_kpi(db, DAY0 + 3, 80, SS_CONFLICT_ERROR), 6);
    int t = table("overview_kpis");
    ss_filter absent[] = {
        {column(t, "record_date"), day_value(DAY0)},
        {column(t, "revenue_impact"), {.tag = SS_VALUE_REAL, .as.r = 1}}};
    int64_t id;
    ss_error_init(&err);
    CHECK_INT(ss_db_add(db, NULL, t, absent, 2, SS_CONFLICT_UPDATE, &id, &err),
              SS_SCHEMA);
    CHECK_STR(err.column, "revenue_impact");
    CHECK_INT(-add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), SS_INTEGRITY);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_add_conflicts);
    RUN(test_add_failed_leaves_nothing);
    RUN(test_add_other_columns);
    RUN(test_add_default_keys);
    RUN(test_update_and_delete);
    RUN(test_add_legacy);
    return check_end();
}
