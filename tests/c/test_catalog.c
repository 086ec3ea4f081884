/* catalog/catalog and catalog/sql: finding descriptors, and the text and parameters of
 * every statement made for our tables. */
#include "base/mem.h"
#include "base/moment.h"
#include "catalog/sql.h"
#include "check.h"
#include "db/functions.h"
#include "store/stmt.h"

#include <sqlite3.h> // sqlite3_bind_parameter_count()

static ss_error err;
static ss_sql sql;
static ss_table_layout layout;

/* ---- material ---- */

static int
table_of(const char *name)
{
    return ss_catalog_table(name, strlen(name));
}

static int16_t
column_of(const ss_table_desc *table, const char *name)
{
    return (int16_t)ss_catalog_column(table, name, strlen(name));
}

static ss_value
number(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_INT, .as.i = i};
}

static ss_value
day(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_DATE, .as.i = i};
}

static ss_value
text(const char *s)
{
    return (ss_value){.tag = SS_VALUE_TEXT, .as.s = {.p = s, .n = strlen(s)}};
}

static const ss_value nothing = {.tag = SS_VALUE_NULL};

/* Start a statement on a table whose columns are all there. */
static const ss_table_desc *
begin(const char *name, bool canonical)
{
    const ss_table_desc *table = &ss_tables[table_of(name)];

    ss_error_init(&err);
    ss_sql_free(&sql);
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    layout = (ss_table_layout){.present = true, .canonical = canonical};
    for (int i = 0; i < table->n_columns; i++) {
        layout.stored[i] = table->columns[i].name;
    }
    return table;
}

/* The same, and the columns named are not in the file. */
static const ss_table_desc *
begin_without(const char *name, bool canonical, const char *absent)
{
    const ss_table_desc *table = begin(name, canonical);
    layout.stored[column_of(table, absent)] = NULL;
    return table;
}

static const char *
written(ss_status status)
{
    return status == SS_OK && ss_buf_ok(&sql.text) ? sql.text.data : "(failed)";
}

static const char *
selected(const ss_table_desc *table, const ss_select *select)
{
    return written(ss_sql_select(&sql, table, &layout, select, &err));
}

/* ---- lookups ---- */

static void
test_lookups(void)
{
    CHECK_INT(ss_n_tables, 30);
    CHECK(ss_n_migrations >= 1 && ss_n_tabs >= 1);
    for (int i = 0; i < ss_n_tables; i++) {
        const ss_table_desc *table = &ss_tables[i];
        CHECK_INT(table_of(table->name), i);
        CHECK(table->n_columns <= SS_MAX_COLUMNS && table->n_columns > 1);
        CHECK_STR(table->columns[0].name, "id");
        CHECK_INT(column_of(table, "created_at"), table->created_at);
        CHECK_INT(column_of(table, "updated_at"), table->updated_at);
        CHECK(table->time_column < table->n_columns);
        CHECK((table->time_column < 0) ==
              (strcmp(table->name, "api_configurations") == 0));
        for (int c = 0; c < table->n_columns; c++) {
            bool key = false;
            CHECK_INT(column_of(table, table->columns[c].name), c);
            for (int k = 0; k < table->n_key; k++) {
                key = key || table->key[k] == c;
            }
            CHECK_INT((table->columns[c].flags & SS_COL_KEY) != 0, key);
            CHECK(table->columns[c].kind < SS_KIND_ANY);
        }
    }
    for (int i = 0; i < ss_n_tabs; i++) {
        for (int t = 0; t < ss_tabs[i].n_tables; t++) {
            CHECK(ss_tabs[i].tables[t] >= 0 && ss_tabs[i].tables[t] < ss_n_tables);
        }
    }
}

static void
test_lookups_are_exact(void)
{
    const ss_table_desc *kpis = &ss_tables[table_of("overview_kpis")];

    CHECK_INT(table_of("Overview_kpis"), -1);
    CHECK_INT(table_of("overview_kpi"), -1);
    CHECK_INT(table_of("overview_kpiss"), -1);
    CHECK_INT(table_of(""), -1);
    CHECK_INT(ss_catalog_table("overview_kpisXX", 13), table_of("overview_kpis"));
    CHECK_INT(ss_catalog_table("overview_kpis\0", 14), -1);
    CHECK_INT(column_of(kpis, "ID"), -1);
    CHECK_INT(column_of(kpis, "record_dat"), -1);
    CHECK_INT(column_of(kpis, ""), -1);
    CHECK_INT(ss_catalog_column(kpis, "id_", 2), 0);
}

/* ---- select ---- */

