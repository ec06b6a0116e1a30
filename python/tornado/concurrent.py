"""Futures, and the threads and processes that complete them.

`Future` is asyncio's own class; there is no other in this package. What this module adds are the few operations which
Tornado needs on any future, asyncio's or that of `concurrent.futures`, and `run_on_executor`.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401  Whoever has this module may count on that one being loaded.
import functools
from collections.abc import Callable
from concurrent import futures
from types import TracebackType
from typing import Any, TypeVar, Union

from tornado.log import app_log

_T = TypeVar("_T")


class ReturnValueIgnoredError(Exception):
    """Kept because applications import it; nothing raises it."""


Future = asyncio.Future

FUTURES = (futures.Future, Future)


def is_future(x: Any) -> bool:
    """Whether something is a future of asyncio or of `concurrent.futures`.

    >>> is_future(futures.Future()), is_future(42)
    (True, False)
    """
    return isinstance(x, FUTURES)


class DummyExecutor(futures.Executor):
    """An executor that runs each function at once, in the thread that submits it.

    >>> dummy_executor.submit(len, "four").result()
    4
    """

    def submit(  # type: ignore[override]
        self, fn: Callable[..., _T], *args: Any, **kwargs: Any
    ) -> "futures.Future[_T]":
        future: futures.Future[_T] = futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as e:
            future.set_exception(e)
            # The traceback holds this frame, and the frame would hold the future.
            try:
                return future
            finally:
                del future
        return future

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        """Do nothing: no work is ever left over."""


dummy_executor = DummyExecutor()


def run_on_executor(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Decorator that runs a method on the executor of its object, and returns a `Future` of the result.

    .. code-block:: python

        class Files:
            executor = concurrent.futures.ThreadPoolExecutor(4)

            @run_on_executor
            def read(self, path):
                with open(path, "rb") as f:
                    return f.read()

        data = await Files().read("/etc/hosts")

    The executor is the attribute ``executor``, or the one named by ``@run_on_executor(executor="name")``. To run any
    function on an executor, `.IOLoop.run_in_executor` may be simpler.

    Raises `ValueError` when the decorator itself gets both a function and options.

    .. versionchanged:: 5.0
       The future is one of asyncio, and the method always runs on the executor.
    """
    if args and kwargs:
        raise ValueError("cannot combine positional and keyword args")
    if len(args) > 1:
        raise ValueError(f"expected 1 argument, got {len(args)}")
    attribute = kwargs.get("executor", "executor")

    def decorator(fn: Callable[..., _T]) -> Callable[..., "Future[_T]"]:
        @functools.wraps(fn)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> "Future[_T]":
            result: Future[_T] = Future()
            chain_future(getattr(self, attribute).submit(fn, self, *args, **kwargs), result)
            return result

        return wrapper

    return decorator(args[0]) if args else decorator


def chain_future(
    a: Union["Future[_T]", "futures.Future[_T]"], b: Union["Future[_T]", "futures.Future[_T]"]
) -> None:
    """Give ``b`` the outcome of ``a`` when that is known, unless ``b`` is done by then.

    Either may be of either kind. If ``a`` belongs to `concurrent.futures`, ``b`` is completed on the current event loop.

    .. versionchanged:: 5.0
       Accepts both kinds of futures. ``b`` is cancelled if ``a`` is.
    """
    copy = functools.partial(_copy_outcome, b)
    if isinstance(a, Future):
        future_add_done_callback(a, copy)
    else:
        from tornado.ioloop import IOLoop

        IOLoop.current().add_future(a, copy)


def _copy_outcome(target: Any, source: Any) -> None:
    if target.done():
        return
    if source.cancelled():
        target.cancel()
        return
    error = source.exception()
    if error is None:
        target.set_result(source.result())
    else:
        target.set_exception(error)


def future_set_result_unless_cancelled(
    future: "futures.Future[_T] | Future[_T]", value: _T
) -> None:
    """Set the result of a future, unless it was cancelled.

    An asyncio future that was cancelled would raise `asyncio.InvalidStateError` otherwise.

    .. versionadded:: 5.0
    """
    if not future.cancelled():
        future.set_result(value)


def future_set_exception_unless_cancelled(
    future: "futures.Future[_T] | Future[_T]", exc: BaseException
) -> None:
    """Set the exception of a future. If it was cancelled, log the exception instead, so it is not lost.

    .. versionadded:: 6.0
    """
    if not future.cancelled():
        future.set_exception(exc)
    else:
        app_log.error("Exception after Future was cancelled", exc_info=exc)


def future_set_exc_info(
    future: "futures.Future[_T] | Future[_T]",
    exc_info: tuple[type[BaseException] | None, BaseException | None, TracebackType | None],
) -> None:
    """Set the exception of a future from what `sys.exc_info` returned. Does what
    `future_set_exception_unless_cancelled` does when it was cancelled.

    .. versionadded:: 5.0
    """
    if exc_info[1] is None:
        raise Exception("future_set_exc_info called with no exception")
    future_set_exception_unless_cancelled(future, exc_info[1])


def future_add_done_callback(future: Any, callback: Callable[[Any], None]) -> None:
    """Call ``callback(future)`` when the future is done; at once if it is already.

    The method ``add_done_callback`` of an asyncio future waits for the next turn of the loop in that case.

    .. versionadded:: 5.0
    """
    if future.done():
        callback(future)
    else:
        future.add_done_callback(callback)
