/* formats/arrow_cells: reading Arrow arrays of any producer in the process.
 *
 * Borrows everything, allocates only the column's text; any thread, no lock.  Nothing
 * read from an array is believed: counts and pointers are checked when it is opened,
 * offsets, indices and views as each is used.  The buffers need not be aligned.  What
 * cannot be checked is the size of a buffer: the interface does not tell it.
 *
 * The common types are moved by fast_*, which give up (false) at whatever is out of the
 * ordinary; the loop over single cells then finds out what it is.  That loop is the one
 * place where meaning lives.  Where they give up in the middle of a column (a bad text)
 * the loop fails, too, so nobody sees a column half filled twice.
 */
#include "formats/arrow_cells.h"

#include "base/moment.h"
#include "base/utf8.h"
#include "formats/arrow_decimal.h"

#include <inttypes.h> // PRId64, PRIu64
#include <math.h>     // floor(), isfinite(), isnan()
#include <stdio.h>    // snprintf()
#include <string.h>   // memcpy()

#define INSTANT_MIN (SS_DAY_MIN * SS_US_PER_DAY)
#define INSTANT_MAX ((SS_DAY_MAX + 1) * SS_US_PER_DAY - 1)

/* The most rows an array may claim: no product of it with a cell's size overflows. */
#define MOST_ROWS (INT64_MAX / 64)

enum { VIEW_SIZE = 16, VIEW_INLINE = 12, SHOWN = 128 };

/* ---- opening ---- */

/* Has it as many buffers as its type? Views have more as they like. Of nulls none is
   read, so none counts: there should be none, and polars hands out an empty bitmap. */
static bool
right_n_buffers(int64_t n, ss_arrow_form form)
{
    switch (form) {
    case SS_ARROW_NULL:
        return n >= 0;
    case SS_ARROW_RUNS:
        return n == 0;
    case SS_ARROW_TEXT:
        return n == 3;
    case SS_ARROW_TEXT_VIEW:
        return n >= 3;
    default:
        return n == 2;
    }
}

static const char *
check_counts(const struct ArrowArray *array, ss_arrow_form form)
{
    if (array == NULL || array->release == NULL) {
        return "it was released already";
    }
    if (array->length < 0 || array->offset < 0 || array->length > MOST_ROWS ||
        array->offset > MOST_ROWS) {
        return "its length or offset is no count of rows";
    }
    if (array->null_count < -1 || array->null_count > array->length) {
        return "its null count cannot be";
    }
    if (!right_n_buffers(array->n_buffers, form)) {
        return "it has not the number of buffers its type has";
    }
    if (array->n_buffers > 0 && form != SS_ARROW_NULL && array->buffers == NULL) {
        return "it has no buffers";
    }
    if (array->n_children != (form == SS_ARROW_RUNS ? 2 : 0) ||
        (array->n_children > 0 && array->children == NULL)) {
        return "it has not the number of children its type has";
    }
    if ((array->dictionary != NULL) != (form == SS_ARROW_DICTIONARY)) {
        return form == SS_ARROW_DICTIONARY ? "its dictionary is missing"
                                           : "it has a dictionary its schema lacks";
    }
    return NULL;
}

static const char *
open_buffers(const struct ArrowArray *array, ss_arrow_form form, ss_arrow_level *level)
{
    level->validity = array->buffers[0];
    if (level->validity == NULL && array->null_count > 0) {
        return "it has nulls and no bitmap of them";
    }
    level->data = array->buffers[1];
    if (level->data == NULL && array->length > 0) {
        return "it has rows and no data";
    }
    if (form == SS_ARROW_TEXT) {
        level->bytes = (const void *const *)&array->buffers[2];
    }
    else if (form == SS_ARROW_TEXT_VIEW) {
        level->bytes = (const void *const *)&array->buffers[2];
        level->n_bytes = array->n_buffers - 3;
        level->sizes = array->buffers[array->n_buffers - 1];
        if (level->n_bytes > 0 && level->sizes == NULL) {
            return "it does not tell the sizes of its texts";
        }
    }
    return NULL;
}

