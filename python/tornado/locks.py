"""Locks for coroutines.

They have the names and the sense of those in `threading`, but make coroutines wait, not threads, and must be used from
the loop's thread only. Those of `asyncio` do nearly the same; these take deadlines, and work in ``@gen.coroutine``.

Every ``timeout`` is a deadline as for `.IOLoop.add_timeout`: a `~datetime.timedelta` from now on, or a number on the scale
of `.IOLoop.time`. ``None`` means to wait forever; a deadline that has passed means not to wait.
"""

import collections
import datetime
import functools
import types
from collections.abc import Awaitable, Callable
from typing import Any

from tornado import gen
from tornado.concurrent import Future, future_set_result_unless_cancelled
from tornado.ioloop import IOLoop

__all__ = ["Condition", "Event", "Semaphore", "BoundedSemaphore", "Lock"]

_Deadline = float | datetime.timedelta | None


def _set_deadline(waiter: "Future[Any]", timeout: _Deadline, expire: "Callable[[Future[Any]], None]") -> None:
    """Call ``expire(waiter)`` at the deadline, unless the waiter is done by then."""
    if timeout is None:
        return
    loop = IOLoop.current()
    handle = loop.add_timeout(timeout, _expire, waiter, expire)
    waiter.add_done_callback(functools.partial(_forget_deadline, loop, handle))


def _expire(waiter: "Future[Any]", expire: "Callable[[Future[Any]], None]") -> None:
    if not waiter.done():
        expire(waiter)


def _forget_deadline(loop: IOLoop, handle: object, waiter: "Future[Any]") -> None:
    loop.remove_timeout(handle)


def _time_out(waiter: "Future[Any]") -> None:
    waiter.set_exception(gen.TimeoutError())


class _WaitersInOrder:
    """Futures that are served first come, first served.

    Those whose deadline passed, or that were cancelled, stay in the queue until they come to its head. So that they
    cannot pile up behind one that waits forever, all of them are thrown out after every hundred.
    """

    def __init__(self) -> None:
        self._waiters: collections.deque[Future[Any]] = collections.deque()
        self._expired = 0

    def _wait(self, timeout: _Deadline, expire: "Callable[[Future[Any]], None]") -> "Future[Any]":
        waiter: Future[Any] = Future()
        self._waiters.append(waiter)
        _set_deadline(waiter, timeout, functools.partial(self._drop, expire))
        return waiter

    def _drop(self, expire: "Callable[[Future[Any]], None]", waiter: "Future[Any]") -> None:
        expire(waiter)
        self._expired += 1
        if self._expired > 100:
            self._expired = 0
            self._waiters = collections.deque(waiter for waiter in self._waiters if not waiter.done())


class Condition(_WaitersInOrder):
    """Lets coroutines wait until others notify them.

    .. code-block:: python

        condition = locks.Condition()

        async def waiter():
            await condition.wait()
            print("notified")

        async def notifier():
            condition.notify()

        await gen.multi([waiter(), notifier()])

    Unlike that of `threading` it needs no lock: nothing else runs between two awaits.
    """

    def __repr__(self) -> str:
        waiters = f" waiters[{len(self._waiters)}]" if self._waiters else ""
        return f"<{self.__class__.__name__}{waiters}>"

    def wait(self, timeout: _Deadline = None) -> Awaitable[bool]:
        """Wait to be notified. The result is ``True`` then, and ``False`` when the deadline passed first."""
        return self._wait(timeout, _give_up)

    def notify(self, n: int = 1) -> None:
        """Wake the ``n`` that have waited longest."""
        woken = []
        while n > 0 and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                woken.append(waiter)
                n -= 1
        for waiter in woken:
            future_set_result_unless_cancelled(waiter, True)

    def notify_all(self) -> None:
        """Wake all that wait."""
        self.notify(len(self._waiters))


def _give_up(waiter: "Future[Any]") -> None:
    waiter.set_result(False)


