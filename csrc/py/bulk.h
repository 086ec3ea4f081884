/* py/bulk: add_many(): rows from Python into a table in one transaction.
 */
#ifndef SS_PY_BULK_H
#define SS_PY_BULK_H

#include "py/handle.h"

/* db.add_many(table, data, ...) and db.add_many(records, ...). New AddResult. */
PyObject *py_bulk_add_many(py_database *db, PyObject *const *args, Py_ssize_t nargsf,
                           PyObject *kwnames);
/* db.<table>.add_many(data, ...) */
PyObject *py_bulk_table_add_many(py_database *db, int table, PyObject *const *args,
                                 Py_ssize_t nargsf, PyObject *kwnames);

#endif
