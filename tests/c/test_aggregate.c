/* columns/aggregate: figures of groups and buckets, and what happens without memory. */
#include "columns/aggregate.h"

#include "base/mem.h"
#include "base/moment.h"
#include "check.h"

#include <stdio.h>

/* ---- rows: a day or instant, a name, an integer, a real ---- */

typedef struct {
    int64_t time;
    const char *name; /* NULL: null */
    int64_t n;        /* negative: null */
    double x;         /* negative: null */
} row;

static ss_batch *
batch_of(ss_kind time, const row *rows, int n)
{
    static const char *const names[] = {"time", "name", "n", "x"};
    uint8_t kinds[] = {(uint8_t)time, SS_KIND_TEXT, SS_KIND_INT, SS_KIND_REAL};
    ss_batch *batch = NULL;
    ss_error err;
    ss_error_init(&err);
    bool ok = ss_batch_new_free(names, kinds, 4, n, &batch, &err) == SS_OK;
    for (int i = 0; ok && i < n; i++) {
        const row *r = &rows[i];
        ss_value null = {.tag = SS_VALUE_NULL};
        ss_value t = {.tag = time == SS_KIND_DATE ? SS_VALUE_DATE : SS_VALUE_TIMESTAMP,
                      .as.i = r->time};
        ss_value k = {.tag = SS_VALUE_INT, .as.i = r->n};
        ss_value x = {.tag = SS_VALUE_REAL, .as.r = r->x};
        ss_value text = {.tag = SS_VALUE_TEXT};
        if (r->name != NULL) {
            text.as.s.p = r->name;
            text.as.s.n = strlen(r->name);
        }
        ok = ss_batch_row(batch) == SS_OK && ss_batch_put(batch, 0, &t) == SS_OK &&
             ss_batch_put(batch, 1, r->name != NULL ? &text : &null) == SS_OK &&
             ss_batch_put(batch, 2, r->n >= 0 ? &k : &null) == SS_OK &&
             ss_batch_put(batch, 3, r->x >= 0 ? &x : &null) == SS_OK;
        ss_batch_row_done(batch);
    }
    if (!ok) {
        check_fail(__FILE__, __LINE__, "no batch");
        return NULL;
    }
    ss_batch_finish(batch);
    return batch;
}

static const ss_measure measures[] = {
    {SS_RULE_ROWS, -1, -1, -1, false, false, -1},
    {SS_RULE_SUM, 2, -1, -1, false, false, -1},
    {SS_RULE_SUM, 3, -1, -1, false, false, -1},
    {SS_RULE_MEAN, 2, -1, -1, false, false, -1},
    {SS_RULE_WEIGHTED, 3, -1, 2, false, false, -1},
    {SS_RULE_RATIO, 3, 3, 2, false, false, -1},
    {SS_RULE_LAST, 2, -1, -1, false, false, -1},
};
enum { N_MEASURES = sizeof(measures) / sizeof(measures[0]) };
static const int by_name[] = {1};

static ss_aggregate_request
request_of(const ss_batch *batch, int32_t start, int32_t end, ss_every every)
{
    return (ss_aggregate_request){
        .rows = batch,
        .by = by_name,
        .n_by = 1,
        .measures = measures,
        .n_measures = N_MEASURES,
        .window = {start, end},
        .every = every,
    };
}

/* "k=2 n=7 x=1.5 ..." of one cell of the answer. */
static void
show(const ss_aggregate *g, int64_t bucket, int64_t group, char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; i < N_MEASURES; i++) {
        ss_value v;
        ss_aggregate_value(g, bucket, group, i, &v);
        const char *space = i > 0 ? " " : "";
        if (v.tag == SS_VALUE_NULL) {
            n += (size_t)snprintf(out + n, size - n, "%s-", space);
        }
        else if (v.tag == SS_VALUE_INT) {
            n +=
                (size_t)snprintf(out + n, size - n, "%s%lld", space, (long long)v.as.i);
        }
        else {
            n += (size_t)snprintf(out + n, size - n, "%s%g", space, v.as.r);
        }
    }
}

#define CHECK_CELL(g, bucket, group, want)                     \
    do {                                                       \
        char got_[256];                                        \
        show((g), (bucket), (group), got_, sizeof(got_));      \
        CHECK_STR(got_, (want));                               \
    } while (0)

static const row few[] = {
    {10, "a", 2, 1.0}, {10, "b", 3, 4.0},  {11, "a", -1, 2.0},
    {12, "a", 4, -1},  {12, NULL, 0, 5.0}, {99, "z", 1, 1.0},
};

