/* Fork: SQLite keeps lock state per process that is false in a child. So before a fork
 * every database lets its running calls end and closes its handles; both sides open
 * them again on next use (os.register_at_fork, not pthread_atfork: it runs with the
 * interpreter in order, and only for forks that go on in Python).
 *
 * Exit: running calls of daemon threads are cancelled and everything is closed, so that
 * a WAL is folded away; what cannot be had within a second is left to the next opening.
 */
#include "py/lifetime.h"

#include "base/thread.h"
#include "db/block.h"

enum { FORK_WAIT_MS = 5000, EXIT_WAIT_MS = 1000, PAUSE_US = 500 };

void
py_lifetime_add(py_database *db)
{
    db->previous = NULL;
    db->next = db->state->databases;
    if (db->next != NULL) {
        db->next->previous = db;
    }
    db->state->databases = db;
}

void
py_lifetime_remove(py_database *db)
{
    if (db->previous != NULL) {
        db->previous->next = db->next;
    }
    else if (db->state->databases == db) {
        db->state->databases = db->next;
    }
    if (db->next != NULL) {
        db->next->previous = db->previous;
    }
    db->previous = db->next = NULL;
}

void
py_lifetime_await_fork(py_state *state, ss_db *db)
{
    while (state->forking_thread != 0 &&
           state->forking_thread != PyThread_get_thread_ident() &&
           (db == NULL || !ss_db_is_bound(db))) {
        Py_BEGIN_ALLOW_THREADS
        ss_sleep_us(PAUSE_US);
        Py_END_ALLOW_THREADS
    }
}

/* All databases as a new list of strong references: the list of the state may change
 * whenever the GIL is away. */
static PyObject *
all_databases(py_state *state)
{
    PyObject *list = PyList_New(0);
    for (py_database *db = state->databases; list != NULL && db != NULL;
         db = db->next) {
        /* A subclass clears its __dict__, which may run anything, this included, before
         * its database is taken off the list. */
        if (Py_REFCNT(db) == 0) {
            continue;
        }
        if (PyList_Append(list, (PyObject *)db) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* The hooks cannot be taken back, so they hold their module weakly: NULL (without an
 * exception) when it is gone, and every database of it with it. New reference. */
static PyObject *
module_of(PyObject *weak)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *module = NULL;
    (void)PyWeakref_GetRef(weak, &module);
    return module;
#else
    PyObject *module = PyWeakref_GetObject(weak);
    return module == Py_None ? NULL : Py_XNewRef(module);
#endif
}

static py_database *
database_at(PyObject *list, Py_ssize_t i)
{
    return (py_database *)PyList_GET_ITEM(list, i);
}

static PyObject *
before_fork(PyObject *weak, PyObject *unused)
{
    PyObject *module = module_of(weak);
    (void)unused;
    if (module == NULL) {
        Py_RETURN_NONE;
    }
    py_state *state = py_state_of_module(module);
    py_lifetime_await_fork(state, NULL);
    state->forking_thread = PyThread_get_thread_ident();
    while (state->n_freeing > 0) { /* they are on no list any more */
        Py_BEGIN_ALLOW_THREADS
        ss_sleep_us(PAUSE_US);
        Py_END_ALLOW_THREADS
    }
    PyObject *list = all_databases(state);
    if (list == NULL) {
        Py_DECREF(module);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        ss_db *db = database_at(list, i)->db;
        Py_BEGIN_ALLOW_THREADS
        ss_db_before_fork(db, FORK_WAIT_MS);
        Py_END_ALLOW_THREADS
    }
    Py_XSETREF(state->forking, list);
    Py_DECREF(module);
    Py_RETURN_NONE;
}

static PyObject *
after_fork(PyObject *weak, void (*undo)(ss_db *))
{
    PyObject *module = module_of(weak);
    if (module == NULL) {
        Py_RETURN_NONE;
    }
    py_state *state = py_state_of_module(module);
    PyObject *list = state->forking;
    state->forking = NULL;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        undo(database_at(list, i)->db);
    }
    state->forking_thread = 0;
    Py_XDECREF(list);
    Py_DECREF(module);
    Py_RETURN_NONE;
}

static PyObject *
after_fork_parent(PyObject *weak, PyObject *unused)
{
    (void)unused;
    return after_fork(weak, ss_db_after_fork_parent);
}

static PyObject *
after_fork_child(PyObject *weak, PyObject *unused)
{
    PyObject *module = module_of(weak);
    (void)unused;
    if (module != NULL) {
        /* The threads that were freeing are not here to count themselves off. */
        py_state_of_module(module)->n_freeing = 0;
        Py_DECREF(module);
    }
    return after_fork(weak, ss_db_after_fork_child);
}

static void
close_at_exit(ss_db *db)
{
    ss_call call = {0};
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    ss_db_cancel(db);
    ss_db_call_init(db, &call, EXIT_WAIT_MS);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_close(db, &call, &err);
    Py_END_ALLOW_THREADS
    (void)status; /* there is nobody left to tell */
}

static PyObject *
at_exit(PyObject *weak, PyObject *unused)
{
    PyObject *module = module_of(weak);
    PyObject *list = module != NULL ? all_databases(py_state_of_module(module)) : NULL;
    (void)unused;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        close_at_exit(database_at(list, i)->db);
    }
    bool failed = module != NULL && list == NULL;
    Py_XDECREF(list);
    Py_XDECREF(module);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef hooks[] = {
    {"before_fork", before_fork, METH_NOARGS, NULL},
    {"after_fork_parent", after_fork_parent, METH_NOARGS, NULL},
    {"after_fork_child", after_fork_child, METH_NOARGS, NULL},
    {"at_exit", at_exit, METH_NOARGS, NULL},
};

/* os.register_at_fork(before=..., after_in_parent=..., after_in_child=...) */
static int
register_fork_hooks(PyObject *weak)
{
    static const char *const names[] = {"before", "after_in_parent", "after_in_child"};
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *function =
        posix != NULL ? PyObject_GetAttrString(posix, "register_at_fork") : NULL;
    PyObject *kwargs = PyDict_New(), *args = PyTuple_New(0), *result = NULL;
    int rc = function == NULL || kwargs == NULL || args == NULL ? -1 : 0;
    for (int i = 0; rc == 0 && i < 3; i++) {
        PyObject *hook = PyCFunction_New(&hooks[i], weak);
        rc = hook == NULL ? -1 : PyDict_SetItemString(kwargs, names[i], hook);
        Py_XDECREF(hook);
    }
    if (rc == 0) {
        result = PyObject_Call(function, args, kwargs);
    }
    Py_XDECREF(posix);
    Py_XDECREF(function);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int
register_exit_hook(PyObject *weak)
{
    PyObject *hook = PyCFunction_New(&hooks[3], weak);
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *result = hook != NULL && atexit != NULL
                           ? PyObject_CallMethod(atexit, "register", "O", hook)
                           : NULL;
    Py_XDECREF(hook);
    Py_XDECREF(atexit);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int
py_lifetime_setup(PyObject *module, py_state *state)
{
    PyObject *weak = PyWeakref_NewRef(module, NULL);
    int rc = -1;
    (void)state;
    if (weak != NULL && register_fork_hooks(weak) == 0) {
        rc = register_exit_hook(weak);
    }
    Py_XDECREF(weak);
    return rc;
}
