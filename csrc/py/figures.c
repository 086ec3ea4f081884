/* py/figures: everything is converted before a connection is leased; what was borrowed
 * from the arguments is kept in the request until the call is over.
 *
 * The arguments of all four are listed once: those of time are the same for each.
 */
#include "py/figures.h"

#include "base/mem.h"
#include "base/moment.h"
#include "db/fresh.h"
#include "db/series.h"
#include "py/args.h"
#include "py/cache.h"
#include "py/cells.h"
#include "py/raise.h"
#include "py/request.h"
#include "py/rows.h"
#include "py/table.h"
#include "py/value.h"
#include "py/zone.h"

#include <string.h> // strcmp()

/* The arguments that all have, and where they stand in each list of names. */
enum {
    ARG_TABLE,
    ARG_COLUMNS,
    ARG_PERIOD,
    ARG_START,
    ARG_END,
    ARG_AS_OF,
    ARG_ZONE,
    ARG_STRICT,
    ARG_TIMEOUT,
    N_COMMON,
    ARG_BY = N_COMMON, /* the second own argument of a function comes after it */
    ARG_OTHER,
    ARG_THIRD,
    N_ARGS
};

typedef enum { FIGURES_SERIES, FIGURES_COMPARE, FIGURES_RANK } figures_kind;

typedef struct {
    py_database *db;      /* borrowed */
    const char *function; /* for messages */
    figures_kind kind;
    const ss_table_desc *table;
    ss_figures figures; /* points into the rest */
    py_cells filters;
    ss_measure measures[SS_MAX_COLUMNS + 1];
    int16_t by[SS_MAX_COLUMNS];
    ss_span span;
    int32_t known;
    PyObject *period;                       /* owned, or NULL */
    PyObject *zone;                         /* owned tzinfo, or NULL */
    int64_t *midnights, *against_midnights; /* owned, or NULL */
    py_call call;
} py_figures;

/* ---- columns ---- */

static int
no_rule(const py_figures *f, int column)
{
    const ss_column_desc *desc = &f->table->columns[column];
    bool number = desc->kind == SS_KIND_INT || desc->kind == SS_KIND_REAL;
    PyErr_Format(
        PyExc_ValueError, "%s(): %s.%s has no rule by which it could be aggregated: %s",
        f->function, f->table->name, desc->name,
        number ? "it is an identifier, or a figure that is computed from others "
                 "(a stored share, change or bound)"
               : "it is no number");
    return -1;
}

static int
add_measure(py_figures *f, PyObject *name)
{
    static const char *const also[] = {SS_MEASURE_ROWS, NULL};
    ss_measure m = {SS_RULE_ROWS, -1, -1, -1, false, false, -1};
    bool rows = PyUnicode_Check(name) &&
                PyUnicode_CompareWithASCIIString(name, SS_MEASURE_ROWS) == 0;
    if (!rows) {
        int column = py_column_index(f->table, name, f->function, also);
        if (column < 0) {
            return -1;
        }
        if (!ss_measure_of(f->table, column, &m)) {
            return no_rule(f, column);
        }
    }
    for (int i = 0; i < f->figures.n_measures; i++) {
        if (f->measures[i].column == m.column) {
            PyErr_Format(PyExc_ValueError, "columns: %R is named twice", name);
            return -1;
        }
    }
    f->measures[f->figures.n_measures++] = m;
    return 0;
}

/* All columns that have a rule; of a table without any, the number of rows. */
static void
all_measures(py_figures *f)
{
    int *n = &f->figures.n_measures;
    for (int i = 0; i < f->table->n_columns; i++) {
        *n += ss_measure_of(f->table, i, &f->measures[*n]);
    }
    if (*n == 0) {
        f->measures[(*n)++] = (ss_measure){SS_RULE_ROWS, -1, -1, -1, false, false, -1};
    }
}

