/* db/group: short writes of many threads, committed together.
 *
 * Owns the queue and nothing else; a request is on the stack of the thread that waits
 * for it.  Called without the GIL.  The lock is a leaf, held for a few instructions:
 * neither SQLite nor a call is asked meanwhile.
 *
 *     (new) -> QUEUED <-----> ASKING (its call, the lock released)
 *               |  ^  `------------`-------> DONE   withdrawn
 *         taken |  | undone for a neighbour
 *               v  |
 *              TAKEN ----------------------> DONE   committed, or its own failure
 *
 * Invariants:
 *  1. What is in the queue is QUEUED or ASKING, in the order of coming; what was taken
 *     and put back stands before all that was not, in its old order.
 *  2. At most one thread leads, and it leads one round: then whoever is first does.
 *     Waiting threads look for themselves whether it is their turn; signals only say
 *     "look again".
 *  3. A TAKEN request belongs to the leader until it is DONE or QUEUED again; its own
 *     thread neither touches nor leaves it, and no Python code runs for it.
 *  4. DONE is said after the COMMIT has returned, to a whole round at once: whoever
 *     sees an acknowledged row sees those committed before it.
 *  5. A round that is undone loses at least one request, so there is an end.
 *  6. A thread waits at a gate, which is the group's and lives as long as it.  So a gate
 *     may be signalled without the lock and too late: whom it belongs to by then looks
 *     again and waits on.
 */
#include "db/group.h"

#include "base/mem.h"
#include "db/db_int.h"

enum {
    MOST_IN_ROUND = 64, /* so that a thread is not kept leading, nor others waiting */
    POLL_MS = 50,       /* how long a wait goes without asking its call */
    MOST_WAIT_US = 100, /* for one more who shares a round */
};

typedef enum { QUEUED, ASKING, TAKEN, DONE } request_state;

typedef struct ss_group_request request;

typedef struct ss_group_gate {
    ss_cond cond;
    struct ss_group_gate *next; /* of those that nobody waits at */
} gate;

/* What is committed together: the leader's request first. */
typedef struct {
    request *first, *last;
    int n;
} round;

struct ss_group_request {
    const ss_call *call; /* borrowed; may be NULL */
    ss_group_work work;
    void *arg;
    ss_error *err;  /* the leader's to write while TAKEN */
    gate *gate;     /* borrowed until it has left */
    uint64_t forks; /* the group's, when it was queued */
    request_state state;
    ss_status status; /* once DONE; in a round: how its work went */
    bool alone;       /* shares no round */
    request *next;
};

ss_status
ss_group_init(ss_group *group)
{
    *group = (ss_group){0};
    return ss_mutex_init(&group->lock);
}

void
ss_group_destroy(ss_group *group)
{
    for (gate *g = group->gates, *next; g != NULL; g = next) {
        next = g->next;
        ss_cond_destroy(&g->cond);
        ss_free(g);
    }
    ss_mutex_destroy(&group->lock);
}

ss_status
ss_group_after_fork_child(ss_group *group)
{
    *group = (ss_group){.forks = group->forks + 1, .gates = group->gates};
    /* A thread of the parent may have been in the middle of signalling. */
    for (gate *g = group->gates; g != NULL; g = g->next) {
        SS_TRY(ss_cond_init(&g->cond));
    }
    return ss_mutex_init(&group->lock);
}

/* --- gates ------------------------------------------------------------------------------ */

static gate *
gate_new(void)
{
    gate *g = ss_calloc(1, sizeof(*g));
    if (g != NULL && ss_cond_init(&g->cond) != SS_OK) {
        ss_free(g);
        return NULL;
    }
    return g;
}

/* Lock the group and give `r` a gate. False: no memory, and it is not locked. */
static bool
lock_with_gate(ss_group *group, request *r)
{
    ss_mutex_lock(&group->lock);
    if (group->gates == NULL) {
        ss_mutex_unlock(&group->lock);
        r->gate = gate_new();
        if (r->gate == NULL) {
            return false;
        }
        ss_mutex_lock(&group->lock);
        return true;
    }
    r->gate = group->gates;
    group->gates = r->gate->next;
    return true;
}

static void
return_gate_lock_held(ss_group *group, request *r)
{
    r->gate->next = group->gates;
    group->gates = r->gate;
}

/* --- the queue ------------------------------------------------------------------------ */

static void
enqueue_lock_held(ss_group *group, request *r)
{
    r->state = QUEUED;
    r->forks = group->forks;
    r->next = NULL;
    *(group->last != NULL ? &group->last->next : &group->first) = r;
    group->last = r;
    atomic_fetch_add_explicit(&group->arrivals, 1, memory_order_release);
}

