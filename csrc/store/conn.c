/* store/conn: one SQLite connection, opened hardened, and the call that runs on it.
 *
 * Owns the sqlite3 handle and the path.  One thread at a time (SQLITE_OPEN_NOMUTEX):
 * the holder of its lease.  Called without the GIL; the only way up is ss_call.check.
 *
 * Invariants:
 *  1. A connection that ss_conn_open returned has every setting of the header: each
 *     one was written and read back; the first that did not take failed the opening.
 *  2. Settings that decide how a schema is understood precede the first statement that
 *     reads one (PRAGMA synchronous does).
 *  3. A call is stopped by the progress and busy handlers asking ss_call_poll, never by
 *     sqlite3_interrupt, which could hit the next call on the handle.  `stopped` keeps
 *     the reason until the next ss_conn_call_begin.
 *  4. A write that has been committed is not reported as interrupted (on_commit).
 */
#include "store/conn.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"
#include "store/explain.h"
#include "store/steady.h"

#include <assert.h>
#include <stdio.h>  // snprintf()
#include <string.h> // strcmp()

enum {
    PROGRESS_OPS = 2000, /* some tens of microseconds of the virtual machine */
    CHECK_EVERY_MS = 50,
    BUSY_SLEEP_US = 500,
    JOURNAL_SIZE_LIMIT = 64 * 1024 * 1024,
};

struct ss_conn {
    sqlite3 *db; /* owned */
    char *path;  /* owned */
    unsigned flags;
    int64_t busy_ms;
    const ss_call *call; /* borrowed between call_begin and call_end, else NULL */
    int64_t last_check_ms;
    int64_t busy_since_ms;
    bool committed;              /* see on_commit */
    _Atomic uint64_t *n_commits; /* borrowed, or NULL */
    bool opened;                 /* it has read the file once */
    bool sync_failed;            /* see ss_conn_sync_failed */
    ss_error stopped;    /* why the present call was stopped; SS_OK: it was not */
    ss_guard guard;      /* whose SQL is being prepared */
    bool varies;         /* see ss_conn_varies */
    const char *refused; /* what the guard refused in it; constant text, or NULL */
};

/* ---- calls ---- */

ss_status
ss_call_poll(const ss_call *call, int64_t *last_check_ms, ss_error *err)
{
    if (call->cancel_epoch != NULL &&
        atomic_load_explicit(call->cancel_epoch, memory_order_relaxed) !=
            call->cancel_seen) {
        return ss_error_set(err, SS_INTERRUPTED, "cancelled");
    }
    if (call->deadline_ms == 0 && call->check == NULL) {
        return SS_OK;
    }
    int64_t now = ss_clock_coarse_ms();
    if (call->deadline_ms != 0 && now >= call->deadline_ms) {
        return ss_error_set(err, SS_INTERRUPTED, "the time limit passed");
    }
    if (call->check != NULL && now - *last_check_ms >= CHECK_EVERY_MS) {
        *last_check_ms = now;
        if (call->check(call->check_arg) != 0) {
            return ss_error_set(err, SS_SIGNAL, "interrupted by a signal");
        }
    }
    return SS_OK;
}

/* Must the present call end now? */
static bool
stops(ss_conn *conn)
{
    if (conn->call == NULL) {
        return false;
    }
    return conn->stopped.code != SS_OK ||
           ss_call_poll(conn->call, &conn->last_check_ms, &conn->stopped) != SS_OK;
}

static int
on_progress(void *arg)
{
    ss_conn *conn = arg;

    if (conn->committed) {
        conn->committed = false;
        return 0;
    }
    return stops(conn);
}

/* SQLite asks the progress handler once more when a statement ends, and would report a
 * COMMIT that is already on disk as interrupted.  So a commit lets the next question
 * pass; when that one belongs to the next statement, it only stops a little later. */
static int
on_commit(void *arg)
{
    ss_conn *conn = arg;

    conn->committed = true;
    if (conn->n_commits != NULL) {
        atomic_fetch_add(conn->n_commits, 1);
    }
    return 0;
}

void
ss_conn_count_commits(ss_conn *conn, _Atomic uint64_t *n)
{
    conn->n_commits = n;
}

