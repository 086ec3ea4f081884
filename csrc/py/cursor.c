/* Of get_cursor(): the first statement that writes begins a transaction, which the end of
 * the with block commits or rolls back; reading alone takes no lock. Outside a with block
 * each statement is on its own.
 *
 * Of a link: transactions are the link's, a with block only closes the cursor.
 */
#include "py/cursor.h"

#include "py/args.h"
#include "py/cursor_row.h"
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
    py_link *link;         /* owned, or NULL: of get_cursor() */
    ss_batch *batch;       /* owned: rows of the last statement, or NULL */
    PyObject *names;       /* owned: tuple of str, or NULL */
    PyObject *converters;  /* owned: tuple of callables and None, or NULL */
    PyObject *row_factory; /* owned, or NULL */
    PyObject *description; /* owned */
    int64_t next;          /* row to fetch next */
    int64_t rowcount, lastrowid;
    Py_ssize_t arraysize;
    bool in_block;   /* between __enter__ and __exit__ */
    bool began;      /* a transaction was begun for it */
    bool closed;     /* no more statements */
    bool has_id;     /* lastrowid is known */
    uint64_t thread; /* whose transaction that is */
} py_cursor;

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

PyObject *
py_cursor_of_link(py_link *link)
{
    py_cursor *self = (py_cursor *)py_cursor_new(link->db);
    if (self != NULL) {
        self->link = (py_link *)Py_NewRef(link);
        self->row_factory = Py_XNewRef(link->row_factory);
    }
    return (PyObject *)self;
}

PyObject *
py_cursor_names(PyObject *cursor)
{
    return ((py_cursor *)cursor)->names;
}

static int
Cursor_traverse(PyObject *op, visitproc visit, void *arg)
{
    py_cursor *self = (py_cursor *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->db);
    Py_VISIT(self->link);
    Py_VISIT(self->names);
    Py_VISIT(self->converters);
    Py_VISIT(self->row_factory);
    Py_VISIT(self->description);
    return 0;
}

/* What may lead back to the cursor. */
static int
Cursor_clear(PyObject *op)
{
    py_cursor *self = (py_cursor *)op;
    Py_CLEAR(self->converters);
    Py_CLEAR(self->row_factory);
    return 0;
}

/* Takes everything. All of it changes before anything is let go of: what goes with a
 * converter may be Python code that uses this very cursor. */
static void
put_rows(py_cursor *self, ss_batch *batch, PyObject *names, PyObject *description,
         PyObject *converters)
{
    py_cursor old = *self;
    self->batch = batch;
    self->next = 0;
    self->names = names;
    self->description = description;
    self->converters = converters;
    ss_batch_release(old.batch);
    Py_XDECREF(old.names);
    Py_XDECREF(old.description);
    Py_XDECREF(old.converters);
}

static void
forget_rows(py_cursor *self)
{
    put_rows(self, NULL, NULL, Py_NewRef(Py_None), NULL);
}

