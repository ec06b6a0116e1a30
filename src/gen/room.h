/*
 * What this floor keeps on a loop (its room there): stacks, the coroutines that wait on them, and the futures still to come.
 * Freed with the loop, which first cancels what is left and runs it to its end.
 */
#ifndef TN_GEN_ROOM_H
#define TN_GEN_ROOM_H

#include "stack.h"

typedef struct tn__gen {
    tn_loop *loop;
    tn__stack_pool stacks;
    tn__list tasks;         /* tn_task: those that have waited and not ended, oldest first */
    tn__list futures;       /* tn_future: those that are pending */
    tn__list told;          /* callbacks of futures that have not been made */
    tn__list spawns;        /* tn__spawn: functions that become coroutines in the ready phase */
    struct tn__mark *marks; /* debug builds: how deep each function went */
    size_t mark_n;
    bool closing; /* the loop is being freed: every wait fails at once */
} tn__gen;

tn__gen *tn__gen_make(tn_loop *loop);

/* The room of this loop, made when first asked for; NULL for lack of memory. */
static inline tn__gen *tn__gen_of(tn_loop *loop)
{
    tn__gen *gen = loop->rooms[TN__ROOM_GEN].state;
    return gen ? gen : tn__gen_make(loop);
}

/* The loop is being freed: forget the functions that have not become coroutines yet (run.c). */
void tn__spawns_close(tn__gen *gen);

#endif
