"""Streams of bytes that do not block: over sockets, over TLS, over pipes.

All of them are `BaseIOStream`, which buffers both ways and turns "is ready" into "is done"; a subclass says how to read and
write its descriptor. Reading is asked for one operation at a time, writing as often as one likes.
"""

import errno
import os
import re
import socket
import ssl
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
from tornado.netutil import _client_ssl_defaults, _server_ssl_defaults, ssl_wrap_socket

__all__ = [
    "BaseIOStream", "IOStream", "PipeIOStream", "SSLIOStream", "StreamBufferFullError", "StreamClosedError",
    "UnsatisfiableReadError",
]  # fmt: skip

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

# How much is offered to the system in one write.
_WRITE_SIZE_MAX = 256 * 1024

# OpenSSL, or Python, counts some lengths in 32 bits.
_SSL_SIZE_MAX = 1 << 30


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
        exc_info: "None | bool | BaseException | tuple[type[BaseException] | None, BaseException | None, TracebackType | None]" = False,
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
        assert self._read is not None
        count = self._read.locate(self._read_buffer, True)
        if count is None:
            self._check_closed()
            count = self._fill()
        if count is not None:
            self._finish_read(count)
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
                if not self._is_connreset(e):
                    gen_log.warning("Write error on %s: %s", self.fileno(), e)
                self.close(exc_info=e)
                return
            if not count:
                break
            self._write_buffer.advance(count)
            self._written_out += count
        while self._write_futures and self._write_futures[0][0] <= self._written_out:
            future_set_result_unless_cancelled(self._write_futures.popleft()[1], None)

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


class IOStream(BaseIOStream):
    """A stream over a socket.

    .. code-block:: python

        stream = IOStream(socket.socket())
        await stream.connect(("example.com", 80))
        await stream.write(b"GET / HTTP/1.0\\r\\nHost: example.com\\r\\n\\r\\n")
        print(await stream.read_until_close())
        stream.close()

    ``socket``: connected, as from `socket.socket.accept`, or to be connected by `connect`. From now on it is the stream's,
    which makes it non-blocking.

    Further arguments are those of `BaseIOStream`.
    """

    def __init__(self, socket: socket.socket, *args: Any, **kwargs: Any) -> None:
        self.socket = socket
        self.socket.setblocking(False)
        super().__init__(*args, **kwargs)

    def fileno(self) -> int | Any:
        return self.socket

    def close_fd(self) -> None:
        try:
            self.socket.close()
        finally:
            self.socket = None  # type: ignore[assignment]

    def get_fd_error(self) -> Exception | None:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return OSError(code, os.strerror(code))

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            return self.socket.recv_into(buf)
        except BlockingIOError:
            return None

    def write_to_fd(self, data: memoryview) -> int:
        return self.socket.send(data)

    def connect(self, address: Any, server_hostname: str | None = None) -> "Future[Any]":
        """Connect to an address, which has the form that `socket.socket.connect` takes.

        Gives a future of the stream itself; if it fails, the reason is in `error`. Names of hosts are looked up as the
        system does it, which blocks; `.TCPClient` does better.

        Writing may begin at once; it is done when the connection is there.

        ``server_hostname``: for TLS, see `SSLIOStream.connect`; without meaning here.

        .. versionchanged:: 4.2
           For TLS, the certificate is checked against ``server_hostname``.
        """
        self._check_closed()
        future: Future[Any] = Future()
        self._connecting = True
        self._connect_future = future
        try:
            self.socket.connect(address)
        except BlockingIOError:
            pass
        except OSError as e:
            # Some systems report at once what others report as an event.
            self.close(exc_info=e)
            return future
        self._update_events()
        return future

    def start_tls(
        self,
        server_side: bool,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> Awaitable["SSLIOStream"]:
        """Put TLS around a connection that is in use, as protocols with a STARTTLS command do.

        Gives a future of a new stream, when the handshake is done; this one is of no use then. The limits and the close
        callback go over to the new one.

        ``ssl_options``: a `ssl.SSLContext`, or a dictionary for `.ssl_options_to_context`; by default a client verifies the
        server.

        ``server_hostname``: the name that the certificate of the server must have.

        Raises `ValueError` while anything is to be read or written.

        .. versionadded:: 4.0
        """
        return self._into_tls(server_side, ssl_options, server_hostname).wait_for_handshake()

    def _into_tls(
        self, server_side: bool, ssl_options: dict[str, Any] | ssl.SSLContext | None, server_hostname: str | None
    ) -> "SSLIOStream":
        """Do the work of `start_tls`, but give the new stream at once, so that it can be closed while it is waited for."""
        if self._read or self._write_futures or self._connect_future or self._closed or self._read_buffer:
            raise ValueError("IOStream is not idle; cannot convert to SSL")
        if ssl_options is None:
            ssl_options = _server_ssl_defaults if server_side else _client_ssl_defaults
        if self._watched is not None:
            self.io_loop.remove_handler(self.socket)
            self._watched = None
        try:
            wrapped = ssl_wrap_socket(
                self.socket,
                ssl_options,
                server_hostname=server_hostname,
                server_side=server_side,
                do_handshake_on_connect=False,
            )
        except BaseException as e:
            self.close(exc_info=e)
            raise
        callback, self._close_callback = self._close_callback, None
        self.socket = None  # type: ignore[assignment]
        self._closed = True

        stream = SSLIOStream(
            wrapped,
            ssl_options=ssl_options,
            max_buffer_size=self.max_buffer_size,
            read_chunk_size=self.read_chunk_size,
            max_write_buffer_size=self.max_write_buffer_size,
        )
        stream.set_close_callback(callback)
        return stream

    def _handle_connect(self) -> None:
        error = self.get_fd_error()
        if isinstance(error, OSError) and error.errno:
            self.close(exc_info=error)
            return
        future, self._connect_future = self._connect_future, None
        self._connecting = False
        if future is not None:
            future_set_result_unless_cancelled(future, self)

    def set_nodelay(self, value: bool) -> None:
        if self.socket is None or self.socket.family not in (socket.AF_INET, socket.AF_INET6):
            return
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1 if value else 0)
        except OSError as e:
            # Some systems refuse this when the other side has gone.
            if e.errno != errno.EINVAL and not self._is_connreset(e):
                raise