static void
test_figures(void)
{
    ss_batch *batch = batch_of(SS_KIND_DATE, few, 6);
    ss_aggregate_request request = request_of(batch, 10, 13, SS_EVERY_DAY);
    ss_aggregate *g = NULL;
    ss_error err;
    ss_error_init(&err);
    CHECK(ss_aggregate_new(&request, &g, &err) == SS_OK);
    CHECK_INT(ss_aggregate_n_buckets(g), 4);
    CHECK_INT(ss_aggregate_n_groups(g), 3); /* a, b, null; z is outside */
    /* rows, sum n, sum x, mean n, x weighted by n, x / n, last n */
    CHECK_CELL(g, 0, 0, "1 2 1 2 1 0.5 2");
    CHECK_CELL(g, 0, 1, "1 3 4 3 4 1.33333 3");
    CHECK_CELL(g, 0, 2, "0 - - - - - -");
    CHECK_CELL(g, 1, 0, "1 - 2 - - - -");
    CHECK_CELL(g, 2, 0, "1 4 - 4 - - 4");
    CHECK_CELL(g, 2, 2, "1 0 5 0 - - 0"); /* a weight of 0 gives no mean */
    CHECK_CELL(g, 3, 1, "0 - - - - - -");
    ss_value key;
    ss_aggregate_key(g, 2, 0, &key);
    CHECK(key.tag == SS_VALUE_NULL);
    CHECK_INT(ss_aggregate_days(g, 0), 3);
    CHECK_INT(ss_aggregate_days(g, 1), 2);
    ss_aggregate_free(g);

    /* One bucket, one group: the stock is that of the newest day alone. */
    request.n_by = 0;
    request.whole = true;
    CHECK(ss_aggregate_new(&request, &g, &err) == SS_OK);
    CHECK_CELL(g, 0, 0, "5 9 12 2.25 2.8 2 4");
    bool whole = false;
    ss_days days = ss_aggregate_bucket(g, 0, &whole);
    CHECK(whole && days.start == 10 && days.end == 13);
    ss_aggregate_free(g);
    ss_batch_release(batch);
}

/* They may be local to the function that made the groups. */
static void
test_lists_of_the_request_are_copied(void)
{
    ss_batch *batch = batch_of(SS_KIND_DATE, few, 6);
    int by[] = {1};
    ss_measure sum[] = {measures[1]};
    ss_aggregate_request request = request_of(batch, 10, 13, SS_EVERY_DAY);
    ss_aggregate *g = NULL;
    ss_value v;
    ss_error err;
    ss_error_init(&err);
    request.by = by;
    request.measures = sum;
    request.n_measures = 1;
    CHECK(ss_aggregate_new(&request, &g, &err) == SS_OK);
    by[0] = 2;
    sum[0] = measures[3];
    ss_aggregate_key(g, 0, 0, &v);
    CHECK(v.tag == SS_VALUE_TEXT && v.as.s.n == 1 && v.as.s.p[0] == 'a');
    CHECK_INT(ss_aggregate_kind(g, 0), SS_KIND_INT);
    ss_aggregate_value(g, 0, 0, 0, &v);
    CHECK(v.tag == SS_VALUE_INT && v.as.i == 2);
    ss_aggregate_free(g);
    ss_batch_release(batch);
}

static void
test_days_of_a_zone(void)
{
    const int64_t hour = SS_US_PER_DAY / 24;
    const row rows[] = {
        {-2 * hour, "a", 1, 0},     {-hour, "a", 2, 0},      {22 * hour, "a", 4, 0},
        {23 * hour - 1, "a", 8, 0}, {23 * hour, "a", 16, 0}, {46 * hour, "a", 32, 0},
    };
    const int64_t midnights[] = {-hour, 23 * hour, 46 * hour}; /* a day of 23 hours */
    ss_batch *batch = batch_of(SS_KIND_TIMESTAMP, rows, 6);
    ss_aggregate_request request = request_of(batch, 0, 1, SS_EVERY_DAY);
    ss_aggregate *g = NULL;
    ss_value v;
    ss_error err;
    ss_error_init(&err);
    request.n_by = 0;
    request.midnights = midnights;
    CHECK(ss_aggregate_new(&request, &g, &err) == SS_OK);
    ss_aggregate_value(g, 0, 0, 1, &v);
    CHECK_INT(v.as.i, 2 + 4 + 8);
    ss_aggregate_value(g, 1, 0, 1, &v);
    CHECK_INT(v.as.i, 16);
    ss_aggregate_free(g);
    ss_batch_release(batch);
}

