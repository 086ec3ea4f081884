#include "py/buffer.h"

#include "py/args.h"
#include "py/column.h"

#include <math.h> // NAN

/* numpy's NaT. */
#define NOT_A_TIME INT64_MIN

static const ss_column *
column_of(const py_column *self)
{
    return &self->batch->columns[self->index];
}

static int64_t
nulls_of(const py_column *self)
{
    ss_view view = py_column_view(self);

    return ss_view_nulls(&view, column_of(self));
}

/* ---- the buffer protocol ---- */

/* What one value is in memory, in the words of the struct module; NULL when it is
 * not of one size. */
static const char *
format_of(ss_kind kind)
{
    switch (kind) {
    case SS_KIND_INT:
    case SS_KIND_TIMESTAMP:
        return "q";
    case SS_KIND_REAL:
        return "d";
    case SS_KIND_DATE:
        return "i";
    case SS_KIND_TEXT:
    case SS_KIND_ANY:
        break;
    }
    return NULL;
}

static int
check_buffer(const py_column *self, int flags)
{
    const ss_column *column = column_of(self);
    ss_kind kind = (ss_kind)column->kind;
    bool in_order = self->step == 1 || self->length <= 1;
    int64_t nulls = nulls_of(self);

    if (format_of(kind) == NULL) {
        PyErr_Format(PyExc_BufferError,
                     "column %R is %s, whose values are not of one size; to_list(), "
                     "to_numpy() and __arrow_c_array__() give them",
                     self->name, ss_kind_name(kind));
    }
    else if (nulls > 0) {
        PyErr_Format(PyExc_BufferError,
                     "column %R has %lld NULL of %lld, and a buffer has nothing to "
                     "stand for them; to_numpy() and __arrow_c_array__() have",
                     self->name, (long long)nulls, (long long)self->length);
    }
    else if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "a column cannot be written to");
    }
    else if (!in_order && ((flags & PyBUF_STRIDES) != PyBUF_STRIDES ||
                           (flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS ||
                           (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS ||
                           (flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS)) {
        PyErr_Format(PyExc_BufferError,
                     "column %R is a view with a step, which is not contiguous",
                     self->name);
    }
    else {
        return 0;
    }
    return -1;
}

int
py_buffer_get(PyObject *op, Py_buffer *out, int flags)
{
    py_column *self = (py_column *)op;
    const ss_column *column = column_of(self);
    ss_kind kind = (ss_kind)column->kind;
    Py_ssize_t width = (Py_ssize_t)ss_kind_width(kind);

    out->obj = NULL;
    if (check_buffer(self, flags) < 0) {
        return -1;
    }
    /* shape and strides, which must live as long as the buffer */
    Py_ssize_t *dimensions = PyMem_Malloc(2 * sizeof(*dimensions));
    if (dimensions == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    dimensions[0] = (Py_ssize_t)self->length;
    dimensions[1] = (Py_ssize_t)(self->length <= 1 ? 1 : self->step) * width;
    *out = (Py_buffer){
        .buf = (char *)column->data.p + self->start * width,
        .obj = Py_NewRef(op),
        .len = dimensions[0] * width,
        .itemsize = width,
        .readonly = 1,
        .ndim = 1,
        .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)format_of(kind) : NULL,
        .shape = flags & PyBUF_ND ? &dimensions[0] : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &dimensions[1] : NULL,
        .internal = dimensions,
    };
    return 0;
}

void
py_buffer_release(PyObject *Py_UNUSED(op), Py_buffer *buffer)
{
    PyMem_Free(buffer->internal);
}

/* ---- numpy ---- */

/* What numpy calls the type of to_numpy(). */
static const char *
dtype_of(ss_kind kind)
{
    switch (kind) {
    case SS_KIND_INT:
        return "int64";
    case SS_KIND_REAL:
        return "float64";
    case SS_KIND_DATE:
        return "datetime64[D]";
    case SS_KIND_TIMESTAMP:
        return "datetime64[us]";
    case SS_KIND_TEXT:
    case SS_KIND_ANY:
        break;
    }
    return "object";
}

/* What stands for NULL: `fill`, or what the type has for it. */
static int
parse_fill(const py_column *self, PyObject *fill, ss_value *out)
{
    ss_kind kind = (ss_kind)column_of(self)->kind;

    if (kind == SS_KIND_REAL) {
        if (fill != NULL && !PyFloat_Check(fill) && !PyIndex_Check(fill)) {
            PyErr_Format(PyExc_TypeError, "fill: expected float, got %.100s",
                         Py_TYPE(fill)->tp_name);
            return -1;
        }
        out->as.r = fill == NULL ? (double)NAN : PyFloat_AsDouble(fill);
        return out->as.r == -1 && PyErr_Occurred() ? -1 : 0;
    }
    if (kind == SS_KIND_INT && fill != NULL) {
        return py_args_int(fill, "fill", INT64_MIN, INT64_MAX, 0, &out->as.i);
    }
    if (fill != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "fill is for INTEGER and REAL columns; in column %R, which is %s, "
                     "NULL is %s",
                     self->name, ss_kind_name(kind),
                     format_of(kind) != NULL ? "NaT" : "None");
        return -1;
    }
    out->as.i = NOT_A_TIME;
    if (kind == SS_KIND_INT && nulls_of(self) > 0) {
        PyErr_Format(PyExc_ValueError,
                     "column %R has %lld NULL of %lld, and int64 has nothing to stand "
                     "for them; to_numpy(fill=0) takes a number for that",
                     self->name, (long long)nulls_of(self), (long long)self->length);
        return -1;
    }
    return 0;
}

/* The values in order as a bytearray of 8 bytes each. */
static PyObject *
filled_copy(const py_column *self, const ss_value *fill)
{
    const ss_column *column = column_of(self);
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)self->length * 8);

    if (bytes == NULL) {
        return NULL;
    }
    char *to = PyByteArray_AS_STRING(bytes);
    for (int64_t i = 0; i < self->length; i++, to += 8) {
        ss_value value;
        ss_column_get(column, self->start + i * self->step, &value);
        if (value.tag == SS_VALUE_NULL) {
            value.as = fill->as;
        }
        memcpy(to, &value.as.i, 8); /* the union's bits: an int64 or a double */
    }
    return bytes;
}

