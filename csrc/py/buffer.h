/* py/buffer: a Column as plain memory: the buffer protocol, and numpy.
 *
 * Read-only and without a copy: INTEGER int64 'q', REAL float64 'd', DATE int32 'i'
 * (days since 1970-01-01), TIMESTAMP int64 'q' (microseconds since then, UTC). Rows in
 * another order are strides. A buffer has nothing to stand for a NULL, so a column with
 * one gives none, rather than a 0 that nobody could tell from a real one.
 */
#ifndef SS_PY_BUFFER_H
#define SS_PY_BUFFER_H

#include "py/state.h"

/* Slots of the Column type. */
int py_buffer_get(PyObject *op, Py_buffer *out, int flags);
void py_buffer_release(PyObject *op, Py_buffer *buffer);

/* Column.to_numpy(). */
PyObject *py_buffer_to_numpy(PyObject *op, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames);
extern const char py_buffer_to_numpy_doc[];

#endif