static int
parse_measures(py_figures *f, PyObject *obj, bool one)
{
    if (!one && (obj == NULL || obj == Py_None)) {
        all_measures(f);
        return 0;
    }
    if (one && !PyUnicode_Check(obj)) {
        PyErr_Format(PyExc_TypeError,
                     "column: expected one column's name as str, got %s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    PyObject *names = py_request_names_of(obj, "columns");
    if (names == NULL) {
        return -1;
    }
    int rc = 0;
    if (PySequence_Fast_GET_SIZE(names) == 0) {
        PyErr_SetString(PyExc_ValueError, "columns: name at least one column");
        rc = -1;
    }
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(names); i++) {
        rc = add_measure(f, PySequence_Fast_GET_ITEM(names, i));
    }
    Py_DECREF(names);
    return rc;
}

static int
add_by(py_figures *f, PyObject *name)
{
    int column = py_column_index(f->table, name, f->function, NULL);
    if (column < 0) {
        return -1;
    }
    for (int i = 0; i < f->figures.n_by; i++) {
        if (f->by[i] == column) {
            PyErr_Format(PyExc_ValueError, "by: %R is named twice", name);
            return -1;
        }
    }
    for (int i = 0; i < f->figures.n_measures; i++) {
        if (f->measures[i].column == column) {
            PyErr_Format(PyExc_ValueError, "by: %R is one of the figures already",
                         name);
            return -1;
        }
    }
    f->by[f->figures.n_by++] = (int16_t)column;
    return 0;
}

/* What tells the rows of one day apart: the rest of the natural key. */
static void
by_key(py_figures *f)
{
    for (int i = 0; i < f->table->n_key; i++) {
        if (f->table->key[i] != f->table->time_column) {
            f->by[f->figures.n_by++] = f->table->key[i];
        }
    }
}

static int
parse_by(py_figures *f, PyObject *obj, bool needed)
{
    if (obj == NULL || obj == Py_None) {
        if (needed) {
            by_key(f);
        }
        if (needed && f->figures.n_by == 0) {
            PyErr_Format(PyExc_TypeError,
                         "%s() needs the argument 'by': %s has one row for each time",
                         f->function, f->table->name);
            return -1;
        }
        return 0;
    }
    PyObject *names = py_request_names_of(obj, "by");
    if (names == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PySequence_Fast_GET_SIZE(names); i++) {
        rc = add_by(f, PySequence_Fast_GET_ITEM(names, i));
    }
    Py_DECREF(names);
    return rc;
}

/* ---- time ---- */

static int
parse_day(py_figures *f, PyObject *obj, const char *what, bool *has, int32_t *day)
{
    ss_value value;
    PyObject *keep = NULL;
    *has = obj != NULL && obj != Py_None;
    if (!*has) {
        return 0;
    }
    if (py_value_from_object(f->db->state, obj, SS_KIND_DATE, what, &value, &keep) <
        0) {
        return -1;
    }
    Py_XDECREF(keep); /* a day borrows nothing */
    *day = (int32_t)value.as.i;
    return 0;
}

static int
parse_zone(py_figures *f, PyObject *obj)
{
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    PyObject *zone = py_zone_from_object(f->db->state, obj);
    bool instants = f->table->time_column >= 0 &&
                    f->table->columns[f->table->time_column].kind == SS_KIND_TIMESTAMP;
    if (zone == NULL) {
        return -1;
    }
    if (instants) {
        f->zone = zone;
    }
    else {
        Py_DECREF(zone); /* a stored day is that day everywhere */
    }
    return 0;
}

static int
day_of_value(py_figures *f, const ss_value *value, int32_t *day)
{
    if (value->tag == SS_VALUE_DATE) {
        *day = (int32_t)value->as.i;
        return 0;
    }
    if (f->zone == NULL) {
        *day = ss_day_of_instant(value->as.i);
        return 0;
    }
    return py_zone_day(f->db->state, f->zone, value->as.i, day);
}

static int
find_extent(py_figures *f, bool *any, ss_days *stored)
{
    ss_extent extent;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_extent(f->db->db, &f->call.call, f->figures.table, f->figures.stamp,
                          &extent, &err);
    Py_END_ALLOW_THREADS
    if (status != SS_OK) {
        py_raise(f->db->state, &err);
        return -1;
    }
    *any = extent.newest.tag != SS_VALUE_NULL;
    if (!*any) {
        return 0;
    }
    return day_of_value(f, &extent.oldest, &stored->start) < 0 ||
                   day_of_value(f, &extent.newest, &stored->end) < 0
               ? -1
               : 0;
}

/* Do the arguments alone say which days?  Of a series also what is stored is to be known,
 * for the buckets that are not complete yet. The stamp is then of the state before the
 * first read; where that takes more than a look, looking at what is stored sets it. */
static bool
is_given(const py_figures *f)
{
    const ss_span *span = &f->span;
    bool end = span->has_as_of || (span->has_end && f->kind != FIGURES_SERIES);
    bool start = span->has_start || span->period != NULL;
    return f->table->time_column >= 0 && start && end &&
           (f->figures.stamp == NULL ||
            ss_db_peek(f->db->db, f->figures.stamp) == SS_PEEK_KNOWN);
}

/* The window of days, and where they begin. A table without a time has none. */
static int
resolve_window(py_figures *f)
{
    const ss_span *span = &f->span;
    ss_days stored;
    bool any = false;
    ss_error err;
    if (f->table->time_column < 0 && span->period == NULL && !span->has_start &&
        !span->has_end && !span->has_as_of && f->kind == FIGURES_RANK) {
        f->figures.window = (ss_days){0, 0};
        return 0;
    }
    if (!is_given(f) && find_extent(f, &any, &stored) < 0) {
        return -1;
    }
    ss_error_init(&err);
    if (ss_span_window(span, f->table, any ? &stored : NULL, &f->figures.window,
                       &f->known, &f->figures.empty, &err) != SS_OK) {
        py_raise(f->db->state, &err);
        return -1;
    }
    const ss_days window = f->figures.window;
    if (f->figures.empty) {
        return 0;
    }
    f->figures.all = any && window.start <= stored.start && window.end >= stored.end;
    if (f->zone != NULL) {
        f->midnights = py_zone_midnights(f->db->state, f->zone, window);
        f->figures.midnights = f->midnights;
        return f->midnights != NULL ? 0 : -1;
    }
    return 0;
}

/* ---- a call ---- */

/* The table must be known before the rest: its columns are keywords. */
static int
find_table(py_figures *f, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    PyObject *given = n > 0 ? args[0] : NULL;
    Py_ssize_t n_keywords = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; given == NULL && i < n_keywords; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (PyUnicode_CompareWithASCIIString(name, "table") == 0) {
            given = args[n + i];
        }
    }
    if (given == NULL) {
        PyErr_Format(PyExc_TypeError, "%s() needs the argument 'table'", f->function);
        return -1;
    }
    f->figures.table = py_table_named(f->db->state, given, f->function);
    if (f->figures.table < 0) {
        return -1;
    }
    f->table = &ss_tables[f->figures.table];
    py_cells_init(&f->filters, f->db->state, f->figures.table, f->function);
    return 0;
}

