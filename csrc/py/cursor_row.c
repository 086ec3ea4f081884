#include "py/cursor_row.h"

#include "py/cursor.h"
#include "py/raise.h"
#include "py/types.h"

#include <string.h> // strlen()

static PyObject **
items_of(PyObject *row)
{
    return ((PyTupleObject *)row)->ob_item;
}

static PyObject *
names_of(PyObject *row)
{
    return items_of(row)[Py_SIZE(row)];
}

PyObject *
py_cursor_row_new(py_state *state, PyObject *names, Py_ssize_t n)
{
    PyTypeObject *type = state->cursor_row_type;
    Py_INCREF(names); /* what allocates may run anything, the names' cursor included */
    PyObject *row = type->tp_alloc(type, n + 1);
    if (row == NULL) {
        Py_DECREF(names);
        return NULL;
    }
    Py_SET_SIZE((PyVarObject *)row, n);
#if PY_VERSION_HEX >= 0x030E0000
    ((PyTupleObject *)row)->ob_hash = -1;
#endif
    items_of(row)[n] = names;
    return row;
}

/* CursorRow(cursor, values), as row factories call it. */
static PyObject *
CursorRow_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of_type(type);
    PyObject *cursor, *values;
    if (state == NULL || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) ||
        !PyArg_ParseTuple(args, "O!O!:CursorRow", state->cursor_type, &cursor,
                          &PyTuple_Type, &values)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "CursorRow() takes no keyword arguments");
        }
        return NULL;
    }
    PyObject *names = py_cursor_names(cursor);
    Py_ssize_t n = PyTuple_GET_SIZE(values);
    if (names == NULL || PyTuple_GET_SIZE(names) != n) {
        return PyErr_Format(PyExc_ValueError,
                            "CursorRow(): %zd values for the cursor's %zd columns", n,
                            names != NULL ? PyTuple_GET_SIZE(names) : 0);
    }
    PyObject *row = py_cursor_row_new(state, names, n);
    for (Py_ssize_t i = 0; row != NULL && i < n; i++) {
        PyTuple_SET_ITEM(row, i, Py_NewRef(PyTuple_GET_ITEM(values, i)));
    }
    return row;
}

static int
CursorRow_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    for (Py_ssize_t i = 0; i <= Py_SIZE(op); i++) {
        Py_VISIT(items_of(op)[i]);
    }
    return 0;
}

/* Rows made by hand may hold rows that hold rows: the trashcan ends the recursion. */
static void
CursorRow_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, CursorRow_dealloc);
    for (Py_ssize_t i = 0; i <= Py_SIZE(op); i++) {
        Py_XDECREF(items_of(op)[i]);
    }
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

/* By name as the standard module has it: the first that is equal without regard to
 * case. */
static PyObject *
by_name(PyObject *row, PyObject *key)
{
    PyObject *names = names_of(row);
    Py_ssize_t n, n_text;
    const char *text = PyUnicode_AsUTF8AndSize(key, &n_text);
    if (text == NULL) {
        PyErr_Clear(); /* a lone surrogate: no column has one */
    }
    for (Py_ssize_t i = 0; text != NULL && i < PyTuple_GET_SIZE(names); i++) {
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(names, i), &n);
        if (name == NULL) {
            return NULL;
        }
        if (n == n_text && PyOS_strnicmp(name, text, n) == 0) {
            return Py_NewRef(PyTuple_GET_ITEM(row, i));
        }
    }
    return py_raise_nearest_of(PyExc_IndexError, key, names,
                               "this row has no column %R", key);
}

static PyObject *
CursorRow_subscript(PyObject *op, PyObject *key)
{
    return PyUnicode_Check(key) ? by_name(op, key)
                                : PyTuple_Type.tp_as_mapping->mp_subscript(op, key);
}

static PyObject *
CursorRow_keys(PyObject *op, PyObject *unused)
{
    (void)unused;
    return PySequence_List(names_of(op));
}

/* Pickled and copied as the tuple that it is. */
static PyObject *
CursorRow_reduce(PyObject *op, PyObject *unused)
{
    (void)unused;
    PyObject *items = PyTuple_GetSlice(op, 0, Py_SIZE(op));
    return items != NULL ? Py_BuildValue("O(N)", &PyTuple_Type, items) : NULL;
}

static PyMethodDef CursorRow_methods[] = {
    {"keys", CursorRow_keys, METH_NOARGS,
     PyDoc_STR("keys($self, /)\n--\n\nThe column names, as a list.")},
    {"__reduce__", CursorRow_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nPickle as a plain tuple.")},
    {NULL},
};

static PyType_Slot CursorRow_slots[] = {
    {Py_tp_doc, "CursorRow(cursor, values, /)\n--\n\n"
                "One row of a cursor: a tuple whose values also have names."},
    {Py_tp_new, CursorRow_new},
    {Py_tp_dealloc, CursorRow_dealloc},
    {Py_tp_traverse, CursorRow_traverse},
    {Py_mp_subscript, CursorRow_subscript},
    {Py_tp_methods, CursorRow_methods},
    {0, NULL},
};

static PyType_Spec CursorRow_spec = {
    .name = "smartshopie_db.CursorRow",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = CursorRow_slots,
};

int
py_cursor_row_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &CursorRow_spec, &PyTuple_Type, true,
                             &state->cursor_row_type);
}
