/*
 * The life of a task: call, park, resume, end; and what cuts a wait short. See task.h for what always holds.
 *
 * Until a task waits for the first time only a few words of it are written: a handler that answers at once must not pay for what
 * others need.
 */
#include "task.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"

_Static_assert(sizeof(tn_task) <= TN__STACK_ROOM, "a task fits into the room of its stack");
_Static_assert(offsetof(tn__stack, room) == 0, "a task and its stack have one address");
_Static_assert(sizeof(tn__scope) <= sizeof(tn_scope), "a scope fits into what the header reserves");

/* The library is linked or loaded at start: the cheap model of thread-local storage will do. A task never leaves its thread. */
static _Thread_local tn_task *current __attribute__((tls_model("initial-exec")));

tn_task *tn__task_current(void)
{
    return current;
}

tn_task *tn_task_current(void)
{
    return current;
}

tn__arena *tn__task_arena(void)
{
    return current ? current->arena : NULL;
}

static tn__coro *coro_of(tn_task *t)
{
    return &((tn__stack *)t)->coro;
}

int tn__misuse(const char *call, const void *where, const char *why)
{
#if TN_DEBUG_CHECKS
    Dl_info at = {0};
    dladdr(where, &at);
    fprintf(stderr, "tornado: %s, called at %p (%s), %s\n", call, where, at.dli_sname ? at.dli_sname : "?", why);
    abort();
#else
    (void)call, (void)where, (void)why;
    return TN_EMISUSE;
#endif
}

/* -- Limits -- */

/*
 * When a wait of this task must end at the latest, and with what error. A shield holds back, for its time, whatever comes from
 * outside it: cancellation and the deadlines of outer scopes. While the loop is being freed only unbounded shields hold.
 */
static int64_t wait_limit(const tn_task *t, int *error)
{
    int64_t at_ns = INT64_MAX, shield_ns = INT64_MIN;
    for (const tn__scope *s = t->scopes; s; s = s->outer) {
        if (s->kind == TN__SCOPE_SHIELD) {
            if (s->at_ns > shield_ns && (!t->gen->closing || s->at_ns == INT64_MAX)) shield_ns = s->at_ns;
        } else if (s->kind == TN__SCOPE_TIMEOUT) {
            int64_t deadline_ns = s->at_ns > shield_ns ? s->at_ns : shield_ns;
            if (deadline_ns < at_ns) {
                at_ns = deadline_ns;
                *error = TN_ETIMEDOUT;
            }
        }
    }
    if (t->cancelled && shield_ns <= at_ns) {
        at_ns = shield_ns;
        *error = TN_ECANCELED;
    }
    return at_ns;
}

/* The limit has come while the task is parked: it goes on from the ready phase. What has ended already keeps its result. */
static void cut_short(tn_task *t, int error)
{
    if (!t->parked || t->op.state != TN__OP_PENDING) return;
    tn__op_cancel(&t->op);
    t->result = error;
    tn__soon(t->gen->loop, &t->wake);
}

/* Have the timer fire no later than `at_ns`. It is never made later, nor stopped by a wait that ends: most waits end in time. */
static int arm(tn_task *t, int64_t at_ns)
{
    if (at_ns >= t->limit_ns) return TN_OK;
    TN_TRY(tn__timer_start(t->gen->loop, &t->timer, at_ns));
    t->limit_ns = at_ns;
    return TN_OK;
}

void tn__task_check(tn_task *t)
{
    int error = TN_OK;
    if (!t->parked) return;
    int64_t at_ns = wait_limit(t, &error);
    if (at_ns <= tn__loop_now(t->gen->loop))
        cut_short(t, error);
    else if (arm(t, at_ns) < 0)
        cut_short(t, TN_ENOMEM);
}

static void on_timer(tn_loop *loop, tn__timer *timer)
{
    tn_task *t = TN__OWNER(timer, tn_task, timer);
    (void)loop;
    t->limit_ns = INT64_MAX;
    tn__task_check(t);
}

void tn_cancel(tn_task *t)
{
    if (!t || t->cancelled) return;
    tn__loop_check_thread(t->gen->loop, __func__);
    t->cancelled = true;
    tn__task_check(t);
}

/* -- Start and end -- */

/* On the task's own stack. Its frame is the outermost there: nothing may run after tn__coro_end. */
TN__NO_SANITIZE_THREAD static void body(tn__coro *coro)
{
    tn__coro_begin(coro);
    tn_task *t = (tn_task *)TN__OWNER(coro, tn__stack, coro)->room;
    int result = t->start->fn(t->start->arg);
    if (t->children || t->defers) tn__task_unwind(t);
#if TN_DEBUG_CHECKS
    if (t->unjoined) tn__misuse("tn_group_init", (void *)t->start->fn, "made a group that was never joined");
#endif
    t->result = result; /* not earlier: unwinding may wait */
    tn__coro_end(coro);
}

