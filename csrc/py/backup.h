/* py/backup: SmartShopieDB.backup(). */
#ifndef SS_PY_BACKUP_H
#define SS_PY_BACKUP_H

#include "py/state.h"

extern const char py_backup_doc[];
PyObject *py_backup(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                    PyObject *kwnames);

#endif
