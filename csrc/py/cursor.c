/* The first statement that writes begins a transaction, which the end of the with block
 * commits or rolls back; reading alone takes no lock. Outside a with block each
 * statement is on its own.
 */
#include "py/cursor.h"

#include "py/raise.h"
#include "py/rows.h"
#include "py/sqlargs.h"
#include "py/transaction.h"
#include "py/types.h"
#include "py/value.h"

#include <structmember.h> // PyMemberDef, T_PYSSIZET

typedef struct {
    PyObject_HEAD
    py_state *state;       /* borrowed */
    py_database *db;       /* owned */
    ss_batch *batch;       /* owned: rows of the last statement, or NULL */
    PyObject *description; /* owned */
    int64_t next;          /* row to fetch next */
    int64_t rowcount, lastrowid;
    Py_ssize_t arraysize;
    bool in_block;   /* between __enter__ and __exit__ */
    bool began;      /* a transaction was begun for it */
    bool closed;     /* no more statements */
    uint64_t thread; /* whose transaction that is */
} py_cursor;

typedef struct {
    PyObject_HEAD
    py_state *state; /* borrowed */
    ss_batch *batch; /* owned */
    int64_t row;
} py_cursor_row;

/* --- rows ------------------------------------------------------------------------------ */

static PyObject *
row_new(const py_cursor *cursor, int64_t row)
{
    PyTypeObject *type = cursor->state->cursor_row_type;
    py_cursor_row *self = (py_cursor_row *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = cursor->state;
        self->batch = ss_batch_retain(cursor->batch);
        self->row = row;
    }
    return (PyObject *)self;
}

static void
CursorRow_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    ss_batch_release(((py_cursor_row *)op)->batch);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *
row_cell(const py_cursor_row *self, int column)
{
    return py_column_cell(self->state, &self->batch->columns[column], self->row);
}

static PyObject *
row_tuple(const py_cursor_row *self)
{
    PyObject *tuple = PyTuple_New(self->batch->n_columns);
    for (int i = 0; tuple != NULL && i < self->batch->n_columns; i++) {
        PyObject *cell = row_cell(self, i);
        if (cell == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, cell);
    }
    return tuple;
}

static Py_ssize_t
CursorRow_length(PyObject *op)
{
    return ((py_cursor_row *)op)->batch->n_columns;
}

static PyObject *
CursorRow_item(PyObject *op, Py_ssize_t i)
{
    py_cursor_row *self = (py_cursor_row *)op;
    if (i < 0 || i >= self->batch->n_columns) {
        PyErr_SetString(PyExc_IndexError, "row index out of range");
        return NULL;
    }
    return row_cell(self, (int)i);
}

/* By name as the standard module has it: without regard to case. */
static PyObject *
row_by_name(const py_cursor_row *self, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) {
        return NULL;
    }
    for (int i = 0; i < self->batch->n_columns; i++) {
        if (PyOS_stricmp(self->batch->names[i], text) == 0) {
            return row_cell(self, i);
        }
    }
    ss_nearest search;
    ss_nearest_init(&search, text, strlen(text));
    for (int i = 0; i < self->batch->n_columns; i++) {
        ss_nearest_offer(&search, self->batch->names[i]);
    }
    return py_raise_nearest(PyExc_IndexError, &search, "this row has no column %R",
                            name);
}

static PyObject *
CursorRow_subscript(PyObject *op, PyObject *key)
{
    py_cursor_row *self = (py_cursor_row *)op;
    if (PyUnicode_Check(key)) {
        return row_by_name(self, key);
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return CursorRow_item(op, i < 0 ? i + self->batch->n_columns : i);
    }
    PyObject *tuple = row_tuple(self);
    PyObject *item = tuple != NULL ? PyObject_GetItem(tuple, key) : NULL;
    Py_XDECREF(tuple);
    return item;
}

