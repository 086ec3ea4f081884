#include "py/write.h"

#include "base/buf.h"
#include "db/write.h"
#include "py/args.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/request.h"

static const char *const conflict_words[] = {"update", "ignore", "error", NULL};

/* --- add ------------------------------------------------------------------------------ */

typedef struct {
    py_cells cells;
    PyObject *on_conflict; /* borrowed, or NULL */
} add_args;

static const char *const add_also[] = {"on_conflict", NULL};

static int
add_keyword(add_args *a, PyObject *name, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(name, "on_conflict") == 0) {
        a->on_conflict = value;
        return 0;
    }
    return py_cells_add(&a->cells, name, value, add_also);
}

static int
add_positional(add_args *a, PyObject *const *args, Py_ssize_t n)
{
    if (n == 0) {
        return 0;
    }
    py_state *state = a->cells.state;
    if (n == 1 && py_record_check(state, args[0])) {
        return py_cells_add_record(&a->cells, args[0]);
    }
    PyErr_Format(PyExc_TypeError,
                 "%s() takes its columns by keyword, or one %s; got %s by position",
                 a->cells.function, a->cells.table->record, Py_TYPE(args[0])->tp_name);
    return -1;
}

/* All columns that must be given and were not, in one message. */
static int
check_required(const py_cells *cells)
{
    const ss_table_desc *table = cells->table;
    ss_buf missing;
    int n = 0;
    ss_buf_init(&missing);
    for (int16_t i = 0; i < table->n_columns; i++) {
        if ((table->columns[i].flags & SS_COL_REQUIRED) && !py_cells_has(cells, i)) {
            ss_buf_printf(&missing, "%s%s", n++ > 0 ? ", " : "",
                          table->columns[i].name);
        }
    }
    if (n > 0 && ss_buf_ok(&missing)) {
        PyErr_Format(PyExc_TypeError, "%s() needs %s: %s", cells->function,
                     n == 1 ? "one more column" : "more columns", missing.data);
    }
    else if (n > 0) {
        PyErr_NoMemory();
    }
    ss_buf_free(&missing);
    return n > 0 ? -1 : 0;
}

/* A column that cannot be NULL was given None: said here with the argument's name. */
static int
check_not_null(const py_cells *cells)
{
    for (int i = 0; i < cells->n; i++) {
        const ss_column_desc *column = &cells->table->columns[cells->cells[i].column];
        bool needed = (column->flags & (SS_COL_REQUIRED | SS_COL_KEY)) != 0;
        if (needed && cells->cells[i].value.tag == SS_VALUE_NULL) {
            PyErr_Format(PyExc_TypeError, "%s(): %s cannot be None", cells->function,
                         column->name);
            return -1;
        }
    }
    return 0;
}