static const char *
open_level(const ss_arrow_type *type, const struct ArrowArray *array, int64_t rows,
           ss_arrow_level *level)
{
    ss_arrow_form form = (ss_arrow_form)type->form;
    const char *wrong = check_counts(array, form);
    if (wrong != NULL) {
        return wrong;
    }
    if (array->length < rows) {
        return "it has fewer rows than the others";
    }
    *level = (ss_arrow_level){
        .type = *type, .offset = array->offset, .length = array->length};
    bool read = form != SS_ARROW_NULL && array->n_buffers > 0;
    return read ? open_buffers(array, form, level) : NULL;
}

static inline int64_t
load_signed(const void *data, int64_t at, int bits)
{
    const char *p = data;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    switch (bits) {
    case 8:
        memcpy(&i8, p + at, sizeof(i8));
        return i8;
    case 16:
        memcpy(&i16, p + at * 2, sizeof(i16));
        return i16;
    case 32:
        memcpy(&i32, p + at * 4, sizeof(i32));
        return i32;
    default:
        memcpy(&i64, p + at * 8, sizeof(i64));
        return i64;
    }
}

static inline uint64_t
load_unsigned(const void *data, int64_t at, int bits)
{
    uint64_t raw = (uint64_t)load_signed(data, at, bits);
    return bits == 64 ? raw : raw & ((UINT64_C(1) << bits) - 1);
}

/* The run ends, of which the last row needed must be within the last. */
static const char *
open_runs(const struct ArrowArray *array, int64_t rows, ss_arrow_level *level)
{
    ss_arrow_type type = {
        .form = SS_ARROW_INT, .bits = level->type.bits, .is_signed = true};
    ss_arrow_level ends;
    const char *wrong = open_level(&type, array->children[0], 0, &ends);
    if (wrong != NULL) {
        return wrong;
    }
    int64_t before = 0;
    if (ends.length > 0) {
        level->data = (const char *)ends.data + ends.offset * (type.bits / 8);
    }
    for (int64_t i = 0; i < ends.length; i++) {
        int64_t end = load_signed(level->data, i, type.bits);
        if (end <= before) {
            return "its run ends do not ascend";
        }
        before = end;
    }
    if (before < array->offset + rows) {
        return "its runs end before its rows do";
    }
    return array->children[1] == NULL || array->children[1]->length < ends.length
               ? "it has more run ends than values"
               : NULL;
}

const char *
ss_arrow_cells_open(const ss_arrow_field *field, const struct ArrowArray *array,
                    int64_t rows, ss_arrow_cells *out)
{
    ss_arrow_cells cells = {.n_levels = field->n_levels};
    for (int i = 0; i < field->n_levels; i++) {
        ss_arrow_level *level = &cells.levels[i];
        const char *wrong = open_level(&field->levels[i], array, rows, level);
        if (wrong == NULL && level->type.form == SS_ARROW_RUNS) {
            wrong = open_runs(array, rows, level);
        }
        if (wrong != NULL) {
            return wrong;
        }
        array =
            level->type.form == SS_ARROW_RUNS ? array->children[1] : array->dictionary;
        rows = 0; /* which of its rows are needed is seen when they are used */
    }
    *out = cells;
    return NULL;
}

/* ---- one cell ---- */

/* Why a cell was refused: "<value> <fault>", or "expected <expected>, got <value>". */
typedef struct {
    ss_code code;
    const char *fault, *expected;
    char value[SHOWN]; /* "" when there is nothing to show */
} refusal;

static bool
refuse(refusal *why, ss_code code, const char *fault, const char *expected,
       const ss_value *value)
{
    why->code = code;
    why->fault = fault;
    why->expected = expected;
    why->value[0] = '\0';
    if (value != NULL) {
        ss_value_show(value, why->value, sizeof(why->value));
    }
    return false;
}

static bool
malformed(refusal *why, const char *fault)
{
    return refuse(why, SS_VALUE, fault, NULL, NULL);
}

