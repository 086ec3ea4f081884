/* A file of the current version has the unique keys: there all rows that follow each other
 * and give the same columns are moved by one INSERT ... SELECT ... ON CONFLICT.  Other
 * files get the rows one after another, as db/write adds them.
 *
 * One statement for many chunks, because its end costs: SQLite then writes the sequence of
 * ids, and if that page of the log had been left already, it reads the whole log again
 * to mend its checksums; and pages of an earlier statement that leave the cache during
 * this one are also copied to a temporary file, for the case that this one fails.
 *
 * The id of a new row is ours to give (see columns/ingest): the next free one, which the
 * update hook moves on at every insert; so it also tells inserts from updates.
 */
#include "db/bulk.h"

#include "base/utf8.h"
#include "columns/ingest.h"
#include "db/group.h"
#include "db/refused.h"
#include "db/write.h"

#include <stdio.h>  // snprintf()
#include <string.h> // memmove(), strlen()

/* Pages that leave the cache before the COMMIT and are changed again after that cost much
 * (see above), and with keys in no order those are most. */
enum { CACHE_KIB = 32 << 10, CACHE_FROM_ROWS = 10000 };

typedef struct {
    ss_access *access; /* borrowed */
    int table;
    ss_spool *rows; /* borrowed */
    ss_conflict conflict;
    ss_add_counts counts;
    const ss_chunk *chunk; /* borrowed from the spool: where we are; NULL: at the end */
    int64_t run;           /* of the chunk */
    ss_ingest source;      /* what a statement reads */
    uint64_t given;        /* by the rows it reads */
    int64_t first;         /* the number of the first of them */
    ss_error no_more;      /* why it got no more; SS_OK: it had them all */
} load;

/* --- from run to run -------------------------------------------------------------------- */

/* Has the file the columns of every run? */
static ss_status
check_runs(load *self, ss_error *err)
{
    const ss_chunk *chunk = self->chunk;
    ss_filter values[SS_MAX_COLUMNS];
    for (int i = 0; i < chunk->batch->n_columns; i++) {
        values[i].column = chunk->map[i];
    }
    return ss_write_check(self->access, self->table, values, chunk->batch->n_columns,
                          err);
}

static ss_status
next_run(load *self, ss_error *err)
{
    if (self->chunk != NULL && ++self->run < self->chunk->n_runs) {
        return SS_OK;
    }
    self->run = 0;
    SS_TRY(ss_spool_next(self->rows, &self->chunk, err));
    return self->chunk != NULL ? check_runs(self, err) : SS_OK;
}

static ss_status
first_run(load *self, ss_error *err)
{
    ss_spool_rewind(self->rows);
    self->chunk = NULL;
    return next_run(self, err);
}

/* The statement's rows are those of the present run. */
static void
show_run(load *self)
{
    self->source.chunk = self->chunk;
    self->source.from = self->source.row = self->chunk->runs[self->run].start;
    self->source.until = ss_chunk_run_end(self->chunk, self->run);
}

/* Those of the next run, too, if they give the same columns. */
static ss_status
show_more(void *arg)
{
    load *self = arg;
    SS_TRY(next_run(self, &self->no_more));
    if (self->chunk != NULL && self->chunk->runs[self->run].given == self->given) {
        show_run(self);
    }
    return SS_OK;
}

/* --- which row it was ------------------------------------------------------------------ */

/* Put "row N: " before the message. */
static void
name_row(const ss_chunk *chunk, int64_t row, ss_error *err)
{
    char prefix[32];
    int64_t number = chunk->first + row;
    int n = snprintf(prefix, sizeof(prefix), "row %lld: ", (long long)number);
    size_t room = sizeof(err->message) - 1 - (size_t)n, length = strlen(err->message);
    if (length > room) {
        length = ss_utf8_floor(err->message, room);
    }
    memmove(err->message + n, err->message, length);
    memcpy(err->message, prefix, (size_t)n);
    err->message[(size_t)n + length] = '\0';
    ss_error_row(err, number);
}

static bool
is_about_row(const ss_error *err)
{
    return err->code == SS_INTEGRITY &&
           err->sqlite_code != SQLITE_CONSTRAINT_FOREIGNKEY;
}

