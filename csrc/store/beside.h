/* store/beside: what lies beside a database file under the names that SQLite uses.
 *
 * SQLite follows a symbolic link there and writes to where it leads, waits for ever at a
 * FIFO, and deletes the file that a journal names as its super-journal.  So whoever gave
 * us the file could choose a file of ours.  Any thread, without a lock.
 */
#ifndef SS_STORE_BESIDE_H
#define SS_STORE_BESIDE_H

#include "base/error.h"

/* May SQLite open the file at `path` (absolute, or ":memory:") with what lies beside it?
 * SS_OPERATIONAL says why not. */
ss_status ss_beside_check(const char *path, ss_error *err) SS_MUST_CHECK;

#endif
