/* The calls of tornado/process.h about programs run beside this one, over net/subprocess.h. */
#include "future.h"
#include "net/subprocess.h"
#include "task.h"

int tn_subprocess_start_(tn_subprocess **out, const tn_subprocess_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    tn__loop_check_thread(opts->loop, "tn_subprocess_start");
    tn__spawn_opts spawn = {.argv = opts->argv, .env = opts->env, .cwd = opts->cwd, .use = {opts->in, opts->out, opts->err}};
    return tn__subprocess_start(out, opts->loop, &spawn, TN__CHILD_ANY);
}

static tn_stream *stream_of(const tn_subprocess *p, int i)
{
    return p->streams[i] ? &p->streams[i]->stream : NULL;
}

tn_stream *tn_subprocess_in(const tn_subprocess *p)
{
    return stream_of(p, 0);
}

tn_stream *tn_subprocess_out(const tn_subprocess *p)
{
    return stream_of(p, 1);
}

tn_stream *tn_subprocess_err(const tn_subprocess *p)
{
    return stream_of(p, 2);
}

int tn_subprocess_pid(const tn_subprocess *p)
{
    return (int)p->child.pid;
}

int tn_subprocess_code(const tn_subprocess *p, int *code)
{
    if (tn__child_running(&p->child)) return TN_EBUSY;
    *code = p->code;
    return TN_OK;
}

int tn_subprocess_kill(tn_subprocess *p, int signum)
{
    tn__loop_check_thread(p->child.loop, __func__);
    return tn__child_kill(&p->child, signum);
}

void tn_subprocess_on_exit(tn_subprocess *p, tn_subprocess_callback *fn, void *arg)
{
    tn__loop_check_thread(p->child.loop, __func__);
    tn__subprocess_on_exit(p, fn, arg);
}

int tn_subprocess_wait(tn_subprocess *p, int *code)
{
    tn__op *op;
    tn__subprocess_waiter w;
    TN_TRY(tn__task_op(&op));
    int result = tn__subprocess_wait(p, &w, op);
    if (result == TN__PENDING) result = tn__task_wait(op);
    if (result == TN_OK && code) *code = p->code;
    return result;
}

tn_future *tn_subprocess_wait_start(tn_subprocess *p)
{
    tn__loop_check_thread(p->child.loop, __func__);
    tn_future *f = tn__future_new(p->child.loop, sizeof(tn__subprocess_waiter));
    if (f) tn__future_begun(f, tn__subprocess_wait(p, tn__future_room(f), &f->op));
    return f;
}

void tn_subprocess_free(tn_subprocess *p)
{
    if (p) tn__loop_check_thread(p->child.loop, __func__);
    tn__subprocess_free(p);
}
