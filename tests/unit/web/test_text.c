/* Texts made for responses: formatted, escaped, and the paths of named routes. */
#include "web/web_test.h"

static tn_method *under_test;

static int run_it(tn_req *r)
{
    TN_TRY(under_test(r));
    leave("ran");
    return 0;
}

/* Run a function inside a request. */
static void inside(tn_method *function)
{
    stage s;
    under_test = function;
    stage_open_function(&s, run_it);
    get(&s, "/");
    assert_trail("ran");
    stage_close(&s);
}

/* A text and the NUL behind it. */
#define assert_text(actual, expected)                                                                                              \
    do {                                                                                                                           \
        tn_str text_ = (actual);                                                                                                   \
        assert_non_null(text_.p);                                                                                                  \
        assert_int_equal(text_.n, strlen(expected));                                                                               \
        assert_string_equal(text_.p, (expected));                                                                                  \
    } while (0)

static int format(tn_req *r)
{
    assert_text(tn_sprintf(r, "%d %s", 7, "x"), "7 x");
    assert_text(tn_sprintf(r, "%s", ""), "");
    tn_str wide = tn_sprintf(r, "%5000d", 1);
    assert_int_equal(wide.n, 5000);
    assert_int_equal(wide.p[5000], 0);
    return 0;
}

TEST(text, is_formatted_in_the_memory_of_the_request)
{
    inside(format);
}

static int escape_html(tn_req *r)
{
    assert_text(tn_esc(r, "<a href=\"x\">&'</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;&#x27;&lt;/a&gt;");
    assert_text(tn_esc(r, "plain caf\xc3\xa9"), "plain caf\xc3\xa9");
    assert_text(tn_esc(r, ""), "");
    assert_int_equal(tn_esc(r, TN_S("a\0b")).n, 3);
    return 0;
}

TEST(text, is_escaped_for_html)
{
    inside(escape_html);
}

static int escape_url(tn_req *r)
{
    assert_text(tn_urlenc(r, "a b&c=d/\xc3\xa9+%"), "a+b%26c%3Dd%2F%C3%A9%2B%25");
    assert_text(tn_urlenc(r, ""), "");
    return 0;
}

TEST(text, is_escaped_for_a_query)
{
    inside(escape_url);
}

static int escape_json(tn_req *r)
{
    assert_text(tn_jsonesc(r, "a\"b\\c\n\t\r\b\f"), "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\"");
    assert_text(tn_jsonesc(r, "</script></SCRIPT>a/b<"), "\"<\\/script><\\/SCRIPT>a/b<\"");
    assert_text(tn_jsonesc(r, TN_S("\0\x1f\x7f")), "\"\\u0000\\u001f\\u007f\"");
    assert_text(tn_jsonesc(r, "caf\xc3\xa9"), "\"caf\xc3\xa9\"");
    assert_text(tn_jsonesc(r, ""), "\"\"");
    char controls[200];
    memset(controls, 1, sizeof controls);
    assert_int_equal(tn_jsonesc(r, tn_str_of(controls, sizeof controls)).n, 1202);
    return 0;
}

TEST(text, is_escaped_for_json)
{
    inside(escape_json);
}

/* -- tn_url_for -- */

static int nothing(tn_req *r)
{
    (void)r;
    return 0;
}

static int make_urls(tn_req *r);

static const tn_route routes[] = {
    {.path = "/", .function = make_urls},
    {.path = "/literal", .function = nothing, .name = "literal"},
    {.path = "/item/([0-9]+)", .function = nothing, .name = "item"},
    {.path = "/(?P<year>[0-9]{4})/(?P<name>[^/)]+)/x\\.html$", .function = nothing, .name = "page"},
    {.path = "/a(?:b)c", .function = nothing, .name = "no_group"},
    {.path = "/(?=a).", .function = nothing, .name = "look"},
    {.path = "/([^()]*\\)|x)/y", .function = nothing, .name = "paren"},
    {.path = "/[ab]/x", .function = nothing, .name = "class"},
    {.path = "/a+", .function = nothing, .name = "repeated"},
    {.path = "/\\d", .function = nothing, .name = "digit"},
    {.path = "/(a)?b", .function = nothing, .name = "optional"},
    {0},
};

static tn_str url(tn_req *r, const char *name, const char *one, const char *two)
{
    tn_str args[2] = {tn_z(one ? one : ""), tn_z(two ? two : "")};
    return tn_url_for(r, name, args, two ? 2 : one ? 1 : 0);
}

static int make_urls(tn_req *r)
{
    assert_text(url(r, "literal", NULL, NULL), "/literal");
    assert_text(url(r, "item", "7", NULL), "/item/7");
    assert_text(url(r, "item", "a b/?%\xc3\xa9", NULL), "/item/a%20b/%3F%25%C3%A9");
    assert_text(url(r, "page", "2026", "n"), "/2026/n/x.html");
    assert_text(url(r, "paren", "x", NULL), "/x/y");
    static const char *const impossible[] = {"literal1", "no_group", "look", "class", "repeated", "digit", "optional"};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        assert_null(url(r, impossible[i], NULL, NULL).p);
        assert_null(url(r, impossible[i], "x", NULL).p);
    }
    assert_null(url(r, "literal", "x", NULL).p); /* one too many */
    assert_null(url(r, "item", NULL, NULL).p);   /* one too few */
    assert_null(url(r, "page", "2026", NULL).p);
    leave("ran");
    return 0;
}

TEST(text, of_a_named_route_is_its_path_with_the_groups_filled_in)
{
    stage s;
    stage_open(&s, routes);
    get(&s, "/");
    assert_trail("ran");
    stage_close(&s);
}

static int without_memory(tn_req *r)
{
    char big[10000]; /* so that the arena must ask for more */
    memset(big, '<', sizeof big);
    tn_str text = tn_str_of(big, sizeof big);
    tn__alloc_fail_after(0, true);
    tn_str made[] = {tn_esc(r, text), tn_urlenc(r, text), tn_jsonesc(r, text), tn_sprintf(r, "%10000d", 1)};
    tn__alloc_fail_after(-1, false);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) assert_null(made[i].p);
    return 0;
}

TEST(text, is_null_without_memory)
{
    inside(without_memory);
}
