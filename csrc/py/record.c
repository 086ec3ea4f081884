/* py/record: one row as a view.
 *
 * The slots of Record serve the thirty types (py/model adds what differs: a constructor
 * and one attribute per column) and Row, whose attributes are looked up by name.
 * Helper methods live in the base and column attributes in the derived type, so a
 * column wins over a helper of the same name; Row asks its names first.
 *
 * All of it is a mapping from column name to value: keys(), items(), == with any other
 * mapping, and a hash that agrees with ==, whatever the order of the columns.
 */
#include "py/record.h"

#include "base/mem.h"
#include "py/export.h"
#include "py/model.h"
#include "py/notebook.h"
#include "py/pickle.h"
#include "py/raise.h"
#include "py/shape.h"
#include "py/show.h"
#include "py/types.h"
#include "py/value.h"

#include <string.h> // strlen()

PyObject *
py_record_new(py_state *state, ss_batch *batch, int64_t row, PyObject *shape)
{
    PyTypeObject *type = state->row_type;
    PyObject *owned = NULL;

    if (batch->whole) {
        type = state->record_types[batch->table - ss_tables];
    }
    else {
        owned = shape != NULL ? Py_NewRef(shape) : py_shape_of_batch(state, batch);
        if (owned == NULL) {
            return NULL;
        }
    }
    py_record *self = PyObject_New(py_record, type);
    if (self == NULL) {
        Py_XDECREF(owned);
        return NULL;
    }
    self->state = state;
    self->batch = ss_batch_retain(batch);
    self->shape = owned;
    self->row = row;
    self->given = PY_RECORD_ALL;
    self->kept = NULL;
    return (PyObject *)self;
}

void
py_record_dealloc(PyObject *op)
{
    py_record *self = (py_record *)op;
    PyTypeObject *type = Py_TYPE(op);

    ss_batch_release(self->batch);
    Py_XDECREF(self->shape);
    type->tp_free(op);
    Py_DECREF(type);
}

int
py_record_table(py_state *state, PyObject *obj)
{
    if (!py_record_check(state, obj)) {
        return -1;
    }
    const ss_batch *batch = ((py_record *)obj)->batch;
    return batch->whole ? (int)(batch->table - ss_tables) : -1;
}

const ss_batch *
py_record_batch(PyObject *record, int64_t *row, uint64_t *given)
{
    py_record *self = (py_record *)record;

    if (row != NULL) {
        *row = self->row;
    }
    if (given != NULL) {
        *given = self->given;
    }
    return self->batch;
}

static inline PyObject *
cell(const py_record *self, int column)
{
    return py_column_cell(self->state, &self->batch->columns[column], self->row);
}

/* ---- a mapping ---- */

static Py_ssize_t
Record_length(PyObject *op)
{
    return PyDict_GET_SIZE(py_shape_index(py_record_shape((py_record *)op)));
}

static PyObject *
Record_subscript(PyObject *op, PyObject *key)
{
    py_record *self = (py_record *)op;
    PyObject *shape = py_record_shape(self);
    int column = py_shape_find(shape, key);

    if (column >= 0) {
        return cell(self, column);
    }
    return column == -2 ? NULL
                        : py_shape_no_key(shape, key, py_record_where(self->batch));
}

static int
Record_contains(PyObject *op, PyObject *key)
{
    int column = py_shape_find(py_record_shape((py_record *)op), key);

    return column == -2 ? -1 : column >= 0;
}

static PyObject *
Record_iter(PyObject *op)
{
    return PyObject_GetIter(py_shape_index(py_record_shape((py_record *)op)));
}

PyDoc_STRVAR(Record_get_doc, "get($self, name, default=None, /)\n--\n\n"
                             "The value of a column, or `default` when there is no "
                             "such column.");

static PyObject *
Record_get(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    py_record *self = (py_record *)op;

    if (n < 1 || n > 2) {
        return PyErr_Format(PyExc_TypeError,
                            "get() takes a column name and a default (%zd given)", n);
    }
    int column = py_shape_find(py_record_shape(self), args[0]);
    if (column >= 0) {
        return cell(self, column);
    }
    return column == -2 ? NULL : Py_NewRef(n == 2 ? args[1] : Py_None);
}

