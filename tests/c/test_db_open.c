/* db/: which files are opened, what is made of them, and what they are seen to be. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "db/write.h"
#include "db_case.h"

#include <sys/stat.h>

/* ---- opening ---- */

static void
test_connect_creates(void)
{
    ss_db *db = new_db(fresh_path("new.db"), SS_MODE_RWC);
    ss_db_stats stats;

    CHECK(db != NULL && ss_db_is_open(db));
    CHECK(!exists(""));
    CHECK_INT(ss_db_connect(db, NULL, &err), SS_OK);
    CHECK_INT(ss_db_connect(db, NULL, &err), SS_OK);
    CHECK_INT(ss_db_get_stats(db, NULL, &stats, &err), SS_OK);
    CHECK_INT(stats.file_kind, SS_FILE_CURRENT);
    CHECK_INT(stats.user_version, ss_n_migrations);
    CHECK(stats.wal && !stats.read_only && stats.open);
    CHECK_INT(outside_int("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
                          " AND name NOT LIKE 'sqlite%'"),
              30);
    CHECK_INT(outside_int("PRAGMA application_id"), SS_APPLICATION_ID);
    for (int i = 0; i < ss_n_tables; i++) {
        CHECK_INT(count_rows(db, ss_tables[i].name), 0);
        for (int getter = 0; getter < 2; getter++) {
            ss_request request = ss_request_for(i, getter);
            ss_batch *batch = read_rows(db, &request);
            CHECK(batch != NULL && batch->n_rows == 0);
            ss_batch_release(batch);
        }
    }
    close_db(db);
    CHECK(!exists("-wal"));
}

static void
test_connect_other_modes(void)
{
    ss_db *db = new_db(fresh_path("none.db"), SS_MODE_RW);

    CHECK_INT(ss_db_connect(db, NULL, &err), SS_OPERATIONAL);
    ss_db_free(db);
    FILE *empty = fopen(path, "w");
    CHECK(empty != NULL && fclose(empty) == 0);
    for (int mode = SS_MODE_RW; mode <= SS_MODE_RO; mode++) {
        ss_db_stats stats;
        struct stat st;
        db = new_db(path, (ss_mode)mode);
        CHECK_INT(count_rows(db, "overview_kpis"), 0);
        CHECK_INT(ss_db_get_stats(db, NULL, &stats, &err), SS_OK);
        CHECK_INT(stats.file_kind, SS_FILE_EMPTY);
        CHECK_INT(-add_kpi(db, DAY0, 1, SS_CONFLICT_UPDATE),
                  mode == SS_MODE_RO ? SS_READ_ONLY : SS_SCHEMA);
        close_db(db);
        CHECK(stat(path, &st) == 0 && st.st_size == 0);
    }
}

static ss_status
connect_to(const char *sql, ss_mode mode, int *kind)
{
    ss_db_stats stats;

    fresh_path("kind.db");
    if (outside(sql) != SS_OK) {
        return -1;
    }
    ss_db *db = new_db(path, mode);
    ss_status status = ss_db_connect(db, NULL, &err);
    if (status == SS_OK && ss_db_get_stats(db, NULL, &stats, &err) == SS_OK) {
        *kind = stats.file_kind;
    }
    ss_error own = err;
    close_db(db);
    err = own;
    return status;
}

static void
test_file_kinds(void)
{
    int kind = -1;

    CHECK_INT(connect_to("CREATE TABLE notes(x)", SS_MODE_RWC, &kind), SS_OK);
    CHECK_INT(kind, SS_FILE_FOREIGN);
    CHECK_INT(connect_to("CREATE TABLE overview_kpis(record_date)", SS_MODE_RWC, &kind),
              SS_OK);
    CHECK_INT(kind, SS_FILE_LEGACY);
    CHECK_INT(connect_to("CREATE TABLE notes(x); PRAGMA application_id=1397965890;"
                         "PRAGMA user_version=99",
                         SS_MODE_RO, &kind),
              SS_OK);
    CHECK_INT(kind, SS_FILE_NEWER);
    CHECK_INT(connect_to("CREATE TABLE notes(x); PRAGMA application_id=1397965890;"
                         "PRAGMA user_version=99",
                         SS_MODE_RWC, &kind),
              SS_SCHEMA);
    CHECK_HAS(err.message, "99");
    CHECK_INT(
        connect_to("CREATE TABLE notes(x); PRAGMA application_id=7", SS_MODE_RO, &kind),
        SS_SCHEMA);
    CHECK_HAS(err.message, "application_id 7");
    static const char *const impostors[] = {
        "CREATE VIEW overview_kpis AS SELECT 1 AS id",
        "CREATE VIEW Overview_Kpis AS SELECT 1 AS id",
        "CREATE VIRTUAL TABLE overview_kpis USING fts5(record_date)",
        "CREATE TABLE overview_kpis(id INTEGER PRIMARY KEY, record_date TEXT,"
        " total_customers INTEGER AS (id * 2))"};
    for (size_t i = 0; i < sizeof(impostors) / sizeof(impostors[0]); i++) {
        CHECK_INT(connect_to(impostors[i], SS_MODE_RWC, &kind), SS_SCHEMA);
        CHECK_STR(err.table, "overview_kpis");
        CHECK(i != 2 || strstr(err.message, "virtual table") != NULL);
    }
}

