/* store/watch_int: what store/pool does for store/watch. */
#ifndef SS_STORE_WATCH_INT_H
#define SS_STORE_WATCH_INT_H

#include "store/pool_int.h"

/* Of a new pool, and again in a forked child. */
ss_status ss_watch_init(ss_watch *watch) SS_MUST_CHECK;
void ss_watch_destroy(ss_watch *watch);

/* The connection of this slot was opened. */
void ss_watch_opened(ss_pool *pool, int slot);
/* A lease on it ends, and it stays open: it may be the one that watches. */
void ss_watch_returned(ss_pool *pool, int slot);
/* The connection of this slot is about to be closed. */
void ss_watch_closing(ss_pool *pool, int slot);

#endif
