/* py/args: arguments of vectorcall functions, by a small constant table.
 *
 * A table lists the parameters in order, the positional ones first. What is no
 * parameter is an error that names the nearest one, unless the caller takes the rest
 * itself (column names as keywords).
 */
#ifndef SS_PY_ARGS_H
#define SS_PY_ARGS_H

#include "py/state.h"

typedef struct {
    const char *function;     /* "query", for messages */
    const char *const *names; /* NULL-terminated */
    int n_positional;         /* how many of them may be given by position */
    int n_required;           /* how many, from the first, must be given */
} py_signature;

/* A keyword that is no parameter: 0 when it was taken, -1 with an exception. */
typedef int (*py_args_rest)(void *arg, PyObject *name, PyObject *value);

/* out[i]: the argument of names[i], borrowed, or NULL. `rest` may be NULL. */
int py_args_parse(const py_signature *signature, PyObject *const *args,
                  Py_ssize_t nargsf, PyObject *kwnames, PyObject **out,
                  py_args_rest rest, void *arg) SS_MUST_CHECK;

/* An int argument for `what` in [low, high]; NULL or None gives `none`. */
int py_args_int(PyObject *obj, const char *what, int64_t low, int64_t high,
                int64_t none, int64_t *out) SS_MUST_CHECK;
/* One of the words (NULL-terminated); NULL gives 0. */
int py_args_word(PyObject *obj, const char *what, const char *const *words, int *out)
    SS_MUST_CHECK;
/* A bool; NULL or None gives `none`. Anything but True and False is TypeError. */
int py_args_bool(PyObject *obj, const char *what, bool none, bool *out) SS_MUST_CHECK;

#endif
