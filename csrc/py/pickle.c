/* py/pickle: what pickle stores of records, rows and columns, and back.
 *
 * A restorer's arguments: the table's name or None, whether a row had all its columns,
 * the column names, their kinds (one byte each), and the cells.  Restoring goes the way
 * every other value comes in, so a forged pickle gets an exception, never a bad batch.
 */
#include "py/pickle.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "py/model.h"
#include "py/raise.h"
#include "py/shape.h"
#include "py/value.h"

#include <math.h>   // isinf()
#include <string.h> // memcpy(), strlen()

/* ---- storing ---- */

/* The kinds of some columns as bytes: all of them, or those of a mask. */
static PyObject *
kinds_of(const ss_batch *batch, const int *columns, int n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);

    for (int i = 0; bytes != NULL && i < n; i++) {
        PyBytes_AS_STRING(bytes)[i] = (char)batch->columns[columns[i]].kind;
    }
    return bytes;
}

static PyObject *
names_of(PyObject *shape, const int *columns, int n)
{
    PyObject *names = PyTuple_New(n);

    for (int i = 0; names != NULL && i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(py_shape_names(shape), columns[i]);
        PyTuple_SET_ITEM(names, i, Py_NewRef(name));
    }
    return names;
}

/* (restorer, (table, whole, names, kinds, cells...)); takes `cells`, the rest of the
 * arguments as a tuple, NULL meaning that making it failed. */
static PyObject *
reduce(PyObject *restorer, const ss_batch *batch, PyObject *shape, const int *columns,
       int n, PyObject *cells)
{
    PyObject *names = NULL, *kinds = NULL, *head = NULL, *args = NULL, *answer = NULL;

    if (cells == NULL) {
        goto done;
    }
    names = names_of(shape, columns, n);
    kinds = kinds_of(batch, columns, n);
    if (names == NULL || kinds == NULL) {
        goto done;
    }
    head = Py_BuildValue("(zOOO)", batch->table != NULL ? batch->table->name : NULL,
                         batch->whole ? Py_True : Py_False, names, kinds);
    if (head == NULL) {
        goto done;
    }
    args = PySequence_Concat(head, cells);
    if (args != NULL) {
        answer = PyTuple_Pack(2, restorer, args);
    }
done:
    Py_XDECREF(names);
    Py_XDECREF(kinds);
    Py_XDECREF(head);
    Py_XDECREF(args);
    Py_XDECREF(cells);
    return answer;
}

