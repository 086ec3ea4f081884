/* py/care: what looks after a database: check(), optimize() and stats(), and what
 * smartshopie_db.check asks of the core.
 *
 * check() itself is Python, over the public methods. The package gives it to the core when
 * it is imported (_set_check), so that the core need not know of it.
 */
#ifndef SS_PY_CARE_H
#define SS_PY_CARE_H

#include "py/state.h"

extern const char py_check_doc[], py_optimize_doc[], py_stats_doc[];

PyObject *py_check(PyObject *op, PyObject *args, PyObject *kwargs);
PyObject *py_optimize(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                      PyObject *kwnames);
PyObject *py_stats(PyObject *op, PyObject *unused);

/* For py/module: its functions, and the warning when there is a second SQLite. */
int py_care_setup(PyObject *module, py_state *state) SS_MUST_CHECK;

#endif
