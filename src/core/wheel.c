/*
 * Coarse timeouts: a wheel of five levels with 64 slots each.
 *
 * A slot of level 0 is one tick, 2^24 ns or 17 ms; a slot of level n is 64^n ticks. A timeout lies in the level where its tick and
 * the present one first differ, so everything in a lower level is due before everything in a higher one, and the next slot to look
 * at is found from one bit mask a level. When a slot comes up, each timeout in it is judged by the deadline that it has now: due, it
 * fires; later, it is put where it belongs by then; cleared, it drops out. That makes "not yet" a plain store for the owner.
 *
 * The top level is a ring: the whole wheel spans 2^30 ticks, about 208 days, and what lies beyond is looked at each time round.
 *
 * Never early: a deadline counts as due at the first tick that begins at it or after it.
 */
#include "base/alloc.h"
#include "turn.h"

enum { TICK_BITS = TN__TICK_BITS, SLOT_BITS = 6, SLOTS = 1 << SLOT_BITS, LEVELS = 5 };

struct tn__wheel {
    int64_t tick;              /* everything up to this one has been looked at */
    uint64_t occupied[LEVELS]; /* slots that may hold something; a stale bit costs one look at an empty slot */
    tn__list slots[LEVELS][SLOTS];
};

static const int64_t tick_max = INT64_MAX >> TICK_BITS;

/* The tick at which slot number `slot` of a level begins, counted from tick 0. (A clock may be negative, and then so are these.) */
static int64_t begin_of(int64_t slot, int shift)
{
    return slot * (INT64_C(1) << shift);
}

static int64_t tick_of(int64_t deadline_ns)
{
    int64_t tick = deadline_ns >> TICK_BITS;
    return tick + ((deadline_ns & ((INT64_C(1) << TICK_BITS) - 1)) != 0);
}

int tn__wheel_new(tn_loop *loop)
{
    tn__wheel *w = tn__zalloc(sizeof *w);
    if (!w) return TN_ENOMEM;
    for (int level = 0; level < LEVELS; level++)
        for (int i = 0; i < SLOTS; i++) tn__list_init(&w->slots[level][i]);
    w->tick = loop->now_ns >> TICK_BITS;
    loop->wheel = w;
    return 0;
}

/* Take everything out, into `all`. */
static void empty(tn__wheel *w, tn__list *all)
{
    for (int level = 0; level < LEVELS; level++) {
        w->occupied[level] = 0;
        for (int i = 0; i < SLOTS; i++) tn__list_splice(all, &w->slots[level][i]);
    }
}

void tn__wheel_free(tn_loop *loop)
{
    if (!loop->wheel) return;
    tn__list all;
    tn__list_init(&all);
    empty(loop->wheel, &all);
    while (tn__list_pop(&all)) { /* their owners may outlive the loop */
    }
    tn__free(loop->wheel);
    loop->wheel = NULL;
}

/* The level for a tick later than the present one. */
static int level_of(const tn__wheel *w, int64_t tick)
{
    uint64_t differ = (uint64_t)(tick ^ w->tick);
    int level = (63 - __builtin_clzll(differ)) / SLOT_BITS;
    return level < LEVELS ? level : LEVELS - 1;
}

/* Put an unlinked timeout where the wheel will look at it at `tick`, or before. */
static void place_at(tn__wheel *w, tn__timeout *t, int64_t tick)
{
    if (tick <= w->tick) tick = w->tick + 1;
    int level = level_of(w, tick), shift = level * SLOT_BITS;
    t->slot_tick = begin_of(tick >> shift, shift);
    int slot = (tick >> shift) & (SLOTS - 1);
    tn__list_push(&w->slots[level][slot], &t->node);
    w->occupied[level] |= UINT64_C(1) << slot;
}

/* The next tick at which a slot comes up; tick_max when there is none. */
static int64_t next_tick(const tn__wheel *w)
{
    for (int level = 0; level < LEVELS; level++) {
        if (!w->occupied[level]) continue;
        int shift = level * SLOT_BITS;
        int64_t at = w->tick >> shift;
        /* Turn the mask so that bit 0 stands for the slot after the present one. In the top level it wraps round. */
        int turn = (int)((at + 1) & (SLOTS - 1));
        uint64_t mask = w->occupied[level] >> turn | w->occupied[level] << (-turn & (SLOTS - 1));
        return begin_of(at + 1 + __builtin_ctzll(mask), shift);
    }
    return tick_max;
}

int64_t tn__wheel_next_ns(const tn_loop *loop)
{
    int64_t tick = next_tick(loop->wheel);
    return tick == tick_max ? INT64_MAX : begin_of(tick, TICK_BITS);
}

void tn__timeout_init(tn__timeout *t, void (*fire)(tn_loop *loop, tn__timeout *timeout))
{
    tn__list_init(&t->node);
    t->deadline_ns = INT64_MAX;
    t->slot_tick = 0;
    t->fire = fire;
}

void tn__timeout_place(tn_loop *loop, tn__timeout *t)
{
    int64_t tick = tick_of(t->deadline_ns);
    if (tn__list_linked(&t->node) && t->slot_tick <= tick) return; /* looked at early enough */
    tn__wheel *w = loop->wheel;
    int64_t before = loop->in_turn || !loop->wake ? INT64_MIN : next_tick(w); /* for a host only */
    tn__list_remove(&t->node);
    place_at(w, t, tick);
    if (t->slot_tick < before) tn__loop_wake(loop);
}

/* The slots that begin at the present tick have come up: take out what is in them. */
static void take_slots(tn__wheel *w, tn__list *out)
{
    for (int level = 0; level < LEVELS; level++) {
        int shift = level * SLOT_BITS, slot = (w->tick >> shift) & (SLOTS - 1);
        if (w->tick & ((INT64_C(1) << shift) - 1)) break; /* in the middle of a slot of this level, and of all above it */
        tn__list_splice(out, &w->slots[level][slot]);
        w->occupied[level] &= ~(UINT64_C(1) << slot);
    }
}

/* Judge what came up. A call may stop, set or free any timeout, the ones in `up` included. */
static void judge(tn_loop *loop, tn__list *up)
{
    tn__wheel *w = loop->wheel;
    for (tn__list *node; (node = tn__list_pop(up));) {
        tn__timeout *t = TN__OWNER(node, tn__timeout, node);
        if (t->deadline_ns == INT64_MAX) continue;
        int64_t tick = tick_of(t->deadline_ns);
        if (tick > w->tick) {
            place_at(w, t, tick);
            continue;
        }
        t->deadline_ns = INT64_MAX;
        t->fire(loop, t);
    }
}

void tn__wheel_run(tn_loop *loop)
{
    tn__wheel *w = loop->wheel;
    int64_t now = loop->now_ns >> TICK_BITS;
    tn__list up;
    tn__list_init(&up);
    for (int64_t tick; (tick = next_tick(w)) <= now;) {
        w->tick = tick;
        take_slots(w, &up);
        judge(loop, &up);
    }
    if (w->tick < now) w->tick = now;
}

void tn__wheel_rebase(tn_loop *loop)
{
    tn__wheel *w = loop->wheel;
    tn__list all;
    tn__list_init(&all);
    empty(w, &all);
    w->tick = loop->now_ns >> TICK_BITS;
    for (tn__list *node; (node = tn__list_pop(&all));) {
        tn__timeout *t = TN__OWNER(node, tn__timeout, node);
        if (t->deadline_ns != INT64_MAX) place_at(w, t, tick_of(t->deadline_ns));
    }
}
