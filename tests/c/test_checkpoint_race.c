/* The race of SQLite before 3.51.3, without chance: just after a checkpoint has looked at
 * the wal-index, another connection commits and starts the log anew.  The checkpoint then
 * says that frames of the new log are copied which are not, and they are lost.
 *
 * The control does it to plain connections, and must end in a broken file (unless this
 * SQLite has the repair); the same schedule against the pool must find the write lock
 * taken.  Seen to fail: without BEGIN IMMEDIATE in store/checkpoint's run_round, every
 * round breaks the file. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "rig.h"
#include "scratch.h"
#include "store/checkpoint.h"
#include "store/pool.h"

enum { ROUNDS = 100, CONTROL_ROUNDS = 5 };

/* One row on a page of its own for each transaction; all of them known by their sum. */
#define INSERT "INSERT INTO t VALUES (zeroblob(3000)); UPDATE c SET n = n + 1"

/* What another process would do at the worst moment. */
typedef struct {
    sqlite3 *other;
    bool armed;
    int n_tried, n_done, n_refused;
} rival;

static int
at_the_worst_moment(const rig_op *op, void *arg)
{
    rival *r = arg;

    if (op->kind != RIG_UNFETCH || !r->armed) {
        return SQLITE_OK;
    }
    r->armed = false; /* what the rival does comes here, too */
    r->n_tried++;
    int code =
        sqlite3_exec(r->other, "BEGIN IMMEDIATE; " INSERT "; COMMIT", NULL, NULL, NULL);
    r->n_done += code == SQLITE_OK;
    r->n_refused += code == SQLITE_BUSY;
    r->armed = code != SQLITE_OK;
    return SQLITE_OK;
}

static sqlite3 *
plain_open(void)
{
    sqlite3 *db = NULL;

    CHECK_VALUE(sqlite3_open(path, &db) == SQLITE_OK, NULL);
    sqlite3_exec(db,
                 "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF; SELECT "
                 "count(*) FROM sqlite_schema",
                 NULL, NULL, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return db;
}

static bool
run(sqlite3 *db, const char *sql, int times)
{
    int code = SQLITE_OK;

    for (int i = 0; i < times && code == SQLITE_OK; i++) {
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    return code == SQLITE_OK;
}

static sqlite3 *
new_file(void)
{
    fresh_path("race.db");
    sqlite3 *db = plain_open();
    CHECK_VALUE(db != NULL &&
                    run(db,
                        "PRAGMA journal_mode = WAL; CREATE TABLE t(a); CREATE "
                        "TABLE c(n); INSERT INTO c VALUES (0)",
                        1),
                NULL);
    return db;
}

/* Does the file say what was committed, also once the log is folded away? */
static bool
is_whole(int n_committed)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int n = -1, n_counted = -1;
    bool good = false;

    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) ==
            SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        good = strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    }
    sqlite3_finalize(stmt);
    stmt = NULL;
    if (good &&
        sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM t), n FROM c", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        n = sqlite3_column_int(stmt, 0);
        n_counted = sqlite3_column_int(stmt, 1);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return good && n == n_committed && n_counted == n_committed;
}

/* The log is full of frames that are all copied; then a checkpoint meets the rival; then
 * life goes on until the log is started anew once more. */
static bool
race_of_plain_connections(void)
{
    rival r = {.other = NULL};
    int committed = 0;
    sqlite3 *writer = new_file(), *checkpointer = plain_open(), *third = plain_open();

    r.other = plain_open();
    for (int i = 0; i < 3; i++) {
        run(writer, INSERT, 12);
        committed += 12;
        sqlite3_wal_checkpoint_v2(third, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        rig_listen(at_the_worst_moment, &r);
        r.armed = true;
        sqlite3_wal_checkpoint_v2(checkpointer, "main", SQLITE_CHECKPOINT_PASSIVE, NULL,
                                  NULL);
        rig_listen(NULL, NULL);
        if (run(writer, INSERT, 3)) {
            committed += 3;
        }
        sqlite3_wal_checkpoint_v2(third, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    sqlite3_close(writer);
    sqlite3_close(checkpointer);
    sqlite3_close(third);
    sqlite3_close(r.other);
    return r.n_done > 0 && is_whole(committed + r.n_done);
}

static void
test_plain_connections_lose(void)
{
    int n_broken = 0;

    for (int i = 0; i < CONTROL_ROUNDS; i++) {
        n_broken += !race_of_plain_connections();
    }
    printf("  SQLite %s: %d of %d broken\n", sqlite3_libversion(), n_broken,
           CONTROL_ROUNDS);
    check_figure("the checkpoint race, plain connections (the control): broken",
                 CONTROL_ROUNDS, n_broken);
    CHECK_INT(n_broken, ss_checkpoint_needs_fence() ? CONTROL_ROUNDS : 0);
}

static bool
write_rows(ss_pool *pool, int n)
{
    ss_lease lease;
    ss_error err;

    ss_error_init(&err);
    CHECK_VALUE(ss_pool_write(pool, NULL, &lease, &err) == SS_OK, false);
    bool good = true;
    for (int i = 0; i < n && good; i++) {
        good = ss_conn_exec(lease.conn, "BEGIN IMMEDIATE; " INSERT "; COMMIT", &err) ==
               SS_OK;
    }
    ss_pool_return(&lease);
    return good;
}

static void
checkpoint(ss_pool *pool)
{
    ss_error err;
    bool done = false;

    ss_error_init(&err);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_OK);
    CHECK(done);
}

static void
race_of_the_pool(rival *r)
{
    ss_pool_options options = {.mode = SS_MODE_RWC,
                               .durability = SS_DURABILITY_OFF,
                               .max_readers = 1,
                               .busy_ms = 1000};
    ss_pool *pool = NULL;
    ss_error err;
    int committed = 0, before = r->n_done;

    r->other = new_file();
    options.path = path;
    ss_error_init(&err);
    CHECK_INT(ss_pool_open(&options, NULL, &pool, &err), SS_OK);
    for (int i = 0; i < 3; i++) {
        CHECK(write_rows(pool, 12));
        checkpoint(pool);
        /* The checkpointer's last look is older than the log: so it tells its next. */
        CHECK(run(r->other, "UPDATE c SET n = n", 1));
        rig_listen(at_the_worst_moment, r);
        r->armed = true;
        checkpoint(pool);
        rig_listen(NULL, NULL);
        CHECK(write_rows(pool, 3));
        committed += 15;
        checkpoint(pool);
    }
    CHECK_INT(ss_pool_close(pool, NULL, &err), SS_OK);
    ss_pool_free(pool);
    sqlite3_close(r->other);
    CHECK(is_whole(committed + r->n_done - before));
}

static void
test_ours_never_loses(void)
{
    rival r = {.other = NULL};
    int rounds = check_times(ROUNDS, 20 * ROUNDS);

    for (int i = 0; i < rounds && !atomic_load(&check_state.failed); i++) {
        race_of_the_pool(&r);
    }
    printf("  the rival tried %d times: %d done, %d refused\n", r.n_tried, r.n_done,
           r.n_refused);
    check_figure("the checkpoint race, ours: broken", r.n_tried,
                 atomic_load(&check_state.failed));
    CHECK(r.n_refused >= rounds);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    rig_install();
    RUN(test_plain_connections_lose);
    RUN(test_ours_never_loses);
    return check_end();
}
