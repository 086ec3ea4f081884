/* py/figures: db.series(), compare(), top() and breakdown(): from Python arguments to the
 * requests of db/series.
 */
#ifndef SS_PY_FIGURES_H
#define SS_PY_FIGURES_H

#include "py/handle.h"

/* Methods of SmartShopieDB, METH_FASTCALL | METH_KEYWORDS, and their docstrings. */
PyObject *py_figures_series(PyObject *db, PyObject *const *args, Py_ssize_t n,
                            PyObject *kwnames);
PyObject *py_figures_compare(PyObject *db, PyObject *const *args, Py_ssize_t n,
                             PyObject *kwnames);
PyObject *py_figures_top(PyObject *db, PyObject *const *args, Py_ssize_t n,
                         PyObject *kwnames);
PyObject *py_figures_breakdown(PyObject *db, PyObject *const *args, Py_ssize_t n,
                               PyObject *kwnames);
extern const char py_figures_series_doc[], py_figures_compare_doc[],
    py_figures_top_doc[], py_figures_breakdown_doc[];

#endif
