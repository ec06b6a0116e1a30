"""`BaseIOStream`: buffers and waiting, for whatever can be read and written without blocking.

`tornado.iostream` is where it is imported from, and where its subclasses are. A stream is open until `close`, which is
called once, by whoever notices first: the application, the end of the data, or a failure. What waits then is settled there
and nowhere else.
"""

import errno
import re
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from tornado._buffers import (
    UnsatisfiableReadError,
    _Read,
    _ReadBytes,
    _ReadHead,
    _ReadInto,
    _ReadUntil,
    _ReadUntilClose,
    _ReadUntilRegex,
    _StreamBuffer,
)
from tornado._errors import StreamClosedError
from tornado.concurrent import Future, future_set_result_unless_cancelled
from tornado.ioloop import IOLoop
from tornado.log import gen_log

# How the system says that the other side has gone. No cause for a line in the log.
_ERRNO_CONNRESET = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ETIMEDOUT}
for _name in ("WSAECONNRESET", "WSAECONNABORTED", "WSAETIMEDOUT"):
    if hasattr(errno, _name):
        _ERRNO_CONNRESET.add(getattr(errno, _name))
if sys.platform == "darwin":
    # What a socket says that is written to while it is being torn down.
    _ERRNO_CONNRESET.add(errno.EPROTOTYPE)

_DEFAULT_CHUNK_SIZE = 65536

# Descriptors are read into one of these and copied on, so that idle streams hold no buffers. Taking and putting back are
# atomic; there are as many as there are reads at a time, which is one for each thread as a rule.
_chunks: list[bytearray] = []

_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

# How much is offered to the system in one write.
_WRITE_SIZE_MAX = 128 * 1024


class StreamBufferFullError(Exception):
    """Raised when more would be buffered than a stream allows."""


