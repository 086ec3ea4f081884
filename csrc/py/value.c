/* py/value: one Python object to a cell, one cell to a Python object.
 *
 * The way in is a ladder of type checks, cheapest first; numpy and decimal are known by
 * the names of their types, never imported.  What fits no rung is refused with what was
 * given and what would do.  Messages show a value only when showing it runs no foreign
 * code and it is no secret.
 */
#include "py/value.h"

#include "base/moment.h"
#include "py/raise.h"

#include <math.h>   // floor(), isfinite(), isnan()
#include <string.h> // strcmp()

enum { SHOWN_TEXT = 60, SHOWN_BITS = 200 };

/* One conversion under way. */
typedef struct {
    py_state *state;
    PyObject *obj; /* borrowed: what is converted */
    ss_kind kind;
    const char *what;
    ss_value *out;
    PyObject **keep;
} conversion;

const char *
py_value_kind_takes(ss_kind kind)
{
    static const char *const takes[] = {
        [SS_KIND_INT] = "int",
        [SS_KIND_REAL] = "float",
        [SS_KIND_TEXT] = "str",
        [SS_KIND_DATE] = "datetime.date or str 'YYYY-MM-DD'",
        [SS_KIND_TIMESTAMP] = "datetime.datetime or str 'YYYY-MM-DD HH:MM:SS'",
        [SS_KIND_ANY] = "None, int, float, str, bytes, datetime.date or "
                        "datetime.datetime",
    };

    return takes[kind];
}

/* ---- messages ---- */

static PyObject *
describe_text(PyObject *text)
{
    if (PyUnicode_GET_LENGTH(text) <= SHOWN_TEXT) {
        return PyUnicode_FromFormat("str %R", text);
    }
    PyObject *start = PyUnicode_Substring(text, 0, SHOWN_TEXT);
    if (start == NULL) {
        return NULL;
    }
    PyObject *shown = PyUnicode_FromFormat("str %R...", start);
    Py_DECREF(start);
    return shown;
}

/* An int in full unless it is long: making its digits takes quadratic time. */
static PyObject *
describe_int(py_state *state, PyObject *number)
{
    PyObject *bits = PyObject_CallMethodNoArgs(number, state->str_bit_length);

    if (bits == NULL) {
        return NULL;
    }
    PyObject *shown = PyLong_AsLong(bits) > SHOWN_BITS
                          ? PyUnicode_FromFormat("int of %S bits", bits)
                          : PyUnicode_FromFormat("int %R", number);
    Py_DECREF(bits);
    return shown;
}

/* What was given, for a message: type and value, or the type alone. New reference. */
static PyObject *
describe(const conversion *c)
{
    PyObject *obj = c->obj;
    const char *dot = strrchr(c->what, '.');
    const char *type = Py_TYPE(obj)->tp_name;

    if (obj == Py_Ellipsis) {
        return PyUnicode_FromString("Ellipsis (...)");
    }
    if (ss_catalog_is_secret(NULL, dot != NULL ? dot + 1 : c->what)) {
        return PyUnicode_FromFormat("%.200s", type);
    }
    if (PyUnicode_CheckExact(obj)) {
        return describe_text(obj);
    }
    if (PyLong_CheckExact(obj)) {
        return describe_int(c->state, obj);
    }
    if (PyFloat_CheckExact(obj) || PyBool_Check(obj)) {
        return PyUnicode_FromFormat("%s %R", type, obj);
    }
    return PyUnicode_FromFormat("%.200s", type);
}

/* `what: expected <expected>, got <what was given>`. Returns -1. */
static int
refuse(const conversion *c, PyObject *type, const char *expected)
{
    PyObject *given = describe(c);

    if (given != NULL) {
        PyErr_Format(type, "%s: expected %s, got %U", c->what, expected, given);
        Py_DECREF(given);
    }
    return -1;
}

static int
refuse_type(const conversion *c)
{
    return refuse(c, PyExc_TypeError, py_value_kind_takes(c->kind));
}

