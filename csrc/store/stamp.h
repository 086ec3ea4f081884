/* store/stamp: what state the database file is in, as a few words that can be compared.
 *
 * Equal stamps mean equal content; that is all they say.  Where they come from:
 *
 *     WAL         the wal-index header, which every commit of every process changes; read
 *                 through the mapping that SQLite itself holds (8 ns)
 *     no WAL      the file's own change counter; read through a connection
 *
 * The header is told apart from an equal one of another life of the WAL by `epoch`: see
 * store/watch, which alone hands out stamps.  The -shm file is never opened here: closing
 * it would drop the locks of the process.
 */
#ifndef SS_STORE_STAMP_H
#define SS_STORE_STAMP_H

#include "store/conn.h"

enum { SS_STAMP_WORDS = 6 }; /* one of the two copies of the header, 48 bytes */

typedef struct {
    uint64_t epoch; /* 0: the state is not known */
    uint64_t words[SS_STAMP_WORDS];
} ss_stamp;

static inline bool
ss_stamp_equal(const ss_stamp *a, const ss_stamp *b)
{
    uint64_t differ = a->epoch ^ b->epoch;

    for (int i = 0; i < SS_STAMP_WORDS; i++) {
        differ |= a->words[i] ^ b->words[i];
    }
    return differ == 0 && a->epoch != 0;
}

/* A wal-index header where SQLite has it mapped: valid as long as any connection of this
 * process to the file is open that was so when it was mapped. */
typedef const volatile uint64_t *ss_wal_header;

/* The header of the file that `conn`, used by the caller alone, is connected to. *out is
 * NULL when the file has no WAL, or it is not to be seen. Reads the file once: only then
 * does SQLite know. */
ss_status ss_stamp_map(ss_conn *conn, ss_wal_header *out, ss_error *err) SS_MUST_CHECK;

/* Copy the header; false in the middle of a commit. The epoch is left alone. */
bool ss_stamp_of_header(ss_wal_header header, ss_stamp *out);

/* The same from the file's own header, for a file without a WAL; false when that cannot be
 * read, or (then *wal) does not count because there is one. Without a lock, the counter
 * may be of a commit under way. */
bool ss_stamp_of_file(ss_conn *conn, bool *wal, ss_stamp *out);

/* What a stamp of either kind says of the content, spelled out. */
typedef struct {
    uint32_t n_frames, n_pages, checksum[2], salt[2];
} ss_wal_state;

ss_wal_state ss_stamp_wal_state(const ss_stamp *stamp);
uint32_t ss_stamp_file_counter(const ss_stamp *stamp);

#endif
