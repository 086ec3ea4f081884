/* db/version: a text that tells one state of the database from any other. */
#ifndef SS_DB_VERSION_H
#define SS_DB_VERSION_H

#include "db/db.h"

enum { SS_VERSION_SIZE = 128 };

/* The same only while the content is: also in another process, and after everybody has
 * closed the file. In a snapshot() it is the version of what that sees, or of just before.
 * SS_PROGRAMMING in this thread's own transaction(): what that sees has no version yet. */
ss_status ss_db_version(ss_db *db, const ss_call *call, char out[SS_VERSION_SIZE],
                        ss_error *err) SS_MUST_CHECK;

#endif
