/* py/lifetime: what happens to open databases at fork() and at the end. */
#ifndef SS_PY_LIFETIME_H
#define SS_PY_LIFETIME_H

#include "py/handle.h"

/* Every SmartShopieDB is on its module's list from creation to deallocation. */
void py_lifetime_add(py_database *db);
void py_lifetime_remove(py_database *db);

/* Wait while another thread of this module's is forking: work on a file that began now
 * would be cut in two. A thread inside a block of `db` goes on, since the fork waits for
 * its end. Called with the GIL, before it is released for such work. */
void py_lifetime_await_fork(py_state *state, ss_db *db);

/* Register the hooks of fork and exit; called once, at the end of import. */
int py_lifetime_setup(PyObject *module, py_state *state) SS_MUST_CHECK;

#endif
