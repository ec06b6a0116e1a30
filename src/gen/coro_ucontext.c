/*
 * The coroutine switch of coro.h by way of <ucontext.h>, for processors that have no switch of their own in this folder. Some two
 * hundred times slower, since every swapcontext asks the kernel for the signal mask. TN_CORO_UCONTEXT chooses it anywhere.
 *
 * As with the others, each side saves itself on its own stack, and the two pointers of the tn__coro say where.
 */
#if defined(TN_CORO_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))

#include <stdint.h>
#include <ucontext.h>

#include "coro.h"

/* The saved side, and whether the coroutine had returned when it was continued. */
typedef struct side {
    ucontext_t context;
    bool returned;
} side;

/* makecontext passes ints only: the pointers come in halves. */
TN__NO_SANITIZE_THREAD static void first_frame(unsigned coro_high, unsigned coro_low, unsigned body_high, unsigned body_low)
{
    tn__coro *coro = (tn__coro *)(((uint64_t)coro_high << 32 | coro_low));
    tn__coro_body *body = (tn__coro_body *)(((uint64_t)body_high << 32 | body_low));
    body(coro);
    side *loop = coro->loop_sp;
    loop->returned = true;
    setcontext(&loop->context);
}

TN__NO_SANITIZE_THREAD bool tn__coro_switch_start(tn__coro *coro, tn__coro_body *body)
{
    side here = {0};
    ucontext_t there;
    uint64_t coro_bits = (uintptr_t)coro, body_bits = (uintptr_t)body;
    getcontext(&there);
    there.uc_stack.ss_sp = coro->stack_low;
    there.uc_stack.ss_size = (size_t)(coro->stack_top - coro->stack_low);
    there.uc_link = NULL;
    makecontext(&there, (void (*)(void))first_frame, 4, (unsigned)(coro_bits >> 32), (unsigned)coro_bits,
                (unsigned)(body_bits >> 32), (unsigned)body_bits);
    coro->loop_sp = &here;
    swapcontext(&here.context, &there);
    return here.returned;
}

TN__NO_SANITIZE_THREAD bool tn__coro_switch_resume(tn__coro *coro)
{
    side here = {0}, *there = coro->coro_sp;
    coro->loop_sp = &here;
    swapcontext(&here.context, &there->context);
    return here.returned;
}

TN__NO_SANITIZE_THREAD void tn__coro_switch_park(tn__coro *coro)
{
    side here = {0}, *there = coro->loop_sp;
    coro->coro_sp = &here;
    swapcontext(&here.context, &there->context);
}

#else
typedef int tn__coro_has_a_switch_of_its_own;
#endif
