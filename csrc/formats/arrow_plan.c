#include "formats/arrow_plan.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h> // memcpy(), strcmp(), strlen()

static const char *const formats[] = {
    [SS_ARROW_NULL] = "n",     [SS_ARROW_INT64] = "l",
    [SS_ARROW_FLOAT64] = "g",  [SS_ARROW_LARGE_UTF8] = "U",
    [SS_ARROW_UTF8] = "u",     [SS_ARROW_LARGE_BINARY] = "Z",
    [SS_ARROW_DATE32] = "tdD", [SS_ARROW_TIMESTAMP] = "tsu:",
};

ss_arrow_plan *
ss_arrow_plan_new(const ss_view *view, int column)
{
    int n = column < 0 ? view->batch->n_columns : 1;
    ss_arrow_plan *plan =
        ss_calloc(1, sizeof(*plan) + (size_t)n * sizeof(plan->fields[0]));

    if (plan == NULL) {
        return NULL;
    }
    plan->view = *view;
    if (view->length <= 1) {
        plan->view.step = 1; /* a row of its own is in order */
    }
    ss_batch_retain((ss_batch *)(uintptr_t)view->batch);
    plan->whole = column < 0;
    plan->n_fields = n;
    for (int i = 0; i < n; i++) {
        plan->fields[i].column = column < 0 ? i : column;
    }
    return plan;
}

void
ss_arrow_plan_free(ss_arrow_plan *plan)
{
    if (plan != NULL) {
        ss_batch_release((ss_batch *)(uintptr_t)plan->view.batch);
        ss_free(plan);
    }
}

static const char *
name_of(const ss_arrow_plan *plan, int field)
{
    return plan->view.batch->names[plan->fields[field].column];
}

static const ss_column *
column_of(const ss_arrow_plan *plan, int field)
{
    return &plan->view.batch->columns[plan->fields[field].column];
}

/* ---- what is asked for ---- */

static ss_status
check_struct(const struct ArrowSchema *schema, ss_error *err)
{
    if (schema->release == NULL) {
        return ss_error_set(err, SS_VALUE,
                            "requested_schema has been consumed or released already");
    }
    if (schema->format == NULL || schema->n_children < 0 ||
        (schema->n_children > 0 && schema->children == NULL)) {
        return ss_error_set(err, SS_VALUE, "requested_schema is no valid ArrowSchema");
    }
    return SS_OK;
}

/* Note what is asked of one field. Names are compared within a struct only: the schema
 * of a column alone is often a type, which has none. */
static ss_status
request_field(ss_arrow_plan *plan, int i, const struct ArrowSchema *asked,
              ss_error *err)
{
    SS_TRY(check_struct(asked, err));
    const char *name = name_of(plan, i);
    if (plan->whole && (asked->name == NULL || strcmp(asked->name, name) != 0)) {
        return ss_error_set(err, SS_VALUE,
                            "requested_schema: field %d is \"%.100s\", the column is "
                            "\"%.100s\"; columns can be converted, not renamed",
                            i, asked->name != NULL ? asked->name : "", name);
    }
    /* A dictionary's own format is that of its indexes; its values say what it is. */
    const char *format = asked->dictionary != NULL ? "" : asked->format;
    if (format[0] == '+' || asked->n_children != 0) {
        return ss_error_set(err, SS_VALUE,
                            "requested_schema: \"%.100s\" is a flat column, and "
                            "\"%.40s\" is a nested type",
                            name, format);
    }
    size_t n = strlen(format);
    if (n < SS_ARROW_FORMAT) {
        memcpy(plan->fields[i].format, format, n + 1);
    }
    return SS_OK;
}

ss_status
ss_arrow_plan_request(ss_arrow_plan *plan, const struct ArrowSchema *requested,
                      ss_error *err)
{
    if (!plan->whole) {
        return request_field(plan, 0, requested, err);
    }
    SS_TRY(check_struct(requested, err));
    if (strcmp(requested->format, "+s") != 0) {
        return ss_error_set(err, SS_VALUE,
                            "requested_schema is of type \"%.40s\"; rows are a struct "
                            "(\"+s\") with a field for each column",
                            requested->format);
    }
    if (requested->n_children != plan->n_fields) {
        return ss_error_set(err, SS_VALUE,
                            "requested_schema has %lld fields; the rows have %d "
                            "columns",
                            (long long)requested->n_children, plan->n_fields);
    }
    for (int i = 0; i < plan->n_fields; i++) {
        if (requested->children[i] == NULL) {
            return ss_error_set(err, SS_VALUE,
                                "requested_schema is no valid ArrowSchema");
        }
        SS_TRY(request_field(plan, i, requested->children[i], err));
    }
    return SS_OK;
}

/* ---- what an ANY column holds ---- */

enum {
    INTS = 1 << SS_VALUE_INT,
    REALS = 1 << SS_VALUE_REAL,
    TEXTS = 1 << SS_VALUE_TEXT,
    BLOBS = 1 << SS_VALUE_BLOB,
    DATES = 1 << SS_VALUE_DATE,
    TIMESTAMPS = 1 << SS_VALUE_TIMESTAMP,
};

/* What was seen of a column. */
typedef struct {
    unsigned tags;    /* 1 << ss_tag of every cell that is not null */
    int64_t odd;      /* the first row that makes one type impossible, or -1 */
    unsigned before;  /* the tags above it */
    int64_t inexact;  /* the first integer that no double equals, or -1 */
    int64_t not_utf8; /* the first text that is none, or -1 */
} census;

