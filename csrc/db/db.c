/* Locking: `lock` is a leaf. It guards session, closed, connecting, closing, forking and
 * the list of bound threads, and is held for a few instructions only.
 */
#include "db/db_int.h"

#include "base/mem.h"
#include "base/thread.h"
#include "db/functions.h"
#include "db/journal.h"
#include "db/migrate.h"
#include "store/file.h"
#include "store/pool_fork.h"

#include <string.h> // strlen()
#include <unistd.h> // getpid()

/* --- life ------------------------------------------------------------------------ */

ss_status
ss_db_new(const ss_db_options *options, ss_db **out, ss_error *err)
{
    ss_db *db = ss_calloc(1, sizeof(*db));
    if (db == NULL) {
        return ss_error_nomem(err);
    }
    db->path = ss_strdup(options->path);
    if (db->path == NULL || ss_mutex_init(&db->lock) != SS_OK) {
        ss_free(db->path);
        ss_free(db);
        return ss_error_nomem(err);
    }
    if (ss_cond_init(&db->changed) != SS_OK) {
        ss_mutex_destroy(&db->lock);
        ss_free(db->path);
        ss_free(db);
        return ss_error_nomem(err);
    }
    if (ss_group_init(&db->group) != SS_OK) {
        ss_cond_destroy(&db->changed);
        ss_mutex_destroy(&db->lock);
        ss_free(db->path);
        ss_free(db);
        return ss_error_nomem(err);
    }
    db->options = *options;
    db->options.path = db->path;
    *out = db;
    return SS_OK;
}

static void
plans_free(ss_session *session)
{
    for (int i = 0; session->plans != NULL && i < ss_n_tables * SS_PLANS_PER_TABLE;
         i++) {
        ss_plan *plan = atomic_load(&session->plans[i]);
        if (plan != NULL) {
            ss_free(plan->text);
            ss_free(plan);
        }
    }
    ss_free(session->plans);
    for (int i = 0; session->key_updates != NULL && i < ss_n_tables; i++) {
        ss_free(session->key_updates[i].plan.text);
    }
    ss_free(session->key_updates);
}

void
ss_session_release(ss_session *session)
{
    if (session == NULL || atomic_fetch_sub(&session->refs, 1) != 1) {
        return;
    }
    ss_pool_free(session->pool);
    ss_layout_free(atomic_load(&session->layout));
    plans_free(session);
    ss_free(session);
}

ss_session *
ss_session_retain(ss_session *session)
{
    atomic_fetch_add(&session->refs, 1);
    return session;
}

void
ss_db_free(ss_db *db)
{
    if (db == NULL) {
        return;
    }
    while (db->bounds != NULL) { /* a block whose thread never came back */
        ss_bound_drop(db, db->bounds);
    }
    ss_session_release(db->session);
    ss_group_destroy(&db->group);
    ss_cond_destroy(&db->changed);
    ss_mutex_destroy(&db->lock);
    ss_free(db->path);
    ss_free(db);
}

const ss_db_options *
ss_db_get_options(const ss_db *db)
{
    return &db->options;
}

bool
ss_db_is_open(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    bool open = !db->closed;
    ss_mutex_unlock(&db->lock);
    return open;
}

bool
ss_db_is_connected(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    bool connected = db->session != NULL || db->connecting;
    ss_mutex_unlock(&db->lock);
    return connected;
}

bool
ss_db_has_handles(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    bool any = db->session != NULL || db->connecting || db->bounds != NULL;
    ss_mutex_unlock(&db->lock);
    return any;
}

/* --- connecting -------------------------------------------------------------------- */

static ss_status
session_new(ss_session **out, ss_error *err)
{
    ss_session *session = ss_calloc(1, sizeof(*session));
    if (session == NULL) {
        return ss_error_nomem(err);
    }
    atomic_init(&session->refs, 1);
    sqlite3_randomness((int)sizeof(session->nonce), &session->nonce);
    session->plans =
        ss_calloc((size_t)ss_n_tables * SS_PLANS_PER_TABLE, sizeof(*session->plans));
    session->key_updates =
        ss_calloc((size_t)ss_n_tables, sizeof(*session->key_updates));
    if (session->plans == NULL || session->key_updates == NULL) {
        ss_session_release(session);
        return ss_error_nomem(err);
    }
    *out = session;
    return SS_OK;
}

