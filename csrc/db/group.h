/* db/group: short writes of many threads, committed together.
 *
 * A thread that writes stands in a queue.  Whoever is first leads: it leases the writer,
 * begins, and only then takes all that stand in the queue, runs each in a savepoint of
 * its own, takes those who came meanwhile, and commits once.  For threads that wrote a
 * moment ago and are not back yet it waits a little, at most half a COMMIT for each: they
 * save one.  A thread that writes alone never waits.  A call returns after the COMMIT its own work was in, so
 * what is acknowledged is durable as the database's durability says.
 *
 * Until it is taken, a waiting call is withdrawn when its time limit passes, when it is
 * cancelled or a signal handler raises; once taken it waits for its outcome.  The
 * leader's own call stops nobody but itself.
 */
#ifndef SS_DB_GROUP_H
#define SS_DB_GROUP_H

#include "db/db.h"

#include "base/thread.h"

/* A few short statements in the transaction that `access` has open.  Runs without the
 * GIL, on any thread, and again when a neighbour's failure undid all of them: its
 * results are written over, never added to. */
typedef ss_status (*ss_group_work)(ss_access *access, void *arg, ss_error *err);

/* Run `work` and commit it; a savepoint inside this thread's own transaction(). `alone`:
 * it may take long, so it stands in the same queue and has a transaction of its own. */
ss_status ss_group_write(ss_db *db, const ss_call *call, bool alone, ss_group_work work,
                         void *arg, ss_error *err) SS_MUST_CHECK;

/* --- for db/db ------------------------------------------------------------------ */

/* Those who wait to write; a part of ss_db. `lock` is a leaf. */
typedef struct {
    ss_mutex lock;
    struct ss_group_request *first, *last; /* borrowed: each on its thread's stack */
    struct ss_group_gate *gates;           /* owned: those that nobody waits at */
    bool led;                              /* somebody leads */
    _Atomic uint32_t arrivals;             /* requests that were queued so far */
    /* For whoever leads: how many wrote lately, and how long a COMMIT takes. */
    int expected;
    int64_t commit_us;
    int64_t waits, shared; /* see ss_group_count */
    uint64_t forks;        /* a request of before a fork stands in it no more */
} ss_group;

ss_status ss_group_init(ss_group *group) SS_MUST_CHECK;
void ss_group_destroy(ss_group *group);
/* How many writes waited for others, and how many ended with the COMMIT of another
 * thread. */
void ss_group_count(ss_group *group, int64_t *waits, int64_t *shared);
/* In the child: the other threads, and whom they led, are gone. */
ss_status ss_group_after_fork_child(ss_group *group) SS_MUST_CHECK;

#endif
