/* Names to addresses: the system's resolver for what is in every hosts file, a slow and a failing one for what is not at hand. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "core/loop.h"
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

static tn_loop *loop;
static tn__resolver *resolver;

static void begin(void)
{
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    resolver = tn__resolver_new(loop, 2);
    assert_non_null(resolver);
}

static void end(void)
{
    tn__resolver_free(resolver);
    tn_loop_free(loop);
}

static int ask(asker *a, const char *host, uint16_t port, int family)
{
    *a = (asker){0};
    tn__op_init(&a->op, on_end);
    return tn__resolve(resolver, &a->lookup, tn_z(host), port, family, &a->op);
}

static void wait_for(const asker *a)
{
    for (int turns = 0; !a->ended && turns < 1000; turns++) tn_loop_turn(loop, 0.01);
    assert_int_equal(a->ended, 1);
}

static void assert_first(const asker *a, const char *expected)
{
    char text[TN_ADDR_TEXT_BYTES];
    assert_true(a->lookup.n >= 1);
    assert_str(tn_addr_format(&a->lookup.addrs[0], text), expected);
}

/* A resolver of our own, which counts its questions, and can be held up. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int questions;

static int ask_slowly(const char *host, int family, tn_addr *addrs, size_t max, const char **reason)
{
    (void)family;
    pthread_mutex_lock(&gate);
    questions++;
    pthread_mutex_unlock(&gate);
    if (strcmp(host, "fails") == 0) {
        *reason = "no such name";
        return TN_ERESOLVE;
    }
    if (strcmp(host, "empty") == 0) return 0;
    size_t n = strcmp(host, "many") == 0 ? max : 1;
    for (size_t i = 0; i < n; i++)
        if (tn_addr_parse_ip(&addrs[i], "10.0.0.1", 0) < 0) return TN_EINVAL;
    return (int)n;
}

TEST(resolver, answers_ip_addresses_at_once)
{
    asker a;
    begin();
    assert_int_equal(ask(&a, "127.0.0.1", 80, AF_UNSPEC), TN_OK);
    assert_int_equal(a.lookup.n, 1);
    assert_first(&a, "127.0.0.1:80");
    tn__lookup_done(&a.lookup);
    tn__lookup_done(&a.lookup);
    assert_int_equal(ask(&a, "::1", 443, AF_INET6), TN_OK);
    assert_first(&a, "[::1]:443");
    tn__lookup_done(&a.lookup);
    assert_int_equal(ask(&a, "::1", 443, AF_INET), TN_ERESOLVE);
    assert_int_equal(a.lookup.n, 0);
    assert_non_null(a.lookup.reason);
    tn__lookup_done(&a.lookup);
    end();
}

TEST(resolver, finds_localhost_by_the_system)
{
    asker a;
    begin();
    assert_int_equal(ask(&a, "localhost", 8080, AF_INET), TN__PENDING);
    assert_int_equal(a.ended, 0);
    wait_for(&a);
    assert_int_equal(a.result, TN_OK);
    assert_first(&a, "127.0.0.1:8080");
    tn__lookup_done(&a.lookup);
    end();
}

TEST(resolver, tells_why_a_name_cannot_be_resolved)
{
    asker a;
    begin();
    assert_int_equal(ask(&a, "not a name", 80, AF_UNSPEC), TN__PENDING);
    wait_for(&a);
    assert_int_equal(a.result, TN_ERESOLVE);
    assert_non_null(a.lookup.reason);
    assert_int_equal(a.lookup.n, 0);
    tn__lookup_done(&a.lookup);

    tn__resolver_set_ask(resolver, ask_slowly);
    assert_int_equal(ask(&a, "fails", 80, AF_UNSPEC), TN__PENDING);
    wait_for(&a);
    assert_int_equal(a.result, TN_ERESOLVE);
    assert_string_equal(a.lookup.reason, "no such name");
    tn__lookup_done(&a.lookup);

    assert_int_equal(ask(&a, "empty", 80, AF_UNSPEC), TN__PENDING);
    wait_for(&a);
    assert_int_equal(a.result, TN_ERESOLVE);
    tn__lookup_done(&a.lookup);
    end();
}

TEST(resolver, refuses_what_can_be_no_name)
{
    asker a;
    char long_name[300];
    memset(long_name, 'a', sizeof(long_name));
    begin();
    a = (asker){0};
    tn__op_init(&a.op, on_end);
    assert_int_equal(tn__resolve(resolver, &a.lookup, (tn_str){0}, 80, AF_UNSPEC, &a.op), TN_ERESOLVE);
    assert_int_equal(tn__resolve(resolver, &a.lookup, TN_S("a\0b"), 80, AF_UNSPEC, &a.op), TN_ERESOLVE);
    assert_int_equal(tn__resolve(resolver, &a.lookup, tn_str_of(long_name, 256), 80, AF_UNSPEC, &a.op), TN_ERESOLVE);
    tn__lookup_done(&a.lookup);
    end();
}

TEST(resolver, bounds_the_length_of_an_answer)
{
    asker a;
    begin();
    tn__resolver_set_ask(resolver, ask_slowly);
    assert_int_equal(ask(&a, "many", 80, AF_UNSPEC), TN__PENDING);
    wait_for(&a);
    assert_int_equal(a.lookup.n, TN__RESOLVER_ADDRS_MAX);
    assert_int_equal(tn_addr_port(&a.lookup.addrs[TN__RESOLVER_ADDRS_MAX - 1]), 80);
    tn__lookup_done(&a.lookup);
    end();
}

TEST(resolver, that_is_slow_does_not_hold_up_the_loop)
{
    asker slow, numeric;
    begin();
    tn__resolver_set_ask(resolver, ask_slowly);
    pthread_mutex_lock(&gate);
    assert_int_equal(ask(&slow, "slow", 80, AF_UNSPEC), TN__PENDING);
    for (int i = 0; i < 5; i++) assert_int_equal(tn_loop_turn(loop, 0.002), 0);
    assert_int_equal(ask(&numeric, "127.0.0.1", 80, AF_UNSPEC), TN_OK);
    tn__lookup_done(&numeric.lookup);
    assert_int_equal(slow.ended, 0);
    pthread_mutex_unlock(&gate);
    wait_for(&slow);
    assert_int_equal(slow.result, TN_OK);
    tn__lookup_done(&slow.lookup);
    end();
}

TEST(resolver, forgets_a_question_whose_asker_lost_interest_at_any_moment)
{
    enum { WAYS = 3, ASKERS = 6 };
    for (int way = 0; way < WAYS; way++) {
        asker askers[ASKERS];
        begin();
        tn__resolver_set_ask(resolver, ask_slowly);
        pthread_mutex_lock(&gate);
        questions = 0;
        for (int i = 0; i < ASKERS; i++) assert_int_equal(ask(&askers[i], "slow", 80, AF_UNSPEC), TN__PENDING);
        tn_loop_turn(loop, 0.01); /* two are with the threads, four in the queue */
        if (way == 0)
            for (int i = 0; i < ASKERS; i++) tn__op_cancel(&askers[i].op);
        else if (way == 1)
            for (int i = 0; i < ASKERS; i++) tn__lookup_done(&askers[i].lookup);
        pthread_mutex_unlock(&gate);
        if (way == 2) usleep(20000); /* answered, but the loop has not heard of it */
        for (int i = 0; i < ASKERS; i++) {
            tn__op_cancel(&askers[i].op);
            tn__lookup_done(&askers[i].lookup);
        }
        for (int i = 0; i < 5; i++) tn_loop_turn(loop, 0.005);
        for (int i = 0; i < ASKERS; i++) assert_int_equal(askers[i].ended, 0);
        if (way < 2) assert_true(questions <= 2); /* what was in the queue is not even asked */
        end();
    }
}

