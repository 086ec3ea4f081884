/* Every kind of operation on the disk fails, at its n-th time, once and for good: an
 * honest error, the same db usable when the disk is well again, nothing acknowledged
 * lost, no batch there in part.
 *
 * Seen to fail: with a failed COMMIT taken for a good one in ss_db_end_work. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "db/group.h"
#include "rig.h"
#include "scratch.h"

enum { ROWS = 30, MOST_BATCHES = 16 };

typedef struct {
    rig_kind kind;
    int code;
    const char *name;
} failure;

static const failure failures[] = {
    {RIG_OPEN, SQLITE_CANTOPEN, "open"},
    {RIG_READ, SQLITE_IOERR_READ, "read"},
    {RIG_READ, SQLITE_IOERR_SHORT_READ, "short read"},
    {RIG_WRITE, SQLITE_IOERR_WRITE, "write"},
    {RIG_WRITE, SQLITE_FULL, "full"},
    {RIG_SYNC, SQLITE_IOERR_FSYNC, "fsync"},
    {RIG_TRUNCATE, SQLITE_IOERR_TRUNCATE, "truncate"},
    {RIG_DELETE, SQLITE_IOERR_DELETE, "delete"},
    {RIG_LOCK, SQLITE_IOERR_LOCK, "lock"},
    {RIG_LOCK, SQLITE_BUSY, "busy"},
    {RIG_SHMMAP, SQLITE_IOERR_SHMMAP, "shm map"},
    {RIG_SHMLOCK, SQLITE_IOERR_SHMLOCK, "shm lock"},
};

/* ---- the disk ---- */

static struct {
    const failure *what;
    long n, at; /* how many came so far; which fails */
    bool persistent, off;
} fault;

static int
fail_nth(const rig_op *op, void *arg)
{
    int good = op->kind == RIG_SYNC ? RIG_PRETEND : SQLITE_OK; /* it takes long */

    (void)arg;
    if (fault.off || op->kind != fault.what->kind) {
        return good;
    }
    long n = fault.n++;
    bool hit = n == fault.at || (fault.persistent && n > fault.at);
    return hit ? fault.what->code : good;
}

/* ---- a life ---- */

typedef struct {
    ss_db *db;
    bool acked[MOST_BATCHES];
    int n_batches, n_failed;
} life;

/* Errors that speak of the outside world; what a short read gives is no database. */
static void
check_honest(life *l, const ss_error *err)
{
    bool good = err->code == SS_OPERATIONAL || err->code == SS_BUSY ||
                err->code == SS_DISK_FULL;

    if (fault.what->code == SQLITE_IOERR_SHORT_READ) {
        good = good || err->code == SS_DATABASE || err->code == SS_PROGRAMMING;
    }
    l->n_failed++;
    if (!good || err->message[0] == '\0') {
        printf("  code %d, SQLite's %d\n", err->code, err->sqlite_code);
        check_fail(__FILE__, __LINE__, err->message);
    }
}

static ss_status
insert(ss_access *access, void *arg, ss_error *err)
{
    char sql[300];

    snprintf(sql, sizeof(sql),
             "PRAGMA cache_size = 5; INSERT INTO t WITH RECURSIVE r(i) AS (SELECT 1 "
             "UNION ALL SELECT i + 1 FROM r WHERE i < %d) SELECT %d, zeroblob(1000) "
             "FROM r",
             ROWS, *(const int *)arg);
    return ss_conn_exec(access->conn, sql, err);
}

static ss_status
write_one(life *l, ss_error *err)
{
    int batch = l->n_batches++;

    ss_error_init(err);
    ss_status status = ss_group_write(l->db, NULL, false, insert, &batch, err);
    l->acked[batch] = status == SS_OK;
    return status;
}

static ss_status
read_once(life *l, int64_t *n, ss_error *err)
{
    ss_access access;

    ss_error_init(err);
    SS_TRY(ss_db_read_enter(l->db, NULL, &access, err));
    ss_status status = ss_conn_int(access.conn, "SELECT count(*) FROM t", n, err);
    ss_db_leave(&access);
    return status;
}

/* As db/read does. */
static ss_status
read_all(life *l, int64_t *n, ss_error *err)
{
    ss_status status = read_once(l, n, err);
    return status != SS_OK && ss_db_recovered(l->db, NULL, err) ? read_once(l, n, err)
                                                                : status;
}

static ss_status
checkpoint(life *l, ss_error *err)
{
    ss_access access;
    bool done;

    ss_error_init(err);
    SS_TRY(ss_db_write_enter(l->db, NULL, &access, err));
    ss_pool *pool = access.lease.pool;
    ss_db_leave(&access);
    return ss_pool_checkpoint(pool, NULL, &done, err);
}

static int
n_acked(const life *l)
{
    int n = 0;
    for (int i = 0; i < l->n_batches; i++) {
        n += l->acked[i];
    }
    return n;
}

static void
check_count(const life *l, int64_t n)
{
    CHECK(n % ROWS == 0);
    CHECK(n >= (int64_t)n_acked(l) * ROWS);
    CHECK(n <= (int64_t)l->n_batches * ROWS);
}

/* Whatever fails, the next thing is tried. */
static void
live(life *l)
{
    ss_error err;
    int64_t n;

    for (int i = 0; i < 3; i++) {
        if (write_one(l, &err) != SS_OK) {
            check_honest(l, &err);
        }
        if (read_all(l, &n, &err) != SS_OK) {
            check_honest(l, &err);
        }
        else {
            check_count(l, n);
        }
        if (checkpoint(l, &err) != SS_OK) {
            check_honest(l, &err);
        }
    }
    ss_error_init(&err);
    if (ss_db_close(l->db, NULL, &err) != SS_OK) {
        check_honest(l, &err);
    }
    if (write_one(l, &err) != SS_OK && err.code != SS_CLOSED) {
        check_honest(l, &err);
    }
    ss_error_init(&err);
    if (ss_db_connect(l->db, NULL, &err) != SS_OK) {
        check_honest(l, &err);
    }
    else if (write_one(l, &err) != SS_OK) {
        check_honest(l, &err);
    }
}

