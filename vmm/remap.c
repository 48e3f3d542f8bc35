#include "remap.h"
#include "pages.h"
#include "tracee.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Beyond those of the disks. */
#define MEMORY_SET 2000000000u
/* A busy host may not come to it at once. */
#define PATIENCE_MS 10000u

static bool given;

/* Its number there. */
static bool give(struct vm *vm, int fd, uint64_t *number, struct error *error) {
    struct json answer, value;
    return qmp_command(&vm->qmp, fd, &answer, error, "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":%u}}\n", MEMORY_SET) &&
           ((json_member(answer, "fd", &value) && json_u64(value, number)) ||
            fail(error, "MAP_FAILED", "QEMU did not say where the descriptor is"));
}

/* A QEMU whose guest does not run only takes note of it, and has the descriptor still. */
static bool take_back(struct vm *vm) {
    struct error ignored;
    return qmp_command(&vm->qmp, -1, NULL, &ignored, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":%u}}\n", MEMORY_SET);
}

/* Until there is nothing to take back: a removed bundle's room would stay taken. */
void remap_tick(struct vm *vm) {
    given = given && take_back(vm);
}

#ifdef __x86_64__

/* A signal must not come between: it would be what stops it. */
static bool hold_signals(pid_t pid, uint64_t *before) {
    const uint64_t all = UINT64_MAX;
    return ptrace(PTRACE_GETSIGMASK, pid, (void *)sizeof *before, before) == 0 &&
           ptrace(PTRACE_SETSIGMASK, pid, (void *)sizeof all, (void *)(uintptr_t)&all) == 0;
}

static bool go_on(const struct tracee *tracee, const uint64_t *signals) {
    return ptrace(PTRACE_SETREGS, tracee->pid, 0, &tracee->start) == 0 &&
           ptrace(PTRACE_SETSIGMASK, tracee->pid, (void *)sizeof *signals, (void *)(uintptr_t)signals) == 0 &&
           ptrace(PTRACE_DETACH, tracee->pid, 0, 0) == 0;
}

/* Its main thread, which waits for us, makes the call. */
static bool map_there(pid_t qemu, uint64_t address, uint64_t size, uint64_t number) {
    const uint64_t words[6] = {SYS_mmap, address, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, number};
    struct tracee tracee;
    uint64_t signals;
    if (ptrace(PTRACE_SEIZE, qemu, 0, (void *)PTRACE_O_EXITKILL) != 0) {
        return false;
    }
    bool stopped = tracee_step(qemu, PTRACE_INTERRUPT, PATIENCE_MS) && tracee_look(&tracee, qemu, PATIENCE_MS) && hold_signals(qemu, &signals);
    bool ok = stopped && tracee_call(&tracee, words, address);
    if (!(stopped ? go_on(&tracee, &signals) : ptrace(PTRACE_DETACH, qemu, 0, 0) == 0)) {
        kill(qemu, SIGKILL);
        ok = false;
    }
    return ok;
}

#else

static bool map_there(pid_t qemu, uint64_t address, uint64_t size, uint64_t number) {
    (void)qemu, (void)address, (void)size, (void)number;
    errno = ENOSYS;
    return false;
}

#endif

bool remap_memory(struct vm *vm, int fd, struct error *error) {
    uint64_t address = pages_address(&vm->memory, vm->qemu), number;
    if (!address || !give(vm, fd, &number, error)) {
        return address || fail(error, "MAP_FAILED", "the guest's memory in QEMU: %s", strerror(errno));
    }
    given = true;
    errno = 0;
    bool ok = map_there(vm->qemu, address, vm->memory.size, number) ||
              fail(error, "MAP_FAILED", "mapping the guest's memory in QEMU: %s", errno ? strerror(errno) : "it did not do so");
    take_back(vm);
    if (ok) {
        vm->memory.fd = fd;
        pages_lie_at(&vm->memory, vm->qemu, address);
    }
    return ok;
}
