/* What a file server may still do once it has its directory: nothing but serve it. */
#ifndef MACHINEN_LIVEMOUNT_SANDBOX_H
#define MACHINEN_LIVEMOUNT_SANDBOX_H

#include <stdbool.h>

/* Before threads are started. Landlock needs a kernel that knows it; the rest is obligatory. False: errno. */
bool sandbox_enter(int root);

#endif
