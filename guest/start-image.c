#include "start-image.h"

#ifdef __x86_64__

#include <linux/prctl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

enum { WORD = 8, STACK_ALIGNMENT = 16, RED_ZONE = 128 };

/* Offsets into the image, in bytes. After what the program reads lie two strings for the calls. */
struct layout {
    size_t strings, arguments_end, environment_end, directory, name, end;
};

static size_t count(char *const *list) {
    size_t length = 0;
    while (list != NULL && list[length] != NULL)
        length++;
    return length;
}

/* At most `most`, or a little more. */
static size_t total_length(char *const *list, size_t most) {
    size_t total = 0;
    for (; list != NULL && *list != NULL && total <= most; list++)
        total += strlen(*list) + 1;
    return total;
}

static struct layout lay_out(const struct tracee *loaded, char *const *arguments, char *const *environment,
                             const char *directory, size_t most) {
    struct layout layout;
    /* The number of arguments, and the ends of both lists. */
    layout.strings = (3 + count(arguments) + count(environment) + loaded->auxiliary_words) * WORD;
    layout.arguments_end = layout.strings + total_length(arguments, most);
    layout.environment_end = layout.arguments_end + total_length(environment, most);
    layout.directory = layout.environment_end;
    layout.name = layout.directory + strlen(directory) + 1;
    layout.end = (layout.name + strlen(arguments[0]) + WORD) & ~(size_t)(WORD - 1);
    return layout;
}

/* Their addresses to `words`, themselves to the image at `offset`. Returns where the addresses end. */
static uint64_t *put_list(uint8_t *image, uint64_t base, uint64_t *words, size_t offset, char *const *list) {
    for (; list != NULL && *list != NULL; list++) {
        size_t length = strlen(*list) + 1;
        *words++ = base + offset;
        memcpy(image + offset, *list, length);
        offset += length;
    }
    *words++ = 0;
    return words;
}

/* The kernel gave the program some random bytes: a fork must not start with those of its parent. */
static uint64_t random_bytes(const struct tracee *loaded) {
    for (size_t i = 0; i + 1 < loaded->auxiliary_words; i += 2)
        if (loaded->auxiliary[i] == AT_RANDOM)
            return loaded->auxiliary[i + 1];
    return 0;
}

/* `source`: where the process finds the image before it is on its stack; `base`: where it does then. */
static void put_calls(struct parked_orders *orders, const struct layout *layout, const struct tracee *loaded, uint64_t source,
                      uint64_t base) {
    const struct parked_call list[] = {
        {SYS_chdir, {source + layout->directory}, 1},
        {SYS_getrandom, {random_bytes(loaded), 16}, 1},
        {SYS_prctl, {PR_SET_NAME, source + layout->name}, 0},
        /* What /proc shows: each within what the kernel allows at that moment. */
        {SYS_prctl, {PR_SET_MM, PR_SET_MM_ARG_START, base + layout->strings}, 0},
        {SYS_prctl, {PR_SET_MM, PR_SET_MM_ARG_END, base + layout->arguments_end}, 0},
        {SYS_prctl, {PR_SET_MM, PR_SET_MM_ENV_START, base + layout->arguments_end}, 0},
        {SYS_prctl, {PR_SET_MM, PR_SET_MM_ENV_END, base + layout->environment_end}, 0},
    };
    _Static_assert(sizeof list <= sizeof orders->calls, "no room for the calls");
    memcpy(orders->calls, list, sizeof list);
    orders->call_count = sizeof list / sizeof *list;
}

bool start_image_make(struct parking *parking, const struct tracee *loaded, char *const *arguments,
                      char *const *environment, const char *directory) {
    struct parked_orders *orders = &parking->orders;
    size_t most = PARKED_ROOM - sizeof *orders;
    struct layout layout = lay_out(loaded, arguments, environment, directory, most);
    if (layout.end > most)
        return false;
    uint8_t *image = (uint8_t *)orders->image;
    uint64_t *words = orders->image;
    uint64_t base = (loaded->start.rsp - RED_ZONE - layout.end) & ~(uint64_t)(STACK_ALIGNMENT - 1);
    orders->target = base;
    orders->words = layout.end / WORD;
    /* As the kernel starts a program: nothing in the other registers. */
    orders->registers = (struct parked_registers){.rsp = base, .rip = loaded->start.rip};
    *words++ = count(arguments);
    words = put_list(image, base, words, layout.strings, arguments);
    words = put_list(image, base, words, layout.arguments_end, environment);
    memcpy(words, loaded->auxiliary, loaded->auxiliary_words * WORD);
    strcpy((char *)image + layout.directory, directory);
    strcpy((char *)image + layout.name, arguments[0]);
    put_calls(orders, &layout, loaded, parked_orders_address + offsetof(struct parked_orders, image), base);
    return true;
}
#endif
