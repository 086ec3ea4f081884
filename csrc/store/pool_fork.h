/* store/pool_fork: a pool around fork().
 *
 * All three are called in the forking thread, before and after; `child` runs in the
 * child, where no other thread exists, and makes the pool's locks anew.
 */
#ifndef SS_STORE_POOL_FORK_H
#define SS_STORE_POOL_FORK_H

#include "store/pool.h"

/* Stop new leases, wait up to wait_ms for those out, close every handle; false when that
 * was not possible (something stayed out, or ":memory:"): the child will be LOST. */
bool ss_pool_before_fork(ss_pool *pool, int64_t wait_ms);
void ss_pool_after_fork_parent(ss_pool *pool);
void ss_pool_after_fork_child(ss_pool *pool);

#endif
