/* The file holds chunks one after another: a head, the runs, then for each column its
 * bitmap if it has one, its data and its text.  It never leaves this process, so the
 * layout is that of the memory.
 */
#define _GNU_SOURCE // O_TMPFILE, mkostemp()

#include "columns/spool.h"

#include "base/mem.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>  // open()
#include <stdio.h>  // snprintf()
#include <stdlib.h> // secure_getenv()
#include <string.h> // strerror_r()
#include <unistd.h> // pread(), pwrite()

struct ss_spool {
    const ss_table_desc *table;
    size_t limit;
    ss_process process;
    ss_chunk *chunks, *last; /* owned: those in memory */
    size_t in_memory;        /* bytes of them */
    int64_t n_rows;
    int fd; /* -1: no file yet */
    char folder[200];
    int64_t size; /* bytes written */
    /* Reading. */
    bool begun;
    ss_chunk *at;     /* borrowed: the one in memory that was handed out last */
    int64_t position; /* in the file */
    ss_chunk *loaded; /* owned: the one from the file that was handed out last */
};

typedef struct {
    int64_t n_rows, n_runs, first;
    uint64_t columns; /* of the table */
    struct {
        int64_t null_count;
        uint64_t n_bytes;
        bool bitmap;
    } column[SS_MAX_COLUMNS];
} head;

ss_status
ss_spool_new(const ss_table_desc *table, size_t limit, ss_spool **out, ss_error *err)
{
    ss_spool *spool = ss_calloc(1, sizeof(*spool));
    if (spool == NULL) {
        return ss_error_nomem(err);
    }
    spool->table = table;
    spool->limit = limit;
    spool->fd = -1;
    ss_process_mark(&spool->process);
    *out = spool;
    return SS_OK;
}

static void
drop_chunks(ss_spool *spool)
{
    while (spool->chunks != NULL) {
        ss_chunk *chunk = spool->chunks;
        spool->chunks = chunk->next;
        ss_chunk_free(chunk);
    }
    ss_chunk_free(spool->loaded);
    spool->loaded = NULL;
    spool->last = NULL;
}

void
ss_spool_free(ss_spool *spool)
{
    if (spool != NULL) {
        drop_chunks(spool);
        if (spool->fd >= 0) {
            (void)close(spool->fd);
        }
        ss_process_free(&spool->process);
        ss_free(spool);
    }
}

void
ss_spool_clear(ss_spool *spool)
{
    drop_chunks(spool);
    spool->in_memory = 0;
    spool->n_rows = 0;
    spool->size = 0;
    ss_spool_rewind(spool);
}

int64_t
ss_spool_rows(const ss_spool *spool)
{
    return spool->n_rows;
}

bool
ss_spool_spilled(const ss_spool *spool)
{
    return spool->size > 0;
}

static ss_status
check_process(const ss_spool *spool, ss_error *err)
{
    return ss_process_is_same(&spool->process)
               ? SS_OK
               : ss_error_set(err, SS_FORKED,
                              "this add_many() was begun by the parent process, before "
                              "fork()");
}

/* --- the file ------------------------------------------------------------------------- */

static ss_status
file_failed(const ss_spool *spool, const char *what, int number, ss_error *err)
{
    char text[128];
    if (strerror_r(number, text, sizeof(text)) != text) { /* the GNU form */
        (void)snprintf(text, sizeof(text), "%s", strerror(number));
    }
    return ss_error_set(err, number == ENOSPC ? SS_DISK_FULL : SS_OPERATIONAL,
                        "%s the temporary file in %s that holds the rows of a large "
                        "add_many(): %s",
                        what, spool->folder, text);
}

static int
open_in(const char *folder)
{
    char path[256];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd < 0 && snprintf(path, sizeof(path), "%s/smartshopie-XXXXXX", folder) <
                      (int)sizeof(path)) { /* not every file system has those */
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            (void)unlink(path);
        }
    }
    return fd;
}

