/* columns/ingest: the rows of a chunk as a table that SQLite can read, so that one
 * INSERT INTO ... SELECT ... FROM ss_rows(?1) moves them, without binding and stepping
 * for each row.
 *
 * ss_rows has the columns c0 to c31, by number in the table.  c0, the id, is the given
 * one or else the next free: so an upsert that finds its row uses up no number, as
 * AUTOINCREMENT would.  Only our own statements can read it: it takes a pointer.
 */
#ifndef SS_COLUMNS_INGEST_H
#define SS_COLUMNS_INGEST_H

#include "columns/chunk.h"
#include "store/stmt.h"

/* What a statement reads. Constant while it runs, but for what is marked. */
typedef struct {
    const ss_chunk *chunk;
    int64_t from, until; /* rows of the chunk */
    /* NULL, or asked when all these have been read: it may show others instead, by
     * changing the three above and `row`. A failure ends the statement. */
    ss_status (*more)(void *arg);
    void *more_arg;
    int64_t next_id; /* the caller moves it on when a row was inserted */
    int64_t row;     /* out: the row the statement is at */
} ss_ingest;

/* Make ss_rows known on a connection. */
ss_status ss_ingest_register(ss_conn *conn, ss_error *err) SS_MUST_CHECK;
/* Bind as ?1; borrowed until the statement is reset. */
ss_status ss_ingest_bind(ss_stmt *stmt, ss_ingest *source, ss_error *err) SS_MUST_CHECK;

#endif