/* Off the queue, if it stands in it: a child of fork() begins with an empty one. */
static void
leave_lock_held(ss_group *group, request *r)
{
    request *before = NULL, *at = group->first;
    while (at != NULL && at != r) {
        before = at;
        at = at->next;
    }
    if (at == NULL) {
        return;
    }
    *(before != NULL ? &before->next : &group->first) = r->next;
    if (group->last == r) {
        group->last = before;
    }
}

static void
withdraw_lock_held(ss_group *group, request *r, ss_status status)
{
    leave_lock_held(group, r);
    r->status = status;
    r->state = DONE;
}

/* Whose turn it is to lead, or NULL. */
static request *
next_leader_lock_held(const ss_group *group)
{
    request *r = group->led ? NULL : group->first;
    while (r != NULL && r->state != QUEUED) {
        r = r->next;
    }
    return r;
}

static void
tell_next_lock_held(const ss_group *group)
{
    request *r = next_leader_lock_held(group);
    if (r != NULL) {
        ss_cond_signal(&r->gate->cond);
    }
}

/* Out of the queue, to the end of the round: whoever may share it. */
static void
take_sharers_lock_held(ss_group *group, round *shared)
{
    request *left = NULL, **left_end = &left;
    group->last = NULL;
    for (request *r = group->first, *next; r != NULL; r = next) {
        next = r->next;
        r->next = NULL;
        if (r->state == QUEUED && !r->alone && shared->n < MOST_IN_ROUND) {
            r->state = TAKEN;
            shared->last->next = r;
            shared->last = r;
            shared->n++;
        }
        else {
            *left_end = r;
            left_end = &r->next;
            group->last = r;
        }
    }
    group->first = left;
}

/* The round of `me`: itself and whoever shares it. */
static round
take_round(ss_group *group, request *me)
{
    round mine = {.first = me, .last = me, .n = 1};
    ss_mutex_lock(&group->lock);
    leave_lock_held(group, me);
    me->state = TAKEN;
    me->next = NULL;
    if (!me->alone) {
        take_sharers_lock_held(group, &mine);
    }
    ss_mutex_unlock(&group->lock);
    return mine;
}

/* Those who came meanwhile; *seen: all arrivals so far. The first of them, or NULL. */
static request *
take_newcomers(ss_group *group, round *shared, uint32_t *seen)
{
    request *last = shared->last;
    ss_mutex_lock(&group->lock);
    *seen = atomic_load_explicit(&group->arrivals, memory_order_relaxed);
    take_sharers_lock_held(group, shared);
    ss_mutex_unlock(&group->lock);
    return last->next;
}

/* More who share the round, or NULL when it is time to commit. It looks instead of
 * sleeping: to be woken up takes as long as the wait may last, and by yielding, the
 * processor is with those it waits for. */
static request *
take_more(ss_group *group, round *shared)
{
    uint32_t seen;
    if (shared->first->alone) {
        return NULL;
    }
    request *more = take_newcomers(group, shared, &seen);
    if (more != NULL || shared->n >= group->expected) {
        return more;
    }
    int64_t us = group->commit_us / 2, until;
    until = ss_clock_us() + (us < MOST_WAIT_US ? us : MOST_WAIT_US);
    while (ss_clock_us() < until) {
        if (atomic_load_explicit(&group->arrivals, memory_order_acquire) != seen) {
            return take_newcomers(group, shared, &seen);
        }
        ss_thread_yield();
    }
    return NULL;
}

/* Everybody's outcome is known. Who wrote just now may soon write again. They are woken
 * without the lock, which each of them wants next, and may be gone before that. */
static void
finish_round(ss_group *group, const round *done)
{
    gate *gates[MOST_IN_ROUND];
    int n_gates = 0;
    ss_mutex_lock(&group->lock);
    group->expected = done->n;
    for (const request *r = group->first; r != NULL; r = r->next) {
        group->expected += !r->alone;
    }
    group->shared += done->n - 1;
    for (request *r = done->first; r != NULL; r = r->next) {
        r->state = DONE;
        gates[n_gates++] = r->gate;
    }
    ss_mutex_unlock(&group->lock);
    for (int i = 1; i < n_gates; i++) { /* the leader is awake */
        ss_cond_signal(&gates[i]->cond);
    }
}

/* The work of all was undone: back to where they stood, but for `culprit` (if any),
 * whose failure it was. */
