/* formats/csv_out: rows as CSV.
 *
 * Owns the plan of one writing: the header line and how large the answer can be at most,
 * so that the writers below need not ask whether there is room.
 */
#include "formats/csv_out.h"

#include "base/buf.h"
#include "base/digits.h"
#include "base/mem.h"
#include "base/real.h"
#include "base/utf8.h"

#include <math.h>   // isfinite(), isnan()
#include <string.h> // memcpy(), strlen()

#include <assert.h>

enum { SECRET_TAIL = 4 };

/* The most bytes of a value: a number or a moment; a text beside twice its bytes, with
 * quotes, what defuses it and what stands for the rest of a secret. */
enum { VALUE_SIZE = 26, TEXT_SIZE = 2 + 1 + 3 };

typedef struct {
    const ss_column *column; /* borrowed */
    bool secret;
    ss_day_text memo;
} field;

struct ss_csv {
    ss_view view;
    ss_csv_options options;
    field *fields; /* owned */
    int n_fields;
    ss_buf header; /* the first line */
    size_t bound;
};

static inline int64_t
row_of(const ss_view *view, int64_t i)
{
    return view->start + i * view->step;
}

static inline char *
put_bytes(const char *s, size_t n, char *to)
{
    if (n > 0) {
        memcpy(to, s, n);
    }
    return to + n;
}

/* ---- text ---- */

static bool
has_special(const char *s, size_t n, char delimiter)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == delimiter || s[i] == '"' || s[i] == '\r' || s[i] == '\n') {
            return true;
        }
    }
    return false;
}

/* Would a spreadsheet calculate it? These are the signs that begin a formula, also in
 * their full-width forms, and what it may skip before one. */
static bool
begins_formula(const char *s, size_t n)
{
    static const char *const wide[] = {"\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};

    if (n > 0 && *s != '\0' && strchr("=+-@\t\r\n", *s) != NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        if (n >= 3 && memcmp(s, wide[i], 3) == 0) {
            return true;
        }
    }
    return false;
}

/* The bytes of a quoted text. */
static char *
put_doubled(const char *s, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"') {
            *to++ = '"';
        }
        *to++ = s[i];
    }
    return to;
}

static char *
put_text(const ss_csv_options *options, const char *s, size_t n, bool secret, char *to)
{
    size_t tail = secret ? ss_utf8_tail(s, n, SECRET_TAIL) : 0;
    bool quoted = n == 0 || has_special(s + tail, n - tail, options->delimiter);

    if (quoted) {
        *to++ = '"';
    }
    if (secret) {
        to = put_bytes("...", 3, to);
    }
    else if (options->defuse && begins_formula(s, n)) {
        *to++ = '\'';
    }
    to = quoted ? put_doubled(s + tail, n - tail, to)
                : put_bytes(s + tail, n - tail, to);
    if (quoted) {
        *to++ = '"';
    }
    return to;
}

/* ---- the plan ---- */

static void
add_bytes(ss_csv *csv, size_t count, size_t each)
{
    size_t product;

    if (__builtin_mul_overflow(count, each, &product) ||
        __builtin_add_overflow(csv->bound, product, &csv->bound)) {
        csv->bound = SIZE_MAX; /* and stays: no block is as large */
    }
}

static ss_status
bound_cells(ss_csv *csv, const field *f, const char *name, ss_error *err)
{
    for (int64_t i = 0; i < csv->view.length; i++) {
        ss_value value;
        ss_column_get(f->column, row_of(&csv->view, i), &value);
        if (value.tag == SS_VALUE_BLOB) {
            return ss_error_set(err, SS_DATA,
                                "column %s, row %lld: CSV has no bytes (hex(...) in "
                                "the SQL makes a text of them)",
                                name, (long long)i);
        }
        if (value.tag == SS_VALUE_TEXT) {
            if (!ss_utf8_valid(value.as.s.p, value.as.s.n)) {
                return ss_error_set(err, SS_DATA,
                                    "column %s, row %lld: a stored text is not UTF-8",
                                    name, (long long)i);
            }
            add_bytes(csv, value.as.s.n, 2);
        }
    }
    return SS_OK;
}

static void
bound_texts(ss_csv *csv, const field *f)
{
    const int64_t *offsets = f->column->data.offsets;

    for (int64_t i = 0; i < csv->view.length; i++) {
        int64_t row = row_of(&csv->view, i);
        add_bytes(csv, (size_t)(offsets[row + 1] - offsets[row]), 2);
    }
}

static ss_status
plan_field(ss_csv *csv, int c, ss_error *err)
{
    const ss_batch *batch = csv->view.batch;
    field *f = &csv->fields[c];

    f->column = &batch->columns[c];
    f->secret =
        csv->options.redact && ss_catalog_is_secret(batch->table, batch->names[c]);
    add_bytes(csv, (size_t)csv->view.length,
              VALUE_SIZE + TEXT_SIZE + 2); /* , or CR LF */
    if (f->column->kind == SS_KIND_TEXT) {
        bound_texts(csv, f);
    }
    return f->column->kind == SS_KIND_ANY ? bound_cells(csv, f, batch->names[c], err)
                                          : SS_OK;
}

