import asyncio
import contextlib
import contextvars
import datetime
import gc
import traceback
import weakref
from concurrent import futures

import pytest
from tornado import gen
from tornado.testing import ExpectLog

variable = contextvars.ContextVar("variable", default="default")


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


@contextlib.contextmanager
def no_garbage():
    """Fail if what happens inside has to be freed by the garbage collector."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
        gc.collect()
        left = [thing for thing in gc.garbage if isinstance(thing, (asyncio.Future, gen.Runner, BaseException))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []


def test_a_coroutine_runs_at_once_until_it_has_to_wait():
    steps = []

    @gen.coroutine
    def coroutine():
        steps.append(1)
        yield done
        steps.append(2)
        yield None
        steps.append(3)

    async def main():
        global done
        done = gen.Future()
        done.set_result(None)
        future = coroutine()
        assert steps == [1, 2]
        await future
        assert steps == [1, 2, 3]

    run(main())


def test_a_cancelled_future_raises_inside_the_coroutine():
    @gen.coroutine
    def coroutine(future):
        try:
            yield future
        except asyncio.CancelledError:
            return "cancelled"

    async def main():
        for delay in (False, True):
            future = gen.Future()
            result = coroutine(future) if delay else None
            future.cancel()
            assert await (result or coroutine(future)) == "cancelled"

    run(main())


def test_a_coroutine_that_lets_cancellation_through_is_cancelled():
    @gen.coroutine
    def coroutine(future):
        yield future

    async def main():
        future = gen.Future()
        result = coroutine(future)
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await result
        assert result.cancelled()

    run(main())


def test_cancelling_the_result_does_not_stop_the_coroutine():
    ended = []

    @gen.coroutine
    def coroutine():
        yield gen.sleep(0.01)
        ended.append(True)

    async def main():
        coroutine().cancel()
        await asyncio.sleep(0.03)

    run(main())
    assert ended == [True]


def test_an_exception_after_cancellation_is_logged():
    @gen.coroutine
    def coroutine():
        yield None
        raise ValueError

    async def main():
        coroutine().cancel()
        with ExpectLog("tornado.application", "Exception after Future was cancelled"):
            await asyncio.sleep(0.01)

    run(main())


def test_what_cannot_be_yielded_raises_at_the_yield():
    @gen.coroutine
    def coroutine():
        try:
            yield 42
        except gen.BadYieldError as e:
            return str(e)

    assert run(coroutine_as_native(coroutine)) == "yielded unknown object 42"


async def coroutine_as_native(coroutine):
    return await coroutine()


def test_tracebacks_show_the_users_lines_only_once():
    @gen.coroutine
    def inner():
        yield None
        raise ValueError("here")

    @gen.coroutine
    def outer():
        yield inner()

    async def main():
        try:
            await outer()
        except ValueError as e:
            names = [frame.name for frame in traceback.extract_tb(e.__traceback__)]
            assert names.count("inner") == 1
            assert names.count("outer") == 1
            assert "_error_of" not in names

    run(main())


def test_types_that_were_registered_can_be_yielded():
    class Promise:
        pass

    @gen.convert_yielded.register(Promise)
    def _(promise):
        future = gen.Future()
        future.set_result("kept")
        return future

    @gen.coroutine
    def coroutine():
        return (yield Promise())

    assert run(coroutine_as_native(coroutine)) == "kept"


def test_an_error_in_a_registered_conversion_raises_at_the_yield():
    class Promise:
        pass

    @gen.convert_yielded.register(Promise)
    def _(promise):
        raise ZeroDivisionError

    @gen.coroutine
    def coroutine():
        try:
            yield Promise()
        except ZeroDivisionError:
            return "caught"

    assert run(coroutine_as_native(coroutine)) == "caught"


def test_native_coroutines_can_be_delegated_to():
    async def native():
        await asyncio.sleep(0)
        return 42

    @gen.coroutine
    def coroutine():
        return (yield from native().__await__())

    assert run(coroutine_as_native(coroutine)) == 42


def test_futures_of_threads_can_be_yielded_alone_and_together():
    @gen.coroutine
    def coroutine(pool):
        one = yield pool.submit(lambda: 1)
        rest = yield [pool.submit(lambda: 2), gen.sleep(0), pool.submit(lambda: 3)]
        return [one, *rest]

    async def main():
        with futures.ThreadPoolExecutor(2) as pool:
            assert await coroutine(pool) == [1, 2, None, 3]

    run(main())


def test_every_step_runs_in_one_copy_of_the_callers_context():
    @gen.coroutine
    def coroutine():
        assert variable.get() == "caller"
        token = variable.set("coroutine")
        yield gen.sleep(0)
        assert variable.get() == "coroutine"
        yield None
        variable.reset(token)
        assert variable.get() == "caller"

    async def main():
        variable.set("caller")
        future = coroutine()
        assert variable.get() == "caller"
        await future

    run(main())


def test_return_has_the_value_where_asyncio_looks_for_it():
    assert gen.Return(42).args == (42,)
    assert gen.Return().value is None


def test_finished_coroutines_leave_no_cycles():
    @gen.coroutine
    def fails(wait):
        if wait:
            yield gen.sleep(0)
        raise ValueError

    @gen.coroutine
    def works():
        yield None
        yield gen.sleep(0)
        for wait in (False, True):
            try:
                yield fails(wait)
            except ValueError:
                pass
        try:
            yield 42
        except gen.BadYieldError:
            pass
        return (yield [gen.sleep(0), gen.with_timeout(datetime.timedelta(seconds=1), gen.sleep(0))])

    @gen.coroutine
    def lets_through():
        yield fails(True)

    async def main():
        await works()
        with no_garbage():
            await works()
            try:
                await lets_through()
            except ValueError:
                pass
            try:
                await fails(False)
            except ValueError:
                pass
            await asyncio.sleep(0)

    run(main())


def test_a_coroutine_that_nobody_can_wake_is_collected():
    finalised = []

    @gen.coroutine
    def coroutine():
        try:
            yield gen.Future()
        finally:
            finalised.append(True)

    async def main():
        coroutine()
        gc.collect()
        assert finalised == [True]

    run(main())


def test_a_coroutine_lives_as_long_as_its_future():
    async def main():
        inner = gen.Future()

        @gen.coroutine
        def coroutine(future):
            return (yield future)

        result = coroutine(inner)
        alive = weakref.ref(inner)
        del inner
        gc.collect()
        alive().set_result(42)
        assert await result == 42

    run(main())


def test_multi_raises_the_first_error_in_order_and_logs_the_others():
    async def fail(error, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        raise error

    async def main():
        with ExpectLog("tornado.application", "Multiple exceptions in yield list"):
            with pytest.raises(KeyError):
                await gen.multi([fail(KeyError(), 3), fail(ValueError(), 1)])
        with pytest.raises(KeyError):
            await gen.multi([fail(KeyError(), 3), fail(ValueError(), 1)], quiet_exceptions=ValueError)

    run(main())


def test_multi_treats_cancellation_of_a_child_as_its_error():
    async def main():
        child, other = gen.Future(), gen.Future()
        result = gen.multi([child, other])
        child.cancel()
        other.set_result(1)
        with pytest.raises(asyncio.CancelledError):
            await result

    run(main())


def test_multi_takes_anything_that_can_be_yielded():
    async def native():
        return "native"

    async def main():
        assert await gen.multi({"a": native(), "b": None, "c": [native()]}) == {"a": "native", "b": None, "c": ["native"]}

    run(main())


def test_multi_of_a_generator_waits_for_what_it_gives():
    async def main():
        assert await gen.multi(gen.maybe_future(i) for i in range(3)) == [0, 1, 2]

    run(main())


def test_a_late_error_is_logged_unless_it_is_quiet(caplog):
    async def fail(error):
        await asyncio.sleep(0.02)
        raise error

    async def main():
        for error, quiet in ((ValueError(), ()), (KeyError(), KeyError)):
            with pytest.raises(gen.TimeoutError):
                await gen.with_timeout(datetime.timedelta(0), fail(error), quiet_exceptions=quiet)
        await asyncio.sleep(0.05)

    run(main())
    assert ["Exception in Future" in r.getMessage() for r in caplog.records] == [True]


def test_a_timeout_does_not_cancel():
    async def main():
        inner = gen.Future()
        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(datetime.timedelta(0), inner)
        assert not inner.cancelled()

    run(main())


def test_a_result_in_time_leaves_no_timer():
    async def main():
        await gen.with_timeout(datetime.timedelta(hours=1), gen.sleep(0.001))
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        late = [handle for handle in loop._scheduled if handle.when() > loop.time() + 1800 and not handle.cancelled()]
        assert late == []

    run(main())


def test_a_future_given_twice_to_a_wait_iterator_comes_once():
    async def main():
        future = gen.Future()
        iterator = gen.WaitIterator(future, future)
        future.set_result(1)
        assert [result async for result in iterator] == [1]

    run(main())


def test_a_wait_iterator_names_what_it_gives():
    async def main():
        with futures.ThreadPoolExecutor(1) as pool:
            iterator = gen.WaitIterator(slow=gen.sleep(0.05), fast=pool.submit(int))
            names = []
            async for _ in iterator:
                names.append(iterator.current_index)
        assert names == ["fast", "slow"]

    run(main())


def test_maybe_future_wraps_what_is_no_future():
    async def main():
        future = gen.Future()
        assert gen.maybe_future(future) is future
        assert await gen.maybe_future(42) == 42

    run(main())


def test_debug_mode_names_the_place_of_the_call():
    async def main():
        asyncio.get_running_loop().set_debug(True)
        for future in (gen.sleep(0), gen.multi([]), gen.coroutine(lambda: None)()):
            assert f"created at {__file__}" in repr(future)

    run(main())
