#include "pipes.h"

#include <fcntl.h>
#include <unistd.h>

bool pipe_of(int ends[2], int ours) {
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fcntl(ends[ours], F_SETFL, O_NONBLOCK | (ours == 0 ? O_RDONLY : O_WRONLY));
    return true;
}

int null_input(void) {
    static int fd = -1;
    if (fd < 0)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd;
}
