/* A child process with streams: see subprocess.h. */
#include "subprocess.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "pipe.h"
#include "socket.h"

static void forget(tn_subprocess *p)
{
    for (int i = 0; i < 3; i++) tn__iostream_free(p->streams[i]);
    tn__work_cancel(&p->tell);
    tn__free(p);
}

static void on_tell(tn_loop *loop, tn__work *work)
{
    (void)loop;
    tn_subprocess *p = TN__OWNER(work, tn_subprocess, tell);
    tn_subprocess_callback *fn = p->on_exit;
    p->on_exit = NULL;
    if (fn) fn(p->on_exit_arg, p->code); /* which may free it */
}

static void on_ended(tn__child *child, int code)
{
    tn_subprocess *p = TN__OWNER(child, tn_subprocess, child);
    p->code = code;
    if (p->orphan) {
        forget(p);
        return;
    }
    for (tn__list *node; (node = tn__list_pop(&p->waiters));)
        tn__op_end(child->loop, TN__OWNER(node, tn__subprocess_waiter, node)->op, TN_OK);
    if (p->on_exit) tn__soon(child->loop, &p->tell);
}

static void on_dropped(tn__child *child)
{
    tn_subprocess *p = TN__OWNER(child, tn_subprocess, child);
    if (p->orphan) forget(p);
}

/* The process that runs already cannot be had after all. */
static void kill_and_reap(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* Streams of our ends of the pipes, all of which belong to somebody else afterwards, even on failure. */
static int open_streams(tn_subprocess *p, tn_loop *loop, const int ends[3])
{
    int result = TN_OK;
    for (int i = 0; i < 3; i++) {
        if (ends[i] < 0) continue;
        if (result == TN_OK) result = tn__socket_adopt(ends[i]);
        if (result == TN_OK)
            p->streams[i] = tn__iostream_new(loop, ends[i], tn__transport_for(ends[i]), &result);
        else
            close(ends[i]);
        if (p->streams[i]) result = TN_OK;
    }
    return result;
}

int tn__subprocess_start(tn_subprocess **out, tn_loop *loop, const tn__spawn_opts *opts, tn__child_way way)
{
    tn_subprocess *p = tn__zalloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    p->child.ended = on_ended;
    p->child.dropped = on_dropped;
    tn__list_init(&p->waiters);
    tn__work_init(&p->tell, on_tell);
    int ends[3];
    pid_t pid = 0;
    int result = tn__spawn(opts, &pid, ends);
    if (result == TN_OK) {
        result = open_streams(p, loop, ends);
        if (result == TN_OK) result = tn__child_watch(loop, &p->child, pid, way);
        if (result < 0) kill_and_reap(pid);
    }
    if (result < 0)
        forget(p);
    else
        *out = p;
    return result;
}

static void withdraw(tn__op *op)
{
    tn__list_remove(&((tn__subprocess_waiter *)op->holder)->node);
}

int tn__subprocess_wait(tn_subprocess *p, tn__subprocess_waiter *w, tn__op *op)
{
    if (!tn__child_running(&p->child)) return TN_OK;
    w->op = op;
    tn__list_init(&w->node);
    tn__list_push(&p->waiters, &w->node);
    tn__op_begin(op, w, withdraw);
    return TN__PENDING;
}

void tn__subprocess_on_exit(tn_subprocess *p, tn_subprocess_callback *fn, void *arg)
{
    p->on_exit = fn;
    p->on_exit_arg = arg;
    if (fn && !tn__child_running(&p->child)) tn__soon(p->child.loop, &p->tell);
}

void tn__subprocess_free(tn_subprocess *p)
{
    if (!p) return;
    for (tn__list *node; (node = tn__list_pop(&p->waiters));)
        tn__op_end(p->child.loop, TN__OWNER(node, tn__subprocess_waiter, node)->op, TN_ECLOSED);
    if (!tn__child_running(&p->child)) {
        forget(p);
        return;
    }
    for (int i = 0; i < 3; i++) {
        tn__iostream_free(p->streams[i]);
        p->streams[i] = NULL;
    }
    p->orphan = true;
}
