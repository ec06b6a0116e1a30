/*
 * Futures: results that are still to come.
 *
 * Every call that waits, tn_x(...), has a twin tn_x_start(...) that returns a tn_future of the thread's current loop at once, and
 * may be called anywhere on that thread. A future is born with one reference, which tn_await consumes, or tn_future_unref gives back;
 * giving the last one back while the result is still to come says that nobody wants it any more. A `_start` call returns NULL for
 * lack of memory (or of a loop), and tn_await answers NULL with TN_ENOMEM, so that nothing needs checking in between.
 *
 * Programs make futures of their own with tn_future_new, for what their callbacks will know later. All calls belong to the thread
 * of the loop. All exist since 0.1.
 */
#ifndef TORNADO_CONCURRENT_H
#define TORNADO_CONCURRENT_H

#include "error.h"
#include "ioloop.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_future tn_future;

typedef void tn_future_callback(void *arg, tn_future *future);

/* Make a pending future of this loop. The caller owns its one reference. NULL for lack of memory. */
TN_API tn_future *tn_future_new(tn_loop *loop);

/* Take another reference. Returns `future`. */
TN_API tn_future *tn_future_ref(tn_future *future);

/* Give one reference back. The last one of a pending future cancels what it stands for. NULL is fine. */
TN_API void tn_future_unref(tn_future *future);

/*
 * End a pending future well, with `result` (zero or a count) and, for the first two, something to go with it.
 *
 * value: handed out by tn_future_value; `destroy` (may be NULL) is called with it when the future is freed.
 * text: handed out by tn_future_str; borrowed, it must live for as long as the future may be asked.
 *
 * Returns TN_OK, or TN_EBUSY when the future has ended already (a value is then destroyed, so that it has one owner in any case).
 * Whoever waits goes on, and callbacks are called, from the ready phase of the loop, never inside this call.
 */
TN_API int tn_future_set_value(tn_future *future, int result, void *value, void (*destroy)(void *value));
TN_API int tn_future_set_str(tn_future *future, int result, tn_str text);
TN_API int tn_future_set(tn_future *future, int result);

/* End a pending future with an error, a negative TN_E... code. As with tn_future_set. */
TN_API int tn_future_fail(tn_future *future, int error);

/* End a pending future with TN_ECANCELED, and withdraw what it stands for. As with tn_future_set. */
TN_API int tn_future_cancel(tn_future *future);

/* Has it ended, in whatever way? */
TN_API bool tn_future_done(const tn_future *future);

/* Its result: zero or a count, or an error. TN_EBUSY while it is pending. */
TN_API int tn_future_result(const tn_future *future);

/* What went with the result: NULL or empty when nothing did. Borrowed; valid for as long as you hold a reference. */
TN_API void *tn_future_value(const tn_future *future);
TN_API tn_str tn_future_str(const tn_future *future);

/*
 * Call fn(arg, future) when the future has ended, or soon when it has already; never inside this call. The future is kept until
 * then. Fails with TN_ENOMEM. Callbacks of a future whose loop is freed first are not called.
 */
TN_API int tn_future_on_done(tn_future *future, tn_future_callback *fn, void *arg);

/*
 * Run fn(arg) on another thread, of a pool that belongs to the loop, and wait for what it returns: Tornado's run_in_executor.
 *
 * fn must not touch the loop nor anything of it; tn_loop_add_callback is the only call it may make. What it returns should be zero,
 * a count, or an error. tn_run_blocking waits in a coroutine; cancelled, or past a deadline, it gives up on a function that has not
 * begun, and waits for one that has, so that `arg` may lie in the caller's frame. With the twin, `arg` must live until fn has
 * returned, and giving the future back does not stop it.
 *
 * Fails with TN_ENOMEM, or the system's error when no thread can be had.
 */
TN_API int tn_run_blocking(int (*fn)(void *arg), void *arg);
TN_API tn_future *tn_run_blocking_start(int (*fn)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif
