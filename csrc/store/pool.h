/* store/pool: one writer, up to N readers, and who may use them.
 *
 * A lease gives one thread one connection until it is returned.  Threads queue for
 * the writer in the order they came (tickets), without the GIL; readers are opened on
 * demand up to the limit, after that threads wait for one.  A file in WAL mode lets
 * readers run beside the writer; ":memory:" is one connection that serves as writer
 * and only reader alike.
 *
 * Life of a pool (state):
 *     OPEN -> CLOSING (new leases get SS_CLOSED, waits for those out) -> CLOSED
 *     OPEN -> FORKING (new leases wait) -> OPEN, handles closed, reopened on next use
 *     OPEN -> LOST    (in a forked child that inherited live handles, or detected by
 *                      pid at a lease: every lease is refused with SS_FORKED and the
 *                      handles are leaked on purpose, never touched or closed)
 *
 * Connections: `anchor` is the first opened read-write connection (read-only in mode
 * "ro" or when the file allows no more); it becomes the writer and is closed last,
 * with checkpointing on close allowed, so that a WAL is folded away and removed when
 * nobody else has the file. Readers are READ_ONLY. A third kind, the checkpointer, is
 * opened when first needed.
 *
 * Checkpoints (why: SQLite before 3.51.3 can lose committed pages when a checkpoint
 * starts while another connection commits): never automatic; when the WAL has passed
 * 1,000 frames (sqlite3_wal_hook), after the commit was acknowledged, the thread that
 * returns the writer does one round: writer BEGIN IMMEDIATE (skip the round when
 * refused), the second connection, which must have read once, runs PASSIVE, writer
 * ROLLBACK.
 */
#ifndef SS_STORE_POOL_H
#define SS_STORE_POOL_H

#include "store/file.h"
#include "store/stmt_cache.h"

typedef enum { SS_MODE_RWC, SS_MODE_RW, SS_MODE_RO } ss_mode;

typedef struct {
    const char *path; /* absolute, or ":memory:"; copied */
    ss_mode mode;
    ss_durability durability;
    int max_readers; /* >= 1 */
    int64_t busy_ms; /* for any lock: of another thread or of another process */
    bool immutable;  /* implies SS_MODE_RO */
    bool untrusted;
    uint32_t generation; /* differs between the pools of one db; 0: not watched */
    /* Run on every connection right after it was opened (registers SQL functions).
     * `arg` is borrowed and outlives the pool. */
    ss_status (*prepare)(ss_conn *conn, void *arg, ss_error *err);
    void *prepare_arg;
} ss_pool_options;

typedef struct ss_pool ss_pool;

typedef struct {
    ss_conn *conn;        /* borrowed while the lease is held */
    ss_stmt_cache *cache; /* likewise */
    bool writer;
    /* --- private --- */
    ss_pool *pool;
    int slot;
} ss_lease;

typedef struct {
    int64_t leases, writer_waits, reader_waits; /* counts since open */
    int64_t checkpoints, checkpoint_skips;
    int readers_open, leases_out;
    int64_t oldest_read_ms; /* how long the reader that is out longest has been so */
    int64_t wal_frames;     /* as the last commit of ours saw it */
    bool fenced;            /* this SQLite version needs the fence */
} ss_pool_stats;

/* Opens the anchor: a wrong path, no permission or a file that is no database fails
 * here. `call` may be NULL. */
ss_status ss_pool_open(const ss_pool_options *options, const ss_call *call,
                       ss_pool **out, ss_error *err) SS_MUST_CHECK;

/* Lease a connection with `call` attached. The lease is the caller's struct. Waits at
 * most busy_ms (SS_BUSY then), or until the call is stopped. A writer lease of a
 * read-only pool is SS_READ_ONLY; after a write that could not be made durable (fsync
 * failed), it is SS_OPERATIONAL until the pool is opened anew. Before a writer lease is given, the file's identity
 * (device, inode, by stat of the path, at most every 100 ms for readers, always for
 * the writer) is compared with the one opened: SS_REPLACED. No transaction is begun. */
ss_status ss_pool_read(ss_pool *pool, const ss_call *call, ss_lease *out, ss_error *err)
    SS_MUST_CHECK;
/* One more reader for a call that has one, if that costs nobody anything: a connection is
 * free, nobody waits for one, and fewer are in use than there are processors. False:
 * there is none now. */
bool ss_pool_spare(ss_pool *pool, const ss_call *call, ss_lease *out);
ss_status ss_pool_write(ss_pool *pool, const ss_call *call, ss_lease *out,
                        ss_error *err) SS_MUST_CHECK;
/* Lease the anchor whatever the mode, to look at the file (and, when it is writable, to
 * set it up); it queues as a writer does. */
ss_status ss_pool_anchor(ss_pool *pool, const ss_call *call, ss_lease *out,
                         ss_error *err) SS_MUST_CHECK;
/* Return it; a transaction left open is rolled back; may run a checkpoint round. */
void ss_pool_return(ss_lease *lease);

/* Refuse new leases, wait until those out are back (call may stop the wait: then the
 * pool is open again), close all. Idempotent. The calling thread holds no lease: it
 * would wait for itself. */
ss_status ss_pool_close(ss_pool *pool, const ss_call *call, ss_error *err)
    SS_MUST_CHECK;
/* For the destructor: closes if nothing is out (it cannot be), frees. NULL is fine. */
void ss_pool_free(ss_pool *pool);

/* True in a child that inherited live handles (by pid, or after a fork that could not
 * be prepared): a lease taken before must not be used, only returned. */
bool ss_pool_is_lost(const ss_pool *pool);

/* The file's inode and what it says of its content, by its path; SS_REPLACED. */
ss_status ss_pool_file(ss_pool *pool, uint64_t *inode, ss_file_facts *out,
                       ss_error *err) SS_MUST_CHECK;

bool ss_pool_is_memory(const ss_pool *pool);
bool ss_pool_read_only(const ss_pool *pool); /* asked for, or all the file allows */
void ss_pool_get_stats(ss_pool *pool, ss_pool_stats *out);

/* One fenced checkpoint round now, for db.optimize() and tests; *done: it ran. The
 * caller holds no lease. */
ss_status ss_pool_checkpoint(ss_pool *pool, const ss_call *call, bool *done,
                             ss_error *err) SS_MUST_CHECK;

#endif
