#include "qemu.h"
#include "console.h"
#include "files.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGUMENTS 512
#define MAX_KEPT (16 + MAX_CAPTURED_FDS + 2 * MAX_DISKS)
#define MAX_LOG_LINES 100
/* Each VM has a user id of its own, so that a broken-out guest cannot reach its neighbours. */
#define FIRST_VM_UID 0x6d000000u
#define NOBODY 65534u
/* Every machine has a network of its own: the same address in all of them survives a fork. */
#define GUEST_MAC "02:6d:61:63:68:6e"

struct command {
    char *arguments[MAX_ARGUMENTS];
    size_t count;
    int kept[MAX_KEPT];
    size_t kept_count;
    bool failed;
};

static void add(struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct command *command, const char *format, ...) {
    va_list values;
    va_start(values, format);
    if (command->count + 1 >= MAX_ARGUMENTS || vasprintf(&command->arguments[command->count], format, values) < 0) {
        command->failed = true;
    } else {
        command->count++;
    }
    va_end(values);
}

/* The descriptor will be open in QEMU, under the same number. */
static int keep(struct command *command, int fd) {
    if (command->kept_count == MAX_KEPT) {
        command->failed = true;
    } else {
        command->kept[command->kept_count++] = fd;
    }
    return fd;
}

static void add_disk(struct command *command, const struct disk *disk) {
    const char *serial = disk_use_names[disk->use];
    for (size_t layer = 0; layer <= disk->layers; layer++) {
        char json[512];
        int fd = layer < disk->layers ? disk->fds[layer] : disk->top_read_only;
        if (fd >= 0) {
            add(command, "-add-fd");
            add(command, "fd=%d,set=%llu", keep(command, fd), disk_set(disk, layer));
        }
        if (layer == disk->layers && disk->use != DISK_MOUNT_LOWER) {
            add(command, "-add-fd");
            add(command, "fd=%d,set=%llu", keep(command, disk->top), disk_set(disk, layer));
        }
        disk_layer_json(disk, layer, layer < disk->layers || !disk->placeholder, json, sizeof json);
        add(command, "-blockdev");
        add(command, "%s", json);
    }
    if (!disk->placeholder) {
        add(command, "-device");
        add(command, "virtio-blk-device,serial=%s,drive=d%u-l%u", serial, disk->index, disk->top_id);
        return;
    }
    add(command, "-blockdev");
    add(command, "driver=null-co,node-name=d%u-none,size=%llu,read-zeroes=on", disk->index, (unsigned long long)disk->size);
    add(command, "-blockdev");
    add(command, "driver=raw,node-name=d%u,file=d%u-none", disk->index, disk->index);
    add(command, "-device");
    add(command, "virtio-blk-device,serial=%s,drive=d%u", serial, disk->index);
}

/*
 * Without a known TSC rate one TCG boot in five hangs calibrating it against the PIT. The rest makes translation
 * cheaper, which is what a new QEMU spends its time on: a program that lies where it lay before is not translated
 * again, and what nobody here asks for (security modules without a policy, pressure accounting, a scheduling group for
 * each session, the kernel's checks of itself) never. Huge pages save an emulated processor nothing, and a fork would
 * copy them whole.
 */
static void emulation_words(const struct vm *vm, char *words, size_t room) {
    unsigned long long khz = vm->tsc_khz;
    snprintf(words, room,
             " tsc_early_khz=%llu lpj=%llu no_timer_check tsc=reliable norandmaps lsm=landlock,yama psi=0 noautogroup "
             "transparent_hugepage=madvise hardened_usercopy=off randomize_kstack_offset=off",
             khz, khz * 4);
}