static bool
put_int(int64_t i, ss_kind kind, ss_value *out, refusal *why)
{
    *out = (ss_value){.tag = SS_VALUE_INT, .as.i = i};
    if (kind == SS_KIND_REAL) {
        double r = (double)i;
        if (r >= 0x1p63 || (int64_t)r != i) {
            return refuse(why, SS_VALUE, "has more digits than a float can hold", NULL,
                          out);
        }
        *out = (ss_value){.tag = SS_VALUE_REAL, .as.r = r};
    }
    return true;
}

static bool
put_unsigned(uint64_t u, ss_kind kind, ss_value *out, refusal *why)
{
    if (u <= INT64_MAX) {
        return put_int((int64_t)u, kind, out, why);
    }
    double r = (double)u;
    if (kind == SS_KIND_REAL && r < 0x1p64 && (uint64_t)r == u) {
        *out = (ss_value){.tag = SS_VALUE_REAL, .as.r = r};
        return true;
    }
    refuse(why, kind == SS_KIND_REAL ? SS_VALUE : SS_OVERFLOW,
           kind == SS_KIND_REAL ? "has more digits than a float can hold"
                                : "does not fit in 64 bits with a sign",
           NULL, NULL);
    snprintf(why->value, sizeof(why->value), "%" PRIu64, u);
    return false;
}

static bool
put_real(double r, ss_kind kind, ss_value *out, refusal *why)
{
    *out = (ss_value){.tag = SS_VALUE_REAL, .as.r = r};
    if (isnan(r)) {
        return refuse(why, SS_VALUE, "is not a value; give a null where one is missing",
                      NULL, out);
    }
    if (!isfinite(r)) {
        return refuse(why, SS_VALUE, NULL, "a finite number", out);
    }
    if (kind == SS_KIND_INT) {
        if (r != floor(r)) {
            return refuse(why, SS_TYPE, NULL, "a whole number", out);
        }
        if (r < -0x1p63 || r >= 0x1p63) {
            return refuse(why, SS_OVERFLOW, "does not fit in 64 bits", NULL, out);
        }
        *out = (ss_value){.tag = SS_VALUE_INT, .as.i = (int64_t)r};
    }
    return true;
}

static bool
put_decimal(const ss_decimal *decimal, ss_kind kind, ss_value *out, refusal *why)
{
    ss_status status;
    if (kind == SS_KIND_INT) {
        out->tag = SS_VALUE_INT;
        status = ss_decimal_to_int(decimal, &out->as.i);
    }
    else {
        out->tag = SS_VALUE_REAL;
        status = ss_decimal_to_real(decimal, &out->as.r);
    }
    if (status == SS_OK) {
        return true;
    }
    char shown[SS_DECIMAL_TEXT];
    if (status == SS_OVERFLOW) {
        refuse(why, SS_OVERFLOW, "does not fit in 64 bits", NULL, NULL);
    }
    else if (kind == SS_KIND_INT) {
        refuse(why, SS_TYPE, NULL, "a whole number", NULL);
    }
    else {
        refuse(why, SS_VALUE, "has more digits than a float can hold", NULL, NULL);
    }
    ss_decimal_show(decimal, shown);
    snprintf(why->value, sizeof(why->value), "%s", shown);
    return false;
}

static bool
put_instant(int64_t us, ss_kind kind, ss_value *out)
{
    bool day = kind == SS_KIND_DATE;
    *out = (ss_value){.tag = day ? SS_VALUE_DATE : SS_VALUE_TIMESTAMP,
                      .as.i = day ? ss_day_of_instant(us) : us};
    return true;
}

/* Also refuses what an instant in seconds or days could not be multiplied by. */
static bool
out_of_time(int64_t raw, refusal *why)
{
    ss_value value = {.tag = SS_VALUE_INT, .as.i = raw};
    return refuse(why, SS_VALUE,
                  "(in its column's unit, from 1970) is outside of the years 1 to 9999",
                  NULL, &value);
}

static bool
put_date(int64_t raw, int bits, ss_kind kind, ss_value *out, refusal *why)
{
    const int64_t per_day = bits == 64 ? 86400000 : 1;
    if (raw % per_day != 0) {
        ss_value value = {.tag = SS_VALUE_INT, .as.i = raw};
        return refuse(why, SS_VALUE, "milliseconds from 1970 are not a whole day", NULL,
                      &value);
    }
    int64_t day = raw / per_day;
    if (day < SS_DAY_MIN || day > SS_DAY_MAX) {
        return out_of_time(raw, why);
    }
    return put_instant(day * SS_US_PER_DAY, kind, out);
}

