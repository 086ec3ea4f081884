/* db/scan: the rows of a large answer, read by several readers at once.
 *
 * Each holds a read transaction, and the header of the write-ahead log, looked at before
 * the first of them began and after the last had read, shows that all see one and the
 * same state. The selection is cut into parts (db/split): the calling thread takes them
 * from the front and goes on filling one batch, the others take them from the back, and
 * what they have is copied behind it at the end. So parts that are empty or full do not
 * matter, and only what the others read is copied.
 *
 * Readers are taken that are free at this moment, never waited for, and no more than
 * there are processors. What is small, files without a write-ahead log, and what runs
 * inside transaction() or snapshot() is not for several.
 */
#ifndef SS_DB_SCAN_H
#define SS_DB_SCAN_H

#include "catalog/sql.h"
#include "columns/batch.h"
#include "db/db.h"

/* Read what `select` asks for; a new batch in *out when *done. It is not when there is
 * nothing to be cut, or when one of several readers met a cell that does not fit: then
 * read it with one statement, which gives the error that belongs to it. */
ss_status ss_scan_read(ss_access *access, const ss_table_desc *table,
                       const ss_table_layout *layout, const ss_select *select,
                       bool strict, bool *done, ss_batch **out, ss_error *err)
    SS_MUST_CHECK;

#endif
