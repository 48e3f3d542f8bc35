#include "init.h"

#include "agent.h"
#include "cgroup.h"
#include "children.h"
#include "config.h"
#include "console.h"
#include "control.h"
#include "env.h"
#include "identity.h"
#include "key.h"
#include "loop.h"
#include "modules.h"
#include "mounts.h"
#include "network.h"
#include "power.h"
#include "resume.h"
#include "scratch-disk.h"
#include "secrets.h"
#include "shell-integration.h"
#include "spare.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 65536 };

bool agent_prepare(void) {
    struct rlimit limit = {MOST_DESCRIPTORS, MOST_DESCRIPTORS};
    for (int number = 1; number < NSIG; number++)
        signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
    umask(022);
    setrlimit(RLIMIT_NOFILE, &limit);
    env_init(&base_env);
    if (!loop_init() || !children_init(agent_flush))
        return false;
    spare_begin();
    return true;
}

/* When the kernel found no /dev/console, our own first files would become 0, 1 and 2. */
static void claim_standard_descriptors(void) {
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void set_up(struct config *config) {
    mount_basics();
    claim_standard_descriptors();
    modules_load();
    if (!config_read("/machinen-config.json", config))
        console_say("/machinen-config.json is malformed");
    if (config->root_disk)
        mount_root_disk();
    loopback_up();
    cgroups_init();
    network_begin();
    identity_prepare();
    scratch_disk_begin();
    mkdir("/run/machinen", 0700);
    secrets_path = "/run/machinen/secrets";
    shell_integration_begin();
    control_owns_machine = true;
}

static void start(struct config *config) {
    uint8_t key[LINK_KEY_BYTES];
    if (!key_read(key))
        console_say("no machinen.key on the kernel command line: nobody can reach this machine");
    else if (!agent_init(-1, key))
        console_say("no agent: %s", strerror(errno));
    if (!run_config(config)) {
        console_say("cannot start the command: %s", strerror(errno));
        power_off_wanted = true;
    }
}

void init_main(void) {
    struct config config;
    bool said = false;
    bool usable = agent_prepare();
    set_up(&config);
    if (!usable)
        console_say("no event loop: %s", strerror(errno));
    else
        start(&config);
    while (usable && !power_off_wanted) {
        if (!said && agent_is_listening()) {
            console_say("ready");
            said = true;
        }
        agent_flush();
        loop_once();
    }
    agent_flush();
    power_off();
}
