/* columns/batch: named columns of equal length under one atomic reference count.
 *
 * Built by one thread, then finished: from then on immutable and free to be read from
 * any thread without a lock.  A new batch is one allocation that also holds the first
 * rows of every column, so that a one-row answer costs one malloc and one free; a
 * column that grows past it moves to a block of its own.
 */
#ifndef SS_COLUMNS_BATCH_H
#define SS_COLUMNS_BATCH_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "columns/column.h"

#include <stdatomic.h>

/* A stored cell that its declared type could not hold, read with strict=False. */
typedef struct {
    int64_t row;    /* row of the batch */
    int32_t column; /* column of the batch */
    char value[64]; /* as stored, shown */
} ss_note;

typedef struct {
    atomic_long refs;
    const ss_table_desc *table; /* NULL for free SQL */
    bool whole;                 /* all columns of `table` in its order */
    int n_columns;
    int64_t n_rows;
    ss_column *columns;
    const char *const *names; /* n_columns; live as long as the batch */
    ss_note *notes;           /* owned; NULL when there are none */
    int64_t n_notes;
    int64_t notes_capacity;
    char *next_token; /* owned; where the next page begins, NULL: none was asked for, or
                       * nothing follows the last row */
    /* --- private --- */
    int64_t capacity; /* rows that fit without growing */
} ss_batch;

/* A batch for `n` columns. With `table` each name and kind come from its column
 * map[i]; without, from names[i] (copied) and kinds[i]. `hint`: rows expected (>= 1).
 * On failure err says so and *out is untouched. New reference. */
ss_status ss_batch_new_table(const ss_table_desc *table, const int16_t *map, int n,
                             int64_t hint, ss_batch **out, ss_error *err) SS_MUST_CHECK;
ss_status ss_batch_new_free(const char *const *names, const uint8_t *kinds, int n,
                            int64_t hint, ss_batch **out, ss_error *err) SS_MUST_CHECK;

/* Building by rows. Begin each row with ss_batch_row (grows all columns when needed), then
 * put a value into every column in any order, then ss_batch_row_done. */
ss_status ss_batch_grow(ss_batch *batch) SS_MUST_CHECK; /* SS_NOMEM or SS_OK */
static inline ss_status
ss_batch_row(ss_batch *batch)
{
    return batch->n_rows < batch->capacity ? SS_OK : ss_batch_grow(batch);
}
static inline void
ss_batch_row_done(ss_batch *batch)
{
    batch->n_rows++;
}
/* Room for n more bytes of text in a column. */
ss_status ss_column_reserve_bytes(ss_column *column, size_t n) SS_MUST_CHECK;

/* Put one value into `column` at the row being built. The value's tag must fit the
 * column's kind (ANY takes all; NULL fits everywhere; INT does not fit REAL).
 * SS_NOMEM, or SS_TYPE when it does not fit. */
ss_status ss_batch_put(ss_batch *batch, int column, const ss_value *value)
    SS_MUST_CHECK;

/* Building by columns. Make room for `rows` rows in all, fill rows 0, 1, ... of each
 * column in turn, with ss_column_put or straight into its buffers, then set n_rows. */
ss_status ss_batch_reserve(ss_batch *batch, int64_t rows) SS_MUST_CHECK;
/* Like ss_batch_put, at a row there is room for; texts in ascending rows. */
ss_status ss_column_put(ss_column *column, int64_t row, const ss_value *value)
    SS_MUST_CHECK;
void ss_column_put_null(ss_column *column, int64_t row);

/* Remember a cell that was read as null because its type could not hold it. */
ss_status ss_batch_note(ss_batch *batch, int column, const ss_value *value)
    SS_MUST_CHECK;

/* The notes of rows of another batch, which follow those of this one. */
ss_status ss_batch_take_notes(ss_batch *batch, const ss_batch *from, int64_t start,
                              int64_t rows) SS_MUST_CHECK;

/* Free what one column has grown, before the batch itself goes: nothing of the column
 * may be read any more. */
void ss_batch_drop_column(ss_batch *batch, int column);

/* No more rows: bitmaps without a null are dropped. */
void ss_batch_finish(ss_batch *batch);

ss_batch *ss_batch_retain(ss_batch *batch);
void ss_batch_release(ss_batch *batch); /* NULL is fine */

/* Bytes held, for the cache and for __sizeof__. */
size_t ss_batch_size(const ss_batch *batch);

/* Some rows of a batch, as Rows shows them: row i of the view is row start + i*step of
 * the batch (step may be negative). What writes rows out takes a view. */
typedef struct {
    const ss_batch *batch; /* borrowed */
    int64_t start, step, length;
} ss_view;

/* How many rows of the view have no value in this column of its batch. */
int64_t ss_view_nulls(const ss_view *view, const ss_column *column);

/* The column of that name, or -1. */
int ss_batch_find(const ss_batch *batch, const char *name, size_t n);

#endif
