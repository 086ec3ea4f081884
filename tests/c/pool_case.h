/* pool_case: a pool on the file of scratch.h, with a table t(a), for the tests of
 * store/pool. */
#ifndef SS_TESTS_POOL_CASE_H
#define SS_TESTS_POOL_CASE_H

#include "scratch.h"
#include "store/pool.h"

#define BEGIN_AND_INSERT "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"

/* New; NULL when it failed. */
ss_pool *open_pool(const char *file, ss_mode mode, int readers, int64_t busy_ms,
                   ss_error *err);
/* A new file in WAL mode with a table t(a). */
ss_pool *new_pool(const char *name, int readers, int64_t busy_ms);
bool close_pool(ss_pool *pool);

/* One row of t more; how many it has. */
ss_status write_one(ss_pool *pool, ss_error *err);
ss_status count_t(ss_pool *pool, int64_t *n, ss_error *err);
ss_pool_stats stats_of(ss_pool *pool);

#endif
