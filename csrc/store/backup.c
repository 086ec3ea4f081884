/* store/backup: SQLite's online backup, from a connection of its own.
 *
 * Owns both connections while it runs; any thread, no lock of ours.  The database file is
 * read through SQLite alone: a descriptor of it opened and closed here would drop the
 * locks of the process.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE // O_DIRECTORY

#include "store/backup.h"

#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>  // errno
#include <fcntl.h>  // open()
#include <stdio.h>  // rename(), snprintf()
#include <string.h> // strlen(), strrchr()
#include <unistd.h> // access(), close(), fsync(), unlink()

enum { PAGES_A_STEP = 256, PAUSE_US = 10000 };

static ss_status
system_error(const char *what, const char *path, ss_error *err)
{
    char text[128];
    int number = errno;
    if (strerror_r(number, text, sizeof(text)) != 0) {
        snprintf(text, sizeof(text), "error %d", number);
    }
    return ss_error_set(err, number == ENOSPC ? SS_DISK_FULL : SS_OPERATIONAL,
                        "cannot %s %s: %s", what, path, text);
}

/* Step until the copy is whole; others may hold locks meanwhile. */
static ss_status
run_steps(sqlite3_backup *backup, ss_conn *to, int64_t busy_ms, const ss_call *call,
          ss_error *err)
{
    int64_t until = ss_clock_ms() + busy_ms, last_check = 0;
    for (;;) {
        if (call != NULL) {
            SS_TRY(ss_call_poll(call, &last_check, err));
        }
        int rc = sqlite3_backup_step(backup, PAGES_A_STEP);
        if (rc == SQLITE_DONE) {
            return SS_OK;
        }
        if (rc == SQLITE_OK) {
            until = ss_clock_ms() + busy_ms;
        }
        else if ((rc == SQLITE_BUSY || rc == SQLITE_LOCKED) && ss_clock_ms() < until) {
            ss_sleep_us(PAUSE_US);
        }
        else {
            return ss_conn_error(to, rc, "writing the backup", err);
        }
    }
}

static ss_status
copy(const char *source, const char *target, int64_t busy_ms, const ss_call *call,
     ss_error *err)
{
    ss_conn_options reading = {
        .path = source, .flags = SS_CONN_READ_ONLY, .busy_ms = busy_ms, .call = call};
    ss_conn_options writing = {
        .path = target, .flags = SS_CONN_CREATE, .busy_ms = busy_ms, .call = call};
    ss_conn *from = NULL, *to = NULL;
    ss_status status = ss_conn_open(&reading, &from, err);
    if (status == SS_OK) {
        status = ss_conn_open(&writing, &to, err);
    }
    if (status == SS_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(ss_conn_handle(to), "main",
                                                     ss_conn_handle(from), "main");
        status = backup != NULL ? run_steps(backup, to, busy_ms, call, err)
                                : ss_conn_error(to, sqlite3_errcode(ss_conn_handle(to)),
                                                "beginning the backup", err);
        int rc = sqlite3_backup_finish(backup);
        if (status == SS_OK && rc != SQLITE_OK) {
            status = ss_conn_error(to, rc, "ending the backup", err);
        }
    }
    ss_conn_close(to);
    ss_conn_close(from);
    return status;
}

/* Also the folder, so that the new name outlives a power cut. */
static ss_status
flush(const char *path, int flags, ss_error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return system_error("open", path, err);
    }
    ss_status status = fsync(fd) == 0 ? SS_OK : system_error("flush", path, err);
    (void)close(fd);
    return status;
}

static ss_status
flush_folder(const char *path, ss_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? ss_strdup(".")
                   : slash == path ? ss_strdup("/")
                                   : ss_strndup(path, (size_t)(slash - path));
    if (folder == NULL) {
        return ss_error_nomem(err);
    }
    ss_status status = flush(folder, O_RDONLY | O_DIRECTORY, err);
    ss_free(folder);
    return status;
}

static char *
with_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), n_ending = strlen(ending);
    char *both = ss_malloc(n + n_ending + 1);
    if (both != NULL) {
        memcpy(both, path, n);
        memcpy(both + n, ending, n_ending + 1);
    }
    return both;
}

/* The unfinished copy and its journal. */
static void
remove_part(const char *part, const char *journal)
{
    (void)unlink(part);
    (void)unlink(journal);
}

static ss_status
write_part(const char *source, const char *target, const char *part, int64_t busy_ms,
           const ss_call *call, ss_error *err)
{
    SS_TRY(copy(source, part, busy_ms, call, err));
    SS_TRY(flush(part, O_RDWR, err));
    if (access(target, F_OK) == 0) {
        return ss_error_set(err, SS_OPERATIONAL, "the file %s exists already", target);
    }
    if (rename(part, target) != 0) {
        return system_error("name", target, err);
    }
    ss_status status = flush_folder(target, err);
    if (status != SS_OK) {
        (void)unlink(target);
    }
    return status;
}

ss_status
ss_backup_file(const char *source, const char *target, int64_t busy_ms,
               const ss_call *call, ss_error *err)
{
    if (access(target, F_OK) == 0) {
        return ss_error_set(err, SS_OPERATIONAL,
                            "the file %s exists already; a backup overwrites nothing",
                            target);
    }
    char *part = with_ending(target, ".part");
    char *journal = with_ending(target, ".part-journal");
    ss_status status;
    if (part == NULL || journal == NULL) {
        status = ss_error_nomem(err);
    }
    else {
        remove_part(part, journal); /* of one that was killed */
        status = write_part(source, target, part, busy_ms, call, err);
        if (status != SS_OK) {
            remove_part(part, journal);
        }
    }
    ss_free(part);
    ss_free(journal);
    return status;
}
