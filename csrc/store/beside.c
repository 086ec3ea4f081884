/* The end of a journal that is part of a transaction over several files, big endian:
 *
 *     4  page number    n  name    4  n    4  checksum    8  magic
 *
 * Only the -journal is opened: SQLite takes its locks on the other files.
 */
#define _XOPEN_SOURCE 700 // realpath()

#include "store/beside.h"

#include <ctype.h> // isxdigit()
#include <errno.h>
#include <fcntl.h> // open()
#include <limits.h>
#include <stdio.h>    // snprintf()
#include <stdlib.h>   // realpath(), free()
#include <string.h>   // memcmp(), memchr(), strlen()
#include <sys/stat.h> // lstat()
#include <unistd.h>   // pread(), close()

enum { TAIL = 16, LONGEST = 4096 };

/* SQLite calls a super-journal <file>-mjXXXXXX9XX. */
static bool
is_super_journal(const char *name, size_t n)
{
    enum { N_ENDING = 12, N_MARK = 3, NINE = 9 };
    if (n < N_ENDING || memchr(name, '\0', n) != NULL) {
        return false;
    }
    const char *ending = name + n - N_ENDING;
    for (int i = N_MARK; i < N_ENDING; i++) {
        if (i == NINE ? ending[i] != '9' : !isxdigit((unsigned char)ending[i])) {
            return false;
        }
    }
    return memcmp(ending, "-mj", N_MARK) == 0;
}

/* Does the journal name a file that is no super-journal? */
static bool
names_another(int fd, off_t size)
{
    static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9,
                                          0x20, 0xa1, 0x63, 0xd7};
    unsigned char tail[TAIL];
    char name[LONGEST];
    if (size < TAIL || pread(fd, tail, TAIL, size - TAIL) != TAIL ||
        memcmp(tail + 8, magic, sizeof(magic)) != 0) {
        return false;
    }
    size_t n = (size_t)tail[0] << 24 | (size_t)tail[1] << 16 | (size_t)tail[2] << 8 |
               (size_t)tail[3];
    if (n == 0 || (off_t)n > size - TAIL) {
        return false; /* SQLite reads no name there either */
    }
    return n > LONGEST || pread(fd, name, n, size - TAIL - (off_t)n) != (ssize_t)n ||
           !is_super_journal(name, n);
}

static ss_status
check_journal(const char *path, ss_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    ss_status status = SS_OK;
    if (fd < 0) {
        return SS_OK; /* it has gone, or SQLite will say */
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && names_another(fd, st.st_size)) {
        status = ss_error_set(err, SS_OPERATIONAL,
                              "%s was not made by SQLite: undoing it would delete a "
                              "file that it names",
                              path);
    }
    (void)close(fd);
    return status;
}

static ss_status
check_one(const char *path, ss_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 || S_ISREG(st.st_mode)) {
        return SS_OK;
    }
    return ss_error_set(err, SS_OPERATIONAL,
                        "%s is %s, not a regular file: the database is not opened "
                        "beside it",
                        path, S_ISLNK(st.st_mode) ? "a symbolic link" : "special");
}

ss_status
ss_beside_check(const char *path, ss_error *err)
{
    static const char *const endings[] = {"-wal", "-shm", "-journal"};
    char name[PATH_MAX];
    ss_status status = SS_OK;
    if (path[0] != '/') {
        return SS_OK; /* ":memory:" */
    }
    /* SQLite, too, uses the names beside the file that a link leads to. */
    char *real = realpath(path, NULL);
    for (size_t i = 0; status == SS_OK && i < 3; i++) {
        int n = snprintf(name, sizeof(name), "%s%s", real != NULL ? real : path,
                         endings[i]);
        if (n > 0 && (size_t)n < sizeof(name)) {
            status = check_one(name, err);
        }
    }
    if (status == SS_OK) {
        status = check_journal(name, err);
    }
    free(real);
    return status;
}
