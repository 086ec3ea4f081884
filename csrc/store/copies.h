/* store/copies: other copies of SQLite in this process.
 *
 * SQLite keeps its locks as POSIX locks, which belong to the process: when two copies have
 * one file open, closing it in one drops the locks of the other, and the file is damaged.
 * Ours is the system's shared library, the same as Python's own sqlite3 module has. Asks
 * the loader what is loaded, and reads nothing but that memory. Any thread, no lock.
 */
#ifndef SS_STORE_COPIES_H
#define SS_STORE_COPIES_H

#include "base/buf.h"

/* The files that brought a copy, each with a newline after it. `thorough`: every loaded
 * object is looked through (some milliseconds for each 10 MB); otherwise those alone whose
 * name says that they have to do with SQLite. */
void ss_copies_find(bool thorough, ss_buf *out);

#endif
