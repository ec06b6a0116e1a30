/*
 * Faults on demand: tests make named calls of the system, and allocations, fail (tn_test_faults).
 *
 * The points are in release builds too, so that the real program can be tried: while nothing is to fail each costs one load and one
 * branch that always goes the same way. Which of them fail is, with the allocator's own hook, one of the few mutable globals of
 * the library.
 */
#ifndef TN_BASE_FAULT_H
#define TN_BASE_FAULT_H

#include <stdatomic.h>

#include "tornado/error.h"

/* Name, and the error that it fails with unless another one is asked for. */
#define TN__FAULTS(X)                                                                                                              \
    X(TN__FAULT_ALLOC, "alloc", TN_ENOMEM)                                                                                         \
    X(TN__FAULT_READ, "iostream.read", -ECONNRESET)                                                                                \
    X(TN__FAULT_WRITE, "iostream.write", -EPIPE)                                                                                   \
    X(TN__FAULT_SOCKET, "socket.open", -EMFILE)                                                                                    \
    X(TN__FAULT_ACCEPT, "socket.accept", -EMFILE)                                                                                  \
    X(TN__FAULT_CONNECT, "socket.connect", -ECONNREFUSED)                                                                          \
    X(TN__FAULT_SPAWN, "process.spawn", -EAGAIN)                                                                                   \
    X(TN__FAULT_RANDOM, "random", TN_ECRYPTO)

typedef enum tn__fault_point {
#define TN__FAULT_ENUM(point, name, error) point,
    TN__FAULTS(TN__FAULT_ENUM)
#undef TN__FAULT_ENUM
        TN__FAULT_COUNT
} tn__fault_point;

/* What is switched on: the rules of tn__faults_set, the allocator's own hook. */
enum { TN__FAULTS_RULES = 1, TN__FAULTS_ALLOC_HOOK = 2 };
extern atomic_int tn__faults_on;

int tn__fault_ask(tn__fault_point point); /* the slow half of the next one */

/* Must this call fail? 0, or the error to fail with. Any thread. */
static inline int tn__fault(tn__fault_point point)
{
    return __builtin_expect(atomic_load_explicit(&tn__faults_on, memory_order_relaxed), 0) ? tn__fault_ask(point) : 0;
}

/* Switch faults on by a list as tn_test_faults takes it; NULL or "" switches them off. TN_EINVAL: nothing has changed. */
int tn__faults_set(const char *list);

#endif
