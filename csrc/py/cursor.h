/* py/cursor: what get_cursor() gives: a cursor in the shape of the standard module's,
 * with the values as stored.
 */
#ifndef SS_PY_CURSOR_H
#define SS_PY_CURSOR_H

#include "py/handle.h"

PyObject *py_cursor_new(py_database *db); /* new reference */

#endif
