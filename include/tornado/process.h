/*
 * Several processes.
 *
 * Workers under a supervising parent: Tornado's process.fork_processes, with what operators expect besides: a budget for restarts,
 * rolling restarts on SIGHUP, a graceful end on SIGTERM. Most programs say `.workers = n` to tn_serve and need nothing of this.
 *
 * Other programs run beside this one, with streams to them: Tornado's process.Subprocess.
 *
 * All calls exist since 0.1.
 */
#ifndef TORNADO_PROCESS_H
#define TORNADO_PROCESS_H

#include "error.h"
#include "ioloop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many CPUs this process may use: at least 1. Any thread. */
TN_API int tn_cpu_count(void);

/* A worker, as it knows itself. Valid as long as its process. */
typedef struct tn_worker tn_worker;

/* What a worker does; its return value is the exit status of its process. */
typedef int tn_worker_fn(tn_worker *worker, void *arg);

typedef struct tn_workers_opts {
    tn_worker_fn *fn;     /* positional: runs in each worker */
    void *arg;            /* its argument */
    int count;            /* how many; 0 or less: one for each CPU */
    int restarts_max;     /* how often, all together, a worker that failed is started again. Default 100; negative: never */
    double grace;         /* seconds that workers get after SIGTERM before they are killed. Default 35; negative: none */
    double ready_timeout; /* for a worker to become ready in a rolling restart. Default 30 */
    int log_level;        /* least level of the parent's own lines on standard error. Default TN_LOG_INFO */
    char end_;
} tn_workers_opts;

/*
 * Fork workers and supervise them: tn_fork_workers(fn, .arg = &config, .count = 4).
 *
 * In each worker, fn(worker, arg) runs and its process then exits. In the parent the call returns when all workers have ended:
 *
 * - a worker that exits with 0 has done its work; one that fails or is killed is started again under the same number, at once the
 *   first time and then a little later each time, until `restarts_max` is used up;
 * - SIGTERM and SIGINT are passed on as SIGTERM, once; a second one kills;
 * - SIGHUP replaces the workers one after the other: a new one is started, and when it says that it is ready (tn_worker_ready), the
 *   old one gets SIGTERM. One that does not become ready is killed, and the old ones stay.
 * - a worker whose parent has died gets SIGTERM by itself (Linux), so no orphan keeps a port;
 * - systemd (Type=notify) is told when all workers have said that they are ready, when they are replaced, and when they stop.
 *
 * Must be called while the process has one thread and no running loop. Returns 0 when all workers ended well or were told to,
 * TN_ETOOBIG when the restarts were used up, TN_EMISUSE inside a running loop, TN_ENOMEM, or the system's error.
 */
#ifndef __cplusplus
#define tn_fork_workers(...) tn_fork_workers_(&(tn_workers_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_workers_opts, end_))
#endif
TN_API int tn_fork_workers_(const tn_workers_opts *opts, size_t opts_size);

/* Which one it is, from 0; a worker that takes the place of another has its number. Tornado's task_id. */
TN_API int tn_worker_id(const tn_worker *worker);

/* Tell the parent that this worker is at work. Harmless a second time. */
TN_API void tn_worker_ready(tn_worker *worker);

/* Another program, run as a child of this process. */
typedef struct tn_subprocess tn_subprocess;
typedef struct tn_stream tn_stream;
typedef struct tn_future tn_future;

/* code: the exit status, or the negated number of the signal that ended the process. */
typedef void tn_subprocess_callback(void *arg, int code);

/* What a standard descriptor of the program is; a number above 0 is a descriptor of ours to be copied. */
enum {
    TN_INHERIT = 0,  /* that of this process */
    TN_STREAM = -1,  /* a pipe, whose other end is a stream here */
    TN_DEVNULL = -2, /* /dev/null */
    TN_STDOUT = -3   /* for the standard error only: wherever the standard output goes */
};

