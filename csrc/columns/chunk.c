#include "columns/chunk.h"

#include "base/mem.h"

static void
number_columns(ss_chunk *chunk, int n)
{
    for (int c = 0; c < SS_MAX_COLUMNS; c++) {
        chunk->slot[c] = -1;
    }
    for (int16_t i = 0; i < n; i++) {
        chunk->slot[chunk->map[i]] = i;
    }
}

ss_status
ss_chunk_new(const ss_table_desc *table, uint64_t columns, int64_t first,
             ss_chunk **out, ss_error *err)
{
    ss_chunk *chunk = ss_calloc(1, sizeof(*chunk));
    int n = 0;
    if (chunk == NULL) {
        return ss_error_nomem(err);
    }
    for (int16_t c = 0; c < table->n_columns; c++) {
        if ((columns >> c) & 1) {
            chunk->map[n++] = c;
        }
    }
    number_columns(chunk, n);
    chunk->first = first;
    ss_status status = ss_batch_new_table(table, chunk->map, n, 1, &chunk->batch, err);
    if (status != SS_OK) {
        ss_free(chunk);
        return status;
    }
    *out = chunk;
    return SS_OK;
}

/* The columns of a batch by their names, which are those of its table. */
static uint64_t
map_batch(ss_chunk *chunk, const ss_batch *batch)
{
    uint64_t given = 0;
    for (int i = 0; i < batch->n_columns; i++) {
        int16_t c = 0;
        while (batch->table->columns[c].name != batch->names[i]) {
            c++;
        }
        chunk->map[i] = c;
        given |= UINT64_C(1) << c;
    }
    number_columns(chunk, batch->n_columns);
    return given;
}

ss_status
ss_chunk_of_batch(ss_batch *batch, int64_t first, ss_chunk **out, ss_error *err)
{
    ss_chunk *chunk = ss_calloc(1, sizeof(*chunk));
    if (chunk == NULL) {
        ss_batch_release(batch);
        return ss_error_nomem(err);
    }
    chunk->batch = batch;
    chunk->first = first;
    if (ss_chunk_given(chunk, map_batch(chunk, batch)) != SS_OK) {
        ss_chunk_free(chunk);
        return ss_error_nomem(err);
    }
    chunk->runs[0].start = 0;
    *out = chunk;
    return SS_OK;
}

void
ss_chunk_free(ss_chunk *chunk)
{
    if (chunk != NULL) {
        ss_batch_release(chunk->batch);
        ss_free(chunk->runs);
        ss_free(chunk);
    }
}

ss_status
ss_chunk_given(ss_chunk *chunk, uint64_t given)
{
    if (chunk->n_runs > 0 && chunk->runs[chunk->n_runs - 1].given == given) {
        return SS_OK;
    }
    if (chunk->n_runs == chunk->runs_capacity) {
        int64_t capacity = chunk->runs_capacity == 0 ? 1 : chunk->runs_capacity * 2;
        ss_run *runs = ss_realloc_array(chunk->runs, (size_t)capacity, sizeof(*runs));
        if (runs == NULL) {
            return SS_NOMEM;
        }
        chunk->runs = runs;
        chunk->runs_capacity = capacity;
    }
    chunk->runs[chunk->n_runs++] = (ss_run){chunk->batch->n_rows, given};
    return SS_OK;
}

void
ss_chunk_get(const ss_chunk *chunk, int64_t row, int column, ss_value *out)
{
    int16_t slot = chunk->slot[column];
    if (slot < 0) {
        *out = (ss_value){.tag = SS_VALUE_NULL};
        return;
    }
    ss_column_get(&chunk->batch->columns[slot], row, out);
}

size_t
ss_chunk_size(const ss_chunk *chunk)
{
    return sizeof(*chunk) + (size_t)chunk->runs_capacity * sizeof(ss_run) +
           ss_batch_size(chunk->batch);
}
