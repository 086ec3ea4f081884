/* db/: opening, reading and writing our tables, transactions, close, fork, free SQL. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/moment.h"
#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db/free.h"
#include "db/read.h"
#include "db/write.h"
#include "scratch.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Blocks of this very thread, which is what they are in all tests here but one. */
static ss_status
own_begin(ss_db *db, ss_error *err)
{
    uint64_t thread = 0;
    ss_status status = ss_db_begin(db, NULL, &thread, err);
    return status;
}

static ss_status
own_end(ss_db *db, bool commit, ss_error *err)
{
    return ss_db_end(db, NULL, ss_thread_id(), commit, err);
}

static ss_status
own_snapshot_begin(ss_db *db, ss_error *err)
{
    uint64_t thread = 0;
    return ss_db_snapshot_begin(db, NULL, &thread, err);
}

static ss_status
own_snapshot_end(ss_db *db, ss_error *err)
{
    return ss_db_snapshot_end(db, ss_thread_id(), err);
}

#define ENDLESS                                                             \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT " \
    "2000000000) SELECT count(*) FROM c"

static _Thread_local ss_error err;

/* ---- material ---- */

static ss_db *
new_db(const char *file, ss_mode mode)
{
    ss_db_options options = {.path = file,
                             .mode = mode,
                             .durability = SS_DURABILITY_OFF,
                             .max_readers = 4,
                             .busy_ms = 10000,
                             .strict = true};
    ss_db *db = NULL;

    ss_error_init(&err);
    return ss_db_new(&options, &db, &err) == SS_OK ? db : NULL;
}

/* Run SQL on the file through a connection of its own, as another program would. */
static ss_status
outside(const char *sql)
{
    ss_conn_options options = {.path = path, .flags = SS_CONN_CREATE, .busy_ms = 5000};
    ss_conn *conn = NULL;

    ss_error_init(&err);
    ss_status status = ss_conn_open(&options, &conn, &err);
    if (status == SS_OK) {
        status = ss_conn_exec(conn, sql, &err);
    }
    ss_conn_close(conn);
    if (status != SS_OK) {
        printf("  %s: %s\n", sql, err.message);
    }
    return status;
}

static int64_t
outside_int(const char *sql)
{
    ss_conn_options options = {.path = path, .busy_ms = 5000};
    ss_conn *conn = NULL;
    int64_t n = -12345;

    ss_error_init(&err);
    ss_status status = ss_conn_open(&options, &conn, &err);
    if (status == SS_OK) {
        status = ss_conn_int(conn, sql, &n, &err);
    }
    ss_conn_close(conn);
    return status == SS_OK ? n : -99999;
}

static int
table(const char *name)
{
    return ss_catalog_table(name, strlen(name));
}

static int16_t
column(int index, const char *name)
{
    return (int16_t)ss_catalog_column(&ss_tables[index], name, strlen(name));
}

static ss_value
int_value(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_INT, .as.i = i};
}

static ss_value
day_value(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_DATE, .as.i = i};
}

static ss_value
instant_value(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = i};
}

static ss_value
text_value(const char *s)
{
    return (ss_value){.tag = SS_VALUE_TEXT, .as.s = {s, strlen(s)}};
}

/* 2025-01-01 */
enum { DAY0 = 20089 };

/* Add one row of overview_kpis; its id, or -code. */
static int64_t
add_kpi(ss_db *db, int64_t day, int64_t customers, ss_conflict conflict)
{
    int t = table("overview_kpis");
    ss_filter values[] = {{column(t, "record_date"), day_value(day)},
                          {column(t, "total_customers"), int_value(customers)}};
    ss_error own;
    int64_t id = 0;

    ss_error_init(&own);
    ss_status status = ss_db_add(db, NULL, t, values, 2, conflict, &id, &own);
    if (check_state.failed == false && status != SS_OK) {
        err = own;
    }
    return status == SS_OK ? id : -status;
}

static ss_batch *
read_rows(ss_db *db, const ss_request *request)
{
    ss_batch *batch = NULL;

    ss_error_init(&err);
    return ss_db_read(db, NULL, request, &batch, &err) == SS_OK ? batch : NULL;
}

static int64_t
count_rows(ss_db *db, const char *name)
{
    ss_request request = ss_request_for(table(name), false);
    int64_t n = -1;
    ss_error own;

    ss_error_init(&own);
    ss_status status = ss_db_count(db, NULL, &request, &n, &own);
    return status == SS_OK ? n : -status;
}

static int64_t
cell(const ss_batch *batch, const char *name, int64_t row)
{
    ss_value value;

    ss_column_get(&batch->columns[ss_batch_find(batch, name, strlen(name))], row,
                  &value);
    return value.tag == SS_VALUE_NULL ? -777 : value.as.i;
}

/* total_customers of one row by its day. */
static int64_t
customers(ss_db *db, int64_t day)
{
    ss_request request = ss_request_for(table("overview_kpis"), true);

    request.date = day_value(day);
    ss_batch *batch = read_rows(db, &request);
    CHECK_VALUE(batch != NULL, -1);
    int64_t n = batch->n_rows == 1 ? cell(batch, "total_customers", 0) : -batch->n_rows;
    ss_batch_release(batch);
    return n;
}

