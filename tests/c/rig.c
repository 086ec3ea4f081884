/* rig: see rig.h.  One thin file object around the one below, in the same allocation. */
#include "rig.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    sqlite3_file base;
    const char *path;   /* borrowed from SQLite until the file is closed */
    sqlite3_file *real; /* behind this struct */
} rig_file;

static sqlite3_vfs *plain; /* borrowed from SQLite */
static rig_hook hook;
static void *hook_arg;

void
rig_listen(rig_hook new_hook, void *arg)
{
    hook = new_hook;
    hook_arg = arg;
}

static int
ask(const rig_op *op)
{
    return hook != NULL ? hook(op, hook_arg) : SQLITE_OK;
}

/* Ask, then do the rest of the function only when told to go on. */
#define ASK(...)                                            \
    do {                                                    \
        rig_op op_ = {.path = file->path, __VA_ARGS__};     \
        int answer_ = ask(&op_);                            \
        if (answer_ != SQLITE_OK) {                         \
            return answer_ == RIG_PRETEND ? SQLITE_OK : answer_; \
        }                                                   \
    } while (0)
#define REAL file->real->pMethods

static int
rig_close(sqlite3_file *f)
{
    rig_file *file = (rig_file *)f;
    return REAL->xClose(file->real);
}

static int
rig_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    rig_file *file = (rig_file *)f;
    rig_op op = {.kind = RIG_READ, .path = file->path, .n = n, .at = at};
    int answer = ask(&op);
    if (answer == SQLITE_IOERR_SHORT_READ) {
        memset(out, 0, (size_t)n);
    }
    return answer != SQLITE_OK ? answer : REAL->xRead(file->real, out, n, at);
}

static int
rig_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    rig_file *file = (rig_file *)f;
    ASK(.kind = RIG_WRITE, .data = data, .n = n, .at = at);
    return REAL->xWrite(file->real, data, n, at);
}

static int
rig_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    rig_file *file = (rig_file *)f;
    ASK(.kind = RIG_TRUNCATE, .at = size);
    return REAL->xTruncate(file->real, size);
}

static int
rig_sync(sqlite3_file *f, int flags)
{
    rig_file *file = (rig_file *)f;
    ASK(.kind = RIG_SYNC);
    return REAL->xSync(file->real, flags);
}

static int
rig_file_size(sqlite3_file *f, sqlite3_int64 *out)
{
    rig_file *file = (rig_file *)f;
    return REAL->xFileSize(file->real, out);
}

static int
rig_lock(sqlite3_file *f, int level)
{
    rig_file *file = (rig_file *)f;
    ASK(.kind = RIG_LOCK);
    return REAL->xLock(file->real, level);
}

static int
rig_unlock(sqlite3_file *f, int level)
{
    rig_file *file = (rig_file *)f;
    return REAL->xUnlock(file->real, level);
}

static int
rig_check_lock(sqlite3_file *f, int *out)
{
    rig_file *file = (rig_file *)f;
    return REAL->xCheckReservedLock(file->real, out);
}

static int
rig_control(sqlite3_file *f, int what, void *arg)
{
    rig_file *file = (rig_file *)f;
    return REAL->xFileControl(file->real, what, arg);
}

static int
rig_sector_size(sqlite3_file *f)
{
    rig_file *file = (rig_file *)f;
    return REAL->xSectorSize(file->real);
}

static int
rig_device(sqlite3_file *f)
{
    rig_file *file = (rig_file *)f;
    return REAL->xDeviceCharacteristics(file->real);
}

static int
rig_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
    rig_file *file = (rig_file *)f;
    *out = NULL;
    ASK(.kind = RIG_SHMMAP);
    return REAL->xShmMap(file->real, region, size, extend, out);
}

static int
rig_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    rig_file *file = (rig_file *)f;
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        ASK(.kind = RIG_SHMLOCK);
    }
    return REAL->xShmLock(file->real, offset, n, flags);
}

static void
rig_shm_barrier(sqlite3_file *f)
{
    rig_file *file = (rig_file *)f;
    REAL->xShmBarrier(file->real);
}

static int
rig_shm_unmap(sqlite3_file *f, int delete_it)
{
    rig_file *file = (rig_file *)f;
    return REAL->xShmUnmap(file->real, delete_it);
}

static int
rig_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **out)
{
    rig_file *file = (rig_file *)f;
    return REAL->xFetch(file->real, at, n, out);
}

static int
rig_unfetch(sqlite3_file *f, sqlite3_int64 at, void *page)
{
    rig_file *file = (rig_file *)f;
    ASK(.kind = RIG_UNFETCH);
    return REAL->xUnfetch(file->real, at, page);
}

static const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = rig_close,
    .xRead = rig_read,
    .xWrite = rig_write,
    .xTruncate = rig_truncate,
    .xSync = rig_sync,
    .xFileSize = rig_file_size,
    .xLock = rig_lock,
    .xUnlock = rig_unlock,
    .xCheckReservedLock = rig_check_lock,
    .xFileControl = rig_control,
    .xSectorSize = rig_sector_size,
    .xDeviceCharacteristics = rig_device,
    .xShmMap = rig_shm_map,
    .xShmLock = rig_shm_lock,
    .xShmBarrier = rig_shm_barrier,
    .xShmUnmap = rig_shm_unmap,
    .xFetch = rig_fetch,
    .xUnfetch = rig_unfetch,
};

static int
rig_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out)
{
    rig_file *file = (rig_file *)f;
    (void)vfs;
    file->base.pMethods = NULL;
    file->path = path != NULL ? path : "";
    file->real = (sqlite3_file *)(file + 1);
    ASK(.kind = RIG_OPEN);
    int code = plain->xOpen(plain, path, file->real, flags, out);
    if (file->real->pMethods != NULL) {
        file->base.pMethods = &methods;
    }
    return code;
}

static int
rig_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    rig_op op = {.kind = RIG_DELETE, .path = path, .folder_synced = sync_folder != 0};
    int answer = ask(&op);
    (void)vfs;
    if (answer != SQLITE_OK) {
        return answer == RIG_PRETEND ? SQLITE_OK : answer;
    }
    return plain->xDelete(plain, path, sync_folder);
}

void
rig_install(void)
{
    static sqlite3_vfs rig;
    plain = sqlite3_vfs_find(RIG_PLAIN);
    if (plain == NULL) {
        printf("SQLite has no VFS " RIG_PLAIN "\n");
        exit(1);
    }
    rig = *plain;
    rig.zName = "rig";
    rig.szOsFile = (int)sizeof(rig_file) + plain->szOsFile;
    rig.xOpen = rig_open;
    rig.xDelete = rig_delete;
    if (sqlite3_vfs_register(&rig, 1) != SQLITE_OK) {
        printf("the VFS could not be registered\n");
        exit(1);
    }
}
