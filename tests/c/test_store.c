/* store/conn, store/stmt and store/stmt_cache. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/thread.h"
#include "check.h"
#include "scratch.h"
#include "store/stmt_cache.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A query that would run for minutes. */
#define COUNT_TO(n)                                                              \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT " n    \
    ") SELECT count(*) FROM c"
#define ENDLESS COUNT_TO("2000000000")

static ss_error err;

static ss_conn *
open_conn(const char *file, unsigned flags, int64_t busy_ms)
{
    ss_conn_options options = {.path = file,
                               .flags = flags,
                               .durability = SS_DURABILITY_NORMAL,
                               .busy_ms = busy_ms};
    ss_conn *conn = NULL;

    ss_error_init(&err);
    if (ss_conn_open(&options, &conn, &err) != SS_OK) {
        return NULL;
    }
    return conn;
}

static ss_status
exec(ss_conn *conn, const char *sql)
{
    ss_error_init(&err);
    return ss_conn_exec(conn, sql, &err);
}

static int64_t
number(ss_conn *conn, const char *sql)
{
    int64_t n = -12345;

    ss_error_init(&err);
    return ss_conn_int(conn, sql, &n, &err) == SS_OK ? n : -99999;
}

/* ---- conn ---- */

static void
check_settings(ss_conn *conn, bool reader, int synchronous)
{
    static const struct {
        int option, want;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        int now = -1;
        sqlite3_db_config(ss_conn_handle(conn), switches[i].option, -1, &now);
        CHECK_INT(now, switches[i].want);
    }
    CHECK_INT(number(conn, "PRAGMA cell_size_check"), 1);
    CHECK_INT(number(conn, "PRAGMA mmap_size"), 0);
    CHECK_INT(number(conn, "PRAGMA temp_store"), 1);
    CHECK_INT(number(conn, "PRAGMA wal_autocheckpoint"), 0);
    CHECK_INT(number(conn, "PRAGMA journal_size_limit"), 64 * 1024 * 1024);
    CHECK_INT(number(conn, "PRAGMA foreign_keys"), 1);
    CHECK_INT(number(conn, "PRAGMA trusted_schema"), 0);
    CHECK_INT(number(conn, "PRAGMA query_only"), reader);
    CHECK_INT(number(conn, "PRAGMA synchronous"), synchronous);
}

static void
test_conn_settings(void)
{
    ss_conn_options options = {.path = fresh_path("settings.db"),
                               .flags = SS_CONN_CREATE,
                               .durability = SS_DURABILITY_FULL};
    ss_conn *conn = NULL;

    CHECK(ss_conn_open(&options, &conn, &err) == SS_OK);
    check_settings(conn, false, 3);
    CHECK(!ss_conn_read_only(conn));
    CHECK(exec(conn, "CREATE TABLE t(a); INSERT INTO t VALUES(1);") == SS_OK);
    ss_conn_close(conn);

    options.durability = SS_DURABILITY_NORMAL;
    options.flags = SS_CONN_READ_ONLY;
    CHECK(ss_conn_open(&options, &conn, &err) == SS_OK);
    check_settings(conn, true, 1);
    CHECK(ss_conn_read_only(conn));
    ss_conn_close(conn);

    options.durability = SS_DURABILITY_OFF;
    options.path = ":memory:";
    options.flags = SS_CONN_CREATE;
    CHECK(ss_conn_open(&options, &conn, &err) == SS_OK);
    check_settings(conn, false, 0);
    ss_conn_close(conn);
}

static void
test_conn_hardening_acts(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);

    CHECK(conn != NULL);
    CHECK(exec(conn, "CREATE TABLE t(a); CREATE VIEW v AS SELECT 1") == SS_OK);
    CHECK_INT(exec(conn, "SELECT \"text\""), SS_PROGRAMMING);
    CHECK_INT(exec(conn, "SELECT * FROM v"), SS_PROGRAMMING);
    CHECK_INT(exec(conn, "SELECT load_extension('x')"), SS_PROGRAMMING);
    CHECK_INT(exec(conn, "UPDATE sqlite_schema SET name = 'x'"), SS_PROGRAMMING);
    CHECK_INT(exec(conn, "PRAGMA writable_schema = 1"), SS_OK);
    CHECK_INT(exec(conn, "UPDATE sqlite_schema SET name = 'x'"), SS_PROGRAMMING);
    CHECK_INT(exec(conn, "SELECT fts3_tokenizer('simple', x'00')"), SS_PROGRAMMING);
    ss_conn_close(conn);
}

static void
test_conn_untrusted_limits(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE | SS_CONN_UNTRUSTED, 0);

    CHECK(conn != NULL);
    CHECK_INT(sqlite3_limit(ss_conn_handle(conn), SQLITE_LIMIT_ATTACHED, -1), 0);
    CHECK_INT(sqlite3_limit(ss_conn_handle(conn), SQLITE_LIMIT_VDBE_OP, -1), 100000);
    CHECK_INT(exec(conn, "ATTACH ':memory:' AS x"), SS_PROGRAMMING);
    CHECK_INT(exec(conn, "SELECT zeroblob(200000000)"), SS_DATA);
    ss_conn_close(conn);
    conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    CHECK_INT(exec(conn, "ATTACH ':memory:' AS x"), SS_OK);
    ss_conn_close(conn);
}

static void
test_conn_not_a_database(void)
{
    FILE *f = fopen(fresh_path("text.db"), "w");

    CHECK(f != NULL);
    for (int i = 0; i < 1000; i++) {
        fputs("this is a text file, not a database\n", f);
    }
    fclose(f);
    CHECK(open_conn(path, 0, 0) == NULL);
    CHECK_INT(err.code, SS_DATABASE);
    CHECK_INT(err.sqlite_code, SQLITE_NOTADB);
    CHECK_HAS(err.message, "text.db is not a SQLite database");
}

