/* db/migrate, db/rebuild, store/copy: killed at each statement, out of memory at each
 * allocation, and the numbered migrations that are still to come. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "check.h"
#include "db/functions.h"
#include "db/migrate.h"
#include "db_case.h"
#include "rig.h"
#include "scratch.h"
#include "store/copy.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A duplicate, a row without a key, a cell out of range, a column of the user, a view,
 * an index and a trigger: every kind of statement comes up. */
static const char old_file[] =
    "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY AUTOINCREMENT, record_date "
    "DATE, total_customers INTEGER, mine TEXT);"
    "CREATE TABLE usage_breakdown (month TEXT, usage_type TEXT, used INTEGER);"
    "CREATE INDEX on_it ON overview_kpis (record_date);"
    "CREATE VIEW seen AS SELECT * FROM overview_kpis;"
    "CREATE TRIGGER t AFTER INSERT ON usage_breakdown BEGIN SELECT 1; END;"
    "INSERT INTO overview_kpis (record_date, total_customers, mine) VALUES "
    "('2025-01-01', 1, 'a'), ('2025-01-01T00:00:00', 2, 'b'), (NULL, 3, 'c'), "
    "('2025-01-02', -4, 'd');"
    "INSERT INTO usage_breakdown VALUES ('2025-01-01', 'chat', 5), (NULL, 'x', 6);";

static void
make_file(const char *name, const char *sql)
{
    char backup[600];
    sqlite3 *db = NULL;
    snprintf(backup, sizeof(backup), "%s.backup", fresh_path(name));
    unlink(backup);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static int64_t
ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t answer = -1;
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        answer = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return answer;
}

static ss_status
open_file(ss_conn **conn)
{
    const ss_conn_options options = {
        .path = path, .durability = SS_DURABILITY_OFF, .busy_ms = 5000};
    ss_status status = ss_conn_open(&options, conn, &err);
    return status == SS_OK ? ss_functions_register(*conn, NULL, &err) : status;
}

static ss_status
migrate_with(const char *const *scripts, int n, bool backup, ss_migration **report)
{
    char target[600];
    snprintf(target, sizeof(target), "%s.backup", path);
    const ss_migrate_options options = {.backup = backup,
                                        .target = target,
                                        .busy_ms = 5000,
                                        .scripts = scripts,
                                        .n_scripts = n};
    ss_conn *conn = NULL;
    ss_error_init(&err);
    ss_status status = open_file(&conn);
    if (status == SS_OK) {
        status = ss_migrate_file(conn, path, NULL, &options, report, &err);
    }
    ss_conn_close(conn);
    return status;
}

/* ---- is it the one or the other? ---- */

static bool
is_old(void)
{
    return ask("PRAGMA application_id") == 0 && ask("PRAGMA user_version") == 0 &&
           ask("SELECT count(*) FROM sqlite_schema WHERE type <> 'index'") == 5 &&
           ask("SELECT count(*) FROM sqlite_schema WHERE name = 'on_it'") == 1 &&
           ask("SELECT count(*) FROM overview_kpis") == 4 &&
           ask("SELECT count(*) FROM usage_breakdown") == 2;
}

static bool
is_new(void)
{
    return ask("PRAGMA application_id") == SS_APPLICATION_ID &&
           ask("PRAGMA user_version") == ss_n_migrations &&
           ask("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") == 1 &&
           ask("SELECT count(*) FROM sqlite_schema WHERE name LIKE '_legacy%'") == 0 &&
           ask("SELECT count(*) FROM overview_kpis WHERE mine IN ('b', 'd')") == 2 &&
           ask("SELECT count(*) FROM usage_breakdown") == 1 &&
           ask("SELECT count(*) FROM _rejected") == 4;
}

static bool
is_sound(void)
{
    return ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = "
               "'ok'") == 1;
}

/* ---- killed ---- */

static int
kill_at(unsigned type, void *left, void *a, void *b)
{
    (void)type;
    (void)a;
    (void)b;
    if (--*(long *)left < 0) {
        (void)kill(getpid(), SIGKILL);
    }
    return 0;
}

