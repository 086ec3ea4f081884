/* formats/arrow_plan: as which Arrow types the columns of a view go out.
 *
 * A column with a kind of its own has one type, whatever is in it:
 *
 *     INTEGER  int64 "l"           DATE       date32 "tdD"
 *     REAL     float64 "g"         TIMESTAMP  timestamp[us] "tsu:", naive UTC
 *     TEXT     large_utf8 "U"
 *
 * An expression of free SQL has no kind (ANY); its type is that of all cells of the
 * whole result, so that a part of the rows has the type of all of them:
 *
 *     all of one type             that type; blobs are large_binary "Z"
 *     integers and reals          float64, when each integer is exactly one
 *     nothing but NULL, or empty  null "n"
 *     anything else               SS_DATA, which names the column and the remedy
 *
 * A consumer may ask for other forms of the same data. Honoured are "u" (offsets of 32
 * bits) for text of less than 2 GiB, and a time zone for timestamps, which says how the
 * same instants are shown. For other types of flat columns the plan stays as it is, as
 * the interface allows; another number of columns, other names or nested types are
 * refused.
 *
 * No locks, no Python; a plan belongs to one thread at a time.
 */
#ifndef SS_FORMATS_ARROW_PLAN_H
#define SS_FORMATS_ARROW_PLAN_H

#include "columns/batch.h"
#include "formats/arrow.h"

typedef enum {
    SS_ARROW_NULL,
    SS_ARROW_INT64,
    SS_ARROW_FLOAT64,
    SS_ARROW_LARGE_UTF8,
    SS_ARROW_UTF8,
    SS_ARROW_LARGE_BINARY,
    SS_ARROW_DATE32,
    SS_ARROW_TIMESTAMP,
} ss_arrow_type;

/* The longest format with its NUL; a time zone that does not fit is not honoured. */
enum { SS_ARROW_FORMAT = 48 };

typedef struct {
    int column;                   /* of the batch */
    uint8_t type;                 /* ss_arrow_type, once resolved */
    char format[SS_ARROW_FORMAT]; /* what is asked for, or ""; then what it is */
} ss_arrow_field;

typedef struct {
    ss_view view; /* with a reference to its batch */
    bool whole;   /* all columns, as a struct; else the one field as it is */
    int n_fields;
    ss_arrow_field fields[];
} ss_arrow_plan;

/* A plan for all columns of a view, or for one of them (column >= 0). NULL when there
 * is no memory. New; holds the batch. */
ss_arrow_plan *ss_arrow_plan_new(const ss_view *view, int column);
void ss_arrow_plan_free(ss_arrow_plan *plan); /* NULL is fine */

/* Note what a consumer asks for; `requested` is only read, and not kept. SS_VALUE when
 * it is no schema for this data. */
ss_status ss_arrow_plan_request(ss_arrow_plan *plan,
                                const struct ArrowSchema *requested, ss_error *err)
    SS_MUST_CHECK;

/* Decide the types; reads all cells of ANY columns. */
ss_status ss_arrow_plan_resolve(ss_arrow_plan *plan, ss_error *err) SS_MUST_CHECK;

#endif
