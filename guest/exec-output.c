#include "exec-internal.h"

#include <errno.h>
#include <unistd.h>

/* Who writes more than this in this time, in small pieces, gets a moment to fill the pipe: woken for
 * each piece, we would spend our time on waking. */
enum { DENSE_BYTES = 32768, DENSE_MS = 8, PAUSE_MS = 1 };

/* What a background process holds open after the command's end is read and thrown away, so that the
 * process is neither stopped nor killed by a pipe nobody reads. */
void exec_update_watches(struct exec *exec) {
    bool read_on = exec->client == NULL || client_is_writable(exec->client);
    for (unsigned i = 0; i < 2; i++)
        loop_want(&exec->outputs[i].watch, read_on && !exec->outputs[i].pause.armed ? EPOLLIN : 0);
}

static void pause_if_dense(struct output *output, size_t count) {
    uint64_t now = monotonic_ms();
    if (now - output->since_ms > DENSE_MS) {
        output->since_ms = now;
        output->since = 0;
    }
    output->since += count;
    if (output->since > DENSE_BYTES && count < FRAME_BYTES / 2)
        timer_start(&output->pause, PAUSE_MS);
}

static void end_if_drained(struct exec *exec) {
    if (exec->client == NULL || !exec->exited || exec->outputs[0].left > 0 || exec->outputs[1].left > 0)
        return;
    client_exit(exec->client, exec->code);
    exec->client = NULL;
    exec_update_watches(exec);
}

/* False when the pipe is empty or closed, or the client is full. */
static bool read_output(struct exec *exec, struct output *output) {
    static uint8_t frame[FRAME_ROOM + FRAME_BYTES];
    uint8_t *bytes = frame + FRAME_ROOM;
    size_t most = FRAME_BYTES;
    if (exec->client != NULL && exec->exited && (size_t)output->left < most)
        most = (size_t)output->left;
    ssize_t count = most == 0 ? 0 : read(output->watch.fd, bytes, most);
    if (count > 0 && exec->client != NULL) {
        output->left -= exec->exited ? (int)count : 0;
        if (!exec->exited)
            pause_if_dense(output, (size_t)count);
        return client_send_in_place(exec->client, output->type, bytes, (size_t)count);
    }
    if (most > 0 && (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)))
        loop_close(&output->watch);
    if (count <= 0)
        output->left = 0;
    return count > 0;
}

static void output_ready(struct watch *watch, uint32_t events) {
    (void)events;
    struct exec *exec = watch->owner;
    read_output(exec, (struct output *)watch);
    exec_update_watches(exec);
    end_if_drained(exec);
    exec_free_if_over(exec);
}

static void pause_over(struct timer *timer) {
    exec_update_watches(timer->owner);
}

void exec_drain(struct exec *exec) {
    for (unsigned i = 0; i < 2; i++)
        while (exec->outputs[i].left > 0 && client_is_writable(exec->client) &&
               read_output(exec, &exec->outputs[i]))
            continue;
    exec_update_watches(exec);
    end_if_drained(exec);
}

bool exec_watch_outputs(struct exec *exec, int out, int err) {
    struct timer pause = {.fired = pause_over, .owner = exec};
    exec->outputs[0] = (struct output){{.fd = out, .ready = output_ready, .owner = exec}, .type = 'O', .pause = pause};
    exec->outputs[1] = (struct output){{.fd = err, .ready = output_ready, .owner = exec}, .type = 'E', .pause = pause};
    return loop_add(&exec->outputs[0].watch, EPOLLIN) && loop_add(&exec->outputs[1].watch, EPOLLIN);
}
