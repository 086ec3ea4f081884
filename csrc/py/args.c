#include "py/args.h"

#include "base/nearest.h"
#include "py/raise.h"

static int
find_name(const py_signature *signature, PyObject *name)
{
    for (int i = 0; signature->names[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(name, signature->names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int
unknown_argument(const py_signature *signature, PyObject *name)
{
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    if (text == NULL) {
        return -1;
    }
    ss_nearest search;
    ss_nearest_init(&search, text, (size_t)n);
    for (int i = 0; signature->names[i] != NULL; i++) {
        ss_nearest_offer(&search, signature->names[i]);
    }
    py_raise_nearest(PyExc_TypeError, &search, "%s() has no argument '%U'",
                     signature->function, name);
    return -1;
}

static int
take_positional(const py_signature *signature, PyObject *const *args, Py_ssize_t n,
                PyObject **out)
{
    if (n > signature->n_positional) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes at most %d positional argument%s, %zd were given",
                     signature->function, signature->n_positional,
                     signature->n_positional == 1 ? "" : "s", n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        out[i] = args[i];
    }
    return 0;
}

static int
take_keyword(const py_signature *signature, PyObject *name, PyObject *value,
             PyObject **out, py_args_rest rest, void *arg)
{
    int i = find_name(signature, name);
    if (i < 0) {
        return rest != NULL ? rest(arg, name, value)
                            : unknown_argument(signature, name);
    }
    if (out[i] != NULL) {
        PyErr_Format(PyExc_TypeError, "%s() got '%U' twice", signature->function, name);
        return -1;
    }
    out[i] = value;
    return 0;
}

int
py_args_parse(const py_signature *signature, PyObject *const *args, Py_ssize_t nargsf,
              PyObject *kwnames, PyObject **out, py_args_rest rest, void *arg)
{
    Py_ssize_t n = PyVectorcall_NARGS((size_t)nargsf);
    for (int i = 0; signature->names[i] != NULL; i++) {
        out[i] = NULL;
    }
    if (take_positional(signature, args, n, out) < 0) {
        return -1;
    }
    Py_ssize_t n_keywords = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < n_keywords; i++) {
        if (take_keyword(signature, PyTuple_GET_ITEM(kwnames, i), args[n + i], out,
                         rest, arg) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < signature->n_required; i++) {
        if (out[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() needs the argument '%s'",
                         signature->function, signature->names[i]);
            return -1;
        }
    }
    return 0;
}

int
py_args_int(PyObject *obj, const char *what, int64_t low, int64_t high, int64_t none,
            int64_t *out)
{
    if (obj == NULL || obj == Py_None) {
        *out = none;
        return 0;
    }
    if (PyBool_Check(obj) || !PyIndex_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s: expected int, got %s", what,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(obj);
    if (index == NULL) {
        return -1;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow != 0) {
        PyErr_Format(PyExc_OverflowError, "%s: %R does not fit 64 bits", what, obj);
        return -1;
    }
    if (value < low || value > high) {
        PyErr_Format(PyExc_ValueError, "%s: expected %lld to %lld, got %lld", what,
                     (long long)low, (long long)high, value);
        return -1;
    }
    *out = value;
    return 0;
}

static int
unknown_word(PyObject *obj, const char *what, const char *const *words)
{
    Py_ssize_t n;
    const char *given = PyUnicode_AsUTF8AndSize(obj, &n);
    PyObject *list = given == NULL ? NULL : PyUnicode_FromFormat("'%s'", words[0]);
    ss_nearest search;

    if (list != NULL) {
        ss_nearest_init(&search, given, (size_t)n);
        ss_nearest_offer(&search, words[0]);
    }
    for (int i = 1; list != NULL && words[i] != NULL; i++) {
        ss_nearest_offer(&search, words[i]);
        Py_SETREF(list, PyUnicode_FromFormat("%U, '%s'", list, words[i]));
    }
    if (list != NULL) {
        py_raise_nearest(PyExc_ValueError, &search, "%s: expected one of %U, got %R",
                         what, list, obj);
        Py_DECREF(list);
    }
    return -1;
}

int
py_args_word(PyObject *obj, const char *what, const char *const *words, int *out)
{
    *out = 0;
    if (obj == NULL) {
        return 0;
    }
    if (!PyUnicode_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s: expected str, got %s", what,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    for (int i = 0; words[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(obj, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return unknown_word(obj, what, words);
}

int
py_args_bool(PyObject *obj, const char *what, bool none, bool *out)
{
    if (obj == NULL || obj == Py_None) {
        *out = none;
        return 0;
    }
    if (!PyBool_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s: expected True or False, got %s", what,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    *out = obj == Py_True;
    return 0;
}
