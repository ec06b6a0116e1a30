/*
 * The event loop: Tornado's IOLoop.
 *
 * One loop serves one thread, and nearly every call belongs to that thread: the only call allowed from other threads is
 * tn_loop_add_callback, and the only one allowed from a signal handler is tn_loop_add_callback_from_signal. Debug builds stop with
 * a clear message on any other use from the wrong thread. A callback never runs before the call that took it has returned.
 *
 * A loop does not outlive fork: all that a child may do with a loop of its parent is to free it, which leaves the parent's
 * descriptors alone, and then make one of its own.
 *
 * Most programs never make a loop: tn_serve and tn_run do. All calls exist since 0.1.
 */
#ifndef TORNADO_IOLOOP_H
#define TORNADO_IOLOOP_H

#include "error.h"
#include "log.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_loop tn_loop;

typedef void tn_callback(void *arg);
typedef void tn_fd_callback(void *arg, int fd, unsigned events);
typedef void tn_signal_callback(void *arg, int signum);

/* What a descriptor is watched for, and what happened to it: Tornado's IOLoop constants. */
enum { TN_READ = 0x001, TN_WRITE = 0x004, TN_ERROR = 0x018 };

/*
 * Make a loop for the calling thread, which it belongs to from its first turn on.
 *
 * backend: "epoll", "kqueue", "poll", or NULL for the best that the system has (or what the environment variable
 * TORNADO_LOOP_BACKEND names). Gives the loop in `out`; free it with tn_loop_free. Fails with TN_ENOTSUP for a back-end that this
 * system lacks, TN_ENOMEM, or the system's error.
 */
TN_API int tn_loop_new(tn_loop **out, const char *backend);

/* Free a loop that is not running: pending callbacks and timeouts are dropped without being called. NULL is fine. */
TN_API void tn_loop_free(tn_loop *loop);

/* The loop that runs in this thread, or was last made current in it; NULL when there is none. */
TN_API tn_loop *tn_loop_current(void);

/* Make `loop` (or none, for NULL) the current one of this thread. tn_loop_run does it by itself. */
TN_API void tn_loop_make_current(tn_loop *loop);

/* Run turns until tn_loop_stop. Returns 0, TN_EMISUSE inside a turn of this loop, or the system's error when waiting fails. */
TN_API int tn_loop_run(tn_loop *loop);

/* Make tn_loop_run return at the end of its present turn, or, when it is not running, of its first one. */
TN_API void tn_loop_stop(tn_loop *loop);

/* The loop's clock in seconds: monotonic, read once a turn. Only differences mean anything. */
TN_API double tn_loop_time(const tn_loop *loop);

/*
 * Call fn(arg) in the loop's thread, in its next turn. The one call that any thread may make.
 *
 * Fails with TN_ENOMEM, and with TN_ECLOSED once the loop is being freed.
 */
TN_API int tn_loop_add_callback(tn_loop *loop, tn_callback *fn, void *arg);

/*
 * The same from a signal handler: allocates nothing, takes no lock. There is room for 64 calls that have not run yet; TN_EBUSY
 * beyond that.
 */
TN_API int tn_loop_add_callback_from_signal(tn_loop *loop, tn_callback *fn, void *arg);

/* A pending timeout. Opaque; 0 is none. One that has fired or was removed is never mistaken for another. */
typedef uint64_t tn_timeout;

/*
 * Call fn(arg) once, `delay` seconds from now (at once for zero or less, but never inside this call), or when tn_loop_time reaches
 * `when`. Timeouts fire in the order of their deadlines, equal ones in the order of their creation.
 *
 * Returns the timeout, for tn_remove_timeout, or 0 for lack of memory.
 */
TN_API tn_timeout tn_call_later(tn_loop *loop, double delay, tn_callback *fn, void *arg);
TN_API tn_timeout tn_call_at(tn_loop *loop, double when, tn_callback *fn, void *arg);

/* Forget a timeout. Harmless for one that has fired, was removed, or is 0. */
TN_API void tn_remove_timeout(tn_loop *loop, tn_timeout timeout);

/* A call that is made again and again: Tornado's PeriodicCallback. */
typedef struct tn_periodic tn_periodic;

typedef struct tn_periodic_opts {
    tn_loop *loop;   /* positional */
    double seconds;  /* positional: from the start of one call to the start of the next */
    tn_callback *fn; /* positional */
    void *arg;       /* positional: passed to it */
    double jitter;   /* 0 to 1: make each period longer or shorter by chance, by half of this part of it at most */
    char end_;
} tn_periodic_opts;