static ss_status
execute(ss_db *db, const ss_call *call, const char *sql, int64_t *changed)
{
    ss_free_request request = {.sql = sql, .n_sql = strlen(sql)};
    ss_outcome outcome = {0};

    ss_error_init(&err);
    ss_status status = ss_db_execute(db, call, &request, NULL, &outcome, &err);
    *changed = outcome.changed;
    return status;
}

static int64_t
query_int(ss_db *db, const char *sql)
{
    ss_free_request request = {.sql = sql, .n_sql = strlen(sql), .raw = true};
    ss_batch *batch = NULL;
    ss_value value = {.tag = SS_VALUE_NULL};

    ss_error_init(&err);
    ss_status status = ss_db_query(db, NULL, &request, &batch, &err);
    if (status != SS_OK) {
        return -status;
    }
    if (batch->n_rows > 0) {
        ss_column_get(&batch->columns[0], 0, &value);
    }
    ss_batch_release(batch);
    return value.as.i;
}

static ss_db *
open_new(const char *name)
{
    ss_db *db = new_db(fresh_path(name), SS_MODE_RWC);

    return db != NULL && ss_db_connect(db, NULL, &err) == SS_OK ? db : NULL;
}

static void
close_db(ss_db *db)
{
    ss_error_init(&err);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
    ss_db_free(db);
}

static int64_t
waits(ss_db *db)
{
    ss_db_stats stats = {0};
    ss_error own;

    ss_error_init(&own);
    return ss_db_get_stats(db, NULL, &stats, &own) == SS_OK ? stats.pool.writer_waits
                                                            : -1;
}

/* ---- opening ---- */

static void
test_connect_creates(void)
{
    ss_db *db = new_db(fresh_path("new.db"), SS_MODE_RWC);
    ss_db_stats stats;

    CHECK(db != NULL && ss_db_is_open(db));
    CHECK(access(path, F_OK) != 0);
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
    char wal[600];
    snprintf(wal, sizeof(wal), "%s-wal", path);
    CHECK(access(wal, F_OK) != 0);
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

/* ---- writing ---- */

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
    ss_error_init(&err);
    CHECK_INT(own_begin(db, &err), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 1, 2, SS_CONFLICT_UPDATE), 2);
    CHECK_INT(add_kpi(db, DAY0, -1, SS_CONFLICT_UPDATE), -SS_INTEGRITY);
    CHECK_INT(add_kpi(db, DAY0 + 2, -1, SS_CONFLICT_UPDATE), -SS_INTEGRITY);
    ss_error_init(&err);
    CHECK_INT(own_end(db, true, &err), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    CHECK_INT(customers(db, DAY0), 1);
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

/* ---- transactions ---- */

static ss_status
begin(ss_db *db)
{
    ss_error_init(&err);
    return own_begin(db, &err);
}

static ss_status
end(ss_db *db, bool commit)
{
    ss_error_init(&err);
    return own_end(db, commit, &err);
}

static void
test_transaction_nests(void)
{
    ss_db *db = open_new("nest.db");

    CHECK(db != NULL);
    CHECK_INT(end(db, true), SS_PROGRAMMING);
    CHECK_INT(ss_db_is_bound(db), false);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(ss_db_is_bound(db), true);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 1, 2, SS_CONFLICT_ERROR), 2);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 2, 3, SS_CONFLICT_ERROR), 3);
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 3);
    CHECK_INT(end(db, false), SS_OK); /* takes the innermost with it */
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 3, 4, SS_CONFLICT_ERROR), 2);
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 0);
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 2);
    CHECK_INT(ss_db_is_bound(db), false);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 9, 4, SS_CONFLICT_ERROR), 3);
    CHECK_INT(end(db, false), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    CHECK_INT(end(db, false), SS_PROGRAMMING);
    close_db(db);
}

/* SQLite rolls all of it back when a write is interrupted. */
static void
test_transaction_dies(void)
{
    ss_db *db = open_new("dead.db");
    int64_t n;

    CHECK(db != NULL);
    for (int depth = 1; depth <= 2; depth++) {
        for (int i = 0; i < depth; i++) {
            CHECK_INT(begin(db), SS_OK);
        }
        CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
        ss_call call = {.deadline_ms = ss_clock_ms() + 50};
        CHECK_INT(execute(db, &call,
                          "INSERT INTO usage_alerts(title) WITH RECURSIVE c(x) AS"
                          " (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
                          &n),
                  SS_INTERRUPTED);
        CHECK_INT(add_kpi(db, DAY0 + 1, 1, SS_CONFLICT_ERROR), -SS_PROGRAMMING);
        CHECK_HAS(err.message, "rolled back");
        CHECK_INT(count_rows(db, "overview_kpis"), -SS_PROGRAMMING);
        CHECK_INT(begin(db), SS_PROGRAMMING);
        CHECK_INT(ss_db_is_bound(db), true);
        for (int i = depth; i > 1; i--) {
            CHECK_INT(end(db, false), SS_OK);
        }
        CHECK_INT(end(db, depth == 1), depth == 1 ? SS_PROGRAMMING : SS_OK);
        CHECK_INT(ss_db_is_bound(db), false);
        CHECK_INT(count_rows(db, "overview_kpis"), 0);
        CHECK_INT(count_rows(db, "usage_alerts"), 0);
    }
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    close_db(db);
}

