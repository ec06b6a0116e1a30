/* Functions that will become coroutines in the ready phase. Groups and tn_spawn_detached make them. */
#ifndef TN_GEN_SPAWN_H
#define TN_GEN_SPAWN_H

#include "task.h"

/* Forget those that have not begun; the loop is being freed. */
void tn__spawns_close(tn__gen *gen);

#endif
