/* py/migrate: `db.migrate()`: the file brought up to date, and Migration, its report.
 *
 * A Migration is a named tuple, its three lists are Rows: whatever Rows can do (frames,
 * JSON, slices) helps to look through a long report.  The work is one call below.
 */
#include "py/migrate.h"

#include "db/migrate.h"
#include "py/args.h"
#include "py/handle.h"
#include "py/path.h"
#include "py/raise.h"
#include "py/rows.h"
#include "py/types.h"

int
py_migration_add_type(PyObject *module, py_state *state)
{
    PyStructSequence_Field fields[] = {
        {"from_version", "the schema version that the file had; 0: none"},
        {"to_version", "the one it has now; the same: there was nothing to do"},
        {"dry_run", "True: nothing was changed"},
        {"backup", "path of the copy made before, or None"},
        {"tables", "for each table how many rows were copied, merged, rejected"},
        {"rows", "each row that was filled, cleared, merged or rejected"},
        {"objects", "each index that was dropped, each trigger and view that stays"},
        {NULL, NULL},
    };
    PyStructSequence_Desc desc = {
        .name = "smartshopie_db.Migration",
        .doc = "What db.migrate() did, or with dry_run=True would do.",
        .fields = fields,
        .n_in_sequence = 7,
    };
    state->migration_type = PyStructSequence_NewType(&desc);
    return state->migration_type == NULL
               ? -1
               : PyModule_AddType(module, state->migration_type);
}

static PyObject *
path_object(const char *path)
{
    return path != NULL ? PyUnicode_DecodeFSDefault(path) : Py_NewRef(Py_None);
}

/* Takes the report's batches. */
static PyObject *
report_object(py_state *state, ss_migration *m, bool dry_run)
{
    PyObject *report = PyStructSequence_New(state->migration_type);
    if (report == NULL) {
        return NULL;
    }
    PyObject *items[] = {PyLong_FromLongLong(m->from_version),
                         PyLong_FromLongLong(m->to_version),
                         PyBool_FromLong(dry_run),
                         path_object(m->backup),
                         py_rows_new(state, ss_batch_retain(m->tables)),
                         py_rows_new(state, ss_batch_retain(m->rows)),
                         py_rows_new(state, ss_batch_retain(m->objects))};
    bool whole = true;
    for (int i = 0; i < 7; i++) {
        PyStructSequence_SetItem(report, i, items[i]);
        whole = whole && items[i] != NULL;
    }
    if (!whole) {
        Py_CLEAR(report);
    }
    return report;
}

/* backup=: True, False, or a path, as an absolute one in bytes (new) in *target. */
static int
parse_backup(PyObject *obj, bool *backup, PyObject **target)
{
    *backup = obj != Py_False;
    *target = NULL;
    if (obj == NULL || PyBool_Check(obj)) {
        return 0;
    }
    *target = py_path_of_copy(obj);
    if (*target == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError,
                     "migrate(): backup: expected True, False or a path, got %s",
                     Py_TYPE(obj)->tp_name);
    }
    return *target != NULL ? 0 : -1;
}

const char py_migrate_doc[] =
    "migrate($self, /, dry_run=False, backup=True)\n--\n\n"
    "Bring a file of an older layout to the current one; see docs/migrating.md.\n\n"
    "All or nothing, in one transaction, after a backup beside the file (backup=False: "
    "none;\na path: there). With dry_run=True nothing changes, and the report is the "
    "same. A file that\nis up to date stays as it is. Returns a Migration.";

PyObject *
py_migrate(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"dry_run", "backup", NULL};
    static const py_signature signature = {"migrate", names, 2, 0};
    py_database *self = (py_database *)op;
    PyObject *given[3], *target = NULL, *result = NULL;
    ss_migration *report = NULL;
    bool dry_run, backup;
    py_call call;
    ss_error err;
    ss_status status;
    if (py_args_parse(&signature, args, n, kwnames, given, NULL, NULL) < 0 ||
        py_args_bool(given[0], "dry_run", false, &dry_run) < 0 ||
        parse_backup(given[1], &backup, &target) < 0) {
        return NULL;
    }
    if (py_call_init(self, &call, NULL) < 0) {
        goto done;
    }
    const char *path = target != NULL ? PyBytes_AS_STRING(target) : NULL;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_migrate(self->db, &call.call, dry_run, backup, path, &report, &err);
    Py_END_ALLOW_THREADS
    result = status == SS_OK ? report_object(self->state, report, dry_run)
                             : py_raise(self->state, &err);
done:
    ss_migration_free(report);
    Py_XDECREF(target);
    return result;
}
