/* Most loads have rows of one form, with values of the plain types.  So the keys of a
 * dict are compared, as pointers, with those of the dict before, which says which
 * column each is; and a cell of a plain type is written straight into its column.
 * Whatever is unusual goes the way of a single add (py/value), which also words the
 * errors.
 */
#include "py/gather.h"

#include "py/cells.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/shape.h"
#include "py/value.h"

#include "base/buf.h"

#include <math.h> // isfinite()

/* A chunk is full with so many rows or bytes of text. */
enum { CHUNK_ROWS = 65536, CHUNK_BYTES = 8 << 20 };

/* --- life ----------------------------------------------------------------------------- */

void
py_gather_init(py_gather *g, py_state *state, int table, const ss_call *call,
               ss_spool *spool)
{
    *g = (py_gather){.state = state, .table = &ss_tables[table], .call = call};
    g->spool = spool;
    for (int16_t c = 0; c < g->table->n_columns; c++) {
        uint8_t flags = g->table->columns[c].flags;
        g->required |= (uint64_t)((flags & SS_COL_REQUIRED) != 0) << c;
        g->needed |= (uint64_t)((flags & (SS_COL_REQUIRED | SS_COL_KEY)) != 0) << c;
    }
    for (int i = 0; i < g->table->n_positional; i++) {
        g->positions[i] = g->table->positional[i];
    }
    g->n_positions = g->table->n_positional;
}

static void
forget_keys(py_gather *g)
{
    for (int i = 0; i < g->n_keys; i++) {
        Py_CLEAR(g->keys[i]);
    }
    g->n_keys = 0;
}

void
py_gather_clear(py_gather *g)
{
    forget_keys(g);
    ss_chunk_free(g->chunk);
    g->chunk = NULL;
}

/* --- errors --------------------------------------------------------------------------- */

/* What py_value_from_object calls a cell in its messages; after the last dot it looks
 * for the name of a secret. */
static const char *
cell_name(const py_gather *g, int column, char *out, size_t size)
{
    PyOS_snprintf(out, size, "row %lld: %s.%s", (long long)g->n_rows, g->table->name,
                  g->table->columns[column].name);
    return out;
}

static int
refuse_none(const py_gather *g, int column)
{
    PyErr_Format(PyExc_TypeError, "row %lld: %s.%s cannot be None",
                 (long long)g->n_rows, g->table->name, g->table->columns[column].name);
    return -1;
}

static int
refuse_missing(const py_gather *g, uint64_t missing)
{
    ss_buf names;
    int n = 0;
    ss_buf_init(&names);
    for (int c = 0; c < g->table->n_columns; c++) {
        if ((missing >> c) & 1) {
            ss_buf_printf(&names, "%s%s", n++ > 0 ? ", " : "",
                          g->table->columns[c].name);
        }
    }
    if (ss_buf_ok(&names)) {
        PyErr_Format(PyExc_TypeError, "row %lld: %s needs %s: %s", (long long)g->n_rows,
                     g->table->name, n == 1 ? "one more column" : "more columns",
                     names.data);
    }
    else {
        PyErr_NoMemory();
    }
    ss_buf_free(&names);
    return -1;
}

static int
refuse_row(const py_gather *g, PyObject *row)
{
    PyErr_Format(PyExc_TypeError, "row %lld: expected a %s, got %.200s",
                 (long long)g->n_rows,
                 g->by_position ? "tuple, as columns= says" : "dict, tuple or record",
                 Py_TYPE(row)->tp_name);
    return -1;
}

/* --- chunks ---------------------------------------------------------------------------- */

static int
raise_nomem(void)
{
    PyErr_NoMemory();
    return -1;
}

int
py_gather_pause(py_gather *g)
{
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_call_poll(g->call, &g->last_poll_ms, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(g->state, &err);
    }
    return status == SS_OK ? 0 : -1;
}

