/* db/scan: several readers see one state, and what goes wrong in one of them. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/thread.h"
#include "check.h"
#include "db/scan.h"
#include "store/stamp.h"

#include <unistd.h>

/* The control: the same code, but for the comparison of the headers. */
#define ss_scan_read control_scan_read
#define ss_stamp_equal(a, b) ((a)->epoch == (b)->epoch)
ss_status control_scan_read(ss_access *access, const ss_table_desc *table,
                            const ss_table_layout *layout, const ss_select *select,
                            bool strict, bool *done, ss_batch **out, ss_error *err);
#include "../../csrc/db/scan.c"
#undef ss_scan_read
#undef ss_stamp_equal

#include "db_case.h" /* not before: its err is none of that file's */

enum { ROWS = 30000, EACH = 1000 };

static ss_status
run_on(ss_conn *conn, const char *sql)
{
    ss_status status = ss_conn_exec(conn, sql, &err);
    if (status != SS_OK) {
        printf("  %s\n", err.message);
    }
    return status;
}

static ss_conn *
new_conn(void)
{
    ss_conn_options options = {
        .path = path, .busy_ms = 5000, .durability = SS_DURABILITY_OFF};
    ss_conn *conn = NULL;
    ss_error_init(&err);
    return ss_conn_open(&options, &conn, &err) == SS_OK ? conn : NULL;
}

static ss_db *
new_file(const char *name)
{
    ss_db *db = open_new(name);
    ss_status status =
        outside("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                "i < 30000) INSERT INTO customer_interactions (interaction_id, "
                "interaction_date, interaction_type, message_count) SELECT 'WEB-' || "
                "i, datetime('2025-01-01', i || ' seconds'), 'chat', 1000 FROM n");

    return status == SS_OK ? db : NULL;
}

static ss_request
everything(void)
{
    int table = ss_catalog_table("customer_interactions", 21);
    return ss_request_for(table, false);
}

static int64_t
sum(const ss_batch *batch)
{
    int column = ss_batch_find(batch, "message_count", 13);
    int64_t total = 0;
    for (int64_t i = 0; i < batch->n_rows; i++) {
        total += batch->columns[column].data.i64[i];
    }
    return total;
}

/* ---- one state ---- */

static atomic_bool enough;

/* Takes from the first row and gives to the last, in one transaction, again and again. */
static void *
move_amounts(void *arg)
{
    ss_conn *conn = arg;
    while (!atomic_load(&enough)) {
        if (run_on(conn, "BEGIN IMMEDIATE;"
                         "UPDATE customer_interactions SET message_count = "
                         "(message_count + 1) % 900 WHERE id = 1;"
                         "UPDATE customer_interactions SET message_count = 2000 - "
                         "(SELECT message_count FROM customer_interactions WHERE id "
                         "= 1) WHERE id = 30000;"
                         "COMMIT") != SS_OK) {
            check_fail(__FILE__, __LINE__, "the writer failed");
            break;
        }
    }
    return NULL;
}

typedef ss_status scan_function(ss_access *access, const ss_table_desc *table,
                                const ss_table_layout *layout, const ss_select *select,
                                bool strict, bool *done, ss_batch **out, ss_error *err);

typedef enum { WHOLE, WINDOW, NEWEST_FIRST, N_QUESTIONS } question;

/* How many of n scans were torn; -1: one failed. */
static int
torn_scans(ss_db *db, scan_function *read, question what, int n)
{
    const ss_table_desc *table = &ss_tables[everything().table];
    int16_t columns[] = {0, (int16_t)ss_catalog_column(table, "message_count", 13)};
    ss_order_desc order = {.column = what == NEWEST_FIRST ? table->time_column : -1,
                           .descending = what == NEWEST_FIRST};
    ss_select select = {.columns = columns,
                        .n_columns = 2,
                        .window = {.has_from = what != WHOLE},
                        .order = &order,
                        .n_order = 1,
                        .limit = -1,
                        .sink = what == WHOLE};
    int torn = 0;
    for (int i = 0; i < n; i++) {
        ss_access access;
        ss_batch *batch = NULL;
        bool done = false;
        ss_error_init(&err);
        if (ss_db_read_enter(db, NULL, &access, &err) != SS_OK) {
            return -1;
        }
        ss_status status =
            read(&access, table, &access.layout->tables[everything().table], &select,
                 true, &done, &batch, &err);
        ss_db_leave(&access);
        if (status != SS_OK || !done) {
            printf("  %s\n", err.message);
            return -1;
        }
        torn += batch->n_rows != ROWS || sum(batch) != (int64_t)ROWS * EACH;
        ss_batch_release(batch);
    }
    return torn;
}

