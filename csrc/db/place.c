/* The bytes of a token, numbers little endian, written in base64url without padding:
 *
 *     1  version       1  flags        4  table       4  order
 *     8  window from   8  window until            (each only when its flag is set)
 *     for each term: 1 tag, then 8 bytes (INT, REAL), 4 + n bytes (TEXT, BLOB), or none
 *     4  checksum of all before
 *
 * Table and order are sums over their names: a token is not asked to list them.
 */
#include "db/place.h"

#include "base/mem.h"
#include "base/moment.h"

#include <string.h> // memcpy(), strlen()

enum {
    VERSION = 1,
    FLAG_FROM = 1,
    FLAG_UNTIL = 2,
    FLAG_RELATIVE = 4,
    FLAG_NUMBERS = 8
};

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* --- sums (FNV-1a) ----------------------------------------------------------------- */

static uint32_t
sum_bytes(uint32_t sum, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        sum = (sum ^ p[i]) * 16777619u;
    }
    return sum;
}

static uint32_t
sum_of_table(const ss_table_desc *table)
{
    return sum_bytes(2166136261u, table->name, strlen(table->name));
}

static uint32_t
sum_of_order(const ss_table_desc *table, const ss_select *select)
{
    uint32_t sum = 2166136261u;
    for (int i = 0; i < select->n_order; i++) {
        int16_t column = select->order[i].column;
        const char *name = column < 0 ? "" : table->columns[column].name;
        sum = sum_bytes(sum, name, strlen(name));
        sum = sum_bytes(sum, select->order[i].descending ? "-" : "+", 1);
    }
    return sum;
}

/* --- writing ----------------------------------------------------------------------- */

static void
put_number(ss_buf *out, uint64_t number, int n)
{
    char bytes[8];
    for (int i = 0; i < n; i++) {
        bytes[i] = (char)(unsigned char)(number >> (8 * i));
    }
    ss_buf_add(out, bytes, (size_t)n);
}

static void
put_value(ss_buf *out, const ss_value *value)
{
    uint64_t bits = 0;
    put_number(out, (uint64_t)value->tag, 1);
    switch (value->tag) {
    case SS_VALUE_NULL:
        return;
    case SS_VALUE_REAL:
        memcpy(&bits, &value->as.r, sizeof(bits));
        put_number(out, bits, 8);
        return;
    case SS_VALUE_TEXT:
    case SS_VALUE_BLOB:
        put_number(out, value->as.s.n, 4);
        ss_buf_add(out, value->as.s.p, value->as.s.n);
        return;
    case SS_VALUE_INT:
    case SS_VALUE_DATE:
    case SS_VALUE_TIMESTAMP:
        put_number(out, (uint64_t)value->as.i, 8);
        return;
    }
}

/* Text of base64url; NULL without memory. */
static char *
encode(const ss_buf *bytes)
{
    const unsigned char *in = (const unsigned char *)bytes->data;
    size_t n = bytes->size, at = 0;
    char *text = ss_malloc(n / 3 * 4 + 5);
    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i += 3) {
        uint32_t group = (uint32_t)in[i] << 16;
        group |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
        group |= i + 2 < n ? (uint32_t)in[i + 2] : 0;
        size_t left = n - i < 3 ? n - i : 3;
        for (size_t k = 0; k <= left; k++) {
            text[at++] = digits[(group >> (18 - 6 * k)) & 63];
        }
    }
    text[at] = '\0';
    return text;
}

/* The time step as a window: the value is text in canonical files, else a number. */
static ss_window
window_of_step(const ss_value *value, ss_kind kind)
{
    int64_t step = 0;
    int32_t day = 0;
    bool known = value->tag == SS_VALUE_INT;
    if (known) {
        step = value->as.i;
    }
    else if (value->tag == SS_VALUE_TEXT && kind == SS_KIND_DATE) {
        known = ss_day_parse(value->as.s.p, value->as.s.n, &day);
        step = day;
    }
    else if (value->tag == SS_VALUE_TEXT) {
        known = ss_instant_parse(value->as.s.p, value->as.s.n, &step);
    }
    int64_t last = kind == SS_KIND_DATE ? SS_DAY_MAX
                                        : (SS_DAY_MAX + INT64_C(1)) * SS_US_PER_DAY - 1;
    return (ss_window){.has_from = known,
                       .has_until = known && step < last,
                       .from = step,
                       .until = step < last ? step + 1 : step};
}

