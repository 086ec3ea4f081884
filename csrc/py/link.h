/* py/link: the base of smartshopie_db.dbapi.Connection: a database that is one
 * connection, and what its cursors need to know of it. What PEP 249 and the standard
 * module say about connections is written in Python, over this.
 */
#ifndef SS_PY_LINK_H
#define SS_PY_LINK_H

#include "db/link.h"
#include "py/handle.h"

typedef struct {
    PyObject_HEAD
    py_state *state;        /* borrowed */
    py_database *db;        /* owned; NULL before __init__ */
    PyObject *row_factory;  /* owned, may be NULL: for cursors made from here on */
    PyObject *text_factory; /* owned, may be NULL: str */
    PyObject *adapt;        /* owned, may be NULL: a parameter to what can be stored */
    PyObject *convert;      /* owned, may be NULL: (name, declared type) of the columns
                             * to (names, converters) */
    PyObject *weakrefs;
    int begin;            /* ss_begin */
    unsigned long thread; /* the only one that may use it, or 0 */
    int64_t total;        /* rows changed since it was opened */
    bool closed;
} py_link;

/* What one statement gave. All owned. */
typedef struct {
    ss_batch *batch;      /* NULL when there was no statement */
    PyObject *names;      /* tuple of str, or NULL: the batch's own */
    PyObject *converters; /* tuple of callables and None, or NULL */
    ss_link_outcome outcome;
} py_link_result;

/* ProgrammingError when it is closed, or this is the wrong thread. 0 or -1. */
int py_link_allowed(py_link *self) SS_MUST_CHECK;

/* Run one statement; `many`: it must be one that changes rows. */
int py_link_execute(py_link *self, PyObject *sql, PyObject *params, bool many,
                    py_link_result *result) SS_MUST_CHECK;
int py_link_script(py_link *self, PyObject *sql) SS_MUST_CHECK;

#endif
