#include "py/transaction.h"

#include "db/block.h"
#include "py/raise.h"
#include "py/types.h"

typedef struct {
    PyObject_HEAD
    py_database *db; /* owned */
    uint64_t thread; /* whose block was entered last */
} py_block;

static PyObject *
block_new(py_database *db, PyTypeObject *type)
{
    py_block *self = (py_block *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->db = (py_database *)Py_NewRef(db);
    }
    return (PyObject *)self;
}

PyObject *
py_transaction_new(py_database *db)
{
    return block_new(db, db->state->transaction_type);
}

PyObject *
py_snapshot_new(py_database *db)
{
    return block_new(db, db->state->snapshot_type);
}

static void
block_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((py_block *)op)->db);
    type->tp_free(op);
    Py_DECREF(type);
}

static int
block_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((py_block *)op)->db);
    return 0;
}

/* --- transaction -------------------------------------------------------------------- */

int
py_transaction_begin(py_database *db, const void *owner, uint64_t *thread)
{
    py_call call;
    ss_error err;
    ss_status status;
    if (py_call_init(db, &call, NULL) < 0) {
        return -1;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_begin(db->db, &call.call, owner, thread, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(db->state, &err);
        return -1;
    }
    return 0;
}

/* No time limit and no signal check: an end that was begun is brought to its end. */
int
py_transaction_end(py_database *db, const void *owner, uint64_t thread, bool commit)
{
    ss_call call = {0};
    ss_error err;
    ss_status status;
    if (py_call_allowed(db) < 0) {
        return -1;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_end(db->db, &call, owner, thread, commit, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(db->state, &err);
        return -1;
    }
    return 0;
}

static PyObject *
Transaction_enter(PyObject *op, PyObject *unused)
{
    py_block *self = (py_block *)op;
    (void)unused;
    return py_transaction_begin(self->db, self, &self->thread) < 0
               ? NULL
               : Py_NewRef(self->db);
}

static PyObject *
Transaction_exit(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    py_block *self = (py_block *)op;
    bool commit = n < 1 || args[0] == Py_None;
    if (py_transaction_end(self->db, self, self->thread, commit) < 0) {
        return NULL;
    }
    Py_RETURN_FALSE;
}

/* --- snapshot -------------------------------------------------------------------------- */

static PyObject *
Snapshot_enter(PyObject *op, PyObject *unused)
{
    py_block *self = (py_block *)op;
    py_database *db = self->db;
    py_call call;
    ss_error err;
    ss_status status;
    (void)unused;
    if (py_call_init(db, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_snapshot_begin(db->db, &call.call, &self->thread, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? Py_NewRef(db) : py_raise(db->state, &err);
}

static PyObject *
Snapshot_exit(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    py_block *self = (py_block *)op;
    py_database *db = self->db;
    ss_error err;
    ss_status status;
    (void)args;
    (void)n;
    if (py_call_allowed(db) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_snapshot_end(db->db, self->thread, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(db->state, &err);
    }
    Py_RETURN_FALSE;
}

/* --- types ------------------------------------------------------------------------------- */

PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nBegin; gives the database.");
PyDoc_STRVAR(transaction_exit_doc,
             "__exit__($self, type=None, value=None, traceback=None, /)\n--\n\n"
             "Commit, or roll back when an exception came.");
PyDoc_STRVAR(
    snapshot_exit_doc,
    "__exit__($self, type=None, value=None, traceback=None, /)\n--\n\nEnd the view.");

static PyMethodDef Transaction_methods[] = {
    {"__enter__", Transaction_enter, METH_NOARGS, enter_doc},
    {"__exit__", (PyCFunction)(void (*)(void))Transaction_exit, METH_FASTCALL,
     transaction_exit_doc},
    {NULL},
};

static PyMethodDef Snapshot_methods[] = {
    {"__enter__", Snapshot_enter, METH_NOARGS, enter_doc},
    {"__exit__", (PyCFunction)(void (*)(void))Snapshot_exit, METH_FASTCALL,
     snapshot_exit_doc},
    {NULL},
};

static PyType_Slot Transaction_slots[] = {
    {Py_tp_doc, "What db.transaction() gives: the with block of a transaction."},
    {Py_tp_dealloc, block_dealloc},
    {Py_tp_traverse, block_traverse},
    {Py_tp_methods, Transaction_methods},
    {0, NULL},
};

static PyType_Slot Snapshot_slots[] = {
    {Py_tp_doc, "What db.snapshot() gives: the with block of one consistent view."},
    {Py_tp_dealloc, block_dealloc},
    {Py_tp_traverse, block_traverse},
    {Py_tp_methods, Snapshot_methods},
    {0, NULL},
};

static PyType_Spec Transaction_spec = {
    .name = "smartshopie_db.Transaction",
    .basicsize = sizeof(py_block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = Transaction_slots,
};

static PyType_Spec Snapshot_spec = {
    .name = "smartshopie_db.Snapshot",
    .basicsize = sizeof(py_block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = Snapshot_slots,
};

int
py_transaction_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Transaction_spec, NULL, true,
                             &state->transaction_type);
}

int
py_snapshot_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Snapshot_spec, NULL, true, &state->snapshot_type);
}
