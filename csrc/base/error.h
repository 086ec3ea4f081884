/* base/error: one failure, as a code, a message and the facts a caller may want as
 * attributes.  Lives on the caller's stack; no allocation, so that "out of memory"
 * can be said too.  The first failure set is the one that stays until cleared.
 */
#ifndef SS_BASE_ERROR_H
#define SS_BASE_ERROR_H

#include "base/status.h"
#include "base/value.h"

typedef struct {
    int code;        /* ss_code; SS_OK when nothing is set */
    int sqlite_code; /* SQLite's extended result code, or 0 */
    bool has_row;
    int64_t row;    /* a row id, or the index of an input row: the message says which */
    char table[64]; /* "" when it does not apply; so are the next two */
    char column[64];
    char value[128]; /* the value as shown in the message, cut to fit */
    char message[768];
} ss_error;

/* Make `err` say nothing.  Must be called before first use. */
void ss_error_init(ss_error *err);

/* Set code and formatted message (cut to fit, never in the middle of a UTF-8
 * character).  Returns `code`, so that a function can `return ss_error_set(...)`. */
ss_status ss_error_set(ss_error *err, ss_code code, const char *fmt, ...)
    SS_PRINTF(3, 4);

/* SS_NOMEM with the standard message. */
ss_status ss_error_nomem(ss_error *err);

/* Say which cell it was about; each argument may be NULL to leave it out. */
void ss_error_where(ss_error *err, const char *table, const char *column,
                    const ss_value *value);
void ss_error_row(ss_error *err, int64_t row);

/* A cell as a person would read it, quoted if text, cut with "..." when it does not
 * fit; always NUL-terminated valid UTF-8 with control characters escaped. */
void ss_value_show(const ss_value *value, char *out, size_t size);

#endif
