/* py/column: one column of a Rows, as a sequence of Python values.
 *
 * Holds the batch and a range of its rows, as Rows does, and never changes.
 */
#include "py/column.h"

#include "py/arrow.h"
#include "py/buffer.h"
#include "py/pickle.h"
#include "py/shape.h"
#include "py/show.h"
#include "py/types.h"
#include "py/value.h"

#include <string.h> // strlen()

typedef struct {
    PyObject_HEAD
    py_column *column; /* owned */
    int64_t at;        /* the next row of the view */
} column_iter;

static PyObject *
make_column(const py_column *like, PyTypeObject *type)
{
    py_column *self = PyObject_GC_New(py_column, type);

    if (self == NULL) {
        return NULL;
    }
    self->state = like->state;
    self->batch = ss_batch_retain(like->batch);
    self->name = Py_NewRef(like->name);
    self->index = like->index;
    self->start = like->start;
    self->step = like->step;
    self->length = like->length;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *
py_column_new(const py_rows *rows, int index)
{
    py_column like = {
        .state = rows->state,
        .batch = rows->batch,
        .name = PyTuple_GET_ITEM(py_shape_names(rows->shape), index),
        .index = index,
        .start = rows->start,
        .step = rows->step,
        .length = rows->length,
    };

    return make_column(&like, rows->state->column_type);
}

static int
Column_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((py_column *)op)->name);
    return 0;
}

static void
Column_dealloc(PyObject *op)
{
    py_column *self = (py_column *)op;
    PyTypeObject *type = Py_TYPE(op);

    PyObject_GC_UnTrack(op);
    ss_batch_release(self->batch);
    Py_DECREF(self->name);
    type->tp_free(op);
    Py_DECREF(type);
}

static inline const ss_column *
column_of(const py_column *self)
{
    return &self->batch->columns[self->index];
}

static inline int64_t
row_of(const py_column *self, int64_t i)
{
    return self->start + i * self->step;
}

static inline PyObject *
cell(const py_column *self, int64_t i)
{
    return py_column_cell(self->state, column_of(self), row_of(self, i));
}

/* ---- a sequence ---- */

static Py_ssize_t
Column_length(PyObject *op)
{
    return (Py_ssize_t)((py_column *)op)->length;
}

static PyObject *
Column_item(PyObject *op, Py_ssize_t i)
{
    py_column *self = (py_column *)op;

    if (i < 0 || i >= self->length) {
        return PyErr_Format(PyExc_IndexError, "value %zd of %lld", i,
                            (long long)self->length);
    }
    return cell(self, i);
}

static PyObject *
slice_of(const py_column *self, PyObject *slice)
{
    Py_ssize_t start, stop, step;

    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices((Py_ssize_t)self->length, &start, &stop, step);
    py_column part = *self;
    part.start = n == 0 ? self->start : row_of(self, start);
    part.step = n <= 1 ? self->step : self->step * step;
    part.length = n;
    return make_column(&part, self->state->column_type);
}

static PyObject *
Column_subscript(PyObject *op, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        Py_ssize_t n = Column_length(op), at = i < 0 ? i + n : i;
        return at < 0 ? PyErr_Format(PyExc_IndexError, "value %zd of %zd", i, n)
                      : Column_item(op, at);
    }
    if (PySlice_Check(key)) {
        return slice_of((py_column *)op, key);
    }
    return PyErr_Format(PyExc_TypeError, "a column is read by int or slice, not by %s",
                        Py_TYPE(key)->tp_name);
}

static PyObject *
Column_iter(PyObject *op)
{
    py_column *column = (py_column *)op;
    column_iter *self = PyObject_GC_New(column_iter, column->state->column_iter_type);

    if (self == NULL) {
        return NULL;
    }
    self->column = (py_column *)Py_NewRef(op);
    self->at = 0;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *
ColumnIter_next(PyObject *op)
{
    column_iter *self = (column_iter *)op;

    return self->at < self->column->length ? cell(self->column, self->at++) : NULL;
}

static PyObject *
ColumnIter_length_hint(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    column_iter *self = (column_iter *)op;

    return PyLong_FromLongLong(self->column->length - self->at);
}

static int
ColumnIter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((column_iter *)op)->column);
    return 0;
}

