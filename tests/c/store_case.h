/* store_case: a connection and short statements, for the tests of store/conn and
 * store/stmt.  What fails here says why in err. */
#ifndef SS_TESTS_STORE_CASE_H
#define SS_TESTS_STORE_CASE_H

#include "err.h"
#include "store/conn.h"

/* New; NULL when it failed. */
ss_conn *open_conn(const char *file, unsigned flags, int64_t busy_ms);
ss_status exec(ss_conn *conn, const char *sql);
/* The first cell; -99999 when it failed. */
int64_t number(ss_conn *conn, const char *sql);

#endif
