/* py/record: one row, as a view: a batch and a row number.
 *
 * Record is the base; the thirty types below it (py/model) are rows of one table with
 * all its columns, Row is any other.  A record is immutable and holds no object but a
 * shape, which holds strings, so it can be in no cycle and takes no part in garbage
 * collection.  Reading an attribute makes that one object and no other.
 */
#ifndef SS_PY_RECORD_H
#define SS_PY_RECORD_H

#include "py/state.h"

#include "columns/batch.h"

typedef struct {
    PyObject_HEAD
    py_state *state; /* borrowed */
    ss_batch *batch; /* owned */
    PyObject *shape; /* owned; NULL when the batch is whole: the table's then */
    int64_t row;
    uint64_t given;              /* bit c: column c was read or given, not left out */
    struct py_cache_entry *kept; /* borrowed; of the cache that keeps this, or NULL */
} py_record;

/* All columns there are. */
#define PY_RECORD_ALL UINT64_MAX

/* The record of one row: of its table's type when the batch is whole, else a Row of
 * `shape` (NULL: made here). Retains the batch. New reference. */
PyObject *py_record_new(py_state *state, ss_batch *batch, int64_t row, PyObject *shape);

static inline bool
py_record_check(py_state *state, PyObject *obj)
{
    return PyObject_TypeCheck(obj, state->record_type);
}

/* The table whose record type this is (an index into ss_tables), or -1: a Row, or no
 * record at all. */
int py_record_table(py_state *state, PyObject *obj);

/* Where a record's cells are: its batch (borrowed), the row in it, and which columns
 * were given (for a record that was read: all). Any of the outs may be NULL. */
const ss_batch *py_record_batch(PyObject *record, int64_t *row, uint64_t *given);

/* The shape of a record. Borrowed. */
static inline PyObject *
py_record_shape(const py_record *self)
{
    return self->shape != NULL ? self->shape
                               : self->state->shapes[self->batch->table - ss_tables];
}

/* What its rows belong to, for messages: the table's name or "this result". */
static inline const char *
py_record_where(const ss_batch *batch)
{
    return batch->table != NULL ? batch->table->name : "this result";
}

/* A new dict of all cells by name. */
PyObject *py_record_to_dict(const py_record *self);

/* Equal as mappings: 1, 0, or -1 with an exception. */
int py_record_equal(const py_record *a, const py_record *b);

/* Destructor of all record types. */
void py_record_dealloc(PyObject *op);

#endif
