/* py/transaction: the with blocks of db.transaction() and db.snapshot(). */
#ifndef SS_PY_TRANSACTION_H
#define SS_PY_TRANSACTION_H

#include "py/handle.h"

PyObject *py_transaction_new(py_database *db); /* new reference */
PyObject *py_snapshot_new(py_database *db);    /* new reference */

/* Begin a transaction of this thread; owner and *thread: whose it is, for its end. 0, or
 * -1 with an exception. */
int py_transaction_begin(py_database *db, const void *owner, uint64_t *thread)
    SS_MUST_CHECK;
int py_transaction_end(py_database *db, const void *owner, uint64_t thread, bool commit)
    SS_MUST_CHECK;

#endif
