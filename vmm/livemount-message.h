/*
 * Messages of a live mount: the FUSE protocol as the guest's kernel speaks it (<linux/fuse.h>), carried over one
 * stream of the link, and a few of our own between agent and server (docs/protocol.md, section 8).
 */
#ifndef MACHINEN_LIVEMOUNT_MESSAGE_H
#define MACHINEN_LIVEMOUNT_MESSAGE_H

#define LIVE_MAX_DATA 262144u /* of one read or write */
#define LIVE_MAX_STATE (64u << 20)

/* From the agent, as opcodes. */
enum { LIVE_HELLO = 0x6d610001, LIVE_PAUSED = 0x6d610002, LIVE_STORED = 0x6d610003 };
/* To the agent, as errors of an answer to request 0. */
enum { LIVE_PAUSE = 0x6d610001, LIVE_STATE = 0x6d610002, LIVE_GO = 0x6d610003 };

#endif
