"""The coroutine of a request and its task, in the corners: cancellation, what is awaited, callbacks, and who looks when."""

import asyncio
import gc
import inspect
import sys
import traceback
import types
import weakref

import pytest
from serving import answers, request
from tornado import gen
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application, Finish, HTTPError, RequestHandler

needs_context = pytest.mark.skipif(sys.version_info < (3, 11), reason="newer than Python 3.10")


def run(get, *requests, **others):
    """Return what a `get` method answers."""
    cls = type("Handler", (RequestHandler,), {"get": get, **others})
    return [found.body for found in answers(Application([("/", cls)]), *(requests or (request("/"),)))]


class Serving:
    """A server that outlives the `async with` of a test's own loop, and a raw request to it."""

    def __init__(self, **methods):
        self.application = Application([("/", type("Handler", (RequestHandler,), methods))])

    async def __aenter__(self):
        self.server = HTTPServer(self.application)
        sockets = bind_sockets(0, "127.0.0.1")
        self.server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.stop()
        await self.server.close_all_connections()

    async def raw(self, message=None):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(message or request("/"))
        found = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return found


# -- What may be awaited --


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0.001).__await__()
        return "awaited"


@types.coroutine
def old_style():
    yield from asyncio.sleep(0.001).__await__()


GIVEN = {
    "an object with __await__": lambda: Awaitable(),
    "a future": lambda: asyncio.ensure_future(asyncio.sleep(0.001)),
    "a future that is done": lambda: gen.maybe_future(1),
    "a coroutine of types": old_style,
    "a task": lambda: asyncio.get_running_loop().create_task(asyncio.sleep(0)),
    "a gathering": lambda: asyncio.gather(asyncio.sleep(0), asyncio.sleep(0.001)),
    "a gen.coroutine": gen.coroutine(lambda: (yield gen.moment)),
}


@pytest.mark.parametrize("given", GIVEN)
def test_a_method_may_return_anything_awaitable(given):
    def get(self):
        self.write("first")
        return GIVEN[given]()

    assert run(get) == [b"first"]


@pytest.mark.parametrize("given", GIVEN)
def test_prepare_may_return_anything_awaitable(given):
    def get(self):
        self.write("second")

    assert run(get, prepare=lambda self: GIVEN[given]()) == [b"second"]


def test_an_awaitable_that_raises_when_it_is_asked_is_an_error_of_the_handler():
    class Raises:
        def __await__(self):
            raise HTTPError(418)

    assert b"418" in run(lambda self: Raises())[0]


@pytest.mark.parametrize("error", [HTTPError(418), Finish(), ValueError("wrong")])
@pytest.mark.parametrize("where", ["prepare", "get"])
@pytest.mark.parametrize("waits", [False, True])
def test_errors_become_responses_whether_or_not_the_method_has_waited(error, where, waits, caplog):
    async def raises(self):
        if waits:
            await asyncio.sleep(0.001)
        raise error

    methods = {"get": lambda self: None, where: raises}
    found = answers(Application([("/", type("Handler", (RequestHandler,), methods))]), request("/"))[0]
    assert found.code == {HTTPError: 418, Finish: 200, ValueError: 500}[type(error)]


def test_yielding_what_no_task_understands_is_an_error_like_in_any_task(caplog):
    @types.coroutine
    def wrong():
        yield "nonsense"

    async def get(self):
        try:
            await wrong()
        except RuntimeError as error:
            self.write(str("nonsense" in str(error)))

    assert run(get) == [b"True"]


def test_awaiting_a_future_of_another_loop_is_an_error_like_in_any_task():
    other = asyncio.new_event_loop()
    future = other.create_future()

    async def get(self):
        try:
            await future
        except RuntimeError as error:
            self.write(str("different loop" in str(error)))

    assert run(get) == [b"True"]
    other.close()


def test_awaiting_ones_own_task_is_an_error_like_in_any_task():
    async def get(self):
        try:
            await asyncio.current_task()
        except RuntimeError as error:
            self.write(str("cannot await on itself" in str(error)))

    assert run(get) == [b"True"]


