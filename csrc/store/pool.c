/* store/pool: opening, leases, closing.
 *
 * Owns every connection of one file and their statement caches.  Any thread may call,
 * without the GIL.  One mutex guards what is marked so in pool_int.h; it is a leaf: nobody
 * enters SQLite, asks ss_call.check or calls stat() while holding it.
 *
 *     OPEN ----close----> CLOSING ---leases back, handles closed---> CLOSED
 *       ^ \__stopped________/
 *       |--before_fork--> FORKING --after_fork_parent, _child--> OPEN
 *       `--in a child that inherited live handles--> lost (a flag, for ever)
 *
 * Invariants:
 *  1. Slot 0 is the anchor, the writer of a file that can be written; 1.. are readers.
 *     A slot's connection and cache are touched by the holder of its lease alone, or,
 *     with no lease out and none given (CLOSING, FORKING), by whoever set that state.
 *  2. Leases are given in the order of coming, per kind: a slot goes to a newcomer only
 *     when nobody waits. A waiter looks itself whether it is first and its slot free;
 *     signals only say "look again", so one that gives up blocks nobody.
 *  3. A returned connection holds no transaction and no call.
 *  4. A lost pool's handles are never touched: not to close them, not to free them.
 *     SQLite's lock state in the child is the parent's, and false.
 *  5. A checkpoint runs only between BEGIN IMMEDIATE and ROLLBACK of the anchor, so no
 *     process commits meanwhile; the exception is closing the anchor, when SQLite
 *     itself makes sure that nobody else has the file.
 *  6. The database file is never opened except by SQLite: closing any descriptor of it
 *     would drop the locks of the whole process. Its identity comes from stat().
 */
#define _POSIX_C_SOURCE 200809L

#include "store/pool_int.h"

#include "base/mem.h"
#include "store/beside.h"
#include "store/checkpoint.h"
#include "store/watch_int.h"

#include <assert.h>
#include <string.h> // strcmp()

enum {
    STATEMENTS_PER_CONN = 64,
    POLL_MS = 50,      /* how long a wait goes without asking its call */
    IDENTITY_MS = 100, /* how old a reader's look at the file may be */
};

bool
ss_pool_is_lost(const ss_pool *pool)
{
    return pool->lost || !ss_process_is_same(&pool->process);
}

static ss_status
lost_error(const ss_pool *pool, ss_error *err)
{
    return ss_error_set(err, SS_FORKED,
                        "%s was open across a fork() that could not be prepared (a "
                        "transaction was open, or fork() was called behind Python's "
                        "back): open the database anew in this process",
                        pool->options.path);
}

/* ---- the file ---- */

/* What one reader saw, the next shall see at once. */
static void
look_again(ss_pool *pool)
{
    atomic_store(&pool->looked_ms, INT64_MIN / 2);
}

/* Is the path still the file that was opened?  The first time: take note of it. */
static ss_status
check_identity(ss_pool *pool, ss_error *err)
{
    if (pool->memory) {
        return SS_OK;
    }
    SS_TRY(ss_file_same(pool->options.path, &pool->file, err));
    atomic_store(&pool->looked_ms, ss_clock_coarse_ms());
    return SS_OK;
}

bool
ss_pool_look_due(const ss_pool *pool)
{
    return !pool->memory &&
           ss_clock_coarse_ms() - atomic_load(&pool->looked_ms) >= IDENTITY_MS;
}

ss_status
ss_pool_look(ss_pool *pool, ss_error *err)
{
    if (!ss_pool_look_due(pool)) {
        return SS_OK;
    }
    ss_status rc = check_identity(pool, err);
    if (rc != SS_OK) {
        look_again(pool);
    }
    return rc;
}

/* The same for a connection just opened: did it get the file the path names? SQLite
 * compares with the descriptor it holds. */
