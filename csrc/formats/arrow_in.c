/* formats/arrow_in: the stream, its schema, and the slicing of its arrays.
 *
 * Owns the stream and the one array that is being read; each is released once, in
 * every path.  One thread at a time; no lock of ours, and no GIL: a producer written in
 * Python takes it itself.  A conversion goes column by column, but the error reported
 * is that of the first bad row: after a failure the columns that follow are converted
 * up to that row only, and one that fails there is the earlier.
 */
#include "formats/arrow_in.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "formats/arrow_cells.h"

#include <errno.h>  // ENOMEM
#include <string.h> // memset(), strcmp(), strlen()

/* More fields than any table could have columns, and fewer than a stray number. */
enum { MOST_FIELDS = 100000 };

typedef struct {
    ss_arrow_field type;
    ss_arrow_cells cells; /* of the current array */
} input_column;

struct ss_arrow_in {
    struct ArrowArrayStream stream; /* owned */
    struct ArrowArray array;        /* owned; release is NULL when there is none */
    int64_t at;                     /* rows of it handed out */
    int64_t rows;                   /* rows of the stream handed out */
    const ss_table_desc *table;
    input_column inputs[SS_MAX_COLUMNS];
    int16_t columns[SS_MAX_COLUMNS];
    int n;
    bool failed;
};

static void
release_schema(struct ArrowSchema *schema)
{
    if (schema->release != NULL) {
        schema->release(schema);
        schema->release = NULL;
    }
}

static void
release_array(struct ArrowArray *array)
{
    if (array->release != NULL) {
        array->release(array);
        array->release = NULL;
    }
}

/* The producer said no. */
static ss_status
stream_failed(ss_arrow_in *in, int code, ss_error *err)
{
    const char *why = in->stream.get_last_error != NULL
                          ? in->stream.get_last_error(&in->stream)
                          : NULL;
    if (code == ENOMEM) {
        return ss_error_nomem(err);
    }
    if (why == NULL || why[0] == '\0') {
        return ss_error_set(err, SS_OPERATIONAL,
                            "the Arrow stream failed with error %d and said no more",
                            code);
    }
    return ss_error_set(err, SS_OPERATIONAL, "the Arrow stream failed: %s", why);
}

static ss_status
malformed(ss_error *err, const char *column, const char *wrong)
{
    return ss_error_set(err, SS_VALUE, "the Arrow stream is malformed: %s%s%s", column,
                        column[0] != '\0' ? ": " : "", wrong);
}

/* ---- the schema ---- */

/* What is wrong so far, as a list; names are quoted, cut and escaped. */
typedef struct {
    ss_buf text;
    char name[80];
} complaints;

static void
begin_complaint(complaints *wrong, const char *name)
{
    ss_value value = ss_value_text(name);
    ss_value_show(&value, wrong->name, sizeof(wrong->name));
    if (wrong->text.size > 0) {
        ss_buf_puts(&wrong->text, "; ");
    }
}

static void
unknown_column(complaints *wrong, const ss_table_desc *table, const char *name)
{
    ss_nearest search;
    ss_nearest_init(&search, name, strlen(name));
    for (int i = 0; i < table->n_columns; i++) {
        ss_nearest_offer(&search, table->columns[i].name);
    }
    begin_complaint(wrong, name);
    ss_buf_printf(&wrong->text, "there is no column %s", wrong->name);
    if (search.best != NULL) {
        ss_buf_printf(&wrong->text, " (did you mean '%s'?)", search.best);
    }
}

static bool
has_column(const ss_arrow_in *in, int column)
{
    for (int i = 0; i < in->n; i++) {
        if (in->columns[i] == column) {
            return true;
        }
    }
    return false;
}

static void
match_field(ss_arrow_in *in, const struct ArrowSchema *schema, complaints *wrong)
{
    const char *name = schema->name != NULL ? schema->name : "";
    int column = ss_catalog_column(in->table, name, strlen(name));
    if (column < 0) {
        unknown_column(wrong, in->table, name);
        return;
    }
    if (has_column(in, column)) {
        begin_complaint(wrong, name);
        ss_buf_printf(&wrong->text, "%s is there twice", wrong->name);
        return;
    }
    ss_kind kind = (ss_kind)in->table->columns[column].kind;
    ss_arrow_field type;
    if (!ss_arrow_field_read(schema, &type)) {
        begin_complaint(wrong, name);
        ss_buf_printf(&wrong->text, "%s has a malformed type", wrong->name);
        type = (ss_arrow_field){.n_levels = 0};
    }
    else if (!ss_arrow_field_fits(&type, kind)) {
        begin_complaint(wrong, name);
        ss_buf_printf(&wrong->text, "%s is %s, which cannot become %s", wrong->name,
                      ss_arrow_type_name(schema), ss_kind_name(kind));
    }
    in->inputs[in->n].type = type;
    in->columns[in->n++] = (int16_t)column;
}

