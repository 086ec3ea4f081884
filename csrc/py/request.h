/* py/request: what a caller asks of a table, from Python arguments to db/read's request.
 *
 * Everything is converted before a connection is leased: no Python code runs while one
 * is held. The converted text is borrowed from objects that the request keeps.
 */
#ifndef SS_PY_REQUEST_H
#define SS_PY_REQUEST_H

#include "db/read.h"
#include "py/args.h"
#include "py/cells.h"
#include "py/handle.h"

typedef struct {
    ss_request request; /* points into the rest */
    py_cells filters;
    int16_t columns[SS_MAX_COLUMNS];
    ss_order_desc order[SS_MAX_COLUMNS];
    PyObject *keep_period; /* owned, or NULL */
    PyObject *keep_after;  /* likewise */
    py_call call;
} py_request;

/* Arguments of get_<table>() and select(), in this order; see py_request_names. */
enum {
    PY_REQUEST_DATE,
    PY_REQUEST_START,
    PY_REQUEST_END,
    PY_REQUEST_PERIOD,
    PY_REQUEST_AS_OF,
    PY_REQUEST_LIMIT,
    PY_REQUEST_OFFSET,
    PY_REQUEST_AFTER,
    PY_REQUEST_ORDER_BY,
    PY_REQUEST_COLUMNS,
    PY_REQUEST_STRICT,
    PY_REQUEST_TIMEOUT,
    PY_REQUEST_N
};
extern const char *const py_request_names[];

/* Build a request from a call's arguments; py_request_clear in every case after. */
int py_request_parse(py_request *r, py_database *db, int table, bool by_shape,
                     const py_signature *signature, PyObject *const *args,
                     Py_ssize_t nargsf, PyObject *kwnames) SS_MUST_CHECK;
void py_request_clear(py_request *r);

/* An argument that is a str or not given; `what` says what was expected. *keep, a new
 * reference, is what the text lives in. */
#define PY_PERIOD_WANTED "period: expected str such as '30d'"
int py_request_text(PyObject *obj, const char *what, const char **text, size_t *n,
                    PyObject **keep) SS_MUST_CHECK;
/* A str or a sequence of str, as a new fast sequence. */
PyObject *py_request_names_of(PyObject *obj, const char *what);

/* Run it: Rows, or for a getter of shape "one" a record or None. New reference. */
PyObject *py_request_read(py_request *r, py_database *db);
/* How many rows match, as an int. New reference. */
PyObject *py_request_count(py_request *r, py_database *db);

#endif
