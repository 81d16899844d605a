#ifndef WEIR_MAPGUARD_H
#define WEIR_MAPGUARD_H

#include <stddef.h>

// A damaged data file can send its reader outside of the file or the map, which the kernel answers
// with a signal. This says so before the process ends, instead of a bare "Bus error".

/// From now on, if the process is sent SIGSEGV or SIGBUS for an address in the `length` bytes from
/// `start`, `message` is written to standard error and the process exits with status 1. The first
/// call installs the handler; for other addresses whatever was installed before it takes over.
/// Returns what to pass to weir_unguard_map, or -1 if the table of 256 is full.
int weir_guard_map(const void *_Nonnull start, size_t length, const char *_Nonnull message);

/// Ends the guarding; a negative number is nothing.
void weir_unguard_map(int guard);

#endif