static ss_status
check_opened(ss_pool *pool, ss_conn *conn, ss_error *err)
{
    int moved = 0;

    if (pool->memory) {
        return SS_OK;
    }
    (void)sqlite3_file_control(ss_conn_handle(conn), "main", SQLITE_FCNTL_HAS_MOVED,
                               &moved);
    if (moved) {
        return ss_error_set(err, SS_REPLACED, "%s was replaced while it was opened",
                            pool->options.path);
    }
    return check_identity(pool, err);
}

/* ---- connections ---- */

ss_status
ss_pool_open_conn(ss_pool *pool, unsigned flags, const ss_call *call, ss_conn **out,
                  ss_error *err)
{
    const ss_pool_options *options = &pool->options;
    ss_conn_options wanted = {
        .path = options->path,
        .flags = flags | (options->untrusted ? SS_CONN_UNTRUSTED : 0u),
        .durability = options->durability,
        .busy_ms = options->busy_ms,
        .call = call,
    };
    ss_conn *conn = NULL;
    int64_t version;
    ss_status rc;

    if ((flags & SS_CONN_READ_ONLY) != 0 && options->immutable) {
        wanted.flags |= SS_CONN_IMMUTABLE;
    }
    rc = ss_conn_open(&wanted, &conn, err);
    if (rc != SS_OK) {
        goto done;
    }
    ss_conn_call_begin(conn, call);
    if (options->prepare != NULL) {
        rc = options->prepare(conn, options->prepare_arg, err);
    }
    if (rc == SS_OK) {
        /* Only a read notices that a file is no database. */
        rc = ss_conn_int(conn, "PRAGMA schema_version", &version, err);
    }
    ss_conn_call_end(conn);
    if (rc == SS_OK) {
        rc = check_opened(pool, conn, err);
    }
    if (rc == SS_OK) {
        *out = conn;
        conn = NULL;
    }

done:
    ss_conn_close(conn);
    return rc;
}

static unsigned
flags_of(const ss_pool *pool, int index)
{
    if (index > 0 || pool->options.mode == SS_MODE_RO) {
        return SS_CONN_READ_ONLY;
    }
    /* Reopened after a fork, a file that is gone must not be made anew. */
    return pool->options.mode == SS_MODE_RWC && !pool->file.known ? SS_CONN_CREATE : 0;
}

/* Make sure that the slot, leased by the caller, has its connection. */
static ss_status
open_slot(ss_pool *pool, int index, const ss_call *call, ss_error *err)
{
    ss_slot *s = &pool->slots[index];
    ss_conn *conn = NULL;
    ss_stmt_cache *cache = NULL;
    ss_status rc;

    if (s->conn != NULL) {
        return SS_OK;
    }
    rc = ss_pool_open_conn(pool, flags_of(pool, index), call, &conn, err);
    if (rc != SS_OK) {
        goto done;
    }
    rc = ss_stmt_cache_new(conn, STATEMENTS_PER_CONN, &cache, err);
    if (rc != SS_OK) {
        goto done;
    }
    if (index > 0) {
        atomic_fetch_add(&pool->readers_open, 1);
    }
    s->conn = conn;
    s->cache = cache;
    ss_watch_opened(pool, index);
    conn = NULL;

done:
    ss_conn_close(conn);
    return rc;
}

static void
close_slot(ss_pool *pool, int index)
{
    ss_slot *s = &pool->slots[index];

    if (s->conn == NULL) {
        return;
    }
    ss_watch_closing(pool, index);
    ss_stmt_cache_free(s->cache);
    ss_conn_close(s->conn);
    *s = (ss_slot){0};
    if (index > 0) {
        atomic_fetch_sub(&pool->readers_open, 1);
    }
}

/* With "full" every acknowledged frame of the log is on disk, so it can be folded away
 * even after a failed fsync; and should be, for the next recovery of that log would take
 * the frames of the failed commit for good. With less, the log may have holes. */
static bool
may_fold(const ss_pool *pool)
{
    return ss_pool_writes(pool) &&
           (!pool->unsynced || pool->options.durability == SS_DURABILITY_FULL);
}

