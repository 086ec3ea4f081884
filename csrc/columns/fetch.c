/* A statement is read by the thread that holds its connection, so cells are taken as
 * sqlite3_value (sqlite3_column_value for the step form): the readers of those neither
 * lock nor look the column up again, which sqlite3_column_* does three times a cell.
 *
 * Tried and left: reading text with sqlite3_value_blob to spare the terminator check.
 * It is no faster (cells come out of the VM terminated) and wrong for UTF-16 files.
 */
#include "columns/fetch.h"

#include "base/mem.h"
#include "base/moment.h"
#include "base/utf8.h"

#include <string.h> // memcpy(), strlen()

#define SINK_POINTER "smartshopie.sink"

typedef enum { CELL_OK, CELL_NOMEM, CELL_UNFIT } cell_result;

typedef struct {
    ss_batch *batch; /* borrowed */
    ss_error *err;   /* borrowed */
    ss_status status;
    bool strict;
} sink;

/* --- one cell ------------------------------------------------------------------ */

static void
value_of(sqlite3_value *cell, ss_value *out)
{
    switch (sqlite3_value_type(cell)) {
    case SQLITE_INTEGER:
        out->tag = SS_VALUE_INT;
        out->as.i = sqlite3_value_int64(cell);
        return;
    case SQLITE_FLOAT:
        out->tag = SS_VALUE_REAL;
        out->as.r = sqlite3_value_double(cell);
        return;
    case SQLITE_TEXT:
        out->tag = SS_VALUE_TEXT;
        out->as.s.p = (const char *)sqlite3_value_text(cell);
        out->as.s.n = (size_t)sqlite3_value_bytes(cell);
        break;
    case SQLITE_BLOB:
        out->tag = SS_VALUE_BLOB;
        out->as.s.p = sqlite3_value_blob(cell);
        out->as.s.n = (size_t)sqlite3_value_bytes(cell);
        break;
    default:
        out->tag = SS_VALUE_NULL;
        out->as.i = 0;
        return;
    }
    if (out->as.s.p == NULL) {
        out->as.s.p = "";
        out->as.s.n = 0;
    }
}

static inline cell_result
put_text(ss_column *column, int64_t row, sqlite3_value *cell)
{
    const char *text = (const char *)sqlite3_value_text(cell);
    if (text == NULL) {
        return CELL_NOMEM;
    }
    size_t n = (size_t)sqlite3_value_bytes(cell);
    if (column->n_bytes + n > column->bytes_capacity &&
        ss_column_reserve_bytes(column, n) != SS_OK) {
        return CELL_NOMEM;
    }
    if (!ss_utf8_copy_ascii(column->bytes + column->n_bytes, text, n) &&
        !ss_utf8_valid(text, n)) {
        return CELL_UNFIT;
    }
    column->n_bytes += n;
    column->data.offsets[row + 1] = (int64_t)column->n_bytes;
    return CELL_OK;
}

static inline cell_result
put_moment(ss_column *column, int64_t row, sqlite3_value *cell)
{
    const char *text = (const char *)sqlite3_value_text(cell);
    if (text == NULL) {
        return CELL_NOMEM;
    }
    size_t n = (size_t)sqlite3_value_bytes(cell);
    bool fits =
        column->kind == SS_KIND_DATE
            ? ss_day_parse(text, n, &column->data.i32[row])
            : ss_instant_parse_next(text, n, &column->memo, &column->data.i64[row]);
    return fits ? CELL_OK : CELL_UNFIT;
}

/* A REAL in an INTEGER column is that integer when it is one. */
static inline cell_result
put_whole(ss_column *column, int64_t row, double r)
{
    if (!(r >= -0x1p63 && r < 0x1p63) || (double)(int64_t)r != r) {
        return CELL_UNFIT;
    }
    column->data.i64[row] = (int64_t)r;
    return CELL_OK;
}

