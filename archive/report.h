/* What could not be done, one line each on standard error: the first ones in words, the rest as a number. */
#ifndef MACHINEN_REPORT_H
#define MACHINEN_REPORT_H

#include <stdbool.h>

enum { EXIT_COMPLETE = 0, EXIT_SOME_FAILED = 1, EXIT_STOPPED = 2 };

/* This member is left out. Control characters of the path are shown as `\ooo`. */
void report(const char *path, const char *message);
/* Nothing more can be done. */
void report_stop(const char *path, const char *message);
/* Says how many more there were; the exit status of the whole. */
int report_end(void);
/* Forget earlier ones; for a second run in the same process. */
void report_begin(void);

#endif
