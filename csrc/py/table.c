#include "py/table.h"

#include "py/args.h"
#include "py/cache.h"
#include "py/bulk.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/request.h"
#include "py/types.h"
#include "py/value.h"
#include "py/write.h"

typedef struct {
    PyObject_HEAD
    py_database *db; /* owned */
    int table;
} py_table;

PyObject *
py_table_new(py_database *db, int table)
{
    PyTypeObject *type = db->state->table_type;
    py_table *self = (py_table *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->db = (py_database *)Py_NewRef(db);
    self->table = table;
    return (PyObject *)self;
}

int
py_table_named(py_state *state, PyObject *obj, const char *function)
{
    if (Py_IS_TYPE(obj, state->table_type)) {
        return ((py_table *)obj)->table;
    }
    if (!PyUnicode_Check(obj)) {
        PyErr_Format(PyExc_TypeError,
                     "%s(): table: expected a table's name as str, got %s", function,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    const char *name = PyUnicode_AsUTF8AndSize(obj, &n);
    int table = name != NULL ? ss_catalog_table(name, (size_t)n) : -1;
    if (name != NULL && table < 0) {
        ss_nearest search;
        ss_nearest_init(&search, name, (size_t)n);
        for (int i = 0; i < ss_n_tables; i++) {
            ss_nearest_offer(&search, ss_tables[i].name);
        }
        py_raise_nearest(PyExc_ValueError, &search, "%s(): there is no table '%s'",
                         function, name);
    }
    return table;
}

static void
Table_dealloc(PyObject *op)
{
    py_table *self = (py_table *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(self->db);
    type->tp_free(op);
    Py_DECREF(type);
}

static int
Table_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((py_table *)op)->db);
    return 0;
}

/* --- reading ------------------------------------------------------------------------- */

static PyObject *
select_rows(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
            PyObject *kwnames, ss_stamp *stamp)
{
    static const py_signature signature = {"select", py_request_names, 0, 0};
    PyObject *result = NULL;
    py_request request;
    if (py_request_parse(&request, db, table, false, &signature, args, n, kwnames) ==
        0) {
        request.request.stamp = stamp;
        result = py_request_read(&request, db);
    }
    py_request_clear(&request);
    return result;
}

static PyObject *
Table_select(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_cache_call(self->db, PY_CACHE_SELECT, self->table, args, n, kwnames,
                         select_rows);
}

/* The first record of a request that can give one row at most, or None. */
static PyObject *
read_one(py_request *request, py_database *db)
{
    PyObject *rows = py_request_read(request, db);
    if (rows == NULL) {
        return NULL;
    }
    PyObject *record =
        PySequence_Size(rows) > 0 ? PySequence_GetItem(rows, 0) : Py_NewRef(Py_None);
    Py_DECREF(rows);
    return record;
}

static PyObject *
get_by_id(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
          PyObject *kwnames, ss_stamp *stamp)
{
    static const py_signature signature = {"get", py_request_names, 0, 0};
    PyObject *id = args[0], *result = NULL;
    py_request request;
    (void)n;
    if (!PyIndex_Check(id) || PyBool_Check(id)) {
        return PyErr_Format(PyExc_TypeError, "get(): expected a row id as int, got %s",
                            Py_TYPE(id)->tp_name);
    }
    if (py_request_parse(&request, db, table, false, &signature, NULL, 0, kwnames) ==
            0 &&
        py_cells_add_column(&request.filters, 0, id) == 0) {
        request.request.n_filters = request.filters.n;
        request.request.stamp = stamp;
        result = read_one(&request, db);
    }
    py_request_clear(&request);
    return result;
}

static PyObject *
Table_get(PyObject *op, PyObject *id)
{
    py_table *self = (py_table *)op;
    return py_cache_call(self->db, PY_CACHE_GET, self->table, &id, 1, NULL, get_by_id);
}

/* Newest first by time (by id where the table has none), one row. */
static PyObject *
get_latest(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
           PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"date", NULL};
    static const py_signature signature = {"latest", names, 1, 0};
    PyObject *result = NULL;
    py_request request;
    if (py_request_parse(&request, db, table, false, &signature, args, n, kwnames) ==
        0) {
        int16_t time_column = ss_tables[table].time_column;
        request.order[0] = (ss_order_desc){time_column, true};
        request.order[1] = (ss_order_desc){-1, true};
        request.request.order = time_column >= 0 ? request.order : request.order + 1;
        request.request.n_order = time_column >= 0 ? 2 : 1;
        request.request.limit = 1;
        request.request.paged = false;
        request.request.stamp = stamp;
        result = read_one(&request, db);
    }
    py_request_clear(&request);
    return result;
}

static PyObject *
Table_latest(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_cache_call(self->db, PY_CACHE_LATEST, self->table, args, n, kwnames,
                         get_latest);
}

static PyObject *
count_rows(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
           PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"date",  "start",   "end", "period",
                                        "as_of", "timeout", NULL};
    static const py_signature signature = {"count", names, 0, 0};
    PyObject *result = NULL;
    py_request request;
    if (py_request_parse(&request, db, table, false, &signature, args, n, kwnames) ==
        0) {
        request.request.stamp = stamp;
        result = py_request_count(&request, db);
    }
    py_request_clear(&request);
    return result;
}

