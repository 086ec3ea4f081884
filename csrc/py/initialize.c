/* py/initialize: `db.initialize_database()`: the tables that are missing, or a script.
 *
 * A file of SQL is read by Python's own open(), before any connection is taken.
 */
#include "py/initialize.h"

#include "db/free.h"
#include "py/args.h"
#include "py/handle.h"
#include "py/raise.h"

#include <string.h> // strlen()

static PyObject *
script_text(PyObject *path)
{
    PyObject *io = PyImport_ImportModule("io");
    PyObject *file = io != NULL ? PyObject_CallMethod(io, "open", "Osiss", path, "r",
                                                      -1, "utf-8", "strict")
                                : NULL;
    PyObject *text = file != NULL ? PyObject_CallMethod(file, "read", NULL) : NULL;
    if (file != NULL) {
        PyObject *type, *error, *traceback;
        PyErr_Fetch(&type, &error, &traceback);
        Py_XDECREF(PyObject_CallMethod(file, "close", NULL));
        PyErr_Restore(type, error, traceback);
    }
    Py_XDECREF(io);
    Py_XDECREF(file);
    return text;
}

static PyObject *
run_script(py_database *self, const char *script)
{
    py_call call;
    ss_error err;
    ss_status status;
    if (py_call_init(self, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_script(self->db, &call.call, script, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(self->state, &err);
    }
    Py_RETURN_NONE;
}

static PyObject *
create_missing(py_database *self)
{
    py_call call;
    ss_error err;
    ss_status status;
    if (py_call_init(self, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_initialize(self->db, &call.call, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(self->state, &err);
    }
    Py_RETURN_NONE;
}

const char py_initialize_doc[] =
    "initialize_database($self, /, schema_file=None)\n--\n\n"
    "Create the tables that are missing, or run a script of one's own.\n\n"
    "Raises FileNotFoundError, ProgrammingError, SchemaError.";

PyObject *
py_initialize(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"schema_file", NULL};
    static const py_signature signature = {"initialize_database", names, 1, 0};
    py_database *self = (py_database *)op;
    PyObject *given[1];
    if (py_args_parse(&signature, args, n, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    if (given[0] == NULL || given[0] == Py_None) {
        return create_missing(self);
    }
    PyObject *text = script_text(given[0]), *result = NULL;
    Py_ssize_t size;
    const char *script = text != NULL ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    if (script != NULL && strlen(script) != (size_t)size) {
        PyErr_Format(PyExc_ValueError, "schema_file: %R has a NUL in it", given[0]);
    }
    else if (script != NULL) {
        result = run_script(self, script);
    }
    Py_XDECREF(text);
    return result;
}
