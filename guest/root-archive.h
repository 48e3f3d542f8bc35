/* The file system the machine's root lies on, as an archive. */
#ifndef MACHINEN_ROOT_ARCHIVE_H
#define MACHINEN_ROOT_ARCHIVE_H

/* Write the tree below `root` as a pax archive to standard output: owners, modes, times, hard links, device
 * nodes, extended attributes (capabilities and ACLs among them) and holes. What is mounted below it is left out,
 * and what it covers is not. Returns the exit status: 0, or 1 after saying on standard error what is missing. */
int archive_root(const char *root);

#endif
