/* formats/arrow_plan and formats/arrow_out. What is handed out is read back by a small
 * reader of the C interface, and compared with the batch cell by cell. */
#include "base/mem.h"
#include "check.h"
#include "formats/arrow_out.h"

#include <errno.h>

static ss_error err;

enum { N_ROWS = 100, N_FIELDS = 7 };
static const uint8_t kinds[N_FIELDS] = {SS_KIND_INT,  SS_KIND_REAL,      SS_KIND_TEXT,
                                        SS_KIND_DATE, SS_KIND_TIMESTAMP, SS_KIND_ANY,
                                        SS_KIND_ANY};
static const char *const names[N_FIELDS] = {"i",  "r",      "t",    "d",
                                            "ts", "number", "blobs"};
static const char *const formats[N_FIELDS] = {"l", "g", "U", "tdD", "tsu:", "g", "Z"};

/* ---- material ---- */

/* The cell of a row; every third one is null, so is the last row of each column. */
static ss_value
cell_at(int column, int64_t row)
{
    static const char text[] = "0123456789abcdefghij";
    ss_value value = {.tag = SS_VALUE_NULL};

    if (row % 3 == column % 3 || row == N_ROWS - 1) {
        return value;
    }
    switch (column) {
    case 0:
        return (ss_value){.tag = SS_VALUE_INT, .as.i = row * 1000003 - 7};
    case 1:
        return (ss_value){.tag = SS_VALUE_REAL, .as.r = (double)row / 8};
    case 2:
    case 6:
        value.tag = column == 2 ? SS_VALUE_TEXT : SS_VALUE_BLOB;
        value.as.s.p = text + row % 10;
        value.as.s.n = (size_t)(row % 11);
        return value;
    case 3:
        return (ss_value){.tag = SS_VALUE_DATE, .as.i = row - 50};
    case 4:
        return (ss_value){.tag = SS_VALUE_TIMESTAMP, .as.i = row << 40};
    default:
        return row % 2 ? (ss_value){.tag = SS_VALUE_INT, .as.i = row}
                       : (ss_value){.tag = SS_VALUE_REAL, .as.r = (double)row + 0.5};
    }
}

