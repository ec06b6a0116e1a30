/* Addresses: text in, address out, and back. */
#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "tornado/netutil.h"

/* Reads `text` and writes it again. */
static void round_trip(const char *text, const char *expected)
{
    char written[TN_ADDR_TEXT_BYTES];
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, text), TN_OK);
    assert_str(tn_addr_format(&addr, written), expected);
    assert_string_equal(written, expected);
}

TEST(addr, of_ipv4_is_read_and_written)
{
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, "127.0.0.1:8888"), TN_OK);
    assert_int_equal(tn_addr_family(&addr), AF_INET);
    assert_int_equal(addr.len, sizeof(struct sockaddr_in));
    assert_int_equal(addr.u.in4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(tn_addr_port(&addr), 8888);

    round_trip("127.0.0.1:8888", "127.0.0.1:8888");
    round_trip("0.0.0.0:0", "0.0.0.0:0");
    round_trip("255.255.255.255:65535", "255.255.255.255:65535");
    round_trip("1.20.100.9:1", "1.20.100.9:1");
}

TEST(addr, of_ipv6_is_read_and_written_in_brackets)
{
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, TN_S("[::1]:80")), TN_OK);
    assert_int_equal(tn_addr_family(&addr), AF_INET6);
    assert_memory_equal(&addr.u.in6.sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));

    round_trip("[::1]:80", "[::1]:80");
    round_trip("[2001:DB8:0:0::1]:443", "[2001:db8::1]:443");
    round_trip("[::ffff:1.2.3.4]:443", "[::ffff:1.2.3.4]:443");
    round_trip("[fe80::1%7]:443", "[fe80::1%7]:443");
    round_trip("[fe80::1%lo]:443", "[fe80::1%1]:443");
}

TEST(addr, of_a_unix_socket_is_read_and_written)
{
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, "unix:/run/app.sock"), TN_OK);
    assert_int_equal(tn_addr_family(&addr), AF_UNIX);
    assert_string_equal(addr.u.un.sun_path, "/run/app.sock");
    assert_int_equal(tn_addr_port(&addr), 0);
    round_trip("unix:/run/app.sock", "unix:/run/app.sock");
    round_trip("unix:relative", "unix:relative");
    round_trip("unix:@name", "unix:@name");

    assert_int_equal(tn_addr_parse(&addr, "unix:@name"), TN_OK);
    assert_int_equal(addr.u.un.sun_path[0], 0);
    assert_int_equal(addr.len, offsetof(struct sockaddr_un, sun_path) + 5);
}

TEST(addr, refuses_everything_else_and_leaves_the_output_alone)
{
    static const char *const bad[] = {
        "",
        "80",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.1:80",
        "127.0.0.01:80",
        "1.2.3.4.5:80",
        "256.0.0.1:80",
        "localhost:80",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[::1]:",
        "[127.0.0.1]:80",
        "[]:80",
        "[::1:80",
        "::1]:80",
        "[::1%]:80",
        "[::1%0]:80",
        "[::1%nosuch]:80",
        "[::g]:80",
        "unix:",
        "unix:@",
        "*:80",
        " 1.2.3.4:80",
        "1.2.3.4:80 ",
        "1.2.3.4:000080",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        tn_addr addr = {.len = 77};
        if (tn_addr_parse(&addr, bad[i]) != TN_ESYNTAX) fail_msg("\"%s\" was not refused", bad[i]);
        assert_int_equal(addr.len, 77);
    }
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, TN_S("127.0.0.1\0:80")), TN_ESYNTAX);
    assert_int_equal(tn_addr_parse(&addr, TN_S("unix:a\0b")), TN_ESYNTAX);
}

TEST(addr, takes_the_longest_path_that_fits_and_no_longer_one)
{
    char text[5 + 108 + 1] = "unix:", written[TN_ADDR_TEXT_BYTES];
    tn_addr addr;
    memset(text + 5, 'x', 108);
    assert_int_equal(tn_addr_parse(&addr, text), TN_ETOOBIG);
    text[5 + 107] = 0;
    assert_int_equal(tn_addr_parse(&addr, text), TN_OK);
    assert_str(tn_addr_format(&addr, written), text);
}

