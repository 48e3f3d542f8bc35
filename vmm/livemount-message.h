/*
 * Messages of a live mount: the FUSE protocol as the guest's kernel speaks it (<linux/fuse.h>), carried over one
 * stream of the link, and a few of our own between agent and server (docs/protocol.md, section 7). What comes from
 * the guest is hostile: nothing is looked at before its length and shape are known to be right.
 */
#ifndef MACHINEN_LIVEMOUNT_MESSAGE_H
#define MACHINEN_LIVEMOUNT_MESSAGE_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_MAX_DATA 262144u /* of one read or write */
#define LIVE_MAX_REQUEST (LIVE_MAX_DATA + 4096u)
#define LIVE_MAX_STATE (64u << 20)

/* From the agent, as opcodes. */
enum { LIVE_HELLO = 0x6d610001, LIVE_PAUSED = 0x6d610002, LIVE_STORED = 0x6d610003 };
/* To the agent, as errors of an answer to request 0. */
enum { LIVE_PAUSE = 0x6d610001, LIVE_STATE = 0x6d610002, LIVE_GO = 0x6d610003 };

/* A request whose parts are all there. */
struct request {
    struct fuse_in_header header;
    const void *arguments;  /* of the fixed size its opcode has */
    const char *names[2];   /* NUL-terminated */
    const uint8_t *data;    /* what follows */
    size_t data_length;
    uint8_t *body; /* behind the header; owned by who read it */
    size_t body_length;
};

/* What goes behind the header of an answer. */
struct answer {
    uint8_t *bytes; /* room for LIVE_MAX_DATA */
    size_t length;
};

/* 0 or an errno for the guest. */
typedef int (*live_operation)(const struct request *request, struct answer *answer);

/* How the body of a request is laid out. */
struct live_shape {
    uint16_t fixed; /* bytes of arguments */
    uint8_t names;  /* strings behind them */
    bool data;      /* any bytes behind these */
    bool silent;    /* never answered */
    live_operation run;
};

/* Cuts `body` up; false when it has not this shape. */
bool message_cut(struct request *request, const struct live_shape *shape);
/* A name of one directory entry, which cannot lead anywhere else. */
bool message_is_entry_name(const char *name);

#endif
