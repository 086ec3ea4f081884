/* Locking: `lock` is a leaf. It guards session, state, connecting and the list of
 * bound threads, and is held for a few instructions only; fork() alone keeps it longer
 * (before to after), so that the child finds the list whole.
 */
#include "db/db_int.h"

#include "base/mem.h"
#include "base/thread.h"
#include "db/functions.h"

#include <string.h> // strlen()
#include <unistd.h> // getpid()

typedef enum { BOUND_SNAPSHOT = 1, BOUND_TRANSACTION = 2 } bound_kind;

/* What one thread holds between the begin and the end of a with block. */
typedef struct bound {
    uint64_t thread;
    pid_t pid;
    bound_kind kind;
    int depth; /* of nested blocks of this kind, from 1 */
    bool dead; /* rolled back by an error: nothing more may run in it */
    ss_lease lease;
    ss_session *session; /* owned reference */
    struct bound *next;
} bound;

struct ss_db {
    ss_db_options options; /* constant; path is owned */
    char *path;
    ss_mutex lock;
    ss_cond connected;
    ss_session *session; /* owned reference, NULL unless connected */
    bool connecting, closed;
    bool bare;     /* connect to an empty file without making our tables in it */
    bound *bounds; /* owned */
    _Atomic uint64_t cancel_epoch;
    ss_session *fork_session; /* owned reference between before and after fork */
};

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
    if (ss_cond_init(&db->connected) != SS_OK) {
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
}

static void
session_release(ss_session *session)
{
    if (session == NULL || atomic_fetch_sub(&session->refs, 1) != 1) {
        return;
    }
    ss_pool_free(session->pool);
    ss_layout_free(atomic_load(&session->layout));
    plans_free(session);
    ss_free(session);
}

static ss_session *
session_retain(ss_session *session)
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
        bound *b = db->bounds;
        db->bounds = b->next;
        if (b->pid == getpid()) {
            ss_pool_return(&b->lease);
        }
        session_release(b->session);
        ss_free(b);
    }
    session_release(db->session);
    ss_cond_destroy(&db->connected);
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

/* --- connecting -------------------------------------------------------------------- */

static ss_status
session_new(ss_session **out, ss_error *err)
{
    ss_session *session = ss_calloc(1, sizeof(*session));
    if (session == NULL) {
        return ss_error_nomem(err);
    }
    atomic_init(&session->refs, 1);
    session->plans =
        ss_calloc((size_t)ss_n_tables * SS_PLANS_PER_TABLE, sizeof(*session->plans));
    if (session->plans == NULL) {
        session_release(session);
        return ss_error_nomem(err);
    }
    *out = session;
    return SS_OK;
}

static ss_status
open_pool(const ss_db *db, const ss_call *call, ss_pool **out, ss_error *err)
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
        .prepare = ss_functions_register,
    };
    return ss_pool_open(&options, call, out, err);
}

