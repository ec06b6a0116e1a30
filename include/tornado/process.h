/*
 * Several processes: workers under a supervising parent. Tornado's process.fork_processes, with what operators expect besides:
 * a budget for restarts, rolling restarts on SIGHUP, a graceful end on SIGTERM.
 *
 * Most programs say `.workers = n` to tn_serve and need nothing of this. All calls exist since 0.1.
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
 * - a worker whose parent has died gets SIGTERM by itself (Linux), so no orphan keeps a port.
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

#ifdef __cplusplus
} /* extern "C" */

static inline int tn_fork_workers(tn_worker_fn *fn, tn_workers_opts opts = tn_workers_opts())
{
    opts.fn = fn;
    return tn_fork_workers_(&opts, offsetof(tn_workers_opts, end_));
}
#endif

#endif
