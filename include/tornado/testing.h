/*
 * Testing an application, and coroutines: a loop whose clock is driven by hand, and requests that go through memory. Tornado's
 * testing.
 *
 *     tn_testenv *t = tn_test_open(app);
 *     tn_response res;
 *     assert(tn_test_fetch(t, &res, "/say", .method = "POST", .body = TN_S("text=hi")) == 0);
 *     assert(res.code == 200);
 *     assert(tn_test_fetch(t, &res, "/updates?cursor=1", .timeout = 30) == TN_ETIMEDOUT);
 *     assert(tn_test_close(t) == 0);
 *
 * Nothing here asserts by itself, so it serves under any test framework. Time is virtual: it stands still while there is something
 * to do, and jumps to the next deadline when all wait, so that the thirty seconds above take none. (Threads and child processes
 * are waited for in real time, as long as something comes of it every two seconds.) To be used outside coroutines, in one thread. All calls exist since 0.1.
 */
#ifndef TORNADO_TESTING_H
#define TORNADO_TESTING_H

#include <stddef.h>

#include "error.h"
#include "gen.h"
#include "httpclient.h"
#include "web.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a test runs in. */
typedef struct tn_testenv tn_testenv;

/*
 * Open a test environment, whose loop is the current one of this thread until tn_test_close. The application stays yours, and may
 * serve one environment after the other; NULL for tests of coroutines alone.
 *
 * The faults of the environment variable TORNADO_FAULTS are switched on (see tn_test_faults). NULL for lack of memory or of a
 * descriptor, which the other calls put up with: they return TN_ENOMEM.
 */
TN_API tn_testenv *tn_test_open(tn_app *app);

/* The loop of an environment. */
TN_API tn_loop *tn_test_loop(const tn_testenv *t);

typedef struct tn_test_fetch_opts {
    tn_testenv *t;            /* positional */
    tn_response *res;         /* positional */
    const char *path;         /* positional: the request-target, "/path?query" */
    const char *method;       /* default "GET" */
    tn_str body;              /* sent with its length if there is one */
    const tn_header *headers; /* further fields; ends with one that is zero */
    double timeout;           /* seconds, of the virtual clock; default 5 */
    char end_;
} tn_test_fetch_opts;

/*
 * Send a request to the application, and run the loop until the response is complete. Each request has a connection of its own.
 *
 * Gives the response in `res`, valid until the next call on `t`. TN_ETIMEDOUT, having closed the connection; TN_EOF when the server
 * closes it first; TN_ESYNTAX for a response that is none; TN_ENOMEM; TN_EBUSY when the loop does not come to rest; what
 * tn_app_error says about an application that cannot be served; or the system's error.
 */
#ifndef __cplusplus
#define tn_test_fetch(...) tn_test_fetch_(&(tn_test_fetch_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_test_fetch_opts, end_))
#endif
TN_API int tn_test_fetch_(const tn_test_fetch_opts *opts, size_t opts_size);

/*
 * Run fn(arg) as a coroutine to its end, letting time jump whenever all wait. Returns what it returns. When nothing can wake it any
 * more, it is cancelled, and the call returns TN_ETIMEDOUT.
 */
TN_API int tn_test_run(tn_testenv *t, tn_task_fn *fn, void *arg);

/* Let so many seconds pass: what is due in that time happens, in its order. TN_EBUSY when the loop does not come to rest. */
TN_API int tn_test_advance(tn_testenv *t, double seconds);

/*
 * Make calls of the system and allocations fail by name, from here until tn_test_close.
 *
 *     tn_test_faults(t, "iostream.read:ECONNRESET@3,alloc:0.1%")
 *
 * A list, separated by commas, of "point:error@when". The error is a name such as ECONNRESET; each point has a default. When: a
 * number is that call alone, counted from here; a number and "+" is that call and all after it; a number and "%" is each call by
 * chance; nothing is every call. "seed:7" changes what chance brings, which is otherwise the same in every run. The points:
 *
 *     alloc              memory of the library (ENOMEM)
 *     iostream.read      receiving from a socket or pipe (ECONNRESET)
 *     iostream.write     sending to one (EPIPE)
 *     socket.open        making a socket or a pair of them (EMFILE)
 *     socket.accept      accepting a connection (EMFILE)
 *     socket.connect     connecting (ECONNREFUSED)
 *     process.spawn      starting a program (EAGAIN)
 *     random             random bytes (TN_ECRYPTO)
 *
 * NULL or "" switches all off. TN_EINVAL for anything else, and then nothing has changed.
 */
TN_API int tn_test_faults(tn_testenv *t, const char *faults);

/*
 * Close and free an environment. TN_ELEAKED if something was left behind, which is listed on standard error: coroutines that still
 * wait, futures, timeouts, requests without a response, descriptors. TN_ENOMEM for NULL.
 */
TN_API int tn_test_close(tn_testenv *t);

#ifdef __cplusplus
} /* extern "C" */

/* C++: the other options as a struct behind these. */
static inline int tn_test_fetch(tn_testenv *t, tn_response *res, const char *path, tn_test_fetch_opts opts = tn_test_fetch_opts())
{
    opts.t = t;
    opts.res = res;
    opts.path = path;
    return tn_test_fetch_(&opts, offsetof(tn_test_fetch_opts, end_));
}
#endif

#endif
