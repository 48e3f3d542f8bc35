#include "children.h"

#include "loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILL_ROUNDS = 20 };

static struct child *children;
static void (*send_answer)(void);

static struct child *find(pid_t pid) {
    struct child *child = children;
    while (child != NULL && child->pid != pid)
        child = child->next;
    return child;
}

/* We are the tracer: of our own children, and of programs that ask their parent to trace them, which are let go. */
static void child_stopped(pid_t pid) {
    siginfo_t info = {.si_pid = 0};
    struct child *child = find(pid);
    /* It may have been killed meanwhile: its end is not to be taken here. */
    if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG) != 0 || info.si_pid != pid)
        return;
    if (child != NULL && child->stopped != NULL)
        child->stopped(child, info.si_status);
    else
        ptrace(PTRACE_DETACH, pid, 0, info.si_status == SIGTRAP ? 0 : info.si_status);
}

/* The answer goes first: to remove a process takes the kernel as long as a short command takes to run. */
static void child_ended(const siginfo_t *info) {
    struct child *child = find(info->si_pid);
    if (child != NULL) {
        children_remove(child);
        child->ended(child, info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status);
        send_answer();
    }
    waitpid(info->si_pid, NULL, WNOHANG);
}

static void reap(struct watch *watch, uint32_t events) {
    (void)events;
    struct signalfd_siginfo ignored[8];
    /* One is pending at most, whatever the number of children. */
    if (read(watch->fd, ignored, sizeof ignored) <= 0)
        return;
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return;
        if (info.si_code == CLD_TRAPPED)
            child_stopped(info.si_pid);
        else
            child_ended(&info);
    }
}

bool children_init(void (*send)(void)) {
    static struct watch watch = {.ready = reap};
    send_answer = send;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    watch.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return watch.fd >= 0 && loop_add(&watch, EPOLLIN);
}

void children_add(struct child *child) {
    child->next = children;
    children = child;
}

void children_remove(struct child *child) {
    struct child **at = &children;
    while (*at != NULL && *at != child)
        at = &(*at)->next;
    if (*at != NULL)
        *at = child->next;
}

/* The session of a process that is not a zombie, or -1. */
static pid_t session_of(const char *pid) {
    char path[64], text[512], state;
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    /* The name before may hold anything, even parentheses. */
    const char *rest = strrchr(text, ')');
    int parent, group, session;
    if (rest == NULL || sscanf(rest + 1, " %c %d %d %d", &state, &parent, &group, &session) != 4)
        return -1;
    return state == 'Z' || state == 'X' ? -1 : session;
}

static unsigned signal_members(pid_t session, int signal) {
    DIR *proc = opendir("/proc");
    unsigned count = 0;
    if (proc == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || session_of(entry->d_name) != session)
            continue;
        kill((pid_t)atoi(entry->d_name), signal);
        count++;
    }
    closedir(proc);
    return count;
}

void kill_session(pid_t session, int signal) {
    if (session <= 1)
        return;
    for (unsigned round = 0; round < KILL_ROUNDS; round++)
        if (signal_members(session, signal) == 0 || signal != SIGKILL)
            return;
}
