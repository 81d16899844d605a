#ifndef WEIR_CLINUX_H
#define WEIR_CLINUX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "MapGuard.h"

// What Swift cannot import: the futex system call, which is variadic, and atomic operations on a
// word that lies in a file shared with other processes. Errors come back as values, because errno
// may be overwritten between a C call and Swift's look at it.

/// Sleeps while *word == expected, until woken or until CLOCK_MONOTONIC reaches the deadline.
/// The word may be shared between processes. Returns 0 (woken, perhaps spuriously), EAGAIN (the
/// word differs already), EINTR, ETIMEDOUT, or another errno.
static inline int weir_futex_wait(uint32_t *_Nonnull word, uint32_t expected,
                                  struct timespec deadline) {
  // FUTEX_WAIT_BITSET takes an absolute deadline, so that a restart after EINTR does not extend it.
  long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &deadline, (void *)0,
                        FUTEX_BITSET_MATCH_ANY);
  return result == -1 ? errno : 0;
}

/// Wakes every thread of every process that sleeps on the word. Returns 0 or an errno.
static inline int weir_futex_wake_all(uint32_t *_Nonnull word) {
  long result = syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, (void *)0, (void *)0, 0);
  return result == -1 ? errno : 0;
}

static inline uint32_t weir_atomic_load(const uint32_t *_Nonnull word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void weir_atomic_add(uint32_t *_Nonnull word, uint32_t amount) {
  __atomic_fetch_add(word, amount, __ATOMIC_SEQ_CST);
}

static inline void weir_atomic_subtract(uint32_t *_Nonnull word, uint32_t amount) {
  __atomic_fetch_sub(word, amount, __ATOMIC_SEQ_CST);
}

#endif
