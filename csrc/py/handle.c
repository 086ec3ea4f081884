/* The progress and busy handlers of a running call ask py_call_check_trampoline at most
 * every 50 ms, with SQLite's own locks held and the GIL not. Only the main thread takes
 * the GIL there, since only it may run signal handlers; so no other thread can meet the
 * end of the interpreter inside SQLite.
 */
#define _GNU_SOURCE // gettid()

#include "py/handle.h"

#include "py/lifetime.h"

#include <math.h>   // isfinite()
#include <unistd.h> // getpid(), gettid()

static bool
is_main_thread(void)
{
    return gettid() == getpid();
}

static int
py_call_check_trampoline(void *arg)
{
    py_call *call = arg;
    if (!is_main_thread()) {
        return 0;
    }
    PyEval_RestoreThread(call->thread);
    call->db->signals++;
    int raised = PyErr_CheckSignals();
    call->db->signals--;
    (void)PyEval_SaveThread();
    return raised;
}

int
py_call_seconds(PyObject *obj, const char *what, int64_t none, int64_t *out)
{
    if (obj == NULL || obj == Py_None) {
        *out = none;
        return 0;
    }
    if (!PyFloat_Check(obj) && !PyLong_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s: expected seconds as a number, got %s", what,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    double seconds = PyFloat_AsDouble(obj);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) {
        PyErr_Format(PyExc_ValueError, "%s: expected 0 to 1e9 seconds, got %R", what,
                     obj);
        return -1;
    }
    *out = (int64_t)ceil(seconds * 1000.0);
    return 0;
}

int
py_call_allowed(py_database *self)
{
    if (self->signals > 0 && is_main_thread()) {
        PyErr_SetString(self->state->ProgrammingError,
                        "a signal handler interrupted a call of this database; it "
                        "cannot use the database before that call has ended");
        return -1;
    }
    return 0;
}

int
py_call_init(py_database *self, py_call *call, PyObject *timeout)
{
    int64_t timeout_ms;
    if (py_call_seconds(timeout, "timeout", -1, &timeout_ms) < 0) {
        return -1;
    }
    if (py_call_allowed(self) < 0) {
        return -1;
    }
    py_lifetime_await_fork(self->state, self->db);
    ss_db_call_init(self->db, &call->call, timeout_ms);
    call->call.check = py_call_check_trampoline;
    call->call.check_arg = call;
    call->thread = PyThreadState_Get();
    call->db = self;
    return 0;
}
