/* py/export: Rows and records as bytes and as the objects of other libraries.
 *
 * A bytes object is made as large as the answer could be at most, filled without the GIL,
 * and cut to what was used. Memory that nobody touched costs nothing but addresses, and
 * cutting a large block does not move it, so the answer is written once and never copied.
 */
#include "py/export.h"

#include "formats/csv_out.h"
#include "py/args.h"
#include "py/cache.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/rows.h"

#include <string.h> // strchr()

/* Which text of an answer; for the cache. */
enum { TEXT_JSON, TEXT_NDJSON, TEXT_CSV };

static ss_view
view_of_rows(const py_rows *rows)
{
    return (ss_view){.batch = rows->batch,
                     .start = rows->start,
                     .step = rows->step,
                     .length = rows->length};
}

static ss_view
view_of_record(const py_record *record)
{
    return (ss_view){
        .batch = record->batch, .start = record->row, .step = 1, .length = 1};
}

static PyObject *
bytes_of_at_most(size_t bound)
{
    return bound > (size_t)PY_SSIZE_T_MAX
               ? PyErr_NoMemory()
               : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)bound);
}

/* Written in less time than it takes to give up the GIL and get it back when others want
 * it, too. */
static bool
is_small(const ss_view *view)
{
    enum { CELLS = 512, BYTES = 16384 };
    const ss_batch *batch = view->batch;
    size_t bytes = 0;
    for (int c = 0; c < batch->n_columns && bytes <= BYTES; c++) {
        bytes += batch->columns[c].n_bytes;
    }
    return view->length <= CELLS / (batch->n_columns + 1) && bytes <= BYTES;
}

/* ---- JSON ---- */

PyObject *
py_export_json(py_state *state, const ss_view *view, const ss_json_options *options)
{
    ss_json *json = NULL;
    PyObject *bytes = NULL;
    bool small = is_small(view);
    ss_error err;
    ss_status rc;
    size_t n;

    ss_error_init(&err);
    if (small) {
        rc = ss_json_begin(view, options, &json, &err);
    }
    else {
        Py_BEGIN_ALLOW_THREADS
        rc = ss_json_begin(view, options, &json, &err);
        Py_END_ALLOW_THREADS
    }
    if (rc != SS_OK) {
        return py_raise(state, &err);
    }
    bytes = bytes_of_at_most(ss_json_bound(json));
    if (bytes != NULL) {
        char *to = PyBytes_AS_STRING(bytes);
        if (small) {
            n = ss_json_write(json, to);
        }
        else {
            Py_BEGIN_ALLOW_THREADS
            n = ss_json_write(json, to);
            Py_END_ALLOW_THREADS
        }
        _PyBytes_Resize(&bytes, (Py_ssize_t)n); /* on failure NULL */
    }
    ss_json_free(json);
    return bytes;
}

