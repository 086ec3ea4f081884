/* Steps: a part file is made (O_EXCL), SQLite copies into it, it is closed by SQLite, its
 * header is set to rollback-journal mode, it is flushed, renamed, and the folder is
 * flushed. The part needs no journal and no flushing by SQLite: until it has its name,
 * nobody misses it.
 */
#define _GNU_SOURCE // renameat2()

#include "store/copy.h"

#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h> // open()
#include <limits.h>
#include <stdio.h>    // renameat2(), rename(), snprintf()
#include <string.h>   // strlen(), strrchr(), strerror_r()
#include <sys/stat.h> // stat()
#include <unistd.h>   // close(), fsync(), unlink()

enum {
    PAGES_A_STEP = 256,
    HEADER_VERSIONS = 18, /* where a database says that it is in WAL mode: two bytes */
    VERSION_WAL = 2,
    VERSION_ROLLBACK = 1,
};

struct ss_copy {
    char *target, *part;    /* owned */
    ss_conn *to;            /* owned; NULL once it is copied */
    sqlite3_backup *backup; /* owned; likewise */
    bool overwrite, has_part;
    int done, total;
};

/* ---- the target ---- */

static ss_status
system_error(const char *what, const char *path, ss_error *err)
{
    int number = errno;
    char buffer[128];
    const char *text = strerror_r(number, buffer, sizeof(buffer)); /* GNU's */
    bool full = number == ENOSPC || number == EDQUOT;

    return ss_error_set(err, full ? SS_DISK_FULL : SS_OPERATIONAL, "cannot %s %s: %s",
                        what, path, text);
}

/* `path` and `ending` in one. False: too long. */
static bool
beside(char *out, size_t size, const char *path, const char *ending)
{
    int n = snprintf(out, size, "%s%s", path, ending);
    return n > 0 && (size_t)n < size;
}

static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
enum { N_ENDINGS = sizeof(endings) / sizeof(endings[0]) };

/* Is the target one of the source's files, by name or by inode? */
static ss_status
check_other(const ss_copy_options *o, ss_error *err)
{
    char name[PATH_MAX];
    struct stat target, own;
    bool exists = stat(o->target, &target) == 0;

    for (int i = 0; i < N_ENDINGS; i++) {
        bool fits = beside(name, sizeof(name), o->path, endings[i]);
        bool same = fits && exists && stat(name, &own) == 0 &&
                    own.st_dev == target.st_dev && own.st_ino == target.st_ino;
        if (fits && (same || strcmp(name, o->target) == 0)) {
            return ss_error_set(err, SS_VALUE,
                                "path: %s is a file of the database itself; a backup "
                                "needs another name",
                                o->target);
        }
    }
    return SS_OK;
}

static ss_status
check_target(const ss_copy_options *o, ss_error *err)
{
    char name[PATH_MAX];
    struct stat st;

    SS_TRY(check_other(o, err));
    if (lstat(o->target, &st) == 0) {
        if (!S_ISREG(st.st_mode)) {
            return ss_error_set(err, SS_OPERATIONAL,
                                "%s exists and is not a regular file", o->target);
        }
        if (!o->overwrite) {
            return ss_error_set(err, SS_OPERATIONAL, "%s exists already; %s", o->target,
                                o->hint);
        }
    }
    for (int i = 1; i < N_ENDINGS; i++) {
        if (!beside(name, sizeof(name), o->target, endings[i])) {
            return ss_error_set(err, SS_OPERATIONAL, "the path is too long: %s",
                                o->target);
        }
        if (lstat(name, &st) == 0) {
            return ss_error_set(err, SS_OPERATIONAL,
                                "%s is there: the file that it belongs to is open or "
                                "was not closed, and SQLite would take it for the "
                                "backup's",
                                name);
        }
    }
    return SS_OK;
}

/* With the permissions of the source, as far as the process's mask lets them through, and
   ours to write, for SQLite opens it by its name: the source may be read-only. */