static void add_kernel(struct command *command, const struct vm *vm) {
    char words[384] = "", key[2 * LINK_KEY_BYTES + 1];
    if (vm->accel == ACCEL_TCG) {
        emulation_words(vm, words, sizeof words);
    }
    key_to_hex(vm->key, key);
    add(command, "-kernel");
    add(command, "/proc/self/fd/%d", keep(command, vm->kernel_fd));
    if (vm->initrd_fd >= 0) {
        add(command, "-initrd");
        add(command, "/proc/self/fd/%d", keep(command, vm->initrd_fd));
    }
    add(command, "-append");
    add(command, "console=ttyS0%s mitigations=off quiet audit=0 pci=off i8042.noaux i8042.nokbd reboot=t panic=-1 machinen.key=%s%s%s%s",
        words, key, vm->network_off ? " machinen.network=off" : "", vm->config->cmdline ? " " : "", vm->config->cmdline ? vm->config->cmdline : "");
}

/* The order of devices is part of MACHINE_NAME: saved states depend on it. */
static void build(struct command *command, const struct vm *vm, int qmp, int console, int link, int network) {
    static const char *const fixed[] = {
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-rtc", "base=utc", "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-M", "microvm,suppress-vmdesc=on,memory-backend=ram", "-mon", "chardev=qmp,mode=control",
        "-serial", "chardev:console", "-device", "virtio-serial-device,max_ports=2",
        "-device", "virtserialport,chardev=link,name=machinen.link,nr=1",
        "-device", "virtio-balloon-device,free-page-reporting=on",
        "-device", "virtio-net-device,netdev=network,guest_announce=off,mac=" GUEST_MAC};
    add(command, "%s", vm->config->qemu);
    add(command, "-chardev");
    add(command, "socket,id=qmp,fd=%d", keep(command, qmp));
    add(command, "-chardev");
    add(command, "socket,id=console,fd=%d", keep(command, console));
    add(command, "-chardev");
    add(command, "socket,id=link,fd=%d", keep(command, link));
    add(command, "-netdev");
    add(command, "stream,id=network,server=off,addr.type=fd,addr.str=%d", keep(command, network));
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        add(command, "%s", fixed[i]);
    }
    add(command, "-accel");
    add(command, "%s", vm->accel == ACCEL_KVM ? "kvm" : "tcg,thread=multi,tb-size=128");
    add(command, "-cpu");
    /* A processor with fast string moves lets the kernel copy byte by byte, the slowest way when emulated. */
    add(command, "%s", vm->accel == ACCEL_KVM ? "host" : "max,-erms,-fsrm");
    add(command, "-smp");
    add(command, "%u", vm->cpus);
    add(command, "-m");
    add(command, "%uM", vm->memory_mib);
    add(command, "-object");
    add(command, "memory-backend-file,id=ram,mem-path=/proc/self/fd/%d,size=%uM,share=%s",
        keep(command, vm->memory.fd), vm->memory_mib, vm->memory.shared ? "on" : "off");
    keep(command, vm->state_fd);
    for (size_t i = 0; i < vm->disk_count; i++) {
        add_disk(command, &vm->disks[i]);
    }
    if (vm->resuming) {
        add(command, "-incoming");
        add(command, "defer");
        add(command, "-global");
        add(command, "migration.send-configuration=off");
    } else {
        add_kernel(command, vm);
    }
    command->arguments[command->count] = NULL;
}

/* Keeps the group that may open /dev/kvm, and nothing else of root. */
static bool drop_root(bool kvm) {
    struct stat device;
    gid_t group;
    uid_t id = FIRST_VM_UID + (uid_t)getpid();
    size_t groups = 0;
    if (geteuid() != 0) {
        return true;
    }
    if (kvm && stat("/dev/kvm", &device) == 0 && (device.st_mode & S_IRGRP)) {
        group = device.st_gid;
        groups = 1;
    }
    if (setgroups(groups, &group) != 0) {
        return false;
    }
    /* A container may map few ids. */
    if (setresgid(id, id, id) == 0 ? setresuid(id, id, id) != 0
                                   : setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return false;
    }
    return getuid() != 0 && geteuid() != 0 && setuid(0) != 0;
}

