/* py/show: rows as text a person reads.
 *
 * Called by repr() alone, with the GIL.  Two rules hold for every piece of stored text:
 * it is cut before it becomes a Python object, so that a huge cell costs nothing, and
 * it passes through repr(), which escapes what a terminal would obey.  A secret shows
 * as dots and its last four characters.
 */
#include "py/show.h"

#include "base/utf8.h"
#include "py/shape.h"
#include "py/value.h"

#include <string.h> // strlen()

/* Most bytes of one text; most rows, characters of a line and of a name in a grid; most
 * values of a column. */
enum { RECORD_TEXT = 500, GRID_TEXT = 24, GRID_ROWS = 10, GRID_WIDTH = 96 };
enum { GRID_NAME = 40, COLUMN_VALUES = 10 };

static PyObject *
repr_of_secret(PyObject *value)
{
    PyObject *tail = NULL, *shown = NULL, *repr = NULL;
    Py_ssize_t n = PyUnicode_Check(value) ? PyUnicode_GET_LENGTH(value) : 0;

    tail = n > 4 ? PyUnicode_Substring(value, n - 4, n) : PyUnicode_FromString("");
    if (tail != NULL) {
        shown = PyUnicode_FromFormat("...%U", tail);
    }
    if (shown != NULL) {
        repr = PyObject_Repr(shown);
    }
    Py_XDECREF(tail);
    Py_XDECREF(shown);
    return repr;
}

/* Cut text or blob to about `limit` bytes; was there more? */
static bool
cut(ss_value *value, size_t limit)
{
    if ((value->tag != SS_VALUE_TEXT && value->tag != SS_VALUE_BLOB) ||
        value->as.s.n <= limit) {
        return false;
    }
    value->as.s.n =
        value->tag == SS_VALUE_TEXT ? ss_utf8_floor(value->as.s.p, limit) : limit;
    return true;
}

/* A cell of which one only looks: what is not UTF-8 is shown as such, and no error, so
 * that no log line, debugger or notebook fails over it. New reference. */
static PyObject *
object_to_show(py_state *state, const ss_value *value)
{
    return value->tag == SS_VALUE_TEXT
               ? PyUnicode_DecodeUTF8(value->as.s.p, (Py_ssize_t)value->as.s.n,
                                      "replace")
               : py_value_to_object(state, value);
}

/* repr() of a cell. New reference. */
static PyObject *
repr_of_cell(py_state *state, const ss_batch *batch, int column, int64_t row,
             size_t limit)
{
    ss_value value;

    ss_column_get(&batch->columns[column], row, &value);
    bool secret = value.tag != SS_VALUE_NULL &&
                  ss_catalog_is_secret(batch->table, batch->names[column]);
    bool more = !secret && cut(&value, limit);
    PyObject *object = object_to_show(state, &value);
    if (object == NULL) {
        return NULL;
    }
    PyObject *repr = secret ? repr_of_secret(object) : PyObject_Repr(object);
    Py_DECREF(object);
    if (repr != NULL && more) {
        Py_SETREF(repr, PyUnicode_FromFormat("%U...", repr));
    }
    return repr;
}

/* Append a new reference; takes it, NULL meaning that making it failed. */
static int
append(PyObject *list, PyObject *item)
{
    if (item == NULL) {
        return -1;
    }
    int rc = PyList_Append(list, item);
    Py_DECREF(item);
    return rc;
}

static PyObject *
join(const char *separator, PyObject *list)
{
    PyObject *text = PyUnicode_FromString(separator);

    if (text == NULL) {
        return NULL;
    }
    Py_SETREF(text, PyUnicode_Join(text, list));
    return text;
}

/* ---- a record ---- */

/* `name=value`; a name that is no identifier as repr() shows it. */
static PyObject *
show_field(const py_record *self, PyObject *name, int column)
{
    PyObject *value =
        repr_of_cell(self->state, self->batch, column, self->row, RECORD_TEXT);

    if (value == NULL) {
        return NULL;
    }
    PyObject *field = PyUnicode_IsIdentifier(name) == 1
                          ? PyUnicode_FromFormat("%U=%U", name, value)
                          : PyUnicode_FromFormat("%R=%U", name, value);
    Py_DECREF(value);
    return field;
}

