/* columns_case: a column of each kind, for the tests of columns/. */
#ifndef SS_TESTS_COLUMNS_CASE_H
#define SS_TESTS_COLUMNS_CASE_H

#include "columns/batch.h"
#include "err.h"

enum { N_KINDS = 6 };
extern const uint8_t all_kinds[N_KINDS];
extern const char *const all_names[N_KINDS];

bool same_cell(const ss_value *a, const ss_value *b);

#endif
