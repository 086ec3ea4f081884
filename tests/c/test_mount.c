/* store/mount, on lists of mounts as Linux writes them, and on this machine's. */
#define _XOPEN_SOURCE 700 // realpath()

#include "check.h"
#include "store/mount.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char list[600], folder[512];

/* Ends the test when it cannot. */
static void
write_list(const char *text)
{
    FILE *file = fopen(list, "w");
    CHECK(file != NULL);
    fputs(text, file);
    fclose(file);
}

/* The type for a file in the scratch folder, when that is a mount of this type. */
static const char *
type_with(const char *point_of_root, const char *type)
{
    static char found[SS_MOUNT_TYPE_SIZE];
    char text[2000], path[600];
    snprintf(text, sizeof(text),
             "22 1 8:1 / %s rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
             "23 22 0:4 / /proc rw - proc proc rw\n"
             "40 22 0:50 / %s rw,nosuid shared:2 master:1 - %s server:/x rw,vers=4.2\n"
             "41 22 0:51 / %sother rw - tmpfs tmpfs rw\n",
             point_of_root, folder, type, folder);
    write_list(text);
    snprintf(path, sizeof(path), "%s/shop.db", folder);
    ss_mount_type_in(list, path, found);
    return found;
}

static void
test_the_longest_mount_point_decides(void)
{
    CHECK(strcmp(type_with("/", "nfs4"), "nfs4") == 0);
    CHECK(strcmp(type_with("/", "fuse.sshfs"), "fuse.sshfs") == 0);
}

static void
test_of_two_mounts_on_one_point_the_later_counts(void)
{
    CHECK(strcmp(type_with(folder, "cifs"), "cifs") == 0);
}

static void
test_names_with_blanks(void)
{
    char text[1200], path[700], type[SS_MOUNT_TYPE_SIZE];
    snprintf(path, sizeof(path), "%s/a b", folder);
    mkdir(path, 0700);
    snprintf(text, sizeof(text),
             "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
             "40 22 0:50 / %s/a\\040b rw - 9p host rw\n",
             folder);
    write_list(text);
    snprintf(path, sizeof(path), "%s/a b/shop.db", folder);
    ss_mount_type_in(list, path, type);
    CHECK(strcmp(type, "9p") == 0);
}

static void
test_what_cannot_be_told_is_empty(void)
{
    char type[SS_MOUNT_TYPE_SIZE] = "old";
    ss_mount_type_in("/no/such/list", "/tmp/x.db", type);
    CHECK(type[0] == '\0');
    ss_mount_type_in(list, "/no/such/folder/x.db", type);
    CHECK(type[0] == '\0');
    write_list("nonsense\n\n1 2 3\n - - -\n22 1 8:1 / / rw ext4 without a dash\n");
    ss_mount_type_in(list, "/tmp/x.db", type);
    CHECK(type[0] == '\0');
}

static void
test_this_machine(void)
{
    char type[SS_MOUNT_TYPE_SIZE];
    ss_mount_type("/proc/self", type);
    CHECK(strcmp(type, "proc") == 0);
}

static void
test_which_are_networks(void)
{
    CHECK(ss_mount_is_network("nfs"));
    CHECK(ss_mount_is_network("virtiofs"));
    CHECK(ss_mount_is_network("fuse.sshfs"));
    CHECK(!ss_mount_is_network("ext4"));
    CHECK(!ss_mount_is_network("fuse.ntfs"));
    CHECK(!ss_mount_is_network("tmpfs"));
    CHECK(!ss_mount_is_network(""));
}

int
main(int argc, char **argv)
{
    const char *scratch = getenv("TMPDIR");
    char *real = realpath(scratch != NULL ? scratch : "/tmp", NULL);

    snprintf(folder, sizeof(folder), "%s", real != NULL ? real : "/tmp");
    free(real);
    snprintf(list, sizeof(list), "%.500s/mountinfo", folder);
    check_begin(argc, argv);
    RUN(test_the_longest_mount_point_decides);
    RUN(test_of_two_mounts_on_one_point_the_later_counts);
    RUN(test_names_with_blanks);
    RUN(test_what_cannot_be_told_is_empty);
    RUN(test_this_machine);
    RUN(test_which_are_networks);
    return check_end();
}
