/* formats/html_out: rows as a small HTML table, one row as a card, for notebooks.
 *
 * Appends to a buffer of the caller's; any thread. Everything that was stored or named by
 * somebody passes through add_text(). Sizes are bounded, so that the answer is small
 * however large the rows are.
 */
#include "formats/html_out.h"

#include "base/real.h"
#include "base/utf8.h"

#include <math.h>   // isfinite(), isnan()
#include <string.h> // strlen()

enum { ALL_ROWS = 20, HEAD = 5, TAIL = 5 }; /* beyond the first, so many at each end */
enum { MOST_COLUMNS = 64, MOST_BYTES = 200 };
enum { SECRET_TAIL = 4 };

/* A wide table scrolls; MathJax, which makes formulas of $...$, passes it by. */
#define BEGIN                                                                   \
    "<div class=\"tex2jax_ignore mathjax_ignore\" style=\"overflow-x:auto\">\n" \
    "<table>\n<caption style=\"text-align:left\">"
#define END "</tbody>\n</table>\n</div>\n"
#define ELLIPSIS "\xE2\x80\xA6" /* U+2026 */

/* ---- text ---- */

static void
add_byte(ss_buf *out, char c)
{
    unsigned char code = (unsigned char)c;

    switch (c) {
    case '<':
        ss_buf_puts(out, "&lt;");
        return;
    case '>':
        ss_buf_puts(out, "&gt;");
        return;
    case '&':
        ss_buf_puts(out, "&amp;");
        return;
    case '"':
        ss_buf_puts(out, "&quot;");
        return;
    case '\'':
        ss_buf_puts(out, "&#39;");
        return;
    default:
        break;
    }
    if (code < 0x20 || code == 0x7f) { /* U+2400 and on are pictures of these */
        ss_buf_printf(out, "&#x%X;", code == 0x7f ? 0x2421 : 0x2400 + code);
        return;
    }
    ss_buf_add(out, &c, 1);
}

static void
add_text(ss_buf *out, const char *s, size_t n)
{
    size_t shown = n > MOST_BYTES ? ss_utf8_floor(s, MOST_BYTES) : n;

    for (size_t at = 0, length; at < shown; at += length > 0 ? length : 1) {
        length = ss_utf8_character(s + at, shown - at);
        if (length == 1) {
            add_byte(out, s[at]);
        }
        else if (length == 0) {
            ss_buf_puts(out, SS_UTF8_REPLACEMENT);
        }
        else {
            ss_buf_add(out, s + at, length);
        }
    }
    if (shown < n) {
        ss_buf_puts(out, ELLIPSIS);
    }
}

/* Something that is no text of the cell, but says what is there. */
static void
add_remark(ss_buf *out, const char *remark)
{
    ss_buf_printf(out, "<em style=\"opacity:.6\">%s</em>", remark);
}

/* ---- cells ---- */