typedef struct {
    ss_db *db;
    int64_t day;
    int64_t result;
} adder;

static void *
add_one(void *arg)
{
    adder *a = arg;

    a->result = add_kpi(a->db, a->day, 1, SS_CONFLICT_ERROR);
    return NULL;
}

static void
test_transaction_others_wait_in_order(void)
{
    enum { N = 6 };
    ss_db *db = open_new("fifo.db");
    pthread_t threads[N];
    adder adders[N];

    CHECK(db != NULL);
    CHECK_INT(begin(db), SS_OK);
    for (int i = 0; i < N; i++) {
        adders[i] = (adder){.db = db, .day = DAY0 + i};
        CHECK(pthread_create(&threads[i], NULL, add_one, &adders[i]) == 0);
        for (int k = 0; k < 10000 && waits(db) < i + 1; k++) {
            ss_sleep_us(500); /* until it stands in the queue */
        }
        CHECK_INT(waits(db), i + 1);
    }
    CHECK_INT(add_kpi(db, DAY0 + 100, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(end(db, true), SS_OK);
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(adders[i].result, i + 2);
    }
    close_db(db);
}

static void
test_snapshot(void)
{
    ss_db *db = open_new("snap.db"), *other = new_db(path, SS_MODE_RW);

    CHECK(db != NULL && other != NULL);
    CHECK_INT(own_snapshot_end(db, &err), SS_PROGRAMMING);
    ss_error_init(&err);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(own_snapshot_begin(db, &err), SS_OK);
    CHECK_INT(ss_db_is_bound(db), true);
    CHECK_INT(add_kpi(other, DAY0 + 1, 2, SS_CONFLICT_ERROR), 2);
    CHECK_INT(add_kpi(db, DAY0 + 2, 2, SS_CONFLICT_ERROR), 3); /* goes to the file */
    CHECK_INT(own_snapshot_begin(db, &err), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(query_int(db, "SELECT count(*) FROM overview_kpis"), 1);
    CHECK_INT(customers(db, DAY0 + 1), 0);
    CHECK_INT(own_snapshot_end(db, &err), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(begin(db), SS_OK); /* a transaction inside sees what is */
    CHECK_INT(count_rows(db, "overview_kpis"), 3);
    CHECK_INT(own_snapshot_begin(db, &err), SS_OK); /* the outer one's */
    ss_error_init(&err);
    CHECK_INT(own_snapshot_end(db, &err), SS_OK);
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(own_snapshot_end(db, &err), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 3);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(own_snapshot_begin(db, &err), SS_PROGRAMMING);
    CHECK_INT(end(db, false), SS_OK);
    close_db(other);
    close_db(db);
}

/* ---- close ---- */

static void
test_close(void)
{
    ss_db *db = open_new("close.db");

    CHECK(db != NULL);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_PROGRAMMING);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(own_snapshot_begin(db, &err), SS_OK);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_PROGRAMMING);
    ss_error_init(&err);
    CHECK_INT(own_snapshot_end(db, &err), SS_OK);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
        CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
        CHECK(!ss_db_is_open(db));
        CHECK_INT(count_rows(db, "overview_kpis"), -SS_CLOSED);
        CHECK_INT(begin(db), SS_CLOSED);
        ss_error_init(&err);
        CHECK_INT(ss_db_connect_bare(db, NULL, &err), SS_CLOSED);
        ss_error_init(&err);
        CHECK_INT(ss_db_connect(db, NULL, &err), SS_OK);
        CHECK(ss_db_is_open(db));
        CHECK_INT(customers(db, DAY0), 1);
    }
    close_db(db);
    db = new_db(fresh_path("never.db"), SS_MODE_RWC); /* closed before any use */
    CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), -SS_CLOSED);
    CHECK(access(path, F_OK) != 0);
    ss_db_free(db);
}

typedef struct {
    ss_db *db;
    int64_t limit_ms;
    atomic_int result;
    atomic_bool done;
} closer;

static void *
close_it(void *arg)
{
    closer *c = arg;
    ss_call call = {.deadline_ms = c->limit_ms > 0 ? ss_clock_ms() + c->limit_ms : 0};
    ss_error own;

    ss_error_init(&own);
    atomic_store(&c->result, ss_db_close(c->db, &call, &own));
    atomic_store(&c->done, true);
    return NULL;
}

/* Another thread's close waits for the transaction; one that may not wait gives up and
 * the db stays open. */
static void
test_close_waits(void)
{
    ss_db *db = open_new("wait.db");
    closer hasty = {.db = db, .limit_ms = 30}, patient = {.db = db};
    pthread_t thread;

    CHECK(db != NULL);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK(pthread_create(&thread, NULL, close_it, &hasty) == 0);
    pthread_join(thread, NULL);
    CHECK_INT(hasty.result, SS_INTERRUPTED);
    CHECK(ss_db_is_open(db));
    CHECK_INT(add_kpi(db, DAY0 + 1, 1, SS_CONFLICT_ERROR), 2);
    CHECK(pthread_create(&thread, NULL, close_it, &patient) == 0);
    while (ss_db_is_open(db)) {
        ss_sleep_us(500);
    }
    ss_sleep_us(20000);
    CHECK(!atomic_load(&patient.done));
    CHECK_INT(end(db, true), SS_OK);
    pthread_join(thread, NULL);
    CHECK_INT(patient.result, SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 2);
    CHECK_INT(count_rows(db, "overview_kpis"), -SS_CLOSED);
    ss_db_free(db);
}