static void
test_select_canonical(void)
{
    const ss_table_desc *table = begin("conversion_funnel", true);
    static const int16_t columns[] = {3, 1};
    static const ss_order_desc order[] = {{1, true}, {3, false}, {-1, true}};
    ss_filter filters[] = {{2, text("Cart")}, {5, nothing}, {1, day(20000)}};
    ss_select select = {
        .columns = columns,
        .n_columns = 2,
        .filters = filters,
        .n_filters = 3,
        .window = {.has_from = true, .has_until = true, .from = 19000, .until = 21000},
        .order = order,
        .n_order = 3,
        .limit = 10,
        .offset = 4,
    };

    CHECK_STR(selected(table, &select),
              "SELECT \"stage_order\", \"record_date\" FROM \"conversion_funnel\""
              " WHERE \"stage_name\" = ?1 AND \"percentage\" IS NULL"
              " AND \"record_date\" = ?2 AND \"record_date\" >= ?3"
              " AND \"record_date\" < ?4"
              " ORDER BY \"record_date\" DESC, \"stage_order\", rowid DESC"
              " LIMIT ?5 OFFSET ?6");
    CHECK_INT(sql.n_params, 6);
    CHECK_INT(sql.first_param, 1);
    CHECK(sql.params[0].tag == SS_VALUE_TEXT && sql.params[0].as.s.n == 4);
    CHECK(sql.params[1].tag == SS_VALUE_DATE && sql.params[1].as.i == 20000);
    CHECK(sql.params[2].tag == SS_VALUE_DATE && sql.params[2].as.i == 19000);
    CHECK(sql.params[3].tag == SS_VALUE_DATE && sql.params[3].as.i == 21000);
    CHECK(sql.params[4].tag == SS_VALUE_INT && sql.params[4].as.i == 10);
    CHECK(sql.params[5].tag == SS_VALUE_INT && sql.params[5].as.i == 4);
}

static void
test_select_limits(void)
{
    static const int16_t columns[] = {0};
    ss_select select = {.columns = columns, .n_columns = 1, .limit = -1};
    const ss_table_desc *table = begin("usage_alerts", true);

    CHECK_STR(selected(table, &select), "SELECT \"id\" FROM \"usage_alerts\"");
    select.limit = 0;
    table = begin("usage_alerts", true);
    CHECK_STR(selected(table, &select), "SELECT \"id\" FROM \"usage_alerts\" LIMIT ?1");
    CHECK_INT(sql.params[0].as.i, 0);
    select = (ss_select){.columns = columns, .n_columns = 1, .limit = -1, .offset = 3};
    table = begin("usage_alerts", true);
    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"usage_alerts\" LIMIT ?1 OFFSET ?2");
    CHECK_INT(sql.params[0].as.i, INT64_MAX);
    CHECK_INT(sql.params[1].as.i, 3);
}

static void
test_select_instants(void)
{
    static const int16_t columns[] = {0};
    ss_select select = {
        .columns = columns,
        .n_columns = 1,
        .window = {.has_until = true, .until = 20000 * SS_US_PER_DAY + 1},
        .limit = -1,
    };
    const ss_table_desc *table = begin("realtime_metrics", true);

    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"realtime_metrics\" WHERE \"recorded_at\" < ?1");
    CHECK_INT(sql.params[0].tag, SS_VALUE_TIMESTAMP);
    CHECK_INT(sql.params[0].as.i, 20000 * SS_US_PER_DAY + 1);
    table = begin("realtime_metrics", false);
    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"realtime_metrics\" WHERE \"recorded_at\" < ?1"
              " AND ss_instant(\"recorded_at\") < ?2");
    CHECK(sql.params[0].tag == SS_VALUE_DATE && sql.params[0].as.i == 20002);
    CHECK(sql.params[1].tag == SS_VALUE_INT &&
          sql.params[1].as.i == 20000 * SS_US_PER_DAY + 1);
}

