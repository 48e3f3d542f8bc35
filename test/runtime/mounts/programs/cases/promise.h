/* Stating what is promised, looking at files, and every case there is. */
#ifndef PROMISE_H
#define PROMISE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

void complain(int line, const char *what, long got, int error);

#define IS(expression) ((expression) ? (void)0 : complain(__LINE__, #expression, 0, errno))
#define OK(call) ({ errno = 0; long r_ = (long)(call); if (r_ < 0) complain(__LINE__, #call, r_, errno); r_; })
#define FAILS(call, wanted) \
    ({ errno = 0; long r_ = (long)(call); if (r_ >= 0 || errno != (wanted)) complain(__LINE__, #call " should fail with " #wanted, r_, errno); })

void put(const char *name, const char *text);
const char *get(const char *name);
struct stat of(const char *name);
bool is(const char *name, const char *text);
char *long_name(size_t length);

#define CASES(CASE) \
    CASE(create_and_open) \
    CASE(masks_and_modes) \
    CASE(names) \
    CASE(directories) \
    CASE(unlinking) \
    CASE(hard_links) \
    CASE(symbolic_links) \
    CASE(renaming) \
    CASE(renaming_with_flags) \
    CASE(truncating) \
    CASE(times) \
    CASE(attributes) \
    CASE(special_files) \
    CASE(temporary_files) \
    CASE(holes) \
    CASE(copying) \
    CASE(mapping) \
    CASE(appending) \
    CASE(writers) \
    CASE(locks) \
    CASE(listing) \
    CASE(syncing) \
    CASE(owners) \
    CASE(programs)

#define DECLARE(name) void name(void);
CASES(DECLARE)
#undef DECLARE

#endif
