/*
 * What belongs to the frames of a coroutine: the scopes of TN_TIMEOUT, TN_SHIELD and TN_ARENA_SCOPE, and the calls of tn_defer.
 *
 * Scopes lie on the coroutine's stack and form a chain, innermost first; they end in the reverse order of their beginning, since
 * leaving a block is what ends them. task.c reads the chain when a task waits.
 */
#include "task.h"

/* Outside a coroutine there is nothing to limit: the block runs as if it stood alone (debug builds stop). */
static tn__scope *begin(tn_scope *scope, int kind, const char *call, const void *where)
{
    tn__scope *s = (tn__scope *)scope;
    tn_task *t = tn__task_current();
    s->task = t;
    if (!t) {
        tn__misuse(call, where, "is a scope of coroutines");
        return NULL;
    }
    s->kind = kind;
    s->outer = t->scopes;
    t->scopes = s;
    return s;
}

static void begin_timed(tn_scope *scope, int kind, double seconds, const char *call, const void *where)
{
    tn__scope *s = begin(scope, kind, call, where);
    if (s) s->at_ns = tn__loop_now(s->task->gen->loop) + tn__seconds_to_ns(seconds);
}

tn_scope *tn_timeout_begin(tn_scope *scope, double seconds)
{
    begin_timed(scope, TN__SCOPE_TIMEOUT, seconds, "TN_TIMEOUT", __builtin_return_address(0));
    return scope;
}

tn_scope *tn_shield_begin(tn_scope *scope, double seconds)
{
    begin_timed(scope, TN__SCOPE_SHIELD, seconds, "TN_SHIELD", __builtin_return_address(0));
    return scope;
}

tn_scope *tn_arena_scope_begin(tn_scope *scope, double unused)
{
    (void)unused;
    tn__scope *s = begin(scope, TN__SCOPE_ARENA, "TN_ARENA_SCOPE", __builtin_return_address(0));
    if (!s) return scope;
    s->outer_arena = s->task->arena;
    tn__arena_init(&s->arena, s->outer_arena->quota);
    s->task->arena = &s->arena;
    return scope;
}

void tn_scope_end(tn_scope *scope)
{
    tn__scope *s = (tn__scope *)scope;
    if (!s->task) return;
    s->task->scopes = s->outer;
    if (s->kind != TN__SCOPE_ARENA) return;
    s->task->arena = s->outer_arena;
    tn__arena_done(&s->arena);
}

void tn__scope_hold(tn__scope *s)
{
    *s = (tn__scope){.task = tn__task_current(), .kind = TN__SCOPE_SHIELD, .at_ns = INT64_MAX};
    s->outer = s->task->scopes;
    s->task->scopes = s;
}

void tn__scope_release(tn__scope *s)
{
    s->task->scopes = s->outer;
}

/* -- The end of a coroutine -- */

typedef struct tn__defer {
    struct tn__defer *before; /* made earlier, called later */
    tn_callback *fn;
    void *arg;
} tn__defer;

int tn_defer(tn_callback *fn, void *arg)
{
    tn_task *t = tn__task_current();
    if (!t) return tn__misuse(__func__, __builtin_return_address(0), "and only a coroutine has an end");
    /* In the task's own arena: an arena scope ends before the task does. */
    tn__defer *d = tn__arena_alloc(t->home, sizeof *d);
    if (!d) return TN_ENOMEM;
    *d = (tn__defer){t->defers, fn, arg};
    t->defers = d;
    return TN_OK;
}

void tn__task_unwind(tn_task *t)
{
    do {
        if (t->children) tn__group_finish(t->children);
        tn__defer *d = t->defers;
        if (!d) break;
        t->defers = d->before;
        d->fn(d->arg); /* which may defer other calls, and start other children */
    } while (true);
}
