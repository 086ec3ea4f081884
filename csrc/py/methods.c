#include "py/methods.h"

#include "base/buf.h"
#include "py/cache.h"
#include "py/raise.h"
#include "py/request.h"
#include "py/types.h"
#include "py/write.h"

#include <structmember.h> // PyMemberDef, T_PYSSIZET

typedef enum { METHOD_GET, METHOD_ADD, METHOD_INSERT } method_kind;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    py_state *state; /* borrowed */
    int table;
    method_kind kind;
} py_table_method;

/* --- calling --------------------------------------------------------------------------- */

static const char *
method_name(const py_table_method *self)
{
    const ss_table_desc *table = &ss_tables[self->table];
    return self->kind == METHOD_GET   ? table->getter
           : self->kind == METHOD_ADD ? table->adder
                                      : table->insert_name;
}

static PyObject *
get_rows(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
         PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names_of_one[] = {"date", "strict", "timeout", NULL};
    bool one = ss_tables[table].shape == SS_SHAPE_ONE;
    py_signature signature = {
        .function = ss_tables[table].getter,
        .names = one ? names_of_one : py_request_names,
        .n_positional = 1,
    };
    PyObject *result = NULL;
    py_request request;
    if (py_request_parse(&request, db, table, true, &signature, args, n, kwnames) ==
        0) {
        request.request.stamp = stamp;
        result = py_request_read(&request, db);
    }
    py_request_clear(&request);
    return result;
}

static PyObject *
TableMethod_call(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    py_table_method *self = (py_table_method *)op;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (n < 1 || !py_database_check(self->state, args[0])) {
        PyErr_Format(PyExc_TypeError, "%s() is a method of SmartShopieDB",
                     method_name(self));
        return NULL;
    }
    py_database *db = (py_database *)args[0];
    switch (self->kind) {
    case METHOD_GET:
        return py_cache_call(db, PY_CACHE_GETTER, self->table, args + 1, n - 1, kwnames,
                             get_rows);
    case METHOD_ADD:
        return py_write_add(db, self->table, method_name(self), args + 1, n - 1,
                            kwnames);
    case METHOD_INSERT:
        return py_write_insert(db, self->table, args + 1, n - 1, kwnames);
    }
    Py_UNREACHABLE();
}

static PyObject *
TableMethod_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)type;
    return obj == NULL || obj == Py_None ? Py_NewRef(self) : PyMethod_New(self, obj);
}

/* --- what it says of itself ----------------------------------------------------------- */

static void
add_getter_signature(ss_buf *out, const ss_table_desc *table)
{
    if (table->shape == SS_SHAPE_ONE) {
        ss_buf_puts(out, "($self, date=None, *, strict=None, timeout=None)");
        return;
    }
    ss_buf_puts(out, "($self, date=None, *, start=None, end=None, period=None, "
                     "as_of=None, limit=None, offset=0, after=None, order_by=None, "
                     "columns=None, strict=None, timeout=None");
    for (int i = 0; i < table->n_columns; i++) {
        ss_buf_printf(out, ", %s=...", table->columns[i].name);
    }
    ss_buf_puts(out, ")");
}

static void
add_adder_signature(ss_buf *out, const ss_table_desc *table)
{
    ss_buf_puts(out, "($self, record=..., /, *");
    for (int i = 0; i < table->n_columns; i++) {
        ss_buf_printf(out, ", %s=...", table->columns[i].name);
    }
    ss_buf_puts(out, ", on_conflict='update')");
}

static void
add_insert_signature(ss_buf *out, const ss_table_desc *table)
{
    ss_buf_puts(out, "($self");
    for (int i = 0; i < table->n_insert_args; i++) {
        ss_buf_printf(out, ", %s", table->columns[table->insert_args[i]].name);
    }
    ss_buf_puts(out, ")");
}

static PyObject *
take_text(ss_buf *text)
{
    PyObject *result =
        ss_buf_ok(text)
            ? PyUnicode_FromStringAndSize(text->data, (Py_ssize_t)text->size)
            : PyErr_NoMemory();
    ss_buf_free(text);
    return result;
}

static PyObject *
TableMethod_signature(PyObject *op, void *unused)
{
    py_table_method *self = (py_table_method *)op;
    const ss_table_desc *table = &ss_tables[self->table];
    ss_buf text;
    (void)unused;
    ss_buf_init(&text);
    switch (self->kind) {
    case METHOD_GET:
        add_getter_signature(&text, table);
        break;
    case METHOD_ADD:
        add_adder_signature(&text, table);
        break;
    case METHOD_INSERT:
        add_insert_signature(&text, table);
        break;
    }
    return take_text(&text);
}