PyObject *
py_show_record(const py_record *self)
{
    const ss_batch *batch = self->batch;
    PyObject *index = py_shape_index(py_record_shape(self));
    PyObject *name, *number, *joined = NULL, *repr = NULL, *fields = PyList_New(0);
    Py_ssize_t at = 0;

    if (fields == NULL) {
        return NULL;
    }
    while (PyDict_Next(index, &at, &name, &number)) {
        if (append(fields, show_field(self, name, py_shape_number(number))) < 0) {
            goto done;
        }
    }
    joined = join(", ", fields);
    if (joined != NULL) {
        repr = PyUnicode_FromFormat(
            "%s(%U)", batch->whole ? batch->table->record : "Row", joined);
    }
done:
    Py_DECREF(fields);
    Py_XDECREF(joined);
    return repr;
}

/* ---- rows ---- */

/* Text without the quotes that repr() put around it. */
static PyObject *
unquoted(PyObject *repr)
{
    Py_ssize_t n = repr == NULL ? 0 : PyUnicode_GET_LENGTH(repr);
    Py_UCS4 quote = n < 2 ? 0 : PyUnicode_READ_CHAR(repr, 0);

    if ((quote == '\'' || quote == '"') && PyUnicode_READ_CHAR(repr, n - 1) == quote) {
        Py_SETREF(repr, PyUnicode_Substring(repr, 1, n - 1));
    }
    return repr;
}

static PyObject *
grid_name(const char *name)
{
    size_t n = strlen(name);
    PyObject *text = PyUnicode_DecodeUTF8(
        name, (Py_ssize_t)(n > GRID_NAME ? ss_utf8_floor(name, GRID_NAME) : n),
        "replace");

    if (text != NULL) {
        Py_SETREF(text, unquoted(PyObject_Repr(text)));
    }
    return text;
}

/* A cell of the grid: dates as ISO, text bare. */
static PyObject *
grid_cell(const py_rows *self, int column, int64_t i)
{
    int64_t row = self->start + i * self->step;
    ss_value value;

    ss_column_get(&self->batch->columns[column], row, &value);
    if (value.tag == SS_VALUE_DATE || value.tag == SS_VALUE_TIMESTAMP) {
        PyObject *moment = py_value_to_object(self->state, &value);
        PyObject *text = moment == NULL ? NULL : PyObject_Str(moment);
        Py_XDECREF(moment);
        return text;
    }
    return unquoted(repr_of_cell(self->state, self->batch, column, row, GRID_TEXT));
}

/* Pad every text of a grid's column to the same width: numbers to the right. */
static int
pad(PyObject *texts, Py_ssize_t width, bool right)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(texts); i++) {
        PyObject *text = PyList_GET_ITEM(texts, i);
        PyObject *padded =
            PyObject_CallMethod(text, right ? "rjust" : "ljust", "n", width);
        if (padded == NULL || PyList_SetItem(texts, i, padded) < 0) {
            return -1;
        }
    }
    return 0;
}

/* One column of the grid: its name and first cells, padded. New list; *width. */
static PyObject *
grid_column(const py_rows *self, int column, Py_ssize_t *width)
{
    uint8_t kind = self->batch->columns[column].kind;
    PyObject *texts = PyList_New(0);

    if (texts == NULL || append(texts, grid_name(self->batch->names[column])) < 0) {
        goto failed;
    }
    for (int64_t i = 0; i < self->length && i < GRID_ROWS; i++) {
        if (append(texts, grid_cell(self, column, i)) < 0) {
            goto failed;
        }
    }
    *width = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(texts); i++) {
        Py_ssize_t n = PyUnicode_GET_LENGTH(PyList_GET_ITEM(texts, i));
        *width = n > *width ? n : *width;
    }
    if (pad(texts, *width, kind == SS_KIND_INT || kind == SS_KIND_REAL) < 0) {
        goto failed;
    }
    return texts;
failed:
    Py_XDECREF(texts);
    return NULL;
}

/* The columns that fit into a line, at least one. New list of lists. */
static PyObject *
grid_columns(const py_rows *self)
{
    PyObject *columns = PyList_New(0);
    Py_ssize_t used = 0;

    for (int c = 0; columns != NULL && c < self->batch->n_columns; c++) {
        Py_ssize_t width;
        PyObject *texts = grid_column(self, c, &width);
        if (texts == NULL) {
            Py_CLEAR(columns);
            break;
        }
        used += width + 2;
        if (c > 0 && used > GRID_WIDTH) {
            Py_DECREF(texts);
            break;
        }
        if (append(columns, texts) < 0) {
            Py_CLEAR(columns);
        }
    }
    return columns;
}

