#define _XOPEN_SOURCE 700 // realpath()
#define _DEFAULT_SOURCE // PATH_MAX

#include "store/mount.h"

#include "base/mem.h"

#include <limits.h>
#include <stdio.h>  // getline()
#include <stdlib.h> // free(), realpath()
#include <string.h> // memcpy(), strrchr(), strstr()

/* Shared by several machines. 9p and virtiofs: by a virtual machine and its host. */
static const char *const networks[] = {
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "davfs",
    "fuse.ceph",
    "fuse.davfs2",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.smbnetfs",
    "fuse.sshfs",
    "fuse.vmhgfs-fuse",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "prl_fs",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
};

bool
ss_mount_is_network(const char *type)
{
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if (strcmp(networks[i], type) == 0) {
            return true;
        }
    }
    return false;
}

/* A mount point has blanks and the like as \040, three octal digits. In place. */
static void
decode(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0';) {
        unsigned value = 0;
        int n = 0;
        while (p[0] == '\\' && n < 3 && p[n + 1] >= '0' && p[n + 1] <= '7') {
            value = value * 8 + (unsigned)(p[++n] - '0');
        }
        *to++ = n == 3 ? (char)value : *p;
        p += n == 3 ? 4 : 1;
    }
    *to = '\0';
}

/* How many bytes of `path` a mount point covers; -1: it is not in it. */
static int
covers(const char *point, const char *path)
{
    size_t n = strlen(point);

    if (strcmp(point, "/") == 0) {
        return path[0] == '/' ? 1 : -1;
    }
    return strncmp(point, path, n) == 0 && (path[n] == '/' || path[n] == '\0') ? (int)n
                                                                               : -1;
}

/* "36 35 98:0 /root /point options ... - type source options": its point and type, cut out
 * of the line. */
static bool
split(char *line, char **point, char **type)
{
    char *at = line, *dash = strstr(line, " - ");

    for (int field = 0; field < 4 && at != NULL; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || dash == NULL || dash < at) {
        return false;
    }
    *point = at;
    *type = dash + 3;
    at[strcspn(at, " ")] = '\0';
    (*type)[strcspn(*type, " \n")] = '\0';
    decode(*point);
    return true;
}

/* The folder of the path without symbolic links: a mount may be behind one. */
static void
real_folder(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    char *given = ss_strndup(path, n);

    if (given == NULL || realpath(given, folder) == NULL) {
        folder[0] = '\0';
    }
    ss_free(given);
}

void
ss_mount_type_in(const char *list, const char *path, char type[SS_MOUNT_TYPE_SIZE])
{
    char folder[PATH_MAX], *line = NULL, *point, *its_type;
    size_t size = 0;
    int best = -1;
    FILE *file = fopen(list, "re");

    type[0] = '\0';
    real_folder(path, folder);
    while (file != NULL && getline(&line, &size, file) > 0) {
        int n = split(line, &point, &its_type) ? covers(point, folder) : -1;
        if (n >= best &&
            n > 0) { /* of two on one point the later one hides the other */
            best = n;
            (void)snprintf(type, SS_MOUNT_TYPE_SIZE, "%s", its_type);
        }
    }
    free(line);
    if (file != NULL) {
        (void)fclose(file);
    }
}

void
ss_mount_type(const char *path, char type[SS_MOUNT_TYPE_SIZE])
{
    ss_mount_type_in("/proc/self/mountinfo", path, type);
}
