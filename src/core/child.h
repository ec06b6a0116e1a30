/*
 * The end of a child process, noticed by the loop: through a descriptor of the process where the system has such (Linux), through
 * SIGCHLD otherwise. Only processes that were handed over are reaped, so a program's own children stay its own.
 */
#ifndef TN_CORE_CHILD_H
#define TN_CORE_CHILD_H

#include <sys/types.h>

#include "loop.h"

typedef struct tn__child tn__child;

struct tn__child {
    tn__list node; /* in loop->children until it has ended */
    tn__io io;     /* of its descriptor, if it has one */
    tn_loop *loop;
    pid_t pid;
    /* It has ended and was reaped; `code` is its exit status, or the negated number of the signal that killed it. */
    void (*ended)(tn__child *child, int code);
    void (*dropped)(tn__child *child); /* the loop is freed first; may be NULL */
};

/* How: tests try SIGCHLD on systems that have something better; everybody else leaves the choice to the system. */
typedef enum tn__child_way { TN__CHILD_ANY, TN__CHILD_SIGNAL } tn__child_way;

/*
 * Watch a process that was just started; `ended` and `dropped` are set. `ended` is called once, from the loop, never inside this
 * call. TN_EEXIST when only SIGCHLD would do and the program watches that itself; TN_ENOMEM; or the system's error.
 */
int tn__child_watch(tn_loop *loop, tn__child *child, pid_t pid, tn__child_way way);

/* Send a signal. TN_ECLOSED once it has ended, so that it cannot reach another process of that number. */
int tn__child_kill(tn__child *child, int signum);

static inline bool tn__child_running(const tn__child *child)
{
    return tn__list_linked(&child->node);
}

#endif
