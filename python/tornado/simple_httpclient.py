"""The HTTP client that needs nothing but Python: `SimpleAsyncHTTPClient`.

Each request has a connection of its own. Up to ``max_clients`` run at a time, the others wait in a queue.
"""

import asyncio
import base64
import copy
import functools
import socket
import ssl
import sys
import time
import urllib.parse
from collections import deque
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from tornado import gen, httputil, version
from tornado.concurrent import Future
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters, _QuietException
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.log import gen_log
from tornado.netutil import OverrideResolver, Resolver, _client_ssl_defaults, is_valid_ip
from tornado.tcpclient import TCPClient

__all__ = ["HTTPStreamClosedError", "HTTPTimeoutError", "SimpleAsyncHTTPClient"]


class HTTPTimeoutError(HTTPError):
    """Raised when a request took too long; its ``code`` is 599.

    .. versionadded:: 5.1
    """

    def __init__(self, message: str) -> None:
        super().__init__(599, message=message)

    def __str__(self) -> str:
        return self.message or "Timeout"


class HTTPStreamClosedError(HTTPError):
    """Raised when the connection was closed before the response was complete; its ``code`` is 599.

    When the system says why, its exception is raised instead, such as `ConnectionResetError`.

    .. versionadded:: 5.1
    """

    def __init__(self, message: str) -> None:
        super().__init__(599, message=message)

    def __str__(self) -> str:
        return self.message or "Stream closed"


class SimpleAsyncHTTPClient(AsyncHTTPClient):
    """An HTTP client that does not block and needs no other library.

    It speaks HTTP/1.1, does not keep connections, and knows no proxies.

    ``max_clients``: how many requests run at a time.

    ``hostname_mapping``: a dictionary for `.OverrideResolver`, for instance ``{"www.example.com": "127.0.0.1"}``.

    ``max_buffer_size``: how many bytes of a response are held before they are taken; 100 MiB if not given.

    ``max_body_size``: how many bytes the body of a response may have, when it is unpacked; ``max_buffer_size`` if not given.

    ``max_header_size``: how many bytes its head may have; 64 KiB if not given.

    ``resolver``, ``defaults``: see `.TCPClient` and `.AsyncHTTPClient`.

    .. versionchanged:: 4.2
       ``max_body_size``.
    """

    def initialize(  # type: ignore[override]
        self,
        max_clients: int = 10,
        hostname_mapping: dict[str, str] | None = None,
        max_buffer_size: int = 104857600,
        resolver: Resolver | None = None,
        defaults: dict[str, Any] | None = None,
        max_header_size: int | None = None,
        max_body_size: int | None = None,
    ) -> None:
        super().initialize(defaults=defaults)
        self.max_clients = max_clients
        # Keys stand for requests: those that wait have a timeout, those that run do not.
        self.queue: deque[tuple[object, HTTPRequest, Callable[[HTTPResponse], None]]] = deque()
        self.active: dict[object, tuple[HTTPRequest, Callable[[HTTPResponse], None]]] = {}
        self.waiting: dict[object, tuple[HTTPRequest, Callable[[HTTPResponse], None], object | None]] = {}
        self.max_buffer_size = max_buffer_size
        self.max_header_size = max_header_size
        self.max_body_size = max_body_size
        self.own_resolver = resolver is None
        self.resolver = Resolver() if resolver is None else resolver
        if hostname_mapping is not None:
            self.resolver = OverrideResolver(resolver=self.resolver, mapping=hostname_mapping)
        self.tcp_client = TCPClient(resolver=self.resolver)

    def close(self) -> None:
        super().close()
        if self.own_resolver:
            self.resolver.close()
        self.tcp_client.close()

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
        key = object()
        self.queue.append((key, request, callback))
        timeout = None
        if len(self.active) >= self.max_clients:
            seconds = _shorter(request.connect_timeout, request.request_timeout)
            if seconds is not None:
                timeout = self.io_loop.call_later(seconds, self._on_queue_timeout, key)
        self.waiting[key] = (request, callback, timeout)
        self._process_queue()
        if self.queue:
            gen_log.debug(
                "max_clients limit reached, request queued. %d active, %d queued requests.",
                len(self.active),
                len(self.queue),
            )

    def _process_queue(self) -> None:
        while self.queue and len(self.active) < self.max_clients:
            key, request, callback = self.queue.popleft()
            if key not in self.waiting:
                continue  # it has waited for too long
            _, _, timeout = self.waiting.pop(key)
            if timeout is not None:
                self.io_loop.remove_timeout(timeout)
            self.active[key] = (request, callback)
            self._handle_request(request, functools.partial(self._release_fetch, key), callback)

    def _handle_request(
        self,
        request: HTTPRequest,
        release_callback: Callable[[], None],
        final_callback: Callable[[HTTPResponse], None],
    ) -> None:
        self._connection_class()(
            self,
            request,
            release_callback,
            final_callback,
            self.max_buffer_size,
            self.tcp_client,
            self.max_header_size,
            self.max_body_size,
        )

    def _connection_class(self) -> type["_HTTPConnection"]:
        return _HTTPConnection

    def _release_fetch(self, key: object) -> None:
        del self.active[key]
        self._process_queue()

    def _on_queue_timeout(self, key: object) -> None:
        request, callback, _ = self.waiting.pop(key)
        response = HTTPResponse(
            request,
            599,
            error=HTTPTimeoutError("Timeout in request queue"),
            request_time=self.io_loop.time() - request.start_time,
        )
        self.io_loop.add_callback(callback, response)


