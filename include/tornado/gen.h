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

#include <stddef.h>
#include <stdio.h>

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

typedef struct tn_periodic_spawn_opts {
    tn_loop *loop;  /* positional */
    double seconds; /* positional: from the start of one run to the start of the next */
    tn_task_fn *fn; /* positional */
    void *arg;      /* positional: passed to it */
    double jitter;  /* as in tn_periodic_start */
    char end_;
} tn_periodic_spawn_opts;

/*
 * Run fn(arg) as a coroutine every so many seconds: tn_periodic_start (tornado/ioloop.h) for functions that wait.
 *
 *     tn_periodic_spawn(&polling, loop, 30.0, poll_server, &state)
 *
 * It never runs twice at the same time: periods that begin while it still waits are skipped. An error that it returns is logged,
 * and the next period comes all the same. tn_periodic_stop lets a run that is under way go on to its end.
 */
#ifndef __cplusplus
#define tn_periodic_spawn(out, ...)                                                                                                \
    tn_periodic_spawn_((out), &(tn_periodic_spawn_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_periodic_spawn_opts, end_))
#endif
TN_API int tn_periodic_spawn_(tn_periodic **out, const tn_periodic_spawn_opts *opts, size_t opts_size);

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
TN_API tn_future *tn_sleep_start(double seconds);

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
 * Wait for all of these futures and give back one reference of each, also when the waiting itself fails.
 *
 * tn_await_all returns TN_OK, or the error of the first one in the array that failed (the others are waited for all the same).
 * tn_gather writes the result of each, errors included, to `results` and returns TN_OK, or the error of the waiting itself.
 */
TN_API int tn_await_all(tn_future *const *futures, size_t n);
TN_API int tn_gather(tn_future *const *futures, size_t n, int *results);

/*
 * Wait until one of these futures has ended. The references stay yours: tn_await the one that ended, tn_future_unref the others.
 *
 * Returns the place in the array of one that has ended (a NULL counts as such); TN_EINVAL when n is 0, TN_ENOMEM.
 */
TN_API int tn_await_any(tn_future *const *futures, size_t n);

/*
 * Futures in the order in which they end: Tornado's WaitIterator.
 *
 *     tn_wait_iter *it = tn_wait_iter_new(futures, n);
 *     for (int i; (i = tn_wait_iter_next(it)) >= 0;) ... tn_future_result(futures[i]) ...
 *     tn_wait_iter_free(it);
 *
 * The references in the array stay yours. tn_wait_iter_new returns NULL for lack of memory, which the other two put up with;
 * tn_wait_iter_next returns the place in the array of the next one that ended, TN_EOF after the last, or TN_ENOMEM for NULL.
 */
typedef struct tn_wait_iter tn_wait_iter;
TN_API tn_wait_iter *tn_wait_iter_new(tn_future *const *futures, size_t n);
TN_API int tn_wait_iter_next(tn_wait_iter *it);
TN_API void tn_wait_iter_free(tn_wait_iter *it);

/*
 * Groups: coroutines that belong to the function which started them.
 *
 *     tn_group g;
 *     tn_group_init(&g, .max_running = 2);
 *     for (size_t i = 0; i < n; i++) tn_go(&g, get_one, &jobs[i]);
 *     TN_TRY(tn_group_join(&g));
 *
 * Their arguments may lie in the frame of that function, because it does not go on before all of them have ended: every group that
 * was initialised must be joined (debug builds stop with a message if a coroutine ends without).
 */
typedef struct tn_group {
    uint64_t private_[12];
} tn_group;

typedef struct tn_group_opts {
    tn_group *group;      /* positional */
    unsigned max_running; /* so many at once, the rest waits its turn; 0: no limit */
    char end_;
} tn_group_opts;

/* Begin an empty group of the calling thread's loop. */
#ifndef __cplusplus
#define tn_group_init(...) tn_group_init_(&(tn_group_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_group_opts, end_))
#endif
TN_API void tn_group_init_(const tn_group_opts *opts, size_t opts_size);

/*
 * Run fn(arg) as a coroutine of this group, beginning in the ready phase, not inside this call. NULL is the group that every
 * coroutine has of itself: what is left of it when the coroutine's function returns is cancelled and joined.
 *
 * Fails with TN_ENOMEM, TN_ECANCELED once the group was cancelled, TN_EMISUSE where there is no loop or no coroutine. tn_group_join
 * reports such a failure too, so that it need not be checked here.
 */
TN_API int tn_go(tn_group *group, tn_task_fn *fn, void *arg);

/* Cancel the coroutines of a group; those that have not begun never will. */
TN_API void tn_group_cancel(tn_group *group);

/*
 * Wait until all coroutines of a group have ended.
 *
 * Returns TN_OK, or the first error that one of them returned. When the waiting is cut short (TN_ETIMEDOUT, TN_ECANCELED), it
 * cancels them, still waits for their ends, and returns that error. The group may be used again if it was not cancelled.
 *
 * It has no twin: the group lies in the frame of the function that waits.
 */
TN_API int tn_group_join(tn_group *group);

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

/*
 * Write to `out` what all parked coroutines of this thread's loop wait for: one line each, with the name of its function, the
 * waiting call, where that was called from, and since when. Names are those that the dynamic linker knows (link programs with
 * -rdynamic); others are file+offset, for addr2line. Debug builds add how much stack each function has used at most.
 */
TN_API void tn_loop_dump(FILE *out);

#ifdef __cplusplus
} /* extern "C" */

/* C++: the jitter as an argument. */
static inline int tn_periodic_spawn(tn_periodic **out, tn_loop *loop, double seconds, tn_task_fn *fn, void *arg = nullptr,
                                    double jitter = 0)
{
    tn_periodic_spawn_opts opts = {loop, seconds, fn, arg, jitter, 0};
    return tn_periodic_spawn_(out, &opts, offsetof(tn_periodic_spawn_opts, end_));
}

/* C++: tn_group_init(&g), or with a limit. */
static inline void tn_group_init(tn_group *group, unsigned max_running = 0)
{
    tn_group_opts opts = {group, max_running, 0};
    tn_group_init_(&opts, offsetof(tn_group_opts, end_));
}
#endif

#endif
