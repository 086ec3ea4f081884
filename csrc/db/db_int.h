/* db/db_int: the insides that db/db, db/block and db/read share. */
#ifndef SS_DB_DB_INT_H
#define SS_DB_DB_INT_H

#include "db/db.h"

#include "base/thread.h"
#include "catalog/sql.h"
#include "db/group.h"
#include "store/stamp.h"

#include <stdatomic.h>
#include <sys/types.h> // pid_t

/* The SQL of a plain get_<table>() is made once; see db/read. */
typedef struct {
    char *text; /* owned */
    size_t n;
} ss_plan;

enum { SS_PLANS_PER_TABLE = 2 };

/* The SQL text of the last update of a table by its key. The holder of the writer's
 * lease may look at it and change it. */
typedef struct {
    ss_plan plan;
    int n; /* columns that it sets, in their order */
    int16_t columns[SS_MAX_COLUMNS];
} ss_key_update;

struct ss_session {
    atomic_long refs;
    uint64_t nonce; /* of this session alone, for the version of ":memory:" */
    ss_pool *pool;  /* owned */
    _Atomic(ss_layout *) layout;     /* owned; older ones hang on it until the end */
    atomic_long scans, shared_scans; /* of large tables; those by several readers */
    _Atomic(ss_plan *) *plans;       /* owned; SS_PLANS_PER_TABLE for each table */
    ss_key_update *key_updates;      /* owned; one for each table */
};

typedef enum { SS_BOUND_SNAPSHOT = 1, SS_BOUND_TRANSACTION = 2 } ss_bound_kind;

/* What one thread holds between the begin and the end of a with block. Its fields belong
 * to that thread; `busy` and the list are guarded by the db's lock. */
typedef struct ss_bound {
    uint64_t thread;
    pid_t pid;
    ss_bound_kind kind;
    int depth;    /* of nested blocks of this kind, from 1 */
    bool busy;    /* a call is under way on its connection */
    bool dead;    /* rolled back by an error: nothing more may run in it */
    bool crossed; /* dead, because its blocks ended in another order than they began */
    const void **owners; /* owned: whose each nested transaction is; NULL for others */
    ss_stamp seen;       /* a snapshot's: the state it shows, or one just before */
    ss_lease lease;
    ss_session *session; /* owned reference */
    ss_layout *layout;   /* owned; NULL, or how the tables look in this transaction */
    struct ss_bound *next;
} ss_bound;

struct ss_db {
    ss_db_options options; /* constant; path is owned */
    char *path;
    ss_mutex lock;
    ss_cond changed;     /* connecting, closing or forking ended */
    ss_session *session; /* owned reference, NULL unless connected */
    bool connecting, closed;
    uint32_t n_sessions; /* so far; by whoever is connecting */
    bool bare;           /* connect to an empty file without making our tables in it */
    int closing;         /* threads inside close() */
    uint64_t forking;    /* the thread between before and after fork, or 0 */
    ss_bound *bounds;    /* owned */
    ss_group group;      /* who waits to write */
    _Atomic uint64_t cancel_epoch;
    ss_session *fork_session; /* owned reference between before and after fork */
    uint64_t turn;            /* db/link: the thread whose statement runs, or 0 */
    int n_turns;              /* and how many wait for theirs */
};

ss_session *ss_session_retain(ss_session *session); /* new reference */
void ss_session_release(ss_session *session);       /* NULL is fine */
/* Make a layout the one that everybody uses from now on; takes it. */
void ss_session_publish(ss_session *session, ss_layout *layout);

/* Whose blocks the calling thread may use: its own number, or 0, everybody's, for a
 * single connection. */
uint64_t ss_bound_owner(const ss_db *db);
/* Hold the connection of `access` until ss_bound_drop; takes the access on success. */
ss_status ss_bound_hold(ss_access *access, ss_bound_kind kind, ss_error *err)
    SS_MUST_CHECK;

/* What this thread is bound by, of one kind or (0) of any, the transaction first. */
ss_bound *ss_bound_find_lock_held(const ss_db *db, int kind);
/* Run on what this thread holds; SS_FORKED, or SS_PROGRAMMING when it is dead or busy. */
ss_status ss_bound_use(ss_db *db, ss_bound *b, const ss_call *call, ss_access *out,
                       ss_error *err) SS_MUST_CHECK;
void ss_bound_done(ss_db *db, ss_access *access);
/* Off the list, its lease returned, freed. */
void ss_bound_drop(ss_db *db, ss_bound *b);

/* The statement for this text, its parameters bound: to be put back. */
ss_status ss_access_lend(ss_stmt_cache *cache, const ss_sql *sql, ss_stmt **out,
                         ss_error *err) SS_MUST_CHECK;
/* Run one of our own statements, kept prepared. */
ss_status ss_access_run(ss_access *access, const char *sql, const char *what,
                        ss_error *err) SS_MUST_CHECK;

#endif
