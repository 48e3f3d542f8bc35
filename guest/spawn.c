#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's limit for one argument is 128 KiB: a longer command is read from a file. */
enum { LONGEST_ARGUMENT = 131071, SCRIPT_FD = 3, NOT_STARTED = 127 };
static const char source_script[] = ". /proc/self/fd/3";

const char *default_cwd;

static int open_script(const char *command) {
    int fd = memfd_create("command", MFD_CLOEXEC);
    size_t length = strlen(command), done = 0;
    while (fd >= 0 && done < length) {
        ssize_t count = write(fd, command + done, length - done);
        if (count <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)count;
    }
    return fd;
}

_Noreturn static void fail(const char *what) {
    dprintf(STDERR_FILENO, "machinen: %s: %s\n", what, strerror(errno));
    _exit(NOT_STARTED);
}

static void reset_signals(void) {
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The three must not tread on each other: first out of the way, then into place. */
static void place_descriptors(const struct spawn *spawn, int script) {
    int in = fcntl(spawn->in, F_DUPFD_CLOEXEC, 10), out = fcntl(spawn->out, F_DUPFD_CLOEXEC, 10);
    int err = fcntl(spawn->err, F_DUPFD_CLOEXEC, 10), text = -1;
    if (script >= 0)
        text = fcntl(script, F_DUPFD_CLOEXEC, 10);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (script >= 0)
        dup2(text, SCRIPT_FD);
    syscall(SYS_close_range, script >= 0 ? SCRIPT_FD + 1 : SCRIPT_FD, ~0u, 0);
}

/* The agent itself is protected from the OOM killer; what it starts is not. */
static void become_ordinary(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "0", 1) != 1)
            errno = 0;
        close(fd);
    }
}

static void become_user(const struct user *user, struct env *env) {
    char item[512];
    if (user == NULL)
        return;
    if (setgroups(user->group_count, user->groups) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
        fail("user");
    snprintf(item, sizeof item, "HOME=%s", user->home);
    env_set(env, item);
    snprintf(item, sizeof item, "USER=%s", user->name);
    env_set(env, item);
    snprintf(item, sizeof item, "LOGNAME=%s", user->name);
    env_set(env, item);
}

static void enter_directory(const char *cwd, const struct env *env) {
    if (cwd != NULL) {
        if (chdir(cwd) != 0)
            fail(cwd);
        return;
    }
    const char *home = env_get(env, "HOME");
    if ((default_cwd == NULL || chdir(default_cwd) != 0) && (home == NULL || chdir(home) != 0) &&
        chdir("/") != 0)
        fail("/");
}

_Noreturn static void become_command(const struct spawn *spawn, int script) {
    struct env env;
    setsid();
    become_ordinary();
    place_descriptors(spawn, script);
    if (spawn->terminal)
        ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    umask(022);
    if (!env_copy(&env, &base_env))
        fail("environment");
    if (spawn->terminal && env_get(&env, "TERM") == NULL)
        env_set(&env, "TERM=xterm-256color");
    become_user(spawn->user, &env);
    for (size_t i = 0; spawn->env != NULL && i < spawn->env->count; i++)
        env_set(&env, spawn->env->items[i]);
    enter_directory(spawn->cwd, &env);
    reset_signals();
    if (spawn->arguments != NULL) {
        /* execvp() searches the PATH of this process. */
        environ = env.items;
        execvp(spawn->arguments[0], spawn->arguments);
        fail(spawn->arguments[0]);
    }
    const char *text = script >= 0 ? source_script : spawn->command;
    execve("/bin/sh", (char *const[]){"sh", "-c", (char *)text, NULL}, env.items);
    fail("/bin/sh");
}

pid_t spawn(const struct spawn *spawn) {
    int script = -1;
    if (spawn->command != NULL && strlen(spawn->command) > LONGEST_ARGUMENT) {
        script = open_script(spawn->command);
        if (script < 0)
            return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_command(spawn, script);
    if (script >= 0)
        close(script);
    return pid;
}
