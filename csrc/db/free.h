/* db/free: the user's own SQL. One statement a call, values as parameters.
 *
 * What free SQL may not do, whoever runs it: begin or end transactions (the package
 * does), attach files, or change settings of the connection by PRAGMA.
 */
#ifndef SS_DB_FREE_H
#define SS_DB_FREE_H

#include "columns/batch.h"
#include "db/db.h"
#include "store/stamp.h"

/* A parameter: by position when name is NULL, else for :name, @name and $name. */
typedef struct {
    const char *name; /* without the prefix; borrowed */
    ss_value value;
} ss_param;

typedef struct {
    const char *sql;
    size_t n_sql;
    const ss_param *params;
    int n_params;
    bool raw; /* cells as stored, not by declared type */
    bool strict;
    /* Query alone: set to the state the answer shows, unknown when it depends on more than
     * the content; NULL: nobody asks. */
    ss_stamp *stamp;
} ss_free_request;

/* A statement that only reads; anything else is SS_PROGRAMMING. New reference. */
ss_status ss_db_query(ss_db *db, const ss_call *call, const ss_free_request *request,
                      ss_batch **out, ss_error *err) SS_MUST_CHECK;

/* Would ss_db_query take this statement? */
ss_status ss_db_reads(ss_db *db, const ss_call *call, const ss_free_request *request,
                      bool *out, ss_error *err) SS_MUST_CHECK;

/* Any statement, in a transaction of its own or in the one this thread is inside.
 * *out: its rows (NULL allowed, then rows are dropped); *changed: rows inserted,
 * updated or deleted; *id: the last row id inserted. */
typedef struct {
    int64_t changed, last_id;
    bool has_rows; /* the statement yields columns */
} ss_outcome;

ss_status ss_db_execute(ss_db *db, const ss_call *call, const ss_free_request *request,
                        ss_batch **out, ss_outcome *outcome, ss_error *err)
    SS_MUST_CHECK;

/* A script of several statements, in one transaction; the schema may change. When it is
 * the first thing done to an empty file, the tables are the script's alone. */
ss_status ss_db_script(ss_db *db, const ss_call *call, const char *sql, ss_error *err)
    SS_MUST_CHECK;

/* --- for db/link ------------------------------------------------------------------- */

/* Prepare the user's text under a guard; put it back to access->cache. */
ss_status ss_free_prepare(ss_access *access, ss_guard guard, const ss_free_request *r,
                          ss_stmt **out, ss_error *err) SS_MUST_CHECK;
ss_status ss_free_bind(ss_stmt *stmt, const ss_free_request *r, ss_error *err)
    SS_MUST_CHECK;

/* Create those of our tables that the file lacks (all, in an empty one). */
ss_status ss_db_initialize(ss_db *db, const ss_call *call, ss_error *err) SS_MUST_CHECK;

#endif
