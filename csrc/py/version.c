/* py/version: db.version, and how it costs nothing while nothing changed.
 *
 * The text that was made last is kept with the stamp of the state it names; as long as a
 * look at the stamp finds that state, which takes no system call and keeps the GIL, it is
 * the version.
 */
#include "py/version.h"

#include "db/fresh.h"
#include "db/version.h"
#include "py/raise.h"

/* A signal handler in the middle of a call is refused as by any other call. */
static bool
is_kept(py_database *db, ss_stamp *now)
{
    return ss_db_peek(db->db, now) == SS_PEEK_KNOWN && db->signals == 0 &&
           db->version.text != NULL && ss_stamp_equal(now, &db->version.stamp);
}

/* A text is of a state that is the same before and after it was made. */
static void
keep(py_database *db, const ss_stamp *before, PyObject *text)
{
    ss_stamp after;
    if (before->epoch != 0 && ss_db_peek(db->db, &after) == SS_PEEK_KNOWN &&
        ss_stamp_equal(&after, before)) {
        Py_XSETREF(db->version.text, Py_NewRef(text));
        db->version.stamp = after;
    }
}

static PyObject *
make(py_database *db, const ss_stamp *before)
{
    char version[SS_VERSION_SIZE];
    py_call call;
    ss_error err;
    ss_status status;
    if (py_call_init(db, &call, NULL) < 0) {
        return NULL;
    }
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_version(db->db, &call.call, version, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        return py_raise(db->state, &err);
    }
    PyObject *text = PyUnicode_FromString(version);
    if (text != NULL) {
        keep(db, before, text);
    }
    return text;
}

PyObject *
py_version_get(PyObject *op, void *unused)
{
    py_database *db = (py_database *)op;
    ss_stamp now;
    (void)unused;
    if (is_kept(db, &now)) {
        return Py_NewRef(db->version.text);
    }
    return make(db, &now);
}
