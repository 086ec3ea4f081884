/* db/backup: a copy of the database as it is at one moment, while it is in use.
 *
 * The backup holds a snapshot() of its thread from begin to end. In between, where py/
 * calls the progress function, the thread can neither read this database (the
 * connection is busy) nor close it (it is inside its own snapshot); others go on.
 */
#ifndef SS_DB_BACKUP_H
#define SS_DB_BACKUP_H

#include "db/db.h"

typedef struct ss_backup ss_backup;

/* What is refused about the target is said in store/copy. Inside transaction() it is
 * SS_PROGRAMMING: what is not committed would be copied, too. `call` is borrowed until
 * the end. *out is new. */
ss_status ss_backup_begin(ss_db *db, const ss_call *call, const char *target,
                          bool overwrite, ss_backup **out, ss_error *err) SS_MUST_CHECK;
/* Copy until all is done or slice_ms have passed. */
ss_status ss_backup_run(ss_backup *backup, int64_t slice_ms, bool *done, ss_error *err)
    SS_MUST_CHECK;
/* Pages copied so far, and of how many. */
void ss_backup_pages(const ss_backup *backup, int *done, int *total);
/* Publish the copy when `keep`, otherwise remove what there is; takes the backup. */
ss_status ss_backup_end(ss_backup *backup, bool keep, ss_error *err) SS_MUST_CHECK;

#endif
