#include "py/care.h"

#include "base/thread.h"
#include "db/optimize.h"
#include "py/args.h"
#include "py/cache.h"
#include "py/handle.h"
#include "py/path.h"
#include "py/raise.h"
#include "store/copies.h"
#include "store/mount.h"

#include <string.h> // strchr()

/* --- stats() ------------------------------------------------------------------------ */

enum { EXTENT_MS = 10 }; /* stats() does not wait for a reader */

const char py_stats_doc[] = PyDoc_STR(
    "stats($self, /)\n--\n\n"
    "Counters and facts of the open database, as a dict.\n\n"
    "layout, schema_version, read_only, wal, file_bytes, wal_bytes, pages, free_pages\n"
    "(None while no reader is free): what the file is. leases, leases_out, readers_open,\n"
    "writer_waits, reader_waits, blocks (threads in transaction() or snapshot()),\n"
    "oldest_read_seconds, shared_commits: who uses it. wal_frames, checkpoints,\n"
    "checkpoint_skips, fenced_checkpoints: the write-ahead log. scans (of large tables),\n"
    "shared_scans (by several readers). cache_*: kept answers. sqlite_version.");

static PyObject *
stats_dict(const ss_db_stats *s)
{
    static const char *const kinds[] = {"empty", "current", "newer", "legacy",
                                        "foreign"};
    return Py_BuildValue(
        "{s:s, s:L, s:O, s:O, s:L, s:L, s:L, s:L, s:L, s:L, s:i, s:i, s:i, s:d, s:L,"
        " s:L, s:L, s:O, s:L, s:L, s:s}",
        "layout", kinds[s->file_kind], "schema_version", (long long)s->user_version,
        "read_only", s->read_only ? Py_True : Py_False, "wal",
        s->wal ? Py_True : Py_False, "file_bytes", (long long)s->file_bytes,
        "wal_bytes", (long long)s->wal_bytes, "leases", (long long)s->pool.leases,
        "writer_waits", (long long)s->pool.writer_waits, "reader_waits",
        (long long)s->pool.reader_waits, "shared_commits", (long long)s->shared_commits,
        "readers_open", s->pool.readers_open, "leases_out", s->pool.leases_out,
        "blocks", s->blocks, "oldest_read_seconds",
        (double)s->pool.oldest_read_ms / 1000.0, "wal_frames",
        (long long)s->pool.wal_frames, "checkpoints", (long long)s->pool.checkpoints,
        "checkpoint_skips", (long long)s->pool.checkpoint_skips, "fenced_checkpoints",
        s->pool.fenced ? Py_True : Py_False, "scans", (long long)s->scans,
        "shared_scans", (long long)s->shared_scans, "sqlite_version",
        sqlite3_libversion());
}

static int
set_number(PyObject *dict, const char *name, bool known, int64_t number)
{
    PyObject *value = known ? PyLong_FromLongLong(number) : Py_NewRef(Py_None);
    int rc = value != NULL ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return rc;
}

