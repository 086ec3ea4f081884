/* base/thread: mutex, condition, clocks over the platform (POSIX threads).
 *
 * Locks of ours are leaves: nobody waits for one, or inside SQLite, with Python's GIL
 * held, and nobody takes a second lock under one.
 */
#ifndef SS_BASE_THREAD_H
#define SS_BASE_THREAD_H

#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>

typedef pthread_mutex_t ss_mutex;
typedef pthread_cond_t ss_cond; /* waits on CLOCK_MONOTONIC */

ss_status ss_mutex_init(ss_mutex *m) SS_MUST_CHECK;
void ss_mutex_destroy(ss_mutex *m);
void ss_mutex_lock(ss_mutex *m);
void ss_mutex_unlock(ss_mutex *m);

ss_status ss_cond_init(ss_cond *c) SS_MUST_CHECK;
void ss_cond_destroy(ss_cond *c);
void ss_cond_signal(ss_cond *c);
void ss_cond_broadcast(ss_cond *c);
/* Wait at most `ms` milliseconds (negative: for ever).  True when signalled, false on
 * time-out; may wake early, so callers loop over their condition. */
bool ss_cond_wait(ss_cond *c, ss_mutex *m, int64_t ms);

int64_t ss_clock_ms(void);        /* monotonic */
int64_t ss_clock_coarse_ms(void); /* monotonic, about 4 ns to read, 4 ms fine */
int64_t ss_clock_us(void);        /* monotonic */
void ss_sleep_us(int64_t us);
void ss_thread_yield(void); /* let another thread have the processor */

/* Another thread for the time of one call, which joins it before it returns. Signals are
 * blocked in it: whoever handles them did not ask for it. SS_NOMEM: there is none. */
typedef pthread_t ss_thread;
ss_status ss_thread_start(ss_thread *out, void *(*run)(void *), void *arg)
    SS_MUST_CHECK;
void ss_thread_join(ss_thread thread);

/* How many processors this process may run on, at least 1. */
int ss_processors(void);

/* This thread's identity: never 0, never given to another thread of the process. */
uint64_t ss_thread_id(void);

#endif
