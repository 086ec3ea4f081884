/* base/utf8: is this text valid UTF-8?  SQLite stores any bytes it is given. */
#ifndef SS_BASE_UTF8_H
#define SS_BASE_UTF8_H

#include "base/status.h"

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Eight bytes at
 * a time while the text is ASCII. */
bool ss_utf8_valid(const char *s, size_t n);
/* The largest prefix length <= n that does not cut a character. */
size_t ss_utf8_floor(const char *s, size_t n);

#endif
