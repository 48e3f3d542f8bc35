#include "livemount-workers.h"
#include "livemount-dispatch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define WORKERS 4
#define MAX_WAITING 128

static struct {
    pthread_mutex_t lock, sending;
    pthread_cond_t changed;
    struct request waiting[MAX_WAITING];
    unsigned first, count, busy;
    int data;
} work = {.lock = PTHREAD_MUTEX_INITIALIZER, .sending = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool send_all(struct iovec pieces[2]) {
    while (pieces[0].iov_len + pieces[1].iov_len > 0) {
        ssize_t n = writev(work.data, pieces, 2);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        for (int i = 0; i < 2 && n > 0; i++) {
            size_t taken = (size_t)n < pieces[i].iov_len ? (size_t)n : pieces[i].iov_len;
            pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + taken;
            pieces[i].iov_len -= taken;
            n -= (ssize_t)taken;
        }
    }
    return true;
}

bool send_answer(uint64_t unique, int error, const void *bytes, size_t length) {
    struct fuse_out_header header = {.len = (uint32_t)(sizeof header + length), .error = error, .unique = unique};
    struct iovec pieces[2] = {{&header, sizeof header}, {(void *)(uintptr_t)bytes, length}};
    pthread_mutex_lock(&work.sending);
    bool sent = send_all(pieces);
    pthread_mutex_unlock(&work.sending);
    return sent;
}

static struct request next_request(void) {
    pthread_mutex_lock(&work.lock);
    while (work.count == 0) {
        pthread_cond_wait(&work.changed, &work.lock);
    }
    struct request request = work.waiting[work.first];
    work.first = (work.first + 1) % MAX_WAITING;
    work.count--;
    work.busy++;
    pthread_cond_broadcast(&work.changed);
    pthread_mutex_unlock(&work.lock);
    return request;
}

static void *serve_requests(void *bytes) {
    struct answer answer = {.bytes = bytes};
    for (;;) {
        struct request request = next_request();
        int error;
        /* A reader that has gone will be noticed where requests are read. */
        if (dispatch(&request, &answer, &error)) {
            send_answer(request.header.unique, -error, answer.bytes, answer.length);
        }
        free(request.body);
        pthread_mutex_lock(&work.lock);
        work.busy--;
        pthread_cond_broadcast(&work.changed);
        pthread_mutex_unlock(&work.lock);
    }
    return NULL;
}

bool workers_start(int data) {
    work.data = data;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < WORKERS; i++) {
        pthread_t thread;
        void *bytes = malloc(LIVE_MAX_DATA);
        if (!bytes || pthread_create(&thread, NULL, serve_requests, bytes) != 0) {
            return false;
        }
        pthread_detach(thread);
    }
    return true;
}

void workers_give(const struct request *request) {
    pthread_mutex_lock(&work.lock);
    while (work.count == MAX_WAITING) {
        pthread_cond_wait(&work.changed, &work.lock);
    }
    work.waiting[(work.first + work.count++) % MAX_WAITING] = *request;
    pthread_cond_broadcast(&work.changed);
    pthread_mutex_unlock(&work.lock);
}

void workers_settle(void) {
    pthread_mutex_lock(&work.lock);
    while (work.count + work.busy > 0) {
        pthread_cond_wait(&work.changed, &work.lock);
    }
    pthread_mutex_unlock(&work.lock);
}
