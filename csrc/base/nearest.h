/* base/nearest: the closest of some valid names, for "did you mean ...?". */
#ifndef SS_BASE_NEAREST_H
#define SS_BASE_NEAREST_H

#include "base/status.h"

/* A running search: start with ss_nearest_init, offer every valid name, then read
 * .best (borrowed from the caller; NULL when nothing is near enough: more than a
 * third of the longer name would have to change). Distance: optimal string alignment
 * (insert, delete, replace, swap of neighbours), without regard to ASCII case. */
typedef struct {
    const char *wanted; /* borrowed */
    size_t n;
    const char *best;
    int distance;
} ss_nearest;

void ss_nearest_init(ss_nearest *search, const char *wanted, size_t n);
void ss_nearest_offer(ss_nearest *search, const char *name);

#endif