static PyObject *
Table_count(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_cache_call(self->db, PY_CACHE_COUNT, self->table, args, n, kwnames,
                         count_rows);
}

/* --- writing --------------------------------------------------------------------------- */

static PyObject *
Table_add(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_write_add(self->db, self->table, "add", args, n, kwnames);
}

static PyObject *
Table_add_many(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_bulk_table_add_many(self->db, self->table, args, n, kwnames);
}

static PyObject *
Table_update(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_write_update(self->db, self->table, args, n, kwnames);
}

static PyObject *
Table_delete(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    py_table *self = (py_table *)op;
    return py_write_delete(self->db, self->table, args, n, kwnames);
}

/* --- what it is --------------------------------------------------------------------------- */

static PyObject *
Table_name(PyObject *op, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(ss_tables[((py_table *)op)->table].name);
}

static PyObject *
Table_description(PyObject *op, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(ss_tables[((py_table *)op)->table].doc);
}

static PyObject *
Table_shape(PyObject *op, void *unused)
{
    static const char *const words[] = {
        [SS_SHAPE_ONE] = "one",         [SS_SHAPE_SET] = "set",
        [SS_SHAPE_HISTORY] = "history", [SS_SHAPE_EVENTS] = "events",
        [SS_SHAPE_ALL] = "all",
    };
    (void)unused;
    return PyUnicode_FromString(words[ss_tables[((py_table *)op)->table].shape]);
}

static PyObject *
Table_time_column(PyObject *op, void *unused)
{
    const ss_table_desc *table = &ss_tables[((py_table *)op)->table];
    (void)unused;
    if (table->time_column < 0) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(table->columns[table->time_column].name);
}

static PyObject *
Table_record(PyObject *op, void *unused)
{
    py_table *self = (py_table *)op;
    (void)unused;
    return Py_NewRef(self->db->state->record_types[self->table]);
}

static PyObject *
column_schema(const ss_column_desc *column)
{
    return Py_BuildValue("{s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:O, s:O}", "name",
                         column->name, "type", ss_kind_name((ss_kind)column->kind),
                         "unit", column->unit, "description", column->doc, "range",
                         column->range, "aggregate", column->aggregate, "key",
                         column->flags & SS_COL_KEY ? Py_True : Py_False, "required",
                         column->flags & SS_COL_REQUIRED ? Py_True : Py_False, "secret",
                         column->flags & SS_COL_SECRET ? Py_True : Py_False);
}

static PyObject *
Table_schema(PyObject *op, void *unused)
{
    const ss_table_desc *table = &ss_tables[((py_table *)op)->table];
    (void)unused;
    PyObject *schema = PyTuple_New(table->n_columns);
    for (int i = 0; schema != NULL && i < table->n_columns; i++) {
        PyObject *column = column_schema(&table->columns[i]);
        if (column == NULL) {
            Py_CLEAR(schema);
            break;
        }
        PyTuple_SET_ITEM(schema, i, column);
    }
    return schema;
}

static PyObject *
Table_repr(PyObject *op)
{
    py_table *self = (py_table *)op;
    return PyUnicode_FromFormat("<Table %s of %R>", ss_tables[self->table].name,
                                self->db->path);
}

