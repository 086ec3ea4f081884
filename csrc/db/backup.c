#include "db/backup.h"

#include "base/mem.h"
#include "db/block.h"
#include "db/db_int.h"
#include "store/copy.h"

struct ss_backup {
    ss_db *db; /* borrowed */
    const ss_call *call;
    uint64_t thread;  /* whose snapshot it is */
    ss_access access; /* to that snapshot, from begin to end */
    ss_copy *copy;    /* owned */
};

static ss_status
refuse_in_transaction(ss_db *db, ss_error *err)
{
    ss_mutex_lock(&db->lock);
    bool inside = ss_bound_find_lock_held(db, SS_BOUND_TRANSACTION) != NULL;
    ss_mutex_unlock(&db->lock);
    return !inside ? SS_OK
                   : ss_error_set(err, SS_PROGRAMMING,
                                  "backup() inside this thread's own transaction(), "
                                  "which is not committed yet; leave the with block "
                                  "first");
}

/* It is there, and nothing runs in it, so it can be ended. */
static void
end_view(ss_backup *b)
{
    ss_error unused;
    ss_error_init(&unused);
    ss_status status = ss_db_snapshot_end(b->db, b->thread, &unused);
    (void)status;
}

static ss_status
begin_copy(ss_backup *b, const char *target, bool overwrite, ss_error *err)
{
    ss_copy_options options = {.path = ss_db_get_options(b->db)->path,
                               .target = target,
                               .overwrite = overwrite,
                               .hint = "overwrite=True replaces it"};

    SS_TRY(ss_db_snapshot_begin(b->db, b->call, &b->thread, err));
    ss_status status = ss_db_read_enter(b->db, b->call, &b->access, err);
    if (status == SS_OK) {
        status = ss_copy_begin(b->access.conn, &options, &b->copy, err);
        if (status != SS_OK) {
            ss_db_leave(&b->access);
        }
    }
    if (status != SS_OK) {
        end_view(b);
    }
    return status;
}

ss_status
ss_backup_begin(ss_db *db, const ss_call *call, const char *target, bool overwrite,
                ss_backup **out, ss_error *err)
{
    SS_TRY(refuse_in_transaction(db, err));
    ss_backup *b = ss_calloc(1, sizeof(*b));
    if (b == NULL) {
        return ss_error_nomem(err);
    }
    b->db = db;
    b->call = call;
    ss_status status = begin_copy(b, target, overwrite, err);
    if (status != SS_OK) {
        ss_free(b);
        return status;
    }
    *out = b;
    return SS_OK;
}

/* In a child that the progress function forked? */
static bool
is_lost(const ss_backup *b)
{
    return ss_pool_is_lost(b->access.session->pool);
}

ss_status
ss_backup_run(ss_backup *b, int64_t slice_ms, bool *done, ss_error *err)
{
    if (is_lost(b)) {
        return ss_error_set(err, SS_FORKED,
                            "this backup was begun before fork(); it goes on in the "
                            "parent process alone");
    }
    return ss_copy_run(b->copy, b->call, slice_ms, done, err);
}

void
ss_backup_pages(const ss_backup *b, int *done, int *total)
{
    ss_copy_pages(b->copy, done, total);
}

ss_status
ss_backup_end(ss_backup *b, bool keep, ss_error *err)
{
    ss_status status = SS_OK;

    if (is_lost(b)) {
        ss_copy_forget(b->copy);
    }
    else {
        if (keep) {
            status = ss_copy_publish(b->copy, err);
        }
        ss_copy_free(b->copy);
    }
    ss_db_leave(&b->access);
    end_view(b);
    ss_free(b);
    return status;
}