/* The disk is well again. After a failed fsync nothing is written until the db is opened
 * anew; a short read in the middle of a file is a broken file until then. */
static void
recover(life *l)
{
    bool strange =
        fault.what->kind == RIG_SYNC || fault.what->code == SQLITE_IOERR_SHORT_READ;
    ss_error err;
    int64_t n;

    ss_error_init(&err);
    if (ss_db_connect(l->db, NULL, &err) != SS_OK ||
        (write_one(l, &err) != SS_OK && !strange)) {
        check_fail(__FILE__, __LINE__, err.message);
        return;
    }
    if (read_all(l, &n, &err) == SS_OK) {
        check_count(l, n);
    }
    else if (!strange || fault.what->kind == RIG_SYNC) {
        check_fail(__FILE__, __LINE__, err.message);
    }
    ss_error_init(&err);
    CHECK_INT(ss_db_close(l->db, NULL, &err), SS_OK);
    CHECK_INT(ss_db_connect(l->db, NULL, &err), SS_OK);
    CHECK_INT(write_one(l, &err), SS_OK);
    CHECK_INT(ss_db_close(l->db, NULL, &err), SS_OK);
}

/* ---- what is left ---- */

static void
make_file(const char *journal)
{
    char sql[200];
    sqlite3 *stock = NULL;

    fresh_path("io.db");
    snprintf(
        sql, sizeof(sql),
        "PRAGMA journal_mode = %s; PRAGMA synchronous = OFF; CREATE TABLE t(batch, "
        "a)",
        journal);
    CHECK_INT(sqlite3_open(path, &stock), SQLITE_OK);
    CHECK_INT(sqlite3_exec(stock, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(stock), SQLITE_OK);
}

/* Is every acknowledged batch there, and each as a whole? */
static bool
is_whole(const life *l)
{
    sqlite3 *stock = NULL;
    sqlite3_stmt *stmt = NULL;
    bool present[MOST_BATCHES] = {false}, good;

    good = sqlite3_open(path, &stock) == SQLITE_OK &&
           sqlite3_prepare_v2(stock, "PRAGMA integrity_check", -1, &stmt, NULL) ==
               SQLITE_OK &&
           sqlite3_step(stmt) == SQLITE_ROW &&
           strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    stmt = NULL;
    good = good && sqlite3_prepare_v2(stock, "SELECT batch, count(*) FROM t GROUP BY 1",
                                      -1, &stmt, NULL) == SQLITE_OK;
    while (good && sqlite3_step(stmt) == SQLITE_ROW) {
        present[sqlite3_column_int(stmt, 0)] = true;
        good = sqlite3_column_int(stmt, 1) == ROWS;
    }
    sqlite3_finalize(stmt);
    sqlite3_close(stock);
    for (int i = 0; i < l->n_batches; i++) {
        good = good && (present[i] || !l->acked[i]);
    }
    return good;
}

/* One life with one fault; *hit: it came to that. */
static void
live_once(const char *journal, bool *hit, int *n_failed)
{
    ss_db_options options = {.path = path,
                             .mode = SS_MODE_RW,
                             .durability = SS_DURABILITY_FULL,
                             .max_readers = 2,
                             .busy_ms = 5};
    life l = {.db = NULL};
    ss_error err;

    make_file(journal);
    ss_error_init(&err);
    CHECK_INT(ss_db_new(&options, &l.db, &err), SS_OK);
    fault.n = 0;
    fault.off = false;
    rig_listen(fail_nth, NULL);
    live(&l);
    fault.off = true;
    *hit = fault.n > fault.at;
    *n_failed += l.n_failed;
    recover(&l);
    ss_db_free(l.db);
    rig_listen(NULL, NULL);
    CHECK(is_whole(&l));
}

static void
fail_everywhere(const char *journal, const failure *what, bool persistent)
{
    bool hit = true;
    int n_lives = 0, n_failed = 0;

    fault.what = what;
    fault.persistent = persistent;
    for (fault.at = 0; hit; fault.at += check_soak() ? 1 : 1 + fault.at / 2) {
        live_once(journal, &hit, &n_failed);
        n_lives++;
        if (atomic_load(&check_state.failed)) {
            check_figure("lives with an I/O error: file bad or acknowledged lost",
                         n_lives, 1);
            printf("  %s, %s at %ld, %s\n", journal, what->name, fault.at,
                   persistent ? "for good" : "once");
            return;
        }
    }
    printf("  %s, %s, %s: %d lives, %d errors\n", journal, what->name,
           persistent ? "for good" : "once", n_lives, n_failed);
    check_figure("lives with an I/O error: file bad or acknowledged lost", n_lives, 0);
}

static void
fail_in_all_ways(const char *journal)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        fail_everywhere(journal, &failures[i], false);
        CHECK(!atomic_load(&check_state.failed));
        fail_everywhere(journal, &failures[i], true);
        CHECK(!atomic_load(&check_state.failed));
    }
}

static void
test_with_a_wal(void)
{
    fail_in_all_ways("wal");
}

static void
test_with_a_journal(void)
{
    fail_in_all_ways("delete");
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    rig_install();
    RUN(test_with_a_wal);
    RUN(test_with_a_journal);
    return check_end();
}
