/* db/migrate: the one transaction, what stands before it (the backup) and after it
 * (journal mode, the layout that others use from then on).
 *
 * The write lock is taken first, so what is backed up is what is migrated, and of many
 * processes that race one does it: the others find it done.
 */
#define _POSIX_C_SOURCE 200809L // gmtime_r()

#include "db/migrate.h"

#include "base/mem.h"
#include "db/db_int.h"
#include "db/journal.h"
#include "db/aside.h"
#include "db/rebuild.h"
#include "store/copy.h"

#include <stdio.h>  // snprintf()
#include <string.h> // strcmp(), strlen()
#include <time.h>   // gmtime_r(), strftime()
#include <unistd.h> // unlink()

typedef struct {
    ss_conn *conn;
    const char *path;
    const ss_call *call;
    const ss_migrate_options *options;
    ss_migration *report;
} work;

/* ---- the backup ---- */

/* <file>.v<version>-<time>.backup; new. */
static char *
backup_name(const work *w)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    size_t n = strlen(w->path) + 80;
    char *name = ss_malloc(n);
    if (name != NULL) {
        (void)gmtime_r(&now, &utc);
        (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
        snprintf(name, n, "%s.v%lld-%s.backup", w->path,
                 (long long)w->report->from_version, stamp);
    }
    return name;
}

static ss_status
back_up(work *w, ss_error *err)
{
    if (w->options->dry_run || !w->options->backup ||
        strcmp(w->path, ":memory:") == 0) {
        return SS_OK;
    }
    char *name =
        w->options->target != NULL ? ss_strdup(w->options->target) : backup_name(w);
    if (name == NULL) {
        return ss_error_nomem(err);
    }
    ss_status status = ss_copy_file(w->path, name, w->options->busy_ms, w->call, err);
    if (status == SS_OK) {
        w->report->backup = name;
        name = NULL;
    }
    ss_free(name);
    return status;
}

/* ---- the work ---- */