/* A close that gave up does not undo the one that succeeds after it. */
static void
test_close_twice_at_once(void)
{
    ss_db *db = open_new("twice.db");
    closer hasty = {.db = db, .limit_ms = 150}, patient = {.db = db};
    pthread_t one, two;

    CHECK(db != NULL);
    CHECK_INT(begin(db), SS_OK);
    CHECK(pthread_create(&one, NULL, close_it, &hasty) == 0);
    ss_sleep_us(50000);
    CHECK(pthread_create(&two, NULL, close_it, &patient) == 0);
    pthread_join(one, NULL);
    CHECK_INT(hasty.result, SS_INTERRUPTED);
    ss_sleep_us(20000);
    CHECK_INT(end(db, true), SS_OK);
    pthread_join(two, NULL);
    CHECK_INT(patient.result, SS_OK);
    CHECK(!ss_db_is_open(db));
    CHECK_INT(count_rows(db, "overview_kpis"), -SS_CLOSED);
    ss_db_free(db);
}

/* ---- fork ---- */

static int
in_child(ss_db *db, int (*work)(ss_db *))
{
    ss_db_before_fork(db, 200);
    pid_t pid = fork();
    if (pid == 0) {
        ss_db_after_fork_child(db);
        _exit(work(db));
    }
    ss_db_after_fork_parent(db);
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int
child_uses(ss_db *db)
{
    int bad = customers(db, DAY0) != 1;

    bad |= add_kpi(db, DAY0 + 50, 2, SS_CONFLICT_ERROR) < 0 ? 2 : 0;
    bad |= count_rows(db, "overview_kpis") < 2 ? 4 : 0;
    ss_error_init(&err);
    bad |= ss_db_close(db, NULL, &err) != SS_OK ? 8 : 0;
    return bad;
}

static void
test_fork(void)
{
    ss_db *db = open_new("fork.db");

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(customers(db, DAY0), 1);
    CHECK_INT(in_child(db, child_uses), 0);
    CHECK_INT(customers(db, DAY0 + 50), 2);
    CHECK_INT(add_kpi(db, DAY0 + 1, 1, SS_CONFLICT_ERROR), 3);
    close_db(db);
    db = new_db(path, SS_MODE_RW); /* not connected yet */
    CHECK_INT(outside("DELETE FROM overview_kpis WHERE id > 1"), SS_OK);
    CHECK_INT(in_child(db, child_uses), 0);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    close_db(db);
}

static int
child_is_refused(ss_db *db)
{
    int bad = count_rows(db, "overview_kpis") != -SS_FORKED;

    bad |= add_kpi(db, DAY0 + 9, 1, SS_CONFLICT_ERROR) != -SS_FORKED ? 2 : 0;
    bad |= end(db, true) != SS_FORKED ? 4 : 0;
    bad |= ss_db_is_bound(db) ? 8 : 0;
    ss_error_init(&err);
    bad |= ss_db_close(db, NULL, &err) != SS_OK ? 16 : 0;
    bad |= ss_db_connect(db, NULL, &err) != SS_OK ? 32 : 0;
    bad |= customers(db, DAY0) != 1 ? 64 : 0;
    return bad;
}

static void
test_fork_in_a_transaction(void)
{
    ss_db *db = open_new("forktx.db");

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 1, 1, SS_CONFLICT_ERROR), 2);
    int64_t begun = ss_clock_ms();
    CHECK_INT(in_child(db, child_is_refused), 0);
    CHECK(ss_clock_ms() - begun < 5000);
    CHECK_INT(add_kpi(db, DAY0 + 2, 1, SS_CONFLICT_ERROR), 3);
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 3);
    close_db(db);
}

static atomic_bool stop_threads;

static void *
read_on(void *arg)
{
    while (!atomic_load(&stop_threads)) {
        if (customers(arg, DAY0) != 1) {
            check_fail(__FILE__, __LINE__, "customers() while forking");
        }
    }
    return NULL;
}

/* The sanitizers' allocators do not know fork(): a thread left behind may hold their
 * lock, so there the child only gets its db back. */
static int
child_reads(ss_db *db)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)db;
    return 0;
#else
    return customers(db, DAY0) != 1;
#endif
}

static void
test_fork_with_threads(void)
{
    enum { N = 4 };
    ss_db *db = open_new("forkth.db");
    pthread_t threads[N];

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    atomic_store(&stop_threads, false);
    for (int i = 0; i < N; i++) {
        CHECK(pthread_create(&threads[i], NULL, read_on, db) == 0);
    }
    int bad = 0;
    for (int i = 0; i < 10; i++) {
        bad |= in_child(db, child_reads);
    }
    atomic_store(&stop_threads, true);
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(bad, 0);
    close_db(db);
}

/* ---- cancel ---- */

static void *
cancel_soon(void *arg)
{
    ss_sleep_us(50000);
    ss_db_cancel(arg);
    return NULL;
}

