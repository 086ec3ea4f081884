/* py/pickle: records, rows and columns to what pickle stores, and back.
 *
 * Stored are names, kinds and plain values, so that a pickle outlives a change of the
 * tables: a column that is gone by then makes a Row of what was a record, a new one is
 * None.  Restoring trusts nothing it is given: wrong arguments are an exception.
 */
#ifndef SS_PY_PICKLE_H
#define SS_PY_PICKLE_H

#include "py/state.h"

#include "py/column.h"
#include "py/record.h"
#include "py/rows.h"

PyObject *py_pickle_record(const py_record *record);
PyObject *py_pickle_rows(const py_rows *rows);
PyObject *py_pickle_column(const py_column *column);

/* The module's functions that restore; for py/module. */
extern PyMethodDef py_pickle_methods[];
/* Keep those functions in the state. */
int py_pickle_setup(PyObject *module, py_state *state) SS_MUST_CHECK;

#endif
