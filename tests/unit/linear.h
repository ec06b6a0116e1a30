/*
 * Does a piece of work take linear time? Included by tests of parsers: four times the input must not take ten times as long, where
 * a quadratic parser would need sixteen times. The best of several runs counts, so that a busy machine does not decide.
 */
#ifndef TN_TESTS_LINEAR_H
#define TN_TESTS_LINEAR_H

#include <string.h>
#include <time.h>

#include "test.h"

static double seconds_of_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double best_of_runs(void (*work)(size_t n), size_t n)
{
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        double begin = seconds_of_cpu();
        work(n);
        double took = seconds_of_cpu() - begin;
        if (took < best) best = took;
    }
    return best;
}

static void assert_linear(void (*work)(size_t n), size_t n)
{
    double small = best_of_runs(work, n), large = best_of_runs(work, 4 * n);
    if (large > 10 * small + 1e-4) fail_msg("%zu take %.6f s, four times as many %.6f s", n, small, large);
}

/* `n` bytes of `pattern` over and over, on the heap. */
static char *repeated(const char *pattern, size_t n)
{
    char *text = malloc(n ? n : 1);
    size_t length = strlen(pattern);
    for (size_t i = 0; i < n; i++) text[i] = pattern[i % length];
    return text;
}

#endif
