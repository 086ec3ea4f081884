/* store/pool_fork: a pool before a fork, in the child and in the parent. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "pool_case.h"
#include "store/pool_fork.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_fork_prepared(void)
{
    ss_pool *pool = new_pool("fork.db", 2, 5000);
    ss_error err;
    int64_t n = -1;

    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    for (int i = 0; i < 20; i++) {
        CHECK(ss_pool_before_fork(pool, 1000));
        CHECK_INT(stats_of(pool).readers_open, 0);
        pid_t child = fork();
        if (child == 0) {
            ss_pool_after_fork_child(pool);
            int bad = ss_pool_is_lost(pool) ? 1 : 0;
            bad |= write_one(pool, &err) != SS_OK ? 2 : 0;
            bad |= count_t(pool, &n, &err) != SS_OK || n < i + 2 ? 4 : 0;
            bad |= close_pool(pool) ? 0 : 8;
            _exit(bad);
        }
        ss_pool_after_fork_parent(pool);
        CHECK_INT(write_one(pool, &err), SS_OK);
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
        CHECK_INT(count_t(pool, &n, &err), SS_OK);
        CHECK_INT(n, 1 + 2 * (i + 1));
    }
    CHECK(close_pool(pool));
}

/* A lease is out at the fork: the child is refused and touches nothing (SQLite would
 * drop the parent's locks), the parent commits what it had begun. */
static void
test_fork_with_lease_out(bool announced)
{
    ss_pool *pool = new_pool("forkout.db", 2, 5000);
    ss_error err;
    ss_lease lease, other;
    int64_t n = -1;

    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, BEGIN_AND_INSERT, &err), SS_OK);
    if (announced) {
        int64_t begun = ss_clock_ms();
        CHECK(!ss_pool_before_fork(pool, 50));
        CHECK(ss_clock_ms() - begun >= 49);
    }
    pid_t child = fork();
    if (child == 0) {
        if (announced) {
            ss_pool_after_fork_child(pool);
        }
        int bad = ss_pool_is_lost(pool) ? 0 : 1;
        bad |= ss_pool_read(pool, NULL, &other, &err) != SS_FORKED ? 2 : 0;
        bad |= err.code != SS_FORKED ? 4 : 0;
        ss_error_init(&err);
        bad |= ss_pool_write(pool, NULL, &other, &err) != SS_FORKED ? 8 : 0;
        sqlite3 *db = ss_conn_handle(lease.conn);
        ss_pool_return(&lease);
        bad |= sqlite3_get_autocommit(db) == 0 ? 0 : 16; /* not rolled back */
        bad |= ss_pool_close(pool, NULL, &err) != SS_OK ? 32 : 0;
        bad |= stats_of(pool).leases != 0 ? 64 : 0;
        bad |= ss_pool_before_fork(pool, 0) ? 128 : 0;
        ss_pool_free(pool);
        _exit(bad);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
    if (announced) {
        ss_pool_after_fork_parent(pool);
    }
    CHECK(!ss_pool_is_lost(pool));
    /* The write lock is still there: another connection cannot have it. */
    ss_pool *second = open_pool(path, SS_MODE_RW, 1, 0, &err);
    CHECK(second != NULL);
    CHECK_INT(write_one(second, &err), SS_BUSY);
    ss_error_init(&err);
    CHECK_INT(ss_conn_exec(lease.conn, "COMMIT", &err), SS_OK);
    ss_pool_return(&lease);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, 2);
    CHECK(close_pool(second));
    CHECK(close_pool(pool));
}

static void
test_fork_lease_out(void)
{
    test_fork_with_lease_out(true);
}

static void
test_fork_behind_our_back(void)
{
    test_fork_with_lease_out(false);
}

typedef struct {
    ss_pool *pool;
    atomic_bool stop;
    atomic_long written;
} forked_load;

static void *
write_all_the_time(void *arg)
{
    forked_load *load = arg;
    ss_error err;

    while (!atomic_load(&load->stop)) {
        if (write_one(load->pool, &err) != SS_OK) {
            check_fail(__FILE__, __LINE__, err.message);
            break;
        }
        atomic_fetch_add(&load->written, 1);
    }
    return NULL;
}

static void
test_fork_under_load(void)
{
    forked_load load = {.pool = new_pool("forkload.db", 2, 60000)};
    pthread_t threads[4];
    long n_children = 0;
    ss_error err;
    int64_t n = -1;

    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, write_all_the_time, &load), 0);
    }
    for (int i = 0; i < 40; i++) {
        bool ready = ss_pool_before_fork(load.pool, 10000);
        pid_t child = fork();
        if (child == 0) {
            ss_pool_after_fork_child(load.pool);
            int bad = ready ? 0 : 1;
            bad |= write_one(load.pool, &err) != SS_OK ? 2 : 0;
            bad |= close_pool(load.pool) ? 0 : 4;
            _exit(bad);
        }
        ss_pool_after_fork_parent(load.pool);
        int status = -1;
        if (waitpid(child, &status, 0) != child || status != 0) {
            check_fail(__FILE__, __LINE__, "child");
        }
        n_children++;
    }
    atomic_store(&load.stop, true);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(count_t(load.pool, &n, &err), SS_OK);
    CHECK_INT(n, atomic_load(&load.written) + n_children);
    CHECK(close_pool(load.pool));
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_fork_prepared);
    RUN(test_fork_lease_out);
    RUN(test_fork_behind_our_back);
    RUN(test_fork_under_load);
    return check_end();
}
