/* base/value: the kinds of cell, and ss_value, one borrowed tagged cell: what bind
 * takes and what a column yields.  Text is borrowed from whoever made the value and
 * lives as long as that one says.
 */
#ifndef SS_BASE_VALUE_H
#define SS_BASE_VALUE_H

#include "base/status.h"

#include <string.h> // strlen()

/* What a column holds.  The schema decides, never the data. */
typedef enum {
    SS_KIND_INT,       /* INTEGER: int64 */
    SS_KIND_REAL,      /* REAL: float64 */
    SS_KIND_TEXT,      /* TEXT: UTF-8 */
    SS_KIND_DATE,      /* DATE: int32 days since 1970-01-01 */
    SS_KIND_TIMESTAMP, /* TIMESTAMP: int64 microseconds since the epoch, UTC */
    SS_KIND_ANY,       /* a result column of free SQL: each cell as it is stored */
} ss_kind;

typedef enum {
    SS_VALUE_NULL,
    SS_VALUE_INT,
    SS_VALUE_REAL,
    SS_VALUE_TEXT,
    SS_VALUE_BLOB,
    SS_VALUE_DATE,      /* .i: days since the epoch */
    SS_VALUE_TIMESTAMP, /* .i: microseconds since the epoch, UTC */
} ss_tag;

typedef struct {
    ss_tag tag;
    union {
        int64_t i;
        double r;
        struct {
            const char *p; /* borrowed; never NULL, also when n is 0 */
            size_t n;      /* bytes; NUL bytes may be inside */
        } s;
    } as;
} ss_value;

/* The text of a C string, which it borrows. */
static inline ss_value
ss_value_text(const char *s)
{
    return (ss_value){.tag = SS_VALUE_TEXT, .as.s = {.p = s, .n = strlen(s)}};
}

#endif
