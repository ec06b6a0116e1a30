/* The writing half of streams: what leaves when, and what the system does not take. */
#include "net/iostream_test.h"

LOOP_TEST(stream, sends_what_an_offer_answered_in_one_piece_when_the_offer_is_over)
{
    ear *e = listen_on_a_pair(loop);
    e->answer = "ding";
    assert_int_equal(send(e->peer, "x", 1, 0), 1);
    tn_loop_turn(loop, 0);
    assert_string_equal(heard(e), "dingding");
    farewell(e);
}

LOOP_TEST(stream, sends_what_was_written_elsewhere_at_the_end_of_the_turn)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(tn__stream_write(&e->s, TN_S("one")), TN_OK);
    assert_int_equal(tn__stream_write(&e->s, TN_S("")), TN_OK);
    assert_int_equal(tn__stream_write(&e->s, TN_S("two")), TN_OK);
    assert_string_equal(heard(e), "");
    assert_int_equal(e->s.out_bytes, 6);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "onetwo");
    assert_int_equal(e->s.out_bytes, 0);
    assert_null(e->s.first);
    assert_int_equal(e->drains, 0); /* nothing ever waited */
    farewell(e);
}

LOOP_TEST(stream, flushed_sends_at_once)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(tn__stream_write(&e->s, TN_S("now")), TN_OK);
    tn__stream_flush(&e->s);
    assert_string_equal(heard(e), "now");
    farewell(e);
}

LOOP_TEST(stream, keeps_what_the_system_does_not_take_and_tells_when_all_has_gone)
{
    ear *e = listen_on_a_pair(loop);
    enum { MUCH = 3000000 };
    char *much = pattern(0, MUCH);
    assert_int_equal(tn__stream_write(&e->s, tn_str_of(much, MUCH)), TN_OK);
    test_turns(loop, 3);
    assert_true(e->s.out_bytes > 0 && e->s.out_bytes < MUCH);
    assert_int_equal(e->drains, 0);
    hear_pattern(e, MUCH);
    assert_int_equal(e->s.out_bytes, 0);
    assert_int_equal(e->drains, 1);
    tn__free(much);
    farewell(e);
}

LOOP_TEST(stream, sends_memory_that_it_has_taken_in_order_with_what_was_copied)
{
    ear *e = listen_on_a_pair(loop);
    enum { PIECES = 100, LEN = 20000 };
    for (size_t i = 0; i < PIECES; i++) {
        tn_buf piece = {.p = pattern(i * LEN, LEN), .n = LEN, .cap = LEN};
        if (i % 3 == 2) {
            assert_int_equal(tn__stream_write(&e->s, tn__buf_str(&piece)), TN_OK);
            tn__buf_done(&piece);
        } else {
            assert_int_equal(tn__stream_write_take(&e->s, &piece), TN_OK);
            assert_null(piece.p);
        }
    }
    assert_int_equal(e->s.out_bytes, PIECES * LEN);
    hear_pattern(e, PIECES * LEN);
    assert_int_equal(e->drains, 1);
    farewell(e);
}

LOOP_TEST(stream, sends_more_pieces_than_the_system_takes_at_once)
{
    ear *e = listen_on_a_pair(loop);
    enum { PIECES = 100, LEN = 10 };
    for (size_t i = 0; i < PIECES; i++) {
        tn_buf piece = {.p = pattern(i * LEN, LEN), .n = LEN, .cap = LEN};
        assert_int_equal(tn__stream_write_take(&e->s, &piece), TN_OK);
    }
    test_turns(loop, 1);
    assert_int_equal(e->s.out_bytes, 0);
    assert_int_equal(e->drains, 0);
    hear_pattern(e, PIECES * LEN);
    farewell(e);
}

LOOP_TEST(stream, that_takes_an_empty_buffer_frees_it_and_sends_nothing)
{
    ear *e = listen_on_a_pair(loop);
    tn_buf empty = {.p = tn__alloc(10), .cap = 10};
    assert_int_equal(tn__stream_write_take(&e->s, &empty), TN_OK);
    assert_null(empty.p);
    assert_null(e->s.first);
    farewell(e);
}

LOOP_TEST(stream, room_that_was_reserved_and_not_used_is_not_sent)
{
    ear *e = listen_on_a_pair(loop);
    assert_non_null(tn__stream_reserve(&e->s, 100));
    assert_non_null(tn__stream_reserve(&e->s, 100000)); /* a second block; the first one stays empty */
    test_turns(loop, 1);
    char *out = tn__stream_reserve(&e->s, 2);
    memcpy(out, "hi", 2);
    tn__stream_commit(&e->s, 2);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "hi");
    assert_null(e->s.first);
    farewell(e);
}

LOOP_TEST(stream, whose_peer_is_gone_closes_when_it_writes)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    hang_up(e);
    assert_int_equal(tn__stream_write(&e->s, TN_S("too late")), TN_OK);
    tn__stream_flush(&e->s);
    assert_true(e->s.closed);
    assert_int_equal(e->closes, 0);
    test_turns(loop, 2);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, -EPIPE);
    farewell(e);
}

LOOP_TEST(stream, shut_down_for_writing_still_reads)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_shutdown_write(&e->s);
    char c;
    assert_int_equal(recv(e->peer, &c, 1, 0), 0);
    say(e, "more");
    assert_seen(e, "more");
    farewell(e);
}

LOOP_TEST(stream, without_memory_for_output_says_so_and_stays_open)
{
    ear *e = listen_on_a_pair(loop);
    tn__alloc_fail_after(0, true);
    int result = tn__stream_write(&e->s, TN_S("x"));
    tn_buf buf = {.p = malloc(1), .n = 1, .cap = 1};
    int taken = tn__stream_write_take(&e->s, &buf);
    tn__alloc_fail_after(-1, false);
    assert_int_equal(result, TN_ENOMEM);
    assert_int_equal(taken, TN_ENOMEM);
    assert_int_equal(buf.n, 1);
    free(buf.p);
    assert_int_equal(e->s.out_bytes, 0);
    assert_int_equal(tn__stream_write(&e->s, TN_S("y")), TN_OK);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "y");
    farewell(e);
}
