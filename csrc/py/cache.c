/* Owns the entries: a hash table with chains, and a list by last use.
 *
 *     slots[hash & mask] -> entry -> entry        by `next`
 *     newest <-> ... <-> oldest                   by `newer` and `older`
 *
 * Invariants:
 *  1. Every entry shows the state of `stamp`. A call that finds the database in another
 *     state drops them all; an answer of another state is not kept.
 *  2. bytes is the sum of the entries' sizes and at most `limit`.
 *  3. What an answer's `kept` points to is its entry, or NULL when it has none.
 *  4. Keys hold objects of exact, immutable types, whose hash and comparison run no
 *     Python code; so do no answers when they go.
 *
 * A key is flat: the arguments, then the names of the keywords; a list, tuple or dict
 * stands between two marks.  Comparing it needs no new object, so a hit makes none.
 */
#include "py/cache.h"

#include "base/mem.h"
#include "db/fresh.h"
#include "py/record.h"
#include "py/rows.h"

#include <string.h> // memcpy(), memcmp()

enum {
    MOST_PARTS = 48,
    FIRST_SLOTS = 64,
    MOST_TEXTS = 8,
    SHARE = 4, /* an answer larger than limit / SHARE is not kept */
};

/* An answer, or a text of one: those hang on their answer's entry. */
struct py_cache_entry {
    PyObject *answer;      /* owned; NULL while pending */
    py_cache *cache;       /* borrowed */
    py_cache_entry **kept; /* the answer's field that points here, or NULL */
    py_cache_entry *texts; /* owned, by `next` */
    uint64_t hash;
    uint64_t life; /* of the cache it was asked in */
    size_t size;
    py_cache_entry *next, *newer, *older;
    uint32_t what;   /* method and table */
    uint16_t n_args; /* positional, so that the others are told by their names */
    uint16_t n_parts;
    PyObject *parts[]; /* owned references */
};

struct py_cache {
    size_t limit, bytes;
    ss_stamp stamp;
    uint64_t life;          /* changes when everything is dropped from outside */
    py_cache_entry **slots; /* owned */
    size_t n_slots, n;
    py_cache_entry *newest, *oldest; /* owned */
    int64_t hits, misses, evictions;
};

/* What a call asked, on the stack: the parts are borrowed. */
typedef struct {
    uint64_t hash;
    uint32_t what;
    uint16_t n_args, n_parts;
    PyObject *parts[MOST_PARTS];
} key;

/* --- keys ------------------------------------------------------------------------ */

static inline uint64_t
mix(uint64_t hash, uint64_t part)
{
    hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static inline bool
add_raw(key *k, PyObject *part, uint64_t hash)
{
    if (k->n_parts == MOST_PARTS) {
        return false;
    }
    k->parts[k->n_parts++] = part;
    k->hash = mix(k->hash, hash);
    return true;
}

/* A constant of an exact type. An aware datetime is none: its offset is Python code. */
static inline bool
is_constant(const py_state *state, PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (type == state->datetime->DateTimeType) {
        return !((PyDateTime_DateTime *)obj)->hastzinfo;
    }
    return type == &PyUnicode_Type || type == &PyLong_Type || obj == Py_None ||
           type == &PyBool_Type || type == &PyFloat_Type || type == &PyBytes_Type ||
           type == state->datetime->DateType;
}

static inline bool
add_constant(const py_state *state, key *k, PyObject *obj)
{
    if (!is_constant(state, obj)) {
        return false;
    }
    Py_hash_t hash = PyObject_Hash(obj);
    if (hash == -1) {
        PyErr_Clear();
        return false;
    }
    return add_raw(k, obj, (uint64_t)hash ^ (uint64_t)(uintptr_t)Py_TYPE(obj));
}

/* The marks are types, which are no constants. A list and a tuple mean the same. */
static bool
add_mark(key *k, PyTypeObject *mark)
{
    return add_raw(k, (PyObject *)mark, (uint64_t)(uintptr_t)mark);
}

static bool
add_sequence(const py_state *state, key *k, PyObject *obj)
{
    bool ok = add_mark(k, &PyTuple_Type);
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(obj); i++) {
        ok = add_constant(state, k, PySequence_Fast_GET_ITEM(obj, i));
    }
    return ok && add_mark(k, &PyList_Type);
}

