/* The floor: what plain C over libsqlite3 takes for the same work, with nothing made of
 * the values. Compiled and run by bench/run.py.
 *
 *     floor DB     then one command a line on stdin, one line of JSON for each:
 *     scan SQL     step through, read type and value of every cell
 *     one N SQL    N times: bind 1, step, read the row, reset
 *     each N SQL   N times: step through, read every row, reset
 *     add N        N times, after one more: the upsert of a day's overview_kpis, durable
 *                  when done
 *     load TO      the customer_interactions of DB into TO, which has none: bind and step
 *                  for each row, in one transaction, durable when done
 *     upsert TO    the same for the second time, ON CONFLICT DO UPDATE
 *
 * The answer is {"ns": elapsed, "n": rows read or calls made, "check": sum over the
 * values}; the sum is there so that no read can be optimised away.
 */
#define _POSIX_C_SOURCE 200809L
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    long long n;
    unsigned long long check;
} outcome;

static void
need(int ok, sqlite3 *db, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "floor: %s: %s\n", what,
                      db != NULL ? sqlite3_errmsg(db) : "no memory");
        exit(1);
    }
}

static clockid_t the_clock = CLOCK_MONOTONIC;

static long long
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(the_clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The settings of the package's own connections that can cost time. */
static sqlite3 *
open_like_ours(const char *path, int read_only)
{
    static const char settings[] =
        "PRAGMA cell_size_check=1; PRAGMA mmap_size=0; PRAGMA temp_store=1;"
        "PRAGMA foreign_keys=1; PRAGMA synchronous=2;";
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(
        path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    need(rc == SQLITE_OK, db, path);
    need(sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK, db, settings);
    return db;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    need(rc == SQLITE_OK, db, sql);
    return stmt;
}

static unsigned long long
read_row(sqlite3_stmt *stmt, int n_columns)
{
    unsigned long long check = 0;
    for (int i = 0; i < n_columns; i++) {
        switch (sqlite3_column_type(stmt, i)) {
        case SQLITE_INTEGER:
            check += (unsigned long long)sqlite3_column_int64(stmt, i);
            break;
        case SQLITE_FLOAT:
            check += (unsigned long long)(long long)sqlite3_column_double(stmt, i);
            break;
        case SQLITE_TEXT: {
            const unsigned char *text = sqlite3_column_text(stmt, i);
            check += (unsigned long long)sqlite3_column_bytes(stmt, i) + text[0];
            break;
        }
        default:
            check++;
            break;
        }
    }
    return check;
}

static outcome
scan(sqlite3 *db, const char *sql)
{
    outcome out = {0, 0};
    sqlite3_stmt *stmt = prepare(db, sql);
    int n_columns = sqlite3_column_count(stmt);
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        out.check += read_row(stmt, n_columns);
        out.n++;
    }
    need(rc == SQLITE_DONE, db, sql);
    (void)sqlite3_finalize(stmt);
    return out;
}

static outcome
one(sqlite3 *db, long long n, sqlite3_stmt *stmt)
{
    outcome out = {0, 0};
    int n_columns = sqlite3_column_count(stmt);
    for (; out.n < n; out.n++) {
        need(sqlite3_bind_int64(stmt, 1, 1) == SQLITE_OK, db, "bind");
        need(sqlite3_step(stmt) == SQLITE_ROW, db, "step");
        out.check += read_row(stmt, n_columns);
        (void)sqlite3_reset(stmt);
    }
    return out;
}

static outcome
each(sqlite3 *db, long long n, sqlite3_stmt *stmt)
{
    outcome out = {0, 0};
    int n_columns = sqlite3_column_count(stmt);
    for (; out.n < n; out.n++) {
        int rc;
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
            out.check += read_row(stmt, n_columns);
        }
        need(rc == SQLITE_DONE, db, sqlite3_sql(stmt));
        (void)sqlite3_reset(stmt);
    }
    return out;
}

static void
run(sqlite3 *db, sqlite3_stmt *stmt)
{
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    }
    need(rc == SQLITE_DONE, db, sqlite3_sql(stmt));
    (void)sqlite3_reset(stmt);
}

