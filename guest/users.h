/* Looks users up in /etc/passwd and /etc/group, which may be missing. */
#ifndef MACHINEN_USERS_H
#define MACHINEN_USERS_H

#include <stdbool.h>
#include <sys/types.h>

enum { USER_GROUPS = 64 };

struct user {
    uid_t uid;
    gid_t gid;
    gid_t groups[USER_GROUPS];
    size_t group_count;
    char name[64];
    char home[256];
};

/* `text` is a name, a uid, or uid:gid. False when there is no such user. */
bool find_user(const char *text, struct user *user);

#endif
