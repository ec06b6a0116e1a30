/*
 * The allocator: malloc, with one switch in front by which tests make any allocation fail.
 *
 * The switch is in release builds too, so that the real program can be tried without memory: while it is off it costs one load and
 * one branch that always goes the same way. It is one of the few mutable globals of the library.
 */
#include "alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool hook_on;
static atomic_long hook_successes; /* still to be granted; below zero: refusals so far */
static atomic_long hook_count;
static atomic_bool hook_forever;

void tn__alloc_fail_after(long successes, bool forever)
{
    atomic_store(&hook_on, false);
    atomic_store(&hook_successes, successes);
    atomic_store(&hook_forever, forever);
    atomic_store(&hook_count, 0);
    atomic_store(&hook_on, successes >= 0);
}

long tn__alloc_count(void)
{
    return atomic_load(&hook_count);
}

static bool hook_refuses(void)
{
    atomic_fetch_add(&hook_count, 1);
    long left = atomic_fetch_sub(&hook_successes, 1);
    return left == 0 || (left < 0 && atomic_load(&hook_forever));
}

static inline bool refused(void)
{
    return __builtin_expect(atomic_load_explicit(&hook_on, memory_order_relaxed), 0) && hook_refuses();
}

void *tn__alloc(size_t n)
{
    return refused() ? NULL : malloc(n);
}

void *tn__zalloc(size_t n)
{
    return refused() ? NULL : calloc(1, n);
}

void *tn__realloc(void *p, size_t n)
{
    return refused() ? NULL : realloc(p, n);
}

void tn__free(void *p)
{
    free(p);
}