static void
test_cancel(void)
{
    ss_db *db = open_new("cancel.db");
    ss_free_request request = {.sql = ENDLESS, .n_sql = strlen(ENDLESS)};
    ss_batch *batch = NULL;
    ss_call call = {0};
    pthread_t thread;

    CHECK(db != NULL);
    ss_db_call_init(db, &call, -1);
    CHECK_INT(call.deadline_ms, 0);
    CHECK(pthread_create(&thread, NULL, cancel_soon, db) == 0);
    int64_t begun = ss_clock_ms();
    CHECK_INT(ss_db_query(db, &call, &request, &batch, &err), SS_INTERRUPTED);
    CHECK(ss_clock_ms() - begun < 3000);
    CHECK_HAS(err.message, "cancelled");
    pthread_join(thread, NULL);
    ss_db_call_init(db, &call, -1); /* later calls are not touched */
    ss_error_init(&err);
    request.sql = "SELECT 1";
    request.n_sql = 8;
    CHECK_INT(ss_db_query(db, &call, &request, &batch, &err), SS_OK);
    ss_batch_release(batch);
    ss_db_call_init(db, &call, 40);
    request.sql = ENDLESS;
    request.n_sql = strlen(ENDLESS);
    CHECK_INT(ss_db_query(db, &call, &request, &batch, &err), SS_INTERRUPTED);
    CHECK_HAS(err.message, "time limit");
    close_db(db);
}

/* ---- reading ---- */

/* Sixty days; overview: every day; funnel: three stages on every second; trends: every
 * day; realtime: every six hours; configurations: five. */
enum { N_DAYS = 60 };

static ss_db *
filled(const char *name)
{
    int64_t n;
    ss_db *db = open_new(name);
    char sql[1200];

    snprintf(sql, sizeof(sql), "DELETE FROM overview_kpis");
    if (db == NULL || execute(db, NULL, sql, &n) != SS_OK) {
        return NULL;
    }
    static const char *const scripts[] = {
        "INSERT INTO overview_kpis(record_date, total_customers)"
        " SELECT date('2025-01-01', '+' || x || ' days'), x FROM n WHERE x < 60",
        "INSERT INTO conversion_trends(record_date, conversions)"
        " SELECT date('2025-01-01', '+' || (59 - x) || ' days'), x FROM n WHERE x < 60",
        "INSERT INTO conversion_funnel(record_date, stage_name, stage_order, count)"
        " SELECT date('2025-01-01', '+' || x || ' days'), 's', (o + x) % 3, 10"
        " FROM n, (SELECT 0 AS o UNION SELECT 1 UNION SELECT 2)"
        " WHERE x < 60 AND x % 2 = 0",
        "INSERT INTO realtime_metrics(recorded_at, active_sessions)"
        " SELECT datetime('2025-01-01', '+' || (x * 6) || ' hours'), x FROM n"
        " WHERE x < 240",
        "INSERT INTO api_configurations(api_type, api_name, api_url)"
        " SELECT char(101 - x), 'n', 'u' FROM n WHERE x < 5"};
    for (int i = 0; i < 5; i++) {
        snprintf(sql, sizeof(sql),
                 "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n"
                 " LIMIT 240) %s",
                 scripts[i]);
        if (execute(db, NULL, sql, &n) != SS_OK) {
            printf("  %s\n", err.message);
            return NULL;
        }
    }
    return db;
}

static int64_t
n_read(ss_db *db, const ss_request *request)
{
    ss_batch *batch = read_rows(db, request);

    if (batch == NULL) {
        return -err.code;
    }
    int64_t n = batch->n_rows;
    ss_batch_release(batch);
    return n;
}

static void
check_shapes(ss_db *db)
{
    ss_request one = ss_request_for(table("overview_kpis"), true);
    ss_request set = ss_request_for(table("conversion_funnel"), true);
    ss_request history = ss_request_for(table("conversion_trends"), true);
    ss_request events = ss_request_for(table("realtime_metrics"), true);
    ss_request all = ss_request_for(table("api_configurations"), true);

    for (int again = 0; again < 2; again++) { /* the second time from the kept plan */
        ss_batch *b = read_rows(db, &one);
        CHECK(b != NULL && b->n_rows == 1 && b->whole);
        CHECK_INT(cell(b, "record_date", 0), DAY0 + 59);
        CHECK_INT(cell(b, "total_customers", 0), 59);
        ss_batch_release(b);
        b = read_rows(db, &set);
        CHECK(b != NULL && b->n_rows == 3);
        for (int i = 0; i < 3; i++) {
            CHECK_INT(cell(b, "record_date", i), DAY0 + 58);
            CHECK_INT(cell(b, "stage_order", i), i);
        }
        ss_batch_release(b);
        b = read_rows(db, &history);
        CHECK(b != NULL && b->n_rows == N_DAYS);
        for (int i = 0; i < N_DAYS; i++) {
            CHECK_INT(cell(b, "record_date", i), DAY0 + i);
            CHECK_INT(cell(b, "conversions", i), 59 - i);
        }
        ss_batch_release(b);
        b = read_rows(db, &events);
        CHECK(b != NULL && b->n_rows == SS_EVENTS_DEFAULT_LIMIT);
        for (int i = 0; i < SS_EVENTS_DEFAULT_LIMIT; i++) {
            CHECK_INT(cell(b, "active_sessions", i), 239 - i);
        }
        ss_batch_release(b);
        b = read_rows(db, &all);
        CHECK(b != NULL && b->n_rows == 5);
        CHECK_INT(cell(b, "id", 0), 5); /* by api_type, which falls with the id */
        CHECK_INT(cell(b, "id", 4), 1);
        ss_batch_release(b);
        for (int day = -1; day <= N_DAYS; day++) {
            bool inside = day >= 0 && day < N_DAYS;
            one.date = set.date = history.date = events.date = day_value(DAY0 + day);
            CHECK_INT(n_read(db, &one), inside);
            CHECK_INT(n_read(db, &set), inside && day % 2 == 0 ? 3 : 0);
            CHECK_INT(n_read(db, &history), inside);
            CHECK_INT(n_read(db, &events), inside ? 4 : 0);
            if (inside) {
                CHECK_INT(customers(db, DAY0 + day), day);
            }
        }
        one.date = set.date = history.date = events.date =
            (ss_value){SS_VALUE_NULL, {0}};
    }
    events.limit = 7;
    events.offset = 3;
    CHECK_INT(n_read(db, &events), 7);
    events.limit = -1;
    events.date = day_value(SS_DAY_MAX);
    CHECK_INT(n_read(db, &events), 0);
}

