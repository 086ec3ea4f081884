/* base/thread: mutex, condition and clocks over POSIX threads.
 *
 * Owns nothing; every object belongs to the room that initialised it.  Conditions wait
 * on CLOCK_MONOTONIC, so that setting the wall clock neither ends nor prolongs a wait.
 * Locking cannot fail here: our mutexes are never destroyed while in use, never taken
 * twice by one thread, and a failure would mean that memory is already damaged.
 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC_COARSE, sched_getaffinity() */

#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>  // sched_getaffinity(), sched_yield()
#include <signal.h> // pthread_sigmask()
#include <time.h>   // clock_gettime(), nanosleep()

static void
expect(int rc)
{
    assert(rc == 0);
    (void)rc;
}

ss_status
ss_mutex_init(ss_mutex *m)
{
    return pthread_mutex_init(m, NULL) == 0 ? SS_OK : SS_NOMEM;
}

void
ss_mutex_destroy(ss_mutex *m)
{
    expect(pthread_mutex_destroy(m));
}

void
ss_mutex_lock(ss_mutex *m)
{
    expect(pthread_mutex_lock(m));
}

void
ss_mutex_unlock(ss_mutex *m)
{
    expect(pthread_mutex_unlock(m));
}

ss_status
ss_cond_init(ss_cond *c)
{
    pthread_condattr_t attr;
    ss_status rc = SS_NOMEM;

    if (pthread_condattr_init(&attr) != 0) {
        return SS_NOMEM;
    }
    if (pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
        pthread_cond_init(c, &attr) == 0) {
        rc = SS_OK;
    }
    pthread_condattr_destroy(&attr);
    return rc;
}

void
ss_cond_destroy(ss_cond *c)
{
    expect(pthread_cond_destroy(c));
}

void
ss_cond_signal(ss_cond *c)
{
    expect(pthread_cond_signal(c));
}

void
ss_cond_broadcast(ss_cond *c)
{
    expect(pthread_cond_broadcast(c));
}

bool
ss_cond_wait(ss_cond *c, ss_mutex *m, int64_t ms)
{
    struct timespec until;

    /* A wait of a year is for ever; the sum below then cannot overflow. */
    if (ms < 0 || ms > INT64_C(31536000000)) {
        expect(pthread_cond_wait(c, m));
        return true;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec += 1;
    }
    int rc = pthread_cond_timedwait(c, m, &until);
    assert(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

static int64_t
clock_ms(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
ss_clock_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int64_t
ss_clock_coarse_ms(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    return clock_ms(CLOCK_MONOTONIC_COARSE);
#else
    return clock_ms(CLOCK_MONOTONIC);
#endif
}

int64_t
ss_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
ss_thread_yield(void)
{
    (void)sched_yield();
}

/* A signal ends the sleep early: callers loop over their condition anyway. */
void
ss_sleep_us(int64_t us)
{
    struct timespec span;

    if (us <= 0) {
        return;
    }
    span.tv_sec = (time_t)(us / 1000000);
    span.tv_nsec = (long)(us % 1000000) * 1000;
    (void)nanosleep(&span, NULL);
}

uint64_t
ss_thread_id(void)
{
    /* pthread_self() is handed out again when a thread has ended; what that one left
     * behind would then be the new one's. */
    static _Atomic uint64_t last;
    static _Thread_local uint64_t mine;
    if (mine == 0) {
        mine = atomic_fetch_add(&last, 1) + 1;
    }
    return mine;
}

ss_status
ss_thread_start(ss_thread *out, void *(*run)(void *), void *arg)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    expect(pthread_sigmask(SIG_SETMASK, &all, &before)); /* what it inherits */
    int rc = pthread_create(out, NULL, run, arg);
    expect(pthread_sigmask(SIG_SETMASK, &before, NULL));
    return rc == 0 ? SS_OK : SS_NOMEM;
}

void
ss_thread_join(ss_thread thread)
{
    expect(pthread_join(thread, NULL));
}

int
ss_processors(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}
