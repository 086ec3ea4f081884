/* py/model: the thirty record types, made from the descriptors when the module is
 * imported, and how one is constructed.
 */
#ifndef SS_PY_MODEL_H
#define SS_PY_MODEL_H

#include "py/state.h"

#include "columns/batch.h"

enum { PY_MODEL_MAX_COLUMNS = 64 }; /* bits of py_record.given */

/* The columns of one row as given by a caller: converted, with what holds their text.
 * For anyone who takes columns by name (records, add_*). Start with {.table = t};
 * end with py_cells_clear. */
typedef struct {
    const ss_table_desc *table;
    uint64_t given; /* bit c: values[c] is set; the others are NULL cells */
    ss_value values[PY_MODEL_MAX_COLUMNS];
    PyObject *keep[PY_MODEL_MAX_COLUMNS]; /* owned, or NULL */
} py_cells;

/* Give column c its value; TypeError when it has one already. 0 or -1. */
int py_cells_set(py_state *state, py_cells *cells, int column, PyObject *value)
    SS_MUST_CHECK;
/* The same by name; TypeError with the nearest name when the table has no such column.
 * `call` is how the message names the callee: "OverviewKPI()". */
int py_cells_set_name(py_state *state, py_cells *cells, const char *call,
                      PyObject *name, PyObject *value) SS_MUST_CHECK;
void py_cells_clear(py_cells *cells);
/* A finished batch of that one row. New reference. */
ss_batch *py_cells_batch(py_state *state, const py_cells *cells);

/* The record of such a row. New reference. */
PyObject *py_model_record(py_state *state, const py_cells *cells);

/* Make the types: state->record_types, state->shapes, state->getsets. */
int py_model_add_types(PyObject *module, py_state *state) SS_MUST_CHECK;

#endif
