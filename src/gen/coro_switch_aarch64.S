/*
 * The coroutine switch of coro.h for aarch64 (AAPCS64).
 *
 * Each side is left with the same frame on its stack: x19 to x30 and d8 to d15, 160 bytes. While a coroutine runs, x19 of the first
 * frame on its stack points to the tn__coro, and the unwind rules there say that the caller's frame lies where loop_sp points.
 *
 * Where branch targets are enforced (BTI), a jump to the place behind a call is not allowed: there the switch leaves through a
 * return, which is slower but exempt. Return addresses are not signed: they only ever leave and enter memory within this file.
 */
#if defined(__aarch64__) && !defined(TN_CORO_UCONTEXT)

#define LOOP_SP 0
#define CORO_SP 8
#define STACK_TOP 16
#define FRAME 160

#define FUNCTION(name) .globl name; .hidden name; .type name, %function; .p2align 4; name

#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define LANDING_PAD hint #34 /* bti c */
#define LEAVE ret x30
#else
#define LANDING_PAD
#define LEAVE br x30
#endif

.macro save_registers
    stp x29, x30, [sp, #-FRAME]!
    .cfi_adjust_cfa_offset FRAME
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    stp x19, x20, [sp, #16]
    .cfi_rel_offset x19, 16
    .cfi_rel_offset x20, 24
    stp x21, x22, [sp, #32]
    .cfi_rel_offset x21, 32
    .cfi_rel_offset x22, 40
    stp x23, x24, [sp, #48]
    .cfi_rel_offset x23, 48
    .cfi_rel_offset x24, 56
    stp x25, x26, [sp, #64]
    .cfi_rel_offset x25, 64
    .cfi_rel_offset x26, 72
    stp x27, x28, [sp, #80]
    .cfi_rel_offset x27, 80
    .cfi_rel_offset x28, 88
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
.endm

.macro restore_registers
    ldp d14, d15, [sp, #144]
    ldp d12, d13, [sp, #128]
    ldp d10, d11, [sp, #112]
    ldp d8, d9, [sp, #96]
    ldp x27, x28, [sp, #80]
    ldp x25, x26, [sp, #64]
    ldp x23, x24, [sp, #48]
    ldp x21, x22, [sp, #32]
    ldp x19, x20, [sp, #16]
    ldp x29, x30, [sp], #FRAME
    .cfi_def_cfa sp, 0
    .cfi_same_value x19
    .cfi_same_value x20
    .cfi_same_value x21
    .cfi_same_value x22
    .cfi_same_value x23
    .cfi_same_value x24
    .cfi_same_value x25
    .cfi_same_value x26
    .cfi_same_value x27
    .cfi_same_value x28
    .cfi_same_value x29
    .cfi_same_value x30
.endm

    .text

/* bool tn__coro_switch_start(tn__coro *coro, tn__coro_body *body) */
FUNCTION(tn__coro_switch_start):
    .cfi_startproc
    LANDING_PAD
    save_registers
    mov x9, sp
    str x9, [x0, #LOOP_SP]
    mov x19, x0
    ldr x9, [x0, #STACK_TOP]
    mov sp, x9
    /* The frame address is now *(x19 + LOOP_SP) + 160: breg19 0, deref, plus_uconst 160. */
    .cfi_remember_state
    .cfi_escape 0x0f, 6, 0x83, LOOP_SP, 0x06, 0x23, 0xa0, 0x01
    blr x1
    ldr x9, [x19, #LOOP_SP]
    mov sp, x9
    .cfi_restore_state
    mov w0, #1
    restore_registers
    ret
    .cfi_endproc
    .size tn__coro_switch_start, . - tn__coro_switch_start

/* bool tn__coro_switch_resume(tn__coro *coro) */
FUNCTION(tn__coro_switch_resume):
    .cfi_startproc
    LANDING_PAD
    save_registers
    mov x9, sp
    str x9, [x0, #LOOP_SP]
    ldr x9, [x0, #CORO_SP]
    mov sp, x9
    restore_registers
    LEAVE
    .cfi_endproc
    .size tn__coro_switch_resume, . - tn__coro_switch_resume

/* void tn__coro_switch_park(tn__coro *coro): what it leaves in w0 is the false that start or resume returns. */
FUNCTION(tn__coro_switch_park):
    .cfi_startproc
    LANDING_PAD
    save_registers
    mov x9, sp
    str x9, [x0, #CORO_SP]
    ldr x9, [x0, #LOOP_SP]
    mov sp, x9
    mov w0, #0
    restore_registers
    LEAVE
    .cfi_endproc
    .size tn__coro_switch_park, . - tn__coro_switch_park

#if defined(__ARM_FEATURE_BTI_DEFAULT)
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0
#endif

#endif

    .section .note.GNU-stack, "", %progbits
