// The functions are all static inline; this file gives the target something to compile.
#include "CLinux.h"
