/*
 * Exact timers: a heap of them on the loop, and tn_call_later on top.
 *
 * A timeout of the public face is an id, not a pointer: the place of its entry in the low bits, and above them a generation that
 * changes with every use of the entry, so that an id kept too long finds nothing.
 */
#include "timer.h"

#include "base/alloc.h"
#include "turn.h"

enum {
    PLACE_BITS = 24, /* 16.7 million pending at once; 2^40 uses of one entry before an id could return */
    CHUNK = 64       /* entries are made in chunks, which never move, because the heap points to them */
};

typedef struct entry {
    tn__timer timer;
    tn_callback *fn;
    void *arg;
    uint64_t generation;
    uint32_t place;
    bool pending;
    struct entry *next_free;
} entry;

struct tn__later {
    entry **chunks;
    uint32_t chunk_n, chunk_cap;
    entry *free;
};

/* -- Timers of the engine -- */

void tn__timer_init(tn__timer *t, void (*fire)(tn_loop *loop, tn__timer *timer))
{
    *t = (tn__timer){.fire = fire};
}

int tn__timer_start(tn_loop *loop, tn__timer *t, int64_t deadline_ns)
{
    tn__heap_remove(&loop->timers, &t->node); /* which leaves room for it: a restart cannot fail */
    TN_TRY(tn__heap_add(&loop->timers, &t->node, deadline_ns));
    if (tn__heap_top(&loop->timers) == &t->node) tn__loop_wake(loop);
    return 0;
}

void tn__timer_stop(tn_loop *loop, tn__timer *t)
{
    tn__heap_remove(&loop->timers, &t->node);
}

int64_t tn__timers_next_ns(const tn_loop *loop)
{
    const tn__heap_node *top = tn__heap_top(&loop->timers);
    return top ? top->key : INT64_MAX;
}

void tn__timers_run(tn_loop *loop)
{
    /* One that was started by one that fired waits for the next turn, or two of them could hold this one for ever. */
    uint64_t limit = loop->timers.sequence;
    for (tn__heap_node *top; (top = tn__heap_top(&loop->timers)) && top->key <= loop->now_ns && top->sequence < limit;) {
        tn__heap_remove(&loop->timers, top);
        tn__timer *timer = TN__OWNER(top, tn__timer, node);
        timer->fire(loop, timer);
    }
}

/* -- Timeouts of the public face -- */

static int add_chunk(tn__later *l)
{
    if (l->chunk_n == (1u << PLACE_BITS) / CHUNK) return TN_ENOMEM;
    if (l->chunk_n == l->chunk_cap) {
        uint32_t cap = l->chunk_cap ? l->chunk_cap * 2 : 4;
        entry **chunks = tn__realloc(l->chunks, cap * sizeof *chunks);
        if (!chunks) return TN_ENOMEM;
        l->chunks = chunks;
        l->chunk_cap = cap;
    }
    entry *chunk = tn__zalloc(CHUNK * sizeof *chunk);
    if (!chunk) return TN_ENOMEM;
    for (uint32_t i = CHUNK; i-- > 0;) {
        chunk[i].place = l->chunk_n * CHUNK + i;
        chunk[i].next_free = l->free;
        l->free = &chunk[i];
    }
    l->chunks[l->chunk_n++] = chunk;
    return 0;
}

static entry *take_entry(tn_loop *loop)
{
    if (!loop->later) loop->later = tn__zalloc(sizeof *loop->later);
    tn__later *l = loop->later;
    if (!l || (!l->free && add_chunk(l) < 0)) return NULL;
    entry *e = l->free;
    l->free = e->next_free;
    e->generation++;
    e->pending = true;
    return e;
}

static void give_back(tn_loop *loop, entry *e)
{
    e->pending = false;
    e->next_free = loop->later->free;
    loop->later->free = e;
}

static void fire_entry(tn_loop *loop, tn__timer *timer)
{
    entry *e = TN__OWNER(timer, entry, timer);
    tn_callback *fn = e->fn;
    void *arg = e->arg;
    give_back(loop, e);
    fn(arg);
}

static tn_timeout call_at_ns(tn_loop *loop, int64_t deadline_ns, tn_callback *fn, void *arg)
{
    entry *e = take_entry(loop);
    if (!e) return 0;
    tn__timer_init(&e->timer, fire_entry);
    e->fn = fn;
    e->arg = arg;
    if (tn__timer_start(loop, &e->timer, deadline_ns) < 0) {
        give_back(loop, e);
        return 0;
    }
    return e->generation << PLACE_BITS | e->place;
}

tn_timeout tn_call_later(tn_loop *loop, double delay, tn_callback *fn, void *arg)
{
    tn__loop_check_thread(loop, "tn_call_later");
    return call_at_ns(loop, tn__loop_now(loop) + tn__seconds_to_ns(delay), fn, arg);
}

tn_timeout tn_call_at(tn_loop *loop, double when, tn_callback *fn, void *arg)
{
    tn__loop_check_thread(loop, "tn_call_at");
    return call_at_ns(loop, tn__seconds_to_ns(when), fn, arg);
}

void tn_remove_timeout(tn_loop *loop, tn_timeout timeout)
{
    tn__loop_check_thread(loop, "tn_remove_timeout");
    uint32_t place = timeout & ((1u << PLACE_BITS) - 1);
    tn__later *l = loop->later;
    if (!l || place >= l->chunk_n * CHUNK) return;
    entry *e = &l->chunks[place / CHUNK][place % CHUNK];
    if (!e->pending || e->generation << PLACE_BITS != timeout - place) return;
    tn__timer_stop(loop, &e->timer);
    give_back(loop, e);
}

void tn__timers_done(tn_loop *loop)
{
    for (size_t i = 0; i < loop->timers.n; i++) loop->timers.nodes[i]->place = 0; /* their owners may outlive the loop */
    tn__heap_done(&loop->timers);
    tn__later *l = loop->later;
    if (!l) return;
    for (uint32_t i = 0; i < l->chunk_n; i++) tn__free(l->chunks[i]);
    tn__free(l->chunks);
    tn__free(l);
    loop->later = NULL;
}
