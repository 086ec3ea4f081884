/* store/copy: a connection's database as a new file that is whole or not there at all.
 *
 * Made with SQLite's online backup, from a read transaction that the caller holds on the
 * source: so it never begins anew, however much others write, and shows one commit. The
 * copy is written under a name of its own beside the target (*.backup-part), flushed to
 * the disk and given its name last. It is one file, without -wal, in rollback-journal
 * mode: it can be read from anywhere, also where nothing can be written.
 *
 * Used by one thread, which has the source connection until ss_copy_free. No GIL.
 */
#ifndef SS_STORE_COPY_H
#define SS_STORE_COPY_H

#include "store/conn.h"

typedef struct ss_copy ss_copy;

typedef struct {
    const char *path;   /* of the source, absolute or ":memory:"; borrowed */
    const char *target; /* absolute; copied */
    bool overwrite;     /* a file of that name is replaced */
    const char *hint;   /* what to do where there is one and it is not; borrowed */
} ss_copy_options;

/* SS_VALUE: the target is the database itself or one of its files. SS_OPERATIONAL: it
 * exists already, is no file, or has a -wal or -journal beside it, which SQLite would take
 * for the copy's. *out is new. */
ss_status ss_copy_begin(ss_conn *source, const ss_copy_options *options, ss_copy **out,
                        ss_error *err) SS_MUST_CHECK;
/* Copy until all is done or slice_ms have passed. `call` may be NULL. */
ss_status ss_copy_run(ss_copy *copy, const ss_call *call, int64_t slice_ms, bool *done,
                      ss_error *err) SS_MUST_CHECK;
/* Pages copied so far, and of how many. */
void ss_copy_pages(const ss_copy *copy, int *done, int *total);
/* All is copied: flush it, and give it its name. */
ss_status ss_copy_publish(ss_copy *copy, ss_error *err) SS_MUST_CHECK;
/* What was not published is removed. NULL is fine. */
void ss_copy_free(ss_copy *copy);
/* In a forked child: free the memory, touch neither handles nor files, which are the
 * parent's. */
void ss_copy_forget(ss_copy *copy);

/* All of it at once, for a file that this thread may hold the write lock of: it is read by
 * a connection of its own. SS_BUSY: somebody has it for himself, for busy_ms. */
ss_status ss_copy_file(const char *source, const char *target, int64_t busy_ms,
                       const ss_call *call, ss_error *err) SS_MUST_CHECK;

#endif