typedef struct {
    py_figures *figures;
    const py_signature *signature;
} rest_arg;

static int
rest_is_filter(void *arg, PyObject *name, PyObject *value)
{
    rest_arg *rest = arg;
    return py_cells_add(&rest->figures->filters, name, value, rest->signature->names);
}

/* Spread what a signature gave over ARG_*: own arguments from ARG_OTHER on. */
static void
spread(const py_signature *signature, PyObject **given, PyObject **all)
{
    static const char *const common[] = {"table", NULL,   "period", "start",   "end",
                                         "as_of", "zone", "strict", "timeout", "by"};
    int own = ARG_OTHER;
    for (int i = 0; i < N_ARGS; i++) {
        all[i] = NULL;
    }
    for (int i = 0; signature->names[i] != NULL; i++) {
        const char *name = signature->names[i];
        int at = strcmp(name, "columns") == 0 || strcmp(name, "column") == 0
                     ? ARG_COLUMNS
                     : -1;
        for (int k = 0; at < 0 && k <= ARG_BY; k++) {
            if (common[k] != NULL && strcmp(name, common[k]) == 0) {
                at = k;
            }
        }
        all[at >= 0 ? at : own++] = given[i];
    }
}

/* Everything but the arguments that one function has for itself. */
static int
parse(py_figures *f, py_database *db, figures_kind kind, const py_signature *signature,
      PyObject *const *args, Py_ssize_t n, PyObject *kwnames, ss_stamp *stamp,
      PyObject **all)
{
    PyObject *given[N_ARGS + 1];
    rest_arg rest = {f, signature};
    bool rank = kind == FIGURES_RANK;
    bool strict = ss_db_get_options(db->db)->strict;
    *f = (py_figures){.db = db, .function = signature->function, .kind = kind};
    f->figures.stamp = stamp;
    if (find_table(f, args, n, kwnames) < 0 ||
        py_args_parse(signature, args, n, kwnames, given, rest_is_filter, &rest) < 0) {
        return -1;
    }
    spread(signature, given, all);
    f->figures.measures = f->measures;
    f->figures.by = f->by;
    if (parse_measures(f, all[ARG_COLUMNS], rank) < 0 ||
        parse_by(f, all[ARG_BY], rank) < 0 ||
        parse_day(f, all[ARG_START], "start", &f->span.has_start, &f->span.start) < 0 ||
        parse_day(f, all[ARG_END], "end", &f->span.has_end, &f->span.end) < 0 ||
        parse_day(f, all[ARG_AS_OF], "as_of", &f->span.has_as_of, &f->span.as_of) < 0 ||
        py_request_text(all[ARG_PERIOD], PY_PERIOD_WANTED, &f->span.period,
                        &f->span.n_period, &f->period) < 0 ||
        parse_zone(f, all[ARG_ZONE]) < 0 ||
        py_args_bool(all[ARG_STRICT], "strict", strict, &f->figures.strict) < 0) {
        return -1;
    }
    f->figures.filters = f->filters.cells;
    f->figures.n_filters = f->filters.n;
    return py_call_init(db, &f->call, all[ARG_TIMEOUT]);
}

