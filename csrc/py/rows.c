/* py/rows: a sequence of records.
 *
 * Rows and its iterator hold the batch and the shape, nothing else, and never change:
 * any thread may read one, and a slice or a reversed view is only another range over
 * the same batch.
 */
#include "py/rows.h"

#include "base/mem.h"
#include "py/arrow.h"
#include "py/column.h"
#include "py/export.h"
#include "py/notebook.h"
#include "py/pickle.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/shape.h"
#include "py/show.h"
#include "py/types.h"
#include "py/value.h"

#include <string.h> // strcmp()

typedef struct {
    PyObject_HEAD
    py_rows *rows; /* owned */
    int64_t at;    /* the next row of the view */
} rows_iter;

/* A range over a batch; retains batch and shape. */
static PyObject *
make_rows(py_state *state, ss_batch *batch, PyObject *shape, int64_t start,
          int64_t step, int64_t length)
{
    py_rows *self = PyObject_GC_New(py_rows, state->rows_type);

    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    self->batch = ss_batch_retain(batch);
    self->shape = Py_NewRef(shape);
    self->start = start;
    self->step = step;
    self->length = length;
    self->kept = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *
py_rows_new(py_state *state, ss_batch *batch)
{
    PyObject *rows = NULL;
    PyObject *shape = py_shape_of_batch(state, batch);

    if (shape != NULL) {
        rows = make_rows(state, batch, shape, 0, 1, batch->n_rows);
        Py_DECREF(shape);
    }
    ss_batch_release(batch);
    return rows;
}

static int
Rows_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((py_rows *)op)->shape);
    return 0;
}

static void
Rows_dealloc(PyObject *op)
{
    py_rows *self = (py_rows *)op;
    PyTypeObject *type = Py_TYPE(op);

    PyObject_GC_UnTrack(op);
    ss_batch_release(self->batch);
    Py_DECREF(self->shape);
    type->tp_free(op);
    Py_DECREF(type);
}

static inline int64_t
row_of(const py_rows *self, int64_t i)
{
    return self->start + i * self->step;
}

/* ---- a sequence ---- */

static Py_ssize_t
Rows_length(PyObject *op)
{
    return (Py_ssize_t)((py_rows *)op)->length;
}

static PyObject *
Rows_item(PyObject *op, Py_ssize_t i)
{
    py_rows *self = (py_rows *)op;

    if (i < 0 || i >= self->length) {
        return PyErr_Format(PyExc_IndexError, "row %zd of %lld", i,
                            (long long)self->length);
    }
    return py_record_new(self->state, self->batch, row_of(self, i), self->shape);
}

static PyObject *
slice_of(const py_rows *self, PyObject *slice)
{
    Py_ssize_t start, stop, step;

    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices((Py_ssize_t)self->length, &start, &stop, step);
    if (n <= 1) {
        step = 1; /* of no consequence, and the product below stays in range */
    }
    return make_rows(self->state, self->batch, self->shape,
                     n == 0 ? self->start : row_of(self, start), self->step * step, n);
}

static PyObject *
column_named(const py_rows *self, PyObject *name)
{
    int column = py_shape_find(self->shape, name);

    if (column >= 0) {
        return py_column_new(self, column);
    }
    return column == -2
               ? NULL
               : py_shape_no_key(self->shape, name, py_record_where(self->batch));
}

static PyObject *
Rows_subscript(PyObject *op, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        Py_ssize_t n = Rows_length(op), at = i < 0 ? i + n : i;
        return at < 0 ? PyErr_Format(PyExc_IndexError, "row %zd of %zd", i, n)
                      : Rows_item(op, at);
    }
    if (PySlice_Check(key)) {
        return slice_of((py_rows *)op, key);
    }
    if (PyUnicode_Check(key)) {
        return column_named((py_rows *)op, key);
    }
    return PyErr_Format(PyExc_TypeError,
                        "rows are read by int, slice or column name, not by %s",
                        Py_TYPE(key)->tp_name);
}

/* ---- iteration ---- */