static void
test_scans_see_one_state_and_the_control_does_not(void)
{
    ss_db *db = new_file("states.db");
    CHECK(db != NULL);
    ss_conn *conn = new_conn();
    ss_thread writer;
    ss_db_stats stats = {0};
    int torn[N_QUESTIONS] = {0}, control[N_QUESTIONS] = {0};
    CHECK(conn != NULL);
    CHECK_INT(run_on(conn, "UPDATE customer_interactions SET message_count = CASE id "
                           "WHEN 1 THEN 0 WHEN 30000 THEN 2000 ELSE 1000 END"),
              SS_OK);
    atomic_store(&enough, false);
    CHECK_INT(ss_thread_start(&writer, move_amounts, conn), SS_OK);
    for (question what = WHOLE; what < N_QUESTIONS; what++) {
        torn[what] = torn_scans(db, ss_scan_read, what, 40);
        for (int i = 0; i < 200 && control[what] == 0; i++) {
            control[what] = torn_scans(db, control_scan_read, what, 5);
        }
    }
    atomic_store(&enough, true);
    ss_thread_join(writer);
    ss_conn_close(conn);
    CHECK_INT(ss_db_get_stats(db, NULL, &stats, &err), SS_OK);
    for (question what = WHOLE; what < N_QUESTIONS; what++) {
        CHECK_INT(torn[what], 0);
        CHECK(control[what] > 0 || ss_processors() < 2);
    }
    CHECK(stats.shared_scans > 0 || ss_processors() < 2);
    ss_db_free(db);
}

/* ---- no memory ---- */

/* Fail at one place after another until none is left. */
static void
read_without_memory(ss_db *db, const ss_request *request)
{
    bool failed = true;
    for (long n = 0; failed && n < 2000; n += n < 30 ? 1 : 5) {
        ss_batch *batch = NULL;
        ss_error_init(&err);
        ss_mem_fail_after(n, n % 2);
        ss_status status = ss_db_read(db, NULL, request, &batch, &err);
        failed = ss_mem_count() > n;
        ss_mem_fail_after(-1, false);
        if (status == SS_OK) {
            CHECK_INT(batch->n_rows, ROWS);
            CHECK_INT(sum(batch), (int64_t)ROWS * EACH);
        }
        else {
            CHECK_INT(status, SS_NOMEM);
        }
        ss_batch_release(batch);
    }
    CHECK(!failed);
}

static void
test_no_memory_anywhere_is_an_error_and_no_leak(void)
{
    ss_db *db = new_file("memory.db");
    CHECK(db != NULL);
    ss_db_stats before = {0}, after = {0};
    ss_request request = everything();
    read_without_memory(db, &request);
    request.start = (ss_value){.tag = SS_VALUE_DATE, .as.i = 20089}; /* 2025-01-01 */
    CHECK_INT(ss_db_get_stats(db, NULL, &before, &err), SS_OK);
    read_without_memory(db, &request);
    request.getter = true;
    read_without_memory(db, &request);
    CHECK_INT(ss_db_get_stats(db, NULL, &after, &err), SS_OK);
    CHECK(after.scans > before.scans + 1);
    ss_db_free(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_scans_see_one_state_and_the_control_does_not);
    RUN(test_no_memory_anywhere_is_an_error_and_no_leak);
    return check_end();
}
