#include "py/request.h"

#include "py/raise.h"
#include "py/record.h"
#include "py/rows.h"
#include "py/value.h"

#include <string.h> // strlen(), memcmp()

/* --- requests --------------------------------------------------------------------------- */

const char *const py_request_names[] = {
    "date",  "start",    "end",     "period", "as_of",   "limit", "offset",
    "after", "order_by", "columns", "strict", "timeout", NULL,
};

static int
parse_moment(py_request *r, PyObject *obj, const char *what, bool day, ss_value *out)
{
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    /* A text of ten characters is a day, a longer one an instant. */
    bool instant = !day && (PyUnicode_Check(obj) ? PyUnicode_GetLength(obj) > 10
                                                 : PyObject_HasAttrString(obj, "hour"));
    PyObject *keep = NULL;
    int rc = py_value_from_object(r->filters.state, obj,
                                  instant ? SS_KIND_TIMESTAMP : SS_KIND_DATE, what, out,
                                  &keep);
    Py_XDECREF(keep); /* days and instants borrow nothing */
    return rc;
}

int
py_request_text(PyObject *obj, const char *what, const char **text, size_t *n,
                PyObject **keep)
{
    Py_ssize_t size;
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s, got %s", what, Py_TYPE(obj)->tp_name);
        return -1;
    }
    *text = PyUnicode_AsUTF8AndSize(obj, &size);
    *n = (size_t)size;
    *keep = Py_NewRef(obj);
    return *text != NULL ? 0 : -1;
}

/* "column", "-column", "column desc", "column asc". */
static int
parse_order_word(py_request *r, PyObject *word)
{
    const ss_table_desc *table = r->filters.table;
    const char *function = r->filters.function;
    if (!PyUnicode_Check(word)) {
        PyErr_Format(PyExc_TypeError, "order_by: expected column names, got %s",
                     Py_TYPE(word)->tp_name);
        return -1;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(word, &length);
    if (text == NULL) {
        return -1;
    }
    size_t n = (size_t)length;
    bool descending = n > 0 && text[0] == '-';
    text += descending;
    n -= descending;
    const char *space = memchr(text, ' ', n);
    if (space != NULL && !descending) {
        size_t tail = n - (size_t)(space - text);
        descending = tail == 5 && PyOS_strnicmp(space, " desc", 5) == 0;
        if (descending || (tail == 4 && PyOS_strnicmp(space, " asc", 4) == 0)) {
            n = (size_t)(space - text);
        }
    }
    int column = ss_catalog_column(table, text, n);
    if (column < 0) {
        return py_cells_no_column(table, text, n, function, NULL);
    }
    if (r->request.n_order == SS_MAX_COLUMNS) {
        PyErr_Format(PyExc_ValueError, "order_by: at most %d columns", SS_MAX_COLUMNS);
        return -1;
    }
    r->order[r->request.n_order].column = (int16_t)column;
    r->order[r->request.n_order++].descending = descending;
    return 0;
}

PyObject *
py_request_names_of(PyObject *obj, const char *what)
{
    if (PyUnicode_Check(obj)) {
        return PyTuple_Pack(1, obj);
    }
    PyObject *names = PySequence_Fast(obj, "");
    if (names == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%s: expected column names, got %s", what,
                     Py_TYPE(obj)->tp_name);
    }
    return names;
}

static int
parse_order(py_request *r, PyObject *obj)
{
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    PyObject *words = py_request_names_of(obj, "order_by");
    if (words == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(words); i++) {
        rc = parse_order_word(r, PySequence_Fast_GET_ITEM(words, i));
    }
    Py_DECREF(words);
    r->request.order = r->order;
    return rc;
}

static int
parse_column_name(py_request *r, PyObject *name)
{
    int column = py_column_index(r->filters.table, name, r->filters.function, NULL);
    if (column < 0) {
        return -1;
    }
    for (int i = 0; i < r->request.n_columns; i++) {
        if (r->columns[i] == column) {
            PyErr_Format(PyExc_ValueError, "columns: %R is named twice", name);
            return -1;
        }
    }
    r->columns[r->request.n_columns++] = (int16_t)column;
    return 0;
}

static int
parse_columns(py_request *r, PyObject *obj)
{
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    PyObject *names = py_request_names_of(obj, "columns");
    if (names == NULL) {
        return -1;
    }
    int rc = 0;
    if (PySequence_Fast_GET_SIZE(names) == 0) {
        PyErr_SetString(PyExc_ValueError, "columns: name at least one column");
        rc = -1;
    }
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(names); i++) {
        rc = parse_column_name(r, PySequence_Fast_GET_ITEM(names, i));
    }
    Py_DECREF(names);
    r->request.columns = r->columns;
    return rc;
}

