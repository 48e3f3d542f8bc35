/* Where in the target directory the next member goes: the open directories from the top down to its parent. Every
 * step is one name in an open directory, and no step goes through a symbolic link, so nothing in the archive, nothing
 * that was there before and nobody who changes the tree meanwhile can lead out of the target. */
#ifndef MACHINEN_PLACE_H
#define MACHINEN_PLACE_H

#include "member.h"

#include <sys/types.h>

enum { PLACE_DEEPEST = 1024 };

struct place;

/* Takes over `root`. With `through_links` an existing symbolic link to a directory inside the target is a directory.
 * NULL when out of memory. */
struct place *place_new(int root, bool through_links);
int place_root(const struct place *place);
/* Cuts `path` into its names; directories that are left get their final mode and time, missing ones are made.
 * The parent's descriptor, and in `name` the last name, or NULL when the path is the target itself. -1: an error, in
 * `message`. */
int place_enter(struct place *place, char *path, const char **name, const char **message);
/* Make or find the directory `name` in the parent place_enter() gave, and go into it. Its mode and time are set when
 * it is left. False: an error, in `message`. */
bool place_directory(struct place *place, int parent, const char *name, const struct member *member,
                     mode_t mode, bool owner, const char **message);
/* The target's own mode and time, for a target that was made for this archive. */
void place_root_becomes(struct place *place, const struct member *member, mode_t mode, bool owner);
/* A directory that is there, entered by the same rules without changing anything: its parent's descriptor (to be
 * closed) and the last name; -1 with errno. */
int place_find(const struct place *place, char *path, const char **name);
/* Leaves every directory. */
void place_free(struct place *place);

#endif
