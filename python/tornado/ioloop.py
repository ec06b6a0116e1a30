"""The event loop: a thin face over asyncio's.

`IOLoop` is how Tornado has always named the loop of the current thread. Today every `IOLoop` stands on an asyncio loop
(`tornado.platform.asyncio` holds the classes that do so), the two may be used side by side, and new programs rarely need
more of this module than `PeriodicCallback` and `IOLoop.current`:

.. code-block:: python

    import asyncio
    from tornado.ioloop import IOLoop, PeriodicCallback

    async def main():
        PeriodicCallback(lambda: print("tick"), 1000).start()
        IOLoop.current().call_later(5, print, "five seconds later")
        await asyncio.Event().wait()

    asyncio.run(main())
"""

import asyncio
import concurrent.futures
import datetime
import functools
import math
import numbers
import os
import random
import warnings
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar, overload

from tornado.concurrent import Future, future_add_done_callback, is_future
from tornado.log import app_log
from tornado.util import Configurable, TimeoutError, import_object

__all__ = ["IOLoop", "PeriodicCallback", "TimeoutError"]

_T = TypeVar("_T")

#: What `IOLoop.add_handler` accepts: a number, or anything with ``fileno`` and ``close``.
_Selectable = Any

_HandlerFunction = Callable[[Any, int], None]