/* Add the value that was refused, where the message names one column. */
static void
name_value(const load *self, const ss_chunk *chunk, int64_t row, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[self->table];
    int column = ss_refused_column(table, err);
    if (column >= 0) {
        ss_value value;
        ss_chunk_get(chunk, row, column, &value);
        ss_refused_value(&table->columns[column], &value, err);
    }
}

/* --- rows whose parent is missing --------------------------------------------------------- */

/* SQLite finds that out at the end of the statement, without a name: ask which row it
 * is. One statement gives the first such row of a run. */
static ss_status
find_orphan(load *self, const char *column, const char *parent, const char *key,
            bool *found, int64_t *row, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[self->table];
    ss_ingest source = self->source;
    int c = ss_catalog_column(table, column, strlen(column));
    ss_stmt *stmt = NULL;
    ss_buf sql;
    *found = false;
    if (c < 0) {
        return SS_OK;
    }
    ss_buf_init(&sql);
    ss_buf_printf(&sql,
                  "SELECT rowid FROM ss_rows(?1) WHERE c%d IS NOT NULL AND "
                  "c%d NOT IN (SELECT ",
                  c, c);
    ss_buf_identifier(&sql, key);
    ss_buf_puts(&sql, " FROM ");
    ss_buf_identifier(&sql, parent);
    ss_buf_puts(&sql, ") LIMIT 1");
    ss_status status = SS_OK;
    if (!ss_buf_ok(&sql)) {
        status = ss_error_nomem(err);
    }
    if (status == SS_OK) {
        status = ss_stmt_cache_get(self->access->cache, sql.data, sql.size, &stmt, err);
    }
    source.more = NULL;
    if (status == SS_OK) {
        status = ss_ingest_bind(stmt, &source, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, table->name, found, err);
    }
    if (status == SS_OK && *found) {
        *row = sqlite3_column_int64(stmt->raw, 0);
    }
    ss_stmt_cache_put(self->access->cache, stmt);
    ss_buf_free(&sql);
    return status;
}

/* By the foreign keys of the table, in the present run. */
static bool
name_orphan_of_run(load *self, ss_stmt *keys, ss_error *err)
{
    const char *name = ss_tables[self->table].name;
    bool found = false, more = false;
    int64_t row = 0;
    ss_error unused;
    ss_error_init(&unused);
    while (!found && ss_stmt_step(keys, name, &more, &unused) == SS_OK && more) {
        const char *column = (const char *)sqlite3_column_text(keys->raw, 0);
        const char *parent = (const char *)sqlite3_column_text(keys->raw, 1);
        const char *key = (const char *)sqlite3_column_text(keys->raw, 2);
        if (column == NULL || parent == NULL || key == NULL ||
            find_orphan(self, column, parent, key, &found, &row, &unused) != SS_OK) {
            break;
        }
        if (found) {
            ss_error_where(err, name, column, NULL);
        }
    }
    ss_stmt_reset(keys);
    if (found) {
        name_value(self, self->chunk, row, err);
        name_row(self->chunk, row, err);
    }
    return found;
}

/* In the rows of the statement that failed. */
static void
name_orphan(load *self, ss_error *err)
{
    char sql[160];
    ss_stmt *keys = NULL;
    ss_error unused;
    ss_error_init(&unused);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT \"from\", \"table\", coalesce(\"to\", 'id') "
                   "FROM pragma_foreign_key_list('%s')",
                   ss_tables[self->table].name);
    ss_status status =
        ss_stmt_prepare(self->access->conn, sql, strlen(sql), false, &keys, &unused);
    if (status == SS_OK) {
        status = first_run(self, &unused);
    }
    while (status == SS_OK && self->chunk != NULL) {
        const ss_run *run = &self->chunk->runs[self->run];
        show_run(self);
        if (self->chunk->first + run->start >= self->first &&
            (run->given != self->given || name_orphan_of_run(self, keys, err))) {
            break;
        }
        status = next_run(self, &unused);
    }
    ss_stmt_finalize(keys);
}

/* --- the fast way --------------------------------------------------------------------------- */