/* `what: <what was given> <why>`. Returns -1. */
static int
refuse_value(const conversion *c, PyObject *type, const char *why)
{
    PyObject *given = describe(c);

    if (given != NULL) {
        PyErr_Format(type, "%s: %U %s", c->what, given, why);
        Py_DECREF(given);
    }
    return -1;
}

/* ---- what types are there ---- */

static bool
is_numpy_float(PyObject *obj)
{
    const char *name = Py_TYPE(obj)->tp_name;

    return strcmp(name, "numpy.float32") == 0 || strcmp(name, "numpy.float16") == 0 ||
           strcmp(name, "numpy.longdouble") == 0 || strcmp(name, "numpy.float128") == 0;
}

static bool
is_numpy_bool(PyObject *obj)
{
    const char *name = Py_TYPE(obj)->tp_name;

    return strcmp(name, "numpy.bool") == 0 || strcmp(name, "numpy.bool_") == 0;
}

/* Is there an __index__ that means "this is an integer"?  An array of one has it too,
 * and so has a span of time, which is none. */
static bool
is_index(PyObject *obj)
{
    const char *name = Py_TYPE(obj)->tp_name;

    return PyIndex_Check(obj) && strcmp(name, "numpy.ndarray") != 0 &&
           strcmp(name, "numpy.timedelta64") != 0;
}

/* Is it a decimal.Decimal?  1, 0 or -1.  If nobody has imported decimal it is not. */
static int
is_decimal(py_state *state, PyObject *obj)
{
    if (state->decimal_type == NULL) {
        PyObject *name = PyUnicode_FromString("decimal");
        PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
        Py_XDECREF(name);
        if (module == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
        PyObject *type = PyObject_GetAttrString(module, "Decimal");
        Py_DECREF(module);
        if (type == NULL || !PyType_Check(type)) {
            PyErr_Clear(); /* some other module of that name */
            Py_XDECREF(type);
            return 0;
        }
        Py_XSETREF(state->decimal_type, type);
    }
    return PyObject_TypeCheck(obj, (PyTypeObject *)state->decimal_type);
}

/* ---- numbers ---- */

static int
put_int(const conversion *c, int64_t i)
{
    *c->out = (ss_value){.tag = SS_VALUE_INT, .as.i = i};
    return 0;
}

static int
put_real(const conversion *c, double r)
{
    if (isnan(r)) {
        PyErr_Format(PyExc_ValueError,
                     "%s: NaN is not a value; give None where one is missing", c->what);
        return -1;
    }
    if (isinf(r) && c->kind != SS_KIND_ANY) {
        PyErr_Format(PyExc_ValueError, "%s: expected a finite number, got %s", c->what,
                     r > 0 ? "inf" : "-inf");
        return -1;
    }
    *c->out = (ss_value){.tag = SS_VALUE_REAL, .as.r = r};
    return 0;
}

/* A Python int for a column of integers, or of floats. */
static int
put_long(const conversion *c, PyObject *number)
{
    if (c->kind == SS_KIND_REAL) {
        double r = PyLong_AsDouble(number);
        if (r == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return refuse_value(c, PyExc_OverflowError, "is too large for a float");
        }
        return put_real(c, r);
    }
    int overflow;
    long long i = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow != 0) {
        return refuse_value(c, PyExc_OverflowError, "does not fit in 64 bits");
    }
    return i == -1 && PyErr_Occurred() ? -1 : put_int(c, i);
}

/* A double for a column of integers: fine when it is one, as pandas makes of an integer
 * column with gaps. */
static int
put_integral(const conversion *c, double r)
{
    if (!isfinite(r)) {
        return put_real(c, r);
    }
    if (r != floor(r)) {
        return refuse_type(c);
    }
    if (r < -0x1p63 || r >= 0x1p63) {
        return refuse_value(c, PyExc_OverflowError, "does not fit in 64 bits");
    }
    return put_int(c, (int64_t)r);
}

static int
put_double(const conversion *c, double r)
{
    return c->kind == SS_KIND_INT ? put_integral(c, r) : put_real(c, r);
}

/* Whatever float() makes of it. */
static int
put_floating(const conversion *c)
{
    double r = PyFloat_AsDouble(c->obj);

    return r == -1.0 && PyErr_Occurred() ? -1 : put_double(c, r);
}

