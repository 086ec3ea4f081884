/* py/show: rows as text a person reads: repr() of records, rows and columns.
 *
 * Secret columns are masked here, everything is bounded in size, and control characters
 * of stored text never reach the terminal.
 */
#ifndef SS_PY_SHOW_H
#define SS_PY_SHOW_H

#include "py/state.h"

#include "py/column.h"
#include "py/record.h"
#include "py/rows.h"

PyObject *py_show_record(const py_record *record);
PyObject *py_show_rows(const py_rows *rows);
PyObject *py_show_column(const py_column *column);

#endif
