/* Nothing here is shared between the threads but what is atomic: a reader and the batches
 * it fills are its own until it has been joined.
 */
#include "db/scan.h"

#include "base/mem.h"
#include "base/thread.h"
#include "columns/concat.h"
#include "columns/fetch.h"
#include "db/db_int.h"
#include "store/stamp.h"

#include <stdatomic.h>

enum {
    MAX_READERS = 4,    /* the calling thread's included */
    ATTEMPTS = 3,       /* to begin on all readers between two commits */
    MIN_FILE = 1 << 20, /* bytes; below that, no table is large */
    MIN_ROWS = 20000,
    CHUNKS = 32, /* so that nobody waits long for the one who reads the last */
    MIN_CHUNK = 2048,
    MAX_CHUNK = 65536, /* row ids: how soon a reader hears that another has failed */
    MAX_CHUNKS = 4096,
};

typedef struct scan scan;

typedef struct {
    scan *scan; /* borrowed */
    ss_lease lease;
    ss_call call; /* stops the reader when the scan stops */
    ss_thread thread;
    bool running;
    ss_batch *batch; /* owned: its chunks, the last first */
    ss_status status;
    ss_error err;
} reader;

struct scan {
    /* Constant while threads run. */
    ss_access *access;
    const ss_table_desc *table;
    const ss_select *select;
    bool strict;
    int64_t file_size; /* the log included */
    bool own;          /* no transaction was open: it is begun and ended here */
    ss_sql sql;
    int64_t first_id, chunk; /* the smallest row id, and how many make a chunk */
    int n_chunks;
    ss_batch
        *batch; /* owned: what the calling thread fills, and in the end has it all */

    ss_run *runs;            /* owned; by chunk: where the others put it */
    _Atomic uint64_t left;   /* chunks nobody has taken: from << 32 | until */
    _Atomic int next_column; /* to be copied */
    atomic_bool stop;
    reader readers[MAX_READERS - 1];
    int n_readers;
};

/* --- is it worth it -------------------------------------------------------------------- */

/* Bytes of one of the connection's files; 0 where it is not known. */
static int64_t
size_of(ss_conn *conn, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    (void)sqlite3_file_control(ss_conn_handle(conn), "main", which, &file);
    bool known = file != NULL && file->pMethods != NULL &&
                 file->pMethods->xFileSize(file, &size) == SQLITE_OK;
    return known ? size : 0;
}

/* One row of numbers; *found false when there is none, or a NULL. */
static ss_status
read_numbers(ss_access *access, const ss_sql *sql, int64_t *out, int n, bool *found,
             ss_error *err)
{
    ss_stmt *stmt = NULL;
    ss_value cell;
    SS_TRY(
        ss_stmt_cache_get(access->cache, sql->text.data, sql->text.size, &stmt, err));
    ss_status status = SS_OK;
    for (int i = 0; status == SS_OK && i < sql->n_params; i++) {
        status = ss_stmt_bind(stmt, sql->first_param + i, &sql->params[i], err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, "row ids", found, err);
    }
    for (int i = 0; status == SS_OK && *found && i < n; i++) {
        ss_stmt_column(stmt, i, &cell);
        *found = cell.tag == SS_VALUE_INT;
        out[i] = cell.as.i;
    }
    ss_stmt_cache_put(access->cache, stmt);
    return status;
}

/* Cut the row ids into chunks. What is added until the readers begin lies in the first
 * or in the last, which are open at the end. */
static void
cut(scan *s, const int64_t bounds[2])
{
    uint64_t span = (uint64_t)bounds[1] - (uint64_t)bounds[0];
    uint64_t chunk = span / CHUNKS;
    chunk = chunk < MIN_CHUNK ? MIN_CHUNK : chunk > MAX_CHUNK ? MAX_CHUNK : chunk;
    if (span / chunk >= MAX_CHUNKS) {
        chunk = span / MAX_CHUNKS + 1;
    }
    s->first_id = bounds[0];
    s->chunk = (int64_t)chunk;
    s->n_chunks = (int)(span / chunk) + 1;
    atomic_init(&s->left, (uint64_t)s->n_chunks);
}