static ss_status
make_part(ss_copy *copy, const char *source, ss_error *err)
{
    uint64_t number;
    char ending[64];
    struct stat st;
    mode_t mode = stat(source, &st) == 0 ? (st.st_mode & 0666) | 0600 : 0644;

    sqlite3_randomness((int)sizeof(number), &number);
    (void)snprintf(ending, sizeof(ending), ".%016llx.backup-part",
                   (unsigned long long)number);
    size_t n = strlen(copy->target) + strlen(ending) + 1;
    copy->part = ss_malloc(n);
    if (copy->part == NULL) {
        return ss_error_nomem(err);
    }
    (void)beside(copy->part, n, copy->target, ending);
    int fd = open(copy->part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    if (fd < 0) {
        return system_error("create", copy->part, err);
    }
    (void)close(fd);
    copy->has_part = true;
    return SS_OK;
}

/* ---- copying ---- */

static ss_status
open_part(ss_copy *copy, ss_conn *source, ss_error *err)
{
    ss_conn_options options = {.path = copy->part, .durability = SS_DURABILITY_OFF};

    SS_TRY(ss_conn_open(&options, &copy->to, err));
    SS_TRY(ss_conn_exec(copy->to, "PRAGMA journal_mode = MEMORY", err));
    sqlite3 *to = ss_conn_handle(copy->to);
    copy->backup = sqlite3_backup_init(to, "main", ss_conn_handle(source), "main");
    return copy->backup != NULL ? SS_OK
                                : ss_conn_error(copy->to, sqlite3_extended_errcode(to),
                                                "beginning the backup", err);
}

ss_status
ss_copy_begin(ss_conn *source, const ss_copy_options *options, ss_copy **out,
              ss_error *err)
{
    SS_TRY(check_target(options, err));
    ss_copy *copy = ss_calloc(1, sizeof(*copy));
    if (copy == NULL) {
        return ss_error_nomem(err);
    }
    copy->overwrite = options->overwrite;
    copy->target = ss_strdup(options->target);
    ss_status rc = copy->target == NULL ? ss_error_nomem(err)
                                        : make_part(copy, options->path, err);
    if (rc == SS_OK) {
        rc = open_part(copy, source, err);
    }
    if (rc != SS_OK) {
        ss_copy_free(copy);
        return rc;
    }
    *out = copy;
    return SS_OK;
}

/* The handles; SQLite keeps what went wrong in the one written to. */
static ss_status
close_handles(ss_copy *copy, const char *what, ss_error *err)
{
    int code = sqlite3_backup_finish(copy->backup); /* NULL is fine */
    ss_status rc = code == SQLITE_OK || err == NULL
                       ? SS_OK
                       : ss_conn_error(copy->to, code, what, err);
    copy->backup = NULL;
    ss_conn_close(copy->to);
    copy->to = NULL;
    return rc;
}

ss_status
ss_copy_run(ss_copy *copy, const ss_call *call, int64_t slice_ms, bool *done,
            ss_error *err)
{
    int64_t end = slice_ms < INT64_MAX / 2 ? ss_clock_ms() + slice_ms : INT64_MAX;
    int64_t last_check = ss_clock_coarse_ms();
    int code = SQLITE_OK;

    while (code == SQLITE_OK && ss_clock_ms() < end) {
        if (call != NULL) {
            SS_TRY(ss_call_poll(call, &last_check, err));
        }
        code = sqlite3_backup_step(copy->backup, PAGES_A_STEP);
        copy->total = sqlite3_backup_pagecount(copy->backup);
        copy->done = copy->total - sqlite3_backup_remaining(copy->backup);
    }
    if (code == SQLITE_OK) {
        *done = false;
        return SS_OK;
    }
    SS_TRY(close_handles(copy, "writing the backup", err));
    if (code != SQLITE_DONE) { /* a lock: SQLite does not keep that one */
        return ss_error_set(err, SS_OPERATIONAL, "writing the backup: %s",
                            sqlite3_errstr(code));
    }
    *done = true;
    return SS_OK;
}

void
ss_copy_pages(const ss_copy *copy, int *done, int *total)
{
    *done = copy->done;
    *total = copy->total;
}

/* ---- publishing ---- */

/* A copy of a file in WAL mode says so in its header, and could then not be read where no
 * -wal can be made. SQLite has closed the part, and nobody else knows its name. */
static ss_status
leave_wal_mode(int fd, const char *path, ss_error *err)
{
    unsigned char versions[2];

    if (pread(fd, versions, 2, HEADER_VERSIONS) != 2) {
        return system_error("read", path, err);
    }
    if (versions[0] != VERSION_WAL) {
        return SS_OK;
    }
    versions[0] = versions[1] = VERSION_ROLLBACK;
    return pwrite(fd, versions, 2, HEADER_VERSIONS) == 2
               ? SS_OK
               : system_error("write", path, err);
}

static ss_status
flush_part(const char *path, ss_error *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return system_error("open", path, err);
    }
    ss_status rc = leave_wal_mode(fd, path, err);
    if (rc == SS_OK && fsync(fd) != 0) {
        rc = system_error("flush", path, err);
    }
    if (close(fd) != 0 && rc == SS_OK) { /* where writes are reported late */
        rc = system_error("close", path, err);
    }
    return rc;
}

