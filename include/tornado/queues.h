/*
 * Queues between coroutines: Tornado's queues.
 *
 * A queue passes pointers from producers to consumers of one thread's loop; what they point to is the program's business. A bounded
 * queue is back-pressure: who puts waits while it is full. Those who wait are served first come, first served, from the ready phase
 * of the loop. An item is never lost: it is in the queue, or somebody was given it.
 *
 * Deadlines are scopes: TN_TIMEOUT(5) e = tn_queue_get(q, &item). Loop thread only. All calls exist since 0.1.
 */
#ifndef TORNADO_QUEUES_H
#define TORNADO_QUEUES_H

#include "concurrent.h"
#include "gen.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_queue tn_queue;

/* Negative, zero or positive, as `a` comes before, with or after `b`. */
typedef int tn_queue_compare(const void *a, const void *b);

/*
 * Make a queue of at most `items_max` items; 0 means no limit. Items come out in the order in which they were put (first in, first
 * out), the latest first (lifo), or the least first, and equals in the order in which they were put (prio).
 *
 * The caller owns it. NULL for lack of memory.
 */
TN_API tn_queue *tn_queue_new(size_t items_max);
TN_API tn_queue *tn_queue_new_lifo(size_t items_max);
TN_API tn_queue *tn_queue_new_prio(size_t items_max, tn_queue_compare *compare);

/* Free a queue. Whoever waits for it gets TN_ECLOSED; items that are left in it are the caller's (get them first). NULL is fine. */
TN_API void tn_queue_free(tn_queue *queue);

/* Put an item, waiting while the queue is full. TN_ENOMEM, TN_ECLOSED; the item is then not in the queue. */
TN_API int tn_queue_put(tn_queue *queue, void *item);
TN_API tn_future *tn_queue_put_start(tn_queue *queue, void *item);

/* Put an item without waiting. TN_EAGAIN when the queue is full. */
TN_API int tn_queue_put_nowait(tn_queue *queue, void *item);

/*
 * Get an item, waiting while the queue is empty. `item` is written on success. TN_ECLOSED.
 *
 * The twin's future has the item as its value (tn_await_value). Given back without having been awaited or asked, it puts the item
 * back where it came from.
 */
TN_API int tn_queue_get(tn_queue *queue, void **item);
TN_API tn_future *tn_queue_get_start(tn_queue *queue);

/* Get an item without waiting. TN_EAGAIN when the queue is empty. */
TN_API int tn_queue_get_nowait(tn_queue *queue, void **item);

/* Say that an item which was got has been dealt with. TN_EMISUSE when more were than were ever put (debug builds stop). */
TN_API int tn_queue_task_done(tn_queue *queue);

/* Wait until every item that was put has been dealt with (tn_queue_task_done). TN_ECLOSED. */
TN_API int tn_queue_join(tn_queue *queue);
TN_API tn_future *tn_queue_join_start(tn_queue *queue);

/* How many items are in it, and may be at most (0: any number); is it empty, is it full? */
TN_API size_t tn_queue_size(const tn_queue *queue);
TN_API size_t tn_queue_items_max(const tn_queue *queue);
TN_API bool tn_queue_empty(const tn_queue *queue);
TN_API bool tn_queue_full(const tn_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
