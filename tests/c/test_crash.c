/* What is left when the power fails: writes through db/, at any point, with what was not
 * synchronised dropped, torn and out of order (tests/c/disk), read by stock SQLite.
 *
 * Controls: with durability "off" acknowledged writes must be missing from some images;
 * with "normal" too, but only the newest. */
#define _POSIX_C_SOURCE 200809L

#include "base/thread.h"
#include "check.h"
#include "db/group.h"
#include "disk.h"
#include "rig.h"
#include "scratch.h"

#include <pthread.h>
#include <time.h>

enum { N_BATCHES = 60, MOST_THREADS = 4, LAST_POINTS = 30 };

/* A batch is rows under its number, each telling how many there are, its text following
 * from the number, and one more in `c`. `pad` changes some pages more. */
#define TABLES                                                                      \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, batch INTEGER, n INTEGER, body TEXT);"  \
    "CREATE INDEX t_body ON t(body); CREATE TABLE c(n INTEGER); INSERT INTO c "     \
    "VALUES (0); CREATE TABLE pad(x); INSERT INTO pad VALUES (zeroblob(9000))"
#define BODY "replace(hex(zeroblob(120)), '00', batch || '.')"

static char image_path[600];

/* ---- the work ---- */

typedef struct {
    ss_db *db;
    int first, step; /* which batches */
} writer;

static ss_status
write_batch(ss_access *access, void *arg, ss_error *err)
{
    int batch = *(const int *)arg, n_rows = batch % 17 == 16 ? 60 : 1 + batch % 5;
    char sql[900];

    /* A small cache: what a transaction changes goes to disk before its end, too. */
    snprintf(
        sql, sizeof(sql),
        "PRAGMA cache_size = 8; INSERT INTO t(batch, n, body) WITH RECURSIVE "
        "r(i, batch) AS (SELECT 1, %d UNION ALL SELECT i + 1, batch FROM r WHERE i "
        "< %d) SELECT batch, %d, " BODY
        " FROM r; UPDATE c SET n = n + 1; UPDATE pad SET x = zeroblob(%d)",
        batch, n_rows, n_rows, 2000 + batch * 200 % 7000);
    return ss_conn_exec(access->conn, sql, err);
}

static ss_db *
open_db(ss_durability durability)
{
    ss_db_options options = {.path = path,
                             .mode = SS_MODE_RW,
                             .durability = durability,
                             .max_readers = 2,
                             .busy_ms = 10000};
    ss_db *db = NULL;
    ss_error err;

    ss_error_init(&err);
    if (ss_db_new(&options, &db, &err) != SS_OK ||
        ss_db_connect(db, NULL, &err) != SS_OK) {
        printf("  %s\n", err.message);
    }
    return db;
}

static bool
checkpoint(ss_db *db)
{
    ss_access access;
    ss_error err;
    bool done;

    ss_error_init(&err);
    if (ss_db_write_enter(db, NULL, &access, &err) != SS_OK) {
        return false;
    }
    ss_pool *pool = access.lease.pool;
    ss_db_leave(&access);
    return ss_pool_checkpoint(pool, NULL, &done, &err) == SS_OK;
}

static void *
write_batches(void *arg)
{
    const writer *w = arg;

    for (int batch = w->first; batch < N_BATCHES; batch += w->step) {
        ss_error err;
        ss_error_init(&err);
        disk_tell(DISK_BEGUN, batch);
        if (ss_group_write(w->db, NULL, false, write_batch, &batch, &err) != SS_OK) {
            check_fail(__FILE__, __LINE__, err.message);
            return NULL;
        }
        disk_tell(DISK_ACKED, batch);
        if (batch % 13 == 12) {
            CHECK_VALUE(checkpoint(w->db), NULL);
        }
    }
    return NULL;
}

