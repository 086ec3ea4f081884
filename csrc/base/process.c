#define _GNU_SOURCE /* MADV_WIPEONFORK */

#include "base/process.h"

#include <sys/mman.h> // mmap(), madvise()
#include <unistd.h>   // getpid()

enum { PAGE = 4096, MARK = 1 };

static void
map_page(ss_process *process)
{
#ifdef MADV_WIPEONFORK
    void *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return;
    }
    if (madvise(page, PAGE, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, PAGE);
        return;
    }
    process->page = page;
#else
    (void)process;
#endif
}

void
ss_process_mark(ss_process *process)
{
    if (process->page == NULL) {
        map_page(process);
    }
    if (process->page != NULL) {
        *(uint32_t *)(uintptr_t)process->page = MARK;
    }
    process->pid = getpid();
}

bool
ss_process_is_same(const ss_process *process)
{
    return process->page != NULL ? *process->page == MARK : process->pid == getpid();
}

void
ss_process_free(ss_process *process)
{
    if (process->page != NULL) {
        (void)munmap((void *)(uintptr_t)process->page, PAGE);
        process->page = NULL;
    }
}
