/* catalog/sql: the one place where SQL text for our tables is made.
 *
 * Names come from the descriptors and the file's layout only; every value becomes a
 * parameter.  The dialect is an argument, so that another engine is another case here
 * and nowhere above.  Pure functions over constant data: any thread, no lock.
 *
 * Days and instants: a file of the current version holds them in one canonical text
 * form (its CHECKs see to that), so plain comparison of text is comparison in time and
 * an index serves it.  A legacy file mixes forms; there a wide text range (a day more
 * on both sides, for what an offset may shift) lets an index do the rough work and
 * ss_day()/ss_instant(), which every connection of ours has, decide exactly.
 */
#ifndef SS_CATALOG_SQL_H
#define SS_CATALOG_SQL_H

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"

typedef enum { SS_DIALECT_SQLITE, SS_DIALECT_POSTGRES } ss_dialect;

/* The most terms of an order: each column, the time column and the row id. */
enum { SS_MAX_ORDER = SS_MAX_COLUMNS + 2, SS_MAX_PARAMS = 6 * SS_MAX_COLUMNS };

/* How one of our tables looks in one file. */
typedef struct {
    bool present;
    bool canonical; /* days and instants are in their canonical form */
    const char *stored[SS_MAX_COLUMNS]; /* the column's name there, NULL: absent */
} ss_table_layout;

/* column = value; a NULL value means IS NULL. */
typedef struct {
    int16_t column;
    ss_value value; /* of the column's kind, or NULL */
} ss_filter;

/* Half-open range of the time column, in its unit (days or microseconds). */
typedef struct {
    bool has_from, has_until;
    int64_t from, until;
} ss_window;

typedef struct {
    const int16_t *columns; /* what to read */
    int n_columns;
    const ss_filter *filters;
    int n_filters;
    ss_window window;
    bool newest;                /* only rows of the newest time step among those */
    const ss_order_desc *order; /* column -1: the row id */
    int n_order;
    const ss_value *after; /* NULL, or a place in that order, one value for each term:
                            * only the rows behind it. The last term is the row id */
    int64_t limit;         /* negative: none */
    int64_t offset;
    bool
        paged; /* one row more than the limit is asked for, and behind the columns stand
                 * the terms of the order: what the place of a row consists of */
    bool sink; /* the form that columns/fetch's sink takes: the table itself is read, in
                * the order of its row ids; no other order, no limit, not the newest */
    bool ranged; /* with sink: only the row ids from `first_id` to `last_id` */
    int64_t first_id, last_id;
} ss_select;

/* Text and parameters of one statement. Values are borrowed from the request. */
typedef struct {
    ss_buf text;
    ss_value params[SS_MAX_PARAMS];
    int n_params;
    int first_param; /* index of params[0] in the statement: 1, or 2 with a sink */
    ss_dialect dialect;
} ss_sql;

void ss_sql_init(ss_sql *sql, ss_dialect dialect);
void ss_sql_free(ss_sql *sql);

/* Each returns SS_OK or SS_NOMEM (err set); the statement is in *sql. */
ss_status ss_sql_select(ss_sql *sql, const ss_table_desc *table,
                        const ss_table_layout *layout, const ss_select *select,
                        ss_error *err) SS_MUST_CHECK;
/* The row id of row number `offset` of that selection. */
ss_status ss_sql_rowid_at(ss_sql *sql, const ss_table_desc *table,
                          const ss_table_layout *layout, const ss_select *select,
                          int64_t offset, ss_error *err) SS_MUST_CHECK;
/* A row id, no matter which, that is there if the selection has more than `n` rows. */
ss_status ss_sql_rowid_some(ss_sql *sql, const ss_table_desc *table,
                            const ss_table_layout *layout, const ss_select *select,
                            int64_t n, ss_error *err) SS_MUST_CHECK;
/* One row, two cells: the smallest and the largest row id of the table; NULL, NULL. */
ss_status ss_sql_rowid_bounds(ss_sql *sql, const ss_table_desc *table, ss_error *err)
    SS_MUST_CHECK;
/* One row, two cells: the first and the last time, null for a table without rows. */
ss_status ss_sql_time_bounds(ss_sql *sql, const ss_table_desc *table,
                             const ss_table_layout *layout, ss_error *err)
    SS_MUST_CHECK;
/* One row, three cells: the smallest and the largest row id of that selection, and how
 * many rows it has. */
ss_status ss_sql_rowid_extent(ss_sql *sql, const ss_table_desc *table,
                              const ss_table_layout *layout, const ss_select *select,
                              ss_error *err) SS_MUST_CHECK;
/* The time of row number `offset` of that selection in the order of time. */
ss_status ss_sql_time_at(ss_sql *sql, const ss_table_desc *table,
                         const ss_table_layout *layout, const ss_select *select,
                         int64_t offset, ss_error *err) SS_MUST_CHECK;
/* One row, one cell: how many rows. */
ss_status ss_sql_count(ss_sql *sql, const ss_table_desc *table,
                       const ss_table_layout *layout, const ss_select *select,
                       ss_error *err) SS_MUST_CHECK;
/* The newest day or instant (as stored in canonical files, as a number of days or
 * microseconds in others) among the filtered rows. */
ss_status ss_sql_newest(ss_sql *sql, const ss_table_desc *table,
                        const ss_table_layout *layout, const ss_filter *filters,
                        int n_filters, ss_error *err) SS_MUST_CHECK;
/* The newest row id with this natural key. */
ss_status ss_sql_find(ss_sql *sql, const ss_table_desc *table,
                      const ss_table_layout *layout, const ss_filter *key, int n_key,
                      ss_error *err) SS_MUST_CHECK;
/* Insert these columns; created_at and updated_at are set unless given. The new row id
 * is what sqlite3_last_insert_rowid() says, in the other dialect what the statement
 * yields. */
ss_status ss_sql_insert(ss_sql *sql, const ss_table_desc *table,
                        const ss_table_layout *layout, const ss_filter *values, int n,
                        ss_error *err) SS_MUST_CHECK;
/* What an add does with a row whose natural key is there. */
typedef enum {
    SS_CONFLICT_UPDATE, /* change the columns given */
    SS_CONFLICT_IGNORE, /* leave the row as it is */
    SS_CONFLICT_ERROR,  /* SS_INTEGRITY */
} ss_conflict;

/* Move rows that give the columns of the bits in `given` from columns/ingest's table,
 * whose parameter is ?1, by the rules of an add. For a canonical layout, which has the
 * unique key. */
ss_status ss_sql_move(ss_sql *sql, const ss_table_desc *table,
                      const ss_table_layout *layout, uint64_t given,
                      ss_conflict conflict, ss_error *err) SS_MUST_CHECK;
/* Set these columns, and updated_at unless given, in the rows of `where`, or in the one
 * with row id *rowid when that is not NULL. */
ss_status ss_sql_update(ss_sql *sql, const ss_table_desc *table,
                        const ss_table_layout *layout, const ss_filter *values, int n,
                        const ss_filter *where, int n_where, const int64_t *rowid,
                        ss_error *err) SS_MUST_CHECK;
ss_status ss_sql_delete(ss_sql *sql, const ss_table_desc *table,
                        const ss_table_layout *layout, const ss_filter *where,
                        int n_where, ss_error *err) SS_MUST_CHECK;

#endif