TEST(resolver, that_is_freed_ends_what_waits)
{
    asker askers[4];
    begin();
    tn__resolver_set_ask(resolver, ask_slowly);
    for (int i = 0; i < 4; i++) assert_int_equal(ask(&askers[i], "slow", 80, AF_UNSPEC), TN__PENDING);
    tn__resolver_free(resolver);
    resolver = NULL;
    for (int i = 0; i < 4; i++) {
        wait_for(&askers[i]);
        assert_true(askers[i].result == TN_OK || askers[i].result == TN_ECANCELED);
        tn__lookup_done(&askers[i].lookup);
    }
    end();
}

TEST(resolver, leaves_nothing_behind_when_the_loop_goes_first)
{
    asker a;
    begin();
    tn__resolver_set_ask(resolver, ask_slowly);
    assert_int_equal(ask(&a, "slow", 80, AF_UNSPEC), TN__PENDING);
    end();
    assert_int_equal(a.ended, 0);
    tn__lookup_done(&a.lookup);
}

static void override(const char *host, int port, int family, const char *to_host, int to_port)
{
    assert_int_equal(tn__resolver_override(resolver, &(tn__override){tn_z(host), port, family, tn_z(to_host), to_port}), TN_OK);
}

static void assert_resolves(const char *host, uint16_t port, int family, const char *expected)
{
    asker a;
    assert_int_equal(ask(&a, host, port, family), TN_OK);
    assert_first(&a, expected);
    tn__lookup_done(&a.lookup);
}

