/* db/read: what get_<table>(), select() and count() mean, and running it.
 *
 * The request says what the caller asked for; here it becomes a selection by the
 * table's shape: which rows when nothing is asked, in which order.
 */
#ifndef SS_DB_READ_H
#define SS_DB_READ_H

#include "columns/batch.h"
#include "db/db.h"
#include "store/stamp.h"

typedef struct {
    int table;   /* index into ss_tables */
    bool getter; /* by the table's shape; otherwise a plain selection by row id */
    /* Each a DATE or TIMESTAMP, or NULL when not given. `date` is a day. */
    ss_value date, start, end, as_of;
    const char *period; /* "30d", or NULL */
    size_t n_period;
    const ss_filter *filters;
    int n_filters;
    const int16_t *columns; /* NULL: all */
    int n_columns;
    const ss_order_desc *order; /* NULL: the default */
    int n_order;
    int64_t limit; /* negative: none given */
    int64_t offset;
    const char *after; /* the next_token of the page before, or NULL */
    size_t n_after;
    bool any_order; /* how they are ordered is left to what is fastest */
    bool paged;     /* with a limit: the answer says where the next page begins */
    bool strict;
    bool raw; /* every cell as it is stored, the batch not of the table's types */
    ss_stamp *stamp; /* set to the state the answer shows; NULL: nobody asks */
} ss_request;

/* How many of the newest rows an "events" table gives when nothing is asked for. */
enum { SS_EVENTS_DEFAULT_LIMIT = 100 };

/* An empty request for a table. */
ss_request ss_request_for(int table, bool getter);

/* New reference in *out. */
ss_status ss_db_read(ss_db *db, const ss_call *call, const ss_request *request,
                     ss_batch **out, ss_error *err) SS_MUST_CHECK;
ss_status ss_db_count(ss_db *db, const ss_call *call, const ss_request *request,
                      int64_t *out, ss_error *err) SS_MUST_CHECK;

#endif
