/* arrow_case: see arrow_case.h. */
#include "arrow_case.h"

#include "check.h"

#include <stdlib.h>

/* ---- the tables, and data for them ---- */

static const ss_column_desc free_columns[] = {
    {.name = "i", .kind = SS_KIND_INT},        {.name = "r", .kind = SS_KIND_REAL},
    {.name = "t", .kind = SS_KIND_TEXT},       {.name = "d", .kind = SS_KIND_DATE},
    {.name = "ts", .kind = SS_KIND_TIMESTAMP},
};
const ss_table_desc free_table = {
    .name = "things", .columns = free_columns, .n_columns = 5};

static const ss_column_desc strict_columns[] = {
    {.name = "day", .kind = SS_KIND_DATE, .flags = SS_COL_KEY | SS_COL_REQUIRED},
    {.name = "name", .kind = SS_KIND_TEXT, .flags = SS_COL_REQUIRED},
    {.name = "count", .kind = SS_KIND_INT},
    {.name = "secret", .kind = SS_KIND_DATE, .flags = SS_COL_SECRET},
};
const ss_table_desc strict_table = {
    .name = "strict", .columns = strict_columns, .n_columns = 4};

const uint8_t holes[] = {0xfb, 0xfd};
const int64_t two[] = {1, 2};
const int32_t two_days[] = {0, 1};
const int32_t two_ends[] = {0, 1, 2};
const spec good_columns[] = {
    {.name = "count",
     .format = "l",
     .length = 2,
     .n_buffers = 2,
     .buffers = {NULL, two}},
    {.name = "name",
     .format = "u",
     .length = 2,
     .n_buffers = 3,
     .buffers = {NULL, two_ends, "xy"}},
    {.name = "day",
     .format = "tdD",
     .length = 2,
     .n_buffers = 2,
     .buffers = {NULL, two_days}},
};

/* ---- the producer ---- */

int live_schemas, live_arrays, live_streams;

static void
release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) {
            schema->children[i]->release(schema->children[i]);
        }
        free(schema->children[i]);
    }
    if (schema->dictionary != NULL) {
        schema->dictionary->release(schema->dictionary);
        free(schema->dictionary);
    }
    free(schema->children);
    schema->children = NULL;
    schema->release = NULL;
    live_schemas--;
}

static void
make_schema(const spec *s, struct ArrowSchema *out)
{
    *out = (struct ArrowSchema){
        .format = s->format, .name = s->name, .release = release_schema};
    out->children = calloc(2, sizeof(*out->children));
    for (; out->n_children < 2 && s->children[out->n_children] != NULL;
         out->n_children++) {
        out->children[out->n_children] = calloc(1, sizeof(struct ArrowSchema));
        make_schema(s->children[out->n_children], out->children[out->n_children]);
    }
    if (s->dictionary != NULL) {
        out->dictionary = calloc(1, sizeof(struct ArrowSchema));
        make_schema(s->dictionary, out->dictionary);
    }
    live_schemas++;
}

/* What make_array allocated, whatever a test made of the struct since. */
typedef struct {
    struct ArrowArray *children[8];
    int n_children;
    struct ArrowArray *dictionary;
    const void *buffers[6];
} array_private;

static void
release_array(struct ArrowArray *array)
{
    array_private *own = array->private_data;
    for (int i = 0; i < own->n_children; i++) {
        if (own->children[i]->release != NULL) {
            own->children[i]->release(own->children[i]);
        }
        free(own->children[i]);
    }
    if (own->dictionary != NULL) {
        if (own->dictionary->release != NULL) {
            own->dictionary->release(own->dictionary);
        }
        free(own->dictionary);
    }
    free(own);
    array->release = NULL;
    live_arrays--;
}

static void
make_array(const spec *s, struct ArrowArray *out)
{
    array_private *own = calloc(1, sizeof(*own));
    *out = (struct ArrowArray){.length = s->length,
                               .offset = s->offset,
                               .null_count = s->null_count,
                               .n_buffers = s->n_buffers,
                               .buffers = own->buffers,
                               .children = own->children,
                               .release = release_array,
                               .private_data = own};
    memcpy(own->buffers, s->buffers, sizeof(own->buffers));
    for (int i = 0; i < 2 && s->children[i] != NULL; i++) {
        own->children[i] = calloc(1, sizeof(struct ArrowArray));
        make_array(s->children[i], own->children[i]);
        own->n_children++;
    }
    out->n_children = own->n_children;
    if (s->dictionary != NULL) {
        own->dictionary = calloc(1, sizeof(struct ArrowArray));
        make_array(s->dictionary, own->dictionary);
        out->dictionary = own->dictionary;
    }
    live_arrays++;
}

