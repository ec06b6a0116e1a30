"""An HTTP server that does not block.

Most applications see no more of it than ``Application.listen``. It parses requests, and hands them to a function, an
`.Application`, or any other `.HTTPServerConnectionDelegate`. All of the protocol is the engine's work.
"""

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from types import SimpleNamespace
from typing import Any, Optional, Union

import tornado
from tornado import _engine, _errors, _task, gen, httputil, netutil  # noqa: F401 (they hand things to the engine)
from tornado._core import core_of
from tornado._server_tls import DetachedTLSStream, DuplicateSocket, TLSSocket
from tornado.concurrent import Future
from tornado.http1connection import HTTP1ConnectionParameters, HTTP1ServerConnection, _GzipMessageDelegate
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream, SSLIOStream
from tornado.tcpserver import TCPServer
from tornado.util import Configurable

__all__ = ["HTTPRequest", "HTTPServer"]

_BODY_BYTES_MAX = 104857600


class HTTPServer(TCPServer, Configurable, httputil.HTTPServerConnectionDelegate):
    """A server for HTTP/1.1.

    .. code-block:: python

        async def main():
            server = HTTPServer(app, xheaders=True)
            server.listen(8888)
            await asyncio.Event().wait()

        asyncio.run(main())

    ``request_callback``: a function that is called with each `.HTTPServerRequest`, its body included, or an
    `.HTTPServerConnectionDelegate`, such as an `.Application`.

    ``no_keep_alive``: close every connection after one response.

    ``xheaders``: believe what a proxy says in ``X-Real-Ip``, ``X-Forwarded-For``, ``X-Scheme`` and ``X-Forwarded-Proto``;
    for servers that can be reached through a proxy only. ``trusted_downstream`` lists further proxies whose addresses are
    passed over in ``X-Forwarded-For``.

    ``protocol``: the value of ``request.protocol`` when a proxy has done the encryption.

    ``ssl_options``: serve HTTPS, with an `ssl.SSLContext` or its arguments as of `.ssl_options_to_context`.

    ``decompress_request``: undo gzip in the bodies of requests.

    ``idle_connection_timeout``: seconds until the head of the next request must be complete; an hour if not given.

    ``body_timeout``: seconds between two pieces of a body; no limit if not given.

    ``max_header_size``, ``max_body_size``: bytes; more is refused. 64 KiB and 100 MiB (``max_buffer_size``) if not given.

    .. versionchanged:: 4.0
       Delegates; ``decompress_request``, the sizes and the timeouts.

    .. versionchanged:: 4.5
       ``trusted_downstream``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Arguments are those of `initialize`, as for every Configurable.
        pass

    def initialize(
        self,
        request_callback: Union[httputil.HTTPServerConnectionDelegate, Callable[[HTTPServerRequest], None]],
        no_keep_alive: bool = False,
        xheaders: bool = False,
        ssl_options: Union[dict[str, Any], ssl.SSLContext, None] = None,
        protocol: Optional[str] = None,
        decompress_request: bool = False,
        chunk_size: Optional[int] = None,
        max_header_size: Optional[int] = None,
        idle_connection_timeout: Optional[float] = None,
        body_timeout: Optional[float] = None,
        max_body_size: Optional[int] = None,
        max_buffer_size: Optional[int] = None,
        trusted_downstream: Optional[list[str]] = None,
    ) -> None:
        self.request_callback = request_callback
        self.xheaders = xheaders
        self.protocol = protocol
        self.trusted_downstream = set(trusted_downstream or ())
        self._chunk_size = chunk_size or 65536
        if max_body_size is None:
            max_body_size = _BODY_BYTES_MAX if max_buffer_size is None else max_buffer_size
        if idle_connection_timeout is None:
            idle_connection_timeout = 3600.0
        self._engine_settings = dict(
            protocol=protocol or ("http" if ssl_options is None else "https"),
            no_keep_alive=no_keep_alive,
            head_bytes_max=max_header_size or 65536,
            body_bytes_max=max_body_size,
            chunk_bytes_max=self._chunk_size,
            idle_timeout=float(idle_connection_timeout),
            body_timeout=-1.0 if body_timeout is None else float(body_timeout),
            server_name=f"TornadoServer/{tornado.version}",
        )
        # For connections that do not belong to the engine.
        self.conn_params = HTTP1ConnectionParameters(
            no_keep_alive=no_keep_alive,
            chunk_size=chunk_size,
            max_header_size=max_header_size,
            header_timeout=idle_connection_timeout,
            max_body_size=max_body_size,
            body_timeout=body_timeout,
            decompress=decompress_request,
        )
        self._server: Optional[_engine.Server] = None
        self._connections: set[HTTP1ServerConnection] = set()
        TCPServer.__init__(
            self, ssl_options=ssl_options, max_buffer_size=max_buffer_size, read_chunk_size=chunk_size
        )

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return HTTPServer

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        return HTTPServer

    def _engine_server(self) -> "_engine.Server":
        """The engine's half, made on the loop that is running, or will be."""
        if self._server is None:
            from tornado.ioloop import IOLoop

            options = self.ssl_options
            callback = self.request_callback
            delegate = isinstance(callback, httputil.HTTPServerConnectionDelegate)
            # A subclass may take over what becomes of connections, and then is asked itself.
            if type(self).start_request is not HTTPServer.start_request:
                callback, delegate = self, True
            if self.conn_params.decompress:
                callback = _Decompressing(
                    callback if delegate else self, self._chunk_size, self._engine_settings["body_bytes_max"]  # type: ignore[arg-type]
                )
                delegate = True
            self._server = _engine.Server(
                core=core_of(IOLoop.current().asyncio_loop),
                callback=callback,
                application=callback if _is_application(callback) else None,
                adjust=self._believe_proxy if self.xheaders else None,
                is_delegate=delegate,
                tls=None if options is None else netutil.ssl_options_to_context(options, server_side=True),
                **self._engine_settings,
            )
        return self._server

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections from sockets that listen, as of `.bind_sockets`."""
        if type(self).handle_stream is not HTTPServer.handle_stream:
            # A subclass that wants streams shall have them.
            super().add_sockets(sockets)
            return
        server = self._engine_server()
        for sock in sockets:
            sock.setblocking(False)
            server.listen(sock)
            self._sockets[sock.fileno()] = sock
            # What TCPServer.stop calls for each socket; the engine stops to listen on all of them at once.
            self._handlers[sock.fileno()] = server.stop

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve a connection that is not the engine's, but was accepted by somebody else."""
        context = _HTTPRequestContext(stream, address, self.protocol)
        connection = HTTP1ServerConnection(stream, self.conn_params, context)
        self._connections.add(connection)
        connection.start_serving(self)

    async def close_all_connections(self) -> None:
        """Close every connection at once, and return when that is done.

        Together with `stop` this ends a server; clients see requests break off.
        """
        server = self._server
        if server is not None:
            server.close_all()
            # They are gone within a turn or two, but for those whose handler never finishes: these are not waited for.
            for _ in range(10):
                if not server.connections:
                    break
                await asyncio.sleep(0)
        while self._connections:
            await next(iter(self._connections)).close()

    def start_request(
        self, server_conn: object, request_conn: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        """Ask the ``request_callback`` for a delegate. The engine does so itself; this is for subclasses."""
        callback = self.request_callback
        delegate: httputil.HTTPMessageDelegate
        if isinstance(callback, httputil.HTTPServerConnectionDelegate):
            delegate = callback.start_request(server_conn, request_conn)
        else:
            delegate = _CallableAdapter(callback, request_conn)
        context = getattr(request_conn, "context", None)
        if self.xheaders and isinstance(context, _HTTPRequestContext):
            delegate = _ProxyAdapter(delegate, context, self)
        return delegate

    def on_close(self, server_conn: object) -> None:
        self._connections.discard(server_conn)  # type: ignore[arg-type]
        if isinstance(self.request_callback, httputil.HTTPServerConnectionDelegate):
            self.request_callback.on_close(server_conn)

    def _believe_proxy(self, request: Any, headers: Optional[httputil.HTTPHeaders] = None) -> None:
        """Put what the proxy says of the client into a request, or into the context of a connection."""
        if headers is None:
            headers = request.headers
        ip = headers.get("X-Forwarded-For", request.remote_ip)
        for ip in (part.strip() for part in reversed(ip.split(","))):
            if ip not in self.trusted_downstream:
                break
        ip = headers.get("X-Real-Ip", ip)
        if netutil.is_valid_ip(ip):
            request.remote_ip = ip
        protocol = headers.get("X-Scheme", headers.get("X-Forwarded-Proto", request.protocol))
        if protocol:
            protocol = protocol.split(",")[-1].strip()
        if protocol in ("http", "https"):
            request.protocol = protocol


class _HTTPRequestContext:
    """What is known of the peer of a connection that is not the engine's."""

    def __init__(self, stream: IOStream, address: Any, protocol: Optional[str]) -> None:
        self.address = address
        sock = getattr(stream, "socket", None)
        self.address_family = None if sock is None else sock.family
        internet = self.address_family in (socket.AF_INET, socket.AF_INET6) and address is not None
        self.remote_ip = address[0] if internet else "0.0.0.0"  # a Unix socket, or somebody's own stream
        self.protocol = protocol or ("https" if isinstance(stream, SSLIOStream) else "http")

    def __str__(self) -> str:
        return self.remote_ip if self.address_family in (socket.AF_INET, socket.AF_INET6) else str(self.address)


class _ProxyAdapter(httputil.HTTPMessageDelegate):
    """Lets one request have what the proxy says of its client; the next one on the connection may be another's."""

    def __init__(
        self, delegate: httputil.HTTPMessageDelegate, context: _HTTPRequestContext, server: HTTPServer
    ) -> None:
        self._delegate = delegate
        self._context = context
        self._server = server
        self._original = context.remote_ip, context.protocol

    def headers_received(
        self,
        start_line: Union[httputil.RequestStartLine, httputil.ResponseStartLine],
        headers: httputil.HTTPHeaders,
    ) -> Optional[Awaitable[None]]:
        self._server._believe_proxy(self._context, headers)
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Optional[Awaitable[None]]:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()
        self._restore()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
        self._restore()

    def _restore(self) -> None:
        self._context.remote_ip, self._context.protocol = self._original


def _is_application(callback: object) -> bool:
    from tornado.web import Application

    return isinstance(callback, Application)


class _Decompressing(httputil.HTTPServerConnectionDelegate):
    """Stands before a delegate and undoes gzip in the bodies of requests."""

    def __init__(self, delegate: httputil.HTTPServerConnectionDelegate, chunk_size: int, max_body_size: int) -> None:
        self._delegate = delegate
        # What the delegate for messages asks a connection of the pure kind.
        self._limits: Any = SimpleNamespace(
            _max_body_size=max_body_size, params=SimpleNamespace(chunk_size=chunk_size)
        )

    def start_request(
        self, server_conn: object, request_conn: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        return _GzipMessageDelegate(self._delegate.start_request(server_conn, request_conn), self._limits)

    def on_close(self, server_conn: object) -> None:
        self._delegate.on_close(server_conn)


class _CallableAdapter(httputil.HTTPMessageDelegate):
    """Collects a request and calls a function with it."""

    def __init__(
        self, request_callback: Callable[[HTTPServerRequest], Any], request_conn: httputil.HTTPConnection
    ) -> None:
        self.connection = request_conn
        self.request_callback = request_callback
        self.request: Optional[HTTPServerRequest] = None
        self._chunks: list[bytes] = []

    def headers_received(
        self,
        start_line: Union[httputil.RequestStartLine, httputil.ResponseStartLine],
        headers: httputil.HTTPHeaders,
    ) -> Optional[Awaitable[None]]:
        assert isinstance(start_line, httputil.RequestStartLine)
        self.request = HTTPServerRequest(connection=self.connection, start_line=start_line, headers=headers)
        return None

    def data_received(self, chunk: bytes) -> Optional[Awaitable[None]]:
        self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        assert self.request is not None
        self.request.body = b"".join(self._chunks)
        self.request._parse_body()
        self.request_callback(self.request)


#: The name of `.HTTPServerRequest` before it moved to `tornado.httputil`.
HTTPRequest = HTTPServerRequest

async def _in_pieces(delegate: Any, data: bytes, size: int) -> None:
    for begin in range(0, len(data), size):
        waiting = delegate.data_received(data[begin : begin + size])
        if waiting is not None:
            await waiting


class _ConnectionStream:
    """``request.connection.stream`` of a connection that is the engine's, as far as that can be had while the engine has it.

    ``request.connection.detach()`` gives a whole `.IOStream`.
    """

    error: Optional[BaseException] = None

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @functools.cached_property
    def socket(self) -> Any:
        """A socket of its own for the same connection: to ask about it, or to set options."""
        if self.closed():
            return None
        ssl_object = self._connection.ssl_object
        if ssl_object is not None:
            return TLSSocket(self._connection, ssl_object)
        return DuplicateSocket(fileno=os.dup(self._connection.fileno()))

    def fileno(self) -> int:
        return self._connection.fileno()

    def closed(self) -> bool:
        return self._connection.closed

    def close(self, exc_info: Any = False) -> None:
        self._connection.close()

    def write(self, data: Union[bytes, memoryview]) -> "Future[None]":
        """Send bytes that are no part of the response, such as an interim one."""
        return self._connection._write_raw(data)

    def set_close_callback(self, callback: Optional[Callable[[], None]]) -> None:
        self._connection.set_close_callback(callback)

    def set_nodelay(self, value: bool) -> None:
        """The engine has Nagle's algorithm off always, and sends whole responses."""


def _detached_stream(fd: int, rest: bytes, tls: Optional[tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]]) -> IOStream:
    plain = socket.socket(fileno=fd)
    stream = IOStream(plain) if tls is None else DetachedTLSStream(plain, *tls)
    stream._read_buffer += rest
    return stream


_engine.bind(
    convert_yielded=gen.convert_yielded,
    in_pieces=_in_pieces,
    detached_stream=_detached_stream,
    connection_stream=_ConnectionStream,
    ssl=ssl,
)