/* In a child: die before statement number n; true: it ended by itself. */
static bool
migrate_until(long n)
{
    pid_t child = fork();
    int how = 0;
    if (child == 0) {
        const ss_migrate_options options = {
            .busy_ms = 5000, .scripts = ss_migrations, .n_scripts = ss_n_migrations};
        ss_conn *conn = NULL;
        ss_migration *report = NULL;
        ss_error_init(&err);
        ss_status status = open_file(&conn);
        (void)sqlite3_exec(ss_conn_handle(conn), "PRAGMA cache_size = 5", NULL, NULL,
                           NULL); /* pages reach the file before the commit */
        (void)sqlite3_trace_v2(ss_conn_handle(conn), SQLITE_TRACE_STMT, kill_at, &n);
        if (status == SS_OK) {
            status = ss_migrate_file(conn, path, NULL, &options, &report, &err);
        }
        _exit(status == SS_OK ? 0 : 1);
    }
    (void)waitpid(child, &how, 0);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static void
test_killed_at_each_statement(void)
{
    long n = 0;
    bool ended = false;
    for (; !ended && n < 1000; n++) {
        make_file("killed.db", old_file);
        ended = migrate_until(n);
        CHECK(ended ? is_new() : is_old() || is_new());
        CHECK(is_sound());
    }
    CHECK(ended && n > 60);
}

/* ---- out of memory ---- */

static void
test_without_memory(void)
{
    ss_status status = SS_NOMEM;
    long n = 0;
    for (; status == SS_NOMEM; n += 1 + n / 20) {
        ss_migration *report = NULL;
        char target[600];
        make_file("memory.db", old_file);
        snprintf(target, sizeof(target), "%s.backup", path);
        ss_mem_fail_after(n, false);
        status = migrate_with(ss_migrations, ss_n_migrations, true, &report);
        ss_mem_fail_after(-1, false);
        CHECK(status == SS_OK || status == SS_NOMEM);
        CHECK((report != NULL) == (status == SS_OK));
        CHECK(status == SS_OK ? is_new() : is_old());
        CHECK((status == SS_OK) == (access(target, F_OK) == 0));
        ss_migration_free(report);
    }
    CHECK(n > 100);
}

/* ---- numbered migrations ---- */

static const char *scripts[8];

static int
with_scripts(const char *one, const char *two)
{
    int n = ss_n_migrations;
    for (int i = 0; i < n; i++) {
        scripts[i] = ss_migrations[i];
    }
    scripts[n++] = one;
    if (two != NULL) {
        scripts[n++] = two;
    }
    return n;
}

static void
test_the_next_versions(void)
{
    ss_migration *report = NULL;
    make_file("next.db", old_file);
    CHECK_INT(migrate_with(ss_migrations, ss_n_migrations, false, &report), SS_OK);
    ss_migration_free(report);

    int n = with_scripts("ALTER TABLE overview_kpis ADD COLUMN note TEXT;",
                         "UPDATE overview_kpis SET note = 'x';");
    CHECK_INT(migrate_with(scripts, n, true, &report), SS_OK);
    CHECK_INT(report->from_version, ss_n_migrations);
    CHECK_INT(report->to_version, n);
    CHECK(report->backup != NULL && access(report->backup, F_OK) == 0);
    ss_migration_free(report);
    CHECK_INT(ask("PRAGMA user_version"), n);
    CHECK_INT(ask("SELECT count(*) FROM overview_kpis WHERE note = 'x'"), 2);

    CHECK_INT(migrate_with(scripts, n, true, &report), SS_OK); /* nothing to do */
    CHECK_INT(report->from_version, n);
    CHECK(report->backup == NULL);
    ss_migration_free(report);

    CHECK_INT(migrate_with(ss_migrations, ss_n_migrations, false, &report), SS_SCHEMA);
    CHECK_HAS(err.message, "this package knows versions up to");
}

static void
test_a_script_that_fails(void)
{
    ss_migration *report = NULL;
    make_file("fails.db", old_file);
    int n = with_scripts("ALTER TABLE overview_kpis ADD COLUMN note TEXT;",
                         "INSERT INTO nowhere VALUES (1);");
    char target[600];
    snprintf(target, sizeof(target), "%s.backup", path);
    CHECK(migrate_with(scripts, n, true, &report) != SS_OK);
    CHECK(report == NULL && is_old() && is_sound());
    CHECK(access(target, F_OK) != 0);
    CHECK_INT(migrate_with(ss_migrations, ss_n_migrations, false, &report), SS_OK);
    ss_migration_free(report);
    CHECK(is_new());
    CHECK(migrate_with(scripts, n, false, &report) != SS_OK);
    CHECK(is_new() && is_sound());
}

/* ---- references ---- */

/* initialize_database() on an old file may have brought tables with references. */
static void
test_a_reference_to_a_merged_row(void)
{
    ss_migration *report = NULL;
    make_file(
        "refers.db",
        "CREATE TABLE billing_summary (id INTEGER PRIMARY KEY, "
        "billing_period_start DATE, billing_period_end DATE, plan_name TEXT);"
        "CREATE TABLE billing_payments (id INTEGER PRIMARY KEY, payment_date "
        "DATE, description TEXT, billing_id INTEGER);"
        "INSERT INTO billing_summary VALUES (1, '2025-01-01', '2025-02-01', 'p'), "
        "(2, '2025-01-01', '2025-02-01', 'p');"
        "INSERT INTO billing_payments VALUES (1, '2025-01-01', 'a', 1), "
        "(2, '2025-01-01', 'b', 2);");
    CHECK_INT(migrate_with(ss_migrations, ss_n_migrations, false, &report), SS_OK);
    ss_migration_free(report);
    CHECK_INT(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    CHECK_INT(ask("SELECT billing_id IS NULL FROM billing_payments WHERE id = 1"), 1);
    CHECK_INT(ask("SELECT billing_id FROM billing_payments WHERE id = 2"), 2);
}

/* ---- the backup ---- */

static void
test_backup(void)
{
    char target[600];
    make_file("backup.db", old_file);
    snprintf(target, sizeof(target), "%s.backup", path);
    ss_error_init(&err);
    CHECK_INT(ss_copy_file(path, target, 1000, NULL, &err), SS_OK);
    CHECK_INT(ss_copy_file(path, target, 1000, NULL, &err), SS_OPERATIONAL);
    CHECK_HAS(err.message, "exists already");
    memcpy(path, target, sizeof(path)); /* asked from now on */
    CHECK(is_old() && is_sound());
}

/* It waits for a writer that holds the file for itself, and gives up in time. */
static void
test_backup_of_a_locked_file(void)
{
    char target[600];
    sqlite3 *db = NULL;
    make_file("locked.db", old_file);
    snprintf(target, sizeof(target), "%s.backup", path);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK);
    ss_error_init(&err);
    CHECK_INT(ss_copy_file(path, target, 50, NULL, &err), SS_BUSY);
    CHECK(access(target, F_OK) != 0);
    sqlite3_close(db);

    _Atomic uint64_t epoch = 1;
    const ss_call stopped = {.cancel_epoch = &epoch, .cancel_seen = 0};
    ss_error_init(&err);
    CHECK_INT(ss_copy_file(path, target, 50, &stopped, &err), SS_INTERRUPTED);
    CHECK(access(target, F_OK) != 0);
}

/* ---- a signal while it waits to switch to WAL ---- */

static bool committed, raised;

/* From the commit on, somebody else reads the file. */
static int
read_from_then(const rig_op *op, void *unused)
{
    (void)unused;
    if (op->kind == RIG_DELETE && strstr(op->path, "-journal") != NULL) {
        committed = true;
    }
    return committed && !raised && op->kind == RIG_LOCK ? SQLITE_BUSY : SQLITE_OK;
}

static int
raise_then(void *unused)
{
    (void)unused;
    raised = raised || committed;
    return raised ? -1 : 0;
}

static void
test_a_signal_after_the_commit(void)
{
    const ss_call call = {.check = raise_then};
    ss_migration *report = NULL;
    rig_install();
    make_file("signal.db", old_file);
    ss_db *db = new_db(path, SS_MODE_RWC);
    ss_error_init(&err);
    rig_listen(read_from_then, NULL);
    ss_status status = ss_db_migrate(db, &call, false, false, NULL, &report, &err);
    rig_listen(NULL, NULL);
    CHECK_INT(status, SS_SIGNAL);
    CHECK(raised && report == NULL);
    CHECK_INT(count_rows(db, "overview_kpis"), 2);
    close_db(db);
    CHECK(is_new() && is_sound());
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_killed_at_each_statement);
    RUN(test_without_memory);
    RUN(test_the_next_versions);
    RUN(test_a_script_that_fails);
    RUN(test_a_reference_to_a_merged_row);
    RUN(test_backup);
    RUN(test_backup_of_a_locked_file);
    RUN(test_a_signal_after_the_commit);
    return check_end();
}