/* 10,000 groups in two rounds: the table of groups grows, and finds them again. */
static void
test_many_groups(void)
{
    static row rows[20000];
    static char names[10000][8];
    for (int i = 0; i < 20000; i++) {
        snprintf(names[i % 10000], sizeof(names[0]), "g%d", i % 10000);
        rows[i] = (row){i / 10000, names[i % 10000], i % 10000, 1.0};
    }
    ss_batch *batch = batch_of(SS_KIND_DATE, rows, 20000);
    ss_aggregate_request request = request_of(batch, 0, 1, SS_EVERY_YEAR);
    ss_aggregate *g = NULL;
    ss_error err;
    ss_error_init(&err);
    CHECK(ss_aggregate_new(&request, &g, &err) == SS_OK);
    CHECK_INT(ss_aggregate_n_groups(g), 10000);
    for (int64_t group = 0; group < 10000; group++) {
        ss_value key, sum;
        char want[16];
        ss_aggregate_key(g, group, 0, &key);
        ss_aggregate_value(g, 0, group, 1, &sum);
        int n = snprintf(want, sizeof(want), "g%lld", (long long)sum.as.i / 2);
        CHECK(key.as.s.n == (size_t)n && memcmp(key.as.s.p, want, (size_t)n) == 0);
    }
    ss_aggregate_free(g);
    ss_batch_release(batch);
}

static void
test_sums_do_not_lose_small_parts(void)
{
    static row rows[3] = {{0, "a", 0, 1e16}, {0, "a", 0, 1.0}, {0, "a", 0, 1.0}};
    ss_batch *batch = batch_of(SS_KIND_DATE, rows, 3);
    ss_aggregate_request request = request_of(batch, 0, 0, SS_EVERY_DAY);
    ss_aggregate *g = NULL;
    ss_value v;
    ss_error err;
    ss_error_init(&err);
    CHECK(ss_aggregate_new(&request, &g, &err) == SS_OK);
    ss_aggregate_value(g, 0, 0, 2, &v);
    CHECK(v.as.r == 1e16 + 2.0);
    ss_aggregate_free(g);
    ss_batch_release(batch);
}

static void
test_refusals(void)
{
    const row big[] = {{0, "a", INT64_MAX, 1}, {0, "a", 1, 1}};
    ss_batch *batch = batch_of(SS_KIND_DATE, big, 2);
    ss_aggregate_request request = request_of(batch, 0, 0, SS_EVERY_DAY);
    ss_aggregate *g = NULL;
    ss_error err;
    ss_error_init(&err);
    CHECK_INT(ss_aggregate_new(&request, &g, &err), SS_DATA);
    CHECK(strstr(err.message, "n: the sum does not fit") != NULL);

    ss_measure apart = measures[2];
    apart.apart = 2;
    request.measures = &apart;
    request.n_measures = 1;
    ss_error_init(&err);
    CHECK_INT(ss_aggregate_new(&request, &g, &err), SS_VALUE);
    CHECK(strstr(err.message, "x of different n does not add up") != NULL);
    CHECK(g == NULL);
    ss_batch_release(batch);
}

#ifdef SS_TEST_FAULTS
static void
test_out_of_memory(void)
{
    ss_batch *batch = batch_of(SS_KIND_DATE, few, 6);
    ss_aggregate_request request = request_of(batch, 10, 13, SS_EVERY_DAY);
    for (int persistent = 0; persistent < 2; persistent++) {
        long n = 0;
        ss_status status = SS_NOMEM;
        for (; status != SS_OK && n < 1000; n++) {
            ss_aggregate *g = NULL;
            ss_error err;
            ss_error_init(&err);
            ss_mem_fail_after(n, persistent);
            status = ss_aggregate_new(&request, &g, &err);
            ss_mem_fail_after(-1, false);
            CHECK(status == SS_OK || (status == SS_NOMEM && g == NULL));
            ss_aggregate_free(g);
        }
        CHECK(n > 10 && n < 1000);
    }
    ss_batch_release(batch);
}
#endif

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_figures);
    RUN(test_lists_of_the_request_are_copied);
    RUN(test_days_of_a_zone);
    RUN(test_many_groups);
    RUN(test_sums_do_not_lose_small_parts);
    RUN(test_refusals);
#ifdef SS_TEST_FAULTS
    RUN(test_out_of_memory);
#endif
    return check_end();
}