def _shorter(*timeouts: float | None) -> float | None:
    """Return the shortest of several timeouts, of which some may be none."""
    return min((timeout for timeout in timeouts if timeout), default=None)


class _HTTPConnection(httputil.HTTPMessageDelegate):
    """Does one request. Begins by itself, and calls ``final_callback`` once, with the response or the failure.

    ``release_callback`` is called when the next request may begin, which is a little earlier.
    """

    _SUPPORTED_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}

    stream: IOStream | None = None
    connection: HTTP1Connection | None = None

    def __init__(
        self,
        client: SimpleAsyncHTTPClient | None,
        request: HTTPRequest,
        release_callback: Callable[[], None],
        final_callback: Callable[[HTTPResponse], None],
        max_buffer_size: int,
        tcp_client: TCPClient,
        max_header_size: int | None,
        max_body_size: int | None,
    ) -> None:
        self.io_loop = IOLoop.current()
        self.start_time = self.io_loop.time()
        self.start_wall_time = time.time()
        self.client = client
        self.request = request
        self.release_callback: Callable[[], None] | None = release_callback
        self.final_callback: Callable[[HTTPResponse], None] | None = final_callback
        self.max_buffer_size = max_buffer_size
        self.tcp_client = tcp_client
        self.max_header_size = max_header_size
        self.max_body_size = max_body_size
        self.code: int | None = None
        self.reason: str | None = None
        self.headers: httputil.HTTPHeaders | None = None
        self.chunks: list[bytes] = []
        self._timeout: object | None = None
        # What it raises has been given to the callback; only what nobody hears of is left to be logged.
        self.io_loop.add_future(gen.convert_yielded(self.run()), lambda f: f.result())

    async def run(self) -> None:
        try:
            self.parsed = urllib.parse.urlsplit(self.request.url)
            stream = await self._connect()
            if self.final_callback is None:
                stream.close()
                return
            self.stream = stream
            self.stream.set_close_callback(self._on_early_close)
            if self.request.request_timeout:
                self._timeout = self.io_loop.add_timeout(self.start_time + self.request.request_timeout, self._on_timeout)
            self._check_request()
            headers = self._request_headers()
            self.connection = self._create_connection(stream)
            path = self.parsed.path or "/"
            if self.parsed.query:
                path += "?" + self.parsed.query
            start_line = httputil.RequestStartLine(self.request.method, path, "")
            self.connection.write_headers(start_line, headers)
            if not self.request.expect_100_continue:
                await self._write_body()
            # From here on, reading notices the end. It comes before the body has been taken, if that is done slowly.
            stream.set_close_callback(None)
            await self.connection.read_response(self)
            if self.final_callback is not None and self.connection.stream is not None:
                # It was no HTTP, which has been logged, and the connection is closed.
                raise HTTPStreamClosedError("Connection closed")
        except Exception as e:
            if not self._handle_exception(e):
                raise

    async def _connect(self) -> IOStream:
        if self.parsed.scheme not in ("http", "https"):
            raise ValueError(f"Unsupported url scheme: {self.request.url}")
        netloc = self.parsed.netloc.rpartition("@")[2]
        host, port = httputil.split_host_and_port(netloc)
        if port is None:
            port = 443 if self.parsed.scheme == "https" else 80
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]  # a numeric address of IPv6
        source_ip = self.request.network_interface
        if source_ip and not is_valid_ip(source_ip):
            raise ValueError(f"Unrecognized IPv4 or IPv6 address for network_interface, got {source_ip!r}")
        try:
            return await self.tcp_client.connect(
                host,
                port,
                af=socket.AF_INET if self.request.allow_ipv6 is False else socket.AF_UNSPEC,
                ssl_options=self._get_ssl_options(self.parsed.scheme),
                max_buffer_size=self.max_buffer_size,
                source_ip=source_ip or None,
                timeout=_shorter(self.request.connect_timeout, self.request.request_timeout),
            )
        except gen.TimeoutError:
            raise HTTPTimeoutError("Timeout while connecting") from None

    def _get_ssl_options(self, scheme: str) -> dict[str, Any] | ssl.SSLContext | None:
        if scheme != "https":
            return None
        request = self.request
        if request.ssl_options is not None:
            return request.ssl_options
        if request.validate_cert and request.ca_certs is None and request.client_cert is None and request.client_key is None:
            return _client_ssl_defaults
        if request.validate_cert:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=request.ca_certs)
        else:
            # Certificates that nobody is compared with need not be loaded, which takes long.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if request.client_cert is not None:
            context.load_cert_chain(request.client_cert, request.client_key)
        context.options |= ssl.OP_NO_COMPRESSION
        return context

    def _check_request(self) -> None:
        """Refuse what this client cannot do, and what makes no sense."""
        request = self.request
        for name in ("proxy_host", "proxy_port", "proxy_username", "proxy_password", "proxy_auth_mode"):
            if getattr(request, name, None):
                raise NotImplementedError(f"{name} not supported")
        if request.allow_nonstandard_methods:
            return
        if request.method not in self._SUPPORTED_METHODS:
            raise KeyError(f"unknown method {request.method}")
        expected = request.method in ("POST", "PATCH", "PUT")
        present = request.body is not None or request.body_producer is not None
        if expected != present:
            raise ValueError(
                f"Body must {'not ' if expected else ''}be None for method {request.method} "
                "(unless allow_nonstandard_methods is true)"
            )

    def _request_headers(self) -> httputil.HTTPHeaders:
        """Return the headers of the request together with those that are to be added."""
        request = self.request
        # Those of the caller may be used again for another request.
        headers = httputil.HTTPHeaders(request.headers)
        headers.setdefault("Connection", "close")
        headers.setdefault("Host", self.parsed.netloc.rpartition("@")[2])
        username, password = request.auth_username, request.auth_password
        if username is None:
            username, password = self.parsed.username, self.parsed.password
        if username is not None:
            if request.auth_mode not in (None, "basic"):
                raise ValueError(f"unsupported auth_mode {request.auth_mode}")
            credentials = httputil.encode_username_password(username, password or "")
            headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode("ascii")
        if request.user_agent:
            headers["User-Agent"] = request.user_agent
        else:
            headers.setdefault("User-Agent", f"Tornado/{version}")
        if request.expect_100_continue:
            headers["Expect"] = "100-continue"
        if request.body is not None:
            # A body that is there must be announced as long as it is.
            headers["Content-Length"] = str(len(request.body))
        if request.method == "POST":
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if request.decompress_response:
            headers["Accept-Encoding"] = "gzip"
        return headers

    def _create_connection(self, stream: IOStream) -> HTTP1Connection:
        stream.set_nodelay(True)
        return HTTP1Connection(
            stream,
            True,
            HTTP1ConnectionParameters(
                no_keep_alive=True,
                max_header_size=self.max_header_size,
                max_body_size=self.max_body_size,
                decompress=bool(self.request.decompress_response),
            ),
        )

    def _on_early_close(self) -> None:
        """Called when the connection is closed while the request is being written."""
        assert self.stream is not None
        # What came before that is an answer, and is read when writing has ended, which it soon does now.
        if not self.stream._read_buffer:
            self.on_connection_close()

    async def _write_body(self) -> None:
        assert self.connection is not None
        if self.request.body is not None:
            self.connection.write(self.request.body)
        elif self.request.body_producer is not None:
            producing = self.request.body_producer(self.connection.write)
            if producing is not None:
                try:
                    await gen.convert_yielded(producing)
                except StreamClosedError:
                    pass  # the server may have answered before; if it has not, reading will tell
        self.connection.finish()

    # What HTTP1Connection reads.

    async def headers_received(
        self,
        first_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> None:
        assert isinstance(first_line, httputil.ResponseStartLine)
        if 100 <= first_line.code < 200:
            if first_line.code == 100 and self.request.expect_100_continue:
                await self._write_body()
            return
        self.code = first_line.code
        self.reason = first_line.reason
        self.headers = headers
        if self.request.header_callback is not None and not self._should_follow_redirect():
            self.request.header_callback(f"{first_line.version} {first_line.code} {first_line.reason or ''}\r\n")
            for name, value in headers.get_all():
                self.request.header_callback(f"{name}: {value}\r\n")
            self.request.header_callback("\r\n")

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._should_follow_redirect():
            return None  # nobody shall see it
        if self.request.streaming_callback is None:
            self.chunks.append(chunk)
            return None
        return self.request.streaming_callback(chunk)

    def finish(self) -> None:
        assert self.code is not None
        self._remove_timeout()
        if self._should_follow_redirect():
            self._follow_redirect()
        else:
            self._run_callback(
                HTTPResponse(
                    getattr(self.request, "original_request", self.request),
                    self.code,
                    reason=self.reason,
                    headers=self.headers,
                    request_time=self.io_loop.time() - self.start_time,
                    start_time=self.start_wall_time,
                    buffer=BytesIO(b"".join(self.chunks)),
                    effective_url=self.request.url,
                    time_info={"queue": max(0.0, self.start_wall_time - self.request.start_time)},
                )
            )
        self._on_end_request()

    def on_connection_close(self) -> None:
        if self.final_callback is None:
            return
        # When a callback of the request has raised, that is on its way through the connection, and is the reason.
        error = sys.exc_info()[1]
        if not isinstance(error, _QuietException):
            error = self.stream.error if self.stream is not None else None
        self._handle_exception(HTTPStreamClosedError("Connection closed") if error is None else error)

    # Redirects.

    def _should_follow_redirect(self) -> bool:
        return bool(
            self.request.follow_redirects
            and self.request.max_redirects
            and self.request.max_redirects > 0
            and self.code in (301, 302, 303, 307, 308)
            and self.headers is not None
            and self.headers.get("Location") is not None
        )

    def _follow_redirect(self) -> None:
        assert self.headers is not None and self.final_callback is not None and self.client is not None
        assert self.request.max_redirects is not None
        # What the client gave us stands before the request itself.
        present: HTTPRequest = self.request.request  # type: ignore[attr-defined]
        original: HTTPRequest = getattr(present, "original_request", present)
        request = copy.copy(present)
        request.headers = httputil.HTTPHeaders(request.headers)
        request.url = urllib.parse.urljoin(self.request.url, self.headers["Location"])
        request.max_redirects = self.request.max_redirects - 1
        request.headers.pop("Host", None)
        if _origin(request.url) != _origin(original.url):
            _drop_credentials(request)
        # RFC 9110, 15.4: a 303 is to be fetched with GET, and everybody has always done the same with POST and the two
        # oldest codes.
        if (self.code == 303 and request.method != "HEAD") or (self.code in (301, 302) and request.method == "POST"):
            request.method = "GET"
            request.body = None
            request.body_producer = None
            for name in ("Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding"):
                request.headers.pop(name, None)
        request.original_request = original  # type: ignore[attr-defined]
        final_callback, self.final_callback = self.final_callback, None
        self._release()
        future = self.client.fetch(request, raise_error=False)
        future.add_done_callback(functools.partial(_pass_on, original, final_callback))

    # The end.

    def _on_timeout(self) -> None:
        self._timeout = None
        self._handle_exception(HTTPTimeoutError("Timeout during request"))

    def _remove_timeout(self) -> None:
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None

    def _handle_exception(self, error: BaseException) -> bool:
        """Give a failure to the callback; return whether somebody has heard, or need not hear, of it."""
        if self.final_callback is None:
            # The response was given; that the stream closes now is as it should be.
            return isinstance(error, (StreamClosedError, _QuietException))
        self._remove_timeout()
        if isinstance(error, StreamClosedError):
            error = HTTPStreamClosedError("Stream closed") if error.real_error is None else error.real_error
        elif isinstance(error, _QuietException) and error.__cause__ is not None:
            error = error.__cause__
        self._run_callback(
            HTTPResponse(
                self.request,
                599,
                error=error,
                request_time=self.io_loop.time() - self.start_time,
                start_time=self.start_wall_time,
            )
        )
        self._on_end_request()
        return True

    def _run_callback(self, response: HTTPResponse) -> None:
        self._release()
        if self.final_callback is not None:
            final_callback, self.final_callback = self.final_callback, None
            self.io_loop.add_callback(final_callback, response)

    def _release(self) -> None:
        if self.release_callback is not None:
            release_callback, self.release_callback = self.release_callback, None
            release_callback()

    def _on_end_request(self) -> None:
        if self.stream is not None:
            self.stream.close()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parsed = urllib.parse.urlsplit(url)
    return parsed.scheme, parsed.hostname, parsed.port or {"http": 80, "https": 443}.get(parsed.scheme)


def _drop_credentials(request: HTTPRequest) -> None:
    """Remove from a request what is meant for the server that it was first sent to."""
    request.headers.pop("Authorization", None)
    request.headers.pop("Cookie", None)
    request.auth_username = None
    request.auth_password = None
    parsed = urllib.parse.urlsplit(request.url)
    request.url = urllib.parse.urlunsplit(parsed._replace(netloc=parsed.netloc.rpartition("@")[2]))


def _pass_on(
    original: HTTPRequest, final_callback: Callable[[HTTPResponse], None], future: "Future[HTTPResponse]"
) -> None:
    """Give what came of a redirect to the callback of the request that was redirected."""
    if future.cancelled():
        final_callback(HTTPResponse(original, 599, error=asyncio.CancelledError()))
        return
    error = future.exception()
    final_callback(future.result() if error is None else HTTPResponse(original, 599, error=error))


if __name__ == "__main__":
    AsyncHTTPClient.configure(SimpleAsyncHTTPClient)
    from tornado.httpclient import main

    main()
