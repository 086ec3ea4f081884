/* Nothing here is shared between the threads but what is atomic: a reader and the batches
 * it fills are its own until it has been joined.
 */
#include "db/scan.h"

#include "base/mem.h"
#include "base/thread.h"
#include "columns/concat.h"
#include "columns/fetch.h"
#include "db/db_int.h"
#include "db/split.h"
#include "store/watch.h"

#include <stdatomic.h>

enum {
    MAX_READERS = 4, /* the calling thread's included */
    ATTEMPTS = 3,    /* to begin on all readers between two commits */
};

typedef struct scan scan;

typedef struct {
    scan *scan; /* borrowed */
    ss_lease lease;
    ss_call call; /* stops the reader when the scan stops */
    ss_thread thread;
    bool running;
    ss_batch *batch; /* owned: its parts, the last first */
    ss_status status;
    ss_error err;
} reader;

struct scan {
    /* Constant while threads run. */
    ss_access *access;
    const ss_table_desc *table;
    const ss_select *select;
    const ss_table_layout *layout;
    bool strict;
    bool own; /* no transaction was open: it is begun and ended here */
    ss_split split;
    ss_batch
        *batch; /* owned: what the calling thread fills, and in the end has it all */

    ss_run *runs;            /* owned; by part: where the others put it */
    _Atomic uint64_t left;   /* parts nobody has taken: from << 32 | until */
    _Atomic int next_column; /* to be copied */
    atomic_bool stop;
    reader readers[MAX_READERS - 1];
    int n_readers;
};

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
begin(ss_conn *conn, bool open, ss_error *err)
{
    int64_t count;
    if (!open) {
        SS_TRY(ss_conn_exec(conn, "BEGIN", err));
    }
    return ss_conn_int(conn, "SELECT count(*) FROM sqlite_schema", &count, err);
}

