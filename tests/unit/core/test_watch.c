/* Foreign descriptors: tn_loop_add_handler, tn_loop_update_handler, tn_loop_remove_handler. */
#include "core_test.h"

typedef struct watch {
    tn_loop *loop;
    int calls, fd, remove_fd;
    unsigned events;
} watch;

static void on_ready(void *arg, int fd, unsigned events)
{
    watch *w = arg;
    w->calls++;
    w->fd = fd;
    w->events = events;
    if (w->remove_fd >= 0) tn_loop_remove_handler(w->loop, w->remove_fd);
}

LOOP_TEST(watch, is_called_in_every_turn_in_which_its_descriptor_is_ready)
{
    int fds[2];
    watch w = {.loop = loop, .remove_fd = -1};
    test_socketpair(fds);
    assert_int_equal(tn_loop_add_handler(loop, fds[0], TN_READ, on_ready, &w), 0);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    test_turns(loop, 2);
    assert_int_equal(w.calls, 2);
    assert_int_equal(w.fd, fds[0]);
    assert_int_equal(w.events, TN_READ);
    assert_int_equal(tn_loop_update_handler(loop, fds[0], TN_WRITE), 0);
    test_turns(loop, 1);
    assert_int_equal(w.events, TN_WRITE);
    tn_loop_remove_handler(loop, fds[0]);
    tn_loop_remove_handler(loop, fds[0]);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 3);
    test_close_pair(fds);
}

LOOP_TEST(watch, hears_of_errors_without_asking)
{
    if (strcmp(loop->backend->name, "kqueue") == 0) return; /* which has nothing to hear with then */
    int fds[2];
    watch w = {.loop = loop, .remove_fd = -1};
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(tn_loop_add_handler(loop, fds[1], 0, on_ready, &w), 0);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 0);
    close(fds[0]);
    test_turns(loop, 1);
    assert_true(w.events & TN_ERROR);
    tn_loop_remove_handler(loop, fds[1]);
    close(fds[1]);
}

LOOP_TEST(watch, may_remove_itself_and_others_from_its_call)
{
    int fds[2][2];
    watch w[2];
    for (int i = 0; i < 2; i++) test_socketpair(fds[i]);
    for (int i = 0; i < 2; i++) {
        w[i] = (watch){.loop = loop, .remove_fd = fds[1 - i][0]};
        assert_int_equal(tn_loop_add_handler(loop, fds[i][0], TN_WRITE, on_ready, &w[i]), 0);
    }
    test_turns(loop, 1);
    assert_int_equal(w[0].calls + w[1].calls, 1);
    w[0].remove_fd = fds[0][0];
    w[1].remove_fd = fds[1][0];
    test_turns(loop, 3);
    assert_int_equal(w[0].calls + w[1].calls, 2);
    for (int i = 0; i < 2; i++) test_close_pair(fds[i]);
}

LOOP_TEST(watch, is_refused_twice_for_one_descriptor_and_for_none)
{
    int fds[2];
    watch w = {.loop = loop, .remove_fd = -1};
    test_socketpair(fds);
    assert_int_equal(tn_loop_update_handler(loop, fds[0], TN_READ), TN_ENOENT);
    assert_int_equal(tn_loop_add_handler(loop, fds[0], TN_READ, on_ready, &w), 0);
    assert_int_equal(tn_loop_add_handler(loop, fds[0], TN_READ, on_ready, &w), TN_EEXIST);
    assert_int_equal(tn_loop_add_handler(loop, -1, TN_READ, on_ready, &w), -EBADF);
    tn_loop_remove_handler(loop, -1);
    tn_loop_remove_handler(loop, 1 << 20);
    assert_int_equal(tn_loop_update_handler(loop, 1 << 20, TN_READ), TN_ENOENT);
    tn_loop_remove_handler(loop, fds[0]);
    test_close_pair(fds);
}

static int add_and_remove(void *arg)
{
    tn_loop *loop;
    int result = tn_loop_new(&loop, arg);
    if (result < 0) return result;
    int fds[2];
    test_socketpair(fds);
    result = tn_loop_add_handler(loop, fds[0], TN_READ, on_ready, NULL);
    tn_loop_free(loop); /* the watcher goes with it */
    test_close_pair(fds);
    return result;
}

TEST(watch, says_so_when_there_is_no_memory_for_it)
{
    assert_in_range(test_each_allocation(add_and_remove, "poll"), 8, 50);
    assert_in_range(test_each_allocation(add_and_remove, NULL), 8, 50);
}
