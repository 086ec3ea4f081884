/* columns/chunk: some rows on their way into one table.
 *
 * A batch of the columns that any of the rows gives, and runs of rows that give the
 * same ones: a column that a row leaves out is not the same as NULL.  Built by one
 * thread; constant once it was handed on.
 */
#ifndef SS_COLUMNS_CHUNK_H
#define SS_COLUMNS_CHUNK_H

#include "columns/batch.h"

typedef struct {
    int64_t start;  /* row of the chunk; it ends where the next run starts */
    uint64_t given; /* bit c: these rows give column c of the table */
} ss_run;

typedef struct ss_chunk {
    ss_batch *batch;              /* owned reference; batch->table is the table */
    int16_t map[SS_MAX_COLUMNS];  /* column of the batch to column of the table */
    int16_t slot[SS_MAX_COLUMNS]; /* the other way round; -1: given by no row */
    int64_t first;                /* number of its first row in the whole input */
    ss_run *runs;                 /* owned */
    int64_t n_runs, runs_capacity;
    struct ss_chunk *next; /* columns/spool's */
} ss_chunk;

/* An empty chunk for the columns whose bits are set. */
ss_status ss_chunk_new(const ss_table_desc *table, uint64_t columns, int64_t first,
                       ss_chunk **out, ss_error *err) SS_MUST_CHECK;
/* A finished batch as one run: each row gives all its columns. Takes the reference,
 * also on failure. The batch was made by ss_batch_new_table. */
ss_status ss_chunk_of_batch(ss_batch *batch, int64_t first, ss_chunk **out,
                            ss_error *err) SS_MUST_CHECK;
void ss_chunk_free(ss_chunk *chunk); /* NULL is fine */

/* The row about to be built gives these columns. SS_OK or SS_NOMEM. */
ss_status ss_chunk_given(ss_chunk *chunk, uint64_t given) SS_MUST_CHECK;

static inline int64_t
ss_chunk_run_end(const ss_chunk *chunk, int64_t run)
{
    return run + 1 < chunk->n_runs ? chunk->runs[run + 1].start : chunk->batch->n_rows;
}

/* The cell of a row in column c of the table; NULL where no row gives it. */
void ss_chunk_get(const ss_chunk *chunk, int64_t row, int column, ss_value *out);

/* Bytes held. */
size_t ss_chunk_size(const ss_chunk *chunk);

#endif
