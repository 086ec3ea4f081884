/* db/split: in which order a window is read, where any will do. */
#include "db/split.h"

#include "base/moment.h"
#include "check.h"
#include "db/db_int.h"
#include "db_case.h"

#include <stdio.h>  // snprintf()
#include <string.h> // strlen()

enum { FIRST = 20089 }; /* 2025-01-01 */

/* An interaction every ten minutes for `days` days, and as many that are older. */
static ss_db *
interactions(const char *name, int days)
{
    char sql[512];
    ss_db *db = open_new(name);

    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE "
             "i + 1 < %d) INSERT INTO customer_interactions (interaction_id, "
             "interaction_date, interaction_type) SELECT 'i' || i, "
             "datetime('2025-01-01', (i * 10) || ' minutes'), 'chat' FROM n",
             days * 144);
    CHECK_VALUE(outside(sql) == SS_OK, NULL);
    return db;
}

/* 1 or 0; -1: it failed. */
static int
by_time(ss_db *db, const char *name, int32_t from, int32_t until)
{
    int table = ss_catalog_table(name, strlen(name));
    bool instants = ss_tables[table].columns[ss_tables[table].time_column].kind ==
                    SS_KIND_TIMESTAMP;
    int64_t unit = instants ? SS_US_PER_DAY : 1;
    ss_window window = {.has_from = from > 0,
                        .from = from * unit,
                        .has_until = until > 0,
                        .until = until * unit};
    bool answer = false;
    ss_access access;

    ss_error_init(&err);
    if (ss_db_read_enter(db, NULL, &access, &err) != SS_OK) {
        return -1;
    }
    ss_status rc =
        ss_split_order(&access, &ss_tables[table], &access.layout->tables[table],
                       &window, &answer, &err);
    ss_db_leave(&access);
    return rc == SS_OK ? answer : -1;
}

static void
test_a_part_is_looked_up_and_the_most_is_scanned(void)
{
    ss_db *db = interactions("order.db", 300);

    CHECK_INT(by_time(db, "customer_interactions", FIRST + 100, FIRST + 131), 1);
    CHECK_INT(by_time(db, "customer_interactions", FIRST + 100, FIRST + 199), 1);
    CHECK_INT(by_time(db, "customer_interactions", FIRST + 100, FIRST + 202), 0);
    CHECK_INT(by_time(db, "customer_interactions", FIRST, FIRST + 300), 0);
    CHECK_INT(by_time(db, "customer_interactions", 0, FIRST + 300), 0);
    CHECK_INT(by_time(db, "customer_interactions", FIRST, 0), 0);
    /* What is counted is the part that can hold rows. */
    CHECK_INT(by_time(db, "customer_interactions", FIRST - 1000, FIRST + 90), 1);
    CHECK_INT(by_time(db, "customer_interactions", FIRST + 210, FIRST + 9000), 1);
    CHECK_INT(by_time(db, "customer_interactions", FIRST + 400, FIRST + 800), 1);
    /* A small table of a large file, and an empty one. */
    CHECK_INT(outside("INSERT INTO overview_kpis (record_date) VALUES ('2025-01-01'), "
                      "('2025-12-31')"),
              SS_OK);
    CHECK_INT(by_time(db, "overview_kpis", FIRST, FIRST + 400), 1);
    CHECK_INT(by_time(db, "product_analytics", FIRST, FIRST + 400), 1);
    close_db(db);
}

static void
test_a_small_file_is_read_by_time(void)
{
    ss_db *db = interactions("small.db", 3);

    CHECK_INT(by_time(db, "customer_interactions", FIRST, FIRST + 300), 1);
    close_db(db);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_a_part_is_looked_up_and_the_most_is_scanned);
    RUN(test_a_small_file_is_read_by_time);
    return check_end();
}
