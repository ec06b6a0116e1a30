/*
 * Conditions, events, semaphores and locks. Each is a line of waiting operations and at most a number.
 *
 * Always holds: nobody stands in line at a semaphore that is to be had, nor at an event that is set. An operation in line is linked
 * by its own work node, which nothing else uses while it is pending.
 */
#include "future.h"
#include "task.h"
#include "tornado/locks.h"

/* What a tn_cond is. Zeroed is empty. */
typedef struct line {
    tn__list ops;
    tn_loop *loop; /* of those who stand in it */
} line;

_Static_assert(sizeof(line) <= sizeof(tn_cond), "a line fits into what the header reserves");

static tn__op *first_in(line *l)
{
    if (!l->ops.next || tn__list_empty(&l->ops)) return NULL;
    return TN__OWNER(l->ops.next, tn__op, work.node);
}

static void withdraw(tn__op *op)
{
    tn__list_remove(&op->work.node);
}

static int line_up(tn_cond *cond, tn_loop *loop, tn__op *op)
{
    line *l = (line *)cond;
    if (!l->ops.next) tn__list_init(&l->ops);
    l->loop = loop;
    tn__op_begin(op, l, withdraw);
    tn__list_push(&l->ops, &op->work.node);
    return TN__PENDING;
}

/* Let the first one go on. False when there is none. */
static bool let_go(tn_cond *cond)
{
    line *l = (line *)cond;
    tn__op *op = first_in(l);
    if (!op) return false;
    tn__loop_check_thread(l->loop, "tn_cond_notify");
    tn__list_remove(&op->work.node);
    tn__op_end(l->loop, op, TN_OK);
    return true;
}

/* The two forms of every waiting call: `enter` is what it does with an operation. */
typedef int enter_fn(void *object, tn_loop *loop, tn__op *op);

static int wait_in(void *object, enter_fn *enter, const char *call, const void *where)
{
    tn__op *op;
    TN_TRY(tn__task_op_at(&op, call, where));
    int result = enter(object, tn__task_current()->gen->loop, op);
    return result == TN__PENDING ? tn__task_wait(op) : result;
}

static tn_future *start_in(void *object, enter_fn *enter, size_t room)
{
    tn_loop *loop = tn_loop_current();
    tn_future *f = tn__future_new(loop, room);
    if (f) tn__future_begun(f, enter(object, loop, &f->op));
    return f;
}

/* -- Condition -- */

static int enter_cond(void *cond, tn_loop *loop, tn__op *op)
{
    return line_up(cond, loop, op);
}

void tn_cond_init(tn_cond *cond)
{
    *cond = (tn_cond)TN_COND_INIT;
}

int tn_cond_wait(tn_cond *cond)
{
    return wait_in(cond, enter_cond, __func__, __builtin_return_address(0));
}

tn_future *tn_cond_wait_start(tn_cond *cond)
{
    return start_in(cond, enter_cond, 0);
}

void tn_cond_notify(tn_cond *cond, size_t n)
{
    while (n-- > 0 && let_go(cond)) continue;
}

void tn_cond_notify_all(tn_cond *cond)
{
    tn_cond_notify(cond, SIZE_MAX);
}

/* -- Event -- */

static int enter_event(void *event_, tn_loop *loop, tn__op *op)
{
    tn_event *event = event_;
    return event->set_ ? TN_OK : line_up(&event->waiters_, loop, op);
}

void tn_event_init(tn_event *event)
{
    *event = (tn_event)TN_EVENT_INIT;
}

bool tn_event_is_set(const tn_event *event)
{
    return event->set_;
}

void tn_event_set(tn_event *event)
{
    event->set_ = true;
    tn_cond_notify_all(&event->waiters_);
}

void tn_event_clear(tn_event *event)
{
    event->set_ = false;
}

int tn_event_wait(tn_event *event)
{
    return wait_in(event, enter_event, __func__, __builtin_return_address(0));
}

tn_future *tn_event_wait_start(tn_event *event)
{
    return start_in(event, enter_event, 0);
}

/* -- Semaphore -- */

static int enter_semaphore(void *semaphore_, tn_loop *loop, tn__op *op)
{
    tn_semaphore *semaphore = semaphore_;
    if (semaphore->value_ == 0) return line_up(&semaphore->waiters_, loop, op);
    semaphore->value_--;
    return TN_OK;
}

/* A released unit goes straight to the first in line, who holds it from then on, before having run. */
static int hand_on(tn_semaphore *semaphore)
{
    if (let_go(&semaphore->waiters_)) return TN_OK;
    if (semaphore->value_ == semaphore->bound_) return TN_EMISUSE;
    semaphore->value_++;
    return TN_OK;
}

/* A future is freed: what it holds, and nobody was told of, goes to the next. */
static void release_unclaimed(tn_future *f, bool unclaimed)
{
    if (unclaimed) hand_on(*(tn_semaphore **)tn__future_room(f));
}

void tn_semaphore_init(tn_semaphore *semaphore, unsigned value)
{
    *semaphore = (tn_semaphore)TN_SEMAPHORE_INIT(value);
}

void tn_semaphore_init_bounded(tn_semaphore *semaphore, unsigned value)
{
    *semaphore = (tn_semaphore)TN_SEMAPHORE_INIT_BOUNDED(value);
}

int tn_semaphore_acquire(tn_semaphore *semaphore)
{
    return wait_in(semaphore, enter_semaphore, __func__, __builtin_return_address(0));
}

tn_future *tn_semaphore_acquire_start(tn_semaphore *semaphore)
{
    tn_future *f = start_in(semaphore, enter_semaphore, sizeof semaphore);
    if (!f) return NULL;
    *(tn_semaphore **)tn__future_room(f) = semaphore;
    f->released = release_unclaimed;
    return f;
}

int tn_semaphore_release(tn_semaphore *semaphore)
{
    if (hand_on(semaphore) == TN_OK) return TN_OK;
    return tn__misuse(__func__, __builtin_return_address(0), "released more often than acquired");
}

/* -- Lock -- */

void tn_lock_init(tn_lock *lock)
{
    *lock = (tn_lock)TN_LOCK_INIT;
}

int tn_lock_acquire(tn_lock *lock)
{
    return wait_in(&lock->semaphore_, enter_semaphore, __func__, __builtin_return_address(0));
}

tn_future *tn_lock_acquire_start(tn_lock *lock)
{
    return tn_semaphore_acquire_start(&lock->semaphore_);
}

int tn_lock_release(tn_lock *lock)
{
    if (hand_on(&lock->semaphore_) == TN_OK) return TN_OK;
    return tn__misuse(__func__, __builtin_return_address(0), "released a lock that was not locked");
}