int
py_gather_flush(py_gather *g)
{
    ss_chunk *chunk = g->chunk;
    g->chunk = NULL;
    g->bytes = 0;
    if (chunk != NULL) {
        ss_error err;
        ss_status status;
        ss_error_init(&err);
        Py_BEGIN_ALLOW_THREADS
        status = ss_spool_push(g->spool, chunk, &err);
        Py_END_ALLOW_THREADS
        if (status != SS_OK) {
            py_raise(g->state, &err);
            return -1;
        }
    }
    return py_gather_pause(g);
}

/* A chunk with room for a row of these columns. */
static int
have_chunk(py_gather *g, uint64_t given)
{
    uint64_t columns = given;
    if (g->chunk != NULL) {
        uint64_t has = 0;
        for (int i = 0; i < g->chunk->batch->n_columns; i++) {
            has |= UINT64_C(1) << g->chunk->map[i];
        }
        bool full = g->chunk->batch->n_rows >= CHUNK_ROWS || g->bytes >= CHUNK_BYTES;
        if (!full && (given & ~has) == 0) {
            return 0;
        }
        columns |= has;
        if (py_gather_flush(g) < 0) {
            return -1;
        }
    }
    ss_error err;
    ss_error_init(&err);
    if (ss_chunk_new(g->table, columns, g->n_rows, &g->chunk, &err) != SS_OK) {
        py_raise(g->state, &err);
        return -1;
    }
    return 0;
}

/* Make ready for the cells of a row; those that it leaves out are null. */
static int
begin_row(py_gather *g, uint64_t given)
{
    static const ss_value null = {.tag = SS_VALUE_NULL};
    if ((g->required & ~given) != 0) {
        return refuse_missing(g, g->required & ~given);
    }
    bool same = g->chunk != NULL && given == g->given &&
                g->chunk->batch->n_rows < CHUNK_ROWS && g->bytes < CHUNK_BYTES;
    if (!same && have_chunk(g, given) < 0) {
        return -1;
    }
    g->given = given;
    ss_batch *batch = g->chunk->batch;
    if (ss_batch_row(batch) != SS_OK || ss_chunk_given(g->chunk, given) != SS_OK) {
        return raise_nomem();
    }
    for (int i = 0; i < batch->n_columns; i++) {
        if (!((given >> g->chunk->map[i]) & 1) &&
            ss_batch_put(batch, i, &null) != SS_OK) {
            return raise_nomem();
        }
    }
    return 0;
}

static void
end_row(py_gather *g)
{
    ss_batch_row_done(g->chunk->batch);
    g->n_rows++;
}

/* --- cells ------------------------------------------------------------------------------- */

static int
put(py_gather *g, int column, const ss_value *value)
{
    if (value->tag == SS_VALUE_NULL && ((g->needed >> column) & 1)) {
        return refuse_none(g, column);
    }
    if (value->tag == SS_VALUE_TEXT) {
        g->bytes += value->as.s.n;
    }
    return ss_batch_put(g->chunk->batch, g->chunk->slot[column], value) == SS_OK
               ? 0
               : raise_nomem();
}

static bool
plain_text(PyObject *obj, const char **text, size_t *n)
{
    if (PyUnicode_IS_COMPACT_ASCII(obj)) {
        *text = PyUnicode_DATA(obj);
        *n = (size_t)PyUnicode_GET_LENGTH(obj);
        return true;
    }
    Py_ssize_t length;
    *text = PyUnicode_AsUTF8AndSize(obj, &length);
    if (*text == NULL) {
        PyErr_Clear(); /* py/value says what is wrong with it */
        return false;
    }
    *n = (size_t)length;
    return true;
}