static void
test_conn_missing(void)
{
    CHECK(open_conn(fresh_path("missing.db"), 0, 0) == NULL);
    CHECK_INT(err.code, SS_OPERATIONAL);
    CHECK_INT(err.sqlite_code & 0xFF, SQLITE_CANTOPEN);
    CHECK_HAS(err.message, "missing.db");
    CHECK_HAS(err.message, "No such file");
    CHECK(open_conn("relative.db", SS_CONN_CREATE, 0) == NULL);
    CHECK_INT(err.code, SS_INTERNAL);
}

static void
test_conn_never_a_uri(void)
{
    struct stat st;
    ss_conn *conn = open_conn(fresh_path("a?mode=memory&x=%41#.db"), SS_CONN_CREATE, 0);

    CHECK(conn != NULL);
    CHECK(exec(conn, "CREATE TABLE t(a)") == SS_OK);
    CHECK(stat(path, &st) == 0 && st.st_size > 0);
    ss_conn_close(conn);
    conn = open_conn(path, SS_CONN_READ_ONLY | SS_CONN_IMMUTABLE, 0);
    CHECK(conn != NULL);
    CHECK_INT(number(conn, "SELECT count(*) FROM sqlite_schema"), 1);
    CHECK_INT(exec(conn, "CREATE TABLE u(a)"), SS_READ_ONLY);
    ss_conn_close(conn);
}

static void
test_conn_untrusted_symlink(void)
{
    char target[512];
    ss_conn *conn = open_conn(fresh_path("target.db"), SS_CONN_CREATE, 0);

    CHECK(conn != NULL);
    CHECK(exec(conn, "CREATE TABLE t(a)") == SS_OK);
    ss_conn_close(conn);
    strcpy(target, path);
    CHECK(symlink(target, fresh_path("link.db")) == 0);
    CHECK(open_conn(path, SS_CONN_READ_ONLY | SS_CONN_UNTRUSTED, 0) == NULL);
    CHECK_INT(err.code, SS_OPERATIONAL);
    CHECK_HAS(err.message, "symbolic link");
    conn = open_conn(path, SS_CONN_READ_ONLY, 0);
    CHECK(conn != NULL);
    ss_conn_close(conn);
}

static void
test_conn_constraints(void)
{
    static const struct {
        const char *sql, *table, *column;
        int code;
    } cases[] = {
        {"INSERT INTO my_t(id, a, b) VALUES (1, 2, 3)", "my_t", "id",
         SQLITE_CONSTRAINT_PRIMARYKEY},
        {"INSERT INTO my_t(id, a, b) VALUES (2, 1, 1)", "my_t", "a, b",
         SQLITE_CONSTRAINT_UNIQUE},
        {"INSERT INTO my_t(id, a) VALUES (2, 1)", "my_t", "b",
         SQLITE_CONSTRAINT_NOTNULL},
        {"INSERT INTO my_t(id, a, b, n_c) VALUES (2, 2, 2, -1)", "my_t", "n_c",
         SQLITE_CONSTRAINT_CHECK},
        {"INSERT INTO my(t_n) VALUES (-1)", "my", "t_n", SQLITE_CONSTRAINT_CHECK},
        {"INSERT INTO my_t(id, a, b, d) VALUES (2, 2, 2, -1)", "", "",
         SQLITE_CONSTRAINT_CHECK},
        {"INSERT INTO my_t(id, a, b, f) VALUES (2, 2, 2, 77)", "", "",
         SQLITE_CONSTRAINT_FOREIGNKEY},
        {"INSERT INTO strict_t VALUES ('x')", "strict_t", "s",
         SQLITE_CONSTRAINT_DATATYPE},
        {"INSERT INTO my_t(id, a, b) VALUES ('x', 2, 3)", "", "", SQLITE_MISMATCH},
    };
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);

    CHECK(conn != NULL);
    CHECK_INT(exec(conn, "CREATE TABLE my_t(id INTEGER PRIMARY KEY, a INT NOT NULL,"
                         " b INT NOT NULL, n_c INT CONSTRAINT my_t_n_c_check CHECK"
                         " (n_c > 0), d INT CHECK (d > 0), f INT REFERENCES my_t(id),"
                         " UNIQUE (a, b));"
                         "CREATE TABLE my(t_n INT CONSTRAINT my_t_n_check CHECK"
                         " (t_n > 0));"
                         "CREATE TABLE strict_t(s INT) STRICT;"
                         "INSERT INTO my_t(id, a, b) VALUES (1, 1, 1)"),
              SS_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_INT(exec(conn, cases[i].sql), SS_INTEGRITY);
        CHECK_INT(err.sqlite_code, cases[i].code);
        CHECK_STR(err.table, cases[i].table);
        CHECK_STR(err.column, cases[i].column);
        CHECK(err.message[0] != '\0');
    }
    ss_conn_close(conn);
}

