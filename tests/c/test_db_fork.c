/* db/: a db before a fork, in the child and in the parent. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db_case.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int
in_child(ss_db *db, int (*work)(ss_db *))
{
    ss_db_before_fork(db, 200);
    pid_t pid = fork();
    if (pid == 0) {
        ss_db_after_fork_child(db);
        _exit(work(db));
    }
    ss_db_after_fork_parent(db);
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int
child_uses(ss_db *db)
{
    int bad = customers(db, DAY0) != 1;

    bad |= add_kpi(db, DAY0 + 50, 2, SS_CONFLICT_ERROR) < 0 ? 2 : 0;
    bad |= count_rows(db, "overview_kpis") < 2 ? 4 : 0;
    ss_error_init(&err);
    bad |= ss_db_close(db, NULL, &err) != SS_OK ? 8 : 0;
    return bad;
}

static void
test_fork(void)
{
    ss_db *db = open_new("fork.db");

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(customers(db, DAY0), 1);
    CHECK_INT(in_child(db, child_uses), 0);
    CHECK_INT(customers(db, DAY0 + 50), 2);
    CHECK_INT(add_kpi(db, DAY0 + 1, 1, SS_CONFLICT_ERROR), 3);
    close_db(db);
    db = new_db(path, SS_MODE_RW); /* not connected yet */
    CHECK_INT(outside("DELETE FROM overview_kpis WHERE id > 1"), SS_OK);
    CHECK_INT(in_child(db, child_uses), 0);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    close_db(db);
}

static int
child_is_refused(ss_db *db)
{
    int bad = count_rows(db, "overview_kpis") != -SS_FORKED;

    bad |= add_kpi(db, DAY0 + 9, 1, SS_CONFLICT_ERROR) != -SS_FORKED ? 2 : 0;
    bad |= block_end(db, true) != SS_FORKED ? 4 : 0;
    bad |= ss_db_is_bound(db) ? 8 : 0;
    ss_error_init(&err);
    bad |= ss_db_close(db, NULL, &err) != SS_OK ? 16 : 0;
    bad |= ss_db_connect(db, NULL, &err) != SS_OK ? 32 : 0;
    bad |= customers(db, DAY0) != 1 ? 64 : 0;
    return bad;
}

static void
test_fork_in_a_transaction(void)
{
    ss_db *db = open_new("forktx.db");

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    CHECK_INT(block_begin(db), SS_OK);
    CHECK_INT(add_kpi(db, DAY0 + 1, 1, SS_CONFLICT_ERROR), 2);
    int64_t begun = ss_clock_ms();
    CHECK_INT(in_child(db, child_is_refused), 0);
    CHECK(ss_clock_ms() - begun < 5000);
    CHECK_INT(add_kpi(db, DAY0 + 2, 1, SS_CONFLICT_ERROR), 3);
    CHECK_INT(block_end(db, true), SS_OK);
    CHECK_INT(outside_int("SELECT count(*) FROM overview_kpis"), 3);
    close_db(db);
}

static atomic_bool stop_threads;

static void *
read_on(void *arg)
{
    while (!atomic_load(&stop_threads)) {
        if (customers(arg, DAY0) != 1) {
            check_fail(__FILE__, __LINE__, "customers() while forking");
        }
    }
    return NULL;
}

/* The sanitizers' allocators do not know fork(): a thread left behind may hold their
 * lock, so there the child only gets its db back. */
static int
child_reads(ss_db *db)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)db;
    return 0;
#else
    return customers(db, DAY0) != 1;
#endif
}

static void
test_fork_with_threads(void)
{
    enum { N = 4 };
    ss_db *db = open_new("forkth.db");
    pthread_t threads[N];

    CHECK(db != NULL);
    CHECK_INT(add_kpi(db, DAY0, 1, SS_CONFLICT_ERROR), 1);
    atomic_store(&stop_threads, false);
    for (int i = 0; i < N; i++) {
        CHECK(pthread_create(&threads[i], NULL, read_on, db) == 0);
    }
    int bad = 0;
    for (int i = 0; i < 10; i++) {
        bad |= in_child(db, child_reads);
    }
    atomic_store(&stop_threads, true);
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(bad, 0);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_fork);
    RUN(test_fork_in_a_transaction);
    RUN(test_fork_with_threads);
    return check_end();
}