class SSLIOStream(IOStream):
    """A stream with TLS over a socket.

    .. code-block:: python

        stream = SSLIOStream(socket.socket())
        await stream.connect(("example.com", 443), server_hostname="example.com")

    ``socket``: one from `ssl.SSLContext.wrap_socket`, with ``do_handshake_on_connect=False``, or a plain one that is to be
    connected.

    ``ssl_options``: for the latter, a `ssl.SSLContext`, or a dictionary for `.ssl_options_to_context`. By default, the
    certificate and the name of the server are verified.
    """

    socket: ssl.SSLSocket  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ssl_options = kwargs.pop("ssl_options", _client_ssl_defaults)
        super().__init__(*args, **kwargs)
        self._ssl_accepting = True
        self._handshake_reading = False
        self._handshake_writing = False
        self._ssl_connect_future: Future[SSLIOStream] | None = None
        self._server_hostname: str | None = None
        try:
            self.socket.getpeername()
        except OSError:
            pass  # not connected
        else:
            # The handshake begins with the next event, and that comes soon.
            self._handshake_writing = True
            self._update_events()

    def reading(self) -> bool:
        return self._handshake_reading or super().reading()

    def writing(self) -> bool:
        return self._handshake_writing or super().writing()

    def connect(self, address: Any, server_hostname: str | None = None) -> "Future[SSLIOStream]":
        """Connect to an address and do the handshake.

        ``server_hostname``: the name that is sent to the server and that its certificate must have.
        """
        self._server_hostname = server_hostname
        # If it fails, so does the handshake.
        super().connect(address).add_done_callback(_retrieve)
        return self.wait_for_handshake()

    def wait_for_handshake(self) -> "Future[SSLIOStream]":
        """Wait until the handshake is done; then the certificate of the other side and the like are known.

        Gives a future of the stream. Raises `RuntimeError` when somebody is waiting already.

        .. versionadded:: 4.2
        """
        if self._ssl_connect_future is not None:
            raise RuntimeError("Already waiting")
        future: Future[SSLIOStream] = Future()
        self._ssl_connect_future = future
        if self._closed:
            self._fail_all()
        elif not self._ssl_accepting:
            self._finish_ssl_connect()
        return future

    def _is_connreset(self, exc: BaseException) -> bool:
        if isinstance(exc, ssl.SSLError) and exc.args[0] == ssl.SSL_ERROR_EOF:
            return True
        return super()._is_connreset(exc)

    def _handle_connect(self) -> None:
        super()._handle_connect()
        if self._closed:
            return
        # The loop must forget the plain socket: wrapping takes its descriptor from it.
        self.io_loop.remove_handler(self.socket)
        self._watched = None
        assert self._ssl_options is not None
        self.socket = ssl_wrap_socket(
            self.socket,
            self._ssl_options,
            server_hostname=self._server_hostname,
            server_side=False,
            do_handshake_on_connect=False,
        )
        self._do_ssl_handshake()

    def _do_ssl_handshake(self) -> None:
        self._handshake_reading = False
        self._handshake_writing = False
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._handshake_reading = True
        except ssl.SSLWantWriteError:
            self._handshake_writing = True
        except ssl.SSLError as e:
            if e.args[0] not in (ssl.SSL_ERROR_EOF, ssl.SSL_ERROR_ZERO_RETURN):
                gen_log.warning("SSL Error on %s %s: %s", self.socket.fileno(), self._peer_name(), e)
            self.close(exc_info=e)
        except (OSError, AttributeError) as e:
            # A connection that is gone by now shows in several ways.
            quiet = isinstance(e, AttributeError) or self._is_connreset(e) or e.errno in (0, errno.EBADF, errno.ENOTCONN)
            if not quiet:
                raise
            self.close(exc_info=e)
        else:
            self._ssl_accepting = False
            self._finish_ssl_connect()

    def _peer_name(self) -> Any:
        try:
            return self.socket.getpeername()
        except OSError:
            return "(not connected)"

    def _finish_ssl_connect(self) -> None:
        future, self._ssl_connect_future = self._ssl_connect_future, None
        if future is not None:
            future_set_result_unless_cancelled(future, self)

    def _handle_read(self) -> None:
        if self._ssl_accepting:
            self._do_ssl_handshake()
        else:
            super()._handle_read()

    def _handle_write(self) -> None:
        if self._ssl_accepting:
            self._do_ssl_handshake()
        else:
            super()._handle_write()

    def _fail_all(self) -> None:
        future, self._ssl_connect_future = self._ssl_connect_future, None
        if future is not None:
            if not future.done():
                # Here the reason itself is wanted, such as what is wrong with the certificate.
                future.set_exception(StreamClosedError() if self.error is None else self.error)
            _retrieve(future)
        super()._fail_all()

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        if self._ssl_accepting:
            # A read that is asked for early may find what the handshake waits for.
            if not self._connecting:
                self._do_ssl_handshake()
                self._check_closed()
            if self._ssl_accepting:
                return None
        try:
            return self.socket.recv_into(buf, min(len(buf), _SSL_SIZE_MAX))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return None

    def write_to_fd(self, data: memoryview) -> int:
        try:
            return self.socket.send(data[:_SSL_SIZE_MAX])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0


class PipeIOStream(BaseIOStream):
    """A stream over one end of a pipe, given as the number of a descriptor. Unix only.

    A pipe has one direction, so a stream over it either reads or writes.

    .. code-block:: python

        read_end, write_end = os.pipe()
        reader, writer = PipeIOStream(read_end), PipeIOStream(write_end)
        writer.write(b"hello")
        print(await reader.read_bytes(5))
    """

    def __init__(self, fd: int, *args: Any, **kwargs: Any) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        super().__init__(*args, **kwargs)

    def fileno(self) -> int:
        return self.fd

    def close_fd(self) -> None:
        os.close(self.fd)

    def write_to_fd(self, data: memoryview) -> int:
        return os.write(self.fd, data)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            return os.readv(self.fd, [buf])
        except BlockingIOError:
            return None
        except OSError as e:
            if e.errno != errno.EBADF:
                raise
            # The end for writing cannot be read. It is tried when the reader has gone.
            self.close(exc_info=e)
            return None


def doctests() -> Any:
    """Return the examples of this module as tests."""
    import doctest

    return doctest.DocTestSuite()
