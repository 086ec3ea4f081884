/* py/notebook: what a notebook shows of rows and records. */
#ifndef SS_PY_NOTEBOOK_H
#define SS_PY_NOTEBOOK_H

#include "py/state.h"

/* _repr_mimebundle_(include=None, exclude=None), for py/rows and py/record. */
PyObject *py_notebook_rows(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                           PyObject *kwnames);
PyObject *py_notebook_record(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                             PyObject *kwnames);

extern const char py_notebook_doc[];

#endif
