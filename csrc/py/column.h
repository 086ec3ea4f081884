/* py/column: one column of a Rows, as a sequence of Python values.
 *
 * A view like Rows itself; a value is made when it is asked for.
 */
#ifndef SS_PY_COLUMN_H
#define SS_PY_COLUMN_H

#include "py/state.h"

#include "py/rows.h"

typedef struct {
    PyObject_HEAD
    py_state *state;             /* borrowed */
    ss_batch *batch;             /* owned */
    PyObject *name;              /* owned str */
    int index;                   /* column of the batch */
    int64_t start, step, length; /* as in py_rows */
} py_column;

static inline ss_view
py_column_view(const py_column *self)
{
    return (ss_view){self->batch, self->start, self->step, self->length};
}

/* Column `index` of these rows. New reference. */
PyObject *py_column_new(const py_rows *rows, int index);

#endif
