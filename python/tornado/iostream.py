"""Streams of bytes that do not block: over sockets, over TLS, over pipes.

All of them are `BaseIOStream`, which buffers both ways and turns "is ready" into "is done"; a subclass says how to read and
write its descriptor. Reading is asked for one operation at a time, writing as often as one likes.
"""

import errno
import os
import socket
import ssl
from collections.abc import Awaitable
from typing import Any

from tornado._base_stream import BaseIOStream, StreamBufferFullError, _retrieve
from tornado._buffers import UnsatisfiableReadError, _StreamBuffer  # noqa: F401 (the latter is tested by this name)
from tornado._errors import StreamClosedError
from tornado.concurrent import Future, future_set_result_unless_cancelled
from tornado.log import gen_log
from tornado.netutil import _client_ssl_defaults, _server_ssl_defaults, ssl_wrap_socket

__all__ = [
    "BaseIOStream", "IOStream", "PipeIOStream", "SSLIOStream", "StreamBufferFullError", "StreamClosedError",
    "UnsatisfiableReadError",
]  # fmt: skip

# OpenSSL, or Python, counts some lengths in 32 bits.
_SSL_SIZE_MAX = 1 << 30


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

    socket: ssl.SSLSocket

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
