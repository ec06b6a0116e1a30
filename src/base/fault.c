/* The table of what must fail, and the list that it is read from: see fault.h. */
#include "fault.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>

atomic_int tn__faults_on;

typedef struct rule {
    int error;    /* 0: this point does not fail */
    long from;    /* the first call that does, counted from 1 */
    bool once;    /* and no other one */
    long million; /* else each call from then on, so often in a million */
} rule;

/* Rules are written while nothing else runs; calls are counted by any thread. */
static rule rules[TN__FAULT_COUNT];
static atomic_long calls[TN__FAULT_COUNT];
static uint64_t seed;

static const struct {
    const char *name;
    int error;
} points[] = {
#define FAULT_ENTRY(point, name, error) {name, error},
    TN__FAULTS(FAULT_ENTRY)
#undef FAULT_ENTRY
};

/* A number below a million that depends on the seed, the point and the number of the call, and on nothing else. */
static long chance(tn__fault_point point, long call)
{
    uint64_t x = seed + (uint64_t)call * UINT64_C(0x9e3779b97f4a7c15) + ((uint64_t)point << 32);
    x = (x ^ x >> 31) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (long)((x >> 20) % 1000000);
}

int tn__fault_ask(tn__fault_point point)
{
    const rule *r = &rules[point];
    if (!r->error) return 0;
    long call = atomic_fetch_add(&calls[point], 1) + 1;
    if (r->once ? call != r->from : call < r->from) return 0;
    return r->once || chance(point, call) < r->million ? r->error : 0;
}

/* -- Reading the list -- */

static int find_point(const char *p, size_t n)
{
    for (int i = 0; i < TN__FAULT_COUNT; i++)
        if (strlen(points[i].name) == n && memcmp(points[i].name, p, n) == 0) return i;
    return TN_EINVAL;
}

/* An error by its name; 0: there is none of that name. */
static int find_error(const char *p, size_t n)
{
    for (int code = -1; code > -5000; code--) {
        const char *name = tn_errname(code);
        if (strlen(name) == n && memcmp(name, p, n) == 0) return code;
    }
    return 0;
}

/* What stands behind the colon: [ERROR][@][number[+|%]]. */
static int read_rule(rule *r, const char *p, const char *end)
{
    size_t letters = 0;
    while (p + letters < end && (isalnum((unsigned char)p[letters]) || p[letters] == '_') && !isdigit((unsigned char)*p)) letters++;
    if (letters && (r->error = find_error(p, letters)) == 0) return TN_EINVAL;
    p += letters;
    if (p < end && *p == '@') p++;
    if (p == end) return letters ? TN_OK : TN_EINVAL;
    char *behind;
    double number = isdigit((unsigned char)*p) ? strtod(p, &behind) : -1;
    if (number < 0 || behind > end || end - behind > 1) return TN_EINVAL;
    bool percent = behind < end && *behind == '%', plus = behind < end && *behind == '+';
    if (percent && number <= 100) {
        r->million = (long)(number * 10000 + 0.5);
        return TN_OK;
    }
    if ((behind < end && !plus) || percent || number < 1 || number > 1e9 || number != (double)(long)number) return TN_EINVAL;
    r->from = (long)number;
    r->once = !plus;
    return TN_OK;
}

/* One "point:what", or "seed:number". */
static int read_item(rule all[], uint64_t *new_seed, const char *p, const char *end)
{
    size_t n = strcspn(p, ":,");
    if (p + n >= end || p[n] != ':') return TN_EINVAL;
    const char *what = p + n + 1;
    if (n == 4 && memcmp(p, "seed", 4) == 0) {
        char *behind;
        *new_seed = strtoull(what, &behind, 10);
        return behind == end && isdigit((unsigned char)*what) ? TN_OK : TN_EINVAL;
    }
    int point = find_point(p, n);
    TN_TRY(point);
    all[point] = (rule){.error = points[point].error, .from = 1, .million = 1000000};
    return read_rule(&all[point], what, end);
}

int tn__faults_set(const char *list)
{
    rule all[TN__FAULT_COUNT] = {{0}};
    uint64_t new_seed = 0;
    bool any = list && *list;
    for (const char *p = list; any;) {
        const char *end = p + strcspn(p, ",");
        TN_TRY(read_item(all, &new_seed, p, end));
        if (!*end) break;
        p = end + 1;
    }
    atomic_fetch_and(&tn__faults_on, ~TN__FAULTS_RULES);
    memcpy(rules, all, sizeof rules);
    for (int i = 0; i < TN__FAULT_COUNT; i++) atomic_store(&calls[i], 0);
    seed = new_seed;
    if (any) atomic_fetch_or(&tn__faults_on, TN__FAULTS_RULES);
    return TN_OK;
}
