/* store/pool: what is opened and how, in memory, too, and files that are replaced. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "base/thread.h"
#include "pool_case.h"
#include "store/pool_fork.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- opening ---- */

static void
test_open_errors(void)
{
    char file[600];
    ss_error err;

    CHECK(open_pool(fresh_path("none.db"), SS_MODE_RW, 1, 0, &err) == NULL);
    CHECK_INT(err.code, SS_OPERATIONAL);
    CHECK_HAS(err.message, "no such file: /");
    CHECK(open_pool(path, SS_MODE_RO, 1, 0, &err) == NULL);
    CHECK_INT(err.code, SS_OPERATIONAL);
    CHECK(!exists(""));
    snprintf(file, sizeof(file), "%s/x.db", path);
    CHECK(open_pool(file, SS_MODE_RWC, 1, 0, &err) == NULL);
    CHECK_HAS(err.message, "no such folder: /");
    CHECK_INT(mkdir(path, 0755), 0);
    CHECK(open_pool(path, SS_MODE_RWC, 1, 0, &err) == NULL);
    CHECK_INT(err.code, SS_OPERATIONAL);
    CHECK_HAS(err.message, "is a folder");
    rmdir(path);
    CHECK_INT(mkfifo(path, 0600), 0);
    CHECK(open_pool(path, SS_MODE_RWC, 1, 0, &err) == NULL);
    CHECK_HAS(err.message, "not a regular file");
    unlink(path);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 300; i++) {
        fputs("certainly no database", f);
    }
    fclose(f);
    snprintf(file, sizeof(file), "%s/x.db", path);
    CHECK(open_pool(file, SS_MODE_RWC, 1, 0, &err) == NULL);
    CHECK_HAS(err.message, "not a folder: /");
    CHECK(open_pool(path, SS_MODE_RWC, 1, 0, &err) == NULL);
    CHECK_INT(err.code, SS_DATABASE);
    CHECK_HAS(err.message, "none.db is not a SQLite database");
    CHECK_INT(truncate(path, 0), 0);
    ss_pool *pool = open_pool(path, SS_MODE_RW, 1, 0, &err);
    CHECK(pool != NULL && !ss_pool_read_only(pool) && !ss_pool_is_memory(pool));
    CHECK(close_pool(pool));
    ss_pool_free(NULL);
}

static void
test_read_only_mode(void)
{
    ss_error err;
    ss_lease lease;
    int64_t n = -1;
    bool done;

    CHECK(close_pool(new_pool("romode.db", 1, 100)));
    ss_pool *pool = open_pool(path, SS_MODE_RO, 2, 100, &err);
    CHECK(pool != NULL && ss_pool_read_only(pool));
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_READ_ONLY);
    CHECK_INT(err.code, SS_READ_ONLY);
    ss_error_init(&err);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_READ_ONLY);
    ss_error_init(&err);
    CHECK_INT(ss_pool_anchor(pool, NULL, &lease, &err), SS_OK);
    CHECK(!lease.writer && ss_conn_read_only(lease.conn));
    ss_pool_return(&lease);
    ss_pool_return(&lease); /* nothing is left to return */
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, 0);
    CHECK(close_pool(pool));
}

/* A file without permission to write opens, for reading only. Root has permission, so
 * a child becomes nobody. */
static void
test_read_only_file(void)
{
    ss_error err;

    CHECK(close_pool(new_pool("rofile.db", 1, 100)));
    ss_pool *pool = open_pool(path, SS_MODE_RW, 1, 100, &err);
    ss_lease lease;
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, "PRAGMA journal_mode=delete", &err), SS_OK);
    ss_pool_return(&lease);
    CHECK(close_pool(pool));
    CHECK_INT(chmod(path, 0444), 0);
    pid_t child = fork();
    if (child == 0) {
        int64_t n = -1;
        if ((geteuid() == 0 && setuid(65534) != 0) || access(path, R_OK) != 0) {
            _exit(77);
        }
        pool = open_pool(path, SS_MODE_RW, 1, 100, &err);
        if (pool == NULL || !ss_pool_read_only(pool)) {
            _exit(1);
        }
        int bad = ss_pool_write(pool, NULL, &lease, &err) != SS_READ_ONLY ? 2 : 0;
        bad |= count_t(pool, &n, &err) != SS_OK || n != 0 ? 4 : 0;
        bad |= close_pool(pool) ? 0 : 8;
        bad |= open_pool("/root/x.db", SS_MODE_RW, 1, 100, &err) != NULL ? 16 : 0;
        _exit(bad);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        printf("skipped test_read_only_file: nobody cannot reach the folder\n");
        return;
    }
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void
test_immutable_is_read_only(void)
{
    ss_pool_options options = {.max_readers = 1, .immutable = true};
    ss_pool *pool = NULL;
    ss_lease lease;
    ss_error err;
    int64_t n = -1;

    options.path = fresh_path("immutable.db");
    ss_error_init(&err);
    CHECK_INT(ss_pool_open(&options, NULL, &pool, &err), SS_OPERATIONAL);
    CHECK_HAS(err.message, "no such file");
    CHECK(close_pool(new_pool("immutable.db", 1, 100)));
    ss_error_init(&err);
    CHECK_INT(ss_pool_open(&options, NULL, &pool, &err), SS_OK);
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_READ_ONLY);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, 0);
    CHECK(!exists("-shm")); /* no lock, no shared memory */
    CHECK(close_pool(pool));
}

