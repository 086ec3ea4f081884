/* store/backup: a copy of a database file that is whole or not there at all. */
#ifndef SS_STORE_BACKUP_H
#define SS_STORE_BACKUP_H

#include "store/conn.h"

/* Copy the database `source` to the new file `target` (refused when it exists), as of one
 * moment. It is written under another name beside it, flushed to the disk, and named
 * last; what a stop or an error leaves is removed. `call` (may be NULL) is obeyed. The
 * caller's thread may hold a write lock on the source: it is read, not written. */
ss_status ss_backup_file(const char *source, const char *target, int64_t busy_ms,
                         const ss_call *call, ss_error *err) SS_MUST_CHECK;

#endif
