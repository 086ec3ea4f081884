/* base/buf: growable bytes, for building SQL and messages.
 *
 * A buffer belongs to whoever initialised it; one thread at a time.  Invariants:
 * size < capacity whenever there is memory, and data[size] is NUL; once `failed`, the
 * bytes stay as they were and appends do nothing until ss_buf_clear.
 */
#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>  // vsnprintf()
#include <string.h> // memcpy()

void
ss_buf_init(ss_buf *buf)
{
    *buf = (ss_buf){0};
}

void
ss_buf_free(ss_buf *buf)
{
    ss_free(buf->data);
    ss_buf_init(buf);
}

/* Room for `more` bytes and the closing NUL. False sets the failed state. */
static bool
reserve(ss_buf *buf, size_t more)
{
    if (buf->failed || more >= (size_t)PTRDIFF_MAX - buf->size) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity < 256 ? 256 : buf->capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    char *data = ss_realloc_array(buf->data, capacity, 1);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void
ss_buf_add(ss_buf *buf, const char *bytes, size_t n)
{
    if (!reserve(buf, n)) {
        return;
    }
    if (n > 0) {
        memcpy(buf->data + buf->size, bytes, n);
    }
    buf->size += n;
    buf->data[buf->size] = '\0';
}

char *
ss_buf_room(ss_buf *buf, size_t n)
{
    return reserve(buf, n) ? buf->data + buf->size : NULL;
}

void
ss_buf_wrote(ss_buf *buf, const char *end)
{
    buf->size = (size_t)(end - buf->data);
    buf->data[buf->size] = '\0';
}

void
ss_buf_puts(ss_buf *buf, const char *text)
{
    ss_buf_add(buf, text, strlen(text));
}

void
ss_buf_printf(ss_buf *buf, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        buf->failed = true;
        return;
    }
    if (!reserve(buf, (size_t)n)) {
        return;
    }
    va_start(args, fmt);
    int written = vsnprintf(buf->data + buf->size, (size_t)n + 1, fmt, args);
    va_end(args);
    if (written != n) {
        buf->data[buf->size] = '\0';
        buf->failed = true;
        return;
    }
    buf->size += (size_t)n;
}

void
ss_buf_identifier(ss_buf *buf, const char *name)
{
    ss_buf_add(buf, "\"", 1);
    for (const char *quote; (quote = strchr(name, '"')) != NULL; name = quote + 1) {
        ss_buf_add(buf, name, (size_t)(quote - name));
        ss_buf_add(buf, "\"\"", 2);
    }
    ss_buf_puts(buf, name);
    ss_buf_add(buf, "\"", 1);
}

void
ss_buf_clear(ss_buf *buf)
{
    buf->size = 0;
    buf->failed = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}