/* Find out what file this is; make it ours when it is empty and we may. */
static ss_status
load_or_create(const ss_db *db, ss_session *session, ss_conn *conn, ss_error *err)
{
    ss_layout *layout = NULL;
    SS_TRY(ss_layout_load(conn, &layout, err));
    bool may = db->options.mode == SS_MODE_RWC && !ss_conn_read_only(conn) && !db->bare;
    if (layout->kind == SS_FILE_EMPTY && may) {
        ss_layout_free(layout);
        SS_TRY(ss_layout_create(conn, ss_pool_is_memory(session->pool), err));
        SS_TRY(ss_layout_load(conn, &layout, err));
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
open_session(const ss_db *db, const ss_call *call, ss_session **out, ss_error *err)
{
    ss_session *session = NULL;
    SS_TRY(session_new(&session, err));
    ss_status status = open_pool(db, call, &session->pool, err);
    if (status == SS_OK) {
        ss_lease lease;
        status = ss_pool_anchor(session->pool, call, &lease, err);
        if (status == SS_OK) {
            status = load_or_create(db, session, lease.conn, err);
            ss_pool_return(&lease);
        }
    }
    if (status != SS_OK) {
        session_release(session);
        return status;
    }
    *out = session;
    return SS_OK;
}

/* Wait until nobody else is connecting. */
static ss_status
await_connecting_lock_held(ss_db *db, const ss_call *call, ss_error *err)
{
    int64_t last_check = 0;
    while (db->connecting) {
        (void)ss_cond_wait(&db->connected, &db->lock, 50);
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
refuse_closed(const ss_db *db, ss_error *err)
{
    return ss_error_set(err, SS_CLOSED,
                        "the database %s is closed; connect() opens it again",
                        db->path);
}

static ss_status
connect_with(ss_db *db, const ss_call *call, bool bare, ss_error *err)
{
    ss_mutex_lock(&db->lock);
    ss_status status = await_connecting_lock_held(db, call, err);
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
    ss_cond_broadcast(&db->connected);
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

static bound *
find_bound_lock_held(const ss_db *db)
{
    if (db->bounds == NULL) {
        return NULL;
    }
    uint64_t thread = ss_thread_id();
    for (bound *b = db->bounds; b != NULL; b = b->next) {
        if (b->thread == thread) {
            return b;
        }
    }
    return NULL;
}

/* The innermost kind may be either; a transaction hides the snapshot around it. */
static bound *
find_bound_of_lock_held(const ss_db *db, bound_kind kind)
{
    uint64_t thread = ss_thread_id();
    for (bound *b = db->bounds; b != NULL; b = b->next) {
        if (b->thread == thread && b->kind == kind) {
            return b;
        }
    }
    return NULL;
}

ss_status
ss_db_close(ss_db *db, const ss_call *call, ss_error *err)
{
    ss_mutex_lock(&db->lock);
    ss_status status = await_connecting_lock_held(db, call, err);
    if (status == SS_OK && find_bound_lock_held(db) != NULL) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "close() inside this thread's own transaction() or "
                              "snapshot(); leave the with block first");
    }
    ss_session *session = NULL;
    if (status == SS_OK) {
        db->closed = true; /* new work is refused from here on */
        session = db->session != NULL ? session_retain(db->session) : NULL;
    }
    ss_mutex_unlock(&db->lock);
    if (session == NULL) {
        return status;
    }
    status = ss_pool_close(session->pool, call, err);
    ss_mutex_lock(&db->lock);
    ss_session *gone = NULL;
    if (status == SS_OK && db->session == session) {
        gone = db->session;
        db->session = NULL;
    }
    else if (status != SS_OK) {
        db->closed = false; /* the wait was stopped: it is still open */
    }
    ss_mutex_unlock(&db->lock);
    session_release(gone);
    session_release(session);
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
 * thread is bound to, if anything. */
static ss_status
enter(ss_db *db, const ss_call *call, ss_session **session, bound **found,
      ss_error *err)
{
    for (;;) {
        ss_mutex_lock(&db->lock);
        if (db->closed) {
            ss_mutex_unlock(&db->lock);
            return refuse_closed(db, err);
        }
        if (db->session != NULL) {
            *session = session_retain(db->session);
            *found = find_bound_of_lock_held(db, BOUND_TRANSACTION);
            if (*found == NULL) {
                *found = find_bound_lock_held(db);
            }
            ss_mutex_unlock(&db->lock);
            return SS_OK;
        }
        ss_mutex_unlock(&db->lock);
        SS_TRY(ss_db_connect(db, call, err));
    }
}

static ss_status
use_bound(bound *b, const ss_call *call, ss_access *out, ss_error *err)
{
    if (b->pid != getpid()) {
        return ss_error_set(err, SS_FORKED,
                            "this transaction() or snapshot() was begun before fork(); "
                            "the child process cannot use it");
    }
    if (b->dead) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "this transaction was rolled back by an earlier error; "
                            "leave the with block and begin again");
    }
    out->lease = b->lease;
    out->held = b;
    out->bound = true;
    out->in_transaction = b->kind == BOUND_TRANSACTION;
    ss_conn_call_begin(out->lease.conn, call);
    return SS_OK;
}

static ss_status
access_enter(ss_db *db, const ss_call *call, bool write, ss_access *out, ss_error *err)
{
    ss_session *session = NULL;
    bound *b = NULL;
    SS_TRY(enter(db, call, &session, &b, err));
    ss_status status;
    out->bound = out->in_transaction = false;
    out->held = NULL;
    if (b != NULL && (b->kind == BOUND_TRANSACTION || !write)) {
        status = use_bound(b, call, out, err);
    }
    else if (b != NULL && ss_pool_is_memory(session->pool)) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "a \":memory:\" database is one connection: it cannot be "
                              "written inside snapshot()");
    }
    else if (write) {
        status = ss_pool_write(session->pool, call, &out->lease, err);
    }
    else {
        status = ss_pool_read(session->pool, call, &out->lease, err);
    }
    if (status != SS_OK) {
        session_release(session);
        return status;
    }
    out->session = session;
    out->conn = out->lease.conn;
    out->cache = out->lease.cache;
    out->layout = atomic_load(&session->layout);
    return SS_OK;
}

