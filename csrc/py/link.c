#include "py/link.h"

#include "py/args.h"
#include "py/cursor.h"
#include "py/raise.h"
#include "py/sqlargs.h"
#include "py/types.h"

#include <sqlite3.h>      // SQLITE_ERROR, SQLITE_AUTH
#include <structmember.h> // PyMemberDef, T_OBJECT
#include <string.h>       // strlen()

/* --- one statement ------------------------------------------------------------------ */

int
py_link_allowed(py_link *self)
{
    if (self->db == NULL) {
        PyErr_SetString(self->state->ProgrammingError,
                        "Connection.__init__() was not called");
        return -1;
    }
    if (self->thread != 0 && self->thread != PyThread_get_thread_ident()) {
        PyErr_Format(self->state->ProgrammingError,
                     "this connection was made in thread %lu and is used in thread "
                     "%lu; connect(check_same_thread=False) allows that",
                     self->thread, PyThread_get_thread_ident());
        return -1;
    }
    if (self->closed) {
        PyErr_SetString(self->state->ProgrammingError, "the connection is closed");
        return -1;
    }
    return 0;
}

/* The classes that programs written for the standard module look for. */
static int
raise(py_link *self, ss_error *err)
{
    int primary = err->sqlite_code & 0xFF;
    if (primary == SQLITE_ERROR) {
        err->code = SS_OPERATIONAL;
    }
    else if (primary == SQLITE_AUTH) {
        err->code = SS_NOT_SUPPORTED;
    }
    py_raise(self->state, err);
    return -1;
}

/* Ask `convert` about the columns; `declared`: the types, each with a NUL. */
static int
ask_converters(PyObject *convert, const ss_buf *declared, py_link_result *result)
{
    PyObject *columns = PyList_New(0), *answer = NULL;
    const char *type = declared->data;
    int rc = -1;
    for (int i = 0; columns != NULL && i < result->batch->n_columns; i++) {
        PyObject *pair = Py_BuildValue("(ss)", result->batch->names[i], type);
        if (pair == NULL || PyList_Append(columns, pair) < 0) {
            Py_XDECREF(pair);
            goto done;
        }
        Py_DECREF(pair);
        type += strlen(type) + 1;
    }
    answer = columns != NULL ? PyObject_CallOneArg(convert, columns) : NULL;
    if (answer == NULL) {
        goto done;
    }
    PyObject *names, *converters;
    if (!PyArg_ParseTuple(answer, "O!O!", &PyTuple_Type, &names, &PyTuple_Type,
                          &converters)) {
        goto done;
    }
    if (PyTuple_GET_SIZE(names) != result->batch->n_columns ||
        PyTuple_GET_SIZE(converters) != result->batch->n_columns) {
        PyErr_SetString(PyExc_ValueError, "a name and a converter for each column");
        goto done;
    }
    result->names = Py_NewRef(names);
    result->converters = Py_NewRef(converters);
    rc = 0;
done:
    Py_XDECREF(columns);
    Py_XDECREF(answer);
    return rc;
}

static int
run(py_link *self, py_sqlargs *a, ss_buf *declared, py_link_result *result)
{
    py_database *db = self->db;
    ss_begin begin = (ss_begin)self->begin;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_link_execute(db->db, &a->call.call, &a->request, begin, declared,
                             &result->batch, &result->outcome, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return raise(self, &err);
    }
    self->total += result->outcome.total;
    return 0;
}

int
py_link_execute(py_link *self, PyObject *sql, PyObject *params, bool many,
                py_link_result *result)
{
    py_link_result fresh = {0};
    py_sqlargs a;
    ss_buf declared;
    int rc = -1;
    if (py_link_allowed(self) < 0) {
        return -1;
    }
    /* Owned: the statement runs without the GIL, and may meet another one after it. */
    PyObject *convert = self->convert != Py_None ? Py_XNewRef(self->convert) : NULL;
    ss_buf_init(&declared);
    if (py_sqlargs_parse_adapted(&a, self->db, sql, params, self->adapt) < 0) {
        goto done;
    }
    if (many && !ss_link_changes_rows(a.request.sql, a.request.n_sql)) {
        PyErr_SetString(self->state->ProgrammingError,
                        "executemany() runs INSERT, UPDATE, DELETE and REPLACE only");
        goto done;
    }
    if (run(self, &a, convert != NULL ? &declared : NULL, &fresh) < 0) {
        goto done;
    }
    if (convert != NULL && fresh.batch != NULL && fresh.batch->n_columns > 0 &&
        ask_converters(convert, &declared, &fresh) < 0) {
        ss_batch_release(fresh.batch);
        goto done;
    }
    *result = fresh;
    rc = 0;
done:
    py_sqlargs_clear(&a);
    ss_buf_free(&declared);
    Py_XDECREF(convert);
    return rc;
}

