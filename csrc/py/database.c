#include "py/database.h"

#include "base/mem.h"
#include "db/free.h"
#include "py/args.h"
#include "py/backup.h"
#include "py/bulk.h"
#include "py/cache.h"
#include "py/care.h"
#include "py/cursor.h"
#include "py/figures.h"
#include "py/initialize.h"
#include "py/lifetime.h"
#include "py/methods.h"
#include "py/migrate.h"
#include "py/path.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/request.h"
#include "py/rows.h"
#include "py/sqlargs.h"
#include "py/table.h"
#include "py/transaction.h"
#include "py/version.h"
#include "py/types.h"
#include "py/write.h"

#include <structmember.h> // PyMemberDef, T_PYSSIZET

enum { TAB_ROWS = 100, DEFAULT_READERS = 8 };

/* --- creation --------------------------------------------------------------------- */

static const char *const new_names[] = {
    "path",   "mode",      "durability", "readers", "busy_timeout", "timeout", "cache",
    "strict", "untrusted", "immutable",  "db_path", "migrate",      "journal", NULL,
};
enum {
    NEW_PATH,
    NEW_MODE,
    NEW_DURABILITY,
    NEW_READERS,
    NEW_BUSY,
    NEW_TIMEOUT,
    NEW_CACHE,
    NEW_STRICT,
    NEW_UNTRUSTED,
    NEW_IMMUTABLE,
    NEW_DB_PATH,
    NEW_MIGRATE,
    NEW_JOURNAL,
    NEW_N
};

static int
parse_options(PyObject **args, ss_db_options *o)
{
    static const char *const modes[] = {"rwc", "rw", "ro", NULL};
    static const char *const durabilities[] = {"full", "normal", "off", NULL};
    static const char *const journals[] = {"auto", "wal", "rollback", NULL};
    int mode, durability, journal;
    int64_t readers;
    if (py_args_word(args[NEW_MODE], "mode", modes, &mode) < 0 ||
        py_args_word(args[NEW_DURABILITY], "durability", durabilities, &durability) <
            0 ||
        py_args_word(args[NEW_JOURNAL], "journal", journals, &journal) < 0 ||
        py_args_int(args[NEW_READERS], "readers", 1, 1000, DEFAULT_READERS, &readers) <
            0 ||
        py_call_seconds(args[NEW_BUSY], "busy_timeout", 5000, &o->busy_ms) < 0 ||
        py_call_seconds(args[NEW_TIMEOUT], "timeout", 0, &o->timeout_ms) < 0 ||
        py_args_bool(args[NEW_STRICT], "strict", true, &o->strict) < 0 ||
        py_args_bool(args[NEW_UNTRUSTED], "untrusted", false, &o->untrusted) < 0 ||
        py_args_bool(args[NEW_IMMUTABLE], "immutable", false, &o->immutable) < 0 ||
        py_args_bool(args[NEW_MIGRATE], "migrate", false, &o->migrate) < 0) {
        return -1;
    }
    o->mode = (ss_mode)mode;
    o->durability = (ss_durability)durability;
    o->journal = (ss_journal)journal;
    o->max_readers = (int)readers;
    if ((o->untrusted || o->immutable) && o->mode != SS_MODE_RO) {
        if (args[NEW_MODE] != NULL) {
            PyErr_Format(PyExc_ValueError, "%s=True goes with mode=\"ro\"",
                         o->immutable ? "immutable" : "untrusted");
            return -1;
        }
        o->mode = SS_MODE_RO;
    }
    if (o->migrate && o->mode == SS_MODE_RO) {
        PyErr_SetString(PyExc_ValueError,
                        "migrate=True writes the file; it goes with mode=\"rwc\" or "
                        "\"rw\"");
        return -1;
    }
    return 0;
}

