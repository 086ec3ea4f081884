#include "columns/batch.h"

#include "base/mem.h"

#include <string.h> // memcpy(), memset(), strlen()

enum { OWN_VALIDITY = 1, OWN_DATA = 2, OWN_BYTES = 4 };

/* Text bytes per row set aside in the first block, and the most rows it holds: past
 * that, columns get blocks of their own from the start. */
enum { FIRST_TEXT = 24, FIRST_ROWS = 64 };

static size_t
round8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static bool
has_bytes(ss_kind kind)
{
    return kind == SS_KIND_TEXT || kind == SS_KIND_ANY;
}

/* Slots of `data` for `rows` rows: text has one offset more than rows. */
static size_t
slots(ss_kind kind, int64_t rows)
{
    return (size_t)rows + (kind == SS_KIND_TEXT ? 1 : 0);
}

static size_t
bitmap_size(int64_t rows)
{
    return round8(((size_t)rows + 7) / 8);
}

/* Bytes of the first block that one column of this kind takes. */
static size_t
first_block_size(ss_kind kind, int64_t rows)
{
    size_t n = bitmap_size(rows) + round8(slots(kind, rows) * ss_kind_width(kind));
    return has_bytes(kind) ? n + round8((size_t)rows * FIRST_TEXT) : n;
}

/* Cut the column's first buffers from `block`; returns what is left of it. */
static char *
column_init(ss_column *column, ss_kind kind, int64_t rows, char *block)
{
    memset(column, 0, sizeof(*column));
    column->kind = (uint8_t)kind;
    column->validity = (uint8_t *)block;
    memset(block, 0xff, bitmap_size(rows));
    block += bitmap_size(rows);
    column->data.p = block;
    block += round8(slots(kind, rows) * ss_kind_width(kind));
    if (kind == SS_KIND_TEXT) {
        column->data.offsets[0] = 0;
    }
    if (has_bytes(kind)) {
        column->bytes = block;
        column->bytes_capacity = round8((size_t)rows * FIRST_TEXT);
        block += column->bytes_capacity;
    }
    return block;
}

static void
column_free(ss_column *column)
{
    if (column->own & OWN_VALIDITY) {
        ss_free(column->validity);
    }
    if (column->own & OWN_DATA) {
        ss_free(column->data.p);
    }
    if (column->own & OWN_BYTES) {
        ss_free(column->bytes);
    }
    column->own = 0;
}

/* One block for the batch, its names and every column's first rows. `extra` bytes are
 * kept for copied names, handed back in *names_block. */
static ss_batch *
batch_alloc(const uint8_t *kinds, int n, int64_t hint, size_t extra, char **names_block)
{
    int64_t rows = hint < 1 ? 1 : hint > FIRST_ROWS ? FIRST_ROWS : hint;
    size_t head = round8(sizeof(ss_batch)) + round8((size_t)n * sizeof(ss_column)) +
                  round8((size_t)n * sizeof(char *)) + round8(extra);
    size_t size = head;
    for (int i = 0; i < n; i++) {
        size += first_block_size((ss_kind)kinds[i], rows);
    }
    char *block = ss_malloc(size);
    if (block == NULL) {
        return NULL;
    }
    ss_batch *batch = (ss_batch *)block;
    memset(batch, 0, sizeof(*batch));
    atomic_init(&batch->refs, 1);
    batch->n_columns = n;
    batch->capacity = rows;
    block += round8(sizeof(ss_batch));
    batch->columns = (ss_column *)block;
    block += round8((size_t)n * sizeof(ss_column));
    batch->names = (const char *const *)block;
    block += round8((size_t)n * sizeof(char *));
    *names_block = block;
    block += round8(extra);
    for (int i = 0; i < n; i++) {
        block = column_init(&batch->columns[i], (ss_kind)kinds[i], rows, block);
    }
    return batch;
}

static bool
is_whole(const ss_table_desc *table, const int16_t *map, int n)
{
    if (n != table->n_columns) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (map[i] != i) {
            return false;
        }
    }
    return true;
}

ss_status
ss_batch_new_table(const ss_table_desc *table, const int16_t *map, int n, int64_t hint,
                   ss_batch **out, ss_error *err)
{
    uint8_t kinds[SS_MAX_COLUMNS];
    if (n > (int)sizeof(kinds)) {
        return ss_error_set(err, SS_INTERNAL, "a table of too many columns");
    }
    for (int i = 0; i < n; i++) {
        kinds[i] = table->columns[map[i]].kind;
    }
    char *unused;
    ss_batch *batch = batch_alloc(kinds, n, hint, 0, &unused);
    if (batch == NULL) {
        return ss_error_nomem(err);
    }
    batch->table = table;
    batch->whole = is_whole(table, map, n);
    const char **names = (const char **)(uintptr_t)batch->names;
    for (int i = 0; i < n; i++) {
        names[i] = table->columns[map[i]].name;
    }
    *out = batch;
    return SS_OK;
}

