/* py/table: db.<table>, one table of an open database. */
#ifndef SS_PY_TABLE_H
#define SS_PY_TABLE_H

#include "py/handle.h"

/* New reference. */
PyObject *py_table_new(py_database *db, int table);

#endif