static cell_result
put_any(ss_batch *batch, int index, sqlite3_value *cell)
{
    ss_value value;
    value_of(cell, &value);
    return ss_batch_put(batch, index, &value) == SS_OK ? CELL_OK : CELL_NOMEM;
}

/* Convert and append one cell; the compiler makes one jump per cell of this. */
static inline cell_result
put_cell(ss_batch *batch, int index, sqlite3_value *cell)
{
    ss_column *column = &batch->columns[index];
    int64_t row = batch->n_rows;
    int type = sqlite3_value_type(cell);
    if (type == SQLITE_NULL) {
        static const ss_value null = {.tag = SS_VALUE_NULL};
        return ss_batch_put(batch, index, &null) == SS_OK ? CELL_OK : CELL_NOMEM;
    }
    switch ((ss_kind)column->kind) {
    case SS_KIND_INT:
        if (type == SQLITE_INTEGER) {
            column->data.i64[row] = sqlite3_value_int64(cell);
            return CELL_OK;
        }
        return type == SQLITE_FLOAT ? put_whole(column, row, sqlite3_value_double(cell))
                                    : CELL_UNFIT;
    case SS_KIND_REAL:
        if (type == SQLITE_FLOAT || type == SQLITE_INTEGER) {
            column->data.f64[row] = sqlite3_value_double(cell);
            return CELL_OK;
        }
        return CELL_UNFIT;
    case SS_KIND_TEXT:
        return type == SQLITE_TEXT ? put_text(column, row, cell) : CELL_UNFIT;
    case SS_KIND_DATE:
    case SS_KIND_TIMESTAMP:
        return type == SQLITE_TEXT ? put_moment(column, row, cell) : CELL_UNFIT;
    case SS_KIND_ANY:
        break;
    }
    return put_any(batch, index, cell);
}

/* The cell does not fit its column: refuse it, or read null and say so in a note. */
static ss_status
unfit(ss_batch *batch, int index, sqlite3_value *cell, bool strict, ss_error *err)
{
    ss_value value;
    value_of(cell, &value);
    if (!strict) {
        static const ss_value null = {.tag = SS_VALUE_NULL};
        if (ss_batch_note(batch, index, &value) != SS_OK ||
            ss_batch_put(batch, index, &null) != SS_OK) {
            return ss_error_nomem(err);
        }
        return SS_OK;
    }
    const char *table = batch->table != NULL ? batch->table->name : NULL;
    char shown[128];
    ss_value_show(&value, shown, sizeof(shown));
    ss_error_set(err, SS_DATA,
                 "%s%s%s, row %lld of the result: the stored value %s is no %s "
                 "(strict=False reads such a cell as None)",
                 table != NULL ? table : "", table != NULL ? "." : "",
                 batch->names[index], (long long)batch->n_rows, shown,
                 ss_kind_name((ss_kind)batch->columns[index].kind));
    ss_error_where(err, table, batch->names[index], &value);
    ss_error_row(err, batch->n_rows);
    return SS_DATA;
}

static inline ss_status
take_cell(ss_batch *batch, int index, sqlite3_value *cell, bool strict, ss_error *err)
{
    cell_result result = put_cell(batch, index, cell);
    if (result == CELL_OK) {
        return SS_OK;
    }
    if (result == CELL_NOMEM) {
        return ss_error_nomem(err);
    }
    return unfit(batch, index, cell, strict, err);
}

/* --- the sink -------------------------------------------------------------------- */