/* The path argument, by its name or its old one; a new str. */
static PyObject *
path_argument(PyObject *path, PyObject *db_path)
{
    if (path != NULL && db_path != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "SmartShopieDB() got path= and its old name db_path=");
        return NULL;
    }
    if (path == NULL && db_path == NULL) {
        return PyUnicode_FromString("smartshopie_dashboard.db");
    }
    PyObject *given = PyOS_FSPath(path != NULL ? path : db_path);
    if (given == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        return PyErr_Format(PyExc_TypeError,
                            "path: expected str or os.PathLike, got %s",
                            Py_TYPE(path != NULL ? path : db_path)->tp_name);
    }
    if (given == NULL || PyUnicode_Check(given)) {
        return given;
    }
    PyObject *text = NULL;
    (void)PyUnicode_FSDecoder(given, &text);
    Py_DECREF(given);
    return text;
}

/* What the constructor's arguments ask for. */
typedef struct {
    ss_db *db;       /* owned */
    PyObject *path;  /* owned */
    py_cache *cache; /* owned, or NULL */
} opened;

static void
opened_clear(opened *o)
{
    py_cache_free(o->cache);
    ss_db_free(o->db);
    Py_XDECREF(o->path);
}

static int
open_arguments(py_state *state, PyObject **args, opened *out)
{
    size_t limit;
    ss_db_options options = {0};
    PyObject *bytes = NULL, *given = path_argument(args[NEW_PATH], args[NEW_DB_PATH]);
    ss_error err;
    int rc = -1;
    ss_error_init(&err);
    *out = (opened){0};
    if (given == NULL || parse_options(args, &options) < 0 ||
        py_cache_argument(args[NEW_CACHE], &limit) < 0) {
        goto done;
    }
    if (limit > 0) {
        out->cache = py_cache_new(limit);
        if (out->cache == NULL) {
            goto done;
        }
    }
    bytes = py_path_absolute(given);
    if (bytes == NULL) {
        goto done;
    }
    options.path = PyBytes_AS_STRING(bytes);
    if (ss_db_new(&options, &out->db, &err) != SS_OK) {
        py_raise(state, &err);
        goto done;
    }
    out->path = Py_NewRef(given);
    rc = 0;
done:
    if (rc < 0) {
        opened_clear(out);
    }
    Py_XDECREF(given);
    Py_XDECREF(bytes);
    return rc;
}

/* A tuple and a dict as py_args_parse takes them; given[i] is borrowed from those. */
static int
parse_call(PyObject *args, PyObject *kwargs, PyObject **given)
{
    static const py_signature signature = {"SmartShopieDB", new_names, 1, 0};
    Py_ssize_t n = PyTuple_GET_SIZE(args), i = n, position = 0;
    Py_ssize_t n_keywords = kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject *key, *value, *names = PyTuple_New(n_keywords);
    PyObject **all = ss_calloc((size_t)(n + n_keywords) + 1, sizeof(*all));
    if (names == NULL || all == NULL) {
        Py_XDECREF(names);
        ss_free(all);
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t k = 0; k < n; k++) {
        all[k] = PyTuple_GET_ITEM(args, k);
    }
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        PyTuple_SET_ITEM(names, i - n, Py_NewRef(key));
        all[i++] = value;
    }
    int rc = py_args_parse(&signature, all, n, names, given, NULL, NULL);
    Py_DECREF(names);
    ss_free(all);
    return rc;
}

static int Database_init(PyObject *op, PyObject *args, PyObject *kwargs);

/* All set-up is here, so that an object is never half made. A subclass with an __init__
 * of its own may take other arguments: where ours cannot be read from them, the object
 * begins with the defaults, and super().__init__(...) says which file it is. */
