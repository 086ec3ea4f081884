/* py/module: how smartshopie_db._core comes to life and goes.
 *
 * Init only, in several phases, one state per module: each interpreter that imports it
 * has its own.  What fails half-way is cleared by m_clear, which assumes nothing.
 * Interpreters with a GIL of their own are not declared as supported: nothing here is
 * known to stand in the way, and nothing has shown yet that it works.
 */
#include "py/state.h"

#include "py/care.h"
#include "py/json.h"
#include "py/lifetime.h"
#include "py/model.h"
#include "py/pickle.h"
#include "py/raise.h"
#include "py/types.h"

#include <sqlite3.h> // sqlite3_libversion()

#ifndef SS_VERSION
#error "SS_VERSION is the version of the package, given by the build"
#endif

PyMODINIT_FUNC PyInit__core(void);

static int
add_types(PyObject *module, py_state *state)
{
    static int (*const add[])(PyObject *, py_state *) = {
#define X(name) py_##name##_add_type,
        PY_STATE_TYPES(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(add) / sizeof(add[0]); i++) {
        if (add[i](module, state) < 0) {
            return -1;
        }
    }
    return py_model_add_types(module, state);
}

static int
add_constants(PyObject *module)
{
    if (PyModule_AddStringConstant(module, "__version__", SS_VERSION) < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion());
}

/* Records are mappings to isinstance() too: pandas asks that way. Rows and columns are
 * sequences in all they do, but not registered as such, because polars reads whatever is
 * registered cell by cell and guesses its types, before it looks for Arrow.
 *
 * _collections_abc is loaded in every interpreter; collections.abc, its public name,
 * would load all of collections. */
static int
register_record(py_state *state)
{
    PyObject *abcs = PyImport_ImportModule("_collections_abc");
    PyObject *mapping = NULL, *answer = NULL;

    if (abcs == NULL) {
        return -1;
    }
    mapping = PyObject_GetAttrString(abcs, "Mapping");
    if (mapping != NULL) {
        answer = PyObject_CallMethod(mapping, "register", "O", state->record_type);
    }
    Py_DECREF(abcs);
    Py_XDECREF(mapping);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* __all__: every name of the module that begins with no underscore, sorted. */
static int
add_all(PyObject *module)
{
    PyObject *names = PyObject_Dir(module); /* sorted */
    int rc = -1;

    for (Py_ssize_t i = names == NULL ? 0 : PyList_GET_SIZE(names); i-- > 0;) {
        PyObject *name = PyList_GET_ITEM(names, i);
        if (PyUnicode_READ_CHAR(name, 0) == '_' &&
            PyList_SetSlice(names, i, i + 1, NULL) < 0) {
            goto done;
        }
    }
    rc = names == NULL ? -1 : PyModule_AddObjectRef(module, "__all__", names);
done:
    Py_XDECREF(names);
    return rc;
}

static int
add_functions(PyObject *module)
{
    static PyMethodDef functions[] = {
        {"_to_json", (PyCFunction)(void (*)(void))py_json,
         METH_FASTCALL | METH_KEYWORDS, py_json_doc},
        {NULL},
    };

    return PyModule_AddFunctions(module, functions);
}

static int
module_exec(PyObject *module)
{
    py_state *state = py_state_of_module(module);

    if (py_state_init(module, state) < 0 || py_raise_setup(state) < 0 ||
        add_types(module, state) < 0 || py_pickle_setup(module, state) < 0 ||
        register_record(state) < 0 || add_constants(module) < 0 ||
        add_functions(module) < 0 || py_care_setup(module, state) < 0) {
        return -1;
    }
    return py_lifetime_setup(module, state) < 0 ? -1 : add_all(module);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    return py_state_traverse(py_state_of_module(module), visit, arg);
}

static int
module_clear(PyObject *module)
{
    py_state_clear(py_state_of_module(module));
    return 0;
}

static void
module_free(void *module)
{
    py_state_free(py_state_of_module(module));
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED},
#endif
    {0, NULL},
};

PyDoc_STRVAR(module_doc, "The C core of smartshopie_db; its names are public there.");

struct PyModuleDef py_module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "smartshopie_db._core",
    .m_doc = module_doc,
    .m_size = sizeof(py_state),
    .m_methods = py_pickle_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&py_module_def);
}
