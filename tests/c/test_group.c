/* db/group: what stands in one COMMIT, whose failure is whose, who may go before. */
#define _POSIX_C_SOURCE 200809L

#include "db/group.h"

#include "base/thread.h"
#include "check.h"
#include "db/block.h"
#include "db_case.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLE "CREATE TABLE w(id INTEGER PRIMARY KEY, n INTEGER UNIQUE CHECK(n >= 0))"

/* ---- material ---- */

/* A new file with one statement done. */
static ss_db *
new_file(const char *name, const char *sql)
{
    int64_t changed;
    ss_db *db = open_new(name);

    return db != NULL && execute(db, NULL, sql, &changed) == SS_OK ? db : NULL;
}

static int64_t
shared(ss_db *db)
{
    ss_db_stats stats = {0};

    ss_error_init(&err);
    return ss_db_get_stats(db, NULL, &stats, &err) == SS_OK ? stats.shared_commits : -1;
}

/* What one thread writes. */
typedef struct {
    ss_db *db;
    ss_call call;
    bool alone;
    int64_t n;
    const char *sql;          /* instead of an insert of n */
    int64_t sleep_ms;         /* within the work */
    _Atomic uint64_t *cancel; /* counted up within the work, or NULL */
    atomic_int *raise;        /* 1 within the work, or NULL */
    int runs;
    int64_t id; /* of the row */
    ss_status status;
    ss_error err;
    pthread_t thread;
} writer;

static ss_status
work(ss_access *access, void *arg, ss_error *error)
{
    writer *w = arg;
    char sql[400];

    w->runs++;
    if (w->sleep_ms > 0) {
        ss_sleep_us(w->sleep_ms * 1000);
    }
    if (w->cancel != NULL) {
        atomic_fetch_add(w->cancel, 1);
    }
    snprintf(sql, sizeof(sql),
             w->sql != NULL ? w->sql : "INSERT INTO w(n) VALUES(%lld)",
             (long long)w->n);
    if (w->raise != NULL) {
        atomic_store(w->raise, 1);
    }
    ss_status status = ss_conn_exec(access->conn, sql, error);
    if (w->raise != NULL) {
        atomic_store(w->raise, 0);
    }
    SS_TRY(status);
    w->id = sqlite3_last_insert_rowid(ss_conn_handle(access->conn));
    return SS_OK;
}

static void *
write_once(void *arg)
{
    writer *w = arg;

    ss_error_init(&w->err);
    w->status = ss_group_write(w->db, &w->call, w->alone, work, w, &w->err);
    return NULL;
}

/* Keep the writer, have each write in a thread of its own, one behind the other, ... */
static void
queue_up(ss_db *db, writer *writers, int n)
{
    uint64_t thread = 0;

    ss_error_init(&err);
    CHECK_INT(ss_db_begin(db, NULL, NULL, &thread, &err), SS_OK);
    for (int i = 0; i < n; i++) {
        int64_t before = waits(db);

        writers[i].db = db;
        CHECK(pthread_create(&writers[i].thread, NULL, write_once, &writers[i]) == 0);
        for (int k = 0; k < 10000 && waits(db) == before; k++) {
            ss_sleep_us(200);
        }
    }
}

static void
join(writer *writers, int n)
{
    for (int i = 0; i < n; i++) {
        pthread_join(writers[i].thread, NULL);
    }
}

/* ... and let them go. */
static void
release(ss_db *db, writer *writers, int n)
{
    ss_error_init(&err);
    CHECK_INT(ss_db_end(db, NULL, NULL, ss_thread_id(), false, &err), SS_OK);
    join(writers, n);
}

#define ENDLESS                                                                    \
    "INSERT INTO w(n) WITH RECURSIVE c(x) AS (SELECT %lld UNION ALL SELECT x + 1 " \
    "FROM c) SELECT x FROM c"

/* ---- one COMMIT ---- */

static void
test_one_commit_in_order(void)
{
    enum { N = 7 };
    ss_db *db = new_file("one.db", TABLE);
    writer writers[N] = {0};

    CHECK(db != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = 100 - i;
    }
    queue_up(db, writers, N);
    release(db, writers, N);
    for (int i = 0; i < N; i++) {
        CHECK_INT(writers[i].status, SS_OK);
        CHECK_INT(writers[i].id, i + 1);
        CHECK_INT(writers[i].runs, 1);
    }
    CHECK_INT(shared(db), N - 1);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), N);
    close_db(db);
}

