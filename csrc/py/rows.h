/* py/rows: a sequence of records over immutable columns.
 *
 * A view: a batch and a range of its rows.  Slicing and reversing make another view.
 */
#ifndef SS_PY_ROWS_H
#define SS_PY_ROWS_H

#include "py/state.h"

#include "columns/batch.h"

typedef struct {
    PyObject_HEAD
    py_state *state; /* borrowed */
    ss_batch *batch; /* owned */
    PyObject *shape; /* owned */
    /* Row i of this view is row start + i*step of the batch. */
    int64_t start, step, length;
    struct py_cache_entry *kept; /* borrowed; of the cache that keeps this, or NULL */
} py_rows;

static inline ss_view
py_rows_view(const py_rows *self)
{
    return (ss_view){self->batch, self->start, self->step, self->length};
}

/* All rows of a finished batch. Takes the reference to the batch, also on failure.
 * New reference. */
PyObject *py_rows_new(py_state *state, ss_batch *batch);

/* index(value, start, stop) of any sequence of ours. */
PyObject *py_rows_index_of(PyObject *sequence, PyObject *const *args,
                           Py_ssize_t n_args);

static inline bool
py_rows_check(py_state *state, PyObject *obj)
{
    return Py_IS_TYPE(obj, state->rows_type);
}

#endif
