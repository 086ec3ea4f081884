/* db/rebuild: the rows of an older file's tables into tables of the current version. */
#ifndef SS_DB_REBUILD_H
#define SS_DB_REBUILD_H

#include "db/layout.h"
#include "db/migration.h"

/* Copy every table that was set aside (db/aside), and drop it. */
ss_status ss_rebuild_copy(ss_conn *conn, const ss_layout *layout, ss_migration *report,
                          ss_error *err) SS_MUST_CHECK;

#endif
