#include "pty.h"

#include "spawn.h"
#include "winsize.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int open_slave(int master) {
    int unlock = 0;
    if (ioctl(master, TIOCSPTLCK, &unlock) != 0)
        return -1;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios settings;
    if (slave >= 0 && tcgetattr(slave, &settings) == 0) {
        /* Backspace removes a whole character. */
        settings.c_iflag |= IUTF8;
        tcsetattr(slave, TCSANOW, &settings);
    }
    return slave;
}

int pty_start(const char *command, unsigned cols, unsigned rows, pid_t *pid) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0)
        return -1;
    int slave = open_slave(master);
    *pid = -1;
    if (slave >= 0) {
        set_terminal_size(master, cols, rows);
        *pid = spawn(&(struct spawn){
            .command = command, .in = slave, .out = slave, .err = slave, .terminal = true});
    }
    int error = errno;
    if (slave >= 0)
        close(slave);
    if (*pid < 0) {
        close(master);
        errno = error;
        return -1;
    }
    return master;
}

void pty_signal(int master, int signal_number) {
    pid_t group;
    if (ioctl(master, TIOCGPGRP, &group) == 0 && group > 1)
        kill(-group, signal_number);
}
