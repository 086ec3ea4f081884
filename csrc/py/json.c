/* py/json: one pass over dicts, lists and plain values into a buffer, with the GIL.
 *
 * Rows and records write themselves (py/export), so no object is made of their cells. What
 * is not known here is handed to the caller's function. That may run any code, so what is
 * being looked at is held meanwhile, and a list is asked for its length at each step.
 */
#include "py/json.h"

#include "base/buf.h"
#include "base/digits.h"
#include "base/real.h"
#include "formats/json_text.h"
#include "py/args.h"

#include <math.h> // isfinite()

typedef struct {
    py_state *state;   /* borrowed */
    PyObject *instead; /* borrowed: called with what is not known; NULL: none */
    PyObject *redact;  /* borrowed: as Rows.to_json() takes it */
    ss_buf out;
} writer;

static int write_value(writer *w, PyObject *value);

static int
put(writer *w, const char *s, size_t n)
{
    ss_buf_add(&w->out, s, n);
    return 0;
}

static int
put_string(writer *w, const char *s, size_t n)
{
    size_t specials = ss_json_text_specials(s, n, false);

    char *to = ss_buf_room(&w->out, n + specials * (SS_JSON_ESCAPE - 1) + 2);
    if (to != NULL) {
        *to++ = '"';
        to = ss_json_text_put(s, n, false, to);
        *to++ = '"';
        ss_buf_wrote(&w->out, to);
    }
    return 0;
}

/* Surrogates, which UTF-8 does not have, become question marks. */
static int
write_text(writer *w, PyObject *text)
{
    Py_ssize_t n;
    const char *s = PyUnicode_AsUTF8AndSize(text, &n);

    if (s != NULL) {
        return put_string(w, s, (size_t)n);
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return -1;
    }
    PyErr_Clear();
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    if (bytes == NULL) {
        return -1;
    }
    put_string(w, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return 0;
}

static int
write_int(writer *w, PyObject *value)
{
    int overflow;
    long long i = PyLong_AsLongLongAndOverflow(value, &overflow);
    char text[SS_INT_TEXT];

    if (overflow == 0) {
        return put(w, text, (size_t)(ss_digits_int(i, text) - text));
    }
    PyObject *digits = PyLong_Type.tp_repr(value); /* of a subclass, too */
    if (digits == NULL) {
        return -1;
    }
    Py_ssize_t n;
    const char *s = PyUnicode_AsUTF8AndSize(digits, &n);
    int rc = s != NULL ? put(w, s, (size_t)n) : -1;
    Py_DECREF(digits);
    return rc;
}

static int
write_float(writer *w, PyObject *value)
{
    double x = PyFloat_AS_DOUBLE(value);
    char text[SS_REAL_TEXT];

    return isfinite(x) ? put(w, text, (size_t)(ss_real_put(x, text) - text))
                       : put(w, "null", 4);
}

/* ---- dates, rows, others ---- */

/* The answer of a method without arguments, a str. */
static int
write_method(writer *w, PyObject *value, PyObject *name)
{
    PyObject *text = PyObject_CallMethodNoArgs(value, name);
    int rc = -1;

    if (text != NULL && PyUnicode_Check(text)) {
        rc = write_text(w, text);
    }
    else if (text != NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s.%U() gave no str",
                     Py_TYPE(value)->tp_name, name);
    }
    Py_XDECREF(text);
    return rc;
}

static int
write_date(writer *w, PyObject *value)
{
    char text[12], *to = text;

    if (!Py_IS_TYPE(value, w->state->datetime->DateType)) { /* an instant is one, too */
        return write_method(w, value, w->state->str_isoformat);
    }
    *to++ = '"';
    to = ss_digits_fixed((uint64_t)PyDateTime_GET_YEAR(value), 4, to);
    *to++ = '-';
    to = ss_digits_two((uint32_t)PyDateTime_GET_MONTH(value), to);
    *to++ = '-';
    to = ss_digits_two((uint32_t)PyDateTime_GET_DAY(value), to);
    *to++ = '"';
    return put(w, text, (size_t)(to - text));
}

static int
write_rows(writer *w, PyObject *value)
{
    PyObject *args[] = {value, w->redact};
    PyObject *names = PyTuple_Pack(1, w->state->str_redact);
    PyObject *bytes = NULL;
    int rc = -1;

    if (names != NULL) {
        bytes = PyObject_VectorcallMethod(w->state->str_to_json, args, 1, names);
    }
    if (bytes != NULL && PyBytes_Check(bytes)) {
        rc = put(w, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    }
    else if (bytes != NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s.to_json() gave no bytes",
                     Py_TYPE(value)->tp_name);
    }
    Py_XDECREF(names);
    Py_XDECREF(bytes);
    return rc;
}