static ss_status
mark(work *w, ss_error *err)
{
    char sql[96];
    sqlite3_snprintf(sizeof(sql), sql,
                     "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     SS_APPLICATION_ID, w->options->n_scripts);
    return ss_conn_exec(w->conn, sql, err);
}

static ss_status
run_scripts(work *w, int64_t from, ss_error *err)
{
    for (int64_t i = from; i < w->options->n_scripts; i++) {
        SS_TRY(ss_conn_exec(w->conn, w->options->scripts[i], err));
    }
    return SS_OK;
}

static ss_status
check_result(work *w, ss_error *err)
{
    char answer[128];
    SS_TRY(ss_conn_text(w->conn, "PRAGMA integrity_check(1)", answer, sizeof(answer),
                        err));
    return strcmp(answer, "ok") == 0
               ? SS_OK
               : ss_error_set(err, SS_DATABASE,
                              "the file is damaged and was not migrated: %s", answer);
}

static ss_status
change(work *w, const ss_layout *layout, bool legacy, ss_error *err)
{
    if (legacy) {
        SS_TRY(ss_aside_check(w->conn, layout, err));
    }
    SS_TRY(back_up(w, err));
    if (legacy) {
        SS_TRY(ss_aside_all(w->conn, layout, w->report, err));
        SS_TRY(run_scripts(w, 0, err));
        SS_TRY(ss_rebuild_copy(w->conn, layout, w->report, err));
        SS_TRY(ss_aside_finish(w->conn, w->report, err));
    }
    else {
        SS_TRY(run_scripts(w, w->report->from_version, err));
    }
    SS_TRY(mark(w, err));
    return check_result(w, err);
}

/* Under the write lock: what is there to do? */
static ss_status
look_and_change(work *w, bool *changed, ss_error *err)
{
    ss_layout *layout = NULL;
    int64_t application_id = 0;
    *changed = false;
    SS_TRY(ss_conn_int(w->conn, "PRAGMA application_id", &application_id, err));
    SS_TRY(ss_layout_load(w->conn, &layout, err));
    const int64_t version = layout->user_version;
    const bool ours = application_id == SS_APPLICATION_ID;
    ss_status status = SS_OK;
    w->report->from_version = w->report->to_version = version;
    if (ours && version < 0) {
        status = ss_error_set(err, SS_SCHEMA,
                              "%s has schema version %lld, which no version of this "
                              "package makes",
                              w->path, (long long)version);
    }
    else if (ours && version > w->options->n_scripts) {
        status = ss_error_set(err, SS_SCHEMA,
                              "%s has schema version %lld; this package knows versions "
                              "up to %d",
                              w->path, (long long)version, w->options->n_scripts);
    }
    else if (!ours && version != 0 && layout->kind == SS_FILE_LEGACY) {
        status = ss_error_set(err, SS_SCHEMA,
                              "%s has user_version %lld of another application; it is "
                              "not migrated",
                              w->path, (long long)version);
    }
    else if (ours ? version < w->options->n_scripts : layout->kind == SS_FILE_LEGACY) {
        w->report->to_version = w->options->n_scripts;
        *changed = true;
        status = change(w, layout, !ours, err);
    }
    ss_layout_free(layout);
    return status;
}

/* Neither can be set inside a transaction. Renaming a table must not touch what the
 * user's views say, and dropping one not what refers to it. */
static ss_status
set_rules(ss_conn *conn, bool migrating, ss_error *err)
{
    return ss_conn_exec(conn,
                        migrating ? "PRAGMA foreign_keys = OFF;"
                                    "PRAGMA legacy_alter_table = ON"
                                  : "PRAGMA legacy_alter_table = OFF;"
                                    "PRAGMA foreign_keys = ON",
                        err);
}

/* Until the commit a failure leaves everything as it was, so the backup goes, too; when
 * the commit itself fails it is better to have one. */
static ss_status
transact(work *w, ss_error *err)
{
    bool changed = false;
    ss_status status = ss_conn_exec(w->conn, "BEGIN IMMEDIATE", err);
    if (status == SS_OK) {
        status = look_and_change(w, &changed, err);
    }
    if (status != SS_OK && w->report->backup != NULL) {
        (void)unlink(w->report->backup);
    }
    if (status == SS_OK && changed && !w->options->dry_run) {
        status = ss_conn_exec(w->conn, "COMMIT", err);
    }
    ss_conn_rollback(w->conn);
    return status;
}

ss_status
ss_migrate_file(ss_conn *conn, const char *path, const ss_call *call,
                const ss_migrate_options *options, ss_migration **out, ss_error *err)
{
    work w = {.conn = conn, .path = path, .call = call, .options = options};
    ss_error unused;
    SS_TRY(ss_migration_new(&w.report, err));
    ss_status status = set_rules(conn, true, err);
    if (status == SS_OK) {
        status = transact(&w, err);
    }
    ss_error_init(&unused);
    ss_status restored = set_rules(conn, false, &unused);
    if (status == SS_OK && restored != SS_OK) {
        *err = unused;
        status = restored;
    }
    if (status != SS_OK) {
        ss_migration_free(w.report);
        return status;
    }
    ss_migration_finish(w.report);
    *out = w.report;
    return SS_OK;
}

/* ---- an opened database ---- */

static ss_migrate_options
options_for(const ss_db_options *db, bool dry_run, bool backup, const char *target)
{
    return (ss_migrate_options){.dry_run = dry_run,
                                .backup = backup,
                                .target = target,
                                .busy_ms = db->busy_ms,
                                .scripts = ss_migrations,
                                .n_scripts = ss_n_migrations};
}

/* Migrate, then switch to WAL. While somebody reads the old file it stays as it is:
 * slower, not wrong; the next migrate() tries again. What a signal raised while this
 * waited is set already, and must not be taken for a success. */
static ss_status
migrate_and_switch(ss_conn *conn, const ss_db_options *db, const ss_call *call,
                   const ss_migrate_options *options, ss_migration **out, ss_error *err)
{
    ss_error later;
    SS_TRY(ss_migrate_file(conn, db->path, call, options, out, err));
    if (!options->dry_run && (*out)->to_version > 0 && ss_journal_wants_wal(db) &&
        ss_layout_set_wal(conn, db->busy_ms, &later) == SS_SIGNAL) {
        *err = later;
        return SS_SIGNAL;
    }
    return SS_OK;
}

ss_status
ss_migrate_on_connect(ss_conn *conn, const ss_db_options *db, const ss_call *call,
                      ss_error *err)
{
    const ss_migrate_options options = options_for(db, false, true, NULL);
    ss_migration *report = NULL;
    ss_status status = migrate_and_switch(conn, db, call, &options, &report, err);
    ss_migration_free(report);
    return status;
}

/* The layout that others use from now on. */
static ss_status
publish(ss_access *access, ss_error *err)
{
    ss_layout *fresh = NULL;
    SS_TRY(ss_layout_load(access->conn, &fresh, err));
    ss_session_publish(access->session, fresh);
    access->layout = fresh;
    return SS_OK;
}

ss_status
ss_db_migrate(ss_db *db, const ss_call *call, bool dry_run, bool backup,
              const char *target, ss_migration **out, ss_error *err)
{
    const ss_db_options *o = ss_db_get_options(db);
    const ss_migrate_options options = options_for(o, dry_run, backup, target);
    ss_migration *report = NULL;
    ss_access access;
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status =
        access.bound
            ? ss_error_set(err, SS_PROGRAMMING,
                           "migrate() cannot run inside transaction() or snapshot()")
            : migrate_and_switch(access.conn, o, call, &options, &report, err);
    if (status == SS_OK) {
        status = publish(&access, err);
    }
    ss_db_leave(&access);
    if (status != SS_OK) {
        ss_migration_free(report);
        return status;
    }
    *out = report;
    return SS_OK;
}
