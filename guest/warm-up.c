#include "warm-up.h"

#ifdef __x86_64__

#include "start-calls.h"

#include <linux/audit.h>
#include <linux/prctl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

enum {
    PAGE = 4096,
    TEXT_LEAST = 2 * PAGE,
    WORD = 8,
    NAME_BYTES = 16,
    SYSTEM_CALL_BYTES = 2,
    MOST_STEPS = 1024, /* a shell with shared libraries makes a hundred */
};

/* The arguments that lie before the text. */
static const char before_text[] = "sh\0-c";

char *warm_up_command(const struct env *env) {
    /* From the top of the stack: a word, the program's path, the environment, the text. */
    size_t above = WORD + sizeof SHELL;
    for (size_t i = 0; i < env->count; i++)
        above += strlen(env->items[i]) + 1;
    size_t room = TEXT_LEAST + PAGE - above % PAGE;
    char *text = malloc(room);
    if (text == NULL)
        return NULL;
    memset(text, ' ', room - 1);
    memcpy(text, PARKED_NAME, sizeof PARKED_NAME - 1);
    text[room - 1] = '\0';
    return text;
}

static bool find_clock(struct warm_up *warm, pid_t pid) {
    char path[40], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL)
        return false;
    warm->clock.start = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long long start, end;
        if (strstr(line, " [vvar") == NULL || sscanf(line, "%llx-%llx", &start, &end) != 2)
            continue;
        if (warm->clock.start == 0)
            warm->clock.start = start;
        warm->clock.length = end - warm->clock.start;
    }
    fclose(maps);
    return warm->clock.start != 0;
}

static bool protect(const struct warm_up *warm, const struct tracee *tracee, uint64_t text, uint64_t clock) {
    return tracee_call(tracee, (uint64_t[]){SYS_mprotect, warm->text, PAGE, text, 0, 0}, 0) &&
           tracee_call(tracee, (uint64_t[]){SYS_mprotect, warm->clock.start, warm->clock.length, clock, 0, 0}, 0);
}

/* Nobody shall take it for a running shell. */
static bool rename_it(const struct warm_up *warm, const struct tracee *tracee) {
    const uint64_t end = warm->text + sizeof PARKED_NAME;
    return tracee_write(tracee->pid, warm->text, PARKED_NAME, sizeof PARKED_NAME) &&
           tracee_call(tracee, (uint64_t[]){SYS_prctl, PR_SET_NAME, warm->text, 0, 0, 0}, 0) &&
           tracee_call(tracee, (uint64_t[]){SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_START, warm->text, 0, 0}, 0) &&
           tracee_call(tracee, (uint64_t[]){SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_END, end, 0, 0}, 0);
}

bool warm_up_begin(struct warm_up *warm, const struct tracee *tracee) {
    struct {
        uint64_t count, arguments[3];
    } stack;
    if (!tracee_read(tracee->pid, tracee->start.rsp, &stack, sizeof stack) || stack.count != 3 ||
        stack.arguments[2] % PAGE != 0 || stack.arguments[0] != stack.arguments[2] - sizeof before_text)
        return false;
    warm->text = stack.arguments[2];
    warm->name = 0;
    warm->steps = 0;
    return find_clock(warm, tracee->pid) && rename_it(warm, tracee) && protect(warm, tracee, PROT_NONE, PROT_NONE) &&
           ptrace(PTRACE_SETREGS, tracee->pid, 0, &tracee->start) == 0 &&
           ptrace(PTRACE_SETOPTIONS, tracee->pid, 0, PTRACE_O_TRACESYSGOOD) == 0 &&
           ptrace(PTRACE_SYSCALL, tracee->pid, 0, 0) == 0;
}

/* The call is skipped, and made when there are orders. */
static bool stop_before(const struct user_regs_struct *call, const struct warm_up *warm, struct tracee *tracee) {
    struct user_regs_struct skipped = *call;
    skipped.orig_rax = UINT64_MAX;
    tracee->start = *call;
    tracee->start.rax = call->orig_rax;
    tracee->start.rip -= SYSTEM_CALL_BYTES;
    return ptrace(PTRACE_SETREGS, tracee->pid, 0, &skipped) == 0 && tracee_step(tracee->pid, PTRACE_SYSCALL, tracee->patience_ms) &&
           protect(warm, tracee, PROT_READ | PROT_WRITE, PROT_READ);
}

/* It has another name while it waits. */
static bool answer_name(struct warm_up *warm, pid_t pid) {
    static const char name[NAME_BYTES] = "sh";
    uint64_t to = warm->name;
    warm->name = 0;
    return to == 0 || tracee_write(pid, to, name, sizeof name);
}

enum warm_up_state warm_up_step(struct warm_up *warm, struct tracee *tracee, struct seen_files *seen) {
    struct __ptrace_syscall_info info;
    struct user_regs_struct call;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof info, &info) <= 0 ||
        ptrace(PTRACE_GETREGS, tracee->pid, 0, &call) != 0 || info.arch != AUDIT_ARCH_X86_64 ||
        ++warm->steps > MOST_STEPS)
        return WARM_UP_FAILED;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !is_start_call(&call, tracee->pid, seen))
        return stop_before(&call, warm, tracee) ? WARM_UP_DONE : WARM_UP_FAILED;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        warm->name = call.orig_rax == SYS_prctl ? call.rsi : 0;
    else if (!answer_name(warm, tracee->pid))
        return WARM_UP_FAILED;
    return ptrace(PTRACE_SYSCALL, tracee->pid, 0, 0) == 0 ? WARM_UP_GOES_ON : WARM_UP_FAILED;
}

static struct parked_registers registers_of(const struct user_regs_struct *from) {
    return (struct parked_registers){
        .rax = from->rax, .rbx = from->rbx, .rdx = from->rdx, .rsi = from->rsi, .rdi = from->rdi,
        .rbp = from->rbp, .rsp = from->rsp, .r8 = from->r8,   .r9 = from->r9,   .r10 = from->r10,
        .r12 = from->r12, .r13 = from->r13, .r14 = from->r14, .r15 = from->r15, .rip = from->rip,
    };
}

bool warm_up_orders(const struct warm_up *warm, const struct tracee *tracee, struct parked_orders *orders,
                    const char *command, const char *directory) {
    size_t length = strlen(command) + 1, directory_length = strlen(directory) + 1;
    if (length > PAGE || directory_length > PAGE)
        return false;
    orders->registers = registers_of(&tracee->start);
    orders->target = warm->text;
    orders->words = (length + WORD - 1) / WORD;
    memcpy(orders->image, command, length);
    /* What only the calls read lies behind that. */
    char *strings = (char *)(orders->image + orders->words);
    memcpy(strings, directory, directory_length);
    memcpy(strings + directory_length, before_text, sizeof before_text);
    const uint64_t strings_there = parked_orders_address + (uint64_t)(strings - (char *)orders);
    const struct parked_call calls[] = {
        {SYS_chdir, {strings_there}, 1},
        {SYS_prctl, {PR_SET_NAME, strings_there + directory_length}, 0},
        {SYS_prctl, {PR_SET_MM, PR_SET_MM_ARG_START, warm->text - sizeof before_text}, 0},
        {SYS_prctl, {PR_SET_MM, PR_SET_MM_ARG_END, warm->text + length}, 0},
    };
    _Static_assert(sizeof calls <= sizeof orders->calls, "no room for the calls");
    memcpy(orders->calls, calls, sizeof calls);
    orders->call_count = sizeof calls / sizeof *calls;
    return true;
}
#endif
