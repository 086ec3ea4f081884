/* py/model: the thirty record types.
 *
 * Each is made from its table's descriptor when the module is imported: an attribute
 * per column (a getset whose closure is the column's number), a constructor, names for
 * `match`, and a docstring whose first line inspect.signature() understands.  The
 * getsets live as long as the module's state.  All set-up is in tp_new; there is
 * nothing for __init__ to do, once or twice.
 */
#include "py/model.h"

#include "base/buf.h"
#include "base/mem.h"
#include "columns/batch.h"
#include "py/cells.h"
#include "py/raise.h"
#include "py/record.h"
#include "py/shape.h"
#include "py/value.h"

#include <string.h> // strlen()

/* ---- a record from cells ---- */

static const ss_value *
value_of(const py_cells *cells, int column)
{
    static const ss_value null = {.tag = SS_VALUE_NULL};

    for (int i = 0; i < cells->n; i++) {
        if (cells->cells[i].column == column) {
            return &cells->cells[i].value;
        }
    }
    return &null;
}

/* A finished batch of that one row. New reference. */
static ss_batch *
batch_of(const py_cells *cells)
{
    const ss_table_desc *table = cells->table;
    int16_t map[SS_MAX_COLUMNS];
    ss_batch *batch = NULL;
    ss_error err;

    ss_error_init(&err);
    for (int c = 0; c < table->n_columns; c++) {
        map[c] = (int16_t)c;
    }
    if (ss_batch_new_table(table, map, table->n_columns, 1, &batch, &err) != SS_OK) {
        py_raise(cells->state, &err);
        return NULL;
    }
    for (int c = 0; c < table->n_columns; c++) {
        ss_status rc = ss_batch_put(batch, c, value_of(cells, c));
        if (rc != SS_OK) {
            py_raise_format(cells->state, (ss_code)rc, "%s: the value cannot be kept",
                            table->columns[c].name);
            ss_batch_release(batch);
            return NULL;
        }
    }
    ss_batch_row_done(batch);
    ss_batch_finish(batch);
    return batch;
}

static PyObject *
record_of(const py_cells *cells)
{
    ss_batch *batch = batch_of(cells);

    if (batch == NULL) {
        return NULL;
    }
    PyObject *record = py_record_new(cells->state, batch, 0, NULL);
    if (record != NULL) {
        uint64_t given = 0;
        for (int i = 0; i < cells->n; i++) {
            given |= UINT64_C(1) << cells->cells[i].column;
        }
        ((py_record *)record)->given = given;
    }
    ss_batch_release(batch);
    return record;
}

/* ---- the constructor ---- */

/* The table whose record type this is. */
static int
table_of_type(const py_state *state, const PyTypeObject *type)
{
    int t = 0;

    while (state->record_types[t] != type) {
        t++;
    }
    return t;
}