/* Wait for a lock of another connection or process, in short equal steps: growing ones
 * starve whoever has waited longest. */
static int
on_busy(void *arg, int n_before)
{
    ss_conn *conn = arg;
    int64_t now = ss_clock_ms();

    if (n_before == 0) {
        conn->busy_since_ms = now;
    }
    if (now - conn->busy_since_ms >= conn->busy_ms || stops(conn)) {
        return 0;
    }
    ss_sleep_us(BUSY_SLEEP_US);
    return 1;
}

void
ss_conn_call_begin(ss_conn *conn, const ss_call *call)
{
    conn->call = call;
    ss_error_init(&conn->stopped);
    /* The first question waits 50 ms: it needs the GIL, and most calls are shorter. */
    conn->last_check_ms = call != NULL ? ss_clock_coarse_ms() : 0;
}

void
ss_conn_call_end(ss_conn *conn)
{
    conn->call = NULL;
    conn->guard = SS_GUARD_OFF; /* the pool's own statements come next */
}

/* ---- errors ---- */

/* The failure of the present or last call, when it was stopped on purpose. */
static bool
explain_stop(ss_conn *conn, int rc, const char *what, const char *colon, ss_error *err)
{
    int primary = rc & 0xFF;

    if (conn->stopped.code == SS_OK ||
        (primary != SQLITE_INTERRUPT && primary != SQLITE_BUSY &&
         primary != SQLITE_LOCKED)) {
        return false;
    }
    ss_error_set(err, (ss_code)conn->stopped.code, "%s%s%s", what, colon,
                 conn->stopped.message);
    return true;
}

ss_status
ss_conn_error(ss_conn *conn, int rc, const char *what, ss_error *err)
{
    ss_code code = ss_explain_code(rc);
    const char *colon = what != NULL ? ": " : "";

    assert(rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE);
    conn->sync_failed |= rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
    if (err == NULL || err->code != SS_OK) {
        return code;
    }
    what = what != NULL ? what : "";
    if (explain_stop(conn, rc, what, colon, err)) {
        code = (ss_code)err->code;
    }
    else if (conn->refused != NULL &&
             ((rc & 0xFF) == SQLITE_AUTH || (rc & 0xFF) == SQLITE_SCHEMA)) {
        /* SCHEMA: what was refused also met a schema that had become old. */
        rc = SQLITE_AUTH;
        code = SS_PROGRAMMING;
        ss_error_set(err, code, "%s%s%s", what, colon, conn->refused);
    }
    else {
        const ss_explained of = {.db = conn->db,
                                 .path = conn->path,
                                 .busy_ms = conn->busy_ms,
                                 .opened = conn->opened};
        ss_explain(&of, rc, what, colon, err);
        code = (ss_code)err->code;
    }
    err->sqlite_code = rc;
    return code;
}

bool
ss_conn_sync_failed(const ss_conn *conn)
{
    return conn->sync_failed;
}

/* ---- the guard ---- */

static int
authorize(void *arg, int action, const char *first, const char *second,
          const char *database, const char *inner)
{
    ss_conn *conn = arg;

    (void)database;
    (void)inner;
    if (conn->guard == SS_GUARD_OFF) {
        return SQLITE_OK;
    }
    conn->varies = conn->varies || !ss_steady_action(action, first, second);
    const char *why = ss_guard_refusal(conn->guard, action, first, second);
    if (why == NULL) {
        return SQLITE_OK;
    }
    conn->refused = why;
    return SQLITE_DENY;
}

void
ss_conn_guard(ss_conn *conn, ss_guard guard)
{
    conn->guard = guard;
    if (guard != SS_GUARD_OFF) {
        conn->refused = NULL;
        conn->varies = false;
    }
}

bool
ss_conn_varies(const ss_conn *conn)
{
    return conn->varies;
}

bool
ss_conn_guarded(const ss_conn *conn)
{
    return conn->guard != SS_GUARD_OFF;
}

/* ---- opening ---- */

