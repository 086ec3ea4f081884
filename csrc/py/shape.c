/* py/shape: names of columns as Python objects.
 *
 * The names are interned, so that `row["name"]` with a literal finds its column by
 * identity, and small ints are shared, so that a shape of a table costs little.
 */
#include "py/shape.h"

#include "py/raise.h"

#include <string.h> // strlen()

static PyObject *
make_name(const char *name)
{
    /* A column of free SQL may be called anything; what is no UTF-8 is replaced. */
    PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "replace");

    if (text != NULL) {
        PyUnicode_InternInPlace(&text);
    }
    return text;
}

/* Put name number i into both; the first column of a name keeps it. */
static int
add_name(PyObject *names, PyObject *index, int i, const char *name)
{
    PyObject *text = NULL, *number = NULL;
    int rc = -1;

    text = make_name(name);
    if (text == NULL) {
        goto done;
    }
    number = PyLong_FromLong(i);
    if (number == NULL || PyDict_SetDefault(index, text, number) == NULL) {
        goto done;
    }
    PyTuple_SET_ITEM(names, i, text);
    text = NULL;
    rc = 0;
done:
    Py_XDECREF(text);
    Py_XDECREF(number);
    return rc;
}

PyObject *
py_shape_new(const char *const *names, int n)
{
    PyObject *tuple = NULL, *index = NULL, *shape = NULL;

    tuple = PyTuple_New(n);
    index = PyDict_New();
    if (tuple == NULL || index == NULL) {
        goto done;
    }
    for (int i = 0; i < n; i++) {
        if (add_name(tuple, index, i, names[i]) < 0) {
            goto done;
        }
    }
    shape = PyTuple_Pack(2, tuple, index);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(index);
    return shape;
}

PyObject *
py_shape_of_batch(py_state *state, const ss_batch *batch)
{
    if (batch->whole) {
        return Py_NewRef(state->shapes[batch->table - ss_tables]);
    }
    return py_shape_new(batch->names, batch->n_columns);
}

int
py_shape_find(PyObject *shape, PyObject *key)
{
    PyObject *number = PyDict_GetItemWithError(py_shape_index(shape), key);

    if (number == NULL) {
        return PyErr_Occurred() ? -2 : -1;
    }
    return (int)PyLong_AsLong(number);
}

PyObject *
py_shape_no_key(PyObject *shape, PyObject *key, const char *where)
{
    if (!PyUnicode_Check(key)) {
        return PyErr_Format(PyExc_KeyError,
                            "%s is read by column name (str), not by %s", where,
                            Py_TYPE(key)->tp_name);
    }
    return py_raise_nearest_of(PyExc_KeyError, key, py_shape_names(shape),
                               "%s has no column %R", where, key);
}
