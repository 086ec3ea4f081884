/* db_case: what the tests of db/ do again and again, in short words: a db on the file of
 * scratch.h, rows of overview_kpis, our tables and free SQL.
 *
 * What fails here says why in err.  A result below zero is -code. */
#ifndef SS_TESTS_DB_CASE_H
#define SS_TESTS_DB_CASE_H

#include "db/free.h"
#include "db/read.h"
#include "err.h"
#include "scratch.h"

/* ---- a db ---- */

ss_db *new_db(const char *file, ss_mode mode);
/* A new file of that name, connected to. */
ss_db *open_new(const char *name);
void close_db(ss_db *db);
/* How often somebody has waited for the writer. */
int64_t waits(ss_db *db);

enum { DAY0 = 20089, N_DAYS = 60 }; /* from 2025-01-01 on */

/* The same with N_DAYS; overview: every day; funnel: three stages on every second;
 * trends: every day; realtime: every six hours; configurations: five. */
ss_db *filled(const char *name);

/* Run SQL on the file through a connection of its own, as another program would. */
ss_status outside(const char *sql);
int64_t outside_int(const char *sql);

/* ---- our tables ---- */

int table(const char *name);
int16_t column(int index, const char *name);
ss_value int_value(int64_t i);
ss_value day_value(int64_t i);
ss_value text_value(const char *s);

/* Add one row of overview_kpis; its id. */
int64_t add_kpi(ss_db *db, int64_t day, int64_t customers, ss_conflict conflict);
/* total_customers of one row by its day; how many rows it has, negative, if not one. */
int64_t customers(ss_db *db, int64_t day);
int64_t count_rows(ss_db *db, const char *name);

/* New; NULL when it failed. */
ss_batch *read_rows(ss_db *db, const ss_request *request);
int64_t n_read(ss_db *db, const ss_request *request);
/* As an integer; -777 is NULL. */
int64_t cell(const ss_batch *batch, const char *name, int64_t row);

/* ---- free SQL, and the blocks of this thread ---- */

ss_status execute(ss_db *db, const ss_call *call, const char *sql, int64_t *changed);
int64_t query_int(ss_db *db, const char *sql);

ss_status block_begin(ss_db *db);
ss_status block_end(ss_db *db, bool commit);
ss_status snapshot_begin(ss_db *db);
ss_status snapshot_end(ss_db *db);

#endif
