#include "draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0600 };

/* Not to be guessed by somebody who may write there too. */
static void name_beside(struct draft *draft) {
    unsigned long long number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (unsigned long long)getpid();
    snprintf(draft->beside, sizeof draft->beside, ".machinen-%016llx", number);
}

bool draft_open(struct draft *draft, int parent, const char *name, bool in_place) {
    *draft = (struct draft){.fd = -1, .parent = parent, .name = name, .kind = DRAFT_IN_PLACE};
    if (in_place)
        draft->fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
    if (draft->fd >= 0 || (in_place && errno != EEXIST))
        return draft->fd >= 0;
    draft->kind = DRAFT_UNNAMED;
    draft->fd = openat(parent, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, MODE);
    /* Not every file system can do this; each says so in its own way. */
    if (draft->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
        return draft->fd >= 0;
    draft->kind = DRAFT_BESIDE;
    name_beside(draft);
    draft->fd = openat(parent, draft->beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
    return draft->fd >= 0;
}

bool remove_entry(int parent, const char *name) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    return (errno == EISDIR || errno == EPERM) && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

static bool link_as(const struct draft *draft, const char *name) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", draft->fd);
    return linkat(AT_FDCWD, path, draft->parent, name, AT_SYMLINK_FOLLOW) == 0;
}

/* rename() replaces anything but a directory. */
static bool move_into_place(struct draft *draft) {
    if (renameat(draft->parent, draft->beside, draft->parent, draft->name) == 0)
        return true;
    return errno == EISDIR && unlinkat(draft->parent, draft->name, AT_REMOVEDIR) == 0 &&
           renameat(draft->parent, draft->beside, draft->parent, draft->name) == 0;
}

static bool take_name(struct draft *draft) {
    if (draft->kind == DRAFT_IN_PLACE)
        return true;
    if (draft->kind == DRAFT_UNNAMED) {
        if (link_as(draft, draft->name))
            return true;
        name_beside(draft);
        if (errno != EEXIST || !link_as(draft, draft->beside))
            return false;
        draft->kind = DRAFT_BESIDE;
    }
    return move_into_place(draft);
}

bool draft_finish(struct draft *draft) {
    if (!take_name(draft)) {
        int error = errno;
        draft_abandon(draft);
        errno = error;
        return false;
    }
    /* Some file systems say only now that they could not keep it. */
    bool kept = close(draft->fd) == 0;
    draft->fd = -1;
    return kept;
}

void draft_abandon(struct draft *draft) {
    if (draft->kind != DRAFT_UNNAMED)
        unlinkat(draft->parent, draft->kind == DRAFT_BESIDE ? draft->beside : draft->name, 0);
    close(draft->fd);
    draft->fd = -1;
}
