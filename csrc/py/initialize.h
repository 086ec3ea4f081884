/* py/initialize: `db.initialize_database()`. */
#ifndef SS_PY_INITIALIZE_H
#define SS_PY_INITIALIZE_H

#include "py/state.h"

extern const char py_initialize_doc[];

PyObject *py_initialize(PyObject *db, PyObject *const *args, Py_ssize_t n,
                        PyObject *kwnames);

#endif
