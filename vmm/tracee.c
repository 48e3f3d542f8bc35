#include "tracee.h"

#ifdef __x86_64__

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, VDSO_PAGES = 4 };

static const uint8_t system_call[] = {0x0f, 0x05};

static uint64_t monotonic_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool tracee_read(pid_t pid, uint64_t address, void *to, size_t length) {
    struct iovec local = {to, length}, remote = {(void *)address, length};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

bool tracee_write(pid_t pid, uint64_t address, const void *from, size_t length) {
    struct iovec local = {(void *)from, length}, remote = {(void *)address, length};
    return process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static bool read_auxiliary(struct tracee *tracee) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/auxv", (int)tracee->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, tracee->auxiliary, sizeof tracee->auxiliary);
    if (fd >= 0) {
        close(fd);
    }
    tracee->auxiliary_words = 0;
    for (size_t words = length < 0 ? 0 : (size_t)length / sizeof *tracee->auxiliary, i = 0; i + 1 < words; i += 2) {
        if (tracee->auxiliary[i] == AT_SYSINFO_EHDR) {
            tracee->vdso = tracee->auxiliary[i + 1];
        }
        if (tracee->auxiliary[i] == AT_NULL) {
            tracee->auxiliary_words = i + 2;
            return true;
        }
    }
    return false;
}

/* One of the kernel's own, which every process has. */
static bool find_system_call(struct tracee *tracee) {
    static uint8_t code[PAGE_BYTES];
    for (uint64_t page = tracee->vdso; page != 0 && page < tracee->vdso + VDSO_PAGES * PAGE_BYTES; page += PAGE_BYTES) {
        if (!tracee_read(tracee->pid, page, code, PAGE_BYTES)) {
            return false;
        }
        const uint8_t *found = memmem(code, PAGE_BYTES, system_call, sizeof system_call);
        if (found != NULL) {
            tracee->system_call = page + (uint64_t)(found - code);
            return true;
        }
    }
    return false;
}

bool tracee_look(struct tracee *tracee, pid_t pid, uint64_t patience_ms) {
    *tracee = (struct tracee){.pid = pid, .patience_ms = patience_ms};
    return ptrace(PTRACE_GETREGS, pid, 0, &tracee->start) == 0 && read_auxiliary(tracee) && find_system_call(tracee);
}

bool tracee_step(pid_t pid, int request, uint64_t patience_ms) {
    siginfo_t change = {.si_pid = 0};
    if (ptrace(request, pid, 0, 0) != 0) {
        return false;
    }
    for (uint64_t end = monotonic_now_ms() + patience_ms; change.si_pid == 0 && monotonic_now_ms() < end; sched_yield()) {
        if (waitid(P_PID, (id_t)pid, &change, WSTOPPED | WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR) {
            return false;
        }
    }
    return change.si_pid == pid && change.si_code == CLD_TRAPPED && (change.si_status & 0x7f) == SIGTRAP &&
           waitid(P_PID, (id_t)pid, &change, WSTOPPED | WNOHANG) == 0;
}

bool tracee_call(const struct tracee *tracee, const uint64_t *words, uint64_t expected) {
    struct user_regs_struct registers = tracee->start;
    registers.rip = tracee->system_call;
    registers.orig_rax = UINT64_MAX; /* not within a call: there is nothing to restart */
    registers.rax = words[0];
    registers.rdi = words[1];
    registers.rsi = words[2];
    registers.rdx = words[3];
    registers.r10 = words[4];
    registers.r8 = words[5];
    registers.r9 = 0;
    return ptrace(PTRACE_SETREGS, tracee->pid, 0, &registers) == 0 && tracee_step(tracee->pid, PTRACE_SINGLESTEP, tracee->patience_ms) &&
           ptrace(PTRACE_GETREGS, tracee->pid, 0, &registers) == 0 && registers.rax == expected;
}
#endif