ss_status
ss_db_read_enter(ss_db *db, const ss_call *call, ss_access *out, ss_error *err)
{
    return access_enter(db, call, false, out, err);
}

ss_status
ss_db_write_enter(ss_db *db, const ss_call *call, ss_access *out, ss_error *err)
{
    return access_enter(db, call, true, out, err);
}

void
ss_db_leave(ss_access *access)
{
    if (access->bound) {
        bound *b = access->held;
        if (access->in_transaction && !ss_conn_in_transaction(access->conn)) {
            b->dead = true; /* an error took the whole transaction with it */
        }
        ss_conn_call_end(access->conn);
    }
    else {
        ss_pool_return(&access->lease);
    }
    session_release(access->session);
    access->session = NULL;
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
    ss_layout *seen = atomic_load(&access->session->layout);
    do {
        fresh->older = seen;
    } while (!atomic_compare_exchange_weak(&access->session->layout, &seen, fresh));
    access->layout = fresh;
    return SS_OK;
}

static ss_status
read_through_anchor(ss_db *db, const ss_call *call, ss_error *err)
{
    ss_session *session = NULL;
    bound *unused;
    ss_lease lease;
    int64_t count;
    SS_TRY(enter(db, call, &session, &unused, err));
    ss_status status = ss_pool_anchor(session->pool, call, &lease, err);
    if (status == SS_OK) {
        status =
            ss_conn_int(lease.conn, "SELECT count(*) FROM sqlite_schema", &count, err);
        ss_pool_return(&lease);
    }
    session_release(session);
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

/* Run one of our own statements, kept prepared. */
static ss_status
run(ss_access *access, const char *sql, const char *what, ss_error *err)
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
    return run(access, access->in_transaction ? "SAVEPOINT ss_work" : "BEGIN IMMEDIATE",
               "beginning to write", err);
}

ss_status
ss_db_end_work(ss_access *access, ss_status status, ss_error *err)
{
    if (status == SS_OK) {
        status = run(access, access->in_transaction ? "RELEASE ss_work" : "COMMIT",
                     "committing", err);
        if (status == SS_OK) {
            return SS_OK;
        }
    }
    if (!ss_conn_in_transaction(access->conn)) {
        return status; /* SQLite rolled all of it back itself */
    }
    if (access->in_transaction) {
        ss_error unused;
        ss_error_init(&unused);
        if (run(access, "ROLLBACK TO ss_work", "undoing", &unused) != SS_OK ||
            run(access, "RELEASE ss_work", "undoing", &unused) != SS_OK) {
            ss_conn_rollback(access->conn);
        }
    }
    else {
        ss_conn_rollback(access->conn);
    }
    return status;
}

/* --- transaction() and snapshot() --------------------------------------------------------- */

static void
bind_thread(ss_db *db, bound *b)
{
    ss_mutex_lock(&db->lock);
    b->next = db->bounds;
    db->bounds = b;
    ss_mutex_unlock(&db->lock);
}

static void
unbind_thread(ss_db *db, bound *b)
{
    ss_mutex_lock(&db->lock);
    bound **link = &db->bounds;
    while (*link != b) {
        link = &(*link)->next;
    }
    *link = b->next;
    ss_mutex_unlock(&db->lock);
    if (b->pid == getpid()) {
        ss_pool_return(&b->lease);
    }
    session_release(b->session);
    ss_free(b);
}

static bound *
bound_of(ss_db *db, bound_kind kind)
{
    ss_mutex_lock(&db->lock);
    bound *b = find_bound_of_lock_held(db, kind);
    ss_mutex_unlock(&db->lock);
    return b;
}

