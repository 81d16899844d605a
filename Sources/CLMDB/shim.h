#ifndef WEIR_CLMDB_SHIM_H
#define WEIR_CLMDB_SHIM_H

#include <lmdb.h>

#endif
