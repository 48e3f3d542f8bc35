/* RESUME: what tells a resumed machine who it is, and a waiting one what to do. */
#ifndef MACHINEN_RESUME_H
#define MACHINEN_RESUME_H

#include "config.h"

enum { LARGEST_RESUME = 256 * 1024 };

/* The machine waits for a RESUME with a `config`. */
extern bool waits_for_config;

/* Environment, directory, host name and, unless it waits, the command. Takes over `cwd`. False with
 * errno: the command cannot be started. */
bool run_config(struct config *config);
/* NULL, or why it was not done. Nothing is done when the text is malformed; a command is started only
 * when everything else has been done. */
const char *resume(const char *text, size_t length);

#endif
