/* JSON in and out: how it is written, what is refused, and how deep it may go. */
#include "web/web_test.h"

static json_t *(*make_value)(void);

static int write_value(tn_req *r)
{
    return tn_write_json(r, make_value());
}

static json_t *object(void)
{
    return json_pack("{s:i, s:[s, n, b], s:s}", "a", 1, "b", "x", 1, "c", "caf\xc3\xa9");
}

TEST(json, is_written_compactly_in_ascii_as_application_json)
{
    stage s;
    make_value = object;
    stage_open_function(&s, write_value);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nContent-Type: application/json; charset=UTF-8\r\n");
    assert_has(raw, "\r\n\r\n{\"a\":1,\"b\":[\"x\",null,true],\"c\":\"caf\\u00E9\"}");
    stage_close(&s);
}

static json_t *scalar(void)
{
    return json_integer(7);
}

static json_t *script(void)
{
    return json_pack("[s, s, s, s]", "</script>", "<", "/", "a</b//c<</");
}

static json_t *nothing(void)
{
    return NULL;
}

static json_t *ring;

/* An array in an array that holds it. */
static json_t *circle(void)
{
    ring = json_array();
    json_t *inner = json_array();
    json_array_append_new(ring, inner);
    json_array_append(inner, ring);
    return json_incref(ring);
}

TEST(json, may_be_any_value)
{
    stage s;
    make_value = scalar;
    stage_open_function(&s, write_value);
    assert_get(&s, "/", "200 7");
    stage_close(&s);
}

TEST(json, cannot_end_a_script)
{
    stage s;
    make_value = script;
    stage_open_function(&s, write_value);
    assert_get(&s, "/", "200 [\"<\\/script>\",\"<\",\"/\",\"a<\\/b//c<<\\/\"]");
    stage_close(&s);
}

TEST(json, that_could_not_be_made_is_an_error)
{
    stage s;
    make_value = nothing;
    stage_open_function(&s, write_value);
    assert_get(&s, "/", "500 <93 bytes>");
    assert_has(logged(&s), "TN_EJSON");
    stage_close(&s);
}

TEST(json, that_goes_round_in_circles_is_an_error)
{
    stage s;
    make_value = circle;
    stage_open_function(&s, write_value);
    assert_get(&s, "/", "500 <93 bytes>");
    assert_has(logged(&s), "TN_EJSON");
    json_array_clear(json_array_get(ring, 0));
    json_decref(ring);
    stage_close(&s);
}

static int echo(tn_req *r)
{
    json_t *value, *again;
    TN_TRY(tn_body_json(r, &value));
    TN_TRY(tn_body_json(r, &again));
    assert_ptr_equal(value, again);
    return tn_write_json(r, json_incref(value));
}

static const char *post(stage *s, const char *body, size_t n)
{
    static char text[400000];
    int head = snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", n);
    memcpy(text + head, body, n);
    client_send(&s->c, text, (size_t)head + n);
    test_turns(s->loop, STAGE_TURNS);
    return client_hear(&s->c);
}

#define assert_echo(s, body, expected) assert_string_equal(post((s), (body), strlen(body)), (expected))

TEST(json, of_a_body_is_read_once_and_borrowed)
{
    stage s;
    stage_open_function(&s, echo);
    assert_echo(&s, "{\"a\": [1, 2.5, \"x\"]}", "200 {\"a\":[1,2.5,\"x\"]}");
    assert_echo(&s, " 5 ", "200 5");
    assert_echo(&s, "\"\\u0000\"", "400 <73 bytes>"); /* no text of C's could hold it */
    stage_close(&s);
}

TEST(json, of_a_body_that_is_none_is_answered_400)
{
    static const char *const bad[] = {"", "{", "nul", "[1,]", "{\"a\":1,\"a\":2}", "\"\xff\"", "1 2", "'x'"};
    stage s;
    stage_open_function(&s, echo);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_echo(&s, bad[i], "400 <73 bytes>");
        assert_has(logged(&s), "Invalid JSON in body: ");
    }
    stage_close(&s);
}

/* `levels` opening and closing pieces around `core`. */
static const char *post_nested(stage *s, const char *opening, const char *core, const char *closing, int levels)
{
    static char body[200000];
    char *at = body;
    for (int i = 0; i < levels; i++) at = stpcpy(at, opening);
    at = stpcpy(at, core);
    for (int i = 0; i < levels; i++) at = stpcpy(at, closing);
    return post(s, body, (size_t)(at - body));
}

TEST(json, of_a_body_may_be_256_levels_deep_and_no_deeper)
{
    stage s;
    stage_open_function(&s, echo);
    assert_string_equal(post_nested(&s, "[", "", "]", 256), "200 <512 bytes>");
    assert_string_equal(post_nested(&s, "[", "", "]", 257), "400 <73 bytes>");
    assert_string_equal(post_nested(&s, "{\"a\":", "1", "}", 256), "200 <1537 bytes>");
    assert_string_equal(post_nested(&s, "{\"a\":", "1", "}", 257), "400 <73 bytes>");
    assert_string_equal(post_nested(&s, "[{\"a\":", "1", "}]", 20000), "400 <73 bytes>");
    assert_string_equal(post_nested(&s, "[],", "", "", 1), "400 <73 bytes>");
    stage_close(&s);
}

TEST(json, counts_no_brackets_in_strings)
{
    stage s;
    stage_open_function(&s, echo);
    assert_string_equal(post_nested(&s, "[\"\\\"[[[[[[[[[[[[[[[[\\\\\",", "1", "]", 100), "200 <2501 bytes>");
    stage_close(&s);
}

TEST(json, without_memory_for_it_is_answered_all_the_same)
{
    json_set_alloc_funcs(tn__alloc, tn__free);
    stage s;
    stage_open_function(&s, echo);
    const char *request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{\"a\": [1, 2.5, \"x\"]}";
    assert_has(ask(&s, request), "200 ");
    bool failed = true;
    for (long n = 0; failed; n++) {
        tn__alloc_fail_after(n, false);
        const char *heard = ask(&s, request);
        failed = tn__alloc_count() > n;
        tn__alloc_fail_after(-1, false);
        int status = atoi(heard); /* the JSON library sometimes takes its own lack of memory for an error of ours or the client's */
        if (status != 503 && status != 500 && status != 400 && status != 200) fail_msg("%ld: %s", n, heard);
    }
    assert_has(ask(&s, request), "200 ");
    stage_close(&s);
    json_set_alloc_funcs(malloc, free);
}
