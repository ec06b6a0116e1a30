/*
 * The alarm: a timer descriptor inside the loop's own back-end, for a host that watches tn_loop_backend_fd and nothing else. With it
 * the descriptor becomes readable when the next deadline comes, so the host needs no timer of its own.
 */
#ifndef TN_CORE_ALARM_H
#define TN_CORE_ALARM_H

#include "loop.h"

/*
 * Give the loop its alarm; it lives as long as the loop. It knows the system's monotonic clock only, not one of tn_loop_set_clock.
 * TN_ENOTSUP where there are no timer descriptors (the host must ask tn_loop_backend_timeout then), TN_ENOMEM, or the system's error.
 */
int tn__loop_set_alarm(tn_loop *loop);

/* For the loop: something must be done at `deadline_ns` (INT64_MAX: never). Costs a system call only if that is not seen to yet. */
void tn__alarm_set(tn_loop *loop, int64_t deadline_ns);

void tn__alarm_free(tn_loop *loop);

#endif
