/* db/functions: what every connection of ours has beyond SQLite's own functions.
 *
 * ss_day(text), ss_instant(text): a stored day or instant, in any form, as days or
 * microseconds since the epoch; NULL when it is neither. For legacy files, whose text
 * does not compare in time. Callable from our statements and users' queries, not from
 * the schema of a file.
 *
 * On connections that write also glob(pattern, text), the same function as SQLite's own
 * but fast for the CHECKs of our tables, and columns/ingest's table.
 */
#ifndef SS_DB_FUNCTIONS_H
#define SS_DB_FUNCTIONS_H

#include "store/conn.h"

/* The `prepare` hook of the pool: registers all of them and columns/fetch's sink. */
ss_status ss_functions_register(ss_conn *conn, void *unused, ss_error *err);

#endif
