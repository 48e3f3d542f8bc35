#include "park.h"

#include <errno.h>

#ifdef __x86_64__

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* Where no program and no library lies: what the kernel places itself would push these aside. */
    PARKED_ADDRESS = 0x100000,
    PAGE = 4096,
    VDSO_PAGES = 2,
    RED_ZONE = 128,
};

static const uint8_t system_call[] = {0x0f, 0x05};

static bool read_memory(pid_t pid, uint64_t address, void *to, size_t length) {
    struct iovec local = {to, length}, remote = {(void *)address, length};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static bool read_auxiliary(pid_t pid, struct loaded *loaded) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/auxv", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, loaded->auxiliary, sizeof loaded->auxiliary);
    if (fd >= 0)
        close(fd);
    loaded->auxiliary_words = 0;
    for (size_t words = length < 0 ? 0 : (size_t)length / sizeof *loaded->auxiliary, i = 0; i + 1 < words; i += 2)
        if (loaded->auxiliary[i] == AT_NULL) {
            loaded->auxiliary_words = i + 2;
            return true;
        }
    return false;
}

/* A system call instruction of the kernel's own, which every process has; 0: not found. */
static uint64_t find_system_call(pid_t pid, const struct loaded *loaded) {
    static uint8_t vdso[VDSO_PAGES * PAGE];
    uint64_t address = 0;
    for (size_t i = 0; i < loaded->auxiliary_words; i += 2)
        if (loaded->auxiliary[i] == AT_SYSINFO_EHDR)
            address = loaded->auxiliary[i + 1];
    for (size_t page = 0; address != 0 && page < VDSO_PAGES; page++) {
        uint8_t *code = vdso + page * PAGE;
        if (!read_memory(pid, address + page * PAGE, code, PAGE))
            break;
        const uint8_t *found = memmem(code, PAGE, system_call, sizeof system_call);
        if (found != NULL)
            return address + (uint64_t)(found - vdso);
    }
    return 0;
}

/* False when anything else happened to it. Its end is left to who reaps. */
static bool step(pid_t pid) {
    siginfo_t change = {.si_pid = 0};
    if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) != 0)
        return false;
    while (waitid(P_PID, (id_t)pid, &change, WSTOPPED | WEXITED | WNOWAIT) != 0)
        if (errno != EINTR)
            return false;
    return change.si_code == CLD_TRAPPED && change.si_status == SIGTRAP &&
           waitid(P_PID, (id_t)pid, &change, WSTOPPED | WNOHANG) == 0;
}

/* The process makes a call, as if it stood before it. */
static bool call(pid_t pid, const struct user_regs_struct *start, uint64_t instruction, const uint64_t *words, uint64_t expected) {
    struct user_regs_struct registers = *start;
    registers.rip = instruction;
    registers.orig_rax = UINT64_MAX; /* not within a call: there is nothing to restart */
    registers.rax = words[0];
    registers.rdi = words[1];
    registers.rsi = words[2];
    registers.rdx = words[3];
    registers.r10 = words[4];
    registers.r8 = words[5];
    registers.r9 = 0;
    return ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0 && step(pid) &&
           ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && registers.rax == expected;
}

static const uint64_t map_parking[] = {SYS_mmap, PARKED_ADDRESS, sizeof(struct parking), PROT_READ | PROT_EXEC,
                                       MAP_SHARED | MAP_FIXED_NOREPLACE, PARKED_FD};
static const uint64_t close_parking[] = {SYS_close, PARKED_FD, 0, 0, 0, 0};

struct parking *parking_make(int *fd) {
    *fd = memfd_create(PARKED_NAME, MFD_CLOEXEC);
    if (*fd < 0)
        return NULL;
    struct parking *parking = MAP_FAILED;
    if (ftruncate(*fd, sizeof *parking) == 0)
        parking = mmap(NULL, sizeof *parking, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (parking == MAP_FAILED) {
        close(*fd);
        *fd = -1;
        return NULL;
    }
    memcpy(parking->code, parked_stub, (size_t)(parked_stub_end - parked_stub));
    return parking;
}

void parking_free(struct parking *parking) {
    if (parking != NULL)
        munmap(parking, sizeof *parking);
}

bool park(pid_t pid, struct loaded *loaded) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) != 0 || !read_auxiliary(pid, loaded))
        return false;
    loaded->entry = registers.rip;
    loaded->top = registers.rsp - RED_ZONE;
    uint64_t instruction = find_system_call(pid, loaded);
    if (instruction == 0 || !call(pid, &registers, instruction, map_parking, PARKED_ADDRESS) ||
        !call(pid, &registers, instruction, close_parking, 0))
        return false;
    loaded->orders = PARKED_ADDRESS + offsetof(struct parking, orders);
    registers.rip = PARKED_ADDRESS;
    registers.r12 = loaded->orders;
    registers.orig_rax = UINT64_MAX;
    return ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0 && ptrace(PTRACE_DETACH, pid, 0, 0) == 0;
}

/* What /proc shows as the program's arguments can be changed only with these. */
bool park_is_possible(void) {
    unsigned size;
    return geteuid() == 0 && prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0;
}

#else
bool park_is_possible(void) {
    return false;
}

struct parking *parking_make(int *fd) {
    (void)fd;
    errno = ENOSYS;
    return NULL;
}

void parking_free(struct parking *parking) {
    (void)parking;
}

bool park(pid_t pid, struct loaded *loaded) {
    (void)pid, (void)loaded;
    return false;
}
#endif
