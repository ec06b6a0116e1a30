"""Queues for coroutines.

They resemble those of `queue`, but make coroutines wait, not threads, and must be used from the loop's thread only. Those
of `asyncio` do nearly the same; these take deadlines, and can be looped over.

Every ``timeout`` is a deadline as for `.IOLoop.add_timeout`: a `~datetime.timedelta` from now on, or a number on the scale
of `.IOLoop.time`. ``None`` means to wait forever; a deadline that has passed means not to wait.
"""

import collections
import heapq
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Generic, TypeVar

from tornado.concurrent import Future, future_set_result_unless_cancelled
from tornado.locks import Event, _Deadline, _set_deadline, _time_out

_T = TypeVar("_T")

__all__ = ["Queue", "PriorityQueue", "LifoQueue", "QueueFull", "QueueEmpty"]


class QueueEmpty(Exception):
    """Raised by `Queue.get_nowait` when there is no item."""


class QueueFull(Exception):
    """Raised by `Queue.put_nowait` when there is no room."""


class Queue(Generic[_T]):
    """Passes items from producers to consumers, first in, first out.

    .. code-block:: python

        queue = Queue(maxsize=2)

        async def consumer():
            async for item in queue:
                await work(item)
                queue.task_done()

        async def main():
            task = asyncio.create_task(consumer())
            for item in range(5):
                await queue.put(item)  # waits while there are two
            await queue.join()  # waits until task_done was called for all
            task.cancel()

    ``maxsize``: how many items it holds before `put` waits; 0 means no limit.

    Raises `TypeError` when ``maxsize`` is ``None`` and `ValueError` when it is negative.

    .. versionadded:: 4.2

    .. versionchanged:: 4.3
       Can be used with ``async for``.
    """

    # What a subclass changes: _init sets this up, _put and _get add and remove one item.
    _queue: Any = None

    def __init__(self, maxsize: int = 0) -> None:
        if maxsize is None:
            raise TypeError("maxsize can't be None")
        if maxsize < 0:
            raise ValueError("maxsize can't be negative")
        self._maxsize = maxsize
        self._init()
        # Those whose deadline passed, or that were cancelled, stay until they come to the head.
        self._getters: collections.deque[Future[_T]] = collections.deque()
        self._putters: collections.deque[tuple[_T, Future[None]]] = collections.deque()
        self._unfinished_tasks = 0
        self._finished = Event()
        self._finished.set()

    @property
    def maxsize(self) -> int:
        """How many items the queue holds before `put` waits; 0 means no limit."""
        return self._maxsize

    def qsize(self) -> int:
        """Return the number of items in the queue."""
        return len(self._queue)

    def empty(self) -> bool:
        """Whether there is no item."""
        return not self._queue

    def full(self) -> bool:
        """Whether there is no room."""
        return self._maxsize != 0 and self.qsize() >= self._maxsize

    def put(self, item: _T, timeout: _Deadline = None) -> "Future[None]":
        """Put an item into the queue, waiting for room if need be.

        Raises `.TimeoutError` when the deadline passes first.
        """
        future: Future[None] = Future()
        try:
            self.put_nowait(item)
        except QueueFull:
            self._putters.append((item, future))
            _set_deadline(future, timeout, _time_out)
        else:
            future.set_result(None)
        return future

    def put_nowait(self, item: _T) -> None:
        """Put an item into the queue. Raises `QueueFull` when there is no room."""
        self._drop_expired()
        if self._getters:
            assert self.empty(), "queue non-empty, why are getters waiting?"
            getter = self._getters.popleft()
            self._add(item)
            # The item goes through the queue even so, because the order may not be that of arrival.
            future_set_result_unless_cancelled(getter, self._get())
        elif self.full():
            raise QueueFull
        else:
            self._add(item)

    def get(self, timeout: _Deadline = None) -> Awaitable[_T]:
        """Take an item out of the queue, waiting for one if need be.

        Raises `.TimeoutError` when the deadline passes first.

        What was taken is lost if the coroutine that waits is cancelled just when it arrives. That can be seen to by
        not cancelling consumers, or by putting such a thing back.
        """
        future: Future[_T] = Future()
        try:
            future.set_result(self.get_nowait())
        except QueueEmpty:
            self._getters.append(future)
            _set_deadline(future, timeout, _time_out)
        return future

    def get_nowait(self) -> _T:
        """Take an item out of the queue. Raises `QueueEmpty` when there is none."""
        self._drop_expired()
        if self._putters:
            assert self.full(), "queue not full, why are putters waiting?"
            item, putter = self._putters.popleft()
            self._add(item)
            future_set_result_unless_cancelled(putter, None)
            return self._get()
        if self.qsize():
            return self._get()
        raise QueueEmpty

    def task_done(self) -> None:
        """Say that the work on an item which was taken out is done.

        Consumers call this once for each item, so that `join` can tell when all is done. Raises `ValueError` when it
        is called more often than there were items.
        """
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        if self._unfinished_tasks == 0:
            self._finished.set()

    def join(self, timeout: _Deadline = None) -> Awaitable[None]:
        """Wait until `task_done` was called for every item. Raises `.TimeoutError` when the deadline passes first."""
        return self._finished.wait(timeout)

    def __aiter__(self) -> "_QueueIterator[_T]":
        return _QueueIterator(self)

    def _init(self) -> None:
        self._queue = collections.deque()

    def _get(self) -> _T:
        return self._queue.popleft()  # type: ignore[no-any-return]

    def _put(self, item: _T) -> None:
        self._queue.append(item)

    def _add(self, item: _T) -> None:
        if self._unfinished_tasks == 0:
            self._finished.clear()
        self._unfinished_tasks += 1
        self._put(item)

    def _drop_expired(self) -> None:
        while self._putters and self._putters[0][1].done():
            self._putters.popleft()
        while self._getters and self._getters[0].done():
            self._getters.popleft()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {hex(id(self))} {self._format()}>"

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self._format()}>"

    def _format(self) -> str:
        parts = [f"maxsize={self.maxsize!r}"]
        if self._queue:
            parts.append(f"queue={self._queue!r}")
        if self._getters:
            parts.append(f"getters[{len(self._getters)}]")
        if self._putters:
            parts.append(f"putters[{len(self._putters)}]")
        if self._unfinished_tasks:
            parts.append(f"tasks={self._unfinished_tasks}")
        return " ".join(parts)


