/* store/pool: leases, the call that they carry, and who comes first. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "pool_case.h"

#include <pthread.h>

/* ---- leases ---- */

static void
test_return_leaves_nothing_open(void)
{
    ss_pool *pool = new_pool("settle.db", 2, 1000);
    ss_error err;
    ss_lease lease;
    ss_stmt *stmt = NULL;
    ss_status rc;
    int64_t n;
    bool row;

    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK(lease.writer);
    sqlite3 *db = ss_conn_handle(lease.conn);
    CHECK_INT(ss_conn_exec(lease.conn, BEGIN_AND_INSERT, &err), SS_OK);
    ss_pool_return(&lease);
    CHECK(lease.conn == NULL && sqlite3_get_autocommit(db) != 0);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, 0);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(write_one(pool, &err), SS_OK);

    /* A statement stopped halfway pins a snapshot, without any BEGIN. */
    CHECK_INT(ss_pool_read(pool, NULL, &lease, &err), SS_OK);
    CHECK(!lease.writer);
    db = ss_conn_handle(lease.conn);
    rc = ss_stmt_cache_get(lease.cache, "SELECT a FROM t", 15, &stmt, &err);
    CHECK_INT(rc, SS_OK);
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    CHECK_INT(sqlite3_txn_state(db, NULL), SQLITE_TXN_READ);
    ss_conn *conn = lease.conn;
    ss_pool_return(&lease);
    CHECK_INT(ss_pool_read(pool, NULL, &lease, &err), SS_OK);
    CHECK(lease.conn == conn); /* put in order, not thrown away */
    CHECK_INT(sqlite3_txn_state(db, NULL), SQLITE_TXN_NONE);
    ss_pool_return(&lease);
    CHECK_INT(stats_of(pool).leases_out, 0);
    CHECK(close_pool(pool));
}

static void
test_waits_end(void)
{
    ss_pool *pool = new_pool("waits.db", 1, 60);
    ss_error err;
    ss_lease writer, reader, other;
    _Atomic uint64_t epoch = 1;
    ss_call call = {.deadline_ms = ss_clock_ms() + 20};

    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &writer, &err), SS_OK);
    CHECK_INT(ss_pool_read(pool, NULL, &reader, &err), SS_OK);
    int64_t begun = ss_clock_ms();
    CHECK_INT(ss_pool_write(pool, NULL, &other, &err), SS_BUSY);
    CHECK(ss_clock_ms() - begun >= 59);
    CHECK_HAS(err.message, "60 ms");
    ss_error_init(&err);
    CHECK_INT(ss_pool_read(pool, NULL, &other, &err), SS_BUSY);
    CHECK_HAS(err.message, "all 1 readers");
    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, &call, &other, &err), SS_INTERRUPTED);
    CHECK_HAS(err.message, "time limit");
    ss_pool_return(&writer);
    ss_pool_return(&reader);
    CHECK(close_pool(pool));

    pool = new_pool("waits.db", 1, 60000);
    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &writer, &err), SS_OK);
    call = (ss_call){.cancel_epoch = &epoch};
    begun = ss_clock_ms();
    CHECK_INT(ss_pool_write(pool, &call, &other, &err), SS_INTERRUPTED);
    CHECK(ss_clock_ms() - begun < 5000);
    CHECK_STR(err.message, "cancelled");
    /* Giving up left nobody in the way. */
    ss_pool_return(&writer);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(stats_of(pool).writer_waits, 1);
    CHECK(close_pool(pool));
}

static int
signal_check(void *arg)
{
    ss_pool_stats stats;

    /* As one that takes the GIL: it must not be called with the pool's lock held. */
    ss_pool_get_stats(arg, &stats);
    return 1;
}

static void
test_wait_asks_the_call(void)
{
    ss_pool *pool = new_pool("ask.db", 1, 60000);
    ss_call call = {.check = signal_check, .check_arg = pool};
    ss_lease writer, other;
    ss_error err;

    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &writer, &err), SS_OK);
    CHECK_INT(ss_pool_write(pool, &call, &other, &err), SS_SIGNAL);
    /* Closing, too; then the pool is open again. */
    ss_error_init(&err);
    CHECK_INT(ss_pool_close(pool, &call, &err), SS_SIGNAL);
    ss_pool_return(&writer);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK(close_pool(pool));
}