void
ss_pool_close_handles(ss_pool *pool, bool fold)
{
    for (int i = pool->options.max_readers; i > 0; i--) {
        close_slot(pool, i);
    }
    ss_conn_close(pool->checkpointer);
    pool->checkpointer = NULL;
    if (fold && may_fold(pool) && pool->slots[0].conn != NULL) {
        ss_checkpoint_allow_fold(pool->slots[0].conn);
    }
    close_slot(pool, 0);
}

/* ---- queues (all with the mutex held) ---- */

static bool
can_give_lock_held(const ss_pool *pool, const ss_queue *q)
{
    return pool->state == SS_POOL_OPEN &&
           (q == &pool->writers ? !pool->anchor_leased : pool->n_free > 0);
}

/* Whoever is first in a queue and could have its slot: look again. */
static void
pass_on_lock_held(ss_pool *pool)
{
    ss_queue *both[] = {&pool->writers, &pool->readers};

    for (int i = 0; i < 2; i++) {
        if (both[i]->first != NULL && can_give_lock_held(pool, both[i])) {
            ss_cond_signal(&both[i]->first->cond);
        }
    }
}

/* After a change of state: everybody, look again. */
static void
tell_all_lock_held(ss_pool *pool)
{
    ss_queue *both[] = {&pool->writers, &pool->readers};

    for (int i = 0; i < 2; i++) {
        for (ss_waiter *w = both[i]->first; w != NULL; w = w->next) {
            ss_cond_signal(&w->cond);
        }
    }
    ss_cond_broadcast(&pool->changed);
}

void
ss_pool_set_state_lock_held(ss_pool *pool, ss_pool_state state)
{
    pool->state = state;
    tell_all_lock_held(pool);
}

static void
queue_up_lock_held(ss_queue *q, ss_waiter *me)
{
    me->next = NULL;
    *(q->last != NULL ? &q->last->next : &q->first) = me;
    q->last = me;
}

/* A call may ask a signal handler, which may fork: in the child nobody stands in line. */
static ss_status
stay_in_line_lock_held(ss_queue *q, ss_waiter *me, ss_error *err)
{
    const ss_waiter *w = q->first;

    while (w != NULL && w != me) {
        w = w->next;
    }
    if (w == NULL) {
        queue_up_lock_held(q, me);
        return ss_cond_init(&me->cond) == SS_OK ? SS_OK : ss_error_nomem(err);
    }
    return SS_OK;
}

/* Off the queue, if it stands in it: the child of a signal handler that forked begins
 * with empty ones. */
static void
leave_lock_held(ss_queue *q, ss_waiter *me)
{
    ss_waiter *before = NULL, *w = q->first;

    while (w != NULL && w != me) {
        before = w;
        w = w->next;
    }
    if (w == NULL) {
        return;
    }
    *(before != NULL ? &before->next : &q->first) = me->next;
    if (q->last == me) {
        q->last = before;
    }
}

/* Wait on `cond` for a while: until `until_ms`, the call's deadline or the next time to
 * ask the call, which is done with the mutex released (it may want the GIL). */
static ss_status
wait_lock_held(ss_pool *pool, ss_cond *cond, int64_t until_ms, const ss_call *call,
               int64_t *last_check_ms, ss_error *err)
{
    int64_t now = ss_clock_ms(), ms = until_ms - now;
    ss_status rc;

    if (call == NULL) {
        (void)ss_cond_wait(cond, &pool->mutex, ms);
        return SS_OK;
    }
    if ((call->check != NULL || call->cancel_epoch != NULL) && ms > POLL_MS) {
        ms = POLL_MS;
    }
    if (call->deadline_ms != 0 && call->deadline_ms - now < ms) {
        ms = call->deadline_ms - now;
    }
    (void)ss_cond_wait(cond, &pool->mutex, ms > 0 ? ms : 1);
    ss_mutex_unlock(&pool->mutex);
    rc = ss_call_poll(call, last_check_ms, err);
    ss_mutex_lock(&pool->mutex);
    return rc;
}

