/* db/db_int: the insides that db/db and db/read share. */
#ifndef SS_DB_DB_INT_H
#define SS_DB_DB_INT_H

#include "db/db.h"

#include <stdatomic.h>

/* The SQL of a plain get_<table>() is made once; see db/read. */
typedef struct {
    char *text; /* owned */
    size_t n;
} ss_plan;

enum { SS_PLANS_PER_TABLE = 2 };

struct ss_session {
    atomic_long refs;
    ss_pool *pool;               /* owned */
    _Atomic(ss_layout *) layout; /* owned; older ones hang on it until the end */
    _Atomic(ss_plan *) *plans;   /* owned; SS_PLANS_PER_TABLE for each table */
};

#endif