/* The lease carries its call: stopped inside SQLite, and gone when it is returned. */
static void
test_lease_carries_the_call(void)
{
    ss_pool *pool = new_pool("carry.db", 1, 1000);
    ss_call call = {.deadline_ms = ss_clock_ms() + 30};
    ss_lease lease;
    ss_error err;
    int64_t n;

    ss_error_init(&err);
    CHECK_INT(ss_pool_read(pool, &call, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_int(lease.conn,
                          "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM"
                          " c LIMIT 2000000000) SELECT count(*) FROM c",
                          &n, &err),
              SS_INTERRUPTED);
    ss_pool_return(&lease);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK(close_pool(pool));
}

/* ---- order ---- */

enum { N_QUEUED = 8 };

typedef struct {
    ss_pool *pool;
    int number;
    bool gives_up;
    int *order;
    atomic_int *n_done;
} queued;

static void *
queue_up(void *arg)
{
    queued *q = arg;
    ss_call call = {.deadline_ms = ss_clock_ms() + 150};
    ss_lease lease;
    ss_error err;

    ss_error_init(&err);
    ss_status rc = ss_pool_write(q->pool, q->gives_up ? &call : NULL, &lease, &err);
    CHECK_VALUE(rc == (q->gives_up ? SS_INTERRUPTED : SS_OK), NULL);
    if (rc == SS_OK) {
        q->order[atomic_fetch_add(q->n_done, 1)] = q->number;
        ss_pool_return(&lease);
    }
    return NULL;
}

static void
test_writers_in_order(void)
{
    for (int round = 0; round < 3; round++) {
        ss_pool *pool = new_pool("fifo.db", 1, 60000);
        pthread_t threads[N_QUEUED];
        queued args[N_QUEUED];
        int order[N_QUEUED] = {0};
        atomic_int n_done = 0;
        ss_lease lease;
        ss_error err;

        ss_error_init(&err);
        CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
        for (int i = 0; i < N_QUEUED; i++) {
            /* The first, one in the middle and the last give up. */
            bool gives_up = i == 0 || i == 4 || i == N_QUEUED - 1;
            args[i] = (queued){pool, i, gives_up, order, &n_done};
            CHECK_INT(pthread_create(&threads[i], NULL, queue_up, &args[i]), 0);
            while (stats_of(pool).writer_waits <= i) {
                ss_sleep_us(500);
            }
        }
        pthread_join(threads[0], NULL);
        pthread_join(threads[4], NULL);
        pthread_join(threads[N_QUEUED - 1], NULL);
        ss_pool_return(&lease);
        for (int i = 0; i < N_QUEUED; i++) {
            if (!args[i].gives_up) {
                pthread_join(threads[i], NULL);
            }
        }
        CHECK_INT(atomic_load(&n_done), N_QUEUED - 3);
        static const int want[] = {1, 2, 3, 5, 6};
        for (int i = 0; i < N_QUEUED - 3; i++) {
            CHECK_INT(order[i], want[i]);
        }
        CHECK(close_pool(pool));
    }
}

/* Whoever returns the writer and wants it again stands behind those that wait. */
static void
test_writer_is_not_taken_back(void)
{
    ss_pool *pool = new_pool("greedy.db", 1, 60000);
    ss_lease lease;
    ss_error err;

    ss_error_init(&err);
    for (int i = 0; i < 50; i++) {
        int order[1] = {0};
        atomic_int n_done = 0;
        queued waiting = {pool, 1, false, order, &n_done};
        pthread_t thread;
        int64_t before = stats_of(pool).writer_waits;

        CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
        CHECK_INT(pthread_create(&thread, NULL, queue_up, &waiting), 0);
        while (stats_of(pool).writer_waits == before) {
            ss_sleep_us(100);
        }
        ss_pool_return(&lease);
        CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
        CHECK_INT(atomic_load(&n_done), 1);
        ss_pool_return(&lease);
        pthread_join(thread, NULL);
    }
    CHECK(close_pool(pool));
}

/* The first in the queue is busy asking its call while the writer comes free. */
typedef struct {
    ss_pool *pool;
    ss_call call;
    bool refuse;
    atomic_bool asked;
    atomic_bool may_go;
    atomic_int *turn;
    int got; /* its place in the order; 0: none */
} asking;

static int
slow_check(void *arg)
{
    asking *a = arg;

    atomic_store(&a->asked, true);
    while (!atomic_load(&a->may_go)) {
        ss_sleep_us(500);
    }
    return a->refuse;
}

static void *
ask_and_write(void *arg)
{
    asking *a = arg;
    ss_lease lease;
    ss_error err;

    ss_error_init(&err);
    if (ss_pool_write(a->pool, &a->call, &lease, &err) == SS_OK) {
        a->got = atomic_fetch_add(a->turn, 1);
        ss_pool_return(&lease);
    }
    return NULL;
}

static void
test_first_waiter_is_slow(bool gives_up)
{
    ss_pool *pool = new_pool("slowfirst.db", 1, 3000);
    _Atomic uint64_t epoch = 0;
    atomic_int turn = 1;
    asking first = {.pool = pool, .refuse = gives_up, .turn = &turn};
    asking second = {.pool = pool, .turn = &turn};
    pthread_t threads[2];
    ss_lease lease;
    ss_error err;

    first.call = (ss_call){.check = slow_check, .check_arg = &first};
    if (!gives_up) {
        second.call.cancel_epoch = &epoch; /* so that it looks every 50 ms */
    }
    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK_INT(pthread_create(&threads[0], NULL, ask_and_write, &first), 0);
    while (!atomic_load(&first.asked)) {
        ss_sleep_us(500);
    }
    CHECK_INT(pthread_create(&threads[1], NULL, ask_and_write, &second), 0);
    while (stats_of(pool).writer_waits < 2) {
        ss_sleep_us(500);
    }
    int64_t begun = ss_clock_ms();
    ss_pool_return(&lease);
    ss_sleep_us(150000);
    atomic_store(&first.may_go, true);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    CHECK(ss_clock_ms() - begun < 2000); /* woken, not merely at the end of its time */
    CHECK_INT(first.got, gives_up ? 0 : 1);
    CHECK_INT(second.got, gives_up ? 1 : 2);
    CHECK(close_pool(pool));
}

static void
test_first_waiter_comes_first(void)
{
    test_first_waiter_is_slow(false);
}

static void
test_first_waiter_gives_up(void)
{
    test_first_waiter_is_slow(true);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_return_leaves_nothing_open);
    RUN(test_waits_end);
    RUN(test_wait_asks_the_call);
    RUN(test_lease_carries_the_call);
    RUN(test_writers_in_order);
    RUN(test_writer_is_not_taken_back);
    RUN(test_first_waiter_comes_first);
    RUN(test_first_waiter_gives_up);
    return check_end();
}