static bool
add_dict(const py_state *state, key *k, PyObject *obj)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    bool ok = add_mark(k, &PyDict_Type);
    while (ok && PyDict_Next(obj, &at, &name, &value)) {
        ok = add_constant(state, k, name) && add_constant(state, k, value);
    }
    return ok && add_mark(k, &PyList_Type);
}

static inline bool
add_argument(const py_state *state, key *k, PyObject *obj)
{
    if (PyList_CheckExact(obj) || PyTuple_CheckExact(obj)) {
        return add_sequence(state, k, obj);
    }
    return PyDict_CheckExact(obj) ? add_dict(state, k, obj)
                                  : add_constant(state, k, obj);
}

static bool
make_key(const py_state *state, uint32_t what, PyObject *const *args, Py_ssize_t n,
         PyObject *kwnames, key *k)
{
    Py_ssize_t n_names = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    if (n > MOST_PARTS) {
        return false;
    }
    k->what = what;
    k->n_args = (uint16_t)n;
    k->n_parts = 0;
    k->hash = mix(what, (uint64_t)n);
    for (Py_ssize_t i = 0; i < n + n_names; i++) {
        if (!add_argument(state, k, args[i])) {
            return false;
        }
    }
    for (Py_ssize_t i = 0; i < n_names; i++) {
        if (!add_constant(state, k, PyTuple_GET_ITEM(kwnames, i))) {
            return false;
        }
    }
    return true;
}

static inline bool
same_part(PyObject *a, PyObject *b)
{
    if (a == b) {
        return true;
    }
    if (Py_TYPE(a) != Py_TYPE(b) || PyType_Check(a)) {
        return false;
    }
    if (PyFloat_CheckExact(a)) { /* 0.0 and -0.0 differ */
        double x = PyFloat_AS_DOUBLE(a), y = PyFloat_AS_DOUBLE(b);
        return memcmp(&x, &y, sizeof(x)) == 0;
    }
    int equal = PyObject_RichCompareBool(a, b, Py_EQ);
    if (equal < 0) {
        PyErr_Clear();
    }
    return equal == 1;
}

static inline bool
is_key_of(const key *k, const py_cache_entry *e)
{
    if (e->hash != k->hash || e->what != k->what || e->n_args != k->n_args ||
        e->n_parts != k->n_parts) {
        return false;
    }
    for (int i = 0; i < k->n_parts; i++) {
        if (!same_part(k->parts[i], e->parts[i])) {
            return false;
        }
    }
    return true;
}

/* --- entries ------------------------------------------------------------------------ */

/* What an object takes, nearly. */
static size_t
size_of(PyObject *obj)
{
    enum { SMALL = 48 };
    if (PyUnicode_CheckExact(obj)) {
        return SMALL + (size_t)PyUnicode_GET_LENGTH(obj) * PyUnicode_KIND(obj);
    }
    return PyBytes_CheckExact(obj) ? SMALL + (size_t)PyBytes_GET_SIZE(obj) : SMALL;
}

static size_t
size_of_answer(py_state *state, PyObject *answer)
{
    if (py_rows_check(state, answer)) {
        return sizeof(py_rows) + ss_batch_size(((py_rows *)answer)->batch);
    }
    if (py_record_check(state, answer)) {
        return sizeof(py_record) + ss_batch_size(py_record_batch(answer, NULL, NULL));
    }
    return size_of(answer);
}

static void
entry_free(py_cache_entry *e)
{
    if (e->kept != NULL) {
        *e->kept = NULL;
    }
    for (py_cache_entry *t = e->texts; t != NULL;) {
        py_cache_entry *next = t->next;
        entry_free(t);
        t = next;
    }
    for (int i = 0; i < e->n_parts; i++) {
        Py_DECREF(e->parts[i]);
    }
    Py_XDECREF(e->answer);
    ss_free(e);
}

