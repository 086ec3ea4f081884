/* arrow_case: arrays and streams of the Arrow C interface made by hand, and what formats/
 * arrow_in reads from them, as text: the cells, or the error's message. */
#ifndef SS_TESTS_ARROW_CASE_H
#define SS_TESTS_ARROW_CASE_H

#include "err.h"
#include "formats/arrow_in.h"

/* ---- tables: "things" has a column of each kind, "strict" what a row must have ---- */

extern const ss_table_desc free_table, strict_table;

/* ---- what a stream is made of ---- */

typedef struct spec {
    const char *name, *format;
    int64_t length, offset, null_count;
    int n_buffers;
    const void *buffers[6];
    const struct spec *children[2];
    const struct spec *dictionary;
} spec;

/* A stream of `n_chunks` times the same array of `n` columns. */
typedef struct {
    const spec *columns;
    int n, n_chunks, made;
    int64_t offset; /* of the array of all columns */
    void (*spoil_schema)(struct ArrowSchema *schema);
    void (*spoil_array)(struct ArrowArray *array);
    int schema_code, next_code;
    const char *last_error;
} producer;

/* New; it borrows `p`. */
struct ArrowArrayStream make_stream(producer *p);

/* Made and not yet released. */
extern int live_schemas, live_arrays, live_streams;

/* ---- reading ---- */

/* The text of what was read. */
extern char shown[8192];

/* Everything the stream gives, in slices of `max_rows`; the cells are added to `shown`. */
ss_status read_stream(producer *p, const ss_table_desc *table, int64_t max_rows);
/* The same; `shown`, with the error, if any. */
const char *read_all(producer *p, const ss_table_desc *table, int64_t max_rows);
/* One column, under the name of one of things' columns. The same in slices of 1. */
const char *read_as(const char *name, const spec *column);

/* ---- columns ---- */

#define N(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))
/* A column of fixed-width values without nulls. */
#define PLAIN(fmt, array) \
    (&(spec){.format = (fmt), .length = N(array), .n_buffers = 2, \
             .buffers = {NULL, (array)}})
/* The same from its row 1 on, in which rows 2 (and 9) are null. */
extern const uint8_t holes[2];
#define HOLES(fmt, array) \
    (&(spec){.format = (fmt), .length = N(array) - 1, .offset = 1, .null_count = 1, \
             .n_buffers = 2, .buffers = {holes, (array)}})

/* A column of strings. */
#define STRINGS(ends, data) \
    (&(spec){.format = "u", .length = N(ends) - 1, .n_buffers = 3, \
             .buffers = {NULL, (ends), (data)}})

/* Those of "strict" but for the secret, of two rows, and what they are made of. */
extern const spec good_columns[3];
extern const int64_t two[2];
extern const int32_t two_days[2], two_ends[3];

#endif
