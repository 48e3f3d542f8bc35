/* Makes what one member of an archive says, under a name in an open directory. */
#ifndef MACHINEN_MAKE_H
#define MACHINEN_MAKE_H

#include "place.h"
#include "reader.h"
#include "unpack.h"

struct job {
    const struct unpack *options;
    struct reader *reader;
    struct place *place;
    bool made_root; /* the target directory is new */
    bool stopped;   /* nothing more can be made */
};

/* `parent` and `name` are what place_enter() gave. What fails is reported. */
void make_member(struct job *job, int parent, const char *name, const struct member *member);
/* The permissions a member gets. */
mode_t mode_of(const struct job *job, const struct member *member);

#endif
