/* base/mem: allocation that checks its arithmetic.
 *
 * Owns nothing but the test seam. Any thread may call it, without the GIL.
 * Invariants: no request above PTRDIFF_MAX reaches the C library, so that sizes and
 * differences of pointers into one block always fit; a request for 0 bytes gives a
 * block of its own, so that NULL means failure and nothing else.
 * Refuses to abort: the caller says what "out of memory" means to it.
 *
 * The counters below exist in test builds alone (SS_TEST_FAULTS); elsewhere the project's
 * only mutable statics are the numbers of threads in base/thread.
 */
#define _DEFAULT_SOURCE // madvise()

#include "base/mem.h"

#include <stdlib.h>   // malloc()
#include <string.h>   // memcpy()
#include <sys/mman.h> // madvise()

#ifdef SS_TEST_FAULTS
#include <stdatomic.h>

enum { FAULTS_OFF, FAULTS_ONCE, FAULTS_PERSISTENT };

static _Atomic int fault_mode = FAULTS_OFF;
static _Atomic long fault_after;
static _Atomic long fault_count;

void
ss_mem_fail_after(long n, bool persistent)
{
    atomic_store(&fault_count, 0);
    atomic_store(&fault_after, n);
    atomic_store(&fault_mode,
                 n < 0 ? FAULTS_OFF : (persistent ? FAULTS_PERSISTENT : FAULTS_ONCE));
}

long
ss_mem_count(void)
{
    return atomic_load(&fault_count);
}

static bool
fails_now(void)
{
    long asked = atomic_fetch_add(&fault_count, 1);
    int mode = atomic_load(&fault_mode);
    long after = atomic_load(&fault_after);

    return (mode == FAULTS_ONCE && asked == after) ||
           (mode == FAULTS_PERSISTENT && asked >= after);
}
#else
static inline bool
fails_now(void)
{
    return false;
}
#endif

void *
ss_malloc(size_t n)
{
    if (n > (size_t)PTRDIFF_MAX || fails_now()) {
        return NULL;
    }
    return malloc(n > 0 ? n : 1);
}

void *
ss_calloc(size_t count, size_t size)
{
    if (size > 0 && count > (size_t)PTRDIFF_MAX / size) {
        return NULL;
    }
    if (fails_now()) {
        return NULL;
    }
    return calloc(count > 0 ? count : 1, size > 0 ? size : 1);
}

void *
ss_realloc_array(void *p, size_t count, size_t size)
{
    if (size > 0 && count > (size_t)PTRDIFF_MAX / size) {
        return NULL;
    }
    if (fails_now()) {
        return NULL;
    }
    size_t n = count * size;
    /* realloc(p, 0) may free p and return NULL, which would read as a failure. */
    return realloc(p, n > 0 ? n : 1);
}

void
ss_free(void *p)
{
    free(p);
}

char *
ss_strndup(const char *s, size_t n)
{
    if (n >= (size_t)PTRDIFF_MAX) {
        return NULL;
    }
    char *copy = ss_malloc(n + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (n > 0) {
        memcpy(copy, s, n);
    }
    copy[n] = '\0';
    return copy;
}

char *
ss_strdup(const char *s)
{
    return ss_strndup(s, strlen(s));
}

/* Tried and left: MADV_HUGEPAGE for the whole block. Twice as fast while the same memory
 * is used over and over, and up to three times slower on a virtual machine whose host has
 * to find the large pages. */
enum { FILL_PIECE = 1 << 20 };

void
ss_mem_fill_begin(ss_filling *filling, char *p, size_t n)
{
    filling->end = p + n;
    filling->ready = n >= (size_t)2 * FILL_PIECE ? p : filling->end;
}

void
ss_mem_fill_next(ss_filling *filling, char *at)
{
#ifdef MADV_POPULATE_WRITE /* Linux 5.14 */
    enum { PAGE = 4096 };
    uintptr_t begin = ((uintptr_t)at + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

    if (begin + FILL_PIECE <= ((uintptr_t)filling->end & ~(uintptr_t)(PAGE - 1)) &&
        madvise((void *)begin, FILL_PIECE, MADV_POPULATE_WRITE) == 0) {
        filling->ready = (char *)begin + FILL_PIECE;
        return;
    }
#else
    (void)at;
#endif
    filling->ready = filling->end; /* the rest as it comes */
}
