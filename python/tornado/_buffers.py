"""What lies beneath `tornado.iostream`: bytes that wait to be written, and reads that wait for bytes.

Nothing here knows of descriptors or of the event loop. All of it takes time linear in the bytes that pass through,
however small the pieces are, except a regular expression, which has to be tried from the beginning each time.
"""

import re
from collections import deque
from typing import Any

from tornado.concurrent import Future


# Up to this many bytes, to copy them twice is cheaper than to make a view of them.
_COPY_TWICE_MAX = 16384


class UnsatisfiableReadError(Exception):
    """Raised when a read cannot be satisfied: what it looks for is not within ``max_bytes``.

    Streams close themselves then; it is found as the ``real_error`` of a `.StreamClosedError`.
    """


class _StreamBuffer:
    """A queue of bytes: appended at one end in pieces of any size, taken at the other.

    Small pieces are copied together, large ones are kept as they are.
    """

    def __init__(self) -> None:
        # Buffers that are still appended to are bytearrays, all others memoryviews.
        self._buffers: deque[bytearray | memoryview] = deque()
        self._first_position = 0
        self._size = 0
        # Beyond this many bytes a copy costs more than a buffer of its own.
        self._large_buf_threshold = 2048

    def __len__(self) -> int:
        return self._size

    def append(self, data: bytes | bytearray | memoryview) -> None:
        size = len(data)
        if size > self._large_buf_threshold:
            # A bytearray belongs to the caller, who may change it.
            self._buffers.append(memoryview(bytes(data) if isinstance(data, bytearray) else data))
        elif size > 0:
            last = self._buffers[-1] if self._buffers else None
            if isinstance(last, bytearray) and len(last) < self._large_buf_threshold:
                last += data
            else:
                self._buffers.append(bytearray(data))
        self._size += size

    def peek(self, size: int) -> memoryview:
        """Return a view of at most ``size`` bytes at the front; fewer if they do not lie together.

        It must be released before the buffer is next changed.
        """
        assert size > 0
        if not self._buffers:
            return memoryview(b"")
        at = self._first_position
        return memoryview(self._buffers[0])[at : at + size]

    def advance(self, size: int) -> None:
        """Drop ``size`` bytes from the front."""
        assert 0 < size <= self._size
        self._size -= size
        at = self._first_position + size
        while self._buffers and at >= len(self._buffers[0]):
            at -= len(self._buffers.popleft())
        self._first_position = at


class _Read:
    """A read that is waiting. Subclasses say which bytes satisfy it, and make the future; there are very many of them, so
    their set-up is one call deep."""

    __slots__ = ("future",)

    future: "Future[Any]"

    def locate(self, buffer: bytearray, settled: bool) -> int | None:
        """Return how many bytes of the buffer satisfy this read, or ``None`` if more must come.

        ``settled``: no more bytes can be had at present. A read that is expensive to decide may put it off until then.

        Raises `UnsatisfiableReadError` when more bytes would not help.
        """
        raise NotImplementedError()

    def take(self, buffer: bytearray, count: int) -> Any:
        """Remove what `locate` found from the buffer, and return the result of the read."""
        if count < _COPY_TWICE_MAX:
            data = bytes(buffer[:count])
        else:
            with memoryview(buffer) as view:
                data = bytes(view[:count])
        # Python does not move the rest for this, it only moves the beginning.
        del buffer[:count]
        return data


class _ReadBytes(_Read):
    """Waits for a number of bytes; with ``partial``, for any bytes, but no more than that number."""

    __slots__ = ("count", "partial")

    def __init__(self, count: int, partial: bool) -> None:
        self.future = Future()
        self.count = count
        self.partial = partial

    def locate(self, buffer: bytearray, settled: bool) -> int | None:
        size = len(buffer)
        if size >= self.count:
            return self.count
        return size if self.partial and size > 0 else None