ss_status
ss_batch_new_free(const char *const *names, const uint8_t *kinds, int n, int64_t hint,
                  ss_batch **out, ss_error *err)
{
    size_t extra = 0;
    for (int i = 0; i < n; i++) {
        extra += strlen(names[i]) + 1;
    }
    char *text;
    ss_batch *batch = batch_alloc(kinds, n, hint, extra, &text);
    if (batch == NULL) {
        return ss_error_nomem(err);
    }
    const char **copies = (const char **)(uintptr_t)batch->names;
    for (int i = 0; i < n; i++) {
        size_t size = strlen(names[i]) + 1;
        copies[i] = memcpy(text, names[i], size);
        text += size;
    }
    *out = batch;
    return SS_OK;
}

/* Make a buffer hold `size` bytes, moving it out of the first block when it lives
 * there (`used` bytes are copied then). */
static ss_status
buffer_grow(void **p, size_t used, size_t count, size_t width, uint8_t *own,
            uint8_t bit)
{
    if (*own & bit) {
        void *grown = ss_realloc_array(*p, count, width);
        if (grown == NULL) {
            return SS_NOMEM;
        }
        *p = grown;
        return SS_OK;
    }
    void *fresh = ss_realloc_array(NULL, count, width);
    if (fresh == NULL) {
        return SS_NOMEM;
    }
    if (used > 0) {
        memcpy(fresh, *p, used);
    }
    *p = fresh;
    *own |= bit;
    return SS_OK;
}

static ss_status
column_grow(ss_column *column, int64_t rows, int64_t capacity)
{
    ss_kind kind = (ss_kind)column->kind;
    size_t width = ss_kind_width(kind);
    void *validity = column->validity;
    SS_TRY(buffer_grow(&validity, bitmap_size(rows), bitmap_size(capacity), 1,
                       &column->own, OWN_VALIDITY));
    column->validity = validity;
    memset(column->validity + bitmap_size(rows), 0xff,
           bitmap_size(capacity) - bitmap_size(rows));
    return buffer_grow(&column->data.p, slots(kind, rows) * width,
                       slots(kind, capacity), width, &column->own, OWN_DATA);
}

/* All columns have the same capacity, so a failure half-way is harmless: the others are
 * larger than they need be, and growing again starts from the same row count. */
static ss_status
batch_grow(ss_batch *batch, int64_t capacity)
{
    for (int i = 0; i < batch->n_columns; i++) {
        SS_TRY(column_grow(&batch->columns[i], batch->capacity, capacity));
    }
    batch->capacity = capacity;
    return SS_OK;
}

ss_status
ss_batch_grow(ss_batch *batch)
{
    /* At least 1024 rows once the first block is left; then double. */
    return batch_grow(batch, batch->capacity < 512 ? 1024 : batch->capacity * 2);
}

ss_status
ss_batch_reserve(ss_batch *batch, int64_t rows)
{
    return rows > batch->capacity ? batch_grow(batch, rows) : SS_OK;
}

ss_status
ss_column_reserve_bytes(ss_column *column, size_t n)
{
    size_t needed = column->n_bytes + n;
    if (needed <= column->bytes_capacity) {
        return SS_OK;
    }
    size_t capacity = column->bytes_capacity < 4096 ? 4096 : column->bytes_capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    void *bytes = column->bytes;
    SS_TRY(buffer_grow(&bytes, column->n_bytes, capacity, 1, &column->own, OWN_BYTES));
    column->bytes = bytes;
    column->bytes_capacity = capacity;
    return SS_OK;
}

static ss_status
append_bytes(ss_column *column, const ss_value *value)
{
    size_t n = value->as.s.n;
    SS_TRY(ss_column_reserve_bytes(column, n));
    if (n > 0) {
        memcpy(column->bytes + column->n_bytes, value->as.s.p, n);
    }
    column->n_bytes += n;
    return SS_OK;
}

static ss_status
put_cell(ss_column *column, int64_t row, const ss_value *value)
{
    ss_cell cell = {.tag = (uint32_t)value->tag};
    if (value->tag == SS_VALUE_TEXT || value->tag == SS_VALUE_BLOB) {
        if (value->as.s.n > UINT32_MAX) {
            return SS_TYPE;
        }
        cell.as.offset = column->n_bytes;
        cell.n = (uint32_t)value->as.s.n;
        SS_TRY(append_bytes(column, value));
    }
    else if (value->tag == SS_VALUE_REAL) {
        cell.as.r = value->as.r;
    }
    else {
        cell.as.i = value->as.i;
    }
    column->data.cells[row] = cell;
    return SS_OK;
}

void
ss_column_put_null(ss_column *column, int64_t row)
{
    column->validity[row >> 3] &= (uint8_t)~(1u << (row & 7));
    column->null_count++;
    switch ((ss_kind)column->kind) {
    case SS_KIND_TEXT:
        column->data.offsets[row + 1] = (int64_t)column->n_bytes;
        return;
    case SS_KIND_DATE:
        column->data.i32[row] = 0;
        return;
    case SS_KIND_ANY:
        column->data.cells[row] = (ss_cell){.tag = SS_VALUE_NULL};
        return;
    case SS_KIND_INT:
    case SS_KIND_REAL:
    case SS_KIND_TIMESTAMP:
        column->data.i64[row] = 0;
        return;
    }
}