/* The view of the names is of the shape's own dict, which nobody can change through
 * it; a view of values is of a dict made for it. */
PyDoc_STRVAR(Record_keys_doc, "keys($self, /)\n--\n\nA set-like view of the column "
                              "names, in order.");

static PyObject *
Record_keys(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_record *self = (py_record *)op;

    return PyObject_CallMethodNoArgs(py_shape_index(py_record_shape(self)),
                                     self->state->str_keys);
}

static PyObject *
view_of_dict(const py_record *self, PyObject *method)
{
    PyObject *dict = py_record_to_dict(self);

    if (dict == NULL) {
        return NULL;
    }
    PyObject *view = PyObject_CallMethodNoArgs(dict, method);
    Py_DECREF(dict);
    return view;
}

PyDoc_STRVAR(Record_values_doc, "values($self, /)\n--\n\nA view of the values, in the "
                                "order of the columns.");

static PyObject *
Record_values(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_record *self = (py_record *)op;

    return view_of_dict(self, self->state->str_values);
}

PyDoc_STRVAR(Record_items_doc,
             "items($self, /)\n--\n\nA set-like view of (name, value) "
             "pairs, in the order of the columns.");

static PyObject *
Record_items(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_record *self = (py_record *)op;

    return view_of_dict(self, self->state->str_items);
}

PyObject *
py_record_to_dict(const py_record *self)
{
    PyObject *index = py_shape_index(py_record_shape(self));
    PyObject *name, *number;
    Py_ssize_t at = 0;
    /* A copy has all keys in place already, so that it never grows. */
    PyObject *dict = PyDict_Copy(index);

    if (dict == NULL) {
        return NULL;
    }
    while (PyDict_Next(index, &at, &name, &number)) {
        PyObject *value = cell(self, py_shape_number(number));
        if (value == NULL || PyDict_SetItem(dict, name, value) < 0) {
            Py_XDECREF(value);
            Py_DECREF(dict);
            return NULL;
        }
        Py_DECREF(value);
    }
    return dict;
}

PyDoc_STRVAR(Record_to_dict_doc, "to_dict($self, /)\n--\n\nA new dict of all columns.");

static PyObject *
Record_to_dict(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return py_record_to_dict((py_record *)op);
}

/* ---- comparing ---- */

static bool
cells_equal(const py_record *a, int i, const py_record *b, int j)
{
    ss_value x, y;

    ss_column_get(&a->batch->columns[i], a->row, &x);
    ss_column_get(&b->batch->columns[j], b->row, &y);
    return ss_value_equal(&x, &y);
}

/* Both have the same columns in the same order. */
static int
equal_in_order(const py_record *a, const py_record *b)
{
    for (int c = 0; c < a->batch->n_columns; c++) {
        if (!cells_equal(a, c, b, c)) {
            return 0;
        }
    }
    return 1;
}

int
py_record_equal(const py_record *a, const py_record *b)
{
    PyObject *left = py_shape_index(py_record_shape(a));
    PyObject *shape = py_record_shape(b);
    PyObject *name, *number;
    Py_ssize_t at = 0;

    if (left == py_shape_index(shape)) {
        return equal_in_order(a, b);
    }
    if (PyDict_GET_SIZE(left) != PyDict_GET_SIZE(py_shape_index(shape))) {
        return 0;
    }
    while (PyDict_Next(left, &at, &name, &number)) {
        int other = py_shape_find(shape, name);
        if (other < 0) {
            return other == -2 ? -1 : 0;
        }
        if (!cells_equal(a, py_shape_number(number), b, other)) {
            return 0;
        }
    }
    return 1;
}

