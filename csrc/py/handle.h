/* py/handle: the SmartShopieDB object as the rooms around it see it, and how one of its
 * calls is made: what stops it, and who looks for signals meanwhile.
 */
#ifndef SS_PY_HANDLE_H
#define SS_PY_HANDLE_H

#include "py/state.h"

#include "db/db.h"

typedef struct py_cache py_cache;

/* The text of db.version that was made last, see py/version. Guarded by the GIL. */
typedef struct {
    ss_stamp stamp; /* the state it names */
    PyObject *text; /* owned; NULL: none */
} py_version;

typedef struct py_database {
    PyObject_HEAD
    py_state *state;  /* borrowed from the module */
    PyObject *module; /* owned: a collection may clear the type's own way to it before
                       * this object goes, and the list of databases is in its state */
    ss_db *db;        /* owned */
    py_cache *cache;  /* owned; NULL: off */
    PyObject *path;   /* owned str: db_path as it was given */
    py_version version;
    PyObject *weakrefs;
    int signals; /* signal handlers running in the middle of a call of this db */
    bool made;   /* by tp_new or __init__, from arguments; see py/database */
    /* Among all of this module's databases (py/lifetime). Guarded by the GIL. */
    struct py_database *previous, *next;
} py_database;

/* One call. Lives on the stack while the GIL is away. */
typedef struct {
    ss_call call;
    PyThreadState *thread; /* borrowed: the calling thread's */
    py_database *db;       /* borrowed */
} py_call;

/* ProgrammingError in a signal handler that interrupted a call of this db: that one must
 * end first. 0 or -1. */
int py_call_allowed(py_database *self) SS_MUST_CHECK;

/* Prepare a call by this thread. `timeout`: seconds, NULL or None for the db's own.
 * 0, or -1 with TypeError or ValueError. */
int py_call_init(py_database *self, py_call *call, PyObject *timeout) SS_MUST_CHECK;

/* Seconds as milliseconds for `what`, from a number >= 0; None gives `none`. */
int py_call_seconds(PyObject *obj, const char *what, int64_t none, int64_t *out)
    SS_MUST_CHECK;

static inline bool
py_database_check(py_state *state, PyObject *obj)
{
    return PyObject_TypeCheck(obj, state->database_type);
}

#endif
