/*
 * Groups: coroutines whose end their starter waits for, some of them perhaps waiting for their turn.
 *
 * Always holds: a group's children are in its list until they have ended, in the order of tn_go; `busy_n` counts those that have
 * begun or are about to. The group lies in a frame of its owner, which therefore must not go on before the list is empty.
 */
#include "base/alloc.h"
#include "task.h"

typedef struct group {
    tn_loop *loop;
    tn_task *owner;    /* whose frame it lies in; NULL when it was begun outside a coroutine */
    tn__list children; /* of child */
    tn__op *joiner;    /* to be ended with the last child */
    unsigned max_running, busy_n;
    int error; /* the first one */
    bool cancelled;
} group;

_Static_assert(sizeof(group) <= sizeof(tn_group), "a group fits into what the header reserves");

typedef struct child {
    tn__list node;
    tn__work begin;
    group *group;
    tn_task_fn *fn;
    void *arg;
    enum { WAITING, BEGINNING, RUNNING } state;
    tn_task *task; /* once RUNNING and parked */
} child;

static void remember(group *g, int error)
{
    if (error < 0 && g->error == TN_OK) g->error = error;
}

/* Let as many begin as may. */
static void advance(group *g)
{
    for (tn__list *at = g->children.next; at != &g->children; at = at->next) {
        if (g->max_running && g->busy_n >= g->max_running) return;
        child *c = TN__OWNER(at, child, node);
        if (c->state != WAITING) continue;
        c->state = BEGINNING;
        g->busy_n++;
        tn__soon(g->loop, &c->begin);
    }
}

/* The child has ended, or will never begin. */
static void forget(child *c)
{
    group *g = c->group;
    tn__list_remove(&c->node);
    tn__work_cancel(&c->begin);
    if (c->state != WAITING) g->busy_n--;
    if (g->owner) g->owner->unjoined--;
    tn__free(c);
}

static void on_child_end(tn_loop *loop, void *arg, int result)
{
    child *c = arg;
    group *g = c->group;
    forget(c);
    remember(g, result);
    if (!tn__list_empty(&g->children))
        advance(g);
    else if (g->joiner)
        tn__op_end(loop, g->joiner, TN_OK);
}

static int child_body(void *arg)
{
    child *c = arg;
    return c->fn(c->arg);
}

static void on_begin(tn_loop *loop, tn__work *work)
{
    child *c = TN__OWNER(work, child, begin);
    tn__task_spec spec = {.fn = child_body, .arg = c, .ended = on_child_end, .origin = c->fn};
    int result = TN_OK;
    c->state = RUNNING;
    int begun = tn__task_call(loop, &spec, &result, &c->task);
    if (begun != TN__PENDING) on_child_end(loop, c, begun < 0 ? begun : result);
}

/* -- The public calls -- */

static void init(group *g, unsigned max_running)
{
    *g = (group){.loop = tn_loop_current(), .owner = tn__task_current(), .max_running = max_running};
    tn__list_init(&g->children);
}

void tn_group_init_(const tn_group_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    init((group *)opts->group, opts->max_running);
}

/* The group that the running coroutine has of itself, made when first asked for. */
static group *own_group(void)
{
    tn_task *t = tn__task_current();
    if (t->children) return (group *)t->children;
    group *g = tn__arena_alloc(t->home, sizeof(tn_group));
    if (!g) return NULL;
    init(g, 0);
    t->children = (tn_group *)g;
    return g;
}

int tn_go(tn_group *group_, tn_task_fn *fn, void *arg)
{
    group *g = (group *)group_;
    if (g ? !g->loop : !tn__task_current())
        return tn__misuse(__func__, __builtin_return_address(0), g ? "needs a loop" : "has no group of a coroutine here");
    if (!g && !(g = own_group())) return TN_ENOMEM;
    if (g->cancelled) return TN_ECANCELED;
    child *c = tn__alloc(sizeof *c);
    if (!c) {
        remember(g, TN_ENOMEM);
        return TN_ENOMEM;
    }
    *c = (child){.group = g, .fn = fn, .arg = arg, .state = WAITING};
    tn__list_init(&c->node);
    tn__list_push(&g->children, &c->node);
    tn__work_init(&c->begin, on_begin);
    if (g->owner) g->owner->unjoined++;
    advance(g);
    return TN_OK;
}

void tn_group_cancel(tn_group *group_)
{
    group *g = (group *)group_;
    g->cancelled = true;
    for (tn__list *at = g->children.next, *next; at != &g->children; at = next) {
        child *c = TN__OWNER(at, child, node);
        next = at->next;
        if (c->state != RUNNING)
            forget(c);
        else
            tn_cancel(c->task);
    }
    if (g->joiner && tn__list_empty(&g->children)) tn__op_end(g->loop, g->joiner, TN_OK);
}

static void withdraw(tn__op *op)
{
    ((group *)op->holder)->joiner = NULL;
}

static int join(group *g, const char *call, const void *where)
{
    tn__op *op;
    TN_TRY(tn__task_op_at(&op, call, where));
    if (tn__list_empty(&g->children)) return TN_OK;
    tn__op_begin(op, g, withdraw);
    g->joiner = op;
    int result = tn__task_wait(op);
    g->joiner = NULL;
    return result;
}

/* The children use the frames of this coroutine: whatever its deadlines say, their ends are waited for. */
static void cancel_and_join(group *g, const char *call, const void *where)
{
    tn__scope hold;
    tn_group_cancel((tn_group *)g);
    tn__scope_hold(&hold);
    join(g, call, where);
    tn__scope_release(&hold);
}

int tn_group_join(tn_group *group_)
{
    group *g = (group *)group_;
    const void *where = __builtin_return_address(0);
    if (!tn__task_current()) return tn__misuse(__func__, where, "waits, and only a coroutine can wait");
    int result = join(g, __func__, where);
    if (result < 0) cancel_and_join(g, __func__, where);
    int error = g->error;
    g->error = TN_OK;
    return result < 0 ? result : error;
}

void tn__group_finish(tn_group *group_)
{
    group *g = (group *)group_;
    if (!tn__list_empty(&g->children)) cancel_and_join(g, "the end of its function", __builtin_return_address(0));
    g->cancelled = false; /* a deferred call may use it again */
}