static PyObject *
Table_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || Py_TYPE(a) != Py_TYPE(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    py_table *x = (py_table *)a, *y = (py_table *)b;
    bool equal = x->db == y->db && x->table == y->table;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t
Table_hash(PyObject *op)
{
    py_table *self = (py_table *)op;
    Py_hash_t hash = (Py_hash_t)((uintptr_t)self->db >> 4) * 31 + self->table;
    return hash == -1 ? -2 : hash;
}

PyDoc_STRVAR(
    select_doc,
    "select($self, /, *, date=None, start=None, end=None, period=None, as_of=None,\n"
    "       limit=None, offset=0, after=None, order_by=None, columns=None, strict=None,\n"
    "       timeout=None, **filters)\n--\n\n"
    "The rows that match, by id; all of them when nothing is asked for.\n\n"
    "filters: column=value keeps the rows equal to it (None: those without a value).\n"
    "date, start, end, period, as_of: a window of the time column, ends inclusive.\n"
    "order_by: a column or several, descending with a leading '-'.\n"
    "limit, after: a page, and the next_token of the page before it, given with the same\n"
    "other arguments: no row comes twice and none is missed, whatever is added meanwhile.\n"
    "columns: which to read; the rows are then Row, not the table's record type.\n"
    "timeout: seconds the reading may take.\n\n"
    "Raises TypeError, ValueError, DataError, OperationalError, ClosedError.");

PyDoc_STRVAR(get_doc, "get($self, id, /)\n--\n\nThe record with this id, or None.");

PyDoc_STRVAR(latest_doc, "latest($self, /, date=None)\n--\n\n"
                         "The newest record by time, of all or of one day, or None.");

PyDoc_STRVAR(
    count_doc,
    "count($self, /, *, date=None, start=None, end=None, period=None, as_of=None,\n"
    "      timeout=None, **filters)\n--\n\nHow many rows match.");

PyDoc_STRVAR(
    add_doc,
    "add($self, record=..., /, *, on_conflict='update', **columns)\n--\n\n"
    "Add one row, by keywords or as a record; return its id. Durable when it returns.\n\n"
    "on_conflict: what to do when a row with the natural key is there: \"update\" the\n"
    "columns given, \"ignore\", or raise an IntegrityError (\"error\").");

PyDoc_STRVAR(
    add_many_doc,
    "add_many($self, /, data, *, on_conflict='update', columns=None, progress=None,\n"
    "         commit_every=None, timeout=None)\n--\n\n"
    "Add many rows in one transaction; see SmartShopieDB.add_many().");

PyDoc_STRVAR(
    update_doc,
    "update($self, where, /, **changes)\n--\n\n"
    "Change columns of the row with this id, or of the rows that match a mapping of\n"
    "column values; return how many rows there were.");

PyDoc_STRVAR(
    delete_doc,
    "delete($self, where=..., /, *, all=False)\n--\n\n"
    "Delete the row with this id, or the rows that match a mapping of column values;\n"
    "all=True alone deletes every row. Return how many there were.");

static PyMethodDef Table_methods[] = {
    {"select", (PyCFunction)(void (*)(void))Table_select, METH_FASTCALL | METH_KEYWORDS,
     select_doc},
    {"get", Table_get, METH_O, get_doc},
    {"latest", (PyCFunction)(void (*)(void))Table_latest, METH_FASTCALL | METH_KEYWORDS,
     latest_doc},
    {"count", (PyCFunction)(void (*)(void))Table_count, METH_FASTCALL | METH_KEYWORDS,
     count_doc},
    {"add", (PyCFunction)(void (*)(void))Table_add, METH_FASTCALL | METH_KEYWORDS,
     add_doc},
    {"add_many", (PyCFunction)(void (*)(void))Table_add_many,
     METH_FASTCALL | METH_KEYWORDS, add_many_doc},
    {"update", (PyCFunction)(void (*)(void))Table_update, METH_FASTCALL | METH_KEYWORDS,
     update_doc},
    {"delete", (PyCFunction)(void (*)(void))Table_delete, METH_FASTCALL | METH_KEYWORDS,
     delete_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     PyDoc_STR("__class_getitem__($type, item, /)\n--\n\nFor type hints: "
               "Table[OverviewKPI].")},
    {NULL},
};

static PyObject *
Table_step(PyObject *op, void *unused)
{
    const ss_table_desc *table = &ss_tables[((py_table *)op)->table];
    (void)unused;
    if (table->time_column < 0 ||
        table->columns[table->time_column].kind != SS_KIND_DATE) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(table->step == SS_EVERY_MONTH ? "month" : "day");
}

static PyGetSetDef Table_getset[] = {
    {"name", Table_name, NULL, PyDoc_STR("The table's name."), NULL},
    {"description", Table_description, NULL, PyDoc_STR("What one row means."), NULL},
    {"shape", Table_shape, NULL,
     PyDoc_STR(
         "How its getter answers: 'one' (a row for each time), 'set' (some rows for\n"
         "each time), 'history', 'events' (newest first) or 'all'."),
     NULL},
    {"time_column", Table_time_column, NULL,
     PyDoc_STR("The column that start=, end= and period= select by, or None."), NULL},
    {"step", Table_step, NULL,
     PyDoc_STR(
         "How long one row counts: 'day', or 'month' from the day it names; None\n"
         "where the time is an instant and where there is none."),
     NULL},
    {"record", Table_record, NULL, PyDoc_STR("The type of its records."), NULL},
    {"schema", Table_schema, NULL,
     PyDoc_STR("What is known of its columns: a tuple of dicts with name, type, unit,\n"
               "description, range, aggregate, key, required and secret."),
     NULL},
    {NULL},
};

static PyType_Slot Table_slots[] = {
    {Py_tp_doc, "One table of an open database."},
    {Py_tp_dealloc, Table_dealloc},
    {Py_tp_traverse, Table_traverse},
    {Py_tp_repr, Table_repr},
    {Py_tp_richcompare, Table_richcompare},
    {Py_tp_hash, Table_hash},
    {Py_tp_methods, Table_methods},
    {Py_tp_getset, Table_getset},
    {0, NULL},
};

static PyType_Spec Table_spec = {
    .name = "smartshopie_db.Table",
    .basicsize = sizeof(py_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = Table_slots,
};

int
py_table_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &Table_spec, NULL, true, &state->table_type);
}