static ss_status
refusal_lock_held(const ss_pool *pool, ss_error *err)
{
    if (pool->lost) { /* since this thread began to wait */
        return lost_error(pool, err);
    }
    if (pool->state == SS_POOL_CLOSING || pool->state == SS_POOL_CLOSED) {
        return ss_error_set(err, SS_CLOSED, "the database is closed");
    }
    return SS_OK;
}

static ss_status
waited_too_long(const ss_pool *pool, const ss_queue *q, ss_error *err)
{
    long long ms = (long long)pool->options.busy_ms;

    if (q == &pool->writers) {
        return ss_error_set(err, SS_BUSY,
                            "other threads kept the writer of %s for more than %lld ms",
                            pool->options.path, ms);
    }
    return ss_error_set(err, SS_BUSY,
                        "other threads kept all %d readers of %s for more than %lld ms",
                        pool->options.max_readers, pool->options.path, ms);
}

/* Queue up until it is this thread's turn; on success the slot may be taken. */
static ss_status
wait_turn_lock_held(ss_pool *pool, ss_queue *q, const ss_call *call, ss_error *err)
{
    int64_t until = ss_clock_ms() + pool->options.busy_ms;
    int64_t last_check = ss_clock_coarse_ms();
    ss_waiter me = {.next = NULL};
    ss_status rc;

    if (ss_cond_init(&me.cond) != SS_OK) {
        return ss_error_nomem(err);
    }
    queue_up_lock_held(q, &me);
    for (;;) {
        rc = refusal_lock_held(pool, err);
        if (rc != SS_OK || (q->first == &me && can_give_lock_held(pool, q))) {
            break;
        }
        if (ss_clock_ms() >= until) {
            rc = waited_too_long(pool, q, err);
            break;
        }
        rc = wait_lock_held(pool, &me.cond, until, call, &last_check, err);
        if (rc == SS_OK) {
            rc = stay_in_line_lock_held(q, &me, err);
        }
        if (rc != SS_OK) {
            break;
        }
    }
    leave_lock_held(q, &me);
    ss_cond_destroy(&me.cond);
    if (rc != SS_OK) {
        pass_on_lock_held(pool);
    }
    return rc;
}

/* ---- leases ---- */

static int
take_lock_held(ss_pool *pool, ss_queue *q)
{
    int index = 0;

    if (q == &pool->writers) {
        pool->anchor_leased = true;
    }
    else {
        index = pool->free_readers[--pool->n_free];
    }
    pool->leased_ms[index] = ss_clock_coarse_ms();
    pool->stats.leases++;
    pool->stats.leases_out++;
    pass_on_lock_held(pool);
    return index;
}

static ss_status
take_slot(ss_pool *pool, ss_queue *q, const ss_call *call, int *index, ss_error *err)
{
    ss_status rc;

    ss_mutex_lock(&pool->mutex);
    rc = refusal_lock_held(pool, err);
    if (rc == SS_OK && (q->first != NULL || !can_give_lock_held(pool, q))) {
        ss_pool_stats *stats = &pool->stats;
        *(q == &pool->writers ? &stats->writer_waits : &stats->reader_waits) += 1;
        rc = wait_turn_lock_held(pool, q, call, err);
    }
    if (rc == SS_OK) {
        *index = take_lock_held(pool, q);
    }
    ss_mutex_unlock(&pool->mutex);
    return rc;
}

static bool
take_spare(ss_pool *pool, int *index)
{
    int processors = ss_processors();

    ss_mutex_lock(&pool->mutex);
    bool spare = pool->readers.first == NULL &&
                 can_give_lock_held(pool, &pool->readers) &&
                 pool->stats.leases_out < processors;
    if (spare) {
        *index = take_lock_held(pool, &pool->readers);
    }
    ss_mutex_unlock(&pool->mutex);
    return spare;
}

