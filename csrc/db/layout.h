/* db/layout: what kind of file this is, and which of our columns it has.
 *
 * A layout is read through any connection and is constant afterwards.
 */
#ifndef SS_DB_LAYOUT_H
#define SS_DB_LAYOUT_H

#include "catalog/sql.h"
#include "store/conn.h"

typedef enum {
    SS_FILE_EMPTY,   /* no table at all */
    SS_FILE_CURRENT, /* made by us: application_id and user_version say so */
    SS_FILE_NEWER,   /* made by a later version of us; read by column name */
    SS_FILE_LEGACY,  /* tables of ours without our marks: the system we replace */
    SS_FILE_FOREIGN, /* other tables only */
} ss_file_kind;

typedef struct ss_layout {
    ss_file_kind kind;
    int64_t user_version;
    int64_t schema_version; /* SQLite's own counter: changes with every DDL */
    bool wal;
    ss_table_layout *tables; /* owned; one for each of ss_tables */
    char **triggers;         /* owned; a trigger on that table, or NULL */
    struct ss_layout
        *older; /* owned; what this one replaced and others may still read */
} ss_layout;

/* SS_SCHEMA when one of our names is no plain table, or the file belongs to another
 * application; the message says what was found. */
ss_status ss_layout_load(ss_conn *conn, ss_layout **out, ss_error *err) SS_MUST_CHECK;
void ss_layout_free(ss_layout *layout);

/* Create all tables in an empty file and mark it as ours, in one transaction; a racing
 * process that was faster is fine. Sets WAL first when `wal`, waiting up to busy_ms for
 * others to let go of the file. */
ss_status ss_layout_create(ss_conn *conn, bool wal, int64_t busy_ms, ss_error *err)
    SS_MUST_CHECK;

/* Switch the file to WAL, waiting up to busy_ms for others to let go of it. */
ss_status ss_layout_set_wal(ss_conn *conn, int64_t busy_ms, ss_error *err)
    SS_MUST_CHECK;

/* Create those of our tables that the file lacks (of a file of ours the indexes, too),
 * inside a transaction that is open. A file that had none of them becomes ours; a legacy
 * file stays one. */
ss_status ss_layout_create_missing(ss_conn *conn, const ss_layout *layout,
                                   ss_error *err) SS_MUST_CHECK;

#endif
