/* db/journal: whether a file is in WAL mode.
 *
 * WAL is what a file of ours is for: readers never wait. A new file gets it, and a file of
 * the current version that lost it (a backup that was put in its place, a copy that was
 * made readable everywhere) gets it again when it is opened for writing. Not on a network
 * file system, where it damages files. Older files keep what they have.
 */
#ifndef SS_DB_JOURNAL_H
#define SS_DB_JOURNAL_H

#include "db/db.h"

/* Is a new file to be in WAL mode?  SS_OPERATIONAL on a network file system, when nobody
 * said what to do there. */
ss_status ss_journal_of_new(const ss_db_options *options, bool *wal, ss_error *err)
    SS_MUST_CHECK;

/* Is a file that is there, of the current version, to be in WAL mode? */
bool ss_journal_wants_wal(const ss_db_options *options);
/* Put a file of the current version into WAL mode, if that is its place and nobody else
 * has it open at the moment; layout->wal says what it is in then. */
ss_status ss_journal_restore(const ss_db_options *options, ss_conn *conn,
                             ss_layout *layout, ss_error *err) SS_MUST_CHECK;

#endif