int
py_link_script(py_link *self, PyObject *sql)
{
    py_call call;
    ss_error err;
    ss_status status;
    int64_t total = 0;
    if (py_link_allowed(self) < 0) {
        return -1;
    }
    if (!PyUnicode_Check(sql)) {
        PyErr_Format(PyExc_TypeError, "sql: expected str, got %s",
                     Py_TYPE(sql)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(sql, &n);
    if (text == NULL) {
        return -1;
    }
    if (strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -1;
    }
    if (py_call_init(self->db, &call, NULL) < 0) {
        return -1;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_link_script(self->db->db, &call.call, text, &total, &err);
    Py_END_ALLOW_THREADS
    self->total += total;
    return status == SS_OK ? 0 : raise(self, &err);
}

/* --- methods ---------------------------------------------------------------------------- */

static int
open_link(py_link *self)
{
    py_call call;
    ss_error err;
    ss_status status;
    if (py_call_init(self->db, &call, NULL) < 0) {
        return -1;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_connect(self->db->db, &call.call, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? 0 : raise(self, &err);
}

static int
Link_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    py_link *self = (py_link *)op;
    PyObject *db;
    int same_thread;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Link() takes no keyword arguments");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "O!p:Link", self->state->database_type, &db,
                          &same_thread)) {
        return -1;
    }
    if (self->db != NULL || ss_db_is_connected(((py_database *)db)->db)) {
        PyErr_SetString(self->state->ProgrammingError,
                        "Link() takes a database that was not used yet, once");
        return -1;
    }
    self->db = (py_database *)Py_NewRef(db);
    self->thread = same_thread ? PyThread_get_thread_ident() : 0;
    ss_link_make(self->db->db);
    return open_link(self);
}

static PyObject *
Link_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of_type(type);
    py_link *self = state != NULL ? (py_link *)type->tp_alloc(type, 0) : NULL;
    (void)args;
    (void)kwargs;
    if (self != NULL) {
        self->state = state;
        self->begin = SS_BEGIN_DEFERRED;
    }
    return (PyObject *)self;
}

/* No signal check: an end that was begun is brought to its end. */
static PyObject *
end(PyObject *op, bool commit)
{
    py_link *self = (py_link *)op;
    ss_call call = {0};
    ss_error err;
    ss_status status;
    if (py_link_allowed(self) < 0 || py_call_allowed(self->db) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_link_end(self->db->db, &call, commit, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        (void)raise(self, &err);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
Link_commit(PyObject *op, PyObject *unused)
{
    (void)unused;
    return end(op, true);
}

static PyObject *
Link_rollback(PyObject *op, PyObject *unused)
{
    (void)unused;
    return end(op, false);
}

static PyObject *
Link_close(PyObject *op, PyObject *unused)
{
    py_link *self = (py_link *)op;
    py_call call;
    ss_error err;
    ss_status status;
    (void)unused;
    if (self->closed) {
        Py_RETURN_NONE;
    }
    if (py_link_allowed(self) < 0 || py_call_init(self->db, &call, NULL) < 0) {
        return NULL;
    }
    call.call.cancel_epoch = NULL; /* interrupt() stops what it waits for, not it */
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_link_close(self->db->db, &call.call, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        (void)raise(self, &err);
        return NULL;
    }
    self->closed = true;
    Py_RETURN_NONE;
}

static PyObject *
Link_cursor(PyObject *op, PyObject *unused)
{
    py_link *self = (py_link *)op;
    (void)unused;
    return py_link_allowed(self) < 0 ? NULL : py_cursor_of_link(self);
}

/* From any thread, whatever check_same_thread says: there is nothing else to call it. */
static PyObject *
Link_interrupt(PyObject *op, PyObject *unused)
{
    py_link *self = (py_link *)op;
    (void)unused;
    if (self->db == NULL || self->closed) {
        return py_link_allowed(self) < 0 ? NULL : Py_NewRef(Py_None);
    }
    ss_db_cancel(self->db->db);
    Py_RETURN_NONE;
}

static PyObject *
Link_in_transaction(PyObject *op, void *unused)
{
    py_link *self = (py_link *)op;
    (void)unused;
    if (py_link_allowed(self) < 0) {
        return NULL;
    }
    return PyBool_FromLong(ss_link_in_transaction(self->db->db));
}

static PyObject *
Link_total_changes(PyObject *op, void *unused)
{
    py_link *self = (py_link *)op;
    (void)unused;
    return py_link_allowed(self) < 0 ? NULL : PyLong_FromLongLong(self->total);
}

/* --- type --------------------------------------------------------------------------------- */

static int
Link_traverse(PyObject *op, visitproc visit, void *arg)
{
    py_link *self = (py_link *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->db);
    Py_VISIT(self->row_factory);
    Py_VISIT(self->text_factory);
    Py_VISIT(self->adapt);
    Py_VISIT(self->convert);
    return 0;
}

static int
Link_clear(PyObject *op)
{
    py_link *self = (py_link *)op;
    Py_CLEAR(self->row_factory);
    Py_CLEAR(self->text_factory);
    Py_CLEAR(self->adapt);
    Py_CLEAR(self->convert);
    return 0;
}

static void
Link_dealloc(PyObject *op)
{
    py_link *self = (py_link *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    (void)Link_clear(op);
    Py_CLEAR(self->db);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef Link_members[] = {
    {"row_factory", T_OBJECT, offsetof(py_link, row_factory), 0,
     PyDoc_STR("What makes a row of a cursor and a tuple; None: the tuple.")},
    {"text_factory", T_OBJECT, offsetof(py_link, text_factory), 0,
     PyDoc_STR("What makes an object of the bytes of a text; None or str: str.")},
    {"_adapt", T_OBJECT, offsetof(py_link, adapt), 0, NULL},
    {"_convert", T_OBJECT, offsetof(py_link, convert), 0, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(py_link, weakrefs), READONLY, NULL},
    {NULL},
};

static PyObject *
Link_get_begin(PyObject *op, void *unused)
{
    (void)unused;
    return PyLong_FromLong(((py_link *)op)->begin);
}

static int
Link_set_begin(PyObject *op, PyObject *value, void *unused)
{
    int64_t begin;
    (void)unused;
    if (py_args_int(value, "_begin", SS_BEGIN_NEVER, SS_BEGIN_EXCLUSIVE, 0, &begin) <
        0) {
        return -1;
    }
    ((py_link *)op)->begin = (int)begin;
    return 0;
}

static PyGetSetDef Link_getset[] = {
    {"_begin", Link_get_begin, Link_set_begin, NULL, NULL},
    {"in_transaction", Link_in_transaction, NULL,
     PyDoc_STR("Whether a transaction is open."), NULL},
    {"total_changes", Link_total_changes, NULL,
     PyDoc_STR("Rows inserted, updated and deleted since the connection was opened."),
     NULL},
    {NULL},
};

static PyMethodDef Link_methods[] = {
    {"cursor", Link_cursor, METH_NOARGS,
     PyDoc_STR("cursor($self, /)\n--\n\nA new cursor.")},
    {"commit", Link_commit, METH_NOARGS,
     PyDoc_STR("commit($self, /)\n--\n\nCommit what is open, if anything is.")},
    {"rollback", Link_rollback, METH_NOARGS,
     PyDoc_STR("rollback($self, /)\n--\n\nRoll back what is open, if anything is.")},
    {"close", Link_close, METH_NOARGS,
     PyDoc_STR("close($self, /)\n--\n\nRoll back what is open, and close.")},
    {"interrupt", Link_interrupt, METH_NOARGS,
     PyDoc_STR("interrupt($self, /)\n--\n\nStop what runs on this connection now.")},
    {NULL},
};

static PyType_Slot Link_slots[] = {
    {Py_tp_doc, "Link(database, check_same_thread, /)\n--\n\n"
                "The core of smartshopie_db.dbapi.Connection."},
    {Py_tp_new, Link_new},
    {Py_tp_init, Link_init},
    {Py_tp_dealloc, Link_dealloc},
    {Py_tp_traverse, Link_traverse},
    {Py_tp_clear, Link_clear},
    {Py_tp_members, Link_members},
    {Py_tp_getset, Link_getset},
    {Py_tp_methods, Link_methods},
    {0, NULL},
};

static PyType_Spec Link_spec = {
    .name = "smartshopie_db._core._Link",
    .basicsize = sizeof(py_link),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_HAVE_GC,
    .slots = Link_slots,
};

int
py_link_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Link_spec, NULL, true, &state->link_type);
}