static void
Cursor_dealloc(PyObject *op)
{
    py_cursor *self = (py_cursor *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    ss_batch_release(self->batch);
    (void)Cursor_clear(op);
    Py_XDECREF(self->names);
    Py_XDECREF(self->description);
    Py_XDECREF(self->link);
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
    if (self->link != NULL && py_link_allowed(self->link) < 0) {
        return NULL;
    }
    return self->db;
}

/* --- cursor: running ---------------------------------------------------------------------- */

/* PEP 249: name and six fields that say nothing here. */
static PyObject *
describe(PyObject *names)
{
    Py_ssize_t n = PyTuple_GET_SIZE(names);
    PyObject *description = n > 0 ? PyTuple_New(n) : Py_NewRef(Py_None);
    for (Py_ssize_t i = 0; description != NULL && i < n; i++) {
        PyObject *column = PyTuple_New(7);
        if (column == NULL) {
            Py_CLEAR(description);
            break;
        }
        PyTuple_SET_ITEM(column, 0, Py_NewRef(PyTuple_GET_ITEM(names, i)));
        for (Py_ssize_t k = 1; k < 7; k++) {
            PyTuple_SET_ITEM(column, k, Py_NewRef(Py_None));
        }
        PyTuple_SET_ITEM(description, i, column);
    }
    return description;
}

static PyObject *
names_of(const ss_batch *batch)
{
    PyObject *names = PyTuple_New(batch->n_columns);
    for (int i = 0; names != NULL && i < batch->n_columns; i++) {
        PyObject *name = PyUnicode_FromString(batch->names[i]);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

/* Takes everything; `names`: NULL for those of the batch. */
static int
keep_rows(py_cursor *self, ss_batch *batch, PyObject *names, PyObject *converters)
{
    names = names != NULL ? names : names_of(batch);
    PyObject *description = names != NULL ? describe(names) : NULL;
    if (description == NULL) {
        Py_XDECREF(names);
        Py_XDECREF(converters);
        ss_batch_release(batch);
        return -1;
    }
    put_rows(self, batch, names, description, converters);
    return 0;
}

/* Cursors begin with their first change, so their order says nothing: they are one owner. */
static const char any_cursor = 0;

static int
begin_if_needed(py_cursor *self, py_database *db)
{
    if (!self->in_block || self->began) {
        return 0;
    }
    if (py_transaction_begin(db, &any_cursor, &self->thread) < 0) {
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
    return batch != NULL ? keep_rows(self, batch, NULL, NULL) : -1;
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
    self->has_id = outcome.last_id != 0;
    return keep_rows(self, batch, NULL, NULL);
}

static int
run_linked(py_cursor *self, PyObject *sql, PyObject *params, bool many)
{
    py_link_result result;
    if (py_link_execute(self->link, sql, params, many, &result) < 0) {
        return -1;
    }
    self->rowcount = result.outcome.changed;
    if (!many && result.batch != NULL) {
        self->lastrowid = result.outcome.last_id;
        self->has_id = true;
    }
    if (result.batch == NULL) { /* there was no statement in the text */
        forget_rows(self);
        return 0;
    }
    return keep_rows(self, result.batch, result.names, result.converters);
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
    if (self->link != NULL) {
        return run_linked(self, sql, params, false);
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
    if (!two_arguments("execute", n, 1) || open_db(self) == NULL) {
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
        int rc = self->link != NULL ? run_linked(self, sql, params, true)
                                    : run_one(self, sql, params);
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
    if (self->link != NULL) { /* in its transaction, which the caller ends */
        int done = run_many(self, args[0], iterator);
        Py_DECREF(iterator);
        return done < 0 ? NULL : Py_NewRef(op);
    }
    Py_INCREF(db);
    uint64_t thread;
    int rc = begin_if_needed(self, db);
    if (rc == 0) {
        rc = py_transaction_begin(db, &thread, &thread);
    }
    if (rc == 0) {
        PyObject *type, *error, *traceback;
        rc = run_many(self, args[0], iterator);
        PyErr_Fetch(&type, &error, &traceback);
        if (py_transaction_end(db, &thread, thread, rc == 0) < 0) {
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

static PyObject *
Cursor_executescript(PyObject *op, PyObject *sql)
{
    py_cursor *self = (py_cursor *)op;
    if (open_db(self) == NULL) {
        return NULL;
    }
    if (self->link == NULL) {
        PyErr_SetString(self->state->NotSupportedError,
                        "executescript() is for cursors of smartshopie_db.dbapi; "
                        "initialize_database(schema_file) runs a script");
        return NULL;
    }
    return py_link_script(self->link, sql) < 0 ? NULL : Py_NewRef(op);
}

/* --- cursor: rows --------------------------------------------------------------------- */

static PyObject *
as_bytes(PyObject *cell)
{
    if (PyBytes_Check(cell)) {
        return Py_NewRef(cell);
    }
    PyObject *text = PyObject_Str(cell);
    PyObject *bytes = text != NULL ? PyUnicode_AsUTF8String(text) : NULL;
    Py_XDECREF(text);
    return bytes;
}

static PyObject *
converted(PyObject *converter, py_state *state, const ss_column *column, int64_t row)
{
    PyObject *cell = py_column_cell(state, column, row);
    PyObject *bytes = cell != NULL ? as_bytes(cell) : NULL;
    PyObject *value = bytes != NULL ? PyObject_CallOneArg(converter, bytes) : NULL;
    Py_XDECREF(cell);
    Py_XDECREF(bytes);
    return value;
}

/* A cell of a link's cursor whose texts are made by text_factory. */
static PyObject *
made_by(PyObject *text_factory, py_state *state, const ss_column *column, int64_t row)
{
    ss_value value;
    ss_column_get(column, row, &value);
    if (value.tag != SS_VALUE_TEXT) {
        return py_column_cell(state, column, row);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(value.as.s.p, (Py_ssize_t)value.as.s.n);
    if (bytes == NULL || text_factory == (PyObject *)&PyBytes_Type) {
        return bytes;
    }
    PyObject *text = PyObject_CallOneArg(text_factory, bytes);
    Py_DECREF(bytes);
    return text;
}

/* str, or nothing that was set, is what cells are made of anyway. */
static PyObject *
text_factory_of(const py_cursor *self)
{
    PyObject *made = self->link != NULL ? self->link->text_factory : NULL;
    return made == Py_None || made == (PyObject *)&PyUnicode_Type ? NULL : made;
}

/* One value of a row; `converter`: None for a column that has none. As in the standard
 * module converters are not asked about NULL, nor about an empty text, which is None. */
static PyObject *
value_of(py_state *state, const ss_column *column, int64_t at, PyObject *converter,
         PyObject *text_factory)
{
    ss_value value;
    ss_column_get(column, at, &value);
    if (converter != Py_None && value.tag != SS_VALUE_NULL) {
        bool bytes = value.tag == SS_VALUE_TEXT || value.tag == SS_VALUE_BLOB;
        return bytes && value.as.s.n == 0 ? Py_NewRef(Py_None)
                                          : converted(converter, state, column, at);
    }
    return text_factory != NULL ? made_by(text_factory, state, column, at)
                                : py_column_cell(state, column, at);
}

/* What is called here may run a statement on this very cursor: `batch` is held. */
static PyObject *
row_of(py_cursor *self, const ss_batch *batch, int64_t at)
{
    PyObject *factory = Py_XNewRef(text_factory_of(self));
    PyObject *converters = Py_XNewRef(self->converters);
    PyObject *names = Py_NewRef(self->names);
    PyObject *row = py_cursor_row_new(self->state, names, batch->n_columns);
    for (int i = 0; row != NULL && i < batch->n_columns; i++) {
        PyObject *converter =
            converters != NULL ? PyTuple_GET_ITEM(converters, i) : Py_None;
        PyObject *cell =
            value_of(self->state, &batch->columns[i], at, converter, factory);
        if (cell == NULL) {
            Py_CLEAR(row);
            break;
        }
        PyTuple_SET_ITEM(row, i, cell);
    }
    if (row != NULL && factory == NULL && converters == NULL) {
        py_cursor_row_is_plain(row);
    }
    Py_XDECREF(factory);
    Py_XDECREF(converters);
    Py_DECREF(names);
    return row;
}

static PyObject *
next_row(py_cursor *self)
{
    ss_batch *batch = ss_batch_retain(self->batch);
    PyObject *factory = Py_XNewRef(self->row_factory);
    PyObject *row = row_of(self, batch, self->next++);
    ss_batch_release(batch);
    if (row != NULL && factory != NULL && factory != Py_None &&
        factory != (PyObject *)self->state->cursor_row_type) {
        Py_SETREF(row,
                  PyObject_CallFunctionObjArgs(factory, (PyObject *)self, row, NULL));
    }
    Py_XDECREF(factory);
    return row;
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
    return next_row(self);
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
Cursor_fetchmany(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"size", NULL};
    static const py_signature signature = {"fetchmany", names, 1, 0};
    Py_ssize_t size = ((py_cursor *)op)->arraysize;
    PyObject *given = NULL;
    if (py_args_parse(&signature, args, n, kwnames, &given, NULL, NULL) < 0) {
        return NULL;
    }
    if (given != NULL && given != Py_None) {
        size = PyNumber_AsSsize_t(given, PyExc_OverflowError);
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
    Py_XDECREF(Cursor_close(op, NULL));
    if (self->began) {
        self->began = false; /* also when the end fails: there is no second one */
        if (py_transaction_end(self->db, &any_cursor, self->thread, commit) < 0) {
            return NULL;
        }
    }
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
    return self->has_id ? PyLong_FromLongLong(self->lastrowid) : Py_NewRef(Py_None);
}

static PyObject *
Cursor_description(PyObject *op, void *unused)
{
    (void)unused;
    return Py_NewRef(((py_cursor *)op)->description);
}

static PyObject *
Cursor_connection(PyObject *op, void *unused)
{
    py_cursor *self = (py_cursor *)op;
    (void)unused;
    return Py_NewRef(self->link != NULL ? (PyObject *)self->link
                                        : (PyObject *)self->db);
}

/* PEP 249 has these two; here every size is known. */
static PyObject *
Cursor_setsize(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    (void)op;
    (void)args;
    (void)n;
    Py_RETURN_NONE;
}

static PyMemberDef Cursor_members[] = {
    {"row_factory", T_OBJECT, offsetof(py_cursor, row_factory), 0,
     PyDoc_STR("What makes a row of this cursor and a tuple; None: the tuple.")},
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
    {"connection", Cursor_connection, NULL, PyDoc_STR("What it belongs to."), NULL},
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
    {"executescript", Cursor_executescript, METH_O,
     PyDoc_STR("executescript($self, sql, /)\n--\n\n"
               "Commit what is open, then run several statements.")},
    {"setinputsizes", FASTCALL(Cursor_setsize), METH_FASTCALL,
     PyDoc_STR("setinputsizes($self, sizes, /)\n--\n\nDoes nothing (PEP 249).")},
    {"setoutputsize", FASTCALL(Cursor_setsize), METH_FASTCALL,
     PyDoc_STR("setoutputsize($self, size, column=None, /)\n--\n\n"
               "Does nothing (PEP 249).")},
    {"fetchone", Cursor_fetchone, METH_NOARGS,
     PyDoc_STR("fetchone($self, /)\n--\n\nThe next row, or None.")},
    {"fetchmany", FASTCALL(Cursor_fetchmany), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("fetchmany($self, /, size=None)\n--\n\nThe next rows.")},
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
    {Py_tp_clear, Cursor_clear},
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

int
py_cursor_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Cursor_spec, NULL, true, &state->cursor_type);
}