static void become_qemu(const struct command *command, pid_t parent, int log, bool kvm) {
    struct rlimit no_core = {0, 0};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool ok = null >= 0 && dup2(null, 0) == 0 && dup2(log, 1) == 1 && dup2(log, 2) == 2 &&
              close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
    for (size_t i = 0; ok && i < command->kept_count; i++) {
        ok = fcntl(command->kept[i], F_SETFD, 0) == 0;
    }
    /* The parent-death signal is cleared by a change of user, so it comes after; and the parent may
     * have died before it was set. */
    ok = ok && setrlimit(RLIMIT_CORE, &no_core) == 0 && setsid() > 0 && drop_root(kvm) &&
         prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (ok && getppid() == parent) {
        signals_restore();
        execvp(command->arguments[0], command->arguments);
    }
    dprintf(2, "cannot start '%s': %s\n", command->arguments[0], strerror(errno));
    _exit(127);
}

bool qemu_spawn(struct vm *vm, struct error *error) {
    struct command command = {0};
    int qmp[2], console[2], link[2], network[2], log[2];
    if (!make_socketpair(qmp) || !make_socketpair(console) || !make_socketpair(link) ||
        !make_socketpair(network) || pipe2(log, O_CLOEXEC) != 0) {
        return fail(error, "QEMU_START", "connections: %s", strerror(errno));
    }
    build(&command, vm, qmp[1], console[1], link[1], network[1]);
    /* QEMU must never wait for us to read its log: what does not fit is lost. */
    fcntl(log[1], F_SETFL, O_NONBLOCK);
    fcntl(log[0], F_SETFL, O_NONBLOCK);
    pid_t parent = getpid();
    vm->qemu = command.failed ? -1 : fork();
    if (vm->qemu == 0) {
        become_qemu(&command, parent, log[1], vm->accel == ACCEL_KVM);
    }
    loop_main_child(vm->qemu);
    for (size_t i = 0; i < command.count; i++) {
        free(command.arguments[i]);
    }
    close(qmp[1]);
    close(console[1]);
    close(link[1]);
    close(network[1]);
    close(log[1]);
    fcntl(console[0], F_SETFL, O_NONBLOCK);
    fcntl(link[0], F_SETFL, O_NONBLOCK);
    vm->qmp_fd = qmp[0];
    vm->console_fd = console[0];
    vm->link_fd = link[0];
    vm->network_fd = network[0];
    vm->log_fd = log[0];
    return vm->qemu > 0 || fail(error, "QEMU_START", "fork: %s", strerror(errno));
}

bool qemu_ended(struct vm *vm, int *status) {
    int raw;
    if (vm->qemu <= 0 || waitpid(vm->qemu, &raw, WNOHANG) != vm->qemu) {
        return false;
    }
    vm->qemu = 0;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return true;
}

void qemu_kill(struct vm *vm) {
    if (vm->qemu > 0) {
        kill(vm->qemu, SIGKILL);
        waitpid(vm->qemu, NULL, 0);
        vm->qemu = 0;
    }
}

/* Over sealed memory every free page report of the guest is refused with one such line: expected. */
static bool is_noise(const char *line) {
    return strstr(line, "ram_block_discard_range") != NULL;
}

static void log_line(const char *line, size_t length) {
    static unsigned printed;
    char text[320];
    snprintf(text, sizeof text, "qemu: %.*s\n", (int)(length < 300 ? length : 300), line);
    if (is_noise(text) || printed > MAX_LOG_LINES) {
        return;
    }
    if (printed++ == MAX_LOG_LINES) {
        snprintf(text, sizeof text, "qemu: (no more of this)\n");
    }
    console_print(text, strlen(text));
}

void qemu_log_drain(struct vm *vm) {
    static char buffer[1024];
    static size_t length;
    ssize_t n;
    while ((n = read(vm->log_fd, buffer + length, sizeof buffer - length)) > 0) {
        length += (size_t)n;
        char *start = buffer, *end;
        while ((end = memchr(start, '\n', length)) != NULL || length == sizeof buffer) {
            size_t line = end ? (size_t)(end - start) : length, used = end ? line + 1 : length;
            log_line(start, line);
            start += used;
            length -= used;
        }
        memmove(buffer, start, length);
    }
}
