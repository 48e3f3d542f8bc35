/* PID 1 of a machine; `inventory <what>` and `archive-root` (root-archive.h) in one; or `--agent-fd <fd> --key <hex>`:
 * the agent alone, over an inherited socket; with `--wait` it waits for a RESUME like a template. */
#include "agent.h"
#include "console.h"
#include "init.h"
#include "inventory.h"
#include "key.h"
#include "loop.h"
#include "resume.h"
#include "root-archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int agent_main(int fd, const uint8_t key[LINK_KEY_BYTES]) {
    /* Orphans come to us as they come to PID 1. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!agent_prepare() || !agent_init(fd, key)) {
        perror("machinen-init");
        return 1;
    }
    for (;;) {
        agent_flush();
        loop_once();
    }
}

int main(int argc, char **argv) {
    uint8_t key[LINK_KEY_BYTES];
    if (getpid() == 1)
        init_main();
    if (argc >= 2 && strcmp(argv[1], "archive-root") == 0)
        return archive_root(argc == 3 ? argv[2] : "/");
    if (argc > 1 && strcmp(argv[1], "inventory") == 0)
        return inventory_main(argc - 2, argv + 2);
    bool waits = argc == 6 && strcmp(argv[5], "--wait") == 0;
    if ((argc == 5 || waits) && strcmp(argv[1], "--agent-fd") == 0 && strcmp(argv[3], "--key") == 0 &&
        key_parse(argv[4], key)) {
        waits_for_config = waits;
        console_use("/dev/null");
        return agent_main(atoi(argv[2]), key);
    }
    fputs("usage: machinen-init --agent-fd <fd> --key <64 hex digits> [--wait]\n"
          "       machinen-init archive-root [<directory>]\n"
          "       machinen-init inventory files|processes|digests\n"
          "Without arguments it is PID 1 of a machinen guest.\n",
          stderr);
    return 2;
}
