/* db/bulk: many rows into one table in one transaction.
 *
 * The rows have been gathered in a spool, so the write lock is held for the moving
 * only, and nothing of the caller's runs meanwhile.  By the same rules as db/write's
 * add of each row in turn, with two differences: a row that is ignored is looked at,
 * too, and rows that are written by one statement have one moment of writing.
 */
#ifndef SS_DB_BULK_H
#define SS_DB_BULK_H

#include "columns/spool.h"
#include "db/db.h"

typedef struct {
    int64_t inserted, updated;
    int64_t ignored; /* the row was there, and stays as it is */
} ss_add_counts;

/* All or nothing; the counts are added to *out. A row that is refused: its number in
 * the input is in err->row and begins the message. */
ss_status ss_db_add_many(ss_db *db, const ss_call *call, int table, ss_spool *rows,
                         ss_conflict conflict, ss_add_counts *out, ss_error *err)
    SS_MUST_CHECK;

#endif
