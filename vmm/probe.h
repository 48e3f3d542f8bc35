/* What this host's hardware is good for. */
#ifndef MACHINEN_PROBE_H
#define MACHINEN_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is KVM there and fast enough to be worth it? Takes at most about 150 ms. `reason` says why (not). */
bool probe_kvm(char *reason, size_t room);
/* The processor's model in its maker's words; empty when the system does not say. */
void probe_processor(char *name, size_t room);

#endif
