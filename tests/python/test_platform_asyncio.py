import asyncio
import contextvars
import socket
import threading

import pytest
from tornado.ioloop import IOLoop
from tornado.platform import asyncio as platform
from tornado.platform.asyncio import AddThreadSelectorEventLoop, AsyncIOLoop, AsyncIOMainLoop

variable = contextvars.ContextVar("variable", default="default")


def selector_threads():
    return [thread for thread in threading.enumerate() if thread.name == "Tornado selector"]


def test_the_kind_of_loop_follows_from_how_it_is_made():
    async def main():
        assert type(IOLoop.current()) is AsyncIOMainLoop

    asyncio.run(main())
    loop = IOLoop(make_current=False)
    assert type(loop) is AsyncIOLoop
    loop.close()


def test_making_a_loop_current_can_be_undone():
    before = asyncio.new_event_loop()
    asyncio.set_event_loop(before)
    loop = IOLoop(make_current=True)
    assert asyncio.get_event_loop() is loop.asyncio_loop
    loop.close()
    assert asyncio.get_event_loop() is before
    before.close()
    asyncio.set_event_loop(None)


def test_an_asyncio_loop_that_has_one_gets_no_second_ioloop():
    loop = IOLoop(make_current=False)
    with pytest.raises(RuntimeError):
        IOLoop(asyncio_loop=loop.asyncio_loop, make_current=False)
    loop.close()


def run_with_selector_thread(main):
    real = asyncio.new_event_loop()
    loop = AddThreadSelectorEventLoop(real)
    try:
        return real.run_until_complete(asyncio.wait_for(main(loop), 5))
    finally:
        loop.close()
        assert selector_threads() == []


def test_a_selector_thread_calls_back_on_the_loop_in_the_context_of_its_maker():
    variable.set("maker")

    async def main(loop):
        variable.set("somebody else")
        ours, theirs = socket.socketpair()
        done = asyncio.Event()
        seen = []

        def on_readable(argument):
            seen.append((argument, ours.recv(10), variable.get(), threading.get_ident()))
            loop.remove_reader(ours)
            done.set()

        loop.add_reader(ours, on_readable, "argument")
        await asyncio.sleep(0.01)
        theirs.send(b"data")
        await done.wait()
        assert seen == [("argument", b"data", "maker", threading.get_ident())]
        ours.close()
        theirs.close()

    run_with_selector_thread(main)


def test_a_selector_thread_tells_when_a_socket_can_be_written():
    async def main(loop):
        ours, theirs = socket.socketpair()
        done = asyncio.Event()
        loop.add_writer(ours.fileno(), done.set)
        await done.wait()
        assert loop.remove_writer(ours.fileno())
        assert not loop.remove_writer(ours.fileno())
        ours.close()
        theirs.close()

    run_with_selector_thread(main)


def test_a_descriptor_closed_before_it_was_removed_does_not_stop_the_thread():
    async def main(loop):
        closed, other = socket.socketpair()
        ours, theirs = socket.socketpair()
        fd = closed.fileno()
        loop.add_reader(fd, print)
        await asyncio.sleep(0.01)
        closed.close()
        loop.remove_reader(fd)
        done = asyncio.Event()
        loop.add_writer(ours, done.set)
        await done.wait()
        loop.remove_writer(ours)
        for sock in (other, ours, theirs):
            sock.close()

    run_with_selector_thread(main)


def test_a_selector_thread_ends_with_the_asynchronous_generators():
    loop = asyncio.new_event_loop()

    async def main():
        AddThreadSelectorEventLoop(loop)
        await asyncio.sleep(0.01)
        assert len(selector_threads()) == 1

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert selector_threads() == []


def test_a_selector_loop_is_the_real_one_in_all_else():
    real = asyncio.new_event_loop()
    loop = AddThreadSelectorEventLoop(real)
    assert loop.run_until_complete(asyncio.sleep(0, 42)) == 42
    assert loop.time() == pytest.approx(real.time(), abs=1)
    loop.close()
    assert real.is_closed()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError):
        platform.nonsense  # noqa: B018


def test_an_ioloop_works_on_uvloop():
    uvloop = pytest.importorskip("uvloop")
    loop = IOLoop(asyncio_loop=uvloop.new_event_loop(), make_current=False)
    ours, theirs = socket.socketpair()
    calls = []

    async def main():
        loop.add_handler(ours, lambda fd, events: calls.append((fd.recv(10), events)), IOLoop.READ)
        loop.call_later(0.01, theirs.send, b"x")
        await asyncio.sleep(0.05)
        loop.remove_handler(ours)

    loop.run_sync(main)
    assert calls == [(b"x", IOLoop.READ)]
    loop.close()
    loop.add_callback(print)
    ours.close()
    theirs.close()