static ss_kind
time_kind(const ss_table_desc *table)
{
    return table->time_column < 0 ? SS_KIND_INT
                                  : (ss_kind)table->columns[table->time_column].kind;
}

ss_status
ss_place_write(const ss_batch *last, const ss_table_desc *table,
               const ss_table_layout *layout, const ss_select *select, bool relative,
               char **out, ss_error *err)
{
    ss_value value;
    ss_buf bytes;
    ss_window window = {0};
    ss_buf_init(&bytes);
    if (relative && select->newest) {
        ss_column_get(&last->columns[0], 0, &value);
        window = window_of_step(&value, time_kind(table));
    }
    else if (relative) {
        window = select->window;
    }
    put_number(&bytes, VERSION, 1);
    put_number(
        &bytes,
        (window.has_from ? FLAG_FROM : 0u) | (window.has_until ? FLAG_UNTIL : 0u) |
            (relative ? FLAG_RELATIVE : 0u) | (layout->canonical ? 0u : FLAG_NUMBERS),
        1);
    put_number(&bytes, sum_of_table(table), 4);
    put_number(&bytes, sum_of_order(table, select), 4);
    if (window.has_from) {
        put_number(&bytes, (uint64_t)window.from, 8);
    }
    if (window.has_until) {
        put_number(&bytes, (uint64_t)window.until, 8);
    }
    for (int i = 0; i < last->n_columns; i++) {
        ss_column_get(&last->columns[i], 0, &value);
        put_value(&bytes, &value);
    }
    put_number(&bytes, sum_bytes(2166136261u, bytes.data, bytes.size), 4);
    char *text = ss_buf_ok(&bytes) ? encode(&bytes) : NULL;
    ss_buf_free(&bytes);
    if (text == NULL) {
        return ss_error_nomem(err);
    }
    *out = text;
    return SS_OK;
}

/* --- reading ----------------------------------------------------------------------- */

typedef struct {
    const char *at;
    size_t left;
    bool short_of; /* more was read than there is */
} reader;

static const char *
take(reader *r, size_t n)
{
    if (r->short_of || r->left < n) {
        r->short_of = true;
        return NULL;
    }
    const char *p = r->at;
    r->at += n;
    r->left -= n;
    return p;
}

static uint64_t
take_number(reader *r, int n)
{
    const char *p = take(r, (size_t)n);
    uint64_t number = 0;
    for (int i = 0; p != NULL && i < n; i++) {
        number |= (uint64_t)(unsigned char)p[i] << (8 * i);
    }
    return number;
}

/* False: no value that a row can hold. */
static bool
take_value(reader *r, ss_value *out)
{
    uint64_t tag = take_number(r, 1), bits;
    switch (tag) {
    case SS_VALUE_NULL:
        break;
    case SS_VALUE_INT:
        out->as.i = (int64_t)take_number(r, 8);
        break;
    case SS_VALUE_REAL:
        bits = take_number(r, 8);
        memcpy(&out->as.r, &bits, sizeof(bits));
        if (out->as.r != out->as.r) {
            return false;
        }
        break;
    case SS_VALUE_TEXT:
    case SS_VALUE_BLOB:
        out->as.s.n = (size_t)take_number(r, 4);
        out->as.s.p = take(r, out->as.s.n);
        break;
    default:
        return false;
    }
    out->tag = (ss_tag)tag;
    return !r->short_of;
}

static bool
take_bound(reader *r, ss_kind kind, int64_t *out)
{
    *out = (int64_t)take_number(r, 8);
    int64_t unit = kind == SS_KIND_DATE ? 1 : SS_US_PER_DAY;
    return !r->short_of && *out >= SS_DAY_MIN * unit &&
           *out < (SS_DAY_MAX + INT64_C(1)) * unit;
}

