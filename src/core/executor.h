/*
 * Threads for work that blocks: a small pool. Its threads are started when there is work for them and joined when it is freed.
 *
 * A job is a function that runs on some thread of the pool, without touching anything of the loop, and whose result ends an
 * operation in the loop's thread. Withdrawing the operation does not stop a function that already runs; it only is not heard of any
 * more. That is why `orphan` exists: it gets `arg` when nobody else is left to free it.
 */
#ifndef TN_CORE_EXECUTOR_H
#define TN_CORE_EXECUTOR_H

#include "op.h"

typedef struct tn__executor tn__executor;

/* A pool of at most `threads_max` threads for one loop, to be freed before it. NULL for lack of memory. */
tn__executor *tn__executor_new(tn_loop *loop, int threads_max);

/* Waits for what runs and drops what does not yet. Operations that are still pending end with TN_ECANCELED. NULL is fine. */
void tn__executor_free(tn__executor *e);

/*
 * Run fn(arg) on a thread of the pool and end `op` with what it returns.
 *
 * orphan: called with `arg`, in the loop's thread, once the function is over or was dropped without being run, if `op` was withdrawn
 * by then; never inside the withdrawing call. NULL when there is nothing to free.
 *
 * TN__PENDING, TN_ENOMEM, or the system's error when not a single thread can be had; in the last two cases arg stays the caller's.
 */
int tn__executor_submit_to(tn__executor *e, int (*fn)(void *arg), void *arg, void (*orphan)(void *arg), tn__op *op);

/* The same on the loop's default pool, which is made on first use: as many threads as processors and four more, 32 at most. */
int tn__executor_submit(tn_loop *loop, int (*fn)(void *arg), void *arg, void (*orphan)(void *arg), tn__op *op);

#endif
