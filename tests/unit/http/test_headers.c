#include "test.h"

#include <stdio.h>

#include "base/alloc.h"
#include "http/headers.h"
#include "tornado/error.h"

static tn__arena arena;
static tn__headers headers;

static void begin(size_t quota)
{
    tn__arena_init(&arena, quota);
    headers = (tn__headers){0};
}

static void check_wire(const char *expected)
{
    char *out = malloc(headers.bytes ? headers.bytes : 1);
    char *end = tn__headers_write(&headers, out);
    assert_int_equal(end - out, headers.bytes);
    assert_str(tn_str_of(out, headers.bytes), expected);
    free(out);
}

static int add(const char *name, const char *value)
{
    return tn__headers_add(&headers, &arena, tn_z(name), tn_z(value));
}

static int set(const char *name, const char *value)
{
    return tn__headers_set(&headers, &arena, tn_z(name), tn_z(value));
}

TEST(headers, are_written_in_order_with_their_own_spelling)
{
    begin(SIZE_MAX);
    check_wire("");
    assert_int_equal(add("Content-Type", "text/plain"), 0);
    assert_int_equal(add("x-ODD", "a  b\tc"), 0);
    assert_int_equal(add("X-Odd", "\xc3\xa9"), 0);
    assert_int_equal(add("Empty", ""), 0);
    check_wire("Content-Type: text/plain\r\nx-ODD: a  b\tc\r\nX-Odd: \xc3\xa9\r\nEmpty: \r\n");
    tn__arena_done(&arena);
}

TEST(headers, copy_what_they_are_given)
{
    begin(SIZE_MAX);
    char name[] = "Name", value[] = "value";
    add(name, value);
    name[0] = value[0] = 'X';
    check_wire("Name: value\r\n");
    tn__arena_done(&arena);
}

TEST(headers, get_finds_the_first_of_a_name_without_case)
{
    begin(SIZE_MAX);
    add("Set-Cookie", "a=1");
    add("set-cookie", "b=2");
    add("Empty", "");
    assert_str(tn__headers_get(&headers, TN_S("SET-COOKIE")), "a=1");
    assert_non_null(tn__headers_get(&headers, TN_S("empty")).p);
    assert_null(tn__headers_get(&headers, TN_S("Set-Cooki")).p);
    tn__arena_done(&arena);
}

TEST(headers, set_replaces_every_field_of_the_name_in_the_place_of_the_first)
{
    begin(SIZE_MAX);
    add("A", "1");
    add("B", "1");
    add("b", "2");
    add("C", "1");
    add("B", "3");
    assert_int_equal(set("b", "new"), 0);
    check_wire("A: 1\r\nb: new\r\nC: 1\r\n");
    assert_int_equal(set("D", "1"), 0);
    check_wire("A: 1\r\nb: new\r\nC: 1\r\nD: 1\r\n");
    tn__arena_done(&arena);
}

TEST(headers, remove_takes_out_every_field_of_the_name)
{
    begin(SIZE_MAX);
    add("A", "1");
    add("B", "1");
    add("a", "2");
    tn__headers_remove(&headers, TN_S("A"));
    check_wire("B: 1\r\n");
    tn__headers_remove(&headers, TN_S("nothing"));
    tn__headers_remove(&headers, headers.items[0].name);
    check_wire("");
    tn__arena_done(&arena);
}

TEST(headers, refuse_names_that_are_no_tokens_and_values_that_could_split_a_message)
{
    static const char *bad_names[] = {"", " ", "A B", "A:", "A\r\n", "\xc3\xa9", "A\x7f", "(A)"};
    static const char *bad_values[] = {"a\r\nB: c", "a\n", "\ra", "a\x01", "a\x7f", " a", "a ", "\ta", " "};
    begin(SIZE_MAX);
    add("B", "old");
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        assert_int_equal(add(bad_names[i], "x"), TN_EINVAL);
        assert_int_equal(set(bad_names[i], "x"), TN_EINVAL);
    }
    for (size_t i = 0; i < sizeof bad_values / sizeof *bad_values; i++) {
        assert_int_equal(add("A", bad_values[i]), TN_EINVAL);
        assert_int_equal(set("B", bad_values[i]), TN_EINVAL);
    }
    assert_int_equal(tn__headers_add(&headers, &arena, TN_S("A"), TN_S("a\0b")), TN_EINVAL);
    check_wire("B: old\r\n");
    tn__arena_done(&arena);
}

TEST(headers, are_as_they_were_when_there_is_no_memory)
{
    begin(0);
    int i = 0, rc;
    char name[24]; /* room for any number, as the compiler wants it when it instruments */
    do {
        snprintf(name, sizeof name, "Name-%d", i++);
        rc = add(name, "value");
    } while (rc == 0);
    assert_int_equal(rc, TN_ENOMEM);
    uint32_t n = headers.n;
    size_t bytes = headers.bytes;
    char big[4096];
    memset(big, 'x', sizeof big);
    assert_int_equal(tn__headers_set(&headers, &arena, TN_S("Name-0"), tn_str_of(big, sizeof big)), TN_ENOMEM);
    assert_int_equal(headers.n, n);
    assert_int_equal(headers.bytes, bytes);
    assert_str(tn__headers_get(&headers, TN_S("name-0")), "value");
    tn__arena_done(&arena);
}

TEST(headers, hold_thousands)
{
    begin(SIZE_MAX);
    for (int i = 0; i < 5000; i++) assert_int_equal(add("X", "y"), 0);
    assert_int_equal(headers.bytes, 5000 * 6);
    tn__headers_remove(&headers, TN_S("x"));
    assert_int_equal(headers.bytes, 0);
    tn__arena_done(&arena);
}
