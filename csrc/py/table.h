/* py/table: db.<table>, one table of an open database. */
#ifndef SS_PY_TABLE_H
#define SS_PY_TABLE_H

#include "py/handle.h"

/* New reference. */
PyObject *py_table_new(py_database *db, int table);

/* The table that `obj` names, as str or as db.<table>: an index into ss_tables, or -1
 * with TypeError or ValueError (naming the nearest). */
int py_table_named(py_state *state, PyObject *obj, const char *function);

#endif
