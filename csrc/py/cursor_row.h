/* py/cursor_row: a row of a cursor: a tuple that also knows its columns by name.
 *
 * The names lie behind the last item, in a place that len() does not count, so a row
 * costs no more than a tuple. That is why the type cannot be subclassed.
 */
#ifndef SS_PY_CURSOR_ROW_H
#define SS_PY_CURSOR_ROW_H

#include "py/state.h"

/* A row of n items, all NULL yet, for PyTuple_SET_ITEM; `names`: a tuple of n str. New
 * reference. */
PyObject *py_cursor_row_new(py_state *state, PyObject *names, Py_ssize_t n);

/* The row holds values without references only: the collector need not look at it. */
static inline void
py_cursor_row_is_plain(PyObject *row)
{
    PyObject_GC_UnTrack(row);
}

#endif