static PyObject *
CursorRow_iter(PyObject *op)
{
    PyObject *tuple = row_tuple((py_cursor_row *)op);
    PyObject *iterator = tuple != NULL ? PyObject_GetIter(tuple) : NULL;
    Py_XDECREF(tuple);
    return iterator;
}

static PyObject *
CursorRow_keys(PyObject *op, PyObject *unused)
{
    py_cursor_row *self = (py_cursor_row *)op;
    PyObject *keys = PyList_New(0);
    (void)unused;
    for (int i = 0; keys != NULL && i < self->batch->n_columns; i++) {
        PyObject *name = PyUnicode_FromString(self->batch->names[i]);
        if (name == NULL || PyList_Append(keys, name) < 0) {
            Py_CLEAR(keys);
        }
        Py_XDECREF(name);
    }
    return keys;
}

/* Equal to another such row with the same names and values, and to a tuple of them. */
static PyObject *
CursorRow_richcompare(PyObject *a, PyObject *b, int op)
{
    PyObject *left = NULL, *right = NULL, *result = NULL;
    bool row = Py_TYPE(a) == Py_TYPE(b);
    if ((op != Py_EQ && op != Py_NE) || (!row && !PyTuple_Check(b))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    left = row_tuple((py_cursor_row *)a);
    right = row ? row_tuple((py_cursor_row *)b) : Py_NewRef(b);
    if (left != NULL && right != NULL) {
        result = PyObject_RichCompare(left, right, op);
    }
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static Py_hash_t
CursorRow_hash(PyObject *op)
{
    PyObject *tuple = row_tuple((py_cursor_row *)op);
    Py_hash_t hash = tuple != NULL ? PyObject_Hash(tuple) : -1;
    Py_XDECREF(tuple);
    return hash;
}

static PyObject *
CursorRow_repr(PyObject *op)
{
    PyObject *tuple = row_tuple((py_cursor_row *)op);
    PyObject *text =
        tuple != NULL ? PyUnicode_FromFormat("<CursorRow %R>", tuple) : NULL;
    Py_XDECREF(tuple);
    return text;
}

/* --- cursor: life ----------------------------------------------------------------------- */

PyObject *
py_cursor_new(py_database *db)
{
    PyTypeObject *type = db->state->cursor_type;
    py_cursor *self = (py_cursor *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = db->state;
    self->db = (py_database *)Py_NewRef(db);
    self->description = Py_NewRef(Py_None);
    self->rowcount = -1;
    self->arraysize = 1;
    return (PyObject *)self;
}

static int
Cursor_traverse(PyObject *op, visitproc visit, void *arg)
{
    py_cursor *self = (py_cursor *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->db);
    Py_VISIT(self->description);
    return 0;
}

static void
forget_rows(py_cursor *self)
{
    ss_batch_release(self->batch);
    self->batch = NULL;
    self->next = 0;
    Py_XSETREF(self->description, Py_NewRef(Py_None));
}

static void
Cursor_dealloc(PyObject *op)
{
    py_cursor *self = (py_cursor *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    ss_batch_release(self->batch);
    Py_XDECREF(self->description);
    Py_XDECREF(self->db);
    type->tp_free(op);
    Py_DECREF(type);
}

static py_database *
open_db(const py_cursor *self)
{
    if (self->closed) {
        PyErr_SetString(self->state->ProgrammingError, "the cursor is closed");
        return NULL;
    }
    return self->db;
}

/* --- cursor: running ---------------------------------------------------------------------- */

/* PEP 249: name and six fields that say nothing here. */
static PyObject *
describe(const ss_batch *batch)
{
    PyObject *description = PyTuple_New(batch->n_columns);
    for (int i = 0; description != NULL && i < batch->n_columns; i++) {
        PyObject *column = Py_BuildValue("(sOOOOOO)", batch->names[i], Py_None, Py_None,
                                         Py_None, Py_None, Py_None, Py_None);
        if (column == NULL) {
            Py_CLEAR(description);
            break;
        }
        PyTuple_SET_ITEM(description, i, column);
    }
    return description;
}

/* Takes the batch. */
static int
keep_rows(py_cursor *self, ss_batch *batch)
{
    PyObject *description = batch->n_columns > 0 ? describe(batch) : Py_NewRef(Py_None);
    if (description == NULL) {
        ss_batch_release(batch);
        return -1;
    }
    ss_batch_release(self->batch);
    self->batch = batch;
    self->next = 0;
    Py_XSETREF(self->description, description);
    return 0;
}

static int
begin_if_needed(py_cursor *self, py_database *db)
{
    if (!self->in_block || self->began) {
        return 0;
    }
    if (py_transaction_begin(db, &self->thread) < 0) {
        return -1;
    }
    self->began = true;
    return 0;
}

static int
run_reading(py_cursor *self, py_database *db, py_sqlargs *a)
{
    ss_batch *batch = py_sqlargs_query(a, db);
    self->rowcount = -1;
    return batch != NULL ? keep_rows(self, batch) : -1;
}

static int
run_writing(py_cursor *self, py_database *db, py_sqlargs *a)
{
    ss_batch *batch = NULL;
    ss_outcome outcome;
    if (begin_if_needed(self, db) < 0 ||
        py_sqlargs_execute(a, db, &batch, &outcome) < 0) {
        return -1;
    }
    self->rowcount = outcome.changed;
    self->lastrowid = outcome.last_id;
    return keep_rows(self, batch);
}

static int
run_one(py_cursor *self, PyObject *sql, PyObject *params)
{
    py_database *db = open_db(self);
    py_sqlargs a;
    bool reads;
    int rc = -1;
    if (db == NULL) {
        return -1;
    }
    if (py_sqlargs_parse(&a, db, sql, params, NULL) == 0 &&
        py_sqlargs_reads(&a, db, &reads) == 0) {
        a.request.raw = true;
        rc = reads ? run_reading(self, db, &a) : run_writing(self, db, &a);
    }
    py_sqlargs_clear(&a);
    return rc;
}

static bool
two_arguments(const char *function, Py_ssize_t n, Py_ssize_t least)
{
    if (n < least || n > 2) {
        PyErr_Format(PyExc_TypeError, "%s() takes a statement and its parameters",
                     function);
        return false;
    }
    return true;
}

static PyObject *
Cursor_execute(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    py_cursor *self = (py_cursor *)op;
    if (!two_arguments("execute", n, 1)) {
        return NULL;
    }
    forget_rows(self);
    return run_one(self, args[0], n == 2 ? args[1] : NULL) < 0 ? NULL : Py_NewRef(op);
}

/* All of them or none: in a transaction of its own when there is none around it. */
static int
run_many(py_cursor *self, PyObject *sql, PyObject *iterator)
{
    int64_t changed = 0;
    PyObject *params;
    while ((params = PyIter_Next(iterator)) != NULL) {
        int rc = run_one(self, sql, params);
        Py_DECREF(params);
        if (rc < 0) {
            return -1;
        }
        changed += self->rowcount > 0 ? self->rowcount : 0;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    self->rowcount = changed;
    return 0;
}

static PyObject *
Cursor_executemany(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    py_cursor *self = (py_cursor *)op;
    py_database *db = open_db(self);
    if (db == NULL || !two_arguments("executemany", n, 2)) {
        return NULL;
    }
    PyObject *iterator = PyObject_GetIter(args[1]);
    if (iterator == NULL) {
        return NULL;
    }
    forget_rows(self);
    Py_INCREF(db);
    uint64_t thread;
    int rc = py_transaction_begin(db, &thread);
    if (rc == 0) {
        PyObject *type, *error, *traceback;
        rc = run_many(self, args[0], iterator);
        PyErr_Fetch(&type, &error, &traceback);
        if (py_transaction_end(db, thread, rc == 0) < 0) {
            if (rc < 0) {
                PyErr_Clear(); /* why it failed matters more than how it ended */
            }
            rc = -1;
        }
        if (type != NULL) {
            PyErr_Restore(type, error, traceback);
        }
    }
    Py_DECREF(db);
    Py_DECREF(iterator);
    return rc < 0 ? NULL : Py_NewRef(op);
}

/* --- cursor: fetching ------------------------------------------------------------------------ */

static PyObject *
Cursor_next(PyObject *op)
{
    py_cursor *self = (py_cursor *)op;
    if (open_db(self) == NULL) {
        return NULL;
    }
    if (self->batch == NULL || self->next >= self->batch->n_rows) {
        return NULL;
    }
    return row_new(self, self->next++);
}

static PyObject *
Cursor_fetchone(PyObject *op, PyObject *unused)
{
    PyObject *row = Cursor_next(op);
    (void)unused;
    return row != NULL || PyErr_Occurred() ? row : Py_NewRef(Py_None);
}

static PyObject *
fetch_up_to(PyObject *op, Py_ssize_t most)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < most; i++) {
        PyObject *row = Cursor_next(op);
        if (row == NULL) {
            if (PyErr_Occurred()) {
                Py_CLEAR(list);
            }
            break;
        }
        if (PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_DECREF(row);
    }
    return list;
}

static PyObject *
Cursor_fetchmany(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    Py_ssize_t size = ((py_cursor *)op)->arraysize;
    if (n > 1) {
        return PyErr_Format(PyExc_TypeError, "fetchmany() takes one size");
    }
    if (n == 1 && args[0] != Py_None) {
        size = PyNumber_AsSsize_t(args[0], PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) {
            return NULL;
        }
        if (size < 0) {
            return PyErr_Format(PyExc_ValueError, "size: expected 0 or more, got %zd",
                                size);
        }
    }
    return fetch_up_to(op, size);
}

static PyObject *
Cursor_fetchall(PyObject *op, PyObject *unused)
{
    py_cursor *self = (py_cursor *)op;
    (void)unused;
    return fetch_up_to(op, self->batch != NULL ? self->batch->n_rows : 1);
}

/* --- cursor: the with block ------------------------------------------------------------------- */

static PyObject *
Cursor_close(PyObject *op, PyObject *unused)
{
    py_cursor *self = (py_cursor *)op;
    (void)unused;
    forget_rows(self);
    self->closed = true; /* the end of the with block still commits or rolls back */
    Py_RETURN_NONE;
}

static PyObject *
Cursor_enter(PyObject *op, PyObject *unused)
{
    py_cursor *self = (py_cursor *)op;
    (void)unused;
    if (open_db(self) == NULL) {
        return NULL;
    }
    self->in_block = true;
    return Py_NewRef(op);
}

static PyObject *
Cursor_exit(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    py_cursor *self = (py_cursor *)op;
    bool commit = n < 1 || args[0] == Py_None;
    self->in_block = false;
    if (self->began) {
        if (py_transaction_end(self->db, self->thread, commit) < 0) {
            return NULL;
        }
        self->began = false;
    }
    Py_XDECREF(Cursor_close(op, NULL));
    Py_RETURN_FALSE;
}

/* --- types ---------------------------------------------------------------------------------------- */

static PyObject *
Cursor_rowcount(PyObject *op, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(((py_cursor *)op)->rowcount);
}

static PyObject *
Cursor_lastrowid(PyObject *op, void *unused)
{
    py_cursor *self = (py_cursor *)op;
    (void)unused;
    return self->lastrowid != 0 ? PyLong_FromLongLong(self->lastrowid)
                                : Py_NewRef(Py_None);
}

static PyObject *
Cursor_description(PyObject *op, void *unused)
{
    (void)unused;
    return Py_NewRef(((py_cursor *)op)->description);
}

static PyMemberDef Cursor_members[] = {
    {"arraysize", T_PYSSIZET, offsetof(py_cursor, arraysize), 0,
     PyDoc_STR("How many rows fetchmany() gives by default.")},
    {NULL},
};

static PyGetSetDef Cursor_getset[] = {
    {"description", Cursor_description, NULL,
     PyDoc_STR("A 7-tuple for each column, its name first; None when there are none."),
     NULL},
    {"rowcount", Cursor_rowcount, NULL,
     PyDoc_STR("Rows changed by the last statement; -1 when it only read."), NULL},
    {"lastrowid", Cursor_lastrowid, NULL, PyDoc_STR("The row id inserted last."), NULL},
    {NULL},
};

#define FASTCALL(f) (PyCFunction)(void (*)(void))(f)

static PyMethodDef Cursor_methods[] = {
    {"execute", FASTCALL(Cursor_execute), METH_FASTCALL,
     PyDoc_STR("execute($self, sql, parameters=(), /)\n--\n\nRun one statement.")},
    {"executemany", FASTCALL(Cursor_executemany), METH_FASTCALL,
     PyDoc_STR("executemany($self, sql, parameters, /)\n--\n\n"
               "Run one statement for each of several parameters, all or none.")},
    {"fetchone", Cursor_fetchone, METH_NOARGS,
     PyDoc_STR("fetchone($self, /)\n--\n\nThe next row, or None.")},
    {"fetchmany", FASTCALL(Cursor_fetchmany), METH_FASTCALL,
     PyDoc_STR("fetchmany($self, size=None, /)\n--\n\nThe next rows.")},
    {"fetchall", Cursor_fetchall, METH_NOARGS,
     PyDoc_STR("fetchall($self, /)\n--\n\nAll rows that are left.")},
    {"close", Cursor_close, METH_NOARGS,
     PyDoc_STR("close($self, /)\n--\n\nForget the rows; no more statements.")},
    {"__enter__", Cursor_enter, METH_NOARGS,
     PyDoc_STR("__enter__($self, /)\n--\n\nBegin a with block.")},
    {"__exit__", FASTCALL(Cursor_exit), METH_FASTCALL,
     PyDoc_STR("__exit__($self, type=None, value=None, traceback=None, /)\n--\n\n"
               "Commit, or roll back when an exception came; close.")},
    {NULL},
};

static PyType_Slot Cursor_slots[] = {
    {Py_tp_doc, "Statements and their rows, with the values as stored."},
    {Py_tp_dealloc, Cursor_dealloc},
    {Py_tp_traverse, Cursor_traverse},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, Cursor_next},
    {Py_tp_methods, Cursor_methods},
    {Py_tp_members, Cursor_members},
    {Py_tp_getset, Cursor_getset},
    {0, NULL},
};

static PyType_Spec Cursor_spec = {
    .name = "smartshopie_db.Cursor",
    .basicsize = sizeof(py_cursor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = Cursor_slots,
};

static PyMethodDef CursorRow_methods[] = {
    {"keys", CursorRow_keys, METH_NOARGS,
     PyDoc_STR("keys($self, /)\n--\n\nThe column names, as a list.")},
    {NULL},
};

static PyType_Slot CursorRow_slots[] = {
    {Py_tp_doc, "One row of a cursor: values by position and by name."},
    {Py_tp_dealloc, CursorRow_dealloc},
    {Py_sq_length, CursorRow_length},
    {Py_sq_item, CursorRow_item},
    {Py_mp_length, CursorRow_length},
    {Py_mp_subscript, CursorRow_subscript},
    {Py_tp_iter, CursorRow_iter},
    {Py_tp_richcompare, CursorRow_richcompare},
    {Py_tp_hash, CursorRow_hash},
    {Py_tp_repr, CursorRow_repr},
    {Py_tp_methods, CursorRow_methods},
    {0, NULL},
};

static PyType_Spec CursorRow_spec = {
    .name = "smartshopie_db.CursorRow",
    .basicsize = sizeof(py_cursor_row),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = CursorRow_slots,
};

int
py_cursor_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Cursor_spec, NULL, true, &state->cursor_type);
}

int
py_cursor_row_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &CursorRow_spec, NULL, true,
                             &state->cursor_row_type);
}
