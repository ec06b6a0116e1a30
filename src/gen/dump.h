/* How deep coroutines go: measured in debug builds when one ends (task.c), listed by tn_loop_dump. */
#ifndef TN_GEN_DUMP_H
#define TN_GEN_DUMP_H

#include "task.h"

/* The most that runs of one function have used of their stacks. */
typedef struct tn__mark {
    int (*origin)(void *arg);
    const char *name; /* may be NULL */
    size_t bytes_most;
    size_t runs;
} tn__mark;

/* A task of this spec has ended on `stack`: note how deep it went, and make the stack as good as new for the next one. */
void tn__mark_stack(tn__gen *gen, tn__stack *stack, const tn__task_spec *spec);

#endif