static ss_status
count_prepares(ss_conn *conn, void *arg, ss_error *err)
{
    atomic_int *left = arg;

    (void)conn;
    return atomic_fetch_sub(left, 1) > 0 ? SS_OK
                                         : ss_error_set(err, SS_INTERNAL, "prepare");
}

static void
test_prepare_runs_on_every_connection(void)
{
    atomic_int left = 2;
    ss_pool_options options = {.path = fresh_path("prepare.db"),
                               .max_readers = 2,
                               .prepare = count_prepares,
                               .prepare_arg = &left};
    ss_pool *pool = NULL;
    ss_error err;
    ss_lease a, b;

    ss_error_init(&err);
    CHECK_INT(ss_pool_open(&options, NULL, &pool, &err), SS_OK);
    CHECK_INT(ss_pool_read(pool, NULL, &a, &err), SS_OK);
    CHECK_INT(atomic_load(&left), 0);
    CHECK_INT(ss_pool_read(pool, NULL, &b, &err), SS_INTERNAL);
    CHECK_INT(stats_of(pool).leases_out, 1);
    CHECK_INT(stats_of(pool).readers_open, 1);
    ss_pool_return(&a);
    ss_error_init(&err);
    CHECK_INT(ss_pool_read(pool, NULL, &a, &err), SS_OK); /* the open one again */
    atomic_store(&left, 1);
    CHECK_INT(ss_pool_read(pool, NULL, &b, &err), SS_OK); /* no slot was lost */
    ss_pool_return(&a);
    ss_pool_return(&b);
    CHECK(close_pool(pool));
    atomic_store(&left, 0);
    ss_error_init(&err);
    CHECK_INT(ss_pool_open(&options, NULL, &pool, &err), SS_INTERNAL);
}

/* ---- memory ---- */

static void
test_memory(void)
{
    ss_error err;
    ss_lease lease, other;
    int64_t n = -1;
    bool done = true;
    ss_pool *pool = open_pool(":memory:", SS_MODE_RWC, 4, 50, &err);

    CHECK(pool != NULL && ss_pool_is_memory(pool) && !ss_pool_read_only(pool));
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, "CREATE TABLE t(a)", &err), SS_OK);
    CHECK_INT(ss_pool_read(pool, NULL, &other, &err), SS_BUSY); /* one lease for all */
    ss_pool_return(&lease);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, 1);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_OK);
    CHECK(!done);
    CHECK_INT(stats_of(pool).readers_open, 0);
    CHECK(!ss_pool_before_fork(pool, 50));
    pid_t child = fork();
    if (child == 0) {
        ss_pool_after_fork_child(pool);
        int bad = count_t(pool, &n, &err) != SS_FORKED;
        ss_pool_free(pool);
        _exit(bad);
    }
    ss_pool_after_fork_parent(pool);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    CHECK_INT(n, 1);
    CHECK(close_pool(pool));
}

/* ---- replaced ---- */

static void
test_replaced(void)
{
    char moved[600];
    ss_error err;
    ss_lease lease;
    int64_t n = -1;
    ss_pool *pool = new_pool("replaced.db", 2, 1000);

    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(count_t(pool, &n, &err), SS_OK);
    snprintf(moved, sizeof(moved), "%s-moved", path);
    unlink(moved);
    ss_sleep_us(120000);
    CHECK_INT(count_t(pool, &n, &err), SS_OK); /* has just looked */
    CHECK_INT(rename(path, moved), 0);
    CHECK_INT(write_one(pool, &err), SS_REPLACED);
    CHECK_HAS(err.message, "removed or renamed");
    CHECK_INT(count_t(pool, &n, &err), SS_REPLACED); /* told by the writer */
    FILE *f = fopen(path, "w"); /* a new, empty file under the old name */
    CHECK(f != NULL);
    fclose(f);
    CHECK_INT(write_one(pool, &err), SS_REPLACED);
    CHECK_HAS(err.message, "replaced by another file");
    ss_sleep_us(120000);
    CHECK_INT(count_t(pool, &n, &err), SS_REPLACED);
    CHECK_INT(count_t(pool, &n, &err), SS_REPLACED); /* at once, not 100 ms later */
    ss_error_init(&err);
    CHECK_INT(ss_pool_anchor(pool, NULL, &lease, &err), SS_REPLACED);
    CHECK_INT(stats_of(pool).leases_out, 0);
    CHECK_INT(rename(moved, path), 0);
    CHECK_INT(write_one(pool, &err), SS_OK); /* the right one is back */
    CHECK(close_pool(pool));
}

/* Closed around a fork, a file that is gone is not made anew. */
static void
test_replaced_during_fork(void)
{
    ss_pool *pool = new_pool("gone.db", 2, 1000);
    ss_error err;
    int64_t n;

    CHECK(ss_pool_before_fork(pool, 1000));
    fresh_path("gone.db"); /* removes it */
    ss_pool_after_fork_parent(pool);
    CHECK_INT(count_t(pool, &n, &err), SS_REPLACED);
    CHECK_INT(write_one(pool, &err), SS_REPLACED);
    CHECK(!exists(""));
    CHECK(close_pool(pool));
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_open_errors);
    RUN(test_read_only_mode);
    RUN(test_read_only_file);
    RUN(test_immutable_is_read_only);
    RUN(test_prepare_runs_on_every_connection);
    RUN(test_memory);
    RUN(test_replaced);
    RUN(test_replaced_during_fork);
    return check_end();
}
