"""The engine lives in whatever asyncio loop there is: of any make, in any thread, in a child, any number of times."""

import asyncio
import contextvars
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from serving import ask, request
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Hello(RequestHandler):
    def get(self):
        self.write("hello")


class Waiting(RequestHandler):
    async def get(self):
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        self.write("waited")


APPLICATION = [(r"/", Hello), (r"/wait", Waiting)]


def application(**gets):
    """Return an application with a path for each of some `get` methods."""
    return Application([(f"/{name}", type(name, (RequestHandler,), {"get": get})) for name, get in gets.items()])


async def bodies(app, *paths):
    """Return the bodies of some paths, asked for at the same time, in the loop that runs."""
    server = HTTPServer(app)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    try:
        return [found.body for found in await asyncio.gather(*(ask(port, request(path)) for path in paths))]
    finally:
        server.stop()
        await server.close_all_connections()


def run_in(loop, main):
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


BOTH = [b"hello", b"waited"]


def test_asyncio_run_serves():
    assert asyncio.run(bodies(Application(APPLICATION), "/", "/wait")) == BOTH


def test_a_loop_of_ones_own_serves():
    assert run_in(asyncio.new_event_loop(), bodies(Application(APPLICATION), "/", "/wait")) == BOTH


def test_an_ioloop_serves():
    loop = IOLoop(make_current=False)
    try:
        assert loop.run_sync(lambda: bodies(Application(APPLICATION), "/", "/wait")) == BOTH
    finally:
        loop.close()


def test_uvloop_serves():
    uvloop = pytest.importorskip("uvloop")
    for _ in range(3):
        assert run_in(uvloop.new_event_loop(), bodies(Application(APPLICATION), "/", "/wait")) == BOTH


def test_debug_mode_has_nothing_to_say(caplog):
    caplog.set_level(logging.DEBUG)
    assert asyncio.run(bodies(Application(APPLICATION), "/", "/wait"), debug=True) == BOTH
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_several_loops_serve_in_several_threads():
    app = Application(APPLICATION)

    def serve(_):
        return asyncio.run(bodies(app, *["/", "/wait"] * 10))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(serve, range(12))) == [BOTH * 10] * 12


def test_one_loop_after_another_serves_the_same_application():
    app = Application(APPLICATION)
    for _ in range(20):
        assert asyncio.run(bodies(app, "/", "/wait")) == BOTH


