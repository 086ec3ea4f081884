/* formats/arrow_cells: the rows of one Arrow array as the cells of one of our columns.
 *
 * What converts, and what is refused (as single adds do):
 *   bool, integers, decimals, floats -> INTEGER: whole and within 64 bits
 *                                    -> REAL: finite, and not a digit lost
 *   string -> TEXT: valid UTF-8; -> DATE, TIMESTAMP: the forms of base/moment
 *   date, timestamp -> DATE (the UTC day), TIMESTAMP: the years 1 to 9999. A timestamp
 *     counts from UTC whether it names a zone or not; nanoseconds are cut to the
 *     microsecond before; a date64 is a whole day
 * NaN and the infinities are refused: what is missing is a null.
 */
#ifndef SS_FORMATS_ARROW_CELLS_H
#define SS_FORMATS_ARROW_CELLS_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "columns/batch.h"
#include "formats/arrow_type.h"

/* One level of one array, its counts and pointers checked; all borrowed. */
typedef struct {
    ss_arrow_type type;
    int64_t offset, length;
    const uint8_t *validity;  /* NULL: no row is null */
    const void *data;         /* values, offsets, views, indices or run ends */
    const void *const *bytes; /* text: one buffer, or those a view points into */
    const void *sizes;        /* views: the sizes of those, int64 */
    int64_t n_bytes;          /* views: how many there are */
    int64_t run;              /* runs: where the last row was */
} ss_arrow_level;

typedef struct {
    ss_arrow_level levels[SS_ARROW_LEVELS];
    int n_levels;
} ss_arrow_cells;

/* Check `array` against what its schema said, and that rows 0 to `rows`-1 (its own
 * offset not counted) are there. NULL when all is well, else what is wrong with it. The
 * interface tells no buffer's size, so a producer that lies about one is not found out. */
const char *ss_arrow_cells_open(const ss_arrow_field *field,
                                const struct ArrowArray *array, int64_t rows,
                                ss_arrow_cells *out) SS_MUST_CHECK;

/* Put rows from .. from+n-1 into the first n rows of `column`, which has room for them
 * and is for `desc`; ask for ascending rows. On failure those before the bad row are in
 * place, and err names it (counting the first one as row `number`), column and value. */
ss_status ss_arrow_cells_convert(ss_arrow_cells *cells, int64_t from, int64_t n,
                                 int64_t number, const ss_column_desc *desc,
                                 ss_column *column, ss_error *err) SS_MUST_CHECK;

#endif
