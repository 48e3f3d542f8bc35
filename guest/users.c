#include "users.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, PASSWD_FIELDS = 7, GROUP_FIELDS = 4 };

static bool parse_id(const char *text, unsigned *id) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value >= UINT_MAX)
        return false;
    *id = (unsigned)value;
    return true;
}

static unsigned split(char *line, char **fields, unsigned most) {
    unsigned count = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; at != NULL && count < most; count++)
        fields[count] = strsep(&at, ":");
    return count;
}

static bool find_passwd(const char *name, bool by_id, struct user *user) {
    char line[LINE_BYTES], *fields[PASSWD_FIELDS];
    bool found = false;
    FILE *file = fopen("/etc/passwd", "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        if (split(line, fields, PASSWD_FIELDS) < PASSWD_FIELDS || !parse_id(fields[2], &user->uid) ||
            !parse_id(fields[3], &user->gid) || strcmp(fields[by_id ? 2 : 0], name) != 0)
            continue;
        snprintf(user->name, sizeof user->name, "%s", fields[0]);
        snprintf(user->home, sizeof user->home, "%s", fields[5]);
        found = true;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static void find_groups(struct user *user) {
    char line[LINE_BYTES], *fields[GROUP_FIELDS];
    FILE *file = fopen("/etc/group", "re");
    user->groups[user->group_count++] = user->gid;
    while (file != NULL && user->group_count < USER_GROUPS && fgets(line, sizeof line, file) != NULL) {
        unsigned gid;
        if (split(line, fields, GROUP_FIELDS) < GROUP_FIELDS || !parse_id(fields[2], &gid))
            continue;
        for (char *at = fields[3], *name; (name = strsep(&at, ",")) != NULL;) {
            if (strcmp(name, user->name) == 0) {
                user->groups[user->group_count++] = gid;
                break;
            }
        }
    }
    if (file != NULL)
        fclose(file);
}

bool find_user(const char *text, struct user *user) {
    char copy[64];
    *user = (struct user){.home = "/"};
    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    char *group = strchr(copy, ':');
    if (group != NULL)
        *group++ = '\0';
    unsigned uid, gid;
    bool numeric = parse_id(copy, &uid);
    if (!find_passwd(copy, false, user) && !(numeric && find_passwd(copy, true, user))) {
        /* Root needs no file. */
        bool root = strcmp(copy, "root") == 0;
        if (!numeric && !root)
            return false;
        *user = (struct user){.uid = root ? 0 : uid, .gid = root ? 0 : uid, .home = "/"};
        snprintf(user->name, sizeof user->name, "%s", copy);
        if (user->uid == 0)
            strcpy(user->home, "/root");
    }
    if (group != NULL) {
        if (!parse_id(group, &gid))
            return false;
        user->gid = gid;
    }
    find_groups(user);
    return true;
}