static void
clear(py_figures *f)
{
    if (f->table != NULL) {
        py_cells_clear(&f->filters);
    }
    Py_CLEAR(f->period);
    Py_CLEAR(f->zone);
    ss_free(f->midnights);
    ss_free(f->against_midnights);
}

/* ---- series ---- */

static int
parse_fill(PyObject *obj, ss_fill *out)
{
    *out = SS_FILL_NONE;
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    if (PyLong_CheckExact(obj) && PyLong_AsLong(obj) == 0) {
        *out = SS_FILL_ZERO;
        return 0;
    }
    PyErr_Clear();
    if (PyUnicode_Check(obj) &&
        PyUnicode_CompareWithASCIIString(obj, "previous") == 0) {
        *out = SS_FILL_PREVIOUS;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "fill: expected None, 0 or 'previous', got %R", obj);
    return -1;
}

static PyObject *
run_series(py_figures *f, const ss_series *series)
{
    ss_batch *batch = NULL;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_series(f->db->db, &f->call.call, series, &batch, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? py_rows_new(f->db->state, batch)
                           : py_raise(f->db->state, &err);
}

static PyObject *
make_series(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
            PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"table",  "columns", "period", "start", "end",
                                        "every",  "fill",    "by",     "as_of", "zone",
                                        "strict", "timeout", NULL};
    enum { WINDOW = SS_EVERY_YEAR + 1 };
    static const char *const words[] = {"day",  "week",   "month", "quarter",
                                        "year", "window", NULL};
    static const py_signature signature = {"series", names, 2, 1};
    PyObject *all[N_ARGS], *result = NULL;
    py_figures f;
    ss_series series;
    int every = 0;
    (void)table;
    if (parse(&f, db, FIGURES_SERIES, &signature, args, n, kwnames, stamp, all) == 0 &&
        py_args_word(all[ARG_OTHER], "every", words, &every) == 0 &&
        parse_fill(all[ARG_THIRD], &series.fill) == 0 && resolve_window(&f) == 0) {
        series.figures = f.figures;
        series.whole = every == WINDOW;
        series.every = series.whole ? SS_EVERY_DAY : (ss_every)every;
        series.known = f.known;
        result = run_series(&f, &series);
    }
    clear(&f);
    return result;
}

/* ---- compare ---- */

static int
parse_against(py_figures *f, PyObject *obj, ss_days *out)
{
    static const char *const words[] = {"previous_period", "previous_year", NULL};
    const ss_days window = f->figures.window;
    int word;
    bool has;
    if (obj != NULL && !PyUnicode_Check(obj)) {
        if (!PyTuple_Check(obj) || PyTuple_GET_SIZE(obj) != 2) {
            PyErr_Format(PyExc_TypeError,
                         "to: expected 'previous_period', 'previous_year' or "
                         "(start, end), got %R",
                         obj);
            return -1;
        }
        if (parse_day(f, PyTuple_GET_ITEM(obj, 0), "to[0]", &has, &out->start) < 0 ||
            parse_day(f, PyTuple_GET_ITEM(obj, 1), "to[1]", &has, &out->end) < 0) {
            return -1;
        }
        if (PyTuple_GET_ITEM(obj, 0) == Py_None ||
            PyTuple_GET_ITEM(obj, 1) == Py_None || out->start > out->end) {
            PyErr_Format(PyExc_ValueError, "to: expected (start, end) in order, got %R",
                         obj);
            return -1;
        }
        return 0;
    }
    if (py_args_word(obj, "to", words, &word) < 0) {
        return -1;
    }
    bool there = word == 0
                     ? ss_days_before(window, f->span.period, f->span.n_period, out)
                     : ss_days_year_before(window, out);
    if (!there && !f->figures.empty) {
        PyErr_SetString(PyExc_ValueError, "to: there is no such time in the calendar");
        return -1;
    }
    return 0;
}

