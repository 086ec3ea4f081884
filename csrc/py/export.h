/* py/export: Rows and records as bytes and as the objects of other libraries.
 *
 * Methods, with their docstrings, for the method tables of py/rows and py/record.
 */
#ifndef SS_PY_EXPORT_H
#define SS_PY_EXPORT_H

#include "py/state.h"

#include "columns/batch.h"
#include "formats/json_out.h"

/* Rows of a batch as JSON: a new bytes object, the one place where it is made. */
PyObject *py_export_json(py_state *state, const ss_view *view,
                         const ss_json_options *options);

PyObject *py_export_rows_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                              PyObject *kwnames);
PyObject *py_export_rows_ndjson(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                                PyObject *kwnames);
PyObject *py_export_rows_csv(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                             PyObject *kwnames);
PyObject *py_export_rows_arrow(PyObject *op, PyObject *ignored);
PyObject *py_export_rows_pandas(PyObject *op, PyObject *ignored);
PyObject *py_export_rows_polars(PyObject *op, PyObject *ignored);
PyObject *py_export_record_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                                PyObject *kwnames);

extern const char py_export_rows_json_doc[], py_export_rows_ndjson_doc[],
    py_export_rows_csv_doc[], py_export_rows_arrow_doc[], py_export_rows_pandas_doc[],
    py_export_rows_polars_doc[], py_export_record_json_doc[];

#endif
