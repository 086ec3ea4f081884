/* db/migration: three small tables. Belongs to the thread that migrates; constant once
 * it is finished.
 */
#include "db/migration.h"

#include "base/mem.h"

#include <string.h> // strlen()

static const char *const table_names[] = {"table",    "rows",    "copied", "merged",
                                          "rejected", "changed", "filled", "cleared"};
static const uint8_t table_kinds[] = {SS_KIND_TEXT, SS_KIND_INT, SS_KIND_INT,
                                      SS_KIND_INT,  SS_KIND_INT, SS_KIND_INT,
                                      SS_KIND_INT,  SS_KIND_INT};
static const char *const row_names[] = {"table", "row_id", "column", "what", "detail"};
static const uint8_t row_kinds[] = {SS_KIND_TEXT, SS_KIND_INT, SS_KIND_TEXT,
                                    SS_KIND_TEXT, SS_KIND_TEXT};
static const char *const object_names[] = {"type", "name", "table", "what", "sql"};
static const uint8_t object_kinds[] = {SS_KIND_TEXT, SS_KIND_TEXT, SS_KIND_TEXT,
                                       SS_KIND_TEXT, SS_KIND_TEXT};

ss_status
ss_migration_new(ss_migration **out, ss_error *err)
{
    ss_migration *m = ss_calloc(1, sizeof(*m));
    if (m == NULL) {
        return ss_error_nomem(err);
    }
    ss_status status =
        ss_batch_new_free(table_names, table_kinds, 8, 32, &m->tables, err);
    if (status == SS_OK) {
        status = ss_batch_new_free(row_names, row_kinds, 5, 8, &m->rows, err);
    }
    if (status == SS_OK) {
        status = ss_batch_new_free(object_names, object_kinds, 5, 8, &m->objects, err);
    }
    if (status != SS_OK) {
        ss_migration_free(m);
        return status;
    }
    *out = m;
    return SS_OK;
}

void
ss_migration_free(ss_migration *m)
{
    if (m != NULL) {
        ss_batch_release(m->tables);
        ss_batch_release(m->rows);
        ss_batch_release(m->objects);
        ss_free(m->backup);
        ss_free(m);
    }
}

static ss_value
text(const char *s)
{
    return s == NULL ? (ss_value){.tag = SS_VALUE_NULL} : ss_value_text(s);
}

static ss_value
number(int64_t i)
{
    return (ss_value){.tag = SS_VALUE_INT, .as.i = i};
}

static ss_status
add(ss_batch *batch, const ss_value *cells)
{
    SS_TRY(ss_batch_row(batch));
    for (int i = 0; i < batch->n_columns; i++) {
        SS_TRY(ss_batch_put(batch, i, &cells[i]));
    }
    ss_batch_row_done(batch);
    return SS_OK;
}

ss_status
ss_migration_add_table(ss_migration *m, const char *table, const ss_migration_counts *c)
{
    const ss_value cells[] = {
        text(table),         number(c->rows),    number(c->copied), number(c->merged),
        number(c->rejected), number(c->changed), number(c->filled), number(c->cleared)};
    return add(m->tables, cells);
}

ss_status
ss_migration_add_row(ss_migration *m, const char *table, int64_t row,
                     const char *column, const char *what, const char *detail)
{
    const ss_value cells[] = {text(table), number(row), text(column), text(what),
                              text(detail)};
    return add(m->rows, cells);
}

ss_status
ss_migration_add_object(ss_migration *m, const char *type, const char *name,
                        const char *table, const char *what, const char *sql)
{
    const ss_value cells[] = {text(type), text(name), text(table), text(what),
                              text(sql)};
    return add(m->objects, cells);
}

void
ss_migration_finish(ss_migration *m)
{
    ss_batch_finish(m->tables);
    ss_batch_finish(m->rows);
    ss_batch_finish(m->objects);
}