/* False: outside of the years 1 to 9999. */
static inline bool
to_microseconds(int64_t raw, int64_t per_second, int64_t *us)
{
    if (per_second > 1000000) {
        const int64_t parts = per_second / 1000000;
        *us = raw / parts - (raw % parts < 0);
    }
    else {
        const int64_t factor = 1000000 / per_second;
        if (raw < INSTANT_MIN / factor || raw > INSTANT_MAX / factor) {
            return false;
        }
        *us = raw * factor;
    }
    return *us >= INSTANT_MIN && *us <= INSTANT_MAX;
}

static bool
put_text(const char *p, int64_t n, ss_kind kind, ss_value *out, refusal *why)
{
    int32_t day;
    int64_t us;
    *out = (ss_value){.tag = SS_VALUE_TEXT, .as.s = {.p = p, .n = (size_t)n}};
    if (kind == SS_KIND_TEXT) {
        return ss_utf8_valid(p, (size_t)n) ||
               refuse(why, SS_VALUE, "is not UTF-8", NULL, out);
    }
    if (kind == SS_KIND_DATE) {
        if (!ss_day_parse(p, (size_t)n, &day)) {
            return refuse(why, SS_VALUE, NULL, "a day as 'YYYY-MM-DD'", out);
        }
        *out = (ss_value){.tag = SS_VALUE_DATE, .as.i = day};
        return true;
    }
    if (!ss_instant_parse(p, (size_t)n, &us)) {
        return refuse(why, SS_VALUE, NULL, "an instant as 'YYYY-MM-DD HH:MM:SS'", out);
    }
    *out = (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = us};
    return true;
}

/* ---- from the array ---- */

/* The bytes of the text at `at`; false: its offsets cannot be. */
static inline bool
text_at(const ss_arrow_level *level, int64_t at, const char **p, int64_t *n)
{
    int64_t begin = load_signed(level->data, at, level->type.bits);
    int64_t end = load_signed(level->data, at + 1, level->type.bits);
    const char *bytes = level->bytes[0];
    if (begin < 0 || end < begin || (bytes == NULL && end > begin)) {
        return false;
    }
    *p = bytes == NULL ? "" : bytes + begin;
    *n = end - begin;
    return true;
}

static inline bool
view_at(const ss_arrow_level *level, int64_t at, const char **p, int64_t *n)
{
    const char *view = (const char *)level->data + at * VIEW_SIZE;
    int32_t size = (int32_t)load_signed(view, 0, 32);
    *n = size;
    if (size <= VIEW_INLINE) {
        *p = view + 4;
        return size >= 0;
    }
    int64_t buffer = load_signed(view, 2, 32), offset = load_signed(view, 3, 32);
    if (buffer < 0 || buffer >= level->n_bytes || offset < 0 ||
        level->bytes[buffer] == NULL ||
        offset > load_signed(level->sizes, buffer, 64) - size) {
        return false;
    }
    *p = (const char *)level->bytes[buffer] + offset;
    return true;
}

static double
half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double r = exponent == 31  ? (fraction != 0 ? (double)NAN : (double)INFINITY)
               : exponent == 0 ? ldexp(fraction, -24)
                               : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -r : r;
}

static inline double
load_real(const void *data, int64_t at, int bits)
{
    float f;
    double r;
    switch (bits) {
    case 16:
        return half((uint16_t)load_unsigned(data, at, 16));
    case 32:
        memcpy(&f, (const char *)data + at * 4, sizeof(f));
        return f;
    default:
        memcpy(&r, (const char *)data + at * 8, sizeof(r));
        return r;
    }
}

