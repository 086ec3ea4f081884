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

/* A block of any allocator is about to be filled from its beginning. Asks the system to
 * map it in large pages, if it is so large that it is a mapping of its own: faulting in
 * page after page takes longer than to write them. */
void ss_mem_will_fill(void *p, size_t n);

#ifdef SS_TEST_FAULTS
/* Tests: let `n` allocations succeed, then fail one (persistent: all) of them. */
void ss_mem_fail_after(long n, bool persistent);
long ss_mem_count(void); /* allocations asked for since the last ss_mem_fail_after */
#endif

#endif
