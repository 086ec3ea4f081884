/* py/model: the thirty record types, made from the descriptors when the module is
 * imported, and how one is constructed.
 */
#ifndef SS_PY_MODEL_H
#define SS_PY_MODEL_H

#include "py/state.h"

/* Make the types: state->record_types, state->shapes, state->getsets. */
int py_model_add_types(PyObject *module, py_state *state) SS_MUST_CHECK;

#endif
