#include "secrets.h"

#include "env.h"
#include "lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *secrets_path;
static struct env secrets;

/* The file is whole at every moment: written beside, then renamed. */
static void write_file(void) {
    char beside[256];
    if (secrets_path == NULL)
        return;
    snprintf(beside, sizeof beside, "%s.new", secrets_path);
    unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    for (size_t i = 0; i < secrets.count; i++)
        dprintf(fd, "%s\n", secrets.items[i]);
    close(fd);
    rename(beside, secrets_path);
}

static void line(struct lines *lines, char *text) {
    (void)lines;
    const char *equals = text == NULL ? NULL : strchr(text, '=');
    if (equals == NULL || !is_shell_identifier(text, (size_t)(equals - text)))
        return;
    env_set(&secrets, text);
    env_set(&base_env, text);
    write_file();
}

static struct connection *opened(struct stream *stream) {
    (void)stream;
    return lines_opened(line);
}

const struct service secrets_service = {1975, opened, lines_data, lines_finished, lines_writable, lines_gone};
