/* disk: what a database's files can be after the power failed.
 *
 * Through tests/c/rig it writes down every operation on a database, its -wal and its
 * -journal, in order, together with what the test notes (begun, acknowledged).  From
 * that it makes images: the files as they may stand if the power fails at some point.
 * What was synchronised is there.  Of what was not, each sector is there or not, in any
 * order; so is a change of size, and a new or deleted name whose folder was not yet
 * synchronised.  The wal-index is memory of the processes and is gone.
 *
 * Bytes of a sector that were not written stay as they were (SQLite's "powersafe
 * overwrite", which its unix VFS relies on).
 */
#ifndef SS_TESTS_DISK_H
#define SS_TESTS_DISK_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { DISK_BEGUN, DISK_ACKED } disk_note;

/* From now on record `path` (absolute); what is there counts as safe on disk. */
void disk_record(const char *path);
/* Any thread: `n` has been begun, is acknowledged. */
void disk_tell(disk_note note, int n);
/* No more is recorded; what was is kept until disk_forget. */
void disk_stop(void);
void disk_forget(void);

/* How many points there are to fail at: before the first event ... after the last. */
int disk_n_points(void);
/* Notes of all events before `point`: true in out[n] for each n < size told. */
void disk_notes(int point, disk_note note, bool *out, int size);

typedef enum {
    DISK_NOTHING,    /* nothing that was not synchronised is there */
    DISK_EVERYTHING, /* as after the end of the process alone */
    DISK_WHOLE,      /* each write is there or not */
    DISK_TORN_512,   /* each sector of each write is there or not */
    DISK_TORN_4096,
    DISK_WAYS,
} disk_way;

/* Write the files as of `point` to `path`, "-wal" and "-journal" beside it. */
void disk_image(int point, disk_way way, uint64_t *seed, const char *path);

/* The next number of a chain of them that look like chance. */
uint64_t disk_random(uint64_t *seed);

#endif
