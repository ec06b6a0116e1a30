"""The event loop classes, over asyncio.

`AsyncIOLoop` brings an asyncio loop of its own; `AsyncIOMainLoop` stands on the current one. Neither is usually named:
``IOLoop()`` gives the first and `.IOLoop.current` the second.

On Windows, asyncio's default loop cannot watch sockets. There a `SelectorThread` does it and tells the loop; on other
systems that class is not used.
"""

import asyncio
import atexit
import concurrent.futures
import contextvars
import errno
import functools
import queue
import select
import socket
import threading
import time
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from tornado.concurrent import Future
from tornado.gen import convert_yielded
from tornado.ioloop import IOLoop

_T = TypeVar("_T")


class BaseAsyncIOLoop(IOLoop):
    """What all loops over asyncio share. A subclass says which asyncio loop it stands on."""

    def initialize(self, asyncio_loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:  # type: ignore[override]
        self.asyncio_loop = asyncio_loop
        #: The loop that has ``add_reader``: the asyncio loop itself wherever possible.
        self.selector_loop = _with_selector(asyncio_loop)
        #: For each number: what was registered, its handler and the events it is watched for.
        self.handlers: dict[int, tuple[Any, Callable[[Any, int], None], int]] = {}
        self.closing = False
        _forget_closed_loops()
        if IOLoop._ioloop_for_asyncio.setdefault(asyncio_loop, self) is not self:
            # Two of them would take each other's handlers.
            raise RuntimeError(f"another IOLoop already stands on the asyncio loop {asyncio_loop!r}")
        super().initialize(**kwargs)

    def close(self, all_fds: bool = False) -> None:
        self.closing = True
        for fd, (fileobj, _, _) in list(self.handlers.items()):
            self.remove_handler(fd)
            if all_fds:
                self.close_fd(fileobj)
        # Before it is closed: whoever clears the map of closed loops may be another thread.
        IOLoop._ioloop_for_asyncio.pop(self.asyncio_loop, None)
        if self.selector_loop is not self.asyncio_loop:
            self.selector_loop.close()
        self.asyncio_loop.close()

    def add_handler(self, fd: Any, handler: Callable[[Any, int], None], events: int) -> None:
        fd, fileobj = self.split_fd(fd)
        if fd in self.handlers:
            raise ValueError(f"fd {fd} added twice")
        self.handlers[fd] = (fileobj, handler, IOLoop.NONE)
        try:
            self._watch_fd(fd, events)
        except BaseException:
            del self.handlers[fd]
            raise

    def update_handler(self, fd: Any, events: int) -> None:
        fd, _ = self.split_fd(fd)
        if fd not in self.handlers:
            raise ValueError(f"fd {fd} has no handler")
        self._watch_fd(fd, events)

    def remove_handler(self, fd: Any) -> None:
        fd, _ = self.split_fd(fd)
        if fd in self.handlers:
            self._watch_fd(fd, IOLoop.NONE)
            del self.handlers[fd]

    def _watch_fd(self, fd: int, events: int) -> None:
        """Bring what asyncio watches ``fd`` for in line with ``events``."""
        fileobj, handler, watched = self.handlers[fd]
        change = events ^ watched
        if change & IOLoop.READ:
            if events & IOLoop.READ:
                self.selector_loop.add_reader(fd, handler, fileobj, IOLoop.READ)
            else:
                self.selector_loop.remove_reader(fd)
        if change & IOLoop.WRITE:
            if events & IOLoop.WRITE:
                self.selector_loop.add_writer(fd, handler, fileobj, IOLoop.WRITE)
            else:
                self.selector_loop.remove_writer(fd)
        self.handlers[fd] = (fileobj, handler, events)

    def start(self) -> None:
        self.asyncio_loop.run_forever()

    def stop(self) -> None:
        self.asyncio_loop.stop()

    def time(self) -> float:
        return time.time()

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> object:
        # asyncio has a clock of its own, so the deadline becomes a delay.
        return self.call_later(when - self.time(), callback, *args, **kwargs)

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> object:
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        return self.asyncio_loop.call_later(max(0, delay), self._run_callback, callback, *args)

    def remove_timeout(self, timeout: object) -> None:
        timeout.cancel()  # type: ignore[attr-defined]

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        loop = self.asyncio_loop
        try:
            if asyncio._get_running_loop() is loop:
                loop.call_soon(self._run_callback, callback, *args)
            else:
                loop.call_soon_threadsafe(self._run_callback, callback, *args)
        except (RuntimeError, AttributeError):
            # The loop is closed, or another thread is closing it just now. A loop that ends does not run what is left,
            # whether that came a moment earlier or later.
            if not loop.is_closed() and not self.closing:
                raise

    def add_callback_from_signal(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        warnings.warn("add_callback_from_signal is deprecated", DeprecationWarning, stacklevel=2)
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        try:
            self.asyncio_loop.call_soon_threadsafe(self._run_callback, callback, *args)
        except RuntimeError:
            if not self.asyncio_loop.is_closed():
                raise

    def run_in_executor(
        self, executor: concurrent.futures.Executor | None, func: Callable[..., _T], *args: Any
    ) -> "Future[_T]":
        return self.asyncio_loop.run_in_executor(executor, func, *args)

    def set_default_executor(self, executor: concurrent.futures.Executor) -> None:
        self.asyncio_loop.set_default_executor(executor)  # type: ignore[arg-type,unused-ignore]


def _with_selector(asyncio_loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    proactor = getattr(asyncio, "ProactorEventLoop", None)
    if proactor is not None and isinstance(asyncio_loop, proactor):
        return AddThreadSelectorEventLoop(asyncio_loop)  # type: ignore[abstract]
    return asyncio_loop


def _forget_closed_loops() -> None:
    # Other threads may do the same at the same time, hence the copy and the default.
    for asyncio_loop in list(IOLoop._ioloop_for_asyncio):
        if asyncio_loop.is_closed():
            IOLoop._ioloop_for_asyncio.pop(asyncio_loop, None)


class AsyncIOMainLoop(BaseAsyncIOLoop):
    """The loop over asyncio's current one. `.IOLoop.current` makes it when it is first asked.

    .. code-block:: python

        AsyncIOMainLoop().install()
        asyncio.get_event_loop().run_forever()

    .. versionchanged:: 5.0
       Closing it closes the asyncio loop as well.
    """

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        super().initialize(asyncio.get_event_loop(), **kwargs)

    def _make_current(self) -> None:
        """Do nothing: asyncio says which loop is current, and it is this one's."""


class AsyncIOLoop(BaseAsyncIOLoop):
    """A loop that brings an asyncio loop of its own; what ``IOLoop()`` makes.

    .. code-block:: python

        loop = AsyncIOLoop(make_current=False)
        loop.run_sync(main)
        loop.close()

    .. versionchanged:: 6.2
       The ``asyncio_loop`` argument.
    """

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        self._is_current = False
        own_loop = None
        if "asyncio_loop" not in kwargs:
            kwargs["asyncio_loop"] = own_loop = asyncio.new_event_loop()
        try:
            super().initialize(**kwargs)
        except BaseException:
            if own_loop is not None:
                own_loop.close()
            raise

    def close(self, all_fds: bool = False) -> None:
        self._clear_current_hook()
        super().close(all_fds=all_fds)

    def _make_current(self) -> None:
        if not self._is_current:
            try:
                self._previous: asyncio.AbstractEventLoop | None = asyncio.get_event_loop()
            except RuntimeError:
                self._previous = None
        self._is_current = True
        asyncio.set_event_loop(self.asyncio_loop)

    def _clear_current_hook(self) -> None:
        if self._is_current:
            asyncio.set_event_loop(self._previous)
            self._is_current = False
            self._previous = None


def to_tornado_future(asyncio_future: "asyncio.Future[_T]") -> "asyncio.Future[_T]":
    """Return its argument. There has been one kind of future since 5.0; old programs still call this."""
    return asyncio_future


def to_asyncio_future(tornado_future: Any) -> "asyncio.Future[Any]":
    """Return an asyncio future of anything that a ``@gen.coroutine`` may yield.

    .. versionadded:: 4.1

    .. versionchanged:: 4.3
       Accepts any yieldable.
    """
    return convert_yielded(tornado_future)


def __getattr__(name: str) -> Any:
    # To name the policy classes of asyncio is to be warned from Python 3.14 on, so it is not done before it is needed.
    if name != "AnyThreadEventLoopPolicy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    policy = _make_any_thread_policy()
    globals()[name] = policy
    return policy


def _make_any_thread_policy() -> type:
    class AnyThreadEventLoopPolicy(
        getattr(asyncio, "WindowsSelectorEventLoopPolicy", None) or asyncio.DefaultEventLoopPolicy  # type: ignore[misc]
    ):
        """A policy that makes an event loop for any thread which asks for one, not for the main thread only.

        .. code-block:: python

            asyncio.set_event_loop_policy(AnyThreadEventLoopPolicy())

        .. versionadded:: 5.0

        .. deprecated:: 6.2
           Programs should not rely on loops that come into being by themselves.
        """

        def __init__(self) -> None:
            super().__init__()
            warnings.warn(
                "AnyThreadEventLoopPolicy is deprecated, use asyncio.run or asyncio.new_event_loop instead",
                DeprecationWarning,
                stacklevel=2,
            )

        def get_event_loop(self) -> asyncio.AbstractEventLoop:
            loop: asyncio.AbstractEventLoop
            try:
                loop = super().get_event_loop()
            except RuntimeError:
                loop = self.new_event_loop()
                self.set_event_loop(loop)
            return loop

    AnyThreadEventLoopPolicy.__module__ = __name__
    AnyThreadEventLoopPolicy.__qualname__ = "AnyThreadEventLoopPolicy"
    return AnyThreadEventLoopPolicy


# Threads that a loop was abandoned with. They are stopped when the interpreter ends, before it takes their modules away.
_selector_threads: "weakref.WeakSet[SelectorThread]" = weakref.WeakSet()


def _close_selector_threads() -> None:
    for selector in list(_selector_threads):
        selector.close()


atexit.register(_close_selector_threads)


class SelectorThread:
    """Gives an asyncio loop ``add_reader`` and ``add_writer``, by calling `select.select` on a thread of its own.

    The two sides take turns. The loop sends the thread the descriptors to watch; the thread waits until one is ready,
    sends back which, and waits for the next order; the loop calls the callbacks and orders anew. A pair of connected
    sockets breaks a wait off when what is to be watched has changed.

    The thread begins with the loop, and ends with `close` or with the loop's ``shutdown_asyncgens``, which
    `asyncio.run` calls.
    """

    def __init__(self, real_loop: asyncio.AbstractEventLoop) -> None:
        self._loop = real_loop
        # Callbacks run in the context of whoever made this, as those of other loops do.
        self._context = contextvars.copy_context()
        self._readers: dict[int, Callable[[], Any]] = {}
        self._writers: dict[int, Callable[[], Any]] = {}
        self._orders: queue.SimpleQueue[tuple[list[int], list[int]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._waker_r, self._waker_w = socket.socketpair()
        self._waker_r.setblocking(False)
        self._waker_w.setblocking(False)
        self._readers[self._waker_r.fileno()] = self._drain_waker
        _selector_threads.add(self)
        # An asynchronous generator that has begun is closed by shutdown_asyncgens: the one hook that asyncio offers.
        self._lifetime = self._live()
        real_loop.call_soon(self._begin)

    def _begin(self) -> None:
        if not self._closed:
            self._begin_task = self._loop.create_task(self._start_thread())

    async def _start_thread(self) -> None:
        await self._lifetime.__anext__()

    async def _live(self) -> AsyncGenerator[None, None]:
        self._thread = threading.Thread(name="Tornado selector", daemon=True, target=self._run)
        self._thread.start()
        self._order()
        try:
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Stop the thread. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._orders.put(None)
        self._wake()
        if self._thread is not None:
            self._thread.join()
        _selector_threads.discard(self)
        self._waker_r.close()
        self._waker_w.close()

    def _wake(self) -> None:
        try:
            self._waker_w.send(b"a")
        except BlockingIOError:
            pass  # it is full of wake-ups already
        except OSError:
            if not self._closed:
                raise

    def _drain_waker(self) -> None:
        try:
            self._waker_r.recv(1024)
        except BlockingIOError:
            pass

    def _order(self) -> None:
        if not self._closed:
            self._orders.put((list(self._readers), list(self._writers)))

    def _run(self) -> None:
        """The thread: carry out orders until there is none."""
        while (order := self._orders.get()) is not None:
            try:
                # Windows reports a failed connection as exceptional, not as writable.
                readable, writable, failed = select.select(order[0], order[1], order[1])
            except OSError as e:
                # A descriptor was closed before it was removed. The next order will not have it any more.
                if e.errno not in (errno.EBADF, getattr(errno, "WSAENOTSOCK", errno.EBADF)):
                    raise
                readable, writable, failed = [], [], []
            try:
                self._loop.call_soon_threadsafe(
                    self._handle, readable, [*writable, *failed], context=self._context
                )
            except RuntimeError:
                return  # the loop was closed without us

    def _handle(self, readable: list[int], writable: list[int]) -> None:
        for callbacks, ready in ((self._readers, readable), (self._writers, writable)):
            for fd in ready:
                # An earlier callback may have removed it.
                callback = callbacks.get(fd)
                if callback is not None:
                    self._call(callback)
        self._order()

    def _call(self, callback: Callable[[], Any]) -> None:
        try:
            callback()
        except Exception as e:
            self._loop.call_exception_handler({"message": f"Exception in callback {callback!r}", "exception": e})

    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be read."""
        self._readers[_number(fd)] = functools.partial(callback, *args)
        self._wake()

    def add_writer(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written."""
        self._writers[_number(fd)] = functools.partial(callback, *args)
        self._wake()

    def remove_reader(self, fd: Any) -> bool:
        """Watch ``fd`` no longer for reading; tells whether it was watched."""
        return self._remove(self._readers, fd)

    def remove_writer(self, fd: Any) -> bool:
        """Watch ``fd`` no longer for writing; tells whether it was watched."""
        return self._remove(self._writers, fd)

    def _remove(self, callbacks: dict[int, Callable[[], Any]], fd: Any) -> bool:
        if callbacks.pop(_number(fd), None) is None:
            return False
        self._wake()
        return True


def _number(fd: Any) -> int:
    return fd if isinstance(fd, int) else fd.fileno()


class AddThreadSelectorEventLoop(asyncio.AbstractEventLoop):
    """An event loop that is another one in all things, but watches descriptors with a `SelectorThread`.

    .. code-block:: python

        loop = AddThreadSelectorEventLoop(asyncio.ProactorEventLoop())

    .. versionchanged:: 6.5
       Callbacks see the context variables of whoever made the loop.
    """

    # Attributes that are this object's own; all others are the real loop's.
    _OWN = frozenset((
        "add_reader", "add_writer", "remove_reader", "remove_writer", "close", "_real_loop", "_selector",
    ))  # fmt: skip

    def __init__(self, real_loop: asyncio.AbstractEventLoop) -> None:
        self._real_loop = real_loop
        self._selector = SelectorThread(real_loop)

    def __getattribute__(self, name: str) -> Any:
        if name in AddThreadSelectorEventLoop._OWN or name.startswith("__"):
            return super().__getattribute__(name)
        return getattr(self._real_loop, name)

    def close(self) -> None:
        self._selector.close()
        self._real_loop.close()

    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        self._selector.add_reader(fd, callback, *args)

    def add_writer(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        self._selector.add_writer(fd, callback, *args)

    def remove_reader(self, fd: int | Any) -> bool:
        return self._selector.remove_reader(fd)

    def remove_writer(self, fd: int | Any) -> bool:
        return self._selector.remove_writer(fd)