static void
add_real(ss_buf *out, double value)
{
    char text[SS_REAL_TEXT];

    if (isfinite(value)) {
        ss_buf_add(out, text, (size_t)(ss_real_put(value, text) - text));
    }
    else {
        ss_buf_puts(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    }
}

static void
add_secret(ss_buf *out, const ss_value *value)
{
    ss_buf_puts(out, "...");
    if (value->tag == SS_VALUE_TEXT) {
        size_t tail = ss_utf8_tail(value->as.s.p, value->as.s.n, SECRET_TAIL);
        add_text(out, value->as.s.p + tail, value->as.s.n - tail);
    }
}

static void
add_value(ss_buf *out, const ss_value *value)
{
    char text[SS_INSTANT_TEXT];

    switch (value->tag) {
    case SS_VALUE_NULL:
        add_remark(out, "None");
        return;
    case SS_VALUE_INT:
        ss_buf_printf(out, "%lld", (long long)value->as.i);
        return;
    case SS_VALUE_REAL:
        add_real(out, value->as.r);
        return;
    case SS_VALUE_TEXT:
        add_text(out, value->as.s.p, value->as.s.n);
        return;
    case SS_VALUE_BLOB:
        ss_buf_printf(out, "<em>%zu bytes</em>", value->as.s.n);
        return;
    case SS_VALUE_DATE:
        ss_buf_add(out, text, ss_day_format((int32_t)value->as.i, text));
        return;
    case SS_VALUE_TIMESTAMP:
        ss_buf_add(out, text, ss_instant_format(value->as.i, text));
        return;
    }
}

static void
add_cell(ss_buf *out, const ss_view *view, int column, int64_t i)
{
    const ss_batch *batch = view->batch;
    ss_value value;

    ss_column_get(&batch->columns[column], view->start + i * view->step, &value);
    bool number = value.tag == SS_VALUE_INT || value.tag == SS_VALUE_REAL;
    ss_buf_printf(out, "<td dir=\"auto\" style=\"text-align:%s\">",
                  number ? "right" : "left");
    if (value.tag != SS_VALUE_NULL &&
        ss_catalog_is_secret(batch->table, batch->names[column])) {
        add_secret(out, &value);
    }
    else {
        add_value(out, &value);
    }
    ss_buf_puts(out, "</td>");
}

/* A column's name, with its unit where it has one. */
static void
add_name(ss_buf *out, const ss_batch *batch, int column, const char *scope)
{
    const char *name = batch->names[column], *unit = "";
    uint8_t kind = batch->columns[column].kind;
    bool right = scope[0] == 'c' && (kind == SS_KIND_INT || kind == SS_KIND_REAL);

    if (batch->table != NULL) {
        int c = ss_catalog_column(batch->table, name, strlen(name));
        unit = c >= 0 ? batch->table->columns[c].unit : "";
    }
    ss_buf_printf(out, "<th scope=\"%s\" dir=\"auto\" style=\"text-align:%s\">", scope,
                  right ? "right" : "left");
    add_text(out, name, strlen(name));
    if (unit[0] != '\0') {
        ss_buf_puts(out, "<br><small>");
        add_text(out, unit, strlen(unit));
        ss_buf_puts(out, "</small>");
    }
    ss_buf_puts(out, "</th>");
}

/* ---- rows ---- */

static void
add_caption(ss_buf *out, const ss_view *view)
{
    const ss_batch *batch = view->batch;

    if (batch->table != NULL) {
        ss_buf_printf(out, "%s: ", batch->table->name);
    }
    ss_buf_printf(out, "%lld row%s, %d column%s", (long long)view->length,
                  view->length == 1 ? "" : "s", batch->n_columns,
                  batch->n_columns == 1 ? "" : "s");
    if (batch->n_columns > MOST_COLUMNS) {
        ss_buf_printf(out, " (the first %d are shown)", MOST_COLUMNS);
    }
    ss_buf_puts(out, "</caption>\n");
}

static void
add_rows(ss_buf *out, const ss_view *view, int n_columns, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) {
        ss_buf_puts(out, "<tr>");
        for (int c = 0; c < n_columns; c++) {
            add_cell(out, view, c, i);
        }
        ss_buf_puts(out, "</tr>\n");
    }
}

void
ss_html_rows(const ss_view *view, ss_buf *out)
{
    int n_columns = view->batch->n_columns;
    int64_t n = view->length;

    n_columns = n_columns < MOST_COLUMNS ? n_columns : MOST_COLUMNS;
    ss_buf_puts(out, BEGIN);
    add_caption(out, view);
    ss_buf_puts(out, "<thead><tr>");
    for (int c = 0; c < n_columns; c++) {
        add_name(out, view->batch, c, "col");
    }
    ss_buf_puts(out, "</tr></thead>\n<tbody>\n");
    if (n <= ALL_ROWS) {
        add_rows(out, view, n_columns, 0, n);
    }
    else {
        add_rows(out, view, n_columns, 0, HEAD);
        ss_buf_printf(out, "<tr><td colspan=\"%d\" style=\"text-align:left\">",
                      n_columns);
        ss_buf_printf(out, "<em>%lld more rows</em></td></tr>\n",
                      (long long)(n - HEAD - TAIL));
        add_rows(out, view, n_columns, n - TAIL, n);
    }
    ss_buf_puts(out, END);
}

/* ---- a record ---- */

void
ss_html_record(const ss_view *view, ss_buf *out)
{
    const ss_batch *batch = view->batch;

    ss_buf_puts(out, BEGIN);
    ss_buf_printf(out, "<b>%s</b></caption>\n<tbody>\n",
                  batch->whole ? batch->table->record : "Row");
    for (int c = 0; c < batch->n_columns && c < MOST_COLUMNS; c++) {
        ss_buf_puts(out, "<tr>");
        add_name(out, batch, c, "row");
        add_cell(out, view, c, 0);
        ss_buf_puts(out, "</tr>\n");
    }
    ss_buf_puts(out, END);
}
