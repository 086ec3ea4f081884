/* base/nearest: the closest of some valid names.
 *
 * Pure computation over borrowed text; no allocation: three rows of the usual distance
 * table on the stack, which is why names longer than NAME_MAX_BYTES never match.
 * Ties go to the name offered first.
 */
#include "base/nearest.h"

#include <string.h> // strlen()

enum { NAME_MAX_BYTES = 64 };

static inline unsigned char
lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

static inline int
least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance; both at most NAME_MAX_BYTES long. */
static int
distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int table[3][NAME_MAX_BYTES + 1];

    for (size_t j = 0; j <= n_b; j++) {
        table[0][j] = (int)j;
    }
    for (size_t i = 1; i <= n_a; i++) {
        const int *before = table[(i + 1) % 3]; /* row i - 2 */
        const int *above = table[(i - 1) % 3];
        int *row = table[i % 3];

        row[0] = (int)i;
        for (size_t j = 1; j <= n_b; j++) {
            unsigned char x = lower(a[i - 1]), y = lower(b[j - 1]);
            int best = least(above[j], row[j - 1]) + 1;

            best = least(best, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2])) {
                best = least(best, before[j - 2] + 1);
            }
            row[j] = best;
        }
    }
    return table[n_a % 3][n_b];
}

void
ss_nearest_init(ss_nearest *search, const char *wanted, size_t n)
{
    *search = (ss_nearest){.wanted = wanted, .n = n};
}

void
ss_nearest_offer(ss_nearest *search, const char *name)
{
    size_t n = strlen(name);

    if (n > NAME_MAX_BYTES || search->n > NAME_MAX_BYTES) {
        return;
    }
    int d = distance(search->wanted, search->n, name, n);
    size_t longer = n > search->n ? n : search->n;
    if ((size_t)d * 3 > longer || longer == 0) {
        return;
    }
    if (search->best == NULL || d < search->distance) {
        search->best = name;
        search->distance = d;
    }
}
