"""Coroutines written as generators, from the time before ``async def``, and tools for waiting on several things.

New code writes ``async def`` and ``await``. A generator under `coroutine` does the same with ``yield``, and the two kinds
can wait for each other:

.. code-block:: python

    @gen.coroutine
    def fetch_both(client):
        first, second = yield [client.fetch(URL_1), client.fetch(URL_2)]
        return first.body + second.body

    async def main():
        body = await fetch_both(AsyncHTTPClient())

What may be yielded: a future, an awaitable, a list or dict of such (they are waited for together, see `multi`), ``None``
(for one turn of the loop), and whatever was registered with `convert_yielded`.
"""

import asyncio
import contextvars
import datetime
import functools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from functools import singledispatch
from inspect import isawaitable
from types import CoroutineType, GeneratorType
from typing import Any, TypeVar, cast, overload

from tornado.concurrent import (
    Future,
    chain_future,
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
    is_future,
)
from tornado.concurrent import ReturnValueIgnoredError as ReturnValueIgnoredError
from tornado.ioloop import IOLoop
from tornado.log import app_log
from tornado.util import TimeoutError as TimeoutError

_T = TypeVar("_T")

_Yieldable = Any
_QuietExceptions = type[Exception] | tuple[type[Exception], ...]


class KeyReuseError(Exception):
    """Kept because applications import it; nothing raises it."""


class UnknownKeyError(Exception):
    """Kept because applications import it; nothing raises it."""


class LeakedCallbackError(Exception):
    """Kept because applications import it; nothing raises it."""


class BadYieldError(Exception):
    """A coroutine yielded something that cannot be waited for."""


class Return(Exception):
    """Raised in a `coroutine` to return a value, in place of the ``return`` statement.

    .. code-block:: python

        @gen.coroutine
        def fetch_json(client, url):
            response = yield client.fetch(url)
            raise gen.Return(json_decode(response.body))

    Generators could not return values in Python 2. It still works everywhere in a coroutine.
    """

    def __init__(self, value: Any = None) -> None:
        super().__init__()
        self.value = value
        # So that subclasses and asyncio, which know StopIteration only, find the value where that has it.
        self.args = (value,)


def _create_future() -> "Future[Any]":
    """Make a future whose debug information names the place that called into this module."""
    future: Future[Any] = Future()
    trace = getattr(future, "_source_traceback", None)
    while trace and trace[-1].filename == _THIS_FILE:
        del trace[-1]
    return future


_THIS_FILE = _create_future.__code__.co_filename


def coroutine(func: "Callable[..., Generator[Any, Any, _T] | _T]") -> "Callable[..., Future[_T]]":
    """Decorator that makes a coroutine of a generator.

    .. code-block:: python

        @gen.coroutine
        def pause(seconds):
            yield gen.sleep(seconds)
            return "rested"

        result = await pause(1)

    The function runs at once, up to the first ``yield`` of something that is not done. The call returns a `.Future`, which
    must be waited for: an exception is kept there, and is lost if nobody looks.

    All of it runs in a copy of the caller's context (see `contextvars`). A function that is no generator can be decorated
    too; its value or exception becomes that of the future.

    .. versionchanged:: 6.0
       The ``callback`` argument was removed.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> "Future[_T]":
        future = _create_future()
        context = contextvars.copy_context()
        context.run(_begin, context, future, func, args, kwargs)
        # An exception's traceback may lead to this frame; without the name no cycle comes of it.
        try:
            return future
        finally:
            del future

    wrapper.__tornado_coroutine__ = True  # type: ignore[attr-defined]
    return wrapper


def is_coroutine_function(func: Any) -> bool:
    """Whether a function was decorated with `coroutine`.

    >>> is_coroutine_function(coroutine(lambda: None)), is_coroutine_function(len)
    (True, False)

    .. versionadded:: 4.5
    """
    return getattr(func, "__tornado_coroutine__", False)


def _begin(
    context: contextvars.Context,
    future: "Future[Any]",
    func: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Call the function of a coroutine and, if it is a generator, run that as far as it goes. Runs in ``context``."""
    try:
        result = func(*args, **kwargs)
    except (Return, StopIteration) as e:
        future.set_result(e.value)
    except (Exception, asyncio.CancelledError) as e:
        _set_error(future, e)
    else:
        if type(result) is GeneratorType or isinstance(result, Generator):
            Runner(result, future, context).resume(None)
        else:
            future.set_result(result)
    finally:
        # As in the wrapper above.
        del future


