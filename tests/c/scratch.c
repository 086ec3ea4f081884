/* scratch: see scratch.h. */
#define _POSIX_C_SOURCE 200809L

#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char path[512];

const char *
fresh_path(const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    const char *folder = getenv("TMPDIR");
    char side[600];

    snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "/tmp", name);
    for (int i = 0; i < 4; i++) {
        snprintf(side, sizeof(side), "%s%s", path, ends[i]);
        unlink(side);
    }
    return path;
}

bool
exists(const char *end)
{
    char file[600];

    snprintf(file, sizeof(file), "%s%s", path, end);
    return access(file, F_OK) == 0;
}
