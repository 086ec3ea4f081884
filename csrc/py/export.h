/* py/export: Rows and records as bytes and as the objects of other libraries.
 *
 * The methods of Rows and Record that hand results on; py/rows and py/record name them in
 * their tables of methods.
 */
#ifndef SS_PY_EXPORT_H
#define SS_PY_EXPORT_H

#include "py/state.h"

#include "columns/batch.h"
#include "formats/json_out.h"

/* Rows of a batch as JSON: a new bytes object, the one place where it is made. */
PyObject *py_export_json(py_state *state, const ss_view *view,
                         const ss_json_options *options);

PyObject *Rows_to_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                       PyObject *kwnames);
PyObject *Rows_to_ndjson(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                         PyObject *kwnames);
PyObject *Rows_to_csv(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                      PyObject *kwnames);
PyObject *Record_to_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                         PyObject *kwnames);

extern const char Rows_to_json_doc[], Rows_to_ndjson_doc[], Rows_to_csv_doc[],
    Record_to_json_doc[];

#endif
