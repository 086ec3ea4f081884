/* formats/arrow_decimal: digits of wide integers, and the numbers they stand for.
 *
 * Pure functions; any thread, no allocation.  Text is handed to strtod() without a
 * decimal point, so that no locale can change what it means.
 */
#include "formats/arrow_decimal.h"

#include <math.h>   // isfinite()
#include <stdio.h>  // snprintf()
#include <stdlib.h> // strtod()
#include <string.h> // memcpy()

enum { LIMBS = 8 };          /* of 32 bits */
enum { BILLION_DIGITS = 9 }; /* digits taken off at a time */
#define BILLION UINT32_C(1000000000)

/* The magnitude as limbs, least significant first; unused limbs are zero. */
static bool
read_limbs(const void *bytes, int bits, uint32_t limbs[LIMBS])
{
    size_t n = (size_t)bits / 32;
    memset(limbs, 0, LIMBS * sizeof(*limbs));
    memcpy(limbs, bytes, n * sizeof(*limbs));
    bool negative = (limbs[n - 1] >> 31) != 0;
    uint64_t carry = 1;
    for (size_t i = 0; negative && i < n; i++) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return negative;
}

/* Divide by a billion; the remainder. */
static uint32_t
divide(uint32_t limbs[LIMBS], int *n)
{
    uint64_t rest = 0;
    for (int i = *n - 1; i >= 0; i--) {
        uint64_t part = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(part / BILLION);
        rest = part % BILLION;
    }
    while (*n > 0 && limbs[*n - 1] == 0) {
        --*n;
    }
    return (uint32_t)rest;
}

void
ss_decimal_read(const void *bytes, int bits, int scale, ss_decimal *out)
{
    uint32_t limbs[LIMBS];
    char reversed[SS_DECIMAL_DIGITS + BILLION_DIGITS];
    int n_limbs = LIMBS, n = 0, zeros = 0;
    out->negative = read_limbs(bytes, bits, limbs);
    while (n_limbs > 0 && limbs[n_limbs - 1] == 0) {
        n_limbs--;
    }
    while (n_limbs > 0) {
        uint32_t part = divide(limbs, &n_limbs);
        for (int i = 0; i < BILLION_DIGITS; i++, part /= 10) {
            reversed[n++] = (char)('0' + part % 10);
        }
    }
    while (n > 0 && reversed[n - 1] == '0') {
        n--;
    }
    while (zeros < n && reversed[zeros] == '0') {
        zeros++;
    }
    out->n = n - zeros;
    out->exponent = out->n == 0 ? 0 : zeros - scale;
    for (int i = 0; i < out->n; i++) {
        out->digits[i] = reversed[n - 1 - i];
    }
}

ss_status
ss_decimal_to_int(const ss_decimal *decimal, int64_t *out)
{
    uint64_t sum = 0;
    if (decimal->exponent < 0) {
        return SS_VALUE;
    }
    if (decimal->n + decimal->exponent > 19) {
        return SS_OVERFLOW;
    }
    for (int i = 0; i < decimal->n + decimal->exponent; i++) {
        sum = sum * 10 + (i < decimal->n ? (uint64_t)(decimal->digits[i] - '0') : 0);
    }
    if (sum > (uint64_t)INT64_MAX + (decimal->negative ? 1 : 0)) {
        return SS_OVERFLOW;
    }
    *out = decimal->negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return SS_OK;
}

/* Are the first `n` significant digits of r these? */
static bool
has_digits(double r, const char *digits, int n)
{
    char text[64];
    int at = 0;
    snprintf(text, sizeof(text), "%.*e", n - 1, r);
    for (const char *p = text; *p != 'e' && at < n; p++) {
        if (*p >= '0' && *p <= '9' && *p != digits[at++]) {
            return false;
        }
    }
    return at == n;
}

/* Does r's text of `n` significant digits read as r? */
static bool
reads_back(double r, int n)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*e", n - 1, r);
    return strtod(text, NULL) == r;
}

/* Up to 15 digits always come back from a float of the normal range; 17 always name
 * one. Between them its shortest text may be another one: 0.10000000000000001 is 0.1. */
static bool
prints_alike(const ss_decimal *decimal, double r)
{
    for (int n = 15; n < decimal->n; n++) {
        if (reads_back(r, n)) {
            return false;
        }
    }
    return has_digits(r, decimal->digits, decimal->n);
}

ss_status
ss_decimal_to_real(const ss_decimal *decimal, double *out)
{
    /* Powers of ten that are exact: one division or product rounds correctly. */
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    char text[SS_DECIMAL_TEXT];
    int exponent = decimal->exponent;
    double r = 0;
    if (decimal->n <= 15 && exponent >= -22 && exponent <= 22) {
        for (int i = 0; i < decimal->n; i++) {
            r = r * 10 + (decimal->digits[i] - '0');
        }
        r = exponent < 0 ? r / powers[-exponent] : r * powers[exponent];
    }
    else if (decimal->n > 17) {
        return SS_VALUE;
    }
    else {
        snprintf(text, sizeof(text), "%.*se%d", decimal->n, decimal->digits, exponent);
        r = strtod(text, NULL);
        if (!isfinite(r) || !prints_alike(decimal, r)) {
            return SS_VALUE;
        }
    }
    *out = decimal->negative ? -r : r;
    return SS_OK;
}

void
ss_decimal_show(const ss_decimal *decimal, char out[SS_DECIMAL_TEXT])
{
    const char *sign = decimal->negative ? "-" : "", *digits = decimal->digits;
    int n = decimal->n, whole = n + decimal->exponent; /* digits before the point */
    if (n == 0) {
        snprintf(out, SS_DECIMAL_TEXT, "0");
    }
    else if (decimal->exponent < 0 && whole > 0) {
        snprintf(out, SS_DECIMAL_TEXT, "%s%.*s.%.*s", sign, whole, digits, n - whole,
                 digits + whole);
    }
    else if (decimal->exponent == 0) {
        snprintf(out, SS_DECIMAL_TEXT, "%s%.*s", sign, n, digits);
    }
    else {
        snprintf(out, SS_DECIMAL_TEXT, "%s%.*sE%d", sign, n, digits, decimal->exponent);
    }
}