static ss_batch *
new_batch(int64_t n_rows)
{
    ss_batch *batch = NULL;

    ss_error_init(&err);
    if (ss_batch_new_free(names, kinds, N_FIELDS, 1, &batch, &err) != SS_OK) {
        return NULL;
    }
    for (int64_t row = 0; row < n_rows; row++) {
        if (ss_batch_row(batch) != SS_OK) {
            return NULL;
        }
        for (int c = 0; c < N_FIELDS; c++) {
            ss_value value = cell_at(c, row);
            if (ss_batch_put(batch, c, &value) != SS_OK) {
                return NULL;
            }
        }
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    return batch;
}

/* A batch of one ANY column. */
static ss_batch *
any_batch(const ss_value *cells, int n)
{
    static const uint8_t kind = SS_KIND_ANY;
    static const char *const name = "x";
    ss_batch *batch = NULL;

    ss_error_init(&err);
    if (ss_batch_new_free(&name, &kind, 1, 1, &batch, &err) != SS_OK) {
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        if (ss_batch_row(batch) != SS_OK ||
            ss_batch_put(batch, 0, &cells[i]) != SS_OK) {
            return NULL;
        }
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    return batch;
}

static ss_arrow_plan *
plan_of(const ss_batch *batch, int64_t start, int64_t step, int64_t length, int column)
{
    ss_view view = {batch, start, step, length};
    ss_arrow_plan *plan = ss_arrow_plan_new(&view, column);

    ss_error_init(&err);
    if (plan != NULL && ss_arrow_plan_resolve(plan, &err) != SS_OK) {
        ss_arrow_plan_free(plan);
        return NULL;
    }
    return plan;
}

static int64_t
refs(const ss_batch *batch)
{
    return (int64_t)batch->refs;
}

/* ---- a reader ---- */

/* Row i of an array; text is borrowed from it. */
static ss_value
read_cell(const struct ArrowArray *array, const char *format, int64_t i)
{
    const uint8_t *validity = array->n_buffers > 0 ? array->buffers[0] : NULL;
    ss_value value = {.tag = SS_VALUE_NULL};
    int64_t row = array->offset + i;

    if (strcmp(format, "n") == 0 ||
        (validity != NULL && !((validity[row >> 3] >> (row & 7)) & 1))) {
        return value;
    }
    const void *data = array->buffers[1];
    if (strcmp(format, "g") == 0) {
        return (ss_value){.tag = SS_VALUE_REAL, .as.r = ((const double *)data)[row]};
    }
    if (strcmp(format, "tdD") == 0) {
        return (ss_value){.tag = SS_VALUE_DATE, .as.i = ((const int32_t *)data)[row]};
    }
    if (strcmp(format, "l") == 0 || strncmp(format, "tsu:", 4) == 0) {
        value.tag = format[0] == 'l' ? SS_VALUE_INT : SS_VALUE_TIMESTAMP;
        value.as.i = ((const int64_t *)data)[row];
        return value;
    }
    bool narrow = format[0] == 'u';
    int64_t from = narrow ? ((const int32_t *)data)[row] : ((const int64_t *)data)[row];
    int64_t to =
        narrow ? ((const int32_t *)data)[row + 1] : ((const int64_t *)data)[row + 1];
    value.tag = format[0] == 'Z' ? SS_VALUE_BLOB : SS_VALUE_TEXT;
    value.as.s.p = (const char *)array->buffers[2] + from;
    value.as.s.n = (size_t)(to - from);
    return value;
}

static void
check_column(const struct ArrowArray *array, const char *format, const ss_view *view,
             int column)
{
    int64_t nulls = 0;

    CHECK_INT(array->length, view->length);
    CHECK_INT(array->n_children, 0);
    CHECK(array->dictionary == NULL);
    for (int64_t i = 0; i < view->length; i++) {
        ss_value want = cell_at(column, view->start + i * view->step);
        ss_value got = read_cell(array, format, i);
        nulls += got.tag == SS_VALUE_NULL;
        CHECK(ss_value_equal(&want, &got));
    }
    CHECK_INT(array->null_count, nulls);
    CHECK(nulls > 0 || array->n_buffers == 0 || array->buffers[0] == NULL);
}

static void
check_struct(const struct ArrowArray *array, const ss_view *view)
{
    CHECK_INT(array->length, view->length);
    CHECK_INT(array->n_children, N_FIELDS);
    CHECK_INT(array->n_buffers, 1);
    CHECK(array->buffers[0] == NULL && array->offset == 0 && array->null_count == 0);
    for (int c = 0; c < N_FIELDS; c++) {
        check_column(array->children[c], formats[c], view, c);
    }
}

/* ---- arrays ---- */

static const int64_t views[][3] = {
    {0, 1, N_ROWS},        {0, 1, 0},   {5, 1, 1},  {N_ROWS - 1, 1, 1},
    {N_ROWS - 1, -1, 100}, {3, 1, 17},  {8, 1, 92}, {2, 7, 14},
    {90, -9, 10},          {40, -1, 1}, {0, 99, 2}, {99, -99, 2},
};

static void
test_views(void)
{
    ss_batch *batch = new_batch(N_ROWS);

    CHECK(batch != NULL);
    for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++) {
        ss_view view = {batch, views[v][0], views[v][1], views[v][2]};
        ss_arrow_plan *plan = plan_of(batch, view.start, view.step, view.length, -1);
        struct ArrowArray array;
        CHECK(plan != NULL);
        CHECK(ss_arrow_out_array(plan, &array, &err) == SS_OK);
        ss_arrow_plan_free(plan);
        check_struct(&array, &view);
        array.release(&array);
        CHECK(array.release == NULL);
        CHECK_INT(refs(batch), 1);
    }
    ss_batch_release(batch);
}

static void
test_rows_in_order_are_not_copied(void)
{
    ss_batch *batch = new_batch(N_ROWS);
    ss_arrow_plan *plan = plan_of(batch, 10, 1, 20, -1);
    struct ArrowArray array;

    CHECK(plan != NULL && ss_arrow_out_array(plan, &array, &err) == SS_OK);
    for (int c = 0; c < 5; c++) {
        CHECK(array.children[c]->buffers[1] == batch->columns[c].data.p);
        CHECK_INT(array.children[c]->offset, 10);
    }
    CHECK(array.children[2]->buffers[2] == batch->columns[2].bytes);
    array.release(&array);
    ss_arrow_plan_free(plan);
    ss_batch_release(batch);
}

static void
test_one_column(void)
{
    ss_batch *batch = new_batch(N_ROWS);

    for (int c = 0; c < N_FIELDS; c++) {
        for (int64_t step = -1; step <= 1; step += 2) {
            ss_view view = {batch, step == 1 ? 10 : 90, step, 50};
            ss_arrow_plan *plan = plan_of(batch, view.start, step, 50, c);
            struct ArrowArray array;
            struct ArrowSchema schema;
            CHECK(plan != NULL && ss_arrow_out_array(plan, &array, &err) == SS_OK);
            CHECK(ss_arrow_out_schema(plan, &schema, &err) == SS_OK);
            ss_arrow_plan_free(plan);
            CHECK_STR(schema.format, formats[c]);
            CHECK_STR(schema.name, names[c]);
            CHECK_INT(schema.n_children, 0);
            CHECK_INT(schema.flags, ARROW_FLAG_NULLABLE);
            check_column(&array, schema.format, &view, c);
            schema.release(&schema);
            array.release(&array);
            CHECK(schema.release == NULL && array.release == NULL);
        }
    }
    CHECK_INT(refs(batch), 1);
    ss_batch_release(batch);
}

/* ---- lifetimes ---- */

static void
test_the_array_outlives_the_rows(void)
{
    ss_batch *batch = new_batch(N_ROWS);
    ss_view view = {batch, 0, 1, N_ROWS};
    ss_arrow_plan *plan = plan_of(batch, 0, 1, N_ROWS, -1);
    struct ArrowArray array;

    CHECK(plan != NULL && ss_arrow_out_array(plan, &array, &err) == SS_OK);
    ss_arrow_plan_free(plan);
    ss_batch_release(batch);
    check_struct(&array, &view);
    array.release(&array);
}

/* Children are moved out (those whose bit is set), then released before or after the
 * parent, forwards or backwards; what was moved stays readable. */
static void
move_and_release(ss_batch *batch, unsigned moved, bool parent_first, bool backwards)
{
    ss_view view = {batch, 4, 1, 90};
    ss_arrow_plan *plan = plan_of(batch, 4, 1, 90, -1);
    struct ArrowArray array, children[N_FIELDS];

    CHECK(plan != NULL && ss_arrow_out_array(plan, &array, &err) == SS_OK);
    ss_arrow_plan_free(plan);
    for (int c = 0; c < N_FIELDS; c++) {
        children[c].release = NULL;
        if (moved & (1u << c)) {
            children[c] = *array.children[c];
            array.children[c]->release = NULL;
        }
    }
    if (parent_first) {
        array.release(&array);
    }
    for (int k = 0; k < N_FIELDS; k++) {
        int c = backwards ? N_FIELDS - 1 - k : k;
        if (children[c].release != NULL) {
            check_column(&children[c], formats[c], &view, c);
            children[c].release(&children[c]);
            CHECK(children[c].release == NULL);
        }
    }
    if (!parent_first) {
        array.release(&array);
    }
    CHECK(array.release == NULL);
    CHECK_INT(refs(batch), 1);
}

static void
test_children_moved_out(void)
{
    ss_batch *batch = new_batch(N_ROWS);

    for (unsigned moved = 0; moved < 1u << N_FIELDS; moved++) {
        for (unsigned order = 0; order < 4; order++) {
            move_and_release(batch, moved, order & 1, order & 2);
        }
    }
    ss_batch_release(batch);
}

static void
test_children_released_in_place(void)
{
    ss_batch *batch = new_batch(N_ROWS);
    ss_arrow_plan *plan = plan_of(batch, 0, 1, N_ROWS, -1);
    struct ArrowArray array;
    struct ArrowSchema schema, child;

    CHECK(plan != NULL && ss_arrow_out_array(plan, &array, &err) == SS_OK);
    CHECK(ss_arrow_out_schema(plan, &schema, &err) == SS_OK);
    ss_arrow_plan_free(plan);
    array.children[1]->release(array.children[1]);
    schema.children[1]->release(schema.children[1]);
    child = *schema.children[2];
    schema.children[2]->release = NULL;
    array.release(&array);
    schema.release(&schema);
    CHECK_STR(child.name, "t");
    CHECK_STR(child.format, "U");
    child.release(&child);
    CHECK_INT(refs(batch), 1);
    ss_batch_release(batch);
}

/* ---- schemas ---- */

static int32_t
read_i32(const char **at)
{
    int32_t n;

    memcpy(&n, *at, sizeof(n));
    *at += sizeof(n);
    return n;
}

/* The value of a key, "" when it has none. */
static const char *
metadata_value(const char *at, const char *key, char *out, size_t size)
{
    out[0] = '\0';
    int32_t count = at != NULL ? read_i32(&at) : 0;
    for (int32_t i = 0; i < count; i++) {
        size_t n = (size_t)read_i32(&at);
        bool found = n == strlen(key) && memcmp(at, key, n) == 0;
        at += n;
        n = (size_t)read_i32(&at);
        if (found && n < size) {
            memcpy(out, at, n);
            out[n] = '\0';
        }
        at += n;
    }
    return out;
}

static void
check_table(const ss_table_desc *table)
{
    int16_t map[SS_MAX_COLUMNS];
    ss_batch *batch = NULL;
    struct ArrowSchema schema;
    char text[1024];

    for (int16_t i = 0; i < table->n_columns; i++) {
        map[i] = i;
    }
    CHECK(ss_batch_new_table(table, map, table->n_columns, 1, &batch, &err) == SS_OK);
    ss_batch_finish(batch);
    ss_arrow_plan *plan = plan_of(batch, 0, 1, 0, -1);
    CHECK(plan != NULL && ss_arrow_out_schema(plan, &schema, &err) == SS_OK);
    ss_arrow_plan_free(plan);
    ss_batch_release(batch);
    CHECK_STR(schema.format, "+s");
    CHECK_INT(schema.n_children, table->n_columns);
    CHECK_STR(metadata_value(schema.metadata, "table", text, sizeof(text)),
              table->name);
    for (int i = 0; i < table->n_columns; i++) {
        const ss_column_desc *column = &table->columns[i];
        const struct ArrowSchema *field = schema.children[i];
        CHECK_STR(field->name, column->name);
        CHECK_STR(field->format, formats[column->kind]);
        CHECK_STR(metadata_value(field->metadata, "unit", text, sizeof(text)),
                  column->unit);
        CHECK_STR(metadata_value(field->metadata, "description", text, sizeof(text)),
                  column->doc);
        CHECK_STR(metadata_value(field->metadata, "aggregation", text, sizeof(text)),
                  column->aggregate);
    }
    schema.release(&schema);
}

static void
test_schemas_of_the_tables(void)
{
    for (int i = 0; i < ss_n_tables; i++) {
        check_table(&ss_tables[i]);
    }
}

/* ---- columns without a kind ---- */

#define I(n) {.tag = SS_VALUE_INT, .as.i = (n)}
#define R(x) {.tag = SS_VALUE_REAL, .as.r = (x)}
#define T(text) {.tag = SS_VALUE_TEXT, .as.s = {text, sizeof(text) - 1}}
#define B(text) {.tag = SS_VALUE_BLOB, .as.s = {text, sizeof(text) - 1}}
#define D(n) {.tag = SS_VALUE_DATE, .as.i = (n)}
#define S(n) {.tag = SS_VALUE_TIMESTAMP, .as.i = (n)}
#define NONE {.tag = SS_VALUE_NULL}

static void
test_types_of_expressions(void)
{
    static const struct {
        int n;
        ss_value cells[4];
        const char *format; /* or NULL, and a part of the message */
        const char *message;
        int64_t row;
    } cases[] = {
        {0, {NONE}, "n", "", 0},
        {2, {NONE, NONE}, "n", "", 0},
        {3, {I(1), NONE, I(INT64_MAX)}, "l", "", 0},
        {2, {NONE, R(1.5)}, "g", "", 0},
        {2, {I(3), R(1.5)}, "g", "", 0},
        {3, {R(1.5), NONE, I(-(INT64_C(1) << 60))}, "g", "", 0},
        {2, {T("a"), T("\xc3\xa9")}, "U", "", 0},
        {2, {B("\xff"), NONE}, "Z", "", 0},
        {2, {D(1), D(2)}, "tdD", "", 0},
        {1, {S(1)}, "tsu:", "", 0},
        {3, {NONE, I(1), T("a")}, NULL, "'a' among integers", 2},
        {4, {I(1), R(1.5), B("a"), T("a")}, NULL, "among numbers", 2},
        {3, {D(1), I(1), S(1)}, NULL, "1 among dates", 1},
        {2, {T("a"), B("a")}, NULL, "CAST(... AS TEXT)", 1},
        {3, {R(1), I((INT64_C(1) << 53) + 1), R(1)}, NULL, "no float64 equals it", 1},
        {2, {R(1), I(INT64_MAX)}, NULL, "CAST(... AS REAL)", 1},
        {2, {T("a"), T("\xff")}, NULL, "not valid UTF-8", 1},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        ss_batch *batch = any_batch(cases[k].cells, cases[k].n);
        CHECK(batch != NULL);
        ss_arrow_plan *plan = plan_of(batch, 0, 1, batch->n_rows, 0);
        CHECK((plan == NULL) == (cases[k].format == NULL));
        if (plan != NULL) {
            struct ArrowArray array;
            CHECK_STR(plan->fields[0].format, cases[k].format);
            CHECK(ss_arrow_out_array(plan, &array, &err) == SS_OK);
            for (int i = 0; i < cases[k].n; i++) {
                ss_value got = read_cell(&array, cases[k].format, i);
                CHECK(ss_value_equal(&got, &cases[k].cells[i]));
            }
            array.release(&array);
        }
        else {
            CHECK_INT(err.code, SS_DATA);
            CHECK_HAS(err.message, cases[k].message);
            CHECK_HAS(err.message, "\"x\"");
            CHECK_STR(err.column, "x");
            CHECK_INT(err.row, cases[k].row);
        }
        ss_arrow_plan_free(plan);
        ss_batch_release(batch);
    }
}

/* A part of the rows has the type of them all. */
static void
test_the_type_is_that_of_all_rows(void)
{
    static const ss_value cells[] = {I(1), I(2), R(0.5)};
    ss_batch *batch = any_batch(cells, 3);
    ss_arrow_plan *plan = plan_of(batch, 0, 1, 2, -1);

    CHECK(plan != NULL);
    CHECK_STR(plan->fields[0].format, "g");
    ss_arrow_plan_free(plan);
    ss_batch_release(batch);
}

/* ---- requests ---- */

static void
no_release(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

/* A schema for the batch of new_batch() with these formats. */
typedef struct {
    struct ArrowSchema top, fields[N_FIELDS];
    struct ArrowSchema *children[N_FIELDS];
} request;

static void
make_request(request *r)
{
    memset(r, 0, sizeof(*r));
    for (int c = 0; c < N_FIELDS; c++) {
        r->fields[c].format = formats[c];
        r->fields[c].name = names[c];
        r->fields[c].release = no_release;
        r->children[c] = &r->fields[c];
    }
    r->top.format = "+s";
    r->top.n_children = N_FIELDS;
    r->top.children = r->children;
    r->top.release = no_release;
}

static ss_status
ask(const ss_batch *batch, int column, const struct ArrowSchema *asked,
    ss_arrow_plan **out)
{
    ss_view view = {batch, 0, 1, batch->n_rows};
    ss_arrow_plan *plan = ss_arrow_plan_new(&view, column);

    ss_error_init(&err);
    ss_status status =
        plan == NULL ? SS_NOMEM : ss_arrow_plan_request(plan, asked, &err);
    if (status == SS_OK) {
        status = ss_arrow_plan_resolve(plan, &err);
    }
    if (status != SS_OK) {
        ss_arrow_plan_free(plan);
        return status;
    }
    *out = plan;
    return SS_OK;
}

static void
test_requests_that_are_honoured(void)
{
    ss_batch *batch = new_batch(N_ROWS);
    ss_view view = {batch, 0, 1, N_ROWS};
    ss_arrow_plan *plan = NULL;
    struct ArrowArray array;
    request r;

    make_request(&r);
    r.fields[2].format = "u";
    r.fields[4].format = "tsu:Europe/Berlin";
    r.fields[0].format = "i"; /* not honoured */
    CHECK(ask(batch, -1, &r.top, &plan) == SS_OK);
    CHECK_STR(plan->fields[0].format, "l");
    CHECK_STR(plan->fields[2].format, "u");
    CHECK_STR(plan->fields[4].format, "tsu:Europe/Berlin");
    CHECK(ss_arrow_out_array(plan, &array, &err) == SS_OK);
    check_column(array.children[2], "u", &view, 2);
    check_column(array.children[4], "tsu:", &view, 4);
    array.release(&array);
    ss_arrow_plan_free(plan);
    ss_batch_release(batch);
}

/* As the interface allows, these come as they are. */
static void
test_requests_that_are_passed_over(void)
{
    static const char *const asked[] = {"s",
                                        "tsn:",
                                        "vu",
                                        "tdm",
                                        "",
                                        "tsu:a-zone-whose-name-is-longer-than-the-room-"
                                        "that-there-is-for-it"};
    ss_batch *batch = new_batch(N_ROWS);
    ss_arrow_plan *plan = NULL;
    request r;

    for (size_t k = 0; k < sizeof(asked) / sizeof(asked[0]); k++) {
        make_request(&r);
        for (int c = 0; c < N_FIELDS; c++) {
            r.fields[c].format = asked[k];
        }
        CHECK(ask(batch, -1, &r.top, &plan) == SS_OK);
        for (int c = 0; c < N_FIELDS; c++) {
            CHECK_STR(plan->fields[c].format, formats[c]);
        }
        ss_arrow_plan_free(plan);
    }
    make_request(&r);
    r.fields[2].format = "i"; /* the indexes of a dictionary of texts */
    r.fields[2].dictionary = &r.fields[1];
    CHECK(ask(batch, -1, &r.top, &plan) == SS_OK);
    CHECK_STR(plan->fields[2].format, "U");
    ss_arrow_plan_free(plan);
    r.fields[3].name = NULL; /* of a column alone the name is of no consequence */
    CHECK(ask(batch, 3, &r.fields[3], &plan) == SS_OK);
    ss_arrow_plan_free(plan);
    ss_batch_release(batch);
}

static void
check_refused(const ss_batch *batch, int column, const struct ArrowSchema *asked,
              const char *message)
{
    ss_arrow_plan *plan = NULL;

    CHECK_INT(ask(batch, column, asked, &plan), SS_VALUE);
    CHECK_HAS(err.message, message);
    CHECK_INT(refs(batch), 1);
}

static void
test_requests_that_are_refused(void)
{
    ss_batch *batch = new_batch(N_ROWS);
    request r;

    make_request(&r);
    r.top.release = NULL;
    check_refused(batch, -1, &r.top, "released already");
    make_request(&r);
    r.fields[3].release = NULL;
    check_refused(batch, -1, &r.top, "released already");
    make_request(&r);
    r.top.format = NULL;
    check_refused(batch, -1, &r.top, "no valid ArrowSchema");
    make_request(&r);
    r.fields[6].format = NULL;
    check_refused(batch, -1, &r.top, "no valid ArrowSchema");
    make_request(&r);
    r.top.children = NULL;
    check_refused(batch, -1, &r.top, "no valid ArrowSchema");
    make_request(&r);
    r.children[4] = NULL;
    check_refused(batch, -1, &r.top, "no valid ArrowSchema");
    make_request(&r);
    r.top.n_children = -1;
    check_refused(batch, -1, &r.top, "no valid ArrowSchema");
    make_request(&r);
    r.top.n_children = 3;
    check_refused(batch, -1, &r.top, "has 3 fields; the rows have 7 columns");
    make_request(&r);
    check_refused(batch, -1, &r.fields[0], "is of type \"l\"");
    check_refused(batch, 0, &r.top, "nested type");
    r.fields[1].format = "+l";
    check_refused(batch, -1, &r.top, "\"r\" is a flat column");
    make_request(&r);
    r.fields[1].name = "other";
    check_refused(batch, -1, &r.top, "field 1 is \"other\", the column is \"r\"");
    r.fields[1].name = NULL;
    check_refused(batch, -1, &r.top, "field 1 is \"\"");
    ss_batch_release(batch);
}

/* ---- streams ---- */

static void
test_stream(void)
{
    ss_batch *batch = new_batch(N_ROWS);

    for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++) {
        ss_view view = {batch, views[v][0], views[v][1], views[v][2]};
        ss_arrow_plan *plan = plan_of(batch, view.start, view.step, view.length, -1);
        struct ArrowArrayStream stream;
        struct ArrowSchema schema;
        struct ArrowArray array, end;
        CHECK(plan != NULL && ss_arrow_out_stream(plan, &stream, &err) == SS_OK);
        for (int twice = 0; twice < 2; twice++) {
            CHECK_INT(stream.get_schema(&stream, &schema), 0);
            CHECK_INT(schema.n_children, N_FIELDS);
            schema.release(&schema);
        }
        CHECK_INT(stream.get_next(&stream, &array), 0);
        CHECK(array.release != NULL);
        for (int twice = 0; twice < 2; twice++) {
            CHECK_INT(stream.get_next(&stream, &end), 0);
            CHECK(end.release == NULL);
        }
        CHECK(stream.get_last_error(&stream) == NULL);
        stream.release(&stream);
        CHECK(stream.release == NULL);
        check_struct(&array, &view); /* it outlives the stream */
        array.release(&array);
        CHECK_INT(refs(batch), 1);
    }
    ss_batch_release(batch);
}

/* ---- no memory ---- */

/* All there is, with allocation `n` failing. False when none was left to fail. */
static bool
out_of_memory(ss_batch *batch, long n, int64_t step)
{
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array;
    bool failed = true;

    ss_mem_fail_after(n, false);
    ss_arrow_plan *plan = plan_of(batch, step == 1 ? 0 : N_ROWS - 1, step, N_ROWS, -1);
    if (plan == NULL) {
        goto done;
    }
    if (ss_arrow_out_stream(plan, &stream, &err) != SS_OK) {
        ss_arrow_plan_free(plan);
        goto done;
    }
    int first = stream.get_schema(&stream, &schema);
    if (first == 0) {
        schema.release(&schema);
    }
    int second = stream.get_next(&stream, &array);
    if (second == 0) {
        array.release(&array);
    }
    failed = first != 0 || second != 0;
    CHECK_VALUE(!failed || first == ENOMEM || second == ENOMEM, false);
    CHECK_VALUE(second == 0 || strstr(stream.get_last_error(&stream), "memory"), false);
    CHECK_VALUE(second == 0 || (stream.get_next(&stream, &array) == 0 &&
                                array.release != NULL), /* nothing was lost */
                false);
    if (second != 0) {
        array.release(&array);
    }
    stream.release(&stream);
done:
    ss_mem_fail_after(-1, false);
    return failed;
}

static void
test_no_memory(void)
{
    ss_batch *batch = new_batch(N_ROWS);

    for (int64_t step = -1; step <= 1; step += 2) {
        long n = 0;
        while (out_of_memory(batch, n, step)) {
            CHECK_INT(refs(batch), 1);
            n++;
        }
        CHECK_INT(refs(batch), 1);
        /* plan, stream, schema, block, and a copy of each column or of the two ANY */
        CHECK_INT(n, 4 + (step == 1 ? 2 : N_FIELDS));
    }
    ss_batch_release(batch);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_views);
    RUN(test_rows_in_order_are_not_copied);
    RUN(test_one_column);
    RUN(test_the_array_outlives_the_rows);
    RUN(test_children_moved_out);
    RUN(test_children_released_in_place);
    RUN(test_schemas_of_the_tables);
    RUN(test_types_of_expressions);
    RUN(test_the_type_is_that_of_all_rows);
    RUN(test_requests_that_are_honoured);
    RUN(test_requests_that_are_passed_over);
    RUN(test_requests_that_are_refused);
    RUN(test_stream);
    RUN(test_no_memory);
    return check_end();
}