/*
 * Call fn(arg) every so many seconds, for the first time after one period:
 *
 *     tn_periodic_start(&flushing, loop, 5.0, flush, cache, .jitter = 0.1)
 *
 * Periods are counted from start to start. A call that takes longer than one skips those that begin meanwhile; they are not made
 * up for. tn_periodic_spawn (tornado/gen.h) does the same with a coroutine.
 *
 * Gives the periodic in `out` (NULL: nobody will stop it), until tn_periodic_stop or the end of the loop. TN_EINVAL when `seconds`
 * is not above 0, or for a jitter beyond its range; TN_ENOMEM.
 */
#ifndef __cplusplus
#define tn_periodic_start(out, ...)                                                                                                \
    tn_periodic_start_((out), &(tn_periodic_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_periodic_opts, end_))
#endif
TN_API int tn_periodic_start_(tn_periodic **out, const tn_periodic_opts *opts, size_t opts_size);

/*
 * Make no more of these calls, and free the periodic; one that is under way comes to its end. May be called from the function
 * itself, but not once the loop is freed. NULL is fine.
 */
TN_API void tn_periodic_stop(tn_periodic *periodic);

/*
 * Watch a descriptor of yours: fn(arg, fd, events) is called in every turn in which it is ready (level-triggered). TN_ERROR is
 * always watched for. The descriptor stays yours: remove it here before closing it.
 *
 * Fails with TN_EEXIST when it is watched already, TN_ENOMEM, or the system's error.
 */
TN_API int tn_loop_add_handler(tn_loop *loop, int fd, unsigned events, tn_fd_callback *fn, void *arg);

/* Change what a descriptor is watched for. TN_ENOENT when it is not watched. */
TN_API int tn_loop_update_handler(tn_loop *loop, int fd, unsigned events);

/* Stop watching a descriptor: fn is not called again, not even for what has already happened. Silent when it is not watched. */
TN_API void tn_loop_remove_handler(tn_loop *loop, int fd);

/*
 * Call fn(arg, signum) in the loop's thread whenever the process receives that signal. This changes the signal's disposition (which
 * nothing else in the library does but tn_serve). Signals of one number that arrive before the call is made count as one. One watcher
 * a signal in the whole process: TN_EEXIST when there is one.
 */
TN_API int tn_signal_watch(tn_loop *loop, int signum, tn_signal_callback *fn, void *arg);

/* Stop, and give the signal the disposition back that it had. Silent when this loop does not watch it. */
TN_API void tn_signal_unwatch(tn_loop *loop, int signum);

/*
 * Where the library's own log lines go; NULL silences it, which is how a loop begins. Lines below `level` are not even formatted.
 * The function runs in the loop's thread, in the middle of other work: it must not call back into the library.
 */
TN_API void tn_loop_set_log(tn_loop *loop, tn_log_fn *fn, void *arg, int level);

/* Put a line of your own on the loop's log, as tornado.application. */
TN_API void tn_loop_log(tn_loop *loop, int level, const char *format, ...) TN_PRINTF(3, 4);

/*
 * Driving a loop from outside, inside GLib's loop or asyncio or libuv:
 * watch tn_loop_backend_fd for input; when it is readable, when tn_loop_backend_timeout has passed, or when the wake function was
 * called, call tn_loop_turn(loop, 0).
 */

/*
 * One turn, waiting `seconds` at most for something to happen (0: not at all; negative: as long as it takes). 0 or an error:
 * TN_EMISUSE inside a turn of this loop.
 */
TN_API int tn_loop_turn(tn_loop *loop, double seconds);

/* The descriptor to watch. TN_ENOTSUP with the poll back-end, which has none. */
TN_API int tn_loop_backend_fd(const tn_loop *loop);

/* Seconds until tn_loop_turn must be called even if nothing happens: 0 is at once, negative is never. */
TN_API double tn_loop_backend_timeout(const tn_loop *loop);

/*
 * fn(arg) is called, in the loop's thread, whenever work was queued outside a turn, or a deadline became earlier, so that the host
 * must ask for the timeout again, and after a turn that left work behind. At most once between two turns.
 */
TN_API void tn_loop_set_wake(tn_loop *loop, tn_callback *fn, void *arg);

/* A clock of your own, in nanoseconds, for tests that drive time by hand; NULL gives the system's monotonic clock back. */
typedef int64_t tn_clock(void *arg);
TN_API void tn_loop_set_clock(tn_loop *loop, tn_clock *clock, void *arg);

#ifdef __cplusplus
} /* extern "C" */

/* C++: the jitter as an argument. */
static inline int tn_periodic_start(tn_periodic **out, tn_loop *loop, double seconds, tn_callback *fn, void *arg = nullptr,
                                    double jitter = 0)
{
    tn_periodic_opts opts = {loop, seconds, fn, arg, jitter, 0};
    return tn_periodic_start_(out, &opts, offsetof(tn_periodic_opts, end_));
}
#endif

#endif
