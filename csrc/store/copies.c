/* A copy is told by a message that SQLite's own code has and programs that use it have
 * not. Exported names would miss those that are linked in and hidden, as in most wheels.
 */
#define _GNU_SOURCE // dl_iterate_phdr(), dladdr(), memmem()

#include "store/copies.h"

#include <dlfcn.h>
#include <link.h>
#include <sqlite3.h> // sqlite3_libversion()
#include <string.h>  // memmem(), strcmp(), strstr()

/* In two parts, so that the whole of it is not in this object. */
#define SIGN_BEGIN "unable to close due to unfinalized "
#define SIGN_END "statements or unfinished backups"

static const char *const hints[] = {"sqlite", "sqlean", "apsw", "libsql"};

typedef struct {
    bool thorough;
    const char *ours; /* the object that our SQLite comes from */
    ss_buf *out;
} search;

static bool
is_named_so(const char *name)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strstr(name, hints[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool
has_sign(const char *memory, size_t size)
{
    const size_t n = sizeof(SIGN_BEGIN) - 1;
    const char *end = memory + size, *at = memory;

    while ((at = memmem(at, (size_t)(end - at), SIGN_BEGIN, n)) != NULL) {
        at += n;
        if ((size_t)(end - at) >= sizeof(SIGN_END) - 1 &&
            memcmp(at, SIGN_END, sizeof(SIGN_END) - 1) == 0) {
            return true;
        }
    }
    return false;
}

static int
on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    search *s = arg;
    const char *name = info->dlpi_name;

    (void)size;
    if (name == NULL || name[0] != '/' || strcmp(name, s->ours) == 0 ||
        (!s->thorough && !is_named_so(name))) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_R) != 0 &&
            (part->p_flags & PF_W) == 0 &&
            has_sign((const char *)(info->dlpi_addr + part->p_vaddr), part->p_filesz)) {
            ss_buf_puts(s->out, name);
            ss_buf_puts(s->out, "\n");
            break;
        }
    }
    return 0;
}

void
ss_copies_find(bool thorough, ss_buf *out)
{
    Dl_info info;
    search s = {.thorough = thorough, .out = out};
    const char *(*function)(void) = sqlite3_libversion;
    void *address;

    memcpy(&address, &function, sizeof(address));
    s.ours =
        dladdr(address, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "";
    (void)dl_iterate_phdr(on_object, &s);
}