static void
put_back(ss_group *group, const round *undone, request *culprit, bool alone)
{
    request *first = NULL, *last = NULL;
    ss_mutex_lock(&group->lock);
    for (request *r = undone->first, *next; r != NULL; r = next) {
        next = r->next;
        if (r == culprit) {
            r->state = DONE;
            ss_cond_signal(&r->gate->cond);
            continue;
        }
        ss_error_init(r->err);
        r->state = QUEUED;
        r->alone |= alone;
        r->next = NULL;
        *(last != NULL ? &last->next : &first) = r;
        last = r;
    }
    if (last != NULL) {
        last->next = group->first;
        group->first = first;
        group->last = group->last != NULL ? group->last : last;
    }
    ss_mutex_unlock(&group->lock);
}

/* --- leading ------------------------------------------------------------------------------ */

/* One request of a shared round: its work in a savepoint, under its own call. */
static ss_status
run_in_savepoint(ss_access *access, request *r)
{
    ss_call call = {0};
    int64_t last_check = 0;
    if (r->call != NULL) {
        call = *r->call;
        call.check = NULL; /* a matter of its own thread */
    }
    SS_TRY(ss_call_poll(&call, &last_check, r->err));
    ss_conn_call_begin(access->conn, &call);
    access->in_transaction = true;
    ss_status status = ss_db_begin_work(access, r->err);
    if (status == SS_OK) {
        status = r->work(access, r->arg, r->err);
        if (status != SS_OK) {
            ss_conn_call_begin(access->conn, NULL); /* nothing stops the undoing */
        }
        status = ss_db_end_work(access, status, r->err);
    }
    access->in_transaction = false;
    ss_conn_call_begin(access->conn, NULL);
    return status;
}

/* The work of `from` and those behind it, in the transaction that is open; *n_good: how
 * many went well. False: the failure of *culprit undid everything. */
static bool
run_requests(ss_access *access, request *from, bool shared, int *n_good,
             request **culprit)
{
    for (request *r = from; r != NULL; r = r->next) {
        r->status =
            shared ? run_in_savepoint(access, r) : r->work(access, r->arg, r->err);
        if (r->status == SS_OK) {
            *n_good += 1;
        }
        else if (!ss_conn_in_transaction(access->conn)) {
            *culprit = r;
            return false;
        }
    }
    return true;
}

/* The work of the round, which grows meanwhile. One that ran without a savepoint can be
 * joined if it went well: then there is nothing of it to be undone. */
static bool
run_round(ss_access *access, ss_group *group, round *mine, int *n_good,
          request **culprit)
{
    request *from = mine->first;
    while (from != NULL) {
        if (!run_requests(access, from, mine->n > 1, n_good, culprit)) {
            return false;
        }
        bool joinable = mine->n > 1 || *n_good > 0;
        from = joinable ? take_more(group, mine) : NULL;
    }
    return true;
}

/* The COMMIT failed, and with it all that had gone well. */
static void
fail_round(const round *failed, ss_status status, const ss_error *err)
{
    for (request *r = failed->first; r != NULL; r = r->next) {
        if (r->status == SS_OK) {
            r->status = status;
            *r->err = *err;
        }
    }
}

static ss_status
end_round(ss_access *access, ss_group *group, ss_status status, ss_error *err)
{
    int64_t begun = ss_clock_us();
    status = ss_db_end_work(access, status, err);
    group->commit_us = ss_clock_us() - begun;
    return status;
}

static void
lead_round(ss_access *access, ss_group *group, request *me)
{
    round mine = take_round(group, me);
    request *culprit = NULL;
    int n_good = 0;
    ss_error err;
    ss_error_init(&err);
    if (!run_round(access, group, &mine, &n_good, &culprit)) {
        put_back(group, &mine, culprit, false);
        return;
    }
    ss_status status = end_round(access, group, n_good > 0 ? SS_OK : me->status, &err);
    if (n_good > 0 && status == SS_INTEGRITY && mine.n > 1) {
        /* A deferred constraint says what is broken, not whose work broke it. */
        put_back(group, &mine, NULL, true);
        return;
    }
    if (n_good > 0 && status != SS_OK) {
        fail_round(&mine, status, &err);
    }
    finish_round(group, &mine);
}

/* As the first in the queue. Afterwards `me` is DONE, or QUEUED again. */
static void
lead(ss_db *db, request *me)
{
    ss_group *group = &db->group;
    ss_access access;
    ss_status status = ss_db_write_enter(db, me->call, &access, me->err);
    if (status == SS_OK) {
        status = ss_db_begin_work(&access, me->err);
        if (status == SS_OK) {
            lead_round(&access, group, me);
        }
        ss_db_leave(&access);
    }
    if (status != SS_OK) {
        ss_mutex_lock(&group->lock);
        withdraw_lock_held(group, me, status);
        ss_mutex_unlock(&group->lock);
    }
}

