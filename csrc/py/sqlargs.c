#include "py/sqlargs.h"

#include "base/mem.h"
#include "py/raise.h"
#include "py/value.h"

#include <string.h> // strlen()

static int
room(py_sqlargs *a, Py_ssize_t n)
{
    /* SQLite's own limit is 250,000; the messages count in int. */
    if (n > 1000000) {
        PyErr_Format(PyExc_ValueError, "params: %zd values are too many", n);
        return -1;
    }
    a->params = ss_calloc((size_t)n + 1, sizeof(*a->params));
    a->keep = ss_calloc((size_t)(3 * n) + 1, sizeof(*a->keep));
    if (a->params == NULL || a->keep == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static bool
is_basic(PyObject *value)
{
    return value == Py_None || PyUnicode_CheckExact(value) ||
           PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
           PyBytes_CheckExact(value);
}

static int
add_param(py_sqlargs *a, py_state *state, const char *name, const char *what,
          PyObject *value)
{
    ss_param *param = &a->params[a->request.n_params];
    PyObject *keep = NULL;
    if (a->adapt != NULL && !is_basic(value)) {
        value = PyObject_CallOneArg(a->adapt, value);
        if (value == NULL) {
            return -1;
        }
        a->keep[a->n_keep++] = value; /* three places are there for each parameter */
    }
    if (py_value_from_object(state, value, SS_KIND_ANY, what, &param->value, &keep) <
        0) {
        return -1;
    }
    param->name = name;
    a->request.n_params++;
    a->keep[a->n_keep++] = keep;
    return 0;
}

static int
add_sequence(py_sqlargs *a, py_state *state, PyObject *params)
{
    /* A copy: converting a value may run code that changes the caller's list. */
    PyObject *fast = PySequence_Tuple(params);
    if (fast == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "params: expected a sequence or a mapping of values, got %s",
                         Py_TYPE(params)->tp_name);
        }
        return -1;
    }
    int rc = room(a, PyTuple_GET_SIZE(fast));
    for (Py_ssize_t i = 0; rc == 0 && i < PyTuple_GET_SIZE(fast); i++) {
        char what[40];
        PyOS_snprintf(what, sizeof(what), "params[%zd]", i);
        rc = add_param(a, state, NULL, what, PyTuple_GET_ITEM(fast, i));
    }
    Py_DECREF(fast);
    return rc;
}

static int
add_item(py_sqlargs *a, py_state *state, PyObject *item)
{
    PyObject *name = PyTuple_GET_ITEM(item, 0);
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "params: expected names as str, got %s",
                     Py_TYPE(name)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    if (text == NULL) {
        return -1;
    }
    if (strlen(text) != (size_t)n) {
        PyErr_Format(PyExc_ValueError, "params: the name %R has a NUL in it", name);
        return -1;
    }
    a->keep[a->n_keep++] = Py_NewRef(name);
    return add_param(a, state, text, text, PyTuple_GET_ITEM(item, 1));
}

static int
add_mapping(py_sqlargs *a, py_state *state, PyObject *params)
{
    PyObject *items = PyMapping_Items(params);
    if (items == NULL) {
        return -1;
    }
    int rc = room(a, PyList_GET_SIZE(items));
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
            PyErr_SetString(PyExc_TypeError,
                            "params: items() gave no (name, value) pairs");
            rc = -1;
            break;
        }
        rc = add_item(a, state, item);
    }
    Py_DECREF(items);
    return rc;
}

/* A tuple or list is one, a mapping has keys(), a str is a sequence nobody means. */
static int
add_params(py_sqlargs *a, py_state *state, PyObject *params)
{
    if (params == NULL || params == Py_None) {
        return room(a, 0);
    }
    if (PyUnicode_Check(params) || PyBytes_Check(params)) {
        PyErr_Format(
            PyExc_TypeError,
            "params: expected a sequence of values, got %s; for one value write "
            "(value,)",
            Py_TYPE(params)->tp_name);
        return -1;
    }
    if (PyTuple_Check(params) || PyList_Check(params)) { /* a row has keys(), too */
        return add_sequence(a, state, params);
    }
    if (PyDict_Check(params) || PyObject_HasAttrString(params, "keys")) {
        return add_mapping(a, state, params);
    }
    return add_sequence(a, state, params);
}

static int
parse(py_sqlargs *a, py_database *db, PyObject *sql, PyObject *params,
      PyObject *timeout)
{
    Py_ssize_t n;
    if (!PyUnicode_Check(sql)) {
        PyErr_Format(PyExc_TypeError, "sql: expected str, got %s",
                     Py_TYPE(sql)->tp_name);
        return -1;
    }
    a->request.sql = PyUnicode_AsUTF8AndSize(sql, &n);
    if (a->request.sql == NULL) {
        return -1;
    }
    a->request.n_sql = (size_t)n;
    a->sql = Py_NewRef(sql);
    if (add_params(a, db->state, params) < 0) {
        return -1;
    }
    a->request.params = a->params;
    return py_call_init(db, &a->call, timeout);
}

int
py_sqlargs_parse(py_sqlargs *a, py_database *db, PyObject *sql, PyObject *params,
                 PyObject *timeout)
{
    *a = (py_sqlargs){.request = {.strict = ss_db_get_options(db->db)->strict}};
    return parse(a, db, sql, params, timeout);
}

int
py_sqlargs_parse_adapted(py_sqlargs *a, py_database *db, PyObject *sql,
                         PyObject *params, PyObject *adapt)
{
    *a = (py_sqlargs){.request = {.raw = true}};
    a->adapt = adapt != Py_None ? Py_XNewRef(adapt) : NULL;
    return parse(a, db, sql, params, NULL);
}

void
py_sqlargs_clear(py_sqlargs *a)
{
    for (int i = 0; i < a->n_keep; i++) {
        Py_XDECREF(a->keep[i]);
    }
    ss_free(a->keep);
    ss_free(a->params);
    Py_XDECREF(a->sql);
    Py_XDECREF(a->adapt);
}

int
py_sqlargs_reads(py_sqlargs *a, py_database *db, bool *out)
{
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_reads(db->db, &a->call.call, &a->request, out, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(db->state, &err);
        return -1;
    }
    return 0;
}

ss_batch *
py_sqlargs_query(py_sqlargs *a, py_database *db)
{
    ss_batch *batch = NULL;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_query(db->db, &a->call.call, &a->request, &batch, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(db->state, &err);
        return NULL;
    }
    return batch;
}

int
py_sqlargs_execute(py_sqlargs *a, py_database *db, ss_batch **batch,
                   ss_outcome *outcome)
{
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_execute(db->db, &a->call.call, &a->request, batch, outcome, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(db->state, &err);
        return -1;
    }
    return 0;
}
