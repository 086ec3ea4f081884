#include "py/cells.h"

#include "base/nearest.h"
#include "columns/batch.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/shape.h"
#include "py/value.h"

/* --- columns by name ---------------------------------------------------------------- */

int
py_cells_no_column(const ss_table_desc *table, const char *name, size_t n,
                   const char *function, const char *const *also)
{
    ss_nearest search;
    ss_nearest_init(&search, name, n);
    for (int i = 0; i < table->n_columns; i++) {
        ss_nearest_offer(&search, table->columns[i].name);
    }
    for (int i = 0; also != NULL && also[i] != NULL; i++) {
        ss_nearest_offer(&search, also[i]);
    }
    py_raise_nearest(PyExc_TypeError, &search,
                     also != NULL ? "%s() has no argument and %s no column '%s'"
                                  : "%s(): %s has no column '%s'",
                     function, table->name, name);
    return -1;
}

int
py_column_index(const ss_table_desc *table, PyObject *name, const char *function,
                const char *const *also)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "%s(): expected a column name as str, got %s",
                     function, Py_TYPE(name)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    if (text == NULL) {
        return -1;
    }
    int column = ss_catalog_column(table, text, (size_t)n);
    return column >= 0 ? column
                       : py_cells_no_column(table, text, (size_t)n, function, also);
}

/* --- cells ----------------------------------------------------------------------------- */

void
py_cells_init(py_cells *cells, py_state *state, int table, const char *function)
{
    cells->state = state;
    cells->table = &ss_tables[table];
    cells->function = function;
    cells->n = 0;
}

void
py_cells_clear(py_cells *cells)
{
    for (int i = 0; i < cells->n; i++) {
        Py_CLEAR(cells->keep[i]);
    }
    cells->n = 0;
}

bool
py_cells_has(const py_cells *cells, int16_t column)
{
    for (int i = 0; i < cells->n; i++) {
        if (cells->cells[i].column == column) {
            return true;
        }
    }
    return false;
}

int
py_cells_add_column(py_cells *cells, int16_t column, PyObject *value)
{
    const ss_column_desc *desc = &cells->table->columns[column];
    if (py_cells_has(cells, column)) {
        PyErr_Format(PyExc_TypeError, "%s(): %s was given twice", cells->function,
                     desc->name);
        return -1;
    }
    ss_value cell;
    PyObject *keep = NULL;
    if (py_value_from_object(cells->state, value, (ss_kind)desc->kind, desc->name,
                             &cell, &keep) < 0) {
        return -1;
    }
    cells->cells[cells->n].column = column;
    cells->cells[cells->n].value = cell;
    cells->keep[cells->n++] = keep;
    return 0;
}

/* A keyword of the source text is interned, and so are the names of a shape: then it is
 * found by identity. */
int
py_cells_add(py_cells *cells, PyObject *name, PyObject *value, const char *const *also)
{
    int column = -1;
    if (PyUnicode_CheckExact(name)) {
        column = py_shape_find(cells->state->shapes[cells->table - ss_tables], name);
    }
    if (column == -1) {
        column = py_column_index(cells->table, name, cells->function, also);
    }
    return column < 0 ? -1 : py_cells_add_column(cells, (int16_t)column, value);
}

int
py_cells_rest(void *arg, PyObject *name, PyObject *value)
{
    return py_cells_add(arg, name, value, NULL);
}

int
py_cells_add_mapping(py_cells *cells, PyObject *mapping)
{
    PyObject *items = PyMapping_Items(mapping);
    if (items == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
            PyErr_Format(PyExc_TypeError, "%s(): items() gave no (name, value) pairs",
                         cells->function);
            rc = -1;
            break;
        }
        rc = py_cells_add(cells, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1),
                          NULL);
    }
    Py_DECREF(items);
    return rc;
}

int
py_cells_add_record(py_cells *cells, PyObject *record)
{
    int64_t row;
    uint64_t given;
    const ss_batch *batch = py_record_batch(record, &row, &given);
    if (batch->table != cells->table || !batch->whole) {
        PyErr_Format(PyExc_TypeError, "%s(): expected a %s, got a %s", cells->function,
                     cells->table->record, Py_TYPE(record)->tp_name);
        return -1;
    }
    for (int16_t i = 0; i < batch->n_columns; i++) {
        /* The id of a row that was read names that row, not the one to write. */
        if (!((given >> i) & 1) || (i == 0 && given == PY_RECORD_ALL)) {
            continue;
        }
        ss_filter *cell = &cells->cells[cells->n];
        cell->column = i;
        ss_column_get(&batch->columns[i], row, &cell->value);
        cells->keep[cells->n++] = Py_NewRef(record);
    }
    return 0;
}