ss_status
ss_column_put(ss_column *column, int64_t row, const ss_value *value)
{
    if (value->tag == SS_VALUE_NULL) {
        ss_column_put_null(column, row);
        return SS_OK;
    }
    static const uint8_t tag_of_kind[] = {
        [SS_KIND_INT] = SS_VALUE_INT,
        [SS_KIND_REAL] = SS_VALUE_REAL,
        [SS_KIND_TEXT] = SS_VALUE_TEXT,
        [SS_KIND_DATE] = SS_VALUE_DATE,
        [SS_KIND_TIMESTAMP] = SS_VALUE_TIMESTAMP,
    };
    if (column->kind == SS_KIND_ANY) {
        return put_cell(column, row, value);
    }
    if (value->tag != tag_of_kind[column->kind]) {
        return SS_TYPE;
    }
    switch ((ss_kind)column->kind) {
    case SS_KIND_REAL:
        column->data.f64[row] = value->as.r;
        break;
    case SS_KIND_TEXT:
        SS_TRY(append_bytes(column, value));
        column->data.offsets[row + 1] = (int64_t)column->n_bytes;
        break;
    case SS_KIND_DATE:
        column->data.i32[row] = (int32_t)value->as.i;
        break;
    case SS_KIND_INT:
    case SS_KIND_TIMESTAMP:
    case SS_KIND_ANY:
        column->data.i64[row] = value->as.i;
        break;
    }
    return SS_OK;
}

static ss_status
reserve_note(ss_batch *batch)
{
    if (batch->n_notes < batch->notes_capacity) {
        return SS_OK;
    }
    int64_t capacity = batch->notes_capacity == 0 ? 8 : batch->notes_capacity * 2;
    ss_note *notes = ss_realloc_array(batch->notes, (size_t)capacity, sizeof(*notes));
    if (notes == NULL) {
        return SS_NOMEM;
    }
    batch->notes = notes;
    batch->notes_capacity = capacity;
    return SS_OK;
}

ss_status
ss_batch_put(ss_batch *batch, int index, const ss_value *value)
{
    return ss_column_put(&batch->columns[index], batch->n_rows, value);
}

ss_status
ss_batch_note(ss_batch *batch, int column, const ss_value *value)
{
    SS_TRY(reserve_note(batch));
    ss_note *note = &batch->notes[batch->n_notes++];
    note->row = batch->n_rows;
    note->column = column;
    ss_value_show(value, note->value, sizeof(note->value));
    return SS_OK;
}

ss_status
ss_batch_take_notes(ss_batch *batch, const ss_batch *from, int64_t start, int64_t rows)
{
    for (int64_t i = 0; i < from->n_notes; i++) {
        int64_t row = from->notes[i].row - start;
        if (row >= 0 && row < rows) {
            SS_TRY(reserve_note(batch));
            ss_note *note = &batch->notes[batch->n_notes++];
            *note = from->notes[i];
            note->row = batch->n_rows + row;
        }
    }
    return SS_OK;
}

void
ss_batch_finish(ss_batch *batch)
{
    for (int i = 0; i < batch->n_columns; i++) {
        ss_column *column = &batch->columns[i];
        if (column->null_count == 0) {
            if (column->own & OWN_VALIDITY) {
                ss_free(column->validity);
                column->own &= (uint8_t)~OWN_VALIDITY;
            }
            column->validity = NULL;
        }
    }
}

void
ss_batch_drop_column(ss_batch *batch, int column)
{
    column_free(&batch->columns[column]);
}

ss_batch *
ss_batch_retain(ss_batch *batch)
{
    atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);
    return batch;
}

void
ss_batch_release(ss_batch *batch)
{
    if (batch == NULL ||
        atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (int i = 0; i < batch->n_columns; i++) {
        column_free(&batch->columns[i]);
    }
    ss_free(batch->notes);
    ss_free(batch->next_token);
    ss_free(batch);
}

size_t
ss_batch_size(const ss_batch *batch)
{
    size_t size = sizeof(*batch) + (size_t)batch->n_notes * sizeof(ss_note);
    for (int i = 0; i < batch->n_columns; i++) {
        const ss_column *column = &batch->columns[i];
        ss_kind kind = (ss_kind)column->kind;
        size += sizeof(*column) + sizeof(char *) + column->n_bytes;
        size += slots(kind, batch->n_rows) * ss_kind_width(kind);
        size += column->validity != NULL ? bitmap_size(batch->n_rows) : 0;
    }
    return size;
}

int64_t
ss_view_nulls(const ss_view *view, const ss_column *column)
{
    int64_t n = 0;

    if (view->length == view->batch->n_rows) {
        return column->null_count;
    }
    for (int64_t i = 0; i < view->length && column->null_count > 0; i++) {
        n += ss_column_is_null(column, view->start + i * view->step);
    }
    return n;
}

int
ss_batch_find(const ss_batch *batch, const char *name, size_t n)
{
    for (int i = 0; i < batch->n_columns; i++) {
        if (strlen(batch->names[i]) == n && memcmp(batch->names[i], name, n) == 0) {
            return i;
        }
    }
    return -1;
}
