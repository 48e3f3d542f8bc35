#include "resume.h"

#include "console.h"
#include "control.h"
#include "fuse-relay.h"
#include "hanging-mounts.h"
#include "identity.h"
#include "json.h"
#include "mount-disks.h"
#include "network.h"
#include "scratch-disk.h"
#include "spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NS_PER_S = 1000000000 };

struct request {
    bool has_time;
    int64_t seconds, nanoseconds;
    uint8_t entropy[MOST_ENTROPY];
    size_t entropy_length;
    const char *hostname;
    const struct json *network, *config, *live_mounts, *env, *cwd;
    bool connections;
};

bool waits_for_config;

static bool is_type(const struct json *value, enum json_type type) {
    return value == NULL || value->type == type;
}

static bool is_switch(const struct json *value) {
    return value == NULL || value->type == JSON_TRUE || value->type == JSON_FALSE;
}

static bool read_request(const struct json *root, struct request *request) {
    const struct json *time = json_find(root, "time"), *entropy = json_find(root, "entropy");
    const struct json *hostname = json_find(root, "hostname"), *network = json_find(root, "network");
    const struct json *connections = json_find(root, "connections");
    *request = (struct request){.has_time = time != NULL,
                                .network = network,
                                .connections = connections == NULL || connections->type == JSON_TRUE,
                                .config = json_find(root, "config"),
                                .live_mounts = json_find(root, "liveMounts"),
                                .env = json_find(root, "env"),
                                .cwd = json_find(root, "cwd")};
    if (!is_switch(network) || !is_switch(connections))
        return false;
    if (!is_type(root, JSON_OBJECT) || !is_type(time, JSON_ARRAY) || !is_type(entropy, JSON_STRING) ||
        !is_type(hostname, JSON_STRING) || !is_type(request->config, JSON_OBJECT) ||
        !is_type(request->live_mounts, JSON_ARRAY) || !is_type(request->env, JSON_OBJECT) ||
        !is_type(request->cwd, JSON_STRING))
        return false;
    if (time != NULL && (!json_integer(time->child, INT64_MAX, &request->seconds) ||
                         !json_integer(time->child->next, NS_PER_S - 1, &request->nanoseconds) ||
                         time->child->next->next != NULL))
        return false;
    if (entropy != NULL && !decode_entropy(entropy->string, request->entropy, &request->entropy_length))
        return false;
    request->hostname = hostname == NULL ? NULL : hostname->string;
    return hostname == NULL || is_host_name(hostname->string);
}

/* Commands go on without it, and it may come: but whoever has mistyped it should see why they start elsewhere. */
static void check_directory(const char *path) {
    struct stat info;
    if (path == NULL || mounts_may_hang())
        return;
    if (stat(path, &info) == 0) {
        errno = ENOTDIR;
        if (S_ISDIR(info.st_mode))
            return;
    }
    console_say("working directory %s: %s: commands start in their home directory", path, strerror(errno));
}

bool run_config(struct config *config) {
    if (config->hostname != NULL && control_owns_machine && !set_host_name(config->hostname))
        console_say("host name: %s", strerror(errno));
    if (config->mount != NULL && control_owns_machine && !mount_disks(config->mount))
        return false;
    if (config->mount_later && control_owns_machine && !mount_disks_prepare())
        console_say("the disks of the mount: %s", strerror(errno));
    if (config->cwd != NULL && !set_default_cwd(config->cwd))
        return false;
    /* Whatever may lie in a live mount comes after it: the command, and its directory. */
    const char *problem = control_owns_machine ? live_mounts_apply(config->live_mounts) : NULL;
    if (problem != NULL) {
        console_say("live mounts: %s", problem);
        errno = EIO;
        return false;
    }
    check_directory(config->cwd);
    waits_for_config = config->waits;
    return config->waits || config->command == NULL || console_run(config->command);
}

static bool change_identity(const struct request *request) {
    return (!request->has_time || set_clock(request->seconds, (long)request->nanoseconds)) &&
           (request->entropy_length == 0 || mix_entropy(request->entropy, request->entropy_length)) &&
           (request->hostname == NULL || set_host_name(request->hostname));
}

/* Of what is started from now on: what runs already keeps its own. */
static bool change_defaults(const struct request *request) {
    config_env(request->env);
    return request->cwd == NULL || set_default_cwd(request->cwd->string);
}

static const char *apply(const struct request *request) {
    bool identity = request->has_time || request->entropy_length > 0 || request->hostname != NULL;
    if (identity && !control_owns_machine)
        return "not PID 1 here";
    if (!change_identity(request) || !change_defaults(request))
        return strerror(errno);
    if (request->network != NULL && control_owns_machine)
        network_resume(request->network->type == JSON_TRUE, request->connections);
    const char *problem = control_owns_machine ? live_mounts_apply(request->live_mounts) : NULL;
    if (problem != NULL)
        return problem;
    check_directory(request->cwd == NULL ? NULL : request->cwd->string);
    if (request->config == NULL || !waits_for_config)
        return NULL;
    struct config config = config_from(request->config);
    config.waits = false;
    scratch_disk_changed();
    if (request->hostname != NULL) {
        /* The machine has it already; it wins over the configuration's. */
        free(config.hostname);
        config.hostname = NULL;
    }
    const char *error = run_config(&config) ? NULL : strerror(errno);
    waits_for_config = error != NULL;
    config_free(&config);
    return error;
}

const char *resume(const char *text, size_t length) {
    struct request request;
    struct json *root = json_parse(text, length);
    const char *error = root != NULL && read_request(root, &request) ? apply(&request) : "malformed request";
    json_free(root);
    return error;
}