/* Where SQLite, too, would put a temporary file. */
static ss_status
open_file(ss_spool *spool, ss_error *err)
{
    const char *const folders[] = {secure_getenv("SQLITE_TMPDIR"),
                                   secure_getenv("TMPDIR"), "/var/tmp", "/tmp", "."};
    int number = ENOENT;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (folders[i] == NULL || folders[i][0] == '\0') {
            continue;
        }
        (void)snprintf(spool->folder, sizeof(spool->folder), "%s", folders[i]);
        spool->fd = open_in(folders[i]);
        if (spool->fd >= 0) {
            return SS_OK;
        }
        number = errno;
    }
    return file_failed(spool, "making", number, err);
}

static ss_status
write_bytes(ss_spool *spool, const void *bytes, size_t n, ss_error *err)
{
    const char *from = bytes;
    while (n > 0) {
        ssize_t done = pwrite(spool->fd, from, n, spool->size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return file_failed(spool, "writing", done < 0 ? errno : EIO, err);
        }
        from += done;
        n -= (size_t)done;
        spool->size += done;
    }
    return SS_OK;
}

static ss_status
read_bytes(ss_spool *spool, void *bytes, size_t n, ss_error *err)
{
    char *to = bytes;
    while (n > 0) {
        ssize_t done = pread(spool->fd, to, n, spool->position);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return file_failed(spool, "reading", done < 0 ? errno : EIO, err);
        }
        to += done;
        n -= (size_t)done;
        spool->position += done;
    }
    return SS_OK;
}

/* --- a chunk there and back -------------------------------------------------------------- */

static size_t
bitmap_bytes(int64_t rows)
{
    return ((size_t)rows + 7) / 8;
}

static size_t
data_bytes(const ss_column *column, int64_t rows)
{
    size_t slots = (size_t)rows + (column->kind == SS_KIND_TEXT ? 1 : 0);
    return slots * ss_kind_width((ss_kind)column->kind);
}

/* In the order of the table, as the chunk read back has them. */
static int
columns_of(const ss_chunk *chunk, const ss_column *out[SS_MAX_COLUMNS])
{
    int n = 0;
    for (int c = 0; c < SS_MAX_COLUMNS; c++) {
        if (chunk->slot[c] >= 0) {
            out[n++] = &chunk->batch->columns[chunk->slot[c]];
        }
    }
    return n;
}

static void
describe(const ss_chunk *chunk, const ss_column *const *columns, int n, head *h)
{
    memset(h, 0, sizeof(*h));
    h->n_rows = chunk->batch->n_rows;
    h->n_runs = chunk->n_runs;
    h->first = chunk->first;
    for (int i = 0; i < n; i++) {
        h->columns |= UINT64_C(1) << chunk->map[i];
        h->column[i].null_count = columns[i]->null_count;
        h->column[i].n_bytes = columns[i]->n_bytes;
        h->column[i].bitmap = columns[i]->validity != NULL;
    }
}

static ss_status
write_chunk(ss_spool *spool, const ss_chunk *chunk, ss_error *err)
{
    const ss_column *columns[SS_MAX_COLUMNS];
    int64_t rows = chunk->batch->n_rows;
    int n = columns_of(chunk, columns);
    head h;
    describe(chunk, columns, n, &h);
    SS_TRY(write_bytes(spool, &h, sizeof(h), err));
    SS_TRY(
        write_bytes(spool, chunk->runs, (size_t)chunk->n_runs * sizeof(ss_run), err));
    for (int i = 0; i < n; i++) {
        const ss_column *column = columns[i];
        if (column->validity != NULL) {
            SS_TRY(write_bytes(spool, column->validity, bitmap_bytes(rows), err));
        }
        SS_TRY(write_bytes(spool, column->data.p, data_bytes(column, rows), err));
        SS_TRY(write_bytes(spool, column->bytes, column->n_bytes, err));
    }
    return SS_OK;
}