/* An entry without an answer. New, or NULL: then this one is not kept. */
static py_cache_entry *
entry_of_key(py_cache *cache, const key *k)
{
    size_t room = k->n_parts * sizeof(k->parts[0]);
    py_cache_entry *e = ss_malloc(sizeof(*e) + room);
    if (e == NULL) {
        return NULL;
    }
    *e = (py_cache_entry){
        .cache = cache,
        .hash = k->hash,
        .life = cache->life,
        .size = sizeof(*e) + room + sizeof(e),
        .what = k->what,
        .n_args = k->n_args,
        .n_parts = k->n_parts,
    };
    for (int i = 0; i < k->n_parts; i++) {
        e->parts[i] = Py_NewRef(k->parts[i]);
        e->size += PyType_Check(k->parts[i]) ? 0 : size_of(k->parts[i]);
    }
    return e;
}

static void
list_remove(py_cache *cache, py_cache_entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &cache->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &cache->oldest) = e->newer;
}

static void
list_put_first(py_cache *cache, py_cache_entry *e)
{
    e->newer = NULL;
    e->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

static py_cache_entry **
slot_of(const py_cache *cache, uint64_t hash)
{
    return &cache->slots[hash & (cache->n_slots - 1)];
}

static void
drop(py_cache *cache, py_cache_entry *e)
{
    py_cache_entry **link = slot_of(cache, e->hash);
    while (*link != e) {
        link = &(*link)->next;
    }
    *link = e->next;
    list_remove(cache, e);
    cache->n--;
    cache->bytes -= e->size;
    entry_free(e);
}

static void
drop_all(py_cache *cache)
{
    while (cache->oldest != NULL) {
        drop(cache, cache->oldest);
    }
    cache->stamp.epoch = 0;
}

static py_cache_entry *
in_chain(py_cache_entry *e, const key *k)
{
    while (e != NULL && !is_key_of(k, e)) {
        e = e->next;
    }
    return e;
}

static py_cache_entry *
lookup(const py_cache *cache, const key *k)
{
    return in_chain(*slot_of(cache, k->hash), k);
}

static void
use(py_cache *cache, py_cache_entry *e)
{
    if (e != cache->newest) {
        list_remove(cache, e);
        list_put_first(cache, e);
    }
}

/* Twice the slots when there are as many entries; false: it stays as it is. */
static void
widen(py_cache *cache)
{
    size_t n = cache->n_slots * 2;
    py_cache_entry **old = cache->slots, **slots = ss_calloc(n, sizeof(*slots));
    if (slots == NULL) {
        return;
    }
    cache->slots = slots;
    cache->n_slots = n;
    for (py_cache_entry *e = cache->newest; e != NULL; e = e->older) {
        py_cache_entry **slot = slot_of(cache, e->hash);
        e->next = *slot;
        *slot = e;
    }
    ss_free(old);
}

/* Room for `size` bytes more, not at the cost of `spared` (NULL is fine), the newest. */
static void
make_room(py_cache *cache, size_t size, const py_cache_entry *spared)
{
    while (cache->oldest != spared && cache->bytes + size > cache->limit) {
        drop(cache, cache->oldest);
        cache->evictions++;
    }
}

/* Where an answer notes that it is kept; NULL for one that cannot. */
static py_cache_entry **
note_of(py_state *state, PyObject *answer)
{
    if (py_rows_check(state, answer)) {
        return &((py_rows *)answer)->kept;
    }
    return py_record_check(state, answer) ? &((py_record *)answer)->kept : NULL;
}

static void
keep(py_cache *cache, py_cache_entry *e)
{
    make_room(cache, e->size, NULL);
    if (cache->n == cache->n_slots) {
        widen(cache);
    }
    py_cache_entry **slot = slot_of(cache, e->hash);
    e->next = *slot;
    *slot = e;
    list_put_first(cache, e);
    cache->n++;
    cache->bytes += e->size;
}

/* --- the cache --------------------------------------------------------------------- */

py_cache *
py_cache_new(size_t limit)
{
    py_cache *cache = ss_calloc(1, sizeof(*cache));
    py_cache_entry **slots = ss_calloc(FIRST_SLOTS, sizeof(*slots));
    if (cache == NULL || slots == NULL) {
        ss_free(cache);
        ss_free(slots);
        PyErr_NoMemory();
        return NULL;
    }
    cache->limit = limit;
    cache->slots = slots;
    cache->n_slots = FIRST_SLOTS;
    return cache;
}

void
py_cache_free(py_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    drop_all(cache);
    ss_free(cache->slots);
    ss_free(cache);
}

void
py_cache_clear(py_cache *cache)
{
    if (cache != NULL) {
        cache->life++;
        drop_all(cache);
    }
}

static void
ask(py_database *db, ss_stamp *out)
{
    Py_BEGIN_ALLOW_THREADS
    ss_db_ask(db->db, out);
    Py_END_ALLOW_THREADS
}

/* Is everything kept still true?  If not, it goes, and what is true now is noted. */
static bool
is_fresh(py_database *db)
{
    py_cache *cache = db->cache;
    ss_stamp now;
    if (ss_db_peek(db->db, &now) == SS_PEEK_ASK) {
        ask(db, &now);
    }
    if (now.epoch == 0) {
        return false;
    }
    if (!ss_stamp_equal(&now, &cache->stamp)) {
        drop_all(cache);
        cache->stamp = now;
    }
    return true;
}

/* The answer to an equal call, still true: a new reference; or NULL without an exception,
 * and in *pending a new entry for it, unless it cannot be kept. */
static PyObject *
find(py_database *db, uint32_t what, PyObject *const *args, Py_ssize_t n,
     PyObject *kwnames, py_cache_entry **pending)
{
    py_cache *cache = db->cache;
    bool fresh = is_fresh(db);
    key k;
    *pending = NULL;
    if (!make_key(db->state, what, args, n, kwnames, &k)) {
        return NULL;
    }
    py_cache_entry *found = fresh ? lookup(cache, &k) : NULL;
    if (found == NULL) {
        cache->misses++;
        *pending = entry_of_key(cache, &k);
        return NULL;
    }
    cache->hits++;
    use(cache, found);
    return Py_NewRef(found->answer);
}

/* May an answer be kept that shows this state? */
static bool
is_of_now(py_cache *cache, const py_cache_entry *e, const ss_stamp *stamp)
{
    if (stamp->epoch == 0 || e->life != cache->life) {
        return false;
    }
    if (cache->n == 0) {
        cache->stamp = *stamp;
    }
    return ss_stamp_equal(stamp, &cache->stamp);
}

/* What a call that was not found came to, NULL for an exception; returned, or the equal
 * one that another thread brought meanwhile. Takes `pending`. */
static PyObject *
settle(py_database *db, py_cache_entry *pending, const ss_stamp *stamp,
       PyObject *result)
{
    py_cache *cache = db->cache;
    if (result != NULL && is_of_now(cache, pending, stamp)) {
        pending->size += size_of_answer(db->state, result);
        key k = {.hash = pending->hash,
                 .what = pending->what,
                 .n_args = pending->n_args,
                 .n_parts = pending->n_parts};
        memcpy(k.parts, pending->parts, pending->n_parts * sizeof(k.parts[0]));
        py_cache_entry *other = lookup(cache, &k);
        if (other != NULL) {
            Py_SETREF(result, Py_NewRef(other->answer));
        }
        else if (pending->size <= cache->limit / SHARE) {
            pending->answer = Py_NewRef(result);
            pending->kept = note_of(db->state, result);
            if (pending->kept != NULL) {
                *pending->kept = pending;
            }
            keep(cache, pending);
            return result;
        }
    }
    entry_free(pending);
    return result;
}

PyObject *
py_cache_call(py_database *db, py_cache_method method, int table, PyObject *const *args,
              Py_ssize_t n, PyObject *kwnames, py_cache_make make)
{
    py_cache_entry *pending;
    ss_stamp stamp = {0};
    /* Where the call itself would have to wait or to refuse, it shall. */
    if (db->cache == NULL || db->signals > 0 || db->state->forking_thread != 0) {
        return make(db, table, args, n, kwnames, NULL);
    }
    PyObject *result =
        find(db, (uint32_t)table << 3 | method, args, n, kwnames, &pending);
    if (result != NULL) {
        return result;
    }
    if (pending == NULL) {
        return make(db, table, args, n, kwnames, NULL);
    }
    result = make(db, table, args, n, kwnames, &stamp);
    return settle(db, pending, &stamp, result);
}

/* --- texts of answers ---------------------------------------------------------------- */

/* Hang a text on its answer's entry; takes it. */
static void
keep_text(py_cache_entry *e, py_cache_entry *text)
{
    py_cache *cache = e->cache;
    int n = 0;
    for (py_cache_entry *t = e->texts; t != NULL; t = t->next) {
        n++;
    }
    if (n == MOST_TEXTS || e->size + text->size > cache->limit / SHARE) {
        entry_free(text);
        return;
    }
    use(cache, e);
    make_room(cache, text->size, e);
    text->next = e->texts;
    e->texts = text;
    e->size += text->size;
    cache->bytes += text->size;
}

PyObject *
py_cache_text(py_state *state, py_cache_entry *const *kept, int which, PyObject *op,
              PyObject *const *args, Py_ssize_t n, PyObject *kwnames,
              py_cache_text_make make)
{
    py_cache_entry *e = *kept;
    key k;
    if (e == NULL || !make_key(state, (uint32_t)which, args, n, kwnames, &k)) {
        return make(op, args, n, kwnames);
    }
    py_cache_entry *text = in_chain(e->texts, &k);
    if (text != NULL) {
        return Py_NewRef(text->answer);
    }
    text = entry_of_key(e->cache, &k);
    PyObject *result = make(op, args, n, kwnames);
    if (text == NULL) {
        return result;
    }
    /* The GIL was away: the answer may be gone from the cache, its entry with it. */
    if (result == NULL || *kept != e) {
        entry_free(text);
        return result;
    }
    text->answer = Py_XNewRef(result);
    text->size += size_of(result);
    keep_text(e, text);
    return result;
}

/* --- around it ------------------------------------------------------------------------ */

int
py_cache_stats(const py_cache *cache, PyObject *dict)
{
    static const py_cache none = {0};
    const py_cache *c = cache != NULL ? cache : &none;
    const struct {
        const char *name;
        int64_t value;
    } figures[] = {
        {"cache_hits", c->hits},
        {"cache_misses", c->misses},
        {"cache_evictions", c->evictions},
        {"cache_entries", (int64_t)c->n},
        {"cache_bytes", (int64_t)c->bytes},
        {"cache_limit", (int64_t)c->limit},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        PyObject *value = PyLong_FromLongLong(figures[i].value);
        int rc =
            value != NULL ? PyDict_SetItemString(dict, figures[i].name, value) : -1;
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

int
py_cache_argument(PyObject *obj, size_t *out)
{
    if (obj == NULL || obj == Py_True) {
        *out = PY_CACHE_LIMIT;
        return 0;
    }
    if (obj == Py_False) {
        *out = 0;
        return 0;
    }
    if (!PyLong_Check(obj)) {
        PyErr_Format(PyExc_TypeError,
                     "cache: expected True, False or a number of bytes, got %s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    int overflow;
    long long bytes = PyLong_AsLongLongAndOverflow(obj, &overflow);
    if (overflow != 0 || bytes < 0) {
        PyErr_Format(PyExc_ValueError, "cache: expected 0 to 2**63 - 1 bytes, got %R",
                     obj);
        return -1;
    }
    *out = (size_t)bytes;
    return 0;
}
