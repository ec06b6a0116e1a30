/* Arguments: where they come from, what is let in, and what is refused. */
#include "web/web_test.h"

static int show_text(tn_req *r)
{
    tn_str text;
    TN_TRY(tn_arg_str(r, "a", &text));
    assert_int_equal(text.p[text.n], 0);
    return tn_printf(r, "<" TN_FMT ">", TN_ARG(text));
}

TEST(args, give_the_last_value_of_a_name_decoded_and_trimmed)
{
    stage s;
    stage_open_function(&s, show_text);
    assert_get(&s, "/?a=1&b=2&a=3", "200 <3>");
    assert_get(&s, "/?a=+x%20y+%0a", "200 <x y>");
    assert_get(&s, "/?a=", "200 <>");
    assert_get(&s, "/?a", "200 <>");
    assert_get(&s, "/?%61=caf%C3%A9", "200 <caf\xc3\xa9>");
    assert_get(&s, "/?a=x%00%07y", "200 <x  y>"); /* controls become blanks */
    assert_get(&s, "/?a=x%0ay", "200 <x\ny>");
    stage_close(&s);
}

TEST(args, that_are_missing_or_no_utf_8_are_answered_400)
{
    stage s;
    stage_open_function(&s, show_text);
    assert_get(&s, "/", "400 <73 bytes>");
    assert_has(logged(&s), "W general: 400 GET / (0.0.0.0): Missing argument a\n");
    assert_get(&s, "/?A=1", "400 <73 bytes>");
    logged(&s);
    assert_get(&s, "/?a=%FF", "400 <73 bytes>");
    assert_has(logged(&s), "Invalid unicode in a\n");
    stage_close(&s);
}

static const char *post_form(stage *s, const char *type, const char *body)
{
    char text[4096];
    snprintf(text, sizeof text, "POST /?a=query HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type,
             strlen(body), body);
    return ask(s, text);
}

TEST(args, of_a_form_come_behind_those_of_the_query)
{
    stage s;
    stage_open_function(&s, show_text);
    assert_string_equal(post_form(&s, "application/x-www-form-urlencoded", "b=1&a=form+value"), "200 <form value>");
    assert_string_equal(post_form(&s, "APPLICATION/x-www-form-urlencoded; charset=utf-8", "a=x"), "200 <x>");
    assert_string_equal(post_form(&s, "application/x-www-form-urlencoded", "b=1"), "200 <query>");
    assert_string_equal(post_form(&s, "text/plain", "a=form"), "200 <query>");
    stage_close(&s);
}

static int show_list(tn_req *r)
{
    const tn_str *list;
    size_t n;
    TN_TRY(tn_arg_list(r, "a", &list, &n));
    TN_TRY(tn_printf(r, "%zu", n));
    for (size_t i = 0; i < n; i++) TN_TRY(tn_printf(r, " " TN_FMT, TN_ARG(list[i])));
    return 0;
}

TEST(args, give_all_values_of_a_name_in_order)
{
    stage s;
    stage_open_function(&s, show_list);
    assert_get(&s, "/?a=1&b=x&a=2&a=", "200 3 1 2 ");
    assert_get(&s, "/?b=1", "200 0");
    assert_get(&s, "/", "200 0");
    assert_get(&s, "/?a=1&a=%C0%80", "400 <73 bytes>");
    stage_close(&s);
}

TEST(args, are_bounded_in_number)
{
    stage s;
    stage_open_app(&s, tn_app_new((tn_route[]){{.path = "/", .function = show_list}, {0}}), &(tn_http_opts){.arguments_max = 3});
    assert_get(&s, "/?a=1&a=2&a=3", "200 3 1 2 3");
    assert_get(&s, "/?a=1&a=2&a=3&b=4", "400 <73 bytes>");
    assert_has(logged(&s), "too many arguments\n");
    stage_close(&s);
}

/* -- Typed -- */

/* The getter is chosen by the first letter of the path, and the value or its absence shown. */
static int show_typed(tn_req *r)
{
    int64_t i = -1;
    uint64_t u = 1;
    double f = -1;
    bool b = false;
    bool or_standard = tn_req_path(r).n > 2;
    switch (tn_req_path(r).p[1]) {
    case 'i':
        TN_TRY(or_standard ? tn_arg_i64_or(r, "x", &i, -7) : tn_arg_i64(r, "x", &i));
        return tn_printf(r, "%lld", (long long)i);
    case 'u':
        TN_TRY(or_standard ? tn_arg_u64_or(r, "x", &u, 7) : tn_arg_u64(r, "x", &u));
        return tn_printf(r, "%llu", (unsigned long long)u);
    case 'f': TN_TRY(or_standard ? tn_arg_f64_or(r, "x", &f, 0.5) : tn_arg_f64(r, "x", &f)); return tn_printf(r, "%g", f);
    default:
        TN_TRY(or_standard ? tn_arg_bool_or(r, "x", &b, true) : tn_arg_bool(r, "x", &b));
        return tn_printf(r, "%s", b ? "yes" : "no");
    }
}

