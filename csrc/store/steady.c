/* A list of what is steady, not of what is not: a function that is missing here costs an
 * answer its place in the cache, one that is missing there would make it a lie.  The
 * functions of date and time are left out although most calls are steady: 'now' may come
 * from a parameter or a cell.
 */
#include "store/steady.h"

#include <sqlite3.h> // SQLITE_FUNCTION, sqlite3_stricmp()
#include <string.h>  // strcmp()

static const char *const functions[] = {
    "->",
    "->>",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg",
    "ceil",
    "ceiling",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "count",
    "cume_dist",
    "degrees",
    "dense_rank",
    "exp",
    "first_value",
    "floor",
    "format",
    "glob",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "lag",
    "last_value",
    "lead",
    "length",
    "like",
    "likelihood",
    "likely",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "max",
    "min",
    "mod",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "pi",
    "pow",
    "power",
    "printf",
    "quote",
    "radians",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "ss_day",
    "ss_instant",
    "string_agg",
    "substr",
    "substring",
    "sum",
    "tan",
    "tanh",
    "total",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unlikely",
    "upper",
    "zeroblob",
};

/* Tables that tell about the connection or the library. */
static bool
tells_of_connection(const char *table)
{
    static const char *const tables[] = {"sqlite_stmt", "sqlite_dbpage", "dbstat",
                                         "bytecode", "tables_used"};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (sqlite3_stricmp(table, tables[i]) == 0) {
            return true;
        }
    }
    return sqlite3_strnicmp(table, "pragma_", 7) == 0;
}

static bool
is_steady_function(const char *name)
{
    size_t low = 0, high = sizeof(functions) / sizeof(functions[0]);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = sqlite3_stricmp(name, functions[middle]);
        if (order == 0) {
            return true;
        }
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return false;
}

bool
ss_steady_action(int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_FUNCTION:
        return second != NULL && is_steady_function(second);
    case SQLITE_READ:
        return first != NULL && !tells_of_connection(first);
    case SQLITE_UPDATE: /* SQLite's own, when a table-valued function is used first */
        return first != NULL && strcmp(first, "sqlite_master") == 0;
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return true;
    default:
        return false;
    }
}
