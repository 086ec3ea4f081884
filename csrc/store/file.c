/* Looks with stat() only: opening the database file and closing it again would drop the
 * locks that SQLite holds on it for this process.
 */
#define _POSIX_C_SOURCE 200809L

#include "store/file.h"

#include <errno.h>
#include <fcntl.h> // AT_EACCESS
#include <limits.h>
#include <stdio.h>    // snprintf()
#include <string.h>   // strcmp(), strrchr(), memcpy()
#include <sys/stat.h> // stat()
#include <unistd.h>   // faccessat()

static ss_status
look(const char *path, ss_file_id *id, struct stat *st, ss_error *err)
{
    if (stat(path, st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return ss_error_set(err, SS_REPLACED,
                                "%s was removed or renamed since it was opened", path);
        }
        return ss_error_set(err, SS_OPERATIONAL, "%s cannot be reached any more", path);
    }
    if (!id->known) {
        id->device = (uint64_t)st->st_dev;
        id->inode = (uint64_t)st->st_ino;
        id->known = true;
    }
    else if (st->st_dev != id->device || st->st_ino != id->inode) {
        return ss_error_set(err, SS_REPLACED,
                            "%s was replaced by another file since it was opened",
                            path);
    }
    return SS_OK;
}

ss_status
ss_file_same(const char *path, ss_file_id *id, ss_error *err)
{
    struct stat st;

    return look(path, id, &st, err);
}

ss_status
ss_file_look(const char *path, ss_file_id *id, ss_file_facts *out, ss_error *err)
{
    struct stat st;
    ss_status rc = look(path, id, &st, err);

    if (rc == SS_OK) {
        out->size = st.st_size;
        out->modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    return rc;
}

/* A missing file: is that fine, and can it be made? */
static ss_status
check_missing(const char *path, bool create, ss_error *err)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    struct stat st;

    if (!create) {
        return ss_error_set(err, SS_OPERATIONAL, "no such file: %s", path);
    }
    if (n >= sizeof(folder)) {
        return ss_error_set(err, SS_OPERATIONAL, "the path is too long: %s", path);
    }
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (stat(folder, &st) != 0) {
        return ss_error_set(err, SS_OPERATIONAL, "no such folder: %s", folder);
    }
    if (!S_ISDIR(st.st_mode)) {
        return ss_error_set(err, SS_OPERATIONAL, "not a folder: %s", folder);
    }
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0) {
        return ss_error_set(err, SS_OPERATIONAL, "no permission to create %s", path);
    }
    return SS_OK;
}

ss_status
ss_file_check(const char *path, bool create, ss_error *err)
{
    struct stat st;

    if (strcmp(path, ":memory:") == 0) {
        return SS_OK;
    }
    if (path[0] != '/') {
        return ss_error_set(err, SS_INTERNAL, "not an absolute path: %s", path);
    }
    if (stat(path, &st) != 0) {
        switch (errno) {
        case ENOENT:
        case ENOTDIR:
            return check_missing(path, create, err);
        case EACCES:
            return ss_error_set(err, SS_OPERATIONAL, "no permission to reach %s", path);
        case ENAMETOOLONG:
            return ss_error_set(err, SS_OPERATIONAL, "the path is too long: %s", path);
        default:
            return SS_OK; /* SQLite will say */
        }
    }
    if (S_ISDIR(st.st_mode)) {
        return ss_error_set(err, SS_OPERATIONAL, "%s is a folder, not a database file",
                            path);
    }
    if (!S_ISREG(st.st_mode)) { /* opening a FIFO would wait for ever */
        return ss_error_set(err, SS_OPERATIONAL, "%s is not a regular file", path);
    }
    if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) {
        return ss_error_set(err, SS_OPERATIONAL, "no permission to read %s", path);
    }
    return SS_OK;
}

int64_t
ss_file_bytes(const char *path, const char *ending)
{
    char name[PATH_MAX];
    struct stat st;
    int n = snprintf(name, sizeof(name), "%s%s", path, ending);

    return path[0] == '/' && n > 0 && (size_t)n < sizeof(name) && stat(name, &st) == 0
               ? (int64_t)st.st_size
               : 0;
}
