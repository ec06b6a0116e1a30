/*
 * The one door into a loop from other threads and from signal handlers.
 *
 * Three ways in: an array of callbacks under a mutex, for threads; a ring of 64 places without a lock, for signal handlers; a mask
 * of received signals. All end in `announce`, which rings the doorbell only when the loop is dozing, so that a busy loop costs its
 * callers no system call and a dozing one a single call for all of them.
 *
 * Why no call is missed: the caller first publishes and then looks at `dozing`; the loop first sets `dozing` and then looks for
 * calls. Both are sequentially consistent, so at least one of the two sees the other.
 */
#include "calls.h"

#include <pthread.h>

#include "base/alloc.h"
#include "turn.h"
#include "wakeup.h"

enum {
    RING = 64,        /* calls from signal handlers that have not run yet; a power of two */
    KEEP_CALLS = 1024 /* an array that grew beyond this is given back once it has been run */
};

typedef struct call {
    tn_callback *fn;
    void *arg;
} call;

typedef struct call_array {
    call *items;
    size_t n, cap;
} call_array;

/*
 * A place of the ring. `turn` says whose turn it is: equal to the position that a writer wants, it is free; one more, it is filled
 * and the loop may read it.
 */
typedef struct ring_place {
    atomic_size_t turn;
    call call;
} ring_place;

struct tn__calls {
    pthread_mutex_t lock;
    call_array queued;     /* under the lock */
    tn__list posts;        /* under the lock */
    bool closed;           /* under the lock */
    atomic_size_t waiting; /* how many are queued or posted: read without the lock */

    call_array taken; /* of this turn; the loop's thread only */
    tn__list taken_posts;
    size_t ring_limit;

    ring_place ring[RING];
    atomic_size_t ring_tail; /* where the next writer goes */
    size_t ring_head;        /* where the loop reads next */

    _Atomic uint64_t signals;
    atomic_bool dozing;
    tn__wakeup wakeup;
};

_Static_assert(ATOMIC_LONG_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "signal handlers need lock-free atomics");

int tn__calls_new(tn_loop *loop)
{
    tn__calls *c = tn__zalloc(sizeof *c);
    if (!c) return TN_ENOMEM;
    int result = tn__wakeup_open(loop, &c->wakeup);
    if (result < 0) {
        tn__free(c);
        return result;
    }
    pthread_mutex_init(&c->lock, NULL);
    tn__list_init(&c->posts);
    tn__list_init(&c->taken_posts);
    for (size_t i = 0; i < RING; i++) atomic_init(&c->ring[i].turn, i);
    atomic_init(&c->dozing, true);
    loop->calls = c;
    return 0;
}

void tn__calls_close(tn_loop *loop)
{
    pthread_mutex_lock(&loop->calls->lock);
    loop->calls->closed = true;
    pthread_mutex_unlock(&loop->calls->lock);
}

void tn__calls_free(tn_loop *loop)
{
    tn__calls *c = loop->calls;
    if (!c) return;
    tn__wakeup_close(loop, &c->wakeup);
    pthread_mutex_destroy(&c->lock);
    tn__free(c->queued.items);
    tn__free(c->taken.items);
    tn__free(c);
    loop->calls = NULL;
}

/* Something was published. Wakes the loop when it dozes. */
static void announce(tn__calls *c)
{
    if (atomic_load(&c->dozing) && atomic_exchange(&c->dozing, false)) tn__wakeup_ring(&c->wakeup);
}

/* The same from a thread: the loop's own one rings the bell only when there is a host that could not be told otherwise. */
static void announce_from_thread(tn_loop *loop)
{
    if (tn__loop_is_mine(loop) && (loop->in_turn || loop->wake))
        tn__loop_wake(loop);
    else
        announce(loop->calls);
}

static int append(call_array *a, call item)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 32;
        call *items = tn__realloc(a->items, cap * sizeof *items);
        if (!items) return TN_ENOMEM;
        a->items = items;
        a->cap = cap;
    }
    a->items[a->n++] = item;
    return 0;
}

int tn_loop_add_callback(tn_loop *loop, tn_callback *fn, void *arg)
{
    tn__calls *c = loop->calls;
    pthread_mutex_lock(&c->lock);
    int result = c->closed ? TN_ECLOSED : append(&c->queued, (call){fn, arg});
    if (result == 0) atomic_fetch_add(&c->waiting, 1);
    pthread_mutex_unlock(&c->lock);
    if (result == 0) announce_from_thread(loop);
    return result;
}

