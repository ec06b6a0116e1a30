/* tn_periodic_spawn: a coroutine at regular times, over core/periodic.c. */
#include "core/periodic.h"

#include "task.h"

static int body(void *arg)
{
    tn_periodic *p = arg;
    return p->fn.coroutine(p->arg);
}

static void ended(tn_loop *loop, void *arg, int result)
{
    if (result < 0 && result != TN_ECANCELED)
        TN__SAY(&loop->report, TN_LOG_ERROR, TN_LOG_APPLICATION, "Error in periodic coroutine: %s", tn_strerror(result));
    tn__periodic_ran(arg);
}

static void run(tn_periodic *p)
{
    tn__task_spec spec = {.fn = body, .arg = p, .ended = ended, .origin = p->fn.coroutine};
    tn_task *task;
    int result = TN_OK;
    int begun = tn__task_call(p->loop, &spec, &result, &task);
    if (begun != TN__PENDING) ended(p->loop, p, begun < 0 ? begun : result);
}

int tn_periodic_spawn_(tn_periodic **out, const tn_periodic_spawn_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    tn__loop_check_thread(opts->loop, "tn_periodic_spawn");
    tn_periodic like = {.loop = opts->loop, .run = run, .fn.coroutine = opts->fn, .arg = opts->arg, .jitter = opts->jitter};
    return tn__periodic_new(out, &like, opts->seconds);
}
