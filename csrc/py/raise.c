/* py/raise: ss_error to exception.
 *
 * Called with the GIL, after all locks and leases were given back.  The attributes of
 * an error are set on the instance only where they apply; Error itself has them all as
 * None, so that a caller may always ask.  The instance dict is what pickle keeps.
 */
#include "py/raise.h"

#include <sqlite3.h> // the names of the result codes
#include <string.h>  // strlen()

PyObject *
py_raise_class(py_state *state, ss_code code)
{
    switch (code) {
    case SS_NOMEM:
        return PyExc_MemoryError;
    case SS_TYPE:
        return PyExc_TypeError;
    case SS_VALUE:
        return PyExc_ValueError;
    case SS_OVERFLOW:
        return PyExc_OverflowError;
    case SS_INTERFACE:
        return state->InterfaceError;
    case SS_DATABASE:
        return state->DatabaseError;
    case SS_DATA:
        return state->DataError;
    case SS_OPERATIONAL:
    case SS_BUSY:
    case SS_INTERRUPTED:
        return state->OperationalError;
    case SS_INTEGRITY:
        return state->IntegrityError;
    case SS_PROGRAMMING:
        return state->ProgrammingError;
    case SS_NOT_SUPPORTED:
        return state->NotSupportedError;
    case SS_CLOSED:
        return state->ClosedError;
    case SS_FORKED:
        return state->ForkError;
    case SS_REPLACED:
        return state->ReplacedError;
    case SS_READ_ONLY:
        return state->ReadOnlyError;
    case SS_DISK_FULL:
        return state->DiskFullError;
    case SS_SCHEMA:
        return state->SchemaError;
    case SS_OK:
    case SS_INTERNAL:
    case SS_SIGNAL:
        break;
    }
    return state->InternalError;
}

#define SQLITE_NAMES(X)                                                                        \
    X(ERROR)                                                                                   \
    X(INTERNAL) X(PERM) X(ABORT) X(BUSY) X(LOCKED) X(NOMEM) X(READONLY) X(                     \
        INTERRUPT) X(IOERR) X(CORRUPT) X(NOTFOUND) X(FULL) X(CANTOPEN) X(PROTOCOL)             \
        X(EMPTY) X(SCHEMA) X(TOOBIG) X(CONSTRAINT) X(MISMATCH) X(MISUSE) X(NOLFS) X(           \
            AUTH) X(FORMAT) X(RANGE) X(NOTADB) X(ERROR_MISSING_COLLSEQ) X(ERROR_RETRY)         \
            X(ERROR_SNAPSHOT) X(IOERR_READ) X(IOERR_SHORT_READ) X(IOERR_WRITE) X(              \
                IOERR_FSYNC) X(IOERR_DIR_FSYNC) X(IOERR_TRUNCATE) X(IOERR_FSTAT)               \
                X(IOERR_UNLOCK) X(IOERR_RDLOCK) X(IOERR_DELETE) X(IOERR_BLOCKED) X(            \
                    IOERR_NOMEM) X(IOERR_ACCESS) X(IOERR_CHECKRESERVEDLOCK)                    \
                    X(IOERR_LOCK) X(IOERR_CLOSE) X(IOERR_DIR_CLOSE) X(IOERR_SHMOPEN) X(        \
                        IOERR_SHMSIZE) X(IOERR_SHMLOCK) X(IOERR_SHMMAP) X(IOERR_SEEK)          \
                        X(IOERR_DELETE_NOENT) X(IOERR_MMAP) X(IOERR_GETTEMPPATH) X(            \
                            IOERR_CONVPATH) X(IOERR_VNODE) X(IOERR_AUTH) X(IOERR_BEGIN_ATOMIC) \
                            X(IOERR_COMMIT_ATOMIC) X(IOERR_ROLLBACK_ATOMIC) X(                 \
                                IOERR_DATA) X(IOERR_CORRUPTFS) X(LOCKED_SHAREDCACHE)           \
                                X(LOCKED_VTAB) X(BUSY_RECOVERY) X(BUSY_SNAPSHOT) X(            \
                                    BUSY_TIMEOUT) X(CANTOPEN_NOTEMPDIR) X(CANTOPEN_ISDIR)      \
                                    X(CANTOPEN_FULLPATH) X(CANTOPEN_CONVPATH) X(               \
                                        CANTOPEN_DIRTYWAL) X(CANTOPEN_SYMLINK)                 \
                                        X(CORRUPT_VTAB) X(CORRUPT_SEQUENCE) X(                 \
                                            CORRUPT_INDEX) X(READONLY_RECOVERY)                \
                                            X(READONLY_CANTLOCK) X(READONLY_ROLLBACK) X(       \
                                                READONLY_DBMOVED) X(READONLY_CANTINIT)         \
                                                X(READONLY_DIRECTORY) X(                       \
                                                    ABORT_ROLLBACK) X(CONSTRAINT_CHECK)        \
                                                    X(CONSTRAINT_COMMITHOOK) X(                \
                                                        CONSTRAINT_FOREIGNKEY)                 \
                                                        X(CONSTRAINT_FUNCTION) X(              \
                                                            CONSTRAINT_NOTNULL)                \
                                                            X(CONSTRAINT_PRIMARYKEY) X(        \
                                                                CONSTRAINT_TRIGGER)            \
                                                                X(CONSTRAINT_UNIQUE) X(        \
                                                                    CONSTRAINT_VTAB)           \
                                                                    X(CONSTRAINT_ROWID) X(     \
                                                                        CONSTRAINT_PINNED)     \
                                                                        X(CONSTRAINT_DATATYPE) \
                                                                            X(AUTH_USER)

