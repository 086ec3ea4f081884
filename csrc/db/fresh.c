#include "db/fresh.h"

#include "base/thread.h"
#include "db/db_int.h"

/* --- peeking --------------------------------------------------------------------- */

/* The session, if this thread may go by what others read. New reference, or NULL. */
static ss_session *
common_session(ss_db *db)
{
    ss_session *session = NULL;
    ss_mutex_lock(&db->lock);
    if (db->session != NULL && !db->closed && db->forking == 0 &&
        ss_bound_find_lock_held(db, 0) == NULL) {
        session = ss_session_retain(db->session);
    }
    ss_mutex_unlock(&db->lock);
    return session;
}

ss_peek
ss_db_peek(ss_db *db, ss_stamp *out)
{
    ss_session *session = common_session(db);
    out->epoch = 0;
    if (session == NULL) {
        return SS_PEEK_UNKNOWN;
    }
    ss_peek peek = ss_watch_peek(session->pool, out);
    /* The last reference, if it is that, frees a pool whose handles are closed. */
    ss_session_release(session);
    return peek;
}

/* Not within the caller's call: nobody would pass on the exception of a signal. */
void
ss_db_ask(ss_db *db, ss_stamp *out)
{
    enum { WAIT_MS = 50 }; /* for a connection, when all are in use */
    const ss_call call = {.deadline_ms = ss_clock_ms() + WAIT_MS};
    ss_session *session = common_session(db);
    out->epoch = 0;
    if (session != NULL) {
        (void)ss_watch_ask(session->pool, &call, out);
        ss_session_release(session);
    }
}

void
ss_db_still(ss_db *db, ss_stamp *stamp)
{
    ss_stamp now;
    if (stamp->epoch == 0) {
        return;
    }
    if (ss_db_peek(db, &now) == SS_PEEK_ASK) {
        ss_db_ask(db, &now);
    }
    if (!ss_stamp_equal(&now, stamp)) {
        stamp->epoch = 0;
    }
}

/* --- readings ----------------------------------------------------------------------- */

ss_status
ss_reading_begin(ss_access *access, bool several, ss_stamp *stamp, ss_reading *out,
                 ss_error *err)
{
    bool known = false;
    if (stamp != NULL) {
        stamp->epoch = 0;
        /* What a block sees is not for others. */
        known = access->bound || ss_watch_before(access->session->pool, stamp);
    }
    *out = (ss_reading){
        .stamp = known ? NULL : stamp,
        .own = !access->bound && (several || (stamp != NULL && !known)),
    };
    if (!out->own) {
        return SS_OK;
    }
    (void)ss_watch_before(access->session->pool, &access->seen);
    return ss_conn_exec(access->conn, "BEGIN", err);
}

void
ss_reading_end(ss_access *access, ss_reading *reading)
{
    if (reading->stamp != NULL) {
        (void)ss_watch_held(access->session->pool, access->conn, reading->stamp);
    }
    if (reading->own) {
        ss_conn_rollback(access->conn);
    }
}
