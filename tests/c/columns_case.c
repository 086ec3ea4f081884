/* columns_case: see columns_case.h. */
#include "columns_case.h"

const uint8_t all_kinds[N_KINDS] = {SS_KIND_INT,  SS_KIND_REAL,      SS_KIND_TEXT,
                                    SS_KIND_DATE, SS_KIND_TIMESTAMP, SS_KIND_ANY};
const char *const all_names[N_KINDS] = {"i", "r", "t", "d", "ts", "any"};

bool
same_cell(const ss_value *a, const ss_value *b)
{
    return a->tag == b->tag && ss_value_equal(a, b);
}
