#include "clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct clone_args arguments_into(int cgroup) {
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
        arguments.flags = CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    return arguments;
}

static pid_t clone_copying(struct clone_args *arguments, void (*run)(void *context), void *context) {
    pid_t pid = (pid_t)syscall(SYS_clone3, arguments, sizeof *arguments);
    if (pid == 0)
        run(context);
    return pid;
}

#ifdef __x86_64__

enum { STACK_BYTES = 65536 };

struct stack {
    uint8_t bytes[STACK_BYTES];
} __attribute__((aligned(16)));

/* The C library has no wrapper for clone3(). The child needs a stack of its own, because the parent's
 * holds the return address of whoever made the call. */
static pid_t clone_sharing(struct clone_args *arguments, struct stack *stack, void (*run)(void *context), void *context) {
    register void (*function)(void *) __asm__("r12") = run;
    register void *argument __asm__("r13") = context;
    long result = SYS_clone3;
    arguments->flags |= CLONE_VM;
    arguments->stack = (uintptr_t)stack;
    arguments->stack_size = sizeof *stack;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r13, %%rdi\n\t"
                     "call *%%r12\n\t"
                     "hlt\n"
                     "1:"
                     : "+a"(result)
                     : "D"(arguments), "S"(sizeof *arguments), "r"(function), "r"(argument)
                     : "rcx", "r11", "memory", "cc");
    if (result >= 0)
        return (pid_t)result;
    errno = (int)-result;
    return -1;
}

/* One stack is enough: the parent waits. */
static pid_t clone_waiting(struct clone_args *arguments, void (*run)(void *context), void *context) {
    static struct stack stack;
    arguments->flags |= CLONE_VFORK;
    return clone_sharing(arguments, &stack, run, context);
}

pid_t clone_beside(int cgroup, void (*run)(void *context)) {
    static struct stack stack;
    struct clone_args arguments = arguments_into(cgroup);
    return clone_sharing(&arguments, &stack, run, NULL);
}

long clone_call(long number, long first, long second, long third, long fourth) {
    register long last __asm__("r10") = fourth;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(first), "S"(second), "d"(third), "r"(last)
                     : "rcx", "r11", "memory", "cc");
    return number;
}
#else
#define clone_waiting clone_copying

pid_t clone_beside(int cgroup, void (*run)(void *context)) {
    (void)cgroup, (void)run;
    errno = ENOSYS;
    return -1;
}

long clone_call(long number, long first, long second, long third, long fourth) {
    (void)number, (void)first, (void)second, (void)third, (void)fourth;
    return -ENOSYS;
}
#endif

pid_t clone_into(int cgroup, bool may_wait, void (*run)(void *context), void *context) {
    struct clone_args arguments = arguments_into(cgroup);
    return (may_wait ? clone_waiting : clone_copying)(&arguments, run, context);
}
