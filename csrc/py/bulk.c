/* First all rows are gathered, with the GIL and no connection; then db/bulk moves them,
 * without the GIL.  So the source of the rows may use the same database, and the write
 * lock is held no longer than the moving takes.
 */
#include "py/bulk.h"

#include "base/thread.h"
#include "db/bulk.h"
#include "formats/arrow_in.h"
#include "py/args.h"
#include "py/gather.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/rows.h"
#include "py/types.h"

/* Rows past so many bytes wait in a temporary file; how often progress is told. */
enum { SPOOL_BYTES = 32 << 20, PROGRESS_MS = 100 };

/* How often the GIL is let go in between: Python's own rhythm, looked at now and then. */
enum { GIVE_WAY_MS = 5, GIVE_WAY_ROWS = 256 };

/* So many rows of a stream at a time, or what is about so many bytes. */
enum { STREAM_ROWS = 65536, STREAM_FIRST_ROWS = 4096, STREAM_BYTES = 8 << 20 };

/* --- what it gives ---------------------------------------------------------------------- */

int
py_add_result_add_type(PyObject *module, py_state *state)
{
    PyStructSequence_Field fields[] = {
        {"inserted", "rows that are new"},
        {"updated", "rows whose natural key was there, and were changed"},
        {"ignored", "rows whose natural key was there, and stay as they were"},
        {NULL, NULL},
    };
    PyStructSequence_Desc description = {
        .name = "smartshopie_db.AddResult",
        .doc = "What add_many() did with the rows: a named tuple of three counts.",
        .fields = fields,
        .n_in_sequence = 3,
    };
    state->add_result_type = PyStructSequence_NewType(&description);
    return state->add_result_type == NULL
               ? -1
               : PyModule_AddType(module, state->add_result_type);
}

