/* db_case: see db_case.h. */
#include "db_case.h"

#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db/write.h"

ss_db *
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

ss_status
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

int64_t
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

int64_t
waits(ss_db *db)
{
    ss_db_stats stats = {0};
    ss_error own;

    ss_error_init(&own);
    return ss_db_get_stats(db, NULL, &stats, &own) == SS_OK ? stats.pool.writer_waits
                                                            : -1;
}

int
table(const char *name)
{
    return ss_catalog_table(name, strlen(name));
}

int16_t
column(int index, const char *name)
{
    return (int16_t)ss_catalog_column(&ss_tables[index], name, strlen(name));
}

ss_value
int_value(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_INT, .as.i = i};
}

ss_value
day_value(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_DATE, .as.i = i};
}

ss_value
text_value(const char *s)
{
    return (ss_value){.tag = SS_VALUE_TEXT, .as.s = {s, strlen(s)}};
}

int64_t
add_kpi(ss_db *db, int64_t day, int64_t customers, ss_conflict conflict)
{
    int t = table("overview_kpis");
    ss_filter values[] = {{column(t, "record_date"), day_value(day)},
                          {column(t, "total_customers"), int_value(customers)}};
    int64_t id = 0;

    ss_error_init(&err);
    ss_status status = ss_db_add(db, NULL, t, values, 2, conflict, &id, &err);
    return status == SS_OK ? id : -status;
}

ss_batch *
read_rows(ss_db *db, const ss_request *request)
{
    ss_batch *batch = NULL;

    ss_error_init(&err);
    return ss_db_read(db, NULL, request, &batch, &err) == SS_OK ? batch : NULL;
}

int64_t
count_rows(ss_db *db, const char *name)
{
    ss_request request = ss_request_for(table(name), false);
    int64_t n = -1;
    ss_error own;

    ss_error_init(&own);
    ss_status status = ss_db_count(db, NULL, &request, &n, &own);
    return status == SS_OK ? n : -status;
}

int64_t
cell(const ss_batch *batch, const char *name, int64_t row)
{
    ss_value value;

    ss_column_get(&batch->columns[ss_batch_find(batch, name, strlen(name))], row,
                  &value);
    return value.tag == SS_VALUE_NULL ? -777 : value.as.i;
}

int64_t
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

ss_status
execute(ss_db *db, const ss_call *call, const char *sql, int64_t *changed)
{
    ss_free_request request = {.sql = sql, .n_sql = strlen(sql)};
    ss_outcome outcome = {0};

    ss_error_init(&err);
    ss_status status = ss_db_execute(db, call, &request, NULL, &outcome, &err);
    *changed = outcome.changed;
    return status;
}

int64_t
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

ss_db *
open_new(const char *name)
{
    ss_db *db = new_db(fresh_path(name), SS_MODE_RWC);

    return db != NULL && ss_db_connect(db, NULL, &err) == SS_OK ? db : NULL;
}

void
close_db(ss_db *db)
{
    ss_error_init(&err);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
    ss_db_free(db);
}

ss_db *
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

int64_t
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

ss_status
block_begin(ss_db *db)
{
    uint64_t thread = 0;

    ss_error_init(&err);
    return ss_db_begin(db, NULL, NULL, &thread, &err);
}

ss_status
block_end(ss_db *db, bool commit)
{
    ss_error_init(&err);
    return ss_db_end(db, NULL, NULL, ss_thread_id(), commit, &err);
}

ss_status
snapshot_begin(ss_db *db)
{
    uint64_t thread = 0;

    ss_error_init(&err);
    return ss_db_snapshot_begin(db, NULL, &thread, &err);
}

ss_status
snapshot_end(ss_db *db)
{
    ss_error_init(&err);
    return ss_db_snapshot_end(db, ss_thread_id(), &err);
}