static int
put_index(const conversion *c)
{
    PyObject *number = PyNumber_Index(c->obj);

    if (number == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
        return refuse_type(c);
    }
    int rc = put_long(c, number);
    Py_DECREF(number);
    return rc;
}

/* Does Decimal(repr(r)) equal the decimal?  1, 0 or -1. */
static int
prints_alike(const conversion *c, double r)
{
    char *digits = PyOS_double_to_string(r, 'r', 0, 0, NULL);
    PyObject *again = NULL;
    int same = -1;

    if (digits == NULL) {
        return -1;
    }
    again = PyObject_CallFunction(c->state->decimal_type, "s", digits);
    if (again != NULL) {
        same = PyObject_RichCompareBool(c->obj, again, Py_EQ);
        Py_DECREF(again);
    }
    PyMem_Free(digits);
    return same;
}

static int
put_decimal(const conversion *c)
{
    double r = PyFloat_AsDouble(c->obj);

    if (r == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear(); /* a signalling NaN */
        r = Py_NAN;
    }
    if (isnan(r)) {
        return put_real(c, r);
    }
    int same = prints_alike(c, r);
    if (same <= 0) {
        return same < 0 ? -1
                        : refuse_value(c, PyExc_ValueError,
                                       "has more digits than a float can hold");
    }
    return put_double(c, r);
}

/* A number of any kind but int and float themselves: 1 when it was none. */
static int
put_number(const conversion *c)
{
    PyObject *obj = c->obj;

    if (is_numpy_bool(obj)) {
        int truth = PyObject_IsTrue(obj);
        conversion of_bool = *c;
        of_bool.obj = truth ? Py_True : Py_False;
        return truth < 0 ? -1 : put_long(&of_bool, of_bool.obj);
    }
    if (is_numpy_float(obj)) {
        return put_floating(c);
    }
    if (is_index(obj)) {
        return put_index(c);
    }
    int decimal = is_decimal(c->state, obj);
    return decimal < 0 ? -1 : decimal ? put_decimal(c) : 1;
}

/* INT and REAL. */
static int
convert_number(const conversion *c)
{
    if (PyFloat_Check(c->obj)) {
        return put_double(c, PyFloat_AS_DOUBLE(c->obj));
    }
    if (PyLong_Check(c->obj)) {
        return put_long(c, c->obj);
    }
    int rc = put_number(c);
    return rc == 1 ? refuse_type(c) : rc;
}

/* ---- text and blobs ---- */

static int
refuse_surrogate(const conversion *c)
{
    char code[16];
    Py_ssize_t at = 0, n = PyUnicode_GET_LENGTH(c->obj);

    while (at < n && !Py_UNICODE_IS_SURROGATE(PyUnicode_READ_CHAR(c->obj, at))) {
        at++;
    }
    if (at == n) {
        return refuse_type(c);
    }
    PyOS_snprintf(code, sizeof(code), "U+%04X",
                  (unsigned)PyUnicode_READ_CHAR(c->obj, at));
    PyErr_Format(PyExc_ValueError,
                 "%s: the lone surrogate %s at position %zd is no "
                 "character",
                 c->what, code, at);
    return -1;
}

/* The bytes of a str, borrowed from it; NULL with an exception. */
static const char *
borrow_text(const conversion *c, Py_ssize_t *n)
{
    const char *text = PyUnicode_AsUTF8AndSize(c->obj, n);

    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        refuse_surrogate(c);
    }
    return text;
}

static int
put_text(const conversion *c)
{
    Py_ssize_t n;
    const char *text = borrow_text(c, &n);

    if (text == NULL) {
        return -1;
    }
    *c->out = (ss_value){.tag = SS_VALUE_TEXT, .as.s = {.p = text, .n = (size_t)n}};
    *c->keep = Py_NewRef(c->obj);
    return 0;
}

/* Anything but bytes could change while it is borrowed, so it is copied. */
static int
put_blob(const conversion *c)
{
    PyObject *bytes = PyBytes_FromObject(c->obj);

    if (bytes == NULL) {
        return -1;
    }
    *c->out = (ss_value){
        .tag = SS_VALUE_BLOB,
        .as.s = {.p = PyBytes_AS_STRING(bytes), .n = (size_t)PyBytes_GET_SIZE(bytes)}};
    *c->keep = bytes;
    return 0;
}

