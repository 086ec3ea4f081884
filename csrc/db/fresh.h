/* db/fresh: is an answer still what the database would say?
 *
 * A read can tell the state it shows (a stamp, see store/watch).  As long as the database
 * is in that state, and only then, the same question has the same answer.
 */
#ifndef SS_DB_FRESH_H
#define SS_DB_FRESH_H

#include "db/db.h"
#include "store/watch.h"

/* The state of the database now, for this thread. SS_PEEK_UNKNOWN when it is not
 * connected, and inside this thread's own transaction() or snapshot(), which sees a state
 * of its own. Never waits: may be called with the GIL held. */
ss_peek ss_db_peek(ss_db *db, ss_stamp *out);
/* What to do after SS_PEEK_ASK. out->epoch is 0 when nothing can be said. */
void ss_db_ask(ss_db *db, ss_stamp *out);

/* Several reads make one answer: if the database is no longer in the state that the first
 * of them showed, what they show together is not known (epoch 0). */
void ss_db_still(ss_db *db, ss_stamp *stamp);

/* --- for the rooms beside this one: around one read ------------------------------- */

typedef struct {
    ss_stamp *stamp; /* borrowed; NULL: nobody wants to know */
    bool own;        /* a transaction of its own is open */
} ss_reading;

/* `several`: its statements must see one state. *stamp (may be NULL) is set when the view
 * has ended: to the state that it showed, or epoch 0 when that is not known. */
ss_status ss_reading_begin(ss_access *access, bool several, ss_stamp *stamp,
                           ss_reading *out, ss_error *err) SS_MUST_CHECK;
void ss_reading_end(ss_access *access, ss_reading *reading);

#endif
