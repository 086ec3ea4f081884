/* py/value: one Python object to a cell, one cell to a Python object.
 *
 * Converting an argument may run foreign code (__index__, __float__, utcoffset,
 * __repr__ never), so it happens before a connection is leased.  Making an object from
 * a cell runs none.
 */
#ifndef SS_PY_VALUE_H
#define SS_PY_VALUE_H

#include "py/state.h"

#include "base/value.h"
#include "columns/batch.h"
#include "columns/column.h"

/* Convert `obj` for a column of `kind` (SS_KIND_ANY: a parameter of free SQL).  `what`
 * names the argument in messages: "total_customers".  Text and blobs are borrowed from
 * *keep: a new reference, or NULL, to be held until the value was used; it is written
 * on success only.  0, or -1 with TypeError, ValueError or OverflowError.
 *
 * kind       takes
 * INT        int, bool, any __index__; a float that is integral
 * REAL       float, int, bool, numpy floats, a Decimal that float() prints alike
 * TEXT       str
 * DATE       date, datetime (its UTC day when aware), str that ss_day_parse reads,
 *            numpy.datetime64
 * TIMESTAMP  datetime (naive is UTC), date (its midnight), str that ss_instant_parse
 *            reads, numpy.datetime64
 * ANY        all of these by their own type, bytes-like as a blob
 * None is NULL everywhere, NaN and NaT are refused everywhere, infinities are refused
 * for columns. */
int py_value_from_object(py_state *state, PyObject *obj, ss_kind kind, const char *what,
                         ss_value *out, PyObject **keep) SS_MUST_CHECK;

/* A cell as a new object: None, int, float, str, bytes, datetime.date or naive
 * datetime.datetime. DataError for text that is not UTF-8. */
PyObject *py_value_to_object(py_state *state, const ss_value *value);

/* The cell of a column as a new object, without an ss_value in between. */
PyObject *py_column_cell(py_state *state, const ss_column *column, int64_t row);

/* Days and instants as new objects. */
PyObject *py_value_date(py_state *state, int32_t day);
PyObject *py_value_instant(py_state *state, int64_t us);

/* The Python types a column of a kind takes ("int", "datetime.date or 'YYYY-MM-DD'"). */
const char *py_value_kind_takes(ss_kind kind);

/* A datetime without a zone, as it stands, in microseconds since the epoch. */
int64_t py_value_naive_instant(PyObject *moment);

#endif