static void
on_change(void *arg, int operation, const char *database, const char *table,
          sqlite3_int64 id)
{
    load *self = arg;
    (void)database;
    (void)table;
    if (operation == SQLITE_INSERT) {
        self->counts.inserted++;
        if (id >= self->source.next_id && id < INT64_MAX) {
            self->source.next_id = id + 1;
        }
    }
    else {
        self->counts.updated++;
    }
}

/* The id that AUTOINCREMENT would give; *any: there is one. */
static ss_status
find_next_id(load *self, bool *any, ss_error *err)
{
    char sql[256];
    const char *name = ss_tables[self->table].name;
    (void)snprintf(sql, sizeof(sql),
                   "SELECT max(coalesce((SELECT seq FROM sqlite_sequence "
                   "WHERE name = '%s'), 0), coalesce((SELECT max(id) FROM \"%s\"), 0))",
                   name, name);
    int64_t last = 0;
    SS_TRY(ss_conn_int(self->access->conn, sql, &last, err));
    *any = last < INT64_MAX;
    self->source.next_id = *any ? last + 1 : last;
    return SS_OK;
}

static void
refused_twice(const load *self, const ss_chunk *chunk, int64_t row, ss_error *err)
{
    const ss_table_desc *table = &ss_tables[self->table];
    ss_value value;
    char shown[128];
    ss_chunk_get(chunk, row, table->key[0], &value);
    ss_value_show(&value, shown, sizeof(shown));
    ss_error_init(err);
    ss_error_set(err, SS_INTEGRITY, "%s already has a row with this key (%s = %s%s)",
                 table->name, table->columns[table->key[0]].name, shown,
                 table->n_key > 1 ? ", ..." : "");
    ss_error_where(err, table->name, table->columns[table->key[0]].name, &value);
    err->sqlite_code = SQLITE_CONSTRAINT_UNIQUE;
}

/* Say which row the statement stopped at, and why. */
static void
explain_refusal(load *self, ss_error *err)
{
    const ss_chunk *chunk = self->source.chunk;
    int64_t row = self->source.row;
    if (err->code != SS_INTEGRITY) {
        return;
    }
    if (err->sqlite_code == SQLITE_CONSTRAINT_FOREIGNKEY) {
        name_orphan(self, err);
        return;
    }
    if (err->sqlite_code == SQLITE_CONSTRAINT_UNIQUE &&
        self->conflict == SS_CONFLICT_ERROR) {
        refused_twice(self, chunk, row, err);
    }
    else {
        name_value(self, chunk, row, err);
    }
    name_row(chunk, row, err);
}

static ss_status
prepare_move(load *self, ss_stmt **stmt, ss_error *err)
{
    ss_sql sql;
    ss_sql_init(&sql, SS_DIALECT_SQLITE);
    ss_status status = ss_sql_move(&sql, &ss_tables[self->table],
                                   &self->access->layout->tables[self->table],
                                   self->given, self->conflict, err);
    if (status == SS_OK) {
        status = ss_stmt_cache_get(self->access->cache, sql.text.data, sql.text.size,
                                   stmt, err);
    }
    ss_sql_free(&sql);
    return status;
}

/* Move the rows from the present run on, as long as they give the same columns. */
static ss_status
move_alike(load *self, ss_error *err)
{
    ss_stmt *stmt = NULL;
    bool row;
    self->given = self->chunk->runs[self->run].given;
    self->first = self->chunk->first + self->chunk->runs[self->run].start;
    self->source.more = show_more;
    self->source.more_arg = self;
    ss_error_init(&self->no_more);
    show_run(self);
    ss_status status = prepare_move(self, &stmt, err);
    if (status == SS_OK) {
        status = ss_ingest_bind(stmt, &self->source, err);
    }
    if (status == SS_OK) {
        status = ss_stmt_step(stmt, ss_tables[self->table].name, &row, err);
    }
    if (self->no_more.code != SS_OK) {
        *err = self->no_more;
        status = (ss_status)err->code;
    }
    else if (status != SS_OK) {
        explain_refusal(self, err);
    }
    ss_stmt_cache_put(self->access->cache, stmt);
    return status;
}

/* --- the way of every other file ------------------------------------------------------- */

