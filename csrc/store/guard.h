/* store/guard: what the user's own SQL may not do, and why. */
#ifndef SS_STORE_GUARD_H
#define SS_STORE_GUARD_H

#include "base/status.h"

typedef enum {
    SS_GUARD_OFF,
    /* On a connection of a pool: no beginning or ending of transactions, no attached
     * files, no settings, no temporary objects. */
    SS_GUARD_FREE,
    /* On one that is the user's own: the same, but transactions are allowed, and
     * settings that are safe there. */
    SS_GUARD_LINK,
} ss_guard;

/* Why not, or NULL: it may. What it is about is told as to sqlite3_set_authorizer()'s
 * callback; the text is constant. */
const char *ss_guard_refusal(ss_guard guard, int action, const char *first,
                             const char *second);

#endif