static void
sink_row(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    sink **slot = sqlite3_aggregate_context(context, sizeof(sink *));
    if (slot == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (*slot == NULL) {
        *slot = n_args > 0 ? sqlite3_value_pointer(args[0], SINK_POINTER) : NULL;
        if (*slot == NULL || (*slot)->batch->n_columns != n_args - 1) {
            *slot = NULL;
            sqlite3_result_error(context, "ss_sink is not for use in SQL", -1);
            return;
        }
    }
    sink *s = *slot;
    ss_batch *batch = s->batch;
    if (ss_batch_row(batch) != SS_OK) {
        s->status = ss_error_nomem(s->err);
        sqlite3_result_error_nomem(context);
        return;
    }
    for (int i = 1; i < n_args; i++) {
        s->status = take_cell(batch, i - 1, args[i], s->strict, s->err);
        if (s->status != SS_OK) {
            sqlite3_result_error_code(context, SQLITE_ABORT);
            return;
        }
    }
    ss_batch_row_done(batch);
}

static void
sink_end(sqlite3_context *context)
{
    sqlite3_result_null(context);
}

ss_status
ss_fetch_register(ss_conn *conn, ss_error *err)
{
    int rc = sqlite3_create_function_v2(ss_conn_handle(conn), "ss_sink", -1,
                                        SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, NULL,
                                        sink_row, sink_end, NULL);
    if (rc != SQLITE_OK) {
        return ss_conn_error(conn, rc, "setting up the connection", err);
    }
    return SS_OK;
}

ss_status
ss_fetch_sink_part(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
                   ss_error *err)
{
    sink s = {.batch = into, .err = err, .status = SS_OK, .strict = strict};
    int rc = sqlite3_bind_pointer(stmt->raw, 1, &s, SINK_POINTER, NULL);
    if (rc != SQLITE_OK) {
        return ss_conn_error(stmt->conn, rc, what, err);
    }
    bool row = false;
    ss_status status = ss_stmt_step(stmt, what, &row, err);
    if (s.status != SS_OK) {
        status = s.status; /* why the function stopped, not that it did */
    }
    ss_stmt_reset(stmt); /* the pointer dies with this frame */
    return status;
}

ss_status
ss_fetch_sink(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
              ss_error *err)
{
    SS_TRY(ss_fetch_sink_part(stmt, into, strict, what, err));
    ss_batch_finish(into);
    return SS_OK;
}

/* --- the step loop --------------------------------------------------------------- */

static ss_status
take_row(ss_stmt *stmt, ss_batch *into, bool strict, ss_error *err)
{
    if (ss_batch_row(into) != SS_OK) {
        return ss_error_nomem(err);
    }
    for (int i = 0; i < into->n_columns; i++) {
        SS_TRY(take_cell(into, i, sqlite3_column_value(stmt->raw, i), strict, err));
    }
    ss_batch_row_done(into);
    return SS_OK;
}

/* If the statement stands on a row, take it and those after it, n at most. */
static ss_status
take_rows(ss_stmt *stmt, int64_t n, bool *row, ss_batch *into, bool strict,
          const char *what, ss_error *err)
{
    for (; *row && n > 0; n--) {
        ss_status status = take_row(stmt, into, strict, err);
        if (status == SS_OK) {
            status = ss_stmt_step(stmt, what, row, err);
        }
        if (status != SS_OK) {
            ss_stmt_reset(stmt);
            return status;
        }
    }
    return SS_OK;
}

ss_status
ss_fetch_some(ss_stmt *stmt, ss_batch *into, int64_t n, bool strict, const char *what,
              bool *more, ss_error *err)
{
    SS_TRY(ss_stmt_step(stmt, what, more, err));
    return take_rows(stmt, n, more, into, strict, what, err);
}

ss_status
ss_fetch_rest(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
              ss_error *err)
{
    bool row = true;
    return take_rows(stmt, INT64_MAX, &row, into, strict, what, err);
}

ss_status
ss_fetch_step(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
              ss_error *err)
{
    SS_TRY(ss_fetch_step_part(stmt, into, strict, what, err));
    ss_batch_finish(into);
    return SS_OK;
}

ss_status
ss_fetch_step_part(ss_stmt *stmt, ss_batch *into, bool strict, const char *what,
                   ss_error *err)
{
    bool more;
    return ss_fetch_some(stmt, into, INT64_MAX, strict, what, &more, err);
}

/* What stands behind the cells of the batch, as stored. */
static ss_status
take_rest(ss_stmt *stmt, const ss_batch *into, ss_batch *last, ss_error *err)
{
    for (int i = 0; i < last->n_columns; i++) {
        ss_value value;
        value_of(sqlite3_column_value(stmt->raw, into->n_columns + i), &value);
        if (ss_batch_put(last, i, &value) != SS_OK) {
            return ss_error_nomem(err);
        }
    }
    return SS_OK;
}

ss_status
ss_fetch_page(ss_stmt *stmt, ss_batch *into, int64_t limit, bool strict,
              const char *what, ss_batch *last, ss_error *err)
{
    bool row = false;
    SS_TRY(ss_stmt_step(stmt, what, &row, err));
    while (row && into->n_rows < limit) {
        ss_status status = take_row(stmt, into, strict, err);
        if (status == SS_OK && into->n_rows == limit) {
            status = take_rest(stmt, into, last, err);
        }
        if (status == SS_OK) {
            status = ss_stmt_step(stmt, what, &row, err);
        }
        if (status != SS_OK) {
            ss_stmt_reset(stmt);
            return status;
        }
    }
    if (row && limit > 0) {
        ss_batch_row_done(last);
    }
    ss_stmt_reset(stmt);
    ss_batch_finish(into);
    ss_batch_finish(last);
    return SS_OK;
}

/* --- free SQL -------------------------------------------------------------------- */

/* The kind a declared type stands for; what is not one of ours is read as stored. */
static ss_kind
kind_of_declared(const char *type)
{
    static const struct {
        const char *type;
        ss_kind kind;
    } known[] = {
        {"INTEGER", SS_KIND_INT},         {"INT", SS_KIND_INT},
        {"BIGINT", SS_KIND_INT},          {"REAL", SS_KIND_REAL},
        {"TEXT", SS_KIND_TEXT},           {"DATE", SS_KIND_DATE},
        {"TIMESTAMP", SS_KIND_TIMESTAMP},
    };
    if (type == NULL) {
        return SS_KIND_ANY;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sqlite3_stricmp(type, known[i].type) == 0) {
            return known[i].kind;
        }
    }
    return SS_KIND_ANY;
}