static int
write_other(writer *w, PyObject *value)
{
    py_state *state = w->state;

    if (PyObject_TypeCheck(value, state->datetime->DateType)) {
        return write_date(w, value);
    }
    if (PyObject_TypeCheck(value, state->rows_type) ||
        PyObject_TypeCheck(value, state->record_type)) {
        return write_rows(w, value);
    }
    if (w->instead == NULL) {
        PyErr_Format(PyExc_TypeError, "there is no JSON for %.200s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *instead = PyObject_CallOneArg(w->instead, value);
    int rc = instead != NULL ? write_value(w, instead) : -1;
    Py_XDECREF(instead);
    return rc;
}

/* ---- lists and dicts ---- */

static int
write_items(writer *w, PyObject *items) /* a list or a tuple */
{
    put(w, "[", 1);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(items, i));
        if (i > 0) {
            put(w, ",", 1);
        }
        int rc = write_value(w, item);
        Py_DECREF(item);
        if (rc < 0) {
            return -1;
        }
    }
    return put(w, "]", 1);
}

/* Numbers, booleans and None are keys by their text. */
static int
write_key(writer *w, PyObject *key)
{
    if (PyUnicode_Check(key)) {
        return write_text(w, key);
    }
    if (key != Py_None && !PyLong_Check(key) && !PyFloat_Check(key)) {
        PyErr_Format(PyExc_TypeError,
                     "keys of JSON are str, int, float, bool or None, not %.200s",
                     Py_TYPE(key)->tp_name);
        return -1;
    }
    put(w, "\"", 1);
    if (write_value(w, key) < 0) {
        return -1;
    }
    return put(w, "\"", 1);
}

static int
write_pair(writer *w, PyObject *key, PyObject *value, bool first)
{
    if (!first) {
        put(w, ",", 1);
    }
    if (write_key(w, key) < 0) {
        return -1;
    }
    put(w, ":", 1);
    return write_value(w, value);
}

static int
write_dict(writer *w, PyObject *dict)
{
    Py_ssize_t at = 0, n = PyDict_GET_SIZE(dict);
    PyObject *key, *value;
    int rc = 0;

    put(w, "{", 1);
    for (bool first = true; rc == 0 && PyDict_Next(dict, &at, &key, &value);
         first = false) {
        Py_INCREF(key);
        Py_INCREF(value);
        rc = write_pair(w, key, value, first);
        Py_DECREF(key);
        Py_DECREF(value);
        if (rc == 0 && PyDict_GET_SIZE(dict) != n) {
            PyErr_SetString(PyExc_RuntimeError,
                            "dictionary changed size while written");
            rc = -1;
        }
    }
    return rc < 0 ? -1 : put(w, "}", 1);
}

/* A subclass of dict says itself what it holds, and in which order: an OrderedDict keeps
 * its own. */
static int
write_mapping(writer *w, PyObject *mapping)
{
    PyObject *items = PyMapping_Items(mapping); /* a list that nobody else has */
    int rc = items != NULL ? 0 : -1;

    put(w, "{", 1);
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2) {
            rc = write_pair(w, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1),
                            i == 0);
        }
        else {
            PyErr_Format(PyExc_TypeError, "%.200s.items() gave no pairs",
                         Py_TYPE(mapping)->tp_name);
            rc = -1;
        }
    }
    Py_XDECREF(items);
    return rc < 0 ? -1 : put(w, "}", 1);
}

static int
write_inner(writer *w, PyObject *value)
{
    if (Py_EnterRecursiveCall(" while writing JSON") != 0) {
        return -1;
    }
    int rc = PyDict_CheckExact(value)                      ? write_dict(w, value)
             : PyDict_Check(value)                         ? write_mapping(w, value)
             : PyList_Check(value) || PyTuple_Check(value) ? write_items(w, value)
                                                           : write_other(w, value);
    Py_LeaveRecursiveCall();
    return rc;
}

static int
write_value(writer *w, PyObject *value)
{
    if (PyUnicode_Check(value)) {
        return write_text(w, value);
    }
    if (value == Py_None) {
        return put(w, "null", 4);
    }
    if (PyBool_Check(value)) {
        return value == Py_True ? put(w, "true", 4) : put(w, "false", 5);
    }
    if (PyLong_Check(value)) {
        return write_int(w, value);
    }
    return PyFloat_Check(value) ? write_float(w, value) : write_inner(w, value);
}

/* ---- the function ---- */

const char py_json_doc[] = PyDoc_STR(
    "_to_json($module, /, value, *, default=None, redact=False)\n--\n\n"
    "A value as JSON in UTF-8: dicts, lists, tuples, text, numbers, booleans,\n"
    "None, dates and instants (ISO 8601), Rows and records. NaN and infinities\n"
    "are null. default: called with any other, gives one of these. redact: as\n"
    "Rows.to_json() has it.");

PyObject *
py_json(PyObject *module, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    static const char *const names[] = {"value", "default", "redact", NULL};
    static const py_signature signature = {"_to_json", names, 1, 1};
    PyObject *given[3], *bytes = NULL;
    bool redact;

    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0 ||
        py_args_bool(given[2], "redact", false, &redact) < 0) {
        return NULL;
    }
    writer w = {.state = py_state_of_module(module),
                .instead = given[1] != Py_None ? given[1] : NULL,
                .redact = redact ? Py_True : Py_False};
    ss_buf_init(&w.out);
    if (write_value(&w, given[0]) == 0) {
        bytes = ss_buf_ok(&w.out)
                    ? PyBytes_FromStringAndSize(w.out.data, (Py_ssize_t)w.out.size)
                    : PyErr_NoMemory();
    }
    ss_buf_free(&w.out);
    return bytes;
}
