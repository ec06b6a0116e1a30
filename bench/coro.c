/*
 * What does it cost to change stacks? Prints nanoseconds for one switch of ours, for swapcontext, and their ratio (to be at most
 * 1/15; the aim is 1/120); and for a whole coroutine that never waits, which is what a synchronous handler pays.
 *
 *     coro [seconds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "gen/task.h"

enum { ROUND = 100000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Nanoseconds for each of the `per_round` things that round() does, the best of all rounds within `seconds`. */
static double measure(void (*round)(void *arg), void *arg, double per_round, double seconds)
{
    double best = 1e9, end = now() + seconds;
    do {
        double before = now();
        round(arg);
        double took = (now() - before) / per_round * 1e9;
        if (took < best) best = took;
    } while (now() < end);
    return best;
}

/* -- Ours -- */

static void park_for_ever(tn__coro *coro)
{
    tn__coro_begin(coro);
    for (;;) tn__coro_park(coro);
}

static void switch_round(void *arg)
{
    for (int i = 0; i < ROUND; i++) tn__coro_resume(arg);
}

static int answer(void *arg)
{
    return *(int *)arg;
}

static void call_round(void *arg)
{
    int one = 1, result;
    tn__task_spec spec = {.fn = answer, .arg = &one};
    tn_task *task;
    for (int i = 0; i < ROUND; i++)
        if (tn__task_call(arg, &spec, &result, &task) != TN_OK) abort();
}

/* -- The C library's -- */

static ucontext_t here, there;

static void swap_for_ever(void)
{
    for (;;) swapcontext(&there, &here);
}

static void swapcontext_round(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUND; i++) swapcontext(&here, &there);
}

static double measure_swapcontext(double seconds)
{
    static char stack[65536];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    makecontext(&there, swap_for_ever, 0);
    return measure(swapcontext_round, NULL, 2.0 * ROUND, seconds);
}

/* Within a turn of the loop, as handlers are called. */
static void measure_all(void *arg)
{
    double seconds = *(double *)arg;
    tn_loop *loop = tn_loop_current();
    tn__stack *stack = tn__stack_get(&tn__gen_of(loop)->stacks, 0);
    if (!stack) abort();
    tn__coro_start(&stack->coro, park_for_ever);
    double ours = measure(switch_round, &stack->coro, 2.0 * ROUND, seconds);
    double theirs = measure_swapcontext(seconds);
    double call = measure(call_round, loop, ROUND, seconds);
    printf("switch            %8.2f ns\n", ours);
    printf("swapcontext       %8.2f ns\n", theirs);
    printf("ratio             1/%.0f\n", theirs / ours);
    printf("coroutine call    %8.2f ns\n", call);
    tn__stack_put(&tn__gen_of(loop)->stacks, stack);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    tn_loop *loop;
    if (tn_loop_new(&loop, NULL) < 0) return 1;
    tn_loop_make_current(loop);
    if (tn_loop_add_callback(loop, measure_all, &seconds) < 0 || tn_loop_turn(loop, 0) < 0) return 1;
    tn_loop_free(loop);
    return 0;
}
