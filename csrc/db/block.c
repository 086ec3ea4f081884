/* The list of what threads hold is the db's, under its lock; a bound's other fields belong
 * to the thread that holds it.
 */
#include "db/block.h"

#include "base/mem.h"
#include "db/db_int.h"
#include "store/watch.h"

#include <unistd.h> // getpid()

#define CROSSED                                                                        \
    "blocks of transaction() of one thread ended in another order than they began "    \
    "(an await or a yield inside one lets others in): all were rolled back"

/* --- bounds ------------------------------------------------------------------------ */

static ss_bound *
find_lock_held(const ss_db *db, uint64_t thread, int kind)
{
    for (ss_bound *b = db->bounds; b != NULL; b = b->next) {
        if (b->thread == thread && (kind == 0 || b->kind == (ss_bound_kind)kind)) {
            return b;
        }
    }
    return NULL;
}

uint64_t
ss_bound_owner(const ss_db *db)
{
    return db->options.single ? 0 : ss_thread_id();
}

ss_bound *
ss_bound_find_lock_held(const ss_db *db, int kind)
{
    if (db->bounds == NULL) {
        return NULL;
    }
    uint64_t thread = ss_bound_owner(db);
    ss_bound *transaction = find_lock_held(db, thread, SS_BOUND_TRANSACTION);
    return kind == 0 && transaction == NULL ? find_lock_held(db, thread, 0)
           : kind == SS_BOUND_SNAPSHOT      ? find_lock_held(db, thread, kind)
                                            : transaction;
}

static ss_bound *
find(ss_db *db, uint64_t thread, ss_bound_kind kind)
{
    ss_mutex_lock(&db->lock);
    ss_bound *b = find_lock_held(db, thread, (int)kind);
    ss_mutex_unlock(&db->lock);
    return b;
}

/* One call at a time: a signal handler may come in the middle of one. */
static bool
take(ss_db *db, ss_bound *b)
{
    ss_mutex_lock(&db->lock);
    bool taken = !b->busy;
    b->busy = true;
    ss_mutex_unlock(&db->lock);
    return taken;
}

static void
give(ss_db *db, ss_bound *b)
{
    ss_mutex_lock(&db->lock);
    b->busy = false;
    ss_mutex_unlock(&db->lock);
}

ss_status
ss_bound_use(ss_db *db, ss_bound *b, const ss_call *call, ss_access *out, ss_error *err)
{
    if (b->pid != getpid()) {
        return ss_error_set(err, SS_FORKED,
                            "this transaction() or snapshot() was begun before fork(); "
                            "the child process cannot use it");
    }
    if (b->dead) {
        return ss_error_set(err, SS_PROGRAMMING,
                            b->crossed ? CROSSED
                            : b->kind == SS_BOUND_TRANSACTION
                                ? "this transaction was rolled back by an earlier "
                                  "error; leave the with block and begin again"
                                : "this snapshot was ended by an earlier error; leave "
                                  "the with block and begin again");
    }
    if (!take(db, b)) {
        return ss_error_set(
            err, SS_PROGRAMMING,
            "a statement of this transaction() or snapshot() is still "
            "running; neither a signal handler nor a progress function can "
            "use it meanwhile");
    }
    out->db = db;
    out->held = b;
    out->lease = b->lease;
    out->conn = b->lease.conn;
    out->cache = b->lease.cache;
    out->bound = true;
    out->in_transaction = b->kind == SS_BOUND_TRANSACTION;
    ss_conn_call_begin(out->conn, call);
    return SS_OK;
}

void
ss_bound_done(ss_db *db, ss_access *access)
{
    ss_bound *b = access->held;
    ss_conn_call_end(access->conn);
    if (!ss_conn_in_transaction(access->conn)) {
        b->dead = true; /* an error took the whole transaction with it */
    }
    give(db, b);
}

void
ss_bound_drop(ss_db *db, ss_bound *b)
{
    ss_mutex_lock(&db->lock);
    ss_bound **link = &db->bounds;
    while (*link != b) {
        link = &(*link)->next;
    }
    *link = b->next;
    ss_mutex_unlock(&db->lock);
    if (b->pid == getpid()) {
        ss_pool_return(&b->lease); /* ends its transaction */
    }
    ss_layout_free(b->layout);
    ss_session_release(b->session);
    ss_free(b->owners);
    ss_free(b);
}

