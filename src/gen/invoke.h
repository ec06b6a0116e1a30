/* How the C face runs the functions of handlers: each on a coroutine, which costs nothing to speak of until it waits. */
#ifndef TN_GEN_INVOKE_H
#define TN_GEN_INVOKE_H

#include "web/app.h"

extern const tn__invoker tn__coroutine_invoker;

#endif
