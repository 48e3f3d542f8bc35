#include "start-calls.h"

#ifdef __x86_64__

#include "../vmm/tracee.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is read there is not the file's, or not the same for everybody. */
static bool is_of_kernel(const char *path) {
    static const char *const places[] = {"/proc/", "/sys/", "/dev/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strncmp(path, places[i], strlen(places[i])) == 0)
            return true;
    return false;
}

/* The file it names, wherever the process stands. */
static bool sees_file(pid_t pid, uint64_t address, struct seen_files *seen) {
    char path[LONGEST_SEEN_PATH];
    /* It may lie close to the end of what can be read. */
    for (size_t length = 0; length < sizeof path; length++) {
        if (!tracee_read(pid, address + length, path + length, 1))
            return false;
        if (path[length] == '\0')
            return path[0] == '/' && !is_of_kernel(path) && seen_files_add(seen, path);
    }
    return false;
}

static bool reads_file(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    bool only_reads = (call->rdx & ~(uint64_t)O_CLOEXEC) == O_RDONLY;
    return only_reads && sees_file(pid, call->rsi, seen);
}

static bool asks_for_file(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    return sees_file(pid, call->rdi, seen);
}

static bool asks_of_own_file(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    char path;
    (void)seen;
    return (int)call->rdi > STDERR_FILENO && (call->r10 & AT_EMPTY_PATH) != 0 && tracee_read(pid, call->rsi, &path, 1) &&
           path == '\0';
}

static bool uses_own_file(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    (void)pid, (void)seen;
    return (int)call->rdi > STDERR_FILENO;
}

static bool maps_privately(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    (void)pid, (void)seen;
    return (call->r10 & MAP_PRIVATE) != 0 && ((call->r10 & MAP_ANONYMOUS) != 0 || (int)call->r8 > STDERR_FILENO);
}

static bool asks_for_itself(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    static const char itself[] = "/proc/self/exe";
    char path[sizeof itself];
    (void)seen;
    return tracee_read(pid, call->rdi, path, sizeof path) && memcmp(path, itself, sizeof itself) == 0;
}

static bool asks_for_limit(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    (void)pid, (void)seen;
    return call->rdi == 0 && call->rdx == 0;
}

static bool asks_for_name(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    (void)pid, (void)seen;
    return call->rdi == PR_GET_NAME;
}

/* The C library marks freed memory with these; what a shell takes for its own random numbers is more, or may block. */
static bool asks_for_mark(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    (void)pid, (void)seen;
    return call->rsi == sizeof(uint64_t) && call->rdx == GRND_NONBLOCK;
}

/* `if_so`: NULL for any arguments. */
static const struct {
    unsigned number;
    bool (*if_so)(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen);
} start_calls[] = {
    {SYS_brk, NULL},
    {SYS_mmap, maps_privately},
    {SYS_munmap, NULL},
    {SYS_mprotect, NULL},
    {SYS_access, asks_for_file},
    {SYS_openat, reads_file},
    {SYS_newfstatat, asks_of_own_file},
    {SYS_read, uses_own_file},
    {SYS_pread64, uses_own_file},
    {SYS_close, uses_own_file},
    {SYS_arch_prctl, NULL},
    {SYS_set_tid_address, NULL},
    {SYS_set_robust_list, NULL},
    {SYS_rseq, NULL},
    {SYS_prlimit64, asks_for_limit},
    {SYS_readlink, asks_for_itself},
    {SYS_getrandom, asks_for_mark},
    {SYS_prctl, asks_for_name},
    {SYS_getuid, NULL},
    {SYS_geteuid, NULL},
    {SYS_getgid, NULL},
    {SYS_getegid, NULL},
    {SYS_getpid, NULL},
    {SYS_getppid, NULL},
    {SYS_rt_sigaction, NULL},
    {SYS_rt_sigprocmask, NULL},
};

bool is_start_call(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen) {
    for (size_t i = 0; i < sizeof start_calls / sizeof *start_calls; i++)
        if (start_calls[i].number == call->orig_rax)
            return start_calls[i].if_so == NULL || start_calls[i].if_so(call, pid, seen);
    return false;
}
#endif