/* Bytes to put before or after; nothing when left out. */
static int
take_bytes(PyObject *obj, const char *what, const char **s, size_t *n)
{
    *s = "";
    *n = 0;
    if (obj == NULL) {
        return 0;
    }
    if (!PyBytes_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s must be bytes, not %.200s", what,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    *s = PyBytes_AS_STRING(obj);
    *n = (size_t)PyBytes_GET_SIZE(obj);
    return 0;
}

enum { ARG_ORIENT, ARG_HTML, ARG_REDACT, ARG_PREFIX, ARG_SUFFIX, N_JSON_ARGS };

static int
take_json_options(PyObject *const *args, ss_json_options *options)
{
    if (py_args_bool(args[ARG_HTML], "html", false, &options->html) < 0 ||
        py_args_bool(args[ARG_REDACT], "redact", false, &options->redact) < 0 ||
        take_bytes(args[ARG_PREFIX], "prefix", &options->prefix, &options->n_prefix) <
            0) {
        return -1;
    }
    return take_bytes(args[ARG_SUFFIX], "suffix", &options->suffix, &options->n_suffix);
}

/* The methods that write JSON take the same; those of the first orient also another. */
static PyObject *
json_of(py_state *state, const ss_view *view, ss_json_orient orient,
        const char *function, PyObject *const *args, Py_ssize_t nargsf,
        PyObject *kwnames)
{
    static const char *const names[] = {"orient", "html",   "redact",
                                        "prefix", "suffix", NULL};
    static const char *const orients[] = {"records", "columns", NULL};
    static const ss_json_orient meanings[] = {SS_JSON_RECORDS, SS_JSON_COLUMNS};
    int first = orient == SS_JSON_RECORDS ? ARG_ORIENT : ARG_HTML;
    const py_signature signature = {function, names + first, first == ARG_ORIENT, 0};
    ss_json_options options = {.orient = orient};
    PyObject *given[N_JSON_ARGS] = {NULL};
    int word;

    if (py_args_parse(&signature, args, nargsf, kwnames, given + first, NULL, NULL) <
            0 ||
        py_args_word(given[ARG_ORIENT], "orient", orients, &word) < 0 ||
        take_json_options(given, &options) < 0) {
        return NULL;
    }
    if (first == ARG_ORIENT) {
        options.orient = meanings[word];
    }
    return py_export_json(state, view, &options);
}

const char py_export_rows_json_doc[] = PyDoc_STR(
    "to_json($self, /, orient=\"records\", *, html=False, redact=False, prefix=b\"\",\n"
    "        suffix=b\"\")\n--\n\n"
    "The rows as JSON, in UTF-8: a list of objects, or with orient=\"columns\" an\n"
    "object of lists.\n\n"
    "Dates are ISO 8601; NaN and infinities are null; integers have all their\n"
    "digits. html=True also escapes < > & ' and the line separators of JavaScript;\n"
    "redact=True shows of secret columns the last four characters. prefix and\n"
    "suffix are put around the result as they are.");

static PyObject *
rows_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    py_rows *self = (py_rows *)op;
    ss_view view = view_of_rows(self);

    return json_of(self->state, &view, SS_JSON_RECORDS, "to_json", args, nargsf,
                   kwnames);
}

PyObject *
py_export_rows_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                    PyObject *kwnames)
{
    py_rows *self = (py_rows *)op;

    return py_cache_text(self->state, &self->kept, TEXT_JSON, op, args, nargsf, kwnames,
                         rows_json);
}

const char py_export_rows_ndjson_doc[] = PyDoc_STR(
    "to_ndjson($self, /, *, html=False, redact=False, prefix=b\"\", suffix=b\"\")\n"
    "--\n\n"
    "The rows as JSON objects, one a line; values and options as in to_json().");

static PyObject *
rows_ndjson(PyObject *op, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    py_rows *self = (py_rows *)op;
    ss_view view = view_of_rows(self);

    return json_of(self->state, &view, SS_JSON_LINES, "to_ndjson", args, nargsf,
                   kwnames);
}

PyObject *
py_export_rows_ndjson(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                      PyObject *kwnames)
{
    py_rows *self = (py_rows *)op;

    return py_cache_text(self->state, &self->kept, TEXT_NDJSON, op, args, nargsf,
                         kwnames, rows_ndjson);
}

const char py_export_record_json_doc[] = PyDoc_STR(
    "to_json($self, /, *, html=False, redact=False, prefix=b\"\", suffix=b\"\")\n--\n\n"
    "The record as one JSON object; values and options as in Rows.to_json().");

static PyObject *
record_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    py_record *self = (py_record *)op;
    ss_view view = view_of_record(self);

    return json_of(self->state, &view, SS_JSON_OBJECT, "to_json", args, nargsf,
                   kwnames);
}

PyObject *
py_export_record_json(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                      PyObject *kwnames)
{
    py_record *self = (py_record *)op;

    return py_cache_text(self->state, &self->kept, TEXT_JSON, op, args, nargsf, kwnames,
                         record_json);
}

/* ---- CSV ---- */