/* --- waiting ------------------------------------------------------------------------------ */

/* Ask the call of `me` whether to go on; meanwhile others may lead. */
static void
ask_lock_held(ss_group *group, request *me, int64_t *last_check)
{
    if (me->call == NULL) {
        return;
    }
    me->state = ASKING;
    tell_next_lock_held(group);
    ss_mutex_unlock(&group->lock);
    ss_status status = ss_call_poll(me->call, last_check, me->err);
    ss_mutex_lock(&group->lock);
    if (status != SS_OK) {
        withdraw_lock_held(group, me, status);
    }
    else if (me->forks != group->forks) { /* its signal handler forked */
        enqueue_lock_held(group, me);
        if (ss_cond_init(&me->gate->cond) != SS_OK) {
            withdraw_lock_held(group, me, ss_error_nomem(me->err));
        }
    }
    else {
        me->state = QUEUED;
    }
}

static ss_status
waited_too_long(const ss_db *db, ss_error *err)
{
    return ss_error_set(err, SS_BUSY,
                        "other threads kept the writer of %s for more than %lld ms",
                        db->path, (long long)db->options.busy_ms);
}

/* Until `me` is DONE or has to lead. */
static void
stand_in_line_lock_held(ss_db *db, request *me)
{
    ss_group *group = &db->group;
    int64_t until = 0, last_check = 0;
    while (me->state != DONE && next_leader_lock_held(group) != me) {
        if (me->state == TAKEN) {
            (void)ss_cond_wait(&me->gate->cond, &group->lock, -1);
            continue;
        }
        int64_t now = ss_clock_ms(), ms = POLL_MS;
        if (until == 0) {
            until = now + db->options.busy_ms;
            last_check = ss_clock_coarse_ms();
            group->waits++;
        }
        if (now >= until) {
            withdraw_lock_held(group, me, waited_too_long(db, me->err));
            return;
        }
        if (me->call != NULL && me->call->deadline_ms != 0 &&
            me->call->deadline_ms - now < ms) {
            ms = me->call->deadline_ms - now;
        }
        ms = until - now < ms ? until - now : ms;
        if (!ss_cond_wait(&me->gate->cond, &group->lock, ms > 0 ? ms : 1) &&
            me->state == QUEUED) {
            ask_lock_held(group, me, &last_check);
        }
    }
}

/* --- writing ------------------------------------------------------------------------------ */

static ss_status
write_in_transaction(ss_db *db, const ss_call *call, ss_group_work work, void *arg,
                     ss_error *err)
{
    ss_access access;
    SS_TRY(ss_db_write_enter(db, call, &access, err));
    ss_status status = ss_db_begin_work(&access, err);
    if (status == SS_OK) {
        status = work(&access, arg, err);
        status = ss_db_end_work(&access, status, err);
    }
    ss_db_leave(&access);
    return status;
}

static bool
is_in_transaction(ss_db *db)
{
    ss_mutex_lock(&db->lock);
    bool bound = ss_bound_find_lock_held(db, SS_BOUND_TRANSACTION) != NULL;
    ss_mutex_unlock(&db->lock);
    return bound;
}

ss_status
ss_group_write(ss_db *db, const ss_call *call, bool alone, ss_group_work work,
               void *arg, ss_error *err)
{
    ss_group *group = &db->group;
    request me = {.call = call, .work = work, .arg = arg, .err = err, .alone = alone};
    if (is_in_transaction(db)) {
        return write_in_transaction(db, call, work, arg, err);
    }
    if (!lock_with_gate(group, &me)) {
        return ss_error_nomem(err);
    }
    enqueue_lock_held(group, &me);
    while (stand_in_line_lock_held(db, &me), me.state != DONE) {
        group->led = true;
        ss_mutex_unlock(&group->lock);
        lead(db, &me);
        ss_mutex_lock(&group->lock);
        group->led = false;
    }
    tell_next_lock_held(group);
    return_gate_lock_held(group, &me);
    ss_mutex_unlock(&group->lock);
    return me.status;
}

void
ss_group_count(ss_group *group, int64_t *waits, int64_t *shared)
{
    ss_mutex_lock(&group->lock);
    *waits = group->waits;
    *shared = group->shared;
    ss_mutex_unlock(&group->lock);
}
