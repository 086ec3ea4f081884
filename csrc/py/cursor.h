/* py/cursor: what get_cursor() and dbapi.Connection.cursor() give: a cursor in the shape
 * of the standard module's, with the values as stored.
 */
#ifndef SS_PY_CURSOR_H
#define SS_PY_CURSOR_H

#include "py/link.h"

PyObject *py_cursor_new(py_database *db);   /* new reference */
PyObject *py_cursor_of_link(py_link *link); /* new reference */

/* The names of a cursor's columns, a tuple of str: borrowed; NULL (nothing is set) when
 * there are none. */
PyObject *py_cursor_names(PyObject *cursor);

#endif