int tn__calls_post(tn_loop *loop, tn__post *post)
{
    tn__calls *c = loop->calls;
    pthread_mutex_lock(&c->lock);
    bool closed = c->closed;
    if (!closed) {
        tn__list_push(&c->posts, &post->node);
        atomic_fetch_add(&c->waiting, 1);
    }
    pthread_mutex_unlock(&c->lock);
    if (closed) return TN_ECLOSED;
    announce_from_thread(loop);
    return 0;
}

void tn__calls_unpost(tn_loop *loop, tn__post *post)
{
    pthread_mutex_lock(&loop->calls->lock);
    tn__list_remove(&post->node); /* from `posts`, or from `taken_posts`, which are this thread's own */
    pthread_mutex_unlock(&loop->calls->lock);
}

int tn_loop_add_callback_from_signal(tn_loop *loop, tn_callback *fn, void *arg)
{
    tn__calls *c = loop->calls;
    size_t at = atomic_load(&c->ring_tail);
    ring_place *place;
    for (;;) {
        place = &c->ring[at % RING];
        size_t turn = atomic_load(&place->turn);
        if (turn == at) {
            if (atomic_compare_exchange_weak(&c->ring_tail, &at, at + 1)) break;
        } else if ((ptrdiff_t)(turn - at) < 0) {
            return TN_EBUSY;
        } else {
            at = atomic_load(&c->ring_tail);
        }
    }
    place->call = (call){fn, arg};
    atomic_store(&place->turn, at + 1);
    announce(c);
    return 0;
}

void tn__calls_signal(tn_loop *loop, int signum)
{
    atomic_fetch_or(&loop->calls->signals, UINT64_C(1) << (signum - 1));
    announce(loop->calls);
}

void tn__calls_doze(tn_loop *loop)
{
    atomic_store(&loop->calls->dozing, true);
}

bool tn__calls_waiting(const tn_loop *loop)
{
    tn__calls *c = loop->calls;
    return atomic_load(&c->waiting) || atomic_load(&c->signals) || atomic_load(&c->ring_tail) != c->ring_head;
}

void tn__calls_take(tn_loop *loop)
{
    tn__calls *c = loop->calls;
    atomic_store_explicit(&c->dozing, false, memory_order_relaxed);
    c->ring_limit = atomic_load(&c->ring_tail);
    if (!atomic_load(&c->waiting)) return;
    call_array empty = c->taken;
    pthread_mutex_lock(&c->lock);
    c->taken = c->queued;
    c->queued = empty;
    tn__list_splice(&c->taken_posts, &c->posts);
    atomic_store(&c->waiting, 0);
    pthread_mutex_unlock(&c->lock);
}

/* Run the calls that signal handlers made. Each place is free again before its call runs, which may raise a signal itself. */
static void run_ring(tn__calls *c)
{
    while (c->ring_head != c->ring_limit) {
        ring_place *place = &c->ring[c->ring_head % RING];
        /* A handler on another thread may have been interrupted between claiming its place and filling it. */
        if (atomic_load(&place->turn) != c->ring_head + 1) return;
        call item = place->call;
        atomic_store(&place->turn, c->ring_head + RING);
        c->ring_head++;
        item.fn(item.arg);
    }
}

static void run_taken(tn__calls *c)
{
    for (size_t i = 0; i < c->taken.n; i++) c->taken.items[i].fn(c->taken.items[i].arg);
    c->taken.n = 0;
    if (c->taken.cap > KEEP_CALLS) {
        tn__free(c->taken.items);
        c->taken = (call_array){0};
    }
}

static void run_posts(tn__calls *c)
{
    for (tn__list *node; (node = tn__list_pop(&c->taken_posts));) {
        tn__post *post = TN__OWNER(node, tn__post, node);
        post->fn(post->arg);
    }
}

void tn__calls_run(tn_loop *loop)
{
    tn__calls *c = loop->calls;
    if (atomic_load_explicit(&c->signals, memory_order_relaxed)) tn__signals_run(loop, atomic_exchange(&c->signals, 0));
    run_ring(c);
    run_taken(c);
    run_posts(c);
}
