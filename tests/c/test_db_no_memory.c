/* db/: a life of a db in which every allocation of ours fails, one after another. */
#include "base/mem.h"
#include "check.h"
#include "db/block.h"
#include "db/write.h"
#include "db_case.h"

/* Every allocation of ours fails in turn: an honest error, nothing leaked. */
static void
test_no_memory(void)
{
#ifdef SS_TEST_FAULTS
    ss_db *maker = filled("nomem.db");
    CHECK(maker != NULL);
    close_db(maker);
    for (long n = 0;; n++) {
        ss_error own;
        ss_db_options options = {
            .path = path, .mode = SS_MODE_RW, .max_readers = 2, .busy_ms = 1000};
        ss_db *db = NULL;
        ss_batch *batch = NULL;
        ss_request request = ss_request_for(table("conversion_trends"), true);
        int64_t id = 0;
        int t = table("overview_kpis");
        ss_filter values[] = {{column(t, "record_date"), day_value(DAY0)}};
        ss_error_init(&own);
        ss_mem_fail_after(n, false);
        ss_status status = ss_db_new(&options, &db, &own);
        if (status == SS_OK) {
            status = ss_db_read(db, NULL, &request, &batch, &own);
        }
        if (status == SS_OK) {
            status = ss_db_add(db, NULL, t, values, 1, SS_CONFLICT_UPDATE, &id, &own);
        }
        if (status == SS_OK) {
            status = block_begin(db);
            if (status == SS_OK) {
                status = block_end(db, true);
            }
        }
        bool hit = ss_mem_count() > n;
        ss_mem_fail_after(-1, false);
        CHECK(status == SS_OK || (hit && status == SS_NOMEM));
        ss_batch_release(batch);
        if (db != NULL) {
            CHECK_INT(ss_db_is_bound(db), false);
            close_db(db);
        }
        if (!hit) {
            CHECK_INT(status, SS_OK);
            CHECK(n >= 20);
            printf("  %ld allocations\n", n);
            break;
        }
    }
#endif
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_no_memory);
    return check_end();
}
