/* db/fit: does a cell of an older file fit a column of ours, and in which form? */
#ifndef SS_DB_FIT_H
#define SS_DB_FIT_H

#include "base/value.h"

typedef enum {
    SS_FIT_SAME,
    SS_FIT_CHANGED, /* written in its canonical form */
    SS_FIT_NOT,
} ss_fit;

/* What fits is what a read takes (columns/fetch), and numbers in a column of text. `out`
 * borrows from `raw`; what does not fit leaves anything in it. */
ss_fit ss_fit_convert(ss_kind kind, const ss_value *raw, ss_value *out);

#endif
