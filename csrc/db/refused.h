/* db/refused: which value a constraint refused, for the error that says so. */
#ifndef SS_DB_REFUSED_H
#define SS_DB_REFUSED_H

#include "base/error.h"
#include "base/value.h"
#include "catalog/catalog.h"

/* The one column of the table that the error is about; -1 when it names none, and for a
 * secret, which no message shows. */
int ss_refused_column(const ss_table_desc *table, const ss_error *err);

/* Add the value to the message, and what the column allows where that was the reason. */
void ss_refused_value(const ss_column_desc *column, const ss_value *value,
                      ss_error *err);

#endif