static void
test_conn_error_kinds(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    static const struct {
        int rc;
        ss_code want;
    } cases[] = {
        {SQLITE_NOMEM, SS_NOMEM},
        {SQLITE_IOERR_NOMEM, SS_NOMEM},
        {SQLITE_BUSY_SNAPSHOT, SS_BUSY},
        {SQLITE_LOCKED_SHAREDCACHE, SS_BUSY},
        {SQLITE_FULL, SS_DISK_FULL},
        {SQLITE_READONLY_DBMOVED, SS_READ_ONLY},
        {SQLITE_CORRUPT_INDEX, SS_DATABASE},
        {SQLITE_FORMAT, SS_DATABASE},
        {SQLITE_IOERR_READ, SS_OPERATIONAL},
        {SQLITE_PERM, SS_OPERATIONAL},
        {SQLITE_PROTOCOL, SS_OPERATIONAL},
        {SQLITE_AUTH, SS_OPERATIONAL},
        {SQLITE_TOOBIG, SS_DATA},
        {SQLITE_MISMATCH, SS_INTEGRITY},
        {SQLITE_ERROR, SS_PROGRAMMING},
        {SQLITE_MISUSE, SS_INTERNAL},
        {SQLITE_RANGE, SS_INTERNAL},
        {SQLITE_INTERNAL, SS_INTERNAL},
        {SQLITE_INTERRUPT, SS_INTERRUPTED},
        {SQLITE_CONSTRAINT, SS_INTEGRITY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ss_error_init(&err);
        CHECK_INT(ss_conn_error(conn, cases[i].rc, "reading t", &err), cases[i].want);
        CHECK_INT(err.code, cases[i].want);
        CHECK_INT(err.sqlite_code, cases[i].rc);
        CHECK(err.code == SS_NOMEM || strncmp(err.message, "reading t: ", 11) == 0);
        CHECK_INT(ss_conn_error(conn, cases[i].rc, NULL, NULL), cases[i].want);
    }
    CHECK_INT(ss_conn_error(conn, SQLITE_BUSY, NULL, &err), SS_BUSY);
    CHECK_INT(err.code, SS_INTEGRITY); /* the first stays */
    ss_conn_close(conn);
}

static void
test_conn_small_statements(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    char text[6];

    CHECK(ss_conn_text(conn, "SELECT 'abcdefgh'", text, sizeof(text), &err) == SS_OK);
    CHECK_STR(text, "abcde");
    CHECK(ss_conn_text(conn, "SELECT 1 WHERE 0", text, sizeof(text), &err) == SS_OK);
    CHECK_STR(text, "");
    CHECK_INT(number(conn, "SELECT 1 WHERE 0"), 0);
    CHECK_INT(number(conn, "SELECT 9223372036854775807"), INT64_MAX);
    CHECK_INT(number(conn, "SELECT FROM"), -99999);
    CHECK_INT(exec(conn, " -- nothing\n ; ;"), SS_OK);
    CHECK_INT(exec(conn, "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); SELEC"),
              SS_PROGRAMMING);
    CHECK_INT(number(conn, "SELECT count(*) FROM t"), 2);
    CHECK(!ss_conn_in_transaction(conn));
    ss_conn_rollback(conn);
    CHECK(exec(conn, "BEGIN; DELETE FROM t") == SS_OK && ss_conn_in_transaction(conn));
    ss_conn_rollback(conn);
    CHECK(!ss_conn_in_transaction(conn));
    CHECK_INT(number(conn, "SELECT count(*) FROM t"), 2);
    ss_conn_close(conn);
}

/* ---- calls ---- */

static int
count_checks(void *arg)
{
    atomic_int *left = arg;

    return atomic_fetch_sub(left, 1) <= 1;
}

/* Run the endless query under a call; the time it took, or -1 when it was not stopped
 * with `want`. */
static int64_t
run_endless(ss_conn *conn, const ss_call *call, ss_code want)
{
    int64_t begun = ss_clock_ms(), n;

    ss_error_init(&err);
    ss_conn_call_begin(conn, call);
    ss_status rc = ss_conn_int(conn, ENDLESS, &n, &err);
    ss_conn_call_end(conn);
    return rc == (ss_status)want && err.code == (int)want ? ss_clock_ms() - begun : -1;
}

/* The promise is 100 ms. The best of some tries counts, because a machine that builds
 * something else meanwhile can be late by itself. */
enum { TRIES = 5, START_MS = 50, PROMISED_MS = 100 };

static void
test_call_deadline(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_call call = {0};
    int64_t best = INT64_MAX;

    for (int i = 0; i < TRIES && best > START_MS + PROMISED_MS; i++) {
        call.deadline_ms = ss_clock_ms() + START_MS;
        int64_t took = run_endless(conn, &call, SS_INTERRUPTED);
        CHECK(took >= START_MS - 5);
        best = took < best ? took : best;
    }
    CHECK(best <= START_MS + PROMISED_MS);
    CHECK_HAS(err.message, "time limit");
    CHECK_INT(err.sqlite_code, SQLITE_INTERRUPT);
    /* The next calls are not hit: neither without a call nor with a fresh one. */
    CHECK_INT(number(conn, "SELECT 42"), 42);
    call.deadline_ms = ss_clock_ms() + 10000;
    ss_conn_call_begin(conn, &call);
    CHECK_INT(number(conn, COUNT_TO("100000")), 100000);
    ss_conn_call_end(conn);
    ss_conn_close(conn);
}

static _Atomic uint64_t epoch;

static void *
cancel_soon(void *arg)
{
    (void)arg;
    ss_sleep_us(START_MS * 1000);
    atomic_fetch_add(&epoch, 1);
    return NULL;
}

static void
test_call_cancel(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_call call = {.cancel_epoch = &epoch};
    int64_t best = INT64_MAX;
    pthread_t thread;

    for (int i = 0; i < TRIES && best > START_MS + PROMISED_MS; i++) {
        call.cancel_seen = atomic_load(&epoch);
        CHECK(pthread_create(&thread, NULL, cancel_soon, NULL) == 0);
        int64_t took = run_endless(conn, &call, SS_INTERRUPTED);
        pthread_join(thread, NULL);
        CHECK(took >= 0);
        CHECK_STR(err.message, "cancelled");
        best = took < best ? took : best;
    }
    CHECK(best <= START_MS + PROMISED_MS);
    call.cancel_seen = atomic_load(&epoch);
    call.deadline_ms = ss_clock_ms() + 80;
    CHECK(run_endless(conn, &call, SS_INTERRUPTED) >= 70);
    CHECK_HAS(err.message, "time limit");
    ss_conn_close(conn);
}

static void
test_call_check(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    atomic_int left = 3;
    ss_call call = {.check = count_checks, .check_arg = &left};
    int64_t took = run_endless(conn, &call, SS_SIGNAL);

    CHECK(took >= 130); /* asked three times, 50 ms apart */
    CHECK_INT(atomic_load(&left), 0);
    /* A short call does not ask at all. */
    atomic_store(&left, 1);
    ss_conn_call_begin(conn, &call);
    CHECK_INT(number(conn, "SELECT 42"), 42);
    ss_conn_call_end(conn);
    CHECK_INT(atomic_load(&left), 1);
    ss_conn_close(conn);
}

/* A COMMIT that has been done is never reported as interrupted, however often the
 * statement was used before (SQLite's count of steps goes on) and whenever the cancel
 * came. */
static void
test_call_commit_is_not_interrupted(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *commit = NULL;
    _Atomic uint64_t now = 0;
    ss_call call = {.cancel_epoch = &now, .cancel_seen = 0};
    bool row;

    CHECK(exec(conn, "CREATE TABLE t(a)") == SS_OK);
    CHECK(ss_stmt_prepare(conn, "COMMIT", 6, true, &commit, &err) == SS_OK);
    for (int i = 0; i < 3000; i++) {
        CHECK_INT(exec(conn, "BEGIN; INSERT INTO t VALUES (1)"), SS_OK);
        atomic_store(&now, 0);
        ss_conn_call_begin(conn, &call);
        atomic_store(&now, 1);
        CHECK_INT(ss_stmt_step(commit, "COMMIT", &row, &err), SS_OK);
        ss_conn_call_end(conn);
    }
    CHECK_INT(number(conn, "SELECT count(*) FROM t"), 3000);
    ss_stmt_finalize(commit);
    ss_conn_close(conn);
}

/* The same where the commit is on the disk, and no more than that: the next statement of
 * a cancelled call is stopped. Two opcodes a COMMIT: of 3000, some are asked at their
 * end. */
static void
test_call_commit_of_a_file_is_not_interrupted(void)
{
    ss_conn_options options = {.path = fresh_path("commit.db"),
                               .flags = SS_CONN_CREATE,
                               .durability = SS_DURABILITY_OFF};
    _Atomic uint64_t now = 0;
    ss_call call = {.cancel_epoch = &now, .cancel_seen = 0};
    ss_conn *conn = NULL;
    ss_stmt *commit = NULL;
    int64_t n;
    bool row;

    CHECK_INT(ss_conn_open(&options, &conn, &err), SS_OK);
    CHECK_INT(exec(conn, "PRAGMA journal_mode = wal; CREATE TABLE t(a)"), SS_OK);
    CHECK(ss_stmt_prepare(conn, "COMMIT", 6, true, &commit, &err) == SS_OK);
    for (int i = 1; i <= 3000; i++) {
        CHECK_INT(exec(conn, "BEGIN; INSERT INTO t VALUES (1)"), SS_OK);
        atomic_store(&now, 0);
        ss_conn_call_begin(conn, &call);
        atomic_store(&now, 1);
        CHECK_INT(ss_stmt_step(commit, "COMMIT", &row, &err), SS_OK);
        if (i % 100 == 0) {
            CHECK_INT(ss_conn_int(conn, COUNT_TO("300000"), &n, &err), SS_INTERRUPTED);
        }
        ss_conn_call_end(conn);
    }
    ss_stmt_finalize(commit);
    ss_conn_close(conn);
    conn = open_conn(path, 0, 0);
    CHECK_INT(number(conn, "SELECT count(*) FROM t"), 3000);
    ss_conn_close(conn);
}

/* ---- waiting for locks ---- */

static void *
release_soon(void *arg)
{
    ss_sleep_us(80000);
    ss_conn_rollback(arg);
    return NULL;
}

static void
test_busy_wait(void)
{
    ss_conn *a = open_conn(fresh_path("busy.db"), SS_CONN_CREATE, 0);
    ss_conn *b = open_conn(path, 0, 60);
    pthread_t thread;
    int64_t begun;

    CHECK(a != NULL && b != NULL);
    CHECK_INT(exec(a, "PRAGMA journal_mode=wal; CREATE TABLE t(a); BEGIN IMMEDIATE"),
              SS_OK);
    begun = ss_clock_ms();
    CHECK_INT(exec(b, "BEGIN IMMEDIATE"), SS_BUSY);
    int64_t took = ss_clock_ms() - begun;
    CHECK(took >= 55 && took < 2000);
    CHECK_INT(err.sqlite_code & 0xFF, SQLITE_BUSY);
    CHECK_HAS(err.message, "60 ms");
    ss_conn_close(b);

    b = open_conn(path, 0, 5000);
    CHECK(pthread_create(&thread, NULL, release_soon, a) == 0);
    begun = ss_clock_ms();
    CHECK_INT(exec(b, "BEGIN IMMEDIATE"), SS_OK);
    pthread_join(thread, NULL);
    took = ss_clock_ms() - begun;
    CHECK(took >= 70 && took < 3000);

    /* The call ends the wait: a deadline, and then the check. */
    ss_call call = {.deadline_ms = ss_clock_ms() + 50};
    begun = ss_clock_ms();
    ss_conn_close(a);
    a = open_conn(path, 0, 5000);
    ss_conn_call_begin(a, &call);
    CHECK_INT(exec(a, "BEGIN IMMEDIATE"), SS_INTERRUPTED);
    CHECK_HAS(err.message, "time limit");
    CHECK_INT(err.sqlite_code & 0xFF, SQLITE_BUSY);
    ss_conn_call_end(a);
    CHECK(ss_clock_ms() - begun < 3000); /* of 5000 */
    atomic_int left = 1;
    call = (ss_call){.check = count_checks, .check_arg = &left};
    ss_conn_call_begin(a, &call);
    CHECK_INT(exec(a, "BEGIN IMMEDIATE"), SS_SIGNAL);
    ss_conn_call_end(a);
    ss_conn_close(a);
    ss_conn_close(b);
}

static void
test_busy_other_process(void)
{
    ss_conn *conn = open_conn(fresh_path("busy2.db"), SS_CONN_CREATE, 5000);
    int ready[2];
    char byte;

    CHECK(conn != NULL && pipe(ready) == 0);
    CHECK_INT(exec(conn, "PRAGMA journal_mode=wal; CREATE TABLE t(a)"), SS_OK);
    ss_conn_close(conn);
    pid_t child = fork();
    if (child == 0) {
        conn = open_conn(path, 0, 5000);
        int bad = conn == NULL;
        bad |= exec(conn, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)") != SS_OK;
        bad |= write(ready[1], "x", 1) != 1;
        ss_sleep_us(100000);
        bad |= exec(conn, "COMMIT") != SS_OK;
        _exit(bad);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    conn = open_conn(path, 0, 5000);
    int64_t begun = ss_clock_ms();
    CHECK_INT(exec(conn, "BEGIN IMMEDIATE; INSERT INTO t VALUES (2); COMMIT"), SS_OK);
    CHECK(ss_clock_ms() - begun >= 70);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_INT(number(conn, "SELECT count(*) FROM t"), 2);
    ss_conn_close(conn);
    close(ready[0]);
    close(ready[1]);
}

/* ---- read-only surroundings ---- */

/* Root may write anywhere, so the child becomes nobody. */
static void
test_read_only_folder(void)
{
    char folder[512], file[600];

    snprintf(folder, sizeof(folder), "%s", fresh_path("frozen"));
    rmdir(folder);
    CHECK(mkdir(folder, 0755) == 0);
    snprintf(file, sizeof(file), "%s/wal.db", folder);
    ss_conn *conn = open_conn(file, SS_CONN_CREATE, 0);
    CHECK(conn != NULL);
    CHECK_INT(exec(conn, "PRAGMA journal_mode=wal; CREATE TABLE t(a)"), SS_OK);
    CHECK_INT(number(conn, "SELECT count(*) FROM sqlite_schema"), 1);
    ss_conn_checkpoint_on_close(conn);
    ss_conn_close(conn);
    CHECK(chmod(file, 0444) == 0 && chmod(folder, 0555) == 0);
    pid_t child = fork();
    if (child == 0) {
        int bad = 0;
        if (geteuid() == 0 && setuid(65534) != 0) {
            _exit(77);
        }
        /* The scratch directory itself may be closed to nobody. */
        if (access(file, R_OK) != 0) {
            _exit(77);
        }
        conn = open_conn(file, SS_CONN_READ_ONLY, 0);
        bad |= conn != NULL ? 1 : 0;
        bad |= err.code != SS_OPERATIONAL ? 2 : 0;
        bad |= strstr(err.message, "immutable=True") == NULL ? 4 : 0;
        bad |= strstr(err.message, "rollback-journal") == NULL ? 8 : 0;
        conn = open_conn(file, SS_CONN_READ_ONLY | SS_CONN_IMMUTABLE, 0);
        bad |= conn == NULL || number(conn, "SELECT count(*) FROM t") != 0 ? 16 : 0;
        ss_conn_close(conn);
        conn = open_conn(file, 0, 0);
        bad |= conn != NULL || strstr(err.message, "immutable=True") == NULL ? 32 : 0;
        _exit(bad);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    chmod(folder, 0755);
    unlink(file);
    rmdir(folder);
    if (WEXITSTATUS(status) == 77) {
        printf("skipped test_read_only_folder: nobody cannot reach the folder\n");
        return;
    }
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void
test_read_only_connection(void)
{
    ss_conn *conn = open_conn(fresh_path("ro.db"), SS_CONN_CREATE, 0);

    CHECK(conn != NULL);
    CHECK_INT(exec(conn, "PRAGMA journal_mode=wal; CREATE TABLE t(a)"), SS_OK);
    ss_conn *reader = open_conn(path, SS_CONN_READ_ONLY, 0);
    CHECK(reader != NULL);
    CHECK_INT(exec(reader, "INSERT INTO t VALUES (1)"), SS_READ_ONLY);
    CHECK_INT(number(reader, "SELECT count(*) FROM t"), 0);
    CHECK_INT(exec(reader, "PRAGMA query_only=0; INSERT INTO t VALUES (1)"),
              SS_READ_ONLY);
    ss_conn_close(reader);
    ss_conn_close(conn);
}

/* A process died in the middle of a write in rollback-journal mode. */
static void
test_hot_journal(void)
{
    ss_conn *conn = open_conn(fresh_path("hot.db"), SS_CONN_CREATE, 0);

    CHECK(conn != NULL);
    CHECK_INT(exec(conn, "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(100000))"),
              SS_OK);
    ss_conn_close(conn);
    pid_t child = fork();
    if (child == 0) {
        conn = open_conn(path, 0, 0);
        /* A cache of one page: the rest of the change is in the file already. */
        _exit(exec(conn, "PRAGMA cache_size=1; BEGIN IMMEDIATE;"
                         "UPDATE t SET a = randomblob(100000)") != SS_OK);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(open_conn(path, SS_CONN_READ_ONLY, 0) == NULL);
    CHECK_INT(err.code, SS_OPERATIONAL);
    CHECK_INT(err.sqlite_code, SQLITE_READONLY_ROLLBACK);
    CHECK_HAS(err.message, "cut short");
    conn = open_conn(path, 0, 0);
    CHECK(conn != NULL);
    CHECK_INT(number(conn, "SELECT a = zeroblob(100000) FROM t"), 1);
    ss_conn_close(conn);
}

static void
test_wal_stays_unless_allowed(void)
{
    struct stat st;
    char wal[600];

    for (int allowed = 0; allowed < 2; allowed++) {
        ss_conn *conn = open_conn(fresh_path("close.db"), SS_CONN_CREATE, 0);
        snprintf(wal, sizeof(wal), "%s-wal", path);
        CHECK_INT(exec(conn, "PRAGMA journal_mode=wal; CREATE TABLE t(a)"), SS_OK);
        if (allowed) {
            ss_conn_checkpoint_on_close(conn);
        }
        ss_conn_close(conn);
        CHECK((stat(wal, &st) == 0) == !allowed);
    }
}

/* ---- stmt ---- */

static ss_status
prepare(ss_conn *conn, const char *sql, ss_stmt **stmt)
{
    size_t n = strlen(sql);
    char *exact = ss_malloc(n); /* no closing NUL: reading past the end is seen */

    memcpy(exact, sql, n);
    ss_error_init(&err);
    ss_status rc = ss_stmt_prepare(conn, exact, n, false, stmt, &err);
    ss_free(exact);
    return rc;
}

static void
test_stmt_one_statement(void)
{
    static const char *const fine[] = {
        "SELECT 1",
        "SELECT 1;",
        "SELECT 1 ; ;; ",
        "SELECT 1; -- end",
        "SELECT 1;--",
        "/* a */ SELECT 1 /* b */; /* c */ -- d\n\t\r\f ;",
        "SELECT 1; /* open",
        "SELECT 1 -- ; SELECT 2",
        "SELECT 1; /*/ still open",
        "SELECT 1;/**/",
    };
    static const char *const two[] = {
        "SELECT 1; SELECT 2", "SELECT 1;;x", "SELECT 1; /* a */ SELECT 2",
        "SELECT 1; /",        "SELECT 1; -", "SELECT 1; -- a\n SELECT 2"};
    static const char *const none[] = {"", "  ", ";", "-- x", "/* x */;", "/* x"};
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt;

    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        stmt = NULL;
        CHECK_INT(prepare(conn, fine[i], &stmt), SS_OK);
        ss_stmt_finalize(stmt);
    }
    for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
        CHECK_INT(prepare(conn, two[i], &stmt), SS_PROGRAMMING);
        CHECK_HAS(err.message, "one statement");
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK_INT(prepare(conn, none[i], &stmt), SS_PROGRAMMING);
        CHECK_HAS(err.message, "no statement");
    }
    ss_error_init(&err);
    CHECK_INT(ss_stmt_prepare(conn, "SELECT 1\0; SELECT 2", 19, false, &stmt, &err),
              SS_PROGRAMMING);
    ss_stmt_finalize(NULL);
    ss_conn_close(conn);
}

static void
test_stmt_error_place(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt;

    CHECK_INT(prepare(conn, "SELECT '\xC3\xA9',\n  nope FROM (SELECT 1)", &stmt),
              SS_PROGRAMMING);
    CHECK_HAS(err.message, "no such column: nope");
#if SQLITE_VERSION_NUMBER >= 3038000
    CHECK_HAS(err.message, "(line 2, column 3: 'nope FROM (SELECT 1)')");
#endif
    CHECK_INT(prepare(conn, "SELEC 1", &stmt), SS_PROGRAMMING);
    CHECK_HAS(err.message, "near \"SELEC\": syntax error");
    ss_conn_close(conn);
}

static void
test_stmt_values(void)
{
    static const char bytes[] = "a\0b\xC3\xA9";
    ss_value in[] = {
        {.tag = SS_VALUE_NULL},
        {.tag = SS_VALUE_INT, .as.i = INT64_MIN},
        {.tag = SS_VALUE_REAL, .as.r = -0.0},
        {.tag = SS_VALUE_TEXT, .as.s = {bytes, 5}},
        {.tag = SS_VALUE_TEXT, .as.s = {"", 0}},
        {.tag = SS_VALUE_BLOB, .as.s = {bytes, 5}},
        {.tag = SS_VALUE_BLOB, .as.s = {"", 0}},
        {.tag = SS_VALUE_DATE, .as.i = 20389},
        {.tag = SS_VALUE_TIMESTAMP, .as.i = INT64_C(20389) * 86400000000 + 1},
    };
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt = NULL;
    ss_value out;
    bool row = false;

    CHECK_INT(prepare(conn, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", &stmt), SS_OK);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(ss_stmt_bind_all(stmt, in, 9, &err), SS_OK);
        CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
        for (int i = 0; i < 7; i++) {
            ss_stmt_column(stmt, i, &out);
            CHECK_INT(out.tag, in[i].tag);
            switch (out.tag) {
            case SS_VALUE_INT:
                CHECK_INT(out.as.i, in[i].as.i);
                break;
            case SS_VALUE_REAL:
                CHECK(out.as.r == 0 && signbit(out.as.r));
                break;
            case SS_VALUE_NULL:
                break;
            default:
                CHECK_INT(out.as.s.n, in[i].as.s.n);
                CHECK(out.as.s.p != NULL);
                CHECK(memcmp(out.as.s.p, in[i].as.s.p, out.as.s.n) == 0);
            }
        }
        ss_stmt_column(stmt, 7, &out);
        CHECK(out.tag == SS_VALUE_TEXT && out.as.s.n == 10);
        CHECK(memcmp(out.as.s.p, "2025-10-28", 10) == 0);
        ss_stmt_column(stmt, 8, &out);
        CHECK(out.as.s.n == 26);
        CHECK(memcmp(out.as.s.p, "2025-10-28 00:00:00.000001", 26) == 0);
        CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && !row);
        CHECK(!sqlite3_stmt_busy(stmt->raw));
    }
    ss_stmt_reset(stmt);
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    ss_stmt_column(stmt, 1, &out);
    CHECK_INT(out.tag, SS_VALUE_NULL); /* bindings were cleared */
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

static void
test_stmt_refuses(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_value nan_value = {.tag = SS_VALUE_REAL, .as.r = (double)NAN};
    ss_value day = {.tag = SS_VALUE_DATE, .as.i = 2932897};
    ss_value two[2] = {{.tag = SS_VALUE_NULL}, {.tag = SS_VALUE_NULL}};
    ss_stmt *stmt = NULL;
    bool row;

    CHECK_INT(prepare(conn, "SELECT ?", &stmt), SS_OK);
    CHECK_INT(ss_stmt_bind(stmt, 1, &nan_value, &err), SS_VALUE);
    ss_error_init(&err);
    CHECK_INT(ss_stmt_bind(stmt, 1, &day, &err), SS_VALUE);
    ss_error_init(&err);
    CHECK_INT(ss_stmt_bind_all(stmt, two, 2, &err), SS_PROGRAMMING);
    CHECK_STR(err.message, "the statement has 1 parameter, but 2 values were given");
    ss_error_init(&err);
    CHECK_INT(ss_stmt_bind(stmt, 2, &two[0], &err), SS_INTERNAL);
    ss_stmt_finalize(stmt);
    CHECK_INT(prepare(conn, "SELECT abs(-9223372036854775808)", &stmt), SS_OK);
    CHECK_INT(ss_stmt_step(stmt, "reading t", &row, &err), SS_PROGRAMMING);
    CHECK_STR(err.message, "reading t: integer overflow");
    CHECK(!sqlite3_stmt_busy(stmt->raw));
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

static void
test_stmt_length_limit(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    char text[1100];
    ss_stmt *stmt = NULL;

    memset(text, 'x', sizeof(text));
    sqlite3_limit(ss_conn_handle(conn), SQLITE_LIMIT_LENGTH, 1000);
    CHECK_INT(prepare(conn, "SELECT length(?)", &stmt), SS_OK);
    for (size_t n = 999; n <= 1001; n++) {
        ss_value value = {.tag = SS_VALUE_TEXT, .as.s = {text, n}};
        ss_error_init(&err);
        CHECK_INT(ss_stmt_bind(stmt, 1, &value, &err), n <= 1000 ? SS_OK : SS_DATA);
    }
    ss_stmt_finalize(stmt);
    sqlite3_limit(ss_conn_handle(conn), SQLITE_LIMIT_SQL_LENGTH, 1000);
    memcpy(text, "SELECT 1;--", 11);
    for (size_t n = 999; n <= 1001; n++) {
        ss_error_init(&err);
        stmt = NULL;
        CHECK_INT(ss_stmt_prepare(conn, text, n, false, &stmt, &err),
                  n <= 1000 ? SS_OK : SS_DATA);
        ss_stmt_finalize(stmt);
    }
    ss_conn_close(conn);
}

/* A cell of a UTF-16 file changes its size when it is asked for as UTF-8. */
static void
test_stmt_utf16(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt *stmt = NULL;
    ss_value out;
    bool row;

    CHECK_INT(exec(conn, "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a);"
                         "INSERT INTO t VALUES ('h\xC3\xA9llo')"),
              SS_OK);
    CHECK_INT(prepare(conn, "SELECT a FROM t", &stmt), SS_OK);
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    ss_stmt_column(stmt, 0, &out);
    CHECK(out.as.s.n == 6 && memcmp(out.as.s.p, "h\xC3\xA9llo", 6) == 0);
    ss_stmt_finalize(stmt);
    ss_conn_close(conn);
}

/* ---- stmt_cache ---- */

static ss_stmt *
get(ss_stmt_cache *cache, const char *sql)
{
    ss_stmt *stmt = NULL;

    ss_error_init(&err);
    return ss_stmt_cache_get(cache, sql, strlen(sql), &stmt, &err) == SS_OK ? stmt
                                                                            : NULL;
}

static void
test_cache_reuse(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    ss_value one = {.tag = SS_VALUE_INT, .as.i = 1};
    ss_value out;
    bool row;

    CHECK_INT(ss_stmt_cache_new(conn, 4, &cache, &err), SS_OK);
    ss_stmt *a = get(cache, "SELECT ?"), *b = get(cache, "SELECT ?");
    CHECK(a != NULL && b != NULL && a != b && a->cached && !b->cached);
    CHECK_INT(ss_stmt_bind(a, 1, &one, &err), SS_OK);
    CHECK(ss_stmt_step(a, "t", &row, &err) == SS_OK && row);
    ss_stmt_cache_put(cache, a); /* in the middle of its rows */
    ss_stmt_cache_put(cache, b);
    ss_stmt_cache_put(cache, NULL);
    ss_stmt *again = get(cache, "SELECT ?");
    CHECK(again == a && !sqlite3_stmt_busy(a->raw));
    CHECK(ss_stmt_step(a, "t", &row, &err) == SS_OK && row);
    ss_stmt_column(a, 0, &out);
    CHECK_INT(out.tag, SS_VALUE_NULL);
    ss_stmt_cache_put(cache, a);
    CHECK(get(cache, "SELECT") == NULL);
    CHECK_INT(err.code, SS_PROGRAMMING);
    ss_stmt_cache_free(cache);
    ss_stmt_cache_free(NULL);
    ss_conn_close(conn);
}

static int
count_statements(ss_conn *conn)
{
    int n = 0;

    for (sqlite3_stmt *s = NULL;
         (s = sqlite3_next_stmt(ss_conn_handle(conn), s)) != NULL;) {
        n++;
    }
    return n;
}

static void
test_cache_eviction(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    ss_stmt *out[5];
    char sql[32];

    CHECK_INT(ss_stmt_cache_new(conn, 4, &cache, &err), SS_OK);
    for (int i = 0; i < 200; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        ss_stmt_cache_put(cache, get(cache, sql));
        ss_stmt *kept = get(cache, "SELECT 0"); /* used all the time: it stays */
        sqlite3_stmt *raw = kept->raw;
        CHECK(sqlite3_stmt_status(raw, SQLITE_STMTSTATUS_RUN, 0) == i);
        bool row;
        CHECK(ss_stmt_step(kept, "t", &row, &err) == SS_OK);
        ss_stmt_cache_put(cache, kept);
        CHECK_INT(count_statements(conn), i < 3 ? i + 1 : 4);
    }
    /* All lent out: one more is prepared, but not kept. */
    for (int i = 0; i < 5; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", 1000 + i);
        out[i] = get(cache, sql);
        CHECK(out[i] != NULL && out[i]->cached == (i < 4));
    }
    for (int i = 0; i < 5; i++) {
        ss_stmt_cache_put(cache, out[i]);
    }
    CHECK_INT(count_statements(conn), 4);
    ss_stmt_cache_free(cache);
    CHECK_INT(count_statements(conn), 0);
    ss_conn_close(conn);
}

/* Against a list that is searched from end to end, with many texts. */
static void
test_cache_random(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    int recent[8], n_recent = 0;
    unsigned state = 12345;

    CHECK_INT(ss_stmt_cache_new(conn, 8, &cache, &err), SS_OK);
    for (int i = 0; i < 5000; i++) {
        char sql[64];
        state = state * 1103515245u + 12345u;
        int which = (int)(state >> 16) % 20, at = 0;
        snprintf(sql, sizeof(sql), "SELECT '%.*s', %d", which % 9, "xxxxxxxxx", which);
        while (at < n_recent && recent[at] != which) {
            at++;
        }
        bool known = at < n_recent;
        ss_stmt *stmt = get(cache, sql);
        bool row;
        CHECK(stmt != NULL && strcmp(sqlite3_sql(stmt->raw), sql) == 0);
        CHECK((sqlite3_stmt_status(stmt->raw, SQLITE_STMTSTATUS_RUN, 0) > 0) == known);
        CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK);
        ss_stmt_cache_put(cache, stmt);
        if (!known) {
            n_recent += n_recent < 8;
            at = n_recent - 1;
        }
        memmove(recent + 1, recent, (size_t)at * sizeof(int));
        recent[0] = which;
    }
    ss_stmt_cache_free(cache);
    ss_conn_close(conn);
}

static void
test_cache_schema_change(void)
{
    ss_conn *conn = open_conn(":memory:", SS_CONN_CREATE, 0);
    ss_stmt_cache *cache = NULL;
    bool row;

    CHECK_INT(exec(conn, "CREATE TABLE t(a); INSERT INTO t VALUES (1)"), SS_OK);
    CHECK_INT(ss_stmt_cache_new(conn, 4, &cache, &err), SS_OK);
    ss_stmt *stmt = get(cache, "SELECT * FROM t");
    CHECK_INT(sqlite3_column_count(stmt->raw), 1);
    ss_stmt_cache_put(cache, stmt);
    CHECK_INT(exec(conn, "ALTER TABLE t ADD COLUMN b"), SS_OK);
    stmt = get(cache, "SELECT * FROM t");
    CHECK(ss_stmt_step(stmt, "t", &row, &err) == SS_OK && row);
    CHECK_INT(sqlite3_column_count(stmt->raw), 2);
    ss_stmt_cache_put(cache, stmt);
    CHECK_INT(count_statements(conn), 0);
    stmt = get(cache, "SELECT * FROM t");
    CHECK_INT(sqlite3_column_count(stmt->raw), 2);
    ss_stmt_cache_put(cache, stmt);
    ss_stmt_cache_free(cache);
    ss_conn_close(conn);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_conn_settings);
    RUN(test_conn_hardening_acts);
    RUN(test_conn_untrusted_limits);
    RUN(test_conn_not_a_database);
    RUN(test_conn_missing);
    RUN(test_conn_never_a_uri);
    RUN(test_conn_untrusted_symlink);
    RUN(test_conn_constraints);
    RUN(test_conn_error_kinds);
    RUN(test_conn_small_statements);
    RUN(test_call_deadline);
    RUN(test_call_cancel);
    RUN(test_call_check);
    RUN(test_call_commit_is_not_interrupted);
    RUN(test_call_commit_of_a_file_is_not_interrupted);
    RUN(test_busy_wait);
    RUN(test_busy_other_process);
    RUN(test_read_only_folder);
    RUN(test_read_only_connection);
    RUN(test_hot_journal);
    RUN(test_wal_stays_unless_allowed);
    RUN(test_stmt_one_statement);
    RUN(test_stmt_error_place);
    RUN(test_stmt_values);
    RUN(test_stmt_refuses);
    RUN(test_stmt_length_limit);
    RUN(test_stmt_utf16);
    RUN(test_cache_reuse);
    RUN(test_cache_eviction);
    RUN(test_cache_random);
    RUN(test_cache_schema_change);
    return check_end();
}