static PyObject *
run_compare(py_figures *f, const ss_comparison *comparison)
{
    ss_batch *batch = NULL;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_compare(f->db->db, &f->call.call, comparison, &batch, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? py_rows_new(f->db->state, batch)
                           : py_raise(f->db->state, &err);
}

static PyObject *
make_compare(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
             PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"table",  "columns", "period", "start",
                                        "end",    "to",      "as_of",  "zone",
                                        "strict", "timeout", NULL};
    static const py_signature signature = {"compare", names, 2, 1};
    PyObject *all[N_ARGS], *result = NULL;
    py_figures f;
    ss_comparison comparison = {.against_midnights = NULL};
    (void)table;
    if (parse(&f, db, FIGURES_COMPARE, &signature, args, n, kwnames, stamp, all) == 0 &&
        resolve_window(&f) == 0 &&
        parse_against(&f, all[ARG_OTHER], &comparison.against) == 0) {
        comparison.figures = f.figures;
        if (f.zone != NULL && !f.figures.empty) {
            f.against_midnights =
                py_zone_midnights(f.db->state, f.zone, comparison.against);
            comparison.against_midnights = f.against_midnights;
        }
        if (f.zone == NULL || f.figures.empty || f.against_midnights != NULL) {
            result = run_compare(&f, &comparison);
        }
    }
    clear(&f);
    return result;
}

/* ---- rankings ---- */

static PyObject *
run_rank(py_figures *f, const ss_ranking *ranking)
{
    ss_batch *batch = NULL;
    ss_error err;
    ss_status status;
    ss_error_init(&err);
    Py_BEGIN_ALLOW_THREADS
    status = ss_db_rank(f->db->db, &f->call.call, ranking, &batch, &err);
    Py_END_ALLOW_THREADS
    return status == SS_OK ? py_rows_new(f->db->state, batch)
                           : py_raise(f->db->state, &err);
}

static PyObject *
rank(py_database *db, const py_signature *signature, bool shares, PyObject *const *args,
     Py_ssize_t n, PyObject *kwnames, ss_stamp *stamp)
{
    PyObject *all[N_ARGS], *result = NULL;
    py_figures f;
    ss_ranking ranking = {.limit = -1, .shares = shares};
    if (parse(&f, db, FIGURES_RANK, signature, args, n, kwnames, stamp, all) == 0 &&
        py_args_int(all[ARG_OTHER], "n", 0, INT64_MAX, shares ? -1 : 10,
                    &ranking.limit) == 0 &&
        resolve_window(&f) == 0) {
        ranking.figures = f.figures;
        result = run_rank(&f, &ranking);
    }
    clear(&f);
    return result;
}

static PyObject *
make_top(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
         PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"table",  "column", "n",       "by",
                                        "period", "start",  "end",     "as_of",
                                        "zone",   "strict", "timeout", NULL};
    static const py_signature signature = {"top", names, 3, 2};
    (void)table;
    return rank(db, &signature, false, args, n, kwnames, stamp);
}

static PyObject *
make_breakdown(py_database *db, int table, PyObject *const *args, Py_ssize_t n,
               PyObject *kwnames, ss_stamp *stamp)
{
    static const char *const names[] = {"table",  "column",  "by",    "period",
                                        "start",  "end",     "as_of", "zone",
                                        "strict", "timeout", NULL};
    static const py_signature signature = {"breakdown", names, 2, 2};
    (void)table;
    return rank(db, &signature, true, args, n, kwnames, stamp);
}

/* ---- methods ---- */

PyObject *
py_figures_series(PyObject *db, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    return py_cache_call((py_database *)db, PY_CACHE_SERIES, 0, args, n, kwnames,
                         make_series);
}

PyObject *
py_figures_compare(PyObject *db, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    return py_cache_call((py_database *)db, PY_CACHE_COMPARE, 0, args, n, kwnames,
                         make_compare);
}

