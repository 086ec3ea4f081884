/* formats/csv_out: rows as CSV (RFC 4180).
 *
 * Lines end with CR LF; a text is quoted when it holds the delimiter, a quote, a line
 * break, or nothing: NULL is an empty field and the empty text is "". (In a result of one
 * column NULL is "" as well, because an empty line is no row.) Days are "YYYY-MM-DD",
 * instants "YYYY-MM-DD HH:MM:SS[.ffffff]", which spreadsheets know as moments; numbers as
 * Python's repr() has them, infinities "inf" and "-inf". All columns are written, also
 * those of the same name.
 *
 * Used as formats/json_out is: begin, make a block, write, free; without the GIL.
 */
#ifndef SS_FORMATS_CSV_OUT_H
#define SS_FORMATS_CSV_OUT_H

#include "columns/batch.h"

typedef struct {
    char delimiter; /* one of SS_CSV_DELIMITERS */
    bool header;    /* a first line with the names */
    bool defuse; /* put ' before a text that a spreadsheet would take for a formula */
    bool redact; /* secret columns: "..." and the last four characters */
} ss_csv_options;

#define SS_CSV_DELIMITERS ",;\t|"

typedef struct ss_csv ss_csv;

/* Prepare to write the rows of a finished batch, which must outlive the result. SS_DATA
 * names the column of a blob or of a text that is not UTF-8. New: ss_csv_free. */
ss_status ss_csv_begin(const ss_view *view, const ss_csv_options *options, ss_csv **out,
                       ss_error *err) SS_MUST_CHECK;
/* As many bytes are enough for ss_csv_write; SIZE_MAX when there are too many. */
size_t ss_csv_bound(const ss_csv *csv);
/* Write into a block of at least that size; returns how many bytes are the answer. */
size_t ss_csv_write(ss_csv *csv, char *to);
void ss_csv_free(ss_csv *csv); /* NULL is fine */

#endif
