#include "py/arrow.h"

#include "base/mem.h"
#include "formats/arrow_out.h"
#include "py/args.h"
#include "py/column.h"
#include "py/raise.h"
#include "py/rows.h"

#define SCHEMA "arrow_schema"
#define ARRAY "arrow_array"
#define STREAM "arrow_array_stream"

/* ---- capsules ---- */

/* What a capsule holds, under whatever name it has by now. */
static void *
inside(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
}

static void
free_schema(PyObject *capsule)
{
    struct ArrowSchema *schema = inside(capsule);

    if (schema->release != NULL) {
        schema->release(schema);
    }
    ss_free(schema);
}

static void
free_array(PyObject *capsule)
{
    struct ArrowArray *array = inside(capsule);

    if (array->release != NULL) {
        array->release(array);
    }
    ss_free(array);
}

static void
free_stream(PyObject *capsule)
{
    struct ArrowArrayStream *stream = inside(capsule);

    if (stream->release != NULL) {
        stream->release(stream);
    }
    ss_free(stream);
}

/* A capsule with an empty (released) struct of `size` bytes. */
static PyObject *
make_capsule(const char *name, size_t size, PyCapsule_Destructor release)
{
    void *block = ss_calloc(1, size);

    if (block == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(block, name, release);
    if (capsule == NULL) {
        ss_free(block);
    }
    return capsule;
}

/* ---- plans ---- */

static int
take_request(py_state *state, ss_arrow_plan *plan, PyObject *requested)
{
    ss_error err;

    if (requested == NULL || Py_IsNone(requested)) {
        return 0;
    }
    if (!PyCapsule_IsValid(requested, SCHEMA)) {
        PyErr_Format(PyExc_TypeError,
                     "requested_schema must be a capsule named \"" SCHEMA
                     "\" (what __arrow_c_schema__() gives) or None, not %.100s",
                     Py_TYPE(requested)->tp_name);
        return -1;
    }
    ss_error_init(&err);
    if (ss_arrow_plan_request(plan, PyCapsule_GetPointer(requested, SCHEMA), &err) !=
        SS_OK) {
        py_raise(state, &err);
        return -1;
    }
    return 0;
}

/* A resolved plan for a view, or for one of its columns. New. */
static ss_arrow_plan *
make_plan(py_state *state, const ss_view *view, int column, PyObject *requested)
{
    ss_arrow_plan *plan = ss_arrow_plan_new(view, column);
    ss_error err;
    ss_status status;

    if (plan == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (take_request(state, plan, requested) < 0) {
        goto failed;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_arrow_plan_resolve(plan, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(state, &err);
        goto failed;
    }
    return plan;
failed:
    ss_arrow_plan_free(plan);
    return NULL;
}

/* The one argument of both methods. Borrowed in *out, or NULL. */
static int
parse_request(const char *function, PyObject *const *args, Py_ssize_t n_args,
              PyObject *kwnames, PyObject **out)
{
    static const char *const names[] = {"requested_schema", NULL};
    const py_signature signature = {function, names, 1, 0};

    return py_args_parse(&signature, args, n_args, kwnames, out, NULL, NULL);
}

static PyObject *
schema_capsule(py_state *state, const ss_arrow_plan *plan)
{
    PyObject *capsule = make_capsule(SCHEMA, sizeof(struct ArrowSchema), free_schema);
    ss_error err;

    ss_error_init(&err);
    if (capsule != NULL && ss_arrow_out_schema(plan, inside(capsule), &err) != SS_OK) {
        Py_CLEAR(capsule);
        py_raise(state, &err);
    }
    return capsule;
}

static PyObject *
array_capsule(py_state *state, const ss_arrow_plan *plan)
{
    PyObject *capsule = make_capsule(ARRAY, sizeof(struct ArrowArray), free_array);
    ss_error err;
    ss_status status;

    if (capsule == NULL) {
        return NULL;
    }
    struct ArrowArray *array = inside(capsule);
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_arrow_out_array(plan, array, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        Py_CLEAR(capsule);
        py_raise(state, &err);
    }
    return capsule;
}

/* The schema of a view, or of one of its columns. */
static PyObject *
schema_of(py_state *state, const ss_view *view, int column)
{
    ss_arrow_plan *plan = make_plan(state, view, column, NULL);

    if (plan == NULL) {
        return NULL;
    }
    PyObject *capsule = schema_capsule(state, plan);
    ss_arrow_plan_free(plan);
    return capsule;
}

/* ---- rows ---- */

const char py_arrow_rows_stream_doc[] =
    "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\n"
    "The rows as an Arrow stream, in a capsule: what pyarrow.table(rows),\n"
    "polars.DataFrame(rows) and the like take. Nothing is copied. What cannot be had\n"
    "as requested_schema asks comes as it is; other columns are ValueError.";

PyObject *
py_arrow_rows_stream(PyObject *op, PyObject *const *args, Py_ssize_t n_args,
                     PyObject *kwnames)
{
    py_rows *self = (py_rows *)op;
    ss_view view = py_rows_view(self);
    PyObject *requested = NULL;
    ss_error err;

    if (parse_request("__arrow_c_stream__", args, n_args, kwnames, &requested) < 0) {
        return NULL;
    }
    ss_arrow_plan *plan = make_plan(self->state, &view, -1, requested);
    if (plan == NULL) {
        return NULL;
    }
    PyObject *capsule =
        make_capsule(STREAM, sizeof(struct ArrowArrayStream), free_stream);
    ss_error_init(&err);
    if (capsule != NULL && ss_arrow_out_stream(plan, inside(capsule), &err) != SS_OK) {
        Py_CLEAR(capsule);
        py_raise(self->state, &err);
    }
    if (capsule == NULL) {
        ss_arrow_plan_free(plan);
    }
    return capsule;
}

const char py_arrow_rows_schema_doc[] =
    "__arrow_c_schema__($self, /)\n--\n\n"
    "The Arrow schema of the rows, in a capsule. That of a table's rows does not\n"
    "depend on what they hold.";

PyObject *
py_arrow_rows_schema(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    ss_view view = py_rows_view((py_rows *)op);

    return schema_of(((py_rows *)op)->state, &view, -1);
}

/* ---- one column ---- */

const char py_arrow_column_array_doc[] =
    "__arrow_c_array__($self, /, requested_schema=None)\n--\n\n"
    "The values as an Arrow array: a capsule with its schema and one with the array,\n"
    "what pyarrow.array(column), polars.Series(column) and the like take.";

PyObject *
py_arrow_column_array(PyObject *op, PyObject *const *args, Py_ssize_t n_args,
                      PyObject *kwnames)
{
    py_column *self = (py_column *)op;
    ss_view view = py_column_view(self);
    PyObject *requested = NULL, *array = NULL, *schema = NULL, *pair = NULL;

    if (parse_request("__arrow_c_array__", args, n_args, kwnames, &requested) < 0) {
        return NULL;
    }
    ss_arrow_plan *plan = make_plan(self->state, &view, self->index, requested);
    if (plan == NULL) {
        return NULL;
    }
    schema = schema_capsule(self->state, plan);
    array = schema != NULL ? array_capsule(self->state, plan) : NULL;
    pair = array != NULL ? PyTuple_Pack(2, schema, array) : NULL;
    Py_XDECREF(schema);
    Py_XDECREF(array);
    ss_arrow_plan_free(plan);
    return pair;
}

const char py_arrow_column_schema_doc[] =
    "__arrow_c_schema__($self, /)\n--\n\n"
    "The Arrow field of the column, in a capsule.";

PyObject *
py_arrow_column_schema(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    py_column *self = (py_column *)op;
    ss_view view = py_column_view(self);

    return schema_of(self->state, &view, self->index);
}