PyObject *
py_stats(PyObject *op, PyObject *unused)
{
    py_database *self = (py_database *)op;
    ss_db_stats stats = {0};
    ss_space extent = {0};
    py_call call;
    ss_error err, no_extent;
    ss_status status, known;
    (void)unused;
    if (py_call_init(self, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    ss_error_init(&no_extent);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_get_stats(self->db, &call.call, &stats, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(self->state, &err);
    }
    call.call.check = NULL;
    call.call.deadline_ms = ss_clock_ms() + EXTENT_MS;
    Py_BEGIN_ALLOW_THREADS
    known = ss_db_measure(self->db, &call.call, &extent, &no_extent);
    Py_END_ALLOW_THREADS
    PyObject *dict = stats_dict(&stats);
    if (dict != NULL &&
        (set_number(dict, "pages", known == SS_OK, extent.pages) < 0 ||
         set_number(dict, "free_pages", known == SS_OK, extent.free_pages) < 0 ||
         py_cache_stats(self->cache, dict) < 0)) {
        Py_CLEAR(dict);
    }
    return dict;
}

/* --- optimize() --------------------------------------------------------------------- */

const char py_optimize_doc[] = PyDoc_STR(
    "optimize($self, /, *, vacuum=False, timeout=None)\n--\n\n"
    "Bring the query planner's statistics up to date and copy the write-ahead log back.\n\n"
    "vacuum: also rewrite the file without gaps; that needs free space for a second copy,\n"
    "and others wait with their writes meanwhile.\n\n"
    "Returns a dict: file_bytes, wal_bytes, pages and free_pages, each (before, after);\n"
    "vacuumed and checkpointed. Raises ReadOnlyError, DiskFullError, OperationalError,\n"
    "ProgrammingError (inside transaction() or snapshot()).");

static PyObject *
optimized_dict(const ss_optimized *o)
{
    const ss_space *a = &o->before, *b = &o->after;
    return Py_BuildValue(
        "{s:(LL), s:(LL), s:(LL), s:(LL), s:O, s:O}", "file_bytes",
        (long long)a->file_bytes, (long long)b->file_bytes, "wal_bytes",
        (long long)a->wal_bytes, (long long)b->wal_bytes, "pages", (long long)a->pages,
        (long long)b->pages, "free_pages", (long long)a->free_pages,
        (long long)b->free_pages, "vacuumed", o->vacuumed ? Py_True : Py_False,
        "checkpointed", o->checkpointed ? Py_True : Py_False);
}

PyObject *
py_optimize(PyObject *op, PyObject *const *args, Py_ssize_t nargsf, PyObject *kwnames)
{
    static const char *const names[] = {"vacuum", "timeout", NULL};
    static const py_signature signature = {"optimize", names, 0, 0};
    py_database *self = (py_database *)op;
    ss_optimized done = {0};
    PyObject *given[2];
    py_call call;
    bool vacuum;
    ss_error err;
    ss_status status;
    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0 ||
        py_args_bool(given[0], "vacuum", false, &vacuum) < 0 ||
        py_call_init(self, &call, given[1]) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_optimize(self->db, &call.call, vacuum, &done, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? optimized_dict(&done) : py_raise(self->state, &err);
}

/* --- check() ------------------------------------------------------------------------ */

const char py_check_doc[] = PyDoc_STR(
    "check($self, /, *, full=True, progress=None, timeout=None)\n--\n\n"
    "Look for damage, wrong values, duplicates and what else may be wrong; changes\n"
    "nothing.\n\n"
    "full: read every row; False looks at the file as a whole only.\n"
    "progress: called as progress(done, total), in steps.\n"
    "timeout: seconds it may take.\n\n"
    "Returns a Report: a sequence of findings, each with what to do; report.ok.");

PyObject *
py_check(PyObject *op, PyObject *args, PyObject *kwargs)
{
    py_database *self = (py_database *)op;
    PyObject *check = self->state->check;
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "check() takes no positional arguments");
        return NULL;
    }
    if (check == NULL) {
        PyErr_SetString(self->state->NotSupportedError,
                        "check() needs the package smartshopie_db");
        return NULL;
    }
    PyObject *first = PyTuple_Pack(1, op), *report = NULL;
    if (first != NULL) {
        Py_INCREF(check);
        report = PyObject_Call(check, first, kwargs);
        Py_DECREF(check);
    }
    Py_XDECREF(first);
    return report;
}

/* --- functions of the module -------------------------------------------------------- */

static PyObject *
set_check(PyObject *module, PyObject *function)
{
    py_state *state = py_state_of_module(module);
    Py_XSETREF(state->check, Py_NewRef(function));
    Py_RETURN_NONE;
}

/* The lines of a text as a tuple of str; frees the text. */
static PyObject *
tuple_of_lines(ss_buf *text)
{
    PyObject *list = ss_buf_ok(text) ? PyList_New(0) : PyErr_NoMemory();
    PyObject *tuple = NULL;
    const char *end, *at = text->size > 0 ? text->data : "";
    for (; list != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1) {
        PyObject *line = PyUnicode_DecodeFSDefaultAndSize(at, end - at);
        if (line == NULL || PyList_Append(list, line) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(line);
    }
    if (list != NULL) {
        tuple = PyList_AsTuple(list);
    }
    Py_XDECREF(list);
    ss_buf_free(text);
    return tuple;
}

/* Which objects of this process brought a SQLite of their own; a tuple of str. */
static PyObject *
find_copies(bool thorough)
{
    ss_buf found;
    ss_buf_init(&found);
    ss_copies_find(thorough, &found); /* with the GIL: it looks at memory alone */
    return tuple_of_lines(&found);
}

static PyObject *
sqlite_copies(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return find_copies(true);
}

static PyObject *
file_system(PyObject *module, PyObject *path)
{
    char type[SS_MOUNT_TYPE_SIZE];
    (void)module;
    PyObject *bytes = py_path_absolute(path);
    if (bytes == NULL) {
        return NULL;
    }
    const char *text = PyBytes_AS_STRING(bytes);
    Py_BEGIN_ALLOW_THREADS
    ss_mount_type(text, type);
    Py_END_ALLOW_THREADS
    Py_DECREF(bytes);
    return Py_BuildValue("sO", type, ss_mount_is_network(type) ? Py_True : Py_False);
}

static PyMethodDef functions[] = {
    {"_set_check", set_check, METH_O, "What SmartShopieDB.check() calls."},
    {"_sqlite_copies", sqlite_copies, METH_NOARGS,
     "The loaded files that have a SQLite of their own."},
    {"_file_system", file_system, METH_O,
     "The type of the file system a path is on, and whether machines share it."},
    {NULL},
};

static int
warn_of_copies(py_state *state)
{
    PyObject *copies = find_copies(false);
    int rc = copies != NULL ? 0 : -1;
    if (rc == 0 && PyTuple_GET_SIZE(copies) > 0) {
        rc = PyErr_WarnFormat(
            state->DuplicateSQLiteWarning, 1,
            "another copy of SQLite is loaded in this process: %U; a file that both "
            "have open can be damaged, because closing it in one drops the locks of "
            "the other",
            PyTuple_GET_ITEM(copies, 0));
    }
    Py_XDECREF(copies);
    return rc;
}

int
py_care_setup(PyObject *module, py_state *state)
{
    return PyModule_AddFunctions(module, functions) < 0 ? -1 : warn_of_copies(state);
}
