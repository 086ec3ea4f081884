/* formats/json_out: rows as JSON.
 *
 * Owns the plan of one writing: for each column its key, escaped once, and how its cells
 * are written. A pass over the text of a column, which lies in one piece, tells whether
 * any of it must be escaped: mostly none, and then its cells are only copied. The same
 * pass gives the size that cannot be exceeded, so that nothing below asks whether there
 * is still room.
 *
 * Short pieces are copied in blocks of a fixed size, a few bytes more than there are;
 * what follows writes over them, and the bound has SLACK for the last one.
 */
#include "formats/json_out.h"

#include "base/buf.h"
#include "base/digits.h"
#include "base/mem.h"
#include "base/real.h"
#include "base/utf8.h"
#include "formats/json_text.h"

#include <math.h>   // isfinite()
#include <string.h> // memcpy(), strlen()

#include <assert.h>

enum { BLOCK = 16, SLACK = 2 * BLOCK };
enum { SECRET_TAIL = 4 };

/* The most bytes of one value. */
enum {
    INT_SIZE = SS_INT_TEXT,
    REAL_SIZE = SS_REAL_TEXT,
    DATE_SIZE = 12,    /* with quotes */
    INSTANT_SIZE = 28, /* with quotes and fraction */
    TEXT_SIZE = 5,     /* beside its bytes: quotes and what stands for a secret */
};

typedef struct {
    const ss_column *column; /* borrowed */
    size_t key_at;           /* into keys: in rows `,"name":` (the first: `{"name":`) */
    size_t n_key;
    bool as_is;  /* a text column of which nothing is escaped */
    bool secret; /* show the end of it */
    ss_day_text memo;
} field;

struct ss_json {
    ss_view view;
    ss_json_options options;
    field *fields; /* owned */
    int n_fields;
    ss_buf keys; /* with BLOCK bytes after the last that may be read */
    size_t bound;
    ss_filling filling; /* while it is written */
};

/* ---- the bound ---- */

static void
add_bytes(ss_json *json, size_t count, size_t each)
{
    size_t product;

    if (__builtin_mul_overflow(count, each, &product) ||
        __builtin_add_overflow(json->bound, product, &json->bound)) {
        json->bound = SIZE_MAX; /* and stays: no block is as large */
    }
}

static inline int64_t
row_of(const ss_view *view, int64_t i)
{
    return view->start + i * view->step;
}

/* Some text that will be written: does any of it need to be escaped? */
static bool
add_text(ss_json *json, const char *s, size_t n)
{
    size_t specials = ss_json_text_specials(s, n, json->options.html);

    add_bytes(json, n, 1);
    add_bytes(json, specials, SS_JSON_ESCAPE - 1);
    return specials > 0;
}

/* Rows that follow each other have their text in one piece. */
static void
bound_text(ss_json *json, field *f)
{
    const ss_view *view = &json->view;
    const int64_t *offsets = f->column->data.offsets;
    int64_t n = view->length;
    bool escape = false;

    add_bytes(json, (size_t)n, TEXT_SIZE);
    if (n > 0 && (view->step == 1 || view->step == -1)) {
        int64_t first = row_of(view, view->step == 1 ? 0 : n - 1);
        int64_t at = offsets[first], end = offsets[first + n];
        escape = end > at && add_text(json, f->column->bytes + at, (size_t)(end - at));
    }
    else {
        for (int64_t i = 0; i < n; i++) {
            int64_t row = row_of(view, i), at = offsets[row], end = offsets[row + 1];
            escape |=
                end > at && add_text(json, f->column->bytes + at, (size_t)(end - at));
        }
    }
    f->as_is = !escape;
}

