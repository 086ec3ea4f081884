/* store/stmt_cache: the prepared statements of one connection, found by their text,
 * least recently used out.  Used by the thread that holds the connection.
 */
#ifndef SS_STORE_STMT_CACHE_H
#define SS_STORE_STMT_CACHE_H

#include "store/stmt.h"

typedef struct ss_stmt_cache ss_stmt_cache;

ss_status ss_stmt_cache_new(ss_conn *conn, int capacity, ss_stmt_cache **out,
                            ss_error *err) SS_MUST_CHECK;
/* Finalises everything; no statement may be out. */
void ss_stmt_cache_free(ss_stmt_cache *cache);

/* Lend the statement for this text (n bytes), preparing it when it is not there. When
 * the cached one is out already, a second one is prepared that put() finalises. */
ss_status ss_stmt_cache_get(ss_stmt_cache *cache, const char *sql, size_t n,
                            ss_stmt **out, ss_error *err) SS_MUST_CHECK;
/* Take it back: reset, bindings cleared. NULL is fine. */
void ss_stmt_cache_put(ss_stmt_cache *cache, ss_stmt *stmt);

#endif
