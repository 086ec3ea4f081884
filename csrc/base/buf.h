/* base/buf: growable bytes, for building SQL and messages.  A failed append leaves
 * the buffer in the failed state, in which further appends do nothing: check once,
 * at the end, with ss_buf_ok().
 */
#ifndef SS_BASE_BUF_H
#define SS_BASE_BUF_H

#include "base/status.h"

typedef struct {
    char *data; /* owned; NUL-terminated whenever size > 0 */
    size_t size;
    size_t capacity;
    bool failed;
} ss_buf;

void ss_buf_init(ss_buf *buf);
void ss_buf_free(ss_buf *buf);
void ss_buf_add(ss_buf *buf, const char *bytes, size_t n);
void ss_buf_puts(ss_buf *buf, const char *text);
void ss_buf_printf(ss_buf *buf, const char *fmt, ...) SS_PRINTF(2, 3);
/* Room for n more bytes to write straight into; NULL when there is none. Then say where
 * they end. */
char *ss_buf_room(ss_buf *buf, size_t n);
void ss_buf_wrote(ss_buf *buf, const char *end);
/* An SQL identifier in double quotes, inner quotes doubled. */
void ss_buf_identifier(ss_buf *buf, const char *name);
void ss_buf_clear(ss_buf *buf); /* keeps the memory */
static inline bool
ss_buf_ok(const ss_buf *buf)
{
    return !buf->failed;
}

#endif