static void
test_a_long_queue_goes_in_rounds(void)
{
    enum { N = 150 };
    ss_db *db = new_file("long.db", TABLE);
    writer *writers = calloc(N, sizeof(*writers));

    CHECK(db != NULL && writers != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = i;
    }
    queue_up(db, writers, N);
    release(db, writers, N);
    for (int i = 0; i < N; i++) {
        CHECK_INT(writers[i].status, SS_OK);
        CHECK_INT(writers[i].id, i + 1);
    }
    /* Three rounds; who looks for a signal just then comes in one more. */
    CHECK(shared(db) <= N - 3 && shared(db) >= N - 12);
    free(writers);
    close_db(db);
}

static void
test_what_may_take_long_is_alone(void)
{
    enum { N = 5 };
    ss_db *db = new_file("alone.db", TABLE);
    writer writers[N] = {0};

    CHECK(db != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = i;
    }
    writers[0].alone = writers[2].alone = true;
    queue_up(db, writers, N);
    release(db, writers, N);
    for (int i = 0; i < N; i++) {
        CHECK_INT(writers[i].status, SS_OK);
    }
    CHECK_INT(shared(db), N - 3);
    CHECK_INT(writers[0].id, 1);
    CHECK_INT(writers[2].id, N);
    close_db(db);
}

static void
test_inside_a_transaction(void)
{
    ss_db *db = new_file("inside.db", TABLE);
    writer w = {.db = db, .n = 5}, bad = {.db = db, .n = -5};
    uint64_t thread = 0;

    CHECK(db != NULL);
    CHECK_INT(ss_db_begin(db, NULL, NULL, &thread, &err), SS_OK);
    write_once(&w);
    write_once(&bad);
    CHECK_INT(w.status, SS_OK);
    CHECK_INT(bad.status, SS_INTEGRITY);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), 1);
    CHECK_INT(ss_db_end(db, NULL, NULL, thread, false, &err), SS_OK);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), 0);
    close_db(db);
}

/* ---- failures ---- */

static void
test_a_failure_is_its_own(void)
{
    enum { N = 9 };
    ss_db *db = new_file("own.db", TABLE);
    writer writers[N] = {0};

    CHECK(db != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = i % 3 == 1 ? -i : i; /* refused: CHECK */
    }
    writers[8].n = 0; /* and UNIQUE */
    queue_up(db, writers, N);
    release(db, writers, N);
    for (int i = 0; i < N; i++) {
        bool bad = i % 3 == 1 || i == 8;
        CHECK_INT(writers[i].status, bad ? SS_INTEGRITY : SS_OK);
        CHECK_INT(writers[i].err.code, writers[i].status);
        CHECK_INT(writers[i].runs, 1);
    }
    CHECK_HAS(writers[1].err.message, "CHECK");
    CHECK_HAS(writers[8].err.message, "UNIQUE");
    CHECK_INT(query_int(db, "SELECT sum(n) FROM w"), 0 + 2 + 3 + 5 + 6);
    close_db(db);
}

static void
test_a_failure_after_half_the_work(void)
{
    ss_db *db = new_file("half.db", TABLE);
    writer writers[3] = {
        {.n = 1},
        {.n = 2, .sql = "INSERT INTO w(n) VALUES(%lld); INSERT INTO w(n) VALUES(-1)"},
        {.n = 3}};

    CHECK(db != NULL);
    queue_up(db, writers, 3);
    release(db, writers, 3);
    CHECK_INT(writers[1].status, SS_INTEGRITY);
    CHECK_INT(writers[0].status | writers[2].status, SS_OK);
    CHECK_INT(query_int(db, "SELECT sum(n) FROM w"), 4);
    close_db(db);
}

static void
test_all_fail(void)
{
    ss_db *db = new_file("none.db", TABLE);
    writer writers[3] = {{.n = -1}, {.n = -2}, {.n = -3}};

    CHECK(db != NULL);
    queue_up(db, writers, 3);
    release(db, writers, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(writers[i].status, SS_INTEGRITY);
    }
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), 0);
    close_db(db);
}

