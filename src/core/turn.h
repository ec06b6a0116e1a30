/*
 * What the files of this floor share among themselves: what loop.c calls in each phase of a turn, and what they call in loop.c.
 * The floors above include loop.h instead.
 */
#ifndef TN_CORE_TURN_H
#define TN_CORE_TURN_H

#include "loop.h"

/* loop.c: tell the host that drives the loop from outside that it must look again. At most once between two turns. */
void tn__loop_wake(tn_loop *loop);

/* loop.c: is the calling thread the one that has run the loop's turns? False before the first turn. Any thread. */
bool tn__loop_is_mine(const tn_loop *loop);

/* poll.c: the back-end of that name, or for NULL the best one; NULL when the system lacks it. */
const tn__poll_backend *tn__poll_find(const char *name);

/* poll.c: a waiting time as poll and epoll_wait want it, rounded up so that no timer finds itself early. */
int tn__poll_ms(int64_t timeout_ns);

/* timer.c */
void tn__timers_run(tn_loop *loop);              /* fire what is due */
int64_t tn__timers_next_ns(const tn_loop *loop); /* the earliest deadline; INT64_MAX when there is none */
void tn__timers_done(tn_loop *loop);             /* forget all */

/* periodic.c */
void tn__periodics_done(tn_loop *loop); /* stop and free all */

/* child.c */
void tn__children_done(tn_loop *loop); /* wait for none any more */

/* wheel.c */
int tn__wheel_new(tn_loop *loop);               /* TN_ENOMEM */
void tn__wheel_run(tn_loop *loop);              /* fire what is due */
int64_t tn__wheel_next_ns(const tn_loop *loop); /* when it wants to look next; INT64_MAX when it holds nothing */
void tn__wheel_rebase(tn_loop *loop);           /* the clock was replaced */
void tn__wheel_free(tn_loop *loop);

/* watch.c */
void tn__watches_done(tn_loop *loop);

/* signal.c */
void tn__signals_run(tn_loop *loop, uint64_t received); /* call the watchers; bit n - 1 stands for signal n */
void tn__signals_done(tn_loop *loop);

#endif
