/* formats/arrow_in: an Arrow stream as batches of one of our tables.
 *
 * Any producer in the process will do; neither Python nor a library of Arrow's is needed.
 * Columns are matched by name.  What each type may become is in formats/arrow_cells.h.
 */
#ifndef SS_FORMATS_ARROW_IN_H
#define SS_FORMATS_ARROW_IN_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "columns/batch.h"
#include "formats/arrow.h"

typedef struct ss_arrow_in ss_arrow_in;

/* Read the schema. Takes the stream in every case (its release is NULL afterwards) and
 * releases it. A schema that does not fit is SS_TYPE, with all that is wrong with it in
 * one message: unknown columns, types, columns given twice, required ones missing. */
ss_status ss_arrow_in_open(struct ArrowArrayStream *stream, const ss_table_desc *table,
                           ss_arrow_in **out, ss_error *err) SS_MUST_CHECK;

/* The table's columns that the stream has, in its order; borrowed. */
const int16_t *ss_arrow_in_columns(const ss_arrow_in *in, int *n);

/* The next rows, at most `max_rows` of them, as a finished new batch of those columns;
 * NULL at the end. An array without rows is a batch without, so that the caller can stop
 * a producer who has no others. On failure err names the first bad row, counted from the stream's start,
 * its column and value (err->row, ->column, ->value); the stream is of no use then. The
 * producer's code runs in here. */
ss_status ss_arrow_in_next(ss_arrow_in *in, int64_t max_rows, ss_batch **out,
                           ss_error *err) SS_MUST_CHECK;

/* Rows handed out so far. */
int64_t ss_arrow_in_rows(const ss_arrow_in *in);

void ss_arrow_in_free(ss_arrow_in *in); /* NULL is fine */

#endif