static void
add_getter_doc(ss_buf *out, const ss_table_desc *table)
{
    static const char *const answers[] = {
        [SS_SHAPE_ONE] =
            "The newest row, or that of a day, as a record; None when there "
            "is none.",
        [SS_SHAPE_SET] =
            "The rows of the newest day, or of the day or window asked for.",
        [SS_SHAPE_HISTORY] = "All rows of the window asked for, oldest first.",
        [SS_SHAPE_EVENTS] = "The newest rows first; 100 of them when nothing else is "
                            "asked for.",
        [SS_SHAPE_ALL] = "All rows.",
    };
    ss_buf_printf(out, "%s\n\n%s: %s\n", answers[table->shape], table->name,
                  table->doc);
    if (table->shape != SS_SHAPE_ONE) {
        ss_buf_puts(out,
                    "\nAny column name as a keyword keeps the rows equal to it. "
                    "period=\"30d\" counts back from as_of\n(by default the newest "
                    "stored day); start and end are inclusive. "
                    "after=rows.next_token goes on where\nthat page ended.\n");
    }
    ss_buf_puts(out, "\nRaises TypeError or ValueError for wrong arguments, DataError "
                     "for a stored cell its type\ncannot hold (strict=False: None), "
                     "ClosedError, OperationalError.");
}

static PyObject *
TableMethod_doc(PyObject *op, void *unused)
{
    py_table_method *self = (py_table_method *)op;
    const ss_table_desc *table = &ss_tables[self->table];
    ss_buf text;
    (void)unused;
    ss_buf_init(&text);
    switch (self->kind) {
    case METHOD_GET:
        add_getter_doc(&text, table);
        break;
    case METHOD_ADD:
        ss_buf_printf(
            &text,
            "Add one row to %s, by keywords or as one %s; return its id.\n\n%s\n"
            "\nA row with the same natural key is updated in the columns given "
            "(on_conflict=\"update\"), left\nas it is (\"ignore\") or an "
            "IntegrityError (\"error\"). Durable when it returns.",
            table->name, table->record, table->doc);
        break;
    case METHOD_INSERT:
        ss_buf_printf(&text,
                      "The old name of %s(): every column must be given; an "
                      "existing row is updated.",
                      table->adder);
        break;
    }
    return take_text(&text);
}

static PyObject *
TableMethod_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(method_name((py_table_method *)self));
}

static PyObject *
TableMethod_qualname(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromFormat("SmartShopieDB.%s",
                                method_name((py_table_method *)self));
}

static PyObject *
TableMethod_objclass(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((py_table_method *)self)->state->database_type);
}

static PyObject *
TableMethod_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<method '%s' of 'SmartShopieDB' objects>",
                                method_name((py_table_method *)self));
}

/* It lies in the dict of a type of the same module: the collector must see the way from
 * here to the module, or it would never free one. */
static int
TableMethod_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void
TableMethod_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef TableMethod_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(py_table_method, call), READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef TableMethod_getset[] = {
    {"__name__", TableMethod_name, NULL, NULL, NULL},
    {"__qualname__", TableMethod_qualname, NULL, NULL, NULL},
    {"__doc__", TableMethod_doc, NULL, NULL, NULL},
    {"__text_signature__", TableMethod_signature, NULL, NULL, NULL},
    {"__objclass__", TableMethod_objclass, NULL, NULL, NULL},
    {NULL},
};

static PyType_Slot TableMethod_slots[] = {
    {Py_tp_dealloc, TableMethod_dealloc}, {Py_tp_traverse, TableMethod_traverse},
    {Py_tp_call, PyVectorcall_Call},      {Py_tp_descr_get, TableMethod_descr_get},
    {Py_tp_repr, TableMethod_repr},       {Py_tp_members, TableMethod_members},
    {Py_tp_getset, TableMethod_getset},   {0, NULL},
};

static PyType_Spec TableMethod_spec = {
    .name = "smartshopie_db._core.TableMethod",
    .basicsize = sizeof(py_table_method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_HAVE_GC,
    .slots = TableMethod_slots,
};

int
py_table_method_add_type(PyObject *module, py_state *state)
{
    return py_state_add_type(module, &TableMethod_spec, NULL, false,
                             &state->table_method_type);
}

/* --- installing ---------------------------------------------------------------------- */

static int
install(py_state *state, PyTypeObject *type, int table, method_kind kind)
{
    py_table_method *self = (py_table_method *)state->table_method_type->tp_alloc(
        state->table_method_type, 0);
    if (self == NULL) {
        return -1;
    }
    self->call = TableMethod_call;
    self->state = state;
    self->table = table;
    self->kind = kind;
    int rc =
        PyObject_SetAttrString((PyObject *)type, method_name(self), (PyObject *)self);
    Py_DECREF(self);
    return rc;
}

int
py_methods_install(py_state *state, PyTypeObject *type)
{
    for (int i = 0; i < ss_n_tables; i++) {
        if (install(state, type, i, METHOD_GET) < 0 ||
            install(state, type, i, METHOD_ADD) < 0 ||
            (ss_tables[i].insert_name != NULL &&
             install(state, type, i, METHOD_INSERT) < 0)) {
            return -1;
        }
    }
    return 0;
}