static void
give_back(ss_pool *pool, int index)
{
    ss_mutex_lock(&pool->mutex);
    pool->leased_ms[index] = 0;
    if (index == 0) {
        pool->anchor_leased = false;
    }
    else if (pool->slots[index].conn != NULL) {
        pool->free_readers[pool->n_free++] = index;
    }
    else { /* not open: below those that are */
        memmove(pool->free_readers + 1, pool->free_readers,
                (size_t)pool->n_free * sizeof(int));
        pool->free_readers[0] = index;
        pool->n_free++;
    }
    if (--pool->stats.leases_out == 0) {
        ss_cond_broadcast(&pool->changed);
    }
    pass_on_lock_held(pool);
    ss_mutex_unlock(&pool->mutex);
}

/* Make a lease of the slot, which the caller took; on failure it is given back. */
static ss_status
lease_slot(ss_pool *pool, int index, bool writer, const ss_call *call, ss_lease *out,
           ss_error *err)
{
    ss_status rc = SS_OK;

    /* Before reopening, too: after a fork the path may name another file. */
    if (index == 0 || pool->slots[index].conn == NULL || ss_pool_look_due(pool)) {
        rc = check_identity(pool, err);
    }
    if (rc == SS_OK) {
        rc = open_slot(pool, index, call, err);
    }
    if (rc != SS_OK) {
        look_again(pool);
        give_back(pool, index);
        return rc;
    }
    if (index == 0 && ss_pool_writes(pool)) {
        /* Each time: PRAGMA wal_autocheckpoint of the last holder would replace it. */
        ss_checkpoint_watch(pool);
    }
    ss_conn_call_begin(pool->slots[index].conn, call);
    *out = (ss_lease){.conn = pool->slots[index].conn,
                      .cache = pool->slots[index].cache,
                      .writer = writer,
                      .pool = pool,
                      .slot = index};
    return SS_OK;
}

static ss_status
lease(ss_pool *pool, ss_queue *q, bool writer, const ss_call *call, ss_lease *out,
      ss_error *err)
{
    int index = -1;

    if (ss_pool_is_lost(pool)) {
        return lost_error(pool, err);
    }
    SS_TRY(take_slot(pool, q, call, &index, err));
    return lease_slot(pool, index, writer, call, out, err);
}

bool
ss_pool_spare(ss_pool *pool, const ss_call *call, ss_lease *out)
{
    int index = -1;
    ss_error unused;

    ss_error_init(&unused);
    return !pool->memory && !ss_pool_is_lost(pool) && take_spare(pool, &index) &&
           lease_slot(pool, index, false, call, out, &unused) == SS_OK;
}

ss_status
ss_pool_read(ss_pool *pool, const ss_call *call, ss_lease *out, ss_error *err)
{
    return lease(pool, pool->memory ? &pool->writers : &pool->readers, false, call, out,
                 err);
}

ss_status
ss_pool_write(ss_pool *pool, const ss_call *call, ss_lease *out, ss_error *err)
{
    if (pool->read_only && !ss_pool_is_lost(pool)) {
        return ss_error_set(err, SS_READ_ONLY, "%s is open for reading only",
                            pool->options.path);
    }
    SS_TRY(lease(pool, &pool->writers, true, call, out, err));
    if (pool->unsynced) {
        ss_pool_return(out);
        return ss_error_set(
            err, SS_OPERATIONAL,
            "the disk failed to store an earlier write of %s (fsync "
            "failed), so no more are made; reading goes on. close() and "
            "connect() again once the disk is in order",
            pool->options.path);
    }
    return SS_OK;
}

ss_status
ss_pool_anchor(ss_pool *pool, const ss_call *call, ss_lease *out, ss_error *err)
{
    return lease(pool, &pool->writers, !pool->read_only, call, out, err);
}

static bool
is_settled(sqlite3 *db)
{
    return sqlite3_get_autocommit(db) != 0 &&
           sqlite3_txn_state(db, NULL) == SQLITE_TXN_NONE;
}

/* End whatever transaction is left on the connection: also the one that a statement
 * stepped halfway keeps open. False: it cannot be ended. */
static bool
settle(ss_conn *conn)
{
    sqlite3 *db = ss_conn_handle(conn);

    if (is_settled(db)) {
        return true;
    }
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db, s)) != NULL;) {
        if (sqlite3_stmt_busy(s)) {
            (void)sqlite3_reset(s);
        }
    }
    ss_conn_rollback(conn);
    return is_settled(db);
}