class Event:
    """Lets coroutines wait until a flag is set; while it is set, nobody waits.

    .. code-block:: python

        event = locks.Event()

        async def waiter():
            await event.wait()
            print("set")

        async def setter():
            event.set()

        await gen.multi([waiter(), setter()])
    """

    def __init__(self) -> None:
        self._value = False
        self._waiters: set[Future[None]] = set()

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} {'set' if self._value else 'clear'}>"

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._value

    def set(self) -> None:
        """Set the flag and wake all that wait. Setting it again does nothing."""
        if not self._value:
            self._value = True
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def clear(self) -> None:
        """Clear the flag: whoever calls `wait` from now on waits until it is set again."""
        self._value = False

    def wait(self, timeout: _Deadline = None) -> Awaitable[None]:
        """Wait until the flag is set. Raises `.TimeoutError` when the deadline passes first."""
        waiter: Future[None] = Future()
        if self._value:
            waiter.set_result(None)
            return waiter
        self._waiters.add(waiter)
        waiter.add_done_callback(self._waiters.discard)
        _set_deadline(waiter, timeout, _time_out)
        return waiter


class _Releasing:
    """What `Semaphore.acquire` results in: ``with`` releases it at the end.

    .. code-block:: python

        with (yield semaphore.acquire()):
            pass
    """

    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: types.TracebackType | None,
    ) -> None:
        self._lock.release()


class _Acquirable:
    """``async with`` for what has ``acquire`` and ``release``, and a clear error for a bare ``with``."""

    def acquire(self, timeout: _Deadline = None) -> Awaitable[_Releasing]:
        raise NotImplementedError()

    def release(self) -> None:
        raise NotImplementedError()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: types.TracebackType | None,
    ) -> None:
        self.release()

    def __enter__(self) -> None:
        raise RuntimeError(f"Use `async with` instead of `with` for {self.__class__.__name__}")

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: types.TracebackType | None,
    ) -> None:
        # Never called, but without it ``with`` fails for another reason than the one above.
        self.__enter__()


class Semaphore(_Acquirable, _WaitersInOrder):
    """Lets a limited number of coroutines in at a time.

    .. code-block:: python

        limit = locks.Semaphore(2)

        async def worker(url):
            async with limit:
                await client.fetch(url)

        await gen.multi([worker(url) for url in urls])

    In a ``@gen.coroutine``, write ``with (yield limit.acquire()):``.

    Raises `ValueError` when ``value``, the number that may enter at first, is negative.

    .. versionchanged:: 4.3
       Can be used with ``async with``.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        super().__init__()
        self._value = value

    def __repr__(self) -> str:
        state = "locked" if self._value == 0 else f"unlocked,value:{self._value}"
        waiters = f",waiters:{len(self._waiters)}" if self._waiters else ""
        return f"<{super().__repr__()[1:-1]} [{state}{waiters}]>"

    def acquire(self, timeout: _Deadline = None) -> Awaitable[_Releasing]:
        """Wait to be let in. The result is a context manager that calls `release` at its end.

        Raises `.TimeoutError` when the deadline passes first.
        """
        if self._value > 0:
            self._value -= 1
            granted: Future[_Releasing] = Future()
            granted.set_result(_Releasing(self))
            return granted
        return self._wait(timeout, _time_out)

    def release(self) -> None:
        """Let one more in: the one that has waited longest, if any waits."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(_Releasing(self))
                return
        self._value += 1


class BoundedSemaphore(Semaphore):
    """A `Semaphore` whose count cannot exceed what it began with.

    .. code-block:: python

        limit = locks.BoundedSemaphore(2)
        await limit.acquire()
        limit.release()
        limit.release()  # raises ValueError: released more often than acquired
    """

    def __init__(self, value: int = 1) -> None:
        super().__init__(value=value)
        self._initial_value = value

    def release(self) -> None:
        """Let one more in. Raises `ValueError` when the count is at its start already."""
        if self._value >= self._initial_value:
            raise ValueError("Semaphore released too many times")
        super().release()


class Lock(_Acquirable):
    """Lets one coroutine in at a time, in the order in which they came.

    .. code-block:: python

        lock = locks.Lock()

        async def change():
            async with lock:
                value = await read()
                await write(value + 1)

    In a ``@gen.coroutine``, write ``with (yield lock.acquire()):``.

    .. versionchanged:: 4.3
       Can be used with ``async with``.
    """

    def __init__(self) -> None:
        self._block = BoundedSemaphore(value=1)

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} _block={self._block!r}>"

    def acquire(self, timeout: _Deadline = None) -> Awaitable[_Releasing]:
        """Wait for the lock. The result is a context manager that calls `release` at its end.

        Raises `.TimeoutError` when the deadline passes first.
        """
        return self._block.acquire(timeout)

    def release(self) -> None:
        """Give the lock to the one that has waited longest. Raises `RuntimeError` when it is not locked."""
        try:
            self._block.release()
        except ValueError:
            raise RuntimeError("release unlocked lock") from None
