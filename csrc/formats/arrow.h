/* formats/arrow.h: the structs of the Arrow C data and stream interfaces.
 *
 * Field names, order and flag values are those of the published ABI
 * (https://arrow.apache.org/docs/format/CDataInterface.html and
 * CStreamInterface.html); any producer or consumer in the process shares them.
 * Who fills a struct owns what it points to until `release` is called, once; a released
 * struct has release == NULL. A struct is moved by copying it and setting the source's
 * release to NULL, never shared.
 */
#ifndef SS_FORMATS_ARROW_H
#define SS_FORMATS_ARROW_H

#include <stdint.h>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format; /* the type, as a short code: "l" int64, "U" large_utf8 */
    const char *name;
    const char
        *metadata; /* binary: int32 n, then n times (length, key, length, value) */
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count; /* -1: not counted */
    int64_t offset;     /* in rows, into every buffer */
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    /* Each returns 0 or an errno value; get_last_error then says why. */
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    /* The end of the stream is an `out` whose release is NULL. */
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

#endif
