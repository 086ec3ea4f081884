/* db/write: adding, changing and deleting rows of our tables.
 *
 * Each call is one transaction of its own (durable when it returns), or a savepoint
 * inside transaction(): all of it or nothing.  An add looks the natural key up first
 * and then updates that row by its id or inserts: only the columns given change, no
 * AUTOINCREMENT id is burnt, and it works on legacy files, which have no unique key.
 */
#ifndef SS_DB_WRITE_H
#define SS_DB_WRITE_H

#include "db/db.h"

typedef enum {
    SS_CONFLICT_UPDATE, /* change the columns given */
    SS_CONFLICT_IGNORE, /* leave the row as it is */
    SS_CONFLICT_ERROR,  /* SS_INTEGRITY */
} ss_conflict;

/* *id: the row's id, new or found. Values in table order of columns, each column once. */
ss_status ss_db_add(ss_db *db, const ss_call *call, int table, const ss_filter *values,
                    int n, ss_conflict conflict, int64_t *id, ss_error *err)
    SS_MUST_CHECK;

/* Change the columns given (and updated_at) in the rows of `where`; *n_rows: how many. */
ss_status ss_db_update(ss_db *db, const ss_call *call, int table,
                       const ss_filter *values, int n, const ss_filter *where,
                       int n_where, int64_t *n_rows, ss_error *err) SS_MUST_CHECK;
ss_status ss_db_delete(ss_db *db, const ss_call *call, int table,
                       const ss_filter *where, int n_where, int64_t *n_rows,
                       ss_error *err) SS_MUST_CHECK;

#endif