static bool
plain_moment(py_gather *g, int column, ss_kind kind, PyObject *obj, ss_value *out)
{
    PyDateTime_CAPI *api = g->state->datetime;
    const char *text;
    size_t n;
    int32_t day;
    if (PyUnicode_CheckExact(obj)) {
        if (!plain_text(obj, &text, &n)) {
            return false;
        }
        out->tag = kind == SS_KIND_DATE ? SS_VALUE_DATE : SS_VALUE_TIMESTAMP;
        if (kind == SS_KIND_DATE) {
            bool is_day = ss_day_parse(text, n, &day);
            out->as.i = is_day ? day : 0;
            return is_day;
        }
        return ss_instant_parse_next(text, n, &g->memo[column], &out->as.i);
    }
    if (kind == SS_KIND_DATE && Py_IS_TYPE(obj, api->DateType)) {
        out->tag = SS_VALUE_DATE;
        out->as.i =
            ss_day_from_civil(PyDateTime_GET_YEAR(obj), PyDateTime_GET_MONTH(obj),
                              PyDateTime_GET_DAY(obj));
        return true;
    }
    if (kind == SS_KIND_TIMESTAMP && Py_IS_TYPE(obj, api->DateTimeType) &&
        PyDateTime_DATE_GET_TZINFO(obj) == Py_None) {
        out->tag = SS_VALUE_TIMESTAMP;
        out->as.i = py_value_naive_instant(obj);
        return true;
    }
    return false;
}

/* A value of the type that the column is made for, without running Python code. */
static bool
plain_value(py_gather *g, int column, PyObject *obj, ss_value *out)
{
    ss_kind kind = (ss_kind)g->table->columns[column].kind;
    int overflow;
    switch (kind) {
    case SS_KIND_INT:
        out->tag = SS_VALUE_INT;
        if (!PyLong_CheckExact(obj)) {
            return false;
        }
        out->as.i = PyLong_AsLongLongAndOverflow(obj, &overflow);
        return overflow == 0;
    case SS_KIND_REAL:
        out->tag = SS_VALUE_REAL;
        if (!PyFloat_CheckExact(obj)) {
            return false;
        }
        out->as.r = PyFloat_AS_DOUBLE(obj);
        return isfinite(out->as.r);
    case SS_KIND_TEXT:
        out->tag = SS_VALUE_TEXT;
        return PyUnicode_CheckExact(obj) && plain_text(obj, &out->as.s.p, &out->as.s.n);
    case SS_KIND_DATE:
    case SS_KIND_TIMESTAMP:
        return plain_moment(g, column, kind, obj, out);
    case SS_KIND_ANY:
        break;
    }
    return false;
}

static int
put_unusual(py_gather *g, int column, PyObject *obj)
{
    char name[192];
    PyObject *keep = NULL;
    ss_value value;
    Py_INCREF(obj); /* borrowed from the row, which the conversion may change */
    int rc =
        py_value_from_object(g->state, obj, (ss_kind)g->table->columns[column].kind,
                             cell_name(g, column, name, sizeof(name)), &value, &keep);
    if (rc == 0) {
        rc = put(g, column, &value);
    }
    Py_XDECREF(keep);
    Py_DECREF(obj);
    return rc;
}

static int
put_object(py_gather *g, int column, PyObject *obj)
{
    ss_value value;
    if (obj == Py_None) {
        value.tag = SS_VALUE_NULL;
    }
    else if (!plain_value(g, column, obj, &value)) {
        return put_unusual(g, column, obj);
    }
    return put(g, column, &value);
}

/* --- dicts ------------------------------------------------------------------------------------ */

static bool
has_same_keys(const py_gather *g, PyObject *row)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    if (PyDict_GET_SIZE(row) != g->n_keys) {
        return false;
    }
    for (int i = 0; i < g->n_keys && PyDict_Next(row, &at, &key, &value); i++) {
        if (key != g->keys[i]) {
            return false;
        }
    }
    return true;
}

static int
no_such_column(const py_gather *g, PyObject *key)
{
    char where[64];
    Py_ssize_t n;
    PyOS_snprintf(where, sizeof(where), "row %lld: add_many", (long long)g->n_rows);
    if (!PyUnicode_Check(key)) {
        PyErr_Format(PyExc_TypeError, "row %lld: expected column names as str, got %s",
                     (long long)g->n_rows, Py_TYPE(key)->tp_name);
        return -1;
    }
    const char *name = PyUnicode_AsUTF8AndSize(key, &n);
    return name == NULL ? -1
                        : py_cells_no_column(g->table, name, (size_t)n, where, NULL);
}

