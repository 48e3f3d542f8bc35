#include "spawn.h"

#include "clone.h"
#include "hanging-mounts.h"
#include "shell-integration.h"
#include "seen-files.h"

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

static char *default_cwd;

bool set_default_cwd(const char *path) {
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    free(default_cwd);
    default_cwd = copy;
    return true;
}

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

/* What else was ignored when we started was reset then; handlers end with the old program. */
static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Ours are above the standard ones already, unless we were started without these. */
static int out_of_the_way(int fd) {
    return fd > SCRIPT_FD ? fd : fcntl(fd, F_DUPFD_CLOEXEC, SCRIPT_FD + 1);
}

/* The four must not tread on each other. */
static void place_descriptors(const struct spawn *spawn, int script) {
    int in = out_of_the_way(spawn->in), out = out_of_the_way(spawn->out), err = out_of_the_way(spawn->err);
    if (script >= 0)
        dup2(out_of_the_way(script), SCRIPT_FD);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    syscall(SYS_close_range, script >= 0 ? SCRIPT_FD + 1 : SCRIPT_FD, ~0u, 0);
}

static void name_user(const struct user *user, struct env *env) {
    char item[512];
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

/* False when memory is short. */
static bool make_env(const struct spawn *spawn, struct env *env) {
    if (!env_copy(env, &base_env))
        return false;
    if (spawn->terminal && env_get(env, "TERM") == NULL)
        env_set(env, "TERM=xterm-256color");
    if (spawn->user != NULL)
        name_user(spawn->user, env);
    for (size_t i = 0; spawn->env != NULL && i < spawn->env->count; i++)
        env_set(env, spawn->env->items[i]);
    if (spawn->terminal)
        shell_integration_into(env);
    return true;
}

/* Runs in the memory of its parent, who waits: it must leave nothing behind there. */
_Noreturn static void become_command(const struct spawn *spawn, const struct env *env, int script) {
    const struct user *user = spawn->user;
    place_descriptors(spawn, script);
    if (spawn->terminal)
        ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    if (user != NULL && (setgroups(user->group_count, user->groups) != 0 || setgid(user->gid) != 0 ||
                         setuid(user->uid) != 0))
        fail("user");
    enter_directory(spawn->cwd, env);
    reset_signals();
    if (spawn->function != NULL)
        _exit(spawn->function(spawn->context));
    if (spawn->arguments != NULL) {
        execvpe(spawn->arguments[0], spawn->arguments, env->items);
        fail(spawn->arguments[0]);
    }
    const char *text = script >= 0 ? source_script : spawn->command;
    execve(SHELL, (char *const[]){"sh", "-c", (char *)text, NULL}, env->items);
    fail(SHELL);
}

struct program {
    const struct spawn *spawn;
    const struct env *env;
    int script;
};

_Noreturn static void run_program(void *context) {
    const struct program *program = context;
    setsid();
    become_command(program->spawn, program->env, program->script);
}

/* vfork() copies no page tables, which an emulated machine does slowly; but we wait until the program
 * is loaded, so nothing that needs us, or may never come, may be in its way. */
static pid_t start(struct program *program) {
    /* A function of ours goes on for long. */
    bool may_wait = !mounts_may_hang() && program->spawn->function == NULL;
    struct cgroup **group = program->spawn->group;
    if (group != NULL && (*group = cgroup_take()) != NULL) {
        pid_t pid = clone_into((*group)->directory, may_wait, run_program, program);
        if (pid > 0)
            return pid;
    }
    pid_t pid = may_wait ? vfork() : fork();
    if (pid == 0)
        run_program(program);
    return pid;
}

pid_t spawn(const struct spawn *spawn) {
    struct env env;
    int script = -1;
    if (spawn->command != NULL && strlen(spawn->command) > LONGEST_ARGUMENT) {
        script = open_script(spawn->command);
        if (script < 0)
            return -1;
    }
    char **own = environ;
    pid_t pid = -1;
    if (make_env(spawn, &env)) {
        /* execvpe() searches the PATH of this process. */
        environ = env.items;
        pid = start(&(struct program){spawn, &env, script});
        environ = own;
    }
    int error = errno;
    env_free(&env);
    if (script >= 0)
        close(script);
    errno = error;
    return pid;
}

static bool is_directory(const char *path) {
    struct stat info;
    return path != NULL && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Where enter_directory() would go; NULL when it would fail. */
static const char *directory_of(const char *cwd, const struct env *env) {
    const char *home = env_get(env, "HOME");
    if (cwd != NULL)
        return is_directory(cwd) ? cwd : NULL;
    return is_directory(default_cwd) ? default_cwd : is_directory(home) ? home : "/";
}

bool spawn_spare(const char *command, const struct env *own, const char *cwd, struct spare_command *started) {
    struct env env;
    if (mounts_may_hang())
        return false;
    bool ran = false;
    if (make_env(&(struct spawn){.env = own}, &env)) {
        const char *directory = directory_of(cwd, &env);
        ran = directory != NULL && spare_run(command, &env, directory, started);
    }
    env_free(&env);
    return ran;
}