/* Each cell by what it is; here alone is something that JSON cannot hold. */
static ss_status
bound_cells(ss_json *json, const field *f, const char *name, ss_error *err)
{
    for (int64_t i = 0; i < json->view.length; i++) {
        ss_value value;
        ss_column_get(f->column, row_of(&json->view, i), &value);
        if (value.tag == SS_VALUE_BLOB) {
            return ss_error_set(err, SS_DATA,
                                "column %s, row %lld: JSON has no bytes (hex(...) in "
                                "the SQL makes a text of them)",
                                name, (long long)i);
        }
        if (value.tag == SS_VALUE_TEXT) {
            if (!ss_utf8_valid(value.as.s.p, value.as.s.n)) {
                return ss_error_set(err, SS_DATA,
                                    "column %s, row %lld: a stored text is not UTF-8",
                                    name, (long long)i);
            }
            (void)add_text(json, value.as.s.p, value.as.s.n);
        }
        add_bytes(json, 1, INSTANT_SIZE); /* the longest of the others */
    }
    return SS_OK;
}

static ss_status
bound_values(ss_json *json, field *f, const char *name, ss_error *err)
{
    static const uint8_t sizes[] = {[SS_KIND_INT] = INT_SIZE,
                                    [SS_KIND_REAL] = REAL_SIZE,
                                    [SS_KIND_DATE] = DATE_SIZE,
                                    [SS_KIND_TIMESTAMP] = INSTANT_SIZE};
    ss_kind kind = (ss_kind)f->column->kind;

    if (kind == SS_KIND_ANY) {
        return bound_cells(json, f, name, err);
    }
    if (kind == SS_KIND_TEXT) {
        bound_text(json, f);
        return SS_OK;
    }
    add_bytes(json, (size_t)json->view.length, f->secret ? TEXT_SIZE : sizes[kind]);
    return SS_OK;
}

/* ---- the plan ---- */

/* A name as it is between quotes. What is not UTF-8 becomes U+FFFD, byte by byte. */
static void
add_name(ss_buf *keys, const char *name, bool html)
{
    size_t n = strlen(name);
    char piece[4 * SS_JSON_ESCAPE];

    while (n > 0) {
        size_t length = ss_utf8_character(name, n);
        if (length > 0) {
            char *end = ss_json_text_put(name, length, html, piece);
            ss_buf_add(keys, piece, (size_t)(end - piece));
        }
        else {
            ss_buf_puts(keys, SS_UTF8_REPLACEMENT);
            length = 1;
        }
        name += length;
        n -= length;
    }
}

static bool
is_first_of_name(const ss_batch *batch, int column)
{
    const char *name = batch->names[column];

    return batch->table != NULL || ss_batch_find(batch, name, strlen(name)) == column;
}

static ss_status
plan_field(ss_json *json, int column, ss_error *err)
{
    const ss_batch *batch = json->view.batch;
    field *f = &json->fields[json->n_fields];
    bool first = json->n_fields++ == 0;

    f->column = &batch->columns[column];
    f->secret = json->options.redact &&
                ss_catalog_is_secret(batch->table, batch->names[column]);
    f->key_at = json->keys.size;
    ss_buf_puts(&json->keys, first ? "{\"" : ",\"");
    add_name(&json->keys, batch->names[column], json->options.html);
    ss_buf_puts(&json->keys, "\":");
    f->n_key = json->keys.size - f->key_at;
    if (json->options.orient == SS_JSON_COLUMNS) {
        add_bytes(json, 1, f->n_key + 2);              /* [ and ] */
        add_bytes(json, (size_t)json->view.length, 1); /* a comma */
    }
    else {
        add_bytes(json, (size_t)json->view.length, f->n_key + 2 * first); /* }, */
    }
    return bound_values(json, f, batch->names[column], err);
}