int
ss_db_bound(ss_db *db)
{
    return bound_of(db, BOUND_TRANSACTION) != NULL ? BOUND_TRANSACTION
           : bound_of(db, BOUND_SNAPSHOT) != NULL  ? BOUND_SNAPSHOT
                                                   : 0;
}

/* Hold the connection of `access` until the block ends; takes the access on success. */
static ss_status
hold(ss_db *db, ss_access *access, bound_kind kind, ss_error *err)
{
    bound *b = ss_calloc(1, sizeof(*b));
    if (b == NULL) {
        return ss_error_nomem(err);
    }
    b->thread = ss_thread_id();
    b->pid = getpid();
    b->kind = kind;
    b->depth = 1;
    b->lease = access->lease;
    b->session = access->session;
    ss_conn_call_end(access->conn); /* the call is over, the lease goes on */
    bind_thread(db, b);
    return SS_OK;
}

/* Savepoints of nested blocks are numbered by depth: ss_block_2, ... */
static ss_status
run_block(ss_access *access, const char *verb, int depth, ss_error *err)
{
    char sql[64];
    sqlite3_snprintf(sizeof(sql), sql, "%s ss_block_%d", verb, depth);
    return run(access, sql, "nesting a transaction", err);
}

static ss_status
begin_nested(bound *b, const ss_call *call, ss_error *err)
{
    ss_access access = {0};
    SS_TRY(use_bound(b, call, &access, err));
    access.conn = access.lease.conn;
    access.cache = access.lease.cache;
    ss_status status = run_block(&access, "SAVEPOINT", b->depth + 1, err);
    ss_conn_call_end(access.conn);
    if (status == SS_OK) {
        b->depth++;
    }
    return status;
}

ss_status
ss_db_begin(ss_db *db, const ss_call *call, ss_error *err)
{
    bound *b = bound_of(db, BOUND_TRANSACTION);
    if (b != NULL) {
        return begin_nested(b, call, err);
    }
    ss_access access;
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status = ss_db_begin_work(&access, err);
    if (status == SS_OK) {
        status = hold(db, &access, BOUND_TRANSACTION, err);
    }
    if (status != SS_OK) {
        ss_conn_rollback(access.conn);
        ss_db_leave(&access);
    }
    return status;
}

static ss_status
end_nested(bound *b, ss_access *access, bool commit, ss_error *err)
{
    int depth = b->depth--;
    if (commit) {
        return run_block(access, "RELEASE", depth, err);
    }
    ss_status status = run_block(access, "ROLLBACK TO", depth, err);
    if (status == SS_OK) {
        status = run_block(access, "RELEASE", depth, err);
    }
    return status;
}

/* The transaction is gone already: an error rolled it back, or a fork took it. */
static ss_status
end_dead(ss_db *db, bound *b, bool commit, ss_error *err)
{
    bool forked = b->pid != getpid();
    if (forked || --b->depth == 0) {
        unbind_thread(db, b);
    }
    if (!commit) {
        return SS_OK;
    }
    if (forked) {
        return ss_error_set(err, SS_FORKED,
                            "a transaction begun before fork() cannot be committed in "
                            "the child process");
    }
    return ss_error_set(err, SS_PROGRAMMING,
                        "nothing was committed: an earlier error had rolled the "
                        "transaction back");
}

ss_status
ss_db_end(ss_db *db, const ss_call *call, bool commit, ss_error *err)
{
    bound *b = bound_of(db, BOUND_TRANSACTION);
    if (b == NULL) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "this thread has no transaction() open");
    }
    if (b->dead || b->pid != getpid()) {
        return end_dead(db, b, commit, err);
    }
    ss_access access = {0};
    SS_TRY(use_bound(b, call, &access, err));
    access.conn = access.lease.conn;
    access.cache = access.lease.cache;
    if (b->depth > 1) {
        ss_status status = end_nested(b, &access, commit, err);
        b->dead = !ss_conn_in_transaction(access.conn);
        ss_conn_call_end(access.conn);
        return status;
    }
    access.in_transaction = false; /* end it, not a savepoint in it */
    ss_status status = commit ? ss_db_end_work(&access, SS_OK, err) : SS_OK;
    ss_conn_rollback(access.conn);
    ss_conn_call_end(access.conn);
    unbind_thread(db, b);
    return status;
}