static void
test_trigger_is_not_run(void)
{
    ss_db *db = open_new("trigger.db");
    int64_t n;

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 5, SS_CONFLICT_ERROR), 1);
    close_db(db);
    CHECK_INT(outside("CREATE TRIGGER spy AFTER INSERT ON overview_kpis BEGIN"
                      " DELETE FROM conversion_trends; END"),
              SS_OK);
    db = new_db(path, SS_MODE_RWC);
    CHECK_INT(customers(db, DAY0), 5);
    CHECK_INT(add_kpi(db, DAY0 + 1, 5, SS_CONFLICT_UPDATE), -SS_SCHEMA);
    CHECK_HAS(err.message, "spy");
    ss_error_init(&err);
    CHECK_INT(ss_db_delete(db, NULL, table("overview_kpis"), NULL, 0, &n, &err),
              SS_SCHEMA);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    close_db(db);
}

static void
test_legacy_table_seen_later(void)
{
    fresh_path("later.db");
    CHECK_INT(outside("CREATE TABLE usage_alerts(level TEXT)"), SS_OK);
    ss_db *db = new_db(path, SS_MODE_RW);
    CHECK_INT(count_rows(db, "overview_kpis"), 0);
    CHECK_INT(outside("CREATE TABLE overview_kpis(record_date DATE, total_customers"
                      " INTEGER); INSERT INTO overview_kpis VALUES ('2025-01-01', 3)"),
              SS_OK);
    CHECK_INT(customers(db, DAY0), 3);
    CHECK_INT(add_kpi(db, DAY0, 4, SS_CONFLICT_UPDATE), 1);
    CHECK_INT(customers(db, DAY0), 4);
    close_db(db);
}

/* ---- made by initialize() ---- */

static void
test_initialize(void)
{
    fresh_path("init.db");
    CHECK_INT(outside("CREATE TABLE overview_kpis(record_date DATE, total_customers);"
                      "INSERT INTO overview_kpis VALUES ('2025-01-01', 7)"),
              SS_OK);
    for (int again = 0; again < 2; again++) {
        ss_db *db = new_db(path, SS_MODE_RW);
        ss_db_stats stats;
        CHECK_INT(ss_db_initialize(db, NULL, &err), SS_OK);
        CHECK_INT(outside_int("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
                              " AND name NOT LIKE 'sqlite%'"),
                  30);
        CHECK_INT(outside_int("PRAGMA application_id"), 0); /* it stays a legacy file */
        CHECK_INT(customers(db, DAY0), 7);
        int64_t id;
        int t = table("conversion_trends");
        ss_filter trend[] = {{column(t, "record_date"), day_value(DAY0)}};
        CHECK_INT(ss_db_add(db, NULL, t, trend, 1, SS_CONFLICT_UPDATE, &id, &err),
                  SS_OK);
        CHECK_INT(count_rows(db, "conversion_trends"), 1);
        CHECK_INT(ss_db_get_stats(db, NULL, &stats, &err), SS_OK);
        CHECK_INT(stats.file_kind, SS_FILE_LEGACY);
        close_db(db);
    }
    /* A file with other tables only becomes ours; one that is ours stays as it is. */
    fresh_path("init2.db");
    CHECK_INT(outside("CREATE TABLE notes(x)"), SS_OK);
    ss_db *db = new_db(path, SS_MODE_RW);
    CHECK_INT(ss_db_initialize(db, NULL, &err), SS_OK);
    CHECK_INT(outside_int("PRAGMA application_id"), SS_APPLICATION_ID);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(ss_db_initialize(db, NULL, &err), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_connect_creates);
    RUN(test_connect_other_modes);
    RUN(test_file_kinds);
    RUN(test_trigger_is_not_run);
    RUN(test_legacy_table_seen_later);
    RUN(test_initialize);
    return check_end();
}
