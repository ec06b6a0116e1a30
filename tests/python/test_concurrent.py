import asyncio
import gc
import weakref
from concurrent import futures

import pytest
from tornado.concurrent import (
    DummyExecutor,
    Future,
    chain_future,
    future_add_done_callback,
    future_set_exc_info,
    future_set_exception_unless_cancelled,
    run_on_executor,
)
from tornado.testing import ExpectLog


def test_there_is_one_kind_of_future():
    assert Future is asyncio.Future


def test_a_chained_future_shares_exceptions():
    async def main():
        a, b = Future(), Future()
        chain_future(a, b)
        a.set_exception(ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await b

    asyncio.run(main())


def test_a_chained_future_shares_cancellation():
    async def main():
        a, b = Future(), Future()
        chain_future(a, b)
        a.cancel()
        with pytest.raises(asyncio.CancelledError):
            await b

    asyncio.run(main())


def test_a_chained_future_that_is_done_stays_as_it_is():
    async def main():
        a, b = Future(), Future()
        b.set_result(1)
        a.set_result(2)
        chain_future(a, b)
        assert b.result() == 1

    asyncio.run(main())


def test_a_future_of_a_thread_completes_one_of_the_loop():
    async def main():
        b = Future()
        with futures.ThreadPoolExecutor(1) as pool:
            chain_future(pool.submit(lambda: 42), b)
            assert await b == 42

    asyncio.run(main())


def test_the_callback_of_a_future_that_is_done_runs_at_once():
    async def main():
        called = []
        future = Future()
        future_add_done_callback(future, called.append)
        assert called == []
        future.set_result(None)
        other = Future()
        other.set_result(None)
        future_add_done_callback(other, called.append)
        assert called == [other]

    asyncio.run(main())


def test_an_exception_for_a_cancelled_future_is_logged():
    async def main():
        future = Future()
        future.cancel()
        with ExpectLog("tornado.application", "Exception after Future was cancelled"):
            future_set_exception_unless_cancelled(future, ValueError())

    asyncio.run(main())


def test_no_exception_to_set_is_an_error():
    with pytest.raises(Exception, match="called with no exception"):
        future_set_exc_info(futures.Future(), (None, None, None))


def test_the_dummy_executor_keeps_exceptions_and_leaves_no_cycle():
    class Thing:
        pass

    def fail(thing):
        raise ValueError(thing)

    gc.disable()
    try:
        thing = Thing()
        alive = weakref.ref(thing)
        future = DummyExecutor().submit(fail, thing)
        assert isinstance(future.exception(), ValueError)
        del thing, future
        assert alive() is None
    finally:
        gc.enable()


def test_the_executor_is_an_attribute_of_the_object():
    class Worker:
        executor = DummyExecutor()
        other = DummyExecutor()

        @run_on_executor
        def plain(self, x, y=0):
            return x + y

        @run_on_executor(executor="other")
        def named(self):
            return "named"

    async def main():
        assert await Worker().plain(1, y=2) == 3
        assert await Worker().named() == "named"
        assert Worker.plain.__name__ == "plain"

    asyncio.run(main())


def test_the_decorator_refuses_a_function_together_with_options():
    with pytest.raises(ValueError):
        run_on_executor(lambda self: None, executor="x")
    with pytest.raises(ValueError):
        run_on_executor(lambda self: None, lambda self: None)
