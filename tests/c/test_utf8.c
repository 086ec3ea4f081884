/* base/utf8: against a reference that is read off the standard. */
#include "base/utf8.h"

#include "base/mem.h"
#include "check.h"
#include "mix.h"

/* By the definition, from code points: slow and different from the room's way. */
static bool
reference_valid(const unsigned char *s, size_t n)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < n;) {
        size_t length = s[i] < 0x80   ? 1
                        : s[i] < 0xC0 ? 0
                        : s[i] < 0xE0 ? 2
                        : s[i] < 0xF0 ? 3
                        : s[i] < 0xF8 ? 4
                                      : 0;
        if (length == 0 || length > n - i) {
            return false;
        }
        uint32_t c = length == 1 ? s[i] : s[i] & (0x7Fu >> length);
        for (size_t k = 1; k < length; k++) {
            if (s[i + k] >> 6 != 2) {
                return false;
            }
            c = c << 6 | (s[i + k] & 0x3Fu);
        }
        if (c < least[length] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
            return false;
        }
        i += length;
    }
    return true;
}

static size_t
encode(uint32_t c, unsigned char *out)
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (unsigned char)((0xF00u >> n & 0xFF) | c);
    return n;
}

static void
test_utf8_all_code_points(void)
{
    unsigned char s[4];

    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        size_t n = encode(c, s);
        bool want = c < 0xD800 || c >= 0xE000;
        CHECK(ss_utf8_valid((char *)s, n) == want);
    }
    CHECK(!ss_utf8_valid("\xF4\x90\x80\x80", 4));
    CHECK(!ss_utf8_valid("\xC0\x80", 2));
    CHECK(!ss_utf8_valid("\xE0\x9F\xBF", 3));
    CHECK(ss_utf8_valid("", 0));
}

static void
test_utf8_random(void)
{
    int n_valid = 0;

    for (int round = 0; round < 300000; round++) {
        unsigned char s[64];
        size_t n = 0;
        for (uint32_t parts = random_below(14); parts > 0 && n < 56; parts--) {
            uint32_t kind = random_below(10);
            uint32_t c = kind < 6   ? random_below(0x80)
                         : kind < 7 ? random_below(0x800)
                         : kind < 9 ? random_below(0xD800)
                                    : 0x10000 + random_below(0x100000);
            n += encode(c, s + n);
        }
        if (n > 0 && random_below(3) == 0) {
            s[random_below((uint32_t)n)] = (unsigned char)random_below(256);
        }
        if (n > 0 && random_below(4) == 0) {
            n = random_below((uint32_t)n);
        }
        /* A block of its own, so that reading past the end is seen. */
        char *copy = ss_strndup((char *)s, n);
        char *exact = ss_malloc(n);
        memcpy(exact, copy, n);
        bool got = ss_utf8_valid(exact, n), want = reference_valid(s, n);
        size_t floor = ss_utf8_floor(exact, n);
        bool floor_fine = floor <= n && n - floor < 4 && (!want || floor == n) &&
                          (!want || ss_utf8_valid(exact, floor));
        ss_free(copy);
        ss_free(exact);
        n_valid += want;
        CHECK(got == want);
        CHECK(floor_fine);
    }
    CHECK(n_valid > 50000 && n_valid < 250000);
}

/* Every length up to three words and a bit, with one byte that is not ASCII at every
 * place and with none. */
static void
test_utf8_copy_ascii(void)
{
    char from[32], to[33];

    for (size_t n = 0; n < sizeof(from); n++) {
        for (size_t at = 0; at <= n; at++) {
            memset(from, 'a', sizeof(from));
            memset(to, '#', sizeof(to));
            if (at < n) {
                from[at] = (char)0xC3;
            }
            bool ascii = ss_utf8_copy_ascii(to, from, n);
            CHECK(ascii == (at == n));
            CHECK(memcmp(to, from, n) == 0);
            CHECK(to[n] == '#');
        }
    }
}

static void
test_utf8_floor(void)
{
    const char *text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    for (size_t n = 0; n <= 11; n++) {
        CHECK_INT(ss_utf8_floor(text, n), want[n]);
    }
    CHECK_INT(ss_utf8_floor("\x80\x80", 2), 2);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_utf8_all_code_points);
    RUN(test_utf8_random);
    RUN(test_utf8_copy_ascii);
    RUN(test_utf8_floor);
    return check_end();
}