static void
check_periods(ss_db *db)
{
    static const struct {
        const char *period;
        int as_of; /* days after DAY0, or -1: not given */
        int first, last;
    } cases[] = {
        {"1d", -1, 59, 59}, {"7d", -1, 53, 59},  {"7d", 10, 4, 10},
        {"2w", 20, 7, 20},  {"1m", -1, 32, 59},  {"1m", 30, 0, 30},
        {"60d", -1, 0, 59}, {"1y", -1, 0, 59},   {"3d", 61, 59, 61},
        {"7d", 2, -4, 2},   {"1000y", 5, -9, 5}, {"5d", 200, 196, 200},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t days = 0, funnel = 0, count = -1;
        ss_request request = ss_request_for(table("conversion_trends"), true);
        for (int d = 0; d < N_DAYS; d++) {
            bool inside = d >= cases[i].first && d <= cases[i].last;
            days += inside;
            funnel += inside && d % 2 == 0 ? 3 : 0;
        }
        request.period = cases[i].period;
        request.n_period = strlen(cases[i].period);
        if (cases[i].as_of >= 0) {
            request.as_of = day_value(DAY0 + cases[i].as_of);
        }
        CHECK_INT(n_read(db, &request), days);
        CHECK_INT(ss_db_count(db, NULL, &request, &count, &err), SS_OK);
        CHECK_INT(count, days);
        request.table = table("realtime_metrics");
        CHECK_INT(n_read(db, &request), days * 4);
        if (cases[i].as_of >= 0) { /* without it: from its own newest day */
            request.table = table("conversion_funnel");
            CHECK_INT(n_read(db, &request), funnel);
        }
    }
    ss_request request = ss_request_for(table("conversion_trends"), true);
    request.period = "7 days";
    request.n_period = 6;
    CHECK_INT(n_read(db, &request), -SS_VALUE);
    request.period = "7d";
    request.n_period = 2;
    request.start = day_value(DAY0);
    CHECK_INT(n_read(db, &request), -SS_TYPE);
    request.period = NULL;
    request.date = day_value(DAY0);
    CHECK_INT(n_read(db, &request), -SS_TYPE);
    request.date.tag = SS_VALUE_NULL;
    request.end = day_value(DAY0 - 1);
    CHECK_INT(n_read(db, &request), -SS_VALUE);
    request = ss_request_for(table("api_configurations"), false);
    request.date = day_value(DAY0);
    CHECK_INT(n_read(db, &request), -SS_TYPE);
    request = ss_request_for(table("customer_satisfaction"), true); /* no row at all */
    request.period = "7d";
    request.n_period = 2;
    CHECK_INT(n_read(db, &request), 0);
}

/* Every range, both ends inclusive, in each kind of time column. */
static void
check_ranges(ss_db *db)
{
    for (int from = -1; from <= N_DAYS; from += 4) {
        for (int to = from; to <= N_DAYS; to += 5) {
            int64_t days = 0;
            for (int d = from; d <= to; d++) {
                days += d >= 0 && d < N_DAYS;
            }
            ss_request request = ss_request_for(table("overview_kpis"), (to & 1) != 0);
            request.start = day_value(DAY0 + from);
            request.end = day_value(DAY0 + to);
            CHECK_INT(n_read(db, &request), request.getter ? days > 0 : days);
            request.table = table("realtime_metrics");
            CHECK_INT(n_read(db, &request), days * 4);
            request.start = instant_value((DAY0 + from) * SS_US_PER_DAY + 1);
            request.end = instant_value((DAY0 + to) * SS_US_PER_DAY);
            if (from < to) {
                int64_t n = 0;
                for (int k = 0; k < N_DAYS * 4; k++) {
                    n += k * 6 > from * 24 && k * 6 <= to * 24;
                }
                CHECK_INT(n_read(db, &request), n);
            }
        }
    }
}

/* The same answers from a file of the current version and, with its marks taken away
 * (so that nothing is taken as canonical), from a legacy one. */
