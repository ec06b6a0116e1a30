/*
 * Coroutines: functions that wait in straight lines. Tornado's gen.
 *
 * A coroutine is an ordinary function running on a stack of its own; calls such as tn_sleep park it and let the loop go on with
 * others. Handlers are coroutines already; tn_run makes one of a program's first function, tn_spawn_detached of any other. Each
 * stays on the thread of its loop. Its stack is 256 KiB (of which pages are used as they are touched), so large arrays belong on
 * the heap or in an arena. longjmp, C++ exceptions and pthread_cancel must not cross a call that waits.
 *
 * Waiting calls may be made in coroutines only: elsewhere they return TN_EMISUSE (debug builds stop with a message). Every one of
 * them may also return TN_ECANCELED, once its coroutine was cancelled, and TN_ETIMEDOUT, past the deadline of a TN_TIMEOUT around
 * it: both again and again, until the coroutine has left that scope or ended. All calls exist since 0.1.
 */
#ifndef TORNADO_GEN_H
#define TORNADO_GEN_H

#include "concurrent.h"
#include "error.h"
#include "ioloop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A running or waiting coroutine. Valid until its function has returned. */
typedef struct tn_task tn_task;

typedef int tn_task_fn(void *arg);

/*
 * Make a loop, run fn(arg) on it as a coroutine, and free everything.
 *
 * Returns what fn returns; or TN_ENOMEM or the system's error when there could be no loop; or TN_ECANCELED when the loop was
 * stopped before fn had ended (it is cancelled then, and runs to its end). Coroutines that are left over when fn ends are
 * cancelled and run to their ends. Not to be called where a loop is running already: TN_EMISUSE.
 */
TN_API int tn_run(tn_task_fn *fn, void *arg);

/*
 * Run fn(arg) as a coroutine that nobody waits for: Tornado's spawn_callback. It starts in the ready phase of the loop, not inside
 * this call; an error that it returns is logged. `arg` must live until then. Fails with TN_ENOMEM. Loop thread only.
 */
TN_API int tn_spawn_detached(tn_loop *loop, tn_task_fn *fn, void *arg);

/* The coroutine that is running; NULL outside of one. Borrowed: valid until its function has returned. */
TN_API tn_task *tn_task_current(void);

/*
 * Cancel a coroutine: what it waits for fails with TN_ECANCELED, and so does every wait that follows. It goes on from the ready
 * phase, not inside this call. What has already ended is not taken back: its result is delivered first. NULL is fine.
 */
TN_API void tn_cancel(tn_task *task);

/*
 * Call fn(arg) when the running coroutine ends, in the reverse order of these calls: for descriptors, memory, transactions.
 * Fails with TN_ENOMEM (nothing is deferred then), and TN_EMISUSE outside a coroutine.
 */
TN_API int tn_defer(tn_callback *fn, void *arg);

/* Wait for this many seconds; for zero or less, let all others that are ready go first. Returns TN_OK. */
TN_API int tn_sleep(double seconds);
TN_API tn_future *tn_sleep_start(tn_loop *loop, double seconds);

/*
 * Wait for a future and give its reference back. NULL stands for a future that could not be made.
 *
 * Returns its result: zero or a count, or the error it failed with; TN_ENOMEM for NULL. The other two also give what goes with the
 * result: the value is the caller's from then on (the future will not destroy it), the text is borrowed from whatever it was read
 * from. `value` and `text` are written when the result is not an error.
 */
TN_API int tn_await(tn_future *future);
TN_API int tn_await_value(tn_future *future, void **value);
TN_API int tn_await_str(tn_future *future, tn_str *text);

/*
 * Scopes.
 *
 *     TN_TIMEOUT(5.0) {
 *         TN_TRY(tn_sleep(10));       returns TN_ETIMEDOUT after five seconds
 *     }
 *
 * A scope is the statement or block that follows; leaving it by return, break or goto is safe, and break leaves the scope. Not by
 * longjmp.
 *
 * TN_TIMEOUT(seconds): waits inside end with TN_ETIMEDOUT once so many seconds have passed. Of nested ones the earlier counts.
 * TN_SHIELD(seconds): for so many seconds, waits inside do not feel cancellation, nor the deadlines of scopes outside: for a
 *     clean-up that must wait, which is thus bounded.
 * TN_ARENA_SCOPE: what helpers allocate inside for the running coroutine is freed at its end: for the body of a long loop.
 */
#define TN_TIMEOUT(seconds)                                                                                                        \
    TN_SCOPE_(TN_SCOPE_NAME_(tn_s_, __COUNTER__), TN_SCOPE_NAME_(tn_p_, __COUNTER__), tn_timeout_begin, (seconds))
#define TN_SHIELD(seconds)                                                                                                         \
    TN_SCOPE_(TN_SCOPE_NAME_(tn_s_, __COUNTER__), TN_SCOPE_NAME_(tn_p_, __COUNTER__), tn_shield_begin, (seconds))
#define TN_ARENA_SCOPE TN_SCOPE_(TN_SCOPE_NAME_(tn_s_, __COUNTER__), TN_SCOPE_NAME_(tn_p_, __COUNTER__), tn_arena_scope_begin, 0)

/* How: the struct ends the scope when it goes out of existence, in whatever way; the loop runs once. */
#define TN_SCOPE_(scope, once, begin, seconds)                                                                                     \
    for (struct tn_scope scope __attribute__((cleanup(tn_scope_end))) = {{0}}, *once = begin(&scope, seconds); once; once = 0)
#define TN_SCOPE_NAME_(prefix, counter) TN_SCOPE_PASTE_(prefix, counter)
#define TN_SCOPE_PASTE_(prefix, counter) prefix##counter

typedef struct tn_scope {
    uint64_t private_[14];
} tn_scope;

/* What the macros call. */
TN_API tn_scope *tn_timeout_begin(tn_scope *scope, double seconds);
TN_API tn_scope *tn_shield_begin(tn_scope *scope, double seconds);
TN_API tn_scope *tn_arena_scope_begin(tn_scope *scope, double unused);
TN_API void tn_scope_end(tn_scope *scope);

#ifdef __cplusplus
}
#endif

#endif
