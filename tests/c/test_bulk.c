/* columns/chunk, columns/spool, columns/ingest and db/bulk. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "check.h"
#include "db/bulk.h"
#include "db/write.h"
#include "db_case.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- material ---- */

static ss_db *
fresh_db(void)
{
    static int number;
    char name[32];

    snprintf(name, sizeof(name), "bulk-%d.db", number++);
    return new_db(fresh_path(name), SS_MODE_RWC);
}

static const ss_table_desc *
table_of(const char *name)
{
    return &ss_tables[ss_catalog_table(name, strlen(name))];
}

static int16_t
column_of(const ss_table_desc *table, const char *name)
{
    return (int16_t)ss_catalog_column(table, name, strlen(name));
}

#define FUNNEL "conversion_funnel"
#define BIT(c) (UINT64_C(1) << (c))

/* The cell of a row of conversion_funnel: each kind, and nulls. */
static ss_value
funnel_cell(const ss_table_desc *table, int64_t row, int16_t column)
{
    const char *name = table->columns[column].name;
    static const char text[] = "Some stage of the funnel, with a longer name";
    ss_value value = {.tag = SS_VALUE_NULL};

    if (strcmp(name, "record_date") == 0) {
        return (ss_value){.tag = SS_VALUE_DATE, .as.i = 20000 + row / 7};
    }
    if (strcmp(name, "stage_name") == 0) {
        return (ss_value){.tag = SS_VALUE_TEXT,
                          .as.s = {text, (size_t)(row % (int64_t)sizeof(text))}};
    }
    if (strcmp(name, "stage_order") == 0 || strcmp(name, "count") == 0) {
        return (ss_value){.tag = SS_VALUE_INT, .as.i = row};
    }
    if (strcmp(name, "created_at") == 0) {
        return (ss_value){.tag = SS_VALUE_TIMESTAMP,
                          .as.i = row * 1000001 * (row % 2 ? 1 : -1)};
    }
    if (strcmp(name, "percentage") == 0 && row % 3 != 0) {
        return (ss_value){.tag = SS_VALUE_REAL, .as.r = (double)(row % 100) / 3};
    }
    return value;
}

/* Rows `first` to `until` of all but every fifth, which leaves out the percentage. */
static ss_chunk *
funnel_chunk(int64_t first, int64_t until)
{
    static const char *const names[] = {"record_date", "stage_name", "stage_order",
                                        "count",       "percentage", "created_at"};
    const ss_table_desc *table = table_of(FUNNEL);
    uint64_t all = 0;
    ss_chunk *chunk = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        all |= BIT(column_of(table, names[i]));
    }
    if (ss_chunk_new(table, all, first, &chunk, &err) != SS_OK) {
        return NULL;
    }
    for (int64_t row = first; row < until; row++) {
        uint64_t given =
            row % 5 == 0 ? all & ~BIT(column_of(table, "percentage")) : all;
        bool ok = ss_batch_row(chunk->batch) == SS_OK &&
                  ss_chunk_given(chunk, given) == SS_OK;
        for (int i = 0; ok && i < chunk->batch->n_columns; i++) {
            ss_value value = {.tag = SS_VALUE_NULL};
            if ((given >> chunk->map[i]) & 1) {
                value = funnel_cell(table, row, chunk->map[i]);
            }
            ok = ss_batch_put(chunk->batch, i, &value) == SS_OK;
        }
        if (!ok) {
            ss_chunk_free(chunk);
            ss_error_nomem(&err);
            return NULL;
        }
        ss_batch_row_done(chunk->batch);
    }
    return chunk;
}

/* Chunks of growing length with `n` rows in all. */
static ss_spool *
funnel_spool(int64_t n, size_t limit)
{
    ss_spool *spool = NULL;

    ss_error_init(&err);
    if (ss_spool_new(table_of(FUNNEL), limit, &spool, &err) != SS_OK) {
        return NULL;
    }
    for (int64_t at = 0, length = 1; at < n; at += length, length *= 3) {
        ss_chunk *chunk = funnel_chunk(at, at + length < n ? at + length : n);
        if (chunk == NULL || ss_spool_push(spool, chunk, &err) != SS_OK) {
            ss_spool_free(spool);
            return NULL;
        }
    }
    return spool;
}

/* ---- chunks and the spool ---- */