void
ss_pool_return(ss_lease *lease)
{
    ss_pool *pool = lease->pool;
    int index = lease->slot;

    if (pool == NULL) {
        return;
    }
    *lease = (ss_lease){0};
    if (ss_pool_is_lost(pool)) {
        return;
    }
    ss_conn_call_end(pool->slots[index].conn);
    bool settled = settle(pool->slots[index].conn);
    if (index == 0) {
        pool->unsynced |= ss_conn_sync_failed(pool->slots[0].conn);
    }
    if (!settled && !pool->memory) {
        close_slot(pool, index);
    }
    else if (index == 0 && ss_pool_writes(pool) && !pool->unsynced) {
        ss_checkpoint_if_due(pool);
    }
    if (pool->slots[index].conn != NULL) {
        ss_watch_returned(pool, index);
    }
    give_back(pool, index);
}

/* ---- life ---- */

static void
destroy(ss_pool *pool)
{
    ss_watch_destroy(&pool->watch);
    ss_cond_destroy(&pool->changed);
    ss_mutex_destroy(&pool->mutex);
    ss_process_free(&pool->process);
    ss_free(pool->slots);
    ss_free(pool->leased_ms);
    ss_free(pool->free_readers);
    ss_free((char *)pool->options.path);
    ss_free(pool);
}

static ss_status
make_locks(ss_pool *pool)
{
    SS_TRY(ss_mutex_init(&pool->mutex));
    if (ss_cond_init(&pool->changed) != SS_OK) {
        ss_mutex_destroy(&pool->mutex);
        return SS_NOMEM;
    }
    if (ss_watch_init(&pool->watch) != SS_OK) {
        ss_cond_destroy(&pool->changed);
        ss_mutex_destroy(&pool->mutex);
        return SS_NOMEM;
    }
    return SS_OK;
}

/* The pool without any connection. New. */
static ss_pool *
create(const ss_pool_options *options)
{
    int n = options->max_readers;
    ss_pool *pool = ss_calloc(1, sizeof(*pool));

    if (pool == NULL || make_locks(pool) != SS_OK) {
        ss_free(pool);
        return NULL;
    }
    pool->options = *options;
    pool->options.path = ss_strdup(options->path);
    pool->slots = ss_calloc((size_t)n + 1, sizeof(*pool->slots));
    pool->leased_ms = ss_calloc((size_t)n + 1, sizeof(*pool->leased_ms));
    pool->free_readers = ss_calloc((size_t)n, sizeof(*pool->free_readers));
    if (pool->options.path == NULL || pool->slots == NULL || pool->leased_ms == NULL ||
        pool->free_readers == NULL) {
        destroy(pool);
        return NULL;
    }
    for (int i = n; i > 0; i--) {
        pool->free_readers[pool->n_free++] = i;
    }
    pool->memory = strcmp(options->path, ":memory:") == 0;
    ss_process_mark(&pool->process);
    pool->state = SS_POOL_OPEN;
    pool->stats.fenced = ss_checkpoint_needs_fence();
    return pool;
}

ss_status
ss_pool_open(const ss_pool_options *options, const ss_call *call, ss_pool **out,
             ss_error *err)
{
    ss_pool_options wanted = *options;
    ss_pool *pool = NULL;
    ss_status rc;

    assert(options->max_readers >= 1);
    if (wanted.immutable) {
        wanted.mode = SS_MODE_RO; /* its readers rely on nobody writing */
    }
    SS_TRY(ss_file_check(wanted.path, wanted.mode == SS_MODE_RWC, err));
    SS_TRY(ss_beside_check(wanted.path, err));
    pool = create(&wanted);
    if (pool == NULL) {
        return ss_error_nomem(err);
    }
    rc = open_slot(pool, 0, call, err);
    if (rc != SS_OK) {
        destroy(pool);
        return rc;
    }
    pool->read_only =
        wanted.mode == SS_MODE_RO || ss_conn_read_only(pool->slots[0].conn);
    *out = pool;
    return SS_OK;
}

