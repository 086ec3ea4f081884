/* base/error: one failure, kept in a fixed struct on the caller's stack.
 *
 * No allocation and no lock; an ss_error belongs to one thread.  Invariants: code is
 * SS_OK exactly when nothing is set; every text in it is NUL-terminated valid UTF-8,
 * whatever bytes went in (SQLite's messages quote what the file holds); the first
 * failure stays, because what follows it while cleaning up is mostly its echo.
 */
#include "base/error.h"

#include "base/moment.h"
#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h> // PRId64
#include <stdarg.h>
#include <stdio.h>  // vsnprintf()
#include <stdlib.h> // strtod()
#include <string.h> // strlen()

void
ss_error_init(ss_error *err)
{
    err->code = SS_OK;
    err->sqlite_code = 0;
    err->has_row = false;
    err->row = 0;
    err->table[0] = err->column[0] = err->value[0] = err->message[0] = '\0';
}

/* Make the text valid UTF-8: a character cut at the end goes, a wrong byte elsewhere
 * becomes '?'. */
static void
mend(char *text)
{
    size_t n = ss_utf8_floor(text, strlen(text));

    text[n] = '\0';
    if (ss_utf8_valid(text, n)) {
        return;
    }
    for (size_t at = 0; at < n;) {
        size_t length = 1;
        while (length < 4 && at + length < n && !ss_utf8_valid(text + at, length)) {
            length++;
        }
        if (ss_utf8_valid(text + at, length)) {
            at += length;
        }
        else {
            text[at++] = '?';
        }
    }
}

static void
copy_text(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);

    if (n >= size) {
        n = size - 1;
    }
    memcpy(out, text, n);
    out[n] = '\0';
    mend(out);
}

ss_status
ss_error_set(ss_error *err, ss_code code, const char *fmt, ...)
{
    va_list args;

    assert(code != SS_OK);
    if (err == NULL || err->code != SS_OK) {
        return code;
    }
    err->code = code;
    va_start(args, fmt);
    int n = vsnprintf(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    if (n < 0) {
        err->message[0] = '\0';
    }
    mend(err->message);
    return code;
}

ss_status
ss_error_nomem(ss_error *err)
{
    return ss_error_set(err, SS_NOMEM, "out of memory");
}

void
ss_error_where(ss_error *err, const char *table, const char *column,
               const ss_value *value)
{
    if (err == NULL) {
        return;
    }
    if (table != NULL) {
        copy_text(err->table, sizeof(err->table), table);
    }
    if (column != NULL) {
        copy_text(err->column, sizeof(err->column), column);
    }
    if (value != NULL) {
        ss_value_show(value, err->value, sizeof(err->value));
    }
}

void
ss_error_row(ss_error *err, int64_t row)
{
    if (err != NULL) {
        err->has_row = true;
        err->row = row;
    }
}

/* ---- showing a cell ---- */

/* Pieces written whole or not at all.  `fits` is the last place where the piece ended
 * and the tail (closing quote, dots) still had room: there a text too long is cut. */
typedef struct {
    char *out;
    size_t size, at, fits;
    size_t n_close; /* bytes of the closing quote: 0 or 1 */
} shower;

static bool
show_piece(shower *s, const char *piece, size_t n)
{
    if (s->at + n + s->n_close + 1 > s->size) {
        return false;
    }
    memcpy(s->out + s->at, piece, n);
    s->at += n;
    if (s->at + s->n_close + 3 + 1 <= s->size) {
        s->fits = s->at;
    }
    return true;
}

static void
show_end(shower *s, bool whole)
{
    size_t room;

    if (!whole) {
        s->at = s->fits;
    }
    if (s->n_close > 0 && s->at + 1 < s->size) {
        s->out[s->at++] = '\'';
    }
    room = s->size - 1 - s->at;
    if (!whole && room >= 3) {
        memcpy(s->out + s->at, "...", 3);
        s->at += 3;
    }
    s->out[s->at] = '\0';
}

/* A piece that shows the character at p (n bytes are there); *used says its length.
 * Bytes that are no character and controls (C0, DEL, C1) become escapes. */
static size_t
show_character(const char *p, size_t n, size_t *used, char piece[8])
{
    unsigned char c = (unsigned char)p[0];
    size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    const char *plain = "\n\r\t\\'", *letters = "nrt\\'", *found;
    bool valid = length <= n && ss_utf8_valid(p, length);

    *used = valid ? length : 1;
    if (c != 0 && (found = strchr(plain, c)) != NULL) {
        piece[0] = '\\';
        piece[1] = letters[found - plain];
        return 2;
    }
    if (!valid || c < 0x20 || c == 0x7F) {
        return (size_t)snprintf(piece, 8, "\\x%02x", (unsigned)c);
    }
    if (c == 0xC2 && (unsigned char)p[1] < 0xA0) {
        return (size_t)snprintf(piece, 8, "\\x%02x", (unsigned)(unsigned char)p[1]);
    }
    memcpy(piece, p, length);
    return length;
}

static void
show_text(shower *s, const char *p, size_t n)
{
    char piece[8];
    size_t used;
    bool whole = show_piece(s, "'", 1);

    for (size_t at = 0; whole && at < n; at += used) {
        size_t size = show_character(p + at, n - at, &used, piece);
        whole = show_piece(s, piece, size);
    }
    show_end(s, whole);
}

static void
show_blob(shower *s, const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    bool whole = show_piece(s, "x'", 2);

    for (size_t at = 0; whole && at < n; at++) {
        char piece[2] = {digits[p[at] >> 4], digits[p[at] & 15]};
        whole = show_piece(s, piece, 2);
    }
    show_end(s, whole);
}

/* The shortest of two precisions that reads back equal, with a point whatever the
 * locale calls one. */
static size_t
show_real(double r, char out[40])
{
    int n = snprintf(out, 40, "%.15g", r);

    if (strtod(out, NULL) != r) { /* also NaN, which prints the same again */
        n = snprintf(out, 40, "%.17g", r);
    }
    for (int i = 0; i < n; i++) {
        if (strchr("0123456789+-.einfa", out[i]) == NULL) {
            out[i] = '.';
        }
    }
    return (size_t)n;
}

void
ss_value_show(const ss_value *value, char *out, size_t size)
{
    char text[40];
    size_t n = 0;
    bool quoted = value->tag == SS_VALUE_TEXT || value->tag == SS_VALUE_BLOB;
    shower s = {.out = out, .size = size, .n_close = quoted};

    if (size == 0) {
        return;
    }
    switch (value->tag) {
    case SS_VALUE_TEXT:
        show_text(&s, value->as.s.p, value->as.s.n);
        return;
    case SS_VALUE_BLOB:
        show_blob(&s, (const unsigned char *)value->as.s.p, value->as.s.n);
        return;
    case SS_VALUE_NULL:
        n = (size_t)snprintf(text, sizeof(text), "NULL");
        break;
    case SS_VALUE_INT:
        n = (size_t)snprintf(text, sizeof(text), "%" PRId64, value->as.i);
        break;
    case SS_VALUE_REAL:
        n = show_real(value->as.r, text);
        break;
    case SS_VALUE_DATE:
        n = ss_day_format((int32_t)value->as.i, text);
        break;
    case SS_VALUE_TIMESTAMP:
        n = ss_instant_format(value->as.i, text);
        break;
    }
    bool whole = true;
    for (size_t at = 0; whole && at < n; at++) {
        whole = show_piece(&s, text + at, 1);
    }
    show_end(&s, whole);
}