/* ((value, ...),) */
static PyObject *
values_of(const py_record *self, const int *columns, int n)
{
    PyObject *values = PyTuple_New(n);

    for (int i = 0; values != NULL && i < n; i++) {
        PyObject *value =
            py_column_cell(self->state, &self->batch->columns[columns[i]], self->row);
        if (value == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    if (values == NULL) {
        return NULL;
    }
    PyObject *cells = PyTuple_Pack(1, values);
    Py_DECREF(values);
    return cells;
}

PyObject *
py_pickle_record(const py_record *self)
{
    const ss_batch *batch = self->batch;
    PyObject *answer = NULL;
    int n = 0;
    int *columns = ss_calloc((size_t)batch->n_columns + 1, sizeof(*columns));

    if (columns == NULL) {
        return PyErr_NoMemory();
    }
    for (int c = 0; c < batch->n_columns; c++) {
        /* What was left out when the record was made stays left out. */
        if (!batch->whole || (self->given >> c & 1)) {
            columns[n++] = c;
        }
    }
    answer = reduce(self->state->restore_record, batch, py_record_shape(self), columns,
                    n, values_of(self, columns, n));
    ss_free(columns);
    return answer;
}

/* ((list of column's values, ...), n rows) */
static PyObject *
lists_of(const py_rows *rows, const int *columns, int n)
{
    PyObject *lists = PyTuple_New(n), *answer = NULL;

    for (int i = 0; lists != NULL && i < n; i++) {
        PyObject *column = py_column_new(rows, columns[i]);
        PyObject *list = column == NULL ? NULL : PySequence_List(column);
        Py_XDECREF(column);
        if (list == NULL) {
            Py_CLEAR(lists);
            break;
        }
        PyTuple_SET_ITEM(lists, i, list);
    }
    if (lists != NULL) {
        answer = Py_BuildValue("(OL)", lists, (long long)rows->length);
        Py_DECREF(lists);
    }
    return answer;
}

/* Add the notes and the token, as Rows gives them, to the cells; takes `cells`. */
static PyObject *
with_notes(const py_rows *rows, PyObject *cells)
{
    PyObject *notes = NULL, *token = NULL, *more = NULL, *answer = NULL;

    if (cells == NULL) {
        return NULL;
    }
    notes = PyObject_GetAttrString((PyObject *)rows, "notes");
    token =
        notes == NULL ? NULL : PyObject_GetAttrString((PyObject *)rows, "next_token");
    more = token == NULL ? NULL : PyTuple_Pack(2, notes, token);
    answer = more == NULL ? NULL : PySequence_Concat(cells, more);
    Py_XDECREF(notes);
    Py_XDECREF(token);
    Py_XDECREF(more);
    Py_DECREF(cells);
    return answer;
}

PyObject *
py_pickle_rows(const py_rows *self)
{
    int n = self->batch->n_columns;
    int *columns = ss_calloc((size_t)n + 1, sizeof(*columns));

    if (columns == NULL) {
        return PyErr_NoMemory();
    }
    for (int c = 0; c < n; c++) {
        columns[c] = c;
    }
    PyObject *answer = reduce(self->state->restore_rows, self->batch, self->shape,
                              columns, n, with_notes(self, lists_of(self, columns, n)));
    ss_free(columns);
    return answer;
}

PyObject *
py_pickle_column(const py_column *self)
{
    PyObject *answer = NULL, *cells = NULL;
    PyObject *shape = py_shape_of_batch(self->state, self->batch);

    if (shape == NULL) {
        return NULL;
    }
    PyObject *list = PySequence_List((PyObject *)self);
    if (list != NULL) {
        cells = Py_BuildValue("((N)L)", list, (long long)self->length);
    }
    answer =
        reduce(self->state->restore_column, self->batch, shape, &self->index, 1, cells);
    Py_DECREF(shape);
    return answer;
}

/* ---- restoring ---- */

/* What the arguments say, checked. Everything is borrowed but the arrays. */
typedef struct {
    py_state *state;
    const ss_table_desc *table; /* NULL: of no table, or of none that still has these */
    bool whole;
    int n;              /* columns stored */
    const char **names; /* owned array; the text belongs to the str objects */
    const uint8_t *kinds;
    int16_t *map; /* owned: column of the table, when there is a table */
} stored;

static void
stored_free(stored *s)
{
    ss_free(s->names);
    ss_free(s->map);
}

/* Find every name in the table; if one is gone, or comes twice, there is no table any
 * more. */
static void
map_names(stored *s)
{
    uint64_t seen = 0;

    for (int i = 0; i < s->n && s->table != NULL; i++) {
        int c = ss_catalog_column(s->table, s->names[i], strlen(s->names[i]));
        if (c < 0 || (seen >> c & 1)) {
            s->table = NULL;
            s->whole = false;
            return;
        }
        seen |= UINT64_C(1) << c;
        s->map[i] = (int16_t)c;
    }
}

static int
read_names(stored *s, PyObject *names, PyObject *kinds)
{
    s->n = (int)PyTuple_GET_SIZE(names);
    s->kinds = (const uint8_t *)PyBytes_AS_STRING(kinds);
    s->names = ss_calloc((size_t)s->n + 1, sizeof(*s->names));
    s->map = ss_calloc((size_t)s->n + 1, sizeof(*s->map));
    if (s->names == NULL || s->map == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < s->n; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        s->names[i] = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
        if (s->names[i] == NULL || s->kinds[i] > SS_KIND_ANY) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "not a pickled row");
            }
            return -1;
        }
    }
    map_names(s);
    return 0;
}

/* `names` and `kinds` were checked to be a tuple and bytes. */
static int
stored_init(stored *s, py_state *state, const char *table, int whole, PyObject *names,
            PyObject *kinds)
{
    int t = table == NULL ? -1 : ss_catalog_table(table, strlen(table));

    *s = (stored){.state = state, .table = t < 0 ? NULL : &ss_tables[t]};
    s->whole = t >= 0 && whole;
    if (PyTuple_GET_SIZE(names) != PyBytes_GET_SIZE(kinds) ||
        PyTuple_GET_SIZE(names) > INT16_MAX) {
        PyErr_SetString(PyExc_ValueError, "not a pickled row");
        return -1;
    }
    return read_names(s, names, kinds);
}

/* An empty batch of the stored columns; of all the table's when a row was whole. */
static ss_batch *
new_batch(const stored *s, int64_t hint)
{
    int16_t all[SS_MAX_COLUMNS];
    ss_batch *batch = NULL;
    ss_error err;
    ss_status rc;

    ss_error_init(&err);
    if (s->whole) {
        for (int c = 0; c < s->table->n_columns; c++) {
            all[c] = (int16_t)c;
        }
        rc = ss_batch_new_table(s->table, all, s->table->n_columns, hint, &batch, &err);
    }
    else if (s->table != NULL) {
        rc = ss_batch_new_table(s->table, s->map, s->n, hint, &batch, &err);
    }
    else {
        rc = ss_batch_new_free(s->names, s->kinds, s->n, hint, &batch, &err);
    }
    if (rc != SS_OK) {
        py_raise(s->state, &err);
        return NULL;
    }
    return batch;
}