static int
set_positional(py_cells *cells, PyObject *args)
{
    const ss_table_desc *table = cells->table;
    Py_ssize_t n = PyTuple_GET_SIZE(args);

    if (n > table->n_positional) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes at most %d positional arguments (%zd given)",
                     table->record, (int)table->n_positional, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value = PyTuple_GET_ITEM(args, i);
        if (py_cells_add_column(cells, table->positional[i], value) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
set_keywords(py_cells *cells, PyObject *kwargs)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;

    while (kwargs != NULL && PyDict_Next(kwargs, &at, &name, &value)) {
        if (py_cells_add(cells, name, value, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
Model_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    py_state *state = PyType_GetModuleState(type);
    PyObject *record = NULL;
    py_cells cells;

    if (state == NULL) {
        return NULL;
    }
    int table = table_of_type(state, type);
    py_cells_init(&cells, state, table, ss_tables[table].record);
    if (set_positional(&cells, args) == 0 && set_keywords(&cells, kwargs) == 0) {
        record = record_of(&cells);
    }
    py_cells_clear(&cells);
    return record;
}

/* ---- attributes ---- */

static PyObject *
Model_attribute(PyObject *op, void *closure)
{
    py_record *self = (py_record *)op;
    const ss_column *column = &self->batch->columns[(uintptr_t)closure];

    return py_column_cell(self->state, column, self->row);
}

/* The getsets of a table, ended by an empty one. */
static void
fill_getsets(const ss_table_desc *table, PyGetSetDef *out)
{
    for (int c = 0; c < table->n_columns; c++) {
        const ss_column_desc *column = &table->columns[c];
        out[c] = (PyGetSetDef){
            .name = column->name,
            .get = Model_attribute,
            .doc = column->doc,
            .closure = (void *)(uintptr_t)c,
        };
    }
    out[table->n_columns] = (PyGetSetDef){.name = NULL};
}

/* ---- the docstring ---- */

static uint64_t
positional_mask(const ss_table_desc *table)
{
    uint64_t mask = 0;

    for (int i = 0; i < table->n_positional; i++) {
        mask |= UINT64_C(1) << table->positional[i];
    }
    return mask;
}

/* `Name(a=None, ..., *, id=None, ...)`, which inspect.signature() reads. */
static void
write_signature(ss_buf *doc, const ss_table_desc *table)
{
    uint64_t positional = positional_mask(table);
    const char *separator = "";

    ss_buf_printf(doc, "%s(", table->record);
    for (int i = 0; i < table->n_positional; i++) {
        const char *name = table->columns[table->positional[i]].name;
        ss_buf_printf(doc, "%s%s=None", separator, name);
        separator = ", ";
    }
    bool star = false;
    for (int c = 0; c < table->n_columns; c++) {
        if (!(positional >> c & 1)) {
            ss_buf_printf(doc, "%s%s%s=None", separator, star ? "" : "*, ",
                          table->columns[c].name);
            separator = ", ";
            star = true;
        }
    }
    ss_buf_puts(doc, ")\n--\n\n");
}

static void
write_column_doc(ss_buf *doc, const ss_column_desc *column)
{
    ss_buf_printf(doc, "\n%s: %s", column->name, ss_kind_name(column->kind));
    if (column->unit[0] != '\0') {
        ss_buf_printf(doc, ", %s", column->unit);
    }
    if (column->range[0] != '\0') {
        ss_buf_printf(doc, ", %s", column->range);
    }
    ss_buf_printf(doc, "\n    %s", column->doc);
}

static void
write_doc(ss_buf *doc, const ss_table_desc *table)
{
    write_signature(doc, table);
    ss_buf_printf(doc, "A row of %s. %s\n", table->name, table->doc);
    for (int c = 0; c < table->n_columns; c++) {
        write_column_doc(doc, &table->columns[c]);
    }
}

/* ---- the types ---- */

static PyObject *
positional_names(PyObject *shape, const ss_table_desc *table)
{
    PyObject *names = PyTuple_New(table->n_positional);

    for (int i = 0; names != NULL && i < table->n_positional; i++) {
        PyObject *all = py_shape_names(shape);
        PyTuple_SET_ITEM(names, i,
                         Py_NewRef(PyTuple_GET_ITEM(all, table->positional[i])));
    }
    return names;
}

/* The class attributes that are no slots. The type is immutable but nobody has seen it
 * yet. */
static int
add_class_attributes(PyTypeObject *type, PyObject *shape, const ss_table_desc *table)
{
    PyObject *names = positional_names(shape, table);
    int rc = -1;

    if (names != NULL &&
        PyDict_SetItemString(type->tp_dict, "__match_args__", names) == 0 &&
        PyDict_SetItemString(type->tp_dict, "_fields", py_shape_names(shape)) == 0) {
        PyType_Modified(type);
        rc = 0;
    }
    Py_XDECREF(names);
    return rc;
}

static PyTypeObject *
make_type(PyObject *module, py_state *state, const ss_table_desc *table,
          PyGetSetDef *getsets, ss_buf *doc)
{
    char name[80];
    PyTypeObject *type = NULL;

    ss_buf_clear(doc);
    write_doc(doc, table);
    if (!ss_buf_ok(doc)) {
        PyErr_NoMemory();
        return NULL;
    }
    PyOS_snprintf(name, sizeof(name), "smartshopie_db.%s", table->record);
    PyType_Slot slots[] = {
        {Py_tp_doc, doc->data},
        {Py_tp_new, Model_new},
        {Py_tp_dealloc, py_record_dealloc},
        {Py_tp_getset, getsets},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(py_record),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MAPPING,
        .slots = slots,
    };
    if (py_state_add_type(module, &spec, state->record_type, true, &type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static int
add_model(PyObject *module, py_state *state, int t, PyGetSetDef *getsets, ss_buf *doc)
{
    const ss_table_desc *table = &ss_tables[t];
    const char *names[SS_MAX_COLUMNS];

    if (table->n_columns > SS_MAX_COLUMNS) {
        PyErr_Format(PyExc_SystemError, "%s has too many columns", table->name);
        return -1;
    }
    for (int c = 0; c < table->n_columns; c++) {
        names[c] = table->columns[c].name;
    }
    state->shapes[t] = py_shape_new(names, table->n_columns);
    if (state->shapes[t] == NULL) {
        return -1;
    }
    fill_getsets(table, getsets);
    state->record_types[t] = make_type(module, state, table, getsets, doc);
    if (state->record_types[t] == NULL) {
        return -1;
    }
    return add_class_attributes(state->record_types[t], state->shapes[t], table);
}

static int
allocate(py_state *state)
{
    size_t n_getsets = 0, n = (size_t)ss_n_tables;

    for (int t = 0; t < ss_n_tables; t++) {
        n_getsets += (size_t)ss_tables[t].n_columns + 1;
    }
    state->record_types = ss_calloc(n, sizeof(*state->record_types));
    state->shapes = ss_calloc(n, sizeof(*state->shapes));
    state->getsets = ss_calloc(n_getsets, sizeof(*state->getsets));
    if (state->record_types == NULL || state->shapes == NULL ||
        state->getsets == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
py_model_add_types(PyObject *module, py_state *state)
{
    ss_buf doc;
    int rc = 0;

    if (allocate(state) < 0) {
        return -1;
    }
    ss_buf_init(&doc);
    PyGetSetDef *getsets = state->getsets;
    for (int t = 0; t < ss_n_tables && rc == 0; t++) {
        rc = add_model(module, state, t, getsets, &doc);
        getsets += ss_tables[t].n_columns + 1;
    }
    ss_buf_free(&doc);
    return rc;
}
