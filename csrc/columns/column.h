/* columns/column: one typed column in Arrow's memory layout.
 *
 * Layout (https://arrow.apache.org/docs/format/Columnar.html): `validity` holds one
 * bit a row, least significant first, 1 = there is a value; NULL stands for "no row
 * is null".  INT and TIMESTAMP are int64, REAL is float64, DATE is int32 days, TEXT
 * is large_utf8: n+1 int64 offsets into `bytes`.  ANY (free SQL) is 16-byte cells,
 * each with the tag it was stored with; its text and blobs lie in `bytes` too.
 * The value under a null is zero (an empty text).
 *
 * While a column is built its bitmap is filled with ones as it grows, so only nulls
 * have to touch it.  Growth doubles; a big block is moved by the kernel, not copied,
 * and the unused half is never touched, so it costs address space and no memory.
 */
#ifndef SS_COLUMNS_COLUMN_H
#define SS_COLUMNS_COLUMN_H

#include "base/moment.h"
#include "base/value.h"

typedef struct {
    union {
        int64_t i;
        double r;
        uint64_t offset; /* into bytes */
    } as;
    uint32_t n;   /* bytes of text or blob (SQLite's limit is below 2^31) */
    uint32_t tag; /* ss_tag */
} ss_cell;

typedef struct {
    uint8_t kind; /* ss_kind */
    int64_t null_count;
    uint8_t *validity; /* owned, or NULL once finished without nulls */
    union {
        void *p; /* owned (or inside the batch's first block) */
        int64_t *i64;
        double *f64;
        int32_t *i32;
        int64_t *offsets;
        ss_cell *cells;
    } data;
    char *bytes; /* owned likewise; TEXT and ANY */
    size_t n_bytes;
    /* --- private: while building --- */
    size_t bytes_capacity;
    ss_day_memo memo; /* TIMESTAMP: what the row before had */
    uint8_t own;      /* which of validity, data, bytes are blocks of their own */
} ss_column;

/* What the kind is called in SQL: "INTEGER", ...; "ANY". */
const char *ss_kind_name(ss_kind kind);

/* Bytes of one row of this kind in `data`. */
static inline size_t
ss_kind_width(ss_kind kind)
{
    return kind == SS_KIND_DATE  ? sizeof(int32_t)
           : kind == SS_KIND_ANY ? sizeof(ss_cell)
                                 : sizeof(int64_t);
}

static inline bool
ss_column_is_null(const ss_column *column, int64_t row)
{
    return column->validity != NULL && !((column->validity[row >> 3] >> (row & 7)) & 1);
}

/* The cell at `row`; text is borrowed from the column. */
void ss_column_get(const ss_column *column, int64_t row, ss_value *out);

/* Equal as values: null equals null, 1 equals 1.0, NaN is not equal to itself. */
bool ss_value_equal(const ss_value *a, const ss_value *b);

#endif
