/* store/pool_int: the insides that store/pool, store/pool_fork and store/checkpoint share.
 */
#ifndef SS_STORE_POOL_INT_H
#define SS_STORE_POOL_INT_H

#include "store/pool.h"

#include "base/process.h"
#include "base/thread.h"
#include "store/file.h"
#include "store/stamp.h"

#include <stdatomic.h>

typedef enum {
    SS_POOL_OPEN,
    SS_POOL_CLOSING,
    SS_POOL_CLOSED,
    SS_POOL_FORKING,
} ss_pool_state;

/* A thread that waits; lives on its stack. */
typedef struct ss_waiter {
    ss_cond cond;
    struct ss_waiter *next;
} ss_waiter;

typedef struct {
    ss_waiter *first, *last; /* borrowed from the waiting threads */
} ss_queue;

typedef struct {
    ss_conn *conn;        /* owned; NULL until first used, and after a fork */
    ss_stmt_cache *cache; /* owned */
} ss_slot;

/* Which connection watches the file for changes; see store/watch. */
typedef struct {
    ss_mutex mutex;
    /* Guarded by it. */
    ss_wal_header
        header; /* borrowed from the connection in `slot`; NULL: none watches */
    int slot;
    uint32_t n; /* that have watched so far */

    _Atomic bool wanted;        /* the next lease that ends shall try */
    _Atomic uint64_t n_commits; /* ":memory:" only */
} ss_watch;

struct ss_pool {
    /* Fixed once open. */
    ss_pool_options options; /* .path is owned */
    bool memory, read_only;
    ss_file_id file;

    /* Written in the forked child only, before it can have a second thread. */
    ss_process process; /* that opened it */
    bool lost;

    /* Guarded by the mutex. */
    ss_mutex mutex;
    ss_cond changed; /* the state changed, or the last lease came back */
    ss_pool_state state;
    ss_queue writers, readers;
    bool anchor_leased;
    int64_t *leased_ms; /* owned; by slot: since when it is leased, 0: it is not */
    int *free_readers;  /* owned; a stack: its top was used last and is open */
    int n_free;
    uint64_t forking_thread;
    bool fork_ready; /* every handle is closed */
    ss_pool_stats stats;

    /* By the holder of a lease (invariant 1). */
    ss_slot *slots;        /* owned; 1 + max_readers */
    ss_conn *checkpointer; /* owned; with the anchor's lease */
    bool unsynced;         /* a write could not be made durable: no more are made */
    int64_t checkpoint_at; /* frames that make the next round due; likewise */

    ss_watch watch;
    _Atomic int64_t wal_frames;
    _Atomic int64_t looked_ms; /* when the file's identity was last compared */
    _Atomic int readers_open;
};

/* Is there a writer, with a WAL to look after? */
static inline bool
ss_pool_writes(const ss_pool *pool)
{
    return !pool->memory && !pool->read_only;
}

/* Is it time to look whether the path is still the file that was opened?  Look, if so:
 * SS_REPLACED. */
bool ss_pool_look_due(const ss_pool *pool);
ss_status ss_pool_look(ss_pool *pool, ss_error *err) SS_MUST_CHECK;

/* Open a connection, new to the caller, on the very file of the pool. */
ss_status ss_pool_open_conn(ss_pool *pool, unsigned flags, const ss_call *call,
                            ss_conn **out, ss_error *err) SS_MUST_CHECK;
/* Close every connection, the anchor last (which may fold the WAL away); no lease is
 * out and none is given. */
void ss_pool_close_handles(ss_pool *pool, bool fold);
/* Change the state and tell everybody who waits. */
void ss_pool_set_state_lock_held(ss_pool *pool, ss_pool_state state);

#endif
