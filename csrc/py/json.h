/* py/json: any value as JSON: what the answers of the web side are made of.
 */
#ifndef SS_PY_JSON_H
#define SS_PY_JSON_H

#include "py/state.h"

extern const char py_json_doc[];
/* A function of the module. */
PyObject *py_json(PyObject *module, PyObject *const *args, Py_ssize_t nargsf,
                  PyObject *kwnames);

#endif
