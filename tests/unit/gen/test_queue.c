/* Queues. */
#include <stdint.h>

#include "base/alloc.h"
#include "test.h"
#include "tornado/queues.h"

static void *item(intptr_t n)
{
    return (void *)n;
}

static int pop(tn_queue *q)
{
    void *got = NULL;
    int e = tn_queue_get_nowait(q, &got);
    return e < 0 ? e : (int)(intptr_t)got;
}

static int larger_tens_first(const void *a, const void *b)
{
    return (int)((intptr_t)b / 10 - (intptr_t)a / 10);
}

TEST(queue, gives_items_in_the_order_of_its_kind)
{
    tn_queue *fifo = tn_queue_new(0), *lifo = tn_queue_new_lifo(0), *prio = tn_queue_new_prio(0, larger_tens_first);
    static const int items[] = {11, 32, 33, 21, 12}, in_prio[] = {32, 33, 21, 11, 12};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tn_queue_put_nowait(fifo, item(items[i])), TN_OK);
        assert_int_equal(tn_queue_put_nowait(lifo, item(items[i])), TN_OK);
        assert_int_equal(tn_queue_put_nowait(prio, item(items[i])), TN_OK);
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pop(fifo), items[i]);
        assert_int_equal(pop(lifo), items[4 - i]);
        assert_int_equal(pop(prio), in_prio[i]);
    }
    assert_int_equal(pop(fifo), TN_EAGAIN);
    tn_queue_free(fifo);
    tn_queue_free(lifo);
    tn_queue_free(prio);
}

TEST(queue, keeps_its_order_while_it_grows)
{
    tn_queue *q = tn_queue_new(0);
    int in = 0, out = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 7; i++) assert_int_equal(tn_queue_put_nowait(q, item(in++)), TN_OK);
        for (int i = 0; i < 5; i++) assert_int_equal(pop(q), out++);
    }
    assert_int_equal(tn_queue_size(q), in - out);
    while (!tn_queue_empty(q)) assert_int_equal(pop(q), out++);
    assert_int_equal(in, out);
    tn_queue_free(q);
}

TEST(queue, is_full_at_its_limit)
{
    tn_queue *q = tn_queue_new(2);
    assert_int_equal(tn_queue_items_max(q), 2);
    assert_true(tn_queue_empty(q));
    tn_queue_put_nowait(q, item(1));
    assert_false(tn_queue_full(q));
    tn_queue_put_nowait(q, item(2));
    assert_true(tn_queue_full(q));
    assert_int_equal(tn_queue_put_nowait(q, item(3)), TN_EAGAIN);
    tn_queue_free(q);
}

TEST(queue, is_unchanged_when_there_is_no_memory_for_an_item)
{
    tn_queue *q = tn_queue_new(0);
    tn__alloc_fail_after(0, false);
    assert_int_equal(tn_queue_put_nowait(q, item(1)), TN_ENOMEM);
    tn__alloc_fail_after(-1, false);
    assert_int_equal(tn_queue_size(q), 0);
    assert_int_equal(tn_queue_put_nowait(q, item(2)), TN_OK);
    assert_int_equal(pop(q), 2);
    tn_queue_free(q);
}

/* -- Producers and consumers -- */

typedef struct shop {
    tn_queue *queue;
    int made, used, most, sum;
} shop;

static int produces(void *arg)
{
    shop *s = arg;
    for (int i = 1; i <= 20; i++) {
        TN_TRY(tn_queue_put(s->queue, item(i)));
        s->made++;
        if (s->made - s->used > s->most) s->most = s->made - s->used;
    }
    return TN_OK;
}

static int consumes(void *arg)
{
    shop *s = arg;
    for (;;) {
        void *got;
        TN_TRY(tn_queue_get(s->queue, &got));
        s->sum += (int)(intptr_t)got;
        TN_TRY(tn_sleep(0));
        s->used++;
        TN_TRY(tn_queue_task_done(s->queue));
    }
}

static int runs_a_shop(void *arg)
{
    shop *s = arg;
    TN_TRY(tn_go(NULL, consumes, s));
    TN_TRY(tn_go(NULL, produces, s));
    TN_TRY(tn_sleep(0));
    TN_TRY(tn_sleep(0));
    TN_TRY(tn_queue_join(s->queue));
    return s->used;
}

TEST(queue, makes_the_producer_wait_for_the_consumer_and_the_join_for_both)
{
    shop s = {.queue = tn_queue_new(3)};
    assert_int_equal(tn_run(runs_a_shop, &s), 20);
    assert_int_equal(s.sum, 210);
    assert_true(s.most <= 5); /* three in the queue, one in each hand */
    tn_queue_free(s.queue);
}

static int times_out(void *arg)
{
    tn_queue *q = arg;
    int full = 0, empty = 0;
    void *got = NULL;
    TN_TRY(tn_queue_put(q, item(1)));
    TN_TIMEOUT(0.001) full = tn_queue_put(q, item(2));
    TN_TRY(tn_queue_get(q, &got));
    TN_TIMEOUT(0.001) empty = tn_queue_get(q, &got);
    return full == TN_ETIMEDOUT && empty == TN_ETIMEDOUT && got == item(1) && tn_queue_empty(q);
}

TEST(queue, forgets_who_gave_up_waiting)
{
    tn_queue *q = tn_queue_new(1);
    assert_int_equal(tn_run(times_out, q), 1);
    tn_queue_free(q);
}

static int drops_futures(void *arg)
{
    tn_queue *q = arg;
    void *got = NULL;
    tn_future *first = tn_queue_get_start(q), *second = tn_queue_get_start(q), *third = tn_queue_get_start(q);
    for (int i = 1; i <= 3; i++) TN_TRY(tn_queue_put(q, item(i)));
    tn_future_unref(first); /* has 1, was not heard of yet */
    TN_TRY(tn_sleep(0));
    TN_TRY(tn_await_value(second, &got));
    if (got != item(2)) return -1;
    TN_TRY(tn_queue_get(q, &got));
    if (got != item(1)) return -2;
    tn_future_unref(third);
    TN_TRY(tn_queue_get(q, &got));
    return got == item(3) && tn_queue_empty(q);
}

TEST(queue, takes_an_item_back_from_a_future_that_nobody_asked)
{
    tn_queue *q = tn_queue_new(0);
    assert_int_equal(tn_run(drops_futures, q), 1);
    tn_queue_free(q);
}

static int waits_for_closing(void *arg)
{
    tn_queue *q = tn_queue_new(1);
    void *got;
    tn_queue_put_nowait(q, arg);
    tn_future *put = tn_queue_put_start(q, arg), *join = tn_queue_join_start(q), *get = tn_queue_get_start(q);
    TN_TRY(tn_await(put)); /* the get made room for it */
    tn_queue_get_nowait(q, &got);
    tn_future *late = tn_queue_get_start(q);
    tn_queue_free(q);
    int results[3];
    tn_future *all[] = {join, get, late};
    TN_TRY(tn_gather(all, 3, results));
    return results[0] == TN_ECLOSED && results[1] == TN_OK && results[2] == TN_ECLOSED;
}

TEST(queue, that_is_freed_tells_those_who_wait)
{
    assert_int_equal(tn_run(waits_for_closing, NULL), 1);
}