/* Put one stored value. What a file may hold and an argument may not is let through:
 * an infinite number. */
static int
put(const stored *s, ss_batch *batch, int column, PyObject *object)
{
    ss_kind kind = (ss_kind)batch->columns[column].kind;
    PyObject *keep = NULL;
    ss_value value;

    if (kind == SS_KIND_REAL && PyFloat_CheckExact(object) &&
        isinf(PyFloat_AS_DOUBLE(object))) {
        value = (ss_value){.tag = SS_VALUE_REAL, .as.r = PyFloat_AS_DOUBLE(object)};
    }
    else if (py_value_from_object(s->state, object, kind, batch->names[column], &value,
                                  &keep) < 0) {
        return -1;
    }
    ss_status rc = ss_batch_put(batch, column, &value);
    Py_XDECREF(keep);
    if (rc != SS_OK) {
        py_raise_format(s->state, (ss_code)rc, "%s: the value cannot be kept",
                        batch->names[column]);
        return -1;
    }
    return 0;
}

/* Which stored column goes to column c of the batch; -1: none. */
static int
source_of(const stored *s, int c)
{
    if (!s->whole) {
        return c;
    }
    for (int i = 0; i < s->n; i++) {
        if (s->map[i] == c) {
            return i;
        }
    }
    return -1;
}

/* Row r of the batch, from item r of each list, or from the values themselves. */
static int
put_row(const stored *s, ss_batch *batch, PyObject *cells, Py_ssize_t r, bool lists)
{
    if (ss_batch_row(batch) != SS_OK) {
        PyErr_NoMemory();
        return -1;
    }
    for (int c = 0; c < batch->n_columns; c++) {
        int i = source_of(s, c);
        PyObject *object = i < 0 ? Py_None : PyTuple_GET_ITEM(cells, i);
        if (lists && i >= 0) {
            if (!PyList_Check(object) || r >= PyList_GET_SIZE(object)) {
                PyErr_SetString(PyExc_ValueError, "not pickled rows");
                return -1;
            }
            object = PyList_GET_ITEM(object, r);
        }
        Py_INCREF(object);
        int rc = put(s, batch, c, object);
        Py_DECREF(object);
        if (rc < 0) {
            return -1;
        }
    }
    ss_batch_row_done(batch);
    return 0;
}

/* All rows, into a finished batch. New reference. */
static ss_batch *
put_rows(const stored *s, PyObject *cells, Py_ssize_t n_rows, bool lists)
{
    ss_batch *batch = NULL;

    if (PyTuple_GET_SIZE(cells) != s->n || n_rows < 0 || (lists && s->n == 0)) {
        PyErr_SetString(PyExc_ValueError, "not pickled rows");
        return NULL;
    }
    batch = new_batch(s, n_rows > 0 ? n_rows : 1);
    for (Py_ssize_t r = 0; batch != NULL && r < n_rows; r++) {
        if (put_row(s, batch, cells, r, lists) < 0) {
            ss_batch_release(batch);
            return NULL;
        }
    }
    if (batch != NULL) {
        ss_batch_finish(batch);
    }
    return batch;
}

static PyObject *
restore_record(PyObject *module, PyObject *args)
{
    py_state *state = py_state_of_module(module);
    const char *table;
    int whole;
    PyObject *names, *kinds, *values, *record = NULL;
    ss_batch *batch = NULL;
    stored s;

    if (!PyArg_ParseTuple(args, "zpO!SO!:_restore_record", &table, &whole,
                          &PyTuple_Type, &names, &kinds, &PyTuple_Type, &values)) {
        return NULL;
    }
    if (stored_init(&s, state, table, whole, names, kinds) == 0) {
        batch = put_rows(&s, values, 1, false);
    }
    if (batch != NULL) {
        record = py_record_new(state, batch, 0, NULL);
        ss_batch_release(batch);
    }
    if (record != NULL && s.whole) {
        uint64_t given = 0;
        for (int i = 0; i < s.n; i++) {
            given |= UINT64_C(1) << s.map[i];
        }
        ((py_record *)record)->given = given;
    }
    stored_free(&s);
    return record;
}

