/* scratch: the file that a test works on, in the directory that tests/c/build.py gives
 * each program. */
#ifndef SS_TESTS_SCRATCH_H
#define SS_TESTS_SCRATCH_H

#include <stdbool.h>

/* Of the file; absolute. */
extern char path[512];

/* Now `name` is the file, and neither it nor any that SQLite keeps beside it is there.
 * The new `path`. */
const char *fresh_path(const char *name);
/* Is there a file `path` with `end` appended? */
bool exists(const char *end);

#endif
