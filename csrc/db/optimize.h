/* db/optimize: what keeps a database fast and small: statistics for the query planner, the
 * write-ahead log copied back, and, when asked for, the file rewritten without gaps.
 */
#ifndef SS_DB_OPTIMIZE_H
#define SS_DB_OPTIMIZE_H

#include "db/db.h"

typedef struct {
    int64_t file_bytes, wal_bytes; /* 0 for ":memory:" */
    int64_t pages, free_pages;
} ss_space;

typedef struct {
    ss_space before, after;
    bool vacuumed;
    bool checkpointed; /* the log was looked at; readers may hold some of it back */
} ss_optimized;

/* SS_PROGRAMMING inside this thread's own transaction() or snapshot(). */
ss_status ss_db_optimize(ss_db *db, const ss_call *call, bool vacuum, ss_optimized *out,
                         ss_error *err) SS_MUST_CHECK;

/* How large the database is now. */
ss_status ss_db_measure(ss_db *db, const ss_call *call, ss_space *out, ss_error *err)
    SS_MUST_CHECK;

#endif
