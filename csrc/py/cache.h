/* py/cache: answers of one database that are given again while nothing changed.
 *
 * What is kept are immutable results (Rows, records, None, counts), by what was asked: the
 * method and its arguments as they came, each with its type, so that 1, 1.0, True and "1"
 * differ.  Arguments other than plain constants, and lists, tuples and dicts of them, are
 * not kept.  All entries show one state of the database (a stamp, see store/watch); when
 * that is over they all go.
 *
 * The texts of a kept answer (JSON, CSV) are kept with it and count as bytes of it.
 *
 * Everything here needs the GIL and gives it away only where said. A cached object knows
 * nothing of the database, so there are no cycles.
 */
#ifndef SS_PY_CACHE_H
#define SS_PY_CACHE_H

#include "py/handle.h"
#include "store/stamp.h"

typedef struct py_cache_entry py_cache_entry;

/* Which method was called; with the table's number it makes the first part of a key. */
typedef enum {
    PY_CACHE_GETTER,
    PY_CACHE_SELECT,
    PY_CACHE_GET,
    PY_CACHE_LATEST,
    PY_CACHE_COUNT,
    PY_CACHE_QUERY,
    PY_CACHE_SERIES,
    PY_CACHE_COMPARE,
    PY_CACHE_TOP,
    PY_CACHE_BREAKDOWN,
} py_cache_method;

#define PY_CACHE_LIMIT ((size_t)64 * 1024 * 1024)

/* Entries and what hangs on them are at most `limit` bytes. New, or NULL with MemoryError. */
py_cache *py_cache_new(size_t limit);
void py_cache_free(py_cache *cache); /* NULL is fine */

/* What answers a call that was not found: the call's arguments as they came, and, when it
 * is not NULL, where to say which state of the database the answer shows. New reference. */
typedef PyObject *(*py_cache_make)(py_database *db, int table, PyObject *const *args,
                                   Py_ssize_t n, PyObject *kwnames, ss_stamp *stamp);

/* Answer a call: as an equal one was answered, if that is still true, else by `make`. The
 * GIL stays here for a hit, as long as the file has a WAL. New reference. */
PyObject *py_cache_call(py_database *db, py_cache_method method, int table,
                        PyObject *const *args, Py_ssize_t n, PyObject *kwnames,
                        py_cache_make make);

/* What makes a text of a kept answer: a method as its type's table has it. */
typedef PyObject *(*py_cache_text_make)(PyObject *op, PyObject *const *args,
                                        Py_ssize_t n, PyObject *kwnames);

/* A text (`which`) of an answer, made once as long as that is kept: `kept` is its field of
 * that name. New reference. */
PyObject *py_cache_text(py_state *state, py_cache_entry *const *kept, int which,
                        PyObject *op, PyObject *const *args, Py_ssize_t n,
                        PyObject *kwnames, py_cache_text_make make);

/* Drop everything, also what calls under way will bring. */
void py_cache_clear(py_cache *cache); /* NULL is fine */

/* Set the cache's figures in a dict: 0 or -1. */
int py_cache_stats(const py_cache *cache, PyObject *dict);

/* The constructor's cache argument: True (the default), False or a number of bytes; 0 in
 * *out is off. 0, or -1 with TypeError or ValueError. */
int py_cache_argument(PyObject *obj, size_t *out);

#endif
