/* store_case: see store_case.h. */
#include "store_case.h"

ss_conn *
open_conn(const char *file, unsigned flags, int64_t busy_ms)
{
    ss_conn_options options = {.path = file,
                               .flags = flags,
                               .durability = SS_DURABILITY_NORMAL,
                               .busy_ms = busy_ms};
    ss_conn *conn = NULL;

    ss_error_init(&err);
    return ss_conn_open(&options, &conn, &err) == SS_OK ? conn : NULL;
}

ss_status
exec(ss_conn *conn, const char *sql)
{
    ss_error_init(&err);
    return ss_conn_exec(conn, sql, &err);
}

int64_t
number(ss_conn *conn, const char *sql)
{
    int64_t n = -12345;

    ss_error_init(&err);
    return ss_conn_int(conn, sql, &n, &err) == SS_OK ? n : -99999;
}
