/* The portable coroutine switch, built here under names of its own beside the one in use. */
#define TN_CORO_UCONTEXT 1
#define tn__coro_switch_start ucontext_start
#define tn__coro_switch_resume ucontext_resume
#define tn__coro_switch_park ucontext_park

#include "coro_checks.h"
#include "gen/coro_ucontext.c"