/* Which columns the keys of a dict are. */
static int
learn_keys(py_gather *g, PyObject *row, uint64_t *given)
{
    PyObject *shape = g->state->shapes[g->table - ss_tables];
    PyObject *key, *value;
    Py_ssize_t at = 0;
    forget_keys(g);
    *given = 0;
    while (PyDict_Next(row, &at, &key, &value)) {
        int column = PyUnicode_CheckExact(key) ? py_shape_find(shape, key) : -1;
        if (column < 0) {
            return column < -1 ? -1 : no_such_column(g, key);
        }
        g->keys[g->n_keys] = Py_NewRef(key);
        g->key_columns[g->n_keys++] = (int16_t)column;
        *given |= UINT64_C(1) << column;
    }
    return 0;
}

static int
gather_dict(py_gather *g, PyObject *row)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    int i = 0;
    uint64_t given = 0;
    if (has_same_keys(g, row)) {
        for (int k = 0; k < g->n_keys; k++) {
            given |= UINT64_C(1) << g->key_columns[k];
        }
    }
    else if (learn_keys(g, row, &given) < 0) {
        return -1;
    }
    if (begin_row(g, given) < 0) {
        return -1;
    }
    for (; i < g->n_keys && PyDict_Next(row, &at, &key, &value); i++) {
        if (key != g->keys[i]) {
            break;
        }
        if (put_object(g, g->key_columns[i], value) < 0) {
            return -1;
        }
    }
    if (i != g->n_keys) { /* the conversion of a value ran Python code */
        PyErr_Format(PyExc_RuntimeError, "row %lld: the dict changed while it was read",
                     (long long)g->n_rows);
        return -1;
    }
    end_row(g);
    return 0;
}

/* Anything with keys(), or a named tuple: as the dict that it stands for. */
static int
gather_mapping(py_gather *g, PyObject *row, PyObject *dict)
{
    int rc = dict == NULL ? -1 : 0;
    if (rc == 0 && !PyDict_Check(dict)) {
        rc = refuse_row(g, row);
    }
    if (rc == 0) {
        rc = gather_dict(g, dict);
    }
    Py_XDECREF(dict);
    return rc;
}

