/* py/gather: rows as Python objects into chunks, ready to be moved without the GIL.
 *
 * Everything is converted here, before a connection is leased. One thread, with the GIL;
 * rows may run Python code (`__index__`, `utcoffset`, the keys of a mapping), which may
 * do what it likes: what is borrowed from a row is held meanwhile.
 */
#ifndef SS_PY_GATHER_H
#define SS_PY_GATHER_H

#include "py/handle.h"

#include "columns/spool.h"

typedef struct {
    py_state *state;            /* borrowed */
    const ss_table_desc *table; /* borrowed */
    const ss_call *call;        /* borrowed */
    ss_spool *spool;            /* borrowed: where full chunks go */
    int64_t n_rows;             /* taken so far */
    /* --- private --- */
    ss_chunk *chunk;                   /* owned: being filled, or NULL */
    size_t bytes;                      /* of text in it */
    uint64_t needed;                   /* columns that cannot be None */
    uint64_t required;                 /* columns that each row gives */
    uint64_t given;                    /* what the row before gave */
    int16_t positions[SS_MAX_COLUMNS]; /* the columns of a tuple */
    int n_positions;
    bool by_position;               /* columns= was given: rows are tuples */
    PyObject *keys[SS_MAX_COLUMNS]; /* owned: those of the dict before, in its order */
    int16_t key_columns[SS_MAX_COLUMNS];
    int n_keys;
    ss_day_memo memo[SS_MAX_COLUMNS];
    int64_t last_poll_ms;
} py_gather;

/* `spool` gets the rows. py_gather_clear in every case after. */
void py_gather_init(py_gather *g, py_state *state, int table, const ss_call *call,
                    ss_spool *spool);
void py_gather_clear(py_gather *g);

/* Rows are tuples of these columns. NULL or None: of the record's positional order. */
int py_gather_columns(py_gather *g, PyObject *columns) SS_MUST_CHECK;
/* Take one row: a dict or other mapping, a tuple or list, or a record of the table. */
int py_gather_row(py_gather *g, PyObject *row) SS_MUST_CHECK;
/* Take a row of a batch of the whole table, as a record that was read. */
int py_gather_read_row(py_gather *g, const ss_batch *batch, int64_t row) SS_MUST_CHECK;
/* Take a finished batch that ss_batch_new_table made; takes the reference, also on
 * failure. It goes to the spool. */
int py_gather_batch(py_gather *g, ss_batch *batch) SS_MUST_CHECK;
/* What was taken goes to the spool. */
int py_gather_flush(py_gather *g) SS_MUST_CHECK;
/* Let other threads run, and look if the call is to stop; a flush does so, too. */
int py_gather_pause(py_gather *g) SS_MUST_CHECK;

#endif