/* Put the note back on the batch: its row, column and text. */
static int
restore_note(const stored *s, ss_batch *batch, PyObject *note)
{
    PyObject *row, *name, *text;
    ss_value value = {.tag = SS_VALUE_NULL};

    if (!PyDict_Check(note) ||
        (row = PyDict_GetItemWithError(note, s->state->str_row)) == NULL ||
        (name = PyDict_GetItemWithError(note, s->state->str_column)) == NULL ||
        (text = PyDict_GetItemWithError(note, s->state->str_value)) == NULL ||
        !PyLong_Check(row) || !PyUnicode_Check(name) || !PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_ValueError, "not pickled rows");
        return -1;
    }
    long long r = PyLong_AsLongLong(row);
    const char *column = PyUnicode_AsUTF8(name), *shown = PyUnicode_AsUTF8(text);
    int c = column == NULL ? -1 : ss_batch_find(batch, column, strlen(column));
    if (PyErr_Occurred() || c < 0 || r < 0 || r >= batch->n_rows) {
        PyErr_SetString(PyExc_ValueError, "not pickled rows");
        return -1;
    }
    if (ss_batch_note(batch, c, &value) != SS_OK) {
        PyErr_NoMemory();
        return -1;
    }
    ss_note *last = &batch->notes[batch->n_notes - 1];
    last->row = r;
    PyOS_snprintf(last->value, sizeof(last->value), "%s", shown);
    last->value[ss_utf8_floor(last->value, strlen(last->value))] = '\0';
    return 0;
}

/* NULL: there was none. */
static int
restore_token(ss_batch *batch, const char *token)
{
    if (token == NULL) {
        return 0;
    }
    size_t n = strlen(token) + 1;
    batch->next_token = ss_malloc(n);
    if (batch->next_token == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(batch->next_token, token, n);
    return 0;
}

static PyObject *
restore_rows(PyObject *module, PyObject *args)
{
    py_state *state = py_state_of_module(module);
    const char *table, *token = NULL;
    int whole;
    Py_ssize_t n_rows;
    PyObject *names, *kinds, *lists, *notes, *rows = NULL;
    ss_batch *batch = NULL;
    stored s;

    if (!PyArg_ParseTuple(args, "zpO!SO!nO!|z:_restore_rows", &table, &whole,
                          &PyTuple_Type, &names, &kinds, &PyTuple_Type, &lists, &n_rows,
                          &PyTuple_Type, &notes, &token)) {
        return NULL;
    }
    if (stored_init(&s, state, table, whole, names, kinds) < 0) {
        goto done;
    }
    batch = put_rows(&s, lists, n_rows, true);
    for (Py_ssize_t i = 0; batch != NULL && i < PyTuple_GET_SIZE(notes); i++) {
        if (restore_note(&s, batch, PyTuple_GET_ITEM(notes, i)) < 0) {
            goto done;
        }
    }
    if (batch != NULL && restore_token(batch, token) == 0) {
        rows = py_rows_new(state, ss_batch_retain(batch));
    }
done:
    ss_batch_release(batch);
    stored_free(&s);
    return rows;
}

static PyObject *
restore_column(PyObject *module, PyObject *args)
{
    py_state *state = py_state_of_module(module);
    const char *table;
    int whole;
    Py_ssize_t n_rows;
    PyObject *names, *kinds, *lists, *rows = NULL, *column = NULL;
    ss_batch *batch = NULL;
    stored s;

    if (!PyArg_ParseTuple(args, "zpO!SO!n:_restore_column", &table, &whole,
                          &PyTuple_Type, &names, &kinds, &PyTuple_Type, &lists,
                          &n_rows)) {
        return NULL;
    }
    /* One column of a whole row is not a whole row. */
    if (stored_init(&s, state, table, 0, names, kinds) == 0) {
        batch = put_rows(&s, lists, n_rows, true);
    }
    if (batch != NULL) {
        rows = py_rows_new(state, batch);
    }
    if (rows != NULL && s.n == 1) {
        column = py_column_new((py_rows *)rows, 0);
    }
    else if (rows != NULL) {
        PyErr_SetString(PyExc_ValueError, "not a pickled column");
    }
    Py_XDECREF(rows);
    stored_free(&s);
    return column;
}

PyMethodDef py_pickle_methods[] = {
    {"_restore_record", restore_record, METH_VARARGS, "Unpickle a record."},
    {"_restore_rows", restore_rows, METH_VARARGS, "Unpickle rows."},
    {"_restore_column", restore_column, METH_VARARGS, "Unpickle a column."},
    {NULL, NULL, 0, NULL},
};

int
py_pickle_setup(PyObject *module, py_state *state)
{
    state->restore_record = PyObject_GetAttrString(module, "_restore_record");
    state->restore_rows = PyObject_GetAttrString(module, "_restore_rows");
    state->restore_column = PyObject_GetAttrString(module, "_restore_column");
    return state->restore_record == NULL || state->restore_rows == NULL ||
                   state->restore_column == NULL
               ? -1
               : 0;
}