static PyObject *
Database_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of_type(type);
    PyObject *given[NEW_N] = {NULL};
    opened o;
    bool ours = type->tp_init == Database_init;
    if (state == NULL) {
        return NULL;
    }
    if (parse_call(args, kwargs, given) < 0 || open_arguments(state, given, &o) < 0) {
        if (ours || !(PyErr_ExceptionMatches(PyExc_TypeError) ||
                      PyErr_ExceptionMatches(PyExc_ValueError))) {
            return NULL;
        }
        PyErr_Clear();
        PyObject *defaults[NEW_N] = {NULL};
        if (open_arguments(state, defaults, &o) < 0) {
            return NULL;
        }
    }
    py_database *self = (py_database *)type->tp_alloc(type, 0);
    if (self == NULL) {
        opened_clear(&o);
        return NULL;
    }
    self->state = state;
    self->module = Py_NewRef(PyType_GetModuleByDef(type, &py_module_def));
    self->db = o.db;
    self->path = o.path;
    self->cache = o.cache;
    self->made = ours; /* then __init__ comes with the same arguments */
    py_lifetime_add(self);
    return (PyObject *)self;
}

/* Does nothing for an object that tp_new made from the same arguments; from a subclass
 * it says, once and before the first use, what to open. */
static int
Database_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    py_database *self = (py_database *)op;
    PyObject *given[NEW_N] = {NULL};
    opened o, unused = {self->db, self->path, self->cache};
    if (self->made) {
        return 0;
    }
    if (parse_call(args, kwargs, given) < 0 ||
        open_arguments(self->state, given, &o) < 0) {
        return -1;
    }
    if (self->made || ss_db_is_connected(unused.db)) {
        opened_clear(&o);
        PyErr_SetString(self->state->ProgrammingError,
                        "SmartShopieDB.__init__() after the database was used");
        return -1;
    }
    self->made = true;
    self->db = o.db;
    self->path = o.path;
    self->cache = o.cache;
    opened_clear(&unused); /* never connected: nothing to wait for */
    return 0;
}

/* Closing may wait for a disk. A fork that is being prepared waits for it; one that is
 * prepared already holds every database that has a handle, so this one has none.
 * Databases without a handle are not counted: connecting waits for the fork and making
 * one does not, so threads that make and drop them could keep it waiting for ever. */
static void
free_db(py_database *self)
{
    if (!ss_db_has_handles(self->db)) {
        ss_db_free(self->db);
        return;
    }
    self->state->n_freeing++;
    Py_BEGIN_ALLOW_THREADS
    ss_db_free(self->db);
    Py_END_ALLOW_THREADS
    self->state->n_freeing--;
}

