/* store/steady: does the answer of a statement depend on the database's content alone?
 *
 * Asked with what SQLite's authorizer reports while it is prepared.  Constant tables, any
 * thread.
 */
#ifndef SS_STORE_STEADY_H
#define SS_STORE_STEADY_H

#include "base/status.h"

/* False for functions not known to be steady (random(), everything that tells the time,
 * what counts the connection's own changes, what somebody registered), and for what tells
 * about the connection: PRAGMA and the tables made of it. */
bool ss_steady_action(int action, const char *first, const char *second);

#endif
