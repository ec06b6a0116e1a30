/* c-ares behind the resolver, asked on each back-end against a name server of our own. A build without it has nothing to test. */
#include "core/core_test.h"
#include "net/dns_test.h"

#include <stdlib.h>
#include <time.h>

#include "net/resolver.h"

/* One who asks. */
typedef struct asker {
    tn__op op;
    tn__lookup lookup;
    int result, ended;
} asker;

static void on_end(tn_loop *loop, tn__op *op, int result)
{
    asker *a = TN__OWNER(op, asker, op);
    (void)loop;
    a->result = result;
    a->ended++;
}

static dns_server server;
static tn__resolver *resolver;

/* False when c-ares is not built in. */
static bool begin(tn_loop *loop, int try_ms, int tries)
{
    resolver = tn__resolver_new(loop, 2);
    assert_non_null(resolver);
    dns_start(&server);
    int result = tn__resolver_use_cares(resolver, &(tn__cares_opts){server.address, try_ms, tries});
    if (result == TN_OK) return true;
    assert_int_equal(result, TN_ENOTSUP);
    tn__resolver_free(resolver);
    dns_stop(&server);
    return false;
}

static void end(void)
{
    tn__resolver_free(resolver);
    dns_stop(&server);
}

static int ask(asker *a, const char *host, uint16_t port, int family)
{
    *a = (asker){0};
    tn__op_init(&a->op, on_end);
    return tn__resolve(resolver, &a->lookup, tn_z(host), port, family, &a->op);
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_for(tn_loop *loop, const asker *a)
{
    for (double start = now(CLOCK_MONOTONIC); !a->ended && now(CLOCK_MONOTONIC) - start < 20;) tn_loop_turn(loop, 0.01);
    assert_int_equal(a->ended, 1);
}

/* Ask and wait; the caller is done with the lookup. */
static int resolve(tn_loop *loop, asker *a, const char *host, int family)
{
    assert_int_equal(ask(a, host, 80, family), TN__PENDING);
    wait_for(loop, a);
    return a->result;
}

static void assert_has(const asker *a, const char *expected)
{
    for (size_t i = 0; i < a->lookup.n; i++) {
        char text[TN_ADDR_TEXT_BYTES];
        if (tn_str_eq(tn_addr_format(&a->lookup.addrs[i], text), tn_z(expected))) return;
    }
    fail_msg("%s is not among the %zu addresses", expected, a->lookup.n);
}

LOOP_TEST(resolver_cares, finds_addresses_of_the_families_asked_for)
{
    asker a;
    if (!begin(loop, 1000, 2)) return;
    assert_int_equal(resolve(loop, &a, "both.test", AF_UNSPEC), TN_OK);
    assert_int_equal(a.lookup.n, 2);
    assert_has(&a, "10.0.0.1:80");
    assert_has(&a, "[fd00::1]:80");
    tn__lookup_done(&a.lookup);
    tn__lookup_done(&a.lookup);

    static const struct {
        const char *host;
        int family;
        const char *address;
    } cases[] = {
        {"both.test", AF_INET, "10.0.0.1:80"},
        {"both.test", AF_INET6, "[fd00::1]:80"},
        {"four.test", AF_UNSPEC, "10.0.0.1:80"},
        {"six.test", AF_UNSPEC, "[fd00::1]:80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(resolve(loop, &a, cases[i].host, cases[i].family), TN_OK);
        assert_int_equal(a.lookup.n, 1);
        assert_has(&a, cases[i].address);
        tn__lookup_done(&a.lookup);
    }
    end();
}

LOOP_TEST(resolver_cares, tells_why_a_name_cannot_be_resolved)
{
    asker a;
    if (!begin(loop, 50, 2)) return;
    static const struct {
        const char *host;
        int family;
    } cases[] = {
        {"missing.test", AF_UNSPEC}, {"fails.test", AF_UNSPEC}, {"silent.test", AF_UNSPEC}, {"four.test", AF_INET6},
        {"six.test", AF_INET},       {"empty.test", AF_UNSPEC}, {"ring.test", AF_UNSPEC},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(resolve(loop, &a, cases[i].host, cases[i].family), TN_ERESOLVE);
        assert_int_equal(a.lookup.n, 0);
        assert_non_null(a.lookup.reason);
        tn__lookup_done(&a.lookup);
    }
    end();
}

LOOP_TEST(resolver_cares, asks_again_when_no_answer_comes)
{
    asker a;
    if (!begin(loop, 50, 4)) return;
    assert_int_equal(resolve(loop, &a, "late.test", AF_INET), TN_OK);
    assert_has(&a, "10.0.0.1:80");
    assert_true(atomic_load(&server.questions) >= 2);
    tn__lookup_done(&a.lookup);
    end();
}

LOOP_TEST(resolver_cares, waits_for_silent_servers_without_holding_up_others)
{
    enum { SILENT = 100 };
    static asker silent[SILENT];
    asker a;
    if (!begin(loop, 1000, 1)) return;
    double start = now(CLOCK_MONOTONIC);
    for (int i = 0; i < SILENT; i++) assert_int_equal(ask(&silent[i], "silent.test", 80, AF_INET), TN__PENDING);
    assert_int_equal(resolve(loop, &a, "both.test", AF_UNSPEC), TN_OK);
    tn__lookup_done(&a.lookup);
    for (int i = 0; i < SILENT; i++) assert_int_equal(silent[i].ended, 0);
    assert_true(now(CLOCK_MONOTONIC) - start < 1);
    for (int i = 0; i < SILENT; i++) {
        wait_for(loop, &silent[i]);
        assert_int_equal(silent[i].result, TN_ERESOLVE);
        tn__lookup_done(&silent[i].lookup);
    }
    assert_true(now(CLOCK_MONOTONIC) - start >= 1);
    end();
}

LOOP_TEST(resolver_cares, bounds_what_it_takes_of_a_huge_answer)
{
    asker a;
    double longest = 0;
    if (!begin(loop, 5000, 2)) return;
    assert_int_equal(ask(&a, "huge.test", 80, AF_UNSPEC), TN__PENDING);
    for (double start = now(CLOCK_MONOTONIC); !a.ended && now(CLOCK_MONOTONIC) - start < 20;) {
        double before = now(CLOCK_THREAD_CPUTIME_ID);
        tn_loop_turn(loop, 0.01);
        double spent = now(CLOCK_THREAD_CPUTIME_ID) - before;
        if (spent > longest) longest = spent;
    }
    assert_int_equal(a.ended, 1);
    assert_int_equal(a.result, TN_OK);
    assert_int_equal(a.lookup.n, TN__RESOLVER_ADDRS_MAX);
    assert_true(longest < 0.2); /* 64 KiB of addresses twice, the most there can be: c-ares takes 0.03 s to sort them */
    tn__lookup_done(&a.lookup);

    assert_int_equal(resolve(loop, &a, "cut.test", AF_INET), TN_ERESOLVE);
    tn__lookup_done(&a.lookup);
    end();
}

LOOP_TEST(resolver_cares, survives_rubbish)
{
    enum { NAMES = 300 };
    static asker askers[NAMES];
    int found = 0;
    if (!begin(loop, 100, 1)) return;
    for (int i = 0; i < NAMES; i++) {
        char host[32];
        snprintf(host, sizeof host, "rubbish%d.test", i);
        assert_int_equal(ask(&askers[i], host, 80, AF_UNSPEC), TN__PENDING);
    }
    for (int i = 0; i < NAMES; i++) {
        wait_for(loop, &askers[i]);
        assert_true(askers[i].result == TN_OK || askers[i].result == TN_ERESOLVE);
        assert_int_equal(askers[i].lookup.n > 0, askers[i].result == TN_OK);
        found += askers[i].result == TN_OK;
        tn__lookup_done(&askers[i].lookup);
    }
    assert_in_range(found, 1, NAMES - 1); /* some were spoilt beyond use, some were not */
    end();
}

LOOP_TEST(resolver_cares, forgets_a_question_whose_asker_lost_interest_at_any_moment)
{
    enum { WAYS = 4, ASKERS = 6 };
    for (int way = 0; way < WAYS; way++) {
        asker askers[ASKERS], other;
        if (!begin(loop, 50, 1)) return;
        for (int i = 0; i < ASKERS; i++)
            assert_int_equal(ask(&askers[i], i % 2 ? "both.test" : "silent.test", 80, AF_UNSPEC), TN__PENDING);
        if (way == 3) usleep(20000); /* answered, but the loop has not heard of it */
        if (way >= 2) tn_loop_turn(loop, 0);
        for (int i = 0; i < ASKERS; i++) {
            if (way % 2) tn__op_cancel(&askers[i].op);
            tn__lookup_done(&askers[i].lookup);
            tn__op_cancel(&askers[i].op);
            askers[i].ended = 0;
        }
        assert_int_equal(resolve(loop, &other, "silent.test", AF_UNSPEC), TN_ERESOLVE); /* by now all were through */
        tn__lookup_done(&other.lookup);
        for (int i = 0; i < ASKERS; i++) assert_int_equal(askers[i].ended, 0);
        end();
    }
}

LOOP_TEST(resolver_cares, that_is_freed_ends_what_waits)
{
    asker askers[4];
    if (!begin(loop, 5000, 1)) return;
    for (int i = 0; i < 4; i++) assert_int_equal(ask(&askers[i], "silent.test", 80, AF_UNSPEC), TN__PENDING);
    tn_loop_turn(loop, 0.01);
    tn__op_cancel(&askers[3].op);
    end();
    for (int i = 0; i < 3; i++) {
        wait_for(loop, &askers[i]);
        assert_int_equal(askers[i].result, TN_ECANCELED);
        tn__lookup_done(&askers[i].lookup);
    }
    assert_int_equal(askers[3].ended, 0);
}

LOOP_TEST(resolver_cares, answers_addresses_and_overrides_without_asking)
{
    asker a;
    if (!begin(loop, 1000, 1)) return;
    assert_int_equal(ask(&a, "::1", 80, AF_UNSPEC), TN_OK);
    assert_has(&a, "[::1]:80");
    tn__lookup_done(&a.lookup);
    tn__override o = {TN_S("both.test"), -1, AF_UNSPEC, TN_S("127.0.0.2"), 81};
    assert_int_equal(tn__resolver_override(resolver, &o), TN_OK);
    assert_int_equal(ask(&a, "both.test", 80, AF_UNSPEC), TN_OK);
    assert_has(&a, "127.0.0.2:81");
    tn__lookup_done(&a.lookup);
    assert_int_equal(ask(&a, "localhost", 80, AF_INET), TN_OK); /* from the file of hosts */
    assert_has(&a, "127.0.0.1:80");
    tn__lookup_done(&a.lookup);
    assert_int_equal(atomic_load(&server.questions), 0);
    end();
}

static int attempt(void *arg)
{
    asker a;
    int result = ask(&a, "localhost", 80, AF_INET);
    (void)arg;
    tn__lookup_done(&a.lookup);
    return result;
}

LOOP_TEST(resolver_cares, without_memory_fails_and_asks_again)
{
    if (!begin(loop, 1000, 1)) return;
    assert_true(test_each_allocation(attempt, NULL) >= 2);
    end();
}

/* -- Who is chosen -- */

static char said[200];

static void hear(void *arg, const tn_log_line *line)
{
    (void)arg;
    snprintf(said, sizeof said, "%.*s", (int)line->text.n, line->text.p);
}

/* With c-ares, the name from the file of hosts is answered at once; with threads, never. */
static int ask_as_environment_says(tn_loop *loop, const char *value)
{
    asker a;
    said[0] = 0;
    loop->report = (tn__report){hear, NULL, TN_LOG_WARNING};
    assert_int_equal(value ? setenv("TORNADO_RESOLVER", value, 1) : unsetenv("TORNADO_RESOLVER"), 0);
    resolver = tn__resolver_new(loop, 2);
    unsetenv("TORNADO_RESOLVER");
    int result = ask(&a, "localhost", 80, AF_INET);
    if (result == TN__PENDING) wait_for(loop, &a);
    assert_has(&a, "127.0.0.1:80");
    tn__lookup_done(&a.lookup);
    tn__resolver_free(resolver);
    loop->report = (tn__report){0};
    return result;
}

LOOP_TEST(resolver_cares, is_used_when_the_environment_asks_for_it)
{
    bool built_in = begin(loop, 1000, 1);
    if (built_in) end();
    assert_int_equal(ask_as_environment_says(loop, NULL), TN__PENDING);
    assert_string_equal(said, "");
    assert_int_equal(ask_as_environment_says(loop, "threads"), TN__PENDING);
    assert_string_equal(said, "");
    assert_int_equal(ask_as_environment_says(loop, "cares"), built_in ? TN_OK : TN__PENDING);
    assert_int_equal(said[0] == 0, built_in);
    assert_int_equal(ask_as_environment_says(loop, "oracle"), TN__PENDING);
    assert_non_null(strstr(said, "oracle"));
}

LOOP_TEST(resolver_cares, refuses_servers_that_are_none)
{
    asker a;
    resolver = tn__resolver_new(loop, 2);
    assert_true(tn__resolver_use_cares(resolver, &(tn__cares_opts){.servers = "not an address"}) < 0);
    assert_int_equal(resolve(loop, &a, "localhost", AF_INET), TN_OK); /* by threads, as before */
    tn__lookup_done(&a.lookup);
    tn__resolver_free(resolver);
}
