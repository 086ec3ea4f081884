#include "db/journal.h"

#include "store/mount.h"

#include <string.h> // strcmp()

static bool
is_memory(const ss_db_options *options)
{
    return strcmp(options->path, ":memory:") == 0;
}

static bool
is_on_network(const ss_db_options *options, char type[SS_MOUNT_TYPE_SIZE])
{
    ss_mount_type(options->path, type);
    return ss_mount_is_network(type);
}

ss_status
ss_journal_of_new(const ss_db_options *options, bool *wal, ss_error *err)
{
    char type[SS_MOUNT_TYPE_SIZE];

    *wal = !is_memory(options) && options->journal != SS_JOURNAL_ROLLBACK;
    if (*wal && options->journal == SS_JOURNAL_AUTO && is_on_network(options, type)) {
        return ss_error_set(err, SS_OPERATIONAL,
                            "%s would be on a network file system (%s), where SQLite's "
                            "write-ahead log damages files: use a local disk, or "
                            "journal=\"rollback\" (slower; readers wait for writers)",
                            options->path, type);
    }
    return SS_OK;
}

bool
ss_journal_wants_wal(const ss_db_options *options)
{
    char type[SS_MOUNT_TYPE_SIZE];

    return !is_memory(options) && options->journal != SS_JOURNAL_ROLLBACK &&
           (options->journal == SS_JOURNAL_WAL || !is_on_network(options, type));
}

ss_status
ss_journal_restore(const ss_db_options *options, ss_conn *conn, ss_layout *layout,
                   ss_error *err)
{
    if (layout->kind != SS_FILE_CURRENT || layout->wal || options->mode == SS_MODE_RO ||
        ss_conn_read_only(conn) || !ss_journal_wants_wal(options)) {
        return SS_OK;
    }
    ss_status status = ss_layout_set_wal(conn, 0, err);
    if (status == SS_OK) {
        layout->wal = true;
    }
    /* As it is will do: others have it open, or nothing can be made beside it. */
    if (status == SS_BUSY || status == SS_READ_ONLY || status == SS_OPERATIONAL ||
        status == SS_DISK_FULL) {
        ss_error_init(err);
        return SS_OK;
    }
    return status;
}
