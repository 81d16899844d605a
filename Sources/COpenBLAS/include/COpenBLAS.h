#ifndef WEIR_COPENBLAS_H
#define WEIR_COPENBLAS_H

#include <cblas.h>
#include <lapacke.h>

// The header <cblas.h> is an alternative on Debian and Ubuntu and may be the
// reference one, which does not declare OpenBLAS's own functions.
void openblas_set_num_threads(int num_threads);
char *openblas_get_corename(void);

#endif