/* The task has returned: nobody will run on its stack again. */
TN__INLINE void release(tn_task *t)
{
    tn__stack *stack = (tn__stack *)t;
    if (t->known) {
        tn__timer_stop(t->gen->loop, &t->timer);
        tn__list_remove(&t->node);
    }
    if (stack->arena.first) tn__arena_reset(&stack->arena);
#if TN_DEBUG_CHECKS
    tn__mark_stack(t->gen, stack, t->start);
#endif
    tn__stack_put(&t->gen->stacks, stack);
}

int tn__task_call(tn_loop *loop, const tn__task_spec *spec, int *result, tn_task **task)
{
    tn__gen *gen = tn__gen_of(loop);
    tn__stack *stack = gen ? tn__stack_get(&gen->stacks, spec->stack_size) : NULL;
    if (!stack) return TN_ENOMEM;

    tn_task *t = (tn_task *)stack->room;
    t->gen = gen;
    t->outer = current;
    t->start = spec;
    t->arena = t->home = spec->arena ? spec->arena : &stack->arena;
    t->scopes = NULL;
    t->defers = NULL;
    t->children = NULL;
    t->unjoined = 0;
    t->cancelled = gen->closing;
    t->parked = t->known = false;

    current = t;
    bool returned = tn__coro_start(coro_of(t), body);
    current = t->outer;
    if (!returned) {
        t->spec = *spec;
        t->start = &t->spec;
        *task = t;
        return TN__PENDING;
    }
    *result = t->result;
    release(t);
    return TN_OK;
}

/* On the loop's own stack: let a parked task go on, its wait having come to `result`. */
static void resume(tn_task *t, int result)
{
    tn_loop *loop = t->gen->loop;
    t->parked = false;
    t->result = result;
    t->outer = current;
    current = t;
    bool returned = tn__coro_resume(coro_of(t));
    current = t->outer;
    if (!returned) return;

    tn__task_spec spec = t->spec;
    int value = t->result;
    release(t);
    if (spec.ended) spec.ended(loop, spec.arg, value);
}

/* -- Waiting -- */

static void on_op_done(tn_loop *loop, tn__op *op, int result)
{
    (void)loop;
    resume(TN__OWNER(op, tn_task, op), result);
}

static void on_wake(tn_loop *loop, tn__work *work)
{
    tn_task *t = TN__OWNER(work, tn_task, wake);
    (void)loop;
    resume(t, t->result);
}

/* What only tasks that wait need. */
static void introduce(tn_task *t)
{
    tn__list_init(&t->node);
    tn__list_push(&t->gen->tasks, &t->node);
    tn__work_init(&t->wake, on_wake);
    tn__timer_init(&t->timer, on_timer);
    t->limit_ns = INT64_MAX;
    t->known = true;
}

int tn__task_op_at(tn__op **op, const char *call, const void *where)
{
    tn_task *t = current;
    if (!t) return tn__misuse(call, where, "waits, and only a coroutine can wait");
    int error = TN_OK;
    if ((t->scopes || t->cancelled) && wait_limit(t, &error) <= tn__loop_now(t->gen->loop)) return error;
    if (!t->known) introduce(t);
    t->call = call;
    t->where = where;
    tn__op_init(&t->op, on_op_done);
    *op = &t->op;
    return TN_OK;
}

int tn__task_wait(tn__op *op)
{
    tn_task *t = TN__OWNER(op, tn_task, op);
    int error = TN_OK;
    int64_t at_ns = t->scopes ? wait_limit(t, &error) : INT64_MAX;
    error = arm(t, at_ns);
    if (error < 0) {
        tn__op_cancel(op);
        return error;
    }
    t->since_ns = tn__loop_now(t->gen->loop);
    t->parked = true;
    tn__coro_park(coro_of(t));
    return t->result;
}

/* -- The end of the loop -- */

/* Let a task go on whose wait has ended or may not go on. False when it waits for another one to end. */
static bool close_one(tn_task *t)
{
    int result = t->op.result;
    if (tn__work_queued(&t->wake))
        result = t->result;
    else if (t->op.state == TN__OP_PENDING) {
        t->cancelled = true;
        if (wait_limit(t, &result) == INT64_MAX) return false;
    }
    tn__op_cancel(&t->op);
    tn__work_cancel(&t->wake);
    resume(t, result);
    return true;
}

void tn__tasks_close(tn__gen *gen)
{
    /* The oldest that can go on goes on: those that joined others wait at the front of the list until these have ended. */
    for (tn__list *at = gen->tasks.next; at != &gen->tasks;)
        at = close_one(TN__OWNER(at, tn_task, node)) ? gen->tasks.next : at->next;
}
