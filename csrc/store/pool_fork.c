/* store/pool_fork: a pool around fork().
 *
 * Nothing is inherited in use: before the fork every handle is closed, or else the
 * child's pool is lost (see store/pool, invariant 4).
 */
#include "store/pool_fork.h"

#include "store/watch_int.h"

/* Wait on the state until `until_ms`; false when that has passed. */
static bool
wait_change_lock_held(ss_pool *pool, int64_t until_ms)
{
    int64_t left = until_ms - ss_clock_ms();

    if (left > 0) {
        (void)ss_cond_wait(&pool->changed, &pool->mutex, left);
    }
    return left > 0;
}

bool
ss_pool_before_fork(ss_pool *pool, int64_t wait_ms)
{
    int64_t until = ss_clock_ms() + wait_ms;
    bool ready = false;

    if (ss_pool_is_lost(pool)) {
        return false;
    }
    ss_mutex_lock(&pool->mutex);
    while ((pool->state == SS_POOL_CLOSING || pool->state == SS_POOL_FORKING) &&
           wait_change_lock_held(pool, until)) {
    }
    if (pool->state == SS_POOL_CLOSED) {
        ready = true;
    }
    else if (pool->state == SS_POOL_OPEN && !pool->memory) {
        ss_pool_set_state_lock_held(pool, SS_POOL_FORKING);
        pool->forking_thread = ss_thread_id();
        while (pool->stats.leases_out > 0 && wait_change_lock_held(pool, until)) {
        }
        ready = pool->stats.leases_out == 0;
        pool->fork_ready = ready;
        if (ready) {
            /* Not folding the WAL: that takes time, and both sides go on with it. */
            ss_mutex_unlock(&pool->mutex);
            ss_pool_close_handles(pool, false);
            ss_mutex_lock(&pool->mutex);
        }
    }
    ss_mutex_unlock(&pool->mutex);
    return ready;
}

/* Did this thread set the FORKING state?  Two may fork at once. */
static bool
is_my_fork(const ss_pool *pool)
{
    return pool->state == SS_POOL_FORKING && pool->forking_thread == ss_thread_id();
}

void
ss_pool_after_fork_parent(ss_pool *pool)
{
    if (ss_pool_is_lost(pool)) {
        return;
    }
    ss_mutex_lock(&pool->mutex);
    if (is_my_fork(pool)) {
        pool->forking_thread = 0;
        ss_pool_set_state_lock_held(pool, SS_POOL_OPEN);
    }
    ss_mutex_unlock(&pool->mutex);
}

/* No lock is taken: another thread of the parent may have held it at the fork. */
void
ss_pool_after_fork_child(ss_pool *pool)
{
    bool closed = pool->state == SS_POOL_CLOSED;
    bool ready = is_my_fork(pool) && pool->fork_ready;

    ss_process_mark(&pool->process);
    pool->writers = pool->readers = (ss_queue){0};
    if (ss_mutex_init(&pool->mutex) != SS_OK || ss_cond_init(&pool->changed) != SS_OK ||
        ss_watch_init(&pool->watch) != SS_OK || !(closed || ready)) {
        pool->lost = true;
        return;
    }
    pool->forking_thread = 0;
    pool->state = closed ? SS_POOL_CLOSED : SS_POOL_OPEN;
}