# -- Cancellation --


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_waiting_request_is_cancelled_from_outside(steps):
    async def main():
        tasks, seen = [], []

        async def get(self):
            tasks.append(asyncio.current_task())
            try:
                for _ in range(steps):
                    await asyncio.sleep(0)
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        async with Serving(get=get) as serving:
            asking = asyncio.ensure_future(serving.raw())
            while not tasks:
                await asyncio.sleep(0)
            tasks[0].cancel()
            return await asking, seen, tasks[0].cancelled()

    assert asyncio.run(main()) == (b"", ["cancelled"], True)


def test_a_cancellation_at_the_moment_of_the_first_wait_reaches_what_is_waited_for():
    async def main():
        task, inner, seen = [], asyncio.get_running_loop().create_future(), []

        async def get(self):
            task.append(asyncio.current_task())
            asyncio.get_running_loop().call_soon(lambda: task[0].cancel())
            try:
                await inner
            except asyncio.CancelledError:
                seen.append(inner.cancelled())
                self.write("caught")

        async with Serving(get=get) as serving:
            return (await serving.raw()).endswith(b"caught"), seen

    assert asyncio.run(main()) == (True, [True])


def test_a_shielded_wait_survives_a_cancellation():
    async def get(self):
        inner = asyncio.ensure_future(asyncio.sleep(0.01, "shielded"))
        asyncio.get_running_loop().call_later(0.001, asyncio.current_task().cancel)
        try:
            await asyncio.shield(inner)
        except asyncio.CancelledError:
            self.write(await inner)

    assert run(get) == [b"shielded"]


@needs_context
def test_a_cancellation_can_be_counted_and_taken_back():
    async def get(self):
        task = asyncio.current_task()
        task.cancel()
        task.cancel()
        counts = [task.cancelling()]
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            counts += [task.uncancel(), task.uncancel(), task.cancelling()]
        await asyncio.sleep(0)
        self.write(str(counts))

    assert run(get) == [b"[2, 1, 0, 0]"]


def test_the_message_of_a_cancellation_arrives():
    async def get(self):
        asyncio.current_task().cancel("enough")
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError as error:
            self.write(str(error))

    assert run(get) == [b"enough"]


@needs_context
def test_nested_timeouts_fire_in_their_order():
    async def get(self):
        try:
            async with asyncio.timeout(0.02):
                try:
                    async with asyncio.timeout(0.001):
                        await asyncio.sleep(1)
                except TimeoutError:
                    self.write("inner ")
                await asyncio.sleep(1)
        except TimeoutError:
            self.write("outer")

    assert run(get, request("/"), request("/")) == [b"inner outer"] * 2


@needs_context
def test_a_timeout_that_does_not_fire_leaves_no_trace_on_the_next_request():
    async def get(self):
        async with asyncio.timeout(10):  # noqa: ASYNC100 (that is the point)
            self.write(str(asyncio.current_task().cancelling()))

    assert run(get, *[request("/")] * 5) == [b"0"] * 5