enum { N_DAYS = 280 }; /* bench/queries.py has the same */

/* What add_overview_kpis() does for a day that is there already. */
static outcome
add(const char *path, long long n, long long *ns)
{
    sqlite3 *db = open_like_ours(path, 0);
    sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = prepare(db, "COMMIT");
    sqlite3_stmt *find =
        prepare(db, "SELECT rowid FROM \"overview_kpis\" WHERE "
                    "\"record_date\" = ?1 ORDER BY rowid DESC LIMIT 1");
    sqlite3_stmt *update =
        prepare(db, "UPDATE \"overview_kpis\" SET \"total_customers\" = ?1, "
                    "\"conversion_rate\" = ?2, \"ai_interactions\" = ?3, "
                    "\"updated_at\" = CURRENT_TIMESTAMP WHERE rowid = ?4");
    static long long figure = 1000; /* never twice: an equal row is not written */
    char days[N_DAYS][16];
    outcome out = {0, 0};
    for (int i = 0; i < N_DAYS; i++) {
        (void)snprintf(days[i], sizeof(days[i]), "2025-%02d-%02d", 1 + i / 28,
                       1 + i % 28);
    }
    long long start = 0;
    for (out.n = -1; out.n < n; out.n++) { /* the first is not counted */
        const char *day = days[(out.n + N_DAYS) % N_DAYS];
        if (out.n == 0) {
            start = now_ns();
        }
        run(db, begin);
        (void)sqlite3_bind_text(find, 1, day, -1, SQLITE_STATIC);
        need(sqlite3_step(find) == SQLITE_ROW, db, day);
        sqlite3_int64 id = sqlite3_column_int64(find, 0);
        (void)sqlite3_reset(find);
        (void)sqlite3_bind_int64(update, 1, ++figure);
        (void)sqlite3_bind_double(update, 2, 9.5);
        (void)sqlite3_bind_int64(update, 3, 1400);
        (void)sqlite3_bind_int64(update, 4, id);
        run(db, update);
        run(db, commit);
        out.check += (unsigned long long)id;
    }
    *ns = now_ns() - start;
    (void)sqlite3_finalize(begin);
    (void)sqlite3_finalize(commit);
    (void)sqlite3_finalize(find);
    (void)sqlite3_finalize(update);
    (void)sqlite3_close(db);
    return out;
}

/* --- bulk writing ---------------------------------------------------------------- */

enum { N_COLUMNS = 13 };
#define COLUMNS                                                                       \
    "interaction_id, interaction_date, interaction_type, customer_id, session_id, "   \
    "response_time_sec, satisfaction_score, customer_name, activity_description, "    \
    "status_badge, message_count, created_at, updated_at"

/* All cells of the rows, in memory before the clock starts. */
static sqlite3_value **
read_cells(sqlite3 *from, long long *n_rows)
{
    sqlite3_stmt *select =
        prepare(from, "SELECT " COLUMNS " FROM customer_interactions ORDER BY id");
    sqlite3_value **cells = NULL;
    long long capacity = 0, n = 0;
    while (sqlite3_step(select) == SQLITE_ROW) {
        if (n == capacity) {
            capacity = capacity == 0 ? 1024 : capacity * 2;
            cells = realloc(cells, (size_t)capacity * N_COLUMNS * sizeof(*cells));
            need(cells != NULL, NULL, "rows");
        }
        for (int i = 0; i < N_COLUMNS; i++) {
            sqlite3_value *cell = sqlite3_value_dup(sqlite3_column_value(select, i));
            need(cell != NULL, NULL, "a cell");
            cells[n * N_COLUMNS + i] = cell;
        }
        n++;
    }
    (void)sqlite3_finalize(select);
    *n_rows = n;
    return cells;
}

static void
bind(sqlite3_stmt *stmt, int i, sqlite3_value *cell)
{
    switch (sqlite3_value_type(cell)) {
    case SQLITE_INTEGER:
        (void)sqlite3_bind_int64(stmt, i, sqlite3_value_int64(cell));
        break;
    case SQLITE_FLOAT:
        (void)sqlite3_bind_double(stmt, i, sqlite3_value_double(cell));
        break;
    case SQLITE_TEXT:
        (void)sqlite3_bind_text(stmt, i, (const char *)sqlite3_value_text(cell),
                                sqlite3_value_bytes(cell), SQLITE_STATIC);
        break;
    default:
        (void)sqlite3_bind_null(stmt, i);
        break;
    }
}