static void assert_typed(stage *s, const char *kind, const char *value, const char *expected)
{
    char target[512], answer[64];
    snprintf(target, sizeof target, "/%s?x=%s", kind, value);
    snprintf(answer, sizeof answer, "%s%s", expected ? "200 " : "400 <73 bytes>", expected ? expected : "");
    const char *heard = get(s, target);
    if (strcmp(heard, answer) != 0) fail_msg("%s: \"%s\" instead of \"%s\"", target, heard, answer);
}

TEST(args, that_are_signed_numbers_are_digits_with_perhaps_a_minus)
{
    static const char *const bad[] = {
        "",
        "-",
        "--1",
        "%2B1",
        "1.0",
        "1e3",
        "0x1",
        "1_0",
        "1,0",
        "%D9%A1",
        "1%202",
        "1%002",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
    };
    stage s;
    stage_open_function(&s, show_typed);
    assert_typed(&s, "i", "0", "0");
    assert_typed(&s, "i", "-0", "0");
    assert_typed(&s, "i", "007", "7");
    assert_typed(&s, "i", "%2012%20", "12");
    assert_typed(&s, "i", "9223372036854775807", "9223372036854775807");
    assert_typed(&s, "i", "-9223372036854775808", "-9223372036854775808");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_typed(&s, "i", bad[i], NULL);
    stage_close(&s);
}

TEST(args, that_are_unsigned_numbers_are_digits)
{
    static const char *const bad[] = {"", "-1", "-0", "%2B1", "1.0", "18446744073709551616", "28446744073709551615"};
    stage s;
    stage_open_function(&s, show_typed);
    assert_typed(&s, "u", "0", "0");
    assert_typed(&s, "u", "18446744073709551615", "18446744073709551615");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_typed(&s, "u", bad[i], NULL);
    stage_close(&s);
}

TEST(args, that_are_real_numbers_are_decimal_and_finite)
{
    static const char *const bad[] = {"", ".", "e", "1e", "inf", "nan", "0x1p3", "1e999", "-1e999", "1,5", "1.5.5", "1-2"};
    stage s;
    stage_open_function(&s, show_typed);
    assert_typed(&s, "f", "1.5", "1.5");
    assert_typed(&s, "f", "-2e3", "-2000");
    assert_typed(&s, "f", "%2B.5", "0.5");
    assert_typed(&s, "f", "1e-999", "0");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_typed(&s, "f", bad[i], NULL);
    char ones[101];
    memset(ones, '1', 100);
    ones[100] = 0;
    assert_typed(&s, "f", ones, NULL);
    stage_close(&s);
}

TEST(args, that_are_truth_values_have_a_few_spellings)
{
    static const char *const yes[] = {"true", "T", "1", "on", "YES", ""}, *const no[] = {"False", "f", "0", "OFF", "no"};
    static const char *const bad[] = {"2", "y", "n", "truth", "none"};
    stage s;
    stage_open_function(&s, show_typed);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_typed(&s, "b", yes[i], "yes");
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_typed(&s, "b", no[i], "no");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_typed(&s, "b", bad[i], NULL);
    stage_close(&s);
}

static int show_text_or(tn_req *r)
{
    tn_str text;
    TN_TRY(tn_arg_str_or(r, "x", &text, "standard"));
    return tn_write(r, text);
}

TEST(args, that_are_absent_have_a_standard_value_where_one_is_given)
{
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/text", .function = show_text_or}, {.path = "/.*", .function = show_typed}, {0}});
    assert_get(&s, "/i_or", "200 -7");
    assert_get(&s, "/u_or", "200 7");
    assert_get(&s, "/f_or", "200 0.5");
    assert_get(&s, "/b_or", "200 yes");
    assert_get(&s, "/text", "200 standard");
    assert_get(&s, "/text?x=", "200");
    assert_get(&s, "/i_or?x=", "400 <73 bytes>"); /* given, and no number */
    assert_get(&s, "/i_or?x=3", "200 3");
    assert_get(&s, "/b_or?x=no", "200 no");
    stage_close(&s);
}

static int ignore_error(tn_req *r)
{
    int64_t i = 5;
    assert_int_equal(tn_arg_i64(r, "x", &i), TN_ERAISED);
    assert_int_equal(i, 5);
    return tn_write(r, "went on");
}

TEST(args, that_are_refused_leave_the_variable_as_it_was_and_bind_nobody_to_the_error)
{
    stage s;
    stage_open_function(&s, ignore_error);
    assert_get(&s, "/?x=y", "200 went on");
    stage_close(&s);
}