class IOLoop(Configurable):
    """The event loop of a thread, over asyncio.

    .. code-block:: python

        def on_connection(server, fd, events):
            while True:
                try:
                    connection, address = server.accept()
                except BlockingIOError:
                    return
                connection.close()

        async def main():
            server = socket.create_server(("127.0.0.1", 8888))
            server.setblocking(False)
            IOLoop.current().add_handler(server, functools.partial(on_connection, server), IOLoop.READ)
            await asyncio.Event().wait()

        asyncio.run(main())

    An ``IOLoop`` belongs to a thread, and only `add_callback` may be called from another one.

    ``make_current``: whether the new loop becomes the one of the calling thread, so that `current` returns it.

    ``asyncio_loop``: the asyncio loop to stand on; a new one if not given. Raises `RuntimeError` when it has an
    ``IOLoop`` already.

    .. versionchanged:: 5.0
       Stands on asyncio always.

    .. versionchanged:: 6.2
       The ``asyncio_loop`` argument. A loop may be made in one thread and started in another.
    """

    # The kinds of readiness, with the numbers of epoll.
    NONE = 0
    READ = 0x001
    WRITE = 0x004
    ERROR = 0x018

    # One IOLoop for each asyncio loop. What asyncio closed is dropped when the next IOLoop is made.
    _ioloop_for_asyncio: "dict[asyncio.AbstractEventLoop, IOLoop]" = {}

    #: The asyncio loop beneath.
    #:
    #: .. versionadded:: 5.0
    asyncio_loop: asyncio.AbstractEventLoop

    @classmethod
    def configure(cls, impl: "None | str | type[Configurable]", **kwargs: Any) -> None:
        """Choose the implementation. Only subclasses of `.BaseAsyncIOLoop` are left to choose from.

        Raises `RuntimeError` for another class.
        """
        from tornado.platform.asyncio import BaseAsyncIOLoop

        if isinstance(impl, str):
            impl = import_object(impl)
        if isinstance(impl, type) and not issubclass(impl, BaseAsyncIOLoop):
            raise RuntimeError("only AsyncIOLoop is allowed when asyncio is available")
        super().configure(impl, **kwargs)

    @staticmethod
    def instance() -> "IOLoop":
        """Another name of `current`, kept for old programs."""
        return IOLoop.current()

    def install(self) -> None:
        """Another name of `make_current`, kept for old programs."""
        self.make_current()

    @staticmethod
    def clear_instance() -> None:
        """Another name of `clear_current`, kept for old programs."""
        IOLoop.clear_current()

    @overload
    @staticmethod
    def current() -> "IOLoop": ...
    @overload
    @staticmethod
    def current(instance: bool = True) -> "IOLoop | None": ...
    @staticmethod
    def current(instance: bool = True) -> "IOLoop | None":
        """Return the loop of this thread.

        Inside a running asyncio loop that is the ``IOLoop`` over it. Otherwise it is the one that was made current, and
        if there is none, a new one, or ``None`` when ``instance`` is false.

        .. versionchanged:: 5.0
           Follows asyncio's idea of the current loop.
        """
        try:
            return IOLoop._ioloop_for_asyncio[asyncio.get_running_loop()]
        except (RuntimeError, KeyError):
            pass
        try:
            asyncio_loop = asyncio.get_event_loop()
        except RuntimeError:
            if not instance:
                return None
            asyncio_loop = asyncio.new_event_loop()
            asyncio.set_event_loop(asyncio_loop)
        current = IOLoop._ioloop_for_asyncio.get(asyncio_loop)
        if current is None and instance:
            from tornado.platform.asyncio import AsyncIOMainLoop

            current = AsyncIOMainLoop()
        return current

    def make_current(self) -> None:
        """Make this the loop of the calling thread.

        A loop becomes current by itself while it runs, so this is needed only to name it before that.

        .. deprecated:: 6.2
           Set-up belongs inside the running loop.
        """
        warnings.warn("make_current is deprecated; start the event loop first", DeprecationWarning, stacklevel=2)
        self._make_current()

    def _make_current(self) -> None:
        raise NotImplementedError()

    @staticmethod
    def clear_current() -> None:
        """Let the calling thread have no current loop.

        .. deprecated:: 6.2
           As `make_current`.
        """
        warnings.warn("clear_current is deprecated", DeprecationWarning, stacklevel=2)
        IOLoop._clear_current()

    @staticmethod
    def _clear_current() -> None:
        current = IOLoop.current(instance=False)
        if current is not None:
            current._clear_current_hook()

    def _clear_current_hook(self) -> None:
        """Undo `_make_current`, where there is something to undo."""

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return IOLoop

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        from tornado.platform.asyncio import AsyncIOLoop

        return AsyncIOLoop

    def initialize(self, make_current: bool = True) -> None:
        # Tasks that nobody else may hold: asyncio itself keeps weak references only.
        self._pending_tasks: set[Future[Any]] = set()
        if make_current:
            self._make_current()

    def close(self, all_fds: bool = False) -> None:
        """Close the loop and free what it holds. It must not be running.

        ``all_fds``: also close every descriptor and file object that has a handler.

        A loop which other code may still use through asyncio should rather be left alone.
        """
        raise NotImplementedError()

    def add_handler(self, fd: _Selectable, handler: _HandlerFunction, events: int) -> None:
        """Call ``handler(fd, events)`` whenever a descriptor is ready.

        ``fd``: a number or an object with ``fileno`` and ``close``; the handler gets it as it was given here.

        ``events``: a combination of ``IOLoop.READ`` and ``IOLoop.WRITE``. ``IOLoop.ERROR`` is accepted and asks for
        nothing: errors show as readiness to read or write.

        Raises `ValueError` when the descriptor has a handler already.

        .. versionchanged:: 4.0
           File objects are accepted besides numbers.
        """
        raise NotImplementedError()

    def update_handler(self, fd: _Selectable, events: int) -> None:
        """Change the events that the handler of ``fd`` is called for. Raises `ValueError` if it has none."""
        raise NotImplementedError()

    def remove_handler(self, fd: _Selectable) -> None:
        """Watch ``fd`` no longer. It does no harm if it has no handler."""
        raise NotImplementedError()

    def start(self) -> None:
        """Run the loop until a callback calls `stop`. Raises `RuntimeError` when it is running already."""
        raise NotImplementedError()

    def stop(self) -> None:
        """Let `start` return once the callbacks of the present turn have run.

        If the loop is not running, the next `start` returns after one turn.
        """
        raise NotImplementedError()

    def run_sync(self, func: Callable[..., Any], timeout: float | None = None) -> Any:
        """Start the loop, run ``func()``, stop the loop when what it returned is done, and return the result.

        .. code-block:: python

            async def main():
                return 42

            IOLoop(make_current=False).run_sync(main)

        ``func`` returns an awaitable (or anything a ``@gen.coroutine`` may yield) or ``None``.

        ``timeout``: after this many seconds the work is cancelled and `TimeoutError` raised.

        Raises what ``func`` raises, and `RuntimeError` when the loop is stopped before the work is done.

        .. versionchanged:: 6.2
           `TimeoutError` is `asyncio.TimeoutError`.
        """
        future: Future[Any] | None = None
        timed_out = False

        def run() -> None:
            nonlocal future
            try:
                result = func()
                if result is None:
                    future = Future()
                    future.set_result(None)
                else:
                    from tornado.gen import convert_yielded

                    future = convert_yielded(result)
            except Exception as e:
                future = Future()
                future.set_exception(e)
            self.add_future(future, lambda _: self.stop())

        def expire() -> None:
            nonlocal timed_out
            timed_out = True
            # A cancelled future stops the loop by its callback; one that cannot be cancelled would not.
            if future is None or not future.cancel():
                self.stop()

        self.add_callback(run)
        if timeout is not None:
            handle = self.add_timeout(self.time() + timeout, expire)
        self.start()
        if timeout is not None:
            self.remove_timeout(handle)
        if future is None or not future.done() or future.cancelled():
            if timed_out:
                raise TimeoutError(f"Operation timed out after {timeout} seconds")
            raise RuntimeError("Event loop stopped before Future completed.")
        try:
            return future.result()
        finally:
            # The traceback of its exception holds this frame, which must not hold it in turn.
            future = None

    def time(self) -> float:
        """Return the time on the clock of `add_timeout` and `call_at`, which is that of `time.time`."""
        raise NotImplementedError()

    def add_timeout(
        self, deadline: float | datetime.timedelta, callback: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> object:
        """Call ``callback(*args, **kwargs)`` at a time, and return a handle for `remove_timeout`.

        ``deadline``: a number on the scale of `IOLoop.time`, or a `~datetime.timedelta` from now on.

        Raises `TypeError` for a deadline of another type. To be called on the loop's thread.
        """
        if isinstance(deadline, datetime.timedelta):
            return self.call_later(deadline.total_seconds(), callback, *args, **kwargs)
        if isinstance(deadline, (float, int, numbers.Real)):
            return self.call_at(deadline, callback, *args, **kwargs)
        raise TypeError(f"Unsupported deadline {deadline!r}")

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> object:
        """Call ``callback(*args, **kwargs)`` in ``delay`` seconds, and return a handle for `remove_timeout`.

        .. versionadded:: 4.0
        """
        return self.call_at(self.time() + delay, callback, *args, **kwargs)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> object:
        """Call ``callback(*args, **kwargs)`` at ``when`` on the scale of `IOLoop.time`, and return a handle for
        `remove_timeout`.

        .. versionadded:: 4.0
        """
        raise NotImplementedError()

    def remove_timeout(self, timeout: object) -> None:
        """Cancel what `add_timeout`, `call_later` or `call_at` returned. It does no harm if that has happened already."""
        raise NotImplementedError()

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``callback(*args, **kwargs)`` on the next turn of the loop.

        This may be called from any thread, but not from a signal handler; all else must happen on the loop's thread, so
        this is how other threads hand work to it. On a closed loop it does nothing.
        """
        raise NotImplementedError()

    def add_callback_from_signal(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``callback(*args, **kwargs)`` on the next turn of the loop; for use in a signal handler.

        .. deprecated:: 6.4
           Use ``asyncio.AbstractEventLoop.add_signal_handler``.
        """
        raise NotImplementedError()

    def spawn_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """The same as `add_callback`, for things to be started and left to themselves.

        .. versionadded:: 4.0
        """
        self.add_callback(callback, *args, **kwargs)

    def add_future(
        self,
        future: "Future[_T] | concurrent.futures.Future[_T]",
        callback: "Callable[[Future[_T]], None]",
    ) -> None:
        """Call ``callback(future)`` on this loop when the future is done. To await it is nearly always the better way."""
        if isinstance(future, Future):
            # It is completed on the loop's thread, where asyncio then calls back.
            future.add_done_callback(functools.partial(self._run_callback, callback))
        else:
            assert is_future(future)
            # It may be completed on any thread.
            future_add_done_callback(future, functools.partial(self.add_callback, callback))

    def run_in_executor(
        self, executor: concurrent.futures.Executor | None, func: Callable[..., _T], *args: Any
    ) -> "Future[_T]":
        """Run ``func(*args)`` on an executor, the default one if it is ``None``, and return a future of the result.

        .. code-block:: python

            data = await IOLoop.current().run_in_executor(None, path.read_bytes)

        Use `functools.partial` for named arguments.

        .. versionadded:: 5.0
        """
        raise NotImplementedError()

    def set_default_executor(self, executor: concurrent.futures.Executor) -> None:
        """Choose the executor that `run_in_executor` uses for ``None``.

        .. versionadded:: 5.0
        """
        raise NotImplementedError()

    def _run_callback(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call a callback, log what it raises, and see to the awaitable it may return."""
        try:
            result = callback(*args)
            if result is not None:
                self._watch(result)
        except asyncio.CancelledError:
            pass
        except Exception:
            app_log.error("Exception in callback %r", callback, exc_info=True)

    def _watch(self, result: Any) -> None:
        from tornado import gen

        try:
            future = gen.convert_yielded(result)
        except gen.BadYieldError:
            # Callbacks often are functions whose result means nothing here.
            return
        self.add_future(future, _raise_error)

    def _register_task(self, task: "Future[Any]") -> None:
        self._pending_tasks.add(task)
        task.add_done_callback(self._pending_tasks.discard)

    def split_fd(self, fd: _Selectable) -> tuple[int, _Selectable]:
        """Return the number of a descriptor or file object, and what was given.

        .. versionadded:: 4.0
        """
        if isinstance(fd, int):
            return fd, fd
        return fd.fileno(), fd

    def close_fd(self, fd: _Selectable) -> None:
        """Close a descriptor or file object.

        .. versionadded:: 4.0
        """
        try:
            if isinstance(fd, int):
                os.close(fd)
            else:
                fd.close()
        except OSError:
            pass


def _raise_error(future: "Future[Any]") -> None:
    """Raise the exception of a future, so that `IOLoop._run_callback` logs it."""
    future.result()


class PeriodicCallback:
    """Calls a function at regular intervals, for as long as it is started.

    .. code-block:: python

        async def main():
            ticker = PeriodicCallback(lambda: print("tick"), 1000)
            ticker.start()
            await asyncio.sleep(10)
            ticker.stop()

    ``callback``: the function. If it returns an awaitable, that is awaited before the next call is scheduled, so calls
    never overlap. What it raises is logged.

    ``callback_time``: the interval, in milliseconds (not seconds, as elsewhere) or as a `~datetime.timedelta`. It is
    measured from the start of one call to the start of the next; when a call takes longer, the ones missed are skipped.

    ``jitter``: a fraction; each interval varies at random within a window of this part of it, half before and half
    after. It keeps many of them from falling into step.

    Raises `ValueError` when ``callback_time`` is not positive.

    .. versionchanged:: 5.1
       The ``jitter`` argument.

    .. versionchanged:: 6.2
       Awaitables are awaited. ``callback_time`` can be a `~datetime.timedelta`.
    """

    def __init__(
        self,
        callback: Callable[[], Awaitable[Any] | None],
        callback_time: datetime.timedelta | float,
        jitter: float = 0,
    ) -> None:
        self.callback = callback
        if isinstance(callback_time, datetime.timedelta):
            self.callback_time: float = callback_time / datetime.timedelta(milliseconds=1)
        else:
            self.callback_time = callback_time
        if self.callback_time <= 0:
            raise ValueError("Periodic callback must have a positive callback_time")
        self.jitter = jitter
        self._running = False
        self._timeout: object = None

    def start(self) -> None:
        """Begin; the first call comes after one interval. Uses the `IOLoop` that is current now."""
        # To start twice must not make it tick twice as often.
        self.stop()
        self.io_loop = IOLoop.current()
        self._running = True
        self._next_timeout = self.io_loop.time()
        self._schedule_next()

    def stop(self) -> None:
        """End. A call that is going on is not interrupted."""
        self._running = False
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None

    def is_running(self) -> bool:
        """Whether it was started and not stopped.

        .. versionadded:: 4.1
        """
        return self._running

    def _run(self) -> None:
        self._timeout = None
        if not self._running:
            return
        try:
            result = self.callback()
            if result is not None and isawaitable(result):
                from tornado.gen import convert_yielded

                convert_yielded(result).add_done_callback(self._awaited)
                return
        except Exception:
            app_log.error("Exception in callback %r", self.callback, exc_info=True)
        self._schedule_next()

    def _awaited(self, future: "Future[Any]") -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            app_log.error("Exception in callback %r", self.callback, exc_info=error)
        self._schedule_next()

    def _schedule_next(self) -> None:
        # The callback may have stopped it, or stopped and started it again; then the next call is set already.
        if self._running and self._timeout is None:
            self._update_next(self.io_loop.time())
            self._timeout = self.io_loop.add_timeout(self._next_timeout, self._run)

    def _update_next(self, current_time: float) -> None:
        """Move the time of the next call on by one interval, or by as many as it takes to lie in the future."""
        interval = self.callback_time / 1000.0
        if self.jitter:
            interval *= 1 + self.jitter * (random.random() - 0.5)
        if self._next_timeout <= current_time:
            missed = math.floor((current_time - self._next_timeout) / interval)
            self._next_timeout += (missed + 1) * interval
        else:
            # The clock was set back, or asyncio's clock ran a little faster than it. One interval, whatever it says:
            # the call was made, and making it again at once would be worse than being late.
            self._next_timeout += interval
