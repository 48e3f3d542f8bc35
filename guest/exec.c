#include "exec-internal.h"

#include "cgroup.h"
#include "pipes.h"
#include "spare.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void forget_options(struct exec *exec) {
    free((char *)exec->again.command);
    free((char *)exec->again.cwd);
    env_free(&exec->again.env);
    exec->again = (struct exec_options){.command = NULL};
}

void exec_free_if_over(struct exec *exec) {
    if (exec->client != NULL || !exec->exited || exec->outputs[0].watch.fd >= 0 ||
        exec->outputs[1].watch.fd >= 0)
        return;
    loop_close(&exec->input);
    timer_stop(&exec->outputs[0].pause);
    timer_stop(&exec->outputs[1].pause);
    if (exec->group != NULL)
        (exec->code > KILLED ? cgroup_discard : cgroup_release)(exec->group);
    forget_options(exec);
    free(exec);
}

static bool start(struct exec *exec, const struct exec_options *options);

/* Nothing of it has run: nobody can tell. */
static bool start_again(struct exec *exec) {
    struct exec_options options = exec->again;
    for (unsigned i = 0; i < 2; i++)
        loop_close(&exec->outputs[i].watch);
    if (exec->group != NULL)
        cgroup_discard(exec->group);
    exec->group = NULL;
    bool started = start(exec, &options);
    forget_options(exec);
    if (started)
        exec_update_watches(exec);
    return started;
}

static void ended(struct child *child, int code) {
    struct exec *exec = child->owner;
    bool lost = exec->again.command != NULL && code > KILLED && exec->client != NULL && !spare_had_begun(child->pid);
    if (lost && start_again(exec))
        return;
    exec->exited = true;
    exec->code = code;
    spare_command_ended();
    loop_close(&exec->input);
    for (unsigned i = 0; i < 2; i++)
        if (exec->outputs[i].watch.fd < 0 ||
            ioctl(exec->outputs[i].watch.fd, FIONREAD, &exec->outputs[i].left) != 0)
            exec->outputs[i].left = 0;
    if (exec->client != NULL)
        exec_drain(exec);
    exec_free_if_over(exec);
}

static void input_ready(struct watch *watch, uint32_t events) {
    (void)events;
    struct exec *exec = watch->owner;
    loop_want(watch, 0);
    if (exec->client != NULL)
        client_resume(exec->client);
}

/* Input that nobody reads is taken and dropped. */
static size_t take_input(void *job, const uint8_t *bytes, size_t length) {
    struct exec *exec = job;
    if (exec->input.fd < 0)
        return length;
    ssize_t count = write(exec->input.fd, bytes, length);
    if (count >= 0)
        return (size_t)count;
    if (errno == EAGAIN) {
        loop_want(&exec->input, EPOLLOUT);
        return 0;
    }
    loop_close(&exec->input);
    return length;
}

static void end_input(void *job) {
    loop_close(&((struct exec *)job)->input);
}

static void resize(void *job, unsigned cols, unsigned rows) {
    (void)job, (void)cols, (void)rows;
}

static void send_signal(void *job, int signal_number) {
    struct exec *exec = job;
    /* It is the end that was asked for, however soon it comes. */
    forget_options(exec);
    if (!exec->exited)
        kill(-exec->child.pid, signal_number);
}

static void writable(void *job) {
    struct exec *exec = job;
    if (exec->exited)
        exec_drain(exec);
    else
        exec_update_watches(exec);
    exec_free_if_over(exec);
}

static void client_gone(void *job) {
    struct exec *exec = job;
    exec->client = NULL;
    loop_close(&exec->input);
    if (!exec->exited && exec->group != NULL)
        cgroup_kill(exec->group);
    if (!exec->exited)
        kill_session(exec->child.pid, SIGKILL);
    exec_update_watches(exec);
    exec_free_if_over(exec);
}

static const struct job exec_job = {take_input, end_input, resize, send_signal, writable, client_gone};

static void close_pair(int pair[2]) {
    for (unsigned i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

/* Takes over our ends of the pipes, also when it fails. */
static bool watch_pipes(struct exec *exec, int in, int out, int err) {
    exec->input = (struct watch){.fd = in, .ready = input_ready, .owner = exec};
    return exec_watch_outputs(exec, out, err);
}

static bool keep_options(struct exec *exec, const struct exec_options *options) {
    exec->again.command = strdup(options->command);
    exec->again.cwd = options->cwd == NULL ? NULL : strdup(options->cwd);
    return exec->again.command != NULL && (options->cwd == NULL || exec->again.cwd != NULL) &&
           env_copy(&exec->again.env, &options->env);
}

static bool start_spare(struct exec *exec, const struct exec_options *options) {
    struct spare_command started;
    if (options->command == NULL || options->has_input || options->user != NULL ||
        !keep_options(exec, options) || !spawn_spare(options->command, &options->env, options->cwd, &started)) {
        forget_options(exec);
        return false;
    }
    exec->child.pid = started.pid;
    exec->group = started.group;
    children_add(&exec->child);
    watch_pipes(exec, -1, started.out, started.err);
    return true;
}

static bool start(struct exec *exec, const struct exec_options *options) {
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    bool piped = pipe_of(out, 0) && pipe_of(err, 0);
    if (piped && options->has_input)
        piped = pipe_of(in, 1);
    else if (piped)
        piped = (in[0] = null_input()) >= 0;
    if (piped)
        exec->child.pid = spawn(&(struct spawn){.command = options->command, .function = options->function,
                                                .context = options->context, .env = &options->env,
                                                .cwd = options->cwd, .user = options->user,
                                                .in = in[0], .out = out[1], .err = err[1],
                                                .group = &exec->group});
    if (exec->child.pid < 0) {
        int error = errno;
        if (options->has_input)
            close_pair(in);
        close_pair(out);
        close_pair(err);
        if (exec->group != NULL)
            cgroup_release(exec->group);
        exec->group = NULL;
        errno = error;
        return false;
    }
    if (options->has_input)
        close(in[0]);
    close(out[1]);
    close(err[1]);
    children_add(&exec->child);
    watch_pipes(exec, in[1], out[0], err[0]);
    return true;
}

void exec_start(struct client *client, const struct exec_options *options) {
    struct exec *exec = calloc(1, sizeof *exec);
    if (exec != NULL)
        exec->child = (struct child){.pid = -1, .ended = ended, .owner = exec};
    if (exec == NULL || (!start_spare(exec, options) && !start(exec, options))) {
        client_refuse(client, "OUT_OF_RESOURCES", strerror(errno));
        free(exec);
        return;
    }
    exec->client = client;
    client_attach(client, &exec_job, exec);
    client_line(client, "A %d", (int)exec->child.pid);
    exec_update_watches(exec);
}