PyObject *
py_figures_top(PyObject *db, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    return py_cache_call((py_database *)db, PY_CACHE_TOP, 0, args, n, kwnames,
                         make_top);
}

PyObject *
py_figures_breakdown(PyObject *db, PyObject *const *args, Py_ssize_t n,
                     PyObject *kwnames)
{
    return py_cache_call((py_database *)db, PY_CACHE_BREAKDOWN, 0, args, n, kwnames,
                         make_breakdown);
}

/* ---- docstrings ---- */

#define TIME_DOC                                                                       \
    "period: \"7d\", \"30d\", \"12w\", \"6m\", \"1y\", ... (that long, ending at as_of),\n" \
    "\"mtd\", \"qtd\" or \"ytd\"; or start and end, both included; without any: all that\n" \
    "is stored.  as_of: the day up to which the data is known, by default the newest\n"  \
    "stored day.  zone: an IANA time zone in which instants are put into days.\n"        \
    "Any column may be a keyword: only rows with that value count.\n"

#define RULE_DOC                                                                       \
    "Each column is aggregated by its rule in docs/schema.md: added up, averaged\n"     \
    "(weighted where a weight is known), divided as sums, or, for a stock, taken from\n" \
    "the newest day; 'rows' counts rows.  What is not known is None, never 0.\n"

const char py_figures_series_doc[] = PyDoc_STR(
    "series($self, /, table, columns=None, *, period=None, start=None, end=None,\n"
    "       every='day', fill=None, by=None, as_of=None, zone=None, strict=None,\n"
    "       timeout=None, **filters)\n--\n\n"
    "Figures over time: one row for each stretch of time, with or without data.\n\n"
    "every: 'day', 'week' (ISO, from Monday), 'month', 'quarter', 'year' or 'window':\n"
    "all of the window as one.\n" TIME_DOC RULE_DOC
    "by: a column or several; each of their values has rows of its own.\n"
    "fill: None, 0 (for sums only) or 'previous' (carry the last figure on).\n\n"
    "Rows of start, end (dates, both included), complete (1 when the whole stretch is\n"
    "asked for and known, else 0), the `by` columns, and one column for each figure.\n"
    "TypeError or ValueError for arguments that make no sense together, and for\n"
    "figures that do not add up.");

const char py_figures_compare_doc[] = PyDoc_STR(
    "compare($self, /, table, columns=None, *, period=None, start=None, end=None,\n"
    "        to='previous_period', as_of=None, zone=None, strict=None, timeout=None,\n"
    "        **filters)\n--\n\n"
    "A stretch of time against another: one row for each figure.\n\n"
    "to: 'previous_period' (just before and as long; months go with months),\n"
    "'previous_year' or (start, end).\n" TIME_DOC RULE_DOC
    "\nRows of measure, value, previous, delta, percent (100 * delta / |previous|; None\n"
    "where previous is 0 or unknown, and for rates), unit, delta_unit ('points' for\n"
    "rates: percentage points), trend ('up', 'down', 'flat'), verdict ('better',\n"
    "'worse', 'same', or None), start, end, previous_start, previous_end, days and\n"
    "previous_days (on how many days there is data).");

const char py_figures_top_doc[] = PyDoc_STR(
    "top($self, /, table, column, n=10, *, by=None, period=None, start=None, end=None,\n"
    "    as_of=None, zone=None, strict=None, timeout=None, **filters)\n--\n\n"
    "The n groups with the largest figure, largest first.\n\n"
    "by: a column or several; by default the table's key without its time.\n" TIME_DOC RULE_DOC
    "\nRows of the `by` columns, the figure, start and end.");

const char py_figures_breakdown_doc[] = PyDoc_STR(
    "breakdown($self, /, table, column, *, by=None, period=None, start=None, end=None,\n"
    "          as_of=None, zone=None, strict=None, timeout=None, **filters)\n--\n\n"
    "The parts of a whole, largest first, each with its share in percent.\n\n"
    "Shares are computed from the figures, never from stored percentages; they are None\n"
    "when a part is negative.  by: a column or several; by default the table's key\n"
    "without its time.\n" TIME_DOC RULE_DOC
    "\nRows of the `by` columns, the figure, share, start and end. ValueError for a\n"
    "figure that makes no whole (a rate, a mean, the stages of a funnel).");