static void
test_select_legacy(void)
{
    const ss_table_desc *table = begin("conversion_funnel", false);
    static const int16_t columns[] = {0};
    static const ss_order_desc order[] = {{1, false}, {4, true}};
    ss_filter filters[] = {{1, day(20000)}};
    ss_select select = {
        .columns = columns,
        .n_columns = 1,
        .filters = filters,
        .n_filters = 1,
        .window = {.has_from = true, .from = 19000},
        .newest = true,
        .order = order,
        .n_order = 2,
        .limit = -1,
    };

    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"conversion_funnel\""
              " WHERE \"record_date\" >= ?1 AND ss_day(\"record_date\") >= ?2"
              " AND \"record_date\" < ?3 AND ss_day(\"record_date\") < ?4"
              " AND \"record_date\" >= ?5 AND ss_day(\"record_date\") >= ?6"
              " AND ss_day(\"record_date\") = (SELECT max(ss_day(\"record_date\"))"
              " FROM \"conversion_funnel\""
              " WHERE \"record_date\" >= ?7 AND ss_day(\"record_date\") >= ?8"
              " AND \"record_date\" < ?9 AND ss_day(\"record_date\") < ?10"
              " AND \"record_date\" >= ?11 AND ss_day(\"record_date\") >= ?12)"
              " ORDER BY ss_day(\"record_date\"), \"count\" DESC");
    static const int64_t want[] = {19999, 20000, 20003, 20001, 18999, 19000};
    CHECK_INT(sql.n_params, 12);
    for (int i = 0; i < 12; i++) {
        CHECK_INT(sql.params[i].as.i, want[i % 6]);
        CHECK_INT(sql.params[i].tag, i % 2 == 0 ? SS_VALUE_DATE : SS_VALUE_INT);
    }
}

/* At the ends of the calendar there is no day for the rough bound. */
static void
test_select_legacy_at_the_ends(void)
{
    static const int16_t columns[] = {0};
    ss_filter first[] = {{1, day(SS_DAY_MIN)}}, last[] = {{1, day(SS_DAY_MAX)}};
    ss_select select = {
        .columns = columns, .n_columns = 1, .n_filters = 1, .limit = -1};
    const ss_table_desc *table = begin("overview_kpis", false);

    select.filters = first;
    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"overview_kpis\" WHERE ss_day(\"record_date\") >= ?1"
              " AND \"record_date\" < ?2 AND ss_day(\"record_date\") < ?3");
    select.filters = last;
    table = begin("overview_kpis", false);
    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"overview_kpis\" WHERE \"record_date\" >= ?1"
              " AND ss_day(\"record_date\") >= ?2 AND ss_day(\"record_date\") < ?3");
}

static void
test_select_absent_columns(void)
{
    static const int16_t columns[] = {0, 5, 2};
    static const ss_order_desc order[] = {{5, true}, {0, true}, {2, false}};
    ss_filter filters[] = {{5, nothing}, {0, number(7)}};
    ss_select select = {
        .columns = columns,
        .n_columns = 3,
        .filters = filters,
        .n_filters = 2,
        .order = order,
        .n_order = 3,
        .limit = -1,
    };
    const ss_table_desc *table =
        begin_without("conversion_funnel", false, "percentage");

    CHECK_STR(selected(table, &select),
              "SELECT \"id\", NULL, \"stage_name\" FROM \"conversion_funnel\""
              " WHERE \"id\" = ?1 ORDER BY \"id\" DESC, \"stage_name\"");
    table = begin_without("conversion_funnel", false, "id");
    CHECK_STR(selected(table, &select),
              "SELECT rowid, \"percentage\", \"stage_name\" FROM \"conversion_funnel\""
              " WHERE \"percentage\" IS NULL AND rowid = ?1"
              " ORDER BY \"percentage\" DESC, rowid DESC, \"stage_name\"");
    /* A value is in no row; an id that is NULL is not either, for the row id never is. */
    filters[0] = (ss_filter){5, number(50)};
    select.n_filters = 1;
    table = begin_without("conversion_funnel", false, "percentage");
    select.n_order = 0;
    CHECK_STR(selected(table, &select), "SELECT \"id\", NULL, \"stage_name\""
                                        " FROM \"conversion_funnel\" WHERE 0");
    CHECK_INT(sql.n_params, 0);
}

static void
test_select_without_time(void)
{
    static const int16_t columns[] = {1};
    ss_select select = {
        .columns = columns,
        .n_columns = 1,
        .window = {.has_from = true, .has_until = true},
        .newest = true,
        .limit = -1,
    };
    const ss_table_desc *table = begin_without("overview_kpis", false, "record_date");

    CHECK_STR(selected(table, &select), "SELECT NULL FROM \"overview_kpis\" WHERE 0");
    table = begin("api_configurations", true);
    CHECK_STR(selected(table, &select),
              "SELECT \"api_type\" FROM \"api_configurations\" WHERE 0");
    select.window = (ss_window){0};
    table = begin_without("overview_kpis", false, "record_date");
    CHECK_STR(selected(table, &select), "SELECT NULL FROM \"overview_kpis\"");
}

