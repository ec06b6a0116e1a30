/*
 * What a test has left behind: on its loop, and among the process's descriptors. Each thing found is a line on `out`; the functions
 * return how many there were.
 */
#ifndef TN_TOOLS_LEAKS_H
#define TN_TOOLS_LEAKS_H

#include <stdio.h>

#include "core/loop.h"

/* Coroutines, futures and timeouts of a loop that has come to rest. */
size_t tn__leaks_of_loop(tn_loop *loop, FILE *out);

typedef struct tn__open_fds {
    unsigned char bits[1024]; /* one for each of the first 8192 descriptors */
} tn__open_fds;

/* Which descriptors are open. */
void tn__open_fds_now(tn__open_fds *now);

/* Those that are open, and were not before. */
size_t tn__leaks_of_fds(const tn__open_fds *before, FILE *out);

#endif
