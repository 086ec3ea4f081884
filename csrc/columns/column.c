#include "columns/column.h"

#include <string.h> // memcmp()

const char *
ss_kind_name(ss_kind kind)
{
    static const char *const names[] = {"INTEGER", "REAL",      "TEXT",
                                        "DATE",    "TIMESTAMP", "ANY"};
    return names[kind];
}

static void
get_text(const ss_column *column, int64_t row, ss_value *out)
{
    const int64_t *offsets = column->data.offsets;
    out->tag = SS_VALUE_TEXT;
    out->as.s.n = (size_t)(offsets[row + 1] - offsets[row]);
    out->as.s.p = column->bytes != NULL ? column->bytes + offsets[row] : "";
}

static void
get_cell(const ss_column *column, int64_t row, ss_value *out)
{
    const ss_cell *cell = &column->data.cells[row];
    out->tag = (ss_tag)cell->tag;
    switch (out->tag) {
    case SS_VALUE_REAL:
        out->as.r = cell->as.r;
        break;
    case SS_VALUE_TEXT:
    case SS_VALUE_BLOB:
        out->as.s.n = cell->n;
        out->as.s.p = column->bytes != NULL ? column->bytes + cell->as.offset : "";
        break;
    case SS_VALUE_NULL:
    case SS_VALUE_INT:
    case SS_VALUE_DATE:
    case SS_VALUE_TIMESTAMP:
        out->as.i = cell->as.i;
        break;
    }
}

void
ss_column_get(const ss_column *column, int64_t row, ss_value *out)
{
    if (ss_column_is_null(column, row)) {
        out->tag = SS_VALUE_NULL;
        out->as.i = 0;
        return;
    }
    switch ((ss_kind)column->kind) {
    case SS_KIND_INT:
        out->tag = SS_VALUE_INT;
        out->as.i = column->data.i64[row];
        return;
    case SS_KIND_REAL:
        out->tag = SS_VALUE_REAL;
        out->as.r = column->data.f64[row];
        return;
    case SS_KIND_TEXT:
        get_text(column, row, out);
        return;
    case SS_KIND_DATE:
        out->tag = SS_VALUE_DATE;
        out->as.i = column->data.i32[row];
        return;
    case SS_KIND_TIMESTAMP:
        out->tag = SS_VALUE_TIMESTAMP;
        out->as.i = column->data.i64[row];
        return;
    case SS_KIND_ANY:
        get_cell(column, row, out);
        return;
    }
}

static bool
is_number(const ss_value *v)
{
    return v->tag == SS_VALUE_INT || v->tag == SS_VALUE_REAL;
}

/* Exact, unlike (double)i == r: 2**53 + 1 is not 2.0**53. */
static bool
int_equals_real(int64_t i, double r)
{
    return r >= -0x1p63 && r < 0x1p63 && (double)(int64_t)r == r && (int64_t)r == i;
}

bool
ss_value_equal(const ss_value *a, const ss_value *b)
{
    if (is_number(a) && is_number(b) && a->tag != b->tag) {
        return a->tag == SS_VALUE_INT ? int_equals_real(a->as.i, b->as.r)
                                      : int_equals_real(b->as.i, a->as.r);
    }
    if (a->tag != b->tag) {
        return false;
    }
    switch (a->tag) {
    case SS_VALUE_NULL:
        return true;
    case SS_VALUE_REAL:
        return a->as.r == b->as.r;
    case SS_VALUE_TEXT:
    case SS_VALUE_BLOB:
        return a->as.s.n == b->as.s.n && memcmp(a->as.s.p, b->as.s.p, a->as.s.n) == 0;
    case SS_VALUE_INT:
    case SS_VALUE_DATE:
    case SS_VALUE_TIMESTAMP:
        break;
    }
    return a->as.i == b->as.i;
}
