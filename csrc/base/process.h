/* base/process: is this still the process that made the mark?
 *
 * Asked at every entry, so it must cost nothing: the mark lies in a page that the kernel
 * wipes in a forked child (MADV_WIPEONFORK, Linux 4.14), which a fork behind everybody's
 * back cannot avoid. Where there is no such page the process id is asked, a system call.
 */
#ifndef SS_BASE_PROCESS_H
#define SS_BASE_PROCESS_H

#include "base/status.h"

typedef struct {
    const volatile uint32_t *page; /* owned mapping, or NULL */
    int64_t pid;
} ss_process;

void ss_process_mark(ss_process *process); /* from zeroes, or again in a child */
bool ss_process_is_same(const ss_process *process);
void ss_process_free(ss_process *process);

#endif
