/* The progress function runs between two slices of the copying, with the GIL and with no
 * call under way on the connection; what it may not do then is said in db/backup.
 */
#include "py/backup.h"

#include "db/backup.h"
#include "py/args.h"
#include "py/handle.h"
#include "py/path.h"
#include "py/raise.h"

enum { PROGRESS_MS = 100 };

const char py_backup_doc[] = PyDoc_STR(
    "backup($self, /, path, *, progress=None, overwrite=False, timeout=None)\n--\n\n"
    "Copy the database, as it is now, to a new file; others read and write meanwhile.\n\n"
    "path: the new file, which is there when it is whole and on the disk, or not at all.\n"
    "overwrite: replace a file of that name, when nothing has it open.\n"
    "progress: called as progress(done, total), in pages, at most ten times a second and\n"
    "at the end; what it raises ends the backup. It cannot use this database.\n"
    "timeout: seconds it may take.\n\n"
    "Raises OperationalError, DiskFullError, ValueError (a file of the database itself),\n"
    "ProgrammingError (inside transaction()).");

/* The path to write to, new. */
static PyObject *
target_argument(PyObject *given)
{
    PyObject *fs = PyOS_FSPath(given), *target = NULL;
    if (fs == NULL) {
        return PyErr_Format(PyExc_TypeError,
                            "path: expected str or os.PathLike, got %s",
                            Py_TYPE(given)->tp_name);
    }
    target = py_path_of_copy(fs);
    Py_DECREF(fs);
    return target;
}

static int
report(PyObject *progress, const ss_backup *backup)
{
    int done, total;
    ss_backup_pages(backup, &done, &total);
    PyObject *result = PyObject_CallFunction(progress, "ii", done, total);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* 0, or -1 with an exception. */
static int
copy_all(py_state *state, ss_backup *backup, PyObject *progress)
{
    int64_t slice = progress != NULL ? PROGRESS_MS : INT64_MAX;
    ss_status status = SS_OK;
    bool done = false;
    ss_error err;
    ss_error_init(&err);
    while (!done) {
        Py_BEGIN_ALLOW_THREADS
        status = ss_backup_run(backup, slice, &done, &err);
        Py_END_ALLOW_THREADS
        if (status != SS_OK) {
            (void)py_raise(state, &err);
            return -1;
        }
        if (progress != NULL && report(progress, backup) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
run(py_database *self, const char *target, bool overwrite, PyObject *progress,
    PyObject *timeout)
{
    PyObject *type = NULL, *error = NULL, *traceback = NULL;
    ss_backup *backup = NULL;
    ss_status status;
    py_call call;
    ss_error err;
    if (py_call_init(self, &call, timeout) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_backup_begin(self->db, &call.call, target, overwrite, &backup, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(self->state, &err);
    }
    bool keep = copy_all(self->state, backup, progress) == 0;
    PyErr_Fetch(&type, &error, &traceback); /* what ended it outlives the tidying up */
    Py_BEGIN_ALLOW_THREADS
    status = ss_backup_end(backup, keep, &err);
    Py_END_ALLOW_THREADS
    if (!keep) {
        PyErr_Restore(type, error, traceback);
        return NULL;
    }
    if (status != SS_OK) {
        return py_raise(self->state, &err);
    }
    Py_RETURN_NONE;
}

PyObject *
py_backup(PyObject *op, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    static const char *const names[] = {"path", "progress", "overwrite", "timeout",
                                        NULL};
    static const py_signature signature = {"backup", names, 1, 1};
    PyObject *given[4];
    bool overwrite;
    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0 ||
        py_args_bool(given[2], "overwrite", false, &overwrite) < 0) {
        return NULL;
    }
    PyObject *progress = given[1] == Py_None ? NULL : given[1];
    if (progress != NULL && !PyCallable_Check(progress)) {
        return PyErr_Format(PyExc_TypeError,
                            "progress: expected a function of (done, total), got %s",
                            Py_TYPE(progress)->tp_name);
    }
    PyObject *target = target_argument(given[0]);
    if (target == NULL) {
        return NULL;
    }
    PyObject *result = run((py_database *)op, PyBytes_AS_STRING(target), overwrite,
                           progress, given[3]);
    Py_DECREF(target);
    return result;
}
