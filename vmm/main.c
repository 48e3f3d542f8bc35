/*
 * machinen-vmm: the host side of one virtual machine. Contract: docs/protocol.md.
 */
#include "config.h"
#include "json.h"
#include "leash.h"
#include "livemount-serve.h"
#include "probe.h"
#include "run.h"
#include "save.h"
#include "tsc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int probe(void) {
    char reason[160], escaped[320];
    bool kvm = probe_kvm(reason, sizeof reason);
    printf("{\"accel\":\"%s\",\"reason\":\"%s\",\"tscKhz\":%llu}\n", kvm ? "kvm" : "tcg",
           json_escape(reason, escaped, sizeof escaped), (unsigned long long)tsc_khz_since(tsc_now()));
    return fflush(stdout) == 0 ? 0 : 1;
}

/* The parent may have died before the signal was asked for: then its pid is no longer ours. */
static int die_with_parent(const char *pid, char **command) {
    uint64_t parent;
    if (!parse_number(pid, 1, 1 << 30, &parent)) {
        dprintf(2, "CONFIG_INVALID: '%.40s' is not a pid\n", pid);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if ((uint64_t)getppid() != parent) {
        dprintf(2, "PARENT_GONE: process %s is not the parent\n", pid);
        return 1;
    }
    execvp(command[0], command);
    dprintf(2, "CONFIG_INVALID: %.200s: %s\n", command[0], strerror(errno));
    return 127;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "run";
    if (argc >= 4 && strcmp(mode, "die-with-parent") == 0) {
        return die_with_parent(argv[2], argv + 3);
    }
    if (argc == 3 && strcmp(mode, "serve-mount") == 0) {
        return serve_mount(argv[2]);
    }
    /* Descriptors that leaked into us must not keep anything alive. */
    close_range(leash_given() ? LEASH_FD + 1 : 3, ~0u, 0);
    /* Nor must a missing standard descriptor let one of ours take its place. */
    for (int fd = 0; fd >= 0 && fd <= 2;) {
        fd = open("/dev/null", O_RDWR);
        if (fd > 2) {
            close(fd);
        }
    }
    /* A limit on file sizes shall make a write fail, in QEMU, too, and end nobody. */
    signal(SIGXFSZ, SIG_IGN);
    if (argc <= 2 && strcmp(mode, "run") == 0) {
        return run();
    }
    if (argc == 2 && strcmp(mode, "probe") == 0) {
        return probe();
    }
    if (strcmp(mode, "save") == 0 && (argc == 4 || (argc == 5 && strcmp(argv[4], "hold") == 0))) {
        signal(SIGPIPE, SIG_IGN);
        return save(argv[2], argv[3], argc == 5);
    }
    dprintf(2, "usage: machinen-vmm [run]   (configured by the environment: docs/protocol.md)\n"
               "       machinen-vmm probe\n"
               "       machinen-vmm save <control socket> <directory> [hold]\n"
               "       machinen-vmm die-with-parent <pid> <program> [args...]\n");
    return 2;
}