typedef struct tn_subprocess_opts {
    tn_loop *loop;           /* positional */
    const char *const *argv; /* positional: the program and its arguments, and NULL. Without a slash it is looked for in PATH */
    const char *const *env;  /* its environment, "NAME=value", and NULL; default: that of this process */
    const char *cwd;         /* the directory it starts in; default: that of this process */
    int in, out, err;        /* TN_INHERIT, TN_STREAM, ...: see above */
    char end_;
} tn_subprocess_opts;

/*
 * Start a program.
 *
 *     const char *const argv[] = {"sort", "-n", NULL};
 *     TN_TRY(tn_subprocess_start(&sort, loop, argv, .in = TN_STREAM, .out = TN_STREAM));
 *
 * It has the standard dispositions of all signals, and no descriptor of this process but 0, 1 and 2. Gives it in `out`; free it with
 * tn_subprocess_free. Fails with what the system says, also of the program's file (TN_ENOENT, -EACCES); with TN_EINVAL for wrong
 * options; TN_ENOMEM; or TN_EEXIST, on systems that announce the end of a child by SIGCHLD only, when the program watches that
 * signal itself. Loop thread only.
 */
#ifndef __cplusplus
#define tn_subprocess_start(out, ...)                                                                                              \
    tn_subprocess_start_((out), &(tn_subprocess_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_subprocess_opts, end_))
#endif
TN_API int tn_subprocess_start_(tn_subprocess **out, const tn_subprocess_opts *opts, size_t opts_size);

/*
 * The streams (tornado/iostream.h) to its standard input and from its standard output and error; NULL for those that are no
 * TN_STREAM. Borrowed: valid until tn_subprocess_free. tn_stream_shutdown_write on the first tells the program that its input ends.
 */
TN_API tn_stream *tn_subprocess_in(const tn_subprocess *subprocess);
TN_API tn_stream *tn_subprocess_out(const tn_subprocess *subprocess);
TN_API tn_stream *tn_subprocess_err(const tn_subprocess *subprocess);

/* The number of its process. */
TN_API int tn_subprocess_pid(const tn_subprocess *subprocess);

/*
 * Wait for its end. Gives its exit status, or the negated number of the signal that ended it, in `code` (may be NULL); 255 when
 * somebody else has reaped it. Any number of coroutines may wait, also when it has ended already; TN_ECLOSED if it is freed
 * meanwhile. A program may wait for its reader before it ends: read its streams first.
 */
TN_API int tn_subprocess_wait(tn_subprocess *subprocess, int *code);
TN_API tn_future *tn_subprocess_wait_start(tn_subprocess *subprocess); /* then tn_subprocess_code */

/* What tn_subprocess_wait gives, without waiting: TN_EBUSY while it runs. */
TN_API int tn_subprocess_code(const tn_subprocess *subprocess, int *code);

/* Call fn(arg, code) when it has ended, or soon when it has already, from the ready phase. NULL: nobody any more. */
TN_API void tn_subprocess_on_exit(tn_subprocess *subprocess, tn_subprocess_callback *fn, void *arg);

/* Send it a signal. TN_ECLOSED when it has ended, so no other process is ever hit; or the system's error. */
TN_API int tn_subprocess_kill(tn_subprocess *subprocess, int signum);

/*
 * Free it, and its streams. A program that still runs goes on, its pipes cut off, and leaves no zombie as long as the loop lives.
 * The exit callback is not called any more. To be called before the loop is freed. NULL is fine.
 */
TN_API void tn_subprocess_free(tn_subprocess *subprocess);

#ifdef __cplusplus
} /* extern "C" */

static inline int tn_fork_workers(tn_worker_fn *fn, tn_workers_opts opts = tn_workers_opts())
{
    opts.fn = fn;
    return tn_fork_workers_(&opts, offsetof(tn_workers_opts, end_));
}
static inline int tn_subprocess_start(tn_subprocess **out, tn_loop *loop, const char *const *argv,
                                      tn_subprocess_opts opts = tn_subprocess_opts())
{
    opts.loop = loop;
    opts.argv = argv;
    return tn_subprocess_start_(out, &opts, offsetof(tn_subprocess_opts, end_));
}
#endif

#endif
