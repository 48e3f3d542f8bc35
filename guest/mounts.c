#include "mounts.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

enum { DISK_WAIT_MS = 5000, DISK_POLL_MS = 5 };

static const char disk[] = "/dev/vda", new_root[] = "/.machinen-root";

struct mount {
    const char *type, *at, *options;
    unsigned long flags;
    mode_t mode;
};

static const struct mount basics[] = {
    {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0755},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0755},
    {"devtmpfs", "/dev", "mode=755", MS_NOSUID, 0755},
    {"devpts", "/dev/pts", "mode=620,gid=5,ptmxmode=666", MS_NOSUID | MS_NOEXEC, 0755},
    {"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, 0755},
    {"tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV, 0755},
    {"cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0755},
};

/* Mount points that move along when the root changes; what lies in them comes too. */
static const char *const moving[] = {"/proc", "/sys", "/dev", "/run"};

static void mount_one(const struct mount *what) {
    mkdir(what->at, what->mode);
    if (mount(what->type, what->at, what->type, what->flags, what->options) != 0 && errno != EBUSY)
        console_say("mount %s: %s", what->at, strerror(errno));
}

/* Programs look for these before anything else does. */
static void link_descriptors(void) {
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i][0], links[i][1]) != 0 && errno != EEXIST)
            console_say("link %s: %s", links[i][1], strerror(errno));
}

static void make_directories(void) {
    mkdir("/tmp", 01777);
    chmod("/tmp", 01777);
    mkdir("/root", 0700);
}

void mount_basics(void) {
    for (size_t i = 0; i < sizeof basics / sizeof *basics; i++)
        mount_one(&basics[i]);
    link_descriptors();
    make_directories();
}

static bool wait_for_disk(void) {
    for (unsigned waited = 0; waited < DISK_WAIT_MS; waited += DISK_POLL_MS) {
        if (access(disk, R_OK) == 0)
            return true;
        usleep(DISK_POLL_MS * 1000);
    }
    return false;
}

/* Without effect when the file system is as large as the disk already. */
static void grow(void) {
    struct statfs info;
    uint64_t bytes = 0;
    int device = open(disk, O_RDONLY | O_CLOEXEC), root = open(new_root, O_RDONLY | O_CLOEXEC);
    if (device >= 0 && root >= 0 && ioctl(device, BLKGETSIZE64, &bytes) == 0 &&
        fstatfs(root, &info) == 0 && info.f_bsize > 0) {
        uint64_t blocks = bytes / (uint64_t)info.f_bsize;
        if (ioctl(root, EXT4_IOC_RESIZE_FS, &blocks) != 0)
            console_say("the root disk stays at its size: %s", strerror(errno));
    }
    if (device >= 0)
        close(device);
    if (root >= 0)
        close(root);
}

static bool switch_root(void) {
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) {
        char target[64];
        snprintf(target, sizeof target, "%s%s", new_root, moving[i]);
        mkdir(target, 0755);
        if (mount(moving[i], target, NULL, MS_MOVE, NULL) != 0)
            console_say("move %s: %s", moving[i], strerror(errno));
    }
    if (chdir(new_root) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
        return false;
    make_directories();
    return true;
}

bool mount_root_disk(void) {
    if (!wait_for_disk()) {
        console_say("no root disk");
        return false;
    }
    mkdir(new_root, 0755);
    /* Nothing in the background: inode tables of a grown disk read as zeros already, and every block
     * touched is a private one in a fork. */
    if (mount(disk, new_root, "ext4", MS_NOATIME, "noinit_itable,no_prefetch_block_bitmaps") != 0) {
        console_say("mount %s: %s", disk, strerror(errno));
        return false;
    }
    grow();
    if (!switch_root()) {
        console_say("switch root: %s", strerror(errno));
        return false;
    }
    return true;
}

/* What lies below a FUSE mount cannot be reached without it. */
static bool is_below_one(char *const *points, size_t count, const char *at) {
    for (size_t i = 0; i < count; i++)
        if (strncmp(at, points[i], strlen(points[i])) == 0)
            return true;
    return false;
}

void sync_local(void) {
    char *fuse[64], line[1024];
    size_t count = 0;
    FILE *mounts = fopen("/proc/self/mounts", "re");
    while (mounts != NULL && fgets(line, sizeof line, mounts) != NULL) {
        char *rest = line;
        strsep(&rest, " ");
        const char *at = strsep(&rest, " "), *type = strsep(&rest, " ");
        if (type == NULL || is_below_one(fuse, count, at))
            continue;
        if (strncmp(type, "fuse", 4) == 0) {
            if (count < sizeof fuse / sizeof *fuse && (fuse[count] = strdup(at)) != NULL)
                count++;
            continue;
        }
        int fd = open(at, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            syncfs(fd);
            close(fd);
        }
    }
    if (mounts != NULL)
        fclose(mounts);
    while (count > 0)
        free(fuse[--count]);
}

void unmount_all(void) {
    char *points[256], line[1024];
    size_t count = 0;
    FILE *mounts = fopen("/proc/self/mounts", "re");
    while (mounts != NULL && count < sizeof points / sizeof *points && fgets(line, sizeof line, mounts) != NULL) {
        char *rest = line;
        strsep(&rest, " ");
        const char *at = strsep(&rest, " ");
        if (at != NULL && strcmp(at, "/") != 0 && (points[count] = strdup(at)) != NULL)
            count++;
    }
    if (mounts != NULL)
        fclose(mounts);
    /* The latest first; /dev and the like are busy and hold nothing. */
    while (count > 0)
        umount2(points[--count], MNT_DETACH);
    mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    sync();
}
