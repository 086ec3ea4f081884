/* py/zone: where the days of a time zone begin. Only Python knows (zoneinfo), so this is
 * asked before a connection is taken.
 */
#ifndef SS_PY_ZONE_H
#define SS_PY_ZONE_H

#include "py/state.h"

#include "base/period.h"

/* A tzinfo from `obj`: an IANA name or a tzinfo. New reference, or NULL with TypeError or
 * ValueError. */
PyObject *py_zone_from_object(py_state *state, PyObject *obj);

/* The day on which an instant (microseconds, UTC) falls in `zone`. 0 or -1. */
int py_zone_day(py_state *state, PyObject *zone, int64_t instant, int32_t *day)
    SS_MUST_CHECK;

/* The most days whose begins are asked of Python one by one. */
enum { PY_ZONE_MAX_DAYS = 40000 };

/* The instants at which the days of `days` and the one after them begin: n + 1, to be
 * freed with ss_free. NULL with ValueError when there are too many. A day that has no
 * midnight begins when the clock is put forward. */
int64_t *py_zone_midnights(py_state *state, PyObject *zone, ss_days days);

#endif
