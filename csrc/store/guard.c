/* store/guard: what the user's own SQL may not do, and why. */
#include "store/guard.h"

#include <sqlite3.h>

static bool
is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && sqlite3_stricmp(name, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

/* PRAGMAs that only tell something, whatever argument they take; the two marks of a
 * file, which are data; and, without an argument, all that do not act. */
static bool
pragma_is_harmless(const char *name, const char *argument)
{
    static const char *const telling[] = {
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "foreign_key_check",
        "integrity_check",
        "quick_check",
        "database_list",
        "collation_list",
        "function_list",
        "compile_options",
        "user_version",
        "application_id",
        NULL,
    };
    static const char *const acting[] = {"wal_checkpoint", "incremental_vacuum",
                                         "optimize", "shrink_memory", NULL};
    return is_one_of(name, telling) || (argument == NULL && !is_one_of(name, acting));
}

static bool
sets_one_of(const char *name, const char *argument, const char *setting,
            const char *const *values)
{
    return argument != NULL && sqlite3_stricmp(name, setting) == 0 &&
           is_one_of(argument, values);
}

/* Settings that the user's own connection takes: what keeps the file safe, and would do
 * no harm if it were forgotten when the connection is opened again after a fork. */
static bool
pragma_is_safe(const char *name, const char *argument)
{
    static const char *const yes[] = {"1", "on", "yes", "true", NULL};
    static const char *const journals[] = {"wal", "delete", "truncate", "persist",
                                           NULL};
    static const char *const synchronous[] = {"normal", "full", "extra", "1",
                                              "2",      "3",    NULL};
    return pragma_is_harmless(name, argument) ||
           sets_one_of(name, argument, "foreign_keys", yes) ||
           sets_one_of(name, argument, "journal_mode", journals) ||
           sets_one_of(name, argument, "synchronous", synchronous) ||
           sqlite3_stricmp(name, "cache_size") == 0;
}

/* Reading from pragma_NAME(...) runs the PRAGMA. */
static bool
is_acting_pragma_table(const char *table)
{
    return sqlite3_strnicmp(table, "pragma_", 7) == 0 &&
           !pragma_is_harmless(table + 7, "");
}

static const char *
free_refusal(int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return "free SQL cannot begin or end a transaction; use "
               "`with db.transaction():`";
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return "free SQL cannot attach or detach a database (VACUUM does, too)";
    case SQLITE_PRAGMA:
        return pragma_is_harmless(first, second)
                   ? NULL
                   : "free SQL cannot change a setting or start work by PRAGMA; "
                     "SmartShopieDB(...) has arguments for the settings";
    case SQLITE_READ:
        return is_acting_pragma_table(first) ? "free SQL cannot start work by PRAGMA"
                                             : NULL;
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
        return "free SQL cannot create temporary objects: connections are shared, and "
               "theirs would hide the file's";
    case SQLITE_FUNCTION:
        return second != NULL && sqlite3_stricmp(second, "ss_sink") == 0
                   ? "ss_sink is not for use in SQL"
                   : NULL;
    default:
        return NULL;
    }
}

static const char *
link_refusal(int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return NULL;
    case SQLITE_ATTACH:
        /* VACUUM attaches a nameless file for itself. */
        return first != NULL && first[0] == '\0'
                   ? NULL
                   : "attaching another database is not supported";
    case SQLITE_PRAGMA:
        return pragma_is_safe(first, second)
                   ? NULL
                   : "this PRAGMA is not supported with that value; connect(timeout=) "
                     "says how long to wait for a lock";
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
        return "temporary objects are not supported: a fork() would lose them";
    default:
        return free_refusal(action, first, second);
    }
}

const char *
ss_guard_refusal(ss_guard guard, int action, const char *first, const char *second)
{
    switch (guard) {
    case SS_GUARD_OFF:
        break;
    case SS_GUARD_FREE:
        return free_refusal(action, first, second);
    case SS_GUARD_LINK:
        return link_refusal(action, first, second);
    }
    return NULL;
}