static void
test_read_shapes(void)
{
    ss_db *db = filled("shapes.db");

    for (int legacy = 0; legacy < 2; legacy++) {
        CHECK(db != NULL);
        check_shapes(db);
        check_periods(db);
        check_ranges(db);
        close_db(db);
        CHECK_INT(outside("PRAGMA application_id = 0; PRAGMA user_version = 0"), SS_OK);
        db = new_db(path, SS_MODE_RW);
    }
    ss_db_stats stats;
    CHECK_INT(ss_db_get_stats(db, NULL, &stats, &err), SS_OK);
    CHECK_INT(stats.file_kind, SS_FILE_LEGACY);
    close_db(db);
}

/* The last instant of the calendar is an instant like any other. */
static void
test_read_to_the_end_of_time(void)
{
    ss_db *db = filled("end.db");
    ss_request request = ss_request_for(table("realtime_metrics"), false);

    CHECK(db != NULL);
    request.end = instant_value((SS_DAY_MAX + 1) * SS_US_PER_DAY - 1);
    CHECK_INT(n_read(db, &request), 240);
    close_db(db);
}

static void
test_read_selection(void)
{
    ss_db *db = filled("select.db");
    int t = table("conversion_funnel");
    int16_t some[] = {column(t, "stage_order"), column(t, "record_date")};
    ss_order_desc order[] = {{some[0], true}, {some[1], false}};
    ss_filter filter[] = {{some[0], int_value(1)}};
    ss_request request = ss_request_for(t, false);

    CHECK(db != NULL);
    ss_batch *sink = read_rows(db, &request);
    request.limit = 1000;
    ss_batch *step = read_rows(db, &request);
    CHECK(sink != NULL && step != NULL && sink->n_rows == 90 && step->n_rows == 90);
    for (int64_t i = 0; i < 90; i++) {
        CHECK_INT(cell(sink, "id", i), i + 1);
        CHECK_INT(cell(step, "stage_order", i), cell(sink, "stage_order", i));
    }
    ss_batch_release(sink);
    ss_batch_release(step);
    request.columns = some;
    request.n_columns = 2;
    request.order = order;
    request.n_order = 2;
    request.limit = 31;
    request.offset = 30;
    ss_batch *b = read_rows(db, &request);
    CHECK(b != NULL && b->n_rows == 31 && b->n_columns == 2 && !b->whole);
    CHECK_INT(cell(b, "stage_order", 0), 1);
    CHECK_INT(cell(b, "record_date", 29), DAY0 + 58);
    CHECK_INT(cell(b, "stage_order", 30), 0);
    ss_batch_release(b);
    request.filters = filter;
    request.n_filters = 1;
    CHECK_INT(n_read(db, &request), 0);
    request.offset = 0;
    CHECK_INT(n_read(db, &request), 30);
    close_db(db);
}

/* A stored cell that is not what its column says: which row, by id. */
static void
test_read_unfit(void)
{
    fresh_path("unfit.db");
    CHECK_INT(outside("CREATE TABLE overview_kpis(id INTEGER PRIMARY KEY, record_date"
                      " DATE, total_customers INTEGER);"
                      "INSERT INTO overview_kpis VALUES (10, '2025-01-01', 1),"
                      " (20, '2025-01-02', 'many'), (30, 'never', 3)"),
              SS_OK);
    ss_db *db = new_db(path, SS_MODE_RO);
    ss_request request = ss_request_for(table("overview_kpis"), false);
    ss_batch *batch = NULL;
    for (int limited = 0; limited < 2; limited++) {
        request.limit = limited ? 10 : -1;
        ss_error_init(&err);
        CHECK_INT(ss_db_read(db, NULL, &request, &batch, &err), SS_DATA);
        CHECK(err.has_row && err.row == 20);
        CHECK_STR(err.table, "overview_kpis");
        CHECK_STR(err.column, "total_customers");
        CHECK_HAS(err.message, "row id 20");
        CHECK_HAS(err.message, "INTEGER");
        CHECK_HAS(err.value, "many");
    }
    request.strict = false;
    batch = read_rows(db, &request);
    CHECK(batch != NULL && batch->n_rows == 3 && batch->n_notes == 2);
    CHECK(batch->notes[0].row == 1 && batch->notes[1].row == 2);
    ss_batch_release(batch);
    request.strict = true;
    request.raw = true;
    CHECK_INT(n_read(db, &request), 3);
    close_db(db);
}

/* ---- free SQL ---- */

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

/* ---- all at once ---- */

enum { N_MIXED = 8 };

static atomic_int n_closed, n_other;

static void
count_result(int64_t result)
{
    if (result == -SS_CLOSED) {
        atomic_fetch_add(&n_closed, 1);
    }
    else if (result < 0) {
        printf("  code %lld\n", (long long)-result);
        atomic_fetch_add(&n_other, 1);
    }
}

typedef struct {
    ss_db *db;
    int n;
} worker;

