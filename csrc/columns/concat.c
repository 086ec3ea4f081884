#include "columns/concat.h"

#include <string.h> // memcpy()

/* Where the text of a run lies in the bytes of its column. */
static size_t
run_bytes(const ss_run *run, int column, size_t *from)
{
    const int64_t *offsets = run->from->columns[column].data.offsets;
    *from = (size_t)offsets[run->start];
    return (size_t)offsets[run->start + run->rows] - *from;
}

ss_status
ss_concat_begin(ss_batch *into, const ss_run *runs, int n, ss_error *err)
{
    int64_t rows = into->n_rows;
    for (int i = 0; i < n; i++) {
        rows += runs[i].rows;
    }
    ss_status status = ss_batch_reserve(into, rows);
    for (int c = 0; status == SS_OK && c < into->n_columns; c++) {
        size_t bytes = 0, unused;
        for (int i = 0; i < n && into->columns[c].kind == SS_KIND_TEXT; i++) {
            bytes += runs[i].rows > 0 ? run_bytes(&runs[i], c, &unused) : 0;
        }
        status = ss_column_reserve_bytes(&into->columns[c], bytes);
    }
    return status == SS_OK ? SS_OK : ss_error_nomem(err);
}

/* Bits past the last row are ones already: only nulls have to be carried over. */
static void
copy_nulls(ss_column *to, int64_t at, const ss_column *from, const ss_run *run)
{
    int64_t row = run->start, until = run->start + run->rows;
    int64_t shift = at - run->start;
    while (from->null_count > 0 && row < until) {
        if ((row & 7) == 0 && from->validity[row >> 3] == 0xff) {
            row += 8;
            continue;
        }
        if (ss_column_is_null(from, row)) {
            to->validity[(row + shift) >> 3] &= (uint8_t)~(1u << ((row + shift) & 7));
            to->null_count++;
        }
        row++;
    }
}

static void
copy_text(ss_column *to, int64_t at, const ss_run *run, int column)
{
    const ss_column *from = &run->from->columns[column];
    const int64_t *offsets = from->data.offsets + run->start + 1;
    int64_t *out = to->data.offsets + at + 1;
    size_t start, n = run_bytes(run, column, &start);
    int64_t shift = (int64_t)to->n_bytes - (int64_t)start;
    for (int64_t i = 0; i < run->rows; i++) {
        out[i] = offsets[i] + shift;
    }
    if (n > 0) {
        memcpy(to->bytes + to->n_bytes, from->bytes + start, n);
        to->n_bytes += n;
    }
}

void
ss_concat_column(ss_batch *into, const ss_run *runs, int n, int column)
{
    ss_column *to = &into->columns[column];
    size_t width = ss_kind_width((ss_kind)to->kind);
    int64_t at = into->n_rows;
    for (int i = 0; i < n; i++) {
        const ss_run *run = &runs[i];
        if (run->rows == 0) {
            continue;
        }
        const ss_column *from = &run->from->columns[column];
        copy_nulls(to, at, from, run);
        if (to->kind == SS_KIND_TEXT) {
            copy_text(to, at, run, column);
        }
        else {
            memcpy((char *)to->data.p + (size_t)at * width,
                   (const char *)from->data.p + (size_t)run->start * width,
                   (size_t)run->rows * width);
        }
        at += run->rows;
    }
}

ss_status
ss_concat_end(ss_batch *into, const ss_run *runs, int n, ss_error *err)
{
    for (int i = 0; i < n; i++) {
        if (runs[i].rows == 0) {
            continue;
        }
        if (ss_batch_take_notes(into, runs[i].from, runs[i].start, runs[i].rows) !=
            SS_OK) {
            return ss_error_nomem(err);
        }
        into->n_rows += runs[i].rows;
    }
    return SS_OK;
}