/* Are there rows enough?  Their ids alone do not say. */
static ss_status
survey(scan *s, const ss_table_layout *layout, bool *worth, ss_error *err)
{
    int64_t bounds[2], some;
    ss_sql sql;
    *worth = false;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_rowid_bounds(&sql, s->table, err);
    if (status == SS_OK) {
        status = read_numbers(s->access, &sql, bounds, 2, worth, err);
    }
    ss_sql_free(&sql);
    if (status != SS_OK || !*worth ||
        (uint64_t)bounds[1] - (uint64_t)bounds[0] < MIN_ROWS) {
        *worth = false;
        return status;
    }
    cut(s, bounds);
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    status = ss_sql_rowid_at(&sql, s->table, layout, s->select, MIN_ROWS, err);
    if (status == SS_OK) {
        status = read_numbers(s->access, &sql, &some, 1, worth, err);
    }
    ss_sql_free(&sql);
    return status;
}

/* --- one state for all ----------------------------------------------------------------- */

static int
has_stopped(void *arg)
{
    return atomic_load(&((scan *)arg)->stop);
}

static void
take_readers(scan *s)
{
    int wanted = ss_processors() - 1;
    for (int i = 0; i < wanted && s->n_readers < MAX_READERS - 1; i++) {
        reader *r = &s->readers[s->n_readers];
        r->scan = s;
        r->call = s->access->call != NULL ? *s->access->call : (ss_call){0};
        r->call.check = has_stopped;
        r->call.check_arg = s;
        if (!ss_pool_spare(s->access->session->pool, &r->call, &r->lease)) {
            return;
        }
        s->n_readers++;
    }
}

static void
return_readers(scan *s)
{
    for (int i = 0; i < s->n_readers; i++) {
        ss_batch_release(s->readers[i].batch);
        ss_pool_return(&s->readers[i].lease);
    }
    s->n_readers = 0;
}

/* The transaction begins with its first read. */
static ss_status
begin(ss_conn *conn, ss_error *err)
{
    int64_t count;
    SS_TRY(ss_conn_exec(conn, "BEGIN", err));
    return ss_conn_int(conn, "SELECT count(*) FROM sqlite_schema", &count, err);
}

static ss_status
begin_all(scan *s, bool *begun, ss_error *err)
{
    ss_error unused;
    ss_error_init(&unused);
    SS_TRY(begin(s->access->conn, err));
    *begun = true;
    for (int i = 0; i < s->n_readers && *begun; i++) {
        *begun = begin(s->readers[i].lease.conn, &unused) == SS_OK;
    }
    return SS_OK;
}

static void
end_all(scan *s)
{
    if (s->own) {
        ss_conn_rollback(s->access->conn);
    }
    for (int i = 0; i < s->n_readers; i++) {
        ss_conn_rollback(s->readers[i].lease.conn);
    }
}

/* Begin on all readers with no commit between: *same, else none has begun. */
static ss_status
begin_in_one_state(scan *s, bool *same, ss_error *err)
{
    ss_wal_header header = NULL;
    ss_stamp before = {.epoch = 1}, after = {.epoch = 1};
    bool immutable = ss_db_get_options(s->access->db)->immutable;
    *same = false;
    if (!immutable) {
        SS_TRY(ss_stamp_map(s->access->conn, &header, err));
    }
    for (int i = 0; !*same && (immutable || header != NULL) && i < ATTEMPTS; i++) {
        if (!immutable && !ss_stamp_of_header(header, &before)) {
            continue; /* in the middle of a commit */
        }
        ss_status status = begin_all(s, same, err);
        if (*same && !immutable) {
            *same =
                ss_stamp_of_header(header, &after) && ss_stamp_equal(&before, &after);
        }
        if (!*same) {
            end_all(s);
        }
        SS_TRY(status);
    }
    return SS_OK;
}

/* --- reading --------------------------------------------------------------------------- */

/* The next chunk from the front or from the back; -1: none is left. */
static int
take_chunk(scan *s, bool front)
{
    uint64_t left = atomic_load(&s->left), from, until;
    do {
        from = left >> 32;
        until = left & UINT32_MAX;
        if (from == until) {
            return -1;
        }
    } while (!atomic_compare_exchange_weak(
        &s->left, &left, front ? (from + 1) << 32 | until : from << 32 | (until - 1)));
    return (int)(front ? from : until - 1);
}

