/* The coroutine switch of this processor. */
#include "coro_checks.h"
