/*
 * Core: the engine's loop nested in one of asyncio's.
 *
 * There is one for each asyncio loop and process, made when first needed (tornado._core). Its descriptor is watched by the host with
 * add_reader; deadlines make that descriptor readable too; work queued outside a turn asks the host for one more poll.
 */
#ifndef TNPY_CORE_TYPE_H
#define TNPY_CORE_TYPE_H

#include "core/loop.h"
#include "state.h"

typedef struct tnpy_core {
    PyObject_HEAD
    tnpy_state *state; /* of our module, which our type keeps alive */
    tn_loop *loop;
    PyObject *host;       /* weak reference to the asyncio loop */
    PyObject *host_now;   /* the asyncio loop itself, borrowed, while a poll runs; else NULL */
    PyObject *servers;    /* set: those that listen or have connections */
    PyObject *fatal;      /* KeyboardInterrupt or SystemExit out of a handler, to be raised when the turn is over */
    PyObject *spare_task; /* a deferred Task that nobody has looked at, for the next step that runs eagerly */
    signed char eager;    /* whether steps may run eagerly on this host; -1: not asked in this turn */
    long pid;
} tnpy_core;

/* The asyncio loop. A new reference; NULL with an exception when it is gone. */
PyObject *tnpy_core_host(tnpy_core *core);

/*
 * The exception that is set was raised where nobody is left to handle it: log it as "Uncaught exception", or, when it is one that shall
 * end the program, keep it for the end of this turn.
 */
void tnpy_core_uncaught(tnpy_core *core);

#endif