def in_child(work):
    """Return what a function gives, a bytes object, when it is called in a child process."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, work())
        except BaseException as error:  # noqa: BLE001 (whatever it was, the parent shall see it)
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        found = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return found


def test_a_child_serves_after_its_parent_has_served():
    app = Application(APPLICATION)
    assert asyncio.run(bodies(app, "/wait")) == [b"waited"]
    assert in_child(lambda: b" ".join(asyncio.run(bodies(app, "/", "/wait")))) == b"hello waited"
    assert asyncio.run(bodies(app, "/")) == [b"hello"]


def test_a_child_serves_what_its_parent_listens_to():
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]

    def child():
        async def main():
            server = HTTPServer(Application(APPLICATION))
            server.add_sockets(sockets)
            return (await ask(port, request("/wait"))).body

        return asyncio.run(main())

    assert in_child(child) == b"waited"
    for each in sockets:
        each.close()


def test_a_child_may_be_made_while_the_parent_serves():
    app = Application(APPLICATION)

    async def main():
        server = HTTPServer(app)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        before = (await ask(port, request("/"))).body

        def child():  # in a loop of its own; the parent's is left alone
            asyncio._set_running_loop(None)
            return asyncio.run(bodies(app, "/wait"))[0]

        between = in_child(child)
        after = (await ask(port, request("/wait"))).body
        server.stop()
        return before, between, after

    assert asyncio.run(main()) == (b"hello", b"waited", b"waited")


def test_a_context_variable_is_reset_with_its_token_after_a_wait():
    variable = contextvars.ContextVar("variable", default="default")

    async def get(self):
        token = variable.set("mine")
        await asyncio.sleep(0.001)
        seen = variable.get()
        variable.reset(token)
        self.write(f"{seen} {variable.get()}")

    if sys.version_info < (3, 11):
        pytest.skip("a Task of 3.10 cannot be given its context")
    assert asyncio.run(bodies(application(a=get), *["/a"] * 8)) == [b"mine default"] * 8


def test_a_context_variable_set_in_prepare_is_seen_by_the_method_and_by_no_other_request():
    variable = contextvars.ContextVar("variable", default="default")

    class Handler(RequestHandler):
        async def prepare(self):
            self.before = variable.get()
            variable.set(self.get_argument("n"))
            await asyncio.sleep(0.002)

        async def get(self):
            await asyncio.sleep(0)
            self.write(f"{self.before} {variable.get()}")

        def on_finish(self):
            seen.append(variable.get())

    seen = []
    found = asyncio.run(bodies(Application([("/", Handler)]), *[f"/?n={n}" for n in range(8)]))
    assert found == [f"default {n}".encode() for n in range(8)]
    if sys.version_info >= (3, 11):
        assert sorted(seen) == [str(n) for n in range(8)]


def test_a_context_variable_set_before_listening_is_seen():
    variable = contextvars.ContextVar("variable", default="default")

    async def main():
        variable.set("outside")
        return await bodies(application(a=lambda self: self.write(variable.get())), "/a")

    assert asyncio.run(main()) == [b"outside"]


def test_run_in_executor_and_to_thread_work():
    async def get(self):
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(None, threading.get_ident)
        second = await asyncio.to_thread(threading.get_ident)
        third = await IOLoop.current().run_in_executor(None, threading.get_ident)
        self.write(str(threading.get_ident() in (first, second, third)))

    assert asyncio.run(bodies(application(a=get), *["/a"] * 4)) == [b"False"] * 4


def test_other_things_of_the_loop_go_on_beside_requests():
    async def get(self):
        child = await asyncio.create_subprocess_exec("echo", "child", stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate()
        info = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
        self.write(f"{out.decode().strip()} {info[0][4][0]}")

    assert asyncio.run(bodies(application(a=get), "/a")) == [b"child 127.0.0.1"]


def test_a_request_may_ask_its_own_server():
    async def outer(self):
        port = int(self.request.host.partition(":")[2])
        self.write(b"outer " + (await ask(port, request("/inner"))).body)

    app = application(outer=outer, inner=lambda self: self.write("inner"))

    async def main():
        server = HTTPServer(app)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        found = await ask(port, request("/outer", host=f"localhost:{port}"))
        server.stop()
        return found.body

    assert asyncio.run(main()) == b"outer inner"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("when", ["at once", "in a coroutine", "after a wait"])
def test_what_ends_the_program_leaves_the_loop(error, when):
    def at_once(self):
        raise error

    async def in_a_coroutine(self):
        raise error

    async def after_a_wait(self):
        await asyncio.sleep(0.001)
        raise error

    get = {"at once": at_once, "in a coroutine": in_a_coroutine, "after a wait": after_a_wait}[when]
    with pytest.raises(error):
        asyncio.run(asyncio.wait_for(bodies(application(a=get), "/a"), 5))


def test_the_loop_can_be_used_again_after_an_interrupt():
    def interrupt(self):
        raise KeyboardInterrupt

    app = application(a=interrupt, b=lambda self: self.write("b"))
    loop = asyncio.new_event_loop()
    server = HTTPServer(app)
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]

    async def start():
        server.add_sockets(sockets)

    loop.run_until_complete(start())
    task = loop.create_task(ask(port, request("/a")))
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    task.cancel()
    assert loop.run_until_complete(asyncio.wait_for(ask(port, request("/b")), 5)).body == b"b"
    server.stop()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


def test_a_turn_inside_of_a_turn_does_no_harm():
    """Some programs patch asyncio so that run_until_complete may be called while the loop runs."""

    def nest(main):
        loop = asyncio.get_running_loop()
        task = loop.create_task(main)
        while not task.done():
            loop._run_once()  # which polls the engine while it is being polled

    def get(self):
        nest(asyncio.sleep(0.01))
        self.write("nested")

    async def wait(self):
        await asyncio.sleep(0.001)
        self.write("b")

    app = application(a=get, b=wait, c=lambda self: self.write("c"))
    assert asyncio.run(bodies(app, "/a", "/b", "/c", "/a", "/b")) == [b"nested", b"b", b"c", b"nested", b"b"]


def test_closing_a_loop_with_requests_under_way_is_quiet(caplog):
    async def main():
        server = HTTPServer(
            Application([("/", type("Never", (RequestHandler,), {"get": lambda self: asyncio.sleep(60)}))])
        )
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        asking = asyncio.ensure_future(ask(sockets[0].getsockname()[1], request("/")))
        await asyncio.sleep(0.02)
        asking.cancel()

    for _ in range(3):
        asyncio.run(main())
    assert [record.getMessage() for record in caplog.records] == []


def test_answers_of_a_slow_handler_do_not_hold_up_others():
    order = []

    async def slow(self):
        await asyncio.sleep(0.05)
        order.append("slow")

    async def quick(self):
        order.append("quick")

    asyncio.run(bodies(application(slow=slow, quick=quick), "/slow", "/quick", "/quick"))
    assert order == ["quick", "quick", "slow"]
