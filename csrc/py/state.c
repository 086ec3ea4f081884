/* py/state: making, visiting and dropping what a module holds.
 *
 * Everything here runs with the GIL, while the module is imported, collected or freed.
 * py_state_clear may leave the state half empty at any time (a failed import calls it
 * too), so nothing here assumes that a field is set.
 */
#include "py/state.h"

#include "base/mem.h"

py_state *
py_state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

py_state *
py_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &py_module_def);

    return module == NULL ? NULL : PyModule_GetState(module);
}

static int
add_names(py_state *state)
{
#define X(name)                                            \
    state->str_##name = PyUnicode_InternFromString(#name); \
    if (state->str_##name == NULL) {                       \
        return -1;                                         \
    }
    PY_STATE_NAMES(X)
#undef X
    return 0;
}

static int
add_exception(PyObject *module, const char *dotted, const char *name, const char *doc,
              PyObject *base, PyObject **slot)
{
    *slot = PyErr_NewExceptionWithDoc(dotted, doc, base, NULL);
    return *slot == NULL ? -1 : PyModule_AddObjectRef(module, name, *slot);
}

static int
add_exceptions(PyObject *module, py_state *state)
{
#define X(name, base, doc)                                               \
    if (add_exception(module, "smartshopie_db." #name, #name, doc, base, \
                      &state->name) < 0) {                               \
        return -1;                                                       \
    }
    PY_STATE_EXCEPTIONS(X)
#undef X
    return 0;
}

/* The interface of the datetime module. Its C half is asked for first: the Python half
 * is not needed, and takes longer to import than all of this package. */
static int
add_datetime(py_state *state)
{
    PyObject *capsule = NULL;
    int rc = -1;

    state->datetime_module = PyImport_ImportModule("_datetime");
    if (state->datetime_module == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_ImportError)) {
            goto done;
        }
        PyErr_Clear();
        state->datetime_module = PyImport_ImportModule("datetime");
        if (state->datetime_module == NULL) {
            goto done;
        }
    }
    capsule = PyObject_GetAttrString(state->datetime_module, "datetime_CAPI");
    if (capsule == NULL) {
        goto done;
    }
    state->datetime = PyCapsule_GetPointer(capsule, PyDateTime_CAPSULE_NAME);
    rc = state->datetime == NULL ? -1 : 0;
done:
    Py_XDECREF(capsule);
    return rc;
}

int
py_state_init(PyObject *module, py_state *state)
{
    if (add_names(state) < 0 || add_exceptions(module, state) < 0) {
        return -1;
    }
    return add_datetime(state);
}

int
py_state_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base, bool public,
                  PyTypeObject **slot)
{
    *slot = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    if (*slot == NULL) {
        return -1;
    }
    return public ? PyModule_AddType(module, *slot) : 0;
}

int
py_state_traverse(py_state *state, visitproc visit, void *arg)
{
#define X(name) Py_VISIT(state->name##_type);
    PY_STATE_TYPES(X)
#undef X
#define X(name, base, doc) Py_VISIT(state->name);
    PY_STATE_EXCEPTIONS(X)
#undef X
#define X(name) Py_VISIT(state->name);
    PY_STATE_OBJECTS(X)
#undef X
    for (int t = 0; t < ss_n_tables; t++) {
        if (state->record_types != NULL) {
            Py_VISIT(state->record_types[t]);
        }
        if (state->shapes != NULL) {
            Py_VISIT(state->shapes[t]);
        }
    }
    return 0;
}

void
py_state_clear(py_state *state)
{
    for (int t = 0; t < ss_n_tables; t++) {
        if (state->record_types != NULL) {
            Py_CLEAR(state->record_types[t]);
        }
        if (state->shapes != NULL) {
            Py_CLEAR(state->shapes[t]);
        }
    }
#define X(name) Py_CLEAR(state->name##_type);
    PY_STATE_TYPES(X)
#undef X
#define X(name, base, doc) Py_CLEAR(state->name);
    PY_STATE_EXCEPTIONS(X)
#undef X
#define X(name) Py_CLEAR(state->str_##name);
    PY_STATE_NAMES(X)
#undef X
#define X(name) Py_CLEAR(state->name);
    PY_STATE_OBJECTS(X)
#undef X
}

void
py_state_free(py_state *state)
{
    py_state_clear(state);
    ss_free(state->record_types);
    ss_free(state->shapes);
    ss_free(state->getsets);
    ss_free(state->db_getsets);
    state->record_types = NULL;
    state->shapes = NULL;
    state->getsets = NULL;
    state->db_getsets = NULL;
}