/* SQLite undoes the whole transaction when a write is interrupted. */
static void
test_everything_undone_is_done_again(void)
{
    enum { N = 6 };
    for (int culprit = 0; culprit < N; culprit += 2) {
        ss_db *db = new_file("undone.db", "DROP TABLE IF EXISTS w");
        writer writers[N] = {0};
        ss_free_request create = {.sql = TABLE, .n_sql = strlen(TABLE)};
        ss_outcome outcome;

        CHECK(db != NULL);
        CHECK_INT(ss_db_execute(db, NULL, &create, NULL, &outcome, &err), SS_OK);
        for (int i = 0; i < N; i++) {
            writers[i].n = i;
        }
        writers[N - 1].alone = true; /* still the last, after those put back */
        writers[culprit].sql = ENDLESS;
        writers[culprit].n = 1000;
        /* After all have come, also where the machine is slow. */
        writers[culprit].call.deadline_ms = ss_clock_ms() + 1500;
        int64_t before = shared(db);
        queue_up(db, writers, N);
        release(db, writers, N);
        for (int i = 0; i < N; i++) {
            CHECK_INT(writers[i].status, i == culprit ? SS_INTERRUPTED : SS_OK);
            CHECK_INT(writers[i].runs, i < culprit ? 2 : 1);
            CHECK_INT(writers[i].err.code, writers[i].status);
            if (i != culprit) { /* in the order of coming still */
                CHECK_INT(writers[i].id, i < culprit ? i + 1 : i);
            }
        }
        CHECK_INT(shared(db) - before, N - 3);
        CHECK_INT(query_int(db, "SELECT count(*) FROM w"), N - 1);
        close_db(db);
    }
}

static void
test_a_deferred_constraint_names_nobody(void)
{
    ss_db *db =
        new_file("deferred.db", "CREATE TABLE w(id INTEGER PRIMARY KEY, n INTEGER"
                                " REFERENCES w(id) DEFERRABLE INITIALLY DEFERRED)");
    writer writers[4] = {{.n = 1, .sql = "INSERT INTO w(id, n) VALUES(1, %lld)"},
                         {.n = 99},
                         {.n = 1},
                         {.n = 1}};

    CHECK(db != NULL);
    queue_up(db, writers, 4);
    release(db, writers, 4);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(writers[i].status, i == 1 ? SS_INTEGRITY : SS_OK);
        CHECK_INT(writers[i].runs, 2);
    }
    CHECK_INT(query_int(db, "SELECT count(*) FROM w WHERE n = 1"), 3);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), 3);
    close_db(db);
}

/* A reader in another place keeps a rollback journal from being committed. */
static void
test_a_failed_commit_is_everybodys(void)
{
    ss_conn_options options = {.path = path, .flags = SS_CONN_CREATE, .busy_ms = 1000};
    ss_conn *conn = NULL;
    writer writers[3] = {{.n = 1}, {.n = -2}, {.n = 3}};
    ss_db *db = NULL;

    fresh_path("journal.db");
    ss_error_init(&err);
    CHECK_INT(ss_conn_open(&options, &conn, &err), SS_OK);
    CHECK_INT(ss_conn_exec(conn, "PRAGMA journal_mode=DELETE;" TABLE, &err), SS_OK);
    ss_db_options how = {
        .path = path, .mode = SS_MODE_RW, .max_readers = 1, .busy_ms = 300};
    CHECK_INT(ss_db_new(&how, &db, &err), SS_OK);
    CHECK_INT(ss_db_connect(db, NULL, &err), SS_OK);
    CHECK_INT(ss_conn_exec(conn, "BEGIN; SELECT count(*) FROM w", &err), SS_OK);
    queue_up(db, writers, 3);
    release(db, writers, 3);
    CHECK_INT(writers[0].status, SS_BUSY);
    CHECK_INT(writers[1].status, SS_INTEGRITY);
    CHECK_INT(writers[2].status, SS_BUSY);
    CHECK_HAS(writers[2].err.message, "committing");
    CHECK_INT(ss_conn_exec(conn, "COMMIT", &err), SS_OK);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), 0);
    write_once(&writers[0]);
    CHECK_INT(writers[0].status, SS_OK);
    ss_conn_close(conn);
    close_db(db);
}

/* ---- calls that end ---- */

static int
raise_if(void *arg)
{
    return atomic_load((atomic_int *)arg);
}

