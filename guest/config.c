#include "config.h"

#include "env.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_FILE = 1 << 20 };

static char *member_string(const struct json *root, const char *key) {
    const struct json *member = json_member(root, key, JSON_STRING);
    return member == NULL ? NULL : strdup(member->string);
}

static char **read_command(const struct json *array) {
    size_t count = 0;
    if (array == NULL || array->child == NULL)
        return NULL;
    for (const struct json *item = array->child; item != NULL; item = item->next)
        count++;
    char **command = calloc(count + 1, sizeof *command);
    if (command == NULL)
        return NULL;
    count = 0;
    for (const struct json *item = array->child; item != NULL; item = item->next)
        if (item->type == JSON_STRING)
            command[count++] = strdup(item->string);
    return command;
}

void config_env(const struct json *object) {
    for (const struct json *item = object == NULL ? NULL : object->child; item != NULL; item = item->next) {
        char *text;
        if (item->type != JSON_STRING || asprintf(&text, "%s=%s", item->key, item->string) < 0)
            continue;
        env_set(&base_env, text);
        free(text);
    }
}

static struct json *read_json(const char *path) {
    static char text[LARGEST_FILE];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    for (ssize_t count; fd >= 0 && (count = read(fd, text + length, sizeof text - length)) > 0;)
        length += (size_t)count;
    if (fd >= 0)
        close(fd);
    return length == sizeof text ? NULL : json_parse(text, length);
}

struct config config_from(const struct json *root) {
    config_env(json_member(root, "env", JSON_OBJECT));
    return (struct config){
        .command = read_command(json_member(root, "cmd", JSON_ARRAY)),
        .cwd = member_string(root, "cwd"),
        .hostname = member_string(root, "hostname"),
        .mount = member_string(root, "mount"),
        .root_disk = json_member(root, "rootdisk", JSON_TRUE) != NULL,
        .mount_later = json_member(root, "mount", JSON_TRUE) != NULL,
        .live_mounts = json_member(root, "liveMounts", JSON_ARRAY),
        .waits = json_member(root, "wait", JSON_TRUE) != NULL,
    };
}

void config_free(struct config *config) {
    for (char **item = config->command; item != NULL && *item != NULL; item++)
        free(*item);
    free(config->command);
    free(config->hostname);
    free(config->cwd);
    free(config->mount);
    json_free(config->source);
    *config = (struct config){.command = NULL};
}

/* An initramfs made by mkinitramfs names the mount point here. */
static char *read_mount_point(void) {
    char text[4096];
    int fd = open("/etc/machinen-mountdisk-guest", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return NULL;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return strdup(text);
}

bool config_read(const char *path, struct config *config) {
    *config = (struct config){.command = NULL};
    if (access(path, F_OK) != 0)
        return true;
    struct json *root = read_json(path);
    if (root != NULL)
        *config = config_from(root);
    config->source = root;
    if (config->mount == NULL)
        config->mount = read_mount_point();
    return root != NULL;
}
