/*
 * The switch between the loop's stack and a coroutine's: the lowest step of this floor, called by task.c only.
 *
 * A coroutine is always entered from the loop's side (start, resume) and always goes back to where it was last entered from (park,
 * or the return of its body). A body that never parks is thus nothing but a call made on another stack: its return is a plain
 * `ret` that the processor predicts, and everything after it too. Parking and resuming leave through an indirect jump instead,
 * because a `ret` to an address that no `call` announced is mispredicted every time: 2 ns against 11 (bench/coro.c).
 *
 * Only what the ABI says a function call preserves is kept, without the floating-point control words (saving them would cost three
 * times the rest): a coroutine that changes the rounding mode puts it back before it waits. The signal mask is not touched.
 */
#ifndef TN_GEN_CORO_H
#define TN_GEN_CORO_H

#include <stdbool.h>
#include <stddef.h>

#include "sanitizer.h"

/* The switches written in assembly know the offsets of the first three members. */
typedef struct tn__coro {
    void *loop_sp;   /* the side it was entered from, left there while the coroutine runs */
    void *coro_sp;   /* the coroutine, while it is parked */
    char *stack_top; /* one past its highest byte; a multiple of 16 */
    char *stack_low; /* its lowest usable byte */
    tn__fiber fiber; /* what the sanitizers want to know; empty without them */
} tn__coro;

typedef void tn__coro_body(tn__coro *coro);

/* The switch itself: coro_switch_*.S, or coro_ucontext.c where there is none (and wherever TN_CORO_UCONTEXT is defined). */
bool tn__coro_switch_start(tn__coro *coro, tn__coro_body *body);
bool tn__coro_switch_resume(tn__coro *coro);
void tn__coro_switch_park(tn__coro *coro);

/*
 * Call body(coro) on the coroutine's stack. True when it has returned, false when it parked.
 *
 * A body begins with tn__coro_begin and ends with tn__coro_end, and is built without instrumentation (TN__NO_SANITIZE_THREAD).
 */
TN__INLINE bool tn__coro_start(tn__coro *coro, tn__coro_body *body)
{
    tn__fiber_enter(&coro->fiber, coro->stack_low, (size_t)(coro->stack_top - coro->stack_low));
    bool returned = tn__coro_switch_start(coro, body);
    tn__fiber_entered(&coro->fiber);
    return returned;
}

/* Let a parked coroutine go on. True when its body has returned, false when it parked again. */
TN__INLINE bool tn__coro_resume(tn__coro *coro)
{
    tn__fiber_enter(&coro->fiber, coro->stack_low, (size_t)(coro->stack_top - coro->stack_low));
    bool returned = tn__coro_switch_resume(coro);
    tn__fiber_entered(&coro->fiber);
    return returned;
}

/* Called on the coroutine's stack: go back to the loop's side until somebody resumes it. */
TN__INLINE void tn__coro_park(tn__coro *coro)
{
    tn__fiber_leave(&coro->fiber, false);
    tn__coro_switch_park(coro);
    tn__fiber_arrived(&coro->fiber, false);
}

TN__INLINE void tn__coro_begin(tn__coro *coro)
{
    tn__fiber_arrived(&coro->fiber, true);
}

TN__INLINE void tn__coro_end(tn__coro *coro)
{
    tn__fiber_leave(&coro->fiber, true);
}

#endif
