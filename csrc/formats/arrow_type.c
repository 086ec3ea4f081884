/* formats/arrow_type: format strings, as the Arrow C data interface defines them.
 *
 * One constant table says what each format is called and how it is read.  Pure
 * functions over borrowed schemas; any thread, no allocation.  Refuses to look at a
 * released schema, and at a dictionary within a dictionary.
 */
#include "formats/arrow_type.h"

#include <stdlib.h> // strtol()
#include <string.h> // strcmp(), strncmp(), strlen()

typedef struct {
    const char *format; /* what follows a ':' is a parameter */
    const char *name;
    ss_arrow_type type;
} known_type;

static const known_type known[] = {
    {"n", "null", {.form = SS_ARROW_NULL}},
    {"b", "bool", {.form = SS_ARROW_BOOL}},
    {"c", "int8", {.form = SS_ARROW_INT, .bits = 8, .is_signed = true}},
    {"C", "uint8", {.form = SS_ARROW_INT, .bits = 8}},
    {"s", "int16", {.form = SS_ARROW_INT, .bits = 16, .is_signed = true}},
    {"S", "uint16", {.form = SS_ARROW_INT, .bits = 16}},
    {"i", "int32", {.form = SS_ARROW_INT, .bits = 32, .is_signed = true}},
    {"I", "uint32", {.form = SS_ARROW_INT, .bits = 32}},
    {"l", "int64", {.form = SS_ARROW_INT, .bits = 64, .is_signed = true}},
    {"L", "uint64", {.form = SS_ARROW_INT, .bits = 64}},
    {"e", "halffloat", {.form = SS_ARROW_FLOAT, .bits = 16}},
    {"f", "float", {.form = SS_ARROW_FLOAT, .bits = 32}},
    {"g", "double", {.form = SS_ARROW_FLOAT, .bits = 64}},
    {"d:", "decimal", {.form = SS_ARROW_DECIMAL, .bits = 128}},
    {"u", "string", {.form = SS_ARROW_TEXT, .bits = 32}},
    {"U", "large_string", {.form = SS_ARROW_TEXT, .bits = 64}},
    {"vu", "string_view", {.form = SS_ARROW_TEXT_VIEW}},
    {"tdD", "date32", {.form = SS_ARROW_DATE, .bits = 32}},
    {"tdm", "date64", {.form = SS_ARROW_DATE, .bits = 64}},
    {"tss:", "timestamp[s]", {.form = SS_ARROW_INSTANT, .per_second = 1}},
    {"tsm:", "timestamp[ms]", {.form = SS_ARROW_INSTANT, .per_second = 1000}},
    {"tsu:", "timestamp[us]", {.form = SS_ARROW_INSTANT, .per_second = 1000000}},
    {"tsn:", "timestamp[ns]", {.form = SS_ARROW_INSTANT, .per_second = 1000000000}},
    {"+r", "run_end_encoded", {.form = SS_ARROW_RUNS}},
    {"z", "binary", {.form = SS_ARROW_OTHER}},
    {"Z", "large_binary", {.form = SS_ARROW_OTHER}},
    {"vz", "binary_view", {.form = SS_ARROW_OTHER}},
    {"w:", "fixed_size_binary", {.form = SS_ARROW_OTHER}},
    {"tts", "time32[s]", {.form = SS_ARROW_OTHER}},
    {"ttm", "time32[ms]", {.form = SS_ARROW_OTHER}},
    {"ttu", "time64[us]", {.form = SS_ARROW_OTHER}},
    {"ttn", "time64[ns]", {.form = SS_ARROW_OTHER}},
    {"tDs", "duration[s]", {.form = SS_ARROW_OTHER}},
    {"tDm", "duration[ms]", {.form = SS_ARROW_OTHER}},
    {"tDu", "duration[us]", {.form = SS_ARROW_OTHER}},
    {"tDn", "duration[ns]", {.form = SS_ARROW_OTHER}},
    {"tiM", "interval[month]", {.form = SS_ARROW_OTHER}},
    {"tiD", "interval[day_time]", {.form = SS_ARROW_OTHER}},
    {"tin", "interval[month_day_nano]", {.form = SS_ARROW_OTHER}},
    {"+l", "list", {.form = SS_ARROW_OTHER}},
    {"+L", "large_list", {.form = SS_ARROW_OTHER}},
    {"+vl", "list_view", {.form = SS_ARROW_OTHER}},
    {"+vL", "large_list_view", {.form = SS_ARROW_OTHER}},
    {"+w:", "fixed_size_list", {.form = SS_ARROW_OTHER}},
    {"+s", "struct", {.form = SS_ARROW_OTHER}},
    {"+m", "map", {.form = SS_ARROW_OTHER}},
    {"+ud:", "dense_union", {.form = SS_ARROW_OTHER}},
    {"+us:", "sparse_union", {.form = SS_ARROW_OTHER}},
};

