#include "MapGuard.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { capacity = 256, longest_message = 1024 };

/// Changed with the mutex held. The handler looks without it: an entry with a start is complete.
static struct {
  uintptr_t start;
  size_t length;
  size_t message_length;
  char message[longest_message];
} guards[capacity];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int is_installed;
static struct sigaction previous_segv, previous_bus;

/// Calls only what is safe inside of a signal handler.
static void handle(int number, siginfo_t *information, void *context) {
  (void)context;
  const int is_fault = information->si_code > 0;
  const uintptr_t address = (uintptr_t)information->si_addr;
  for (int index = 0; is_fault && index < capacity; index += 1) {
    uintptr_t start = __atomic_load_n(&guards[index].start, __ATOMIC_ACQUIRE);
    if (start == 0 || address < start || address - start >= guards[index].length) continue;
    const char *rest = guards[index].message;
    size_t count = guards[index].message_length;
    while (count > 0) {
      ssize_t written = write(STDERR_FILENO, rest, count);
      if (written <= 0) break;
      rest += written;
      count -= (size_t)written;
    }
    _exit(1);
  }
  sigaction(number, number == SIGSEGV ? &previous_segv : &previous_bus, 0);
  // A fault comes again on return; a signal that somebody sent does not.
  if (!is_fault) raise(number);
}

static void install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &previous_segv);
  sigaction(SIGBUS, &action, &previous_bus);
}

int weir_guard_map(const void *start, size_t length, const char *message) {
  int found = -1;
  pthread_mutex_lock(&mutex);
  if (!is_installed) {
    install();
    is_installed = 1;
  }
  for (int index = 0; index < capacity && found < 0; index += 1) {
    if (guards[index].start == 0) found = index;
  }
  if (found >= 0) {
    guards[found].length = length;
    size_t count = strlen(message);
    if (count > longest_message) count = longest_message;
    memcpy(guards[found].message, message, count);
    guards[found].message_length = count;
    __atomic_store_n(&guards[found].start, (uintptr_t)start, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

void weir_unguard_map(int guard) {
  if (guard < 0) return;
  pthread_mutex_lock(&mutex);
  __atomic_store_n(&guards[guard].start, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&mutex);
}
