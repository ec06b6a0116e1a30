/* The reading half of streams: what is offered and what is kept, pausing, ends, and buffers that are held. */
#include "net/iostream_test.h"

LOOP_TEST(stream, offers_what_comes_and_keeps_nothing_of_what_was_used)
{
    ear *e = listen_on_a_pair(loop);
    say(e, "hello");
    assert_seen(e, "hello");
    assert_int_equal(e->offers, 1);
    assert_int_equal(tn__stream_kept(&e->s), 0);
    assert_null(e->s.kept.p);
    farewell(e);
}

LOOP_TEST(stream, offers_in_place_in_the_buffer_of_the_loop)
{
    ear *e = listen_on_a_pair(loop);
    e->hold_at = 1;
    const char *buffer = loop->recv_buf;
    say(e, "hello");
    assert_ptr_equal(e->held_at, buffer);
    farewell(e);
}

LOOP_TEST(stream, keeps_what_was_not_used_and_offers_it_together_with_what_comes_next)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 2;
    say(e, "hello");
    assert_seen(e, "he");
    assert_int_equal(tn__stream_kept(&e->s), 3);
    e->use = ALL;
    say(e, " world");
    assert_seen(e, "hello world");
    assert_int_equal(e->offered, 9);
    assert_null(e->s.kept.p);
    farewell(e);
}

LOOP_TEST(stream, offers_everything_again_as_long_as_nothing_is_used)
{
    ear *e = listen_on_a_pair(loop);
    e->use_all_at = 3;
    say(e, "a");
    say(e, "b");
    assert_int_equal(e->offered, 2);
    say(e, "c");
    assert_seen(e, "abc");
    assert_int_equal(e->offers, 3);
    farewell(e);
}

LOOP_TEST(stream, does_not_offer_kept_bytes_again_before_more_has_come)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 1;
    say(e, "hello");
    test_turns(loop, 5);
    assert_int_equal(e->offers, 1);
    farewell(e);
}

LOOP_TEST(stream, reads_a_large_tail_behind_the_kept_one)
{
    ear *e = listen_on_a_pair(loop);
    enum { MUCH = 300000 };
    char *much = malloc(MUCH);
    for (int i = 0; i < MUCH; i++) much[i] = (char)(i * 31);
    e->use_all_at = MUCH;
    for (int sent = 0, turn = 0; sent < MUCH || e->seen_n < MUCH; turn++) {
        assert_true(turn < 1000);
        ssize_t n = send(e->peer, much + sent, (size_t)(MUCH - sent), MSG_DONTWAIT);
        if (n > 0) sent += (int)n;
        test_turns(loop, 1);
    }
    assert_int_equal(e->seen_n, MUCH);
    assert_memory_equal(e->seen, much, MUCH);
    free(much);
    farewell(e);
}

LOOP_TEST(stream, reads_one_buffer_at_a_time_so_that_others_have_their_turn)
{
    ear *e = listen_on_tcp(loop), *other = listen_on_a_pair(loop);
    enum { MUCH = 4 * TN__RECV_BYTES };
    char *much = calloc(1, MUCH);
    int room = 2 * MUCH;
    setsockopt(e->s.io.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    size_t sent = 0;
    for (int tries = 0; sent < MUCH && tries < 100; tries++) {
        ssize_t n = send(e->peer, much + sent, MUCH - sent, MSG_DONTWAIT);
        if (n > 0) sent += (size_t)n;
    }
    assert_int_equal(send(other->peer, "x", 1, 0), 1);
    test_turns(loop, 1);
    assert_int_equal(other->seen_n, 1);
    assert_true(e->seen_n <= 2 * TN__RECV_BYTES); /* one at its event, one in the ready phase */
    for (int turn = 0; e->seen_n < sent && turn < 1000; turn++) test_turns(loop, 1);
    assert_int_equal(e->seen_n, sent);
    assert_true(e->offered_most <= TN__RECV_BYTES);
    free(much);
    farewell(e);
    farewell(other);
}

LOOP_TEST(stream, paused_offers_nothing_and_resumes_from_the_ready_list)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    say(e, "hello");
    assert_int_equal(e->offers, 0);
    tn__stream_resume(&e->s);
    assert_int_equal(e->offers, 0);
    test_turns(loop, 2);
    assert_seen(e, "hello");
    farewell(e);
}

LOOP_TEST(stream, paused_in_an_offer_keeps_the_rest_and_offers_it_first)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 3;
    e->pause_at = 1;
    say(e, "onetwo");
    say(e, "six");
    assert_seen(e, "one");
    assert_int_equal(e->offers, 1);
    e->use = ALL;
    tn__stream_resume(&e->s);
    test_turns(loop, 2);
    assert_seen(e, "onetwosix");
    assert_int_equal(e->offers, 3); /* the rest, and then what had come meanwhile */
    farewell(e);
}