static int
fill(py_request *r, py_database *db, PyObject **args)
{
    ss_request *q = &r->request;
    bool strict = ss_db_get_options(db->db)->strict;
    if (parse_moment(r, args[PY_REQUEST_DATE], "date", true, &q->date) < 0 ||
        parse_moment(r, args[PY_REQUEST_START], "start", false, &q->start) < 0 ||
        parse_moment(r, args[PY_REQUEST_END], "end", false, &q->end) < 0 ||
        parse_moment(r, args[PY_REQUEST_AS_OF], "as_of", false, &q->as_of) < 0 ||
        py_request_text(args[PY_REQUEST_PERIOD], PY_PERIOD_WANTED, &r->request.period,
                        &r->request.n_period, &r->keep_period) < 0 ||
        py_request_text(args[PY_REQUEST_AFTER],
                        "after: expected str, the next_token of the page before",
                        &r->request.after, &r->request.n_after, &r->keep_after) < 0 ||
        parse_order(r, args[PY_REQUEST_ORDER_BY]) < 0 ||
        parse_columns(r, args[PY_REQUEST_COLUMNS]) < 0 ||
        py_args_int(args[PY_REQUEST_LIMIT], "limit", 0, INT64_MAX, -1, &q->limit) < 0 ||
        py_args_int(args[PY_REQUEST_OFFSET], "offset", 0, INT64_MAX, 0, &q->offset) <
            0 ||
        py_args_bool(args[PY_REQUEST_STRICT], "strict", strict, &q->strict) < 0) {
        return -1;
    }
    return py_call_init(db, &r->call, args[PY_REQUEST_TIMEOUT]);
}

typedef struct {
    py_request *request;
    const py_signature *signature;
} rest_arg;

static int
rest_is_filter(void *arg, PyObject *name, PyObject *value)
{
    rest_arg *rest = arg;
    return py_cells_add(&rest->request->filters, name, value, rest->signature->names);
}

/* Spread the arguments of a signature, which may list fewer, over PY_REQUEST_*. */
static void
spread(const py_signature *signature, PyObject **given, PyObject **args)
{
    for (int i = 0; i < PY_REQUEST_N; i++) {
        args[i] = NULL;
    }
    for (int i = 0; signature->names[i] != NULL; i++) {
        for (int j = 0; given[i] != NULL && j < PY_REQUEST_N; j++) {
            if (strcmp(signature->names[i], py_request_names[j]) == 0) {
                args[j] = given[i];
            }
        }
    }
}

int
py_request_parse(py_request *r, py_database *db, int table, bool by_shape,
                 const py_signature *signature, PyObject *const *args,
                 Py_ssize_t nargsf, PyObject *kwnames)
{
    PyObject *given[PY_REQUEST_N + 1], *all[PY_REQUEST_N];
    rest_arg rest = {r, signature};
    bool only_one = by_shape && ss_tables[table].shape == SS_SHAPE_ONE;
    r->request = ss_request_for(table, by_shape);
    r->request.paged = true;
    r->keep_period = r->keep_after = NULL;
    py_cells_init(&r->filters, db->state, table, signature->function);
    if (py_args_parse(signature, args, nargsf, kwnames, given,
                      only_one ? NULL : rest_is_filter, &rest) < 0) {
        return -1;
    }
    spread(signature, given, all);
    if (fill(r, db, all) < 0) {
        return -1;
    }
    r->request.filters = r->filters.cells;
    r->request.n_filters = r->filters.n;
    return 0;
}

void
py_request_clear(py_request *r)
{
    py_cells_clear(&r->filters);
    Py_CLEAR(r->keep_period);
    Py_CLEAR(r->keep_after);
}

static PyObject *
one_record(py_state *state, ss_batch *batch)
{
    PyObject *record =
        batch->n_rows == 0 ? Py_NewRef(Py_None) : py_record_new(state, batch, 0, NULL);
    ss_batch_release(batch);
    return record;
}

PyObject *
py_request_read(py_request *r, py_database *db)
{
    ss_batch *batch = NULL;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_read(db->db, &r->call.call, &r->request, &batch, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(db->state, &err);
    }
    if (r->request.getter && r->filters.table->shape == SS_SHAPE_ONE) {
        return one_record(db->state, batch);
    }
    return py_rows_new(db->state, batch);
}

PyObject *
py_request_count(py_request *r, py_database *db)
{
    ss_error err;
    ss_status status;
    int64_t n = 0;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_count(db->db, &r->call.call, &r->request, &n, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? PyLong_FromLongLong(n) : py_raise(db->state, &err);
}