def _set_error(future: "Future[Any]", error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    else:
        future_set_exception_unless_cancelled(future, error)


class Runner:
    """Runs the generator of one coroutine. For the use of `coroutine` only.

    The generator is alive as long as something will wake it or wait for it: what it waits for holds the runner by a
    callback, and the future of the coroutine holds it by an attribute. When it ends, both let go, so that no cycle is left
    and everything is freed at once.
    """

    __slots__ = ("_context", "_future", "_generator", "__weakref__")

    def __init__(
        self, generator: "Generator[Any, Any, Any]", future: "Future[Any]", context: contextvars.Context
    ) -> None:
        self._generator = generator
        self._future: Future[Any] | None = future
        self._context = context
        future._tornado_runner = self  # type: ignore[attr-defined]

    def resume(self, awaited: "Future[Any] | None") -> None:
        """Hand the outcome of ``awaited``, which is done, to the generator and run it until it has to wait.

        ``None`` stands for a future with the result ``None``. Runs in the coroutine's context.
        """
        generator = self._generator
        try:
            while True:
                if awaited is None:
                    yielded = generator.send(None)
                else:
                    error = _error_of(awaited)
                    if error is None:
                        yielded = generator.send(awaited.result())
                    else:
                        yielded = generator.throw(error)
                        error = None
                if yielded is None or yielded is moment:
                    self._wait_a_turn()
                    return
                awaited = yielded if isinstance(yielded, Future) else self._convert(yielded)
                yielded = None
                if awaited is moment:
                    self._wait_a_turn()
                    return
                if not awaited.done():
                    self._wait_for(awaited)
                    return
        except (StopIteration, Return) as e:
            future_set_result_unless_cancelled(self._detach(), e.value)
        except (Exception, asyncio.CancelledError) as e:
            _set_error(self._detach(), e)
        finally:
            # The traceback of an exception that came through here holds this frame: leave nothing in it to form a cycle.
            awaited = error = None

    def _convert(self, yielded: Any) -> "Future[Any]":
        """Return a future for what was yielded. If there is none, the error becomes one, to be raised by ``yield``."""
        try:
            return convert_yielded(yielded)
        except Exception as e:
            future: Future[Any] = Future()
            future.set_exception(e)
            try:
                return future
            finally:
                del future

    def _wait_a_turn(self) -> None:
        assert self._future is not None
        self._future.get_loop().call_soon(self.resume, None, context=self._context)

    def _wait_for(self, awaited: "Future[Any]") -> None:
        assert self._future is not None
        _call_when_done(awaited, self.resume, self._future.get_loop(), self._context)

    def _detach(self) -> "Future[Any]":
        """Let the future of the coroutine and this object forget each other; return the future."""
        future = self._future
        assert future is not None
        self._future = None
        del future._tornado_runner  # type: ignore[attr-defined]
        try:
            return future
        finally:
            del future


def _error_of(future: Any) -> BaseException | None:
    """Return the exception of a future that is done, a cancellation included, without raising it.

    Raising it here would add our frames to its traceback, to the confusion of whoever reads that.
    """
    if not future.cancelled():
        return cast(BaseException | None, future.exception())
    try:
        future.result()
    except BaseException as e:
        return e
    return None


def _call_when_done(
    future: Any,
    callback: Callable[[Any], None],
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context | None = None,
) -> None:
    """Call back on the loop when the future, of either kind, is done."""
    if isinstance(future, Future):
        future.add_done_callback(callback, context=context)
    else:
        # It may be done on any thread.
        future.add_done_callback(functools.partial(_call_soon_from_thread, loop, context, callback))


def _call_soon_from_thread(
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context | None,
    callback: Callable[[Any], None],
    future: Any,
) -> None:
    try:
        loop.call_soon_threadsafe(callback, future, context=context)
    except RuntimeError:
        # A loop that was closed runs no callbacks, as everywhere.
        if not loop.is_closed():
            raise


def _loop() -> asyncio.AbstractEventLoop:
    """Return the current asyncio loop, as `.IOLoop.current` sees it."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return IOLoop.current().asyncio_loop


class _Moment:
    """The type of `moment`. It looks like a future that is done, so it may stand among others."""

    def result(self, timeout: float | None = None) -> None:
        return None

    def exception(self, timeout: float | None = None) -> None:
        return None

    def done(self) -> bool:
        return True

    def cancelled(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<tornado.gen.moment>"


#: Yielded in a `coroutine`, lets one turn of the loop pass, so that others may run.
#:
#: .. code-block:: python
#:
#:     @gen.coroutine
#:     def compute():
#:         for part in parts:
#:             work(part)
#:             yield gen.moment
#:
#: In ``async def``, use ``await asyncio.sleep(0)``.
#:
#: .. versionadded:: 4.0
#:
#: .. deprecated:: 4.5
#:    ``yield None``, or ``yield`` alone, does the same.
moment = cast("Future[None]", _Moment())


class WaitIterator:
    """Gives the results of several futures in the order in which they are done.

    .. code-block:: python

        waiting = gen.WaitIterator(future1, future2)
        async for result in waiting:
            print(waiting.current_index, result)

    With named futures, ``WaitIterator(first=future1)``, the index is the name. An exception comes out of the loop; go on
    by looping over the same iterator again, or handle each one:

    .. code-block:: python

        while not waiting.done():
            try:
                result = await waiting.next()
            except Exception as e:
                print("error", e, "from", waiting.current_future)

    Raises `ValueError` when there are both positional and named arguments.

    .. versionadded:: 4.1

    .. versionchanged:: 4.3
       Can be used with ``async for``.
    """

    #: The position or name of the future that `next` gave the result of.
    current_index: None | int | str
    #: That future itself.
    current_future: "Future[Any] | None"

    def __init__(self, *args: "Future[Any]", **kwargs: "Future[Any]") -> None:
        if args and kwargs:
            raise ValueError("You must provide args or kwargs, not both")
        named: Iterable[tuple[Any, Any]] = kwargs.items() if kwargs else enumerate(args)
        # A future that was given twice is waited for once.
        self._unfinished: dict[Future[Any], int | str] = {future: name for name, future in named}
        self._finished: deque[Future[Any]] = deque()
        self._waiting: Future[Any] | None = None
        self.current_index = self.current_future = None
        for future in self._unfinished:
            if future.done():
                self._finished.append(future)
            else:
                _call_when_done(future, self._on_done, _loop())

    def done(self) -> bool:
        """Whether there are no more results."""
        if self._unfinished:
            return False
        self.current_index = self.current_future = None
        return True

    def next(self) -> "Future[Any]":
        """Return a future of the next result.

        `current_index` and `current_future` are set when it is done. Do not call this again before that.
        """
        result = self._waiting = Future()
        if self._finished:
            self._give(self._finished.popleft())
        return result

    def _on_done(self, future: "Future[Any]") -> None:
        if self._waiting is not None and not self._waiting.done():
            self._give(future)
        else:
            self._finished.append(future)

    def _give(self, future: "Future[Any]") -> None:
        assert self._waiting is not None
        chain_future(future, self._waiting)
        self._waiting = None
        self.current_future = future
        self.current_index = self._unfinished.pop(future)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __anext__(self) -> "Future[Any]":
        if self.done():
            raise StopAsyncIteration()
        return self.next()


@overload
def multi(
    children: Sequence[_Yieldable], quiet_exceptions: _QuietExceptions = ()
) -> "Future[list[Any]]": ...
@overload
def multi(
    children: Mapping[Any, _Yieldable], quiet_exceptions: _QuietExceptions = ()
) -> "Future[dict[Any, Any]]": ...
def multi(
    children: Sequence[_Yieldable] | Mapping[Any, _Yieldable], quiet_exceptions: _QuietExceptions = ()
) -> "Future[Any]":
    """Wait for several things at a time.

    .. code-block:: python

        first, second = await gen.multi([client.fetch(URL_1), client.fetch(URL_2)])
        bodies = await gen.multi({"one": read(1), "two": read(2)})

    ``children``: a list or dict of anything that can be yielded; the result is one of the same kind. In a `coroutine` the
    list or dict itself may be yielded instead.

    ``quiet_exceptions``: exceptions of these types are not logged.

    Waits for all, even when one fails. Then raises the first exception in the order of the children, and logs the others.
    Nothing is cancelled, for the same future may be waited for elsewhere.

    .. versionchanged:: 4.2
       All children are waited for before an exception is raised. Added ``quiet_exceptions``.

    .. versionchanged:: 4.3
       Accepts any yieldable, not futures alone.
    """
    future = _create_future()
    _Gathering(future, children, quiet_exceptions)
    return future


Multi = multi
multi_future = multi


class _Gathering:
    """One call of `multi`: the children, and how many of them are not done."""

    __slots__ = ("_children", "_future", "_keys", "_quiet_exceptions", "_waiting")

    def __init__(self, future: "Future[Any]", children: Any, quiet_exceptions: _QuietExceptions) -> None:
        self._future = future
        self._quiet_exceptions = quiet_exceptions
        self._keys: list[Any] | None = None
        if isinstance(children, dict):
            self._keys = list(children)
            children = children.values()
        self._children = [convert_yielded(child) for child in children]
        # One child may be there several times.
        pending = {child for child in self._children if not child.done()}
        self._waiting = len(pending)
        if not pending:
            self._finish()
            return
        loop = future.get_loop()
        for child in pending:
            _call_when_done(child, self._on_done, loop)

    def _on_done(self, child: "Future[Any]") -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self._finish()

    def _finish(self) -> None:
        future = self._future
        results = []
        for child in self._children:
            error = _error_of(child)
            if error is None:
                results.append(child.result())
            elif not future.done():
                future.set_exception(error)
            elif not isinstance(error, self._quiet_exceptions) and not isinstance(error, asyncio.CancelledError):
                app_log.error("Multiple exceptions in yield list", exc_info=error)
        if not future.done():
            future.set_result(results if self._keys is None else dict(zip(self._keys, results)))


def maybe_future(x: Any) -> "Future[Any]":
    """Return ``x`` if it is a future, and otherwise a future of which it is the result.

    .. deprecated:: 4.3
       It knows futures only, not awaitables; use `convert_yielded`, or test with `inspect.isawaitable`.
    """
    if is_future(x):
        return cast("Future[Any]", x)
    future = _create_future()
    future.set_result(x)
    return future


def with_timeout(
    timeout: float | datetime.timedelta,
    future: _Yieldable,
    quiet_exceptions: _QuietExceptions = (),
) -> "Future[Any]":
    """Wait for something, but not beyond a deadline.

    .. code-block:: python

        try:
            response = await gen.with_timeout(timedelta(seconds=5), client.fetch(URL))
        except gen.TimeoutError:
            response = None

    ``timeout``: a deadline as for `.IOLoop.add_timeout`, that is a `~datetime.timedelta`, or a number on the scale of
    `.IOLoop.time`; not a number of seconds.

    ``future``: anything that can be yielded. It goes on after the deadline; use `asyncio.wait_for` to have it cancelled.

    ``quiet_exceptions``: what it raises after the deadline is logged, except for exceptions of these types and
    cancellation.

    Raises `TimeoutError` when the deadline passes first.

    .. versionadded:: 4.0

    .. versionchanged:: 4.1
       Added ``quiet_exceptions``.

    .. versionchanged:: 4.4
       Accepts any yieldable.

    .. versionchanged:: 6.0.3
       `asyncio.CancelledError` is always quiet.
    """
    converted = convert_yielded(future)
    result = _create_future()
    if converted.done():
        chain_future(converted, result)
        return result
    loop = IOLoop.current()

    def expire() -> None:
        if not result.done():
            result.set_exception(TimeoutError("Timeout"))
            _call_when_done(converted, functools.partial(_log_late_error, quiet_exceptions), loop.asyncio_loop)

    handle = loop.add_timeout(timeout, expire)
    result.add_done_callback(lambda _: loop.remove_timeout(handle))
    chain_future(converted, result)
    return result


def _log_late_error(quiet_exceptions: _QuietExceptions, future: "Future[Any]") -> None:
    error = _error_of(future)
    if error is not None and not isinstance(error, (asyncio.CancelledError, quiet_exceptions)):
        app_log.error("Exception in Future %r after timeout", future, exc_info=error)


def sleep(duration: float) -> "Future[None]":
    """Return a future that is done in ``duration`` seconds.

    .. code-block:: python

        yield gen.sleep(0.5)

    In ``async def`` `asyncio.sleep` does the same. `time.sleep` would stop everything.

    .. versionadded:: 4.1
    """
    future = _create_future()
    future.get_loop().call_later(duration, _wake, future)
    return future


def _wake(sleeper: "Future[None]") -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _of_awaitable(awaitable: "Awaitable[_T]") -> "Future[_T]":
    """Run an awaitable as a task. The loop remembers it, because asyncio would let it be collected while it waits."""
    loop = IOLoop.current()
    task = asyncio.ensure_future(awaitable, loop=loop.asyncio_loop)
    loop._register_task(task)
    return task


@singledispatch
def _convert_other(yielded: _Yieldable) -> "Future[Any]":
    if isinstance(yielded, (list, dict)):
        return multi(yielded)
    if is_future(yielded):
        return cast("Future[Any]", yielded)
    if isawaitable(yielded):
        return _of_awaitable(yielded)
    raise BadYieldError(f"yielded unknown object {yielded!r}")


def convert_yielded(yielded: _Yieldable) -> "Future[Any]":
    """Return a future of something that can be yielded.

    Frameworks with types of their own teach it about them:

    .. code-block:: python

        @gen.convert_yielded.register(Deferred)
        def _(deferred):
            return deferred.asFuture(asyncio.get_running_loop())

    The future is one of `concurrent.futures` if the argument is. Raises `BadYieldError` for what cannot be waited for.

    .. versionadded:: 4.1
    """
    # The kinds that matter for speed come before the search by type.
    if yielded is None or yielded is moment:
        return moment
    if isinstance(yielded, Future):
        return yielded
    if type(yielded) is CoroutineType:
        return _of_awaitable(yielded)
    return _convert_other(yielded)


convert_yielded.register = _convert_other.register  # type: ignore[attr-defined]
convert_yielded.dispatch = _convert_other.dispatch  # type: ignore[attr-defined]
convert_yielded.registry = _convert_other.registry  # type: ignore[attr-defined]
