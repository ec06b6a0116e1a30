/*
 * Queues. Items lie in an array: a ring for first in, first out and for last in, first out, a heap for the least first.
 *
 * Always holds: nobody waits to get while there are items, nobody waits to put while there is room. A future that was given an item
 * stays in `lent` until it is freed, and the array has room for the items of all of these: what nobody was told of can always be
 * put back.
 */
#include "tornado/queues.h"

#include "base/alloc.h"
#include "future.h"
#include "task.h"

typedef struct slot {
    void *item;
    uint64_t sequence; /* order of putting, for equals in a heap */
} slot;

typedef enum order { FIFO, LIFO, PRIO } order;

struct tn_queue {
    order order;
    tn_queue_compare *compare;
    size_t items_max;  /* 0: no limit */
    size_t unfinished; /* put, and not yet dealt with */
    uint64_t sequence;
    slot *slots; /* `n` from `first` on, around the end; a heap begins at 0 */
    size_t cap, first, n;
    size_t lent_n;
    tn__list getters, putters, joiners; /* of party: those who wait */
    tn__list lent;                      /* of party: futures that were given an item */
};

/* Who waits, or was lent something: lies in the frame of a coroutine or the room of a future. */
typedef struct party {
    tn__list node;
    tn_queue *queue;
    tn_loop *loop;
    tn__op *op;
    tn_future *future; /* NULL for a coroutine */
    void *item;        /* what a putter brings and a getter gets */
} party;

/* -- The items -- */

static int reserve(tn_queue *q, size_t n)
{
    if (n <= q->cap) return TN_OK;
    size_t cap = q->cap ? q->cap * 2 : 16;
    while (cap < n) cap *= 2;
    slot *slots = cap <= SIZE_MAX / 2 / sizeof *slots ? tn__alloc(cap * sizeof *slots) : NULL;
    if (!slots) return TN_ENOMEM;
    for (size_t i = 0; i < q->n; i++) slots[i] = q->slots[(q->first + i) % q->cap];
    tn__free(q->slots);
    q->slots = slots;
    q->cap = cap;
    q->first = 0;
    return TN_OK;
}

static bool before(const tn_queue *q, const slot *a, const slot *b)
{
    int difference = q->compare(a->item, b->item);
    return difference ? difference < 0 : a->sequence < b->sequence;
}

static void swap(slot *a, slot *b)
{
    slot c = *a;
    *a = *b;
    *b = c;
}

