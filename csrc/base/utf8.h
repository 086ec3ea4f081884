/* base/utf8: is this text valid UTF-8?  SQLite stores any bytes it is given. */
#ifndef SS_BASE_UTF8_H
#define SS_BASE_UTF8_H

#include "base/status.h"

#include <string.h> // memcpy()

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Eight bytes at
 * a time while the text is ASCII. */
bool ss_utf8_valid(const char *s, size_t n);
/* Bytes of the character that a text begins with; 0 when it is none (n > 0). */
size_t ss_utf8_character(const char *s, size_t n);
/* What stands for a byte that is none: U+FFFD. */
#define SS_UTF8_REPLACEMENT "\xEF\xBF\xBD"
/* The largest prefix length <= n that does not cut a character. */
size_t ss_utf8_floor(const char *s, size_t n);
/* Where the last `characters` of a valid text begin; n when it has no more than those:
 * what may be shown of a secret. */
size_t ss_utf8_tail(const char *s, size_t n, int characters);

/* Copy n bytes; true: all of them are ASCII, so the text is valid. One pass instead of a
 * check and a copy, for the texts of a big read: mostly short and mostly ASCII. */
static inline bool
ss_utf8_copy_ascii(char *to, const char *from, size_t n)
{
    uint64_t seen = 0, word;

    if (n >= sizeof(word)) {
        for (size_t i = 0; i + sizeof(word) <= n; i += sizeof(word)) {
            memcpy(&word, from + i, sizeof(word));
            memcpy(to + i, &word, sizeof(word));
            seen |= word;
        }
        /* The rest, with some of what went before once more. */
        memcpy(&word, from + n - sizeof(word), sizeof(word));
        memcpy(to + n - sizeof(word), &word, sizeof(word));
        return ((seen | word) & UINT64_C(0x8080808080808080)) == 0;
    }
    for (size_t i = 0; i < n; i++) {
        seen |= (unsigned char)(to[i] = from[i]);
    }
    return (seen & 0x80) == 0;
}

#endif
