/*
 * Periodic calls: tn_periodic_start, and what src/gen needs to make coroutines of them.
 *
 * Always holds: the timer of a running one is in the loop's heap, also while its function runs, so that starting it again cannot
 * fail for lack of memory.
 */
#ifndef TN_CORE_PERIODIC_H
#define TN_CORE_PERIODIC_H

#include "loop.h"

struct tn_periodic {
    tn__list node; /* in loop->periodics */
    tn__timer timer;
    tn_loop *loop;
    void (*run)(tn_periodic *p); /* calls the program's function; answers with tn__periodic_ran, perhaps later */
    union {
        tn_callback *callback;
        int (*coroutine)(void *arg);
    } fn;
    void *arg;
    int64_t period_ns;
    int64_t next_ns; /* when it is due: on a grid that begins with the first call */
    double jitter;
    uint64_t random;
    bool busy; /* its function runs, or waits */
    bool stopped;
    bool detached; /* nobody has a pointer to it: it goes with its loop */
};

/* Start one of `p`'s kind: everything above `period_ns` is filled in but node and timer. TN_ENOMEM or TN_EINVAL. */
int tn__periodic_new(tn_periodic **out, const tn_periodic *like, double seconds);

/* The function is over: go on with the first period that has not begun. Frees `p` if it was stopped meanwhile. */
void tn__periodic_ran(tn_periodic *p);

#endif