/* ---- days and instants ---- */

static int
put_instant(const conversion *c, int64_t us)
{
    if (c->kind == SS_KIND_DATE) {
        *c->out = (ss_value){.tag = SS_VALUE_DATE, .as.i = ss_day_of_instant(us)};
    }
    else {
        *c->out = (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = us};
    }
    return 0;
}

static int
put_day(const conversion *c, int32_t day)
{
    if (c->kind == SS_KIND_TIMESTAMP) {
        return put_instant(c, day * SS_US_PER_DAY);
    }
    *c->out = (ss_value){.tag = SS_VALUE_DATE, .as.i = day};
    return 0;
}

int64_t
py_value_naive_instant(PyObject *moment)
{
    int32_t day =
        ss_day_from_civil(PyDateTime_GET_YEAR(moment), PyDateTime_GET_MONTH(moment),
                          PyDateTime_GET_DAY(moment));
    int64_t seconds = PyDateTime_DATE_GET_HOUR(moment) * 3600 +
                      PyDateTime_DATE_GET_MINUTE(moment) * 60 +
                      PyDateTime_DATE_GET_SECOND(moment);

    return day * SS_US_PER_DAY + seconds * 1000000 +
           PyDateTime_DATE_GET_MICROSECOND(moment);
}

/* How far the moment's clock is ahead of UTC; 0 when it says nothing. */
static int
utc_offset(const conversion *c, int64_t *us)
{
    PyDateTime_CAPI *api = c->state->datetime;
    PyObject *zone = PyDateTime_DATE_GET_TZINFO(c->obj);

    *us = 0;
    if (zone == Py_None || zone == api->TimeZone_UTC) {
        return 0;
    }
    PyObject *offset = PyObject_CallMethodNoArgs(c->obj, c->state->str_utcoffset);
    if (offset == NULL) {
        return -1;
    }
    int rc = 0;
    if (PyObject_TypeCheck(offset, api->DeltaType)) {
        *us = PyDateTime_DELTA_GET_DAYS(offset) * SS_US_PER_DAY +
              PyDateTime_DELTA_GET_SECONDS(offset) * INT64_C(1000000) +
              PyDateTime_DELTA_GET_MICROSECONDS(offset);
    }
    else if (offset != Py_None) {
        rc = refuse_type(c);
    }
    Py_DECREF(offset);
    return rc;
}

/* pandas' NaT is a datetime by type and a missing value by meaning; like NaN it is
 * known by not being equal to itself.  1, 0 or -1. */
static int
is_not_a_time(const conversion *c)
{
    if (Py_IS_TYPE(c->obj, c->state->datetime->DateTimeType)) {
        return 0;
    }
    PyObject *differs = PyObject_RichCompare(c->obj, c->obj, Py_NE);
    if (differs == NULL) {
        return -1;
    }
    int truth = PyObject_IsTrue(differs);
    Py_DECREF(differs);
    return truth;
}

static int
refuse_not_a_time(const conversion *c)
{
    PyErr_Format(PyExc_ValueError,
                 "%s: NaT is not a time; give None where one is missing", c->what);
    return -1;
}

static int
put_datetime(const conversion *c)
{
    int64_t offset;
    int missing = is_not_a_time(c);

    if (missing != 0) {
        return missing < 0 ? -1 : refuse_not_a_time(c);
    }
    if (utc_offset(c, &offset) < 0) {
        return -1;
    }
    int64_t us = py_value_naive_instant(c->obj) - offset;
    if (us < SS_DAY_MIN * SS_US_PER_DAY || us >= (SS_DAY_MAX + 1) * SS_US_PER_DAY) {
        return refuse_value(c, PyExc_ValueError,
                            "is outside of the years 1 to 9999 UTC");
    }
    return put_instant(c, us);
}

