/*
 * The doorbell of a loop: a descriptor that becomes readable when another thread or a signal handler rings it. An eventfd where
 * there is one, a pipe elsewhere.
 */
#ifndef TN_CORE_WAKEUP_H
#define TN_CORE_WAKEUP_H

#include "poll.h"

typedef struct tn__wakeup {
    tn__io io;
    int ring_fd; /* the end to write to; the same as io.fd with an eventfd */
} tn__wakeup;

int tn__wakeup_open(tn_loop *loop, tn__wakeup *w); /* the system's error, or the back-end's */
void tn__wakeup_close(tn_loop *loop, tn__wakeup *w);
void tn__wakeup_ring(const tn__wakeup *w); /* any thread, any signal handler; leaves errno alone */

#endif