static bool
read_text(const ss_arrow_level *level, int64_t at, ss_kind kind, ss_value *out,
          refusal *why)
{
    const char *p;
    int64_t n;
    if (level->type.form == SS_ARROW_TEXT) {
        return text_at(level, at, &p, &n)
                   ? put_text(p, n, kind, out, why)
                   : malformed(why,
                               "the array is malformed: its offsets do not ascend");
    }
    return view_at(level, at, &p, &n)
               ? put_text(p, n, kind, out, why)
               : malformed(why, "the array is malformed: a view points nowhere");
}

/* The value at `at` of the level that holds the values. */
static bool
read_value(const ss_arrow_level *level, int64_t at, ss_kind kind, ss_value *out,
           refusal *why)
{
    const ss_arrow_type *type = &level->type;
    const void *data = level->data;
    ss_decimal decimal;
    int64_t us;
    switch ((ss_arrow_form)type->form) {
    case SS_ARROW_BOOL:
        return put_int(((const uint8_t *)data)[at >> 3] >> (at & 7) & 1, kind, out,
                       why);
    case SS_ARROW_INT:
        return type->is_signed
                   ? put_int(load_signed(data, at, type->bits), kind, out, why)
                   : put_unsigned(load_unsigned(data, at, type->bits), kind, out, why);
    case SS_ARROW_FLOAT:
        return put_real(load_real(data, at, type->bits), kind, out, why);
    case SS_ARROW_DECIMAL:
        ss_decimal_read((const char *)data + at * (type->bits / 8), type->bits,
                        type->scale, &decimal);
        return put_decimal(&decimal, kind, out, why);
    case SS_ARROW_TEXT:
    case SS_ARROW_TEXT_VIEW:
        return read_text(level, at, kind, out, why);
    case SS_ARROW_DATE:
        return put_date(load_signed(data, at, type->bits), type->bits, kind, out, why);
    case SS_ARROW_INSTANT:
        return to_microseconds(load_signed(data, at, 64), type->per_second, &us)
                   ? put_instant(us, kind, out)
                   : out_of_time(load_signed(data, at, 64), why);
    case SS_ARROW_NULL:
    case SS_ARROW_DICTIONARY:
    case SS_ARROW_RUNS:
    case SS_ARROW_OTHER:
        break;
    }
    *out = (ss_value){.tag = SS_VALUE_NULL};
    return true;
}

static inline bool
is_null(const ss_arrow_level *level, int64_t at)
{
    return level->validity != NULL && !(level->validity[at >> 3] >> (at & 7) & 1);
}

enum { IS_NULL = -1, IS_OUTSIDE = -2 };

/* Where the level of the values has the value of row `row`; or one of the above. */
static inline int64_t
locate(ss_arrow_cells *cells, int64_t row)
{
    for (int i = 0; i + 1 < cells->n_levels; i++) {
        ss_arrow_level *level = &cells->levels[i];
        int64_t at = level->offset + row;
        if (level->type.form == SS_ARROW_RUNS) {
            while (load_signed(level->data, level->run, level->type.bits) <= at) {
                level->run++; /* the last run ends behind the last row */
            }
            row = level->run;
            continue;
        }
        if (is_null(level, at)) {
            return IS_NULL;
        }
        uint64_t index = level->type.is_signed
                             ? (uint64_t)load_signed(level->data, at, level->type.bits)
                             : load_unsigned(level->data, at, level->type.bits);
        if (index >= (uint64_t)cells->levels[i + 1].length) {
            return IS_OUTSIDE;
        }
        row = (int64_t)index;
    }
    const ss_arrow_level *values = &cells->levels[cells->n_levels - 1];
    return is_null(values, values->offset + row) ? IS_NULL : values->offset + row;
}

static bool
read_cell(ss_arrow_cells *cells, int64_t row, ss_kind kind, ss_value *out, refusal *why)
{
    int64_t at = locate(cells, row);
    if (at == IS_OUTSIDE) {
        return malformed(why,
                         "the array is malformed: an index outside its dictionary");
    }
    if (at == IS_NULL) {
        *out = (ss_value){.tag = SS_VALUE_NULL};
        return true;
    }
    return read_value(&cells->levels[cells->n_levels - 1], at, kind, out, why);
}

/* ---- whole columns ---- */

