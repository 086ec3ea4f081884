/* py/state: what one imported module holds: its types, exceptions and interned names.
 *
 * One list per kind, as an X-macro; the struct, traverse, clear and creation expand
 * from it, so that a new type, exception, name or object is one line.  Objects keep a
 * borrowed pointer to the state; their type keeps the module alive.  A dealloc must
 * not read the state: when a whole module is collected it may be gone already.
 *
 * Python.h wants to be the first header of a file, so every header of py/ includes this
 * one before any other.
 */
#ifndef SS_PY_STATE_H
#define SS_PY_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Leaves out of datetime.h what would put a mutable static into every file: the global
 * PyDateTimeAPI and the macros over it. Ours is state->datetime. */
#define _PY_DATETIME_IMPL
#include <datetime.h> // PyDateTime_CAPI, PyDateTime_GET_YEAR() and the like
#undef _PY_DATETIME_IMPL

#include "base/status.h"
#include "catalog/catalog.h"

/* Each type has `int py_<room>_add_type(PyObject *module, py_state *state)`, declared
 * in py/types.h; they run in this order. */
#define PY_STATE_TYPES(X)                                                    \
    X(record)       /* Record: base of all rows, and the thirty below it */  \
    X(row)          /* Row: a row of free SQL or of some columns */          \
    X(rows)         /* Rows: the sequence of rows */                         \
    X(rows_iter)    /* its iterator */                                       \
    X(column)       /* Column: one column of a Rows */                       \
    X(column_iter)  /* its iterator */                                       \
    X(table)        /* Table: db.<table> */                                  \
    X(add_result)   /* AddResult: what add_many did */                       \
    X(table_method) /* get_<table>, add_<record>, insert_* of the db type */ \
    X(transaction)  /* what db.transaction() gives */                        \
    X(snapshot)     /* what db.snapshot() gives */                           \
    X(link)         /* what dbapi.Connection is made of */                   \
    X(cursor)       /* what db.get_cursor() gives */                         \
    X(cursor_row)   /* its rows: by position and by name */                  \
    X(migration)    /* Migration: what db.migrate() gives */                 \
    X(database)     /* SmartShopieDB */

/* Name, base, docstring. PEP 249 first; py/raise says which ss_code raises which. */
#define PY_STATE_EXCEPTIONS(X)                                                        \
    X(Warning, PyExc_Warning, "Important warnings, such as two copies of SQLite.")    \
    X(DuplicateSQLiteWarning, state->Warning,                                         \
      "Another copy of SQLite is in this process.")                                   \
    X(Error, PyExc_Exception,                                                         \
      "Base of all errors of this package.\n\n"                                       \
      "What does not apply to an error is None in its attributes: sqlite_errorcode "  \
      "and\nsqlite_errorname (SQLite's extended result code), table, column, row "    \
      "and value (where\nit happened; value is the cell as text).")                   \
    X(InterfaceError, state->Error, "The interface was used wrongly.")                \
    X(DatabaseError, state->Error, "The database file is not what it should be.")     \
    X(DataError, state->DatabaseError,                                                \
      "A value that its column cannot hold, read or written.")                        \
    X(OperationalError, state->DatabaseError,                                         \
      "The outside world said no: a lock, a missing file, a full disk.")              \
    X(IntegrityError, state->DatabaseError, "A constraint refused the row.")          \
    X(InternalError, state->DatabaseError, "SQLite found itself in a bad state.")     \
    X(ProgrammingError, state->DatabaseError,                                         \
      "Wrong SQL, or a call that makes no sense here.")                               \
    X(NotSupportedError, state->DatabaseError, "Not supported by this database.")     \
    X(ClosedError, state->ProgrammingError, "The database is closed.")                \
    X(ForkError, state->OperationalError,                                             \
      "This process inherited the open database through fork() and must not use it.") \
    X(ReplacedError, state->OperationalError,                                         \
      "The file was replaced by another while it was open.")                          \
    X(ReadOnlyError, state->OperationalError, "The database cannot be written.")      \
    X(DiskFullError, state->OperationalError, "There is no space left.")              \
    X(SchemaError, state->DatabaseError,                                              \
      "The file's tables are not the ones this package can use.")

/* Attribute and keyword names that are looked up often: state->str_<name>. */
#define PY_STATE_NAMES(X) \
    X(__arrow_c_stream__) \
    X(_asdict)            \
    X(astype)             \
    X(bit_length)         \
    X(column)             \
    X(columns)            \
    X(id)                 \
    X(isoformat)          \
    X(item)               \
    X(items)              \
    X(keys)               \
    X(redact)             \
    X(row)                \
    X(sqlite_errorcode)   \
    X(sqlite_errorname)   \
    X(table)              \
    X(to_json)            \
    X(utcoffset)          \
    X(value)              \
    X(values)

/* Other owned objects, NULL until somebody sets them. */
#define PY_STATE_OBJECTS(X)                                             \
    X(datetime_module) /* keeps `datetime` below alive */               \
    X(decimal_type)    /* decimal.Decimal once somebody passed one */   \
    X(restore_record)  /* module functions that unpickle (py/pickle) */ \
    X(restore_rows)                                                     \
    X(restore_column)                                                   \
    X(check)   /* what SmartShopieDB.check() calls (py/care) */ \
    X(forking) /* list of databases between before and after fork */

typedef struct py_state {
#define X(name) PyTypeObject *name##_type;
    PY_STATE_TYPES(X)
#undef X
#define X(name, base, doc) PyObject *name;
    PY_STATE_EXCEPTIONS(X)
#undef X
#define X(name) PyObject *str_##name;
    PY_STATE_NAMES(X)
#undef X
#define X(name) PyObject *name;
    PY_STATE_OBJECTS(X)
#undef X
    PyDateTime_CAPI *datetime; /* borrowed from datetime_module */
    /* By index into ss_tables; owned arrays of owned references (py/model). */
    PyTypeObject **record_types;
    PyObject **shapes;    /* the shape of a whole row of the table (py/shape) */
    PyGetSetDef *getsets; /* owned: what the attributes of the record types point to */
    PyGetSetDef *db_getsets; /* owned: what the attributes of SmartShopieDB point to */
    struct py_database *databases; /* borrowed: all there are, for fork and exit */
    unsigned long forking_thread;  /* between before and after fork, else 0 */
    int n_freeing;                 /* databases being freed with the GIL away */
} py_state;

extern struct PyModuleDef py_module_def;

/* The state of the module that made `type` or one of its bases. Borrowed; NULL with
 * TypeError when none did. */
py_state *py_state_of_type(PyTypeObject *type);
py_state *py_state_of_module(PyObject *module);

/* The parts of module life, for py/module: fill names, exceptions and the datetime
 * interface; visit, drop and free everything. */
int py_state_init(PyObject *module, py_state *state);
int py_state_traverse(py_state *state, visitproc visit, void *arg);
void py_state_clear(py_state *state);
void py_state_free(py_state *state);

/* Make a type from its spec, keep it in *slot (an owned field of the state), and, when
 * `public`, add it to the module under its name. `base` may be NULL. */
int py_state_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base,
                      bool public, PyTypeObject **slot) SS_MUST_CHECK;

#endif