/* The settings that are switches, with the value each must have. */
static const struct {
    int option;
    int value;
    const char *name;
} switches[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1, "DEFENSIVE"},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, "TRUSTED_SCHEMA"},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, "ENABLE_LOAD_EXTENSION"},
    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, "ENABLE_FTS3_TOKENIZER"},
    {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0, "WRITABLE_SCHEMA"},
    {SQLITE_DBCONFIG_DQS_DML, 0, "DQS_DML"},
    {SQLITE_DBCONFIG_DQS_DDL, 0, "DQS_DDL"},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0, "ENABLE_VIEW"},
    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, "ENABLE_TRIGGER"},
    {SQLITE_DBCONFIG_ENABLE_FKEY, 1, "ENABLE_FKEY"},
    {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, "NO_CKPT_ON_CLOSE"},
};

/* Limits for files from strangers: generous for real data, deadly for bombs. */
static const struct {
    int id;
    int value;
    const char *name;
} tight_limits[] = {
    {SQLITE_LIMIT_ATTACHED, 0, "ATTACHED"},
    {SQLITE_LIMIT_SQL_LENGTH, 100000, "SQL_LENGTH"},
    {SQLITE_LIMIT_LENGTH, 100000000, "LENGTH"},
    {SQLITE_LIMIT_EXPR_DEPTH, 50, "EXPR_DEPTH"},
    {SQLITE_LIMIT_COMPOUND_SELECT, 10, "COMPOUND_SELECT"},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 5, "TRIGGER_DEPTH"},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200, "LIKE_PATTERN_LENGTH"},
    {SQLITE_LIMIT_WORKER_THREADS, 0, "WORKER_THREADS"},
    {SQLITE_LIMIT_VDBE_OP, 100000, "VDBE_OP"},
};

static ss_status
not_set(const ss_conn *conn, const char *name, ss_error *err)
{
    return ss_error_set(err, SS_OPERATIONAL, "%s: %s could not be set", conn->path,
                        name);
}

static ss_status
set_switch(ss_conn *conn, int option, int value, const char *name, ss_error *err)
{
    int now = -1;

    if (sqlite3_db_config(conn->db, option, value, NULL) != SQLITE_OK ||
        sqlite3_db_config(conn->db, option, -1, &now) != SQLITE_OK || now != value) {
        return not_set(conn, name, err);
    }
    return SS_OK;
}

static ss_status
set_pragma(ss_conn *conn, const char *name, int64_t value, ss_error *err)
{
    char sql[96];
    int64_t now = -1;

    (void)snprintf(sql, sizeof(sql), "PRAGMA %s=%lld", name, (long long)value);
    SS_TRY(ss_conn_exec(conn, sql, err));
    (void)snprintf(sql, sizeof(sql), "PRAGMA %s", name);
    SS_TRY(ss_conn_int(conn, sql, &now, err));
    return now == value ? SS_OK : not_set(conn, name, err);
}

static ss_status
harden(ss_conn *conn, const ss_conn_options *options, ss_error *err)
{
    /* EXTRA, not FULL: they differ where deleting a rollback journal is what commits.
     * FULL does not synchronise the folder, so after a power failure the journal may be
     * back and undo what was acknowledged. */
    static const int synchronous[] = {
        [SS_DURABILITY_FULL] = 3, [SS_DURABILITY_NORMAL] = 1, [SS_DURABILITY_OFF] = 0};

    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        SS_TRY(set_switch(conn, switches[i].option, switches[i].value, switches[i].name,
                          err));
    }
    if ((options->flags & SS_CONN_UNTRUSTED) != 0) {
        for (size_t i = 0; i < sizeof(tight_limits) / sizeof(tight_limits[0]); i++) {
            (void)sqlite3_limit(conn->db, tight_limits[i].id, tight_limits[i].value);
            if (sqlite3_limit(conn->db, tight_limits[i].id, -1) !=
                tight_limits[i].value) {
                return not_set(conn, tight_limits[i].name, err);
            }
        }
    }
    SS_TRY(set_pragma(conn, "cell_size_check", 1, err));
    SS_TRY(set_pragma(conn, "mmap_size", 0, err));
    SS_TRY(set_pragma(conn, "temp_store", 1, err));
    SS_TRY(set_pragma(conn, "wal_autocheckpoint", 0, err));
    SS_TRY(set_pragma(conn, "journal_size_limit", JOURNAL_SIZE_LIMIT, err));
    SS_TRY(set_pragma(conn, "foreign_keys", 1, err));
    if ((options->flags & SS_CONN_READ_ONLY) != 0) {
        SS_TRY(set_pragma(conn, "query_only", 1, err));
    }
    return set_pragma(conn, "synchronous", synchronous[options->durability], err);
}