static void
test_a_waiting_call_is_withdrawn(void)
{
    enum { N = 5 };
    ss_db *db = new_file("withdrawn.db", TABLE);
    writer writers[N] = {0};
    _Atomic uint64_t cancel = 0;
    atomic_int raised = 1;

    CHECK(db != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = i;
    }
    /* The first leads and waits for the writer, the others wait for the first. */
    writers[1].call.deadline_ms = ss_clock_ms() + 500;
    writers[2].call.cancel_epoch = &cancel;
    writers[3].call = (ss_call){.check = raise_if, .check_arg = &raised};
    queue_up(db, writers, N);
    atomic_fetch_add(&cancel, 1);
    for (int i = 1; i < 4; i++) {
        pthread_join(writers[i].thread, NULL);
        CHECK_INT(writers[i].status, i < 3 ? SS_INTERRUPTED : SS_SIGNAL);
        CHECK_INT(writers[i].err.code, writers[i].status);
        CHECK_INT(writers[i].runs, 0);
    }
    CHECK_INT(ss_db_end(db, NULL, NULL, ss_thread_id(), true, &err), SS_OK);
    pthread_join(writers[0].thread, NULL);
    pthread_join(writers[4].thread, NULL);
    CHECK_INT(writers[0].status | writers[4].status, SS_OK);
    CHECK_INT(query_int(db, "SELECT sum(n) FROM w"), 4);
    close_db(db);
}

static void
test_a_leader_that_gives_up(void)
{
    enum { N = 4 };
    ss_db *db = new_file("leader.db", TABLE);
    writer writers[N] = {0};

    CHECK(db != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = i;
    }
    writers[0].call.deadline_ms = ss_clock_ms() + 300;
    queue_up(db, writers, N);
    pthread_join(writers[0].thread, NULL);
    CHECK_INT(writers[0].status, SS_INTERRUPTED);
    CHECK_INT(ss_db_end(db, NULL, NULL, ss_thread_id(), true, &err), SS_OK);
    join(writers + 1, N - 1);
    for (int i = 1; i < N; i++) {
        CHECK_INT(writers[i].status, SS_OK);
        CHECK_INT(writers[i].id, i);
    }
    CHECK_INT(shared(db), N - 2);
    close_db(db);
}

static void
test_a_waiting_call_waits_no_longer_than_asked(void)
{
    ss_db *db = new_file("busy.db", TABLE), *hasty = NULL;
    enum { N = 10 };
    writer writers[N] = {0};
    ss_db_options options = {
        .path = path, .mode = SS_MODE_RW, .max_readers = 1, .busy_ms = 200};

    CHECK(db != NULL);
    CHECK_INT(ss_db_new(&options, &hasty, &err), SS_OK);
    int64_t begun = ss_clock_ms();
    queue_up(hasty, writers, N);
    join(writers, N);
    CHECK(ss_clock_ms() - begun < 1500);
    for (int i = 0; i < N; i++) {
        CHECK_INT(writers[i].status, SS_BUSY);
    }
    CHECK_INT(ss_db_end(hasty, NULL, NULL, ss_thread_id(), true, &err), SS_OK);
    close_db(hasty);
    close_db(db);
}

/* While the leader works, somebody's call is ended: its own, or a neighbour's. */
static void
test_an_end_in_the_middle_is_its_own(void)
{
    enum { N = 5 };
    ss_db *db = new_file("middle.db", TABLE);
    _Atomic uint64_t first = 0, last = 0;
    atomic_int raised = 0;
    writer writers[N] = {0};

    CHECK(db != NULL);
    for (int i = 0; i < N; i++) {
        writers[i].n = i;
    }
    writers[0].call =
        (ss_call){.check = raise_if, .check_arg = &raised, .cancel_epoch = &first};
    writers[0].raise = &raised; /* a signal comes in the middle of a shared round */
    writers[0].sleep_ms = 100;
    writers[0].sql = "INSERT INTO w(n) WITH RECURSIVE c(x) AS (SELECT %lld UNION ALL"
                     " SELECT x + 1 FROM c LIMIT 20000) SELECT max(x) FROM c";
    writers[1].cancel = &first; /* its own work is over by then */
    writers[2].sql = "SELECT count(*) FROM w AS a, w AS b WHERE a.n + b.n > (WITH "
                     "RECURSIVE c(x) AS (SELECT %lld UNION ALL SELECT x + 1 FROM c)"
                     " SELECT count(*) FROM c)"; /* read: SQLite undoes nothing */
    writers[2].call.deadline_ms = ss_clock_ms() + 800;
    writers[3].cancel = &last;
    writers[4].call.cancel_epoch = &last;
    queue_up(db, writers, N);
    release(db, writers, N);
    CHECK_INT(writers[0].status, SS_OK);
    CHECK_INT(writers[1].status, SS_OK);
    CHECK_INT(writers[2].status, SS_INTERRUPTED);
    CHECK_INT(writers[3].status, SS_OK);
    CHECK_INT(writers[4].status, SS_INTERRUPTED);
    for (int i = 0; i < N; i++) {
        CHECK_INT(writers[i].runs, i == 4 ? 0 : 1);
    }
    close_db(db);
}

