/* A struct with children is one block of memory under a count: parent and children
 * each hold one reference, whoever is released last frees it. That is what lets a
 * consumer move a child out and release the rest.
 */
#include "formats/arrow_out.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h> // memcpy(), memset(), strlen()

/* ---- schema ---- */

/* Where children[] points; followed by all the strings. */
typedef struct {
    atomic_int refs;
    struct ArrowSchema *children[]; /* then the children themselves */
} schema_block;

/* Writes strings, or, while `to` is NULL, finds out how much room they need. */
typedef struct {
    char *to;
    size_t n;
} pen;

static const char *
pen_write(pen *p, const void *bytes, size_t n)
{
    char *at = p->to != NULL ? p->to + p->n : NULL;

    if (at != NULL) {
        memcpy(at, bytes, n);
    }
    p->n += n;
    return at;
}

static const char *
pen_string(pen *p, const char *text)
{
    return pen_write(p, text, strlen(text) + 1);
}

typedef struct {
    const char *key, *value;
} entry;

/* Entries with a value as Arrow's metadata; NULL when there is none. */
static const char *
pen_metadata(pen *p, const entry *entries, int n)
{
    int32_t count = 0, size;

    for (int i = 0; i < n; i++) {
        count += entries[i].value[0] != '\0';
    }
    if (count == 0) {
        return NULL;
    }
    p->n = (p->n + 3) & ~(size_t)3; /* some readers take the lengths as aligned */
    const char *at = pen_write(p, &count, sizeof(count));
    for (int i = 0; i < n; i++) {
        if (entries[i].value[0] == '\0') {
            continue;
        }
        size = (int32_t)strlen(entries[i].key);
        pen_write(p, &size, sizeof(size));
        pen_write(p, entries[i].key, (size_t)size);
        size = (int32_t)strlen(entries[i].value);
        pen_write(p, &size, sizeof(size));
        pen_write(p, entries[i].value, (size_t)size);
    }
    return at;
}

static void
drop_schema_block(schema_block *block)
{
    if (atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) == 1) {
        ss_free(block);
    }
}

static void
release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child->release != NULL) {
            child->release(child);
        }
    }
    schema->release = NULL;
    drop_schema_block(schema->private_data);
}

static struct ArrowSchema
field_schema(const ss_arrow_plan *plan, const ss_arrow_field *field, pen *p)
{
    const ss_batch *batch = plan->view.batch;
    const char *name = batch->names[field->column];
    int c =
        batch->table != NULL ? ss_catalog_column(batch->table, name, strlen(name)) : -1;
    struct ArrowSchema schema = {
        .format = pen_string(p, field->format),
        .name = pen_string(p, name),
        .flags = ARROW_FLAG_NULLABLE,
        .release = release_schema,
    };

    if (c >= 0) {
        const ss_column_desc *desc = &batch->table->columns[c];
        const entry entries[] = {{"unit", desc->unit},
                                 {"description", desc->doc},
                                 {"aggregation", desc->aggregate}};
        schema.metadata = pen_metadata(p, entries, 3);
    }
    return schema;
}

static struct ArrowSchema
struct_schema(const ss_arrow_plan *plan, pen *p)
{
    const ss_table_desc *table = plan->view.batch->table;
    struct ArrowSchema schema = {
        .format = pen_string(p, "+s"),
        .name = pen_string(p, ""),
        .n_children = plan->n_fields,
        .release = release_schema,
    };

    if (table != NULL) {
        const entry entries[] = {{"table", table->name}, {"description", table->doc}};
        schema.metadata = pen_metadata(p, entries, 2);
    }
    return schema;
}

/* All schemas of the plan: the children, or the one field, into `fields` (room for
 * one when the pen only measures), and the parent returned. */
static struct ArrowSchema
write_schemas(const ss_arrow_plan *plan, pen *p, struct ArrowSchema *fields)
{
    for (int i = 0; i < plan->n_fields; i++) {
        fields[p->to != NULL ? i : 0] = field_schema(plan, &plan->fields[i], p);
    }
    return plan->whole ? struct_schema(plan, p) : fields[0];
}

ss_status
ss_arrow_out_schema(const ss_arrow_plan *plan, struct ArrowSchema *out, ss_error *err)
{
    size_t n = (size_t)plan->n_fields;
    size_t head = sizeof(schema_block) +
                  n * (sizeof(struct ArrowSchema *) + sizeof(struct ArrowSchema));
    struct ArrowSchema unused;
    pen p = {.to = NULL};

    (void)write_schemas(plan, &p, &unused);
    schema_block *block = ss_malloc(head + p.n);
    if (block == NULL) {
        return ss_error_nomem(err);
    }
    struct ArrowSchema *fields = (struct ArrowSchema *)(void *)&block->children[n];
    p = (pen){.to = (char *)block + head};
    struct ArrowSchema top = write_schemas(plan, &p, fields);
    for (size_t i = 0; i < n; i++) {
        fields[i].private_data = block;
        block->children[i] = &fields[i];
    }
    top.private_data = block;
    top.children = plan->whole ? block->children : NULL;
    atomic_init(&block->refs, plan->whole ? (int)n + 1 : 1);
    *out = top;
    return SS_OK;
}

