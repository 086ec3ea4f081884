/* formats/arrow_decimal: an Arrow decimal as digits, and from them a number. */
#ifndef SS_FORMATS_ARROW_DECIMAL_H
#define SS_FORMATS_ARROW_DECIMAL_H

#include "base/status.h"

/* 2**255 has 77 digits. */
enum { SS_DECIMAL_DIGITS = 78, SS_DECIMAL_TEXT = 96 };

/* (-1)**negative * digits * 10**exponent; no zeros lead or trail, and 0 has no digit. */
typedef struct {
    char digits[SS_DECIMAL_DIGITS];
    int n;
    int exponent;
    bool negative;
} ss_decimal;

/* Read a two's complement integer of 32, 64, 128 or 256 bits, least significant byte
 * first (need not be aligned), that counts units of 10**-scale. */
void ss_decimal_read(const void *bytes, int bits, int scale, ss_decimal *out);

/* SS_OK; SS_VALUE: it is not whole; SS_OVERFLOW: it does not fit. */
ss_status ss_decimal_to_int(const ss_decimal *decimal, int64_t *out) SS_MUST_CHECK;

/* SS_OK: the float's shortest text has the same digits; SS_VALUE: it has not. */
ss_status ss_decimal_to_real(const ss_decimal *decimal, double *out) SS_MUST_CHECK;

/* Write it out, "-12.5" or with an exponent; NUL-terminated. */
void ss_decimal_show(const ss_decimal *decimal, char out[SS_DECIMAL_TEXT]);

#endif
