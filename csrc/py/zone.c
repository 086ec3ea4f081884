#include "py/zone.h"

#include "base/mem.h"
#include "base/moment.h"
#include "py/value.h"

/* PyDateTime_DELTA_GET_* without the static that datetime.h would make. */
static int64_t
microseconds(PyObject *delta)
{
    return PyDateTime_DELTA_GET_DAYS(delta) * SS_US_PER_DAY +
           (int64_t)PyDateTime_DELTA_GET_SECONDS(delta) * 1000000 +
           PyDateTime_DELTA_GET_MICROSECONDS(delta);
}

static PyObject *
named_zone(PyObject *name)
{
    PyObject *module = PyImport_ImportModule("zoneinfo");
    PyObject *zone =
        module != NULL ? PyObject_CallMethod(module, "ZoneInfo", "O", name) : NULL;
    Py_XDECREF(module);
    /* ZoneInfoNotFoundError is a KeyError; a name such as "../x" a ValueError. */
    if (zone == NULL && (PyErr_ExceptionMatches(PyExc_KeyError) ||
                         PyErr_ExceptionMatches(PyExc_ValueError) ||
                         PyErr_ExceptionMatches(PyExc_OSError))) {
        PyErr_Clear();
        PyErr_Format(
            PyExc_ValueError,
            "zone: %R is no time zone of this system; a name such as "
            "'Europe/Berlin' is (pip install tzdata where the system has none)",
            name);
    }
    return zone;
}

PyObject *
py_zone_from_object(py_state *state, PyObject *obj)
{
    if (PyUnicode_Check(obj)) {
        return named_zone(obj);
    }
    if (PyObject_TypeCheck(obj, state->datetime->TZInfoType)) {
        return Py_NewRef(obj);
    }
    PyErr_Format(PyExc_TypeError,
                 "zone: expected a name such as 'Europe/Berlin' or a tzinfo, got %s",
                 Py_TYPE(obj)->tp_name);
    return NULL;
}

/* tzinfo.fromutc() of a naive instant. */
static PyObject *
to_zone(py_state *state, PyObject *zone, int64_t instant)
{
    int32_t day = ss_day_of_instant(instant);
    ss_civil civil = ss_civil_from_day(day);
    int seconds = (int)((instant - day * SS_US_PER_DAY) / 1000000);
    PyDateTime_CAPI *api = state->datetime;
    PyObject *utc = api->DateTime_FromDateAndTime(
        civil.year, civil.month, civil.day, seconds / 3600, seconds / 60 % 60,
        seconds % 60, 0, zone, api->DateTimeType);
    PyObject *local =
        utc != NULL ? PyObject_CallMethod(zone, "fromutc", "O", utc) : NULL;
    Py_XDECREF(utc);
    return local;
}

int
py_zone_day(py_state *state, PyObject *zone, int64_t instant, int32_t *day)
{
    PyObject *local = to_zone(state, zone, instant);
    if (local == NULL && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear(); /* east of the calendar's last day, or west of its first */
        *day = ss_day_of_instant(instant);
        return 0;
    }
    if (local == NULL) {
        return -1;
    }
    if (!PyObject_TypeCheck(local, state->datetime->DateTimeType)) {
        PyErr_Format(PyExc_TypeError, "zone: its fromutc() gave %s, not a datetime",
                     Py_TYPE(local)->tp_name);
        Py_DECREF(local);
        return -1;
    }
    *day = ss_day_from_civil(PyDateTime_GET_YEAR(local), PyDateTime_GET_MONTH(local),
                             PyDateTime_GET_DAY(local));
    Py_DECREF(local);
    return 0;
}

/* Midnight of `day` in `zone`. In a gap, utcoffset() is the one before it, which gives
 * the instant of the gap itself; of a midnight that comes twice, the first. */
static int
midnight(py_state *state, PyObject *zone, int32_t day, int64_t *out)
{
    ss_civil civil = ss_civil_from_day(day);
    PyDateTime_CAPI *api = state->datetime;
    PyObject *local = api->DateTime_FromDateAndTime(
        civil.year, civil.month, civil.day, 0, 0, 0, 0, zone, api->DateTimeType);
    PyObject *offset =
        local != NULL ? PyObject_CallMethodNoArgs(local, state->str_utcoffset) : NULL;
    Py_XDECREF(local);
    if (offset == NULL) {
        return -1;
    }
    int rc = 0;
    if (!PyObject_TypeCheck(offset, api->DeltaType)) {
        PyErr_Format(PyExc_TypeError, "zone: its utcoffset() gave %s, not a timedelta",
                     Py_TYPE(offset)->tp_name);
        rc = -1;
    }
    else {
        *out = day * SS_US_PER_DAY - microseconds(offset);
    }
    Py_DECREF(offset);
    return rc;
}

int64_t *
py_zone_midnights(py_state *state, PyObject *zone, ss_days days)
{
    int64_t n = (int64_t)days.end - days.start + 1;
    if (n > PY_ZONE_MAX_DAYS) {
        PyErr_Format(PyExc_ValueError,
                     "zone: at most %d days at a time have bounds of their own zone, "
                     "got %lld",
                     PY_ZONE_MAX_DAYS, (long long)n);
        return NULL;
    }
    int64_t *out = ss_calloc((size_t)n + 1, sizeof(*out));
    if (out == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int64_t i = 0; i <= n; i++) {
        int64_t day = days.start + i;
        if (day > SS_DAY_MAX) {
            out[i] = out[i - 1] + SS_US_PER_DAY;
        }
        else if (midnight(state, zone, (int32_t)day, &out[i]) < 0) {
            ss_free(out);
            return NULL;
        }
    }
    return out;
}