static PyObject *
import_numpy(void)
{
    PyObject *numpy = PyImport_ImportModule("numpy");

    if (numpy == NULL && PyErr_ExceptionMatches(PyExc_ModuleNotFoundError)) {
        PyErr_SetString(PyExc_ModuleNotFoundError,
                        "to_numpy() needs numpy: pip install numpy");
    }
    return numpy;
}

static PyObject *
objects(PyObject *numpy, PyObject *op)
{
    PyObject *list = PySequence_List(op);

    if (list == NULL) {
        return NULL;
    }
    PyObject *array = PyObject_CallMethod(numpy, "array", "Os", list, "object");
    Py_DECREF(list);
    return array;
}

/* The column's own memory; timestamps under the name of their type. */
static PyObject *
shared(PyObject *numpy, PyObject *op, const char *dtype)
{
    PyObject *array = PyObject_CallMethod(numpy, "asarray", "O", op);

    if (array == NULL) {
        return NULL;
    }
    Py_SETREF(array, PyObject_CallMethod(array, "view", "s", dtype));
    return array;
}

const char py_buffer_to_numpy_doc[] =
    "to_numpy($self, /, *, fill=None)\n--\n\n"
    "The values as a numpy array of int64, float64, datetime64[D] or datetime64[us];\n"
    "TEXT and expressions as Python objects.\n\n"
    "NULL is NaN in a REAL column, NaT in a DATE or TIMESTAMP, None among objects. "
    "int64\nhas nothing like it, so an INTEGER column with NULLs needs fill, the "
    "number to stand\nfor them. Without NULLs nothing is copied (but for DATE, which "
    "numpy keeps in 64\nbits), and the array is read-only.";

PyObject *
py_buffer_to_numpy(PyObject *op, PyObject *const *args, Py_ssize_t n_args,
                   PyObject *kwnames)
{
    static const char *const names[] = {"fill", NULL};
    static const py_signature signature = {"to_numpy", names, 0, 0};
    py_column *self = (py_column *)op;
    ss_kind kind = (ss_kind)column_of(self)->kind;
    PyObject *fill = NULL, *bytes = NULL, *array = NULL;
    ss_value null = {.tag = SS_VALUE_NULL};

    if (py_args_parse(&signature, args, n_args, kwnames, &fill, NULL, NULL) < 0 ||
        parse_fill(self, fill == Py_None ? NULL : fill, &null) < 0) {
        return NULL;
    }
    PyObject *numpy = import_numpy();
    if (numpy == NULL) {
        return NULL;
    }
    if (format_of(kind) == NULL) {
        array = objects(numpy, op);
    }
    else if (nulls_of(self) == 0 && kind != SS_KIND_DATE) {
        array = shared(numpy, op, dtype_of(kind));
    }
    else {
        bytes = filled_copy(self, &null);
        array = bytes == NULL ? NULL
                              : PyObject_CallMethod(numpy, "frombuffer", "Os", bytes,
                                                    dtype_of(kind));
    }
    Py_XDECREF(bytes);
    Py_DECREF(numpy);
    return array;
}