static ss_status
read_columns(ss_spool *spool, const head *h, ss_batch *batch, ss_error *err)
{
    while (batch->capacity < h->n_rows) {
        if (ss_batch_grow(batch) != SS_OK) {
            return ss_error_nomem(err);
        }
    }
    for (int i = 0; i < batch->n_columns; i++) {
        ss_column *column = &batch->columns[i];
        size_t n = h->column[i].n_bytes;
        if (ss_column_reserve_bytes(column, n) != SS_OK) {
            return ss_error_nomem(err);
        }
        if (h->column[i].bitmap) {
            SS_TRY(read_bytes(spool, column->validity, bitmap_bytes(h->n_rows), err));
        }
        SS_TRY(read_bytes(spool, column->data.p, data_bytes(column, h->n_rows), err));
        SS_TRY(read_bytes(spool, column->bytes, n, err));
        column->n_bytes = n;
        column->null_count = h->column[i].null_count;
    }
    batch->n_rows = h->n_rows;
    ss_batch_finish(batch);
    return SS_OK;
}

static ss_status
read_chunk(ss_spool *spool, ss_chunk **out, ss_error *err)
{
    ss_chunk *chunk = NULL;
    head h;
    SS_TRY(read_bytes(spool, &h, sizeof(h), err));
    SS_TRY(ss_chunk_new(spool->table, h.columns, h.first, &chunk, err));
    ss_status status = SS_OK;
    chunk->runs = ss_realloc_array(NULL, (size_t)h.n_runs, sizeof(ss_run));
    if (chunk->runs == NULL) {
        status = ss_error_nomem(err);
    }
    if (status == SS_OK) {
        chunk->n_runs = chunk->runs_capacity = h.n_runs;
        status = read_bytes(spool, chunk->runs, (size_t)h.n_runs * sizeof(ss_run), err);
    }
    if (status == SS_OK) {
        status = read_columns(spool, &h, chunk->batch, err);
    }
    if (status != SS_OK) {
        ss_chunk_free(chunk);
        return status;
    }
    *out = chunk;
    return SS_OK;
}

/* --- in and out ---------------------------------------------------------------------------- */

static ss_status
keep(ss_spool *spool, ss_chunk *chunk)
{
    if (spool->last != NULL) {
        spool->last->next = chunk;
    }
    else {
        spool->chunks = chunk;
    }
    spool->last = chunk;
    spool->in_memory += ss_chunk_size(chunk);
    return SS_OK;
}

static ss_status
spill(ss_spool *spool, ss_chunk *chunk, ss_error *err)
{
    ss_status status = spool->fd < 0 ? open_file(spool, err) : SS_OK;
    if (status == SS_OK) {
        status = write_chunk(spool, chunk, err);
    }
    ss_chunk_free(chunk);
    return status;
}

ss_status
ss_spool_push(ss_spool *spool, ss_chunk *chunk, ss_error *err)
{
    int64_t rows = chunk->batch->n_rows;
    ss_batch_finish(chunk->batch);
    ss_status status = check_process(spool, err);
    if (status != SS_OK || rows == 0) {
        ss_chunk_free(chunk);
        return status;
    }
    bool fits = spool->size == 0 && spool->in_memory < spool->limit;
    status = fits ? keep(spool, chunk) : spill(spool, chunk, err);
    if (status == SS_OK) {
        spool->n_rows += rows;
    }
    return status;
}

void
ss_spool_rewind(ss_spool *spool)
{
    spool->begun = false;
    spool->at = NULL;
    spool->position = 0;
}

ss_status
ss_spool_next(ss_spool *spool, const ss_chunk **out, ss_error *err)
{
    SS_TRY(check_process(spool, err));
    ss_chunk_free(spool->loaded);
    spool->loaded = NULL;
    if (!spool->begun || spool->at != NULL) {
        spool->at = spool->begun ? spool->at->next : spool->chunks;
        spool->begun = true;
    }
    if (spool->at != NULL) {
        *out = spool->at;
        return SS_OK;
    }
    if (spool->position < spool->size) {
        SS_TRY(read_chunk(spool, &spool->loaded, err));
    }
    *out = spool->loaded;
    return SS_OK;
}
