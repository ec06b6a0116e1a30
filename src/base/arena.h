/*
 * Arena: memory for one request (or one coroutine), allocated piece by piece and given back in one step.
 *
 * Chunks come from tn__alloc; a reset keeps the first one, so the steady state of a server allocates nothing. A piece larger than
 * a quarter of a chunk gets a chunk of its own. The quota bounds the sum of all pieces between two resets.
 */
#ifndef TN_BASE_ARENA_H
#define TN_BASE_ARENA_H

#include <stdarg.h>

#include "tornado/str.h"

typedef struct tn__arena_chunk tn__arena_chunk;

typedef struct tn__arena {
    char *at, *end;         /* free space of the current chunk */
    tn__arena_chunk *first; /* the one that a reset keeps */
    tn__arena_chunk *rest;  /* all others, newest first */
    size_t used;            /* bytes given out since the last reset, not counting the first chunk's */
    size_t quota;           /* most that may be given out beyond the first chunk */
    bool exhausted;         /* an allocation failed because of the quota (and not for lack of memory) */
} tn__arena;

enum { TN__ARENA_CHUNK = 4096 };

void tn__arena_init(tn__arena *a, size_t quota); /* allocates nothing yet */
void tn__arena_reset(tn__arena *a);              /* forget all pieces; keep the first chunk */
void tn__arena_done(tn__arena *a);               /* give everything back; may be used again after init */

void *tn__arena_alloc_slow(tn__arena *a, size_t n);

/* `n` bytes aligned for any object; NULL for lack of memory or when the quota is used up. */
static inline void *tn__arena_alloc(tn__arena *a, size_t n)
{
    size_t need = (n + 15) & ~(size_t)15;
    if (need >= n && need <= (size_t)(a->end - a->at)) {
        void *p = a->at;
        a->at += need;
        return p;
    }
    return tn__arena_alloc_slow(a, n);
}

void *tn__arena_zalloc(tn__arena *a, size_t n); /* the same, zeroed */

/* A copy followed by a NUL; its `p` is NULL when there was no memory (and never NULL otherwise, even for n == 0). */
tn_str tn__arena_copy(tn__arena *a, const void *p, size_t n);

/* Formatted text followed by a NUL; `p` is NULL when there was no memory. */
tn_str tn__arena_printf(tn__arena *a, const char *format, ...) TN_PRINTF(2, 3);
tn_str tn__arena_vprintf(tn__arena *a, const char *format, va_list args);

#endif