static void
test_select_newest(void)
{
    static const int16_t columns[] = {0};
    ss_filter filters[] = {{2, text("a")}};
    ss_select select = {
        .columns = columns,
        .n_columns = 1,
        .filters = filters,
        .n_filters = 1,
        .newest = true,
        .limit = -1,
    };
    const ss_table_desc *table = begin("conversion_funnel", true);

    CHECK_STR(selected(table, &select),
              "SELECT \"id\" FROM \"conversion_funnel\" WHERE \"stage_name\" = ?1"
              " AND \"record_date\" = (SELECT max(\"record_date\")"
              " FROM \"conversion_funnel\" WHERE \"stage_name\" = ?2)");
    CHECK_INT(sql.n_params, 2);
}

static void
test_select_older_name(void)
{
    const ss_table_desc *table = begin("api_endpoints", false);
    int16_t column = column_of(table, "avg_response_ms");
    ss_select select = {.columns = &column, .n_columns = 1, .limit = -1};

    CHECK_STR(table->columns[column].old_name, "avg_response_time_ms");
    layout.stored[column] = table->columns[column].old_name;
    CHECK_STR(selected(table, &select),
              "SELECT \"avg_response_time_ms\" FROM \"api_endpoints\"");
    table = begin("api_endpoints", false);
    layout.stored[column] = table->columns[column].old_name;
    ss_filter value = {column, number(3)};
    CHECK_STR(
        written(ss_sql_update(&sql, table, &layout, &value, 1, &value, 1, NULL, &err)),
        "UPDATE \"api_endpoints\" SET \"avg_response_time_ms\" = ?1,"
        " \"updated_at\" = CASE WHEN \"avg_response_time_ms\" IS ?1"
        " THEN \"updated_at\" ELSE CURRENT_TIMESTAMP END"
        " WHERE \"avg_response_time_ms\" = ?2");
}

static void
test_select_sink(void)
{
    static const int16_t columns[] = {0, 5, 1};
    ss_select select = {.columns = columns, .n_columns = 3, .limit = -1, .sink = true};
    const ss_table_desc *table = begin_without("conversion_funnel", true, "percentage");

    CHECK_STR(selected(table, &select),
              "SELECT ss_sink(?1, \"id\", NULL, \"record_date\")"
              " FROM \"conversion_funnel\" NOT INDEXED");
    CHECK_INT(sql.first_param, 2);
    CHECK_INT(sql.n_params, 0);
    const ss_filter filter = {2, {.tag = SS_VALUE_NULL}};
    select.ranged = true;
    select.first_id = -5;
    select.last_id = 7;
    select.filters = &filter;
    select.n_filters = 1;
    select.window = (ss_window){.has_until = true, .until = 19000};
    ss_sql_free(&sql);
    table = begin_without("conversion_funnel", true, "percentage");
    CHECK_STR(selected(table, &select),
              "SELECT ss_sink(?1, \"id\", NULL, \"record_date\")"
              " FROM \"conversion_funnel\" NOT INDEXED"
              " WHERE rowid BETWEEN ?2 AND ?3 AND \"stage_name\" IS NULL"
              " AND \"record_date\" < ?4");
    CHECK_INT(sql.n_params, 3);
    CHECK_INT(sql.params[0].as.i, -5);
    CHECK_INT(sql.params[1].as.i, 7);
}

/* ---- the others ---- */

static void
test_count_and_rowid_at(void)
{
    static const ss_order_desc order[] = {{-1, false}};
    ss_filter filters[] = {{2, nothing}};
    ss_select select = {
        .filters = filters,
        .n_filters = 1,
        .order = order,
        .n_order = 1,
        .limit = 5,
        .offset = 100,
    };
    const ss_table_desc *table = begin("overview_kpis", true);

    CHECK_STR(written(ss_sql_count(&sql, table, &layout, &select, &err)),
              "SELECT count(*) FROM \"overview_kpis\""
              " WHERE \"total_customers\" IS NULL");
    table = begin("overview_kpis", true);
    CHECK_STR(written(ss_sql_rowid_at(&sql, table, &layout, &select, 7, &err)),
              "SELECT rowid FROM \"overview_kpis\" WHERE \"total_customers\" IS NULL"
              " ORDER BY rowid LIMIT ?1 OFFSET ?2");
    CHECK_INT(sql.params[0].as.i, 1);
    CHECK_INT(sql.params[1].as.i, 107);
    table = begin("overview_kpis", true);
    select.offset = 0;
    CHECK_STR(written(ss_sql_rowid_at(&sql, table, &layout, &select, 0, &err)),
              "SELECT rowid FROM \"overview_kpis\" WHERE \"total_customers\" IS NULL"
              " ORDER BY rowid LIMIT ?1");
}

