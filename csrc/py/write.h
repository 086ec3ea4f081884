/* py/write: add, update and delete, from Python arguments; shared by SmartShopieDB's
 * methods and Table's.
 */
#ifndef SS_PY_WRITE_H
#define SS_PY_WRITE_H

#include "py/handle.h"

/* add(record) or add(column=value, ...), with on_conflict=. New int: the row id. */
PyObject *py_write_add(py_database *db, int table, const char *function,
                       PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames);
/* insert_*(...): every column of the old signature, by position or name. None. */
PyObject *py_write_insert(py_database *db, int table, PyObject *const *args,
                          Py_ssize_t nargsf, PyObject *kwnames);
/* update(id | {column: value}, **changes) -> int */
PyObject *py_write_update(py_database *db, int table, PyObject *const *args,
                          Py_ssize_t nargsf, PyObject *kwnames);
/* delete(id | {column: value}) or delete(all=True) -> int */
PyObject *py_write_delete(py_database *db, int table, PyObject *const *args,
                          Py_ssize_t nargsf, PyObject *kwnames);

#endif
