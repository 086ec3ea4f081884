/* py/raise: a failure below becomes a Python exception, here and nowhere else.
 *
 * Every function returns NULL (or -1 where it says so) with the exception set, so that
 * callers can `return py_raise(state, &err)`.
 */
#ifndef SS_PY_RAISE_H
#define SS_PY_RAISE_H

#include "py/state.h"

#include "base/error.h"
#include "base/nearest.h"

/* The exception of err->code with err's message, SQLite's code and the cell it was
 * about as attributes.  SS_SIGNAL: the exception that is already set stays. */
PyObject *py_raise(py_state *state, const ss_error *err);

/* The exception class of a code. Borrowed. */
PyObject *py_raise_class(py_state *state, ss_code code);

/* The exception of `code`, message as PyErr_Format makes it. */
PyObject *py_raise_format(py_state *state, ss_code code, const char *fmt, ...);

/* `type` with the message, and "; did you mean 'x'?" when the search found a name
 * that is near enough. */
PyObject *py_raise_nearest(PyObject *type, const ss_nearest *search, const char *fmt,
                           ...);
/* The same where the valid names are the str of a tuple or the keys of a dict. */
PyObject *py_raise_nearest_of(PyObject *type, PyObject *given, PyObject *names,
                              const char *fmt, ...);

/* For py/module: give Error its attributes, all None. */
int py_raise_setup(py_state *state) SS_MUST_CHECK;

#endif