/* ---- arrays ---- */

typedef struct array_block array_block;

/* One column as an array. */
typedef struct {
    struct ArrowArray array;
    array_block *block;
    ss_batch *batch; /* owned: whose buffers these are, or NULL */
    void *copy;      /* owned: or else what the buffers point into */
    const void *buffers[3];
} part;

struct array_block {
    atomic_int refs;
    struct ArrowArray **children;
    const void *no_validity[1]; /* of the struct: a row is never null */
    part parts[];               /* then what `children` points to */
};

static void
drop_array_block(array_block *block)
{
    if (atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) == 1) {
        ss_free(block);
    }
}

static void
release_part(struct ArrowArray *array)
{
    part *p = array->private_data;

    array->release = NULL;
    ss_batch_release(p->batch);
    ss_free(p->copy);
    drop_array_block(p->block);
}

static void
release_struct(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child->release != NULL) {
            child->release(child);
        }
    }
    array->release = NULL;
    drop_array_block(array->private_data);
}

/* Buffers of each type, the validity bits included. */
static int64_t
n_buffers(uint8_t type)
{
    switch ((ss_arrow_type)type) {
    case SS_ARROW_NULL:
        return 0;
    case SS_ARROW_LARGE_UTF8:
    case SS_ARROW_UTF8:
    case SS_ARROW_LARGE_BINARY:
        return 3;
    case SS_ARROW_INT64:
    case SS_ARROW_FLOAT64:
    case SS_ARROW_DATE32:
    case SS_ARROW_TIMESTAMP:
        break;
    }
    return 2;
}

static void
share_column(const ss_arrow_plan *plan, const ss_column *column, part *p)
{
    p->batch = ss_batch_retain((ss_batch *)(uintptr_t)plan->view.batch);
    p->array.offset = plan->view.start;
    p->buffers[0] = p->array.null_count > 0 ? column->validity : NULL;
    p->buffers[1] = column->data.p;
    p->buffers[2] = column->bytes != NULL ? column->bytes : "";
}

/* ---- copied columns ---- */

static size_t
round8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static size_t
width_of(uint8_t type)
{
    return type == SS_ARROW_DATE32 || type == SS_ARROW_UTF8 ? 4 : 8;
}

static bool
has_bytes(uint8_t type)
{
    return n_buffers(type) == 3;
}

/* Bytes of text or blobs in the rows of the view. */
static size_t
count_bytes(const ss_view *view, const ss_column *column)
{
    size_t n = 0;

    for (int64_t i = 0; i < view->length; i++) {
        ss_value value;
        ss_column_get(column, view->start + i * view->step, &value);
        n += value.tag == SS_VALUE_NULL ? 0 : value.as.s.n;
    }
    return n;
}

static void
copy_fixed(uint8_t type, int64_t i, const ss_value *value, void *data)
{
    bool null = value->tag == SS_VALUE_NULL;

    if (type == SS_ARROW_DATE32) {
        ((int32_t *)data)[i] = null ? 0 : (int32_t)value->as.i;
    }
    else if (type == SS_ARROW_FLOAT64) {
        ((double *)data)[i] = null                         ? 0
                              : value->tag == SS_VALUE_INT ? (double)value->as.i
                                                           : value->as.r;
    }
    else {
        ((int64_t *)data)[i] = null ? 0 : value->as.i;
    }
}

/* Append to `bytes`, of which `n` are there, and note where the next one begins. */
static size_t
copy_bytes(uint8_t type, int64_t i, const ss_value *value, void *offsets, char *bytes,
           size_t n)
{
    if (value->tag != SS_VALUE_NULL && value->as.s.n > 0) {
        memcpy(bytes + n, value->as.s.p, value->as.s.n);
        n += value->as.s.n;
    }
    if (type == SS_ARROW_UTF8) {
        ((int32_t *)offsets)[i + 1] = (int32_t)n;
    }
    else {
        ((int64_t *)offsets)[i + 1] = (int64_t)n;
    }
    return n;
}

