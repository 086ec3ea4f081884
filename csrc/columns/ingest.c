/* A virtual table without a state of its own: what it reads comes as the hidden
 * argument of the call, a pointer that no SQL text can make.  Text is handed over by
 * reference; days and instants are written into the cursor, and stay there until the
 * next row, by which time SQLite has made its record of this one.
 */
#include "columns/ingest.h"

#include "base/mem.h"

#include <stdio.h>  // snprintf()
#include <string.h> // memset()

#define POINTER "smartshopie.rows"

typedef struct {
    sqlite3_vtab_cursor base; /* SQLite's; must be first */
    ss_ingest *source;        /* borrowed from the statement's binding; NULL: no rows */
    char text[SS_MAX_COLUMNS][SS_INSTANT_TEXT];
    ss_day_text memo[SS_MAX_COLUMNS];
} cursor;

static int
rows_connect(sqlite3 *db, void *unused, int n_args, const char *const *args,
             sqlite3_vtab **out, char **message)
{
    char sql[32 + 5 * SS_MAX_COLUMNS];
    size_t at = (size_t)snprintf(sql, sizeof(sql), "CREATE TABLE x(");
    (void)unused;
    (void)n_args;
    (void)args;
    (void)message;
    for (int c = 0; c < SS_MAX_COLUMNS; c++) {
        at += (size_t)snprintf(sql + at, sizeof(sql) - at, "c%d, ", c);
    }
    (void)snprintf(sql + at, sizeof(sql) - at, "rows HIDDEN)");
    int rc = sqlite3_declare_vtab(db, sql);
    if (rc == SQLITE_OK) {
        rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
    }
    if (rc == SQLITE_OK) {
        *out = ss_calloc(1, sizeof(**out));
        rc = *out != NULL ? SQLITE_OK : SQLITE_NOMEM;
    }
    return rc;
}

static int
rows_disconnect(sqlite3_vtab *table)
{
    ss_free(table);
    return SQLITE_OK;
}

/* The only plan: all rows of the argument. */
static int
rows_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn == SS_MAX_COLUMNS &&
            info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
            info->aConstraint[i].usable) {
            info->aConstraintUsage[i].argvIndex = 1;
            info->aConstraintUsage[i].omit = 1;
            info->estimatedCost = 1e6;
            info->estimatedRows = 1000000;
            return SQLITE_OK;
        }
    }
    return SQLITE_CONSTRAINT;
}

static int
rows_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    (void)table;
    cursor *self = ss_calloc(1, sizeof(*self));
    if (self == NULL) {
        return SQLITE_NOMEM;
    }
    *out = &self->base;
    return SQLITE_OK;
}

static int
rows_close(sqlite3_vtab_cursor *base)
{
    ss_free(base);
    return SQLITE_OK;
}

static int
rows_filter(sqlite3_vtab_cursor *base, int plan, const char *name, int n_args,
            sqlite3_value **args)
{
    cursor *self = (cursor *)base;
    (void)plan;
    (void)name;
    self->source = n_args > 0 ? sqlite3_value_pointer(args[0], POINTER) : NULL;
    if (self->source != NULL) {
        self->source->row = self->source->from;
    }
    return SQLITE_OK;
}

static int
rows_next(sqlite3_vtab_cursor *base)
{
    ss_ingest *source = ((cursor *)base)->source;
    if (++source->row < source->until || source->more == NULL) {
        return SQLITE_OK;
    }
    return source->more(source->more_arg) == SS_OK ? SQLITE_OK : SQLITE_ERROR;
}

static int
rows_eof(sqlite3_vtab_cursor *base)
{
    const ss_ingest *source = ((cursor *)base)->source;
    return source == NULL || source->row >= source->until;
}

static void
give_text(sqlite3_context *context, const ss_column *column, int64_t row)
{
    const int64_t *offsets = column->data.offsets;
    int64_t n = offsets[row + 1] - offsets[row];
    const char *text = column->bytes != NULL ? column->bytes + offsets[row] : "";
    sqlite3_result_text64(context, text, (sqlite3_uint64)n, SQLITE_STATIC, SQLITE_UTF8);
}

/* Without a length: only then does SQLite know that a NUL follows, without which each
 * GLOB in a CHECK would make a copy that ends with one. */
static void
give_moment(sqlite3_context *context, const char *text, char *end)
{
    *end = '\0';
    sqlite3_result_text(context, text, -1, SQLITE_STATIC);
}

static int
rows_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int c)
{
    cursor *self = (cursor *)base;
    const ss_ingest *source = self->source;
    int16_t slot = c < SS_MAX_COLUMNS ? source->chunk->slot[c] : -1;
    const ss_column *column = slot >= 0 ? &source->chunk->batch->columns[slot] : NULL;
    if (column == NULL || ss_column_is_null(column, source->row)) {
        if (c == 0) {
            sqlite3_result_int64(context, source->next_id);
        }
        return SQLITE_OK;
    }
    char *text = self->text[c], *end;
    switch ((ss_kind)column->kind) {
    case SS_KIND_INT:
        sqlite3_result_int64(context, column->data.i64[source->row]);
        break;
    case SS_KIND_REAL:
        sqlite3_result_double(context, column->data.f64[source->row]);
        break;
    case SS_KIND_TEXT:
        give_text(context, column, source->row);
        break;
    case SS_KIND_DATE:
        end = ss_day_put(column->data.i32[source->row], &self->memo[c], text);
        give_moment(context, text, end);
        break;
    case SS_KIND_TIMESTAMP:
        end = ss_instant_put(column->data.i64[source->row], ' ', &self->memo[c], text);
        give_moment(context, text, end);
        break;
    case SS_KIND_ANY: /* no column of a table of ours */
        break;
    }
    return SQLITE_OK;
}

static int
rows_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((cursor *)base)->source->row;
    return SQLITE_OK;
}

ss_status
ss_ingest_register(ss_conn *conn, ss_error *err)
{
    static const sqlite3_module module = {
        .xConnect = rows_connect,
        .xBestIndex = rows_best_index,
        .xDisconnect = rows_disconnect,
        .xOpen = rows_open,
        .xClose = rows_close,
        .xFilter = rows_filter,
        .xNext = rows_next,
        .xEof = rows_eof,
        .xColumn = rows_column,
        .xRowid = rows_rowid,
    };
    int rc =
        sqlite3_create_module_v2(ss_conn_handle(conn), "ss_rows", &module, NULL, NULL);
    return rc == SQLITE_OK ? SS_OK
                           : ss_conn_error(conn, rc, "setting up the connection", err);
}

ss_status
ss_ingest_bind(ss_stmt *stmt, ss_ingest *source, ss_error *err)
{
    int rc = sqlite3_bind_pointer(stmt->raw, 1, source, POINTER, NULL);
    return rc == SQLITE_OK ? SS_OK : ss_conn_error(stmt->conn, rc, "binding", err);
}
