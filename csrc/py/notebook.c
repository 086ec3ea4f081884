/* py/notebook: what a notebook shows of rows and records: repr() as plain text, and HTML.
 *
 * What is shown is bounded in size, so the GIL is kept.
 */
#include "py/notebook.h"

#include "formats/html_out.h"
#include "py/args.h"
#include "py/record.h"
#include "py/rows.h"

const char py_notebook_doc[] =
    PyDoc_STR("_repr_mimebundle_($self, /, include=None, exclude=None)\n--\n\n"
              "For notebooks: a dict with \"text/plain\" and \"text/html\".");

typedef void (*html_writer)(const ss_view *view, ss_buf *out);

/* Is a type among the wanted (None: all) and not among the unwanted? 1, 0 or -1. */
static int
is_wanted(PyObject *type, PyObject *include, PyObject *exclude)
{
    int in = 1, out = 0;

    if (include != NULL && include != Py_None) {
        in = PySequence_Contains(include, type);
    }
    if (in == 1 && exclude != NULL && exclude != Py_None) {
        out = PySequence_Contains(exclude, type);
    }
    return in < 0 || out < 0 ? -1 : in && !out;
}

static PyObject *
html_of(const ss_view *view, html_writer write)
{
    PyObject *html = NULL;
    ss_buf buf;

    ss_buf_init(&buf);
    write(view, &buf);
    html = ss_buf_ok(&buf) ? PyUnicode_DecodeUTF8(buf.data, (Py_ssize_t)buf.size, NULL)
                           : PyErr_NoMemory();
    ss_buf_free(&buf);
    return html;
}

/* Put what is shown under its type, if that is wanted. */
static int
add(PyObject *bundle, bool html, PyObject *op, const ss_view *view, html_writer write,
    PyObject *const *given)
{
    PyObject *type = PyUnicode_FromString(html ? "text/html" : "text/plain");
    int rc = type == NULL ? -1 : is_wanted(type, given[0], given[1]);

    if (rc == 1) {
        PyObject *text = html ? html_of(view, write) : PyObject_Repr(op);
        rc = text == NULL ? -1 : PyDict_SetItem(bundle, type, text);
        Py_XDECREF(text);
    }
    Py_XDECREF(type);
    return rc < 0 ? -1 : 0;
}

static PyObject *
bundle_of(PyObject *op, const ss_view *view, html_writer write, PyObject *const *args,
          Py_ssize_t nargsf, PyObject *kwnames)
{
    static const char *const names[] = {"include", "exclude", NULL};
    static const py_signature signature = {"_repr_mimebundle_", names, 2, 0};
    PyObject *given[2], *bundle = NULL;

    if (py_args_parse(&signature, args, nargsf, kwnames, given, NULL, NULL) < 0) {
        return NULL;
    }
    bundle = PyDict_New();
    if (bundle != NULL && (add(bundle, false, op, view, write, given) < 0 ||
                           add(bundle, true, op, view, write, given) < 0)) {
        Py_CLEAR(bundle);
    }
    return bundle;
}

PyObject *
py_notebook_rows(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                 PyObject *kwnames)
{
    const py_rows *self = (py_rows *)op;
    const ss_view view = {self->batch, self->start, self->step, self->length};

    return bundle_of(op, &view, ss_html_rows, args, nargsf, kwnames);
}

PyObject *
py_notebook_record(PyObject *op, PyObject *const *args, Py_ssize_t nargsf,
                   PyObject *kwnames)
{
    const py_record *self = (py_record *)op;
    const ss_view view = {self->batch, self->row, 1, 1};

    return bundle_of(op, &view, ss_html_record, args, nargsf, kwnames);
}
