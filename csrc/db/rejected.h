/* db/rejected: the table `_rejected`, which keeps whole what a migration had no place
 * for: each row as a JSON object of its old columns, and why. */
#ifndef SS_DB_REJECTED_H
#define SS_DB_REJECTED_H

#include "store/stmt.h"

typedef struct {
    const char *table;
    int64_t id;
    int n_columns;
    char *const *names;
    const ss_value *cells;
} ss_rejected_row;

ss_status ss_rejected_create(ss_conn *conn, ss_error *err) SS_MUST_CHECK;
/* The statement that keeps rows; owned by the caller. */
ss_status ss_rejected_prepare(ss_conn *conn, ss_stmt **out, ss_error *err)
    SS_MUST_CHECK;
/* `now` is an instant: since when the row has been there. */
ss_status ss_rejected_keep(ss_stmt *stmt, const ss_rejected_row *row,
                           const char *reason, const ss_value *now, ss_error *err)
    SS_MUST_CHECK;

#endif
