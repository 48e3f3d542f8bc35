#include "livemount-sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Moving files between directories is a right of its own since version 2; before that it is always refused. */
#define LANDLOCK_WITH_RENAME 2
#define ALL_FILE_RIGHTS ((1ull << 13) - 1)
#define RIGHT_REFER (1ull << 13)
#define RIGHT_TRUNCATE (1ull << 14)
#define NEEDED_RIGHTS                                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |                         \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                       \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                          \
     LANDLOCK_ACCESS_FS_MAKE_SYM | RIGHT_REFER)

static bool confine(int root) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < LANDLOCK_WITH_RENAME) {
        return true;
    }
    uint64_t truncate = version >= 3 ? RIGHT_TRUNCATE : 0;
    struct landlock_ruleset_attr rules = {.handled_access_fs = ALL_FILE_RIGHTS | RIGHT_REFER | truncate};
    struct landlock_path_beneath_attr below = {.allowed_access = NEEDED_RIGHTS | truncate, .parent_fd = root};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    bool ok = fd >= 0 && syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0 &&
              syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return ok;
}

#define BIT(capability) (1u << (capability))
#define KEPT_CAPABILITIES (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER))

/* Of root's powers those over the shared files stay: not over devices, file capabilities, or anything else. */
static bool drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {0};
    if (syscall(SYS_capget, &header, sets) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        uint32_t kept = sets[i].permitted & (i == 0 ? KEPT_CAPABILITIES : 0);
        sets[i].permitted = sets[i].effective = kept;
        sets[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, sets) == 0;
}

static const int allowed_calls[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_pwritev2, SYS_close, SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
   
    SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_openat, SYS_openat2, SYS_statx, SYS_newfstatat, SYS_fstat,
    SYS_fstatfs, SYS_lseek, SYS_getdents64, SYS_readlinkat, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat,
    SYS_unlinkat, SYS_renameat2, SYS_fchmodat, SYS_fchownat, SYS_utimensat, SYS_ftruncate, SYS_fallocate, SYS_fsync,
    SYS_fdatasync, SYS_copy_file_range, SYS_getxattr, SYS_setxattr, SYS_listxattr, SYS_removexattr, SYS_futex, SYS_mmap,
    SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_clone, SYS_clone3, SYS_set_robust_list, SYS_rseq,
    SYS_gettid, SYS_getpid, SYS_tgkill, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_clock_gettime,
    SYS_clock_nanosleep, SYS_nanosleep, SYS_getrandom, SYS_sched_yield, SYS_sched_getaffinity, SYS_prctl, SYS_exit,
    SYS_exit_group, SYS_restart_syscall, SYS_sigaltstack, SYS_prlimit64,
};

#define CALLS (sizeof allowed_calls / sizeof *allowed_calls)

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Any other call fails with EPERM: that an unforeseen one of the C library ends nothing is worth more than a loud end. */
static bool filter_calls(void) {
    struct sock_filter code[CALLS + 6];
    size_t n = 0;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALLS; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed_calls[i], (uint8_t)(CALLS - i), 0);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)n, code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool sandbox_enter(int root) {
    struct rlimit no_core = {0, 0};
    return setrlimit(RLIMIT_CORE, &no_core) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine(root) &&
           drop_capabilities() && filter_calls();
}