static void
Database_dealloc(PyObject *op)
{
    py_database *self = (py_database *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject *error_type, *error, *traceback;
    py_lifetime_remove(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    /* The exception that is under way must outlive what others do meanwhile. */
    PyErr_Fetch(&error_type, &error, &traceback);
    free_db(self);
    PyErr_Restore(error_type, error, traceback);
    py_cache_free(self->cache);
    Py_CLEAR(self->path);
    Py_CLEAR(self->version.text);
    PyObject *module = self->module;
    type->tp_free(op);
    Py_DECREF(type);
    Py_DECREF(module);
}

static PyObject *
Database_repr(PyObject *op)
{
    py_database *self = (py_database *)op;
    return PyUnicode_FromFormat("<%s %R>", Py_TYPE(op)->tp_name, self->path);
}

/* --- opening and closing -------------------------------------------------------------- */

static PyObject *
Database_connect(PyObject *op, PyObject *unused)
{
    py_database *self = (py_database *)op;
    py_call call;
    ss_error err;
    ss_status status;
    (void)unused;
    if (py_call_init(self, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_connect(self->db, &call.call, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? Py_NewRef(op) : py_raise(self->state, &err);
}

static PyObject *
Database_close(PyObject *op, PyObject *unused)
{
    py_database *self = (py_database *)op;
    py_call call;
    ss_error err;
    ss_status status;
    (void)unused;
    if (py_call_init(self, &call, NULL) < 0) {
        return NULL;
    }
    call.call.deadline_ms = 0; /* it waits for what runs, however long that may */
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_close(self->db, &call.call, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(self->state, &err);
    }
    py_cache_clear(self->cache);
    Py_RETURN_NONE;
}

static PyObject *
Database_exit(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    (void)args;
    (void)n;
    PyObject *none = Database_close(op, NULL);
    if (none == NULL) {
        return NULL;
    }
    Py_DECREF(none);
    Py_RETURN_FALSE;
}

static PyObject *
Database_cancel(PyObject *op, PyObject *unused)
{
    (void)unused;
    ss_db_cancel(((py_database *)op)->db);
    Py_RETURN_NONE;
}

/* --- free SQL ---------------------------------------------------------------------------- */

static PyObject *
query_rows(py_database *self, int table, PyObject *const *args, Py_ssize_t n,
           PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"sql", "params", "strict", "timeout", NULL};
    static const py_signature signature = {"query", names, 2, 1};
    PyObject *given[4];
    py_sqlargs a;
    (void)table;
    if (py_args_parse(&signature, args, n, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    ss_batch *batch = NULL;
    if (py_sqlargs_parse(&a, self, given[0], given[1], given[3]) == 0 &&
        py_args_bool(given[2], "strict", a.request.strict, &a.request.strict) == 0) {
        a.request.stamp = stamp;
        batch = py_sqlargs_query(&a, self);
    }
    py_sqlargs_clear(&a);
    return batch != NULL ? py_rows_new(self->state, batch) : NULL;
}

static PyObject *
Database_query(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    return py_cache_call((py_database *)op, PY_CACHE_QUERY, 0, args, n, kwnames,
                         query_rows);
}

static PyObject *
Database_execute(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"sql", "params", "timeout", NULL};
    static const py_signature signature = {"execute", names, 2, 1};
    py_database *self = (py_database *)op;
    PyObject *given[3], *result = NULL;
    ss_outcome outcome;
    py_sqlargs a;
    if (py_args_parse(&signature, args, n, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    if (py_sqlargs_parse(&a, self, given[0], given[1], given[2]) == 0 &&
        py_sqlargs_execute(&a, self, NULL, &outcome) == 0) {
        result = PyLong_FromLongLong(outcome.changed);
    }
    py_sqlargs_clear(&a);
    return result;
}

/* Rows as a list of dicts; takes the batch. */
static PyObject *
list_of_dicts(py_state *state, ss_batch *batch)
{
    PyObject *rows = py_rows_new(state, batch);
    PyObject *list = rows != NULL ? PyObject_CallMethod(rows, "to_dicts", NULL) : NULL;
    Py_XDECREF(rows);
    return list;
}

static PyObject *
Database_execute_query(PyObject *op, PyObject *const *args, Py_ssize_t n,
                       PyObject *kwnames)
{
    static const char *const names[] = {"query", "params", NULL};
    static const py_signature signature = {"execute_query", names, 2, 1};
    py_database *self = (py_database *)op;
    PyObject *given[2], *result = NULL;
    py_sqlargs a;
    bool reads;
    if (py_args_parse(&signature, args, n, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    if (py_sqlargs_parse(&a, self, given[0], given[1], NULL) == 0 &&
        py_sqlargs_reads(&a, self, &reads) == 0) {
        ss_batch *batch = NULL;
        ss_outcome outcome;
        a.request.raw = true;
        if (reads) {
            batch = py_sqlargs_query(&a, self);
        }
        else if (py_sqlargs_execute(&a, self, &batch, &outcome) < 0) {
            batch = NULL;
        }
        result = batch != NULL ? list_of_dicts(self->state, batch) : NULL;
    }
    py_sqlargs_clear(&a);
    return result;
}

static PyObject *
Database_get_cursor(PyObject *op, PyObject *unused)
{
    (void)unused;
    return py_cursor_new((py_database *)op);
}

/* --- tables --------------------------------------------------------------------------------- */

static PyObject *
Database_add(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_database *self = (py_database *)op;
    int table = n >= 1 ? py_record_table(self->state, args[0]) : -1;
    if (n != 1 || table < 0) {
        PyErr_Format(
            PyExc_TypeError,
            "add() takes one record of a table, such as OverviewKPI(...); got %s",
            n >= 1 ? Py_TYPE(args[0])->tp_name : "none");
        return NULL;
    }
    return py_write_add(self, table, "add", args, n, kwnames);
}

static PyObject *
Database_add_many(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    return py_bulk_add_many((py_database *)op, args, n, kwnames);
}

/* The newest rows of one table (of one day), as dicts of stored values. */
static PyObject *
tab_rows(py_database *self, int table, PyObject *date)
{
    static const char *const names[] = {"date", NULL};
    static const py_signature signature = {"get_all_data_for_tab", names, 1, 0};
    PyObject *args[] = {date}, *result = NULL;
    bool dated = date != NULL && date != Py_None && ss_tables[table].time_column >= 0;
    py_request r;
    if (py_request_parse(&r, self, table, false, &signature, args, dated ? 1 : 0,
                         NULL) == 0) {
        r.order[0] = (ss_order_desc){-1, true};
        r.request.order = r.order;
        r.request.n_order = 1;
        r.request.limit = dated ? -1 : TAB_ROWS;
        r.request.raw = true;
        PyObject *rows = py_request_read(&r, self);
        result = rows != NULL ? PyObject_CallMethod(rows, "to_dicts", NULL) : NULL;
        Py_XDECREF(rows);
    }
    py_request_clear(&r);
    return result;
}

static PyObject *
tab_data(py_database *self, const ss_tab_desc *tab, PyObject *date)
{
    PyObject *data = PyDict_New();
    for (int i = 0; data != NULL && i < tab->n_tables; i++) {
        PyObject *rows = tab_rows(self, tab->tables[i], date);
        if (rows == NULL ||
            PyDict_SetItemString(data, ss_tables[tab->tables[i]].name, rows) < 0) {
            Py_CLEAR(data);
        }
        Py_XDECREF(rows);
    }
    return data;
}

static PyObject *
no_such_tab(PyObject *name)
{
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    if (text == NULL) {
        return NULL;
    }
    ss_nearest search;
    ss_nearest_init(&search, text, (size_t)n);
    for (int i = 0; i < ss_n_tabs; i++) {
        ss_nearest_offer(&search, ss_tabs[i].name);
    }
    return py_raise_nearest(PyExc_ValueError, &search, "tab_name: there is no tab %R",
                            name);
}

static PyObject *
Database_tab(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"tab_name", "date", NULL};
    static const py_signature signature = {"get_all_data_for_tab", names, 2, 1};
    PyObject *given[2];
    if (py_args_parse(&signature, args, n, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(given[0])) {
        return PyErr_Format(PyExc_TypeError, "tab_name: expected str, got %s",
                            Py_TYPE(given[0])->tp_name);
    }
    for (int i = 0; i < ss_n_tabs; i++) {
        if (PyUnicode_CompareWithASCIIString(given[0], ss_tabs[i].name) == 0) {
            return tab_data((py_database *)op, &ss_tabs[i], given[1]);
        }
    }
    return no_such_tab(given[0]);
}

static PyObject *
Database_table(PyObject *op, void *closure)
{
    return py_table_new((py_database *)op, (int)(intptr_t)closure);
}

static PyObject *
Database_tables(PyObject *op, void *unused)
{
    PyObject *tables = PyDict_New();
    (void)unused;
    for (int i = 0; tables != NULL && i < ss_n_tables; i++) {
        PyObject *table = py_table_new((py_database *)op, i);
        if (table == NULL ||
            PyDict_SetItemString(tables, ss_tables[i].name, table) < 0) {
            Py_CLEAR(tables);
        }
        Py_XDECREF(table);
    }
    PyObject *proxy = tables != NULL ? PyDictProxy_New(tables) : NULL;
    Py_XDECREF(tables);
    return proxy;
}

/* --- blocks and facts ---------------------------------------------------------------------- */

static PyObject *
Database_transaction(PyObject *op, PyObject *unused)
{
    (void)unused;
    return py_transaction_new((py_database *)op);
}

static PyObject *
Database_snapshot(PyObject *op, PyObject *unused)
{
    (void)unused;
    return py_snapshot_new((py_database *)op);
}

static PyObject *
Database_db_path(PyObject *op, void *unused)
{
    (void)unused;
    return Py_NewRef(((py_database *)op)->path);
}

static PyObject *
Database_connection(PyObject *op, void *unused)
{
    (void)unused;
    return Py_NewRef(op);
}

/* --- the type ------------------------------------------------------------------------------- */

PyDoc_STRVAR(
    type_doc,
    "SmartShopieDB(path='smartshopie_dashboard.db', *, mode='rwc', durability='full',\n"
    "              readers=None, busy_timeout=5.0, timeout=None, cache=True,\n"
    "              strict=True, untrusted=False, immutable=False, db_path=None,\n"
    "              migrate=False, journal='auto')\n--\n\n"
    "The dashboard database: one SQLite file, thirty tables, typed rows.\n\n"
    "path: the file (str or os.PathLike), or ':memory:'. db_path is its old name.\n"
    "mode: 'rwc' read, write and create when missing; 'rw' not create; 'ro' only read.\n"
    "durability: what a finished write survives: 'full' a power loss, 'normal' a crash of\n"
    "the process, 'off' promises nothing.\n"
    "readers: connections for reading at the most (8).\n"
    "busy_timeout: seconds to wait for a lock, of another thread or another process.\n"
    "timeout: seconds a statement may run (None: no limit).\n"
    "cache: answers are kept and given again, the same object, as long as nothing in the\n"
    "file changed, whoever writes: True up to 64 MiB of them, a number that many bytes,\n"
    "False none.\n"
    "strict: True raises DataError for a stored cell that its type cannot hold; False\n"
    "reads it as None and lists it in rows.notes.\n"
    "untrusted: the file is a stranger's: tight limits, read only.\n"
    "immutable: nobody writes the file meanwhile (read-only media), read only.\n"
    "migrate: bring a file of an older layout up to date, after a backup beside it.\n"
    "journal: 'auto' puts new files, and ours that lost it, into WAL mode, and refuses to\n"
    "make one on a network file system; 'wal' does it there, too; 'rollback' nowhere.\n\n"
    "Nothing is opened until connect() or the first use. Any thread may use it.");

PyDoc_STRVAR(
    connect_doc,
    "connect($self, /)\n--\n\nOpen the file now and return self; does nothing when open.\n\n"
    "Raises OperationalError (the file cannot be opened), DatabaseError (it is no SQLite\n"
    "database), SchemaError (its tables are not ours).");
PyDoc_STRVAR(
    close_doc,
    "close($self, /)\n--\n\nWait for what runs, then close; results stay valid.\n\n"
    "Any later use raises ClosedError until connect().");
PyDoc_STRVAR(
    query_doc,
    "query($self, /, sql, params=(), *, strict=None, timeout=None)\n--\n\n"
    "The rows of a statement that reads.\n\n"
    "params: a sequence for ?, or a mapping for :name. Columns with a declared type are\n"
    "read as it, expressions as they are.\n"
    "Raises ProgrammingError for bad SQL and for a statement that writes.");
PyDoc_STRVAR(execute_doc,
             "execute($self, /, sql, params=(), *, timeout=None)\n--\n\n"
             "Run one statement of any kind; return how many rows it changed.\n\n"
             "Committed when it returns, or with the transaction() around it.");
PyDoc_STRVAR(
    execute_query_doc,
    "execute_query($self, /, query, params=())\n--\n\n"
    "Run one statement; its rows as dicts of the values as stored ([] when it writes).");
PyDoc_STRVAR(
    cursor_doc,
    "get_cursor($self, /)\n--\n\n"
    "A cursor for a with block: commits at its end, rolls back on an exception.");
PyDoc_STRVAR(
    tab_doc,
    "get_all_data_for_tab($self, /, tab_name, date=None)\n--\n\n"
    "The tables of one page of the dashboard: {table: [dict of stored values, ...]}.\n\n"
    "The newest 100 rows of each, or those of a day. ValueError for an unknown tab.");
PyDoc_STRVAR(
    add_doc,
    "add($self, record, /, *, on_conflict='update')\n--\n\n"
    "Add a record to its table; return the row's id. Durable when it returns.");
PyDoc_STRVAR(
    add_many_doc,
    "add_many($self, /, table, data=None, *, on_conflict='update', columns=None,\n"
    "         progress=None, commit_every=None, timeout=None)\n--\n\n"
    "Add many rows in one transaction: all of them or none. Return an AddResult with\n"
    "the numbers of rows inserted, updated and ignored.\n\n"
    "table: the name of a table and data: its rows; or records (or Rows) alone.\n"
    "A row is a dict, a record, or a tuple in the order of the record's arguments, or of\n"
    "columns=; or data is Arrow data, such as a data frame. A column that a row leaves\n"
    "out stays as it is; None is NULL. Of rows with one natural key the last wins. All\n"
    "rows are taken before anything is written.\n"
    "on_conflict: as add() does. progress: called with (rows taken, all or None).\n"
    "commit_every: commit after so many rows, for sources without an end.\n"
    "timeout: seconds for all of it, the taking of the rows included.\n\n"
    "Raises TypeError, ValueError, IntegrityError (its row: the number in data),\n"
    "SchemaError, OperationalError, DiskFullError, ClosedError.");
PyDoc_STRVAR(
    transaction_doc,
    "transaction($self, /)\n--\n\n"
    "A with block whose writes are committed together at its end, or not at all.\n\n"
    "Nests as savepoints. Reads inside see its writes; other threads' writes wait.\n"
    "It belongs to its thread: do not await or yield inside one.");
PyDoc_STRVAR(
    snapshot_doc,
    "snapshot($self, /)\n--\n\n"
    "A with block in which all reads of this thread see one state of the database.");
PyDoc_STRVAR(
    cancel_doc,
    "cancel($self, /)\n--\n\n"
    "Stop what runs on this database now, in other threads: OperationalError there.");

#define FASTCALL(f) (PyCFunction)(void (*)(void))(f)

static PyMethodDef Database_methods[] = {
    {"connect", Database_connect, METH_NOARGS, connect_doc},
    {"close", Database_close, METH_NOARGS, close_doc},
    {"__enter__", Database_connect, METH_NOARGS,
     PyDoc_STR("__enter__($self, /)\n--\n\nconnect().")},
    {"__exit__", FASTCALL(Database_exit), METH_FASTCALL,
     PyDoc_STR("__exit__($self, type=None, value=None, traceback=None, /)\n--\n\n"
               "close().")},
    {"cancel", Database_cancel, METH_NOARGS, cancel_doc},
    {"initialize_database", FASTCALL(py_initialize), METH_FASTCALL | METH_KEYWORDS,
     py_initialize_doc},
    {"migrate", FASTCALL(py_migrate), METH_FASTCALL | METH_KEYWORDS, py_migrate_doc},
    {"query", FASTCALL(Database_query), METH_FASTCALL | METH_KEYWORDS, query_doc},
    {"execute", FASTCALL(Database_execute), METH_FASTCALL | METH_KEYWORDS, execute_doc},
    {"execute_query", FASTCALL(Database_execute_query), METH_FASTCALL | METH_KEYWORDS,
     execute_query_doc},
    {"get_cursor", Database_get_cursor, METH_NOARGS, cursor_doc},
    {"get_all_data_for_tab", FASTCALL(Database_tab), METH_FASTCALL | METH_KEYWORDS,
     tab_doc},
    {"add", FASTCALL(Database_add), METH_FASTCALL | METH_KEYWORDS, add_doc},
    {"add_many", FASTCALL(Database_add_many), METH_FASTCALL | METH_KEYWORDS,
     add_many_doc},
    {"transaction", Database_transaction, METH_NOARGS, transaction_doc},
    {"snapshot", Database_snapshot, METH_NOARGS, snapshot_doc},
    {"backup", FASTCALL(py_backup), METH_FASTCALL | METH_KEYWORDS, py_backup_doc},
    {"check", (PyCFunction)(void (*)(void))py_check, METH_VARARGS | METH_KEYWORDS,
     py_check_doc},
    {"optimize", FASTCALL(py_optimize), METH_FASTCALL | METH_KEYWORDS, py_optimize_doc},
    {"stats", py_stats, METH_NOARGS, py_stats_doc},
    {"series", FASTCALL(py_figures_series), METH_FASTCALL | METH_KEYWORDS,
     py_figures_series_doc},
    {"compare", FASTCALL(py_figures_compare), METH_FASTCALL | METH_KEYWORDS,
     py_figures_compare_doc},
    {"top", FASTCALL(py_figures_top), METH_FASTCALL | METH_KEYWORDS,
     py_figures_top_doc},
    {"breakdown", FASTCALL(py_figures_breakdown), METH_FASTCALL | METH_KEYWORDS,
     py_figures_breakdown_doc},
    {NULL},
};

static PyMemberDef Database_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(py_database, weakrefs), READONLY, NULL},
    {NULL},
};

/* The fixed attributes, then one for each table. Owned by the state: a type keeps
 * pointing to its definitions. */
static PyGetSetDef *
make_getsets(void)
{
    static const PyGetSetDef fixed[] = {
        {"db_path", Database_db_path, NULL, "The path as it was given.", NULL},
        {"connection", Database_connection, NULL,
         "The database itself: there is no separate connection.", NULL},
        {"version", py_version_get, NULL,
         "A text that is the same only while the content is: for an ETag, or to ask\n"
         "whether anything changed.\n\n"
         "It changes with every commit of any process, stays over restarts (closing the\n"
         "file last may change it once), and is opaque. Read it before what it shall\n"
         "stand for; in a snapshot() it is that of the snapshot, in a transaction() it\n"
         "is a ProgrammingError.",
         NULL},
        {"tables", Database_tables, NULL, "All tables by name: a read-only mapping.",
         NULL},
    };
    enum { N_FIXED = sizeof(fixed) / sizeof(fixed[0]) };
    PyGetSetDef *all = ss_calloc((size_t)ss_n_tables + N_FIXED + 1, sizeof(*all));
    for (int i = 0; all != NULL && i < N_FIXED; i++) {
        all[i] = fixed[i];
    }
    for (int i = 0; all != NULL && i < ss_n_tables; i++) {
        all[N_FIXED + i] = (PyGetSetDef){
            .name = ss_tables[i].name,
            .get = Database_table,
            .doc = ss_tables[i].doc,
            .closure = (void *)(intptr_t)i,
        };
    }
    return all;
}

int
py_database_add_type(PyObject *module, py_state *state)
{
    state->db_getsets = make_getsets();
    if (state->db_getsets == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)(uintptr_t)type_doc},
        {Py_tp_new, Database_new},
        {Py_tp_init, Database_init},
        {Py_tp_dealloc, Database_dealloc},
        {Py_tp_repr, Database_repr},
        {Py_tp_methods, Database_methods},
        {Py_tp_members, Database_members},
        {Py_tp_getset, state->db_getsets},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "smartshopie_db.SmartShopieDB",
        .basicsize = sizeof(py_database),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = slots,
    };
    if (py_state_add_type(module, &spec, NULL, true, &state->database_type) < 0 ||
        py_methods_install(state, state->database_type) < 0) {
        return -1;
    }
    /* Only now, with the tables' methods in place. */
    state->database_type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
    PyType_Modified(state->database_type);
    return 0;
}
