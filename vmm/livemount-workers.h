/* Threads that answer requests, so that one slow file keeps nobody else waiting. */
#ifndef MACHINEN_LIVEMOUNT_WORKERS_H
#define MACHINEN_LIVEMOUNT_WORKERS_H

#include "livemount-message.h"

/* Answers go to `data`. False: no threads. */
bool workers_start(int data);
/* Takes the request and its body; waits while too many are waiting. */
void workers_give(const struct request *request);
/* Waits until everything given has been answered. */
void workers_settle(void);
/* An answer, or something of our own with request 0. False: nobody listens. */
bool send_answer(uint64_t unique, int error, const void *bytes, size_t length);

#endif