ss_status
ss_bound_hold(ss_access *access, ss_bound_kind kind, ss_error *err)
{
    ss_db *db = access->db;
    ss_bound *b = ss_calloc(1, sizeof(*b));
    if (b == NULL) {
        return ss_error_nomem(err);
    }
    b->thread = ss_bound_owner(db);
    b->pid = getpid();
    b->kind = kind;
    b->depth = 1;
    b->seen = access->seen;
    b->lease = access->lease;
    b->session = access->session;
    ss_conn_call_end(access->conn); /* the call is over, the lease goes on */
    ss_mutex_lock(&db->lock);
    b->next = db->bounds;
    db->bounds = b;
    ss_mutex_unlock(&db->lock);
    access->held = b;
    return SS_OK;
}

static void
abandon(ss_access *access)
{
    ss_conn_rollback(access->conn);
    ss_db_leave(access);
}

/* --- transaction() ------------------------------------------------------------------ */

static ss_status
make_room(ss_bound *b, ss_error *err)
{
    size_t n = (size_t)b->depth + 1;
    const void **owners = ss_realloc_array(b->owners, n, sizeof(*owners));
    if (owners == NULL) {
        return ss_error_nomem(err);
    }
    b->owners = owners;
    return SS_OK;
}

/* The innermost block of `owner`, counted from 1; 0: it has none. */
static int
level_of(const ss_bound *b, const void *owner)
{
    int level = b->depth;
    while (level > 0 && b->owners[level - 1] != owner) {
        level--;
    }
    return level;
}

static void
forget_level(ss_bound *b, int level)
{
    for (int i = level; i < b->depth; i++) {
        b->owners[i - 1] = b->owners[i];
    }
    b->depth--;
}

/* Savepoints of nested blocks are numbered by depth: ss_block_2, ... */
static ss_status
run_block(ss_access *access, const char *verb, int depth, ss_error *err)
{
    char sql[64];
    sqlite3_snprintf(sizeof(sql), sql, "%s ss_block_%d", verb, depth);
    return ss_access_run(access, sql, "nesting a transaction", err);
}

static ss_status
begin_nested(ss_db *db, ss_bound *b, const ss_call *call, const void *owner,
             ss_error *err)
{
    ss_access access = {0};
    SS_TRY(ss_bound_use(db, b, call, &access, err));
    ss_status status = make_room(b, err);
    if (status == SS_OK) {
        status = run_block(&access, "SAVEPOINT", b->depth + 1, err);
    }
    if (status == SS_OK) {
        b->owners[b->depth++] = owner;
    }
    ss_bound_done(db, &access);
    return status;
}

static ss_status
begin_outermost(ss_access *access, const void *owner, ss_error *err)
{
    SS_TRY(ss_db_begin_work(access, err));
    const void **owners = ss_realloc_array(NULL, 1, sizeof(*owners));
    if (owners == NULL) {
        return ss_error_nomem(err);
    }
    owners[0] = owner;
    ss_status status = ss_bound_hold(access, SS_BOUND_TRANSACTION, err);
    if (status != SS_OK) {
        ss_free(owners);
        return status;
    }
    access->held->owners = owners;
    return SS_OK;
}

ss_status
ss_db_begin(ss_db *db, const ss_call *call, const void *owner, uint64_t *thread,
            ss_error *err)
{
    ss_bound *b = find(db, ss_bound_owner(db), SS_BOUND_TRANSACTION);
    if (b != NULL) {
        *thread = b->thread;
        return begin_nested(db, b, call, owner, err);
    }
    ss_access access;
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status = begin_outermost(&access, owner, err);
    if (status != SS_OK) {
        abandon(&access);
        return status;
    }
    *thread = ss_bound_owner(db);
    return SS_OK;
}

static ss_status
end_nested(ss_bound *b, ss_access *access, bool commit, ss_error *err)
{
    int depth = b->depth--;
    if (commit) {
        return run_block(access, "RELEASE", depth, err);
    }
    /* What the block made of the tables is undone, too. */
    ss_layout_free(b->layout);
    b->layout = NULL;
    access->layout = atomic_load(&b->session->layout);
    SS_TRY(run_block(access, "ROLLBACK TO", depth, err));
    SS_TRY(run_block(access, "RELEASE", depth, err));
    return ss_db_refresh_layout(access, true, err);
}

/* The transaction is gone already: an error rolled it back, or a fork took it. */
static ss_status
end_dead(ss_db *db, ss_bound *b, int level, bool commit, ss_error *err)
{
    bool forked = b->pid != getpid();
    bool crossed = b->crossed;
    forget_level(b, level);
    if (forked || b->depth == 0) {
        ss_bound_drop(db, b);
    }
    if (!commit) {
        return SS_OK;
    }
    if (forked) {
        return ss_error_set(err, SS_FORKED,
                            "a transaction begun before fork() cannot be committed in "
                            "the child process");
    }
    return ss_error_set(err, SS_PROGRAMMING, "%s",
                        crossed ? CROSSED
                                : "nothing was committed: an earlier error had rolled "
                                  "the transaction back");
}