static ss_status
open_pool(ss_db *db, const ss_call *call, ss_pool **out, ss_error *err)
{
    const ss_db_options *o = &db->options;
    ss_pool_options options = {
        .path = o->path,
        .mode = o->mode,
        .durability = o->durability,
        .max_readers = o->max_readers,
        .busy_ms = o->busy_ms,
        .immutable = o->immutable,
        .untrusted = o->untrusted,
        .generation = o->single ? 0 : ++db->n_sessions,
        .prepare = ss_functions_register,
    };
    return ss_pool_open(&options, call, out, err);
}

/* Find out what file this is; make it ours when it is empty and we may. */
static ss_status
load_or_create(const ss_db *db, const ss_call *call, ss_session *session, ss_conn *conn,
               ss_error *err)
{
    ss_layout *layout = NULL;
    SS_TRY(ss_layout_load(conn, &layout, err));
    bool may = db->options.mode == SS_MODE_RWC && !ss_conn_read_only(conn) && !db->bare;
    if (layout->kind == SS_FILE_EMPTY && may) {
        bool wal;
        ss_layout_free(layout);
        SS_TRY(ss_journal_of_new(&db->options, &wal, err));
        SS_TRY(ss_layout_create(conn, wal, db->options.busy_ms, err));
        SS_TRY(ss_layout_load(conn, &layout, err));
    }
    if (layout->kind == SS_FILE_LEGACY && db->options.migrate) {
        ss_layout_free(layout);
        SS_TRY(ss_migrate_on_connect(conn, &db->options, call, err));
        SS_TRY(ss_layout_load(conn, &layout, err));
    }
    ss_status status = ss_journal_restore(&db->options, conn, layout, err);
    if (status != SS_OK) {
        ss_layout_free(layout);
        return status;
    }
    if (layout->kind == SS_FILE_NEWER && !ss_conn_read_only(conn)) {
        ss_error_set(
            err, SS_SCHEMA,
            "%s has schema version %lld; this package writes up to version %d. "
            "Open it with mode=\"ro\", or upgrade the package",
            db->path, (long long)layout->user_version, ss_n_migrations);
        ss_layout_free(layout);
        return SS_SCHEMA;
    }
    atomic_store(&session->layout, layout);
    return SS_OK;
}

static ss_status
open_session(ss_db *db, const ss_call *call, ss_session **out, ss_error *err)
{
    ss_session *session = NULL;
    SS_TRY(session_new(&session, err));
    ss_status status = open_pool(db, call, &session->pool, err);
    if (status == SS_OK && !db->options.single) { /* which needs no layout */
        ss_lease lease;
        status = ss_pool_anchor(session->pool, call, &lease, err);
        if (status == SS_OK) {
            status = load_or_create(db, call, session, lease.conn, err);
            ss_pool_return(&lease);
        }
    }
    if (status != SS_OK) {
        ss_session_release(session);
        return status;
    }
    *out = session;
    return SS_OK;
}

static ss_status
refuse_closed(const ss_db *db, ss_error *err)
{
    return ss_error_set(err, SS_CLOSED,
                        "the database %s is closed; connect() opens it again",
                        db->path);
}

static ss_status
refuse_forking(ss_error *err)
{
    return ss_error_set(err, SS_FORKED,
                        "the database cannot be used between the hooks of a fork");
}

