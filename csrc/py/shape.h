/* py/shape: the column names of a batch as Python objects, made once per result.
 *
 * A shape is an immutable tuple (names, index): the names of all columns in order, and
 * a dict from name to column number. Where free SQL yields a name twice, the first
 * column has it; the dict is therefore also the list of what a row's keys are.  The
 * dict is never handed out, only views of it.
 */
#ifndef SS_PY_SHAPE_H
#define SS_PY_SHAPE_H

#include "py/state.h"

#include "columns/batch.h"

/* The shape of a batch: the table's own when it is whole, else made. New reference. */
PyObject *py_shape_of_batch(py_state *state, const ss_batch *batch);
/* The shape of n names. New reference. */
PyObject *py_shape_new(const char *const *names, int n);

/* Tuple of str, and dict of str to int. Borrowed from the shape. */
static inline PyObject *
py_shape_names(PyObject *shape)
{
    return PyTuple_GET_ITEM(shape, 0);
}
static inline PyObject *
py_shape_index(PyObject *shape)
{
    return PyTuple_GET_ITEM(shape, 1);
}

/* The column number that the index holds. */
static inline int
py_shape_number(PyObject *number)
{
    return (int)PyLong_AsLong(number);
}

/* The column a key names: its number, -1 when there is none (nothing is set; also for
 * a key that is no str), -2 with an exception. */
int py_shape_find(PyObject *shape, PyObject *key);

/* KeyError for a key that names no column, with the nearest that does. `where`: the
 * table or "this result". Returns NULL. */
PyObject *py_shape_no_key(PyObject *shape, PyObject *key, const char *where);

#endif
