/* Streams: resets, closing wherever one can, and what is freed. */
#include "net/iostream_test.h"

LOOP_TEST(stream, reset_by_the_peer_closes_with_the_reason)
{
    ear *e = listen_on_tcp(loop);
    say(e, "hello");
    reset(e);
    test_turns(loop, 5);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, -ECONNRESET);
    assert_int_equal(e->eofs, 0);
    farewell(e);
}

LOOP_TEST(stream, reset_by_the_peer_while_paused_closes_too)
{
    ear *e = listen_on_tcp(loop);
    e->pause_at = 1;
    say(e, "hello");
    reset(e);
    test_turns(loop, 5);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, -ECONNRESET);
    farewell(e);
}

LOOP_TEST(stream, closed_says_so_once_from_the_ready_list_and_takes_nothing_more)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(tn__stream_write(&e->s, TN_S("never sent")), TN_OK);
    tn__stream_close(&e->s, TN_ECANCELED);
    tn__stream_close(&e->s, TN_ENOMEM);
    assert_int_equal(e->closes, 0);
    assert_int_equal(tn__stream_write(&e->s, TN_S("x")), TN_ECLOSED);
    tn_buf buf = {0};
    assert_int_equal(tn__buf_add(&buf, "x", 1), TN_OK);
    assert_int_equal(tn__stream_write_take(&e->s, &buf), TN_ECLOSED);
    assert_int_equal(buf.n, 1);
    tn__buf_done(&buf);
    test_turns(loop, 3);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, TN_ECANCELED);
    assert_string_equal(heard(e), "");
    assert_int_equal(recv(e->peer, &buf, 1, 0), 0);
    farewell(e);
}

LOOP_TEST(stream, closed_ignores_pause_resume_flush_and_shutdown)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_close(&e->s, 0);
    tn__stream_pause(&e->s);
    tn__stream_resume(&e->s);
    tn__stream_flush(&e->s);
    tn__stream_shutdown_write(&e->s);
    test_turns(loop, 3);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->offers, 0);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_inside_an_offer)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_BYTES;
    e->use = 1;
    e->answer = "never sent";
    assert_int_equal(send(e->peer, "hello", 5, 0), 5);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->offers, 1);
    assert_int_equal(e->eofs, 0);
    assert_int_equal(e->closes, 1);
    assert_string_equal(heard(e), "");
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_inside_the_offer_of_what_was_kept)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    e->use = 1;
    say(e, "hello");
    e->close_in = IN_BYTES;
    tn__stream_resume(&e->s);
    test_turns(loop, 3);
    assert_seen(e, "he");
    assert_int_equal(e->closes, 1);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_when_told_of_the_end)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_EOF;
    hang_up(e);
    test_turns(loop, 5);
    assert_int_equal(e->eofs, 1);
    assert_int_equal(e->closes, 1);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_when_told_that_the_peer_hung_up)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_HANGUP;
    tn__stream_pause(&e->s);
    hang_up(e);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    assert_int_equal(e->closes, 1);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_when_told_that_all_was_sent)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_DRAINED;
    enum { MUCH = 1000000 };
    char *much = pattern(0, MUCH);
    assert_int_equal(tn__stream_write(&e->s, tn_str_of(much, MUCH)), TN_OK);
    hear_pattern(e, MUCH);
    test_turns(loop, 2);
    assert_int_equal(e->drains, 1);
    assert_int_equal(e->closes, 1);
    tn__free(much);
    farewell(e);
}

LOOP_TEST(stream, done_frees_everything_and_calls_nobody)
{
    ear *e = listen_on_a_pair(loop);
    e->use = NEVER;
    say(e, "kept");
    assert_int_equal(tn__stream_write(&e->s, TN_S("never sent")), TN_OK);
    tn__stream_close(&e->s, 0);
    tn__stream_done(&e->s);
    tn__stream_done(&e->s);
    test_turns(loop, 3);
    assert_int_equal(e->closes, 0);
    assert_null(e->s.first);
    assert_null(e->s.kept.p);
    farewell(e);
}

static void free_owner(tn_stream *s, int error)
{
    (void)error;
    close(the_ear(s)->peer);
    free(the_ear(s));
}

LOOP_TEST(stream, owner_may_free_itself_when_told_of_the_close)
{
    static const tn__stream_user freeing = {.bytes = on_bytes, .eof = on_eof, .closed = free_owner};
    ear *e = listen_on_a_pair(loop);
    e->s.user = &freeing;
    tn__stream_close(&e->s, 0);
    test_turns(loop, 3); /* the address sanitizer watches */
}

TEST(stream, that_cannot_be_opened_closes_the_descriptor)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, "epoll"), TN_OK);
    FILE *file = tmpfile(); /* which epoll does not watch */
    int fd = dup(fileno(file));
    tn_stream s;
    assert_int_equal(tn__stream_open(&s, loop, fd, &user), -EPERM);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(tn__stream_write(&s, TN_S("x")), TN_ECLOSED);
    tn__stream_done(&s);
    fclose(file);
    tn_loop_free(loop);
}
