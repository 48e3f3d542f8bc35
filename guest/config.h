/* What a machine is to do: /machinen-config.json, or the `config` of a RESUME. */
#ifndef MACHINEN_CONFIG_H
#define MACHINEN_CONFIG_H

#include "json.h"

#include <stdbool.h>

struct config {
    char **command; /* NULL: none */
    char *cwd, *hostname;
    char *mount; /* where the disks of a mount go; NULL: nowhere */
    bool root_disk;
    bool mount_later; /* a mount will come with the RESUME */
    const struct json *live_mounts; /* in `source`, or in what the configuration was made from */
    struct json *source;
    bool waits; /* the rest comes with a RESUME */
};

/* Puts the members of an object into base_env; NULL: none. */
void config_env(const struct json *object);
/* Puts `env` into base_env. */
struct config config_from(const struct json *root);
/* False when the file is there and malformed. */
bool config_read(const char *path, struct config *config);
void config_free(struct config *config);

#endif