/* A name with what is not UTF-8 replaced, as a field. */
static ss_status
add_name(ss_csv *csv, const char *name)
{
    size_t n = strlen(name);
    ss_buf clean;

    ss_buf_init(&clean);
    for (size_t at = 0, length; at < n; at += length > 0 ? length : 1) {
        length = ss_utf8_character(name + at, n - at);
        if (length > 0) {
            ss_buf_add(&clean, name + at, length);
        }
        else {
            ss_buf_puts(&clean, SS_UTF8_REPLACEMENT);
        }
    }
    char *text = ss_malloc(clean.size * 2 + TEXT_SIZE);
    bool ok = text != NULL && ss_buf_ok(&clean);
    if (ok) {
        char *end = put_text(&csv->options, clean.data, clean.size, false, text);
        ss_buf_add(&csv->header, text, (size_t)(end - text));
    }
    ss_free(text);
    ss_buf_free(&clean);
    return ok && ss_buf_ok(&csv->header) ? SS_OK : SS_NOMEM;
}

static ss_status
plan_header(ss_csv *csv)
{
    const ss_batch *batch = csv->view.batch;

    for (int c = 0; csv->options.header && c < batch->n_columns; c++) {
        if (c > 0) {
            ss_buf_add(&csv->header, &csv->options.delimiter, 1);
        }
        SS_TRY(add_name(csv, batch->names[c]));
    }
    if (csv->options.header) {
        ss_buf_puts(&csv->header, "\r\n");
    }
    add_bytes(csv, csv->header.size, 1);
    return ss_buf_ok(&csv->header) ? SS_OK : SS_NOMEM;
}

static ss_status
plan(ss_csv *csv, ss_error *err)
{
    csv->n_fields = csv->view.batch->n_columns;
    csv->fields = ss_calloc((size_t)csv->n_fields + 1, sizeof(field));
    if (csv->fields == NULL || plan_header(csv) != SS_OK) {
        return ss_error_nomem(err);
    }
    for (int c = 0; c < csv->n_fields; c++) {
        SS_TRY(plan_field(csv, c, err));
    }
    return SS_OK;
}

ss_status
ss_csv_begin(const ss_view *view, const ss_csv_options *options, ss_csv **out,
             ss_error *err)
{
    ss_csv *csv = ss_calloc(1, sizeof(*csv));

    if (csv == NULL) {
        return ss_error_nomem(err);
    }
    csv->view = *view;
    csv->options = *options;
    ss_buf_init(&csv->header);
    ss_status rc = plan(csv, err);
    if (rc != SS_OK) {
        ss_csv_free(csv);
        return rc;
    }
    *out = csv;
    return SS_OK;
}

size_t
ss_csv_bound(const ss_csv *csv)
{
    return csv->bound;
}

void
ss_csv_free(ss_csv *csv)
{
    if (csv != NULL) {
        ss_free(csv->fields);
        ss_buf_free(&csv->header);
        ss_free(csv);
    }
}

/* ---- writing ---- */

static char *
put_real(double value, char *to)
{
    if (isfinite(value)) {
        return ss_real_put(value, to);
    }
    return isnan(value) ? put_bytes("nan", 3, to)
           : value < 0  ? put_bytes("-inf", 4, to)
                        : put_bytes("inf", 3, to);
}

static char *
put_cell(const ss_csv *csv, field *f, int64_t row, char *to)
{
    ss_value value;

    ss_column_get(f->column, row, &value);
    if (f->secret && value.tag != SS_VALUE_TEXT && value.tag != SS_VALUE_NULL) {
        return put_bytes("...", 3, to);
    }
    switch (value.tag) {
    case SS_VALUE_NULL:
        return csv->n_fields == 1 ? put_bytes("\"\"", 2, to) : to;
    case SS_VALUE_INT:
        return ss_digits_int(value.as.i, to);
    case SS_VALUE_REAL:
        return put_real(value.as.r, to);
    case SS_VALUE_TEXT:
        return put_text(&csv->options, value.as.s.p, value.as.s.n, f->secret, to);
    case SS_VALUE_DATE:
        return ss_day_put((int32_t)value.as.i, &f->memo, to);
    case SS_VALUE_TIMESTAMP:
        return ss_instant_put(value.as.i, ' ', &f->memo, to);
    case SS_VALUE_BLOB: /* refused by ss_csv_begin */
        break;
    }
    return to;
}

size_t
ss_csv_write(ss_csv *csv, char *to)
{
    char *begin = to;
    ss_filling filling;

    ss_mem_fill_begin(&filling, to, csv->bound);
    to = put_bytes(csv->header.data, csv->header.size, to);
    for (int64_t i = 0; i < csv->view.length; i++) {
        ss_mem_fill(&filling, to);
        for (int c = 0; c < csv->n_fields; c++) {
            if (c > 0) {
                *to++ = csv->options.delimiter;
            }
            to = put_cell(csv, &csv->fields[c], row_of(&csv->view, i), to);
        }
        to = put_bytes("\r\n", 2, to);
    }
    assert((size_t)(to - begin) <= csv->bound);
    return (size_t)(to - begin);
}
