/* The room of this floor on a loop: made when the first coroutine or future asks for it, freed with the loop. */
#include "room.h"

#include <assert.h>

#include "base/alloc.h"
#include "future.h"
#include "task.h"

static void gen_free(tn_loop *loop, void *state)
{
    tn__gen *gen = state;
    /* Coroutines run to their ends now, and what they call must find this room, not make another. */
    gen->closing = true;
    loop->rooms[TN__ROOM_GEN].state = gen;
    tn__spawns_close(gen);
    tn__tasks_close(gen);
    if (!tn__list_empty(&gen->tasks)) {
        /* They wait for threads that use their frames: join these now. */
        tn__room core = loop->rooms[TN__ROOM_CORE];
        loop->rooms[TN__ROOM_CORE] = (tn__room){0};
        if (core.free) core.free(loop, core.state);
        tn__tasks_close(gen);
        assert(tn__list_empty(&gen->tasks));
    }
    tn__spawns_close(gen);
    tn__futures_close(gen);
    loop->rooms[TN__ROOM_GEN].state = NULL;
    tn__stack_pool_done(&gen->stacks);
    tn__free(gen->marks);
    tn__free(gen);
}

tn__gen *tn__gen_make(tn_loop *loop)
{
    tn__gen *gen = tn__zalloc(sizeof *gen);
    if (!gen) return NULL;
    gen->loop = loop;
    tn__stack_pool_init(&gen->stacks, loop);
    tn__list_init(&gen->tasks);
    tn__list_init(&gen->futures);
    tn__list_init(&gen->told);
    tn__list_init(&gen->spawns);
    loop->rooms[TN__ROOM_GEN] = (tn__room){gen, gen_free};
    return gen;
}