static int
put_date(const conversion *c)
{
    return put_day(c, ss_day_from_civil(PyDateTime_GET_YEAR(c->obj),
                                        PyDateTime_GET_MONTH(c->obj),
                                        PyDateTime_GET_DAY(c->obj)));
}

static int
put_moment_text(const conversion *c)
{
    Py_ssize_t n;
    int32_t day;
    int64_t us;
    const char *text = borrow_text(c, &n);

    if (text == NULL) {
        return -1;
    }
    if (c->kind == SS_KIND_DATE && ss_day_parse(text, (size_t)n, &day)) {
        return put_day(c, day);
    }
    if (c->kind == SS_KIND_TIMESTAMP && ss_instant_parse(text, (size_t)n, &us)) {
        return put_instant(c, us);
    }
    return refuse(c, PyExc_ValueError,
                  c->kind == SS_KIND_DATE ? "a day as 'YYYY-MM-DD'"
                                          : "an instant as 'YYYY-MM-DD HH:MM:SS'");
}

/* A date, a datetime, or 1 for neither. */
static int
put_moment(const conversion *c)
{
    PyDateTime_CAPI *api = c->state->datetime;

    if (PyObject_TypeCheck(c->obj, api->DateTimeType)) {
        return put_datetime(c);
    }
    if (PyObject_TypeCheck(c->obj, api->DateType)) {
        return put_date(c);
    }
    return 1;
}

/* What numpy.datetime64 holds as a date or datetime: item() gives it, except for a
 * unit finer than datetime's, where it gives a bare int. New reference. */
static PyObject *
unwrap_datetime64(const conversion *c)
{
    py_state *state = c->state;
    PyObject *item = PyObject_CallMethodNoArgs(c->obj, state->str_item);

    if (item == NULL || !PyLong_Check(item)) {
        return item;
    }
    Py_DECREF(item);
    PyObject *unit = PyUnicode_FromString("datetime64[us]");
    PyObject *coarse = unit == NULL
                           ? NULL
                           : PyObject_CallMethodOneArg(c->obj, state->str_astype, unit);
    Py_XDECREF(unit);
    if (coarse == NULL) {
        return NULL;
    }
    item = PyObject_CallMethodNoArgs(coarse, state->str_item);
    Py_DECREF(coarse);
    return item;
}

/* numpy.datetime64, or 1 when it is none. */
static int
put_datetime64(const conversion *c)
{
    if (strcmp(Py_TYPE(c->obj)->tp_name, "numpy.datetime64") != 0) {
        return 1;
    }
    PyObject *item = unwrap_datetime64(c);
    if (item == NULL) {
        return -1;
    }
    conversion inner = *c;
    inner.obj = item;
    int rc = item == Py_None ? refuse_not_a_time(c) : put_moment(&inner);
    if (rc == 1) {
        rc = refuse_value(c, PyExc_ValueError, "is outside of the years 1 to 9999 UTC");
    }
    Py_DECREF(item);
    return rc;
}

/* DATE and TIMESTAMP. */
static int
convert_moment(const conversion *c)
{
    int rc = put_moment(c);

    if (rc == 1 && PyUnicode_Check(c->obj)) {
        return put_moment_text(c);
    }
    if (rc == 1) {
        rc = put_datetime64(c);
    }
    return rc == 1 ? refuse_type(c) : rc;
}

/* A parameter of free SQL: by its own type. */
static int
convert_any(const conversion *c)
{
    PyObject *obj = c->obj;

    if (PyLong_Check(obj)) {
        return put_long(c, obj);
    }
    if (PyFloat_Check(obj)) {
        return put_real(c, PyFloat_AS_DOUBLE(obj));
    }
    if (PyUnicode_Check(obj)) {
        return put_text(c);
    }
    if (PyBytes_Check(obj) || PyByteArray_Check(obj) || PyMemoryView_Check(obj)) {
        return put_blob(c);
    }
    int rc = put_moment(c);
    if (rc == 1) {
        rc = put_datetime64(c);
    }
    if (rc == 1) {
        rc = put_number(c);
    }
    return rc == 1 ? refuse_type(c) : rc;
}

