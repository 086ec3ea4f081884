/* store/pool: closing, under the load of many threads, too. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "pool_case.h"

#include <pthread.h>

/* ---- many threads ---- */

enum { N_THREADS = 16, N_LEASES = 400 };

typedef struct {
    ss_pool *pool;
    unsigned seed;
    atomic_int *writing; /* holders of the writer at this moment */
    atomic_int *reading;
    atomic_long *written; /* acknowledged inserts */
    bool until_closed;
    long closed_seen;
} worker;

static ss_status
work_once(worker *w, bool write, ss_error *err)
{
    ss_lease lease;
    int64_t before = atomic_load(w->written), n = 0;
    ss_status rc = write ? ss_pool_write(w->pool, NULL, &lease, err)
                         : ss_pool_read(w->pool, NULL, &lease, err);

    if (rc != SS_OK) {
        return rc;
    }
    if (write) {
        CHECK_VALUE(atomic_fetch_add(w->writing, 1) == 0, SS_INTERNAL);
        rc = ss_conn_exec(lease.conn, BEGIN_AND_INSERT "; COMMIT", err);
        if (rc == SS_OK) {
            atomic_fetch_add(w->written, 1);
        }
        atomic_fetch_sub(w->writing, 1);
    }
    else {
        CHECK_VALUE(atomic_fetch_add(w->reading, 1) < 4, SS_INTERNAL);
        rc = ss_conn_int(lease.conn, "SELECT count(*) FROM t", &n, err);
        /* What was acknowledged before the lease is seen. */
        CHECK_VALUE(rc != SS_OK || n >= before, SS_INTERNAL);
        atomic_fetch_sub(w->reading, 1);
    }
    ss_pool_return(&lease);
    return rc;
}

static void *
work(void *arg)
{
    worker *w = arg;
    ss_error err;

    for (int i = 0; w->until_closed || i < N_LEASES; i++) {
        w->seed = w->seed * 1103515245u + 12345u;
        ss_error_init(&err);
        ss_status rc = work_once(w, (w->seed >> 16) % 3 == 0, &err);
        if (rc == SS_CLOSED && w->until_closed) {
            w->closed_seen++;
            break;
        }
        if (rc != SS_OK) {
            check_fail(__FILE__, __LINE__, err.message);
            break;
        }
    }
    return NULL;
}

static void
run_workers(const char *name, bool closing)
{
    ss_pool *pool = new_pool(name, 4, 60000);
    pthread_t threads[N_THREADS];
    worker workers[N_THREADS];
    atomic_int writing = 0, reading = 0;
    atomic_long written = 0;
    ss_error err;
    int64_t n = -1;

    for (int i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){.pool = pool,
                              .seed = (unsigned)i + 1,
                              .writing = &writing,
                              .reading = &reading,
                              .written = &written,
                              .until_closed = closing};
        CHECK_INT(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    ss_error_init(&err);
    if (closing) {
        while (stats_of(pool).leases < 200) {
            ss_sleep_us(200);
        }
        CHECK_INT(ss_pool_close(pool, NULL, &err), SS_OK);
        CHECK_INT(atomic_load(&writing) + atomic_load(&reading), 0);
        CHECK_INT(stats_of(pool).leases_out, 0);
        CHECK_INT(stats_of(pool).readers_open, 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(workers[i].closed_seen, closing);
    }
    CHECK_INT(stats_of(pool).leases_out, 0);
    if (closing) {
        ss_pool_free(pool);
        pool = open_pool(path, SS_MODE_RW, 1, 1000, &err);
        CHECK(pool != NULL);
    }
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, atomic_load(&written));
    CHECK(n > 0);
    CHECK(close_pool(pool));
    CHECK(!exists("-wal") && !exists("-shm"));
}

static void
test_many_threads(void)
{
    run_workers("threads.db", false);
}

static void
test_close_under_load(void)
{
    for (int i = 0; i < 5; i++) {
        run_workers("closing.db", true);
    }
}

/* ---- closing ---- */

static void *
return_soon(void *arg)
{
    ss_sleep_us(60000);
    ss_pool_return(arg);
    return NULL;
}

static void *
close_it(void *arg)
{
    ss_error err;

    ss_error_init(&err);
    return ss_pool_close(arg, NULL, &err) == SS_OK ? arg : NULL;
}

static void
test_close_waits(void)
{
    ss_pool *pool = new_pool("close.db", 2, 1000);
    pthread_t returner, closer;
    ss_lease lease, other;
    ss_error err;
    void *ok = NULL;
    int64_t n;

    ss_error_init(&err);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(ss_pool_read(pool, NULL, &lease, &err), SS_OK);
    CHECK(exists("-wal"));
    CHECK_INT(pthread_create(&returner, NULL, return_soon, &lease), 0);
    CHECK_INT(pthread_create(&closer, NULL, close_it, pool), 0);
    int64_t begun = ss_clock_ms();
    CHECK_INT(ss_pool_close(pool, NULL, &err), SS_OK); /* two at once */
    CHECK(ss_clock_ms() - begun >= 40);
    pthread_join(returner, NULL);
    pthread_join(closer, &ok);
    CHECK(ok == pool);
    CHECK(!exists("-wal"));
    CHECK_INT(ss_pool_close(pool, NULL, &err), SS_OK);
    CHECK_INT(ss_pool_write(pool, NULL, &other, &err), SS_CLOSED);
    CHECK_INT(err.code, SS_CLOSED);
    CHECK_INT(count_t(pool, &n, &err), SS_CLOSED);
    ss_pool_free(pool);
}

static void
test_free_closes(void)
{
    ss_pool *pool = new_pool("free.db", 1, 1000);
    ss_error err;

    CHECK_INT(write_one(pool, &err), SS_OK);
    ss_pool_free(pool);
    CHECK(!exists("-wal"));
}

/* Somebody else has the file: the WAL must stay. */
static void
test_close_leaves_wal_to_others(void)
{
    ss_pool *pool = new_pool("shared.db", 1, 1000);
    ss_error err;
    int64_t n;
    ss_pool *other = open_pool(path, SS_MODE_RW, 1, 1000, &err);

    CHECK(other != NULL);
    CHECK_INT(count_t(other, &n, &err), SS_OK);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK(close_pool(pool));
    CHECK(exists("-wal"));
    CHECK_INT(count_t(other, &n, &err), SS_OK);
    CHECK_INT(n, 1);
    CHECK(close_pool(other));
    CHECK(!exists("-wal"));
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_many_threads);
    RUN(test_close_under_load);
    RUN(test_close_waits);
    RUN(test_free_closes);
    RUN(test_close_leaves_wal_to_others);
    return check_end();
}
