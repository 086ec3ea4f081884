/* formats/json_out: rows as JSON.
 *
 * In two steps, so that the caller makes the one block of memory that becomes the answer:
 * ss_json_begin looks at the rows, refuses what JSON cannot hold, and says how many bytes
 * suffice; ss_json_write then writes and cannot fail. Both may be called without the GIL,
 * and neither touches what it reads; one thread at a time.
 *
 * What is written is RFC 8259 for every value: UTF-8 text as it is but for what must be
 * escaped, numbers as Python's repr() has them, NaN and infinities null, days
 * "YYYY-MM-DD", instants "YYYY-MM-DDTHH:MM:SS[.ffffff]" (datetime.isoformat()), integers
 * in all their digits (a reader that takes numbers for doubles loses those past 2^53).
 * Where two columns have one name, the first has it, as in a record.
 */
#ifndef SS_FORMATS_JSON_OUT_H
#define SS_FORMATS_JSON_OUT_H

#include "columns/batch.h"

typedef enum {
    SS_JSON_RECORDS, /* [{"a":1,"b":2},...] */
    SS_JSON_COLUMNS, /* {"a":[1,...],"b":[2,...]} */
    SS_JSON_LINES,   /* {"a":1,"b":2} and a newline for each row */
    SS_JSON_OBJECT,  /* {"a":1,"b":2}: the view has one row */
} ss_json_orient;

typedef struct {
    ss_json_orient orient;
    bool html;          /* also escape < > & ' and U+2028, U+2029 */
    bool redact;        /* secret columns: "..." and the last four characters */
    const char *prefix; /* borrowed; written before and after, as they are */
    size_t n_prefix;
    const char *suffix;
    size_t n_suffix;
} ss_json_options;

typedef struct ss_json ss_json;

/* Prepare to write the rows of a finished batch. View and options are copied; what they
 * point to must outlive the result. SS_DATA names the column of a blob or of a text that
 * is not UTF-8 (free SQL). New: ss_json_free. */
ss_status ss_json_begin(const ss_view *view, const ss_json_options *options,
                        ss_json **out, ss_error *err) SS_MUST_CHECK;
/* As many bytes are enough for ss_json_write, which uses all of them as it likes. More
 * than an object can have (SIZE_MAX) when the rows are too many. */
size_t ss_json_bound(const ss_json *json);
/* Write into a block of at least that size; returns how many bytes are the answer. */
size_t ss_json_write(ss_json *json, char *to);
void ss_json_free(ss_json *json); /* NULL is fine */

#endif
