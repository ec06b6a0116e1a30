/* Every allocation of this floor made to fail in turn: what fails is reported, nothing leaks, and the loop goes on. */
#include <stdio.h>

#include "base/alloc.h"
#include "gen/task.h"
#include "test.h"
#include "tornado/locks.h"
#include "tornado/queues.h"

static tn_queue *queue;
static int deferred;

static void count(void *arg)
{
    ++*(int *)arg;
}

static int child(void *arg)
{
    (void)arg;
    void *got;
    TN_TRY(tn_queue_get(queue, &got));
    return tn_await(tn_sleep_start(0.0005));
}

static void told(void *arg, tn_future *future)
{
    (void)arg, (void)future;
}

/* Uses a little of everything; whatever fails ends it. */
static int a_little_of_everything(void *arg)
{
    (void)arg;
    TN_TRY(tn_defer(count, &deferred));
    TN_TRY(tn_go(NULL, child, NULL));
    TN_TRY(tn_spawn_detached(tn_loop_current(), child, NULL));
    TN_TIMEOUT(5) TN_TRY(tn_sleep(0.0001));
    for (int i = 0; i < 20; i++) TN_TRY(tn_queue_put(queue, arg));
    tn_future *f = tn_sleep_start(0.0001);
    if (!f) return TN_ENOMEM;
    int result = tn_future_on_done(f, told, NULL);
    if (result == TN_OK) result = tn_await_any(&f, 1);
    tn_future_unref(f);
    TN_TRY(result);
    tn_future *both[] = {tn_sleep_start(0.0001), tn_queue_get_start(queue)};
    TN_TRY(tn_await_all(both, 2));
    TN_ARENA_SCOPE if (!tn__arena_alloc(tn__task_arena(), 10000)) return TN_ENOMEM;
    return TN_OK;
}

static int run_failing_after(long successes, bool forever)
{
    queue = tn_queue_new(0);
    if (!queue) return TN_ENOMEM;
    tn__alloc_fail_after(successes, forever);
    int result = tn_run(a_little_of_everything, NULL);
    tn__alloc_fail_after(-1, false);
    tn_queue_free(queue);
    return result;
}

TEST(memory, that_cannot_be_had_is_an_error_and_nothing_leaks)
{
    for (int forever = 0; forever < 2; forever++) {
        int result, failures = 0;
        for (long n = 0; (result = run_failing_after(n, forever)) != TN_OK || n < 30; n++) {
            if (result < 0) failures++;
            assert_true(result == TN_OK || result == TN_ENOMEM);
            assert_true(n < 1000);
        }
        assert_true(failures > 10);
    }
}
