/* catalog: what is known of the thirty tables, as data.
 *
 * The descriptors are generated from schema/ (migrations and tables.toml) into
 * catalog_gen.h, which catalog.c alone includes.  Everything is constant and may be
 * read from any thread without a lock.
 */
#ifndef SS_CATALOG_CATALOG_H
#define SS_CATALOG_CATALOG_H

#include "base/period.h"
#include "base/value.h"

/* How get_<table>() answers when nothing is asked for. */
typedef enum {
    SS_SHAPE_ONE,     /* one row per time step: the newest, as a record */
    SS_SHAPE_SET,     /* the rows of the newest day */
    SS_SHAPE_HISTORY, /* every row, oldest first */
    SS_SHAPE_EVENTS,  /* newest first */
    SS_SHAPE_ALL,     /* a configuration table: all of it */
} ss_shape;

/* The most columns a table may have; a record counts them in 64 bits. */
enum { SS_MAX_COLUMNS = 32 };

enum {
    SS_COL_KEY = 1,      /* part of the natural key */
    SS_COL_REQUIRED = 2, /* NOT NULL and without a default: an add must give it */
    SS_COL_SECRET = 4,   /* shown as its last four characters only */
    SS_COL_MANAGED = 8,  /* id, created_at, updated_at: kept by us when not given */
};

typedef struct {
    const char *name;
    const char *old_name; /* its name in older files, or NULL */
    const char *source;   /* where a migration takes it from when an old row lacks it: a
                           * column of the same table, or NULL */
    const char *otherwise; /* the text it becomes when that is missing, too, or NULL */
    const char *unit;      /* "percent", "seconds", ...; "" when it has none */
    const char *doc;       /* one sentence */
    const char *range;     /* "0..100", ">= 0", a vocabulary; "" when free */
    const char *
        aggregate; /* "sum", "mean", "mean:<weight>", "ratio:<a>/<b>", "last", "none" */
    const char *better; /* "higher", "lower" or "" */
    const char
        *apart; /* only rows with the same value in that column add up, or NULL */
    const char *default_text; /* its DEFAULT when that is a text ('GET'), or NULL */
    uint8_t kind;             /* ss_kind */
    uint8_t flags;            /* SS_COL_* */
} ss_column_desc;

typedef struct {
    int16_t column; /* index into columns */
    bool descending;
} ss_order_desc;

typedef struct {
    const char *name;              /* "overview_kpis" */
    const char *record;            /* "OverviewKPI" */
    const char *getter;            /* "get_overview_kpis" */
    const char *adder;             /* "add_overview_kpis" */
    const char *insert_name;       /* "insert_overview_kpi", or NULL */
    const char *doc;               /* one sentence: what one row means */
    const ss_column_desc *columns; /* in the order of CREATE TABLE; id is column 0 */
    const int16_t *key;            /* natural key, time column first where it has one */
    const ss_order_desc *order;    /* default order within a time step */
    const int16_t
        *positional; /* columns in the order of the record's positional arguments */
    const int16_t *insert_args; /* columns in the order of insert_name's arguments */
    int16_t n_columns, n_key, n_order, n_positional, n_insert_args;
    int16_t time_column; /* index, or -1 */
    int16_t updated_at;  /* index, or -1 */
    int16_t created_at;  /* index, or -1 */
    uint8_t shape;       /* ss_shape */
    uint8_t step;        /* ss_every: how long one row counts, from its time */
} ss_table_desc;

typedef struct {
    const char *name;      /* "overview" */
    const int16_t *tables; /* indexes into ss_tables */
    int16_t n_tables;
} ss_tab_desc; /* a page of the dashboard, for get_all_data_for_tab() */

/* PRAGMA application_id of our files: "SSDB" in ASCII. */
#define SS_APPLICATION_ID 0x53534442

extern const ss_table_desc ss_tables[];
extern const int ss_n_tables;
extern const ss_tab_desc ss_tabs[];
extern const int ss_n_tabs;

/* The migrations in order: number N brings a file from user_version N-1 to N. */
extern const char *const ss_migrations[];
extern const int ss_n_migrations;

/* The index of a table or column, or -1; names are compared exactly. */
int ss_catalog_table(const char *name, size_t n);
int ss_catalog_column(const ss_table_desc *table, const char *name, size_t n);

/* Is a column of this name shown as its last four characters only? Without a table (free
 * SQL): has any table such a column? */
bool ss_catalog_is_secret(const ss_table_desc *table, const char *name);

#endif
