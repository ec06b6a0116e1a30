/*
 * The allocator: malloc, with the switch of fault.h in front, by which tests make any allocation fail: as one of the points of that
 * file, or counted, by the hook that is here.
 */
#include "alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "fault.h"

static atomic_long hook_successes; /* still to be granted; below zero: refusals so far */
static atomic_long hook_count;
static atomic_bool hook_forever;

void tn__alloc_fail_after(long successes, bool forever)
{
    atomic_fetch_and(&tn__faults_on, ~TN__FAULTS_ALLOC_HOOK);
    atomic_store(&hook_successes, successes);
    atomic_store(&hook_forever, forever);
    atomic_store(&hook_count, 0);
    if (successes >= 0) atomic_fetch_or(&tn__faults_on, TN__FAULTS_ALLOC_HOOK);
}

long tn__alloc_count(void)
{
    return atomic_load(&hook_count);
}

static __attribute__((noinline)) bool refuses(int on)
{
    if (on & TN__FAULTS_RULES && tn__fault_ask(TN__FAULT_ALLOC)) return true;
    if (!(on & TN__FAULTS_ALLOC_HOOK)) return false;
    atomic_fetch_add(&hook_count, 1);
    long left = atomic_fetch_sub(&hook_successes, 1);
    return left == 0 || (left < 0 && atomic_load(&hook_forever));
}

static inline bool refused(void)
{
    int on = atomic_load_explicit(&tn__faults_on, memory_order_relaxed);
    return __builtin_expect(on, 0) && refuses(on);
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