static ss_status
batch_of_statement(ss_stmt *stmt, bool raw, ss_batch **out, ss_error *err)
{
    int n = sqlite3_column_count(stmt->raw);
    const char **names = ss_calloc((size_t)n + 1, sizeof(*names));
    uint8_t *kinds = ss_calloc((size_t)n + 1, 1);
    ss_status status = SS_NOMEM;
    if (names == NULL || kinds == NULL) {
        status = ss_error_nomem(err);
        goto done;
    }
    for (int i = 0; i < n; i++) {
        names[i] = sqlite3_column_name(stmt->raw, i);
        if (names[i] == NULL) {
            status = ss_error_nomem(err);
            goto done;
        }
        kinds[i] =
            (uint8_t)(raw ? SS_KIND_ANY
                          : kind_of_declared(sqlite3_column_decltype(stmt->raw, i)));
    }
    status = ss_batch_new_free(names, kinds, n, 1, out, err);
done:
    ss_free(names);
    ss_free(kinds);
    return status;
}

ss_status
ss_fetch_free(ss_stmt *stmt, bool raw, bool strict, const char *what, ss_batch **out,
              ss_error *err)
{
    /* Names and count only after the first step: that is when a statement whose table
     * was altered meanwhile is prepared anew. */
    bool row = false;
    SS_TRY(ss_stmt_step(stmt, what, &row, err));
    ss_batch *batch = NULL;
    ss_status status = batch_of_statement(stmt, raw, &batch, err);
    if (status != SS_OK) {
        ss_stmt_reset(stmt);
        return status;
    }
    status = take_rows(stmt, INT64_MAX, &row, batch, strict, what, err);
    if (status != SS_OK) {
        ss_batch_release(batch);
        return status;
    }
    ss_batch_finish(batch);
    *out = batch;
    return SS_OK;
}
