/* store/checkpoint: when and how the WAL is copied back into the file.
 *
 * Owns no state of its own: the pool's second connection and what makes the next round
 * due belong to the holder of the anchor's lease.  Called without the GIL; the pool's
 * mutex is taken for the counts alone.
 */
#include "store/checkpoint.h"

#include "store/pool_int.h"

#include <string.h> // strcmp()

enum {
    ROUND_FRAMES = 1000,
    ROUND_WAIT_MS = 100, /* for the write lock, by a thread already acknowledged */
};

/* Before it has read once, SQLite's checkpoint copies nothing and says all is well. */
#define FIRST_READ "SELECT count(*) FROM sqlite_schema"

bool
ss_checkpoint_needs_fence(void)
{
    int v = sqlite3_libversion_number();

    return !(v >= 3051003 || (v >= 3050007 && v < 3051000) ||
             (v >= 3044006 && v < 3045000));
}

static int
on_wal(void *arg, sqlite3 *db, const char *schema, int n_frames)
{
    ss_pool *pool = arg;

    (void)db;
    if (strcmp(schema, "main") == 0) {
        atomic_store(&pool->wal_frames, n_frames);
    }
    return SQLITE_OK;
}

void
ss_checkpoint_watch(ss_pool *pool)
{
    (void)sqlite3_wal_hook(ss_conn_handle(pool->slots[0].conn), on_wal, pool);
}

void
ss_checkpoint_allow_fold(ss_conn *anchor)
{
    ss_error err;
    char mode[16];
    int64_t count;

    ss_error_init(&err);
    if (ss_conn_text(anchor, "PRAGMA journal_mode", mode, sizeof(mode), &err) ||
        strcmp(mode, "wal") != 0 || ss_conn_int(anchor, FIRST_READ, &count, &err)) {
        return;
    }
    ss_conn_checkpoint_on_close(anchor);
}

static ss_status
open_checkpointer(ss_pool *pool, const ss_call *call, ss_error *err)
{
    ss_conn *conn = NULL;
    int64_t count;

    if (pool->checkpointer != NULL) {
        return SS_OK;
    }
    SS_TRY(ss_pool_open_conn(pool, 0, call, &conn, err));
    ss_status rc = ss_conn_int(conn, FIRST_READ, &count, err);
    if (rc != SS_OK) {
        ss_conn_close(conn);
        return rc;
    }
    pool->checkpointer = conn;
    return SS_OK;
}

/* One fenced round. *done: frames were looked at. */
static ss_status
run_round(ss_pool *pool, const ss_call *call, bool *done, ss_error *err)
{
    ss_conn *anchor = pool->slots[0].conn;
    int in_wal = -1, copied = -1;

    SS_TRY(open_checkpointer(pool, call, err));
    ss_conn_call_begin(anchor, call);
    ss_status rc = ss_conn_exec(anchor, "BEGIN IMMEDIATE", err);
    if (rc == SS_OK) {
        int code =
            sqlite3_wal_checkpoint_v2(ss_conn_handle(pool->checkpointer), "main",
                                      SQLITE_CHECKPOINT_PASSIVE, &in_wal, &copied);
        if (code != SQLITE_OK) {
            rc = ss_conn_error(pool->checkpointer, code, "checkpointing", err);
            pool->unsynced |= ss_conn_sync_failed(pool->checkpointer);
        }
    }
    /* Also after a failure: a BEGIN that was stopped may have begun. */
    ss_conn_rollback(anchor);
    ss_conn_call_end(anchor);
    if (rc == SS_OK) {
        /* The result code alone says nothing: -1 means that nothing was tried. */
        *done = in_wal >= 0 && copied >= 0;
    }
    return rc;
}

static void
count_round(ss_pool *pool, bool done)
{
    ss_mutex_lock(&pool->mutex);
    *(done ? &pool->stats.checkpoints : &pool->stats.checkpoint_skips) += 1;
    ss_mutex_unlock(&pool->mutex);
}

/* When readers hold the WAL back, or another process the lock, it is not tried again
 * after every commit. */
void
ss_checkpoint_if_due(ss_pool *pool)
{
    int64_t frames = atomic_load(&pool->wal_frames);
    ss_call call = {.deadline_ms = ss_clock_ms() + ROUND_WAIT_MS};
    bool done = false;
    ss_error err;

    if (frames <= ROUND_FRAMES) {
        pool->checkpoint_at = ROUND_FRAMES + 1;
    }
    if (frames < pool->checkpoint_at) {
        return;
    }
    ss_error_init(&err);
    if (run_round(pool, &call, &done, &err) != SS_OK) {
        done = false;
    }
    pool->checkpoint_at = frames + (done ? ROUND_FRAMES : ROUND_FRAMES / 4);
    count_round(pool, done);
}

ss_status
ss_checkpoint_now(ss_pool *pool, const ss_call *call, bool *done, ss_error *err)
{
    bool ran = false;
    ss_status rc = run_round(pool, call, &ran, err);

    count_round(pool, rc == SS_OK && ran);
    if (rc == SS_OK) {
        /* Returning the lease shall not run a second one. */
        pool->checkpoint_at = atomic_load(&pool->wal_frames) + ROUND_FRAMES;
        *done = ran;
    }
    return rc;
}
