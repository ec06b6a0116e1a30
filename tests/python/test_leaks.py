"""Serving, and making and closing servers and loops, leaves nothing behind: no object, no memory, no descriptor."""

import asyncio
import gc
import os
import tracemalloc
import weakref
from collections import Counter

import pytest
from serving import answers, request
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body


class Plain(RequestHandler):
    def get(self):
        self.write("plain")


class Everything(RequestHandler):
    """Touches what the engine makes only when it is asked for."""

    def initialize(self, word):
        self.word = word

    async def prepare(self):
        await asyncio.sleep(0)

    async def get(self, group):
        self.request.myself = self  # a cycle
        self.request.kept = [
            self.request.headers,
            self.request.cookies,
            self.request.arguments,
            self.request.connection,
        ]
        self._headers["X-Word"] = self.word
        self._write_buffer.append(group.encode())
        self.set_cookie("a", "b")
        self.task = asyncio.current_task()
        await self.flush()
        self.write({"status": self._status_code})

    def on_finish(self):
        self.request.finished = True


class Failing(RequestHandler):
    async def get(self):
        await asyncio.sleep(0)
        raise HTTPError(418, "teapot %s", self)

    def log_exception(self, typ, value, tb):
        pass


class Cancelled(RequestHandler):
    async def get(self):
        asyncio.current_task().cancel()
        await asyncio.sleep(10)


class Abandoned(RequestHandler):
    async def get(self):
        self.write("finished")
        self.finish()
        await asyncio.sleep(0.001)


@stream_request_body
class Streamed(RequestHandler):
    async def data_received(self, chunk):
        await asyncio.sleep(0)

    async def post(self):
        self.write("streamed")


def application():
    return Application(
        [
            ("/", Plain),
            ("/everything/(.*)", Everything, {"word": "word"}),
            ("/failing", Failing),
            ("/abandoned", Abandoned),
            ("/streamed", Streamed),
        ],
        log_function=lambda handler: None,
    )


REQUESTS = [
    request("/"),
    request("/everything/group?a=b", Cookie="c=d"),
    request("/failing"),
    request("/abandoned"),
    request("/streamed", "POST", body=b"x" * 1000),
    request("/nowhere"),
]


def objects():
    """Count the objects that the collector knows, by type."""
    for _ in range(3):
        gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects())


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def grown(work, times=10):
    """Return what there is more of after doing something some times than after it was done the first few."""
    for _ in range(3):
        work()
        objects()  # Python's own caches fill, too
    work()
    before, before_descriptors = objects(), descriptors()
    for _ in range(times):
        work()
    after = objects()
    more = {name: n - before[name] for name, n in after.items() if n - before[name] >= times // 2}
    assert descriptors() <= before_descriptors
    return more


def test_requests_of_every_kind_leave_no_object():
    app = application()
    assert grown(lambda: answers(app, *REQUESTS)) == {}


def test_applications_and_their_handler_classes_leave_no_object():
    def work():
        class Handler(RequestHandler):
            async def get(self):
                self.seen = type(self)
                await asyncio.sleep(0)

        answers(Application([("/", Handler), ("/(.*)", Plain)]), request("/"))

    assert grown(work) == {}


def test_requests_within_one_loop_leave_no_object_and_no_memory():
    app = application()
    found = {}

    async def main():
        server = HTTPServer(app)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]

        async def ask_all():
            for each in REQUESTS:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(each)
                await reader.read()
                writer.close()
                await writer.wait_closed()

        for _ in range(5):
            await ask_all()
        before, before_descriptors = objects(), descriptors()
        tracemalloc.start()
        await ask_all()
        gc.collect()
        memory = tracemalloc.get_traced_memory()[0]
        for _ in range(30):
            await ask_all()
        await asyncio.sleep(0.01)
        gc.collect()
        found["memory"] = tracemalloc.get_traced_memory()[0] - memory
        tracemalloc.stop()
        after = objects()
        found["objects"] = {name: n - before[name] for name, n in after.items() if n - before[name] >= 15}
        found["descriptors"] = descriptors() - before_descriptors
        server.stop()
        await server.close_all_connections()

    asyncio.run(main())
    assert found["objects"] == {}
    assert found["descriptors"] <= 0
    assert found["memory"] < 30_000  # what one object for each round would cost, several times over


@pytest.mark.parametrize("cls", [Plain, Everything, Failing, Abandoned, Streamed])
def test_a_handler_goes_with_its_request(cls):
    kept = []

    class Watched(cls):
        def prepare(self):
            kept.append(weakref.ref(self))
            return super().prepare()

    path = "/group" if cls is Everything else "/"
    rule = ("/(.*)", Watched, {"word": "word"}) if cls is Everything else ("/", Watched)
    method, body = ("POST", b"body") if cls is Streamed else ("GET", b"")
    answers(Application([rule], log_function=lambda handler: None), request(path, method, body=body))
    gc.collect()
    assert [each() for each in kept] == [None]


def test_a_plain_handler_goes_without_the_help_of_the_collector():
    kept = []

    class Watched(RequestHandler):
        async def get(self):
            kept.append(weakref.ref(self))
            self.write(self.request.headers.get("Host"))
            await asyncio.sleep(0)

    gc.collect()
    gc.disable()
    try:
        answers(Application([("/", Watched)]), request("/"), request("/"))
        assert [each() for each in kept] == [None, None]
    finally:
        gc.enable()


def test_a_cancelled_request_leaves_nothing():
    app = Application([("/", Cancelled)])

    def work():
        async def main():
            server = HTTPServer(app)
            sockets = bind_sockets(0, "127.0.0.1")
            server.add_sockets(sockets)
            reader, writer = await asyncio.open_connection("127.0.0.1", sockets[0].getsockname()[1])
            writer.write(request("/"))
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            server.stop()

        asyncio.run(main())

    assert grown(work) == {}


def test_a_loop_that_is_closed_with_connections_open_leaves_nothing():
    app = Application([("/", Plain)])

    def work():
        async def main():
            server = HTTPServer(app)
            sockets = bind_sockets(0, "127.0.0.1")
            server.add_sockets(sockets)
            reader, writer = await asyncio.open_connection("127.0.0.1", sockets[0].getsockname()[1])
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"plain")
            writer.close()  # the server is never stopped

        asyncio.run(main())
        gc.collect()

    assert grown(work) == {}


def test_a_loop_that_was_closed_gives_up_its_descriptors_when_the_next_one_serves():
    app = Application([("/", Plain)])
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            answers(app, request("/"))
        before = descriptors()
        for _ in range(10):
            answers(app, request("/"))
        assert descriptors() <= before + 1
    finally:
        gc.enable()


def test_a_stopped_server_that_nobody_holds_serves_its_connections_to_their_end():
    async def main():
        server = HTTPServer(Application([("/", Plain)]))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        reader, writer = await asyncio.open_connection("127.0.0.1", sockets[0].getsockname()[1])
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"plain")
        server.stop()
        watched = weakref.ref(server)
        del server
        gc.collect()
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"plain")
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.01)
        gc.collect()
        return watched()

    assert asyncio.run(main()) is None


def test_a_server_that_never_listened_leaves_nothing():
    app = Application([("/", Plain)])

    def work():
        async def main():
            HTTPServer(app)
            HTTPServer(app).add_sockets([])

        asyncio.run(main())

    assert grown(work) == {}
