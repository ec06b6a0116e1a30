/* The list of parked coroutines. */
#include <stdio.h>
#include <string.h>

#include "gen/dump.h"
#include "test.h"
#include "tornado/gen.h"

static int waits(void *arg)
{
    (void)arg;
    return tn_sleep(60);
}

static int awaits(void *arg)
{
    (void)arg;
    return tn_await(tn_sleep_start(60));
}

static int dumps(void *arg)
{
    tn_group g;
    tn_group_init(&g);
    tn_go(&g, waits, NULL);
    tn_go(&g, awaits, NULL);
    TN_TRY(tn_sleep(0.001));
    FILE *out = fmemopen(arg, 4000, "w");
    tn_loop_dump(out);
    fclose(out);
    tn_group_cancel(&g);
    int e = tn_group_join(&g);
    return e == TN_ECANCELED ? TN_OK : e;
}

TEST(dump, names_every_parked_coroutine_and_the_call_in_which_it_waits)
{
    char text[4000] = "";
    assert_int_equal(tn_run(dumps, text), TN_OK);
    assert_non_null(strstr(text, "2 coroutines wait"));
    assert_non_null(strstr(text, "waits in tn_sleep, called at "));
    assert_non_null(strstr(text, "waits in tn_await, called at "));
}

TEST(dump, without_a_loop_lists_nothing)
{
    char text[100] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    tn_loop_dump(out);
    fclose(out);
    assert_string_equal(text, "no coroutine waits\n");
}

static int goes_deep(void *arg)
{
    volatile char deep[40000];
    memset((void *)deep, 1, sizeof deep);
    return deep[*(int *)arg];
}

TEST(dump, tells_how_much_stack_a_function_used)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn__gen *gen = tn__gen_of(loop);
    tn__task_spec spec = {.fn = goes_deep, .arg = &(int){5}};
    tn__stack *stack = tn__stack_get(&gen->stacks, 0);
    memset(stack->coro.stack_top - 12000, 1, 8);
    tn__mark_stack(gen, stack, &spec);
    assert_int_equal(gen->mark_n, 1);
    assert_int_equal(gen->marks[0].bytes_most, 12000);
    assert_int_equal(tn__stack_high_water(stack), 0);
    tn__stack_put(&gen->stacks, stack);
#if TN_DEBUG_CHECKS && !defined(TN__ASAN)
    int result;
    tn_task *task;
    assert_int_equal(tn__task_call(loop, &spec, &result, &task), TN_OK);
    assert_true(gen->marks[0].bytes_most >= 40000);
#endif
    tn_loop_free(loop);
}