/* The path as a URI that says immutable: the only way SQLite offers. */
static void
immutable_uri(ss_buf *uri, const char *path)
{
    ss_buf_puts(uri, "file://");
    for (const char *p = path; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("/_.-", c) != NULL;
        if (plain) {
            ss_buf_add(uri, p, 1);
        }
        else {
            ss_buf_printf(uri, "%%%02X", (unsigned)c);
        }
    }
    ss_buf_puts(uri, "?immutable=1");
}

/* The flags for sqlite3_open_v2 and, for an immutable file, its URI. */
static ss_status
open_handle(ss_conn *conn, ss_error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    const char *name = conn->path;
    ss_status rc = SS_OK;
    ss_buf uri;

    ss_buf_init(&uri);
    if ((conn->flags & SS_CONN_READ_ONLY) != 0) {
        flags |= SQLITE_OPEN_READONLY;
    }
    else {
        flags |= SQLITE_OPEN_READWRITE;
        flags |= (conn->flags & SS_CONN_CREATE) != 0 ? SQLITE_OPEN_CREATE : 0;
    }
    if ((conn->flags & SS_CONN_UNTRUSTED) != 0) {
        flags |= SQLITE_OPEN_NOFOLLOW;
    }
    if ((conn->flags & SS_CONN_IMMUTABLE) != 0 && conn->path[0] == '/') {
        immutable_uri(&uri, conn->path);
        if (!ss_buf_ok(&uri)) {
            rc = ss_error_nomem(err);
            goto done;
        }
        name = uri.data;
        flags |= SQLITE_OPEN_URI;
    }
    int code = sqlite3_open_v2(name, &conn->db, flags, NULL);
    if (conn->db == NULL) {
        rc = ss_error_nomem(err);
    }
    else if (code != SQLITE_OK) {
        rc = ss_conn_error(conn, code, "opening the file", err);
    }

done:
    ss_buf_free(&uri);
    return rc;
}

static ss_status
make_ready(ss_conn *conn, const ss_conn_options *options, ss_error *err)
{
    (void)sqlite3_extended_result_codes(conn->db, 1);
    if (sqlite3_busy_handler(conn->db, on_busy, conn) != SQLITE_OK) {
        return not_set(conn, "the busy handler", err);
    }
    sqlite3_progress_handler(conn->db, PROGRESS_OPS, on_progress, conn);
    (void)sqlite3_commit_hook(conn->db, on_commit, conn);
    if (sqlite3_set_authorizer(conn->db, authorize, conn) != SQLITE_OK) {
        return not_set(conn, "the guard of free SQL", err);
    }
    ss_conn_call_begin(conn, options->call);
    ss_status rc = harden(conn, options, err);
    ss_conn_call_end(conn);
    conn->opened = rc == SS_OK;
    return rc;
}

ss_status
ss_conn_open(const ss_conn_options *options, ss_conn **out, ss_error *err)
{
    ss_conn *conn = NULL;
    ss_status rc;

    /* An absolute path begins with '/', so it cannot be read as a "file:" URI. */
    if (options->path[0] != '/' && strcmp(options->path, ":memory:") != 0) {
        return ss_error_set(err, SS_INTERNAL, "not an absolute path: %s",
                            options->path);
    }
    assert((options->flags & SS_CONN_IMMUTABLE) == 0 ||
           (options->flags & SS_CONN_READ_ONLY) != 0);
    conn = ss_calloc(1, sizeof(*conn));
    if (conn == NULL) {
        rc = ss_error_nomem(err);
        goto done;
    }
    ss_error_init(&conn->stopped);
    conn->flags = options->flags;
    conn->busy_ms = options->busy_ms;
    conn->path = ss_strdup(options->path);
    if (conn->path == NULL) {
        rc = ss_error_nomem(err);
        goto done;
    }
    rc = open_handle(conn, err);
    if (rc == SS_OK) {
        rc = make_ready(conn, options, err);
    }
    if (rc == SS_OK) {
        *out = conn;
        conn = NULL;
    }

done:
    ss_conn_close(conn);
    return rc;
}

