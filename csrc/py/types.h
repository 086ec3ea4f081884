/* py/types: the function of each room that makes its type, called by py/module.
 *
 * Each makes its type with py_state_add_type and nothing more; 0, or -1 with an
 * exception set.
 */
#ifndef SS_PY_TYPES_H
#define SS_PY_TYPES_H

#include "py/state.h"

#define X(name) \
    int py_##name##_add_type(PyObject *module, py_state *state) SS_MUST_CHECK;
PY_STATE_TYPES(X)
#undef X

#endif
