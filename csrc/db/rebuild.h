/* db/rebuild: the rows of an older file's tables into tables of the current version.
 *
 * Inside the transaction of db/migrate, which calls the three in this order with the
 * migrations between the first and the second.
 */
#ifndef SS_DB_REBUILD_H
#define SS_DB_REBUILD_H

#include "db/layout.h"
#include "db/migration.h"

/* Report what hangs on our tables, drop their indexes and rename them away. */
ss_status ss_rebuild_set_aside(ss_conn *conn, const ss_layout *layout,
                               ss_migration *report, ss_error *err) SS_MUST_CHECK;
/* Copy every table that was set aside, and drop it. */
ss_status ss_rebuild_copy(ss_conn *conn, const ss_layout *layout, ss_migration *report,
                          ss_error *err) SS_MUST_CHECK;
/* Make the triggers again, and clear references that lead nowhere. */
ss_status ss_rebuild_finish(ss_conn *conn, ss_migration *report, ss_error *err)
    SS_MUST_CHECK;

#endif
