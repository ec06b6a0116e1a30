import asyncio
import contextvars
import datetime
import functools
import gc
import logging
import os
import socket
import threading
import time
import weakref

import pytest
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.testing import ExpectLog

variable = contextvars.ContextVar("variable", default="default")


@pytest.fixture
def loop():
    loop = IOLoop(make_current=False)
    yield loop
    loop.close()


def run_briefly(loop, turns=3):
    async def main():
        for _ in range(turns):
            await asyncio.sleep(0)

    loop.run_sync(main)


def test_inside_asyncio_the_current_loop_stands_on_the_running_one():
    async def main():
        assert IOLoop.current().asyncio_loop is asyncio.get_running_loop()
        assert IOLoop.current() is IOLoop.current()

    asyncio.run(main())


def test_closed_loops_are_not_remembered(loop):
    for _ in range(5):
        IOLoop(make_current=False).close()
    closed = asyncio.new_event_loop()
    other = IOLoop(asyncio_loop=closed, make_current=False)
    closed.close()
    IOLoop(make_current=False).close()
    assert other not in IOLoop._ioloop_for_asyncio.values()


def test_callbacks_get_their_arguments_by_position_and_by_name(loop):
    calls = []

    def callback(*args, **kwargs):
        calls.append((args, kwargs))

    loop.add_callback(callback, 1, x=2)
    loop.call_later(0, callback, 3, x=4)
    loop.call_at(loop.time(), callback, 5, x=6)
    loop.add_timeout(datetime.timedelta(0), callback, 7, x=8)
    loop.spawn_callback(callback, 9)
    loop.run_sync(lambda: asyncio.sleep(0.01))
    assert sorted(calls, key=str) == [
        ((1,), {"x": 2}), ((3,), {"x": 4}), ((5,), {"x": 6}), ((7,), {"x": 8}), ((9,), {}),
    ]  # fmt: skip


def test_callbacks_run_in_the_context_of_whoever_added_them(loop):
    seen = []
    token = variable.set("mine")
    loop.add_callback(lambda: seen.append(variable.get()))
    variable.reset(token)
    run_briefly(loop)
    assert seen == ["mine"]


def test_an_error_in_a_callback_is_logged_with_its_name_and_stops_nothing(loop):
    def bad_callback():
        raise ValueError

    loop.add_callback(bad_callback)
    with ExpectLog("tornado.application", "Exception in callback <function .*bad_callback") as log:
        run_briefly(loop)
    assert log.logged_stack


def test_cancellation_of_a_callback_is_not_logged(loop, caplog):
    def callback():
        raise asyncio.CancelledError

    async def coroutine():
        raise asyncio.CancelledError

    loop.add_callback(callback)
    loop.add_callback(coroutine)
    run_briefly(loop)
    assert caplog.records == []


@pytest.mark.parametrize("result", [42, "text", object(), (1, 2), {}, []])
def test_what_a_callback_returns_does_not_matter(loop, result, caplog):
    loop.add_callback(lambda: result)
    run_briefly(loop)
    assert caplog.records == []


def test_a_task_of_a_callback_is_not_collected_while_it_waits(loop):
    ended = []

    def wake(future):
        if future() is not None:
            future().set_result(None)

    async def wait():
        # Nothing but the future's own callback refers to this task.
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.05, wake, weakref.ref(future))
        await future
        ended.append(True)

    loop.add_callback(wait)
    loop.add_callback(gc.collect)
    loop.run_sync(lambda: asyncio.sleep(0.1))
    assert ended == [True]
    assert loop._pending_tasks == set()


def test_add_callback_from_another_thread_wakes_the_loop(loop):
    async def main():
        event = asyncio.Event()
        threading.Timer(0.05, loop.add_callback, (event.set,)).start()
        begin = time.monotonic()
        await asyncio.wait_for(event.wait(), 5)
        assert time.monotonic() - begin < 2

    loop.run_sync(main)


def test_callbacks_for_a_closed_loop_are_dropped():
    loop = IOLoop(make_current=False)
    loop.close()
    loop.add_callback(print)
    thread = threading.Thread(target=loop.add_callback, args=(print,))
    thread.start()
    thread.join()


def test_a_deadline_in_the_past_is_now(loop):
    called = []
    loop.call_at(0, called.append, "at")
    loop.call_later(-5, called.append, "later")
    loop.add_timeout(datetime.timedelta(seconds=-5), called.append, "timeout")
    loop.run_sync(lambda: asyncio.sleep(0.01))
    assert sorted(called) == ["at", "later", "timeout"]


@pytest.mark.parametrize("deadline", ["1", None, [1], 1j])
def test_a_deadline_of_another_type_is_refused(loop, deadline):
    with pytest.raises(TypeError, match="Unsupported deadline"):
        loop.add_timeout(deadline, print)


def test_a_removed_timeout_does_not_fire(loop):
    loop.remove_timeout(loop.call_later(0, pytest.fail))
    loop.run_sync(lambda: asyncio.sleep(0.01))


class Pair:
    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)

    def close(self):
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def pair():
    pair = Pair()
    yield pair
    pair.close()


def test_a_handler_gets_what_was_registered_and_what_happened(loop, pair):
    calls = []
    loop.add_handler(pair.ours, lambda *args: calls.append(args), IOLoop.READ)
    pair.theirs.send(b"x")
    loop.run_sync(lambda: asyncio.sleep(0.01))
    loop.remove_handler(pair.ours)
    assert calls and set(calls) == {(pair.ours, IOLoop.READ)}


