/* base/mem: allocation that checks its arithmetic, and the one seam where tests make
 * it fail.  Every function returns NULL on failure or overflow and never aborts.
 */
#ifndef SS_BASE_MEM_H
#define SS_BASE_MEM_H

#include "base/status.h"

void *ss_malloc(size_t n) __attribute__((malloc, alloc_size(1)));
void *ss_calloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
/* count * size bytes; on failure the old block is untouched. */
void *ss_realloc_array(void *p, size_t count, size_t size);
void ss_free(void *p);
/* A copy of n bytes plus a closing NUL. */
char *ss_strndup(const char *s, size_t n);
char *ss_strdup(const char *s);

/* A large block, of any allocator, that is written from its beginning to an end not yet
 * known. Its memory is asked for in pieces ahead of the writer: one call to the system
 * costs less than the faults of all the pages in a piece. The writer asks at any place
 * that it has come to; small blocks are left alone. */
typedef struct {
    char *ready; /* the writer has nothing to do before it comes here */
    char *end;
} ss_filling;
void ss_mem_fill_begin(ss_filling *filling, char *p, size_t n);
void ss_mem_fill_next(ss_filling *filling, char *at);
static inline void
ss_mem_fill(ss_filling *filling, char *at)
{
    if (at >= filling->ready) {
        ss_mem_fill_next(filling, at);
    }
}

#ifdef SS_TEST_FAULTS
/* Tests: let `n` allocations succeed, then fail one (persistent: all) of them. */
void ss_mem_fail_after(long n, bool persistent);
long ss_mem_count(void); /* allocations asked for since the last ss_mem_fail_after */
#endif

#endif
