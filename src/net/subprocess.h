/*
 * The object behind tn_subprocess: a child process, the streams to it, and those who wait for its end.
 */
#ifndef TN_NET_SUBPROCESS_H
#define TN_NET_SUBPROCESS_H

#include "core/child.h"
#include "core/op.h"
#include "iostream_ops.h"
#include "spawn.h"

struct tn_subprocess {
    tn__child child;
    tn__iostream *streams[3];
    tn__list waiters; /* of tn__subprocess_waiter */
    tn_subprocess_callback *on_exit;
    void *on_exit_arg;
    tn__work tell; /* calls on_exit */
    int code;      /* once it has ended */
    bool orphan;   /* freed by its owner: goes when the process has ended, and has been reaped by that */
};

/* Somebody who waits; owned by whoever that is. */
typedef struct tn__subprocess_waiter {
    tn__list node;
    tn__op *op;
} tn__subprocess_waiter;

/* Fails as tn__spawn and tn__child_watch do, or with TN_ENOMEM; then there is neither a process nor a descriptor. */
int tn__subprocess_start(tn_subprocess **out, tn_loop *loop, const tn__spawn_opts *opts, tn__child_way way);

/* TN_OK when it has ended; TN__PENDING, and then `op` ends with TN_OK when it does. */
int tn__subprocess_wait(tn_subprocess *p, tn__subprocess_waiter *w, tn__op *op);

/* Call fn(arg, code) once it has ended, or soon when it has already; NULL: nobody any more. */
void tn__subprocess_on_exit(tn_subprocess *p, tn_subprocess_callback *fn, void *arg);

/* Free the streams; the process itself goes on, and is reaped when it ends. */
void tn__subprocess_free(tn_subprocess *p);

#endif
