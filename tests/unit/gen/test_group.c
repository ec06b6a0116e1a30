/* Groups of coroutines. */
#include "test.h"
#include "tornado/gen.h"

typedef struct job {
    int *running, *most; /* shared */
    double seconds;
    int result, seen, ended;
} job;

static int work(void *arg)
{
    job *j = arg;
    if (j->running && ++*j->running > *j->most) *j->most = *j->running;
    j->seen = tn_sleep(j->seconds);
    if (j->running) --*j->running;
    j->ended = 1;
    return j->seen < 0 ? j->seen : j->result;
}

static int joins(void *arg)
{
    job *jobs = arg;
    tn_group g;
    tn_group_init(&g);
    for (int i = 0; i < 4; i++) tn_go(&g, work, &jobs[i]);
    return tn_group_join(&g);
}

TEST(group, joins_when_all_have_ended_and_reports_the_first_error)
{
    job jobs[4] = {{.seconds = 0.002, .result = TN_EOF}, {.seconds = 0.001, .result = TN_ESYNTAX}, {.result = 5}, {.result = 6}};
    assert_int_equal(tn_run(joins, jobs), TN_ESYNTAX);
    for (int i = 0; i < 4; i++) assert_int_equal(jobs[i].ended, 1);
    job fine[4] = {{0}};
    assert_int_equal(tn_run(joins, fine), TN_OK);
}

static int joins_two_at_a_time(void *arg)
{
    tn_group g;
    tn_group_init(&g, .max_running = 2);
    for (int i = 0; i < 9; i++) TN_TRY(tn_go(&g, work, (job *)arg + i));
    return tn_group_join(&g);
}

TEST(group, runs_no_more_at_once_than_its_limit)
{
    int running = 0, most = 0;
    job jobs[9];
    for (int i = 0; i < 9; i++) jobs[i] = (job){.running = &running, .most = &most, .seconds = i % 2 ? 0.001 : 0};
    assert_int_equal(tn_run(joins_two_at_a_time, jobs), TN_OK);
    assert_int_equal(most, 2);
    assert_int_equal(running, 0);
}

static int joins_in_time(void *arg)
{
    job *jobs = arg;
    int e = TN_OK;
    tn_group g;
    tn_group_init(&g, .max_running = 2);
    for (int i = 0; i < 4; i++) tn_go(&g, work, &jobs[i]);
    TN_TIMEOUT(0.01) e = tn_group_join(&g);
    for (int i = 0; i < 4; i++)
        if (jobs[i].ended != (i < 2)) return -1; /* the first two were cancelled, the others never began */
    return e;
}

TEST(group, under_a_deadline_cancels_the_late_ones_and_still_joins_them)
{
    job jobs[4] = {{.seconds = 60}, {.seconds = 60}, {.seconds = 60}, {.seconds = 60}};
    assert_int_equal(tn_run(joins_in_time, jobs), TN_ETIMEDOUT);
    assert_int_equal(jobs[0].seen, TN_ECANCELED);
    assert_int_equal(jobs[1].seen, TN_ECANCELED);
}

static int stubborn(void *arg)
{
    TN_SHIELD(5) tn_sleep(0.01);
    *(int *)arg = 1;
    return TN_OK;
}

static int joins_stubborn(void *arg)
{
    int ended = 0, e = TN_OK;
    tn_group g;
    (void)arg;
    tn_group_init(&g);
    tn_go(&g, stubborn, &ended);
    TN_TIMEOUT(0.001) e = tn_group_join(&g);
    return e == TN_ETIMEDOUT && ended;
}

TEST(group, waits_for_children_that_take_their_time_to_clean_up)
{
    assert_int_equal(tn_run(joins_stubborn, NULL), 1);
}

static int leaves_children(void *arg)
{
    job *jobs = arg;
    TN_TRY(tn_go(NULL, work, &jobs[0]));
    TN_TRY(tn_go(NULL, work, &jobs[1]));
    while (!jobs[0].ended) TN_TRY(tn_sleep(0));
    return !jobs[1].ended;
}

TEST(group, that_every_coroutine_has_is_cancelled_and_joined_at_its_end)
{
    job jobs[2] = {{.seconds = 0}, {.seconds = 60}};
    assert_int_equal(tn_run(leaves_children, jobs), 1);
    assert_int_equal(jobs[1].seen, TN_ECANCELED);
}

static int is_stopped(void *arg)
{
    job *jobs = arg;
    tn_group g;
    tn_group_init(&g, .max_running = 1);
    tn_go(&g, work, &jobs[0]);
    tn_go(&g, work, &jobs[1]);
    tn_loop_stop(tn_loop_current());
    return tn_group_join(&g);
}

TEST(group, is_cancelled_and_joined_when_the_loop_is_freed)
{
    job jobs[2] = {{.seconds = 60}, {.seconds = 60}};
    assert_int_equal(tn_run(is_stopped, jobs), TN_ECANCELED);
    assert_int_equal(jobs[0].ended, 1);
    assert_int_equal(jobs[1].ended, 0);
}

static int counts(void *arg)
{
    ++*(int *)arg;
    return TN_OK;
}

static int uses_again(void *arg)
{
    tn_group g;
    tn_group_init(&g);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++) TN_TRY(tn_go(&g, counts, arg));
        TN_TRY(tn_group_join(&g));
    }
    return TN_OK;
}

TEST(group, may_be_used_again_after_it_was_joined)
{
    int n = 0;
    assert_int_equal(tn_run(uses_again, &n), TN_OK);
    assert_int_equal(n, 15);
}