static void
ColumnIter_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);

    PyObject_GC_UnTrack(op);
    Py_DECREF(((column_iter *)op)->column);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- comparing and finding ---- */

static int
equals_column(const py_column *a, const py_column *b)
{
    if (a->length != b->length) {
        return 0;
    }
    for (int64_t i = 0; i < a->length; i++) {
        ss_value x, y;
        ss_column_get(column_of(a), row_of(a, i), &x);
        ss_column_get(column_of(b), row_of(b, i), &y);
        if (!ss_value_equal(&x, &y)) {
            return 0;
        }
    }
    return 1;
}

/* With a list or tuple, which may change meanwhile. */
static int
equals_sequence(const py_column *self, PyObject *list)
{
    for (int64_t i = 0; i < self->length; i++) {
        if (PySequence_Fast_GET_SIZE(list) != self->length) {
            return 0;
        }
        PyObject *theirs = Py_NewRef(PySequence_Fast_GET_ITEM(list, (Py_ssize_t)i));
        PyObject *ours = cell(self, i);
        int rc = ours == NULL ? -1 : PyObject_RichCompareBool(ours, theirs, Py_EQ);
        Py_XDECREF(ours);
        Py_DECREF(theirs);
        if (rc != 1) {
            return rc;
        }
    }
    return PySequence_Fast_GET_SIZE(list) == self->length;
}