static int
get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    producer *p = stream->private_data;
    static const spec all = {.format = "+s"};
    if (p->schema_code != 0) {
        return p->schema_code;
    }
    make_schema(&all, out);
    out->n_children = p->n;
    free(out->children);
    out->children = calloc((size_t)p->n + 1, sizeof(*out->children));
    for (int i = 0; i < p->n; i++) {
        out->children[i] = calloc(1, sizeof(struct ArrowSchema));
        make_schema(&p->columns[i], out->children[i]);
    }
    if (p->spoil_schema != NULL) {
        p->spoil_schema(out);
    }
    return 0;
}

static void
never_released(struct ArrowArray *array)
{
    array->release = NULL;
    live_arrays += 1000; /* seen by read_all */
}

static int
get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    producer *p = stream->private_data;
    spec all = {.n_buffers = 1, .offset = p->offset};
    if (p->made == p->n_chunks) {
        /* A failure hands nothing over, whatever is left in the struct. */
        out->release = p->next_code == 0 ? NULL : never_released;
        return p->next_code;
    }
    p->made++;
    all.length = p->columns[0].length - p->offset;
    make_array(&all, out);
    array_private *own = out->private_data;
    for (int i = 0; i < p->n; i++) {
        own->children[i] = calloc(1, sizeof(struct ArrowArray));
        make_array(&p->columns[i], own->children[i]);
    }
    own->n_children = p->n;
    out->n_children = p->n;
    if (p->spoil_array != NULL) {
        p->spoil_array(out);
    }
    return 0;
}

static const char *
get_last_error(struct ArrowArrayStream *stream)
{
    return ((producer *)stream->private_data)->last_error;
}

static void
release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
    live_streams--;
}

struct ArrowArrayStream
make_stream(producer *p)
{
    live_streams++;
    return (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = p};
}

/* ---- what was read, as text ---- */

char shown[8192];

static void
show(const char *text)
{
    size_t at = strlen(shown);
    snprintf(shown + at, sizeof(shown) - at, "%s", text);
}

static void
show_batch(const ss_batch *batch)
{
    char cell[64];
    ss_value value;
    for (int64_t row = 0; row < batch->n_rows; row++) {
        for (int c = 0; c < batch->n_columns; c++) {
            ss_column_get(&batch->columns[c], row, &value);
            ss_value_show(&value, cell, sizeof(cell));
            show(shown[0] == '\0' ? "" : c == 0 ? " " : ",");
            show(cell);
        }
    }
}

static void
show_error(ss_status status)
{
    show(shown[0] == '\0' ? "" : " ");
    show(status == err.code ? "" : "(status and err differ) ");
    show(status == SS_TYPE          ? "TYPE "
         : status == SS_VALUE       ? "VALUE "
         : status == SS_OVERFLOW    ? "OVERFLOW "
         : status == SS_OPERATIONAL ? "OPERATIONAL "
         : status == SS_NOMEM       ? "NOMEM "
                                    : "? ");
    show(err.message);
}

ss_status
read_stream(producer *p, const ss_table_desc *table, int64_t max_rows)
{
    struct ArrowArrayStream stream = make_stream(p);
    ss_arrow_in *in = NULL;
    ss_batch *batch;
    ss_error_init(&err);
    ss_status status = ss_arrow_in_open(&stream, table, &in, &err);
    CHECK_VALUE(stream.release == NULL, SS_OK);
    while (status == SS_OK) {
        batch = NULL;
        status = ss_arrow_in_next(in, max_rows, &batch, &err);
        if (status != SS_OK || batch == NULL) {
            break;
        }
        CHECK_VALUE(batch->n_rows >= 0 && batch->n_rows <= max_rows, SS_OK);
        show_batch(batch);
        ss_batch_release(batch);
    }
    ss_arrow_in_free(in);
    return status;
}

const char *
read_all(producer *p, const ss_table_desc *table, int64_t max_rows)
{
    shown[0] = '\0';
    p->made = 0;
    ss_status status = read_stream(p, table, max_rows);
    if (status != SS_OK) {
        show_error(status);
    }
    CHECK_VALUE(live_schemas == 0 && live_arrays == 0 && live_streams == 0, "leak");
    return shown;
}

const char *
read_as(const char *name, const spec *column)
{
    static char at_once[sizeof(shown)];
    spec named = *column;
    named.name = name;
    producer p = {.columns = &named, .n = 1, .n_chunks = 1};
    snprintf(at_once, sizeof(at_once), "%s", read_all(&p, &free_table, 1000));
    if (strstr(at_once, "row ") == NULL) { /* else the rows before it are shown, too */
        CHECK_VALUE(strcmp(at_once, read_all(&p, &free_table, 1)) == 0, "slices");
    }
    return at_once;
}