static PyObject *
make_iter(py_state *state, PyObject *rows)
{
    rows_iter *self = PyObject_GC_New(rows_iter, state->rows_iter_type);

    if (self == NULL) {
        return NULL;
    }
    self->rows = (py_rows *)Py_NewRef(rows);
    self->at = 0;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *
Rows_iter(PyObject *op)
{
    return make_iter(((py_rows *)op)->state, op);
}

PyDoc_STRVAR(Rows_reversed_doc,
             "__reversed__($self, /)\n--\n\nIterate from the last row to the first.");

static PyObject *
Rows_reversed(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_rows *self = (py_rows *)op;
    int64_t last = self->length == 0 ? self->start : row_of(self, self->length - 1);
    PyObject *back = make_rows(self->state, self->batch, self->shape, last, -self->step,
                               self->length);

    if (back == NULL) {
        return NULL;
    }
    PyObject *iter = make_iter(self->state, back);
    Py_DECREF(back);
    return iter;
}

static PyObject *
RowsIter_next(PyObject *op)
{
    rows_iter *self = (rows_iter *)op;
    const py_rows *rows = self->rows;

    if (self->at >= rows->length) {
        return NULL;
    }
    return py_record_new(rows->state, rows->batch, row_of(rows, self->at++),
                         rows->shape);
}

static PyObject *
RowsIter_length_hint(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    rows_iter *self = (rows_iter *)op;

    return PyLong_FromLongLong(self->rows->length - self->at);
}

static int
RowsIter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((rows_iter *)op)->rows);
    return 0;
}

static void
RowsIter_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);

    PyObject_GC_UnTrack(op);
    Py_DECREF(((rows_iter *)op)->rows);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- comparing and finding ---- */

/* Which column of b each column of a is, by name; the numbers are in `map`. False when
 * they have not the same names. */
static bool
match_columns(const ss_batch *a, const ss_batch *b, int *map)
{
    for (int c = 0; c < a->n_columns; c++) {
        if (strcmp(a->names[c], b->names[c]) == 0) {
            map[c] = c;
            continue;
        }
        map[c] = ss_batch_find(b, a->names[c], strlen(a->names[c]));
        if (map[c] < 0) {
            return false;
        }
    }
    return true;
}

static bool
columns_equal(const py_rows *a, const py_rows *b, int i, int j)
{
    for (int64_t r = 0; r < a->length; r++) {
        ss_value x, y;
        ss_column_get(&a->batch->columns[i], row_of(a, r), &x);
        ss_column_get(&b->batch->columns[j], row_of(b, r), &y);
        if (!ss_value_equal(&x, &y)) {
            return false;
        }
    }
    return true;
}

