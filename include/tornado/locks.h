/*
 * Synchronisation of coroutines: Tornado's locks.
 *
 * These are for the coroutines of one thread's loop, not for threads. All are plain structs of the caller's (static ones, too):
 * begin them with the macro or with init; there is nothing to free, but they must outlive whoever waits on them, futures included.
 * Those who wait are served first come, first served, and go on from the ready phase of the loop, never inside the call that lets
 * them.
 *
 * Deadlines are scopes: TN_TIMEOUT(5) e = tn_cond_wait(&c). Loop thread only. All calls exist since 0.1.
 */
#ifndef TORNADO_LOCKS_H
#define TORNADO_LOCKS_H

#include <limits.h>

#include "concurrent.h"
#include "gen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A condition: wait until somebody notifies. */
typedef struct tn_cond {
    void *private_[3];
} tn_cond;

#define TN_COND_INIT                                                                                                               \
    {                                                                                                                              \
        {                                                                                                                          \
            0                                                                                                                      \
        }                                                                                                                          \
    }

/* The same as TN_COND_INIT. */
TN_API void tn_cond_init(tn_cond *cond);

/* Wait to be notified. There are no spurious returns, but by the time the waiter runs others may have run before it. */
TN_API int tn_cond_wait(tn_cond *cond);
TN_API tn_future *tn_cond_wait_start(tn_cond *cond);

/* Let the `n` who have waited longest go on, or all of them. */
TN_API void tn_cond_notify(tn_cond *cond, size_t n);
TN_API void tn_cond_notify_all(tn_cond *cond);

/* An event: waiting ends once it is set, and does not begin while it is. */
typedef struct tn_event {
    tn_cond waiters_;
    bool set_;
} tn_event;

#define TN_EVENT_INIT                                                                                                              \
    {                                                                                                                              \
        TN_COND_INIT, false                                                                                                        \
    }

/* The same as TN_EVENT_INIT. */
TN_API void tn_event_init(tn_event *event);

/* Is it set? */
TN_API bool tn_event_is_set(const tn_event *event);

/* Set it: all who wait go on. Harmless when it is set. */
TN_API void tn_event_set(tn_event *event);

/* Make it unset again: whoever comes from now on waits. */
TN_API void tn_event_clear(tn_event *event);

/* Wait until the event is set. Whoever waited when it was set goes on even if it is cleared before they run. */
TN_API int tn_event_wait(tn_event *event);
TN_API tn_future *tn_event_wait_start(tn_event *event);

/* A semaphore: so many may hold it at once. A bounded one refuses to be released more often than it was acquired. */
typedef struct tn_semaphore {
    tn_cond waiters_;
    unsigned value_, bound_;
} tn_semaphore;

#define TN_SEMAPHORE_INIT(value)                                                                                                   \
    {                                                                                                                              \
        TN_COND_INIT, (value), UINT_MAX                                                                                            \
    }
#define TN_SEMAPHORE_INIT_BOUNDED(value)                                                                                           \
    {                                                                                                                              \
        TN_COND_INIT, (value), (value)                                                                                             \
    }

/* The same as TN_SEMAPHORE_INIT and TN_SEMAPHORE_INIT_BOUNDED. */
TN_API void tn_semaphore_init(tn_semaphore *semaphore, unsigned value);
TN_API void tn_semaphore_init_bounded(tn_semaphore *semaphore, unsigned value);

/*
 * Wait until the semaphore is to be had, and take it. TN_OK means that it must be released again, by anyone.
 *
 * The twin's future holds the semaphore once it has ended well; if it is given back without having been awaited or asked for its
 * result, it releases the semaphore.
 */
TN_API int tn_semaphore_acquire(tn_semaphore *semaphore);
TN_API tn_future *tn_semaphore_acquire_start(tn_semaphore *semaphore);

/* Hand it to who has waited longest, or keep it for the next. TN_EMISUSE when a bounded one is not held (debug builds stop). */
TN_API int tn_semaphore_release(tn_semaphore *semaphore);

/* A lock: a semaphore for one. It is not bound to a coroutine, and not recursive: acquiring it twice waits for ever. */
typedef struct tn_lock {
    tn_semaphore semaphore_;
} tn_lock;

#define TN_LOCK_INIT                                                                                                               \
    {                                                                                                                              \
        TN_SEMAPHORE_INIT_BOUNDED(1)                                                                                               \
    }

/* The same as TN_LOCK_INIT. */
TN_API void tn_lock_init(tn_lock *lock);

/* Wait for the lock and take it; as tn_semaphore_acquire. */
TN_API int tn_lock_acquire(tn_lock *lock);
TN_API tn_future *tn_lock_acquire_start(tn_lock *lock);

/* Give it to who has waited longest. TN_EMISUSE when it is not locked (debug builds stop). */
TN_API int tn_lock_release(tn_lock *lock);

#ifdef __cplusplus
}
#endif

#endif