static int
row_values(const ss_chunk *chunk, uint64_t given, int64_t row, ss_filter *values)
{
    int n = 0;
    for (int i = 0; i < chunk->batch->n_columns; i++) {
        int16_t column = chunk->map[i];
        if ((given >> column) & 1) {
            values[n].column = column;
            ss_column_get(&chunk->batch->columns[i], row, &values[n].value);
            if (column != 0 || values[n].value.tag != SS_VALUE_NULL) {
                n++; /* an id of NULL is none */
            }
        }
    }
    return n;
}

static ss_status
add_run(load *self, ss_error *err)
{
    const ss_chunk *chunk = self->chunk;
    const ss_run *run = &chunk->runs[self->run];
    ss_filter values[SS_MAX_COLUMNS];
    for (int64_t row = run->start; row < ss_chunk_run_end(chunk, self->run); row++) {
        int n = row_values(chunk, run->given, row, values);
        int64_t id;
        ss_add_outcome outcome;
        ss_status status = ss_write_row(self->access, self->table, values, n,
                                        self->conflict, &id, &outcome, err);
        if (status != SS_OK) {
            if (is_about_row(err) && err->value[0] == '\0') {
                name_value(self, chunk, row, err);
            }
            if (err->code == SS_INTEGRITY || err->code == SS_SCHEMA) {
                name_row(chunk, row, err);
            }
            return status;
        }
        self->counts.inserted += outcome == SS_ADD_INSERTED;
        self->counts.updated += outcome == SS_ADD_UPDATED;
    }
    return next_run(self, err);
}

/* --- all of it ------------------------------------------------------------------------------- */

static ss_status
move_all(load *self, bool fast, ss_error *err)
{
    SS_TRY(first_run(self, err));
    while (self->chunk != NULL) {
        SS_TRY(fast ? move_alike(self, err) : add_run(self, err));
    }
    return SS_OK;
}

static ss_status
set_cache(ss_conn *conn, int64_t size, ss_error *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA cache_size=%lld", (long long)size);
    return ss_conn_exec(conn, sql, err);
}

/* *before: the size to go back to. */
static ss_status
widen_cache(ss_conn *conn, int64_t *before, ss_error *err)
{
    SS_TRY(ss_conn_int(conn, "PRAGMA cache_size", before, err));
    return set_cache(conn, -(int64_t)CACHE_KIB, err);
}

/* What is changed stays until the COMMIT; then SQLite frees what is too much. */
static void
narrow_cache(ss_conn *conn, int64_t before)
{
    ss_error unused;
    ss_error_init(&unused);
    (void)set_cache(conn, before, &unused);
}

static ss_status
run_load(ss_access *access, void *arg, ss_error *err)
{
    load *self = arg;
    sqlite3 *db = ss_conn_handle(access->conn);
    self->access = access;
    self->counts = (ss_add_counts){0, 0, 0};
    SS_TRY(ss_write_check(access, self->table, NULL, 0, err));
    bool fast = access->layout->kind == SS_FILE_CURRENT;
    if (fast) {
        SS_TRY(find_next_id(self, &fast, err));
    }
    if (fast) {
        (void)sqlite3_update_hook(db, on_change, self);
    }
    bool large = ss_spool_rows(self->rows) >= CACHE_FROM_ROWS;
    int64_t cache = 0;
    ss_status status = large ? widen_cache(access->conn, &cache, err) : SS_OK;
    if (status == SS_OK) {
        status = move_all(self, fast, err);
    }
    if (cache != 0) {
        narrow_cache(access->conn, cache);
    }
    if (fast) {
        (void)sqlite3_update_hook(db, NULL, NULL);
    }
    return status;
}

ss_status
ss_db_add_many(ss_db *db, const ss_call *call, int table, ss_spool *rows,
               ss_conflict conflict, ss_add_counts *out, ss_error *err)
{
    load self = {.table = table, .rows = rows, .conflict = conflict};
    SS_TRY(ss_group_write(db, call, true, run_load, &self, err));
    int64_t written = self.counts.inserted + self.counts.updated;
    out->inserted += self.counts.inserted;
    out->updated += self.counts.updated;
    out->ignored += ss_spool_rows(rows) - written;
    return SS_OK;
}