/* Line i of the grid. New reference. */
static PyObject *
grid_line(PyObject *columns, Py_ssize_t i, bool more_columns)
{
    PyObject *line = NULL, *stripped = NULL, *texts = PyList_New(0);

    if (texts == NULL) {
        return NULL;
    }
    for (Py_ssize_t c = 0; c < PyList_GET_SIZE(columns); c++) {
        PyObject *column = PyList_GET_ITEM(columns, c);
        if (PyList_Append(texts, PyList_GET_ITEM(column, i)) < 0) {
            goto done;
        }
    }
    if (more_columns && append(texts, PyUnicode_FromString("...")) < 0) {
        goto done;
    }
    line = join("  ", texts);
    if (line != NULL) {
        stripped = PyObject_CallMethod(line, "rstrip", NULL);
    }
done:
    Py_DECREF(texts);
    Py_XDECREF(line);
    return stripped;
}

/* `<Rows table: 366 rows x 12 columns>` */
static PyObject *
show_size(const py_rows *self)
{
    const ss_batch *batch = self->batch;

    return PyUnicode_FromFormat("<Rows%s%s: %lld row%s x %d column%s>",
                                batch->table != NULL ? " " : "",
                                batch->table != NULL ? batch->table->name : "",
                                (long long)self->length, self->length == 1 ? "" : "s",
                                batch->n_columns, batch->n_columns == 1 ? "" : "s");
}

PyObject *
py_show_rows(const py_rows *self)
{
    PyObject *columns = NULL, *repr = NULL, *lines = PyList_New(0);
    Py_ssize_t shown = self->length < GRID_ROWS ? (Py_ssize_t)self->length : GRID_ROWS;

    if (lines == NULL || append(lines, show_size(self)) < 0) {
        goto done;
    }
    if (shown > 0 && self->batch->n_columns > 0) {
        columns = grid_columns(self);
        if (columns == NULL) {
            goto done;
        }
        bool more_columns = PyList_GET_SIZE(columns) < self->batch->n_columns;
        for (Py_ssize_t i = 0; i <= shown; i++) {
            if (append(lines, grid_line(columns, i, more_columns)) < 0) {
                goto done;
            }
        }
    }
    if (self->length > shown && append(lines, PyUnicode_FromString("...")) < 0) {
        goto done;
    }
    repr = join("\n", lines);
done:
    Py_XDECREF(lines);
    Py_XDECREF(columns);
    return repr;
}

/* ---- a column ---- */

static PyObject *
show_values(const py_column *self)
{
    PyObject *joined = NULL, *values = PyList_New(0);

    for (int64_t i = 0; values != NULL && i < self->length && i < COLUMN_VALUES; i++) {
        int64_t row = self->start + i * self->step;
        if (append(values, repr_of_cell(self->state, self->batch, self->index, row,
                                        GRID_TEXT)) < 0) {
            Py_CLEAR(values);
        }
    }
    if (values != NULL && self->length > COLUMN_VALUES &&
        append(values, PyUnicode_FromString("...")) < 0) {
        Py_CLEAR(values);
    }
    if (values != NULL) {
        joined = join(", ", values);
        Py_DECREF(values);
    }
    return joined;
}

PyObject *
py_show_column(const py_column *self)
{
    const ss_batch *batch = self->batch;
    const char *kind = ss_kind_name((ss_kind)batch->columns[self->index].kind);
    PyObject *repr = NULL, *name = grid_name(batch->names[self->index]);
    PyObject *values = name == NULL ? NULL : show_values(self);

    if (values != NULL) {
        repr = PyUnicode_FromFormat("<Column %s%s%U %s: %lld value%s [%U]>",
                                    batch->table != NULL ? batch->table->name : "",
                                    batch->table != NULL ? "." : "", name, kind,
                                    (long long)self->length,
                                    self->length == 1 ? "" : "s", values);
    }
    Py_XDECREF(name);
    Py_XDECREF(values);
    return repr;
}