static ss_status
copy_column(const ss_view *view, const ss_column *column, uint8_t type, part *p)
{
    size_t n = (size_t)view->length, bitmap = p->array.null_count > 0 ? n / 8 + 1 : 0;
    size_t slots = round8((n + 1) * width_of(type)), at = 0;
    size_t size = slots + round8(bitmap);

    if (has_bytes(type)) {
        size += count_bytes(view, column);
    }
    char *data = p->copy = ss_malloc(size);
    if (data == NULL) {
        return SS_NOMEM;
    }
    uint8_t *validity = (uint8_t *)data + slots;
    char *bytes = data + slots + round8(bitmap);
    memset(data, 0, width_of(type));
    memset(validity, 0xff, bitmap);
    for (int64_t i = 0; i < view->length; i++) {
        ss_value value;
        ss_column_get(column, view->start + i * view->step, &value);
        if (value.tag == SS_VALUE_NULL) {
            validity[i >> 3] &= (uint8_t)~(1u << (i & 7));
        }
        if (has_bytes(type)) {
            at = copy_bytes(type, i, &value, data, bytes, at);
        }
        else {
            copy_fixed(type, i, &value, data);
        }
    }
    p->buffers[0] = bitmap > 0 ? validity : NULL;
    p->buffers[1] = data;
    p->buffers[2] = bytes;
    return SS_OK;
}

/* ---- putting it together ---- */

static ss_status
make_part(const ss_arrow_plan *plan, const ss_arrow_field *field, array_block *block,
          part *p)
{
    const ss_view *view = &plan->view;
    const ss_column *column = &view->batch->columns[field->column];

    memset(p, 0, sizeof(*p));
    p->block = block;
    p->array = (struct ArrowArray){
        .length = view->length,
        .null_count =
            field->type == SS_ARROW_NULL ? view->length : ss_view_nulls(view, column),
        .n_buffers = n_buffers(field->type),
        .buffers = p->buffers,
        .private_data = p,
    };
    if (view->step != 1 || column->kind == SS_KIND_ANY ||
        field->type == SS_ARROW_UTF8) {
        if (field->type != SS_ARROW_NULL) {
            SS_TRY(copy_column(view, column, field->type, p));
        }
    }
    else {
        share_column(plan, column, p);
    }
    p->array.release = release_part;
    atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    return SS_OK;
}

ss_status
ss_arrow_out_array(const ss_arrow_plan *plan, struct ArrowArray *out, ss_error *err)
{
    size_t n = (size_t)plan->n_fields;
    array_block *block =
        ss_malloc(sizeof(*block) + n * (sizeof(part) + sizeof(struct ArrowArray *)));

    if (block == NULL) {
        return ss_error_nomem(err);
    }
    atomic_init(&block->refs, 1);
    block->no_validity[0] = NULL;
    block->children = (struct ArrowArray **)(void *)&block->parts[n];
    struct ArrowArray top = {
        .length = plan->view.length,
        .n_buffers = 1,
        .buffers = block->no_validity,
        .children = block->children,
        .release = release_struct,
        .private_data = block,
    };
    for (size_t i = 0; i < n; i++) {
        if (make_part(plan, &plan->fields[i], block, &block->parts[i]) != SS_OK) {
            top.release(&top); /* the children made so far, and the block */
            return ss_error_nomem(err);
        }
        block->children[i] = &block->parts[i].array;
        top.n_children++;
    }
    if (!plan->whole) {
        *out = block->parts[0].array;
        drop_array_block(block); /* there is no parent */
        return SS_OK;
    }
    *out = top;
    return SS_OK;
}

/* ---- stream ---- */

typedef struct {
    ss_arrow_plan *plan; /* owned */
    bool done;
    ss_error err; /* of the last call that failed */
} stream;

static int
errno_of(ss_status status)
{
    return status == SS_OK ? 0 : status == SS_NOMEM ? ENOMEM : EINVAL;
}

static int
stream_get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    stream *s = self->private_data;

    ss_error_init(&s->err);
    return errno_of(ss_arrow_out_schema(s->plan, out, &s->err));
}

static int
stream_get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    stream *s = self->private_data;

    ss_error_init(&s->err);
    if (s->done) {
        out->release = NULL;
        return 0;
    }
    ss_status status = ss_arrow_out_array(s->plan, out, &s->err);
    s->done = status == SS_OK;
    return errno_of(status);
}

static const char *
stream_get_last_error(struct ArrowArrayStream *self)
{
    stream *s = self->private_data;

    return s->err.code != SS_OK ? s->err.message : NULL;
}

static void
stream_release(struct ArrowArrayStream *self)
{
    stream *s = self->private_data;

    self->release = NULL;
    ss_arrow_plan_free(s->plan);
    ss_free(s);
}

ss_status
ss_arrow_out_stream(ss_arrow_plan *plan, struct ArrowArrayStream *out, ss_error *err)
{
    stream *s = ss_malloc(sizeof(*s));

    if (s == NULL) {
        return ss_error_nomem(err);
    }
    s->plan = plan;
    s->done = false;
    ss_error_init(&s->err);
    *out = (struct ArrowArrayStream){
        .get_schema = stream_get_schema,
        .get_next = stream_get_next,
        .get_last_error = stream_get_last_error,
        .release = stream_release,
        .private_data = s,
    };
    return SS_OK;
}
