/* py/arrow: Rows and Column in the Arrow PyCapsule interface.
 *
 * https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
 * A capsule that nobody consumes releases what is in it when it is freed.
 */
#ifndef SS_PY_ARROW_H
#define SS_PY_ARROW_H

#include "py/state.h"

/* Methods, with their docstrings, for the method tables of py/rows and py/column. */
PyObject *py_arrow_rows_stream(PyObject *op, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *kwnames);
PyObject *py_arrow_rows_schema(PyObject *op, PyObject *ignored);
PyObject *py_arrow_column_array(PyObject *op, PyObject *const *args, Py_ssize_t n_args,
                                PyObject *kwnames);
PyObject *py_arrow_column_schema(PyObject *op, PyObject *ignored);

extern const char py_arrow_rows_stream_doc[], py_arrow_rows_schema_doc[],
    py_arrow_column_array_doc[], py_arrow_column_schema_doc[];

#endif
