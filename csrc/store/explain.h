/* store/explain: SQLite's result codes as our kinds of error, in words that help. */
#ifndef SS_STORE_EXPLAIN_H
#define SS_STORE_EXPLAIN_H

#include "base/error.h"

#include <sqlite3.h> // sqlite3

/* The connection on which it happened. All borrowed. */
typedef struct {
    sqlite3 *db;
    const char *path;
    int64_t busy_ms; /* how long it waits for a lock */
    bool opened;     /* it has read the file once */
} ss_explained;

/* The kind of error that a result code is, unless more is known. */
ss_code ss_explain_code(int rc);

/* Set err to "<what><colon><why>", the table and columns of a refused row included.
 * Right after the failure: the words are those that the handle keeps of it. */
void ss_explain(const ss_explained *of, int rc, const char *what, const char *colon,
                ss_error *err);

#endif
