/* base/real: a double as the shortest decimal that reads back as the same double. */
#ifndef SS_BASE_REAL_H
#define SS_BASE_REAL_H

#include "base/status.h"

enum { SS_REAL_TEXT = 24 }; /* the longest: -2.2250738585072014e-308 */

/* The text of a finite double as Python's repr() has it: at least one digit after the
 * point ("1.0"), an exponent below 0.0001 and from 1e16 on ("1e-05", "1e+16"). No NUL is
 * written. Returns the end. */
char *ss_real_put(double value, char to[SS_REAL_TEXT]);

#endif