def test_readiness_to_read_and_to_write_are_told_apart(loop, pair):
    calls = []
    loop.add_handler(pair.ours.fileno(), lambda fd, events: calls.append(events), IOLoop.READ | IOLoop.WRITE)
    run_briefly(loop)
    assert set(calls) == {IOLoop.WRITE}
    loop.update_handler(pair.ours.fileno(), IOLoop.READ)
    calls.clear()
    run_briefly(loop)
    assert calls == []
    pair.theirs.send(b"x")
    run_briefly(loop)
    assert set(calls) == {IOLoop.READ}
    loop.remove_handler(pair.ours.fileno())


def test_error_alone_watches_nothing(loop, pair):
    calls = []
    loop.add_handler(pair.ours, lambda *args: calls.append(args), IOLoop.ERROR)
    pair.theirs.close()
    run_briefly(loop)
    assert calls == []
    loop.remove_handler(pair.ours)


def test_the_same_descriptor_twice_is_a_value_error(loop, pair):
    loop.add_handler(pair.ours, print, IOLoop.READ)
    with pytest.raises(ValueError, match="added twice"):
        loop.add_handler(pair.ours.fileno(), print, IOLoop.READ)
    loop.remove_handler(pair.ours)


def test_updating_what_has_no_handler_is_a_value_error(loop, pair):
    with pytest.raises(ValueError, match="no handler"):
        loop.update_handler(pair.ours, IOLoop.READ)


def test_a_descriptor_that_cannot_be_watched_leaves_no_trace(loop, tmp_path):
    with open(tmp_path / "file", "w") as f:
        with pytest.raises(OSError):  # noqa: PT011  epoll does not take plain files
            loop.add_handler(f, print, IOLoop.READ)
        assert loop.handlers == {}


def test_closing_with_all_fds_closes_them():
    pair = Pair()
    read_end, write_end = os.pipe()
    loop = IOLoop(make_current=False)
    loop.add_handler(pair.ours, print, IOLoop.READ)
    loop.add_handler(read_end, print, IOLoop.READ)
    loop.close(all_fds=True)
    assert pair.ours.fileno() == -1
    with pytest.raises(OSError):  # noqa: PT011
        os.fstat(read_end)
    os.close(write_end)
    pair.close()


def test_run_sync_says_how_long_it_has_waited(loop):
    with pytest.raises(asyncio.TimeoutError, match="Operation timed out after 0.01 seconds"):
        loop.run_sync(lambda: asyncio.sleep(10), timeout=0.01)


def test_run_sync_cancels_what_takes_too_long(loop):
    cancelled = []

    async def main():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(asyncio.TimeoutError):
        loop.run_sync(main, timeout=0.01)
    assert cancelled == [True]


def test_run_sync_takes_none_for_an_answer(loop):
    assert loop.run_sync(lambda: None) is None


def test_run_sync_leaves_no_cycle_behind_an_exception(loop):
    class Thing:
        pass

    async def main(thing):
        raise ValueError

    gc.collect()
    gc.disable()
    try:
        thing = Thing()
        alive = weakref.ref(thing)
        with pytest.raises(ValueError):  # noqa: PT011
            loop.run_sync(functools.partial(main, thing))
        del thing
        run_briefly(loop)
        assert alive() is None
    finally:
        gc.enable()


def test_blocking_work_runs_on_a_thread(loop):
    async def main():
        here = threading.get_ident()
        assert await loop.run_in_executor(None, threading.get_ident) != here

    loop.run_sync(main)


def test_only_loops_over_asyncio_can_be_configured():
    with pytest.raises(RuntimeError):
        IOLoop.configure("tornado.util.Configurable")


@pytest.mark.parametrize("interval", [0, -1, datetime.timedelta(0)])
def test_a_period_must_be_positive(interval):
    with pytest.raises(ValueError, match="positive"):
        PeriodicCallback(print, interval)


def test_a_periodic_callback_goes_on_after_an_error(loop):
    calls = []

    def tick():
        calls.append(1)
        raise ValueError

    async def main():
        ticker = PeriodicCallback(tick, 1)
        ticker.start()
        with ExpectLog("tornado.application", "Exception in callback"):
            await asyncio.sleep(0.05)
        assert ticker.is_running()
        ticker.stop()
        assert not ticker.is_running()

    loop.run_sync(main)
    assert len(calls) > 1


def test_a_periodic_coroutine_goes_on_after_an_error(loop):
    calls = []

    async def tick():
        calls.append(1)
        await asyncio.sleep(0)
        raise ValueError

    async def main():
        ticker = PeriodicCallback(tick, 1)
        ticker.start()
        with ExpectLog("tornado.application", "Exception in callback"):
            await asyncio.sleep(0.05)
        ticker.stop()

    loop.run_sync(main)
    assert len(calls) > 1


def test_a_periodic_callback_stopped_and_started_inside_itself_does_not_tick_twice_as_often(loop):
    scheduled = []

    def tick():
        ticker.stop()
        ticker.start()
        scheduled.append(ticker._timeout)

    async def main():
        ticker.start()
        await asyncio.sleep(0.1)
        ticker.stop()

    ticker = PeriodicCallback(tick, 20)
    loop.run_sync(main)
    assert 1 <= len(scheduled) <= 5


def test_starting_twice_does_not_tick_twice_as_often(loop):
    calls = []

    async def main():
        ticker = PeriodicCallback(lambda: calls.append(1), 40)
        ticker.start()
        ticker.start()
        await asyncio.sleep(0.06)
        ticker.stop()

    loop.run_sync(main)
    assert len(calls) == 1


def test_nothing_is_logged_by_a_loop_that_does_its_work(loop, caplog):
    caplog.set_level(logging.DEBUG, "tornado")
    loop.run_sync(lambda: asyncio.sleep(0))
    assert [r for r in caplog.records if r.name.startswith("tornado")] == []
