/* db/write: adding, changing and deleting rows of our tables.
 *
 * Each call is one transaction of its own (durable when it returns), or a savepoint
 * inside transaction(): all of it or nothing.  An add updates the row of its
 * natural key or else inserts: only the columns given change and no AUTOINCREMENT id is
 * burnt.  On legacy files, which have no unique key, it looks for the newest such row
 * first and updates that one by its id.
 */
#ifndef SS_DB_WRITE_H
#define SS_DB_WRITE_H

#include "db/db.h"

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

/* --- for the rooms beside this one ------------------------------------------------- */

/* May these columns of this table be written here?  SS_SCHEMA says why not. */
ss_status ss_write_check(ss_access *access, int table, const ss_filter *values, int n,
                         ss_error *err) SS_MUST_CHECK;

typedef enum { SS_ADD_INSERTED, SS_ADD_UPDATED, SS_ADD_IGNORED } ss_add_outcome;

/* One add inside work that was begun and a table that was checked. */
ss_status ss_write_row(ss_access *access, int table, const ss_filter *values, int n,
                       ss_conflict conflict, int64_t *id, ss_add_outcome *outcome,
                       ss_error *err) SS_MUST_CHECK;

#endif
