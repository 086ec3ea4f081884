/* db/db: one opened database: its file, pool and layout, and what each thread holds.
 *
 * Any thread may use it at any time. A session is one time of being connected; every
 * operation holds a reference to the session it began in, so that close() and a later
 * connect() never pull it away. A thread inside transaction() or snapshot() is bound:
 * what it does goes to the connection it holds.
 *
 *     NEW --connect / first use--> CONNECTED --close--> CLOSED --connect--> CONNECTED
 *
 * Nothing here is called with the GIL held, but ss_db_new, ss_db_cancel and the plain
 * getters, which never wait.
 */
#ifndef SS_DB_DB_H
#define SS_DB_DB_H

#include "db/layout.h"
#include "store/pool.h"
#include "store/stamp.h"

typedef enum {
    SS_JOURNAL_AUTO,     /* WAL, but on a network file system */
    SS_JOURNAL_WAL,      /* WAL there, too */
    SS_JOURNAL_ROLLBACK, /* no file is put into WAL mode */
} ss_journal;

typedef struct {
    const char *path; /* absolute, or ":memory:"; copied */
    ss_mode mode;
    ss_durability durability;
    int max_readers;
    int64_t busy_ms;
    int64_t timeout_ms; /* 0: none */
    ss_journal journal;
    bool strict;
    bool untrusted;
    bool immutable;
    bool single;  /* one connection with one transaction, whichever thread: db/link */
    bool migrate; /* bring an older file up to date on connecting */
} ss_db_options;

typedef struct ss_db ss_db;
typedef struct ss_session ss_session;

ss_status ss_db_new(const ss_db_options *options, ss_db **out, ss_error *err)
    SS_MUST_CHECK;
/* No thread may be inside; closes what is open. NULL is fine. */
void ss_db_free(ss_db *db);

/* Idempotent; revives a closed db. Creates a missing or empty file in mode rwc. */
ss_status ss_db_connect(ss_db *db, const ss_call *call, ss_error *err) SS_MUST_CHECK;
/* The same, but an empty file stays empty: for a script that makes the tables. */
ss_status ss_db_connect_bare(ss_db *db, const ss_call *call, ss_error *err)
    SS_MUST_CHECK;
/* Idempotent. Refused (SS_PROGRAMMING) inside this thread's own transaction() or
 * snapshot(). */
ss_status ss_db_close(ss_db *db, const ss_call *call, ss_error *err) SS_MUST_CHECK;

const ss_db_options *ss_db_get_options(const ss_db *db);
bool ss_db_is_open(ss_db *db); /* not closed: connected, or will be on first use */

bool ss_db_is_connected(ss_db *db);

/* Whether it may have files open: it is connected, or a block was left open. */
bool ss_db_has_handles(ss_db *db);

/* Stop what runs on this db now; later calls are not touched. */
void ss_db_cancel(ss_db *db);
/* Fill in a call's cancel token and deadline (timeout_ms < 0: the db's own). */
void ss_db_call_init(ss_db *db, ss_call *call, int64_t timeout_ms);

/* Around fork(); see store/pool. In between, other threads wait, and the forking thread
 * itself gets SS_FORKED. */
void ss_db_before_fork(ss_db *db, int64_t wait_ms);
void ss_db_after_fork_parent(ss_db *db);
void ss_db_after_fork_child(ss_db *db);

typedef struct {
    ss_pool_stats pool;
    int64_t scans;        /* whole readings of large tables */
    int64_t shared_scans; /* of those, by several readers at once */
    bool open, read_only, wal;
    int blocks;                    /* threads inside transaction() or snapshot() */
    int64_t file_bytes, wal_bytes; /* 0 for ":memory:" */
    int file_kind;                 /* ss_file_kind */
    int64_t user_version;
    int64_t shared_commits; /* writes that ended with another thread's COMMIT */
} ss_db_stats;

ss_status ss_db_get_stats(ss_db *db, const ss_call *call, ss_db_stats *out,
                          ss_error *err) SS_MUST_CHECK;

/* --- for the rooms beside this one ------------------------------------------------- */

/* Access to a connection for one operation. */
typedef struct {
    ss_conn *conn;           /* borrowed until leave */
    ss_stmt_cache *cache;    /* likewise */
    const ss_layout *layout; /* likewise */
    ss_session *session;     /* owned reference */
    ss_lease lease;          /* in use unless bound */
    bool bound;              /* inside this thread's transaction or snapshot */
    bool in_transaction;     /* bound by transaction(): no BEGIN of one's own */
    const ss_call *call;     /* borrowed */
    /* --- private --- */
    ss_db *db;
    struct ss_bound *held; /* what this thread is bound by */
    ss_stamp seen;         /* before a view of several statements: what it will show */
    ss_layout *pending; /* owned; the tables as a transaction of one's own left them */
} ss_access;

ss_status ss_db_read_enter(ss_db *db, const ss_call *call, ss_access *out,
                           ss_error *err) SS_MUST_CHECK;
ss_status ss_db_write_enter(ss_db *db, const ss_call *call, ss_access *out,
                            ss_error *err) SS_MUST_CHECK;
/* The first connection, whatever the mode; or what is held. */
ss_status ss_db_anchor_enter(ss_db *db, const ss_call *call, ss_access *out,
                             ss_error *err) SS_MUST_CHECK;
void ss_db_leave(ss_access *access);

/* BEGIN IMMEDIATE (a savepoint inside a transaction), and its end: commit when `status`
 * is SS_OK, else roll back. Returns `status`, or why the commit failed. */
ss_status ss_db_begin_work(ss_access *access, ss_error *err) SS_MUST_CHECK;
ss_status ss_db_end_work(ss_access *access, ss_status status, ss_error *err)
    SS_MUST_CHECK;

/* Look at the schema again if it changed since the layout was read (cheap for files of
 * the current version, where it is not asked unless `always`). What is seen inside a
 * transaction is its own until it is committed. */
ss_status ss_db_refresh_layout(ss_access *access, bool always, ss_error *err)
    SS_MUST_CHECK;

/* Another process died while it wrote a file with a rollback journal: only a connection
 * that may write can put the file in order. If `err` says so, read once through one;
 * true (err cleared): the file is in order, try again. */
bool ss_db_recovered(ss_db *db, const ss_call *call, ss_error *err);

#endif