TEST(addr, is_shown_without_its_port_in_access_logs)
{
    char text[TN_ADDR_TEXT_BYTES];
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, "10.200.3.44:1234"), TN_OK);
    assert_str(tn_addr_ip(&addr, text), "10.200.3.44");
    assert_int_equal(tn_addr_parse(&addr, "[fe80::2%3]:1234"), TN_OK);
    assert_str(tn_addr_ip(&addr, text), "fe80::2%3");
    assert_int_equal(tn_addr_parse(&addr, "unix:/run/app.sock"), TN_OK);
    assert_str(tn_addr_ip(&addr, text), "0.0.0.0");
    assert_str(tn_addr_ip(&(tn_addr){0}, text), "0.0.0.0");
}

TEST(addr, that_is_none_or_has_no_name_can_be_shown)
{
    char text[TN_ADDR_TEXT_BYTES];
    tn_addr unnamed = {.len = offsetof(struct sockaddr_un, sun_path), .u.un.sun_family = AF_UNIX};
    assert_str(tn_addr_format(&(tn_addr){0}, text), "-");
    assert_str(tn_addr_format(&unnamed, text), "unix:");
    assert_int_equal(tn_addr_family(&(tn_addr){0}), AF_UNSPEC);
}

TEST(addr, shows_no_control_bytes_of_a_path)
{
    char text[TN_ADDR_TEXT_BYTES];
    tn_addr addr;
    assert_int_equal(tn_addr_parse(&addr, "unix:/a\n\033[31mb"), TN_OK);
    assert_str(tn_addr_format(&addr, text), "unix:/a??[31mb");
}

TEST(addr, is_equal_when_it_names_the_same_place)
{
    tn_addr a, b;
    assert_int_equal(tn_addr_parse(&a, "127.0.0.1:80"), TN_OK);
    b = a;
    memset(b.u.in4.sin_zero, 1, sizeof(b.u.in4.sin_zero)); /* padding says nothing */
    assert_true(tn_addr_eq(&a, &b));
    tn_addr_set_port(&b, 81);
    assert_int_equal(tn_addr_port(&b), 81);
    assert_false(tn_addr_eq(&a, &b));

    assert_int_equal(tn_addr_parse(&a, "[fe80::1%1]:80"), TN_OK);
    assert_int_equal(tn_addr_parse(&b, "[fe80::1%2]:80"), TN_OK);
    assert_false(tn_addr_eq(&a, &b));
    b = a;
    b.u.in6.sin6_flowinfo = 5;
    assert_true(tn_addr_eq(&a, &b));

    assert_int_equal(tn_addr_parse(&a, "unix:@a"), TN_OK);
    assert_int_equal(tn_addr_parse(&b, "unix:@b"), TN_OK);
    assert_false(tn_addr_eq(&a, &b));
    assert_true(tn_addr_eq(&a, &a));
    assert_true(tn_addr_eq(&(tn_addr){0}, &(tn_addr){0}));
}

TEST(addr, is_taken_from_the_system_when_it_makes_sense)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(7)};
    tn_addr addr = {0};
    assert_int_equal(tn_addr_set(&addr, (struct sockaddr *)&in4, sizeof(in4)), TN_OK);
    assert_int_equal(tn_addr_port(&addr), 7);
    assert_int_equal(tn_addr_set(&addr, (struct sockaddr *)&in4, sizeof(in4) - 1), TN_EINVAL);
    assert_int_equal(tn_addr_set(&addr, (struct sockaddr *)&in4, 0), TN_EINVAL);
    in4.sin_family = AF_NETLINK;
    assert_int_equal(tn_addr_set(&addr, (struct sockaddr *)&in4, sizeof(in4)), TN_EINVAL);
    assert_int_equal(tn_addr_port(&addr), 7);
}

TEST(is_valid_ip, knows_addresses_from_everything_else)
{
    static const char *const good[] = {"127.0.0.1", "4.4.4.4", "::1", "::", "2620:0:1cfe:face:b00c::3", "::ffff:1.2.3.4"};
    static const char *const bad[] = {"www.google.com", "localhost", "4.4.4.4<", " 127.0.0.1", "127.0.0.1 ", "", " ", "\n",
                                      "127.1",          "[::1]",     "::1%lo",   "1.2.3.4:80", "0x7f.0.0.1"};
    char long_text[200];
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!tn_is_valid_ip(good[i])) fail_msg("\"%s\" was refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (tn_is_valid_ip(bad[i])) fail_msg("\"%s\" was taken", bad[i]);
    memset(long_text, 'a', sizeof(long_text));
    assert_false(tn_is_valid_ip(tn_str_of(long_text, sizeof(long_text))));
    assert_false(tn_is_valid_ip(TN_S("\0")));
    assert_false(tn_is_valid_ip(TN_S("1.2.3.4\0")));
    assert_false(tn_is_valid_ip((tn_str){0}));
}
