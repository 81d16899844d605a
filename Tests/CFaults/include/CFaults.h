#ifndef WEIR_CFAULTS_H
#define WEIR_CFAULTS_H

// Faults for tests. This target defines the system calls by which LMDB changes its files; in an
// executable that holds it, the dynamic linker prefers these definitions to the C library's. They
// do what the C library's do, except to a data file (one named data.mdb) on a thread that has armed
// a fault. Everything here is the calling thread's own.

/// Lets the data file's writing and syncing calls of this thread succeed `countdown` times, then
/// fail `failures` times.
/// - number: The errno of a failure; 0 for a write that stores only half of its bytes.
void weir_faults_arm(int countdown, int failures, int number);

/// Ends this; returns how many calls have failed.
int weir_faults_disarm(void);

/// How often this thread has written to a data file while armed, failures included.
int weir_faults_writes(void);

/// How often this thread has synced a data file while armed, failures included.
int weir_faults_syncs(void);

#endif
