/* Pooled stacks: reuse, guards, measuring, giving back. */
#include "gen/room.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gen/stack.h"
#include "test.h"

static tn_loop *new_loop(void)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    return loop;
}

TEST(stack, given_back_last_is_handed_out_first)
{
    tn_loop *loop = new_loop();
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    tn__stack *a = tn__stack_get(pool, 0), *b = tn__stack_get(pool, 0), *c = tn__stack_get(pool, 0);
    tn__stack_put(pool, b);
    tn__stack_put(pool, c);
    tn__stack_put(pool, a);
    assert_ptr_equal(tn__stack_get(pool, 0), a);
    assert_ptr_equal(tn__stack_get(pool, 0), c);
    assert_ptr_equal(tn__stack_get(pool, 0), b);
    tn__stack_put(pool, a);
    tn__stack_put(pool, b);
    tn__stack_put(pool, c);
    assert_int_equal(pool->live_n, 3);
    tn_loop_free(loop);
}

TEST(stack, has_the_size_asked_for_rounded_up_to_a_power_of_two)
{
    tn_loop *loop = new_loop();
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    size_t most = (64 << 20) / TN__STACK_SCALE;
    tn__stack *small = tn__stack_get(pool, 1), *odd = tn__stack_get(pool, 100000), *large = tn__stack_get(pool, most);
    assert_int_equal(small->map_bytes, 4 * sysconf(_SC_PAGESIZE));
    assert_int_equal(odd->map_bytes, 131072 * TN__STACK_SCALE);
    assert_int_equal(large->map_bytes, 64 << 20);
    assert_null(tn__stack_get(pool, most + 1));
    tn__stack_put(pool, small);
    tn__stack_put(pool, odd);
    tn__stack_put(pool, large);
    assert_ptr_equal(tn__stack_get(pool, 120000), odd);
    tn__stack_put(pool, odd);
    tn_loop_free(loop);
}

/* In a child: touch the lowest usable byte, which is fine, then the one below, which must not be. */
static int touch_below(tn__stack *stack)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)stack->coro.stack_low = 1;
        *(volatile char *)(stack->coro.stack_low - 1) = 1;
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(stack, ends_in_a_guard_whichever_way_the_system_has_for_it)
{
    tn_loop *loop = new_loop();
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    tn__stack *first = tn__stack_get(pool, 0);
    if (!test_is_emulated()) assert_int_equal(touch_below(first), SIGSEGV);
    pool->guard = TN__GUARD_PROTECT;
    tn__stack *second = tn__stack_get(pool, 0);
    assert_true(second->protected);
    assert_int_equal(touch_below(second), SIGSEGV);
    tn__stack_put(pool, first);
    tn__stack_put(pool, second);
    tn_loop_free(loop);
}

TEST(stack, does_without_a_guard_when_there_are_too_many_to_protect)
{
    tn_loop *loop = new_loop();
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    pool->guard = TN__GUARD_PROTECT;
    pool->protected_n = TN__STACKS_PROTECTED_MAX;
    tn__stack *stack = tn__stack_get(pool, 0);
    assert_non_null(stack);
    assert_false(stack->protected);
    tn__stack_put(pool, stack);
    tn_loop_free(loop);
}

TEST(stack, knows_how_deep_it_was_used)
{
    tn_loop *loop = new_loop();
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    tn__stack *stack = tn__stack_get(pool, 0);
    assert_int_equal(tn__stack_high_water(stack), 0);
    memset(stack->coro.stack_top - 5000, 1, 8);
    assert_int_equal(tn__stack_high_water(stack), 5000);
    memset(stack->coro.stack_top - 64 * 1024, 1, 8);
    assert_int_equal(tn__stack_high_water(stack), 64 * 1024);
    tn__stack_clear(stack, 64 * 1024);
    assert_int_equal(tn__stack_high_water(stack), 0);
    tn__stack_put(pool, stack);
    tn_loop_free(loop);
}

static int64_t hand_ns;
static int64_t by_hand(void *arg)
{
    (void)arg;
    return hand_ns;
}

TEST(stack, that_nobody_needed_for_some_seconds_is_given_back)
{
    enum { N = 300 };
    tn_loop *loop = new_loop();
    hand_ns = INT64_C(1000000000000);
    tn_loop_set_clock(loop, by_hand, NULL);
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    tn__stack *stacks[N];
    for (int i = 0; i < N; i++) assert_non_null(stacks[i] = tn__stack_get(pool, 0));
    for (int i = 0; i < N; i++) tn__stack_put(pool, stacks[i]);
    for (int ms = 0; ms < 4000; ms += 100) {
        hand_ns += 100 * 1000000;
        tn_loop_turn(loop, 0);
    }
    assert_int_equal(pool->live_n, N);
    for (int ms = 0; ms < 5000; ms += 100) {
        hand_ns += 100 * 1000000;
        tn_loop_turn(loop, 0);
    }
    assert_int_equal(pool->live_n, TN__STACKS_IDLE_MIN + 1);
    assert_true(pool->trim.deadline_ns == INT64_MAX);
    tn_loop_free(loop);
}

#if !defined(TN__TSAN) /* which maps shadows of its own */
static size_t mappings(void)
{
    size_t n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps) return 0;
    for (int c; (c = fgetc(maps)) != EOF;) n += c == '\n';
    fclose(maps);
    return n;
}

TEST(stack, takes_no_mapping_of_its_own_where_guards_can_be_installed)
{
    enum { N = 500 };
    tn_loop *loop = new_loop();
    tn__stack_pool *pool = &tn__gen_of(loop)->stacks;
    tn__stack *stacks[N];
    size_t before = mappings();
    for (int i = 0; i < N; i++) assert_non_null(stacks[i] = tn__stack_get(pool, 0));
    size_t after = mappings();
    if (pool->guard == TN__GUARD_INSTALL) assert_true(after - before < N / 10);
    for (int i = 0; i < N; i++) tn__stack_put(pool, stacks[i]);
    tn_loop_free(loop);
}
#endif
