#include "cgroup.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many groups that had members left are looked at again for each new one. */
enum { LOOK_AGAIN = 4, NAME_BYTES = 32, SORT_MS = 1 };

/* A group whose command has ended and left processes in the background: no more than its name. */
struct survivor {
    unsigned number;
    struct survivor *next;
};

static int parent = -1;
static unsigned last_number;
static struct cgroup *idle;     /* without members */
static struct cgroup *released; /* nobody has looked yet */
static struct survivor *survivors, **survivors_end = &survivors;

void cgroups_init(void) {
    static const char path[] = "/sys/fs/cgroup/machinen";
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static const char *name_of(unsigned number) {
    static char name[NAME_BYTES];
    snprintf(name, sizeof name, "exec-%u", number);
    return name;
}

static void remember(unsigned number) {
    struct survivor *survivor = malloc(sizeof *survivor);
    if (survivor == NULL)
        return;
    *survivor = (struct survivor){.number = number};
    *survivors_end = survivor;
    survivors_end = &survivor->next;
}

/* A group can be removed when it has no members: trying is asking. */
static void sweep(void) {
    for (unsigned i = 0; i < LOOK_AGAIN && survivors != NULL; i++) {
        struct survivor *first = survivors;
        survivors = first->next;
        if (survivors == NULL)
            survivors_end = &survivors;
        if (unlinkat(parent, name_of(first->number), AT_REMOVEDIR) != 0 && errno == EBUSY)
            remember(first->number);
        free(first);
    }
}

static struct cgroup *make(void) {
    struct cgroup *group = calloc(1, sizeof *group);
    if (group == NULL)
        return NULL;
    group->number = ++last_number;
    const char *name = name_of(group->number);
    if (mkdirat(parent, name, 0755) == 0)
        group->directory = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    else
        group->directory = -1;
    if (group->directory >= 0)
        return group;
    free(group);
    return NULL;
}

static bool has_members(const struct cgroup *group) {
    char byte;
    int fd = openat(group->directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    bool found = fd < 0 || read(fd, &byte, 1) != 0;
    if (fd >= 0)
        close(fd);
    return found;
}

void cgroup_discard(struct cgroup *group) {
    remember(group->number);
    close(group->directory);
    free(group);
}

static void sort_released(void) {
    for (struct cgroup *group; (group = released) != NULL;) {
        released = group->next;
        if (!has_members(group)) {
            group->next = idle;
            idle = group;
            continue;
        }
        cgroup_discard(group);
    }
}

static void sort_now(struct timer *timer) {
    (void)timer;
    sort_released();
}

struct cgroup *cgroup_take(void) {
    if (parent < 0)
        return NULL;
    if (idle == NULL)
        sort_released();
    struct cgroup *group = idle;
    if (group != NULL) {
        idle = group->next;
        return group;
    }
    sweep();
    return make();
}

void cgroup_kill(const struct cgroup *group) {
    int fd = openat(group->directory, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    /* Short of memory the kernel could not do it, and the session's own kill has to do. */
    ssize_t ignored = write(fd, "1", 1);
    (void)ignored;
    close(fd);
}

/* Looking takes as long as a short command: that waits until the answer is on its way. */
void cgroup_release(struct cgroup *group) {
    static struct timer sorter = {.fired = sort_now};
    group->next = released;
    released = group;
    timer_start(&sorter, SORT_MS);
}
