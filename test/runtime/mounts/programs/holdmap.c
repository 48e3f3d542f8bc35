/* `holdmap <file>`: writes through a shared mapping, says so, and keeps it until it is killed. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int fd = argc == 2 ? open(argv[1], O_RDWR | O_CREAT, 0644) : -1;
    if (fd < 0 || ftruncate(fd, 4096) != 0)
        return 1;
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return 1;
    strcpy(map, "kept in a map");
    if (write(1, "held\n", 5) != 5)
        return 1;
    for (;;)
        pause();
}
