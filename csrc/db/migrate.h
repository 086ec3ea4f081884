/* db/migrate: an older file brought to the current version, in one transaction.
 *
 *     user_version 0, tables of ours, no mark:  legacy; rebuilt by db/rebuild
 *     our mark, an older version:               the migrations that are missing
 *     our mark, the current version:            nothing to do
 * All or nothing: whoever stops at any point leaves the old file or the new one.
 */
#ifndef SS_DB_MIGRATE_H
#define SS_DB_MIGRATE_H

#include "db/db.h"
#include "db/migration.h"

typedef struct {
    bool dry_run;       /* do it all, then roll back */
    bool backup;        /* first, unless dry_run or ":memory:" */
    const char *target; /* where to; NULL: beside the file, with version and time */
    int64_t busy_ms;
    /* The numbered migrations: number N leads from version N-1 to N. */
    const char *const *scripts;
    int n_scripts;
} ss_migrate_options;

/* On one connection that may write and is in no transaction; `path` is its file (or
 * ":memory:"). New report in *out. */
ss_status ss_migrate_file(ss_conn *conn, const char *path, const ss_call *call,
                          const ss_migrate_options *options, ss_migration **out,
                          ss_error *err) SS_MUST_CHECK;

/* The same for an opened database; `target` may be NULL. Other threads and processes
 * wait, and go on with the new tables. SS_PROGRAMMING inside a transaction() or
 * snapshot() of this thread. */
ss_status ss_db_migrate(ss_db *db, const ss_call *call, bool dry_run, bool backup,
                        const char *target, ss_migration **out, ss_error *err)
    SS_MUST_CHECK;

/* With the options of a database that is just being connected, and a backup. */
ss_status ss_migrate_on_connect(ss_conn *conn, const ss_db_options *db,
                                const ss_call *call, ss_error *err) SS_MUST_CHECK;

#endif
