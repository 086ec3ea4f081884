/* db/migration: the report of one migration, as it grows. */
#ifndef SS_DB_MIGRATION_H
#define SS_DB_MIGRATION_H

#include "columns/batch.h"

/* What became of one table. Each row read is copied, merged or rejected. */
typedef struct {
    int64_t rows, copied;
    int64_t merged;   /* an older row of the same key: kept in _rejected */
    int64_t rejected; /* it had no key: kept in _rejected */
    /* Cells of the rows copied: */
    int64_t changed; /* written in their canonical form */
    int64_t filled;  /* of the key, taken from elsewhere */
    int64_t cleared; /* that did not fit: NULL now, the row kept in _rejected, too */
} ss_migration_counts;

typedef struct {
    int64_t from_version, to_version; /* equal: there was nothing to do */
    char *backup;                     /* owned; NULL: none was made */
    ss_batch *tables;                 /* owned; table, and the counts above */
    ss_batch *rows;                   /* owned; table, row_id, column, what, detail */
    ss_batch *objects;                /* owned; type, name, table, what, sql */
} ss_migration;

ss_status ss_migration_new(ss_migration **out, ss_error *err) SS_MUST_CHECK;
void ss_migration_free(ss_migration *migration); /* NULL is fine */

/* SS_NOMEM or SS_OK; texts are copied, NULL is NULL. */
ss_status ss_migration_add_table(ss_migration *migration, const char *table,
                                 const ss_migration_counts *counts) SS_MUST_CHECK;
/* One row was filled, cleared, merged or rejected (`what`). */
ss_status ss_migration_add_row(ss_migration *migration, const char *table, int64_t row,
                               const char *column, const char *what, const char *detail)
    SS_MUST_CHECK;
/* An index was dropped, a trigger or a view kept. */
ss_status ss_migration_add_object(ss_migration *migration, const char *type,
                                  const char *name, const char *table, const char *what,
                                  const char *sql) SS_MUST_CHECK;
void ss_migration_finish(ss_migration *migration);

#endif
