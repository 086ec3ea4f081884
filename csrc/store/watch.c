/* The watch's mutex guards the mapping against being unmapped while it is read: the
 * connection that watches is closed (close(), a fork, a handle beyond repair) only after
 * ss_watch_closing. It is a leaf, held for some tens of instructions, so that also a
 * thread with the GIL may take it.
 */
#include "store/watch.h"

#include "store/watch_int.h"

#include <string.h> // memset()

/* An epoch: which pool, which of its connections that watched a WAL (else 0), which kind. */
static uint64_t
epoch(const ss_pool *pool, uint32_t n, ss_stamp_kind kind)
{
    return (uint64_t)pool->options.generation << 32 | n << 2 | kind;
}

ss_stamp_kind
ss_watch_kind(const ss_stamp *stamp)
{
    return (ss_stamp_kind)(stamp->epoch & 3);
}

ss_status
ss_watch_init(ss_watch *watch)
{
    atomic_store(&watch->wanted, true);
    return ss_mutex_init(&watch->mutex);
}

void
ss_watch_destroy(ss_watch *watch)
{
    ss_mutex_destroy(&watch->mutex);
}

/* ---- the connection that watches ---- */

static void
begin(ss_pool *pool, int slot)
{
    ss_watch *watch = &pool->watch;
    ss_wal_header header;
    ss_error err;

    ss_error_init(&err);
    if (ss_stamp_map(pool->slots[slot].conn, &header, &err) != SS_OK) {
        return; /* the next one tries */
    }
    ss_mutex_lock(&watch->mutex);
    if (header != NULL && watch->header == NULL) {
        watch->header = header;
        watch->slot = slot;
        watch->n++;
    }
    ss_mutex_unlock(&watch->mutex);
    /* Without a WAL it is of no use to try again before there is one. */
    atomic_store(&watch->wanted, false);
}

void
ss_watch_opened(ss_pool *pool, int slot)
{
    if (pool->memory) {
        ss_conn_count_commits(pool->slots[slot].conn, &pool->watch.n_commits);
    }
}

void
ss_watch_returned(ss_pool *pool, int slot)
{
    if (!pool->memory && !pool->options.immutable && pool->options.generation != 0 &&
        atomic_load(&pool->watch.wanted)) {
        begin(pool, slot);
    }
}

void
ss_watch_closing(ss_pool *pool, int slot)
{
    ss_watch *watch = &pool->watch;

    ss_mutex_lock(&watch->mutex);
    if (watch->header != NULL && watch->slot == slot) {
        watch->header = NULL;
        atomic_store(&watch->wanted, true);
    }
    ss_mutex_unlock(&watch->mutex);
}

/* ---- stamps ---- */

/* What needs no system call. *watched: there is a WAL and a connection that watches. */
static bool
stamp_now(ss_pool *pool, bool *watched, ss_stamp *out)
{
    ss_watch *watch = &pool->watch;
    bool known = true;

    *watched = true;
    if (pool->memory) {
        *out = (ss_stamp){.epoch = epoch(pool, 0, SS_STAMP_MEMORY),
                          .words = {atomic_load(&watch->n_commits)}};
    }
    else if (pool->options.immutable) {
        *out = (ss_stamp){.epoch = epoch(pool, 0, SS_STAMP_IMMUTABLE)};
    }
    else {
        ss_mutex_lock(&watch->mutex);
        *watched = watch->header != NULL;
        known = *watched && ss_stamp_of_header(watch->header, out);
        out->epoch = known ? epoch(pool, watch->n, SS_STAMP_WAL) : 0;
        ss_mutex_unlock(&watch->mutex);
    }
    return known;
}

ss_peek
ss_watch_peek(ss_pool *pool, ss_stamp *out)
{
    bool watched;

    out->epoch = 0;
    if (ss_pool_is_lost(pool)) {
        return SS_PEEK_UNKNOWN;
    }
    if (ss_pool_look_due(pool)) {
        return SS_PEEK_ASK;
    }
    if (stamp_now(pool, &watched, out)) {
        return SS_PEEK_KNOWN;
    }
    return watched ? SS_PEEK_UNKNOWN : SS_PEEK_ASK;
}

/* The file's own counter; notices when the file has come to have a WAL. */
static bool
stamp_file(ss_pool *pool, ss_conn *conn, ss_stamp *out)
{
    bool wal, known = ss_stamp_of_file(conn, &wal, out);

    if (wal) {
        atomic_store(&pool->watch.wanted, true);
    }
    out->epoch = known ? epoch(pool, 0, SS_STAMP_FILE) : 0;
    return known;
}

bool
ss_watch_ask(ss_pool *pool, const ss_call *call, ss_stamp *out)
{
    bool watched;
    ss_lease lease;
    ss_error err;

    ss_error_init(&err);
    out->epoch = 0;
    if (ss_pool_is_lost(pool) || ss_pool_look(pool, &err) != SS_OK) {
        return false;
    }
    if (stamp_now(pool, &watched, out) || watched) {
        return out->epoch != 0;
    }
    if (ss_pool_read(pool, call, &lease, &err) != SS_OK) {
        return false;
    }
    bool known = stamp_file(pool, lease.conn, out);
    ss_pool_return(&lease);
    return known;
}

bool
ss_watch_before(ss_pool *pool, ss_stamp *out)
{
    bool watched;

    out->epoch = 0;
    return stamp_now(pool, &watched, out);
}

bool
ss_watch_held(ss_pool *pool, ss_conn *conn, ss_stamp *out)
{
    out->epoch = 0;
    /* Without its lock another process may be in the middle of a commit that it will have
     * to take back; its counter would then come a second time, for something else. */
    return !pool->memory &&
           sqlite3_txn_state(ss_conn_handle(conn), "main") != SQLITE_TXN_NONE &&
           stamp_file(pool, conn, out);
}
