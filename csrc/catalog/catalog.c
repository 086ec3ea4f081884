/* catalog: the descriptors, and finding one by name.
 *
 * The data comes from catalog_gen.h, which this file alone includes and which
 * schema/generate.py writes.  There are thirty tables and at most twenty columns in
 * one, so a linear search that looks at the length first is as fast as anything; a
 * caller that asks often keeps the index.
 */
#include "catalog/catalog.h"

#include <string.h>

#include "catalog/catalog_gen.h"

static bool
same_name(const char *known, const char *name, size_t n)
{
    return strlen(known) == n && memcmp(known, name, n) == 0;
}

int
ss_catalog_table(const char *name, size_t n)
{
    for (int i = 0; i < ss_n_tables; i++) {
        if (same_name(ss_tables[i].name, name, n)) {
            return i;
        }
    }
    return -1;
}

int
ss_catalog_column(const ss_table_desc *table, const char *name, size_t n)
{
    for (int i = 0; i < table->n_columns; i++) {
        if (same_name(table->columns[i].name, name, n)) {
            return i;
        }
    }
    return -1;
}

bool
ss_catalog_is_secret(const ss_table_desc *table, const char *name)
{
    for (int t = 0; t < ss_n_tables; t++) {
        if (table != NULL && table != &ss_tables[t]) {
            continue;
        }
        for (int c = 0; c < ss_tables[t].n_columns; c++) {
            const ss_column_desc *column = &ss_tables[t].columns[c];
            /* The flag first: hardly any column has it. */
            if ((column->flags & SS_COL_SECRET) &&
                same_name(column->name, name, strlen(name))) {
                return true;
            }
        }
    }
    return false;
}
