/*
 * Hash table from byte strings to pointers: literal routes, named things. Open addressing, grows at three quarters full. Keys are
 * borrowed and must outlive the table. Not for keys that a peer chooses: the hash is not keyed.
 */
#ifndef TN_BASE_TABLE_H
#define TN_BASE_TABLE_H

#include "tornado/str.h"

typedef struct tn__table_slot {
    tn_str key; /* key.p is NULL in a free slot */
    void *value;
} tn__table_slot;

typedef struct tn__table {
    tn__table_slot *slots;
    size_t n, cap; /* cap is a power of two, or 0 */
} tn__table;

void *tn__table_get(const tn__table *t, tn_str key);      /* NULL when absent */
int tn__table_set(tn__table *t, tn_str key, void *value); /* adds or replaces; value is not NULL; TN_ENOMEM */
void tn__table_done(tn__table *t);

/* Walk all entries: for (size_t at = 0; (slot = tn__table_next(t, &at));) */
tn__table_slot *tn__table_next(const tn__table *t, size_t *at);

#endif
