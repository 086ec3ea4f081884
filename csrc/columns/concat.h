/* columns/concat: rows of several batches behind those of one.
 *
 * For batches that were filled side by side. The first is extended where it lies; runs of
 * rows of the others are copied behind it, one column at a time, by as many threads as
 * there are: different columns share nothing.
 */
#ifndef SS_COLUMNS_CONCAT_H
#define SS_COLUMNS_CONCAT_H

#include "columns/batch.h"

/* Some rows of a batch, not finished, whose columns are of the same kinds. */
typedef struct {
    const ss_batch *from; /* borrowed; NULL: no rows */
    int64_t start, rows;
} ss_run;

/* Make room in `into`, which is not finished either, for the runs as well. */
ss_status ss_concat_begin(ss_batch *into, const ss_run *runs, int n, ss_error *err)
    SS_MUST_CHECK;
/* Copy one column of all runs. */
void ss_concat_column(ss_batch *into, const ss_run *runs, int n, int column);
/* After all columns: the rows count, and the notes follow. */
ss_status ss_concat_end(ss_batch *into, const ss_run *runs, int n, ss_error *err)
    SS_MUST_CHECK;

#endif