/* "SQLITE_CONSTRAINT_UNIQUE"; an extended code this list does not know gets the name
 * of its family; NULL for no code at all. */
static const char *
sqlite_name(int code)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
#define X(name) {SQLITE_##name, "SQLITE_" #name},
        SQLITE_NAMES(X)
#undef X
    };
    const char *family = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
        if (names[i].code == (code & 0xff)) {
            family = names[i].name;
        }
    }
    return family;
}

/* Set one attribute; takes `value`, NULL meaning that making it failed. */
static int
set_attribute(PyObject *exception, PyObject *name, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    int rc = PyObject_SetAttr(exception, name, value);
    Py_DECREF(value);
    return rc;
}

static int
set_text(PyObject *exception, PyObject *name, const char *text)
{
    if (text[0] == '\0') {
        return 0;
    }
    return set_attribute(
        exception, name,
        PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace"));
}

/* 0: none. Who waits for a connection of the pool, and not for a lock of SQLite's, need not
 * know which of the two it was. */
static int
sqlite_code(const ss_error *err)
{
    if (err->sqlite_code != 0) {
        return err->sqlite_code;
    }
    return err->code == SS_BUSY          ? SQLITE_BUSY
           : err->code == SS_INTERRUPTED ? SQLITE_INTERRUPT
                                         : 0;
}

static int
set_attributes(py_state *state, PyObject *exception, const ss_error *err)
{
    int code = sqlite_code(err);
    const char *name = sqlite_name(code);

    if (code != 0 && set_attribute(exception, state->str_sqlite_errorcode,
                                   PyLong_FromLong(code)) < 0) {
        return -1;
    }
    if (name != NULL && set_text(exception, state->str_sqlite_errorname, name) < 0) {
        return -1;
    }
    if (err->has_row &&
        set_attribute(exception, state->str_row, PyLong_FromLongLong(err->row)) < 0) {
        return -1;
    }
    if (set_text(exception, state->str_table, err->table) < 0 ||
        set_text(exception, state->str_column, err->column) < 0) {
        return -1;
    }
    return set_text(exception, state->str_value, err->value);
}

PyObject *
py_raise(py_state *state, const ss_error *err)
{
    PyObject *message = NULL, *exception = NULL;

    if (PyErr_Occurred()) { /* a signal handler raised meanwhile: that comes first */
        return NULL;
    }
    if (err->code == SS_NOMEM) {
        return PyErr_NoMemory();
    }
    PyObject *type = py_raise_class(state, (ss_code)err->code);
    const char *text = err->message[0] != '\0' ? err->message : "no details";
    message = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    if (message == NULL) {
        goto done;
    }
    exception = PyObject_CallOneArg(type, message);
    if (exception == NULL) {
        goto done;
    }
    if (PyType_IsSubtype((PyTypeObject *)type, (PyTypeObject *)state->Error) &&
        set_attributes(state, exception, err) < 0) {
        goto done;
    }
    PyErr_SetObject(type, exception);
done:
    Py_XDECREF(message);
    Py_XDECREF(exception);
    return NULL;
}

PyObject *
py_raise_format(py_state *state, ss_code code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    PyErr_FormatV(py_raise_class(state, code), fmt, args);
    va_end(args);
    return NULL;
}

static PyObject *
raise_nearest(PyObject *type, const char *best, const char *fmt, va_list args)
{
    PyObject *message = PyUnicode_FromFormatV(fmt, args);

    if (message != NULL && best != NULL) {
        Py_SETREF(message,
                  PyUnicode_FromFormat("%U; did you mean '%s'?", message, best));
    }
    if (message != NULL) {
        PyErr_SetObject(type, message);
        Py_DECREF(message);
    }
    return NULL;
}

PyObject *
py_raise_nearest(PyObject *type, const ss_nearest *search, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    raise_nearest(type, search->best, fmt, args);
    va_end(args);
    return NULL;
}

/* Offer every name; one that cannot be UTF-8 cannot be meant. */
static int
offer_names(ss_nearest *search, PyObject *names)
{
    PyObject *fast = PySequence_Fast(names, "names: expected a tuple or a dict");

    if (fast == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); i++) {
        const char *name = PyUnicode_AsUTF8(PySequence_Fast_GET_ITEM(fast, i));
        if (name != NULL) {
            ss_nearest_offer(search, name);
        }
        else {
            PyErr_Clear();
        }
    }
    /* What the search points to belongs to the str objects, which `names` keeps. */
    Py_DECREF(fast);
    return 0;
}

PyObject *
py_raise_nearest_of(PyObject *type, PyObject *given, PyObject *names, const char *fmt,
                    ...)
{
    ss_nearest search = {.best = NULL};
    Py_ssize_t n = 0;
    const char *text = NULL;

    if (PyUnicode_Check(given)) {
        text = PyUnicode_AsUTF8AndSize(given, &n);
        if (text == NULL) {
            PyErr_Clear();
        }
    }
    if (text != NULL) {
        ss_nearest_init(&search, text, (size_t)n);
        if (offer_names(&search, names) < 0) {
            return NULL;
        }
    }
    va_list args;
    va_start(args, fmt);
    raise_nearest(type, search.best, fmt, args);
    va_end(args);
    return NULL;
}

int
py_raise_setup(py_state *state)
{
    PyObject *const names[] = {
        state->str_sqlite_errorcode,
        state->str_sqlite_errorname,
        state->str_table,
        state->str_column,
        state->str_row,
        state->str_value,
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (PyObject_SetAttr(state->Error, names[i], Py_None) < 0) {
            return -1;
        }
    }
    return 0;
}
