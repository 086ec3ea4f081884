/* base/status: the words every room uses.
 *
 * A function that can fail returns ss_status: 0 (SS_OK) is success, anything else
 * one of the ss_code values below.  Results travel through trailing `out`
 * parameters, written on success only; the message travels in an ss_error
 * (base/error.h).  Nothing here knows Python or SQLite.
 */
#ifndef SS_BASE_STATUS_H
#define SS_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of failure a caller can tell apart.  py/raise maps each to exactly one
 * exception type, so a new code is a new line there and nowhere else. */
typedef enum {
    SS_OK = 0,
    SS_NOMEM,         /* MemoryError */
    SS_TYPE,          /* TypeError: a wrong argument */
    SS_VALUE,         /* ValueError: a wrong argument */
    SS_OVERFLOW,      /* OverflowError: an integer wider than 64 bits */
    SS_INTERFACE,     /* InterfaceError: the API was used wrongly */
    SS_DATABASE,      /* DatabaseError: the file is not what it should be */
    SS_DATA,          /* DataError: a stored cell its declared type cannot hold */
    SS_OPERATIONAL,   /* OperationalError: the outside world said no */
    SS_INTEGRITY,     /* IntegrityError: a constraint refused the row */
    SS_INTERNAL,      /* InternalError: SQLite found itself in a bad state */
    SS_PROGRAMMING,   /* ProgrammingError: wrong SQL, wrong use of a transaction */
    SS_NOT_SUPPORTED, /* NotSupportedError */
    SS_CLOSED,        /* ClosedError */
    SS_FORKED,        /* ForkError */
    SS_REPLACED,      /* ReplacedError */
    SS_READ_ONLY,     /* ReadOnlyError */
    SS_DISK_FULL,     /* DiskFullError */
    SS_SCHEMA,        /* SchemaError */
    SS_BUSY,          /* OperationalError: a lock was not had within busy_timeout */
    SS_INTERRUPTED,   /* OperationalError: db.cancel() or a time limit */
    SS_SIGNAL,        /* a signal handler raised; its exception is already set */
} ss_code;

typedef int ss_status;

#define SS_MUST_CHECK __attribute__((warn_unused_result))
#define SS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Hand a failure up unchanged; only for functions that own nothing yet. */
#define SS_TRY(call)                     \
    do {                                 \
        ss_status ss_try_rc_ = (call);   \
        if (ss_try_rc_ != SS_OK) {       \
            return ss_try_rc_;           \
        }                                \
    } while (0)

#endif
