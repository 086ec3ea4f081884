/* store/conn: how a connection is set, what it refuses, and the kinds of its errors. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "scratch.h"
#include "store_case.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- open ---- */

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
    RUN(test_read_only_folder);
    RUN(test_read_only_connection);
    RUN(test_hot_journal);
    RUN(test_wal_stays_unless_allowed);
    return check_end();
}