static void
missing_columns(const ss_arrow_in *in, complaints *wrong)
{
    int n = 0;
    for (int i = 0; i < in->table->n_columns; i++) {
        const ss_column_desc *column = &in->table->columns[i];
        if ((column->flags & SS_COL_REQUIRED) && !has_column(in, i)) {
            if (n++ == 0) {
                begin_complaint(wrong, "");
                ss_buf_puts(&wrong->text, "missing: ");
            }
            ss_buf_printf(&wrong->text, "%s%s", n > 1 ? ", " : "", column->name);
        }
    }
}

static ss_status
match_schema(ss_arrow_in *in, const struct ArrowSchema *schema, ss_error *err)
{
    complaints wrong;
    ss_status status = SS_OK;
    ss_buf_init(&wrong.text);
    for (int64_t i = 0; i < schema->n_children; i++) {
        match_field(in, schema->children[i], &wrong);
    }
    missing_columns(in, &wrong);
    if (!ss_buf_ok(&wrong.text)) {
        status = ss_error_nomem(err);
    }
    else if (wrong.text.size > 0) {
        status = ss_error_set(err, SS_TYPE, "the data does not fit %s: %s",
                              in->table->name, wrong.text.data);
        ss_error_where(err, in->table->name, NULL, NULL);
    }
    ss_buf_free(&wrong.text);
    return status;
}

/* A schema that cannot be looked at field by field. */
static ss_status
check_schema(const struct ArrowSchema *schema, ss_error *err)
{
    if (schema->release == NULL || schema->format == NULL) {
        return malformed(err, "", "it has no schema");
    }
    if (strcmp(schema->format, "+s") != 0) {
        return ss_error_set(err, SS_TYPE,
                            "expected a stream of named columns, got one of %s",
                            ss_arrow_type_name(schema));
    }
    if (schema->n_children < 0 || schema->n_children > MOST_FIELDS ||
        (schema->n_children > 0 && schema->children == NULL)) {
        return malformed(err, "", "its number of columns cannot be");
    }
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        if (child == NULL || child->release == NULL || child->format == NULL) {
            return malformed(err, "", "one of its columns has no type");
        }
    }
    return SS_OK;
}

static ss_status
read_schema(ss_arrow_in *in, ss_error *err)
{
    struct ArrowSchema schema;
    memset(&schema, 0, sizeof(schema));
    int code = in->stream.get_schema(&in->stream, &schema);
    if (code != 0) {
        return stream_failed(in, code, err);
    }
    ss_status status = check_schema(&schema, err);
    if (status == SS_OK) {
        status = match_schema(in, &schema, err);
    }
    release_schema(&schema);
    return status;
}

/* Move the stream into `in` and look at it. */
static ss_status
take_stream(ss_arrow_in *in, struct ArrowArrayStream *stream, ss_error *err)
{
    in->stream = *stream;
    stream->release = NULL;
    if (in->stream.release == NULL) {
        return ss_error_set(err, SS_VALUE,
                            "the Arrow stream was released, or read by another");
    }
    if (in->stream.get_schema == NULL || in->stream.get_next == NULL) {
        return malformed(err, "", "its functions are missing");
    }
    return read_schema(in, err);
}

ss_status
ss_arrow_in_open(struct ArrowArrayStream *stream, const ss_table_desc *table,
                 ss_arrow_in **out, ss_error *err)
{
    ss_arrow_in *in = ss_calloc(1, sizeof(*in));
    if (in == NULL) {
        if (stream->release != NULL) {
            stream->release(stream);
            stream->release = NULL;
        }
        return ss_error_nomem(err);
    }
    in->table = table;
    ss_status status = take_stream(in, stream, err);
    if (status != SS_OK) {
        ss_arrow_in_free(in);
        return status;
    }
    *out = in;
    return SS_OK;
}

void
ss_arrow_in_free(ss_arrow_in *in)
{
    if (in == NULL) {
        return;
    }
    release_array(&in->array);
    if (in->stream.release != NULL) {
        in->stream.release(&in->stream);
        in->stream.release = NULL;
    }
    ss_free(in);
}

const int16_t *
ss_arrow_in_columns(const ss_arrow_in *in, int *n)
{
    *n = in->n;
    return in->columns;
}