class BaseIOStream:
    """A stream over something that can be read and written without blocking.

    Subclasses implement `fileno`, `close_fd`, `write_to_fd`, `read_from_fd` and, if they can, `get_fd_error`.

    ``max_buffer_size``: how many bytes may wait to be read; 100 MiB if not given.

    ``read_chunk_size``: how many bytes are read at a time; 64 KiB if not given, and never more than half the buffer.

    ``max_write_buffer_size``: how many bytes may wait to be written; no limit if not given.

    .. versionchanged:: 4.0
       ``max_write_buffer_size``.

    .. versionchanged:: 5.0
       The ``io_loop`` argument was removed.
    """

    def __init__(
        self,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        self.io_loop = IOLoop.current()
        self.max_buffer_size = max_buffer_size or 104857600
        self.read_chunk_size = min(read_chunk_size or _DEFAULT_CHUNK_SIZE, self.max_buffer_size // 2)
        self.max_write_buffer_size = max_write_buffer_size
        #: The exception that closed the stream, if one did.
        self.error: BaseException | None = None

        self._read_buffer = bytearray()
        self._read: _Read | None = None
        self._write_buffer = _StreamBuffer()
        # All bytes ever written to the stream are counted, in and out, and each future waits for its number.
        self._written_in = 0
        self._written_out = 0
        self._write_futures: deque[tuple[int, Future[None]]] = deque()
        self._connect_future: Future[Any] | None = None
        self._connecting = False
        self._close_callback: Callable[[], None] | None = None
        # What the loop watches for; None while it does not know of this stream.
        self._watched: int | None = None
        self._closed = False

    def fileno(self) -> int | Any:
        """Return the descriptor."""
        raise NotImplementedError()

    def close_fd(self) -> None:
        """Close the descriptor. Called by `close`, once; nobody else may."""
        raise NotImplementedError()

    def write_to_fd(self, data: memoryview) -> int:
        """Try to write, and return how many bytes were. Called when there is something to write.

        A descriptor that is not ready returns 0 or raises `BlockingIOError`. ``data`` must not be kept.
        """
        raise NotImplementedError()

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Try to read into ``buf``, and return how many bytes came: ``None`` if there are none yet, 0 at the end."""
        raise NotImplementedError()

    def get_fd_error(self) -> Exception | None:
        """Return what is wrong with the descriptor, if that can be told. Called when the loop reports a failure."""
        return None

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        r"""Read until a regular expression matches.

        .. code-block:: python

            head = await stream.read_until_regex(rb"\r?\n\r?\n", max_bytes=65536)

        Gives what precedes the match, and the match. If there is none within ``max_bytes``, the stream is closed.

        .. versionchanged:: 4.0
           ``max_bytes``. The ``callback`` argument is optional, and is gone since 6.0.
        """
        return self._start_read(_ReadUntilRegex(re.compile(regex), max_bytes))

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        r"""Read up to a delimiter.

        .. code-block:: python

            line = await stream.read_until(b"\n")

        Gives everything including the delimiter. If it is not found within ``max_bytes``, the stream is closed.

        .. versionchanged:: 4.0
           ``max_bytes``. The ``callback`` argument is optional, and is gone since 6.0.
        """
        return self._start_read(_ReadUntil(delimiter, max_bytes))

    def read_bytes(self, num_bytes: int, partial: bool = False) -> Awaitable[bytes]:
        """Read a number of bytes.

        ``partial``: be content with fewer as soon as there is one.

        .. versionchanged:: 4.0
           ``partial``. The ``callback`` argument is optional, and is gone since 6.0.
        """
        assert isinstance(num_bytes, int)
        return self._start_read(_ReadBytes(num_bytes, partial))

    def read_into(self, buf: bytearray | memoryview, partial: bool = False) -> Awaitable[int]:
        """Read until a buffer is full, and give the number of bytes in it.

        ``partial``: be content with fewer as soon as there is one.

        .. versionadded:: 5.0
        """
        self._check_not_reading()
        read = _ReadInto(memoryview(buf).cast("B"), partial)
        if self._closed and len(self._read_buffer) < (1 if partial else len(read.view)):
            # What there is stays for a read that it is enough for.
            self._check_closed()
        read.fill_from(self._read_buffer)
        return self._start_read(read)

    def read_until_close(self) -> Awaitable[bytes]:
        """Read everything until the stream is closed. All of it is buffered, so ``max_buffer_size`` applies.

        .. versionchanged:: 4.0
           The ``callback`` argument is optional, and is gone since 6.0.
        """
        self._check_not_reading()
        read = _ReadUntilClose()
        if self._closed:
            read.future.set_result(read.take(self._read_buffer, len(self._read_buffer)))
            return read.future
        return self._start_read(read)

    def write(self, data: bytes | memoryview) -> "Future[None]":
        """Write bytes.

        Gives a future that is done when the system has them all. It may be ignored: what fails shows in the next
        operation, or to the close callback. There may be any number of writes at a time; awaiting each one keeps a fast
        writer from filling the memory for a slow reader.

        A memoryview must not change until it is written. Raises `StreamBufferFullError` when the data would exceed
        ``max_write_buffer_size``, and `StreamClosedError`.

        .. versionchanged:: 4.5
           Memoryviews.
        """
        self._check_closed()
        if isinstance(data, memoryview):
            data = data.cast("B")  # its length shall be in bytes
        if data:
            if self.max_write_buffer_size is not None:
                if len(self._write_buffer) + len(data) > self.max_write_buffer_size:
                    raise StreamBufferFullError("Reached maximum write buffer size")
            self._write_buffer.append(data)
            self._written_in += len(data)
        future: Future[None] = Future()
        future.add_done_callback(_retrieve)
        self._write_futures.append((self._written_in, future))
        if not self._connecting:
            self._handle_write()
            self._update_events()
        return future

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call ``callback()`` when the stream is closed, whichever side did so.

        A read that what came before can still satisfy is satisfied first. While data is waiting to be read, the close of
        the other side goes unnoticed.

        A future is usually the better way to notice: a read, or `write`, fails with `StreamClosedError`.
        """
        self._close_callback = callback
        if self._closed:
            self._run_close_callback()
        else:
            self._update_events()

    def close(
        self,
        exc_info: "None | bool | BaseException | _ExcInfo" = False,
    ) -> None:
        """Close the stream. What is waiting fails with `StreamClosedError`.

        ``exc_info``: the exception that is the reason, kept as `error`: an exception, what `sys.exc_info` returned, or true
        for the one being handled.
        """
        if self._closed:
            return
        if isinstance(exc_info, BaseException):
            self.error = exc_info
        elif exc_info:
            self.error = (exc_info if isinstance(exc_info, tuple) else sys.exc_info())[1]
        self._closed = True
        if self._watched is not None:
            self.io_loop.remove_handler(self.fileno())
            self._watched = None
        try:
            self.close_fd()
        finally:
            self._finish_last_read()
            self._fail_all()
            self._run_close_callback()

    def reading(self) -> bool:
        """Return whether a read is waiting."""
        return self._read is not None

    def writing(self) -> bool:
        """Return whether something waits to be written."""
        return len(self._write_buffer) > 0

    def closed(self) -> bool:
        """Return whether the stream is closed."""
        return self._closed

    def set_nodelay(self, value: bool) -> None:
        """Send small pieces at once, or let the system collect them for some milliseconds.

        Does nothing for streams that are not TCP.

        .. versionadded:: 3.1
        """

    # Reading.

    def _check_not_reading(self) -> None:
        if self._read is not None and self._read.future.cancelled():
            # Nobody waits for it; what has come is for the next one.
            self._read = None
        if self._read is not None:
            self._check_closed()
            raise AssertionError("Already reading")

    def _start_read(self, read: _Read) -> "Future[Any]":
        if self._read is not None:
            self._check_not_reading()
        self._read = read
        try:
            self._try_inline_read()
        except UnsatisfiableReadError as e:
            # Had the bytes come later, the future would fail; so it is to be the same now.
            self._close_unsatisfiable(e)
        except BaseException:
            self._read = None
            if read.future.done():
                _retrieve(read.future)
            raise
        return read.future

    def _read_head(self, max_bytes: int) -> Awaitable[bytes]:
        """Read the head of a message of HTTP. For `tornado.http1connection`."""
        return self._start_read(_ReadHead(max_bytes))

    def _try_inline_read(self) -> None:
        """Satisfy a new read from what is there already, or else wait for more."""
        read = self._read
        assert read is not None
        count = read.locate(self._read_buffer, True)
        if count is None:
            self._check_closed()
            count = self._fill()
        if count is not None:
            self._read = None
            read.future.set_result(read.take(self._read_buffer, count))
        if not self._read_buffer or count is None:
            # With something left, all may stay as it is until an event comes.
            self._update_events()

    def _fill(self) -> int | None:
        """Read the descriptor until the pending read is satisfied, or without one, once.

        Returns what `_Read.locate` does. A read is no longer pending when the stream was closed meanwhile.
        """
        read = self._read
        while self._read_chunk(read):
            if read is None:
                return None
            count = read.locate(self._read_buffer, False)
            if count is not None:
                return count
        if read is None or self._read is not read:
            return None
        return read.locate(self._read_buffer, True)

    def _read_chunk(self, read: _Read | None) -> bool:
        """Read the descriptor once; return whether anything came. Closes the stream at the end."""
        if isinstance(read, _ReadInto):
            count = self._read_fd(read.view[read.filled :])
            if count:
                read.filled += count
            return bool(count)
        size = self.read_chunk_size
        if size != _DEFAULT_CHUNK_SIZE:
            chunk = bytearray(size)
        else:
            chunk = _chunks.pop() if _chunks else bytearray(size)
        try:
            count = self._read_fd(chunk)
            if not count:
                return False
            with memoryview(chunk) as view:
                self._read_buffer += view[:count]
        finally:
            if size == _DEFAULT_CHUNK_SIZE:
                _chunks.append(chunk)
        if len(self._read_buffer) > self.max_buffer_size:
            gen_log.error("Reached maximum read buffer size")
            error = StreamBufferFullError("Reached maximum read buffer size")
            self.close(exc_info=error)
            raise error
        return True

    def _read_fd(self, buf: bytearray | memoryview) -> int | None:
        """Call `read_from_fd`, and close the stream if that is the end of it."""
        while True:
            try:
                count = self.read_from_fd(buf)
            except InterruptedError:
                continue
            except OSError as e:
                self.close(exc_info=e)
                if self._is_connreset(e):
                    return None
                raise
            if count == 0:
                self.close()
            return count

    def _finish_read(self, count: int) -> None:
        read = self._read
        assert read is not None
        self._read = None
        if read.future.cancelled():
            return
        read.future.set_result(read.take(self._read_buffer, count))

    def _handle_read(self) -> None:
        try:
            count = self._fill()
        except UnsatisfiableReadError:
            raise
        except StreamBufferFullError:
            return  # has been logged, and the stream is closed
        except Exception as e:
            gen_log.warning("error on read: %s", e)
            self.close(exc_info=e)
            return
        if count is not None:
            self._finish_read(count)

    # Writing.

    def _handle_write(self) -> None:
        while self._write_buffer:
            try:
                with self._write_buffer.peek(_WRITE_SIZE_MAX) as data:
                    count = self.write_to_fd(data)
            except BlockingIOError:
                break
            except OSError as e:
                if self._is_connreset(e):
                    self._read_last_words()
                else:
                    gen_log.warning("Write error on %s: %s", self.fileno(), e)
                self.close(exc_info=e)
                return
            if not count:
                break
            self._write_buffer.advance(count)
            self._written_out += count
        while self._write_futures and self._write_futures[0][0] <= self._written_out:
            future_set_result_unless_cancelled(self._write_futures.popleft()[1], None)

    def _read_last_words(self) -> None:
        """Buffer what the other side sent before it went: it may say why, as a server does that takes no large bodies."""
        if isinstance(self._read, _ReadInto):
            return
        with memoryview(bytearray(self.read_chunk_size)) as chunk:
            while len(self._read_buffer) <= self.max_buffer_size - self.read_chunk_size:
                try:
                    count = self.read_from_fd(chunk)
                except OSError:
                    return
                if not count or self._closed:
                    return
                self._read_buffer += chunk[:count]

    # Events.

    def _handle_connect(self) -> None:
        """Called when a descriptor that was connecting is ready."""
        self._connecting = False

    def _handle_events(self, fd: int | Any, events: int) -> None:
        if self._closed:
            gen_log.warning("Got events for closed stream %s", fd)
            return
        try:
            if self._connecting:
                self._handle_connect()
            if events & IOLoop.READ and not self._closed:
                self._handle_read()
            if events & IOLoop.WRITE and not self._closed:
                self._handle_write()
            if not self._closed:
                self._update_events()
        except UnsatisfiableReadError as e:
            self._close_unsatisfiable(e)
        except Exception as e:
            gen_log.error("Uncaught exception, closing connection.", exc_info=True)
            self.close(exc_info=e)
            raise

    def _update_events(self) -> None:
        """Let the loop watch for what is waited for."""
        if self._closed:
            return
        events = IOLoop.NONE
        if self.reading():
            events |= IOLoop.READ
        if self.writing() or self._connecting:
            events |= IOLoop.WRITE
        if not events and not self._read_buffer and (self._close_callback is not None or self._watched is not None):
            # Nothing is to be done, but the end of the stream should be noticed. It cannot be while data is left unread.
            events = IOLoop.READ
        if events == (self._watched or IOLoop.NONE):
            return
        if self._watched is None:
            self.io_loop.add_handler(self.fileno(), self._handle_events, events)
        else:
            self.io_loop.update_handler(self.fileno(), events)
        self._watched = events

    # The end.

    def _check_closed(self) -> None:
        if self._closed:
            raise StreamClosedError(real_error=self.error)

    def _is_connreset(self, exc: BaseException) -> bool:
        """Return whether an exception says that the other side has gone. May be overridden."""
        return isinstance(exc, OSError) and exc.errno in _ERRNO_CONNRESET

    def _close_unsatisfiable(self, error: UnsatisfiableReadError) -> None:
        gen_log.info("Unsatisfiable read, closing connection: %s", error)
        self.close(exc_info=error)

    def _finish_last_read(self) -> None:
        """Satisfy a read, if it can be, with what came before the end."""
        read = self._read
        if read is None:
            return
        if isinstance(read, _ReadUntilClose):
            if self.error is None or self._is_connreset(self.error):
                self._finish_read(len(self._read_buffer))
            return
        try:
            count = read.locate(self._read_buffer, True)
        except UnsatisfiableReadError:
            return
        if count is not None:
            self._finish_read(count)

    def _fail_all(self) -> None:
        futures = [future for _, future in self._write_futures]
        self._write_futures.clear()
        self._write_buffer = _StreamBuffer()
        if self._read is not None:
            futures.append(self._read.future)
            self._read = None
        if self._connect_future is not None:
            futures.append(self._connect_future)
            self._connect_future = None
        for future in futures:
            if not future.done():
                future.set_exception(StreamClosedError(real_error=self.error))
            _retrieve(future)

    def _run_close_callback(self) -> None:
        callback = self._close_callback
        if callback is not None:
            self._close_callback = None
            self.io_loop.add_callback(callback)


def _retrieve(future: "Future[Any]") -> None:
    """Look at the exception of a future, so that nobody warns that nobody did."""
    if not future.cancelled():
        future.exception()
