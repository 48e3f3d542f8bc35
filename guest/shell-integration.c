#include "shell-integration.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPT "/run/machinen/shell.sh"

/* bash runs PROMPT_COMMAND before its first prompt, other shells read ENV when they start. Both let go of the
 * variable, so that what they start is left alone. Built-ins only: a prompt must not cost a process. The marks
 * are those of FinalTerm: A before a prompt, B after it, C before a command's output, D with its status. */
static const char script[] =
    "__machinen_prompt() {\n"
    "    printf '\\033]133;D;%s\\007\\033]133;A\\007' \"$1\" >/dev/tty\n"
    "    [ -w /run/machinen/shells ] || return \"$1\"\n"
    "    echo \"$1\" >\"/run/machinen/shells/$$.status\"\n"
    "    export -p >\"/run/machinen/shells/$$.env\"\n"
    "    return \"$1\"\n"
    "}\n"
    "[ \"$ENV\" != " SCRIPT " ] || unset ENV\n"
    "if [ -n \"$BASH_VERSION\" ]; then\n"
    "    export -n PROMPT_COMMAND\n"
    "    PROMPT_COMMAND='__machinen_prompt $?'\n"
    "    PS0=\"$PS0\"'\\e]133;C\\a'\n"
    "    PS1=\"$PS1\"'\\[\\e]133;B\\a\\]'\n"
    "    __machinen_prompt 0\n"
    "else\n"
    "    case $PROMPT_COMMAND in *" SCRIPT "*) unset PROMPT_COMMAND;; esac\n"
    "    PS1='$(__machinen_prompt $?)'\"${PS1-\\$ }\"\n"
    "fi\n";

static bool begun;

void shell_integration_begin(void) {
    mkdir("/run/machinen/shells", 0700);
    int fd = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    begun = write(fd, script, sizeof script - 1) == (ssize_t)sizeof script - 1;
    close(fd);
}

static void set_unless_set(struct env *env, const char *name, const char *item) {
    if (env_get(env, name) == NULL)
        env_set(env, item);
}

void shell_integration_into(struct env *env) {
    const char *wanted = env_get(env, "MACHINEN_SHELL_INTEGRATION");
    if (!begun || (wanted != NULL && strcmp(wanted, "0") == 0))
        return;
    set_unless_set(env, "PROMPT_COMMAND", "PROMPT_COMMAND=[ ! -r " SCRIPT " ] || . " SCRIPT);
    set_unless_set(env, "ENV", "ENV=" SCRIPT);
}