static PyObject *
run_add(py_database *db, int table, const py_cells *cells, int conflict)
{
    py_call call;
    ss_error err;
    ss_status status;
    int64_t id = 0;
    if (py_call_init(db, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_add(db->db, &call.call, table, cells->cells, cells->n,
                       (ss_conflict)conflict, &id, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? PyLong_FromLongLong(id) : py_raise(db->state, &err);
}

PyObject *
py_write_add(py_database *db, int table, const char *function, PyObject *const *args,
             Py_ssize_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS((size_t)nargsf);
    Py_ssize_t n_keywords = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    PyObject *result = NULL;
    add_args a = {.on_conflict = NULL};
    int conflict;
    py_cells_init(&a.cells, db->state, table, function);
    int rc = add_positional(&a, args, n);
    for (Py_ssize_t i = 0; rc == 0 && i < n_keywords; i++) {
        rc = add_keyword(&a, PyTuple_GET_ITEM(kwnames, i), args[n + i]);
    }
    if (rc == 0 && check_required(&a.cells) == 0 && check_not_null(&a.cells) == 0 &&
        py_args_word(a.on_conflict, "on_conflict", conflict_words, &conflict) == 0) {
        result = run_add(db, table, &a.cells, conflict);
    }
    py_cells_clear(&a.cells);
    return result;
}

/* --- insert_* ----------------------------------------------------------------------------- */

/* The old signature's names, for py_args_parse. */
static py_signature
insert_signature(const ss_table_desc *table, const char **names)
{
    for (int i = 0; i < table->n_insert_args; i++) {
        names[i] = table->columns[table->insert_args[i]].name;
    }
    names[table->n_insert_args] = NULL;
    return (py_signature){
        .function = table->insert_name,
        .names = names,
        .n_positional = table->n_insert_args,
        .n_required = table->n_insert_args,
    };
}

PyObject *
py_write_insert(py_database *db, int table, PyObject *const *args, Py_ssize_t nargsf,
                PyObject *kwnames)
{
    const ss_table_desc *desc = &ss_tables[table];
    const char *names[SS_MAX_COLUMNS + 1];
    PyObject *given[SS_MAX_COLUMNS + 1];
    py_signature signature = insert_signature(desc, names);
    PyObject *id = NULL;
    py_cells cells;
    py_cells_init(&cells, db->state, table, desc->insert_name);
    int rc = py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL);
    for (int i = 0; rc == 0 && i < desc->n_insert_args; i++) {
        rc = py_cells_add_column(&cells, desc->insert_args[i], given[i]);
    }
    if (rc == 0 && check_not_null(&cells) == 0) {
        id = run_add(db, table, &cells, SS_CONFLICT_UPDATE);
    }
    py_cells_clear(&cells);
    if (id == NULL) {
        return NULL;
    }
    Py_DECREF(id);
    Py_RETURN_NONE;
}

/* --- update, delete ------------------------------------------------------------------------- */

/* Which rows: an id, or a mapping of column values. */
static int
parse_where(py_cells *where, PyObject *obj)
{
    if (PyIndex_Check(obj) && !PyBool_Check(obj)) {
        return py_cells_add_column(where, 0, obj);
    }
    if (obj == Py_None || PyUnicode_Check(obj) || !PyMapping_Check(obj) ||
        !PyObject_HasAttrString(obj, "items")) {
        PyErr_Format(PyExc_TypeError,
                     "%s(): expected a row id or a mapping of column values, got %s",
                     where->function, Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (py_cells_add_mapping(where, obj) < 0) {
        return -1;
    }
    if (where->n == 0) {
        PyErr_Format(PyExc_ValueError,
                     "%s(): an empty condition would mean every row%s", where->function,
                     where->function[0] == 'd' ? "; say all=True if you do" : "");
        return -1;
    }
    return 0;
}

static PyObject *
run_update(py_database *db, int table, const py_cells *changes, const py_cells *where)
{
    py_call call;
    ss_error err;
    ss_status status;
    int64_t n = 0;
    if (py_call_init(db, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_update(db->db, &call.call, table, changes->cells, changes->n,
                          where->cells, where->n, &n, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? PyLong_FromLongLong(n) : py_raise(db->state, &err);
}

PyObject *
py_write_update(py_database *db, int table, PyObject *const *args, Py_ssize_t nargsf,
                PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS((size_t)nargsf);
    Py_ssize_t n_keywords = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    PyObject *result = NULL;
    py_cells where, changes;
    if (n != 1) {
        PyErr_SetString(
            PyExc_TypeError,
            "update() takes a row id or a mapping of column values, then the "
            "changes as keywords");
        return NULL;
    }
    py_cells_init(&where, db->state, table, "update");
    py_cells_init(&changes, db->state, table, "update");
    int rc = parse_where(&where, args[0]);
    for (Py_ssize_t i = 0; rc == 0 && i < n_keywords; i++) {
        rc = py_cells_add(&changes, PyTuple_GET_ITEM(kwnames, i), args[n + i], NULL);
    }
    if (rc == 0 && changes.n == 0) {
        PyErr_SetString(PyExc_TypeError, "update() needs at least one change");
        rc = -1;
    }
    if (rc == 0 && check_not_null(&changes) == 0) {
        result = run_update(db, table, &changes, &where);
    }
    py_cells_clear(&where);
    py_cells_clear(&changes);
    return result;
}

static PyObject *
run_delete(py_database *db, int table, const py_cells *where)
{
    py_call call;
    ss_error err;
    ss_status status;
    int64_t n = 0;
    if (py_call_init(db, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_delete(db->db, &call.call, table, where->cells, where->n, &n, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? PyLong_FromLongLong(n) : py_raise(db->state, &err);
}

PyObject *
py_write_delete(py_database *db, int table, PyObject *const *args, Py_ssize_t nargsf,
                PyObject *kwnames)
{
    static const char *const names[] = {"where", "all", NULL};
    static const py_signature signature = {"delete", names, 1, 0};
    PyObject *given[2], *result = NULL;
    py_cells where;
    bool all;
    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0 ||
        py_args_bool(given[1], "all", false, &all) < 0) {
        return NULL;
    }
    if ((given[0] == NULL) != all) {
        PyErr_SetString(
            all ? PyExc_TypeError : PyExc_ValueError,
            all ? "delete(): all=True and a condition contradict each other"
                : "delete() needs a row id or a condition; all=True deletes "
                  "every row");
        return NULL;
    }
    py_cells_init(&where, db->state, table, "delete");
    if (all || parse_where(&where, given[0]) == 0) {
        result = run_delete(db, table, &where);
    }
    py_cells_clear(&where);
    return result;
}
