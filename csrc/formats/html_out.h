/* formats/html_out: rows as a small HTML table, one row as a card, for notebooks.
 *
 * What is stored is text to the browser and nothing else: < > & " ' are escaped, control
 * characters become their pictures, what is not UTF-8 becomes U+FFFD, formulas of MathJax
 * are left alone, and the direction of a text ends with its cell. Long texts are cut,
 * secret columns show their last four characters, NULL is set apart from the text "None".
 * No colours: the notebook's own theme, light or dark, applies.
 */
#ifndef SS_FORMATS_HTML_OUT_H
#define SS_FORMATS_HTML_OUT_H

#include "base/buf.h"
#include "columns/batch.h"

/* Append to `out`; look at ss_buf_ok() afterwards. A table of more than 20 rows shows the
 * first and the last five. */
void ss_html_rows(const ss_view *view, ss_buf *out);
/* The first row of the view, a line for each column. */
void ss_html_record(const ss_view *view, ss_buf *out);

#endif
