/*
 * Calls from outside the loop's turn: tn_loop_add_callback from any thread, tn_loop_add_callback_from_signal, received signals, and
 * what a pool thread posts without allocating. loop.c takes them all at one moment of a turn and runs them in its callback phase,
 * so that whatever is added during a turn runs in the next.
 */
#ifndef TN_CORE_CALLS_H
#define TN_CORE_CALLS_H

#include "loop.h"

/* A call embedded in what it is for: posting it cannot fail for lack of memory. The node is initialised by its owner. */
typedef struct tn__post {
    tn__list node;
    tn_callback *fn;
    void *arg;
} tn__post;

int tn__calls_new(tn_loop *loop);    /* TN_ENOMEM or the system's error */
void tn__calls_close(tn_loop *loop); /* refuse new ones from now on, with TN_ECLOSED */
void tn__calls_free(tn_loop *loop);

/* Any thread. TN_ECLOSED once the loop is being freed, and then fn is not called. */
int tn__calls_post(tn_loop *loop, tn__post *post);

/* The loop's thread: it will not run. Harmless when it is not posted. */
void tn__calls_unpost(tn_loop *loop, tn__post *post);

/* Any signal handler: tn__signals_run is told in the loop's thread. Signals of one number that arrive together count once. */
void tn__calls_signal(tn_loop *loop, int signum);

/* The loop is about to wait, or to give the thread back to its host: from here on the doorbell is rung. */
void tn__calls_doze(tn_loop *loop);

bool tn__calls_waiting(const tn_loop *loop); /* is there anything to run? */
void tn__calls_take(tn_loop *loop);          /* awake again: what came until now is for this turn */
void tn__calls_run(tn_loop *loop);           /* run what was taken */

#endif
