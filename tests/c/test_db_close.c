/* db/: close and cancel, from this thread and from others. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db_case.h"

#include <pthread.h>

/* ---- close ---- */

static void
test_close(void)
{
    ss_db *db = open_new("close.db");

    CHECK(db != NULL);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_PROGRAMMING);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(snapshot_begin(db), SS_OK);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_PROGRAMMING);
    CHECK_INT(snapshot_end(db), SS_OK);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
        CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
        CHECK(!ss_db_is_open(db));
        CHECK_INT(count_rows(db, "overview_kpis"), -SS_CLOSED);
        CHECK_INT(block_begin(db), SS_CLOSED);
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
    CHECK(!exists(""));
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
    CHECK_INT(block_begin(db), SS_OK);
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
    CHECK_INT(block_end(db, true), SS_OK);
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
    CHECK_INT(block_begin(db), SS_OK);
    CHECK(pthread_create(&one, NULL, close_it, &hasty) == 0);
    ss_sleep_us(50000);
    CHECK(pthread_create(&two, NULL, close_it, &patient) == 0);
    pthread_join(one, NULL);
    CHECK_INT(hasty.result, SS_INTERRUPTED);
    ss_sleep_us(20000);
    CHECK_INT(block_end(db, true), SS_OK);
    pthread_join(two, NULL);
    CHECK_INT(patient.result, SS_OK);
    CHECK(!ss_db_is_open(db));
    CHECK_INT(count_rows(db, "overview_kpis"), -SS_CLOSED);
    ss_db_free(db);
}

/* ---- cancel ---- */

#define ENDLESS                                                             \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT " \
    "2000000000) SELECT count(*) FROM c"

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
        ss_status status = block_begin(db);
        count_result(-status);
        if (status == SS_OK) {
            count_result(add_kpi(db, DAY0 + n * 1000 + turn, 5, SS_CONFLICT_UPDATE));
            count_result(-block_end(db, turn % 3 != 0));
        }
        return;
    }
    case 3: {
        ss_status status = snapshot_begin(db);
        count_result(-status);
        if (status == SS_OK) {
            int64_t one = count_rows(db, "overview_kpis");
            int64_t two = count_rows(db, "overview_kpis");
            if (one != two && one != -SS_CLOSED && two != -SS_CLOSED) {
                check_fail(__FILE__, __LINE__, "a snapshot changed");
            }
            count_result(-snapshot_end(db));
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

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_close);
    RUN(test_close_waits);
    RUN(test_close_twice_at_once);
    RUN(test_cancel);
    RUN(test_threads_and_close);
    return check_end();
}
