/* rig: a VFS between SQLite and the disk that tells of every operation before it is done
 * and does what it is answered: go on, fail, or only say that it was done.
 *
 * Once installed it is the default, so connections of ours and of stock SQLite alike go
 * through it; RIG_PLAIN is the name of the one below.  What gives something back (an
 * unlock, a close) is neither told nor failed: SQLite takes no answer to it.
 */
#ifndef SS_TESTS_RIG_H
#define SS_TESTS_RIG_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define RIG_PLAIN "unix"

typedef enum {
    RIG_OPEN,
    RIG_READ,
    RIG_WRITE,
    RIG_TRUNCATE,
    RIG_SYNC,
    RIG_DELETE,
    RIG_LOCK,
    RIG_SHMMAP,
    RIG_SHMLOCK,
    RIG_UNFETCH, /* once a connection has seen that the wal-index changed */
    RIG_KINDS,
} rig_kind;

typedef struct {
    rig_kind kind;
    const char *path;   /* borrowed; "" for a temporary file */
    const void *data;   /* WRITE: what, borrowed */
    int n;              /* READ, WRITE: bytes */
    int64_t at;         /* READ, WRITE: where; TRUNCATE: the new size */
    bool folder_synced; /* DELETE: the folder is synchronised, too */
} rig_op;

/* To answer: the operation is not done and said to be; not for OPEN and READ. */
enum { RIG_PRETEND = -1 };

/* SQLITE_OK: do it; RIG_PRETEND; or the result code to fail with.  Runs on the thread of
 * the operation, inside SQLite.  What it does itself is told, too. */
typedef int (*rig_hook)(const rig_op *op, void *arg);

void rig_install(void);
/* NULL: nobody listens.  While no operation runs. */
void rig_listen(rig_hook hook, void *arg);

#endif
