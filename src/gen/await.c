/* Waiting in a coroutine for futures: for one, for all of several, for the first of several, for one after the other. */
#include "base/alloc.h"
#include "future.h"
#include "task.h"

/* The task that waits for one future; lies on its stack. */
typedef struct awaiting {
    tn__watch watch;
    tn__op *op;
} awaiting;

static void on_end(tn__watch *watch, tn_future *future)
{
    tn__op_end(future->loop, TN__OWNER(watch, awaiting, watch)->op, future->result);
}

static void withdraw(tn__op *op)
{
    tn__watch_remove(&((awaiting *)op->holder)->watch);
}

static int wait_for(tn_future *f, const char *call, const void *where)
{
    tn__op *op;
    if (!f) return TN_ENOMEM;
    TN_TRY(tn__task_op_at(&op, call, where));
    if (!f->done) {
        awaiting a = {.op = op};
        tn__watch_add(&a.watch, f, on_end);
        tn__op_begin(op, &a, withdraw);
        int result = tn__task_wait(op);
        if (!f->done) return result; /* the wait was cut short */
    }
    return tn_future_result(f);
}

int tn_await(tn_future *f)
{
    int result = wait_for(f, __func__, __builtin_return_address(0));
    tn_future_unref(f);
    return result;
}

int tn_await_value(tn_future *f, void **value)
{
    int result = wait_for(f, __func__, __builtin_return_address(0));
    if (result >= 0) {
        *value = f->value;
        f->destroy = NULL;
    }
    tn_future_unref(f);
    return result;
}

int tn_await_str(tn_future *f, tn_str *text)
{
    int result = wait_for(f, __func__, __builtin_return_address(0));
    if (result >= 0) *text = f->str;
    tn_future_unref(f);
    return result;
}

int tn_await_all(tn_future *const *futures, size_t n)
{
    int first = TN_OK;
    for (size_t i = 0; i < n; i++) {
        int result = wait_for(futures[i], __func__, __builtin_return_address(0));
        if (result < 0 && first == TN_OK) first = result;
        tn_future_unref(futures[i]);
    }
    return first;
}

int tn_gather(tn_future *const *futures, size_t n, int *results)
{
    int cut_short = TN_OK;
    for (size_t i = 0; i < n; i++) {
        int result = wait_for(futures[i], __func__, __builtin_return_address(0));
        results[i] = result;
        if (futures[i] && result != futures[i]->result && cut_short == TN_OK) cut_short = result;
        tn_future_unref(futures[i]);
    }
    return cut_short;
}

/* -- In the order in which they end -- */

typedef struct entry {
    tn__watch watch; /* its node is in the future's list, then in `ended` */
    tn_wait_iter *iter;
    tn_future *future; /* with a reference of ours; may be NULL */
} entry;

struct tn_wait_iter {
    tn__list ended; /* entries that have not been given out */
    size_t n, left; /* entries in all; those not given out */
    tn__op *op;     /* of the task that waits for the next */
    entry entries[];
};

static void on_entry_end(tn__watch *watch, tn_future *future)
{
    entry *e = TN__OWNER(watch, entry, watch);
    tn__list_push(&e->iter->ended, &watch->node);
    if (e->iter->op) tn__op_end(future->loop, e->iter->op, TN_OK);
}

tn_wait_iter *tn_wait_iter_new(tn_future *const *futures, size_t n)
{
    tn_wait_iter *it = n < SIZE_MAX / 2 / sizeof(entry) ? tn__alloc(sizeof *it + n * sizeof *it->entries) : NULL;
    if (!it) return NULL;
    it->n = it->left = n;
    it->op = NULL;
    tn__list_init(&it->ended);
    for (size_t i = 0; i < n; i++) {
        entry *e = &it->entries[i];
        *e = (entry){.iter = it, .future = futures[i] ? tn_future_ref(futures[i]) : NULL};
        tn__list_init(&e->watch.node);
        if (e->future && !e->future->done)
            tn__watch_add(&e->watch, e->future, on_entry_end);
        else
            tn__list_push(&it->ended, &e->watch.node);
    }
    return it;
}

static void withdraw_next(tn__op *op)
{
    ((tn_wait_iter *)op->holder)->op = NULL;
}

static int next(tn_wait_iter *it, const char *call, const void *where)
{
    tn__op *op;
    if (!it) return TN_ENOMEM;
    if (it->left == 0) return TN_EOF;
    TN_TRY(tn__task_op_at(&op, call, where));
    if (tn__list_empty(&it->ended)) {
        it->op = op;
        tn__op_begin(op, it, withdraw_next);
        int result = tn__task_wait(op);
        it->op = NULL;
        TN_TRY(result);
    }
    it->left--;
    tn__watch *watch = TN__OWNER(tn__list_pop(&it->ended), tn__watch, node);
    return (int)(TN__OWNER(watch, entry, watch) - it->entries);
}

int tn_wait_iter_next(tn_wait_iter *it)
{
    return next(it, __func__, __builtin_return_address(0));
}

void tn_wait_iter_free(tn_wait_iter *it)
{
    if (!it) return;
    for (size_t i = 0; i < it->n; i++) {
        tn__watch_remove(&it->entries[i].watch);
        tn_future_unref(it->entries[i].future);
    }
    tn__free(it);
}

int tn_await_any(tn_future *const *futures, size_t n)
{
    if (n == 0) return TN_EINVAL;
    tn_wait_iter *it = tn_wait_iter_new(futures, n);
    int first = next(it, __func__, __builtin_return_address(0));
    tn_wait_iter_free(it);
    return first;
}