static void
test_newest_and_find(void)
{
    ss_filter key[] = {{1, day(20000)}, {3, number(2)}};
    const ss_table_desc *table = begin("conversion_funnel", true);

    CHECK_STR(written(ss_sql_newest(&sql, table, &layout, NULL, 0, &err)),
              "SELECT max(\"record_date\") FROM \"conversion_funnel\"");
    table = begin("system_health", false);
    ss_filter component[] = {{2, text("db")}};
    CHECK_STR(written(ss_sql_newest(&sql, table, &layout, component, 1, &err)),
              "SELECT max(ss_instant(\"record_date\")) FROM \"system_health\""
              " WHERE \"system_component\" = ?1");
    table = begin("conversion_funnel", true);
    CHECK_STR(written(ss_sql_find(&sql, table, &layout, key, 2, &err)),
              "SELECT rowid FROM \"conversion_funnel\" WHERE \"record_date\" = ?1"
              " AND \"stage_order\" = ?2 ORDER BY rowid DESC LIMIT 1");
    table = begin("conversion_funnel", false);
    CHECK_STR(written(ss_sql_find(&sql, table, &layout, key, 2, &err)),
              "SELECT rowid FROM \"conversion_funnel\" WHERE \"record_date\" >= ?1"
              " AND ss_day(\"record_date\") >= ?2 AND \"record_date\" < ?3"
              " AND ss_day(\"record_date\") < ?4 AND \"stage_order\" = ?5"
              " ORDER BY rowid DESC LIMIT 1");
}

static void
test_insert(void)
{
    ss_filter values[] = {{1, day(20000)}, {3, number(2)}};
    const ss_table_desc *table = begin("conversion_funnel", true);

    CHECK_STR(written(ss_sql_insert(&sql, table, &layout, values, 2, &err)),
              "INSERT INTO \"conversion_funnel\" (\"record_date\", \"stage_order\","
              " \"created_at\", \"updated_at\") VALUES (?1, ?2, CURRENT_TIMESTAMP,"
              " CURRENT_TIMESTAMP)");
    CHECK_INT(sql.n_params, 2);
    table = begin_without("conversion_funnel", false, "updated_at");
    values[1] = (ss_filter){table->created_at, nothing};
    CHECK_STR(written(ss_sql_insert(&sql, table, &layout, values, 2, &err)),
              "INSERT INTO \"conversion_funnel\" (\"record_date\", \"created_at\")"
              " VALUES (?1, ?2)");
    CHECK_INT(sql.params[1].tag, SS_VALUE_NULL);
}

static void
test_update_and_delete(void)
{
    ss_filter value = {4, number(9)}, where[] = {{5, nothing}, {2, text("x")}};
    int64_t rowid = 77;
    const ss_table_desc *table = begin("conversion_funnel", true);

    CHECK_STR(
        written(ss_sql_update(&sql, table, &layout, &value, 1, where, 2, NULL, &err)),
        "UPDATE \"conversion_funnel\" SET \"count\" = ?1, \"updated_at\" = CASE"
        " WHEN \"count\" IS ?1 THEN \"updated_at\" ELSE CURRENT_TIMESTAMP END"
        " WHERE \"percentage\" IS NULL AND \"stage_name\" = ?2");
    table = begin("conversion_funnel", true);
    CHECK_STR(
        written(ss_sql_update(&sql, table, &layout, &value, 1, where, 2, &rowid, &err)),
        "UPDATE \"conversion_funnel\" SET \"count\" = ?1, \"updated_at\" = CASE"
        " WHEN \"count\" IS ?1 THEN \"updated_at\" ELSE CURRENT_TIMESTAMP END"
        " WHERE rowid = ?2");
    CHECK_INT(sql.params[1].as.i, 77);
    table = begin("conversion_funnel", true);
    CHECK_STR(
        written(ss_sql_update(&sql, table, &layout, NULL, 0, NULL, 0, &rowid, &err)),
        "UPDATE \"conversion_funnel\" SET \"updated_at\" = CURRENT_TIMESTAMP"
        " WHERE rowid = ?1");
    table = begin("conversion_funnel", true);
    value = (ss_filter){table->updated_at, {.tag = SS_VALUE_TIMESTAMP, .as.i = 5}};
    CHECK_STR(
        written(ss_sql_update(&sql, table, &layout, &value, 1, NULL, 0, NULL, &err)),
        "UPDATE \"conversion_funnel\" SET \"updated_at\" = ?1");
    table = begin("conversion_funnel", true);
    CHECK_STR(written(ss_sql_delete(&sql, table, &layout, where, 2, &err)),
              "DELETE FROM \"conversion_funnel\""
              " WHERE \"percentage\" IS NULL AND \"stage_name\" = ?1");
    table = begin_without("conversion_funnel", false, "id");
    ss_filter id = {0, number(3)};
    CHECK_STR(written(ss_sql_delete(&sql, table, &layout, &id, 1, &err)),
              "DELETE FROM \"conversion_funnel\" WHERE rowid = ?1");
}

