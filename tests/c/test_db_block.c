/* db/block: transactions and snapshots of a thread, and those who wait for it. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db_case.h"

#include <pthread.h>

static void
test_transaction_nests(void)
{
    ss_db *db = open_new("nest.db");

    CHECK(db != NULL);
    CHECK_INT(block_end(db, true), SS_PROGRAMMING);
    CHECK_INT(ss_db_is_bound(db), false);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(ss_db_is_bound(db), true);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 1, 2, SS_CONFLICT_ERROR), 2);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 2, 3, SS_CONFLICT_ERROR), 3);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 3);
    CHECK_INT(block_end(db, false), SS_OK); /* takes the innermost with it */
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 3, 4, SS_CONFLICT_ERROR), 2);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 0);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 2);
    CHECK_INT(ss_db_is_bound(db), false);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 9, 4, SS_CONFLICT_ERROR), 3);
    CHECK_INT(block_end(db, false), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    CHECK_INT(block_end(db, false), SS_PROGRAMMING);
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
            CHECK_INT(block_begin(db), SS_OK);
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
        CHECK_INT(block_begin(db), SS_PROGRAMMING);
        CHECK_INT(ss_db_is_bound(db), true);
        for (int i = depth; i > 1; i--) {
            CHECK_INT(block_end(db, false), SS_OK);
        }
        CHECK_INT(block_end(db, depth == 1), depth == 1 ? SS_PROGRAMMING : SS_OK);
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
    CHECK_INT(block_begin(db), SS_OK);
    for (int i = 0; i < N; i++) {
        adders[i] = (adder){.db = db, .day = DAY0 + i};
        CHECK(pthread_create(&threads[i], NULL, add_one, &adders[i]) == 0);
        for (int k = 0; k < 10000 && waits(db) < i + 1; k++) {
            ss_sleep_us(500); /* until it stands in the queue */
        }
        CHECK_INT(waits(db), i + 1);
    }
    CHECK_INT(add_kpi(db, DAY0 + 100, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(block_end(db, true), SS_OK);
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
    CHECK_INT(snapshot_end(db), SS_PROGRAMMING);
    ss_error_init(&err);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(snapshot_begin(db), SS_OK);
    CHECK_INT(ss_db_is_bound(db), true);
    CHECK_INT(add_kpi(other, DAY0 + 1, 2, SS_CONFLICT_ERROR), 2);
    CHECK_INT(add_kpi(db, DAY0 + 2, 2, SS_CONFLICT_ERROR), 3); /* goes to the file */
    CHECK_INT(snapshot_begin(db), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(query_int(db, "SELECT count(*) FROM overview_kpis"), 1);
    CHECK_INT(customers(db, DAY0 + 1), 0);
    CHECK_INT(snapshot_end(db), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(block_begin(db), SS_OK); /* a transaction inside sees what is */
    CHECK_INT(count_rows(db, "overview_kpis"), 3);
    CHECK_INT(snapshot_begin(db), SS_OK); /* the outer one's */
    CHECK_INT(snapshot_end(db), SS_OK);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 1);
    CHECK_INT(snapshot_end(db), SS_OK);
    CHECK_INT(count_rows(db, "overview_kpis"), 3);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(snapshot_begin(db), SS_PROGRAMMING);
    CHECK_INT(block_end(db, false), SS_OK);
    close_db(other);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_transaction_nests);
    RUN(test_transaction_dies);
    RUN(test_transaction_others_wait_in_order);
    RUN(test_snapshot);
    return check_end();
}