void
ss_conn_close(ss_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    conn->call = NULL;
    if (conn->db != NULL) {
        sqlite3_progress_handler(conn->db, 0, NULL, NULL);
        (void)sqlite3_commit_hook(conn->db, NULL, NULL);
        /* SQLite busy-waits while it checkpoints on close; nobody is there to ask. */
        (void)sqlite3_busy_handler(conn->db, NULL, NULL);
        if (sqlite3_close(conn->db) != SQLITE_OK) {
            assert(!"a statement outlived its connection");
            (void)sqlite3_close_v2(conn->db);
        }
    }
    ss_free(conn->path);
    ss_free(conn);
}

void
ss_conn_checkpoint_on_close(ss_conn *conn)
{
    (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

sqlite3 *
ss_conn_handle(ss_conn *conn)
{
    return conn->db;
}

bool
ss_conn_read_only(ss_conn *conn)
{
    return sqlite3_db_readonly(conn->db, "main") == 1;
}

/* ---- small statements ---- */

/* Run one statement to its end. */
static int
run_one(ss_conn *conn, const char *sql, const char **tail)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(conn->db, sql, -1, &stmt, tail);

    if (rc != SQLITE_OK) {
        return rc;
    }
    while (stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    }
    if (rc == SQLITE_DONE) {
        rc = SQLITE_OK;
    }
    /* On failure finalize repeats the code of the step, and errmsg stays. */
    (void)sqlite3_finalize(stmt);
    return rc;
}

ss_status
ss_conn_exec(ss_conn *conn, const char *sql, ss_error *err)
{
    const char *tail = sql;

    while (*tail != '\0') {
        const char *begin = tail;
        int rc = run_one(conn, begin, &tail);
        if (rc != SQLITE_OK) {
            return ss_conn_error(conn, rc, NULL, err);
        }
    }
    return SS_OK;
}

ss_status
ss_conn_run(ss_conn *conn, ss_buf *sql, ss_error *err)
{
    ss_status status =
        ss_buf_ok(sql) ? ss_conn_exec(conn, sql->data, err) : ss_error_nomem(err);
    ss_buf_free(sql);
    return status;
}

/* Prepare and step to the first row; *stmt is new, NULL when there is no row. */
static ss_status
first_row(ss_conn *conn, const char *sql, sqlite3_stmt **stmt, ss_error *err)
{
    sqlite3_stmt *prepared = NULL;
    int rc = sqlite3_prepare_v2(conn->db, sql, -1, &prepared, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(prepared);
    }
    if (rc == SQLITE_ROW) {
        *stmt = prepared;
        return SS_OK;
    }
    ss_status status = rc == SQLITE_DONE ? SS_OK : ss_conn_error(conn, rc, NULL, err);
    (void)sqlite3_finalize(prepared);
    *stmt = NULL;
    return status;
}

ss_status
ss_conn_int(ss_conn *conn, const char *sql, int64_t *out, ss_error *err)
{
    sqlite3_stmt *stmt = NULL;

    SS_TRY(first_row(conn, sql, &stmt, err));
    *out = stmt != NULL ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return SS_OK;
}

ss_status
ss_conn_text(ss_conn *conn, const char *sql, char *out, size_t size, ss_error *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *text = NULL;

    SS_TRY(first_row(conn, sql, &stmt, err));
    if (stmt != NULL) {
        text = (const char *)sqlite3_column_text(stmt, 0);
    }
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
    (void)sqlite3_finalize(stmt);
    return SS_OK;
}

bool
ss_conn_in_transaction(ss_conn *conn)
{
    return sqlite3_get_autocommit(conn->db) == 0;
}

void
ss_conn_rollback(ss_conn *conn)
{
    const ss_call *call = conn->call;

    if (!ss_conn_in_transaction(conn)) {
        return;
    }
    /* Not even a stopped call may leave its transaction open. */
    conn->call = NULL;
    (void)run_one(conn, "ROLLBACK", NULL);
    conn->call = call;
}
