/*
 * The memory of stacks: mapping, guarding, measuring, giving back. Called by task.c through stack.h, where the fast paths are.
 */
#include "stack.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.13; older headers do not know it. */
enum { GUARD_INSTALL = 102 };

enum {
    TRIM_IDLE_S = 5,     /* a stack unused for so long is given back */
    TRIM_ROUND_MAX = 128 /* so many at once: unmapping takes about 2 us each, and others are waiting for their turn */
};

#define SECOND_NS INT64_C(1000000000)

static void guard(tn__stack_pool *pool, tn__stack *stack, size_t page)
{
    if (pool->guard == TN__GUARD_INSTALL) {
        if (madvise(stack->map, page, GUARD_INSTALL) == 0) return;
        pool->guard = TN__GUARD_PROTECT;
    }
    if (pool->guard == TN__GUARD_PROTECT && pool->protected_n < TN__STACKS_PROTECTED_MAX) {
        if (mprotect(stack->map, page, PROT_NONE) == 0) {
            stack->protected = true;
            pool->protected_n++;
        }
    }
}

/*
 * All stacks end at the same place of a page, and would fight for the same few lines of the processor's first cache: so they begin a
 * little lower in turn. Resuming a thousand coroutines one after the other takes 75 ns each instead of 105.
 */
static size_t colour(const tn__stack_pool *pool)
{
    return pool->live_n % 8 * 128;
}

static tn__stack *stack_new(tn__stack_pool *pool, int size_class)
{
    size_t bytes = (size_t)1 << (size_class + TN__STACK_SHIFT_MIN), page = (size_t)sysconf(_SC_PAGESIZE);
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (map == MAP_FAILED) return NULL;
#ifdef MADV_NOHUGEPAGE
    /* Neighbouring stacks merge into one mapping, and a huge page would commit eight of them at the first touch of one. */
    madvise(map, bytes, MADV_NOHUGEPAGE);
#endif

    tn__stack *stack = (tn__stack *)(map + bytes - colour(pool) - sizeof *stack);
    tn__list_init(&stack->node);
    stack->map = map;
    stack->map_bytes = bytes;
    stack->coro = (tn__coro){.stack_low = map + page, .stack_top = stack->room};
    tn__fiber_init(&stack->coro.fiber);
    guard(pool, stack, page);
    tn__arena_init(&stack->arena, SIZE_MAX);
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->coro.stack_low, stack->coro.stack_top);
    pool->live_n++;
    return stack;
}

/* Give a stack that is in no list back to the system. */
static void stack_free(tn__stack_pool *pool, tn__stack *stack)
{
    pool->live_n--;
    if (stack->protected) pool->protected_n--;
    tn__arena_done(&stack->arena);
    tn__fiber_done(&stack->coro.fiber);
    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#if defined(TN__ASAN)
    __asan_unpoison_memory_region(stack->map, stack->map_bytes);
#endif
    char *map = stack->map;
    size_t bytes = stack->map_bytes;
    /* A hole in a mapping makes two of it. Where the system allows no further mapping, the memory at least goes. */
    if (munmap(map, bytes) < 0) madvise(map, bytes, MADV_DONTNEED);
}

/* Free what lies idle in one class for long enough; the coldest is last in the list. Returns how many. */
static int trim_class(tn__stack_pool *pool, int size_class, int64_t used_before_ns, int max)
{
    tn__list *idle = &pool->idle[size_class];
    int n = 0;
    for (; n < max && !tn__list_empty(idle) && pool->idle_n > TN__STACKS_IDLE_MIN; n++) {
        tn__stack *coldest = TN__OWNER(idle->prev, tn__stack, node);
        if (coldest->idle_since_ns > used_before_ns) break;
        tn__list_remove(&coldest->node);
        pool->idle_n--;
        stack_free(pool, coldest);
    }
    return n;
}

static void trim(tn_loop *loop, tn__timeout *timeout)
{
    tn__stack_pool *pool = TN__OWNER(timeout, tn__stack_pool, trim);
    int64_t used_before_ns = tn__loop_now(loop) - TRIM_IDLE_S * SECOND_NS;
    int left = TRIM_ROUND_MAX;
    tn__timeout_clear(timeout);
    for (int c = 0; c < TN__STACK_CLASSES && left > 0; c++) left -= trim_class(pool, c, used_before_ns, left);
    if (pool->idle_n <= TN__STACKS_IDLE_MIN) return;
    tn__timeout_set(loop, timeout, tn__loop_now(loop) + (left > 0 ? SECOND_NS : SECOND_NS / 50));
}