/* NULL: no format of this version of Arrow. */
static const known_type *
find(const char *format)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = strlen(known[i].format);
        bool open = known[i].format[n - 1] == ':';
        if (open ? strncmp(format, known[i].format, n) == 0
                 : strcmp(format, known[i].format) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

/* "19,10" or "19,10,64": precision, scale, bits. What cannot be is OTHER. */
static void
read_decimal(const char *text, ss_arrow_type *type)
{
    char *end;
    long bits = 128, scale = 0;
    (void)strtol(text, &end, 10); /* the precision follows from the digits */
    bool valid = end != text && *end == ',';
    if (valid) {
        text = end + 1;
        scale = strtol(text, &end, 10);
        valid = end != text && scale >= -1000 && scale <= 1000;
    }
    if (valid && *end == ',') {
        text = end + 1;
        bits = strtol(text, &end, 10);
        valid = bits == 32 || bits == 64 || bits == 128 || bits == 256;
    }
    if (!valid || *end != '\0') {
        type->form = SS_ARROW_OTHER;
        return;
    }
    type->scale = (int32_t)scale;
    type->bits = (uint16_t)bits;
}

static ss_arrow_type
read_type(const char *format)
{
    const known_type *entry = find(format);
    ss_arrow_type type = {.form = SS_ARROW_OTHER};
    if (entry != NULL) {
        type = entry->type;
        if (type.form == SS_ARROW_DECIMAL) {
            read_decimal(format + strlen(entry->format), &type);
        }
    }
    return type;
}

static bool
usable(const struct ArrowSchema *schema)
{
    return schema != NULL && schema->release != NULL && schema->format != NULL;
}

/* The run ends' type into *runs, and the schema of the values; NULL: malformed. */
static const struct ArrowSchema *
read_runs(const struct ArrowSchema *schema, ss_arrow_type *runs)
{
    if (schema->n_children != 2 || schema->children == NULL ||
        !usable(schema->children[0]) || !usable(schema->children[1])) {
        return NULL;
    }
    ss_arrow_type ends = read_type(schema->children[0]->format);
    if (ends.form != SS_ARROW_INT || !ends.is_signed || ends.bits < 16) {
        return NULL;
    }
    runs->form = SS_ARROW_RUNS;
    runs->bits = ends.bits;
    return schema->children[1];
}

bool
ss_arrow_field_read(const struct ArrowSchema *schema, ss_arrow_field *out)
{
    ss_arrow_field field = {.n_levels = 0};
    if (!usable(schema)) {
        return false;
    }
    ss_arrow_type type = read_type(schema->format);
    if (type.form == SS_ARROW_RUNS) {
        schema = read_runs(schema, &field.levels[field.n_levels++]);
        if (schema == NULL) {
            return false;
        }
        type = read_type(schema->format);
    }
    if (schema->dictionary != NULL) {
        if (type.form != SS_ARROW_INT || !usable(schema->dictionary)) {
            return false;
        }
        type.form = SS_ARROW_DICTIONARY;
        field.levels[field.n_levels++] = type;
        type = read_type(schema->dictionary->format);
        if (schema->dictionary->dictionary != NULL) {
            type.form = SS_ARROW_OTHER;
        }
    }
    if (type.form == SS_ARROW_RUNS) { /* within runs, or within a dictionary */
        type.form = SS_ARROW_OTHER;
    }
    field.levels[field.n_levels++] = type;
    *out = field;
    return true;
}

bool
ss_arrow_field_fits(const ss_arrow_field *field, ss_kind kind)
{
    bool number = kind == SS_KIND_INT || kind == SS_KIND_REAL;
    bool moment = kind == SS_KIND_DATE || kind == SS_KIND_TIMESTAMP;
    switch ((ss_arrow_form)field->levels[field->n_levels - 1].form) {
    case SS_ARROW_NULL:
        return true;
    case SS_ARROW_BOOL:
    case SS_ARROW_INT:
    case SS_ARROW_FLOAT:
    case SS_ARROW_DECIMAL:
        return number;
    case SS_ARROW_TEXT:
    case SS_ARROW_TEXT_VIEW:
        return moment || kind == SS_KIND_TEXT;
    case SS_ARROW_DATE:
    case SS_ARROW_INSTANT:
        return moment;
    case SS_ARROW_DICTIONARY:
    case SS_ARROW_RUNS:
    case SS_ARROW_OTHER:
        break;
    }
    return false;
}

const char *
ss_arrow_type_name(const struct ArrowSchema *schema)
{
    const known_type *entry = find(schema->format);
    /* What the user thinks of is the value's type, not how it is packed. */
    if (schema->dictionary != NULL && usable(schema->dictionary)) {
        return ss_arrow_type_name(schema->dictionary);
    }
    return entry != NULL ? entry->name : schema->format;
}