static PyObject *
as_dict(PyObject *row)
{
    PyObject *dict = PyDict_New();
    if (dict != NULL && PyDict_Update(dict, row) < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

/* --- tuples ------------------------------------------------------------------------------------ */

int
py_gather_columns(py_gather *g, PyObject *columns)
{
    if (columns == NULL || columns == Py_None) {
        return 0;
    }
    if (PyUnicode_Check(columns)) {
        PyErr_SetString(PyExc_TypeError,
                        "columns: expected a sequence of column names, got str");
        return -1;
    }
    PyObject *names = PySequence_Tuple(columns);
    uint64_t given = 0;
    int rc = names == NULL ? -1 : 0;
    g->by_position = true;
    g->n_positions = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyTuple_GET_SIZE(names); i++) {
        int column =
            py_column_index(g->table, PyTuple_GET_ITEM(names, i), "add_many", NULL);
        if (column >= 0 && ((given >> column) & 1)) {
            PyErr_Format(PyExc_ValueError, "columns: %s was given twice",
                         g->table->columns[column].name);
            column = -1;
        }
        if (column < 0) {
            rc = -1;
            break;
        }
        given |= UINT64_C(1) << column;
        g->positions[g->n_positions++] = (int16_t)column;
    }
    Py_XDECREF(names);
    return rc;
}

/* Who did not say the order meant another one: the record's often ends with the day. */
static int
refuse_order(const py_gather *g, Py_ssize_t n)
{
    const ss_table_desc *table = g->table;
    PyErr_Format(
        PyExc_TypeError,
        "row %lld: without columns= a tuple of %s begins with %s and goes on as "
        "%s() does; so its %zd values leave out a column that a row needs; give "
        "columns=",
        (long long)g->n_rows, table->name, table->columns[g->positions[0]].name,
        table->record, n);
    return -1;
}

static int
gather_tuple(py_gather *g, PyObject *row)
{
    Py_ssize_t n = PyTuple_GET_SIZE(row);
    uint64_t given = 0;
    if (n > g->n_positions || (g->by_position && n != g->n_positions)) {
        PyErr_Format(PyExc_TypeError, "row %lld: %zd values for %d columns",
                     (long long)g->n_rows, n, g->n_positions);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        given |= UINT64_C(1) << g->positions[i];
    }
    if (!g->by_position && (g->required & ~given) != 0) {
        return refuse_order(g, n);
    }
    if (begin_row(g, given) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (put_object(g, g->positions[i], PyTuple_GET_ITEM(row, i)) < 0) {
            return -1;
        }
    }
    end_row(g);
    return 0;
}

/* As a tuple: converting a value may run code that changes the list. */
static int
gather_list(py_gather *g, PyObject *row)
{
    PyObject *tuple = PyList_AsTuple(row);
    int rc = tuple == NULL ? -1 : gather_tuple(g, tuple);
    Py_XDECREF(tuple);
    return rc;
}

/* --- records ------------------------------------------------------------------------------------- */

static int
gather_cells(py_gather *g, const ss_batch *batch, int64_t row, uint64_t given)
{
    if (begin_row(g, given) < 0) {
        return -1;
    }
    for (int c = 0; c < batch->n_columns; c++) {
        ss_value value;
        if ((given >> c) & 1) {
            ss_column_get(&batch->columns[c], row, &value);
            if (put(g, c, &value) < 0) {
                return -1;
            }
        }
    }
    end_row(g);
    return 0;
}

int
py_gather_read_row(py_gather *g, const ss_batch *batch, int64_t row)
{
    /* The id of a row that was read names that row, not the one to write. */
    uint64_t all = (UINT64_C(1) << batch->n_columns) - 1;
    return gather_cells(g, batch, row, all & ~UINT64_C(1));
}

static int
gather_record(py_gather *g, PyObject *record)
{
    int64_t row;
    uint64_t given;
    const ss_batch *batch = py_record_batch(record, &row, &given);
    if (batch->table != g->table) {
        PyErr_Format(PyExc_TypeError, "row %lld: expected a %s, got a %s",
                     (long long)g->n_rows, g->table->record, Py_TYPE(record)->tp_name);
        return -1;
    }
    return given == PY_RECORD_ALL ? py_gather_read_row(g, batch, row)
                                  : gather_cells(g, batch, row, given);
}

/* --- batches -------------------------------------------------------------------------- */

int
py_gather_batch(py_gather *g, ss_batch *batch)
{
    ss_error err;
    int64_t n = batch->n_rows;
    ss_error_init(&err);
    if (ss_chunk_of_batch(batch, g->n_rows, &g->chunk, &err) != SS_OK) {
        py_raise(g->state, &err);
        return -1;
    }
    g->n_rows += n;
    return py_gather_flush(g);
}

/* --- any row ---------------------------------------------------------------------------------------- */

int
py_gather_row(py_gather *g, PyObject *row)
{
    if (PyTuple_CheckExact(row)) {
        return gather_tuple(g, row);
    }
    if (PyDict_Check(row) && !g->by_position) {
        return gather_dict(g, row);
    }
    if (PyList_Check(row)) {
        return gather_list(g, row);
    }
    if (py_record_table(g->state, row) >= 0 && !g->by_position) {
        return gather_record(g, row);
    }
    if (PyTuple_Check(row) && !g->by_position &&
        PyObject_HasAttr(row, g->state->str__asdict)) { /* a named tuple */
        return gather_mapping(g, row,
                              PyObject_CallMethodNoArgs(row, g->state->str__asdict));
    }
    if (PyTuple_Check(row)) {
        return gather_tuple(g, row);
    }
    if (g->by_position || PyUnicode_Check(row) ||
        !PyObject_HasAttr(row, g->state->str_keys)) {
        return refuse_row(g, row);
    }
    return gather_mapping(g, row, as_dict(row));
}