static ss_status
flush_folder(const char *path, ss_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = ss_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (folder == NULL) {
        return ss_error_nomem(err);
    }
    ss_status rc = SS_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot flush a folder, and say EINVAL. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
        rc = system_error("flush", folder, err);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    ss_free(folder);
    return rc;
}

/* Without `overwrite`, never over a file that somebody made meanwhile. */
static int
rename_part(const ss_copy *copy)
{
    struct stat st;

    if (copy->overwrite) {
        return rename(copy->part, copy->target);
    }
    int rc = renameat2(AT_FDCWD, copy->part, AT_FDCWD, copy->target, RENAME_NOREPLACE);
    if (rc == 0 || (errno != EINVAL && errno != ENOSYS)) {
        return rc;
    }
    /* A file system without that: as close to it as can be. */
    if (lstat(copy->target, &st) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(copy->part, copy->target);
}

ss_status
ss_copy_publish(ss_copy *copy, ss_error *err)
{
    SS_TRY(flush_part(copy->part, err));
    if (rename_part(copy) != 0) {
        return system_error("make", copy->target, err);
    }
    copy->has_part = false;
    return flush_folder(copy->target, err);
}

/* ---- the end ---- */

void
ss_copy_forget(ss_copy *copy)
{
    ss_free(copy->target);
    ss_free(copy->part);
    ss_free(copy);
}

void
ss_copy_free(ss_copy *copy)
{
    if (copy == NULL) {
        return;
    }
    (void)close_handles(copy, NULL, NULL);
    if (copy->has_part) {
        (void)unlink(copy->part);
    }
    ss_copy_forget(copy);
}

/* ---- all at once ---- */

/* A transaction holds the state that is copied. */
static ss_status
copy_from(ss_conn *from, const ss_copy_options *options, const ss_call *call,
          ss_error *err)
{
    ss_copy *copy = NULL;
    bool done = false;

    SS_TRY(ss_conn_exec(from, "BEGIN; SELECT 1 FROM sqlite_schema", err));
    SS_TRY(ss_copy_begin(from, options, &copy, err));
    ss_status rc = ss_copy_run(copy, call, INT64_MAX, &done, err);
    if (rc == SS_OK) {
        rc = ss_copy_publish(copy, err);
    }
    ss_copy_free(copy);
    return rc;
}

ss_status
ss_copy_file(const char *source, const char *target, int64_t busy_ms,
             const ss_call *call, ss_error *err)
{
    const ss_conn_options reading = {
        .path = source, .flags = SS_CONN_READ_ONLY, .busy_ms = busy_ms, .call = call};
    const ss_copy_options options = {
        .path = source, .target = target, .hint = "a backup overwrites nothing"};
    ss_conn *from = NULL;

    SS_TRY(ss_conn_open(&reading, &from, err));
    ss_status rc = copy_from(from, &options, call, err);
    ss_conn_close(from);
    return rc;
}
