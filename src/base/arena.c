/*
 * The slow paths of the arena: new chunks, giving them back, formatted text. The fast path is inline in arena.h.
 *
 * Always true: `at` and `end` lie in the current chunk, or are both NULL before there is one. The quota is charged with whole chunks
 * when they are taken, so that the fast path need not count; the last chunk is cut to what the quota has left.
 */
#include "arena.h"

#include <stdio.h>

#include "alloc.h"

struct tn__arena_chunk {
    tn__arena_chunk *next;
    size_t room;
};

/* What follows the header is aligned for any object, and every room is a multiple of 16 too. */
enum { HEADER = 16, CHUNK_ROOM = TN__ARENA_CHUNK - HEADER, OWN_CHUNK_FROM = TN__ARENA_CHUNK / 4 };

_Static_assert(sizeof(tn__arena_chunk) <= HEADER, "the header must fit");

static char *chunk_bytes(tn__arena_chunk *chunk)
{
    return (char *)chunk + HEADER;
}

static tn__arena_chunk *chunk_new(size_t room)
{
    if (room > SIZE_MAX - HEADER) return NULL;
    tn__arena_chunk *chunk = tn__alloc(HEADER + room);
    if (!chunk) return NULL;
    chunk->next = NULL;
    chunk->room = room;
    return chunk;
}

static void use_chunk(tn__arena *a, tn__arena_chunk *chunk)
{
    a->at = chunk_bytes(chunk);
    a->end = a->at + chunk->room;
}

void tn__arena_init(tn__arena *a, size_t quota)
{
    *a = (tn__arena){.quota = quota};
}

static void free_rest(tn__arena *a)
{
    while (a->rest) {
        tn__arena_chunk *chunk = a->rest;
        a->rest = chunk->next;
        tn__free(chunk);
    }
}

void tn__arena_reset(tn__arena *a)
{
    free_rest(a);
    a->at = a->end = NULL;
    if (a->first) use_chunk(a, a->first);
    a->used = 0;
    a->exhausted = false;
}

void tn__arena_done(tn__arena *a)
{
    free_rest(a);
    tn__free(a->first);
    tn__arena_init(a, a->quota);
}

/* A chunk beyond the first, charged to the quota, with room for at least `need`. */
static tn__arena_chunk *chunk_charged(tn__arena *a, size_t need)
{
    size_t left = a->quota - a->used;
    if (need > left) {
        a->exhausted = true;
        return NULL;
    }
    size_t room = need;
    if (need <= OWN_CHUNK_FROM) room = left < CHUNK_ROOM ? left & ~(size_t)15 : CHUNK_ROOM;
    tn__arena_chunk *chunk = chunk_new(room);
    if (!chunk) return NULL;
    a->used += room;
    chunk->next = a->rest;
    a->rest = chunk;
    return chunk;
}

void *tn__arena_alloc_slow(tn__arena *a, size_t n)
{
    size_t need = (n + 15) & ~(size_t)15;
    if (need < n) {
        a->exhausted = true;
        return NULL;
    }
    if (!a->first && need <= CHUNK_ROOM) {
        a->first = chunk_new(CHUNK_ROOM);
        if (!a->first) return NULL;
        use_chunk(a, a->first);
        return tn__arena_alloc(a, n);
    }
    tn__arena_chunk *chunk = chunk_charged(a, need);
    if (!chunk) return NULL;
    if (need > OWN_CHUNK_FROM) return chunk_bytes(chunk); /* small pieces go on filling the current one */
    use_chunk(a, chunk);
    return tn__arena_alloc(a, n);
}

void *tn__arena_zalloc(tn__arena *a, size_t n)
{
    void *p = tn__arena_alloc(a, n);
    if (p) memset(p, 0, n);
    return p;
}

tn_str tn__arena_copy(tn__arena *a, const void *p, size_t n)
{
    char *copy = n < SIZE_MAX ? tn__arena_alloc(a, n + 1) : NULL;
    if (!copy) return tn_str_of(NULL, 0);
    if (n) memcpy(copy, p, n);
    copy[n] = '\0';
    return tn_str_of(copy, n);
}

tn_str tn__arena_printf(tn__arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tn_str text = tn__arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

/* Formats straight into the free space; only what does not fit there is formatted a second time. */
tn_str tn__arena_vprintf(tn__arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = (size_t)(a->end - a->at);
    int n = vsnprintf(a->at, room, format, args);
    char *text = n < 0 ? NULL : tn__arena_alloc(a, (size_t)n + 1);
    if (text && (size_t)n >= room) vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return tn_str_of(text, text ? (size_t)n : 0);
}
