/* py/path: a file name as Python gives it, as the floors below take it. */
#ifndef SS_PY_PATH_H
#define SS_PY_PATH_H

#include "py/state.h"

/* The absolute path as bytes of the file system's encoding (":memory:" as it is), from a
 * str, bytes or os.PathLike. New reference; NULL with TypeError or ValueError, or with
 * OSError when there is no current folder. */
PyObject *py_path_absolute(PyObject *given);
/* The same of a file to be written: ":memory:" is ValueError. */
PyObject *py_path_of_copy(PyObject *given);

#endif