/* Wait until nobody is connecting, closing or forking. */
static ss_status
await_settled_lock_held(ss_db *db, const ss_call *call, bool closing, ss_error *err)
{
    int64_t last_check = 0;
    while (db->connecting || (closing && db->closing > 0) || db->forking != 0) {
        if (db->forking == ss_thread_id()) {
            return refuse_forking(err);
        }
        (void)ss_cond_wait(&db->changed, &db->lock, 50);
        if (call != NULL) {
            ss_mutex_unlock(&db->lock);
            ss_status status = ss_call_poll(call, &last_check, err);
            ss_mutex_lock(&db->lock);
            if (status != SS_OK) {
                return status;
            }
        }
    }
    return SS_OK;
}

static ss_status
connect_with(ss_db *db, const ss_call *call, bool bare, ss_error *err)
{
    ss_mutex_lock(&db->lock);
    ss_status status = await_settled_lock_held(db, call, true, err);
    if (status != SS_OK || db->session != NULL) {
        ss_mutex_unlock(&db->lock);
        return status;
    }
    db->connecting = true;
    db->bare = bare;
    ss_mutex_unlock(&db->lock);

    ss_session *session = NULL;
    status = open_session(db, call, &session, err);

    ss_mutex_lock(&db->lock);
    db->connecting = db->bare = false;
    if (status == SS_OK) {
        db->session = session;
        db->closed = false;
    }
    ss_cond_broadcast(&db->changed);
    ss_mutex_unlock(&db->lock);
    return status;
}

ss_status
ss_db_connect(ss_db *db, const ss_call *call, ss_error *err)
{
    return connect_with(db, call, false, err);
}

ss_status
ss_db_connect_bare(ss_db *db, const ss_call *call, ss_error *err)
{
    return ss_db_is_open(db) ? connect_with(db, call, true, err)
                             : refuse_closed(db, err);
}

/* Refuse new work from here on; *session: what is to be closed, or NULL. */
static ss_status
begin_closing(ss_db *db, const ss_call *call, ss_session **session, ss_error *err)
{
    ss_mutex_lock(&db->lock);
    ss_status status = await_settled_lock_held(db, call, false, err);
    if (status == SS_OK && ss_bound_find_lock_held(db, 0) != NULL) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "close() inside this thread's own transaction() or "
                              "snapshot(); leave the with block first");
    }
    if (status == SS_OK) {
        db->closed = true;
        if (db->session != NULL) {
            *session = ss_session_retain(db->session);
            db->closing++;
        }
    }
    ss_mutex_unlock(&db->lock);
    return status;
}

/* Several threads may close at once: closed it is when one of them got through, open
 * again when all have given up waiting. */
static void
end_closing(ss_db *db, ss_session *session, bool done)
{
    ss_session *gone = NULL;
    ss_mutex_lock(&db->lock);
    db->closing--;
    if (done && db->session == session) {
        gone = db->session;
        db->session = NULL;
    }
    if (db->session == session && db->closing == 0) {
        db->closed = false;
    }
    ss_cond_broadcast(&db->changed);
    ss_mutex_unlock(&db->lock);
    ss_session_release(gone);
}

ss_status
ss_db_close(ss_db *db, const ss_call *call, ss_error *err)
{
    ss_session *session = NULL;
    SS_TRY(begin_closing(db, call, &session, err));
    if (session == NULL) {
        return SS_OK;
    }
    ss_status status = ss_pool_close(session->pool, call, err);
    end_closing(db, session, status == SS_OK);
    ss_session_release(session);
    return status;
}

/* --- calls --------------------------------------------------------------------------- */

void
ss_db_cancel(ss_db *db)
{
    atomic_fetch_add(&db->cancel_epoch, 1);
}

void
ss_db_call_init(ss_db *db, ss_call *call, int64_t timeout_ms)
{
    int64_t limit = timeout_ms < 0 ? db->options.timeout_ms : timeout_ms;
    call->deadline_ms = limit > 0 ? ss_clock_ms() + limit : 0;
    call->cancel_epoch = &db->cancel_epoch;
    call->cancel_seen = atomic_load(&db->cancel_epoch);
}

/* --- access -------------------------------------------------------------------------- */

/* A reference to the session, connecting first when nobody has. *found: what this
 * thread is bound to, if anything; that may go on while another thread's close() waits
 * for it. */
