/* py/version: db.version, and how it costs nothing while nothing changed.
 */
#ifndef SS_PY_VERSION_H
#define SS_PY_VERSION_H

#include "py/handle.h"

PyObject *py_version_get(PyObject *op, void *unused);

#endif