static PyObject *
Column_richcompare(PyObject *op, PyObject *other, int how)
{
    py_column *self = (py_column *)op;
    int equal;

    if (how != Py_EQ && how != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (Py_IS_TYPE(other, self->state->column_type)) {
        equal = equals_column(self, (py_column *)other);
    }
    else if (PyList_Check(other) || PyTuple_Check(other)) {
        equal = equals_sequence(self, other);
    }
    else {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return equal < 0 ? NULL : PyBool_FromLong(equal == (how == Py_EQ));
}

PyDoc_STRVAR(Column_count_doc,
             "count($self, value, /)\n--\n\nHow often the value occurs.");

static PyObject *
Column_count(PyObject *op, PyObject *value)
{
    Py_ssize_t n = PySequence_Count(op, value);

    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

PyDoc_STRVAR(Column_index_doc,
             "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
             "Where the value occurs first; ValueError when it does not.");

static PyObject *
Column_index(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    return py_rows_index_of(op, args, n);
}

PyDoc_STRVAR(Column_to_list_doc, "to_list($self, /)\n--\n\nA list of the values.");

static PyObject *
Column_to_list(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_column *self = (py_column *)op;
    PyObject *list = PyList_New((Py_ssize_t)self->length);

    for (int64_t i = 0; list != NULL && i < self->length; i++) {
        PyObject *value = cell(self, i);
        if (value == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, value);
    }
    return list;
}

PyDoc_STRVAR(Column_reversed_doc,
             "__reversed__($self, /)\n--\n\nIterate from the last value to the first.");

static PyObject *
Column_reversed(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_column back = *(py_column *)op;

    back.start = back.length == 0 ? back.start : row_of(&back, back.length - 1);
    back.step = -back.step;
    PyObject *column = make_column(&back, back.state->column_type);
    if (column == NULL) {
        return NULL;
    }
    PyObject *iter = Column_iter(column);
    Py_DECREF(column);
    return iter;
}

/* ---- what it is ---- */

static PyObject *
Column_get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(((py_column *)op)->name);
}

static PyObject *
Column_get_type(PyObject *op, void *Py_UNUSED(closure))
{
    const ss_column *column = column_of((py_column *)op);

    return PyUnicode_FromString(ss_kind_name((ss_kind)column->kind));
}

static PyObject *
Column_get_unit(PyObject *op, void *Py_UNUSED(closure))
{
    py_column *self = (py_column *)op;
    const ss_table_desc *table = self->batch->table;
    const char *name = self->batch->names[self->index];
    int c = table != NULL ? ss_catalog_column(table, name, strlen(name)) : -1;

    if (c < 0 || table->columns[c].unit[0] == '\0') {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(table->columns[c].unit);
}

static PyObject *
Column_get_null_count(PyObject *op, void *Py_UNUSED(closure))
{
    py_column *self = (py_column *)op;
    ss_view view = py_column_view(self);

    return PyLong_FromLongLong(ss_view_nulls(&view, column_of(self)));
}

static PyObject *
Column_repr(PyObject *op)
{
    return py_show_column((py_column *)op);
}

static PyObject *
Column_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return py_pickle_column((py_column *)op);
}

PyDoc_STRVAR(Column_copy_doc, "__copy__($self, /)\n--\n\nThe column itself: it cannot "
                              "change.");

static PyObject *
Column_copy(PyObject *op, PyObject *Py_UNUSED(memo))
{
    return Py_NewRef(op);
}

static PyMethodDef Column_methods[] = {
    {"__arrow_c_array__", _PyCFunction_CAST(py_arrow_column_array),
     METH_FASTCALL | METH_KEYWORDS, py_arrow_column_array_doc},
    {"__arrow_c_schema__", py_arrow_column_schema, METH_NOARGS,
     py_arrow_column_schema_doc},
    {"to_numpy", _PyCFunction_CAST(py_buffer_to_numpy), METH_FASTCALL | METH_KEYWORDS,
     py_buffer_to_numpy_doc},
    {"index", _PyCFunction_CAST(Column_index), METH_FASTCALL, Column_index_doc},
    {"count", Column_count, METH_O, Column_count_doc},
    {"to_list", Column_to_list, METH_NOARGS, Column_to_list_doc},
    {"__reversed__", Column_reversed, METH_NOARGS, Column_reversed_doc},
    {"__copy__", Column_copy, METH_NOARGS, Column_copy_doc},
    {"__deepcopy__", Column_copy, METH_O, NULL},
    {"__reduce__", Column_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Column_getset[] = {
    {"name", Column_get_name, NULL, "The column's name.", NULL},
    {"type", Column_get_type, NULL,
     "INTEGER, REAL, TEXT, DATE or TIMESTAMP; ANY for an expression.", NULL},
    {"unit", Column_get_unit, NULL, "What it counts or measures, or None.", NULL},
    {"null_count", Column_get_null_count, NULL, "How many values are None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(Column_doc, "One column of a result, as a sequence of values.\n\n"
                         "Slicing copies nothing.");

static PyType_Slot Column_slots[] = {
    {Py_tp_doc, (void *)Column_doc},
    {Py_tp_dealloc, Column_dealloc},
    {Py_tp_traverse, Column_traverse},
    {Py_tp_repr, Column_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_richcompare, Column_richcompare},
    {Py_tp_iter, Column_iter},
    {Py_tp_methods, Column_methods},
    {Py_tp_getset, Column_getset},
    {Py_bf_getbuffer, py_buffer_get},
    {Py_bf_releasebuffer, py_buffer_release},
    {Py_sq_length, Column_length},
    {Py_sq_item, Column_item},
    {Py_mp_length, Column_length},
    {Py_mp_subscript, Column_subscript},
    {0, NULL},
};

static PyType_Spec Column_spec = {
    .name = "smartshopie_db.Column",
    .basicsize = sizeof(py_column),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE,
    .slots = Column_slots,
};

int
py_column_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Column_spec, NULL, true, &state->column_type);
}

static PyMethodDef ColumnIter_methods[] = {
    {"__length_hint__", ColumnIter_length_hint, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot ColumnIter_slots[] = {
    {Py_tp_dealloc, ColumnIter_dealloc}, {Py_tp_traverse, ColumnIter_traverse},
    {Py_tp_iter, PyObject_SelfIter},     {Py_tp_iternext, ColumnIter_next},
    {Py_tp_methods, ColumnIter_methods}, {0, NULL},
};

static PyType_Spec ColumnIter_spec = {
    .name = "smartshopie_db._core.ColumnIterator",
    .basicsize = sizeof(column_iter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = ColumnIter_slots,
};

int
py_column_iter_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &ColumnIter_spec, NULL, false,
                             &state->column_iter_type);
}