static ss_status
enter(ss_db *db, const ss_call *call, ss_session **session, ss_bound **found,
      ss_error *err)
{
    for (;;) {
        ss_mutex_lock(&db->lock);
        ss_bound *b = ss_bound_find_lock_held(db, 0);
        ss_status status =
            b != NULL ? SS_OK : await_settled_lock_held(db, call, false, err);
        ss_session *now = b != NULL ? b->session : db->session;
        if (status == SS_OK && b == NULL && db->closed) {
            status = refuse_closed(db, err);
        }
        if (status != SS_OK || now != NULL) {
            *session = status == SS_OK ? ss_session_retain(now) : NULL;
            *found = b;
            ss_mutex_unlock(&db->lock);
            return status;
        }
        ss_mutex_unlock(&db->lock);
        SS_TRY(ss_db_connect(db, call, err));
    }
}

typedef enum { FOR_READING, FOR_WRITING, ANCHOR } access_kind;

static ss_status
access_enter(ss_db *db, const ss_call *call, access_kind kind, ss_access *out,
             ss_error *err)
{
    ss_session *session = NULL;
    ss_bound *b = NULL;
    SS_TRY(enter(db, call, &session, &b, err));
    ss_status status;
    *out = (ss_access){.db = db, .session = session, .call = call};
    if (b != NULL && (b->kind == SS_BOUND_TRANSACTION || kind == FOR_READING)) {
        status = ss_bound_use(db, b, call, out, err);
    }
    else if (b != NULL && ss_pool_is_memory(session->pool)) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "a \":memory:\" database is one connection: it cannot be "
                              "written inside snapshot()");
    }
    else if (kind == ANCHOR) {
        status = ss_pool_anchor(session->pool, call, &out->lease, err);
    }
    else if (kind == FOR_WRITING) {
        status = ss_pool_write(session->pool, call, &out->lease, err);
    }
    else {
        status = ss_pool_read(session->pool, call, &out->lease, err);
    }
    if (status != SS_OK) {
        ss_session_release(session);
        return status;
    }
    out->conn = out->lease.conn;
    out->cache = out->lease.cache;
    out->layout = out->held != NULL && out->held->layout != NULL
                      ? out->held->layout
                      : atomic_load(&session->layout);
    return SS_OK;
}

ss_status
ss_db_read_enter(ss_db *db, const ss_call *call, ss_access *out, ss_error *err)
{
    return access_enter(db, call, FOR_READING, out, err);
}

ss_status
ss_db_write_enter(ss_db *db, const ss_call *call, ss_access *out, ss_error *err)
{
    return access_enter(db, call, FOR_WRITING, out, err);
}

ss_status
ss_db_anchor_enter(ss_db *db, const ss_call *call, ss_access *out, ss_error *err)
{
    return access_enter(db, call, ANCHOR, out, err);
}

void
ss_db_leave(ss_access *access)
{
    if (access->bound) {
        ss_bound_done(access->db, access);
    }
    else {
        ss_pool_return(&access->lease);
    }
    ss_layout_free(access->pending);
    ss_session_release(access->session);
    access->session = NULL;
}

void
ss_session_publish(ss_session *session, ss_layout *layout)
{
    ss_layout *seen = atomic_load(&session->layout);
    do {
        layout->older = seen;
    } while (!atomic_compare_exchange_weak(&session->layout, &seen, layout));
}

/* Where a layout just read belongs: to the transaction it was read in, or to all. */
static void
keep_layout(ss_access *access, ss_layout *fresh)
{
    if (access->held != NULL) { /* a snapshot, too, sees its own time */
        fresh->older = access->held->layout;
        access->held->layout = fresh;
    }
    else if (access->lease.writer && ss_conn_in_transaction(access->conn)) {
        fresh->older = access->pending;
        access->pending = fresh;
    }
    else {
        ss_session_publish(access->session, fresh);
    }
    access->layout = fresh;
}

