/* formats/json_text: what has to be escaped in a JSON string, and how.
 *
 * Pure functions; any thread. Eight bytes are looked at together: each test below sets
 * the highest bit of every byte of a word that passes it, and the compiler makes one
 * vector operation of two or four words.
 */
#include "formats/json_text.h"

#include <string.h> // memcpy()

/* Words looked at before asking whether there was anything. */
enum { BLOCK = 32 };

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

/* By byte: 0 as it is, 'u' as \u00XX, LINE where U+2028 or U+2029 may begin, else the
 * letter after the backslash. */
enum { LINE = 1 };

#define CONTROLS                                                                     \
    [0] = 'u', [1] = 'u', [2] = 'u', [3] = 'u', [4] = 'u', [5] = 'u', [6] = 'u',     \
    [7] = 'u', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u', ['\f'] = 'f',   \
    ['\r'] = 'r', [14] = 'u', [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u',        \
    [19] = 'u', [20] = 'u', [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u',          \
    [25] = 'u', [26] = 'u', [27] = 'u', [28] = 'u', [29] = 'u', [30] = 'u',          \
    [31] = 'u', ['"'] = '"', ['\\'] = '\\'

static const uint8_t plain_escapes[256] = {CONTROLS};
static const uint8_t html_escapes[256] = {
    CONTROLS, ['<'] = 'u', ['>'] = 'u', ['&'] = 'u', ['\''] = 'u', [0xE2] = LINE,
};

/* Bytes that are not `byte`; only their lower seven bits count. */
static inline uint64_t
differ(uint64_t low, unsigned char byte)
{
    return (low ^ EVERY(byte)) + EVERY(0x7f);
}

/* The highest bit of each byte that may have to be escaped. */
static inline uint64_t
specials(uint64_t word, bool html)
{
    uint64_t low = word & EVERY(0x7f);
    uint64_t fine = differ(low, '"') & differ(low, '\\') & (low + EVERY(0x60));

    if (!html) {
        return ~(fine | word) & EVERY(0x80);
    }
    /* < and > differ in one bit, and so do & and '. */
    fine &= differ(low | EVERY(2), '>') & differ(low | EVERY(1), '\'');
    /* 0xE2 by its lower bits, among the bytes that have the highest one. */
    return (~(fine | word) | (~differ(low, 0x62) & word)) & EVERY(0x80);
}

static inline uint64_t
load(const char *s)
{
    uint64_t word;

    memcpy(&word, s, sizeof(word));
    return word;
}

static inline size_t
count_bytes(const char *s, size_t n, const uint8_t *escapes)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        count += escapes[(unsigned char)s[i]] != 0;
    }
    return count;
}

static inline size_t
count_specials(const char *s, size_t n, bool html)
{
    const uint8_t *escapes = html ? html_escapes : plain_escapes;
    enum { SIZE = BLOCK * sizeof(uint64_t) };
    size_t count = 0;

    for (; n >= SIZE; s += SIZE, n -= SIZE) {
        uint64_t seen = 0;
        for (size_t i = 0; i < SIZE; i += sizeof(seen)) {
            seen |= specials(load(s + i), html);
        }
        if (seen != 0) {
            count += count_bytes(s, SIZE, escapes);
        }
    }
    return count + count_bytes(s, n, escapes);
}

size_t
ss_json_text_specials(const char *s, size_t n, bool html)
{
    return html ? count_specials(s, n, true) : count_specials(s, n, false);
}

static char *
put_unicode(unsigned code, char *to)
{
    static const char hex[] = "0123456789abcdef";

    memcpy(to, "\\u", 2);
    for (int i = 0; i < 4; i++) {
        to[2 + i] = hex[code >> (12 - 4 * i) & 15];
    }
    return to + 6;
}

/* Write the character at *s, or its first byte, and step over it. */
static inline char *
put_one(const char **s, const char *end, const uint8_t *escapes, char *to)
{
    const unsigned char *at = (const unsigned char *)*s;
    uint8_t how = escapes[*at];

    *s += 1;
    if (how == 0) {
        *to = (char)*at;
        return to + 1;
    }
    if (how == LINE) {
        if (end - *s >= 2 && at[1] == 0x80 && (at[2] & 0xFE) == 0xA8) {
            *s += 2;
            return put_unicode(0x2000u | (at[2] & 0x3Fu), to);
        }
        *to = (char)*at;
        return to + 1;
    }
    if (how == 'u') {
        return put_unicode(*at, to);
    }
    to[0] = '\\';
    to[1] = (char)how;
    return to + 2;
}

static inline char *
put(const char *s, size_t n, bool html, char *to)
{
    const uint8_t *escapes = html ? html_escapes : plain_escapes;
    const char *end = s + n;

    while (end - s >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t word = load(s);
        if (specials(word, html) == 0) {
            memcpy(to, &word, sizeof(word));
            to += sizeof(word);
            s += sizeof(word);
            continue;
        }
        for (const char *stop = s + sizeof(word); s < stop;) {
            to = put_one(&s, end, escapes, to);
        }
    }
    while (s < end) {
        to = put_one(&s, end, escapes, to);
    }
    return to;
}

char *
ss_json_text_put(const char *s, size_t n, bool html, char *to)
{
    return html ? put(s, n, true, to) : put(s, n, false, to);
}
