/* py/request: what a caller asks of a table, from Python arguments to db/read's request.
 *
 * Everything is converted before a connection is leased: no Python code runs while one
 * is held. The converted text is borrowed from objects that the request keeps.
 */
#ifndef SS_PY_REQUEST_H
#define SS_PY_REQUEST_H

#include "db/read.h"
#include "py/args.h"
#include "py/handle.h"

/* Cells by column, each column once: filters, changes, rows to add. */
typedef struct {
    py_state *state;            /* borrowed */
    const ss_table_desc *table; /* borrowed */
    const char *function;       /* for messages */
    int n;
    ss_filter cells[SS_MAX_COLUMNS];
    PyObject *keep[SS_MAX_COLUMNS]; /* owned, or NULL */
} py_filters;

void py_filters_init(py_filters *cells, py_state *state, int table,
                     const char *function);
void py_filters_clear(py_filters *cells);
/* name = value, as keyword or mapping item. TypeError names the nearest column (and
 * `also`, other words that are allowed there; NULL-terminated or NULL). */
int py_filters_add(py_filters *cells, PyObject *name, PyObject *value,
                   const char *const *also) SS_MUST_CHECK;
int py_filters_add_column(py_filters *cells, int16_t column, PyObject *value)
    SS_MUST_CHECK;
/* Every item of a mapping. */
int py_filters_add_mapping(py_filters *cells, PyObject *mapping) SS_MUST_CHECK;
/* The columns a record was given. */
int py_filters_add_record(py_filters *cells, PyObject *record) SS_MUST_CHECK;
bool py_filters_has(const py_filters *cells, int16_t column);
/* For py_args_parse: the rest are column names. `arg` is the py_filters. */
int py_filters_rest(void *arg, PyObject *name, PyObject *value);

/* The column of that name, or -1 with TypeError (naming the nearest). */
int py_column_index(const ss_table_desc *table, PyObject *name, const char *function,
                    const char *const *also);

typedef struct {
    ss_request request; /* points into the rest */
    py_filters filters;
    int16_t columns[SS_MAX_COLUMNS];
    ss_order_desc order[SS_MAX_COLUMNS];
    PyObject *keep_period; /* owned, or NULL */
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

/* Run it: Rows, or for a getter of shape "one" a record or None. New reference. */
PyObject *py_request_read(py_request *r, py_database *db);

#endif