ss_status
ss_db_refresh_layout(ss_access *access, bool always, ss_error *err)
{
    if (access->layout->kind == SS_FILE_CURRENT && !always) {
        return SS_OK;
    }
    int64_t version = 0;
    SS_TRY(ss_conn_int(access->conn, "PRAGMA schema_version", &version, err));
    if (version == access->layout->schema_version) {
        return SS_OK;
    }
    ss_layout *fresh = NULL;
    SS_TRY(ss_layout_load(access->conn, &fresh, err));
    keep_layout(access, fresh);
    return SS_OK;
}

static ss_status
read_through_anchor(ss_db *db, const ss_call *call, ss_error *err)
{
    ss_session *session = NULL;
    ss_bound *unused;
    ss_lease lease;
    int64_t count;
    SS_TRY(enter(db, call, &session, &unused, err));
    ss_status status = ss_pool_anchor(session->pool, call, &lease, err);
    if (status == SS_OK) {
        status =
            ss_conn_int(lease.conn, "SELECT count(*) FROM sqlite_schema", &count, err);
        ss_pool_return(&lease);
    }
    ss_session_release(session);
    return status;
}

bool
ss_db_recovered(ss_db *db, const ss_call *call, ss_error *err)
{
    ss_error unused;
    ss_error_init(&unused);
    if (err->sqlite_code != SQLITE_READONLY_ROLLBACK ||
        read_through_anchor(db, call, &unused) != SS_OK) {
        return false;
    }
    ss_error_init(err);
    return true;
}

/* --- one write -------------------------------------------------------------------------- */

ss_status
ss_access_lend(ss_stmt_cache *cache, const ss_sql *sql, ss_stmt **out, ss_error *err)
{
    ss_stmt *stmt = NULL;
    SS_TRY(ss_stmt_cache_get(cache, sql->text.data, sql->text.size, &stmt, err));
    ss_status status = SS_OK;
    for (int i = 0; status == SS_OK && i < sql->n_params; i++) {
        status = ss_stmt_bind(stmt, sql->first_param + i, &sql->params[i], err);
    }
    if (status != SS_OK) {
        ss_stmt_cache_put(cache, stmt);
        return status;
    }
    *out = stmt;
    return SS_OK;
}

ss_status
ss_access_run(ss_access *access, const char *sql, const char *what, ss_error *err)
{
    ss_stmt *stmt = NULL;
    SS_TRY(ss_stmt_cache_get(access->cache, sql, strlen(sql), &stmt, err));
    bool row;
    ss_status status = ss_stmt_step(stmt, what, &row, err);
    ss_stmt_cache_put(access->cache, stmt);
    return status;
}

ss_status
ss_db_begin_work(ss_access *access, ss_error *err)
{
    const char *sql = access->in_transaction ? "SAVEPOINT ss_work" : "BEGIN IMMEDIATE";
    ss_status status = ss_access_run(access, sql, "beginning to write", err);
    if (status != SS_OK && !access->in_transaction) {
        ss_conn_rollback(access->conn); /* stopped when it had begun already */
    }
    return status;
}

/* Undo the work that `status` ended; an error may have undone all of it already. */
static void
undo_work(ss_access *access)
{
    ss_error unused;
    ss_error_init(&unused);
    if (!ss_conn_in_transaction(access->conn)) {
        return;
    }
    if (!access->in_transaction ||
        ss_access_run(access, "ROLLBACK TO ss_work", "undoing", &unused) != SS_OK ||
        ss_access_run(access, "RELEASE ss_work", "undoing", &unused) != SS_OK) {
        ss_conn_rollback(access->conn);
    }
}

ss_status
ss_db_end_work(ss_access *access, ss_status status, ss_error *err)
{
    if (status == SS_OK) {
        const char *sql = access->in_transaction ? "RELEASE ss_work" : "COMMIT";
        status = ss_access_run(access, sql, "committing", err);
    }
    if (status != SS_OK) {
        undo_work(access);
    }
    else if (access->pending != NULL && !access->in_transaction) {
        ss_session_publish(access->session, access->pending);
        access->pending = NULL;
    }
    return status;
}