static PyObject *
make_result(py_state *state, const ss_add_counts *counts)
{
    const int64_t numbers[] = {counts->inserted, counts->updated, counts->ignored};
    PyObject *result = PyStructSequence_New(state->add_result_type);
    for (Py_ssize_t i = 0; result != NULL && i < 3; i++) {
        PyObject *number = PyLong_FromLongLong(numbers[i]);
        if (number == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyStructSequence_SetItem(result, i, number);
    }
    return result;
}

/* --- one load ----------------------------------------------------------------------------- */

typedef struct {
    py_database *db; /* borrowed */
    int table;
    int conflict;
    int64_t commit_every; /* 0: all at the end */
    PyObject *progress;   /* borrowed, or NULL */
    PyObject *total;      /* owned: an int or None */
    int64_t told_ms, gave_way_ms;
    py_call call;
    ss_spool *spool; /* owned */
    py_gather gather;
    ss_add_counts counts;
} load;

static int
load_init(load *self)
{
    ss_error err;
    ss_error_init(&err);
    if (ss_spool_new(&ss_tables[self->table], SPOOL_BYTES, &self->spool, &err) !=
        SS_OK) {
        py_raise(self->db->state, &err);
        return -1;
    }
    py_gather_init(&self->gather, self->db->state, self->table, &self->call.call,
                   self->spool);
    return 0;
}

static void
load_clear(load *self)
{
    ss_spool *spool = self->spool;
    self->spool = NULL;
    if (spool != NULL) {
        py_gather_clear(&self->gather);
        Py_BEGIN_ALLOW_THREADS
        ss_spool_free(spool);
        Py_END_ALLOW_THREADS
    }
    Py_CLEAR(self->total);
}

static int
tell_progress(load *self)
{
    if (self->progress == NULL) {
        return 0;
    }
    self->told_ms = ss_clock_coarse_ms();
    PyObject *answer = PyObject_CallFunction(
        self->progress, "LO", (long long)self->gather.n_rows, self->total);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* Move what was gathered. */
static int
commit(load *self)
{
    ss_error err;
    ss_status status;
    if (py_gather_flush(&self->gather) < 0 || py_call_allowed(self->db) < 0) {
        return -1;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_add_many(self->db->db, &self->call.call, self->table, self->spool,
                            (ss_conflict)self->conflict, &self->counts, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(self->db->state, &err);
        return -1;
    } Py_BEGIN_ALLOW_THREADS
    ss_spool_clear(self->spool);
    Py_END_ALLOW_THREADS
    return 0;
}

static int
maybe_tell_progress(load *self)
{
    if (self->progress == NULL || ss_clock_coarse_ms() - self->told_ms < PROGRESS_MS) {
        return 0;
    }
    return tell_progress(self);
}

/* After some rows: progress, a commit in between. */
static int
rows_taken(load *self)
{
    int64_t n = self->gather.n_rows;
    if (self->commit_every > 0 && n % self->commit_every == 0 &&
        (commit(self) < 0 || tell_progress(self) < 0)) {
        return -1;
    }
    return maybe_tell_progress(self);
}

/* Other threads get their turn as if Python code ran here. */
static int
give_way(load *self)
{
    int64_t now = ss_clock_coarse_ms();
    if (now - self->gave_way_ms < GIVE_WAY_MS) {
        return 0;
    }
    self->gave_way_ms = now;
    return PyErr_CheckSignals() < 0 ? -1 : py_gather_pause(&self->gather);
}

static int
row_taken(load *self)
{
    if (self->gather.n_rows % GIVE_WAY_ROWS == 0 && give_way(self) < 0) {
        return -1;
    }
    return rows_taken(self);
}

/* --- sources -------------------------------------------------------------------------------- */

static int
take_row(load *self, PyObject *row)
{
    return py_gather_row(&self->gather, row) < 0 ? -1 : row_taken(self);
}

static int
take_iterator(load *self, PyObject *iterator)
{
    PyObject *row;
    while ((row = PyIter_Next(iterator)) != NULL) {
        int rc = take_row(self, row);
        Py_DECREF(row);
        if (rc < 0) {
            return -1;
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* Rows of the table itself, without making a record of each. */
static int
take_rows(load *self, const py_rows *rows)
{
    for (int64_t i = 0; i < rows->length; i++) {
        if (py_gather_read_row(&self->gather, rows->batch,
                               rows->start + i * rows->step) < 0 ||
            row_taken(self) < 0) {
            return -1;
        }
    }
    return 0;
}

static bool
is_rows_of(py_state *state, PyObject *data, int table)
{
    if (!py_rows_check(state, data)) {
        return false;
    }
    const ss_batch *batch = ((py_rows *)data)->batch;
    return batch->whole && (table < 0 || batch->table == &ss_tables[table]);
}

/* Arrow data of anybody's; of ours, those rows that are no records. */
static bool
is_stream(py_state *state, PyObject *data)
{
    return !is_rows_of(state, data, -1) &&
           PyObject_HasAttr(data, state->str___arrow_c_stream__);
}

/* How many rows there will be, where that is known. */
static int
set_total(load *self, PyObject *data)
{
    py_state *state = self->db->state;
    Py_ssize_t n = -1;
    if (PyTuple_Check(data) || PyList_Check(data) || is_rows_of(state, data, -1) ||
        is_stream(state, data)) {
        n = PyObject_Size(data);
        /* A stream without a length; some say so in an exception of their own. Ctrl-C
         * is none of these. */
        if (n < 0 && !PyErr_ExceptionMatches(PyExc_Exception)) {
            return -1;
        }
        PyErr_Clear();
    }
    self->total = n >= 0 ? PyLong_FromSsize_t(n) : Py_NewRef(Py_None);
    return self->total == NULL ? -1 : 0;
}

static int
refuse_data(PyObject *data)
{
    PyErr_Format(PyExc_TypeError,
                 "add_many(): expected rows (an iterable of dicts, tuples or records, "
                 "or a table of Arrow data), got %.200s%s",
                 Py_TYPE(data)->tp_name,
                 PyDict_Check(data) ? "; add() takes one row" : "");
    return -1;
}

/* --- Arrow streams -------------------------------------------------------------------- */

static ss_arrow_in *
open_stream(load *self, PyObject *data)
{
    py_state *state = self->db->state;
    ss_arrow_in *in = NULL;
    ss_error err;
    ss_status status;
    PyObject *capsule = PyObject_CallMethodNoArgs(data, state->str___arrow_c_stream__);
    if (capsule == NULL) {
        return NULL;
    }
    struct ArrowArrayStream *stream =
        PyCapsule_IsValid(capsule, "arrow_array_stream")
            ? PyCapsule_GetPointer(capsule, "arrow_array_stream")
            : NULL;
    if (stream == NULL) {
        Py_DECREF(capsule);
        PyErr_Format(PyExc_TypeError,
                     "add_many(): %.200s.__arrow_c_stream__() gave no Arrow stream",
                     Py_TYPE(data)->tp_name);
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_arrow_in_open(stream, &ss_tables[self->table], &in, &err);
    Py_END_ALLOW_THREADS
    Py_DECREF(capsule);
    if (status != SS_OK) {
        py_raise(state, &err);
    }
    return in;
}

static int64_t
clamp_rows(int64_t n, int64_t most)
{
    return n < 1 ? 1 : n > most ? most : n;
}

/* The next rows of the stream; how many fit the bytes, by those before, is in *n. NULL
 * at the end, or with an exception. */
static ss_batch *
next_batch(load *self, ss_arrow_in *in, int64_t *n)
{
    ss_batch *batch = NULL;
    ss_error err;
    ss_status status;
    int64_t most = *n;
    if (self->commit_every > 0) {
        int64_t left = self->commit_every - self->gather.n_rows % self->commit_every;
        most = clamp_rows(most, left);
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_arrow_in_next(in, most, &batch, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(self->db->state, &err);
    }
    else if (batch != NULL && batch->n_rows > 0) {
        int64_t row_bytes = (int64_t)ss_batch_size(batch) / batch->n_rows + 1;
        *n = clamp_rows(STREAM_BYTES / row_bytes, STREAM_ROWS);
    }
    return batch;
}

/* Takes the batch. An empty one is time that passed, and nothing to commit. */
static int
take_batch(load *self, ss_batch *batch)
{
    if (batch->n_rows == 0) {
        ss_batch_release(batch);
        return PyErr_CheckSignals() < 0 ? -1 : maybe_tell_progress(self);
    }
    return py_gather_batch(&self->gather, batch) < 0 || PyErr_CheckSignals() < 0
               ? -1
               : rows_taken(self);
}

static int
take_stream(load *self, PyObject *data)
{
    int64_t n = STREAM_FIRST_ROWS;
    ss_batch *batch;
    if (self->gather.by_position) {
        PyErr_SetString(PyExc_TypeError,
                        "columns: Arrow data has names of its own; rename them there");
        return -1;
    }
    ss_arrow_in *in = open_stream(self, data);
    if (in == NULL) {
        return -1;
    }
    while ((batch = next_batch(self, in, &n)) != NULL) {
        if (take_batch(self, batch) < 0) {
            break;
        }
    }
    /* What the producer releases may be Python, which loses an exception under way. */
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    Py_BEGIN_ALLOW_THREADS
    ss_arrow_in_free(in);
    Py_END_ALLOW_THREADS
    PyErr_Restore(type, error, traceback);
    return type != NULL ? -1 : 0;
}

/* --- the call ------------------------------------------------------------------------------ */

enum { ON_CONFLICT, COLUMNS, PROGRESS, COMMIT_EVERY, TIMEOUT, N_OPTIONS };
#define OPTION_NAMES "on_conflict", "columns", "progress", "commit_every", "timeout"

static int
load_parse(load *self, PyObject *const *options)
{
    static const char *const words[] = {"update", "ignore", "error", NULL};
    PyObject *progress = options[PROGRESS];
    if (py_args_word(options[ON_CONFLICT], "on_conflict", words, &self->conflict) < 0 ||
        py_args_int(options[COMMIT_EVERY], "commit_every", 1, INT64_MAX, 0,
                    &self->commit_every) < 0) {
        return -1;
    }
    if (progress != NULL && progress != Py_None && !PyCallable_Check(progress)) {
        PyErr_Format(PyExc_TypeError,
                     "progress: expected a function of (done, total), got %.200s",
                     Py_TYPE(progress)->tp_name);
        return -1;
    }
    self->progress = progress == Py_None ? NULL : progress;
    return py_call_init(self->db, &self->call, options[TIMEOUT]);
}

/* An iterator over rows, or TypeError: text and single rows can be iterated, too. */
static PyObject *
iterate(py_state *state, PyObject *data)
{
    if (PyUnicode_Check(data) || PyBytes_Check(data) || PyDict_Check(data) ||
        py_record_check(state, data)) {
        refuse_data(data);
        return NULL;
    }
    PyObject *iterator = PyObject_GetIter(data);
    if (iterator == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        refuse_data(data);
    }
    return iterator;
}

static int
take_data(load *self, PyObject *data)
{
    py_state *state = self->db->state;
    if (is_rows_of(state, data, self->table)) {
        return take_rows(self, (py_rows *)data);
    }
    if (is_stream(state, data)) {
        return take_stream(self, data);
    }
    PyObject *iterator = iterate(state, data);
    int rc = iterator == NULL ? -1 : take_iterator(self, iterator);
    Py_XDECREF(iterator);
    return rc;
}

/* Commit what is left, and tell the last of the progress: before, while it can still
 * stop the load, or when there were commits already, after. */
static int
finish(load *self)
{
    int64_t n = self->gather.n_rows;
    bool often = self->commit_every > 0;
    if (often && n > 0 && n % self->commit_every == 0) {
        return 0;
    }
    return (!often && tell_progress(self) < 0) || commit(self) < 0 ||
                   (often && tell_progress(self) < 0)
               ? -1
               : 0;
}

/* The rows of `data`, after `first` where it was taken from it already. */
static PyObject *
add_many(py_database *db, int table, PyObject *data, PyObject *first,
         PyObject *const *options)
{
    load self = {.db = db, .table = table};
    PyObject *result = NULL;
    if (load_parse(&self, options) == 0 && load_init(&self) == 0 &&
        set_total(&self, data) == 0 &&
        py_gather_columns(&self.gather, options[COLUMNS]) == 0 &&
        tell_progress(&self) == 0 && (first == NULL || take_row(&self, first) == 0) &&
        take_data(&self, data) == 0 && finish(&self) == 0) {
        result = make_result(db->state, &self.counts);
    }
    load_clear(&self);
    return result;
}

PyObject *
py_bulk_table_add_many(py_database *db, int table, PyObject *const *args,
                       Py_ssize_t nargsf, PyObject *kwnames)
{
    static const char *const names[] = {"data", OPTION_NAMES, NULL};
    static const py_signature signature = {"add_many", names, 1, 1};
    PyObject *given[1 + N_OPTIONS];
    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    return add_many(db, table, given[0], NULL, given + 1);
}

/* The table of a name, or -1 with ValueError. */
static int
table_of_name(PyObject *name)
{
    Py_ssize_t n;
    ss_nearest search;
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    if (text == NULL) {
        return -1;
    }
    int table = ss_catalog_table(text, (size_t)n);
    if (table >= 0) {
        return table;
    }
    ss_nearest_init(&search, text, (size_t)n);
    for (int i = 0; i < ss_n_tables; i++) {
        ss_nearest_offer(&search, ss_tables[i].name);
    }
    py_raise_nearest(PyExc_ValueError, &search, "add_many(): there is no table %R",
                     name);
    return -1;
}

/* An iterable whose first row says which table it is of: a record. */
static PyObject *
add_iterated(py_database *db, PyObject *data, PyObject *const *options)
{
    PyObject *iterator = iterate(db->state, data), *result = NULL;
    PyObject *first = iterator != NULL ? PyIter_Next(iterator) : NULL;
    int table = first != NULL ? py_record_table(db->state, first) : -1;
    if (table >= 0) {
        bool again = PyList_Check(data) || PyTuple_Check(data); /* from its start */
        result =
            add_many(db, table, again ? data : iterator, again ? NULL : first, options);
    }
    else if (first != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "add_many() needs the name of a table first, unless the rows are "
                     "records of one; got %.200s",
                     Py_TYPE(first)->tp_name);
    }
    else if (!PyErr_Occurred()) {
        ss_add_counts none = {0, 0, 0};
        result = make_result(db->state, &none);
    }
    Py_XDECREF(first);
    Py_XDECREF(iterator);
    return result;
}

/* Records alone say which table they are of. */
static PyObject *
add_records(py_database *db, PyObject *data, PyObject *const *options)
{
    if (is_rows_of(db->state, data, -1)) {
        int table = (int)(((py_rows *)data)->batch->table - ss_tables);
        return add_many(db, table, data, NULL, options);
    }
    if (is_stream(db->state, data)) {
        PyErr_Format(PyExc_TypeError,
                     "add_many() needs the name of a table first, unless the rows are "
                     "records of one; got %.200s",
                     Py_TYPE(data)->tp_name);
        return NULL;
    }
    return add_iterated(db, data, options);
}

PyObject *
py_bulk_add_many(py_database *db, PyObject *const *args, Py_ssize_t nargsf,
                 PyObject *kwnames)
{
    static const char *const names[] = {"table", "data", OPTION_NAMES, NULL};
    static const py_signature signature = {"add_many", names, 2, 1};
    PyObject *given[2 + N_OPTIONS];
    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(given[0])) {
        if (given[1] != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "table: expected the name of a table as str, got %.200s",
                         Py_TYPE(given[0])->tp_name);
            return NULL;
        }
        return add_records(db, given[0], given + 2);
    }
    int table = table_of_name(given[0]);
    if (table >= 0 && given[1] == NULL) {
        PyErr_SetString(PyExc_TypeError, "add_many() needs the argument 'data'");
        return NULL;
    }
    if (table < 0) {
        return NULL;
    }
    return add_many(db, table, given[1], NULL, given + 2);
}
