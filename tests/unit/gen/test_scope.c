/* Timeouts, shields, arena scopes and deferred calls. */
#include <string.h>

#include "gen/task.h"
#include "test.h"
#include "tornado/gen.h"

static double since(double before)
{
    return tn_loop_time(tn_loop_current()) - before;
}

static int sleeps_too_long(void *arg)
{
    double before = tn_loop_time(tn_loop_current());
    int e = TN_OK;
    (void)arg;
    TN_TIMEOUT(0.02) e = tn_sleep(10);
    if (since(before) > 5) return -1;
    return e;
}

TEST(timeout, ends_a_wait_inside_it)
{
    assert_int_equal(tn_run(sleeps_too_long, NULL), TN_ETIMEDOUT);
}

static int returns_out_of_it(void *arg)
{
    tn_task *t = tn_task_current();
    (void)arg;
    TN_TIMEOUT(10)
    {
        TN_TIMEOUT(20)
        {
            if (t->scopes && t->scopes->outer) return 1;
        }
    }
    return 0;
}

static int leaves_in_every_way(void *arg)
{
    tn_task *t = tn_task_current();
    int times = 0;
    if (returns_out_of_it(arg) != 1 || t->scopes) return -1;
    for (int i = 0; i < 3; i++) {
        TN_TIMEOUT(10)
        {
            times++;
            if (i == 0) break;
            if (i == 1) continue;
            times += 10;
        }
        if (t->scopes) return -2;
    }
    TN_TIMEOUT(10) goto out;
out:
    return t->scopes ? -3 : times;
}

TEST(timeout, is_over_however_its_block_is_left)
{
    assert_int_equal(tn_run(leaves_in_every_way, NULL), 13);
}

static int nests(void *arg)
{
    int inner = 0, outer = 0;
    (void)arg;
    TN_TIMEOUT(0.01)
    {
        TN_TIMEOUT(10) inner = tn_sleep(10);
        outer = tn_sleep(10);
    }
    if (inner != TN_ETIMEDOUT || outer != TN_ETIMEDOUT) return -1;
    TN_TIMEOUT(10)
    {
        TN_TIMEOUT(0.01) inner = tn_sleep(10);
        outer = tn_sleep(0.001);
    }
    if (inner != TN_ETIMEDOUT || outer != TN_OK) return -2;
    return tn_sleep(0.001);
}

TEST(timeout, of_nested_ones_the_earlier_counts_and_it_counts_until_its_end)
{
    assert_int_equal(tn_run(nests, NULL), TN_OK);
}

static int waits_often(void *arg)
{
    int n = 0;
    (void)arg;
    TN_TIMEOUT(0.03) while (tn_sleep(0.002) == TN_OK) n++;
    return n;
}

TEST(timeout, spans_many_waits)
{
    int n = tn_run(waits_often, NULL);
    assert_true(n >= 1 && n <= 15);
}

typedef struct shielded {
    tn_task *task;
    int outside, inside, after, bounded;
    double bounded_took;
} shielded;

static int cleans_up(void *arg)
{
    shielded *s = arg;
    s->task = tn_task_current();
    s->outside = tn_sleep(10);
    TN_SHIELD(5) s->inside = tn_sleep(0.002);
    s->after = tn_sleep(0);
    double before = tn_loop_time(tn_loop_current());
    TN_SHIELD(0.01) s->bounded = tn_sleep(10);
    s->bounded_took = since(before);
    return TN_OK;
}

static int cancels(void *arg)
{
    shielded *s = arg;
    tn_group g;
    tn_group_init(&g);
    tn_go(&g, cleans_up, s);
    TN_TRY(tn_sleep(0));
    tn_cancel(s->task);
    return tn_group_join(&g);
}

TEST(shield, holds_cancellation_back_for_its_time_and_no_longer)
{
    shielded s = {0};
    assert_int_equal(tn_run(cancels, &s), TN_OK);
    assert_int_equal(s.outside, TN_ECANCELED);
    assert_int_equal(s.inside, TN_OK);
    assert_int_equal(s.after, TN_ECANCELED);
    assert_int_equal(s.bounded, TN_ECANCELED);
    assert_true(s.bounded_took >= 0.01 && s.bounded_took < 5);
}

static int shields_from_deadline(void *arg)
{
    int inside = 0, own = 0, after = 0;
    (void)arg;
    TN_TIMEOUT(0.001)
    {
        TN_SHIELD(5)
        {
            inside = tn_sleep(0.01);
            TN_TIMEOUT(0.001) own = tn_sleep(5);
        }
        after = tn_sleep(0);
    }
    return inside == TN_OK && own == TN_ETIMEDOUT && after == TN_ETIMEDOUT;
}

TEST(shield, holds_outer_deadlines_back_but_not_those_inside)
{
    assert_int_equal(tn_run(shields_from_deadline, NULL), 1);
}

static int allocates(void *arg)
{
    tn__arena *home = tn__task_arena();
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        TN_ARENA_SCOPE
        {
            if (tn__task_arena() == home) return -1;
            char *p = tn__arena_alloc(tn__task_arena(), 3000);
            if (!p) return -2;
            memset(p, 1, 3000);
        }
    }
    return tn__task_arena() == home && home->used == 0;
}

TEST(arena_scope, frees_what_was_allocated_inside_it)
{
    assert_int_equal(tn_run(allocates, NULL), 1);
}

static char order[8];

static void note(void *arg)
{
    strcat(order, arg);
}

static int defers(void *arg)
{
    (void)arg;
    TN_TRY(tn_defer(note, "a"));
    TN_ARENA_SCOPE TN_TRY(tn_defer(note, "b"));
    TN_TRY(tn_sleep(0));
    TN_TRY(tn_defer(note, "c"));
    return order[0] ? -1 : 3;
}

TEST(defer, calls_in_reverse_order_when_the_coroutine_ends)
{
    order[0] = 0;
    assert_int_equal(tn_run(defers, NULL), 3);
    assert_string_equal(order, "cba");
}
