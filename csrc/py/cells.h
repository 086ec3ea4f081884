/* py/cells: the columns of one table as a caller gives them, by name: what to filter by,
 * to change, to add, or to make a record of.
 *
 * Everything is converted here, before a connection is leased: no Python code runs
 * while one is held. Converted text is borrowed from objects that the cells keep.
 */
#ifndef SS_PY_CELLS_H
#define SS_PY_CELLS_H

#include "catalog/sql.h"
#include "py/state.h"

/* Each column once. py_cells_init first, py_cells_clear in every case after. */
typedef struct {
    py_state *state;            /* borrowed */
    const ss_table_desc *table; /* borrowed */
    const char *function;       /* for messages */
    int n;
    ss_filter cells[SS_MAX_COLUMNS];
    PyObject *keep[SS_MAX_COLUMNS]; /* owned, or NULL */
} py_cells;

void py_cells_init(py_cells *cells, py_state *state, int table, const char *function);
void py_cells_clear(py_cells *cells);
/* name = value, as keyword or mapping item. TypeError names the nearest column (and
 * `also`, other words that are allowed there; NULL-terminated or NULL). */
int py_cells_add(py_cells *cells, PyObject *name, PyObject *value,
                 const char *const *also) SS_MUST_CHECK;
int py_cells_add_column(py_cells *cells, int16_t column, PyObject *value) SS_MUST_CHECK;
/* Every item of a mapping. */
int py_cells_add_mapping(py_cells *cells, PyObject *mapping) SS_MUST_CHECK;
/* The columns a record was given. */
int py_cells_add_record(py_cells *cells, PyObject *record) SS_MUST_CHECK;
bool py_cells_has(const py_cells *cells, int16_t column);
/* For py_args_parse: the rest are column names. `arg` is the py_cells. */
int py_cells_rest(void *arg, PyObject *name, PyObject *value);

/* TypeError for a name (n bytes) that is no column, with the nearest that is; -1. */
int py_cells_no_column(const ss_table_desc *table, const char *name, size_t n,
                       const char *function, const char *const *also);
/* The column of that name, or -1 with TypeError (naming the nearest). */
int py_column_index(const ss_table_desc *table, PyObject *name, const char *function,
                    const char *const *also);

#endif
