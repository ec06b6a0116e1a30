/*
 * The coroutine switch of coro.h for x86-64 (System V ABI).
 *
 * Each side is left with the same frame on its stack: the six callee-saved registers below the return address, 56 bytes in all.
 * While a coroutine runs, %rbx of the first frame on its stack points to the tn__coro, and the unwind rules there say that the
 * caller's frame lies where loop_sp points: a debugger sees through the switch to whoever entered the coroutine.
 */
#if defined(__x86_64__) && !defined(TN_CORO_UCONTEXT)

#define LOOP_SP 0
#define CORO_SP 8
#define STACK_TOP 16

#define FUNCTION(name) .globl name; .hidden name; .type name, @function; .p2align 4; name

.macro save_registers
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
.endm

.macro restore_registers
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
.endm

/* Leave by a jump that the branch predictor learns. The target has no landing pad, being the place behind a call: notrack. */
.macro jump_to_return_address
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
.endm

    .text

/* bool tn__coro_switch_start(tn__coro *coro, tn__coro_body *body) */
FUNCTION(tn__coro_switch_start):
    .cfi_startproc
    endbr64
    save_registers
    movq %rsp, LOOP_SP(%rdi)
    movq %rdi, %rbx
    movq STACK_TOP(%rdi), %rsp
    /* The frame address is now *(%rbx + LOOP_SP) + 56: breg3 0, deref, plus_uconst 56. */
    .cfi_remember_state
    .cfi_escape 0x0f, 5, 0x73, LOOP_SP, 0x06, 0x23, 56
    call *%rsi
    movq LOOP_SP(%rbx), %rsp
    .cfi_restore_state
    movl $1, %eax
    restore_registers
    ret
    .cfi_endproc
    .size tn__coro_switch_start, . - tn__coro_switch_start

/* bool tn__coro_switch_resume(tn__coro *coro) */
FUNCTION(tn__coro_switch_resume):
    .cfi_startproc
    endbr64
    save_registers
    movq %rsp, LOOP_SP(%rdi)
    movq CORO_SP(%rdi), %rsp
    restore_registers
    jump_to_return_address
    .cfi_endproc
    .size tn__coro_switch_resume, . - tn__coro_switch_resume

/* void tn__coro_switch_park(tn__coro *coro): what it leaves in %eax is the false that start or resume returns. */
FUNCTION(tn__coro_switch_park):
    .cfi_startproc
    endbr64
    save_registers
    movq %rsp, CORO_SP(%rdi)
    movq LOOP_SP(%rdi), %rsp
    xorl %eax, %eax
    restore_registers
    jump_to_return_address
    .cfi_endproc
    .size tn__coro_switch_park, . - tn__coro_switch_park

/* Indirect branch tracking is supported; shadow stacks are not, since a parked coroutine has none of its own. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0

#endif

    .section .note.GNU-stack, "", @progbits