/* A small file of another application, made by stock SQLite. */
static void
make_file(const char *journal)
{
    char sql[800];
    sqlite3 *stock = NULL;

    snprintf(image_path, sizeof(image_path), "%s-image", fresh_path("crash.db"));
    snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s; " TABLES, journal);
    CHECK_INT(sqlite3_open(path, &stock), SQLITE_OK);
    CHECK_INT(sqlite3_exec(stock, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(stock), SQLITE_OK);
}

/* Record the writes; with one thread also a close and a new session between them. */
static void
record_work(const char *journal, ss_durability durability, int n_threads)
{
    writer writers[MOST_THREADS] = {{NULL, 0, 0}};
    pthread_t threads[MOST_THREADS];
    ss_error err;

    make_file(journal);
    disk_record(path);
    ss_db *db = open_db(durability);
    CHECK(db != NULL);
    for (int i = 0; i < n_threads; i++) {
        writers[i] = (writer){.db = db, .first = i, .step = n_threads};
        CHECK(pthread_create(&threads[i], NULL, write_batches, &writers[i]) == 0);
    }
    for (int i = 0; i < n_threads; i++) {
        pthread_join(threads[i], NULL);
    }
    ss_error_init(&err);
    CHECK_INT(ss_db_close(db, NULL, &err), SS_OK);
    ss_db_free(db);
    disk_stop();
}

/* ---- the images ---- */

typedef struct {
    bool present[N_BATCHES];
    int n_present;
} found;

static bool
is_one(sqlite3 *db, const char *sql, const char *wanted)
{
    sqlite3_stmt *stmt = NULL;
    bool good = false;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        good = text != NULL && strcmp(text, wanted) == 0;
    }
    if (!good) {
        printf("  %s: %s\n", sql, sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    return good;
}

/* What a program that knows nothing of us finds; false: nonsense. */
static bool
look(found *out)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char count[20];
    bool good = true;

    *out = (found){.n_present = 0};
    if (sqlite3_open_v2(image_path, &db, SQLITE_OPEN_READWRITE, RIG_PLAIN) !=
            SQLITE_OK ||
        !is_one(db, "PRAGMA integrity_check", "ok") ||
        sqlite3_prepare_v2(db,
                           "SELECT batch, count(*) = max(n) AND min(n) = max(n) AND "
                           "min(body = " BODY ") FROM t GROUP BY batch",
                           -1, &stmt, NULL) != SQLITE_OK) {
        good = false;
    }
    while (good && sqlite3_step(stmt) == SQLITE_ROW) {
        int batch = sqlite3_column_int(stmt, 0);
        good = sqlite3_column_int(stmt, 1) == 1 && batch >= 0 && batch < N_BATCHES;
        if (good) {
            out->present[batch] = true;
            out->n_present++;
        }
        else {
            printf("  batch %d is there in part\n", batch);
        }
    }
    sqlite3_finalize(stmt);
    snprintf(count, sizeof(count), "%d", out->n_present);
    good = good && is_one(db, "SELECT n FROM c", count);
    sqlite3_close(db);
    return good;
}

/* In one image: how many acknowledged batches are not there; -1 for nonsense. */
static int
count_lost(int point, disk_way way, uint64_t *seed, bool in_order)
{
    bool begun[N_BATCHES], acked[N_BATCHES];
    found have;
    int n_lost = 0;

    disk_image(point, way, seed, image_path);
    if (!look(&have)) {
        return -1;
    }
    disk_notes(point, DISK_BEGUN, begun, N_BATCHES);
    disk_notes(point, DISK_ACKED, acked, N_BATCHES);
    for (int i = 0; i < N_BATCHES; i++) {
        n_lost += acked[i] && !have.present[i];
        bool gap = in_order && i > 0 && have.present[i] && !have.present[i - 1];
        if (gap || (have.present[i] && !begun[i])) {
            printf("  batch %d is there, and should not\n", i);
            return -1;
        }
    }
    return n_lost;
}

/* How many images lack something acknowledged; every one must make sense. */
static void
check_images(const char *what, int n, bool in_order, int *n_losing)
{
    uint64_t seed = (uint64_t)strlen(what);
    int points = disk_n_points();
    char line[120];

    if (check_soak()) {
        n = check_times(n, 20 * n);
        seed = (uint64_t)time(NULL);
    }
    *n_losing = 0;
    for (int i = 0; i < n; i++) {
        /* Evenly over the record, and the last of it, where all is closed, each time. */
        int point = i < LAST_POINTS ? points - 1 - i : (int)((int64_t)points * i / n);
        if (check_soak() && i >= LAST_POINTS) {
            /* Not 0, which is before the file was there. */
            point = 1 + (int)(disk_random(&seed) % (uint64_t)(points - 1));
        }
        disk_way way = (disk_way)(i % DISK_WAYS);
        int n_lost = count_lost(point, way, &seed, in_order);
        if (n_lost < 0) {
            printf("  %s: point %d of %d, way %d\n", what, point, points, (int)way);
        }
        CHECK(n_lost >= 0);
        if (n_lost > 0 && *n_losing == 0) {
            printf("  %s: %d lost at point %d of %d, way %d\n", what, n_lost, point,
                   points, (int)way);
        }
        *n_losing += n_lost > 0;
    }
    printf("  %s: %d images of %d points, %d lack something acknowledged\n", what, n,
           points, *n_losing);
    snprintf(line, sizeof(line), "power-loss images, %s: lack something acknowledged",
             what);
    check_figure(line, n, *n_losing);
}

/* ---- the tests ---- */

static void
test_full_loses_nothing(void)
{
    int n_losing = -1;

    record_work("wal", SS_DURABILITY_FULL, 1);
    check_images("full", 500, true, &n_losing);
    disk_forget();
    CHECK_INT(n_losing, 0);
}

static void
test_full_loses_nothing_of_many_threads(void)
{
    int n_losing = -1;

    record_work("wal", SS_DURABILITY_FULL, MOST_THREADS);
    check_images("full, threads", 150, false, &n_losing);
    disk_forget();
    CHECK_INT(n_losing, 0);
}

/* A file of others may have a rollback journal, and "full" is promised there, too. Seen to
 * fail with synchronous=FULL, where a deleted journal may come back: it lost the newest. */
static void
test_full_loses_nothing_with_a_journal(void)
{
    int n_losing = -1;

    record_work("delete", SS_DURABILITY_FULL, 1);
    check_images("full, journal", 200, true, &n_losing);
    disk_forget();
    CHECK_INT(n_losing, 0);
}

static void
test_normal_loses_the_newest_only(void)
{
    int n_losing = -1;

    record_work("wal", SS_DURABILITY_NORMAL, 1);
    check_images("normal", 100, true, &n_losing);
    disk_forget();
    CHECK(n_losing > 0);
}

/* The control: the same images without any fsync. Some are no database any more. */
static void
test_off_loses(void)
{
    uint64_t seed = 1;
    int n_losing = 0, n_broken = 0, points;

    record_work("wal", SS_DURABILITY_OFF, 1);
    points = disk_n_points();
    for (int i = 0; i < 50; i++) {
        int n_lost =
            count_lost(points * i / 50, (disk_way)(i % DISK_WAYS), &seed, true);
        n_losing += n_lost > 0;
        n_broken += n_lost < 0;
    }
    disk_forget();
    printf("  off: of 50 images %d lack something, %d are broken\n", n_losing,
           n_broken);
    CHECK(n_losing + n_broken > 10);
}

int
main(int argc, char **argv)
{
    check_begin(argc, argv);
    rig_install();
    RUN(test_full_loses_nothing);
    RUN(test_full_loses_nothing_of_many_threads);
    RUN(test_full_loses_nothing_with_a_journal);
    RUN(test_normal_loses_the_newest_only);
    RUN(test_off_loses);
    return check_end();
}