static void sift_up(tn_queue *q, size_t at)
{
    for (; at > 0 && before(q, &q->slots[at], &q->slots[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&q->slots[at], &q->slots[(at - 1) / 2]);
}

static void sift_down(tn_queue *q, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < q->n; at = child) {
        if (child + 1 < q->n && before(q, &q->slots[child + 1], &q->slots[child])) child++;
        if (!before(q, &q->slots[child], &q->slots[at])) return;
        swap(&q->slots[child], &q->slots[at]);
    }
}

/* There is room for it. */
static void add(tn_queue *q, void *item, bool back)
{
    slot new = {item, q->sequence++};
    if (back && q->order == FIFO) {
        q->first = (q->first + q->cap - 1) % q->cap;
        q->slots[q->first] = new;
        q->n++;
        return;
    }
    q->slots[(q->first + q->n++) % q->cap] = new;
    if (q->order == PRIO) sift_up(q, q->n - 1);
}

static void *take(tn_queue *q)
{
    q->n--;
    if (q->order == LIFO) return q->slots[(q->first + q->n) % q->cap].item;
    void *item = q->slots[q->first].item;
    if (q->order == FIFO) {
        q->first = (q->first + 1) % q->cap;
    } else {
        q->slots[0] = q->slots[q->n];
        sift_down(q, 0);
    }
    return item;
}

/* -- Those who wait -- */

static void withdraw(tn__op *op)
{
    tn__list_remove(&((party *)op->holder)->node);
}

static int line_up(tn__list *line, party *p)
{
    tn__op_begin(p->op, p, withdraw);
    tn__list_push(line, &p->node);
    return TN__PENDING;
}

static party *next_in(tn__list *line)
{
    tn__list *node = tn__list_pop(line);
    return node ? TN__OWNER(node, party, node) : NULL;
}

/* A getter has its item. For a future, the item's way back stays open until the future is freed. */
static void lend(tn_queue *q, party *p, void *item)
{
    p->item = item;
    if (!p->future) return;
    p->future->value = item;
    tn__list_push(&q->lent, &p->node);
    q->lent_n++;
}

/* Give items to those who wait for them, and room to those who wait for that. */
static void settle(tn_queue *q)
{
    bool moved = true;
    while (moved) {
        moved = false;
        party *p;
        if (q->n && (p = next_in(&q->getters))) {
            lend(q, p, take(q));
            tn__op_end(p->loop, p->op, TN_OK);
            moved = true;
        }
        if (!tn_queue_full(q) && !tn__list_empty(&q->putters) && reserve(q, q->n + q->lent_n + 1) == TN_OK) {
            p = next_in(&q->putters);
            add(q, p->item, false);
            q->unfinished++;
            tn__op_end(p->loop, p->op, TN_OK);
            moved = true;
        }
    }
}

static void end_all(tn__list *line, int result)
{
    for (party *p; (p = next_in(line));) tn__op_end(p->loop, p->op, result);
}

/* -- Making and freeing -- */

static tn_queue *queue_new(order kind, size_t items_max, tn_queue_compare *compare)
{
    tn_queue *q = tn__zalloc(sizeof *q);
    if (!q) return NULL;
    q->order = kind;
    q->items_max = items_max;
    q->compare = compare;
    tn__list_init(&q->getters);
    tn__list_init(&q->putters);
    tn__list_init(&q->joiners);
    tn__list_init(&q->lent);
    return q;
}

tn_queue *tn_queue_new(size_t items_max)
{
    return queue_new(FIFO, items_max, NULL);
}

tn_queue *tn_queue_new_lifo(size_t items_max)
{
    return queue_new(LIFO, items_max, NULL);
}

tn_queue *tn_queue_new_prio(size_t items_max, tn_queue_compare *compare)
{
    return queue_new(PRIO, items_max, compare);
}

void tn_queue_free(tn_queue *q)
{
    if (!q) return;
    end_all(&q->getters, TN_ECLOSED);
    end_all(&q->putters, TN_ECLOSED);
    end_all(&q->joiners, TN_ECLOSED);
    for (party *p; (p = next_in(&q->lent));) p->queue = NULL;
    tn__free(q->slots);
    tn__free(q);
}

/* -- Putting -- */

int tn_queue_put_nowait(tn_queue *q, void *item)
{
    if (tn_queue_full(q)) return TN_EAGAIN;
    TN_TRY(reserve(q, q->n + q->lent_n + 1));
    add(q, item, false);
    q->unfinished++;
    settle(q);
    return TN_OK;
}

static int enter_put(tn_queue *q, party *p)
{
    int result = tn__list_empty(&q->putters) ? tn_queue_put_nowait(q, p->item) : TN_EAGAIN;
    return result == TN_EAGAIN ? line_up(&q->putters, p) : result;
}

/* -- Getting -- */

int tn_queue_get_nowait(tn_queue *q, void **item)
{
    if (q->n == 0) return TN_EAGAIN;
    *item = take(q);
    settle(q);
    return TN_OK;
}

static int enter_get(tn_queue *q, party *p)
{
    if (q->n == 0) return line_up(&q->getters, p);
    lend(q, p, take(q));
    settle(q);
    return TN_OK;
}

/* The future of a get is freed: an item that nobody was told of goes back to where it came from. */
static void put_back(tn_future *f, bool unclaimed)
{
    party *p = tn__future_room(f);
    tn_queue *q = p->queue;
    if (!q || !tn__list_linked(&p->node)) return; /* the queue is gone, or there was no item */
    tn__list_remove(&p->node);
    q->lent_n--;
    if (!unclaimed) return;
    add(q, p->item, true);
    settle(q);
}

/* -- Joining -- */

int tn_queue_task_done(tn_queue *q)
{
    if (q->unfinished == 0) return tn__misuse(__func__, __builtin_return_address(0), "called more often than items were put");
    if (--q->unfinished == 0) end_all(&q->joiners, TN_OK);
    return TN_OK;
}

static int enter_join(tn_queue *q, party *p)
{
    return q->unfinished ? line_up(&q->joiners, p) : TN_OK;
}

/* -- The two forms of every waiting call -- */

typedef int enter_fn(tn_queue *q, party *p);

static int wait_in(tn_queue *q, enter_fn *enter, void **item, const char *call, const void *where)
{
    tn__op *op;
    TN_TRY(tn__task_op_at(&op, call, where));
    party p = {.queue = q, .loop = tn__task_current()->gen->loop, .op = op, .item = item ? *item : NULL};
    tn__list_init(&p.node);
    int result = enter(q, &p);
    if (result == TN__PENDING) result = tn__task_wait(op);
    if (result >= 0 && item) *item = p.item;
    return result;
}

static tn_future *start_in(tn_queue *q, enter_fn *enter, void *item)
{
    tn_loop *loop = tn_loop_current();
    tn_future *f = tn__future_new(loop, sizeof(party));
    if (!f) return NULL;
    party *p = tn__future_room(f);
    *p = (party){.queue = q, .loop = loop, .op = &f->op, .future = f, .item = item};
    tn__list_init(&p->node);
    if (enter == enter_get) f->released = put_back;
    tn__future_begun(f, enter(q, p));
    return f;
}

int tn_queue_put(tn_queue *q, void *item)
{
    return wait_in(q, enter_put, &item, __func__, __builtin_return_address(0));
}

tn_future *tn_queue_put_start(tn_queue *q, void *item)
{
    return start_in(q, enter_put, item);
}

int tn_queue_get(tn_queue *q, void **item)
{
    void *got = NULL;
    int result = wait_in(q, enter_get, &got, __func__, __builtin_return_address(0));
    if (result >= 0) *item = got;
    return result;
}

tn_future *tn_queue_get_start(tn_queue *q)
{
    return start_in(q, enter_get, NULL);
}

int tn_queue_join(tn_queue *q)
{
    return wait_in(q, enter_join, NULL, __func__, __builtin_return_address(0));
}

tn_future *tn_queue_join_start(tn_queue *q)
{
    return start_in(q, enter_join, NULL);
}

/* -- Asking -- */

size_t tn_queue_size(const tn_queue *q)
{
    return q->n;
}

size_t tn_queue_items_max(const tn_queue *q)
{
    return q->items_max;
}

bool tn_queue_empty(const tn_queue *q)
{
    return q->n == 0;
}

bool tn_queue_full(const tn_queue *q)
{
    return q->items_max && q->n >= q->items_max;
}