/* What a mapping has under a name: 1 with a new reference, 0 for nothing, -1. */
static int
look_up(PyObject *mapping, PyObject *name, PyObject **out)
{
    if (PyDict_Check(mapping)) { /* its own lookup would let a defaultdict grow */
        *out = Py_XNewRef(PyDict_GetItemWithError(mapping, name));
    }
    else {
        *out = PyObject_GetItem(mapping, name);
    }
    if (*out != NULL) {
        return 1;
    }
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_KeyError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

static int
equals_mapping(const py_record *self, PyObject *mapping)
{
    PyObject *index = py_shape_index(py_record_shape(self));
    PyObject *name, *number;
    Py_ssize_t at = 0, n = PyObject_Size(mapping);

    if (n != PyDict_GET_SIZE(index)) {
        return n < 0 ? -1 : 0;
    }
    while (PyDict_Next(index, &at, &name, &number)) {
        PyObject *theirs;
        int rc = look_up(mapping, name, &theirs);
        if (rc != 1) {
            return rc;
        }
        PyObject *ours = cell(self, py_shape_number(number));
        rc = ours == NULL ? -1 : PyObject_RichCompareBool(ours, theirs, Py_EQ);
        Py_XDECREF(ours);
        Py_DECREF(theirs);
        if (rc != 1) {
            return rc;
        }
    }
    return 1;
}

static PyObject *
Record_richcompare(PyObject *op, PyObject *other, int how)
{
    py_record *self = (py_record *)op;
    int equal;

    if (how != Py_EQ && how != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (py_record_check(self->state, other)) {
        equal = py_record_equal(self, (py_record *)other);
    }
    else if (PyType_HasFeature(Py_TYPE(other), Py_TPFLAGS_MAPPING)) {
        equal = equals_mapping(self, other);
    }
    else {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return equal < 0 ? NULL : PyBool_FromLong(equal == (how == Py_EQ));
}

/* One (name, value) pair, mixed so that pairs can be added up in any order. */
static int
hash_pair(PyObject *name, PyObject *value, Py_uhash_t *out)
{
    Py_hash_t of_name = PyObject_Hash(name);
    Py_hash_t of_value = PyObject_Hash(value);

    if (of_name == -1 || of_value == -1) {
        return -1;
    }
    Py_uhash_t h = (Py_uhash_t)of_name * 1000003u ^ (Py_uhash_t)of_value;
    h ^= h >> 15;
    h *= (Py_uhash_t)UINT64_C(0x9E3779B97F4A7C15);
    *out = h ^ (h >> 17);
    return 0;
}

static Py_hash_t
Record_hash(PyObject *op)
{
    py_record *self = (py_record *)op;
    PyObject *index = py_shape_index(py_record_shape(self));
    PyObject *name, *number;
    Py_ssize_t at = 0;
    Py_uhash_t sum = (Py_uhash_t)PyDict_GET_SIZE(index);

    while (PyDict_Next(index, &at, &name, &number)) {
        Py_uhash_t h;
        PyObject *value = cell(self, py_shape_number(number));
        int rc = value == NULL ? -1 : hash_pair(name, value, &h);
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
        sum += h;
    }
    return (Py_hash_t)sum == -1 ? -2 : (Py_hash_t)sum;
}

/* ---- copies ---- */

PyDoc_STRVAR(Record_copy_doc,
             "__copy__($self, /)\n--\n\nThe record itself: it cannot change.");

static PyObject *
Record_copy(PyObject *op, PyObject *Py_UNUSED(memo))
{
    return Py_NewRef(op);
}

static PyObject *
Record_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return py_pickle_record((py_record *)op);
}

/* The columns of a batch again, empty, for one row. */
static ss_status
batch_like(const ss_batch *like, ss_batch **out, ss_error *err)
{
    int n = like->n_columns;

    if (like->table != NULL) {
        int16_t map[SS_MAX_COLUMNS];
        for (int c = 0; c < n && c < SS_MAX_COLUMNS; c++) {
            const char *name = like->names[c];
            map[c] = (int16_t)ss_catalog_column(like->table, name, strlen(name));
        }
        return ss_batch_new_table(like->table, map, n, 1, out, err);
    }
    uint8_t *kinds = ss_calloc((size_t)n + 1, sizeof(*kinds));
    if (kinds == NULL) {
        return ss_error_nomem(err);
    }
    for (int c = 0; c < n; c++) {
        kinds[c] = like->columns[c].kind;
    }
    ss_status rc = ss_batch_new_free(like->names, kinds, n, 1, out, err);
    ss_free(kinds);
    return rc;
}

/* Put column c of the record into the batch, or the value that replaces it. */
static int
put_replaced(const py_record *self, int c, PyObject *changes, ss_batch *batch,
             uint64_t *given)
{
    PyObject *shape = py_record_shape(self), *keep = NULL;
    PyObject *name = PyTuple_GET_ITEM(py_shape_names(shape), c);
    const char *what = self->batch->names[c];
    ss_kind kind = (ss_kind)self->batch->columns[c].kind;
    ss_value value;
    PyObject *change = changes == NULL ? NULL : PyDict_GetItemWithError(changes, name);

    if (change == NULL || py_shape_find(shape, name) != c) {
        ss_column_get(&self->batch->columns[c], self->row, &value);
    }
    else if (py_value_from_object(self->state, change, kind, what, &value, &keep) < 0) {
        return -1;
    }
    else if (c < SS_MAX_COLUMNS) {
        *given |= UINT64_C(1) << c;
    }
    ss_status rc = ss_batch_put(batch, c, &value);
    Py_XDECREF(keep);
    if (rc != SS_OK) {
        py_raise_format(self->state, (ss_code)rc, "%s: the value cannot be kept", what);
        return -1;
    }
    return 0;
}

/* Every change must name a column. */
static int
check_changes(const py_record *self, PyObject *changes)
{
    PyObject *shape = py_record_shape(self);
    PyObject *name, *value;
    Py_ssize_t at = 0;

    while (changes != NULL && PyDict_Next(changes, &at, &name, &value)) {
        int column = py_shape_find(shape, name);
        if (column == -1) {
            py_raise_nearest_of(PyExc_TypeError, name, py_shape_names(shape),
                                "%s has no column %R", py_record_where(self->batch),
                                name);
        }
        if (column < 0) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(Record_replace_doc, "__replace__($self, /, **changes)\n--\n\n"
                                 "The same record with some columns changed.");

static PyObject *
Record_replace(PyObject *op, PyObject *args, PyObject *changes)
{
    py_record *self = (py_record *)op;
    ss_batch *batch = NULL;
    PyObject *record = NULL;
    uint64_t given = self->given;
    ss_error err;

    if (PyTuple_GET_SIZE(args) > 0) {
        return PyErr_Format(PyExc_TypeError, "__replace__() takes keywords only");
    }
    if (check_changes(self, changes) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    if (batch_like(self->batch, &batch, &err) != SS_OK) {
        return py_raise(self->state, &err);
    }
    for (int c = 0; c < self->batch->n_columns; c++) {
        if (put_replaced(self, c, changes, batch, &given) < 0) {
            goto done;
        }
    }
    ss_batch_row_done(batch);
    ss_batch_finish(batch);
    record = py_record_new(self->state, batch, 0, self->shape);
    if (record != NULL) {
        ((py_record *)record)->given = given;
    }
done:
    ss_batch_release(batch);
    return record;
}

/* ---- the types ---- */

static PyObject *
Record_repr(PyObject *op)
{
    return py_show_record((py_record *)op);
}

static PyMethodDef Record_methods[] = {
    {"get", _PyCFunction_CAST(Record_get), METH_FASTCALL, Record_get_doc},
    {"keys", Record_keys, METH_NOARGS, Record_keys_doc},
    {"values", Record_values, METH_NOARGS, Record_values_doc},
    {"items", Record_items, METH_NOARGS, Record_items_doc},
    {"to_dict", Record_to_dict, METH_NOARGS, Record_to_dict_doc},
    {"_repr_mimebundle_", _PyCFunction_CAST(py_notebook_record),
     METH_FASTCALL | METH_KEYWORDS, py_notebook_doc},
    {"to_json", _PyCFunction_CAST(py_export_record_json), METH_FASTCALL | METH_KEYWORDS,
     py_export_record_json_doc},
    {"__copy__", Record_copy, METH_NOARGS, Record_copy_doc},
    {"__deepcopy__", Record_copy, METH_O, NULL},
    {"__reduce__", Record_reduce, METH_NOARGS, NULL},
    {"__replace__", _PyCFunction_CAST(Record_replace), METH_VARARGS | METH_KEYWORDS,
     Record_replace_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(Record_doc,
             "One row, as attributes and as a mapping of column names to values.\n\n"
             "Reading a column makes its value and nothing else; a record cannot "
             "change.");

static PyType_Slot Record_slots[] = {
    {Py_tp_doc, (void *)Record_doc},
    {Py_tp_dealloc, py_record_dealloc},
    {Py_tp_repr, Record_repr},
    {Py_tp_hash, Record_hash},
    {Py_tp_richcompare, Record_richcompare},
    {Py_tp_iter, Record_iter},
    {Py_tp_methods, Record_methods},
    {Py_mp_length, Record_length},
    {Py_mp_subscript, Record_subscript},
    {Py_sq_contains, Record_contains},
    {0, NULL},
};

/* BASETYPE for the types of py/model. Another class below it can have no instances:
 * there is no tp_new to make one, and object.__new__ refuses. */
static PyType_Spec Record_spec = {
    .name = "smartshopie_db.Record",
    .basicsize = sizeof(py_record),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_MAPPING,
    .slots = Record_slots,
};

int
py_record_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Record_spec, NULL, true, &state->record_type);
}

/* A column by its name before anything the type has, except what Python itself asks
 * for, which begins with two underscores. */
static PyObject *
Row_getattro(PyObject *op, PyObject *name)
{
    py_record *self = (py_record *)op;

    if (PyUnicode_GET_LENGTH(name) < 2 || PyUnicode_READ_CHAR(name, 0) != '_' ||
        PyUnicode_READ_CHAR(name, 1) != '_') {
        int column = py_shape_find(py_record_shape(self), name);
        if (column != -1) {
            return column == -2 ? NULL : cell(self, column);
        }
    }
    return PyObject_GenericGetAttr(op, name);
}

static PyObject *
Row_fields(PyObject *op, void *Py_UNUSED(closure))
{
    return PySequence_Tuple(py_shape_index(py_record_shape((py_record *)op)));
}

/* What the type has and the column names; each once, dir() sorts them. */
static PyObject *
Row_dir(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *others =
        PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__dir__", "O", op);
    PyObject *names = others == NULL ? NULL : PySet_New(others);

    PyObject *columns = py_shape_names(py_record_shape((py_record *)op));
    for (Py_ssize_t c = 0; names != NULL && c < PyTuple_GET_SIZE(columns); c++) {
        if (PySet_Add(names, PyTuple_GET_ITEM(columns, c)) < 0) {
            Py_CLEAR(names);
        }
    }
    Py_XDECREF(others);
    return names;
}

static PyMethodDef Row_methods[] = {
    {"__dir__", Row_dir, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Row_getset[] = {
    {"_fields", Row_fields, NULL, "The column names, in order.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(Row_doc, "A row of a query, or of some of a table's columns.\n\n"
                      "Where the query gives two columns one name, the first has it.");

static PyType_Slot Row_slots[] = {
    {Py_tp_doc, (void *)Row_doc},   {Py_tp_dealloc, py_record_dealloc},
    {Py_tp_getattro, Row_getattro}, {Py_tp_methods, Row_methods},
    {Py_tp_getset, Row_getset},     {0, NULL},
};

static PyType_Spec Row_spec = {
    .name = "smartshopie_db.Row",
    .basicsize = sizeof(py_record),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_MAPPING,
    .slots = Row_slots,
};

int
py_row_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Row_spec, state->record_type, true,
                             &state->row_type);
}