/* The class for `bytes` in all, a power of two; TN_EINVAL when that is too large. */
static int class_of(size_t bytes)
{
    if (bytes <= (size_t)1 << TN__STACK_SHIFT_MIN) return 0;
    int shift = 8 * (int)sizeof(unsigned long) - __builtin_clzl(bytes - 1);
    return shift <= TN__STACK_SHIFT_MAX ? shift - TN__STACK_SHIFT_MIN : TN_EINVAL;
}

tn__stack *tn__stack_find(tn__stack_pool *pool, size_t bytes)
{
    size_t least = 4 * (size_t)sysconf(_SC_PAGESIZE); /* a guard, and something worth guarding */
    if (bytes > (size_t)1 << TN__STACK_SHIFT_MAX) return NULL;
    bytes = bytes ? bytes * TN__STACK_SCALE : TN__STACK_BYTES;
    if (bytes < least) bytes = least;
    int size_class = class_of(bytes);
    if (size_class < 0) return NULL;
    tn__list *node = tn__list_pop(&pool->idle[size_class]);
    if (!node) return stack_new(pool, size_class);
    pool->idle_n--;
    return TN__OWNER(node, tn__stack, node);
}

void tn__stack_store(tn__stack_pool *pool, tn__stack *stack)
{
    tn__stack *cooler = stack;
    if (stack->map_bytes == TN__STACK_BYTES) {
        cooler = pool->hot;
        pool->hot = stack;
    }
    int64_t now_ns = tn__loop_now(pool->loop);
    cooler->idle_since_ns = now_ns;
    tn__list_push_front(&pool->idle[class_of(cooler->map_bytes)], &cooler->node);
    if (++pool->idle_n > TN__STACKS_IDLE_MIN && pool->trim.deadline_ns == INT64_MAX)
        tn__timeout_set(pool->loop, &pool->trim, now_ns + SECOND_NS);
}

void tn__stack_pool_init(tn__stack_pool *pool, tn_loop *loop)
{
    *pool = (tn__stack_pool){.loop = loop, .guard = TN__GUARD_INSTALL};
    for (int i = 0; i < TN__STACK_CLASSES; i++) tn__list_init(&pool->idle[i]);
    tn__timeout_init(&pool->trim, trim);
}

void tn__stack_pool_done(tn__stack_pool *pool)
{
    tn__timeout_stop(&pool->trim);
    if (pool->hot) stack_free(pool, pool->hot);
    for (int i = 0; i < TN__STACK_CLASSES; i++)
        for (tn__list *node; (node = tn__list_pop(&pool->idle[i]));) stack_free(pool, TN__OWNER(node, tn__stack, node));
}

/* AddressSanitizer would take reading where frames have been for a bug. */
__attribute__((no_sanitize_address)) TN__NO_SANITIZE_THREAD size_t tn__stack_high_water(const tn__stack *stack)
{
    enum { PAGES_AT_ONCE = 64 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident[PAGES_AT_ONCE];
    const char *top = stack->coro.stack_top;
    for (char *at = stack->coro.stack_low; at < top; at += PAGES_AT_ONCE * page) {
        size_t left = (size_t)(top - at), span = left < PAGES_AT_ONCE * page ? left : PAGES_AT_ONCE * page;
        if (mincore(at, span, resident) < 0) return 0;
        for (size_t i = 0; i * page < span; i++) {
            if (!(resident[i] & 1)) continue; /* never touched: still all zero, and looking would commit it */
            const uint64_t *word = (const uint64_t *)(at + i * page), *end = word + page / sizeof *word;
            for (; word < end && (const char *)word < top; word++)
                if (*word) return (size_t)(top - (const char *)word);
        }
    }
    return 0;
}

__attribute__((no_sanitize_address)) TN__NO_SANITIZE_THREAD void tn__stack_clear(tn__stack *stack, size_t bytes)
{
    volatile uint64_t *word = (volatile uint64_t *)(stack->coro.stack_top - bytes);
    while ((char *)word < stack->coro.stack_top) *word++ = 0;
}
