/*
 * The hash table: one array, linear probing, never more than three quarters full, so a search always meets a free slot. Entries are
 * never removed one by one, so there are no tombstones.
 */
#include "table.h"

#include "alloc.h"
#include "tornado/error.h"

enum { CAP_MIN = 16 };

/* FNV-1a, folded so that the low bits depend on all of it. */
static size_t hash(tn_str key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.n; i++) h = (h ^ (unsigned char)key.p[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds `key`, or the free one where it belongs. */
static tn__table_slot *find(tn__table_slot *slots, size_t cap, tn_str key)
{
    size_t i = hash(key) & (cap - 1);
    while (slots[i].key.p && !tn_str_eq(slots[i].key, key)) i = (i + 1) & (cap - 1);
    return &slots[i];
}

void *tn__table_get(const tn__table *t, tn_str key)
{
    return t->n ? find(t->slots, t->cap, key)->value : NULL;
}

static int grow(tn__table *t)
{
    size_t cap = t->cap ? t->cap * 2 : CAP_MIN;
    if (cap > SIZE_MAX / sizeof *t->slots) return TN_ENOMEM;
    tn__table_slot *slots = tn__zalloc(cap * sizeof *slots);
    if (!slots) return TN_ENOMEM;
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i].key.p) *find(slots, cap, t->slots[i].key) = t->slots[i];
    tn__free(t->slots);
    t->slots = slots;
    t->cap = cap;
    return TN_OK;
}

int tn__table_set(tn__table *t, tn_str key, void *value)
{
    if (!key.p) key = TN_S(""); /* a NULL key would mark the slot as free */
    tn__table_slot *slot = t->cap ? find(t->slots, t->cap, key) : NULL;
    if (slot && slot->key.p) {
        slot->value = value;
        return TN_OK;
    }
    if (t->n >= t->cap / 4 * 3) {
        TN_TRY(grow(t));
        slot = find(t->slots, t->cap, key);
    }
    *slot = (tn__table_slot){key, value};
    t->n++;
    return TN_OK;
}

void tn__table_done(tn__table *t)
{
    tn__free(t->slots);
    *t = (tn__table){0};
}

tn__table_slot *tn__table_next(const tn__table *t, size_t *at)
{
    while (*at < t->cap) {
        tn__table_slot *slot = &t->slots[(*at)++];
        if (slot->key.p) return slot;
    }
    return NULL;
}