static void
one_turn(ss_db *db, int n, int turn)
{
    ss_error own;
    ss_batch *batch = NULL;
    ss_request request = ss_request_for(table("overview_kpis"), turn % 2);

    ss_error_init(&own);
    switch ((turn + n) % 5) {
    case 0:
        count_result(add_kpi(db, DAY0 + n * 1000 + turn, turn, SS_CONFLICT_UPDATE));
        return;
    case 1:
        count_result(-ss_db_read(db, NULL, &request, &batch, &own));
        ss_batch_release(batch);
        return;
    case 2: {
        ss_status status = own_begin(db, &own);
        count_result(-status);
        if (status == SS_OK) {
            count_result(add_kpi(db, DAY0 + n * 1000 + turn, 5, SS_CONFLICT_UPDATE));
            count_result(-own_end(db, turn % 3 != 0, &own));
        }
        return;
    }
    case 3: {
        ss_status status = own_snapshot_begin(db, &own);
        count_result(-status);
        if (status == SS_OK) {
            int64_t one = count_rows(db, "overview_kpis");
            int64_t two = count_rows(db, "overview_kpis");
            if (one != two && one != -SS_CLOSED && two != -SS_CLOSED) {
                check_fail(__FILE__, __LINE__, "a snapshot changed");
            }
            count_result(-own_snapshot_end(db, &own));
        }
        return;
    }
    default: {
        static const char sql[] = "SELECT * FROM overview_kpis";
        ss_free_request free_request = {.sql = sql, .n_sql = sizeof(sql) - 1};
        count_result(-ss_db_query(db, NULL, &free_request, &batch, &own));
        ss_batch_release(batch);
    }
    }
}

static void *
work(void *arg)
{
    worker *w = arg;

    for (int turn = 0; turn < 60; turn++) {
        one_turn(w->db, w->n, turn);
    }
    return NULL;
}

/* Eight threads do a bit of everything while a ninth closes and opens again. */
static void
test_threads_and_close(void)
{
    ss_db *db = open_new("mixed.db");
    pthread_t threads[N_MIXED];
    worker workers[N_MIXED];

    CHECK(db != NULL);
    atomic_store(&n_closed, 0);
    atomic_store(&n_other, 0);
    for (int i = 0; i < N_MIXED; i++) {
        workers[i] = (worker){db, i};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < 10; i++) {
        ss_sleep_us(5000);
        ss_error_init(&err);
        CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
        ss_sleep_us(200);
        CHECK_INT(ss_db_connect(db, NULL, &err), SS_OK);
    }
    for (int i = 0; i < N_MIXED; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(atomic_load(&n_other), 0);
    printf("  %d were told that it is closed\n", atomic_load(&n_closed));
    CHECK_INT(ss_db_is_bound(db), false);
    close_db(db);
    CHECK_INT(outside_int("SELECT count(*) FROM pragma_integrity_check WHERE"
                          " integrity_check <> 'ok'"),
              0);
}

/* Every allocation of ours fails in turn: an honest error, nothing leaked. */
static void
test_no_memory(void)
{
#ifdef SS_TEST_FAULTS
    ss_db *maker = filled("nomem.db");
    CHECK(maker != NULL);
    close_db(maker);
    for (long n = 0;; n++) {
        ss_error own;
        ss_db_options options = {
            .path = path, .mode = SS_MODE_RW, .max_readers = 2, .busy_ms = 1000};
        ss_db *db = NULL;
        ss_batch *batch = NULL;
        ss_request request = ss_request_for(table("conversion_trends"), true);
        int64_t id = 0;
        int t = table("overview_kpis");
        ss_filter values[] = {{column(t, "record_date"), day_value(DAY0)}};
        ss_error_init(&own);
        ss_mem_fail_after(n, false);
        ss_status status = ss_db_new(&options, &db, &own);
        if (status == SS_OK) {
            status = ss_db_read(db, NULL, &request, &batch, &own);
        }
        if (status == SS_OK) {
            status = ss_db_add(db, NULL, t, values, 1, SS_CONFLICT_UPDATE, &id, &own);
        }
        if (status == SS_OK) {
            status = own_begin(db, &own);
            if (status == SS_OK) {
                status = own_end(db, true, &own);
            }
        }
        bool hit = ss_mem_count() > n;
        ss_mem_fail_after(-1, false);
        CHECK(status == SS_OK || (hit && status == SS_NOMEM));
        ss_batch_release(batch);
        if (db != NULL) {
            CHECK_INT(ss_db_is_bound(db), false);
            close_db(db);
        }
        if (!hit) {
            CHECK_INT(status, SS_OK);
            CHECK(n >= 20);
            printf("  %ld allocations\n", n);
            break;
        }
    }
#endif
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
    RUN(test_add_conflicts);
    RUN(test_add_failed_leaves_nothing);
    RUN(test_add_default_keys);
    RUN(test_update_and_delete);
    RUN(test_add_legacy);
    RUN(test_transaction_nests);
    RUN(test_transaction_dies);
    RUN(test_transaction_others_wait_in_order);
    RUN(test_snapshot);
    RUN(test_close);
    RUN(test_close_waits);
    RUN(test_close_twice_at_once);
    RUN(test_fork);
    RUN(test_fork_in_a_transaction);
    RUN(test_fork_with_threads);
    RUN(test_cancel);
    RUN(test_read_shapes);
    RUN(test_read_to_the_end_of_time);
    RUN(test_read_selection);
    RUN(test_read_unfit);
    RUN(test_free_guard);
    RUN(test_free_parameters);
    RUN(test_script);
    RUN(test_initialize);
    RUN(test_threads_and_close);
    RUN(test_no_memory);
    return check_end();
}
