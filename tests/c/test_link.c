/* db/link: one connection, its transactions, its turns. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db/link.h"
#include "db_case.h"

#include <pthread.h>
#include <string.h>

static ss_db *
new_link(const char *name)
{
    ss_db *db = new_db(fresh_path(name), SS_MODE_RWC);

    if (db != NULL) {
        ss_link_make(db);
    }
    return db;
}

static ss_status
run(ss_db *db, const char *sql, ss_begin begin, int64_t *first)
{
    ss_free_request request = {.sql = sql, .n_sql = strlen(sql), .raw = true};
    ss_call call = {0};
    ss_batch *batch = NULL;
    ss_link_outcome outcome;
    ss_buf declared;

    ss_error_init(&err);
    ss_buf_init(&declared);
    ss_status status =
        ss_link_execute(db, &call, &request, begin, &declared, &batch, &outcome, &err);
    if (status == SS_OK && first != NULL) {
        *first = batch != NULL && batch->n_rows > 0
                     ? batch->columns[0].data.cells[0].as.i
                     : -1;
    }
    ss_batch_release(batch);
    ss_buf_free(&declared);
    return status;
}

static int64_t
count(ss_db *db)
{
    int64_t n = -2;
    return run(db, "SELECT count(*) FROM t", SS_BEGIN_NEVER, &n) == SS_OK ? n : -3;
}

static ss_status
end(ss_db *db, bool commit)
{
    ss_call call = {0};
    ss_error_init(&err);
    return ss_link_end(db, &call, commit, &err);
}

static void
test_words(void)
{
    static const char *const yes[] = {"insert", " \n-- x\n/* y */REPLACE INTO t",
                                      "Update t", "delete"};
    static const char *const no[] = {"",          "inser",  "-- insert",
                                     "/* delete", "WITH x", "SELECT 1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        CHECK(ss_link_changes_rows(yes[i], strlen(yes[i])));
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        CHECK(!ss_link_changes_rows(no[i], strlen(no[i])));
    }
}

static void
test_transactions(void)
{
    ss_db *db = new_link("link.db");
    CHECK(db != NULL);
    CHECK_INT(run(db, "CREATE TABLE t (a INTEGER)", SS_BEGIN_DEFERRED, NULL), SS_OK);
    CHECK(!ss_link_in_transaction(db));
    CHECK_INT(run(db, "INSERT INTO t VALUES (1)", SS_BEGIN_DEFERRED, NULL), SS_OK);
    CHECK(ss_link_in_transaction(db));
    CHECK_INT(count(db), 1);
    CHECK_INT(end(db, false), SS_OK);
    CHECK(!ss_link_in_transaction(db));
    CHECK_INT(count(db), 0);
    CHECK_INT(run(db, "INSERT INTO t VALUES (1)", SS_BEGIN_NEVER, NULL), SS_OK);
    CHECK(!ss_link_in_transaction(db));
    CHECK_INT(run(db, "BEGIN", SS_BEGIN_NEVER, NULL), SS_OK);
    CHECK_INT(run(db, "INSERT INTO t VALUES (2)", SS_BEGIN_IMMEDIATE, NULL), SS_OK);
    CHECK_INT(run(db, "COMMIT", SS_BEGIN_NEVER, NULL), SS_OK);
    CHECK(!ss_link_in_transaction(db));
    CHECK_INT(end(db, true), SS_OK);
    CHECK_INT(count(db), 2);
    CHECK_INT(run(db, "  -- nothing\n", SS_BEGIN_NEVER, NULL), SS_OK);
    CHECK_INT(run(db, "ATTACH 'x' AS x", SS_BEGIN_NEVER, NULL), SS_PROGRAMMING);
    CHECK_INT(err.sqlite_code & 0xFF, SQLITE_AUTH);

    ss_call call = {0};
    int64_t total = 0;
    ss_error_init(&err);
    CHECK_INT(
        ss_link_script(db, &call, "BEGIN; INSERT INTO t VALUES (3), (4)", &total, &err),
        SS_OK);
    CHECK_INT(total, 2);
    CHECK(ss_link_in_transaction(db));
    CHECK_INT(ss_link_close(db, &call, &err), SS_OK);
    CHECK_INT(ss_link_close(db, &call, &err), SS_OK);
    CHECK_INT(run(db, "SELECT 1", SS_BEGIN_NEVER, NULL), SS_CLOSED);
    CHECK_INT(ss_db_connect(db, &call, &err), SS_OK);
    CHECK_INT(count(db), 2);
    CHECK_INT(run(db, "INSERT INTO t VALUES (5)", SS_BEGIN_DEFERRED, NULL), SS_OK);
    ss_db_free(db); /* with its transaction open */
}

enum { THREADS = 4, ROUNDS = 100 };

static void *
work(void *arg)
{
    ss_db *db = arg;
    intptr_t failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        failed += run(db, "INSERT INTO t VALUES (1)", SS_BEGIN_DEFERRED, NULL) != SS_OK;
        failed += count(db) < i;
        failed += i % 10 == 0 && end(db, true) != SS_OK;
    }
    return (void *)failed;
}

static void
test_threads(void)
{
    pthread_t threads[THREADS];
    ss_db *db = new_link("link_threads.db");
    CHECK(db != NULL);
    CHECK_INT(run(db, "CREATE TABLE t (a INTEGER)", SS_BEGIN_NEVER, NULL), SS_OK);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, work, db), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        CHECK(failed == NULL);
    }
    CHECK_INT(count(db), THREADS * ROUNDS);
    ss_db_free(db);
}

/* Every allocation of ours fails in turn: an honest error, nothing leaked, and what a
 * statement began is known or undone. */
static void
test_no_memory(void)
{
    ss_db *db = new_link("link_memory.db");
    CHECK(db != NULL);
    CHECK_INT(run(db, "CREATE TABLE t (a INTEGER)", SS_BEGIN_NEVER, NULL), SS_OK);
    for (long n = 0;; n++) {
        ss_mem_fail_after(n, false);
        ss_status status =
            run(db, "INSERT INTO t VALUES (1) RETURNING a", SS_BEGIN_DEFERRED, NULL);
        long asked = ss_mem_count();
        ss_mem_fail_after(-1, false);
        bool failed = asked > n;
        CHECK_INT(status, failed ? SS_NOMEM : SS_OK);
        CHECK(failed || ss_link_in_transaction(db));
        CHECK_INT(end(db, false), SS_OK);
        CHECK_INT(count(db), 0);
        if (!failed) {
            break;
        }
    }
    ss_db_free(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_words);
    RUN(test_transactions);
    RUN(test_threads);
    RUN(test_no_memory);
    return check_end();
}
