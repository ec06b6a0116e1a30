"""The task of a request: one that seems to have been there all along, whether or not anybody waits."""

import asyncio
import sys

import pytest
from serving import answers, request
from tornado.web import Application, RequestHandler


def run(get, message=None):
    cls = type("Handler", (RequestHandler,), {"get": get})
    return answers(Application([(r"/", cls)]), message or request("/"))[0]


# Everything that a Task has, and what asking for it must not do: crash, forget, or see another object.
LOOKS = {
    "repr": repr,
    "get_name": lambda task: task.get_name(),
    "set_name": lambda task: task.set_name("mine"),
    "get_coro": lambda task: task.get_coro(),
    "get_loop": lambda task: task.get_loop(),
    "get_stack": lambda task: task.get_stack(),
    "done": lambda task: task.done(),
    "cancelled": lambda task: task.cancelled(),
    "add_done_callback": lambda task: task.add_done_callback(lambda task: None),
    "remove_done_callback": lambda task: task.remove_done_callback(print),
    "_state": lambda task: task._state,
    "_loop": lambda task: task._loop,
    "_callbacks": lambda task: task._callbacks,
    "_coro": lambda task: task._coro,
    "_fut_waiter": lambda task: task._fut_waiter,
    "_must_cancel": lambda task: task._must_cancel,
    "_log_destroy_pending": lambda task: task._log_destroy_pending,
    "hash": hash,
}
if sys.version_info >= (3, 11):
    LOOKS["cancelling"] = lambda task: task.cancelling()
    LOOKS["uncancel"] = lambda task: task.uncancel()
if sys.version_info >= (3, 12):
    LOOKS["get_context"] = lambda task: task.get_context()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("waits", [False, True])
def test_a_task_may_be_looked_at_before_and_after_a_wait(look, waits):
    async def get(self):
        task = asyncio.current_task()
        LOOKS[look](task)
        if waits:
            await asyncio.sleep(0)
            assert asyncio.current_task() is task
            LOOKS[look](task)
            await asyncio.sleep(0.001)
        assert asyncio.current_task() is task
        self.write("fine")

    assert run(get).body == b"fine"


def test_a_task_that_was_kept_ends_with_the_request():
    kept = []

    async def get(self):
        kept.append(asyncio.current_task())
        self.write("fine")

    async def wait(self):
        task = kept[0]
        await asyncio.wait([task], timeout=1)
        self.write(f"{task.done()} {task.exception()}")

    application = Application([
        (r"/", type("Get", (RequestHandler,), {"get": get})), (r"/wait", type("Wait", (RequestHandler,), {"get": wait})),
    ])  # fmt: skip
    assert [found.body for found in answers(application, request("/"), request("/wait"))] == [b"fine", b"True None"]


def test_waiting_tasks_are_among_all_tasks():
    async def get(self):
        await asyncio.sleep(0)
        self.write(str(asyncio.current_task() in asyncio.all_tasks()))

    assert run(get).body == b"True"


def test_a_request_may_cancel_itself_before_it_waits():
    seen = []

    async def get(self):
        asyncio.current_task().cancel()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            seen.append("cancelled")
            self.write("cancelled")

    assert run(get).body == b"cancelled"
    assert seen == ["cancelled"]


def test_a_cancelled_request_closes_its_connection():
    async def get(self):
        asyncio.current_task().cancel()
        await asyncio.sleep(10)

    with pytest.raises(Exception):  # noqa: B017 (there is no answer to parse)
        run(get)


def test_wait_for_and_gather_work_at_the_first_step():
    async def get(self):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 0.01)
        first, second = await asyncio.gather(asyncio.sleep(0, "a"), asyncio.sleep(0.001, "b"))
        self.write(first + second)

    assert run(get).body == b"ab"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout and TaskGroup are newer")
def test_timeouts_and_task_groups_work_at_the_first_step():
    async def get(self):
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            self.write("timeout ")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0.001, "group"))
        self.write(task.result())

    assert run(get).body == b"timeout group"


def test_a_task_factory_is_asked():
    made = []

    def factory(loop, coro, **kwargs):
        task = asyncio.Task(coro, loop=loop, **kwargs)
        made.append(task)
        return task

    async def get(self):
        asyncio.get_running_loop().set_task_factory(factory)
        self.write("set")

    async def use(self):
        self.write(str(asyncio.current_task() in made))

    application = Application([
        (r"/", type("Get", (RequestHandler,), {"get": get})), (r"/use", type("Use", (RequestHandler,), {"get": use})),
    ])  # fmt: skip
    assert answers(application, request("/"), request("/use"))[1].body == b"True"


def test_both_parts_of_a_request_run_in_one_task():
    class Handler(RequestHandler):
        async def prepare(self):
            self.task = asyncio.current_task()
            await asyncio.sleep(0.001)

        async def get(self):
            self.write(str(asyncio.current_task() is self.task))

    assert answers(Application([(r"/", Handler)]), request("/"))[0].body == b"True"
