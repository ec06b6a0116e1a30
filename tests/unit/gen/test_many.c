/* Very many coroutines that wait at the same time: the limits of the system on memory mappings must not be ours. */
#include <stdio.h>

#include "gen/task.h"
#include "test.h"
#include "tornado/gen.h"

static size_t mappings(void)
{
    size_t n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps) return 0;
    for (int c; (c = fgetc(maps)) != EOF;) n += c == '\n';
    fclose(maps);
    return n;
}

typedef struct crowd {
    tn_future *gate;
    int waiting, passed;
} crowd;

static int waits_at_the_gate(void *arg)
{
    crowd *c = arg;
    c->waiting++;
    TN_TRY(tn_await(tn_future_ref(c->gate)));
    c->passed++;
    return TN_OK;
}

#if defined(TN__TSAN)
enum { TEN_THOUSAND = 1000 }; /* each is a thread to ThreadSanitizer */
#else
enum { TEN_THOUSAND = 10000 };
#endif

/* Park n coroutines, count the mappings, let all of them go on. */
static void gather_crowd(int n, tn__guard guard, size_t mappings_max)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn__gen *gen = tn__gen_of(loop);
    if (guard != TN__GUARD_INSTALL) gen->stacks.guard = guard;
    crowd c = {.gate = tn_future_new(loop)};
    size_t before = mappings();
    for (int i = 0; i < n; i++) {
        tn__task_spec spec = {.fn = waits_at_the_gate, .arg = &c};
        int result;
        tn_task *task;
        assert_int_equal(tn__task_call(loop, &spec, &result, &task), TN__PENDING);
    }
    assert_int_equal(c.waiting, n);
    if (gen->stacks.guard == guard && TEN_THOUSAND == 10000) assert_true(mappings() - before <= mappings_max);
    tn_future_set(c.gate, TN_OK);
    while (c.passed < n) assert_int_equal(tn_loop_turn(loop, 0), 0);
    tn_future_unref(c.gate);
    tn_loop_free(loop);
}

TEST(ten_thousand, coroutines_wait_at_once)
{
    gather_crowd(TEN_THOUSAND, TN__GUARD_INSTALL, 500);
}

TEST(ten_thousand, coroutines_wait_at_once_where_each_guard_is_a_mapping)
{
    gather_crowd(TEN_THOUSAND, TN__GUARD_PROTECT, 21000);
}

/* Sanitizers keep some hundred bytes of their own for each mapping and frame; this many would be too slow there. */
#if !defined(TN__ASAN) && !defined(TN__TSAN)
TEST(a_hundred_thousand, coroutines_wait_at_once)
{
    gather_crowd(100000, TN__GUARD_INSTALL, 2000);
}

TEST(a_hundred_thousand, coroutines_wait_at_once_where_each_guard_is_a_mapping)
{
    gather_crowd(100000, TN__GUARD_PROTECT, 50000);
}
#endif