@needs_context
def test_a_failure_in_a_task_group_becomes_a_response(caplog):
    async def fails():
        raise HTTPError(418)

    async def get(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                group.create_task(asyncio.sleep(10))
        except BaseExceptionGroup as errors:  # noqa: F821
            raise errors.exceptions[0] from None

    assert b"418" in run(get)[0]


def test_tasks_that_are_left_are_cancelled_by_asyncio_run():
    seen = []

    async def get(self):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def without_closing():
        serving = await Serving(get=get).__aenter__()
        asyncio.ensure_future(serving.raw())
        await asyncio.sleep(0.02)

    asyncio.run(without_closing())
    assert seen == ["cancelled"]


# -- The task --


def test_callbacks_of_the_task_are_called_when_the_request_is_over():
    for waits in (False, True):
        order = []

        async def get(self, waits=waits, order=order):
            asyncio.current_task().add_done_callback(lambda task: order.append(task.exception()))
            if waits:
                await asyncio.sleep(0.001)
            self.write("body")

        async def main(get=get):
            async with Serving(get=get) as serving:
                found = await serving.raw()
                await asyncio.sleep(0.01)
                return found.endswith(b"body")

        assert asyncio.run(main())
        assert order == [None]


def test_a_task_that_is_kept_and_never_touched_may_be_awaited_later():
    async def main():
        kept = []

        async def get(self):
            kept.append(asyncio.current_task())
            self.write("body")

        async with Serving(get=get) as serving:
            for _ in range(3):
                await serving.raw()
            assert len({id(task) for task in kept}) == 3
            return [await task for task in kept], [task.done() for task in kept]

    assert asyncio.run(main()) == ([None] * 3, [True] * 3)


def test_a_task_held_weakly_or_as_a_key_is_the_same_throughout():
    async def main():
        held, refs = {}, []

        async def get(self):
            task = asyncio.current_task()
            held[task] = "mine"
            refs.append(weakref.ref(task))
            await asyncio.sleep(0)
            self.write(held[asyncio.current_task()] + str(refs[-1]() is asyncio.current_task()))
            held.clear()

        async with Serving(get=get) as serving:
            found = [(await serving.raw()).endswith(b"mineTrue") for _ in range(3)]
            await asyncio.sleep(0.01)
            gc.collect()
            return found, [ref() for ref in refs]

    assert asyncio.run(main()) == ([True] * 3, [None] * 3)


def test_state_kept_by_task_does_not_pass_from_one_request_to_the_next():
    """Libraries keep a WeakKeyDictionary by task: an entry of one request must not be found by the next."""
    states = weakref.WeakKeyDictionary()

    async def get(self):
        task = asyncio.current_task()
        before = states.get(task)
        states[task] = "state"
        self.write(str(before))

    assert run(get, *[request("/")] * 4) == [b"None"] * 4


def test_names_of_tasks_do_not_pass_from_one_request_to_the_next():
    async def get(self):
        task = asyncio.current_task()
        before = task.get_name()
        task.set_name("special")
        self.write(str(before == "special") + task.get_name())

    assert run(get, *[request("/")] * 3) == [b"Falsespecial"] * 3


def test_there_is_no_current_task_in_methods_that_are_not_coroutines():
    def get(self):
        self.write(str(asyncio.current_task()))

    assert run(get) == [b"None"]


def test_the_current_task_is_that_of_each_request_though_they_take_turns():
    async def get(self):
        task = asyncio.current_task()
        for n in range(20):
            await asyncio.sleep(0 if n % 3 else 0.001)
            assert asyncio.current_task() is task
        self.write("same")

    app = Application([("/", type("Handler", (RequestHandler,), {"get": get}))])
    assert {found.body for found in answers(app, *[request("/")] * 20, together=True)} == {b"same"}


def test_a_task_prints_its_stack_and_names_its_coroutine():
    async def get(self):
        task = asyncio.current_task()
        await asyncio.sleep(0)
        self.write(f"{len(task.get_stack()) > 0} {'Handler' in repr(task)} {asyncio.iscoroutine(task.get_coro())}")

    assert run(get) == [b"True True True"]


def test_all_tasks_can_be_printed_while_requests_wait(capsys):
    async def get(self):
        for task in asyncio.all_tasks():
            repr(task)
            task.print_stack()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks():
            repr(task)
            task.print_stack()
        self.write("fine")

    assert run(get, request("/"), request("/")) == [b"fine"] * 2


def every_method():
    """Names of the methods and attributes of a task, and how to use each without harm."""
    special = {
        "add_done_callback": lambda task: task.add_done_callback(print_nothing),
        "remove_done_callback": lambda task: task.remove_done_callback(print_nothing),
        "set_name": lambda task: task.set_name("name"),
        "__class_getitem__": lambda task: type(task)[int],
        "print_stack": lambda task: task.print_stack(file=Discard()),
        "cancel": lambda task: (task.cancel(), getattr(task, "uncancel", lambda: None)()),
        "_make_cancelled_error": lambda task: None,
    }
    for name in dir(asyncio.Task):
        if name.startswith("__") and name not in ("__repr__", "__hash__", "__await__", "__iter__", "__class_getitem__"):
            continue
        yield name, special.get(name, lambda task, name=name: use(getattr(task, name)))


class Discard:
    def write(self, text):
        pass


def print_nothing(task):
    pass


def use(attribute):
    if callable(attribute) and not inspect.iscoroutine(attribute):
        try:
            attribute()
        except Exception:  # noqa: BLE001, S110 (it need not work, only do no harm)
            pass


@pytest.mark.parametrize("name, look", list(every_method()), ids=lambda value: value if isinstance(value, str) else "")
def test_whatever_a_task_has_may_be_used_at_any_time(name, look):
    """Before the first wait, after it, and when the request is over. (An uninitialised Task would crash the process.)"""

    async def main():
        kept = []

        async def get(self):
            task = asyncio.current_task()
            kept.append(task)
            look(task)
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                pass
            look(task)
            assert asyncio.current_task() is task
            self.write("body")

        async def only_keep(self):
            kept.append(asyncio.current_task())

        async with Serving(get=get) as serving, Serving(get=only_keep) as keeping:
            found = await serving.raw()
            await keeping.raw()
            for task in kept:
                look(task)
            return found.endswith(b"body")

    assert asyncio.run(main())


# -- What happens around it --


def test_traceback_of_an_error_names_the_method():
    async def get(self):
        await asyncio.sleep(0)
        raise ValueError("wrong")

    def write_error(self, status_code, **kwargs):
        self.write(
            f"{'in get' in traceback.format_exc()} {'in get' in ''.join(traceback.format_exception(*kwargs['exc_info']))}"
        )

    def log_exception(self, typ, value, tb):
        pass

    assert run(get, write_error=write_error, log_exception=log_exception) == [b"True True"]


def test_the_handled_exception_is_none_again_in_the_next_request():
    async def get(self):
        handled = sys.exc_info()[0]
        if self.get_argument("fail", ""):
            raise HTTPError(400)
        self.write(str(handled))

    assert run(get, request("/?fail=1"), request("/"))[1] == b"None"


def test_a_request_may_finish_and_go_on_waiting():
    done = []

    async def main():
        async def get(self):
            await self.finish("finished")
            await asyncio.sleep(0.005)
            done.append(self.request.path)

        async with Serving(get=get) as serving:
            found = await serving.raw()
            await asyncio.sleep(0.02)
            return found.endswith(b"finished")

    assert asyncio.run(main())
    assert done == ["/"]


def test_callbacks_may_finish_a_request_that_does_not_finish_by_itself():
    def get(self):
        self._auto_finish = False
        IOLoop.current().add_callback(lambda: self.finish("later"))

    assert run(get) == [b"later"]


def test_a_wait_in_an_async_iterator_or_context_manager_is_like_any_other():
    class Manager:
        async def __aenter__(self):
            await asyncio.sleep(0)
            return self

        async def __aexit__(self, *error):
            await asyncio.sleep(0)

    async def numbers():
        for n in range(3):
            await asyncio.sleep(0)
            yield n

    async def get(self):
        async with Manager():
            self.write(str([n async for n in numbers()]))

    assert run(get) == [b"[0, 1, 2]"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="newer")
def test_an_eager_task_factory_is_honoured():
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

        async def get(self):
            task = asyncio.current_task()
            async with asyncio.timeout(1):
                await asyncio.sleep(0.001)
            self.write(str(task is asyncio.current_task()))

        async with Serving(get=get) as serving:
            return (await serving.raw()).endswith(b"True")

    assert asyncio.run(main())


def test_a_request_that_waits_for_ever_is_told_of_its_peer_leaving():
    async def main():
        seen = asyncio.Event()

        async def get(self):
            await asyncio.sleep(5)

        async with Serving(get=get, on_connection_close=lambda self: seen.set()) as serving:
            _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
            writer.write(request("/"))
            await asyncio.sleep(0.01)
            writer.close()
            await asyncio.wait_for(seen.wait(), 5)

    asyncio.run(main())


def test_closing_all_connections_does_not_wait_for_handlers():
    async def main():
        serving = await Serving(get=lambda self: asyncio.sleep(60)).__aenter__()
        asking = asyncio.ensure_future(serving.raw())
        await asyncio.sleep(0.01)
        serving.server.stop()
        await asyncio.wait_for(serving.server.close_all_connections(), 5)
        return await asking

    assert asyncio.run(main()) == b""