int64_t
ss_arrow_in_rows(const ss_arrow_in *in)
{
    return in->rows;
}

/* ---- the arrays ---- */

/* The array of all columns; its own nulls would be rows that are not there. */
static const char *
check_array(const struct ArrowArray *array, int n)
{
    if (array->length < 0 || array->offset < 0 ||
        array->length > INT64_MAX - array->offset) {
        return "a length or offset is no count of rows";
    }
    if (array->n_children != n || array->children == NULL) {
        return "an array has not the schema's number of columns";
    }
    if (array->n_buffers != 1 || array->buffers == NULL || array->dictionary != NULL) {
        return "an array has not the number of buffers its type has";
    }
    const uint8_t *validity = array->buffers[0];
    if (array->null_count > 0 && validity == NULL) {
        return "an array has nulls and no bitmap of them";
    }
    for (int64_t i = 0; validity != NULL && i < array->length; i++) {
        int64_t at = array->offset + i;
        if (!(validity[at >> 3] >> (at & 7) & 1)) {
            return "a whole row is null";
        }
    }
    return NULL;
}

static ss_status
open_array(ss_arrow_in *in, ss_error *err)
{
    const char *wrong = check_array(&in->array, in->n);
    if (wrong != NULL) {
        return malformed(err, "", wrong);
    }
    for (int i = 0; i < in->n && in->array.length > 0; i++) {
        wrong = ss_arrow_cells_open(&in->inputs[i].type, in->array.children[i],
                                    in->array.offset + in->array.length,
                                    &in->inputs[i].cells);
        if (wrong != NULL) {
            return malformed(err, in->table->columns[in->columns[i]].name, wrong);
        }
    }
    return SS_OK;
}

/* Have an array with rows left, or one that never had any; *end: there is none. */
static ss_status
next_array(ss_arrow_in *in, bool *end, ss_error *err)
{
    *end = false;
    if (in->array.release != NULL && in->at < in->array.length) {
        return SS_OK;
    }
    release_array(&in->array);
    memset(&in->array, 0, sizeof(in->array));
    in->at = 0;
    int code = in->stream.get_next(&in->stream, &in->array);
    if (code != 0) {
        in->array.release = NULL; /* nothing was handed over */
        return stream_failed(in, code, err);
    }
    if (in->array.release == NULL) {
        *end = true;
        return SS_OK;
    }
    return open_array(in, err);
}

/* Rows at .. at+n-1 of the array into the batch. */
static ss_status
convert(ss_arrow_in *in, int64_t n, ss_batch *batch, ss_error *err)
{
    ss_status status = SS_OK;
    for (int i = 0; i < in->n && n > 0; i++) {
        ss_error here;
        ss_error_init(&here);
        ss_status rc = ss_arrow_cells_convert(
            &in->inputs[i].cells, in->array.offset + in->at, n, in->rows,
            &in->table->columns[in->columns[i]], &batch->columns[i], &here);
        if (rc == SS_OK) {
            continue;
        }
        status = rc;
        *err = here;
        ss_error_where(err, in->table->name, NULL, NULL);
        n = here.has_row ? here.row - in->rows : 0; /* else there is no memory */
    }
    return status;
}

static ss_status
next_batch(ss_arrow_in *in, int64_t max_rows, ss_batch **out, ss_error *err)
{
    ss_batch *batch = NULL;
    bool end;
    SS_TRY(next_array(in, &end, err));
    if (end) {
        *out = NULL;
        return SS_OK;
    }
    int64_t left = in->array.length - in->at;
    int64_t n = left < max_rows ? left : max_rows;
    ss_status status =
        ss_batch_new_table(in->table, in->columns, in->n, n, &batch, err);
    if (status == SS_OK && ss_batch_reserve(batch, n) != SS_OK) {
        status = ss_error_nomem(err);
    }
    if (status == SS_OK) {
        status = convert(in, n, batch, err);
    }
    if (status == SS_OK) {
        batch->n_rows = n;
        ss_batch_finish(batch);
        in->at += n;
        in->rows += n;
        *out = batch;
        batch = NULL;
    }
    ss_batch_release(batch);
    return status;
}

ss_status
ss_arrow_in_next(ss_arrow_in *in, int64_t max_rows, ss_batch **out, ss_error *err)
{
    if (in->failed) {
        return ss_error_set(err, SS_INTERFACE, "the Arrow stream has failed before");
    }
    ss_status status = next_batch(in, max_rows > 0 ? max_rows : 1, out, err);
    in->failed = status != SS_OK;
    return status;
}
