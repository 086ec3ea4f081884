#include "db/functions.h"

#include "base/moment.h"
#include "columns/fetch.h"

typedef struct {
    const char *text; /* borrowed from the argument; NULL: not text */
    size_t n;
} text_arg;

static text_arg
text_of(sqlite3_value *value)
{
    text_arg arg = {NULL, 0};
    if (sqlite3_value_type(value) == SQLITE_TEXT) {
        arg.text = (const char *)sqlite3_value_text(value);
        arg.n = (size_t)sqlite3_value_bytes(value);
    }
    return arg;
}

static void
day_function(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    (void)n_args;
    text_arg arg = text_of(args[0]);
    int32_t day;
    if (arg.text != NULL && ss_day_parse(arg.text, arg.n, &day)) {
        sqlite3_result_int64(context, day);
    }
}

static void
instant_function(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    (void)n_args;
    text_arg arg = text_of(args[0]);
    int64_t us;
    if (arg.text != NULL && ss_instant_parse(arg.text, arg.n, &us)) {
        sqlite3_result_int64(context, us);
    }
}

static ss_status
add_function(ss_conn *conn, const char *name,
             void (*function)(sqlite3_context *, int, sqlite3_value **), ss_error *err)
{
    int rc = sqlite3_create_function_v2(ss_conn_handle(conn), name, 1,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC |
                                            SQLITE_DIRECTONLY,
                                        NULL, function, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SS_OK
                           : ss_conn_error(conn, rc, "setting up the connection", err);
}

ss_status
ss_functions_register(ss_conn *conn, void *unused, ss_error *err)
{
    (void)unused;
    SS_TRY(add_function(conn, "ss_day", day_function, err));
    SS_TRY(add_function(conn, "ss_instant", instant_function, err));
    return ss_fetch_register(conn, err);
}