static void
test_chunk_runs(void)
{
    ss_error_init(&err);
    ss_chunk *chunk = funnel_chunk(0, 12);
    CHECK(chunk != NULL);
    /* Rows 0, 5 and 10 stand alone. */
    static const int64_t starts[] = {0, 1, 5, 6, 10, 11};
    CHECK(chunk->n_runs == 6);
    for (int i = 0; i < 6; i++) {
        CHECK(chunk->runs[i].start == starts[i]);
        CHECK(ss_chunk_run_end(chunk, i) == (i < 5 ? starts[i + 1] : 12));
    }
    ss_value value;
    ss_chunk_get(chunk, 3, 0, &value);
    CHECK(value.tag == SS_VALUE_NULL);
    ss_chunk_get(chunk, 3, column_of(table_of(FUNNEL), "count"), &value);
    CHECK(value.tag == SS_VALUE_INT && value.as.i == 3);
    ss_chunk_free(chunk);
}

static void
test_chunk_of_batch(void)
{
    const ss_table_desc *table = table_of(FUNNEL);
    int16_t map[] = {column_of(table, "count"), column_of(table, "stage_name")};
    ss_batch *batch = NULL;
    ss_chunk *chunk = NULL;
    ss_value value = {.tag = SS_VALUE_INT, .as.i = 5};
    ss_value text = {.tag = SS_VALUE_TEXT, .as.s = {"abc", 3}};

    ss_error_init(&err);
    CHECK(ss_batch_new_table(table, map, 2, 4, &batch, &err) == SS_OK);
    CHECK(ss_batch_row(batch) == SS_OK);
    CHECK(ss_batch_put(batch, 0, &value) == SS_OK);
    CHECK(ss_batch_put(batch, 1, &text) == SS_OK);
    ss_batch_row_done(batch);
    ss_batch_finish(batch);
    CHECK(ss_chunk_of_batch(batch, 7, &chunk, &err) == SS_OK);
    CHECK(chunk->n_runs == 1 && chunk->runs[0].start == 0 && chunk->first == 7);
    CHECK(chunk->runs[0].given == (BIT(map[0]) | BIT(map[1])));
    ss_chunk_get(chunk, 0, map[1], &value);
    CHECK(ss_value_equal(&value, &text));
    ss_chunk_free(chunk);
}

/* Read it all twice: every cell is what was put. */
static void
check_spool(ss_spool *spool, int64_t n)
{
    const ss_table_desc *table = table_of(FUNNEL);

    CHECK(ss_spool_rows(spool) == n);
    for (int turn = 0; turn < 2; turn++) {
        const ss_chunk *chunk = NULL;
        int64_t row = 0;
        ss_spool_rewind(spool);
        while (ss_spool_next(spool, &chunk, &err) == SS_OK && chunk != NULL) {
            CHECK(chunk->first == row);
            for (int64_t r = 0; r < chunk->batch->n_rows; r++, row++) {
                for (int16_t c = 0; c < table->n_columns; c++) {
                    ss_value wanted = funnel_cell(table, row, c), got;
                    if (row % 5 == 0 && c == column_of(table, "percentage")) {
                        wanted.tag = SS_VALUE_NULL;
                    }
                    ss_chunk_get(chunk, r, c, &got);
                    CHECK(ss_value_equal(&got, &wanted));
                }
            }
            for (int64_t run = 0; run < chunk->n_runs; run++) {
                bool left_out =
                    (row - chunk->batch->n_rows + chunk->runs[run].start) % 5 == 0;
                CHECK(left_out ==
                      !(chunk->runs[run].given >> column_of(table, "percentage") & 1));
            }
        }
        CHECK(err.code == SS_OK && row == n);
    }
}

static void
test_spool_in_memory_and_in_a_file(void)
{
    static const size_t limits[] = {SIZE_MAX, 0, 5000};

    for (size_t i = 0; i < 3; i++) {
        ss_spool *spool = funnel_spool(3000, limits[i]);
        CHECK(spool != NULL);
        CHECK(ss_spool_spilled(spool) == (limits[i] != SIZE_MAX));
        check_spool(spool, 3000);
        ss_spool_clear(spool);
        check_spool(spool, 0);
        ss_chunk *chunk = funnel_chunk(0, 40);
        CHECK(chunk != NULL && ss_spool_push(spool, chunk, &err) == SS_OK);
        check_spool(spool, 40);
        ss_spool_free(spool);
    }
}

