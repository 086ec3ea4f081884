/* The format of the wal-index header is part of SQLite's promise to stay compatible
 * ("walformat.html", version 3007000): its fields are read for the version token, and the
 * whole of it is compared for everything else.
 *
 *      0 version   4 unused   8 change counter   12 flags, page size   16 frames
 *     20 pages    24 checksum of the last frame (2)   32 salts (2)   40 checksum (2)
 */
#include "store/stamp.h"

#include <string.h> // strcmp(), memcpy()

enum {
    HEADER_VERSION = 3007000,
    REGION = 32768, /* what SQLite maps at a time */
    FORMAT_AT = 18, /* of the database file: write version, read version */
    COUNTER_AT = 24,
    FILE_BYTES = 10, /* from the formats to the end of the counter */
    FORMAT_ROLLBACK = 1,
};

static sqlite3_file *
file_of(ss_conn *conn)
{
    sqlite3_file *file = NULL;

    (void)sqlite3_file_control(ss_conn_handle(conn), "main", SQLITE_FCNTL_FILE_POINTER,
                               &file);
    return file != NULL && file->pMethods != NULL ? file : NULL;
}

ss_status
ss_stamp_map(ss_conn *conn, ss_wal_header *out, ss_error *err)
{
    char mode[16];
    int64_t count;
    void volatile *region = NULL;

    SS_TRY(ss_conn_int(conn, "SELECT count(*) FROM sqlite_schema", &count, err));
    SS_TRY(ss_conn_text(conn, "PRAGMA journal_mode", mode, sizeof(mode), err));
    sqlite3_file *file = file_of(conn);
    *out = NULL;
    /* On a file without a WAL the call would leave an -shm file behind. */
    if (strcmp(mode, "wal") == 0 && file != NULL && file->pMethods->iVersion >= 2) {
        int rc = file->pMethods->xShmMap(file, 0, REGION, 0, &region);
        /* READONLY: mapped, and others may write it. */
        *out = rc == SQLITE_OK || rc == SQLITE_READONLY ? (ss_wal_header)region : NULL;
    }
    return SS_OK;
}

bool
ss_stamp_of_header(ss_wal_header header, ss_stamp *out)
{
    uint64_t differ = 0, words[SS_STAMP_WORDS];

    /* SQLite writes the second copy first; so equal copies read in this order are one
     * header as it was at some moment after this call began. */
    for (int i = 0; i < SS_STAMP_WORDS; i++) {
        words[i] = header[i];
    }
    atomic_thread_fence(memory_order_seq_cst);
    for (int i = 0; i < SS_STAMP_WORDS; i++) {
        differ |= words[i] ^ header[SS_STAMP_WORDS + i];
    }
    if (differ != 0 || (uint32_t)words[0] != HEADER_VERSION) {
        return false;
    }
    memcpy(out->words, words, sizeof(words));
    return true;
}

bool
ss_stamp_of_file(ss_conn *conn, bool *wal, ss_stamp *out)
{
    sqlite3_file *file = file_of(conn);
    unsigned char bytes[FILE_BYTES];

    *wal = false;
    if (file == NULL ||
        file->pMethods->xRead(file, bytes, FILE_BYTES, FORMAT_AT) != SQLITE_OK) {
        return false;
    }
    if (bytes[0] != FORMAT_ROLLBACK || bytes[1] != FORMAT_ROLLBACK) {
        *wal = true;
        return false;
    }
    memset(out->words, 0, sizeof(out->words));
    memcpy(out->words, bytes, FILE_BYTES);
    return true;
}

static uint32_t
field(const ss_stamp *stamp, size_t at)
{
    uint32_t value;

    memcpy(&value, (const char *)stamp->words + at, sizeof(value));
    return value;
}

ss_wal_state
ss_stamp_wal_state(const ss_stamp *stamp)
{
    return (ss_wal_state){
        .n_frames = field(stamp, 16),
        .n_pages = field(stamp, 20),
        .checksum = {field(stamp, 24), field(stamp, 28)},
        .salt = {field(stamp, 32), field(stamp, 36)},
    };
}

uint32_t
ss_stamp_file_counter(const ss_stamp *stamp)
{
    unsigned char bytes[FILE_BYTES];
    const unsigned char *counter = bytes + (COUNTER_AT - FORMAT_AT);

    memcpy(bytes, stamp->words, FILE_BYTES);
    return (uint32_t)counter[0] << 24 | (uint32_t)counter[1] << 16 |
           (uint32_t)counter[2] << 8 | counter[3];
}
