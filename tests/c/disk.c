/* disk: see disk.h.  One record for the whole program, under one lock. */
#include "disk.h"

#include "rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DB, WAL, JOURNAL, N_FILES };

typedef enum { BASE, MADE, WRITTEN, RESIZED, SYNCED, DELETED, NOTED } event_kind;

typedef struct {
    event_kind kind;
    int file; /* NOTED: the disk_note */
    int64_t at;
    int n;      /* NOTED: which */
    char *data; /* owned */
    bool safe;  /* DELETED: with its folder */
} event;

static const char *const ends[N_FILES] = {"", "-wal", "-journal"};

static struct {
    pthread_mutex_t lock;
    char path[N_FILES][600];
    event *events; /* owned */
    int n, room;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *
need(void *p)
{
    if (p == NULL) {
        printf("no memory\n");
        exit(1);
    }
    return p;
}

/* ---- the record ---- */

static void
add_event(event e, const void *data)
{
    if (data != NULL && e.n > 0) {
        e.data = memcpy(need(malloc((size_t)e.n)), data, (size_t)e.n);
    }
    pthread_mutex_lock(&disk.lock);
    if (disk.n == disk.room) {
        disk.room = disk.room * 2 + 1000;
        disk.events =
            need(realloc(disk.events, (size_t)disk.room * sizeof(*disk.events)));
    }
    disk.events[disk.n++] = e;
    pthread_mutex_unlock(&disk.lock);
}

static int
file_of(const char *path)
{
    for (int i = 0; i < N_FILES; i++) {
        if (strcmp(path, disk.path[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int
listen(const rig_op *op, void *arg)
{
    int file = file_of(op->path);

    (void)arg;
    if (file < 0) {
        return SQLITE_OK;
    }
    switch (op->kind) {
    case RIG_OPEN:
        if (access(op->path, F_OK) != 0) {
            add_event((event){.kind = MADE, .file = file}, NULL);
        }
        return SQLITE_OK;
    case RIG_WRITE:
        add_event((event){.kind = WRITTEN, .file = file, .at = op->at, .n = op->n},
                  op->data);
        return SQLITE_OK;
    case RIG_TRUNCATE:
        add_event((event){.kind = RESIZED, .file = file, .at = op->at}, NULL);
        return SQLITE_OK;
    case RIG_SYNC:
        add_event((event){.kind = SYNCED, .file = file}, NULL);
        return RIG_PRETEND; /* the images need no real disk, and it is slow */
    case RIG_DELETE:
        add_event((event){.kind = DELETED, .file = file, .safe = op->folder_synced},
                  NULL);
        return SQLITE_OK;
    default:
        return SQLITE_OK;
    }
}

static void
take_base(int file)
{
    FILE *in = fopen(disk.path[file], "rb");
    char *bytes = NULL;
    long n = 0;

    if (in == NULL) {
        return;
    }
    if (fseek(in, 0, SEEK_END) == 0 && (n = ftell(in)) > 0) {
        rewind(in);
        bytes = need(malloc((size_t)n));
        n = (long)fread(bytes, 1, (size_t)n, in);
    }
    fclose(in);
    add_event((event){.kind = BASE, .file = file, .n = (int)n}, bytes);
    free(bytes);
}

void
disk_record(const char *path)
{
    disk_forget();
    for (int i = 0; i < N_FILES; i++) {
        snprintf(disk.path[i], sizeof(disk.path[i]), "%s%s", path, ends[i]);
        take_base(i);
    }
    rig_listen(listen, NULL);
}

void
disk_tell(disk_note note, int n)
{
    add_event((event){.kind = NOTED, .file = (int)note, .n = n}, NULL);
}

void
disk_stop(void)
{
    rig_listen(NULL, NULL);
}

void
disk_forget(void)
{
    disk_stop();
    for (int i = 0; i < disk.n; i++) {
        free(disk.events[i].data);
    }
    free(disk.events);
    disk.events = NULL;
    disk.n = disk.room = 0;
}

int
disk_n_points(void)
{
    return disk.n + 1;
}

void
disk_notes(int point, disk_note note, bool *out, int size)
{
    memset(out, 0, (size_t)size * sizeof(*out));
    for (int i = 0; i < point; i++) {
        const event *e = &disk.events[i];
        if (e->kind == NOTED && e->file == (int)note && e->n < size) {
            out[e->n] = true;
        }
    }
}

/* ---- images ---- */

/* One file as it stands. */
typedef struct {
    bool there;
    char *bytes; /* owned */
    int64_t n, room;
} content;

uint64_t
disk_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = *seed;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void
resize(content *c, int64_t n)
{
    if (n > c->room) {
        c->room = n * 2;
        c->bytes = need(realloc(c->bytes, (size_t)c->room));
    }
    if (n > c->n) {
        memset(c->bytes + c->n, 0, (size_t)(n - c->n));
    }
    c->n = n;
}

static void
put(content *c, const event *e, int64_t from, int64_t until)
{
    int64_t begin = from > e->at ? from : e->at;
    int64_t end = until < e->at + e->n ? until : e->at + e->n;
    if (end > c->n) {
        resize(c, end);
    }
    memcpy(c->bytes + begin, e->data + (begin - e->at), (size_t)(end - begin));
}

static void
apply(content *c, const event *e)
{
    switch (e->kind) {
    case BASE:
    case WRITTEN:
        c->there = true;
        if (e->n > 0) {
            put(c, e, e->at, e->at + e->n);
        }
        break;
    case MADE:
        c->there = true;
        resize(c, 0);
        break;
    case RESIZED:
        resize(c, e->at);
        break;
    case DELETED:
        c->there = false;
        resize(c, 0);
        break;
    case SYNCED:
    case NOTED:
        break;
    }
}

/* An event that was not synchronised, by chance. False: nor is any that follows, since
 * names come and go in order. */
static bool
apply_by_chance(content *c, const event *e, disk_way way, uint64_t *seed)
{
    int64_t sector = way == DISK_TORN_512 ? 512 : 4096;
    bool yes = (disk_random(seed) & 1) != 0;

    if (e->kind == WRITTEN && (way == DISK_TORN_512 || way == DISK_TORN_4096)) {
        for (int64_t at = e->at / sector * sector; at < e->at + e->n; at += sector) {
            if ((disk_random(seed) & 1) != 0) {
                put(c, e, at, at + sector);
            }
        }
        return true;
    }
    if (way == DISK_EVERYTHING || yes) {
        apply(c, e);
        return true;
    }
    return e->kind != MADE && e->kind != DELETED;
}

/* Up to `point`, for one file. */
static content
content_at(int file, int point, disk_way way, uint64_t *seed)
{
    content c = {0};
    int safe = 0; /* all before this event is on disk */

    for (int i = 0; i < point; i++) {
        const event *e = &disk.events[i];
        bool base = e->kind == BASE || (e->kind == DELETED && e->safe);
        if (e->kind != NOTED && e->file == file && (base || e->kind == SYNCED)) {
            safe = i + 1;
        }
    }
    for (int i = 0; i < point; i++) {
        const event *e = &disk.events[i];
        if (e->kind == NOTED || e->file != file) {
            continue;
        }
        if (i < safe) {
            apply(&c, e);
        }
        else if (way == DISK_NOTHING || !apply_by_chance(&c, e, way, seed)) {
            break;
        }
    }
    return c;
}

static void
save(const content *c, const char *path)
{
    unlink(path);
    if (!c->there) {
        return;
    }
    FILE *out = need(fopen(path, "wb"));
    if (c->n > 0 && fwrite(c->bytes, 1, (size_t)c->n, out) != (size_t)c->n) {
        printf("an image could not be written\n");
        exit(1);
    }
    fclose(out);
}

void
disk_image(int point, disk_way way, uint64_t *seed, const char *path)
{
    char name[600];

    for (int i = 0; i < N_FILES; i++) {
        content c = content_at(i, point, way, seed);
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        save(&c, name);
        free(c.bytes);
    }
    snprintf(name, sizeof(name), "%s-shm", path);
    unlink(name);
}
