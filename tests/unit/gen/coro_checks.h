/*
 * What every coroutine switch must do. test_coro.c includes it for the one in use here, test_coro_ucontext.c for the portable one.
 */
#ifndef TN_TESTS_CORO_CHECKS_H
#define TN_TESTS_CORO_CHECKS_H

#include <stdio.h>
#include <string.h>

#include "gen/coro.h"
#include "test.h"

enum { STACK = 256 * 1024 };

typedef struct subject {
    tn__coro coro; /* first: bodies find their subject by it */
    int steps;
    unsigned valgrind_id;
    double numbers[10];
    tn__coro *inner;
    char *where;
    _Alignas(16) char stack[STACK];
} subject;

static subject *subject_new(void)
{
    subject *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->coro.stack_low = s->stack;
    s->coro.stack_top = s->stack + STACK;
    tn__fiber_init(&s->coro.fiber);
    s->valgrind_id = VALGRIND_STACK_REGISTER(s->stack, s->stack + STACK);
    return s;
}

static void subject_free(subject *s)
{
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
    tn__fiber_done(&s->coro.fiber);
    free(s);
}

TN__NO_SANITIZE_THREAD static void returns(tn__coro *coro)
{
    tn__coro_begin(coro);
    subject *s = (subject *)coro;
    s->where = __builtin_frame_address(0);
    s->steps++;
    tn__coro_end(coro);
}

TEST(coro, that_returns_was_a_call_on_its_own_stack)
{
    subject *s = subject_new();
    assert_true(tn__coro_start(&s->coro, returns));
    assert_int_equal(s->steps, 1);
    assert_true(s->where > s->stack && s->where < s->stack + STACK);
    assert_true(tn__coro_start(&s->coro, returns));
    assert_int_equal(s->steps, 2);
    subject_free(s);
}

TN__NO_SANITIZE_THREAD static void parks_twice(tn__coro *coro)
{
    tn__coro_begin(coro);
    subject *s = (subject *)coro;
    s->steps = 1;
    tn__coro_park(coro);
    s->steps = 2;
    tn__coro_park(coro);
    s->steps = 3;
    tn__coro_end(coro);
}

TEST(coro, that_parks_goes_on_where_it_was)
{
    subject *s = subject_new();
    assert_false(tn__coro_start(&s->coro, parks_twice));
    assert_int_equal(s->steps, 1);
    assert_false(tn__coro_resume(&s->coro));
    assert_int_equal(s->steps, 2);
    assert_true(tn__coro_resume(&s->coro));
    assert_int_equal(s->steps, 3);
    subject_free(s);
}

/* More values than there are registers, so that all that must be preserved hold one of them across the switch. */
TN__NO_SANITIZE_THREAD static void keeps(tn__coro *coro)
{
    tn__coro_begin(coro);
    subject *s = (subject *)coro;
    volatile double seed = 1;
    double a = seed, b = seed + 1, c = seed + 2, d = seed + 3, e = seed + 4, f = seed + 5, g = seed + 6, h = seed + 7;
    long i = (long)seed, j = i + 1, k = i + 2, l = i + 3, m = i + 4, n = i + 5, o = i + 6;
    tn__coro_park(coro);
    double values[] = {a, b, c, d, e, f, g, h, (double)(i + j + k + l + m + n + o), 0};
    memcpy(s->numbers, values, sizeof values);
    tn__coro_end(coro);
}

TEST(coro, finds_its_registers_again_and_so_does_its_caller)
{
    subject *s = subject_new();
    volatile double seed = 100;
    volatile long whole = 7;
    double a = seed, b = seed * 2, c = seed * 3, d = seed * 4;
    long i = whole, j = whole * 2, k = whole * 3, l = whole * 4, m = whole * 5;
    assert_false(tn__coro_start(&s->coro, keeps));
    assert_true(tn__coro_resume(&s->coro));
    assert_int_equal((long)(a + b + c + d), 1000);
    assert_int_equal(i + j + k + l + m, 105);
    for (int at = 0; at < 8; at++) assert_int_equal((long)s->numbers[at], at + 1);
    assert_int_equal((long)s->numbers[8], 1 + 2 + 3 + 4 + 5 + 6 + 7);
    subject_free(s);
}

TN__NO_SANITIZE_THREAD static void starts_another(tn__coro *coro)
{
    tn__coro_begin(coro);
    subject *s = (subject *)coro;
    s->steps = tn__coro_start(s->inner, parks_twice) ? -1 : 1;
    tn__coro_park(coro);
    s->steps = tn__coro_resume(s->inner) ? -1 : 2;
    tn__coro_end(coro);
}

TEST(coro, started_by_another_one_goes_back_to_whoever_entered_it_last)
{
    subject *outer = subject_new(), *inner = subject_new();
    outer->inner = &inner->coro;
    assert_false(tn__coro_start(&outer->coro, starts_another));
    assert_int_equal(outer->steps, 1);
    assert_true(tn__coro_resume(&outer->coro));
    assert_int_equal(outer->steps, 2);
    assert_true(tn__coro_resume(&inner->coro));
    assert_int_equal(inner->steps, 3);
    subject_free(inner);
    subject_free(outer);
}

TN__NO_SANITIZE_THREAD static void prints(tn__coro *coro)
{
    tn__coro_begin(coro);
    subject *s = (subject *)coro;
    char text[64];
    /* Vector instructions of the C library fault on a stack that is not aligned as the ABI says. */
    snprintf(text, sizeof text, "%.3f %Lf", 0.125, 2.5L);
    s->steps = strcmp(text, "0.125 2.500000") == 0;
    tn__coro_end(coro);
}

TEST(coro, has_a_stack_that_is_aligned_for_any_call)
{
    subject *s = subject_new();
    assert_true(tn__coro_start(&s->coro, prints));
    assert_int_equal(s->steps, 1);
    subject_free(s);
}

#endif
