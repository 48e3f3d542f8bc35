#include "probe.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __x86_64__
#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BUDGET_MS 150
#define ROUNDS 20
#define LOOPS_PER_ROUND 1000000u
#define INSTRUCTIONS_PER_LOOP 2
/* Below this a guest is no faster than under TCG. */
#define USABLE_PER_SECOND 200000000ull

/* mov ecx, LOOPS; again: dec ecx; jnz again; out 0x10, al; jmp start (16-bit real mode) */
static const uint8_t guest_code[] = {0x66, 0xb9, LOOPS_PER_ROUND & 255, LOOPS_PER_ROUND >> 8 & 255,
                                     LOOPS_PER_ROUND >> 16 & 255, LOOPS_PER_ROUND >> 24, 0x66, 0x49,
                                     0x75, 0xfc, 0xe6, 0x10, 0xeb, 0xf2};

struct verdict {
    const char *broken; /* the step that failed; a string of this very program, shared with the child */
    int error;
    uint64_t per_second;
};

/* Runs in a child, which the parent kills when the budget is spent: a slow KVM_RUN cannot be cancelled otherwise. */
static struct verdict run_guest(void) {
    struct kvm_sregs sregs;
    struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        return (struct verdict){"/dev/kvm", errno, 0};
    }
    int machine = ioctl(kvm, KVM_CREATE_VM, 0);
    int cpu = machine < 0 ? -1 : ioctl(machine, KVM_CREATE_VCPU, 0);
    int run_size = cpu < 0 ? -1 : ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = 0x1000, .memory_size = 4096, .userspace_addr = (uint64_t)(uintptr_t)page};
    struct kvm_run *run = run_size < 0 ? MAP_FAILED : mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    if (page == MAP_FAILED || run == MAP_FAILED || ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) != 0 ||
        ioctl(cpu, KVM_GET_SREGS, &sregs) != 0) {
        return (struct verdict){"creating a virtual machine", errno, 0};
    }
    memcpy(page, guest_code, sizeof guest_code);
    sregs.cs.base = sregs.cs.selector = 0;
    if (ioctl(cpu, KVM_SET_SREGS, &sregs) != 0 || ioctl(cpu, KVM_SET_REGS, &regs) != 0) {
        return (struct verdict){"setting up a virtual CPU", errno, 0};
    }
    uint64_t start = now_us();
    for (int round = 0; round < ROUNDS; round++) {
        if (ioctl(cpu, KVM_RUN, 0) != 0 || run->exit_reason != KVM_EXIT_IO) {
            return (struct verdict){"running a virtual CPU", errno, 0};
        }
    }
    uint64_t took = now_us() - start;
    return (struct verdict){NULL, 0, (uint64_t)ROUNDS * LOOPS_PER_ROUND * INSTRUCTIONS_PER_LOOP * 1000000 / (took ? took : 1)};
}

/* Where SIGCHLD is blocked it would later be taken for QEMU's end. */
static void forget_child_signal(void) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    sigtimedwait(&only, NULL, &(struct timespec){0, 0});
}

/* QEMU keeps the group of /dev/kvm when it gives up root. */
static bool others_may_open(void) {
    struct stat device;
    return stat("/dev/kvm", &device) == 0 && ((device.st_mode & 0060) == 0060 || (device.st_mode & 0006) == 0006);
}

bool probe_kvm(char *reason, size_t room) {
    struct verdict verdict = {0};
    int ends[2];
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        snprintf(reason, room, "/dev/kvm: %s", strerror(errno));
        return false;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(reason, room, "pipe: %s", strerror(errno));
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        verdict = run_guest();
        _exit(write(ends[1], &verdict, sizeof verdict) == sizeof verdict ? 0 : 1);
    }
    close(ends[1]);
    struct pollfd ready = {ends[0], POLLIN, 0};
    bool answered = poll(&ready, 1, BUDGET_MS) == 1 && read(ends[0], &verdict, sizeof verdict) == sizeof verdict;
    close(ends[0]);
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        forget_child_signal();
    }
    if (!answered) {
        snprintf(reason, room, "KVM is too slow here: a test of %u million instructions did not end in %d ms",
                 ROUNDS * LOOPS_PER_ROUND / 1000000 * INSTRUCTIONS_PER_LOOP, BUDGET_MS);
    } else if (verdict.broken) {
        snprintf(reason, room, "KVM: %s: %s", verdict.broken, strerror(verdict.error));
    } else {
        snprintf(reason, room, "KVM runs %llu million instructions a second%s",
                 (unsigned long long)(verdict.per_second / 1000000),
                 verdict.per_second >= USABLE_PER_SECOND ? "" : ": too slow");
    }
    if (!answered || verdict.broken || verdict.per_second < USABLE_PER_SECOND) {
        return false;
    }
    if (geteuid() == 0 && !others_may_open()) {
        snprintf(reason, room, "KVM works, but only root may open /dev/kvm and QEMU never runs as root (chmod 660 /dev/kvm)");
        return false;
    }
    return true;
}

#else

bool probe_kvm(char *reason, size_t room) {
    snprintf(reason, room, "KVM is not used on this architecture yet");
    return false;
}

#endif

void probe_processor(char *name, size_t room) {
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    *name = 0;
    while (file && !*name && fgets(line, sizeof line, file)) {
        const char *value = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
        if (value) {
            value += 1 + strspn(value + 1, " ");
            snprintf(name, room, "%.*s", (int)strcspn(value, "\n"), value);
        }
    }
    if (file) {
        fclose(file);
    }
}
