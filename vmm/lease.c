#include "lease.h"

#include <fcntl.h>

bool lease_take(int fd) {
    return fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
}

bool lease_holds(int fd) {
    return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

void lease_drop(int fd) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
}