/* A block inside this one is still open. */
static ss_status
end_crossed(ss_db *db, ss_bound *b, ss_access *access, int level, bool commit,
            ss_error *err)
{
    ss_conn_rollback(access->conn);
    forget_level(b, level);
    b->crossed = true;
    ss_bound_done(db, access);
    return commit ? ss_error_set(err, SS_PROGRAMMING, CROSSED) : SS_OK;
}

/* Commit or roll back the outermost block, and let go of the connection. */
static ss_status
end_outermost(ss_db *db, ss_bound *b, ss_access *access, bool commit, ss_error *err)
{
    ss_status status = SS_OK;
    if (commit) {
        status = ss_access_run(access, "COMMIT", "committing", err);
    }
    if (commit && status == SS_OK && b->layout != NULL) {
        ss_session_publish(b->session, b->layout);
        b->layout = NULL;
    }
    ss_conn_rollback(access->conn);
    ss_conn_call_end(access->conn);
    ss_bound_drop(db, b);
    return status;
}

ss_status
ss_db_end(ss_db *db, const ss_call *call, const void *owner, uint64_t thread,
          bool commit, ss_error *err)
{
    ss_bound *b = find(db, thread, SS_BOUND_TRANSACTION);
    int level = b != NULL ? level_of(b, owner) : 0;
    if (level == 0) {
        return ss_error_set(err, SS_PROGRAMMING, "this transaction() is not open");
    }
    if (b->dead || b->pid != getpid()) {
        return end_dead(db, b, level, commit, err);
    }
    ss_access access = {0};
    SS_TRY(ss_bound_use(db, b, call, &access, err));
    if (level < b->depth) {
        return end_crossed(db, b, &access, level, commit, err);
    }
    if (b->depth == 1) {
        return end_outermost(db, b, &access, commit, err);
    }
    ss_status status = end_nested(b, &access, commit, err);
    ss_bound_done(db, &access);
    return status;
}

bool
ss_db_is_bound(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    bool bound = ss_bound_find_lock_held(db, 0) != NULL;
    ss_mutex_unlock(&db->lock);
    return bound;
}

/* --- snapshot() ----------------------------------------------------------------------- */

static ss_status
begin_view(ss_access *access, uint64_t *thread, ss_error *err)
{
    if (access->bound) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "snapshot() inside transaction(): the transaction is one "
                            "consistent view already");
    }
    (void)ss_watch_before(access->session->pool, &access->seen);
    SS_TRY(ss_access_run(access, "BEGIN", "beginning a snapshot", err));
    /* The first read is what fixes the view. */
    SS_TRY(ss_access_run(access, "SELECT 1 FROM sqlite_schema LIMIT 1",
                         "beginning a snapshot", err));
    SS_TRY(ss_bound_hold(access, SS_BOUND_SNAPSHOT, err));
    *thread = ss_bound_owner(access->db);
    return SS_OK;
}

static ss_status
begin_snapshot(ss_db *db, const ss_call *call, uint64_t *thread, ss_error *err)
{
    ss_access access;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    ss_status status = begin_view(&access, thread, err);
    if (status != SS_OK && access.bound) {
        ss_db_leave(&access);
    }
    else if (status != SS_OK) {
        abandon(&access);
    }
    return status;
}

ss_status
ss_db_snapshot_begin(ss_db *db, const ss_call *call, uint64_t *thread, ss_error *err)
{
    ss_bound *b = find(db, ss_bound_owner(db), SS_BOUND_SNAPSHOT);
    if (b != NULL) {
        b->depth++;
        *thread = b->thread;
        return SS_OK;
    }
    ss_status status = begin_snapshot(db, call, thread, err);
    if (status != SS_OK && ss_db_recovered(db, call, err)) {
        status = begin_snapshot(db, call, thread, err);
    }
    return status;
}

ss_status
ss_db_snapshot_end(ss_db *db, uint64_t thread, ss_error *err)
{
    ss_bound *b = find(db, thread, SS_BOUND_SNAPSHOT);
    if (b == NULL) {
        return ss_error_set(err, SS_PROGRAMMING, "this snapshot() is not open");
    }
    if (b->depth == 1 && !take(db, b)) {
        return ss_error_set(err, SS_PROGRAMMING,
                            "a statement of this snapshot() is still running");
    }
    if (--b->depth == 0) {
        ss_bound_drop(db, b);
    }
    return SS_OK;
}
