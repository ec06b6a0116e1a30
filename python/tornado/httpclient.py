"""HTTP clients: what they have in common, and the one that blocks.

`AsyncHTTPClient` stands for the configured implementation, which is `.SimpleAsyncHTTPClient` unless told otherwise;
``tornado.curl_httpclient.CurlAsyncHTTPClient`` is the other one:

.. code-block:: python

    AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")

As a program, ``python -m tornado.httpclient URL`` prints a page.
"""

import datetime
import functools
import ssl
import time
import weakref
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any, cast

from tornado import gen, httputil
from tornado.concurrent import Future, future_set_exception_unless_cancelled, future_set_result_unless_cancelled
from tornado.escape import native_str, utf8
from tornado.ioloop import IOLoop
from tornado.util import Configurable

__all__ = ["AsyncHTTPClient", "HTTPClient", "HTTPClientError", "HTTPError", "HTTPRequest", "HTTPResponse"]


class HTTPClient:
    """A client that blocks.

    .. code-block:: python

        client = HTTPClient()
        try:
            print(client.fetch("http://www.example.com/").body)
        except HTTPError as e:
            print(f"Error: {e}")
        client.close()

    For programs that have no event loop; where one is running, only `AsyncHTTPClient` can be used. The arguments are those
    of the client that does the work, an `AsyncHTTPClient` or ``async_client_class``.

    .. versionchanged:: 5.0
       Cannot be used while a loop is running in this thread.
    """

    def __init__(self, async_client_class: "type[AsyncHTTPClient] | None" = None, **kwargs: Any) -> None:
        # Should anything fail here, there is nothing for __del__ to close.
        self._closed = True
        self._io_loop = IOLoop(make_current=False)

        # The client must be made on its loop.
        async def make_client() -> AsyncHTTPClient:
            await gen.sleep(0)
            return (async_client_class or AsyncHTTPClient)(**kwargs)

        self._async_client: AsyncHTTPClient = self._io_loop.run_sync(make_client)
        self._closed = False

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Free what the client holds. It is of no use afterwards."""
        if not self._closed:
            self._closed = True
            self._async_client.close()
            self._io_loop.close()

    def fetch(self, request: "HTTPRequest | str", **kwargs: Any) -> "HTTPResponse":
        """Do a request, and return the response; see `AsyncHTTPClient.fetch`."""
        response: HTTPResponse = self._io_loop.run_sync(functools.partial(self._async_client.fetch, request, **kwargs))
        return response


class AsyncHTTPClient(Configurable):
    """A client that does not block.

    .. code-block:: python

        async def f():
            response = await AsyncHTTPClient().fetch("http://www.example.com")
            print(response.body)

    ``AsyncHTTPClient()`` gives an instance of the configured class, and each time the same one on the same event loop, so
    that all requests of a program share its limits.

    ``force_instance``: make a new one all the same. It should be closed when it is no longer needed; others need not.

    ``defaults``: a dictionary of values for attributes of `HTTPRequest` that a request leaves open.

    Further arguments are those of the implementation. They count for the first instance only, so it is better to give them
    to ``configure``:

    .. code-block:: python

        AsyncHTTPClient.configure(None, defaults=dict(user_agent="MyUserAgent"))

    .. versionchanged:: 5.0
       The ``io_loop`` argument was removed.
    """

    _instance_cache: "weakref.WeakKeyDictionary[IOLoop, AsyncHTTPClient] | None"

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return AsyncHTTPClient

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        return SimpleAsyncHTTPClient

    @classmethod
    def _async_clients(cls) -> "weakref.WeakKeyDictionary[IOLoop, AsyncHTTPClient]":
        """Return the instances of this very class, by loop."""
        if "_clients_by_loop" not in cls.__dict__:
            cls._clients_by_loop = weakref.WeakKeyDictionary()  # type: ignore[attr-defined]
        clients: weakref.WeakKeyDictionary[IOLoop, AsyncHTTPClient] = cls.__dict__["_clients_by_loop"]
        return clients

    def __new__(cls, force_instance: bool = False, **kwargs: Any) -> "AsyncHTTPClient":
        cache = None if force_instance else cls._async_clients()
        io_loop = IOLoop.current()
        if cache is not None and io_loop in cache:
            return cache[io_loop]
        instance: AsyncHTTPClient = super().__new__(cls, **kwargs)
        instance._instance_cache = cache
        if cache is not None:
            cache[io_loop] = instance
        return instance

    def initialize(self, defaults: dict[str, Any] | None = None) -> None:
        self.io_loop = IOLoop.current()
        self.defaults = {**HTTPRequest._DEFAULTS, **(defaults or {})}
        self._closed = False

    def close(self) -> None:
        """Free what the client holds; it cannot be used afterwards.

        Needed only with ``force_instance``, and when a loop is closed long before the program ends.
        """
        if self._closed:
            return
        self._closed = True
        cache = self._instance_cache
        # When Python shuts down, what the cache refers to weakly may be gone already.
        if cache is not None and cache.get(self.io_loop) is self:
            del cache[self.io_loop]

    def fetch(self, request: "str | HTTPRequest", raise_error: bool = True, **kwargs: Any) -> "Future[HTTPResponse]":
        """Do a request, and give a future of the response.

        ``request``: a URL or an `HTTPRequest`. With a URL, further arguments are those of `HTTPRequest`.

        ``raise_error``: fail with `HTTPClientError` when the code of the response is not one of success. Otherwise such a
        response is given too; failures without a response raise in either case.

        Raises `ValueError` for further arguments beside an `HTTPRequest`, and `RuntimeError` when the client was closed.

        .. versionchanged:: 6.0
           The ``callback`` argument is gone; ``raise_error=False`` concerns responses only.
        """
        if self._closed:
            raise RuntimeError("fetch() called on closed AsyncHTTPClient")
        if not isinstance(request, HTTPRequest):
            request = HTTPRequest(url=request, **kwargs)
        elif kwargs:
            raise ValueError("kwargs can't be used if request is an HTTPRequest object")
        # Of whatever kind of mapping they were. It is a copy, so implementations may add to them.
        request.headers = httputil.HTTPHeaders(request.headers)
        proxy = _RequestProxy(request, self.defaults)
        future: Future[HTTPResponse] = Future()

        def handle_response(response: HTTPResponse) -> None:
            if response.error and (raise_error or not response._error_is_response_code):
                future_set_exception_unless_cancelled(future, response.error)
            else:
                future_set_result_unless_cancelled(future, response)

        self.fetch_impl(cast(HTTPRequest, proxy), handle_response)
        return future

    def fetch_impl(self, request: "HTTPRequest", callback: "Callable[[HTTPResponse], None]") -> None:
        """Do a request and call ``callback(response)``. Implementations say how; failures are responses with ``error``."""
        raise NotImplementedError()

    @classmethod
    def configure(cls, impl: "None | str | type[Configurable]", **kwargs: Any) -> None:
        """Choose the implementation: a class or its dotted name, or ``None`` for the default.

        Further arguments are passed to it whenever one is made. Instances that exist already stay as they are.

        .. code-block:: python

            AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient", max_clients=100)
        """
        super().configure(impl, **kwargs)


class HTTPRequest:
    """A request that a client is to do.

    ``url``, ``method``, ``headers``: what is requested. Headers are an `.HTTPHeaders` or a dictionary.

    ``body``: bytes, or text that is sent as UTF-8.

    ``body_producer``: instead of ``body``, a function that is called with a function ``write``, and calls it with each
    piece. It may be a coroutine, and then should await what ``write`` returns. `.CurlAsyncHTTPClient` has no such thing.

    ``auth_username``, ``auth_password``: for the mode of authentication ``auth_mode``, "basic" if not given;
    `.CurlAsyncHTTPClient` also knows "digest".

    ``connect_timeout``, ``request_timeout``: seconds until the connection stands and until everything is done, 20 if not
    given; 0 means no limit. Waiting in the queue of the client counts too.

    ``if_modified_since``: a time, sent as the header of that name.

    ``follow_redirects``, ``max_redirects``: whether redirects are followed, and how many; true and 5 if not given.

    ``user_agent``: the header of that name.

    ``decompress_response``: ask for gzip, and undo it; true if not given. ``use_gzip`` is its older name.

    ``network_interface``: where to connect from: an IP address, or with `.CurlAsyncHTTPClient` the name of an interface.

    ``streaming_callback``: called with each piece of the body, which then is not in the response. With
    `.SimpleAsyncHTTPClient` it may be a coroutine; the next piece is read when it is done.

    ``header_callback``: called with each line of the head, from the status line to the empty one, as it was sent. The
    headers are in the response all the same.

    ``prepare_curl_callback``: called with a ``pycurl.Curl``, to set more options.

    ``proxy_host``, ``proxy_port``, ``proxy_username``, ``proxy_password``, ``proxy_auth_mode``: a proxy; with
    `.CurlAsyncHTTPClient` only.

    ``allow_nonstandard_methods``: allow any ``method``, and any combination of it with a body.

    ``validate_cert``: for https, whether the certificate is verified; true if not given. ``ca_certs``: by which
    certificates, as the name of a file. ``client_key``, ``client_cert``: files with a key and a certificate of our own.

    ``ssl_options``: a `ssl.SSLContext` instead of these; with `.SimpleAsyncHTTPClient` only.

    ``allow_ipv6``: whether IPv6 may be used; true if not given.

    ``expect_100_continue``: send the body only when the server has agreed to take it; with `.SimpleAsyncHTTPClient` only.

    .. versionadded:: 3.1
       ``auth_mode``.

    .. versionadded:: 4.0
       ``body_producer`` and ``expect_100_continue``.

    .. versionadded:: 4.2
       ``ssl_options``.

    .. versionadded:: 4.5
       ``proxy_auth_mode``.
    """

    _headers: dict[str, str] | httputil.HTTPHeaders
    _body: bytes | None

    # What a request that leaves these open is done with. None means "left open", so a client can have defaults of its own.
    _DEFAULTS: dict[str, Any] = dict(
        connect_timeout=20.0,
        request_timeout=20.0,
        follow_redirects=True,
        max_redirects=5,
        decompress_response=True,
        proxy_password="",
        allow_nonstandard_methods=False,
        validate_cert=True,
    )

    def __init__(
        self,
        url: str,
        method: str = "GET",
        headers: dict[str, str] | httputil.HTTPHeaders | None = None,
        body: bytes | str | None = None,
        auth_username: str | None = None,
        auth_password: str | None = None,
        auth_mode: str | None = None,
        connect_timeout: float | None = None,
        request_timeout: float | None = None,
        if_modified_since: float | datetime.datetime | None = None,
        follow_redirects: bool | None = None,
        max_redirects: int | None = None,
        user_agent: str | None = None,
        use_gzip: bool | None = None,
        network_interface: str | None = None,
        streaming_callback: Callable[[bytes], Awaitable[None] | None] | None = None,
        header_callback: Callable[[str], None] | None = None,
        prepare_curl_callback: Callable[[Any], None] | None = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        proxy_username: str | None = None,
        proxy_password: str | None = None,
        proxy_auth_mode: str | None = None,
        allow_nonstandard_methods: bool | None = None,
        validate_cert: bool | None = None,
        ca_certs: str | None = None,
        allow_ipv6: bool | None = None,
        client_key: str | None = None,
        client_cert: str | None = None,
        body_producer: "Callable[[Callable[[bytes], Future[None]]], Future[None]] | None" = None,
        expect_100_continue: bool = False,
        decompress_response: bool | None = None,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
    ) -> None:
        self.headers = headers
        if if_modified_since:
            self.headers["If-Modified-Since"] = httputil.format_timestamp(if_modified_since)
        self.proxy_host = proxy_host
        self.proxy_port = proxy_port
        self.proxy_username = proxy_username
        self.proxy_password = proxy_password
        self.proxy_auth_mode = proxy_auth_mode
        self.url = url
        self.method = method
        self.body = body
        self.body_producer = body_producer
        self.auth_username = auth_username
        self.auth_password = auth_password
        self.auth_mode = auth_mode
        self.connect_timeout = connect_timeout
        self.request_timeout = request_timeout
        self.follow_redirects = follow_redirects
        self.max_redirects = max_redirects
        self.user_agent = user_agent
        self.decompress_response = use_gzip if decompress_response is None else decompress_response
        self.network_interface = network_interface
        self.streaming_callback = streaming_callback
        self.header_callback = header_callback
        self.prepare_curl_callback = prepare_curl_callback
        self.allow_nonstandard_methods = allow_nonstandard_methods
        self.validate_cert = validate_cert
        self.ca_certs = ca_certs
        self.allow_ipv6 = allow_ipv6
        self.client_key = client_key
        self.client_cert = client_cert
        self.ssl_options = ssl_options
        self.expect_100_continue = expect_100_continue
        self.start_time = time.time()

    @property
    def headers(self) -> httputil.HTTPHeaders:
        # A dictionary until the request is done.
        return self._headers  # type: ignore[return-value]

    @headers.setter
    def headers(self, value: dict[str, str] | httputil.HTTPHeaders | None) -> None:
        self._headers = httputil.HTTPHeaders() if value is None else value

    @property
    def body(self) -> bytes | None:
        return self._body

    @body.setter
    def body(self, value: bytes | str | None) -> None:
        self._body = utf8(value)


class HTTPResponse:
    """What came of a request.

    Attributes:

    * ``request``: the `HTTPRequest`; the first one, if redirects were followed.

    * ``code``: the status, such as 200 or 404, and ``reason``, what the server calls it.

    * ``headers``: an `.HTTPHeaders`.

    * ``effective_url``: where the response comes from, after redirects.

    * ``buffer``: the body as a file; ``body``: the same as bytes, read when first asked for.

    * ``error``: an exception, or ``None``.

    * ``request_time``: how many seconds it took; time spent in the queue of the client does not count.

    * ``start_time``: when it began, on the clock of `time.time`. *New in version 5.1.*

    * ``time_info``: a dictionary of further times. ``queue`` is the time in the queue of the client;
      `.CurlAsyncHTTPClient` adds what libcurl measures.

    .. versionchanged:: 5.1
       ``request_time`` no longer includes the time in the queue with `.SimpleAsyncHTTPClient`.
    """

    error: BaseException | None = None
    # Whether `error` only repeats what `code` says.
    _error_is_response_code = False

    def __init__(
        self,
        request: HTTPRequest,
        code: int,
        headers: httputil.HTTPHeaders | None = None,
        buffer: BytesIO | None = None,
        effective_url: str | None = None,
        error: BaseException | None = None,
        request_time: float | None = None,
        time_info: dict[str, float] | None = None,
        reason: str | None = None,
        start_time: float | None = None,
    ) -> None:
        self.request = request.request if isinstance(request, _RequestProxy) else request
        self.code = code
        self.reason = reason or httputil.responses.get(code, "Unknown")
        self.headers = httputil.HTTPHeaders() if headers is None else headers
        self.buffer = buffer
        self._body: bytes | None = None
        self.effective_url = request.url if effective_url is None else effective_url
        if error is not None:
            self.error = error
        elif not 200 <= code < 300:
            self._error_is_response_code = True
            self.error = HTTPError(code, message=self.reason, response=self)
        self.start_time = start_time
        self.request_time = request_time
        self.time_info = time_info or {}

    @property
    def body(self) -> bytes:
        if self.buffer is None:
            return b""
        if self._body is None:
            self._body = self.buffer.getvalue()
        return self._body

    def rethrow(self) -> None:
        """Raise the error, if there is one."""
        if self.error:
            raise self.error

    def __repr__(self) -> str:
        members = ",".join(f"{name}={value!r}" for name, value in sorted(self.__dict__.items()))
        return f"{self.__class__.__name__}({members})"


class HTTPClientError(Exception):
    """Raised for a request that failed.

    Attributes:

    * ``code``: the status of the response, or 599 when there was none.

    * ``response``: the `HTTPResponse`, or ``None``.

    With redirects the response may itself hold an error; ``error.response`` and ``response.error`` refer to each other.

    .. versionchanged:: 5.1
       Renamed from ``HTTPError``, which is still another name of it.
    """

    def __init__(self, code: int, message: str | None = None, response: HTTPResponse | None = None) -> None:
        self.code = code
        self.message = message or httputil.responses.get(code, "Unknown")
        self.response = response
        super().__init__(code, message, response)

    def __str__(self) -> str:
        return f"HTTP {self.code}: {self.message}"

    # The default would show the response, which shows this error again.
    __repr__ = __str__


HTTPError = HTTPClientError


class _RequestProxy:
    """A request together with the defaults of a client."""

    def __init__(self, request: HTTPRequest, defaults: dict[str, Any] | None) -> None:
        self.request = request
        self.defaults = defaults

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.request, name)
        if value is None and self.defaults is not None:
            return self.defaults.get(name)
        return value


def main() -> None:
    """Print the pages that the command line names."""
    from tornado.options import define, options, parse_command_line

    define("print_headers", type=bool, default=False)
    define("print_body", type=bool, default=True)
    define("follow_redirects", type=bool, default=True)
    define("validate_cert", type=bool, default=True)
    define("proxy_host", type=str)
    define("proxy_port", type=int)
    client = HTTPClient()
    for url in parse_command_line():
        try:
            response = client.fetch(
                url,
                follow_redirects=options.follow_redirects,
                validate_cert=options.validate_cert,
                proxy_host=options.proxy_host,
                proxy_port=options.proxy_port,
            )
        except HTTPError as e:
            if e.response is None:
                raise
            response = e.response
        if options.print_headers:
            print(response.headers)
        if options.print_body:
            print(native_str(response.body))
    client.close()


if __name__ == "__main__":
    main()
