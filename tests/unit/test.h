/*
 * What unit tests include: cmocka, and TEST, whose names are sentences.
 *
 *     TEST(timer, fires_in_order_of_deadline_then_of_creation)
 *     {
 *         assert_int_equal(1, 1);
 *     }
 *
 * A test registers itself; the runner (test_main.c) checks that each one leaves no descriptor open and no memory of ours allocated.
 */
#ifndef TN_TESTS_TEST_H
#define TN_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void test_register(const char *name, void (*function)(void **state));

#define TEST(subject, sentence)                                                                                                    \
    static void subject##_##sentence(void **state);                                                                                \
    __attribute__((constructor)) static void register_##subject##_##sentence(void)                                                 \
    {                                                                                                                              \
        test_register(#subject " " #sentence, subject##_##sentence);                                                               \
    }                                                                                                                              \
    static void subject##_##sentence(__attribute__((unused)) void **state)

/*
 * Do the tests run under qemu's user emulation? It has no vfork, so the failure of exec in a child is not heard of, and it says yes
 * to advice about memory that it does not follow.
 */
__attribute__((unused)) static int test_is_emulated(void)
{
    return getenv("TORNADO_TESTS_EMULATED") != NULL;
}

/* A tn_str against a literal. */
#define assert_str(actual, expected)                                                                                               \
    do {                                                                                                                           \
        tn_str actual_ = (actual), expected_ = TN_STR(expected);                                                                   \
        assert_int_equal(actual_.n, expected_.n);                                                                                  \
        if (expected_.n) assert_memory_equal(actual_.p, expected_.p, expected_.n);                                                 \
    } while (0)

#endif
