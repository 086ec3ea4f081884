/* catalog/measure: how a figure adds up over time and over rows, from its descriptor.
 *
 * schema/tables.toml gives each measure one rule; there is no other way to aggregate it,
 * so that nobody gets the sum of a stock or the mean of percentages by mistake.
 */
#ifndef SS_CATALOG_MEASURE_H
#define SS_CATALOG_MEASURE_H

#include "catalog/catalog.h"

typedef enum {
    SS_RULE_ROWS,     /* no column: how many rows there are */
    SS_RULE_SUM,      /* a flow: added up */
    SS_RULE_MEAN,     /* the mean of its rows */
    SS_RULE_WEIGHTED, /* the mean, each row counting by its weight `b` */
    SS_RULE_RATIO,    /* a over b, each aggregated by its own rule first */
    SS_RULE_LAST,     /* a stock: the rows of the newest day, added up */
} ss_rule;

typedef struct {
    ss_rule rule;
    int16_t column; /* -1 for SS_RULE_ROWS */
    int16_t a, b;   /* of a ratio; b alone: the weight; else -1 */
    bool a_is_last, b_is_last;
    int16_t apart; /* only rows with one and the same value here add up; or -1 */
} ss_measure;

/* What SS_RULE_ROWS is called among the measures; no column has that name. */
#define SS_MEASURE_ROWS "rows"

/* The rule of a column of `table`; false when it has none. */
bool ss_measure_of(const ss_table_desc *table, int column, ss_measure *out);

/* May this be added up over groups, so that shares of a whole mean something? */
static inline bool
ss_measure_is_additive(const ss_measure *measure)
{
    return measure->rule == SS_RULE_ROWS || measure->rule == SS_RULE_SUM ||
           measure->rule == SS_RULE_LAST;
}

#endif
