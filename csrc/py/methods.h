/* py/methods: get_<table>, add_<record> and insert_*, for all tables alike.
 *
 * A TableMethod is a method descriptor like those of built-in types, but one that knows
 * its table; db.get_overview_kpis() calls it without making a bound method first.
 */
#ifndef SS_PY_METHODS_H
#define SS_PY_METHODS_H

#include "py/handle.h"

/* Put the methods of all tables into the SmartShopieDB type. */
int py_methods_install(py_state *state, PyTypeObject *database_type) SS_MUST_CHECK;

#endif
