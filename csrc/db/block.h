/* db/block: the with blocks of transaction() and snapshot(): a thread holds a connection
 * from their begin to their end, and everything it does in between goes there.
 */
#ifndef SS_DB_BLOCK_H
#define SS_DB_BLOCK_H

#include "db/db.h"

/* Nests: inside it is a savepoint. *thread: whose block it is, for its end, which may
 * come from another thread (a generator finished elsewhere) when nothing runs in it.
 * owner: any address, the same for the end. A block that ends while a later one of its
 * thread is open (two tasks, two generators) cannot be taken back alone, nor committed
 * without the other: all of them are rolled back. */
ss_status ss_db_begin(ss_db *db, const ss_call *call, const void *owner,
                      uint64_t *thread, ss_error *err) SS_MUST_CHECK;
ss_status ss_db_end(ss_db *db, const ss_call *call, const void *owner, uint64_t thread,
                    bool commit, ss_error *err) SS_MUST_CHECK;
ss_status ss_db_snapshot_begin(ss_db *db, const ss_call *call, uint64_t *thread,
                               ss_error *err) SS_MUST_CHECK;
ss_status ss_db_snapshot_end(ss_db *db, uint64_t thread, ss_error *err) SS_MUST_CHECK;

/* Is this thread inside a block?  Never waits. */
bool ss_db_is_bound(ss_db *db);

#endif