static PyObject *
csv_of(py_state *state, const ss_view *view, const ss_csv_options *options)
{
    ss_csv *csv = NULL;
    PyObject *bytes = NULL;
    ss_error err;
    ss_status rc;
    size_t n;

    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    rc = ss_csv_begin(view, options, &csv, &err);
    Py_END_ALLOW_THREADS
    if (rc != SS_OK) {
        return py_raise(state, &err);
    }
    bytes = bytes_of_at_most(ss_csv_bound(csv));
    if (bytes != NULL) {
        char *to = PyBytes_AS_STRING(bytes);
        Py_BEGIN_ALLOW_THREADS
        n = ss_csv_write(csv, to);
        Py_END_ALLOW_THREADS
        _PyBytes_Resize(&bytes, (Py_ssize_t)n);
    }
    ss_csv_free(csv);
    return bytes;
}

static int
take_delimiter(PyObject *obj, char *out)
{
    *out = ',';
    if (obj == NULL) {
        return 0;
    }
    if (PyUnicode_Check(obj) && PyUnicode_GET_LENGTH(obj) == 1) {
        Py_UCS4 c = PyUnicode_READ_CHAR(obj, 0);
        if (c > 0 && c < 128 && strchr(SS_CSV_DELIMITERS, (int)c) != NULL) {
            *out = (char)c;
            return 0;
        }
    }
    PyErr_Format(PyUnicode_Check(obj) ? PyExc_ValueError : PyExc_TypeError,
                 "delimiter: expected one of ',', ';', '\\t', '|', got %R", obj);
    return -1;
}

const char py_export_rows_csv_doc[] = PyDoc_STR(
    "to_csv($self, /, *, delimiter=\",\", header=True, formulas=\"keep\",\n"
    "       redact=False)\n--\n\n"
    "The rows as CSV (RFC 4180), in UTF-8, lines ended by CR LF.\n\n"
    "None is an empty field and the empty text is \"\" (in a result of one column\n"
    "both are). formulas=\"defuse\" puts ' before a text that a spreadsheet would\n"
    "calculate; redact=True shows of secret columns the last four characters.");

static PyObject *
rows_csv(PyObject *op, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    static const char *const names[] = {"delimiter", "header", "formulas", "redact",
                                        NULL};
    static const py_signature signature = {"to_csv", names, 0, 0};
    static const char *const words[] = {"keep", "defuse", NULL};
    py_rows *self = (py_rows *)op;
    ss_csv_options options;
    PyObject *given[4];
    int formulas;

    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0 ||
        take_delimiter(given[0], &options.delimiter) < 0 ||
        py_args_bool(given[1], "header", true, &options.header) < 0 ||
        py_args_word(given[2], "formulas", words, &formulas) < 0 ||
        py_args_bool(given[3], "redact", false, &options.redact) < 0) {
        return NULL;
    }
    options.defuse = formulas == 1;
    ss_view view = view_of_rows(self);
    return csv_of(self->state, &view, &options);
}

PyObject *
py_export_rows_csv(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                   PyObject *kwnames)
{
    py_rows *self = (py_rows *)op;

    return py_cache_text(self->state, &self->kept, TEXT_CSV, op, args, nargsf, kwnames,
                         rows_csv);
}

/* ---- tables of other libraries ---- */

/* What the package's own Python does with the rows. */
static PyObject *
handed_to(PyObject *rows, const char *function)
{
    PyObject *module = PyImport_ImportModule("smartshopie_db._frames");

    if (module == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethod(module, function, "O", rows);
    Py_DECREF(module);
    return result;
}

const char py_export_rows_arrow_doc[] =
    PyDoc_STR("to_arrow($self, /)\n--\n\nA pyarrow.Table; nothing is copied.");

PyObject *
py_export_rows_arrow(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return handed_to(op, "to_arrow");
}

const char py_export_rows_pandas_doc[] = PyDoc_STR(
    "to_pandas($self, /)\n--\n\n"
    "A pandas.DataFrame whose types do not depend on the data: Int64, float64, str,\n"
    "datetime64. It is made faster where pyarrow is installed.");

PyObject *
py_export_rows_pandas(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return handed_to(op, "to_pandas");
}

const char py_export_rows_polars_doc[] =
    PyDoc_STR("to_polars($self, /)\n--\n\nA polars.DataFrame.");

PyObject *
py_export_rows_polars(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return handed_to(op, "to_polars");
}