class _QueueIterator(AsyncIterator[_T]):
    """What ``async for`` goes over: it takes item after item, and never ends."""

    def __init__(self, queue: Queue[_T]) -> None:
        self._queue = queue

    def __anext__(self) -> Awaitable[_T]:
        return self._queue.get()


class PriorityQueue(Queue[_T]):
    """A `Queue` that gives the lowest item first. Items are often pairs of a number and something else.

    .. code-block:: python

        queue = PriorityQueue()
        queue.put_nowait((1, "medium"))
        queue.put_nowait((0, "high"))
        await queue.get()  # (0, "high")
    """

    def _init(self) -> None:
        self._queue = []

    def _put(self, item: _T) -> None:
        heapq.heappush(self._queue, item)

    def _get(self) -> _T:
        return heapq.heappop(self._queue)  # type: ignore[no-any-return]


class LifoQueue(Queue[_T]):
    """A `Queue` that gives the newest item first.

    .. code-block:: python

        queue = LifoQueue()
        queue.put_nowait(1)
        queue.put_nowait(2)
        await queue.get()  # 2
    """

    def _init(self) -> None:
        self._queue = []

    def _put(self, item: _T) -> None:
        self._queue.append(item)

    def _get(self) -> _T:
        return self._queue.pop()  # type: ignore[no-any-return]
