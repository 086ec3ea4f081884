/* base/utf8: the validity of text by RFC 3629.
 *
 * Pure functions over borrowed bytes; any thread, no lock, no allocation.  Reads only
 * the n bytes it is given, never a closing NUL.
 */
#include "base/utf8.h"

#include <string.h> // memcpy()

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The length of the valid character at s (n bytes are there, n > 0), or 0. */
static inline size_t
character(const unsigned char *s, size_t n)
{
    unsigned char lead = s[0];
    /* The second byte carries every rule beyond "continuations follow". */
    unsigned char low = 0x80, high = 0xBF;
    size_t length;

    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    }
    else if ((lead & 0xF0) == 0xE0) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : low;   /* overlong */
        high = lead == 0xED ? 0x9F : high; /* surrogates */
    }
    else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : low;   /* overlong */
        high = lead == 0xF4 ? 0x8F : high; /* above U+10FFFF */
    }
    else {
        return 0;
    }
    if (n < length || s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool
ss_utf8_valid(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t at = 0;

    while (at < n) {
        uint64_t eight;
        while (n - at >= sizeof(eight)) {
            memcpy(&eight, p + at, sizeof(eight));
            if ((eight & HIGH_BITS) != 0) {
                break;
            }
            at += sizeof(eight);
        }
        if (at == n) {
            break;
        }
        size_t length = character(p + at, n - at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

size_t
ss_utf8_character(const char *s, size_t n)
{
    return character((const unsigned char *)s, n);
}

size_t
ss_utf8_floor(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t back = 0;

    /* At most three continuation bytes can follow the lead of a cut character. */
    while (back < 3 && back < n && (p[n - 1 - back] & 0xC0) == 0x80) {
        back++;
    }
    if (back == n) {
        return n;
    }
    unsigned char lead = p[n - 1 - back];
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;

    return length > back + 1 ? n - 1 - back : n;
}

size_t
ss_utf8_tail(const char *s, size_t n, int characters)
{
    size_t at = n;

    while (at > 0 && characters > 0) {
        at--;
        characters -= ((unsigned char)s[at] & 0xC0) != 0x80;
    }
    return at == 0 ? n : at;
}
