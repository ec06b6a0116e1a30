/* Host[:port]. */
#include "http/parser.h"
#include "test.h"

static void all_are(bool expected, const char *const *texts)
{
    for (; *texts; texts++) {
        tn_str text = tn_z(*texts);
        char *exact = malloc(text.n + !text.n);
        memcpy(exact, text.p, text.n);
        if (tn__is_authority(tn_str_of(exact, text.n)) != expected)
            fail_msg("\"%s\" should%s be one", *texts, expected ? "" : " not");
        free(exact);
    }
}

TEST(authority, is_a_name_an_ipv4_or_a_bracketed_ipv6_address)
{
    all_are(true, (const char *[]){"a", "localhost", "example.com", "EXAMPLE.com.", "xn--bcher-kva.example", "a_b", "127.0.0.1",
                                   "[::1]", "a-name-of-some-length.with-many.labels.in.some.example.com", "a%20b", "%C3%A9",
                                   "!$&'()*+,;=~-._", "999.999.999.999", NULL});
}

TEST(authority, may_have_a_port_up_to_65535_or_an_empty_one)
{
    all_are(true, (const char *[]){"a:80", "a:0", "a:65535", "a:00080", "a:000000000000000000000000000080", "a:", "127.0.0.1:8888",
                                   "[::1]:1", "[::1]:", NULL});
    all_are(false, (const char *[]){"a:65536", "a:99999", "a:18446744073709551696", "a:4294967376", "a:8o", "a:+80", "a:-1",
                                    "a: 80", "a:80 ", "a:80:80", "a::80", "[::1]:65536", "[::1]80", "a:8\xb2", NULL});
}

TEST(authority, is_not_empty_and_has_a_host)
{
    all_are(false, (const char *[]){"", ":", ":80", "[]", "[]:80", NULL});
}

TEST(authority, has_no_userinfo_and_no_bytes_of_other_parts)
{
    all_are(false, (const char *[]){"u@a", "u:p@a", "a/",  "a?b", "a#b",    "a b", "a\\b", "a,b@c", "http://a",
                                    "a\"", "a<b>",  "a^b", "a`b", "a{b}",   "a|b", "a\tb", "a\x7f", "a\xc3\xa9",
                                    "a\r", "a\n",   " a",  "a ",  "a[::1]", "a]",  NULL});
    assert_false(tn__is_authority(TN_S("a\0")));
    assert_false(tn__is_authority(TN_S("a\0b:80")));
    assert_false(tn__is_authority((tn_str){0}));
}

TEST(authority, has_whole_percent_encodings_only)
{
    all_are(false, (const char *[]){"%", "a%", "a%2", "a%2:80", "a%zz", "a%2g", "%%20", NULL});
}

TEST(authority, in_brackets_is_an_ipv6_address)
{
    all_are(true, (const char *[]){"[::]", "[1::]", "[::1]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]",
                                   "[1::8]", "[1:2:3::8]", "[fe80:0000:AbCd::0]", "[::1.2.3.4]", "[::ffff:127.0.0.1]",
                                   "[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5::1.2.3.4]", "[1::255.255.255.255]", NULL});
    all_are(false, (const char *[]){"[",
                                    "[:",
                                    "[::",
                                    "[:]",
                                    "[1]",
                                    "[1:]",
                                    "[:1]",
                                    "[:::]",
                                    "[1:::2]",
                                    "[1::2::3]",
                                    "[1:2:3:4:5:6:7]",
                                    "[1:2:3:4:5:6:7:8:9]",
                                    "[1:2:3:4:5:6:7:8::]",
                                    "[::1:2:3:4:5:6:7:8]",
                                    "[1:2:3:4::5:6:7:8]",
                                    "[12345::]",
                                    "[g::]",
                                    "[::1%25eth0]",
                                    "[::1%eth0]",
                                    "[v1.a]",
                                    "[::1.2.3]",
                                    "[::1.2.3.4.5]",
                                    "[::1.2.3.256]",
                                    "[::1.2.3.04]",
                                    "[::1.2.3.4:5]",
                                    "[1.2.3.4]",
                                    "[1:2:3:4:5:6:7:1.2.3.4]",
                                    "[::.1.2.3]",
                                    "[::1..2.3]",
                                    "[::1]a",
                                    "[::1]]",
                                    "[[::1]]",
                                    "::1",
                                    "[ ::1]",
                                    NULL});
}
