"""A server for TCP that does not block. `.HTTPServer` shows what can be built on one."""

import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Iterable
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, SSLIOStream
from tornado.log import app_log
from tornado.netutil import _DEFAULT_BACKLOG, add_accept_handler, bind_sockets, ssl_wrap_socket
from tornado.process import fork_processes
from tornado.util import errno_from_exception

__all__ = ["TCPServer"]


class TCPServer:
    """A server for TCP. A subclass says in `handle_stream` what becomes of a connection.

    .. code-block:: python

        class EchoServer(TCPServer):
            async def handle_stream(self, stream, address):
                while True:
                    try:
                        line = await stream.read_until(b"\\n")
                        await stream.write(line)
                    except StreamClosedError:
                        break

        async def main():
            server = EchoServer()
            server.listen(8888)
            await asyncio.Event().wait()

        asyncio.run(main())

    Several processes can share a port in one of two ways: they listen on it with ``reuse_port``, or the sockets are bound
    before forking:

    .. code-block:: python

        sockets = bind_sockets(8888)
        fork_processes(0)

        async def post_fork_main():
            server = EchoServer()
            server.add_sockets(sockets)
            await asyncio.Event().wait()

        asyncio.run(post_fork_main())

    ``ssl_options``: for TLS, a `ssl.SSLContext`, or a dictionary for `.ssl_options_to_context`. Raises `KeyError` for a
    dictionary without ``certfile``, and `ValueError` when a file that it names does not exist.

    ``max_buffer_size``, ``read_chunk_size``: those of `.BaseIOStream`.

    .. versionadded:: 3.1
       ``max_buffer_size``.

    .. versionchanged:: 5.0
       The ``io_loop`` argument was removed.
    """

    def __init__(
        self,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
    ) -> None:
        self.ssl_options = ssl_options
        self.max_buffer_size = max_buffer_size
        self.read_chunk_size = read_chunk_size
        self._sockets: dict[int, socket.socket] = {}
        self._handlers: dict[int, Any] = {}
        self._pending_sockets: list[socket.socket] = []
        self._started = False
        self._stopped = False
        if isinstance(ssl_options, dict):
            _check_ssl_files(ssl_options)

    def listen(
        self,
        port: int,
        address: str | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = _DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Accept connections on a port; the arguments are those of `.bind_sockets`. May be called several times.

        .. versionchanged:: 6.2
           ``family``, ``backlog``, ``flags`` and ``reuse_port``.
        """
        self.add_sockets(
            bind_sockets(port, address=address, family=family, backlog=backlog, flags=flags, reuse_port=reuse_port)
        )

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections from sockets that listen, as of `.bind_sockets`."""
        for sock in sockets:
            self._sockets[sock.fileno()] = sock
            self._handlers[sock.fileno()] = add_accept_handler(sock, self._handle_connection)

    def add_socket(self, socket: socket.socket) -> None:
        """The same as `add_sockets` for a single one."""
        self.add_sockets([socket])

    def bind(
        self,
        port: int,
        address: str | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = _DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Bind to a port, to be listened on after `start`.

        .. deprecated:: 6.2
           Use `listen`, or `add_sockets` after forking.
        """
        sockets = bind_sockets(port, address=address, family=family, backlog=backlog, flags=flags, reuse_port=reuse_port)
        if self._started:
            self.add_sockets(sockets)
        else:
            self._pending_sockets.extend(sockets)

    def start(self, num_processes: int | None = 1, max_restarts: int | None = None) -> None:
        """Serve what `bind` has bound, in this process or in ``num_processes`` children (``None`` or 0: one per CPU).

        ``max_restarts``: see `.fork_processes`.

        .. deprecated:: 6.2
           Use `listen`, or `.fork_processes` and `add_sockets`.
        """
        assert not self._started
        self._started = True
        if num_processes != 1:
            fork_processes(num_processes, max_restarts)
        sockets, self._pending_sockets = self._pending_sockets, []
        self.add_sockets(sockets)

    def stop(self) -> None:
        """Accept no more connections. Those that are open go on."""
        if self._stopped:
            return
        self._stopped = True
        for fd, sock in self._sockets.items():
            assert sock.fileno() == fd
            self._handlers.pop(fd)()
            sock.close()

    def handle_stream(self, stream: IOStream, address: Any) -> Awaitable[None] | None:
        """Called with each connection. To be overridden, also by a coroutine.

        ``address``: what `socket.socket.accept` returned. With TLS, the handshake may not be done yet, see
        `.SSLIOStream.wait_for_handshake`.

        .. versionchanged:: 4.2
           May be a coroutine.
        """
        raise NotImplementedError()

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        if self.ssl_options is not None:
            wrapped = self._wrap(connection)
            if wrapped is None:
                return
            connection = wrapped
        try:
            kind = IOStream if self.ssl_options is None else SSLIOStream
            stream = kind(connection, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size)
            future = self.handle_stream(stream, address)
            if future is not None:
                IOLoop.current().add_future(gen.convert_yielded(future), lambda f: f.result())
        except Exception:
            app_log.error("Error in connection callback", exc_info=True)

    def _wrap(self, connection: socket.socket) -> ssl.SSLSocket | None:
        """Put TLS around a connection; ``None`` if it is gone already."""
        assert self.ssl_options is not None
        try:
            return ssl_wrap_socket(connection, self.ssl_options, server_side=True, do_handshake_on_connect=False)
        except ssl.SSLError as e:
            connection.close()
            if e.args[0] == ssl.SSL_ERROR_EOF:
                return None
            raise
        except OSError as e:
            connection.close()
            # It was closed while it waited to be accepted: by a port scanner, for instance.
            if errno_from_exception(e) in (errno.ECONNABORTED, errno.EINVAL, errno.ENOTCONN):
                return None
            raise


def _check_ssl_files(ssl_options: dict[str, Any]) -> None:
    # Otherwise the first connection would be the one to find out.
    if "certfile" not in ssl_options:
        raise KeyError('missing key "certfile" in ssl_options')
    for name in ("certfile", "keyfile"):
        path = ssl_options.get(name)
        if path is not None and not os.path.exists(path):
            raise ValueError(f'{name} "{path}" does not exist')