/* A batch from elsewhere has its columns in any order. */
static void
test_spool_keeps_columns_apart(void)
{
    const ss_table_desc *table = table_of(FUNNEL);
    int16_t map[] = {column_of(table, "percentage"), column_of(table, "stage_name"),
                     column_of(table, "record_date")};
    const ss_chunk *chunk = NULL;
    ss_chunk *made = NULL;
    ss_batch *batch = NULL;
    ss_spool *spool = funnel_spool(0, 0);

    CHECK(spool != NULL);
    CHECK(ss_batch_new_table(table, map, 3, 4, &batch, &err) == SS_OK);
    for (int64_t row = 1; row < 40; row++) {
        CHECK(ss_batch_row(batch) == SS_OK);
        for (int i = 0; i < 3; i++) {
            ss_value value = funnel_cell(table, row, map[i]);
            CHECK(ss_batch_put(batch, i, &value) == SS_OK);
        }
        ss_batch_row_done(batch);
    }
    ss_batch_finish(batch);
    CHECK(ss_chunk_of_batch(batch, 0, &made, &err) == SS_OK);
    CHECK(ss_spool_push(spool, made, &err) == SS_OK && ss_spool_spilled(spool));
    ss_spool_rewind(spool);
    CHECK(ss_spool_next(spool, &chunk, &err) == SS_OK && chunk != NULL);
    for (int64_t row = 1; row < 40; row++) {
        for (int i = 0; i < 3; i++) {
            ss_value wanted = funnel_cell(table, row, map[i]), got;
            ss_chunk_get(chunk, row - 1, map[i], &got);
            CHECK(ss_value_equal(&got, &wanted));
        }
    }
    ss_spool_free(spool);
}

static void
test_spool_drops_empty_chunks(void)
{
    ss_spool *spool = funnel_spool(0, 0);
    ss_chunk *chunk = funnel_chunk(0, 0);
    CHECK(spool != NULL && chunk != NULL);
    CHECK(ss_spool_push(spool, chunk, &err) == SS_OK);
    CHECK(!ss_spool_spilled(spool));
    check_spool(spool, 0);
    ss_spool_free(spool);
}