static void
test_other_dialect(void)
{
    ss_filter where[] = {{2, text("x")}, {3, number(1)}};
    const ss_table_desc *table = begin("conversion_funnel", true);

    sql.dialect = SS_DIALECT_POSTGRES;
    CHECK_STR(written(ss_sql_find(&sql, table, &layout, where, 2, &err)),
              "SELECT \"id\" FROM \"conversion_funnel\" WHERE \"stage_name\" = $1"
              " AND \"stage_order\" = $2 ORDER BY \"id\" DESC LIMIT 1");
    table = begin_without("conversion_funnel", false, "updated_at");
    sql.dialect = SS_DIALECT_POSTGRES;
    where[0].column = table->created_at;
    CHECK_STR(written(ss_sql_insert(&sql, table, &layout, where, 1, &err)),
              "INSERT INTO \"conversion_funnel\" (\"created_at\") VALUES ($1)"
              " RETURNING \"id\"");
}

static void
test_no_memory(void)
{
#ifdef SS_TEST_FAULTS
    static const int16_t columns[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    ss_select select = {
        .columns = columns, .n_columns = 9, .limit = -1, .newest = true};

    for (int n = 0;; n++) {
        const ss_table_desc *table = begin("conversion_funnel", false);
        ss_mem_fail_after(n, false);
        ss_status status = ss_sql_select(&sql, table, &layout, &select, &err);
        bool hit = ss_mem_count() > n;
        ss_mem_fail_after(-1, false);
        if (!hit) {
            CHECK_INT(status, SS_OK);
            CHECK(n >= 1);
            break;
        }
        CHECK_INT(status, SS_NOMEM);
        CHECK_INT(err.code, SS_NOMEM);
    }
#endif
}

/* ---- against SQLite ---- */

static ss_conn *
open_schema(void)
{
    ss_conn_options options = {.path = ":memory:", .flags = SS_CONN_CREATE};
    ss_conn *conn = NULL;

    ss_error_init(&err);
    if (ss_conn_open(&options, &conn, &err) != SS_OK ||
        ss_functions_register(conn, NULL, &err) != SS_OK) {
        return NULL;
    }
    for (int i = 0; i < ss_n_migrations; i++) {
        if (ss_conn_exec(conn, ss_migrations[i], &err) != SS_OK) {
            return NULL;
        }
    }
    return conn;
}

static int n_prepared;

/* The statement in `sql` prepares and has as many parameters as were made; one that
 * reads runs, too. */
static bool
fits(ss_conn *conn, ss_status made)
{
    ss_stmt *stmt = NULL;
    bool good = made == SS_OK && ss_stmt_prepare(conn, sql.text.data, sql.text.size,
                                                 false, &stmt, &err) == SS_OK;

    n_prepared++;
    good = good && sqlite3_bind_parameter_count(stmt->raw) ==
                       sql.first_param - 1 + sql.n_params;
    for (int i = 0; good && i < sql.n_params; i++) {
        good = ss_stmt_bind(stmt, sql.first_param + i, &sql.params[i], &err) == SS_OK;
    }
    if (good && sqlite3_stmt_readonly(stmt->raw) && sql.first_param == 1) {
        bool row;
        good = ss_stmt_step(stmt, "x", &row, &err) == SS_OK;
    }
    if (!good) {
        printf("  %s\n  %s\n", err.message, sql.text.data);
    }
    ss_stmt_finalize(stmt);
    return good;
}

static ss_value
sample(const ss_column_desc *column)
{
    switch ((ss_kind)column->kind) {
    case SS_KIND_REAL:
        return (ss_value){.tag = SS_VALUE_REAL, .as.r = 1.5};
    case SS_KIND_TEXT:
        return text("x");
    case SS_KIND_DATE:
        return day(20000);
    case SS_KIND_TIMESTAMP:
        return (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = 20000 * SS_US_PER_DAY};
    default:
        return number(1);
    }
}

/* Every statement for a table, with one of its columns (or none: -1) absent. */
static void
try_table(ss_conn *conn, int index, bool canonical, int absent)
{
    const ss_table_desc *table = &ss_tables[index];
    int16_t columns[SS_MAX_COLUMNS];
    ss_filter values[SS_MAX_COLUMNS], key[SS_MAX_COLUMNS];
    ss_order_desc order[SS_MAX_COLUMNS + 1];
    char quoted[80];
    int n = 0;

    for (int16_t i = 0; i < table->n_columns; i++) {
        columns[i] = i;
        order[i] = (ss_order_desc){i, i % 2 == 0};
        if (i != absent) {
            values[n++] = (ss_filter){i, i % 3 ? sample(&table->columns[i]) : nothing};
        }
    }
    order[table->n_columns] = (ss_order_desc){-1, true};
    for (int i = 0; i < table->n_key; i++) {
        key[i] = (ss_filter){table->key[i], sample(&table->columns[table->key[i]])};
    }
    ss_select select = {
        .columns = columns,
        .n_columns = table->n_columns,
        .filters = values,
        .n_filters = n,
        .order = order,
        .n_order = table->n_columns + 1,
        .limit = 1,
        .offset = 1,
    };
    snprintf(quoted, sizeof(quoted), "\"%s\"",
             absent >= 0 ? table->columns[absent].name : "?");
#define TRY(call)                                                        \
    do {                                                                 \
        (void)begin(table->name, canonical);                             \
        if (absent >= 0) {                                               \
            layout.stored[absent] = NULL;                                \
        }                                                                \
        CHECK(fits(conn, (call)));                                       \
        CHECK(absent < 0 || strstr(sql.text.data, quoted) == NULL);      \
        CHECK(sql.n_params <= SS_MAX_PARAMS);                            \
    } while (0)
    for (int window = 0; window < 8; window++) {
        select.window.has_from = window & 1;
        select.window.has_until = window & 2;
        select.newest = window & 4;
        TRY(ss_sql_select(&sql, table, &layout, &select, &err));
        TRY(ss_sql_count(&sql, table, &layout, &select, &err));
        TRY(ss_sql_rowid_at(&sql, table, &layout, &select, 3, &err));
        TRY(ss_sql_rowid_some(&sql, table, &layout, &select, 3, &err));
        TRY(ss_sql_rowid_extent(&sql, table, &layout, &select, &err));
        if (table->time_column >= 0 && table->time_column != absent) {
            TRY(ss_sql_time_at(&sql, table, &layout, &select, 3, &err));
        }
    }
    select.newest = false;
    select.sink = select.ranged = true;
    TRY(ss_sql_select(&sql, table, &layout, &select, &err));
    if (table->time_column >= 0 && table->time_column != absent) {
        TRY(ss_sql_newest(&sql, table, &layout, values, n, &err));
        TRY(ss_sql_newest(&sql, table, &layout, NULL, 0, &err));
    }
    TRY(ss_sql_find(&sql, table, &layout, key, table->n_key, &err));
    TRY(ss_sql_insert(&sql, table, &layout, values, n, &err));
    TRY(ss_sql_insert(&sql, table, &layout, values, 1, &err));
    TRY(ss_sql_update(&sql, table, &layout, values, n, values, n, NULL, &err));
    TRY(ss_sql_update(&sql, table, &layout, values, 1, NULL, 0, NULL, &err));
    TRY(ss_sql_delete(&sql, table, &layout, values, n, &err));
    TRY(ss_sql_delete(&sql, table, &layout, NULL, 0, &err));
#undef TRY
}

static void
test_every_statement_prepares(void)
{
    ss_conn *conn = open_schema();

    CHECK(conn != NULL);
    n_prepared = 0;
    for (int i = 0; i < ss_n_tables; i++) {
        for (int absent = -1; absent < ss_tables[i].n_columns; absent++) {
            try_table(conn, i, true, absent);
            try_table(conn, i, false, absent);
        }
    }
    printf("  %d statements\n", n_prepared);
    CHECK(n_prepared > 10000);
    ss_conn_close(conn);
}

/* ---- windows over mixed forms ---- */

static const char *const forms[] = {
    "2025-10-28 05:42:44",
    "2025-10-28 11:12:44.398531",
    "2025-10-28T12:02:06.516003",
    "2025-10-31T07:19:00",
    "2025-10-28T05:42",
    "2025-10-28",
    "2025-10-28T23:30:00-14:00",
    "2025-10-30T00:30:00+14:00",
    "2025-10-29 00:00:00",
    "2025-10-29T00:00:00Z",
    "2025-10-28T23:59:59.999999",
    "2025-10-29 05:30:00+05:30",
    "0001-01-01",
    "9999-12-31 23:59:59.999999",
    "1969-12-31 23:59:59.999999",
    "1970-01-01",
    "no time",
    "",
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static int64_t
count_window(ss_conn *conn, const ss_table_desc *table, const ss_window *window)
{
    ss_select select = {.window = *window};
    ss_stmt *stmt = NULL;
    int64_t n = -1;
    bool row = false;
    ss_value cell;

    (void)begin(table->name, false);
    ss_status status = ss_sql_count(&sql, table, &layout, &select, &err);
    if (status == SS_OK) {
        status =
            ss_stmt_prepare(conn, sql.text.data, sql.text.size, false, &stmt, &err);
    }
    if (status == SS_OK) {
        status = ss_stmt_bind_all(stmt, sql.params, sql.n_params, &err);
    }
    if (status == SS_OK && ss_stmt_step(stmt, "x", &row, &err) == SS_OK && row) {
        ss_stmt_column(stmt, 0, &cell);
        n = cell.as.i;
    }
    ss_stmt_finalize(stmt);
    return n;
}

static void
check_windows(ss_conn *conn, const char *name, const int64_t *at, const bool *valid)
{
    const ss_table_desc *table = &ss_tables[table_of(name)];

    for (int i = 0; i < N_FORMS; i++) {
        for (int j = 0; j < N_FORMS; j++) {
            for (int shift = -1; valid[i] && valid[j] && shift <= 1; shift++) {
                ss_window window = {.has_from = (i + j) % 3 != 0,
                                    .has_until = (i + j) % 3 != 1,
                                    .from = at[i] + shift,
                                    .until = at[j] + shift};
                int64_t want = 0;
                for (int k = 0; k < N_FORMS; k++) {
                    want += valid[k] && (!window.has_from || at[k] >= window.from) &&
                            (!window.has_until || at[k] < window.until);
                }
                CHECK_INT(count_window(conn, table, &window), want);
            }
        }
    }
}

/* The rough bound by text never leaves out what the exact one would take. */
static void
test_legacy_windows_are_exact(void)
{
    ss_conn_options options = {.path = ":memory:", .flags = SS_CONN_CREATE};
    ss_conn *conn = NULL;
    int64_t instants[N_FORMS] = {0}, days[N_FORMS] = {0};
    bool valid[N_FORMS];
    char insert[200];

    CHECK_INT(ss_conn_open(&options, &conn, &err), SS_OK);
    CHECK_INT(ss_functions_register(conn, NULL, &err), SS_OK);
    CHECK_INT(ss_conn_exec(conn,
                           "CREATE TABLE system_health(record_date TIMESTAMP);"
                           "CREATE TABLE overview_kpis(record_date DATE)",
                           &err),
              SS_OK);
    for (int i = 0; i < N_FORMS; i++) {
        int32_t d;
        valid[i] = ss_instant_parse(forms[i], strlen(forms[i]), &instants[i]);
        CHECK_INT(ss_day_parse(forms[i], strlen(forms[i]), &d), valid[i]);
        CHECK_INT(valid[i], i < N_FORMS - 2);
        days[i] = valid[i] ? d : 0;
        snprintf(insert, sizeof(insert),
                 "INSERT INTO system_health VALUES ('%s');"
                 "INSERT INTO overview_kpis VALUES ('%s')",
                 forms[i], forms[i]);
        CHECK_INT(ss_conn_exec(conn, insert, &err), SS_OK);
    }
    check_windows(conn, "system_health", instants, valid);
    check_windows(conn, "overview_kpis", days, valid);
    ss_conn_close(conn);
}

int
main(int argc, char **argv)
{
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    check_begin(argc, argv);
    RUN(test_lookups);
    RUN(test_lookups_are_exact);
    RUN(test_select_canonical);
    RUN(test_select_limits);
    RUN(test_select_instants);
    RUN(test_select_legacy);
    RUN(test_select_legacy_at_the_ends);
    RUN(test_select_absent_columns);
    RUN(test_select_without_time);
    RUN(test_select_newest);
    RUN(test_select_older_name);
    RUN(test_select_sink);
    RUN(test_count_and_rowid_at);
    RUN(test_newest_and_find);
    RUN(test_insert);
    RUN(test_update_and_delete);
    RUN(test_other_dialect);
    RUN(test_no_memory);
    RUN(test_every_statement_prepares);
    RUN(test_legacy_windows_are_exact);
    ss_sql_free(&sql);
    return check_end();
}
