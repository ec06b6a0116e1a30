/*
 * Tasks: functions that may wait, each on a stack of its own while it does.
 *
 * The invoker of handlers, tn_run, groups and tn_spawn_detached start tasks; every waiting call of the C face parks one. A task
 * that never waits costs one call on a pooled stack and leaves no trace. Always holds: a task is resumed on the loop's own stack
 * from the ready phase, never inside the call that ended its wait; and it never leaves the thread of its loop.
 *
 * How a waiting call is written:
 *
 *     int tn_thing_wait(tn_thing *thing)
 *     {
 *         tn__op *op;
 *         TN_TRY(tn__task_op(&op));
 *         int result = tn__thing_wait(thing, op);
 *         return result == TN__PENDING ? tn__task_wait(op) : result;
 *     }
 */
#ifndef TN_GEN_TASK_H
#define TN_GEN_TASK_H

#include "core/op.h"
#include "room.h"
#include "tornado/gen.h"

typedef struct tn__task_spec {
    int (*fn)(void *arg);
    void *arg;
    void (*ended)(tn_loop *loop, void *arg, int result);
    tn__arena *arena;         /* what the task's helpers allocate from; NULL: one of its own, emptied when it ends */
    size_t stack_size;        /* in bytes; 0: TN__STACK_BYTES */
    const char *name;         /* for the list of parked coroutines; NULL: the name of `origin` */
    int (*origin)(void *arg); /* the program's function, where `fn` is only a wrapper of ours; NULL: fn */
} tn__task_spec;

/* What a tn_scope holds; see scope.c. */
typedef struct tn__scope {
    struct tn__scope *outer;
    tn_task *task;
    enum { TN__SCOPE_TIMEOUT = 1, TN__SCOPE_SHIELD, TN__SCOPE_ARENA } kind;
    int64_t at_ns; /* a timeout's deadline; until when a shield holds back what comes from outside it */
    tn__arena *outer_arena;
    tn__arena arena;
} tn__scope;

struct tn_task {
    tn__gen *gen;
    tn_task *outer;             /* who was running when this one was entered */
    const tn__task_spec *start; /* the caller's, which is gone once the task has parked */
    tn__task_spec spec;         /* and by then copied here */
    tn__arena *arena;           /* of the innermost arena scope */
    tn__arena *home;            /* of the whole task */
    tn__scope *scopes;          /* innermost first */
    struct tn__defer *defers;
    struct tn_group *children; /* what tn_go(NULL, ...) started */
    int result;                /* of the function once it has returned; of the wait that is over until then */
    bool cancelled;
    bool parked;
    bool known;      /* has waited before: what follows is in use */
    size_t unjoined; /* children of its groups that have not ended */

    tn__list node;    /* in gen->tasks */
    tn__op op;        /* of the one wait there can be */
    tn__work wake;    /* resumes it after a wait was cut short */
    tn__timer timer;  /* wakes it when `limit_ns` has come */
    int64_t limit_ns; /* when the timer fires; INT64_MAX when it does not run */
    int64_t since_ns; /* when it parked */
    const char *call; /* the waiting call, and where it returns to */
    const void *where;
};

/*
 * Run spec->fn(spec->arg) on a pooled stack, at once.
 *
 * TN_OK: it returned without ever waiting; its value is in `result`, and `ended` is not called. TN__PENDING: it waits; `task` is
 * its handle, good until `ended(loop, arg, value)` is called, once, from the ready phase. Otherwise it was not started: TN_ENOMEM.
 * May be called on a coroutine's stack too.
 */
int tn__task_call(tn_loop *loop, const tn__task_spec *spec, int *result, tn_task **task);

/* The running task of this thread; NULL on the loop's own stack. */
tn_task *tn__task_current(void);

/* What helpers of the running task allocate from; NULL outside of one. */
tn__arena *tn__task_arena(void);

/*
 * Prepare the running task's operation for the one wait of the public function that calls this (a macro, to remember who that is
 * and where it was called from). Fails without waiting: TN_EMISUSE outside a coroutine (debug builds abort), TN_ECANCELED,
 * TN_ETIMEDOUT.
 */
#define tn__task_op(op) tn__task_op_at((op), __func__, __builtin_return_address(0))
int tn__task_op_at(tn__op **op, const char *call, const void *where);

/*
 * Park until the operation ends, and return its result; or TN_ECANCELED or TN_ETIMEDOUT, and then the operation was cancelled. An
 * operation that has ended is never thrown away: its result comes first, and the next wait fails.
 */
int tn__task_wait(tn__op *op);

/* Cut short what this task waits for if its limits say so by now; scope.c and the timer call this. */
void tn__task_check(tn_task *task);

/*
 * A shield without an end, on the caller's frame: for waits that must not be cut short because what is waited for uses the frame
 * of the one who waits. Ended like any scope.
 */
void tn__scope_hold(tn__scope *scope);
void tn__scope_release(tn__scope *scope);

/* At the end of a task, on its stack: join the children it left behind, and make the calls it deferred (scope.c). */
void tn__task_unwind(tn_task *task);

/* Cancel and join what is left of a task's own group (group.c). */
void tn__group_finish(struct tn_group *group);

/* Cancel all tasks of a loop that is being freed and run them to their ends. */
void tn__tasks_close(tn__gen *gen);

/* A call that is not allowed here: debug builds say so and abort, others return TN_EMISUSE. */
int tn__misuse(const char *call, const void *where, const char *why);

#endif