static bool
any_null(const ss_arrow_level *level, int64_t at, int64_t n)
{
    bool found = false;
    for (int64_t i = 0; level->validity != NULL && i < n && !found; i++) {
        bool whole = ((at + i) & 7) == 0 && n - i >= 8;
        if (whole) {
            found = level->validity[(at + i) >> 3] != 0xff;
            i += 7;
        }
        else {
            found = is_null(level, at + i);
        }
    }
    return found;
}

/* What is under a null may be anything, so it must not decide whether all is well. */
static bool
fast_reals(const double *reals, const ss_arrow_level *level, int64_t at, int64_t n)
{
    bool finite = true;
    for (int64_t i = 0; i < n; i++) {
        finite &= isfinite(reals[i]) || is_null(level, at + i);
    }
    return finite;
}

static bool
fast_days(const int32_t *days, const ss_arrow_level *level, int64_t at, int64_t n)
{
    bool fits = true;
    for (int64_t i = 0; i < n; i++) {
        fits &=
            (days[i] >= SS_DAY_MIN && days[i] <= SS_DAY_MAX) || is_null(level, at + i);
    }
    return fits;
}

static bool
fast_instants(int64_t *instants, const ss_arrow_level *level, int64_t at, int64_t n)
{
    const int64_t per_second = level->type.per_second;
    bool fits = true;
    for (int64_t i = 0; i < n; i++) {
        fits &= to_microseconds(instants[i], per_second, &instants[i]) ||
                is_null(level, at + i);
    }
    return fits;
}

/* Types that are stored as ours are, or nearly. */
static bool
fast_numbers(const ss_arrow_level *level, int64_t at, int64_t n, ss_column *column)
{
    const ss_arrow_type *type = &level->type;
    const bool wide = type->form == SS_ARROW_INSTANT || type->bits == 64;
    const size_t width = ss_kind_width((ss_kind)column->kind);
    bool fits;
    if (wide ? width != 8 : type->bits != 32 || width != 4) {
        return false;
    }
    memcpy(column->data.p, (const char *)level->data + (size_t)at * width,
           (size_t)n * width);
    if (type->form == SS_ARROW_INT && type->is_signed && column->kind == SS_KIND_INT) {
        fits = true;
    }
    else if (type->form == SS_ARROW_FLOAT && column->kind == SS_KIND_REAL) {
        fits = fast_reals(column->data.f64, level, at, n);
    }
    else if (type->form == SS_ARROW_DATE && column->kind == SS_KIND_DATE) {
        fits = fast_days(column->data.i32, level, at, n);
    }
    else if (type->form == SS_ARROW_INSTANT && column->kind == SS_KIND_TIMESTAMP) {
        fits = fast_instants(column->data.i64, level, at, n);
    }
    else {
        fits = false;
    }
    for (int64_t i = 0; fits && level->validity != NULL && i < n; i++) {
        if (is_null(level, at + i)) {
            ss_column_put_null(column, i);
        }
    }
    return fits;
}

/* All bytes at once; ASCII alone, because then every text in it is valid if all
 * together are. */
static ss_status
fast_ascii(const ss_arrow_level *level, int64_t at, int64_t n, ss_column *column,
           bool *done)
{
    const int bits = level->type.bits;
    const int64_t first = load_signed(level->data, at, bits);
    const char *bytes = level->bytes[0];
    int64_t before = first;
    *done = false;
    if (first < 0 || bytes == NULL || any_null(level, at, n)) {
        return SS_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t end = load_signed(level->data, at + i + 1, bits);
        if (end < before) {
            return SS_OK;
        }
        column->data.offsets[i + 1] = end - first;
        before = end;
    }
    SS_TRY(ss_column_reserve_bytes(column, (size_t)(before - first)));
    if (ss_utf8_copy_ascii(column->bytes, bytes + first, (size_t)(before - first))) {
        column->n_bytes = (size_t)(before - first);
        *done = true;
    }
    return SS_OK;
}

