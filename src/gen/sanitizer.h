/*
 * What AddressSanitizer and ThreadSanitizer must be told when stacks are switched, and what Valgrind must know about them.
 *
 * Used by coro.h (the switch) and stack.c (the memory). In an ordinary build all of it is empty.
 */
#ifndef TN_GEN_SANITIZER_H
#define TN_GEN_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define TN__ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define TN__TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

/*
 * ThreadSanitizer keeps a stack of calls for each side: a function that begins on one and ends on the other must not be counted,
 * and those that switch must not become calls of their own.
 */
#if !defined(TN__TSAN)
#define TN__NO_SANITIZE_THREAD
#elif defined(__clang__)
#define TN__NO_SANITIZE_THREAD __attribute__((disable_sanitizer_instrumentation))
#else
#define TN__NO_SANITIZE_THREAD __attribute__((no_sanitize_thread))
#endif
#define TN__INLINE static inline __attribute__((always_inline))

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

typedef struct tn__fiber {
#if defined(TN__ASAN)
    void *loop_fake, *coro_fake; /* AddressSanitizer's shadow frames of the two sides */
    const void *loop_low;        /* the stack it was entered from */
    size_t loop_bytes;
#elif defined(TN__TSAN)
    void *coro, *loop; /* ThreadSanitizer's names of the two sides */
#else
    char none;
#endif
} tn__fiber;

static inline void tn__fiber_init(tn__fiber *f)
{
    *f = (tn__fiber){0};
#if defined(TN__TSAN)
    f->coro = __tsan_create_fiber(0);
#endif
}

static inline void tn__fiber_done(tn__fiber *f)
{
#if defined(TN__TSAN)
    __tsan_destroy_fiber(f->coro);
#else
    (void)f;
#endif
}

/* On the loop's side, right before the switch to a coroutine, and right after it has come back. */
TN__INLINE void tn__fiber_enter(tn__fiber *f, const void *low, size_t bytes)
{
#if defined(TN__ASAN)
    __sanitizer_start_switch_fiber(&f->loop_fake, low, bytes);
#elif defined(TN__TSAN)
    f->loop = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->coro, 0);
#endif
    (void)f, (void)low, (void)bytes;
}

TN__INLINE void tn__fiber_entered(tn__fiber *f)
{
#if defined(TN__ASAN)
    __sanitizer_finish_switch_fiber(f->loop_fake, NULL, NULL);
#endif
    (void)f;
}

/* On the coroutine's side, right after it was entered, and right before it goes back. */
TN__INLINE void tn__fiber_arrived(tn__fiber *f, bool first)
{
#if defined(TN__ASAN)
    __sanitizer_finish_switch_fiber(first ? NULL : f->coro_fake, &f->loop_low, &f->loop_bytes);
#endif
    (void)f, (void)first;
}

TN__INLINE void tn__fiber_leave(tn__fiber *f, bool last)
{
#if defined(TN__ASAN)
    __sanitizer_start_switch_fiber(last ? NULL : &f->coro_fake, f->loop_low, f->loop_bytes);
#elif defined(TN__TSAN)
    __tsan_switch_to_fiber(f->loop, 0);
#endif
    (void)f, (void)last;
}

#endif
