/* store/checkpoint: when and how the WAL is copied back into the file.
 *
 * For store/pool alone.  Why rounds are fenced is in store/pool.h.  All but
 * needs_fence are called by the holder of the anchor's lease, or by whoever closes the
 * pool.
 */
#ifndef SS_STORE_CHECKPOINT_H
#define SS_STORE_CHECKPOINT_H

#include "store/pool.h"

/* Every SQLite from 3.7.0 on needs it, but for the releases that have the repair. */
bool ss_checkpoint_needs_fence(void);

/* Count the frames of the anchor's commits from now on. */
void ss_checkpoint_watch(ss_pool *pool);

/* After a commit: run a round when the WAL has grown long. */
void ss_checkpoint_if_due(ss_pool *pool);

/* One round now. *done: frames were looked at, if not all copied (readers may hold some
 * back). */
ss_status ss_checkpoint_now(ss_pool *pool, const ss_call *call, bool *done,
                            ss_error *err) SS_MUST_CHECK;

/* Let the anchor fold the WAL away when it closes, if there is one. */
void ss_checkpoint_allow_fold(ss_conn *anchor);

#endif