/* ---- close and fork ---- */

typedef struct {
    ss_db *db;
    int64_t first;
    int acked, closed, refused, other;
    atomic_bool *stop; /* or NULL */
} stream;

/* Adds without end; each tenth is refused. */
static void *
add_on(void *arg)
{
    stream *s = arg;
    atomic_bool never = false, *stop = s->stop != NULL ? s->stop : &never;

    for (int64_t i = 0; i < 400 && s->closed == 0 && !atomic_load(stop); i++) {
        writer w = {.db = s->db, .n = i % 10 == 3 ? -1 : s->first + i};
        write_once(&w);
        switch (w.status) {
        case SS_OK:
            s->acked++;
            break;
        case SS_INTEGRITY:
            s->refused++;
            break;
        case SS_CLOSED:
            s->closed++;
            break;
        default:
            printf("  %s\n", w.err.message);
            s->other++;
        }
    }
    return NULL;
}

enum { STREAMS = 8 };

static void
start(ss_db *db, stream *streams, pthread_t *threads, atomic_bool *stop)
{
    for (int i = 0; i < STREAMS; i++) {
        streams[i] = (stream){.db = db, .first = 1000 * i, .stop = stop};
        CHECK(pthread_create(&threads[i], NULL, add_on, &streams[i]) == 0);
    }
}

static void
test_many_threads(void)
{
    ss_db *db = new_file("many.db", TABLE);
    stream streams[STREAMS];
    pthread_t threads[STREAMS];

    CHECK(db != NULL);
    start(db, streams, threads, NULL);
    for (int i = 0; i < STREAMS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(streams[i].acked, 360);
        CHECK_INT(streams[i].refused, 40);
        CHECK_INT(streams[i].other, 0);
    }
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), 8 * 360);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w WHERE n % 1000 % 10 = 3"), 0);
    close_db(db);
}

static void
test_close_while_they_wait(void)
{
    ss_db *db = new_file("close.db", TABLE);
    stream streams[STREAMS];
    pthread_t threads[STREAMS];
    int acked = 0, closed = 0;

    CHECK(db != NULL);
    start(db, streams, threads, NULL);
    while (query_int(db, "SELECT count(*) FROM w") < 50) {
        ss_sleep_us(500);
    }
    ss_error_init(&err);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
    for (int i = 0; i < STREAMS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(streams[i].other, 0);
        acked += streams[i].acked;
        closed += streams[i].closed;
    }
    CHECK_INT(closed, STREAMS);
    ss_error_init(&err);
    CHECK_INT(ss_db_connect(db, NULL, &err), SS_OK);
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), acked);
    close_db(db);
}

static void
test_fork_while_they_wait(void)
{
    ss_db *db = new_file("fork.db", TABLE);
    stream streams[STREAMS];
    pthread_t threads[STREAMS];
    atomic_bool stop = false;
    int acked = 0;

    CHECK(db != NULL);
    start(db, streams, threads, &stop);
    for (int i = 0; i < 5; i++) {
        int status = -1;

        ss_sleep_us(3000);
        ss_db_before_fork(db, 10000);
        /* The child touches nothing: the sanitizer's allocator may be locked there by a
         * thread that the child has not. What it can do is in tests/test_group.py. */
        pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        ss_db_after_fork_parent(db);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_INT(status, 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < STREAMS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(streams[i].other, 0);
        acked += streams[i].acked;
    }
    CHECK_INT(query_int(db, "SELECT count(*) FROM w"), acked);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_one_commit_in_order);
    RUN(test_a_long_queue_goes_in_rounds);
    RUN(test_what_may_take_long_is_alone);
    RUN(test_inside_a_transaction);
    RUN(test_a_failure_is_its_own);
    RUN(test_a_failure_after_half_the_work);
    RUN(test_all_fail);
    RUN(test_everything_undone_is_done_again);
    RUN(test_a_deferred_constraint_names_nobody);
    RUN(test_a_failed_commit_is_everybodys);
    RUN(test_a_waiting_call_is_withdrawn);
    RUN(test_a_leader_that_gives_up);
    RUN(test_a_waiting_call_waits_no_longer_than_asked);
    RUN(test_an_end_in_the_middle_is_its_own);
    RUN(test_many_threads);
    RUN(test_close_while_they_wait);
    RUN(test_fork_while_they_wait);
    return check_end();
}