LOOP_TEST(stream, paused_and_resumed_at_once_goes_on)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    tn__stream_resume(&e->s);
    tn__stream_resume(&e->s);
    say(e, "hello");
    assert_seen(e, "hello");
    farewell(e);
}

LOOP_TEST(stream, resumed_and_paused_again_offers_nothing)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    say(e, "hello");
    tn__stream_resume(&e->s);
    tn__stream_pause(&e->s);
    test_turns(loop, 3);
    assert_int_equal(e->offers, 0);
    farewell(e);
}

LOOP_TEST(stream, tells_of_the_end_once_and_after_all_that_came_before)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(send(e->peer, "last words", 10, 0), 10);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_seen(e, "last words");
    assert_int_equal(e->eofs, 1);
    assert_int_equal(e->hangups, 0);
    assert_int_equal(e->closes, 0);
    assert_int_equal(tn__stream_write(&e->s, TN_S("still here")), TN_OK);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "still here");
    farewell(e);
}

LOOP_TEST(stream, tells_of_the_end_though_something_is_left_over)
{
    ear *e = listen_on_a_pair(loop);
    e->use = NEVER;
    say(e, "half a req");
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->eofs, 1);
    assert_int_equal(tn__stream_kept(&e->s), 10);
    farewell(e);
}

LOOP_TEST(stream, paused_tells_of_the_end_only_when_it_has_gone_on)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    e->use = 3;
    assert_int_equal(send(e->peer, "onetwo", 6, 0), 6);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->eofs, 0);
    e->use = ALL;
    tn__stream_resume(&e->s);
    test_turns(loop, 3);
    assert_seen(e, "onetwo");
    assert_int_equal(e->eofs, 1);
    farewell(e);
}

LOOP_TEST(stream, paused_notices_that_the_peer_hangs_up)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    say(e, "hello");
    assert_int_equal(e->hangups, 0);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    assert_int_equal(e->eofs, 0);
    hang_up(e);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    farewell(e);
}

LOOP_TEST(stream, paused_notices_a_peer_that_hung_up_right_behind_its_bytes)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    assert_int_equal(send(e->peer, "hello", 5, 0), 5);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_seen(e, "hello");
    assert_int_equal(e->hangups, 1);
    farewell(e);
}

LOOP_TEST(stream, tells_of_a_peer_that_hung_up_at_each_pause)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    e->use = 3;
    assert_int_equal(send(e->peer, "onetwo", 6, 0), 6);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    e->pause_at = 2;
    tn__stream_resume(&e->s);
    test_turns(loop, 5);
    assert_seen(e, "onetwo");
    assert_int_equal(e->hangups, 2);
    assert_int_equal(e->eofs, 0);
    farewell(e);
}

LOOP_TEST(stream, held_buffer_stays_as_it_was_while_others_read)
{
    ear *e = listen_on_a_pair(loop), *other = listen_on_a_pair(loop);
    e->hold_at = 1;
    say(e, "hello");
    say(other, "XXXXX");
    assert_non_null(e->held);
    assert_ptr_not_equal(e->held, loop->recv_buf);
    assert_memory_equal(e->held_at, "hello", 5);
    farewell(e);
    farewell(other);
}

LOOP_TEST(stream, holding_a_buffer_loses_nothing_of_what_was_not_used)
{
    ear *e = listen_on_a_pair(loop);
    e->hold_at = 1;
    e->pause_at = 1;
    e->use = 3;
    say(e, "onetwosix");
    assert_memory_equal(e->held_at, "onetwosix", 9);
    tn__free(e->held);

    e->hold_at = 2; /* now it is the kept tail that is held */
    e->pause_at = 2;
    tn__stream_resume(&e->s);
    test_turns(loop, 2);
    assert_int_equal(e->held_n, 6);
    assert_memory_equal(e->held_at, "twosix", 6);
    assert_int_equal(tn__stream_kept(&e->s), 3);

    e->use = ALL;
    tn__stream_resume(&e->s);
    test_turns(loop, 2);
    assert_seen(e, "onetwosix");
    farewell(e);
}

LOOP_TEST(stream, offered_nothing_has_nothing_to_hold)
{
    ear *e = listen_on_a_pair(loop);
    assert_null(tn__stream_hold(&e->s));
    farewell(e);
}

LOOP_TEST(stream, without_memory_for_the_rest_closes)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 1;
    tn__alloc_fail_after(0, false);
    say(e, "hello");
    tn__alloc_fail_after(-1, false);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, TN_ENOMEM);
    farewell(e);
}

LOOP_TEST(stream, without_memory_to_hold_a_buffer_leaves_it_to_the_loop)
{
    ear *e = listen_on_a_pair(loop);
    const char *buffer = loop->recv_buf;
    e->hold_at = 1;
    tn__alloc_fail_after(0, false);
    say(e, "hello");
    tn__alloc_fail_after(-1, false);
    assert_null(e->held);
    assert_ptr_equal(loop->recv_buf, buffer);
    assert_seen(e, "hello");
    farewell(e);
}
