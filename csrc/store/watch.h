/* store/watch: has the file changed since?  Stamps of the state a pool's file is in.
 *
 * In WAL mode one open connection of the pool is the one that watches: its mapping of the
 * wal-index is looked at by anybody, at any time, without a lease.  While it is open the
 * WAL cannot be deleted, so its header never comes back to what it was; when it closes (and
 * with it, maybe, the last one of any process) the header may begin again from the same
 * bytes, so every connection that watches has an epoch of its own.
 *
 * A file without a WAL is asked through a leased connection; ":memory:" by a count of its
 * commits; an immutable file is always the same.
 *
 * Any thread, without the GIL, but for ss_watch_peek, which never waits.
 */
#ifndef SS_STORE_WATCH_H
#define SS_STORE_WATCH_H

#include "store/pool.h"
#include "store/stamp.h"

typedef enum {
    SS_PEEK_UNKNOWN, /* nothing can be said: read it */
    SS_PEEK_KNOWN,   /* the stamp is set */
    SS_PEEK_ASK,     /* it takes a system call: ss_watch_ask, without the GIL */
} ss_peek;

typedef enum {
    SS_STAMP_WAL,
    SS_STAMP_FILE,
    SS_STAMP_MEMORY,
    SS_STAMP_IMMUTABLE,
} ss_stamp_kind;

/* Where a stamp that is known came from. */
ss_stamp_kind ss_watch_kind(const ss_stamp *stamp);

/* The state the file is in now. A commit that returned before this was called is in it. */
ss_peek ss_watch_peek(ss_pool *pool, ss_stamp *out);
/* The same where it takes time; also looks whether the path is still that file. False:
 * nothing can be said. The caller holds no lease. */
bool ss_watch_ask(ss_pool *pool, const ss_call *call, ss_stamp *out);

/* For a read through a lease: the state before it begins, or false: then begin a
 * transaction, and after the read ask ss_watch_held, while its lock still holds. */
bool ss_watch_before(ss_pool *pool, ss_stamp *out);
bool ss_watch_held(ss_pool *pool, ss_conn *conn, ss_stamp *out);

#endif