/* Wait until nobody else is closing or forking. */
static ss_status
wait_open_lock_held(ss_pool *pool, const ss_call *call, ss_error *err)
{
    int64_t last_check = ss_clock_coarse_ms();

    while (pool->state == SS_POOL_CLOSING || pool->state == SS_POOL_FORKING) {
        SS_TRY(wait_lock_held(pool, &pool->changed, INT64_MAX, call, &last_check, err));
    }
    return SS_OK;
}

ss_status
ss_pool_close(ss_pool *pool, const ss_call *call, ss_error *err)
{
    int64_t last_check = ss_clock_coarse_ms();
    ss_status rc;

    if (ss_pool_is_lost(pool)) {
        return SS_OK;
    }
    ss_mutex_lock(&pool->mutex);
    rc = wait_open_lock_held(pool, call, err);
    if (rc != SS_OK || pool->state == SS_POOL_CLOSED) {
        goto done;
    }
    ss_pool_set_state_lock_held(pool, SS_POOL_CLOSING);
    while (rc == SS_OK && pool->stats.leases_out > 0) {
        rc = wait_lock_held(pool, &pool->changed, INT64_MAX, call, &last_check, err);
    }
    if (rc == SS_OK) {
        ss_mutex_unlock(&pool->mutex);
        ss_pool_close_handles(pool, true);
        ss_mutex_lock(&pool->mutex);
    }
    ss_pool_set_state_lock_held(pool, rc == SS_OK ? SS_POOL_CLOSED : SS_POOL_OPEN);

done:
    ss_mutex_unlock(&pool->mutex);
    return rc;
}

void
ss_pool_free(ss_pool *pool)
{
    if (pool == NULL || ss_pool_is_lost(pool)) {
        return;
    }
    assert(pool->stats.leases_out == 0);
    if (pool->state != SS_POOL_CLOSED) {
        ss_pool_close_handles(pool, true);
    }
    destroy(pool);
}

/* ---- facts ---- */

ss_status
ss_pool_file(ss_pool *pool, uint64_t *inode, ss_file_facts *out, ss_error *err)
{
    ss_file_id id = pool->file;

    SS_TRY(ss_file_look(pool->options.path, &id, out, err));
    *inode = id.inode;
    return SS_OK;
}

bool
ss_pool_is_memory(const ss_pool *pool)
{
    return pool->memory;
}

bool
ss_pool_read_only(const ss_pool *pool)
{
    return pool->read_only;
}

static int64_t
oldest_read_lock_held(const ss_pool *pool)
{
    int64_t now = ss_clock_coarse_ms(), oldest = now;

    for (int i = 1; i <= pool->options.max_readers; i++) {
        if (pool->leased_ms[i] != 0 && pool->leased_ms[i] < oldest) {
            oldest = pool->leased_ms[i];
        }
    }
    return now - oldest;
}

void
ss_pool_get_stats(ss_pool *pool, ss_pool_stats *out)
{
    if (ss_pool_is_lost(pool)) { /* the lock may be held by a thread left behind */
        *out = (ss_pool_stats){.fenced = ss_checkpoint_needs_fence()};
        return;
    }
    ss_mutex_lock(&pool->mutex);
    *out = pool->stats;
    out->oldest_read_ms = oldest_read_lock_held(pool);
    ss_mutex_unlock(&pool->mutex);
    out->readers_open = atomic_load(&pool->readers_open);
    out->wal_frames = atomic_load(&pool->wal_frames);
}

ss_status
ss_pool_checkpoint(ss_pool *pool, const ss_call *call, bool *done, ss_error *err)
{
    ss_lease held;

    if (pool->memory) {
        *done = false;
        return SS_OK;
    }
    SS_TRY(ss_pool_write(pool, call, &held, err));
    ss_status rc = ss_checkpoint_now(pool, call, done, err);
    ss_pool_return(&held);
    return rc;
}
