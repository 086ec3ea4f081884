/* catalog/measure: reads the words that schema/generate.py has checked. */
#include "catalog/measure.h"

#include <string.h> // strcmp(), strncmp(), strchr(), strlen()

static bool
is_last(const ss_table_desc *table, int column)
{
    return strcmp(table->columns[column].aggregate, "last") == 0;
}

static int16_t
column_named(const ss_table_desc *table, const char *name, size_t n)
{
    return (int16_t)ss_catalog_column(table, name, n);
}

bool
ss_measure_of(const ss_table_desc *table, int column, ss_measure *out)
{
    const ss_column_desc *desc = &table->columns[column];
    const char *rule = desc->aggregate;
    ss_measure m = {.column = (int16_t)column, .a = -1, .b = -1, .apart = -1};

    if (strcmp(rule, "sum") == 0) {
        m.rule = SS_RULE_SUM;
    }
    else if (strcmp(rule, "last") == 0) {
        m.rule = SS_RULE_LAST;
    }
    else if (strcmp(rule, "mean") == 0) {
        m.rule = SS_RULE_MEAN;
    }
    else if (strncmp(rule, "mean:", 5) == 0) {
        m.rule = SS_RULE_WEIGHTED;
        m.b = column_named(table, rule + 5, strlen(rule + 5));
    }
    else if (strncmp(rule, "ratio:", 6) == 0) {
        const char *slash = strchr(rule, '/');
        m.rule = SS_RULE_RATIO;
        m.a = column_named(table, rule + 6, (size_t)(slash - rule - 6));
        m.b = column_named(table, slash + 1, strlen(slash + 1));
        m.a_is_last = is_last(table, m.a);
        m.b_is_last = is_last(table, m.b);
    }
    else {
        return false;
    }
    if (desc->apart != NULL) {
        m.apart = column_named(table, desc->apart, strlen(desc->apart));
    }
    *out = m;
    return true;
}
