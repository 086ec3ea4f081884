/* What the text is made of:
 *
 *     WAL with frames     inode, number of frames and pages, checksum of all frames, salts
 *     WAL without         the same, and the file's size and time: all of the content is in
 *                         the file, and the header may be as that of an earlier life
 *     no WAL              inode, change counter, size and time
 *     immutable           inode, size and time
 *     ":memory:"          the session, and how many commits it had
 *
 * The header's count of changes is left out: it begins anew with the WAL's index.
 */
#define _POSIX_C_SOURCE 200809L

#include "db/version.h"

#include "base/thread.h"
#include "db/db_int.h"
#include "db/fresh.h"

#include <stdio.h> // snprintf()
#include <time.h>  // clock_gettime()

enum {
    TRIES = 50,
    TICK_MS = 20, /* the clock of file times is at least this fine */
};

/* Written so lately that another write could leave the same time. */
static bool
is_recent(const ss_file_facts *facts)
{
    struct timespec now;
    int64_t age_ns;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    age_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - facts->modified_ns;
    return age_ns >= 0 && age_ns < TICK_MS * (int64_t)1000000;
}

/* *done false: the file is changing just now. */
static ss_status
wal_version(ss_pool *pool, const ss_stamp *stamp, bool *done, char *out, ss_error *err)
{
    ss_wal_state s = ss_stamp_wal_state(stamp);
    ss_file_facts facts;
    uint64_t inode;
    SS_TRY(ss_pool_file(pool, &inode, &facts, err));
    if (s.n_frames > 0) {
        facts = (ss_file_facts){0};
    }
    else if (is_recent(&facts)) {
        *done = false;
        return SS_OK;
    }
    (void)snprintf(out, SS_VERSION_SIZE, "%llx-%x.%x-%08x%08x%08x%08x-%llx-%llx",
                   (unsigned long long)inode, s.n_frames, s.n_pages, s.checksum[0],
                   s.checksum[1], s.salt[0], s.salt[1], (unsigned long long)facts.size,
                   (unsigned long long)facts.modified_ns);
    *done = true;
    return SS_OK;
}

static ss_status
file_version(ss_pool *pool, const ss_stamp *stamp, bool counted, char *out,
             ss_error *err)
{
    ss_file_facts facts;
    uint64_t inode;
    SS_TRY(ss_pool_file(pool, &inode, &facts, err));
    (void)snprintf(
        out, SS_VERSION_SIZE, "%llx-j%x-%llx-%llx", (unsigned long long)inode,
        counted ? ss_stamp_file_counter(stamp) : 0, (unsigned long long)facts.size,
        (unsigned long long)facts.modified_ns);
    return SS_OK;
}

/* The text of a state that is known; *done false: try again. */
static ss_status
spell(const ss_session *session, const ss_stamp *stamp, bool *done, char *out,
      ss_error *err)
{
    *done = true;
    switch (ss_watch_kind(stamp)) {
    case SS_STAMP_WAL:
        return wal_version(session->pool, stamp, done, out, err);
    case SS_STAMP_FILE:
        return file_version(session->pool, stamp, true, out, err);
    case SS_STAMP_IMMUTABLE:
        return file_version(session->pool, stamp, false, out, err);
    case SS_STAMP_MEMORY:
        break;
    }
    (void)snprintf(out, SS_VERSION_SIZE, "m%llx-%llx",
                   (unsigned long long)session->nonce,
                   (unsigned long long)stamp->words[0]);
    return SS_OK;
}

/* The state that a read through `access` sees; the text is spelled while it lasts. */
static ss_status
try_once(ss_access *access, bool *done, char *out, ss_error *err)
{
    ss_stamp stamp = {0};
    ss_reading reading;
    SS_TRY(ss_reading_begin(access, false, &stamp, &reading, err));
    if (access->bound) {
        stamp = access->held->seen;
    }
    ss_status status = SS_OK;
    if (stamp.epoch == 0) { /* no WAL: a lock holds the state */
        status = ss_access_run(access, "SELECT 1 FROM sqlite_schema LIMIT 1",
                               "asking for the version", err);
        (void)ss_watch_held(access->session->pool, access->conn, &stamp);
    }
    *done = false;
    if (status == SS_OK && stamp.epoch != 0) {
        status = spell(access->session, &stamp, done, out, err);
    }
    reading.stamp = NULL;
    ss_reading_end(access, &reading);
    return status;
}

static ss_status
version_once(ss_db *db, const ss_call *call, bool *done, char *out, ss_error *err)
{
    ss_access access;
    ss_status status;
    SS_TRY(ss_db_read_enter(db, call, &access, err));
    if (access.in_transaction) {
        status = ss_error_set(err, SS_PROGRAMMING,
                              "version inside transaction(): what that has written is "
                              "no version of the database before it is committed");
    }
    else {
        status = try_once(&access, done, out, err);
    }
    ss_db_leave(&access);
    return status;
}

ss_status
ss_db_version(ss_db *db, const ss_call *call, char out[SS_VERSION_SIZE], ss_error *err)
{
    uint64_t unlike[2];
    bool done = false;
    for (int i = 0; i < TRIES; i++) {
        if (i > 0) {
            ss_sleep_us(1000);
        }
        ss_status status = version_once(db, call, &done, out, err);
        if (status != SS_OK && ss_db_recovered(db, call, err)) {
            continue;
        }
        if (status != SS_OK || done) {
            return status;
        }
    }
    /* It cannot be told: then every version differs. */
    sqlite3_randomness((int)sizeof(unlike), unlike);
    (void)snprintf(out, SS_VERSION_SIZE, "u%llx%llx", (unsigned long long)unlike[0],
                   (unsigned long long)unlike[1]);
    return SS_OK;
}
