/* db/fit: does a cell of an older file fit a column of ours, and in which form? */
#include "db/fit.h"

#include "base/moment.h"
#include "base/utf8.h"

#include <string.h> // memcmp()

static ss_fit
convert_moment(ss_kind kind, const ss_value *raw, ss_value *out)
{
    char text[SS_INSTANT_TEXT];
    size_t n;
    int32_t day;
    int64_t us;
    if (raw->tag != SS_VALUE_TEXT) {
        return SS_FIT_NOT;
    }
    if (kind == SS_KIND_DATE) {
        if (!ss_day_parse(raw->as.s.p, raw->as.s.n, &day)) {
            return SS_FIT_NOT;
        }
        *out = (ss_value){.tag = SS_VALUE_DATE, .as.i = day};
        n = ss_day_format(day, text);
    }
    else {
        if (!ss_instant_parse(raw->as.s.p, raw->as.s.n, &us)) {
            return SS_FIT_NOT;
        }
        *out = (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = us};
        n = ss_instant_format(us, text);
    }
    return n == raw->as.s.n && memcmp(text, raw->as.s.p, n) == 0 ? SS_FIT_SAME
                                                                 : SS_FIT_CHANGED;
}

ss_fit
ss_fit_convert(ss_kind kind, const ss_value *raw, ss_value *out)
{
    *out = *raw;
    if (raw->tag == SS_VALUE_NULL) {
        return SS_FIT_SAME;
    }
    bool number = raw->tag == SS_VALUE_INT || raw->tag == SS_VALUE_REAL;
    double real = raw->tag == SS_VALUE_REAL ? raw->as.r : 0;
    switch (kind) {
    case SS_KIND_INT:
        if (raw->tag == SS_VALUE_INT) {
            return SS_FIT_SAME;
        }
        if (raw->tag != SS_VALUE_REAL || !(real >= -0x1p63 && real < 0x1p63) ||
            (double)(int64_t)real != real) {
            return SS_FIT_NOT;
        }
        *out = (ss_value){.tag = SS_VALUE_INT, .as.i = (int64_t)real};
        return SS_FIT_CHANGED;
    case SS_KIND_REAL:
        return number ? SS_FIT_SAME : SS_FIT_NOT;
    case SS_KIND_TEXT:
        return number ? SS_FIT_CHANGED
               : raw->tag == SS_VALUE_TEXT && ss_utf8_valid(raw->as.s.p, raw->as.s.n)
                   ? SS_FIT_SAME
                   : SS_FIT_NOT;
    case SS_KIND_DATE:
    case SS_KIND_TIMESTAMP:
        return convert_moment(kind, raw, out);
    case SS_KIND_ANY:
        break;
    }
    return SS_FIT_SAME;
}