/* One transaction; nanoseconds. */
static long long
load(const char *to, sqlite3_value **cells, long long n_rows, int upsert)
{
    static const char insert[] =
        "INSERT INTO customer_interactions (" COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static const char conflict[] =
        "INSERT INTO customer_interactions (" COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (interaction_id) DO UPDATE SET "
        "interaction_date = excluded.interaction_date, "
        "interaction_type = excluded.interaction_type, "
        "customer_id = excluded.customer_id, session_id = excluded.session_id, "
        "response_time_sec = excluded.response_time_sec, "
        "satisfaction_score = excluded.satisfaction_score, "
        "customer_name = excluded.customer_name, "
        "activity_description = excluded.activity_description, "
        "status_badge = excluded.status_badge, "
        "message_count = excluded.message_count, created_at = excluded.created_at, "
        "updated_at = excluded.updated_at";
    sqlite3 *db = open_like_ours(to, 0);
    long long start = now_ns();
    need(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK, db, to);
    sqlite3_stmt *stmt = prepare(db, upsert ? conflict : insert);
    for (long long row = 0; row < n_rows; row++) {
        for (int i = 0; i < N_COLUMNS; i++) {
            bind(stmt, i + 1, cells[row * N_COLUMNS + i]);
        }
        need(sqlite3_step(stmt) == SQLITE_DONE, db, "insert");
        (void)sqlite3_reset(stmt);
    }
    need(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, db, "commit");
    long long ns = now_ns() - start;
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return ns;
}

int
main(int argc, char **argv)
{
    char line[4096];
    if (argc != 2) {
        (void)fprintf(stderr, "floor DB\n");
        return 2;
    }
    if (getenv("BENCH_CPU") != NULL) { /* run.py --cpu */
        the_clock = CLOCK_PROCESS_CPUTIME_ID;
    }
    sqlite3 *db = open_like_ours(argv[1], 1);
    sqlite3_stmt *one_row = NULL;
    sqlite3_value **cells = NULL;
    long long n_cells = 0;
    (void)printf("{\"versions\": \"SQLite %s\"}\n", sqlite3_libversion());
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        outcome out = {0, 0};
        char *rest = NULL;
        line[strcspn(line, "\n")] = '\0';
        long long n = strtoll(line + strcspn(line, " "), &rest, 10);
        long long ns = 0, start = now_ns();
        if (strncmp(line, "scan ", 5) == 0) {
            out = scan(db, line + 5);
            ns = now_ns() - start;
        }
        else if (strncmp(line, "one ", 4) == 0) {
            if (one_row == NULL) {
                one_row = prepare(db, rest);
            }
            start = now_ns();
            out = one(db, n, one_row);
            ns = now_ns() - start;
        }
        else if (strncmp(line, "each ", 5) == 0) {
            sqlite3_stmt *stmt = prepare(db, rest);
            start = now_ns();
            out = each(db, n, stmt);
            ns = now_ns() - start;
            (void)sqlite3_finalize(stmt);
        }
        else if (strncmp(line, "add ", 4) == 0) {
            out = add(argv[1], n, &ns);
        }
        else if (strncmp(line, "load ", 5) == 0 || strncmp(line, "upsert ", 7) == 0) {
            int upsert = line[0] == 'u';
            const char *to = strchr(line, ' ') + 1;
            if (cells == NULL) {
                cells = read_cells(db, &n_cells);
            }
            ns = load(to, cells, n_cells, 0);
            ns = upsert ? load(to, cells, n_cells, 1) : ns;
            out.n = n_cells;
        }
        else {
            (void)fprintf(stderr, "floor: no such command: %s\n", line);
            return 2;
        }
        (void)printf("{\"ns\": %lld, \"n\": %lld, \"check\": %llu}\n", ns, out.n,
                     out.check);
        (void)fflush(stdout);
    }
    (void)sqlite3_finalize(one_row);
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
