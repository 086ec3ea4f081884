#include "py/path.h"

#include <string.h> // strcmp()
#include <unistd.h> // getcwd()

PyObject *
py_path_absolute(PyObject *given)
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(given, &bytes)) {
        return NULL;
    }
    const char *text = PyBytes_AS_STRING(bytes);
    if (text[0] == '\0') {
        Py_DECREF(bytes);
        PyErr_SetString(PyExc_ValueError,
                        "path: expected a file name, got an empty one");
        return NULL;
    }
    if (text[0] == '/' || strcmp(text, ":memory:") == 0) {
        return bytes;
    }
    char folder[4096];
    if (getcwd(folder, sizeof(folder)) == NULL) {
        Py_DECREF(bytes);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *absolute = PyBytes_FromFormat("%s/%s", folder, text);
    Py_DECREF(bytes);
    return absolute;
}

PyObject *
py_path_of_copy(PyObject *given)
{
    PyObject *target = py_path_absolute(given);
    if (target != NULL && strcmp(PyBytes_AS_STRING(target), ":memory:") == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "path: expected a file name, got ':memory:'; a backup is a "
                        "file");
        Py_CLEAR(target);
    }
    return target;
}