int
py_value_from_object(py_state *state, PyObject *obj, ss_kind kind, const char *what,
                     ss_value *out, PyObject **keep)
{
    PyObject *held = NULL;
    ss_value value = {.tag = SS_VALUE_NULL};
    conversion c = {state, obj, kind, what, &value, &held};
    int rc = 0;

    if (obj != Py_None) {
        switch (kind) {
        case SS_KIND_INT:
        case SS_KIND_REAL:
            rc = convert_number(&c);
            break;
        case SS_KIND_TEXT:
            rc = PyUnicode_Check(obj) ? put_text(&c) : refuse_type(&c);
            break;
        case SS_KIND_DATE:
        case SS_KIND_TIMESTAMP:
            rc = convert_moment(&c);
            break;
        case SS_KIND_ANY:
            rc = convert_any(&c);
            break;
        }
    }
    if (rc == 0) {
        *out = value;
        *keep = held;
    }
    return rc;
}

/* ---- the way out ---- */

PyObject *
py_value_date(py_state *state, int32_t day)
{
    ss_civil civil = ss_civil_from_day(day);
    PyDateTime_CAPI *api = state->datetime;

    return api->Date_FromDate(civil.year, civil.month, civil.day, api->DateType);
}

PyObject *
py_value_instant(py_state *state, int64_t us)
{
    PyDateTime_CAPI *api = state->datetime;
    int32_t day = ss_day_of_instant(us);
    ss_civil civil = ss_civil_from_day(day);
    int64_t rest = us - day * SS_US_PER_DAY;
    int seconds = (int)(rest / 1000000);

    return api->DateTime_FromDateAndTime(
        civil.year, civil.month, civil.day, seconds / 3600, seconds / 60 % 60,
        seconds % 60, (int)(rest % 1000000), Py_None, api->DateTimeType);
}

static PyObject *
text_object(py_state *state, const char *text, size_t n)
{
    PyObject *str = PyUnicode_DecodeUTF8(text, (Py_ssize_t)n, NULL);

    if (str == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        ss_value cell = {.tag = SS_VALUE_TEXT, .as.s = {.p = text, .n = n}};
        char shown[128];
        PyErr_Clear();
        ss_value_show(&cell, shown, sizeof(shown));
        py_raise_format(state, SS_DATA,
                        "a stored text is not UTF-8: %s; CAST(... AS BLOB) reads its "
                        "bytes",
                        shown);
    }
    return str;
}

PyObject *
py_value_to_object(py_state *state, const ss_value *value)
{
    switch (value->tag) {
    case SS_VALUE_NULL:
        break;
    case SS_VALUE_INT:
        return PyLong_FromLongLong(value->as.i);
    case SS_VALUE_REAL:
        return PyFloat_FromDouble(value->as.r);
    case SS_VALUE_TEXT:
        return text_object(state, value->as.s.p, value->as.s.n);
    case SS_VALUE_BLOB:
        return PyBytes_FromStringAndSize(value->as.s.p, (Py_ssize_t)value->as.s.n);
    case SS_VALUE_DATE:
        return py_value_date(state, (int32_t)value->as.i);
    case SS_VALUE_TIMESTAMP:
        return py_value_instant(state, value->as.i);
    }
    Py_RETURN_NONE;
}

PyObject *
py_column_cell(py_state *state, const ss_column *column, int64_t row)
{
    if (ss_column_is_null(column, row)) {
        Py_RETURN_NONE;
    }
    switch ((ss_kind)column->kind) {
    case SS_KIND_INT:
        return PyLong_FromLongLong(column->data.i64[row]);
    case SS_KIND_REAL:
        return PyFloat_FromDouble(column->data.f64[row]);
    case SS_KIND_TEXT: {
        int64_t at = column->data.offsets[row], end = column->data.offsets[row + 1];
        return text_object(state, column->bytes + at, (size_t)(end - at));
    }
    case SS_KIND_DATE:
        return py_value_date(state, column->data.i32[row]);
    case SS_KIND_TIMESTAMP:
        return py_value_instant(state, column->data.i64[row]);
    case SS_KIND_ANY:
        break;
    }
    ss_value value;
    ss_column_get(column, row, &value);
    return py_value_to_object(state, &value);
}