class _ReadInto(_Read):
    """Fills a buffer of the caller's; the descriptor is read straight into it."""

    __slots__ = ("filled", "partial", "view")

    def __init__(self, view: memoryview, partial: bool) -> None:
        self.future = Future()
        self.view = view
        self.partial = partial
        self.filled = 0

    def fill_from(self, buffer: bytearray) -> None:
        """Move what is buffered already into the caller's buffer."""
        self.filled = min(len(buffer), len(self.view))
        self.view[: self.filled] = buffer[: self.filled]
        del buffer[: self.filled]

    def locate(self, buffer: bytearray, settled: bool) -> int | None:
        if self.filled == len(self.view) or (self.partial and self.filled > 0):
            return self.filled
        return None

    def take(self, buffer: bytearray, count: int) -> int:
        return count


class _Search(_Read):
    """A read that looks for something.

    While bytes keep coming, they are searched only when they have doubled: reading on costs less, and what is read ahead
    is there when the next read asks for it.
    """

    __slots__ = ("max_bytes", "search_at")

    max_bytes: int | None
    search_at: int

    def locate(self, buffer: bytearray, settled: bool) -> int | None:
        size = len(buffer)
        if not settled and size < self.search_at:
            return None
        end = self.search(buffer)
        if self.max_bytes is not None and (size if end is None else end) > self.max_bytes:
            raise UnsatisfiableReadError(f"delimiter {self.wanted()!r} not found within {self.max_bytes} bytes")
        # What comes later, after waiting, may well be all there is.
        self.search_at = 0 if settled else size * 2
        return end

    def search(self, buffer: bytearray) -> int | None:
        """Return where in the buffer that ends which is looked for."""
        raise NotImplementedError()

    def wanted(self) -> bytes:
        """Return what is looked for, for a message."""
        raise NotImplementedError()


class _ReadUntil(_Search):
    """Waits for a delimiter."""

    __slots__ = ("delimiter", "searched")

    def __init__(self, delimiter: bytes, max_bytes: int | None) -> None:
        self.future = Future()
        self.max_bytes = max_bytes
        self.search_at = self.searched = 0
        self.delimiter = delimiter

    def search(self, buffer: bytearray) -> int | None:
        at = buffer.find(self.delimiter, self.searched)
        if at >= 0:
            return at + len(self.delimiter)
        # It may have begun in the last bytes.
        self.searched = max(0, len(buffer) - len(self.delimiter) + 1)
        return None

    def wanted(self) -> bytes:
        return self.delimiter


class _ReadUntilRegex(_Search):
    """Waits for the match of a regular expression."""

    __slots__ = ("regex",)

    def __init__(self, regex: "re.Pattern[bytes]", max_bytes: int | None) -> None:
        self.future = Future()
        self.max_bytes = max_bytes
        self.search_at = 0
        self.regex = regex

    def search(self, buffer: bytearray) -> int | None:
        match = self.regex.search(buffer)
        return None if match is None else match.end()

    def wanted(self) -> bytes:
        return self.regex.pattern


class _ReadHead(_Search):
    r"""Waits for the end of a head of HTTP: an empty line, where lines end in ``\n`` or ``\r\n``.

    The same as a regular expression would find, but linear.
    """

    __slots__ = ("searched",)

    def __init__(self, max_bytes: int) -> None:
        self.future = Future()
        self.max_bytes = max_bytes
        self.search_at = self.searched = 0

    def search(self, buffer: bytearray) -> int | None:
        at = buffer.find(b"\n", self.searched)
        while at >= 0:
            follows = bytes(buffer[at + 1 : at + 3])
            if follows.startswith(b"\n"):
                return at + 2
            if follows == b"\r\n":
                return at + 3
            if follows in (b"", b"\r"):
                break  # what comes next decides
            at = buffer.find(b"\n", at + 1)
        self.searched = len(buffer) if at < 0 else at
        return None

    def wanted(self) -> bytes:
        return rb"\r?\n\r?\n"


class _ReadUntilClose(_Read):
    """Waits for the end of the stream."""

    __slots__ = ()

    def __init__(self) -> None:
        self.future = Future()

    def locate(self, buffer: bytearray, settled: bool) -> int | None:
        return None
