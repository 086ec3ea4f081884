/* db/place: where a page of rows ended, as a token that a caller keeps and gives back.
 *
 * The token is text for URLs: a version, which table and order it belongs to, the terms
 * of that order at the last row (its id is the last of them), and the window where that
 * depends on the newest stored day, so that later pages keep it. It is no secret and no
 * proof: what comes back is checked in every part and becomes parameters of a statement,
 * nothing else.
 */
#ifndef SS_DB_PLACE_H
#define SS_DB_PLACE_H

#include "catalog/sql.h"
#include "columns/batch.h"

typedef struct {
    ss_value values[SS_MAX_ORDER]; /* text is borrowed from `bytes` */
    ss_window window;              /* when the token has one */
    char *bytes;                   /* owned */
} ss_place;

/* The token for the rows behind the one whose terms `last` holds, a row of one cell for
 * each term of the order of `select`. `relative`: keep the window, or with
 * select->newest the time step, which is then the first term. New in *out. */
ss_status ss_place_write(const ss_batch *last, const ss_table_desc *table,
                         const ss_table_layout *layout, const ss_select *select,
                         bool relative, char **out, ss_error *err) SS_MUST_CHECK;

/* SS_VALUE says what is wrong with it: no token of ours, or one of another table, order
 * or kind of window. Free with ss_place_clear in every case. */
ss_status ss_place_read(ss_place *place, const char *token, size_t n,
                        const ss_table_desc *table, const ss_table_layout *layout,
                        const ss_select *select, bool relative, ss_error *err)
    SS_MUST_CHECK;
void ss_place_clear(ss_place *place);

#endif