TEST(resolver, follows_the_override_that_says_most)
{
    asker a;
    begin();
    tn__resolver_set_ask(resolver, ask_slowly);
    override("example.com", -1, AF_UNSPEC, "127.0.0.1", -1);
    override("login.example.com", 443, AF_UNSPEC, "127.0.0.2", 1443);
    override("login.example.com", 443, AF_INET6, "::1", 1444);
    override("login.example.com", -1, AF_UNSPEC, "127.0.0.3", -1);
    assert_resolves("example.com", 80, AF_UNSPEC, "127.0.0.1:80");
    assert_resolves("EXAMPLE.com", 81, AF_INET, "127.0.0.1:81");
    assert_resolves("login.example.com", 443, AF_UNSPEC, "127.0.0.2:1443");
    assert_resolves("login.example.com", 443, AF_INET6, "[::1]:1444");
    assert_resolves("login.example.com", 80, AF_UNSPEC, "127.0.0.3:80");
    override("example.com", -1, AF_UNSPEC, "127.0.0.9", -1); /* the latest of equals */
    assert_resolves("example.com", 80, AF_UNSPEC, "127.0.0.9:80");

    override("alias", -1, AF_UNSPEC, "another", 99); /* a name, which is asked for */
    assert_int_equal(ask(&a, "alias", 80, AF_UNSPEC), TN__PENDING);
    wait_for(&a);
    assert_first(&a, "10.0.0.1:99");
    tn__lookup_done(&a.lookup);
    end();
}

TEST(resolver, without_memory_fails_and_stays_as_it_was)
{
    asker a;
    int result;
    begin();
    tn__resolver_set_ask(resolver, ask_slowly);
    for (long successes = 0;; successes++) {
        tn__alloc_fail_after(successes, true);
        result = ask(&a, "name", 80, AF_UNSPEC);
        tn__alloc_fail_after(-1, false);
        if (result != TN_ENOMEM) break;
        tn__lookup_done(&a.lookup);
    }
    assert_int_equal(result, TN__PENDING);
    wait_for(&a);
    tn__lookup_done(&a.lookup);

    tn__override o = {TN_S("name"), -1, AF_UNSPEC, TN_S("127.0.0.1"), -1};
    for (long successes = 0; successes < 2; successes++) {
        tn__alloc_fail_after(successes, true);
        result = tn__resolver_override(resolver, &o);
        tn__alloc_fail_after(-1, false);
        assert_int_equal(result, TN_ENOMEM);
    }
    assert_int_equal(ask(&a, "name", 80, AF_UNSPEC), TN__PENDING); /* no override */
    wait_for(&a);
    tn__lookup_done(&a.lookup);
    end();
}
