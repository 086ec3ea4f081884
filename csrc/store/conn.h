/* store/conn: one SQLite connection, opened hardened, and the call that runs on it.
 *
 * A connection is used by one thread at a time (SQLITE_OPEN_NOMUTEX): whoever holds
 * its lease (store/pool) or opened it.  Everything here is called without the GIL.
 *
 * Hardening, before any other statement: DEFENSIVE on; TRUSTED_SCHEMA, ENABLE_LOAD_-
 * EXTENSION, ENABLE_FTS3_TOKENIZER, WRITABLE_SCHEMA, DQS_DML, DQS_DDL, ENABLE_VIEW and
 * ENABLE_TRIGGER off; NO_CKPT_ON_CLOSE on; cell_size_check on; mmap_size 0; temp_store
 * FILE; wal_autocheckpoint 0; journal_size_limit 64 MiB; foreign_keys on; synchronous
 * by durability; query_only on readers.  Each is read back; one that did not take
 * means SS_OPERATIONAL "... could not be set": fail closed.
 */
#ifndef SS_STORE_CONN_H
#define SS_STORE_CONN_H

#include "base/buf.h"
#include "base/error.h"
#include "base/status.h"
#include "store/guard.h"

#include <sqlite3.h> // sqlite3
#include <stdatomic.h>

typedef enum {
    SS_DURABILITY_FULL,   /* synchronous=EXTRA: survives power loss */
    SS_DURABILITY_NORMAL, /* NORMAL: survives a crash of the process */
    SS_DURABILITY_OFF,    /* OFF: promises nothing */
} ss_durability;

/* What one public call carries through the floors: when and why to stop early.
 * Borrowed by the connection between ss_conn_call_begin and ss_conn_call_end. */
typedef struct {
    /* Asked at most every 50 ms, on the calling thread; non-zero: stop with SS_SIGNAL
     * (a signal handler raised). NULL: don't ask (not the main thread). */
    int (*check)(void *arg);
    void *check_arg;
    int64_t deadline_ms; /* ss_clock_ms() after which to stop; 0: no limit */
    const _Atomic uint64_t *cancel_epoch; /* differs from cancel_seen: stop */
    uint64_t cancel_seen;
} ss_call;

/* Should a wait end now?  SS_OK, SS_SIGNAL or SS_INTERRUPTED (err set: cancelled, or
 * the time limit passed).  `last_check_ms` keeps the 50 ms rhythm; start it at 0. */
ss_status ss_call_poll(const ss_call *call, int64_t *last_check_ms, ss_error *err);

enum {
    SS_CONN_READ_ONLY = 1, /* SQLITE_OPEN_READONLY and query_only */
    SS_CONN_CREATE = 2,    /* make the file when it is missing */
    SS_CONN_IMMUTABLE = 4, /* only with READ_ONLY: nobody writes the file meanwhile */
    SS_CONN_UNTRUSTED = 8, /* also the tight limits for files from strangers, and no
                            * symbolic link anywhere in the path */
};

typedef struct {
    const char *path; /* absolute, or ":memory:"; never taken as a URI */
    unsigned flags;
    ss_durability durability;
    int64_t busy_ms;     /* how long to wait for a lock of another process */
    const ss_call *call; /* obeyed while opening; borrowed until then; may be NULL */
} ss_conn_options;

typedef struct ss_conn ss_conn;

ss_status ss_conn_open(const ss_conn_options *options, ss_conn **out, ss_error *err)
    SS_MUST_CHECK;
/* Finalises nothing: statements must be gone (ss_stmt_cache_clear). NULL is fine. */
void ss_conn_close(ss_conn *conn);
/* Let closing this connection checkpoint and remove the WAL if it is the last. */
void ss_conn_checkpoint_on_close(ss_conn *conn);

sqlite3 *ss_conn_handle(ss_conn *conn); /* borrowed */
bool ss_conn_read_only(ss_conn *conn);  /* asked for, or all the file allows */

/* Attach a call: its deadline, cancel token and signal check are obeyed by the
 * progress handler and the busy handler until ss_conn_call_end. A COMMIT that wrote is
 * not reported as stopped once it is done (this uses the handle's commit hook); a BEGIN
 * may be, though the transaction is open: after an error ask ss_conn_in_transaction. */
void ss_conn_call_begin(ss_conn *conn, const ss_call *call);
void ss_conn_call_end(ss_conn *conn);

/* Count every commit of this connection, just before it takes effect, in *n (borrowed). */
void ss_conn_count_commits(ss_conn *conn, _Atomic uint64_t *n);

/* Translate SQLite's result code of the last operation on `conn` into `err`: the code
 * by kind (BUSY, FULL, READONLY, CORRUPT/NOTADB, CONSTRAINT, ...), SQLite's message,
 * what it was about (`what`, e.g. "reading overview_kpis"), and why it was
 * interrupted when it was.  Returns the ss_code. */
ss_status ss_conn_error(ss_conn *conn, int rc, const char *what, ss_error *err);

/* Did the disk ever refuse to make a write of this connection durable?  What the system
 * still holds of it may then be lost or not, and asking again would tell a lie. */
bool ss_conn_sync_failed(const ss_conn *conn);

/* What statements being prepared may not do; what is refused is SS_PROGRAMMING with
 * SQLITE_AUTH. */
void ss_conn_guard(ss_conn *conn, ss_guard guard);
bool ss_conn_guarded(const ss_conn *conn);
/* Could the answer of what was prepared since the guard came on depend on more than the
 * database's content? */
bool ss_conn_varies(const ss_conn *conn);

/* Run SQL text without results (may hold several statements). */
ss_status ss_conn_exec(ss_conn *conn, const char *sql, ss_error *err) SS_MUST_CHECK;
/* Run SQL that was put together in `sql`, and free that. */
ss_status ss_conn_run(ss_conn *conn, ss_buf *sql, ss_error *err) SS_MUST_CHECK;
/* The first column of the first row as an integer / short text ("" when no row). */
ss_status ss_conn_int(ss_conn *conn, const char *sql, int64_t *out, ss_error *err)
    SS_MUST_CHECK;
ss_status ss_conn_text(ss_conn *conn, const char *sql, char *out, size_t size,
                       ss_error *err) SS_MUST_CHECK;

/* True while a transaction is open on the connection. */
bool ss_conn_in_transaction(ss_conn *conn);
/* Roll back if a transaction is open; never fails. */
void ss_conn_rollback(ss_conn *conn);

#endif
