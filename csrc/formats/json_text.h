/* formats/json_text: what has to be escaped in a JSON string, and how.
 *
 * JSON requires it of quotes, backslashes and the 32 control characters. With `html` also
 * of < > & ' and of U+2028 and U+2029, so that the text may stand inside a <script>
 * element or an attribute and is no different as JSON.
 */
#ifndef SS_FORMATS_JSON_TEXT_H
#define SS_FORMATS_JSON_TEXT_H

#include "base/status.h"

/* The most bytes that one byte becomes. */
enum { SS_JSON_ESCAPE = 6 };

/* How many bytes of the text may have to be escaped; 0: it can be copied as it is. */
size_t ss_json_text_specials(const char *s, size_t n, bool html);

/* The text, escaped, without quotes around it; returns the end. */
char *ss_json_text_put(const char *s, size_t n, bool html, char *to);

#endif
