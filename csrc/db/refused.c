#include "db/refused.h"

#include <sqlite3.h>
#include <stdio.h>  // snprintf()
#include <string.h> // strcmp(), strlen()

int
ss_refused_column(const ss_table_desc *table, const ss_error *err)
{
    int column = strcmp(err->table, table->name) == 0
                     ? ss_catalog_column(table, err->column, strlen(err->column))
                     : -1;
    return column < 0 || (table->columns[column].flags & SS_COL_SECRET) ? -1 : column;
}

void
ss_refused_value(const ss_column_desc *column, const ss_value *value, ss_error *err)
{
    bool ranged =
        err->sqlite_code == SQLITE_CONSTRAINT_CHECK && column->range[0] != '\0';
    size_t used = strlen(err->message);
    char shown[128];

    ss_value_show(value, shown, sizeof(shown));
    (void)snprintf(err->message + used, sizeof(err->message) - used, " (%s = %s%s%s)",
                   column->name, shown, ranged ? "; expected " : "",
                   ranged ? column->range : "");
    ss_error_where(err, NULL, NULL, value);
}