static ss_status
begin_all(scan *s, bool *begun, ss_error *err)
{
    ss_error unused;
    ss_error_init(&unused);
    SS_TRY(begin(s->access->conn, !s->own, err));
    *begun = true;
    for (int i = 0; i < s->n_readers && *begun; i++) {
        *begun = begin(s->readers[i].lease.conn, false, &unused) == SS_OK;
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

/* Begin on all readers with no commit between: *same, else none has begun. A transaction
 * that was open already shows what was there when it began, or is not known to. */
static ss_status
begin_in_one_state(scan *s, bool *same, ss_error *err)
{
    ss_pool *pool = s->access->session->pool;
    ss_stamp before = s->access->seen, after;
    *same = false;
    for (int i = 0; !*same && i < (s->own ? ATTEMPTS : 1); i++) {
        if (!(s->own ? ss_watch_before(pool, &before) : before.epoch != 0)) {
            continue; /* in the middle of a commit, or without a log */
        }
        ss_status status = begin_all(s, same, err);
        if (*same) {
            *same = ss_watch_before(pool, &after) && ss_stamp_equal(&before, &after);
        }
        if (!*same) {
            end_all(s);
        }
        SS_TRY(status);
    }
    return SS_OK;
}

/* Begin on those that can read one state: all, or the calling thread alone. */
static ss_status
begin_together(scan *s, ss_error *err)
{
    bool same = false;
    if (!s->access->bound) {
        take_readers(s);
    }
    if (s->n_readers > 0) {
        SS_TRY(begin_in_one_state(s, &same, err));
    }
    if (same) {
        return SS_OK;
    }
    return_readers(s);
    return s->own ? begin(s->access->conn, false, err) : SS_OK;
}

/* --- reading --------------------------------------------------------------------------- */

/* The next part from the front or from the back; -1: none is left. */
static int
take_part(scan *s, bool front)
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
read_part(const scan *s, ss_stmt_cache *cache, int part, ss_batch *into, ss_error *err)
{
    ss_select select;
    ss_sql sql;
    ss_stmt *stmt = NULL;
    ss_split_part(&s->split, part, &select);
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_select(&sql, s->table, s->layout, &select, err);
    if (status == SS_OK) {
        status = ss_access_lend(cache, &sql, &stmt, err);
    }
    if (status == SS_OK) {
        const char *what = s->table->name;
        status = select.sink ? ss_fetch_sink_part(stmt, into, s->strict, what, err)
                             : ss_fetch_step_part(stmt, into, s->strict, what, err);
    }
    ss_stmt_cache_put(cache, stmt);
    ss_sql_free(&sql);
    return status;
}

/* After a first part, make room for all that are to be expected, within what the file
 * can hold, so that no buffer has to grow and move. Room that is not used is not touched;
 * where there is none, the buffers grow. */
static void
make_room(const scan *s, ss_batch *batch, int parts)
{
    int64_t most = 2 * s->split.file_size / (int64_t)ss_batch_size(batch);
    int64_t n = parts < most ? parts : most;
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

/* Parts of the back, one after another, and where each is. */
static ss_status
read_parts(reader *r)
{
    scan *s = r->scan;
    SS_TRY(ss_batch_new_table(s->table, s->select->columns, s->select->n_columns, 64,
                              &r->batch, &r->err));
    for (int n = 0, part; !atomic_load(&s->stop); n++) {
        if ((part = take_part(s, false)) < 0) {
            break;
        }
        int64_t start = r->batch->n_rows;
        SS_TRY(read_part(s, r->lease.cache, part, r->batch, &r->err));
        s->runs[part] = (ss_run){r->batch, start, r->batch->n_rows - start};
        if (n == 0) {
            make_room(s, r->batch, s->split.n_parts / (s->n_readers + 1) + 2);
        }
    }
    return SS_OK;
}

static void *
read_back(void *arg)
{
    reader *r = arg;
    r->status = read_parts(r);
    if (r->status != SS_OK) {
        atomic_store(&r->scan->stop, true);
    }
    return NULL;
}

static ss_status
read_front(scan *s, ss_error *err)
{
    ss_status status = SS_OK;
    for (int n = 0, part; status == SS_OK && !atomic_load(&s->stop); n++) {
        if ((part = take_part(s, true)) < 0) {
            break;
        }
        status = read_part(s, s->access->cache, part, s->batch, err);
        if (status == SS_OK && n == 0) {
            make_room(s, s->batch, s->split.n_parts);
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
        ss_concat_column(s->batch, s->runs, s->split.n_parts, column);
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
    SS_TRY(ss_concat_begin(s->batch, s->runs, s->split.n_parts, err));
    start(s, help_copy);
    copy_columns(s);
    join(s);
    SS_TRY(ss_concat_end(s->batch, s->runs, s->split.n_parts, err));
    ss_batch_finish(s->batch);
    return SS_OK;
}

/* All of it, in the transaction that is open. */
static ss_status
read_split(scan *s, bool *worth, ss_error *err)
{
    SS_TRY(ss_split_cut(s->access, &s->split, worth, err));
    if (!*worth) {
        return SS_OK;
    }
    s->runs = ss_calloc((size_t)s->split.n_parts, sizeof(*s->runs));
    if (s->runs == NULL) {
        return ss_error_nomem(err);
    }
    atomic_init(&s->left, (uint64_t)s->split.n_parts);
    SS_TRY(ss_batch_new_table(s->table, s->select->columns, s->select->n_columns, 64,
                              &s->batch, err));
    return read_all(s, err);
}

static ss_status
run(scan *s, bool *done, ss_error *err)
{
    s->own = !s->access->bound && !ss_conn_in_transaction(s->access->conn);
    ss_status status = begin_together(s, err);
    if (status == SS_OK) {
        status = read_split(s, done, err);
    }
    end_all(s);
    if (status == SS_OK && *done) {
        status = put_together(s, err);
    }
    return status;
}

static void
clear(scan *s)
{
    return_readers(s);
    ss_free(s->runs);
    ss_batch_release(s->batch);
    ss_split_free(&s->split);
}

ss_status
ss_scan_read(ss_access *access, const ss_table_desc *table,
             const ss_table_layout *layout, const ss_select *select, bool strict,
             bool *done, ss_batch **out, ss_error *err)
{
    scan s = {.access = access,
              .table = table,
              .layout = layout,
              .select = select,
              .strict = strict};
    ss_status status =
        ss_split_find(access, table, layout, select, &s.split, done, err);
    if (status == SS_OK && *done) {
        status = run(&s, done, err);
    }
    if (status == SS_OK && *done) {
        atomic_fetch_add(&access->session->scans, 1);
        atomic_fetch_add(&access->session->shared_scans, s.n_readers > 0);
        *out = s.batch;
        s.batch = NULL;
    }
    else if (status == SS_DATA && s.n_readers > 0) {
        ss_error_init(err); /* which cell is the first, only one reader can say */
        *done = false;
        status = SS_OK;
    }
    clear(&s);
    return status;
}
