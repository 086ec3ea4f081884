/* db/split: can a selection be read in parts, and where are the cuts?
 *
 * A part is a selection of its own, and the parts in their order are the whole answer in
 * its order. There are two ways to cut:
 *
 *     row ids   for answers in the order of row ids. The table itself is read, from one
 *               row id to another, and the conditions of the selection stand in every part.
 *     time      for answers whose first order is the time column, where an index finds a
 *               range of time. Rows of one time stay in one part.
 *
 * What SQLite would do with the selection is asked, not guessed, and rows are counted in
 * an index, so that only what visits many rows is cut: those that a filter drops cost a
 * visit, too. Where SQLite has a better way to few rows, the answer is no.
 */
#ifndef SS_DB_SPLIT_H
#define SS_DB_SPLIT_H

#include "catalog/sql.h"
#include "db/db.h"

typedef struct {
    int64_t file_size; /* bytes, the log included */
    int n_parts;       /* after ss_split_cut */
    /* --- private --- */
    const ss_table_desc *table; /* these three are borrowed */
    const ss_table_layout *layout;
    const ss_select *select;
    ss_select
        visited; /* what is read of the table: the selection without its filters */
    bool by_time, counted;
    int64_t first_id, last_id;
    uint64_t ids_each; /* of a part */
    int64_t *cuts; /* owned: where in time each part but the first begins, ascending */
} ss_split;

/* When to ask: before the statement runs that reads all, or only when that has given
 * SS_SPLIT_LATER rows, so that few rows cost nothing. It is early where SQLite hands out
 * no row before it has found and sorted all of them. */
enum { SS_SPLIT_LATER = 2048 };
bool ss_split_early(const ss_table_desc *table, const ss_select *select);

/* In which order is a window read the fastest, where any will do?  *by_time: in that of
 * the time's index, which leads from row to row; else by row id, over the whole table,
 * because so much of it lies in the window that going to and fro would take longer. */
ss_status ss_split_order(ss_access *access, const ss_table_desc *table,
                         const ss_table_layout *layout, const ss_window *window,
                         bool *by_time, ss_error *err) SS_MUST_CHECK;

/* Is it worth it?  *worth false: read it with one statement. In any case the split is to
 * be freed. For few rows in a window that is a look at them in an index. */
ss_status ss_split_find(ss_access *access, const ss_table_desc *table,
                        const ss_table_layout *layout, const ss_select *select,
                        ss_split *out, bool *worth, ss_error *err) SS_MUST_CHECK;
/* Cut, in the transaction that the parts are read in. *worth may turn out false. */
ss_status ss_split_cut(ss_access *access, ss_split *split, bool *worth, ss_error *err)
    SS_MUST_CHECK;
/* Part number `part` as a selection; what it points to is that of the whole. */
void ss_split_part(const ss_split *split, int part, ss_select *out);
void ss_split_free(ss_split *split);

#endif
