/*
 * Futures: see tornado/concurrent.h for what they promise, future.h for how `_start` calls make them.
 *
 * Always holds: a future is in its loop's list exactly while it is pending, and its operation is pending only then. Those who wait
 * are told inside the call that ends it, but do no more there than to queue themselves for the ready phase.
 */
#include "future.h"

#include "base/alloc.h"

static void on_op_done(tn_loop *loop, tn__op *op, int result)
{
    tn_future *f = TN__OWNER(op, tn_future, op);
    (void)loop;
    tn_future_set(f, result);
}

tn_future *tn__future_new(tn_loop *loop, size_t room)
{
    tn__gen *gen = loop ? tn__gen_of(loop) : NULL;
    if (!gen || gen->closing) return NULL;
    tn_future *f = tn__zalloc(((sizeof *f + 15) & ~(size_t)15) + room);
    if (!f) return NULL;
    f->loop = loop;
    f->refs = 1;
    f->result = TN_EBUSY;
    tn__op_init(&f->op, on_op_done);
    tn__list_init(&f->watches);
    tn__list_init(&f->node);
    tn__list_push(&gen->futures, &f->node);
    return f;
}

tn_future *tn_future_new(tn_loop *loop)
{
    tn__loop_check_thread(loop, "tn_future_new");
    return tn__future_new(loop, 0);
}

tn_future *tn_future_ref(tn_future *f)
{
    f->refs++;
    return f;
}

void tn_future_unref(tn_future *f)
{
    if (!f || --f->refs > 0) return;
    bool well = f->done ? f->result >= 0 : f->op.state == TN__OP_ENDED && f->op.result >= 0;
    tn__op_cancel(&f->op);
    if (f->released) f->released(f, well && !f->claimed);
    tn__list_remove(&f->node);
    /* Nobody holds a reference, so that nobody can be watching either: watchers hold one. */
    if (f->destroy) f->destroy(f->value);
    tn__free(f);
}

/* -- Ending -- */

/* Pending no more: tell whoever watches. A watcher may give the last reference back, so we hold one meanwhile. */
static int finish(tn_future *f, int result)
{
    tn__loop_check_thread(f->loop, "tn_future_set");
    f->done = true;
    f->result = result;
    tn__list_remove(&f->node);
    tn_future_ref(f);
    for (tn__list *node; (node = tn__list_pop(&f->watches));) {
        tn__watch *watch = TN__OWNER(node, tn__watch, node);
        watch->fire(watch, f);
    }
    tn_future_unref(f);
    return TN_OK;
}

int tn_future_set_value(tn_future *f, int result, void *value, void (*destroy)(void *value))
{
    if (f->done) {
        if (destroy) destroy(value);
        return TN_EBUSY;
    }
    f->value = value;
    f->destroy = destroy;
    return finish(f, result);
}

int tn_future_set_str(tn_future *f, int result, tn_str text)
{
    if (f->done) return TN_EBUSY;
    f->str = text;
    return finish(f, result);
}

int tn_future_set(tn_future *f, int result)
{
    return f->done ? TN_EBUSY : finish(f, result);
}

int tn_future_fail(tn_future *f, int error)
{
    return tn_future_set(f, error < 0 ? error : TN_EINVAL);
}

int tn_future_cancel(tn_future *f)
{
    if (f->done || f->op.state == TN__OP_ENDED) return TN_EBUSY;
    tn__op_cancel(&f->op);
    return finish(f, TN_ECANCELED);
}

void tn__future_begun(tn_future *f, int result)
{
    if (result != TN__PENDING) tn_future_set(f, result);
}

/* -- Asking -- */

bool tn_future_done(const tn_future *f)
{
    return f->done;
}

int tn_future_result(const tn_future *f)
{
    ((tn_future *)f)->claimed |= f->done; /* whoever asks takes what comes with it */
    return f->result;
}

void *tn_future_value(const tn_future *f)
{
    return f->value;
}

tn_str tn_future_str(const tn_future *f)
{
    return f->str;
}

/* -- Being told -- */

void tn__watch_add(tn__watch *w, tn_future *f, void (*fire)(tn__watch *watch, tn_future *future))
{
    w->fire = fire;
    tn__list_init(&w->node);
    tn__list_push(&f->watches, &w->node);
}

/* One tn_future_on_done: watches the future, then waits for the ready phase. Holds a reference. */
typedef struct told {
    tn__list node; /* in gen->told */
    tn__watch watch;
    tn__work work;
    tn_future *future;
    tn_future_callback *fn;
    void *arg;
} told;

static void told_free(told *t)
{
    tn__list_remove(&t->node);
    tn__watch_remove(&t->watch);
    tn__work_cancel(&t->work);
    tn_future_unref(t->future);
    tn__free(t);
}

static void tell(tn_loop *loop, tn__work *work)
{
    told *t = TN__OWNER(work, told, work);
    (void)loop;
    t->fn(t->arg, t->future);
    told_free(t);
}

static void on_end(tn__watch *watch, tn_future *future)
{
    tn__soon(future->loop, &TN__OWNER(watch, told, watch)->work);
}

int tn_future_on_done(tn_future *f, tn_future_callback *fn, void *arg)
{
    tn__gen *gen = tn__gen_of(f->loop);
    told *t = tn__alloc(sizeof *t);
    if (!t) return TN_ENOMEM;
    *t = (told){.future = tn_future_ref(f), .fn = fn, .arg = arg};
    tn__list_init(&t->node);
    tn__list_init(&t->watch.node);
    tn__work_init(&t->work, tell);
    tn__list_push(&gen->told, &t->node);
    if (f->done)
        tn__soon(f->loop, &t->work);
    else
        tn__watch_add(&t->watch, f, on_end);
    return TN_OK;
}

/* -- The end of the loop -- */

void tn__futures_close(tn__gen *gen)
{
    for (tn__list *node; (node = tn__list_pop(&gen->told));) told_free(TN__OWNER(node, told, node));
    for (tn__list *node; (node = tn__list_pop(&gen->futures));) {
        tn_future *f = TN__OWNER(node, tn_future, node);
        f->done = true;
        f->result = f->op.state == TN__OP_ENDED ? f->op.result : TN_ECANCELED;
        tn__op_cancel(&f->op);
        while (tn__list_pop(&f->watches)) continue;
    }
}
