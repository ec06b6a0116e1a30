/*
 * What does it cost to re-arm a timeout while 100,000 others are live: on the wheel of connections, against a binary heap?
 *
 * Three patterns, each the same for both: a random one of them is cancelled and added with a random deadline up to a minute away;
 * with the same deadline for all, a minute from now, as idle connections have; or its deadline is just moved later, as every request
 * does. Prints nanoseconds per re-arm, the best of some rounds visited in turn, and the ratio.
 *
 * Usage: timers [rounds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/loop.h"

enum { LIVE = 100000, REARMS = 2000000, MINUTE_MS = 60000, CHECKS = 3 };

/* As in a connection: not packed, so that touching one costs what it costs there. */
typedef struct subject {
    tn__timeout timeout;
    tn__heap_node node;
    char rest[128];
} subject;

typedef enum pattern { RANDOM, CONSTANT, LATER, PATTERNS } pattern;

static const char *const names[PATTERNS] = {"cancel + add, random deadline", "cancel + add, same deadline", "moved later"};

static subject *subjects;
static tn__heap heap;
static uint64_t seed;
static int64_t base_ns;

static uint32_t next_random(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static int64_t deadline_for(pattern p, int i)
{
    int64_t ms = p == RANDOM ? (int)(next_random() % MINUTE_MS) : MINUTE_MS + i / 1000; /* time passes while it is measured */
    return base_ns + ms * 1000000;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wheel_ns(tn_loop *loop, pattern p)
{
    seed = 1;
    double begun = now();
    for (int i = 0; i < REARMS; i++) {
        tn__timeout *t = &subjects[next_random() % LIVE].timeout;
        if (p != LATER) tn__timeout_stop(t);
        tn__timeout_set(loop, t, deadline_for(p, i));
    }
    return (now() - begun) * 1e9 / REARMS;
}

static double heap_ns(pattern p)
{
    seed = 1;
    double begun = now();
    for (int i = 0; i < REARMS; i++) {
        tn__heap_node *node = &subjects[next_random() % LIVE].node;
        tn__heap_remove(&heap, node);
        if (tn__heap_add(&heap, node, deadline_for(p, i)) < 0) exit(1);
    }
    return (now() - begun) * 1e9 / REARMS;
}

static void never(tn_loop *loop, tn__timeout *timeout)
{
    (void)loop, (void)timeout;
}

static int fill(tn_loop *loop)
{
    subjects = calloc(LIVE, sizeof *subjects);
    if (!subjects) return TN_ENOMEM;
    for (int i = 0; i < LIVE; i++) {
        tn__timeout_init(&subjects[i].timeout, never);
        tn__timeout_set(loop, &subjects[i].timeout, deadline_for(RANDOM, 0));
        TN_TRY(tn__heap_add(&heap, &subjects[i].node, subjects[i].timeout.deadline_ns));
    }
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : CHECKS;
    double best[PATTERNS][2];
    tn_loop *loop;
    if (tn_loop_new(&loop, NULL) < 0) return 1;
    base_ns = tn__loop_now(loop);
    if (fill(loop) < 0) return 1;

    for (int round = 0; round < rounds; round++)
        for (pattern p = 0; p < PATTERNS; p++) {
            double wheel = wheel_ns(loop, p), binary = heap_ns(p);
            if (round == 0 || wheel < best[p][0]) best[p][0] = wheel;
            if (round == 0 || binary < best[p][1]) best[p][1] = binary;
        }

    printf("%d live timeouts, ns per re-arm\n%-32s %8s %8s %8s\n", LIVE, "", "wheel", "heap", "ratio");
    for (pattern p = 0; p < PATTERNS; p++)
        printf("%-32s %8.1f %8.1f %8.2f\n", names[p], best[p][0], best[p][1], best[p][0] / best[p][1]);
    tn_loop_free(loop);
    tn__heap_done(&heap);
    free(subjects);
    return 0;
}
