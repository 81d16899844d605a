#include "COpenBLAS.h"

#if defined(__x86_64__)
#include <stdlib.h>
#include <string.h>

// Declared in no header. Absent where OpenBLAS was built for one processor only.
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));

// OpenBLAS picks its kernels by the model of the processor. For a model younger than itself it falls
// back to those of 2004, with a fifth of the speed and less. This asks the processor for what it can
// do instead, and has OpenBLAS pick again, before main and thus before any thread uses it.
__attribute__((constructor)) static void pick_kernels(void) {
  static const char *const choice = "OPENBLAS_CORETYPE";
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  if (getenv(choice) || strcmp(openblas_get_corename(), "Prescott") != 0) return;
  __builtin_cpu_init();
  const char *kernels = NULL;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    kernels = "SkylakeX";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels = "Haswell";
  }
  if (!kernels) return;
  setenv(choice, kernels, 0);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv(choice);
}
#endif
