/*
 * Stacks for coroutines, pooled by the loop that uses them.
 *
 * A stack is a mapping of its own: address space is reserved, the system commits pages as they are touched, and the lowest page is
 * a guard. Near its end lie the tn__stack itself and the room of what runs on it, so that starting a coroutine allocates nothing
 * and touches memory that is needed anyway. Stacks are handed out hottest first; a slow timer gives back those that nobody has
 * needed for some seconds.
 *
 * The guard costs nothing where the kernel has MADV_GUARD_INSTALL (Linux 6.13). Elsewhere mprotect splits the mapping in two, and
 * a process may have 65530 of them (vm.max_map_count): beyond TN__STACKS_PROTECTED_MAX stacks we do without guards rather than
 * without coroutines.
 */
#ifndef TN_GEN_STACK_H
#define TN_GEN_STACK_H

#include "base/arena.h"
#include "base/list.h"
#include "core/loop.h"
#include "coro.h"

enum {
#if defined(TN__ASAN) || defined(TN__TSAN)
    TN__STACK_SCALE = 4, /* instrumented frames are far larger */
#else
    TN__STACK_SCALE = 1,
#endif
    TN__STACK_BYTES = TN__STACK_SCALE * (256 << 10),
    TN__STACK_SHIFT_MIN = 14, /* 16 KiB is the smallest */
    TN__STACK_SHIFT_MAX = 26, /* 64 MiB the largest */
    TN__STACK_CLASSES = TN__STACK_SHIFT_MAX - TN__STACK_SHIFT_MIN + 1,
    TN__STACK_ROOM = 384,    /* bytes for what runs on it */
    TN__STACKS_IDLE_MIN = 8, /* so many are never given back: an idle server then needs no timer */
    TN__STACKS_PROTECTED_MAX = 24000,
};

/* How the lowest page is guarded. */
typedef enum tn__guard { TN__GUARD_INSTALL, TN__GUARD_PROTECT, TN__GUARD_NONE } tn__guard;

typedef struct tn__stack {
    _Alignas(16) char room[TN__STACK_ROOM]; /* for the tn_task; not zeroed */
    tn__list node;                          /* among the idle ones of its class */
    tn__coro coro;                          /* stack_low, stack_top and fiber are set for good */
    tn__arena arena;                        /* for tasks that bring none; keeps its first chunk from one to the next */
    char *map;                              /* the mapping, whose last page this struct is in */
    size_t map_bytes;
    int64_t idle_since_ns;
    unsigned valgrind_id;
    bool protected; /* guarded by mprotect */
} tn__stack;

typedef struct tn__stack_pool {
    tn__stack *hot;                   /* the one of the usual size that was given back last: synchronous traffic knows no other */
    tn__list idle[TN__STACK_CLASSES]; /* the rest, by size, hottest first */
    size_t idle_n, live_n;            /* in `idle`; in all, those in use included */
    size_t protected_n;
    tn__guard guard; /* the cheapest kind that has not failed yet */
    tn_loop *loop;
    tn__timeout trim;
} tn__stack_pool;

void tn__stack_pool_init(tn__stack_pool *pool, tn_loop *loop);
void tn__stack_pool_done(tn__stack_pool *pool); /* none may be in use */

/* A stack of at least `bytes` in all, which 0 means TN__STACK_BYTES. NULL for lack of memory, or when `bytes` is beyond 64 MiB. */
tn__stack *tn__stack_find(tn__stack_pool *pool, size_t bytes);
static inline tn__stack *tn__stack_get(tn__stack_pool *pool, size_t bytes)
{
    tn__stack *hot = pool->hot;
    if (bytes || !hot) return tn__stack_find(pool, bytes);
    pool->hot = NULL;
    return hot;
}

/* Give it back; its contents are lost. */
void tn__stack_store(tn__stack_pool *pool, tn__stack *stack);
static inline void tn__stack_put(tn__stack_pool *pool, tn__stack *stack)
{
    if (pool->hot || stack->map_bytes != TN__STACK_BYTES)
        tn__stack_store(pool, stack);
    else
        pool->hot = stack;
}

/*
 * How many bytes of the stack were ever used since it was new or last cleared: the distance from the top to the lowest byte that
 * is not zero. Costs a system call; debug builds ask after each use.
 */
size_t tn__stack_high_water(const tn__stack *stack);

/* Zero the `bytes` below the top, so that the mark starts from nothing again. */
void tn__stack_clear(tn__stack *stack, size_t bytes);

#endif
