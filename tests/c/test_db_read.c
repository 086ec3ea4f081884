/* db/read: each shape of table, periods, ranges, selections, and cells that do not fit. */
#include "base/moment.h"
#include "check.h"
#include "db_case.h"

static ss_value
instant_value(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = i};
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

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_read_shapes);
    RUN(test_read_to_the_end_of_time);
    RUN(test_read_selection);
    RUN(test_read_unfit);
    return check_end();
}
