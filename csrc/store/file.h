/* store/file: the database file as a path: can it be opened, and is it still the same?
 *
 * Any thread, without a lock; an ss_file_id belongs to whoever holds the anchor's lease
 * until it is known, and is constant from then on.
 */
#ifndef SS_STORE_FILE_H
#define SS_STORE_FILE_H

#include "base/error.h"

typedef struct {
    bool known;
    uint64_t device, inode;
} ss_file_id;

/* Say plainly, before SQLite does, why `path` (absolute, or ":memory:") cannot be opened:
 * SS_OPERATIONAL. `create`: a missing file is to be made. */
ss_status ss_file_check(const char *path, bool create, ss_error *err) SS_MUST_CHECK;

/* Is the path still the file that was opened?  The first time it takes note of it.
 * SS_REPLACED when it is another one, or gone. */
ss_status ss_file_same(const char *path, ss_file_id *id, ss_error *err) SS_MUST_CHECK;

/* How many bytes the file has whose name is `path` and `ending`; 0 when there is none. */
int64_t ss_file_bytes(const char *path, const char *ending);

/* What else a change of content changes, as far as the file system tells the time. */
typedef struct {
    int64_t size, modified_ns; /* since 1970 */
} ss_file_facts;

/* The same question, answered with these. */
ss_status ss_file_look(const char *path, ss_file_id *id, ss_file_facts *out,
                       ss_error *err) SS_MUST_CHECK;

#endif
