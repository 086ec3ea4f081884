/* store/stmt_cache: the prepared statements of one connection.
 *
 * Owns every cached statement, also while it is lent out.  Used by the thread that
 * holds the connection; called without the GIL.
 *
 *     slots[hash & mask] -> stmt -> stmt          chains by `next`
 *     newest <-> ... <-> oldest                   all of them by last use
 *
 * Invariants: a cached statement is in exactly one chain and once in the list; count is
 * their number, at most `capacity`; what is lent out is never evicted.  A statement
 * that SQLite had to prepare again (the schema changed) is dropped when it comes back:
 * its columns may not be those its user remembers.
 */
#include "store/stmt_cache.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h> // memcmp()

struct ss_stmt_cache {
    ss_conn *conn;   /* borrowed: outlives the cache */
    ss_stmt **slots; /* owned array */
    size_t mask;
    ss_stmt *newest, *oldest; /* owned */
    int count, capacity;
};

ss_status
ss_stmt_cache_new(ss_conn *conn, int capacity, ss_stmt_cache **out, ss_error *err)
{
    ss_stmt_cache *cache = NULL;
    ss_status rc = SS_OK;
    size_t n_slots = 16;

    assert(capacity > 0);
    while (n_slots < (size_t)capacity * 2) {
        n_slots *= 2;
    }
    cache = ss_calloc(1, sizeof(*cache));
    if (cache == NULL) {
        rc = ss_error_nomem(err);
        goto done;
    }
    cache->conn = conn;
    cache->capacity = capacity;
    cache->mask = n_slots - 1;
    cache->slots = ss_calloc(n_slots, sizeof(*cache->slots));
    if (cache->slots == NULL) {
        rc = ss_error_nomem(err);
        goto done;
    }
    *out = cache;
    cache = NULL;

done:
    ss_stmt_cache_free(cache);
    return rc;
}

void
ss_stmt_cache_free(ss_stmt_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (ss_stmt *stmt = cache->newest; stmt != NULL;) {
        ss_stmt *older = stmt->older;
        ss_stmt_finalize(stmt);
        stmt = older;
    }
    ss_free(cache->slots);
    ss_free(cache);
}

/* Eight bytes a round: the texts are some hundred bytes, and looked up per call. */
static uint32_t
hash_text(const char *sql, size_t n)
{
    const uint64_t k = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t h = n * k, part;

    for (; n >= sizeof(part); n -= sizeof(part), sql += sizeof(part)) {
        memcpy(&part, sql, sizeof(part));
        h = (h ^ part) * k;
        h ^= h >> 32;
    }
    part = 0;
    if (n > 0) {
        memcpy(&part, sql, n);
    }
    h = (h ^ part) * k;
    return (uint32_t)(h >> 32);
}

static void
list_remove(ss_stmt_cache *cache, ss_stmt *stmt)
{
    *(stmt->newer != NULL ? &stmt->newer->older : &cache->newest) = stmt->older;
    *(stmt->older != NULL ? &stmt->older->newer : &cache->oldest) = stmt->newer;
    stmt->newer = stmt->older = NULL;
}

static void
list_put_first(ss_stmt_cache *cache, ss_stmt *stmt)
{
    stmt->newer = NULL;
    stmt->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = stmt;
    cache->newest = stmt;
}

/* Take the statement out of the cache and finalise it. */
static void
drop(ss_stmt_cache *cache, ss_stmt *stmt)
{
    ss_stmt **link = &cache->slots[stmt->hash & cache->mask];

    while (*link != stmt) {
        link = &(*link)->next;
    }
    *link = stmt->next;
    list_remove(cache, stmt);
    cache->count--;
    ss_stmt_finalize(stmt);
}

/* Room for one more; false when everything is lent out. */
static bool
make_room(ss_stmt_cache *cache)
{
    ss_stmt *stmt = cache->oldest;

    if (cache->count < cache->capacity) {
        return true;
    }
    while (stmt != NULL && stmt->leased) {
        stmt = stmt->newer;
    }
    if (stmt == NULL) {
        return false;
    }
    drop(cache, stmt);
    return true;
}

static ss_stmt *
find(const ss_stmt_cache *cache, uint32_t hash, const char *sql, size_t n)
{
    /* Prepared under the guard or not is part of the key: free SQL must not come by a
     * "COMMIT" of ours. */
    bool guarded = ss_conn_guarded(cache->conn);
    ss_stmt *stmt = cache->slots[hash & cache->mask];

    while (stmt != NULL &&
           !(stmt->hash == hash && stmt->n_sql == n && stmt->guarded == guarded &&
             memcmp(stmt->sql, sql, n) == 0)) {
        stmt = stmt->next;
    }
    return stmt;
}

/* Prepare a statement and keep it under its text. */
static ss_status
add(ss_stmt_cache *cache, uint32_t hash, const char *sql, size_t n, ss_stmt **out,
    ss_error *err)
{
    ss_stmt *stmt = NULL;

    SS_TRY(ss_stmt_prepare(cache->conn, sql, n, true, &stmt, err));
    stmt->sql = ss_strndup(sql, n);
    if (stmt->sql == NULL) {
        ss_stmt_finalize(stmt);
        return ss_error_nomem(err);
    }
    stmt->n_sql = n;
    stmt->hash = hash;
    stmt->guarded = ss_conn_guarded(cache->conn);
    if (make_room(cache)) {
        ss_stmt **slot = &cache->slots[hash & cache->mask];
        stmt->next = *slot;
        *slot = stmt;
        list_put_first(cache, stmt);
        cache->count++;
        stmt->cached = true;
    }
    *out = stmt;
    return SS_OK;
}

ss_status
ss_stmt_cache_get(ss_stmt_cache *cache, const char *sql, size_t n, ss_stmt **out,
                  ss_error *err)
{
    uint32_t hash = hash_text(sql, n);
    ss_stmt *stmt = find(cache, hash, sql, n);

    if (stmt == NULL) {
        SS_TRY(add(cache, hash, sql, n, &stmt, err));
    }
    else if (stmt->leased) {
        SS_TRY(ss_stmt_prepare(cache->conn, sql, n, false, &stmt, err));
    }
    else if (cache->newest != stmt) {
        list_remove(cache, stmt);
        list_put_first(cache, stmt);
    }
    stmt->leased = true;
    *out = stmt;
    return SS_OK;
}

void
ss_stmt_cache_put(ss_stmt_cache *cache, ss_stmt *stmt)
{
    if (stmt == NULL) {
        return;
    }
    assert(stmt->leased && stmt->conn == cache->conn);
    stmt->leased = false;
    if (!stmt->cached) {
        ss_stmt_finalize(stmt);
    }
    else if (sqlite3_stmt_status(stmt->raw, SQLITE_STMTSTATUS_REPREPARE, 0) > 0) {
        drop(cache, stmt);
    }
    else {
        ss_stmt_reset(stmt);
    }
}