/* --- fork --------------------------------------------------------------------------------- */

/* Wait for whoever is connecting, or runs a statement on a single connection, whose block
 * nobody waits for: SQLite's own locks, held in the middle of it, would stay locked in the
 * child for ever. */
static void
await_idle_lock_held(ss_db *db, int64_t until_ms)
{
    while ((db->connecting || (db->turn != 0 && db->turn != db->forking)) &&
           ss_clock_ms() < until_ms) {
        (void)ss_cond_wait(&db->changed, &db->lock, until_ms - ss_clock_ms());
    }
}

void
ss_db_before_fork(ss_db *db, int64_t wait_ms)
{
    int64_t until = ss_clock_ms() + wait_ms;
    ss_mutex_lock(&db->lock);
    while (db->forking != 0) {
        (void)ss_cond_wait(&db->changed, &db->lock, 50);
    }
    db->forking = ss_thread_id(); /* nobody begins anything from here on */
    await_idle_lock_held(db, until);
    ss_session *session = db->session != NULL ? ss_session_retain(db->session) : NULL;
    bool own = ss_bound_find_lock_held(db, 0) != NULL; /* not to wait for oneself */
    db->fork_session = session;
    ss_mutex_unlock(&db->lock);
    if (session != NULL) {
        int64_t left = own ? 0 : until - ss_clock_ms();
        (void)ss_pool_before_fork(session->pool, left > 0 ? left : 0);
    }
}

void
ss_db_after_fork_parent(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    ss_session *session = db->fork_session;
    db->fork_session = NULL;
    db->forking = 0;
    ss_cond_broadcast(&db->changed);
    ss_mutex_unlock(&db->lock);
    if (session != NULL) {
        ss_pool_after_fork_parent(session->pool);
        ss_session_release(session);
    }
}

void
ss_db_after_fork_child(ss_db *db)
{
    /* No other thread exists here. One of the parent's may have held the lock, for the
     * few instructions of looking at `forking`, so it is made anew; what it guards had
     * not been touched. A thread that was connecting, closing or waiting is gone. */
    ss_session *session = db->fork_session;
    db->fork_session = NULL;
    db->forking = 0;
    db->connecting = false;
    db->closing = 0;
    db->turn = 0;
    db->n_turns = 0;
    if (ss_mutex_init(&db->lock) != SS_OK || ss_cond_init(&db->changed) != SS_OK ||
        ss_group_after_fork_child(&db->group) != SS_OK) {
        return;
    }
    if (session != NULL) {
        ss_pool_after_fork_child(session->pool);
        ss_session_release(session);
    }
}

/* --- stats -------------------------------------------------------------------------------- */

static int
count_blocks(ss_db *db)
{
    int n = 0;
    ss_mutex_lock(&db->lock);
    for (const ss_bound *b = db->bounds; b != NULL; b = b->next) {
        n++;
    }
    ss_mutex_unlock(&db->lock);
    return n;
}

ss_status
ss_db_get_stats(ss_db *db, const ss_call *call, ss_db_stats *out, ss_error *err)
{
    ss_session *session = NULL;
    ss_bound *unused;
    SS_TRY(enter(db, call, &session, &unused, err));
    const ss_layout *layout = atomic_load(&session->layout);
    int64_t waits;
    ss_pool_get_stats(session->pool, &out->pool);
    ss_group_count(&db->group, &waits, &out->shared_commits);
    out->pool.writer_waits += waits;
    out->scans = atomic_load(&session->scans);
    out->shared_scans = atomic_load(&session->shared_scans);
    out->open = true;
    out->read_only = ss_pool_read_only(session->pool);
    out->wal = layout->wal;
    out->file_kind = (int)layout->kind;
    out->user_version = layout->user_version;
    out->file_bytes = ss_file_bytes(db->path, "");
    out->wal_bytes = ss_file_bytes(db->path, "-wal");
    out->blocks = count_blocks(db);
    ss_session_release(session);
    return SS_OK;
}
