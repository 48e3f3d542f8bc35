/* /machinen-config.json: what this machine is to do. */
#ifndef MACHINEN_CONFIG_H
#define MACHINEN_CONFIG_H

#include <stdbool.h>

struct config {
    char **command; /* NULL: none */
    char *cwd, *hostname;
    bool root_disk;
};

/* Puts `env` into base_env. False when the file is there and malformed. */
bool config_read(const char *path, struct config *config);

#endif
