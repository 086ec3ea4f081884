/* formats/arrow_type: what an Arrow field holds, and which of our columns can take it.
 *
 * A field is read in levels: run-end encoding and a dictionary each say where the value
 * of a row is found in the level below; the last level holds the values.
 */
#ifndef SS_FORMATS_ARROW_TYPE_H
#define SS_FORMATS_ARROW_TYPE_H

#include "base/value.h"
#include "formats/arrow.h"

typedef enum {
    SS_ARROW_OTHER, /* a type none of our columns can take */
    SS_ARROW_NULL,
    SS_ARROW_BOOL,
    SS_ARROW_INT,        /* bits, is_signed */
    SS_ARROW_FLOAT,      /* bits: 16, 32, 64 */
    SS_ARROW_DECIMAL,    /* bits: 32, 64, 128, 256; scale */
    SS_ARROW_TEXT,       /* bits of an offset: 32, 64 */
    SS_ARROW_TEXT_VIEW,  /* 16 bytes a row, short texts inside */
    SS_ARROW_DATE,       /* bits: 32 counts days, 64 milliseconds */
    SS_ARROW_INSTANT,    /* per_second; with a zone or without, it counts from UTC */
    SS_ARROW_DICTIONARY, /* a level: bits, is_signed of the index */
    SS_ARROW_RUNS,       /* a level: bits of the run ends: 16, 32, 64 */
} ss_arrow_form;

typedef struct {
    uint8_t form; /* ss_arrow_form */
    bool is_signed;
    uint16_t bits;
    int32_t scale;
    int64_t per_second;
} ss_arrow_type;

enum { SS_ARROW_LEVELS = 3 };

typedef struct {
    ss_arrow_type levels[SS_ARROW_LEVELS]; /* RUNS, DICTIONARY (either may be absent),
                                            * then what holds the values */
    int n_levels;
} ss_arrow_field;

/* What a schema says. A type we cannot take is OTHER; false: the schema is malformed
 * (no format, released, wrong number of children). */
bool ss_arrow_field_read(const struct ArrowSchema *schema, ss_arrow_field *out);

/* Can values of this field become values of a column of that kind (if each one fits)? */
bool ss_arrow_field_fits(const ss_arrow_field *field, ss_kind kind);

/* The type's name as users know it ("int64", "timestamp[us]"); static text, or the
 * format itself (borrowed from the schema) when it is none we know. */
const char *ss_arrow_type_name(const struct ArrowSchema *schema);

#endif