static ss_status
read_chunk(const scan *s, ss_stmt_cache *cache, int chunk, ss_batch *into,
           ss_error *err)
{
    ss_value from = {.tag = SS_VALUE_INT}, until = {.tag = SS_VALUE_INT};
    uint64_t id = (uint64_t)s->first_id + (uint64_t)chunk * (uint64_t)s->chunk;
    from.as.i = chunk == 0 ? INT64_MIN : (int64_t)id;
    until.as.i =
        chunk == s->n_chunks - 1 ? INT64_MAX : (int64_t)(id + (uint64_t)s->chunk - 1);
    ss_stmt *stmt = NULL;
    SS_TRY(ss_stmt_cache_get(cache, s->sql.text.data, s->sql.text.size, &stmt, err));
    ss_status status = ss_stmt_bind(stmt, 2, &from, err);
    if (status == SS_OK) {
        status = ss_stmt_bind(stmt, 3, &until, err);
    }
    if (status == SS_OK) {
        status = ss_fetch_sink_part(stmt, into, s->strict, s->table->name, err);
    }
    ss_stmt_cache_put(cache, stmt);
    return status;
}

/* After a first chunk, make room for all that are to be expected, within what the file
 * can hold, so that no buffer has to grow and move. Room that is not used is not touched;
 * where there is none, the buffers grow. */
static void
make_room(const scan *s, ss_batch *batch, int chunks)
{
    int64_t most = 2 * s->file_size / (int64_t)ss_batch_size(batch);
    int64_t n = chunks < most ? chunks : most;
    if (n < 2 || ss_batch_reserve(batch, batch->n_rows * n) != SS_OK) {
        return;
    }
    for (int c = 0; c < batch->n_columns; c++) {
        size_t bytes = batch->columns[c].n_bytes;
        size_t more = bytes * (size_t)(n - 1) + bytes * (size_t)n / 16;
        if (ss_column_reserve_bytes(&batch->columns[c], more) != SS_OK) {
            return;
        }
    }
}

/* Chunks of the back, one after another, and where each is. */
static ss_status
read_chunks(reader *r)
{
    scan *s = r->scan;
    SS_TRY(ss_batch_new_table(s->table, s->select->columns, s->select->n_columns, 64,
                              &r->batch, &r->err));
    for (int n = 0, chunk; !atomic_load(&s->stop); n++) {
        if ((chunk = take_chunk(s, false)) < 0) {
            break;
        }
        int64_t start = r->batch->n_rows;
        SS_TRY(read_chunk(s, r->lease.cache, chunk, r->batch, &r->err));
        s->runs[chunk] = (ss_run){r->batch, start, r->batch->n_rows - start};
        if (n == 0) {
            make_room(s, r->batch, s->n_chunks / (s->n_readers + 1) + 2);
        }
    }
    return SS_OK;
}

static void *
read_back(void *arg)
{
    reader *r = arg;
    r->status = read_chunks(r);
    if (r->status != SS_OK) {
        atomic_store(&r->scan->stop, true);
    }
    return NULL;
}

static ss_status
read_front(scan *s, ss_error *err)
{
    ss_status status = SS_OK;
    for (int n = 0, chunk; status == SS_OK && !atomic_load(&s->stop); n++) {
        if ((chunk = take_chunk(s, true)) < 0) {
            break;
        }
        status = read_chunk(s, s->access->cache, chunk, s->batch, err);
        if (status == SS_OK && n == 0) {
            make_room(s, s->batch, s->n_chunks);
        }
    }
    if (status != SS_OK) {
        atomic_store(&s->stop, true);
    }
    return status;
}

/* A thread that cannot be had is no failure: the others do its share. */
static void
start(scan *s, void *(*work)(void *))
{
    for (int i = 0; i < s->n_readers; i++) {
        reader *r = &s->readers[i];
        r->running = ss_thread_start(&r->thread, work, r) == SS_OK;
    }
}

static void
join(scan *s)
{
    for (int i = 0; i < s->n_readers; i++) {
        if (s->readers[i].running) {
            ss_thread_join(s->readers[i].thread);
        }
    }
}

