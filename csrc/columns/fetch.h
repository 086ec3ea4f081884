/* columns/fetch: a statement's whole result into a batch, in one go and without the
 * GIL.  Two ways, same answer:
 *   step:  sqlite3_step and one read per cell; any statement.
 *   sink:  the statement is `SELECT ss_sink(?1, c1, c2, ...) FROM ...`; SQLite hands the
 *          cells of each row to a function of ours inside its own loop, which saves
 *          leaving and entering the VM for each row. For unordered, unlimited scans.
 * Each cell is converted by its column's kind as the schema states it; a stored cell
 * the kind cannot hold is SS_DATA (strict) or null with a note.
 */
#ifndef SS_COLUMNS_FETCH_H
#define SS_COLUMNS_FETCH_H

#include "columns/batch.h"
#include "store/stmt.h"

/* Make ss_sink known on a connection. It can be called from our statements only. */
ss_status ss_fetch_register(ss_conn *conn, ss_error *err) SS_MUST_CHECK;
/* The most columns a sink statement can take (SQLite: 127 arguments, one is ours). */
enum { SS_SINK_MAX_COLUMNS = 126 };

/* Where the bad cell was, when the answer is SS_DATA: which row of the result (0-based)
 * is in err->row; the caller knows how to find its row id. */
ss_status ss_fetch_step(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
                        ss_error *err) SS_MUST_CHECK;
/* At most `n` rows, and `into` is left open. *more: the statement stands on the next one,
 * which ss_fetch_rest takes, and all after it. */
ss_status ss_fetch_some(ss_stmt *stmt, ss_batch *into, int64_t n, bool strict,
                        const char *what, bool *more, ss_error *err) SS_MUST_CHECK;
ss_status ss_fetch_rest(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
                        ss_error *err) SS_MUST_CHECK;
/* At most `limit` rows of a statement that may give one more, and has cells behind those
 * of `into`. When there is one more, `last` (raw, a column for each such cell) gets
 * those of the last row taken; otherwise it stays empty. */
ss_status ss_fetch_page(ss_stmt *stmt, ss_batch *into, int64_t limit, bool strict,
                        const char *what, ss_batch *last, ss_error *err) SS_MUST_CHECK;
/* The sink parameter must be ?1. */
ss_status ss_fetch_sink(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
                        ss_error *err) SS_MUST_CHECK;
/* The same for some rows of many: `into` is left open for more. */
ss_status ss_fetch_step_part(ss_stmt *stmt, ss_batch *into, bool strict,
                             const char *what, ss_error *err) SS_MUST_CHECK;
ss_status ss_fetch_sink_part(ss_stmt *stmt, ss_batch *into, bool strict,
                             const char *what, ss_error *err) SS_MUST_CHECK;

/* Any statement that yields columns, names and kinds taken from the statement:
 * `raw`: every cell as stored; otherwise a column with a declared type DATE,
 * TIMESTAMP, INTEGER, REAL or TEXT is read as that, an expression as stored. */
ss_status ss_fetch_free(ss_stmt *stmt, bool raw, bool strict, const char *what,
                        ss_batch **out, ss_error *err) SS_MUST_CHECK;

#endif
