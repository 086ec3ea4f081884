/* store/mount: on what kind of file system a file is or would be.
 *
 * SQLite's write-ahead log needs memory that is shared by all who have the file open, so
 * it works on one machine only; a network file system hides that there are several. The
 * type comes from the list of mounts: statfs() cannot tell virtiofs or sshfs from other
 * FUSE file systems. Reads /proc, never the file; any thread, no lock.
 */
#ifndef SS_STORE_MOUNT_H
#define SS_STORE_MOUNT_H

#include "base/status.h"

enum { SS_MOUNT_TYPE_SIZE = 64 };

/* The type of the file system that the folder of `path` (absolute) is on, as
 * /proc/self/mountinfo says ("ext4", "nfs4", "fuse.sshfs"); "" when it cannot be told. */
void ss_mount_type(const char *path, char type[SS_MOUNT_TYPE_SIZE]);
/* The same from a list of mounts in that form. */
void ss_mount_type_in(const char *list, const char *path,
                      char type[SS_MOUNT_TYPE_SIZE]);
bool ss_mount_is_network(const char *type);

#endif