/* Text by text, wherever each is. */
static ss_status
fast_texts(ss_arrow_cells *cells, int64_t from, int64_t n, ss_column *column,
           bool *done)
{
    const ss_arrow_level *level = &cells->levels[cells->n_levels - 1];
    const bool views = level->type.form == SS_ARROW_TEXT_VIEW;
    const char *text;
    int64_t size;
    *done = false;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = locate(cells, from + i);
        if (at == IS_NULL) {
            ss_column_put_null(column, i);
            continue;
        }
        if (at == IS_OUTSIDE || !(views ? view_at(level, at, &text, &size)
                                        : text_at(level, at, &text, &size))) {
            return SS_OK;
        }
        SS_TRY(ss_column_reserve_bytes(column, (size_t)size));
        char *to = column->bytes + column->n_bytes;
        if (!ss_utf8_copy_ascii(to, text, (size_t)size) &&
            !ss_utf8_valid(to, (size_t)size)) {
            return SS_OK;
        }
        column->n_bytes += (size_t)size;
        column->data.offsets[i + 1] = (int64_t)column->n_bytes;
    }
    *done = true;
    return SS_OK;
}

/* *done: the column is filled. */
static ss_status
convert_fast(ss_arrow_cells *cells, int64_t from, int64_t n, bool needed,
             ss_column *column, bool *done)
{
    const bool plain = cells->n_levels == 1;
    const ss_arrow_level *level = &cells->levels[0];
    const ss_arrow_form form =
        (ss_arrow_form)cells->levels[cells->n_levels - 1].type.form;
    const int64_t at = level->offset + from;
    ss_status status = SS_OK;
    *done = false;
    if (column->kind != SS_KIND_TEXT) {
        *done = plain &&
                (form == SS_ARROW_INT || form == SS_ARROW_FLOAT ||
                 form == SS_ARROW_DATE || form == SS_ARROW_INSTANT) &&
                fast_numbers(level, at, n, column);
    }
    else if (form != SS_ARROW_NULL) {
        if (plain && form == SS_ARROW_TEXT) {
            status = fast_ascii(level, at, n, column, done);
        }
        if (status == SS_OK && !*done) {
            status = fast_texts(cells, from, n, column, done);
        }
    }
    *done = *done && !(needed && column->null_count > 0);
    return status;
}

static ss_status
report(const refusal *why, int64_t row, const ss_column_desc *desc, ss_error *err)
{
    bool secret = (desc->flags & SS_COL_SECRET) != 0;
    const char *value = secret ? "" : why->value;
    if (why->expected != NULL) {
        ss_error_set(err, why->code, "row %" PRId64 ": %s: expected %s%s%s", row,
                     desc->name, why->expected, value[0] != '\0' ? ", got " : "",
                     value);
    }
    else {
        ss_error_set(err, why->code, "row %" PRId64 ": %s: %s%s%s", row, desc->name,
                     value, value[0] != '\0' ? " " : "", why->fault);
    }
    ss_error_where(err, NULL, desc->name, NULL);
    ss_error_row(err, row);
    snprintf(err->value, sizeof(err->value), "%s", value);
    return why->code;
}

ss_status
ss_arrow_cells_convert(ss_arrow_cells *cells, int64_t from, int64_t n, int64_t number,
                       const ss_column_desc *desc, ss_column *column, ss_error *err)
{
    const bool needed = (desc->flags & (SS_COL_REQUIRED | SS_COL_KEY)) != 0;
    const ss_kind kind = (ss_kind)column->kind;
    ss_value value;
    refusal why;
    bool done;
    const int64_t run = cells->levels[0].run;
    if (convert_fast(cells, from, n, needed, column, &done) != SS_OK) {
        return ss_error_nomem(err);
    }
    if (!done) {
        cells->levels[0].run = run; /* once more, from the start */
    }
    for (int64_t i = 0; !done && i < n; i++) {
        bool fits = read_cell(cells, from + i, kind, &value, &why);
        if (fits && needed && value.tag == SS_VALUE_NULL) {
            fits = refuse(&why, SS_TYPE, "cannot be NULL", NULL, NULL);
        }
        if (!fits) {
            return report(&why, number + i, desc, err);
        }
        if (ss_column_put(column, i, &value) != SS_OK) {
            return ss_error_nomem(err);
        }
    }
    return SS_OK;
}