static bool
is_exact(int64_t i)
{
    double r = (double)i;

    return r < 0x1p63 && (int64_t)r == i;
}

static bool
has_type(unsigned tags)
{
    return (tags & (tags - 1)) == 0 || tags == (INTS | REALS);
}

static void
take_cell(census *seen, const ss_column *column, int64_t row)
{
    ss_value value;

    ss_column_get(column, row, &value);
    if (value.tag == SS_VALUE_NULL) {
        return;
    }
    unsigned bit = 1u << value.tag;
    if (seen->odd < 0 && !has_type(seen->tags | bit)) {
        seen->odd = row;
        seen->before = seen->tags;
    }
    seen->tags |= bit;
    if (bit == INTS && seen->inexact < 0 && !is_exact(value.as.i)) {
        seen->inexact = row;
    }
    if (bit == TEXTS && seen->not_utf8 < 0 &&
        !ss_utf8_valid(value.as.s.p, value.as.s.n)) {
        seen->not_utf8 = row;
    }
}

static const char *
words_for(unsigned tags)
{
    return tags == INTS             ? "among integers"
           : tags == REALS          ? "among reals"
           : tags == (INTS | REALS) ? "among numbers"
           : tags == TEXTS          ? "among texts"
           : tags == BLOBS          ? "among blobs"
           : tags == DATES          ? "among dates"
                                    : "among timestamps";
}

/* SS_DATA about one cell; `what` and `where` say what is wrong with it. */
static ss_status
refuse_cell(const ss_arrow_plan *plan, int field, int64_t row, const char *what,
            const char *where, ss_error *err)
{
    const char *name = name_of(plan, field);
    char shown[128];
    ss_value value;

    ss_column_get(column_of(plan, field), row, &value);
    ss_value_show(&value, shown, sizeof(shown));
    ss_error_set(err, SS_DATA, "column \"%.100s\", row %lld of the result: %s %s%s",
                 name, (long long)row, shown, where, what);
    ss_error_where(err, NULL, name, &value);
    ss_error_row(err, row);
    return SS_DATA;
}

static ss_status
refuse_column(const ss_arrow_plan *plan, int field, const census *seen, ss_error *err)
{
    if (seen->odd >= 0) {
        return refuse_cell(plan, field, seen->odd,
                           ", and an Arrow column is of one type; convert it in the "
                           "SQL, for example CAST(... AS TEXT)",
                           words_for(seen->before), err);
    }
    if (seen->not_utf8 >= 0) {
        return refuse_cell(plan, field, seen->not_utf8,
                           "is not valid UTF-8; CAST(... AS BLOB) gives its bytes", "",
                           err);
    }
    return refuse_cell(plan, field, seen->inexact,
                       ", and no float64 equals it; convert it in the SQL, for example "
                       "CAST(... AS REAL)",
                       words_for(REALS), err);
}

static ss_status
type_of_any(const ss_arrow_plan *plan, int field, ss_arrow_type *out, ss_error *err)
{
    census seen = {.odd = -1, .inexact = -1, .not_utf8 = -1};

    for (int64_t row = 0; row < plan->view.batch->n_rows; row++) {
        take_cell(&seen, column_of(plan, field), row);
    }
    if (seen.odd >= 0 || seen.not_utf8 >= 0 ||
        (seen.tags == (INTS | REALS) && seen.inexact >= 0)) {
        return refuse_column(plan, field, &seen, err);
    }
    *out = seen.tags == 0        ? SS_ARROW_NULL
           : seen.tags == INTS   ? SS_ARROW_INT64
           : (seen.tags & REALS) ? SS_ARROW_FLOAT64
           : seen.tags == TEXTS  ? SS_ARROW_LARGE_UTF8
           : seen.tags == BLOBS  ? SS_ARROW_LARGE_BINARY
           : seen.tags == DATES  ? SS_ARROW_DATE32
                                 : SS_ARROW_TIMESTAMP;
    return SS_OK;
}

/* ---- deciding ---- */

static ss_status
type_of(const ss_arrow_plan *plan, int field, ss_arrow_type *out, ss_error *err)
{
    static const uint8_t type_of_kind[] = {
        [SS_KIND_INT] = SS_ARROW_INT64,           [SS_KIND_REAL] = SS_ARROW_FLOAT64,
        [SS_KIND_TEXT] = SS_ARROW_LARGE_UTF8,     [SS_KIND_DATE] = SS_ARROW_DATE32,
        [SS_KIND_TIMESTAMP] = SS_ARROW_TIMESTAMP,
    };
    uint8_t kind = column_of(plan, field)->kind;

    if (kind == SS_KIND_ANY) {
        return type_of_any(plan, field, out, err);
    }
    *out = (ss_arrow_type)type_of_kind[kind];
    return SS_OK;
}

ss_status
ss_arrow_plan_resolve(ss_arrow_plan *plan, ss_error *err)
{
    for (int i = 0; i < plan->n_fields; i++) {
        ss_arrow_field *field = &plan->fields[i];
        ss_arrow_type type;
        SS_TRY(type_of(plan, i, &type, err));
        if (type == SS_ARROW_LARGE_UTF8 && strcmp(field->format, "u") == 0 &&
            column_of(plan, i)->n_bytes <= INT32_MAX) {
            type = SS_ARROW_UTF8;
        }
        field->type = (uint8_t)type;
        if (type != SS_ARROW_TIMESTAMP || strncmp(field->format, "tsu:", 4) != 0) {
            memcpy(field->format, formats[type], strlen(formats[type]) + 1);
        }
    }
    return SS_OK;
}