ss_status
ss_db_snapshot_begin(ss_db *db, const ss_call *call, ss_error *err)
{
    bound *b = bound_of(db, BOUND_SNAPSHOT);
    if (b != NULL) {
        b->depth++;
        return SS_OK;
    }
    ss_access access;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    if (access.bound) {
        ss_db_leave(&access);
        return ss_error_set(err, SS_PROGRAMMING,
                            "snapshot() inside transaction(): the transaction is one "
                            "consistent view already");
    }
    ss_status status = run(&access, "BEGIN", "beginning a snapshot", err);
    if (status == SS_OK) { /* the first read is what fixes the view */
        status = run(&access, "SELECT 1 FROM sqlite_schema LIMIT 1",
                     "beginning a snapshot", err);
    }
    if (status == SS_OK) {
        status = hold(db, &access, BOUND_SNAPSHOT, err);
    }
    if (status != SS_OK) {
        ss_conn_rollback(access.conn);
        ss_db_leave(&access);
    }
    return status;
}

ss_status
ss_db_snapshot_end(ss_db *db, ss_error *err)
{
    bound *b = bound_of(db, BOUND_SNAPSHOT);
    if (b == NULL) {
        return ss_error_set(err, SS_PROGRAMMING, "this thread has no snapshot() open");
    }
    if (--b->depth == 0) {
        unbind_thread(db, b); /* returning the lease ends its transaction */
    }
    return SS_OK;
}

/* --- fork --------------------------------------------------------------------------------- */

/* Wait for whoever is connecting: SQLite's own locks, held in the middle of opening a
 * file, would stay locked in the child for ever. */
static void
await_connected_lock_held(ss_db *db, int64_t until_ms)
{
    while (db->connecting && ss_clock_ms() < until_ms) {
        (void)ss_cond_wait(&db->connected, &db->lock, until_ms - ss_clock_ms());
    }
}

void
ss_db_before_fork(ss_db *db, int64_t wait_ms)
{
    int64_t until = ss_clock_ms() + wait_ms;
    ss_session *session = NULL;
    ss_mutex_lock(&db->lock);
    for (;;) {
        await_connected_lock_held(db, until);
        if (db->session == session) {
            break; /* with the lock held: nobody connects from here on */
        }
        ss_session *stale = session; /* closed, or connected anew, meanwhile */
        session = db->session != NULL ? session_retain(db->session) : NULL;
        bool own = find_bound_lock_held(db) != NULL; /* not to wait for oneself */
        ss_mutex_unlock(&db->lock);
        if (stale != NULL) {
            ss_pool_after_fork_parent(stale->pool);
            session_release(stale);
        }
        if (session != NULL) {
            int64_t left = own ? 0 : until - ss_clock_ms();
            (void)ss_pool_before_fork(session->pool, left > 0 ? left : 0);
        }
        ss_mutex_lock(&db->lock);
    }
    db->fork_session = session;
}

void
ss_db_after_fork_parent(ss_db *db)
{
    ss_session *session = db->fork_session;
    db->fork_session = NULL;
    ss_mutex_unlock(&db->lock);
    if (session != NULL) {
        ss_pool_after_fork_parent(session->pool);
        session_release(session);
    }
}

void
ss_db_after_fork_child(ss_db *db)
{
    /* No other thread exists here; the lock is ours, made anew all the same. A thread
     * that was connecting or waiting is gone. */
    ss_session *session = db->fork_session;
    db->fork_session = NULL;
    db->connecting = false;
    if (ss_mutex_init(&db->lock) != SS_OK || ss_cond_init(&db->connected) != SS_OK) {
        return;
    }
    if (session != NULL) {
        ss_pool_after_fork_child(session->pool);
        session_release(session);
    }
}

/* --- stats -------------------------------------------------------------------------------- */

ss_status
ss_db_get_stats(ss_db *db, const ss_call *call, ss_db_stats *out, ss_error *err)
{
    ss_session *session = NULL;
    bound *unused;
    SS_TRY(enter(db, call, &session, &unused, err));
    const ss_layout *layout = atomic_load(&session->layout);
    ss_pool_get_stats(session->pool, &out->pool);
    out->open = true;
    out->read_only = ss_pool_read_only(session->pool);
    out->wal = layout->wal;
    out->file_kind = (int)layout->kind;
    out->user_version = layout->user_version;
    session_release(session);
    return SS_OK;
}
