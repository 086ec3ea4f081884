/* py/sqlargs: a statement and its parameters, from Python to db/free's request. */
#ifndef SS_PY_SQLARGS_H
#define SS_PY_SQLARGS_H

#include "db/free.h"
#include "py/handle.h"

typedef struct {
    ss_free_request request; /* points into the rest */
    ss_param *params;        /* owned */
    PyObject **keep;         /* owned array of owned references, n_keep of them */
    int n_keep;
    PyObject *sql;   /* owned */
    PyObject *adapt; /* owned: see below; or NULL */
    py_call call;
} py_sqlargs;

/* `params`: NULL, None, a sequence (by position) or a mapping (by name). Clear in every
 * case after. */
int py_sqlargs_parse(py_sqlargs *a, py_database *db, PyObject *sql, PyObject *params,
                     PyObject *timeout) SS_MUST_CHECK;
/* The same for a statement with the words of the standard module: `adapt` (NULL or None:
 * nothing) is called with each value that is not of a basic type, and gives what to store;
 * a row is a sequence. */
int py_sqlargs_parse_adapted(py_sqlargs *a, py_database *db, PyObject *sql,
                             PyObject *params, PyObject *adapt) SS_MUST_CHECK;
void py_sqlargs_clear(py_sqlargs *a);

/* Does the statement only read? */
int py_sqlargs_reads(py_sqlargs *a, py_database *db, bool *out) SS_MUST_CHECK;
/* Run a statement that only reads. A new reference to the batch, or NULL. */
ss_batch *py_sqlargs_query(py_sqlargs *a, py_database *db);
/* Run any statement; *batch (may be NULL) gets its rows. */
int py_sqlargs_execute(py_sqlargs *a, py_database *db, ss_batch **batch,
                       ss_outcome *outcome) SS_MUST_CHECK;

#endif