/* Same columns, in any order, and same cells. */
static int
equals_rows(const py_rows *a, const py_rows *b)
{
    int n = a->batch->n_columns, rc = 0;

    if (a->length != b->length || n != b->batch->n_columns) {
        return 0;
    }
    if (a->batch == b->batch && a->start == b->start && a->step == b->step) {
        return 1;
    }
    int *map = ss_calloc((size_t)n + 1, sizeof(*map));
    if (map == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    rc = match_columns(a->batch, b->batch, map);
    for (int c = 0; c < n && rc; c++) {
        rc = columns_equal(a, b, c, map[c]);
    }
    ss_free(map);
    return rc;
}

/* Elementwise, with a list or tuple of mappings. The list may change meanwhile. */
static int
equals_sequence(PyObject *op, PyObject *list)
{
    Py_ssize_t n = Rows_length(op);

    for (Py_ssize_t i = 0; i < n; i++) {
        if (PySequence_Fast_GET_SIZE(list) != n) {
            return 0;
        }
        PyObject *theirs = Py_NewRef(PySequence_Fast_GET_ITEM(list, i));
        PyObject *ours = Rows_item(op, i);
        int rc = ours == NULL ? -1 : PyObject_RichCompareBool(ours, theirs, Py_EQ);
        Py_XDECREF(ours);
        Py_DECREF(theirs);
        if (rc != 1) {
            return rc;
        }
    }
    return PySequence_Fast_GET_SIZE(list) == n;
}

static PyObject *
Rows_richcompare(PyObject *op, PyObject *other, int how)
{
    py_rows *self = (py_rows *)op;
    int equal;

    if (how != Py_EQ && how != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (py_rows_check(self->state, other)) {
        equal = equals_rows(self, (py_rows *)other);
    }
    else if (PyList_Check(other) || PyTuple_Check(other)) {
        equal = equals_sequence(op, other);
    }
    else {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return equal < 0 ? NULL : PyBool_FromLong(equal == (how == Py_EQ));
}

PyDoc_STRVAR(Rows_count_doc,
             "count($self, row, /)\n--\n\nHow many rows equal this one.");

static PyObject *
Rows_count(PyObject *op, PyObject *value)
{
    Py_ssize_t n = PySequence_Count(op, value);

    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

/* A bound of index() within 0..n. */
static int
index_bound(PyObject *arg, Py_ssize_t n, Py_ssize_t *out)
{
    Py_ssize_t i = PyNumber_AsSsize_t(arg, NULL);

    if (i == -1 && PyErr_Occurred()) {
        return -1;
    }
    i = i < 0 ? i + n : i;
    *out = i < 0 ? 0 : i > n ? n : i;
    return 0;
}

PyObject *
py_rows_index_of(PyObject *sequence, PyObject *const *args, Py_ssize_t n_args)
{
    Py_ssize_t n = PySequence_Size(sequence), start = 0, stop = n;

    if (n_args < 1 || n_args > 3) {
        return PyErr_Format(PyExc_TypeError,
                            "index() takes a value, a start and a stop (%zd given)",
                            n_args);
    }
    if (n < 0 || (n_args > 1 && index_bound(args[1], n, &start) < 0) ||
        (n_args > 2 && index_bound(args[2], n, &stop) < 0)) {
        return NULL;
    }
    for (Py_ssize_t i = start; i < stop; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        int rc = item == NULL ? -1 : PyObject_RichCompareBool(item, args[0], Py_EQ);
        Py_XDECREF(item);
        if (rc != 0) {
            return rc < 0 ? NULL : PyLong_FromSsize_t(i);
        }
    }
    return PyErr_Format(PyExc_ValueError, "the value is not in the sequence");
}

PyDoc_STRVAR(Rows_index_doc,
             "index($self, row, start=0, stop=sys.maxsize, /)\n--\n\n"
             "The number of the first row equal to this one; ValueError "
             "when there is none.");

static PyObject *
Rows_index(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    return py_rows_index_of(op, args, n);
}

/* ---- plain Python data ---- */

/* A list with one object per row. */
static PyObject *
list_of(const py_rows *self, PyObject *(*make)(const py_record *row))
{
    PyObject *list = PyList_New((Py_ssize_t)self->length);
    /* A record without a head of its own: it never leaves this function. */
    py_record row = {.state = self->state, .batch = self->batch, .shape = self->shape};

    for (int64_t i = 0; list != NULL && i < self->length; i++) {
        row.row = row_of(self, i);
        PyObject *item = make(&row);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

static PyObject *
tuple_of_cells(const py_record *row)
{
    int n = row->batch->n_columns;
    PyObject *tuple = PyTuple_New(n);

    for (int c = 0; tuple != NULL && c < n; c++) {
        PyObject *value = py_column_cell(row->state, &row->batch->columns[c], row->row);
        if (value == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, c, value);
    }
    return tuple;
}

PyDoc_STRVAR(Rows_to_dicts_doc, "to_dicts($self, /)\n--\n\nA list of dicts.");

static PyObject *
Rows_to_dicts(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return list_of((py_rows *)op, py_record_to_dict);
}

PyDoc_STRVAR(Rows_to_list_doc,
             "to_list($self, /)\n--\n\nA list of tuples, in the order of `columns`.");

static PyObject *
Rows_to_list(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return list_of((py_rows *)op, tuple_of_cells);
}

/* ---- notes ---- */

/* Which row of the view a row of the batch is, or -1. */
static int64_t
view_row(const py_rows *self, int64_t row)
{
    int64_t distance = row - self->start;

    if (distance % self->step != 0) {
        return -1;
    }
    int64_t i = distance / self->step;
    return i >= 0 && i < self->length ? i : -1;
}

/* The id of a row of the batch, None when it has no such column. */
static PyObject *
id_of_row(const py_rows *self, int64_t row)
{
    int column = self->batch->table != NULL ? ss_batch_find(self->batch, "id", 2) : -1;

    if (column < 0) {
        Py_RETURN_NONE;
    }
    return py_column_cell(self->state, &self->batch->columns[column], row);
}

static PyObject *
make_note(const py_rows *self, const ss_note *note, int64_t i)
{
    py_state *state = self->state;
    PyObject *name = PyTuple_GET_ITEM(py_shape_names(self->shape), note->column);
    PyObject *id = id_of_row(self, note->row);

    if (id == NULL) {
        return NULL;
    }
    PyObject *dict = Py_BuildValue("{O:L,O:O,O:s,O:O}", state->str_row, (long long)i,
                                   state->str_column, name, state->str_value,
                                   note->value, state->str_id, id);
    Py_DECREF(id);
    return dict;
}

static PyObject *
Rows_get_notes(PyObject *op, void *Py_UNUSED(closure))
{
    py_rows *self = (py_rows *)op;
    PyObject *tuple = NULL, *list = PyList_New(0);

    if (list == NULL) {
        return NULL;
    }
    for (int64_t n = 0; n < self->batch->n_notes; n++) {
        const ss_note *note = &self->batch->notes[n];
        int64_t i = view_row(self, note->row);
        PyObject *dict = NULL;
        if (i < 0) {
            continue;
        }
        dict = make_note(self, note, i);
        if (dict == NULL || PyList_Append(list, dict) < 0) {
            Py_XDECREF(dict);
            goto done;
        }
        Py_DECREF(dict);
    }
    tuple = PyList_AsTuple(list);
done:
    Py_DECREF(list);
    return tuple;
}

/* ---- the rest ---- */

static PyObject *
Rows_get_columns(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(py_shape_names(((py_rows *)op)->shape));
}

static PyObject *
Rows_get_next_token(PyObject *op, void *Py_UNUSED(closure))
{
    py_rows *self = (py_rows *)op;
    const ss_batch *batch = self->batch;
    bool to_the_end = self->step > 0 && self->length > 0 &&
                      row_of(self, self->length - 1) == batch->n_rows - 1;

    if (batch->next_token == NULL || !to_the_end) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(batch->next_token);
}

static PyObject *
Rows_repr(PyObject *op)
{
    return py_show_rows((py_rows *)op);
}

static PyObject *
Rows_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return py_pickle_rows((py_rows *)op);
}

PyDoc_STRVAR(Rows_copy_doc,
             "__copy__($self, /)\n--\n\nThe rows themselves: they cannot "
             "change.");

static PyObject *
Rows_copy(PyObject *op, PyObject *Py_UNUSED(memo))
{
    return Py_NewRef(op);
}

PyDoc_STRVAR(Rows_sizeof_doc, "__sizeof__($self, /)\n--\n\nBytes held, the columns "
                              "included (views of one result share them).");

static PyObject *
Rows_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(sizeof(py_rows) + ss_batch_size(((py_rows *)op)->batch));
}

static PyMethodDef Rows_methods[] = {
    {"__arrow_c_stream__", _PyCFunction_CAST(py_arrow_rows_stream),
     METH_FASTCALL | METH_KEYWORDS, py_arrow_rows_stream_doc},
    {"__arrow_c_schema__", py_arrow_rows_schema, METH_NOARGS, py_arrow_rows_schema_doc},
    {"index", _PyCFunction_CAST(Rows_index), METH_FASTCALL, Rows_index_doc},
    {"count", Rows_count, METH_O, Rows_count_doc},
    {"to_dicts", Rows_to_dicts, METH_NOARGS, Rows_to_dicts_doc},
    {"to_list", Rows_to_list, METH_NOARGS, Rows_to_list_doc},
    {"to_json", _PyCFunction_CAST(py_export_rows_json), METH_FASTCALL | METH_KEYWORDS,
     py_export_rows_json_doc},
    {"to_ndjson", _PyCFunction_CAST(py_export_rows_ndjson),
     METH_FASTCALL | METH_KEYWORDS, py_export_rows_ndjson_doc},
    {"to_csv", _PyCFunction_CAST(py_export_rows_csv), METH_FASTCALL | METH_KEYWORDS,
     py_export_rows_csv_doc},
    {"_repr_mimebundle_", _PyCFunction_CAST(py_notebook_rows),
     METH_FASTCALL | METH_KEYWORDS, py_notebook_doc},
    {"to_arrow", py_export_rows_arrow, METH_NOARGS, py_export_rows_arrow_doc},
    {"to_pandas", py_export_rows_pandas, METH_NOARGS, py_export_rows_pandas_doc},
    {"to_polars", py_export_rows_polars, METH_NOARGS, py_export_rows_polars_doc},
    {"__reversed__", Rows_reversed, METH_NOARGS, Rows_reversed_doc},
    {"__copy__", Rows_copy, METH_NOARGS, Rows_copy_doc},
    {"__deepcopy__", Rows_copy, METH_O, NULL},
    {"__reduce__", Rows_reduce, METH_NOARGS, NULL},
    {"__sizeof__", Rows_sizeof, METH_NOARGS, Rows_sizeof_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Rows_getset[] = {
    {"columns", Rows_get_columns, NULL, "The column names, in order.", NULL},
    {"next_token", Rows_get_next_token, NULL,
     "What after= takes to read the page behind these rows; None when no limit was\n"
     "given or nothing follows.",
     NULL},
    {"notes", Rows_get_notes, NULL,
     "Cells read as None because their column's type cannot hold what is stored\n"
     "(strict=False): dicts of row, column, value (as stored) and id.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(Rows_doc,
             "A sequence of records over immutable columns.\n\n"
             "rows[3] is a record, rows[2:9] other rows over the same columns (nothing "
             "is\ncopied), rows[\"name\"] a column.");

static PyType_Slot Rows_slots[] = {
    {Py_tp_doc, (void *)Rows_doc},
    {Py_tp_dealloc, Rows_dealloc},
    {Py_tp_traverse, Rows_traverse},
    {Py_tp_repr, Rows_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_richcompare, Rows_richcompare},
    {Py_tp_iter, Rows_iter},
    {Py_tp_methods, Rows_methods},
    {Py_tp_getset, Rows_getset},
    {Py_sq_length, Rows_length},
    {Py_sq_item, Rows_item},
    {Py_mp_length, Rows_length},
    {Py_mp_subscript, Rows_subscript},
    {0, NULL},
};

static PyType_Spec Rows_spec = {
    .name = "smartshopie_db.Rows",
    .basicsize = sizeof(py_rows),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE,
    .slots = Rows_slots,
};

int
py_rows_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Rows_spec, NULL, true, &state->rows_type);
}

static PyMethodDef RowsIter_methods[] = {
    {"__length_hint__", RowsIter_length_hint, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot RowsIter_slots[] = {
    {Py_tp_dealloc, RowsIter_dealloc}, {Py_tp_traverse, RowsIter_traverse},
    {Py_tp_iter, PyObject_SelfIter},   {Py_tp_iternext, RowsIter_next},
    {Py_tp_methods, RowsIter_methods}, {0, NULL},
};

static PyType_Spec RowsIter_spec = {
    .name = "smartshopie_db._core.RowsIterator",
    .basicsize = sizeof(rows_iter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = RowsIter_slots,
};

int
py_rows_iter_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &RowsIter_spec, NULL, false,
                             &state->rows_iter_type);
}
