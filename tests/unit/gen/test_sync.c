/* Conditions, events, semaphores and locks. */
#include <string.h>

#include "test.h"
#include "tornado/locks.h"

static char story[64];

static void tell(const char *what)
{
    strcat(story, what);
}

static void let_others(int turns)
{
    while (turns-- > 0) assert_int_equal(tn_sleep(0), TN_OK);
}

/* -- Condition -- */

static tn_cond changed = TN_COND_INIT;

static int waits_for_change(void *arg)
{
    TN_TRY(tn_cond_wait(&changed));
    tell(arg);
    return TN_OK;
}

static int notifies(void *arg)
{
    tn_group g;
    (void)arg;
    tn_group_init(&g);
    tn_go(&g, waits_for_change, "a");
    tn_go(&g, waits_for_change, "b");
    tn_go(&g, waits_for_change, "c");
    tn_go(&g, waits_for_change, "d");
    let_others(2);
    tn_cond_notify(&changed, 1);
    tell("-");
    let_others(2);
    tn_cond_notify(&changed, 2);
    let_others(2);
    tell("-");
    tn_cond_notify_all(&changed);
    tn_cond_notify_all(&changed);
    return tn_group_join(&g);
}

TEST(cond, lets_go_as_many_as_it_is_told_in_the_order_of_their_coming)
{
    story[0] = 0;
    assert_int_equal(tn_run(notifies, NULL), TN_OK);
    assert_string_equal(story, "-abc-d");
}

static int times_out(void *arg)
{
    int e = TN_OK;
    (void)arg;
    TN_TIMEOUT(0.001) e = tn_cond_wait(&changed);
    tn_cond_notify_all(&changed);
    return e;
}

TEST(cond, forgets_who_did_not_wait_long_enough)
{
    assert_int_equal(tn_run(times_out, NULL), TN_ETIMEDOUT);
}

/* -- Event -- */

static int sets(void *arg)
{
    tn_event event = TN_EVENT_INIT;
    (void)arg;
    tn_future *f = tn_event_wait_start(&event);
    let_others(1);
    if (tn_future_done(f)) return -1;
    tn_event_set(&event);
    tn_event_clear(&event);
    TN_TRY(tn_await(f));
    if (tn_event_is_set(&event)) return -2;
    tn_event_set(&event);
    TN_TRY(tn_event_wait(&event));
    return TN_OK;
}

TEST(event, lets_all_go_when_it_is_set_and_nobody_wait_while_it_is)
{
    assert_int_equal(tn_run(sets, NULL), TN_OK);
}

/* -- Semaphore -- */

static tn_semaphore two = TN_SEMAPHORE_INIT(2);
static int inside, most;

static int enters(void *arg)
{
    (void)arg;
    TN_TRY(tn_semaphore_acquire(&two));
    if (++inside > most) most = inside;
    TN_TRY(tn_sleep(0.001));
    inside--;
    return tn_semaphore_release(&two);
}

static int many_enter(void *arg)
{
    tn_group g;
    (void)arg;
    tn_group_init(&g);
    for (int i = 0; i < 7; i++) tn_go(&g, enters, NULL);
    return tn_group_join(&g);
}

TEST(semaphore, is_held_by_no_more_than_its_number)
{
    inside = most = 0;
    assert_int_equal(tn_run(many_enter, NULL), TN_OK);
    assert_int_equal(most, 2);
}

static int releases_too_often(void *arg)
{
    tn_semaphore s;
    (void)arg;
    tn_semaphore_init_bounded(&s, 1);
    TN_TRY(tn_semaphore_acquire(&s));
    TN_TRY(tn_semaphore_release(&s));
    return tn_semaphore_release(&s);
}

#if !TN_DEBUG_CHECKS
TEST(semaphore, that_is_bounded_cannot_be_released_more_often_than_acquired)
{
    assert_int_equal(tn_run(releases_too_often, NULL), TN_EMISUSE);
}
#else
typedef int *unused_here[sizeof(releases_too_often)];
#endif

/* -- Lock -- */

static tn_lock lock = TN_LOCK_INIT;

static int takes_turns(void *arg)
{
    TN_TRY(tn_lock_acquire(&lock));
    tell(arg);
    let_others(2);
    tell(arg);
    return tn_lock_release(&lock);
}

static int three_take_turns(void *arg)
{
    tn_group g;
    (void)arg;
    tn_group_init(&g);
    tn_go(&g, takes_turns, "a");
    tn_go(&g, takes_turns, "b");
    tn_go(&g, takes_turns, "c");
    return tn_group_join(&g);
}

TEST(lock, is_given_on_in_the_order_of_asking)
{
    story[0] = 0;
    assert_int_equal(tn_run(three_take_turns, NULL), TN_OK);
    assert_string_equal(story, "aabbcc");
}

static int drops_futures(void *arg)
{
    (void)arg;
    TN_TRY(tn_lock_acquire(&lock));
    tn_future *waiting = tn_lock_acquire_start(&lock), *granted = tn_lock_acquire_start(&lock);
    tn_future_unref(waiting); /* leaves the line */
    tn_lock_release(&lock);
    if (tn_future_done(granted)) return -1;
    tn_future_unref(granted); /* was given the lock, but never heard of it */
    TN_TIMEOUT(1) TN_TRY(tn_lock_acquire(&lock));
    tn_future *late = tn_lock_acquire_start(&lock);
    tn_lock_release(&lock);
    let_others(2);
    if (!tn_future_done(late)) return -2;
    tn_future_unref(late); /* the same, having heard of it or not */
    TN_TIMEOUT(1) TN_TRY(tn_lock_acquire(&lock));
    tn_lock_release(&lock);
    TN_TRY(tn_await(tn_lock_acquire_start(&lock)));
    return tn_lock_release(&lock);
}

TEST(lock, held_by_a_future_that_nobody_asked_is_released_with_it)
{
    assert_int_equal(tn_run(drops_futures, NULL), TN_OK);
}

static tn_task *second;

static int second_in_line(void *arg)
{
    second = tn_task_current();
    int e = tn_lock_acquire(&lock);
    *(int *)arg = e;
    return e == TN_OK ? tn_lock_release(&lock) : TN_OK;
}

static int cancels_who_holds(void *arg)
{
    tn_group g;
    tn_group_init(&g);
    TN_TRY(tn_lock_acquire(&lock));
    tn_go(&g, second_in_line, arg);
    let_others(2);
    tn_lock_release(&lock);
    tn_cancel(second); /* too late: it has the lock already, and must hear of it */
    return tn_group_join(&g);
}

TEST(lock, that_was_given_before_a_cancellation_is_not_lost)
{
    int result = -1;
    assert_int_equal(tn_run(cancels_who_holds, &result), TN_OK);
    assert_int_equal(result, TN_OK);
}
