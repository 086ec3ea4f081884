/* py/migrate: `db.migrate()`, and the report it gives. */
#ifndef SS_PY_MIGRATE_H
#define SS_PY_MIGRATE_H

#include "py/state.h"

extern const char py_migrate_doc[];

PyObject *py_migrate(PyObject *db, PyObject *const *args, Py_ssize_t n,
                     PyObject *kwnames);

#endif