/* How many bytes the text stands for are in *n; SIZE_MAX: it is no base64url. */
static void
decode(const char *text, size_t n_text, char *out, size_t *n)
{
    uint32_t group = 0;
    size_t at = 0;
    int bits = 0;
    *n = SIZE_MAX;
    for (size_t i = 0; i < n_text; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);
        if (digit == NULL) {
            return;
        }
        group = (group << 6 | (uint32_t)(digit - digits)) & 0xffffu;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (char)(unsigned char)(group >> bits);
        }
    }
    *n = at;
}

static ss_status
no_token(ss_error *err)
{
    return ss_error_set(err, SS_VALUE,
                        "after: expected the next_token of the page before, unchanged");
}

/* Whose token it is instead. */
static ss_status
other_table(const ss_table_desc *table, uint32_t sum, ss_error *err)
{
    for (int i = 0; i < ss_n_tables; i++) {
        if (sum_of_table(&ss_tables[i]) == sum) {
            return ss_error_set(err, SS_VALUE, "after: this token is of %s, not of %s",
                                ss_tables[i].name, table->name);
        }
    }
    return no_token(err);
}

static ss_status
read_head(reader *r, const ss_table_desc *table, const ss_table_layout *layout,
          const ss_select *select, bool relative, ss_window *window, ss_error *err)
{
    uint64_t version = take_number(r, 1), flags = take_number(r, 1);
    uint32_t of_table = (uint32_t)take_number(r, 4);
    uint32_t of_order = (uint32_t)take_number(r, 4);
    if (version != VERSION || r->short_of || flags >= 2 * FLAG_NUMBERS) {
        return no_token(err);
    }
    if (of_table != sum_of_table(table)) {
        return other_table(table, of_table, err);
    }
    if (of_order != sum_of_order(table, select) ||
        ((flags & FLAG_RELATIVE) != 0) != relative) {
        return ss_error_set(err, SS_VALUE,
                            "after: this token was made in another order or window of "
                            "%s; give the same order_by and period as for its page",
                            table->name);
    }
    if (((flags & FLAG_NUMBERS) != 0) == layout->canonical) {
        return ss_error_set(err, SS_VALUE,
                            "after: this token is from before the file was migrated; "
                            "begin with the first page again");
    }
    *window =
        (ss_window){.has_from = flags & FLAG_FROM, .has_until = flags & FLAG_UNTIL};
    if ((window->has_from && !take_bound(r, time_kind(table), &window->from)) ||
        (window->has_until && !take_bound(r, time_kind(table), &window->until))) {
        return no_token(err);
    }
    return SS_OK;
}

static bool
checks(const char *bytes, size_t n)
{
    if (n == SIZE_MAX || n < 4) {
        return false;
    }
    reader tail = {.at = bytes + n - 4, .left = 4};
    return take_number(&tail, 4) == sum_bytes(2166136261u, bytes, n - 4);
}

ss_status
ss_place_read(ss_place *place, const char *token, size_t n, const ss_table_desc *table,
              const ss_table_layout *layout, const ss_select *select, bool relative,
              ss_error *err)
{
    size_t size = 0;
    place->bytes = ss_malloc(n + 1);
    if (place->bytes == NULL) {
        return ss_error_nomem(err);
    }
    decode(token, n, place->bytes, &size);
    if (!checks(place->bytes, size)) {
        return no_token(err);
    }
    reader r = {.at = place->bytes, .left = size - 4};
    SS_TRY(read_head(&r, table, layout, select, relative, &place->window, err));
    for (int i = 0; i < select->n_order; i++) {
        if (!take_value(&r, &place->values[i])) {
            return no_token(err);
        }
    }
    return r.left == 0 ? SS_OK : no_token(err);
}

void
ss_place_clear(ss_place *place)
{
    ss_free(place->bytes);
    place->bytes = NULL;
}
