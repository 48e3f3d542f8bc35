/* `machinen-vmm serve-mount <ro|rw>`: the file server of one live mount, a child of the machine's VMM. */
#ifndef MACHINEN_LIVEMOUNT_SERVE_H
#define MACHINEN_LIVEMOUNT_SERVE_H

/* Where it finds what it works with. */
enum { SERVE_DATA_FD = 3, SERVE_CONTROL_FD = 4, SERVE_ROOT_FD = 5, SERVE_FDS_END = 6 };

/* What the VMM says to it, and it to the VMM, one byte each. */
#define SERVE_PAUSE 'p'
#define SERVE_GO 'g'
#define SERVE_PAUSED 'P'

int serve_mount(const char *mode);

#endif