static ss_status
plan(ss_json *json, ss_error *err)
{
    const ss_batch *batch = json->view.batch;
    static const char padding[BLOCK];

    json->fields = ss_calloc((size_t)batch->n_columns + 1, sizeof(field));
    if (json->fields == NULL) {
        return ss_error_nomem(err);
    }
    json->bound = SLACK; /* and [ ] or { } around it all */
    add_bytes(json, json->options.n_prefix, 1);
    add_bytes(json, json->options.n_suffix, 1);
    for (int c = 0; c < batch->n_columns; c++) {
        if (is_first_of_name(batch, c)) {
            SS_TRY(plan_field(json, c, err));
        }
    }
    if (json->n_fields == 0) {
        add_bytes(json, (size_t)json->view.length, 3); /* {}, */
    }
    ss_buf_add(&json->keys, padding, sizeof(padding));
    return ss_buf_ok(&json->keys) ? SS_OK : ss_error_nomem(err);
}

ss_status
ss_json_begin(const ss_view *view, const ss_json_options *options, ss_json **out,
              ss_error *err)
{
    ss_json *json = ss_calloc(1, sizeof(*json));

    if (json == NULL) {
        return ss_error_nomem(err);
    }
    json->view = *view;
    json->options = *options;
    ss_buf_init(&json->keys);
    ss_status rc = plan(json, err);
    if (rc != SS_OK) {
        ss_json_free(json);
        return rc;
    }
    *out = json;
    return SS_OK;
}

size_t
ss_json_bound(const ss_json *json)
{
    return json->bound;
}

void
ss_json_free(ss_json *json)
{
    if (json != NULL) {
        ss_free(json->fields);
        ss_buf_free(&json->keys);
        ss_free(json);
    }
}

/* ---- writing ---- */

static inline char *
put_bytes(const char *s, size_t n, char *to)
{
    if (n > 0) {
        memcpy(to, s, n);
    }
    return to + n;
}

/* The same for what is mostly short and may be read up to BLOCK - 1 bytes further. */
static inline char *
put_blocks(const char *s, size_t n, char *to)
{
    for (size_t i = 0; i < n; i += BLOCK) {
        memcpy(to + i, s + i, BLOCK);
    }
    return to + n;
}

static inline char *
put_null(char *to)
{
    return put_bytes("null", 4, to);
}

static char *
put_secret(const char *s, size_t n, bool html, char *to)
{
    size_t tail = ss_utf8_tail(s, n, SECRET_TAIL);

    to = put_bytes("...", 3, to);
    return ss_json_text_put(s + tail, n - tail, html, to);
}

static inline char *
put_text(const ss_json *json, const field *f, const char *s, size_t n, char *to)
{
    const char *end = f->column->bytes + f->column->n_bytes;

    *to++ = '"';
    if (f->secret) {
        to = put_secret(s, n, json->options.html, to);
    }
    else if (!f->as_is) {
        to = ss_json_text_put(s, n, json->options.html, to);
    }
    else if (n <= (size_t)4 * BLOCK && end - s >= (ptrdiff_t)(n + BLOCK)) {
        to = put_blocks(s, n, to);
    }
    else {
        to = put_bytes(s, n, to);
    }
    *to++ = '"';
    return to;
}

static inline char *
put_real(double value, char *to)
{
    return isfinite(value) ? ss_real_put(value, to) : put_null(to);
}

static inline char *
put_date(int32_t day, ss_day_text *memo, char *to)
{
    *to++ = '"';
    to = ss_day_put(day, memo, to);
    *to++ = '"';
    return to;
}

static inline char *
put_instant(int64_t us, ss_day_text *memo, char *to)
{
    *to++ = '"';
    to = ss_instant_put(us, 'T', memo, to);
    *to++ = '"';
    return to;
}

/* What there is to see of a secret that is no text. */
static inline char *
put_hidden(char *to)
{
    return put_bytes("\"...\"", 5, to);
}

