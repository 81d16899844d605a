#define _GNU_SOURCE
#include "CFaults.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static _Thread_local struct {
  int armed, countdown, failures, number;
  int failed, writes, syncs;
} state;

void weir_faults_arm(int countdown, int failures, int number) {
  memset(&state, 0, sizeof state);
  state.countdown = countdown;
  state.failures = failures;
  state.number = number;
  state.armed = 1;
}

int weir_faults_disarm(void) {
  int failed = state.failed;
  state.armed = 0;
  state.failed = 0;
  return failed;
}

int weir_faults_writes(void) { return state.writes; }

int weir_faults_syncs(void) { return state.syncs; }

static int is_data_file(int descriptor) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t count = readlink(link, path, sizeof path);
  static const char name[] = "/data.mdb";
  const ssize_t length = sizeof name - 1;
  return count >= length && memcmp(path + count - length, name, length) == 0;
}

/// Whether this call fails; counts it.
static int fails(int descriptor, int *counter) {
  if (!state.armed || !is_data_file(descriptor)) return 0;
  *counter += 1;
  if (state.countdown > 0) {
    state.countdown -= 1;
    return 0;
  }
  if (state.failures == 0) return 0;
  state.failures -= 1;
  state.failed += 1;
  return 1;
}

static ssize_t positioned_write(int descriptor, const void *bytes, size_t count, off_t offset) {
  if (fails(descriptor, &state.writes)) {
    if (state.number != 0) {
      errno = state.number;
      return -1;
    }
    count /= 2;
  }
  return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  return positioned_write(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return positioned_write(descriptor, bytes, count, offset);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  if (fails(descriptor, &state.writes)) {
    if (state.number != 0) {
      errno = state.number;
      return -1;
    }
    // The first part alone, and of an only one the first half.
    if (count > 1) return syscall(SYS_writev, descriptor, parts, 1);
    return syscall(SYS_write, descriptor, parts[0].iov_base, parts[0].iov_len / 2);
  }
  return syscall(SYS_writev, descriptor, parts, count);
}

/// Calls without a number of bytes cannot be half done.
static int refuses(int descriptor, int *counter) {
  if (!fails(descriptor, counter)) return 0;
  errno = state.number != 0 ? state.number : EIO;
  return 1;
}

int fdatasync(int descriptor) {
  return refuses(descriptor, &state.syncs) ? -1 : (int)syscall(SYS_fdatasync, descriptor);
}

int fsync(int descriptor) {
  return refuses(descriptor, &state.syncs) ? -1 : (int)syscall(SYS_fsync, descriptor);
}

int ftruncate(int descriptor, off_t size) {
  return refuses(descriptor, &state.writes) ? -1 : (int)syscall(SYS_ftruncate, descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
  return refuses(descriptor, &state.writes) ? -1 : (int)syscall(SYS_ftruncate, descriptor, size);
}
