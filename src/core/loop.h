/*
 * The loop, as the floors above see it. The struct is here so that reading the clock or the shared buffer costs a load; only core
 * writes its members.
 */
#ifndef TN_CORE_LOOP_H
#define TN_CORE_LOOP_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/list.h"
#include "base/report.h"
#include "op.h"
#include "poll.h"
#include "timer.h"
#include "work.h"

enum {
    TN__RECV_BYTES = 65536, /* size of the receive buffer */
    TN__EVENTS_MAX = 256,   /* events taken from the system at once */
    TN__TURN_NS = 10000000, /* time budget of one turn: 10 ms */
};

/* State that a higher floor keeps on the loop, freed with it. */
typedef enum tn__room_id {
    TN__ROOM_CORE,
    TN__ROOM_NET,
    TN__ROOM_HTTP,
    TN__ROOM_WEB,
    TN__ROOM_GEN,
    TN__ROOM_TOOLS,
    TN__ROOM_COUNT
} tn__room_id;

typedef struct tn__room {
    void *state;
    void (*free)(tn_loop *loop, void *state);
} tn__room;

typedef struct tn__wheel tn__wheel;
typedef struct tn__calls tn__calls;
typedef struct tn__later tn__later;
typedef struct tn__alarm tn__alarm;

struct tn_loop {
    int64_t now_ns;   /* the loop's clock, read once a turn; stale outside a turn: ask tn__loop_now */
    char *recv_buf;   /* TN__RECV_BYTES + 64 of slack, for reading past the end by whole vectors */
    char *recv_spare; /* another one, that somebody took and gave back; or NULL */
    tn__list soon;    /* tn__work of the ready phase */
    tn__list late;    /* tn__work of the end of the turn */
    tn__report report;
    tn__digester *digester;

    const tn__poll_backend *backend;
    tn__poller *poller;
    int event_at, event_n; /* of `events`: harvested and not yet delivered are [event_at, event_n) */

    tn__heap timers;
    tn__wheel *wheel;
    tn__calls *calls; /* callbacks from other threads, signals and this one */
    tn__alarm *alarm; /* NULL but for a host that cannot wait for deadlines */

    tn_callback *wake;
    void *wake_arg;
    bool wake_asked; /* wake was called since the last turn */
    bool in_turn;
    bool running, stopping;

    tn_clock *clock;
    void *clock_arg;

    tn__room rooms[TN__ROOM_COUNT]; /* freed from the highest to the lowest */

    struct tn__fd_watch **watches; /* foreign descriptors, by number */
    size_t watch_cap;
    tn__later *later;             /* what tn_call_later made */
    tn__list periodics;           /* tn_periodic: those that run */
    size_t jobs_n;                /* functions on threads of pools whose end was not heard of */
    tn__list children;            /* tn__child: processes that have not ended */
    bool child_signal;            /* SIGCHLD is watched, because the system has nothing better */
    _Atomic(void *) owner_thread; /* who runs it: set by the first turn */
    pid_t pid;                    /* the process that made it: a child after fork may only free it */

    tn__event events[TN__EVENTS_MAX];
};

int64_t tn__loop_read_clock(const tn_loop *loop);

/* The time of this turn; outside a turn, where the loop's own reading may be old, that of the clock. */
static inline int64_t tn__loop_now(const tn_loop *loop)
{
    return loop->in_turn ? loop->now_ns : tn__loop_read_clock(loop);
}

/*
 * Keep the receive buffer: the caller owns it from here on (tn__free it) and the loop takes another. NULL for lack of memory, and
 * then the loop keeps its own.
 */
char *tn__loop_take_recv_buf(tn_loop *loop);

/* Give a buffer back that was taken: the next taker costs no allocation then. */
void tn__loop_give_recv_buf(tn_loop *loop, char *taken);

/* Debug builds abort when the calling thread is not the loop's; `call` names the public function. */
#if TN_DEBUG_CHECKS
void tn__loop_check_thread(const tn_loop *loop, const char *call);
#else
static inline void tn__loop_check_thread(const tn_loop *loop, const char *call)
{
    (void)loop, (void)call;
}
#endif

static inline int64_t tn__seconds_to_ns(double seconds)
{
    if (!(seconds > 0)) return 0;
    return seconds >= 9e9 ? INT64_MAX / 2 : (int64_t)(seconds * 1e9);
}

#endif
