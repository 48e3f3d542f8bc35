#include "request.h"

#include "exec.h"
#include "files.h"
#include "frame.h"
#include "once.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_HEADER = 128, LARGEST_REQUEST = 4 << 20, LARGEST_SIZE = 10000, MOST_NUMBERS = 4 };

static void bad(struct client *client, const char *message) {
    client_refuse(client, "BAD_REQUEST", message);
}

/* A terminal that does not know its size yet says 0. */
static bool fix_size(unsigned size[2]) {
    if (size[0] == 0 || size[1] == 0) {
        size[0] = 80;
        size[1] = 24;
    }
    return size[0] <= LARGEST_SIZE && size[1] <= LARGEST_SIZE;
}

static void run_exec(struct client *client, const unsigned *numbers, char *text) {
    (void)numbers;
    exec_start(client, &(struct exec_options){.command = text});
}

/* One `key value` line of an EXEC3 header. */
static bool take_option(struct exec_options *options, char *line, struct user *user) {
    char *value = line;
    const char *key = strsep(&value, " ");
    if (value == NULL)
        return false;
    if (strcmp(key, "env") == 0)
        return env_set(&options->env, value);
    if (strcmp(key, "cwd") == 0) {
        options->cwd = value;
        return value[0] == '/';
    }
    if (strcmp(key, "stdin") == 0) {
        options->has_input = strcmp(value, "1") == 0;
        return options->has_input || strcmp(value, "0") == 0;
    }
    if (strcmp(key, "id") == 0) {
        options->id = value;
        return once_id_is_valid(value);
    }
    if (strcmp(key, "user") == 0) {
        options->user = user;
        options->user_name = value;
        return true;
    }
    return false;
}

static void run_exec3(struct client *client, const unsigned *numbers, char *text) {
    (void)numbers;
    struct exec_options options = {.command = NULL};
    struct user user;
    char *line;
    bool ok = true;
    while (ok && (line = strsep(&text, "\n")) != NULL && line[0] != '\0')
        ok = text != NULL && take_option(&options, line, &user);
    if (!ok || text == NULL)
        bad(client, "malformed EXEC3 header");
    else if (options.user != NULL && !find_user(options.user_name, &user))
        client_refuse(client, "NO_USER", "no such user in the guest");
    else if (options.id != NULL && !once(options.id))
        client_refuse(client, "ALREADY_STARTED",
                      "the command was started before its connection was lost, which ended it");
    else {
        options.command = text;
        exec_start(client, &options);
    }
    env_free(&options.env);
}

static void run_pty(struct client *client, const unsigned *numbers, char *text) {
    unsigned size[2] = {numbers[0], numbers[1]};
    if (!fix_size(size))
        bad(client, "bad terminal size");
    else
        session_open(client, NULL, text, size[0], size[1]);
}

static void run_session(struct client *client, const unsigned *numbers, char *text) {
    unsigned size[2] = {numbers[0], numbers[1]};
    char name[SESSION_NAME_BYTES + 1];
    if (!fix_size(size)) {
        bad(client, "bad terminal size");
        return;
    }
    size_t length = numbers[2] <= SESSION_NAME_BYTES ? numbers[2] : 0;
    memcpy(name, text, length);
    name[length] = '\0';
    if (!session_name_is_valid(name))
        client_refuse(client, "SESSION_NAME", "bad session name");
    else
        session_open(client, name, text + numbers[2], size[0], size[1]);
}

static void run_list(struct client *client, const unsigned *numbers, char *text) {
    (void)numbers, (void)text;
    session_list(client);
}

static void run_kill(struct client *client, const unsigned *numbers, char *text) {
    (void)numbers;
    session_kill(client, text);
}

static const struct verb exec_verbs[] = {
    {"EXEC2", 1, 1, run_exec},          {"EXEC3", 1, 1, run_exec3}, {"PTY", 3, 1, run_pty},
    {"PTYSESSION", 4, 2, run_session},  {"PTYLIST", 0, 0, run_list}, {"PTYKILL", 1, 1, run_kill},
    {.name = NULL},
};

static bool asks_for_files(const struct client *client) {
    return client->connection.service == &files_service;
}

static const struct verb *find_verb(const struct verb *verb, const char *line, const char **rest) {
    for (; verb->name != NULL; verb++) {
        size_t length = strlen(verb->name);
        if (strncmp(line, verb->name, length) != 0)
            continue;
        *rest = line + length;
        if (verb->numbers == 0 ? **rest == '\0' : *(*rest)++ == ' ')
            return verb;
    }
    return NULL;
}

/* The text is copied: what the client sends next lies behind it in the same buffer. */
static void run(struct client *client, const struct verb *verb, const unsigned *numbers,
                size_t header, size_t length) {
    char *text = malloc(length + 1);
    if (text == NULL) {
        client_refuse(client, "OUT_OF_RESOURCES", "out of memory");
        return;
    }
    if (length > 0)
        memcpy(text, buffer_bytes(&client->in) + header, length);
    text[length] = '\0';
    buffer_take(&client->in, header + length);
    if (memchr(text, '\0', length) != NULL)
        bad(client, "NUL in a command");
    else
        verb->run(client, numbers, text);
    free(text);
}

static void parse_line(struct client *client, size_t end) {
    char line[LONGEST_HEADER + 1];
    const char *rest;
    unsigned numbers[MOST_NUMBERS] = {0};
    memcpy(line, buffer_bytes(&client->in), end);
    line[end] = '\0';
    const struct verb *verb = find_verb(asks_for_files(client) ? file_verbs : exec_verbs, line, &rest);
    if (verb == NULL || strlen(line) != end ||
        (verb->numbers > 0 && !parse_numbers(rest, verb->numbers, numbers))) {
        bad(client, "unknown or malformed request");
        return;
    }
    size_t length = 0;
    for (unsigned i = verb->numbers - verb->texts; i < verb->numbers; i++)
        length += numbers[i];
    if (length > LARGEST_REQUEST)
        client_refuse(client, "REQUEST_TOO_LARGE", "more than 4 MiB");
    else if (buffer_length(&client->in) - end - 1 >= length)
        run(client, verb, numbers, end + 1, length);
}

static bool starts_with_exec(const struct client *client) {
    static const char word[] = "EXEC ";
    return !asks_for_files(client) && buffer_length(&client->in) >= 5 &&
           memcmp(buffer_bytes(&client->in), word, 5) == 0;
}

void request_parse(struct client *client) {
    static const struct verb exec_line = {"EXEC", 0, 0, run_exec};
    size_t held = buffer_length(&client->in);
    if (held == 0)
        return;
    bool exec = starts_with_exec(client);
    size_t look = exec || held < LONGEST_HEADER ? held : LONGEST_HEADER;
    const uint8_t *newline = memchr(buffer_bytes(&client->in), '\n', look);
    if (newline == NULL) {
        if (held > (exec ? (size_t)LARGEST_REQUEST : (size_t)LONGEST_HEADER))
            bad(client, "the request line is too long");
        return;
    }
    size_t end = (size_t)(newline - buffer_bytes(&client->in));
    if (!exec) {
        parse_line(client, end);
        return;
    }
    buffer_take(&client->in, 5);
    run(client, &exec_line, NULL, 0, end - 5);
    /* The newline itself. */
    buffer_take(&client->in, 1);
}
