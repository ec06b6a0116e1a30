/* Exchanges: what they keep of a head, and the pool they come from. */
#include "core/core_test.h"

#include "http/date.h"
#include "http/exchange.h"
#include "http/room.h"

#define HEAD "POST /path?query HTTP/1.1\r\nHost: example.org\r\nX-Empty:\r\nX-Two:  words here \r\n\r\n"

static tn__exchange *exchange_of(tn_loop *loop, const char *text, size_t quota)
{
    static const tn__dialect strict = {0};
    static const tn__head_limits limits = {65536, 8192, 128};
    tn__field fields[128];
    tn__request_head head = {.fields = fields};
    uint32_t resume = 0;
    char padded[65536 + 64] = {0}; /* the parser may look past the end by whole vectors */
    memcpy(padded, text, strlen(text));
    assert_int_equal(tn__parse_request(padded, strlen(text), &resume, &strict, &limits, &head), TN__HEAD_DONE);
    return tn__exchange_new(loop, NULL, padded, &head, quota);
}

LOOP_TEST(exchange, keeps_the_head_with_a_nul_behind_each_piece)
{
    tn__exchange *x = exchange_of(loop, HEAD, 1 << 20);
    tn_str method = tn__exchange_slice(x, x->head.method), target = tn__exchange_slice(x, x->head.target);
    assert_str(method, "POST");
    assert_str(target, "/path?query");
    assert_int_equal(method.p[method.n] | target.p[target.n], 0);
    assert_str(tn__exchange_slice(x, x->head.path), "/path");
    static const char *const fields[][2] = {{"Host", "example.org"}, {"X-Empty", ""}, {"X-Two", "words here"}};
    assert_int_equal(x->head.n_fields, 3);
    for (int i = 0; i < 3; i++) {
        tn_str name = tn__exchange_slice(x, x->head.fields[i].name), value = tn__exchange_slice(x, x->head.fields[i].value);
        assert_string_equal(name.p, fields[i][0]);
        assert_string_equal(value.p, fields[i][1]);
    }
    tn__exchange_free(loop, x);
}

LOOP_TEST(exchange, given_back_is_the_next_one_taken_and_is_as_new)
{
    tn__exchange *x = exchange_of(loop, HEAD, 1 << 20);
    x->user = loop;
    x->status = 200;
    x->sent = 5;
    x->head_sent = x->ended = x->broken = x->streaming = true;
    x->body = TN_S("body");
    assert_int_equal(tn__buf_add(&x->out, "out", 3), TN_OK);
    assert_int_equal(tn__buf_add(&x->body_buf, "in", 2), TN_OK);
    x->arena.exhausted = true;
    tn__exchange_free(loop, x);
    tn__exchange *again = exchange_of(loop, HEAD, 1 << 20);
    assert_ptr_equal(again, x);
    assert_null(x->user);
    assert_int_equal(x->status, 0);
    assert_int_equal(x->sent, 0);
    assert_int_equal(x->content_length, -1);
    assert_false(x->head_sent || x->ended || x->broken || x->streaming || x->arena.exhausted);
    assert_int_equal(x->body.n, 0);
    assert_int_equal(x->out.n, 0);
    assert_int_equal(x->body_buf.n, 0);
    tn__exchange_free(loop, again);
}

LOOP_TEST(exchange, allocates_nothing_once_the_pool_is_warm)
{
    tn__exchange_free(loop, exchange_of(loop, HEAD, 1 << 20));
    tn__alloc_fail_after(0, true);
    tn__exchange *x = exchange_of(loop, HEAD, 1 << 20);
    tn__alloc_fail_after(-1, false);
    assert_non_null(x);
    tn__exchange_free(loop, x);
}

LOOP_TEST(exchange, gives_a_buffer_of_unusual_size_back)
{
    tn__exchange *x = exchange_of(loop, HEAD, 1 << 20);
    assert_int_equal(tn__buf_reserve(&x->out, 1 << 20), TN_OK);
    assert_int_equal(tn__buf_reserve(&x->body_buf, 1000), TN_OK);
    tn__exchange_free(loop, x);
    assert_null(x->out.p); /* it lies in the pool */
    assert_non_null(x->body_buf.p);
}

LOOP_TEST(exchange, pool_keeps_a_bounded_number)
{
    enum { MANY = TN__EXCHANGES_KEPT + 5 };
    tn__exchange *all[MANY];
    for (int i = 0; i < MANY; i++) assert_non_null(all[i] = exchange_of(loop, HEAD, 1 << 20));
    for (int i = 0; i < MANY; i++) tn__exchange_free(loop, all[i]);
    assert_int_equal(tn__http_room_of(loop)->free_n, TN__EXCHANGES_KEPT);
}

LOOP_TEST(exchange, cannot_be_made_beyond_the_quota_of_its_arena)
{
    static char text[20000];
    size_t n = (size_t)sprintf(text, "GET /%0*d HTTP/1.1\r\nHost: x\r\n\r\n", 8000, 0);
    assert_true(n < sizeof text);
    assert_null(exchange_of(loop, text, 100));
    tn__exchange *x = exchange_of(loop, text, 100000);
    assert_non_null(x);
    tn__exchange_free(loop, x);
}

static int make_one(void *arg)
{
    tn__exchange *x = exchange_of(arg, HEAD, 1 << 20);
    if (!x) return TN_ENOMEM;
    tn__exchange_free(arg, x);
    return TN_OK;
}

TEST(exchange, cannot_be_made_without_memory)
{
    bool failed = true;
    for (long n = 0; failed; n++) {
        tn_loop *loop = NULL; /* a fresh one, so that nothing is in its pool */
        assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
        tn__alloc_fail_after(n, false);
        int result = make_one(loop);
        failed = tn__alloc_count() > n;
        tn__alloc_fail_after(-1, false);
        assert_int_equal(result, failed ? TN_ENOMEM : TN_OK);
        assert_int_equal(make_one(loop), TN_OK);
        tn_loop_free(loop);
    }
}

LOOP_TEST(room, says_server_and_date_as_fields_and_as_values)
{
    tn__http_room *room = tn__http_room_of(loop);
    tn_str common = tn__http_common(room, loop), server, date;
    assert_int_equal(tn__http_common_values(loop, &server, &date), TN_OK);
    assert_str(server, "TornadoServer/" TN_VERSION);
    assert_int_equal(date.n, TN__DATE_BYTES);
    char expected[200];
    int n = sprintf(expected, "Server: " TN_FMT "\r\nDate: " TN_FMT "\r\n", TN_ARG(server), TN_ARG(date));
    assert_int_equal(common.n, n);
    assert_memory_equal(common.p, expected, common.n);
}

LOOP_TEST(room, looks_at_the_calendar_once_a_second)
{
    test_now_ns = 5000000000;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn__http_room *room = tn__http_room_of(loop);
    tn__http_common(room, loop);
    int64_t until = room->date_until_ns;
    assert_true(until > 5000000000 && until <= 6000000000);
    room->common[room->server_n + 6] = '?'; /* what nobody else would have written */
    tn__http_common(room, loop);
    assert_int_equal(room->common[room->server_n + 6], '?');
    test_now_ns = until;
    tn_loop_turn(loop, 0);
    tn__http_common(room, loop);
    assert_int_not_equal(room->common[room->server_n + 6], '?');
}
