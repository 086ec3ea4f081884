/* store/checkpoint: rounds in a pool: when they run, and what keeps them from it. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "pool_case.h"

#include <sys/stat.h>

static int64_t
wal_bytes(void)
{
    char wal[600];
    struct stat st;

    snprintf(wal, sizeof(wal), "%s-wal", path);
    return stat(wal, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void
test_wal_stays_bounded(void)
{
    ss_pool *pool = new_pool("bounded.db", 2, 1000);
    ss_error err;
    int64_t most = 0, n = -1;

    for (int i = 0; i < 20000; i++) {
        CHECK_INT(write_one(pool, &err), SS_OK);
        if (i % 500 == 0) {
            CHECK_INT(count_t(pool, &n, &err), SS_OK);
            CHECK_INT(n, i + 1);
            int64_t now = wal_bytes();
            most = now > most ? now : most;
        }
    }
    ss_pool_stats stats = stats_of(pool);
    CHECK(most > 0 && most < 8 * 1024 * 1024); /* 20,000 frames would be 80 MiB */
    CHECK(stats.checkpoints >= 10 && stats.checkpoints <= 40);
    CHECK_INT(stats.checkpoint_skips, 0);
    CHECK(stats.wal_frames <= 1100);
    CHECK(close_pool(pool));
}

/* A reader in the middle of its rows holds the WAL back; rounds are then not run after
 * every commit, and when it is gone the WAL shrinks again. */
static void
test_wal_with_a_slow_reader(void)
{
    ss_pool *pool = new_pool("slow.db", 2, 1000);
    ss_error err;
    ss_lease lease;
    bool done = false;

    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(ss_pool_read(pool, NULL, &lease, &err), SS_OK);
    int64_t n;
    CHECK_INT(ss_conn_exec(lease.conn, "BEGIN", &err), SS_OK);
    CHECK_INT(ss_conn_int(lease.conn, "SELECT count(*) FROM t", &n, &err), SS_OK);
    for (int i = 0; i < 5000; i++) {
        CHECK_INT(write_one(pool, &err), SS_OK);
    }
    ss_pool_stats stats = stats_of(pool);
    CHECK(stats.wal_frames > 5000);
    CHECK(stats.checkpoints >= 3 && stats.checkpoints <= 6);
    ss_pool_return(&lease);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_OK);
    CHECK(done);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK(stats_of(pool).wal_frames < 10);
    CHECK(close_pool(pool));
}

static void
test_checkpoint_skips(void)
{
    ss_pool *pool = new_pool("skips.db", 2, 50);
    ss_error err;
    ss_lease lease;
    bool done = true;
    ss_pool *other = open_pool(path, SS_MODE_RW, 1, 50, &err);

    CHECK(other != NULL);
    CHECK_INT(write_one(pool, &err), SS_OK);
    CHECK_INT(ss_pool_write(other, NULL, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, "BEGIN IMMEDIATE", &err), SS_OK);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_BUSY);
    CHECK(done);
    CHECK_INT(stats_of(pool).checkpoint_skips, 1);
    ss_pool_return(&lease);
    CHECK(close_pool(other));
    ss_error_init(&err);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_OK);
    CHECK_INT(stats_of(pool).checkpoints, 1);
    CHECK(close_pool(pool));

    /* A file with a rollback journal has nothing to checkpoint. */
    pool = open_pool(fresh_path("delete.db"), SS_MODE_RWC, 1, 50, &err);
    CHECK(pool != NULL);
    CHECK_INT(ss_pool_checkpoint(pool, NULL, &done, &err), SS_OK);
    CHECK(!done);
    CHECK(close_pool(pool));
}

/* A PRAGMA of one holder does not bring SQLite's own checkpoints back. */
static void
test_no_automatic_checkpoint(void)
{
    ss_pool *pool = new_pool("auto.db", 1, 1000);
    ss_error err;
    ss_lease lease;

    ss_error_init(&err);
    CHECK_INT(ss_pool_write(pool, NULL, &lease, &err), SS_OK);
    CHECK_INT(ss_conn_exec(lease.conn, "PRAGMA wal_autocheckpoint=1", &err), SS_OK);
    ss_pool_return(&lease);
    for (int i = 0; i < 50; i++) {
        CHECK_INT(write_one(pool, &err), SS_OK);
    }
    CHECK(stats_of(pool).wal_frames >= 50);
    CHECK(close_pool(pool));
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    RUN(test_wal_stays_bounded);
    RUN(test_wal_with_a_slow_reader);
    RUN(test_checkpoint_skips);
    RUN(test_no_automatic_checkpoint);
    return check_end();
}