static ss_status
read_all(scan *s, ss_error *err)
{
    start(s, read_back);
    ss_status status = read_front(s, err);
    join(s);
    for (int i = 0; status == SS_OK && i < s->n_readers; i++) {
        const reader *r = &s->readers[i];
        if (r->status != SS_OK && r->status != SS_SIGNAL) { /* that is: stopped by us */
            status = r->status;
            *err = r->err;
        }
    }
    return status;
}

/* --- putting it together --------------------------------------------------------------- */

static void
copy_columns(scan *s)
{
    int column;
    while ((column = atomic_fetch_add(&s->next_column, 1)) < s->batch->n_columns) {
        ss_concat_column(s->batch, s->runs, s->n_chunks, column);
        for (int i = 0; i < s->n_readers; i++) { /* so that nothing is held twice */
            if (s->readers[i].batch != NULL) {
                ss_batch_drop_column(s->readers[i].batch, column);
            }
        }
    }
}

static void *
help_copy(void *arg)
{
    copy_columns(((reader *)arg)->scan);
    return NULL;
}

static ss_status
put_together(scan *s, ss_error *err)
{
    SS_TRY(ss_concat_begin(s->batch, s->runs, s->n_chunks, err));
    start(s, help_copy);
    copy_columns(s);
    join(s);
    SS_TRY(ss_concat_end(s->batch, s->runs, s->n_chunks, err));
    ss_batch_finish(s->batch);
    return SS_OK;
}

/* Begin on those that can read one state: all, or the calling thread alone. */
static ss_status
begin_together(scan *s, ss_error *err)
{
    bool same = false;
    if (!s->own) {
        return SS_OK;
    }
    take_readers(s);
    if (s->n_readers > 0) {
        SS_TRY(begin_in_one_state(s, &same, err));
    }
    if (same) {
        return SS_OK;
    }
    return_readers(s);
    return begin(s->access->conn, err);
}

static ss_status
run(scan *s, const ss_table_layout *layout, ss_error *err)
{
    ss_select ranged = *s->select;
    ranged.ranged = true;
    s->runs = ss_calloc((size_t)s->n_chunks, sizeof(*s->runs));
    if (s->runs == NULL) {
        return ss_error_nomem(err);
    }
    SS_TRY(ss_sql_select(&s->sql, s->table, layout, &ranged, err));
    SS_TRY(ss_batch_new_table(s->table, s->select->columns, s->select->n_columns, 64,
                              &s->batch, err));
    ss_status status = begin_together(s, err);
    if (status == SS_OK) {
        status = read_all(s, err);
    }
    end_all(s);
    return status == SS_OK ? put_together(s, err) : status;
}

static void
clear(scan *s)
{
    return_readers(s);
    ss_free(s->runs);
    ss_batch_release(s->batch);
    ss_sql_free(&s->sql);
}

ss_status
ss_scan_read(ss_access *access, const ss_table_desc *table,
             const ss_table_layout *layout, const ss_select *select, bool strict,
             bool *done, ss_batch **out, ss_error *err)
{
    scan s = {.access = access, .table = table, .select = select, .strict = strict};
    bool worth = false;
    *done = false;
    s.file_size = size_of(access->conn, SQLITE_FCNTL_FILE_POINTER) +
                  size_of(access->conn, SQLITE_FCNTL_JOURNAL_POINTER);
    if (s.file_size < MIN_FILE) {
        return SS_OK;
    }
    SS_TRY(survey(&s, layout, &worth, err));
    if (!worth) {
        return SS_OK;
    }
    s.own = !access->bound && !ss_conn_in_transaction(access->conn);
    ss_sql_init(&s.sql, SS_DIALECT_SQLITE);
    ss_status status = run(&s, layout, err);
    if (status == SS_OK) {
        atomic_fetch_add(&access->session->scans, 1);
        atomic_fetch_add(&access->session->shared_scans, s.n_readers > 0);
        *done = true;
        *out = s.batch;
        s.batch = NULL;
    }
    else if (status == SS_DATA && s.n_readers > 0) {
        ss_error_init(err); /* which cell is the first, only one reader can say */
        status = SS_OK;
    }
    clear(&s);
    return status;
}
