/* mix: numbers that look random and are the same in every run, so that a failure comes
 * back. */
#ifndef SS_TESTS_MIX_H
#define SS_TESTS_MIX_H

#include <stdint.h>

static inline uint64_t
mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

/* Below n, and at every call another. */
static inline uint32_t
random_below(uint32_t n)
{
    static uint64_t drawn;

    return (uint32_t)(mix(++drawn) >> 32) % n;
}

#endif