static void
test_spool_belongs_to_its_process(void)
{
    ss_spool *spool = funnel_spool(100, 0);
    CHECK(spool != NULL);
    pid_t child = fork();
    if (child == 0) {
        const ss_chunk *chunk;
        ss_chunk *more = funnel_chunk(100, 101);
        int code = ss_spool_push(spool, more, &err) == SS_FORKED &&
                           ss_spool_next(spool, &chunk, &err) == SS_FORKED
                       ? 0
                       : 1;
        ss_spool_free(spool);
        _exit(code);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    check_spool(spool, 100);
    ss_spool_free(spool);
}

static void
test_spool_without_memory(void)
{
    for (long n = 0;; n++) {
        ss_mem_fail_after(n, false);
        ss_spool *spool = funnel_spool(300, 3000);
        const ss_chunk *chunk = NULL;
        ss_status status = spool != NULL ? SS_OK : (ss_status)err.code;
        do {
            if (status == SS_OK) {
                status = ss_spool_next(spool, &chunk, &err);
            }
        } while (status == SS_OK && chunk != NULL);
        bool failed = ss_mem_count() > n;
        ss_mem_fail_after(-1, false);
        ss_spool_free(spool);
        CHECK(status == (failed ? SS_NOMEM : SS_OK));
        if (!failed) {
            CHECK(n > 20);
            return;
        }
    }
}

/* ---- moving ---- */

static ss_status
add_all(ss_db *db, ss_spool *spool, ss_conflict conflict, ss_add_counts *counts)
{
    int table = (int)(table_of(FUNNEL) - ss_tables);

    ss_error_init(&err);
    *counts = (ss_add_counts){0, 0, 0};
    return ss_db_add_many(db, NULL, table, spool, conflict, counts, &err);
}

static void
test_add_many_equals_the_spool(void)
{
    ss_db *db = fresh_db();
    ss_spool *spool = funnel_spool(3000, 5000);
    ss_add_counts counts;
    CHECK(db != NULL && spool != NULL);
    CHECK(add_all(db, spool, SS_CONFLICT_UPDATE, &counts) == SS_OK);
    CHECK(counts.inserted == 3000 && counts.updated == 0 && counts.ignored == 0);
    CHECK(add_all(db, spool, SS_CONFLICT_UPDATE, &counts) == SS_OK);
    CHECK(counts.inserted == 0 && counts.updated == 3000 && counts.ignored == 0);
    CHECK(add_all(db, spool, SS_CONFLICT_IGNORE, &counts) == SS_OK);
    CHECK(counts.inserted == 0 && counts.updated == 0 && counts.ignored == 3000);
    CHECK(add_all(db, spool, SS_CONFLICT_ERROR, &counts) == SS_INTEGRITY);
    CHECK(err.has_row && err.row == 0);

    ss_request request = ss_request_for((int)(table_of(FUNNEL) - ss_tables), false);
    ss_batch *batch = NULL;
    ss_error_init(&err);
    request.strict = true;
    CHECK(ss_db_read(db, NULL, &request, &batch, &err) == SS_OK);
    CHECK(batch->n_rows == 3000);
    for (int64_t row = 0; row < 3000; row++) {
        for (int16_t c = 1; c < batch->n_columns; c++) {
            ss_value wanted = funnel_cell(batch->table, row, c), got;
            const char *name = batch->table->columns[c].name;
            if (strcmp(name, "updated_at") == 0) {
                continue;
            }
            if (row % 5 == 0 && strcmp(name, "percentage") == 0) {
                wanted.tag = SS_VALUE_NULL;
            }
            ss_column_get(&batch->columns[c], row, &got);
            CHECK(ss_value_equal(&got, &wanted));
        }
        ss_value id;
        ss_column_get(&batch->columns[0], row, &id);
        CHECK(id.as.i == row + 1);
    }
    ss_batch_release(batch);
    ss_spool_free(spool);
    ss_db_free(db);
}

/* What was told of changes is on a stack that is gone. */
static bool
nobody_is_told(ss_db *db)
{
    ss_access access;
    if (ss_db_write_enter(db, NULL, &access, &err) != SS_OK) {
        return false;
    }
    void *told = sqlite3_update_hook(ss_conn_handle(access.conn), NULL, NULL);
    ss_db_leave(&access);
    return told == NULL;
}

static void
test_nobody_is_told_of_changes_afterwards(void)
{
    ss_db *db = fresh_db();
    ss_spool *spool = funnel_spool(10, 1000);
    ss_add_counts counts;
    CHECK(db != NULL && spool != NULL);
    for (int i = 0; i < 2; i++) { /* new rows, and rows that are there */
        CHECK(add_all(db, spool, SS_CONFLICT_UPDATE, &counts) == SS_OK);
        CHECK(nobody_is_told(db));
        CHECK(add_kpi(db, DAY0, i, SS_CONFLICT_UPDATE) == 1);
        CHECK(nobody_is_told(db));
    }
    CHECK(add_all(db, spool, SS_CONFLICT_ERROR, &counts) == SS_INTEGRITY);
    CHECK(nobody_is_told(db));
    ss_spool_free(spool);
    ss_db_free(db);
}

static void
test_the_last_id_is_used_up(void)
{
    ss_db *db = fresh_db();
    ss_spool *spool = funnel_spool(1, 0);
    ss_add_counts counts;
    ss_filter values[5];
    const ss_table_desc *table = table_of(FUNNEL);
    static const char *const names[] = {"id", "record_date", "stage_name",
                                        "stage_order", "count"};
    int64_t id;

    CHECK(db != NULL && spool != NULL);
    for (int i = 0; i < 5; i++) {
        values[i].column = column_of(table, names[i]);
        values[i].value = funnel_cell(table, 500, values[i].column);
    }
    values[0].value = (ss_value){.tag = SS_VALUE_INT, .as.i = INT64_MAX};
    CHECK(ss_db_add(db, NULL, (int)(table - ss_tables), values, 5, SS_CONFLICT_ERROR,
                    &id, &err) == SS_OK);
    CHECK(id == INT64_MAX);
    CHECK(add_all(db, spool, SS_CONFLICT_UPDATE, &counts) == SS_OPERATIONAL);
    CHECK(outside_int("SELECT count(*) FROM " FUNNEL) == 1);
    ss_spool_free(spool);
    ss_db_free(db);
}

static void
test_add_many_without_memory(void)
{
    ss_db *db = fresh_db();
    ss_spool *spool = funnel_spool(300, 3000);
    ss_add_counts counts;
    CHECK(db != NULL && spool != NULL);
    CHECK(ss_db_connect(db, NULL, &err) == SS_OK);
    for (long n = 0;; n++) {
        ss_mem_fail_after(n, false);
        ss_status status = add_all(db, spool, SS_CONFLICT_UPDATE, &counts);
        bool failed = ss_mem_count() > n;
        ss_mem_fail_after(-1, false);
        CHECK(status == (failed ? SS_NOMEM : SS_OK));
        CHECK(counts.inserted == (failed ? 0 : 300));
        CHECK(outside_int("SELECT count(*) FROM " FUNNEL) == (failed ? 0 : 300));
        if (!failed) {
            break;
        }
    }
    ss_spool_free(spool);
    ss_db_free(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_chunk_runs);
    RUN(test_chunk_of_batch);
    RUN(test_spool_in_memory_and_in_a_file);
    RUN(test_spool_keeps_columns_apart);
    RUN(test_spool_drops_empty_chunks);
    RUN(test_spool_belongs_to_its_process);
    RUN(test_spool_without_memory);
    RUN(test_add_many_equals_the_spool);
    RUN(test_nobody_is_told_of_changes_afterwards);
    RUN(test_the_last_id_is_used_up);
    RUN(test_add_many_without_memory);
    return check_end();
}
