/* Faults on demand: the list, and what it makes fail. */
#include "test.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/fault.h"

/* Which of the first eight calls fail, as a bit each. */
static unsigned failures(tn__fault_point point, int error)
{
    unsigned bits = 0;
    for (int i = 0; i < 8; i++) {
        int result = tn__fault(point);
        assert_true(result == 0 || result == error);
        if (result) bits |= 1u << i;
    }
    return bits;
}

TEST(fault, is_none_when_nothing_is_asked_for)
{
    assert_int_equal(tn__faults_set(NULL), 0);
    assert_int_equal(failures(TN__FAULT_READ, 0), 0);
    assert_int_equal(tn__faults_set(""), 0);
    assert_int_equal(failures(TN__FAULT_READ, 0), 0);
}

TEST(fault, hits_one_call_or_all_from_one_on_or_every_one)
{
    assert_int_equal(tn__faults_set("iostream.read:ECONNRESET@3,iostream.write:EPIPE@6+,socket.open:ENFILE"), 0);
    assert_int_equal(failures(TN__FAULT_READ, -ECONNRESET), 1 << 2);
    assert_int_equal(failures(TN__FAULT_WRITE, -EPIPE), 7 << 5);
    assert_int_equal(failures(TN__FAULT_SOCKET, -ENFILE), 255);
    assert_int_equal(failures(TN__FAULT_CONNECT, 0), 0);
    assert_int_equal(tn__faults_set("iostream.read:2"), 0); /* with the error of its own, counted anew */
    assert_int_equal(failures(TN__FAULT_READ, -ECONNRESET), 1 << 1);
    tn__faults_set(NULL);
}

static int failing_of_100000(const char *list)
{
    int n = 0;
    assert_int_equal(tn__faults_set(list), 0);
    for (int i = 0; i < 100000; i++) n += tn__fault(TN__FAULT_CONNECT) != 0;
    tn__faults_set(NULL);
    return n;
}

TEST(fault, comes_by_chance_and_the_same_in_every_run)
{
    int n = failing_of_100000("socket.connect:0.5%");
    assert_in_range(n, 400, 600);
    assert_int_equal(failing_of_100000("socket.connect:ECONNREFUSED@0.5%"), n);
    assert_int_not_equal(failing_of_100000("socket.connect:0.5%,seed:7"), n);
    assert_int_equal(failing_of_100000("socket.connect:0%"), 0);
    assert_int_equal(failing_of_100000("socket.connect:100%"), 100000);
}

TEST(fault, of_the_allocator_is_a_lack_of_memory)
{
    assert_int_equal(tn__faults_set("alloc:2"), 0);
    void *first = tn__alloc(8), *second = tn__alloc(8), *third = tn__alloc(8);
    tn__faults_set(NULL);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    tn__free(first);
    tn__free(third);
}

TEST(fault, leaves_the_allocators_own_hook_alone)
{
    tn__alloc_fail_after(0, false);
    assert_int_equal(tn__faults_set("random:TN_ECRYPTO"), 0);
    tn__faults_set(NULL);
    assert_null(tn__alloc(8));
    tn__alloc_fail_after(-1, false);
    void *p = tn__alloc(8);
    assert_non_null(p);
    tn__free(p);
}

TEST(fault, of_the_random_bytes_is_never_a_weak_key)
{
    char key[16];
    assert_int_equal(tn__faults_set("random:TN_ECRYPTO"), 0);
    assert_int_equal(tn__random(key, sizeof key), TN_ECRYPTO);
    tn__faults_set(NULL);
    assert_int_equal(tn__random(key, sizeof key), 0);
}

TEST(fault, list_that_is_wrong_changes_nothing)
{
    static const char *const wrong[] = {
        "nonsense",        "nonsense:EPIPE",   "iostream.read",   "iostream.read:", "iostream.read:EUNKNOWN",
        "iostream.read:0", "iostream.read:-1", "iostream.read:@", "alloc:101%",     "alloc:1.5",
        "alloc:3x",        "alloc:1%%",        "alloc:1,",        ",alloc:1",       "seed:",
        "seed:x",          "alloc:ENOMEM@nan", "alloc:1 ",
    };
    assert_int_equal(tn__faults_set("iostream.read:3"), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(tn__faults_set(wrong[i]), TN_EINVAL);
    assert_int_equal(failures(TN__FAULT_READ, -ECONNRESET), 1 << 2);
    tn__faults_set(NULL);
}