/* A cell of free SQL. */
static char *
put_any(const ss_json *json, field *f, int64_t row, char *to)
{
    ss_value value;

    ss_column_get(f->column, row, &value);
    if (value.tag == SS_VALUE_TEXT) {
        return put_text(json, f, value.as.s.p, value.as.s.n, to);
    }
    if (f->secret) {
        return put_hidden(to);
    }
    switch (value.tag) {
    case SS_VALUE_INT:
        return ss_digits_int(value.as.i, to);
    case SS_VALUE_REAL:
        return put_real(value.as.r, to);
    case SS_VALUE_DATE:
        return put_date((int32_t)value.as.i, &f->memo, to);
    case SS_VALUE_TIMESTAMP:
        return put_instant(value.as.i, &f->memo, to);
    case SS_VALUE_NULL:
    case SS_VALUE_TEXT:
    case SS_VALUE_BLOB: /* refused by ss_json_begin */
        break;
    }
    return put_null(to);
}

static inline char *
put_cell(const ss_json *json, field *f, int64_t row, char *to)
{
    const ss_column *column = f->column;
    ss_kind kind = (ss_kind)column->kind;

    if (ss_column_is_null(column, row)) {
        return put_null(to);
    }
    if (kind == SS_KIND_TEXT) {
        int64_t at = column->data.offsets[row], end = column->data.offsets[row + 1];
        return put_text(json, f, column->bytes + at, (size_t)(end - at), to);
    }
    if (f->secret && kind != SS_KIND_ANY) {
        return put_hidden(to);
    }
    switch (kind) {
    case SS_KIND_INT:
        return ss_digits_int(column->data.i64[row], to);
    case SS_KIND_REAL:
        return put_real(column->data.f64[row], to);
    case SS_KIND_DATE:
        return put_date(column->data.i32[row], &f->memo, to);
    case SS_KIND_TIMESTAMP:
        return put_instant(column->data.i64[row], &f->memo, to);
    case SS_KIND_TEXT:
    case SS_KIND_ANY:
        break;
    }
    return put_any(json, f, row, to);
}

/* Every row as an object with `after` behind it. */
static char *
put_rows(ss_json *json, char after, char *to)
{
    const char *keys = json->keys.data;

    for (int64_t i = 0; i < json->view.length; i++) {
        int64_t row = row_of(&json->view, i);
        ss_mem_fill(&json->filling, to);
        for (int c = 0; c < json->n_fields; c++) {
            field *f = &json->fields[c];
            to = put_blocks(keys + f->key_at, f->n_key, to);
            to = put_cell(json, f, row, to);
        }
        if (json->n_fields == 0) {
            *to++ = '{';
        }
        *to++ = '}';
        *to++ = after;
    }
    return to;
}

/* One array for each column. */
static char *
put_columns(ss_json *json, char *to)
{
    for (int c = 0; c < json->n_fields; c++) {
        field *f = &json->fields[c];
        to = put_blocks(json->keys.data + f->key_at, f->n_key, to);
        *to++ = '[';
        for (int64_t i = 0; i < json->view.length; i++) {
            ss_mem_fill(&json->filling, to);
            to = put_cell(json, f, row_of(&json->view, i), to);
            *to++ = ',';
        }
        to -= json->view.length > 0;
        *to++ = ']';
    }
    return json->n_fields > 0 ? put_bytes("}", 1, to) : put_bytes("{}", 2, to);
}

static char *
put_all(ss_json *json, char *to)
{
    switch (json->options.orient) {
    case SS_JSON_LINES:
        return put_rows(json, '\n', to);
    case SS_JSON_COLUMNS:
        return put_columns(json, to);
    case SS_JSON_OBJECT:
        assert(json->view.length == 1);
        return put_rows(json, ',', to) - 1;
    case SS_JSON_RECORDS:
        break;
    }
    *to++ = '[';
    to = put_rows(json, ',', to);
    to -= json->view.length > 0;
    *to++ = ']';
    return to;
}

size_t
ss_json_write(ss_json *json, char *to)
{
    const ss_json_options *options = &json->options;
    char *begin = to;

    ss_mem_fill_begin(&json->filling, to, json->bound);
    to = put_bytes(options->prefix, options->n_prefix, to);
    to = put_all(json, to);
    to = put_bytes(options->suffix, options->n_suffix, to);
    assert((size_t)(to - begin) <= json->bound);
    return (size_t)(to - begin);
}
