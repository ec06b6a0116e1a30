/* Callbacks from this thread, from other threads and from signal handlers. */
#include "core_test.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "core/calls.h"

/* -- From this thread -- */

enum { MANY = 5000 };

static int order_seen;

static void check_order(void *arg)
{
    assert_int_equal((intptr_t)arg, order_seen);
    order_seen++;
}

LOOP_TEST(calls, run_in_the_order_in_which_they_were_added)
{
    order_seen = 0;
    for (intptr_t i = 0; i < MANY; i++) assert_int_equal(tn_loop_add_callback(loop, check_order, (void *)i), 0);
    assert_int_equal(order_seen, 0);
    test_turns(loop, 1);
    assert_int_equal(order_seen, MANY);
    test_turns(loop, 1);
    assert_int_equal(order_seen, MANY);
}

LOOP_TEST(calls, are_refused_without_memory_and_none_is_lost)
{
    int added = 0;
    order_seen = 0;
    for (intptr_t i = 0; i < 200; i++) {
        tn__alloc_fail_after(0, true);
        int result = tn_loop_add_callback(loop, check_order, (void *)(intptr_t)added);
        tn__alloc_fail_after(-1, false);
        if (result == 0) {
            added++;
            continue;
        }
        assert_int_equal(result, TN_ENOMEM);
        assert_int_equal(tn_loop_add_callback(loop, check_order, (void *)(intptr_t)added++), 0);
    }
    test_turns(loop, 1);
    assert_int_equal(order_seen, added);
}

/* -- Posts -- */

static void run_post(void *arg)
{
    trace("p");
    free(arg); /* a post may be embedded in what its call frees */
}

LOOP_TEST(calls, of_posts_need_no_memory_and_can_be_taken_back)
{
    tn__post *first = malloc(sizeof *first), second = {.fn = trace, .arg = "2"};
    *first = (tn__post){.fn = run_post, .arg = first};
    tn__list_init(&first->node);
    tn__list_init(&second.node);
    tn__alloc_fail_after(0, true);
    assert_int_equal(tn__calls_post(loop, first), 0);
    assert_int_equal(tn__calls_post(loop, &second), 0);
    tn__alloc_fail_after(-1, false);
    tn__calls_unpost(loop, &second);
    tn__calls_unpost(loop, &second);
    test_turns(loop, 2);
    assert_string_equal(test_trace, "p");
    assert_int_equal(tn__calls_post(loop, &second), 0);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "p2");
}

/* -- From other threads -- */

enum { THREADS = 4, CALLS = 250000 }; /* a million in all */

typedef struct sender {
    tn_loop *loop;
    pthread_t thread;
    long number, received;
    long *total;
} sender;

typedef struct message {
    sender *from;
    long n;
} message;

static void receive(void *arg)
{
    message *m = arg;
    assert_int_equal(m->n, m->from->received); /* the calls of one thread keep their order */
    m->from->received++;
    if (++*m->from->total == (long)THREADS * CALLS) tn_loop_stop(m->from->loop);
    free(m);
}

static void *send_all(void *arg)
{
    sender *s = arg;
    for (long i = 0; i < CALLS; i++) {
        message *m = malloc(sizeof *m);
        *m = (message){s, i};
        if (tn_loop_add_callback(s->loop, receive, m) != 0) abort();
    }
    return NULL;
}

LOOP_TEST(calls, from_four_threads_all_arrive_in_order)
{
    sender senders[THREADS];
    long total = 0;
    for (int i = 0; i < THREADS; i++) {
        senders[i] = (sender){.loop = loop, .number = i, .total = &total};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    assert_int_equal(tn_loop_run(loop), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        assert_int_equal(senders[i].received, CALLS);
    }
}

static void *add_one(void *arg)
{
    usleep(2000);
    tn_loop_add_callback(arg, trace, "c");
    return NULL;
}

LOOP_TEST(calls, wake_a_loop_that_waits_for_ever)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        memset(test_trace, 0, sizeof test_trace);
        pthread_create(&thread, NULL, add_one, loop);
        while (!*test_trace) assert_int_equal(tn_loop_turn(loop, -1), 0);
        pthread_join(thread, NULL);
    }
}

TEST(calls, from_another_thread_make_the_backend_descriptor_readable)
{
    tn_loop *loop;
    pthread_t thread;
    if (tn_loop_new(&loop, "epoll") < 0) return;
    memset(test_trace, 0, sizeof test_trace);
    test_turns(loop, 1);
    pthread_create(&thread, NULL, add_one, loop);
    struct pollfd p = {.fd = tn_loop_backend_fd(loop), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    pthread_join(thread, NULL);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "c");
    assert_int_equal(poll(&p, 1, 0), 0);
    tn_loop_free(loop);
}

/* -- From signal handlers -- */

static tn_loop *signalled;
static int signal_results[100], signal_n;

static void add_from_handler(int signum)
{
    (void)signum;
    signal_results[signal_n] = tn_loop_add_callback_from_signal(signalled, check_order, (void *)(intptr_t)signal_n);
    signal_n++;
}

static void with_handler(tn_loop *loop, int raises)
{
    struct sigaction ours = {.sa_handler = add_from_handler}, before;
    signalled = loop;
    signal_n = 0;
    order_seen = 0;
    sigaction(SIGUSR1, &ours, &before);
    for (int i = 0; i < raises; i++) raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
}

LOOP_TEST(calls, from_a_signal_handler_have_room_for_sixty_four)
{
    for (int round = 0; round < 3; round++) {
        with_handler(loop, 66);
        for (int i = 0; i < 66; i++) assert_int_equal(signal_results[i], i < 64 ? 0 : TN_EBUSY);
        test_turns(loop, 1);
        assert_int_equal(order_seen, 64);
    }
}

LOOP_TEST(calls, from_a_signal_handler_wake_a_loop_that_waits)
{
    with_handler(loop, 1);
    assert_int_equal(tn_loop_turn(loop, -1), 0);
    assert_int_equal(order_seen, 1);
}

static void raise_again(void *arg)
{
    with_handler(arg, 1);
}

LOOP_TEST(calls, from_a_signal_that_a_call_raises_run_in_the_next_turn)
{
    tn_loop_add_callback_from_signal(loop, raise_again, loop);
    test_turns(loop, 1);
    assert_int_equal(order_seen, 0);
    assert_int_equal(tn_loop_turn(loop, -1), 0);
    assert_int_equal(order_seen, 1);
}

typedef struct storm {
    tn_loop *loop;
    pthread_t thread;
    long sent;
} storm;

static atomic_long storm_received;

static void receive_one(void *arg)
{
    (void)arg;
    atomic_fetch_add(&storm_received, 1);
}

static void *storm_main(void *arg)
{
    storm *s = arg;
    for (int i = 0; i < 20000; i++)
        if (tn_loop_add_callback_from_signal(s->loop, receive_one, NULL) == 0) s->sent++;
    return NULL;
}

LOOP_TEST(calls, without_a_lock_from_several_threads_at_once_are_each_run_once)
{
    storm storms[THREADS];
    atomic_store(&storm_received, 0);
    for (int i = 0; i < THREADS; i++) {
        storms[i] = (storm){.loop = loop};
        pthread_create(&storms[i].thread, NULL, storm_main, &storms[i]);
    }
    for (int i = 0; i < 2000; i++) test_turns(loop, 1);
    long sent = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(storms[i].thread, NULL);
        sent += storms[i].sent;
    }
    test_turns(loop, 2);
    assert_int_equal(atomic_load(&storm_received), sent);
}
