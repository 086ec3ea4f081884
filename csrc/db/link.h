/* db/link: a db that is one connection, with transactions as its user begins and ends
 * them: what smartshopie_db.dbapi is made of.
 *
 * Such a db belongs to nobody's pool: no layout is read, no table is made, and what it
 * runs is the user's SQL alone. While a transaction is open it keeps its lease,
 * whichever thread began it; otherwise each statement takes it anew. Any thread may call
 * at any time: statements run one after another, in turns. Nothing but these functions,
 * ss_db_connect and what is for fork and exit is called on it.
 */
#ifndef SS_DB_LINK_H
#define SS_DB_LINK_H

#include "base/buf.h"
#include "db/free.h"

/* What begins a transaction before INSERT, UPDATE, DELETE and REPLACE outside one. */
typedef enum {
    SS_BEGIN_NEVER,
    SS_BEGIN_DEFERRED,
    SS_BEGIN_IMMEDIATE,
    SS_BEGIN_EXCLUSIVE,
} ss_begin;

typedef struct {
    int64_t changed; /* rows, by one of those four statements; else -1 */
    int64_t last_id; /* the row id inserted last on this connection */
    int64_t total;   /* rows changed, with those changed by foreign keys */
} ss_link_outcome;

/* Before the first use. */
void ss_link_make(ss_db *db);

/* Is the statement one of those four?  By its first word. */
bool ss_link_changes_rows(const char *sql, size_t n);

/* Run one statement. *out: its rows; NULL when the text holds no statement. `declared`
 * (may be NULL) gets the declared type of each column, each with a NUL after it. */
ss_status ss_link_execute(ss_db *db, const ss_call *call,
                          const ss_free_request *request, ss_begin begin,
                          ss_buf *declared, ss_batch **out, ss_link_outcome *outcome,
                          ss_error *err) SS_MUST_CHECK;
/* Commit what is open, then run all statements, each as it stands. */
ss_status ss_link_script(ss_db *db, const ss_call *call, const char *sql,
                         int64_t *total, ss_error *err) SS_MUST_CHECK;
/* Commit or roll back what is open, if anything is. */
ss_status ss_link_end(ss_db *db, const ss_call *call, bool commit, ss_error *err)
    SS_MUST_CHECK;
bool ss_link_in_transaction(ss_db *db);
/* Roll back what is open, and close. Idempotent. */
ss_status ss_link_close(ss_db *db, const ss_call *call, ss_error *err) SS_MUST_CHECK;

#endif
