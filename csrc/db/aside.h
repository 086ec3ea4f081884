/* db/aside: the tables of an older file step aside for ours, with all that hangs on
 * them, and what belongs on the new ones comes back. */
#ifndef SS_DB_ASIDE_H
#define SS_DB_ASIDE_H

#include "db/layout.h"
#include "db/migration.h"

/* What stands before the name of a table that waits to be copied. */
#define SS_ASIDE "_legacy_"

/* Are the names free that a migration needs?  SS_SCHEMA says which is not. */
ss_status ss_aside_check(ss_conn *conn, const ss_layout *layout, ss_error *err)
    SS_MUST_CHECK;
/* Report what hangs on our tables, drop their indexes and rename them away. */
ss_status ss_aside_all(ss_conn *conn, const ss_layout *layout, ss_migration *report,
                       ss_error *err) SS_MUST_CHECK;
/* Once they are copied and dropped: make the triggers again, and clear references that
 * lead nowhere. */
ss_status ss_aside_finish(ss_conn *conn, ss_migration *report, ss_error *err)
    SS_MUST_CHECK;

#endif
