/* columns/spool: chunks in the order they came: the first in memory, those past a limit
 * in a temporary file without a name, which is gone when the process is.
 *
 * One thread at a time uses a spool, without the GIL. It is filled, then read from the
 * start, any number of times.  A child of fork() shares the file with its parent, so
 * there every call but free is SS_FORKED.
 */
#ifndef SS_COLUMNS_SPOOL_H
#define SS_COLUMNS_SPOOL_H

#include "columns/chunk.h"

typedef struct ss_spool ss_spool;

ss_status ss_spool_new(const ss_table_desc *table, size_t limit, ss_spool **out,
                       ss_error *err) SS_MUST_CHECK;
void ss_spool_free(ss_spool *spool); /* NULL is fine */

/* Takes the chunk, also on failure; it is finished here. SS_DISK_FULL when the
 * temporary file has no room. */
ss_status ss_spool_push(ss_spool *spool, ss_chunk *chunk, ss_error *err) SS_MUST_CHECK;
int64_t ss_spool_rows(const ss_spool *spool);
bool ss_spool_spilled(const ss_spool *spool);

/* Read from the start; *out is borrowed until the next call here, NULL after the last. */
void ss_spool_rewind(ss_spool *spool);
ss_status ss_spool_next(ss_spool *spool, const ss_chunk **out, ss_error *err)
    SS_MUST_CHECK;

void ss_spool_clear(ss_spool *spool); /* empty again; keeps its file */

#endif
