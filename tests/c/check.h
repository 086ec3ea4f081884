/* check: assertions and a runner for the C tests.
 *
 *     static void test_something(void) { CHECK(1 + 1 == 2); }
 *     int main(int argc, char **argv)
 *     {
 *         check_begin(argc, argv);
 *         RUN(test_something);
 *         return check_end();
 *     }
 *
 * Prints "ok NAME" or "FAIL NAME file:line expression"; the program's result is 1 when
 * anything failed.  A CHECK that does not hold ends its function (so use CHECK_VALUE in
 * one that returns something); it may stand in helpers and threads of a test, too.
 * Arguments of the program, if any, are the names of the tests to run.
 * check_times() and check_figure() are what tests/soak.py is to the Python tests.
 */
#ifndef SS_TESTS_CHECK_H
#define SS_TESTS_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern struct check_state {
    const char *name; /* borrowed: the test that runs now */
    atomic_bool failed;
    int n_failed, n_run;
    int argc;
    char **argv; /* borrowed from main() */
} check_state;

static inline void
check_begin(int argc, char **argv)
{
    check_state.argc = argc;
    check_state.argv = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Only the first failure of a test is printed: the rest are its echo. */
static inline void
check_fail(const char *file, int line, const char *what)
{
    if (!atomic_exchange(&check_state.failed, true)) {
        printf("FAIL %s %s:%d %s\n", check_state.name, file, line, what);
    }
}

static inline void
check_run(const char *name, void (*test)(void))
{
    bool wanted = check_state.argc <= 1;

    for (int i = 1; i < check_state.argc; i++) {
        wanted = wanted || strcmp(check_state.argv[i], name) == 0;
    }
    if (!wanted) {
        return;
    }
    check_state.name = name;
    atomic_store(&check_state.failed, false);
    check_state.n_run++;
    test();
    if (atomic_load(&check_state.failed)) {
        check_state.n_failed++;
    }
    else {
        printf("ok %s\n", name);
    }
}

static inline int
check_end(void)
{
    if (check_state.n_run == 0) {
        printf("FAIL no test of that name\n");
        return 1;
    }
    return check_state.n_failed > 0;
}

static inline bool
check_int_(int64_t a, int64_t b, const char *what, const char *file, int line)
{
    char text[512];

    if (a == b) {
        return true;
    }
    snprintf(text, sizeof(text), "%s: %lld != %lld", what, (long long)a, (long long)b);
    check_fail(file, line, text);
    return false;
}

static inline bool
check_str_(const char *a, const char *b, const char *what, const char *file, int line)
{
    char text[2048];

    if (a != NULL && b != NULL && strcmp(a, b) == 0) {
        return true;
    }
    snprintf(text, sizeof(text), "%s: \"%s\" != \"%s\"", what, a != NULL ? a : "NULL",
             b != NULL ? b : "NULL");
    check_fail(file, line, text);
    return false;
}

static inline bool
check_has_(const char *a, const char *part, const char *what, const char *file,
           int line)
{
    char text[2048];

    if (a != NULL && strstr(a, part) != NULL) {
        return true;
    }
    snprintf(text, sizeof(text), "%s: \"%s\" lacks \"%s\"", what,
             a != NULL ? a : "NULL", part);
    check_fail(file, line, text);
    return false;
}

static inline bool
check_soak(void)
{
    return getenv("SMARTSHOPIE_SOAK") != NULL;
}

/* How often: `quick`, or in soak the share of `soak` that SMARTSHOPIE_SOAK says. */
static inline int
check_times(int quick, int soak)
{
    const char *share = getenv("SMARTSHOPIE_SOAK");

    return share != NULL ? (int)(soak * strtod(share, NULL)) + 1 : quick;
}

/* A line of the table at the end of soak: so many were tried, so many went wrong. */
static inline void
check_figure(const char *what, int64_t n, int64_t n_bad)
{
    const char *figures = getenv("SMARTSHOPIE_FIGURES");
    FILE *file = figures != NULL ? fopen(figures, "a") : NULL;

    if (file != NULL) {
        fprintf(file, "%s\t%lld\t%lld\n", what, (long long)n, (long long)n_bad);
        fclose(file);
    }
}

#define RUN(test) check_run(#test, test)
#define CHECK(condition)                                \
    do {                                                \
        if (!(condition)) {                             \
            check_fail(__FILE__, __LINE__, #condition); \
            return;                                     \
        }                                               \
    } while (0)
#define CHECK_VALUE(condition, result)                  \
    do {                                                \
        if (!(condition)) {                             \
            check_fail(__FILE__, __LINE__, #condition); \
            return (result);                            \
        }                                               \
    } while (0)
#define CHECK_CALL_(call) \
    do {                  \
        if (!(call)) {    \
            return;       \
        }                 \
    } while (0)
#define CHECK_INT(a, b) \
    CHECK_CALL_(                                                \
        check_int_((int64_t)(a), (int64_t)(b), #a " == " #b, __FILE__, __LINE__))
#define CHECK_STR(a, b) CHECK_CALL_(check_str_((a), (b), #a, __FILE__, __LINE__))
#define CHECK_HAS(a, part) CHECK_CALL_(check_has_((a), (part), #a, __FILE__, __LINE__))

#endif
