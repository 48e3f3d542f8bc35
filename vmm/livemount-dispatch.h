/* From the opcode of a request to what is done. */
#ifndef MACHINEN_LIVEMOUNT_DISPATCH_H
#define MACHINEN_LIVEMOUNT_DISPATCH_H

#include "livemount-message.h"

/* Answers one request: fills `answer` and gives the errno. True when the guest waits for an answer. */
bool dispatch(struct request *request, struct answer *answer, int *error);

#endif
