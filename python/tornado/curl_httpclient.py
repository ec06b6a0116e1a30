"""The HTTP client over libcurl: `CurlAsyncHTTPClient`. Needs the package ``pycurl``.

libcurl says which descriptors and which timer it waits for, and is told when they are ready; the waiting is the event
loop's.
"""

import functools
import time
from collections import deque
from collections.abc import Callable
from inspect import iscoroutinefunction
from io import BytesIO
from typing import Any

import pycurl

from tornado import httputil, version
from tornado.escape import native_str, utf8
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.log import app_log, gen_log

__all__ = ["CurlAsyncHTTPClient", "CurlError"]

_Callback = Callable[[HTTPResponse], None]

_EVENTS = {
    pycurl.POLL_NONE: IOLoop.NONE,
    pycurl.POLL_IN: IOLoop.READ,
    pycurl.POLL_OUT: IOLoop.WRITE,
    pycurl.POLL_INOUT: IOLoop.READ | IOLoop.WRITE,
}

# Methods that libcurl has options for, and those that it only needs to be told the name of.
_METHOD_OPTIONS = {"GET": pycurl.HTTPGET, "POST": pycurl.POST, "PUT": pycurl.UPLOAD, "HEAD": pycurl.NOBODY}
_CUSTOM_METHODS = {"DELETE", "OPTIONS", "PATCH"}

_TIMES = {
    "namelookup": pycurl.NAMELOOKUP_TIME,
    "connect": pycurl.CONNECT_TIME,
    "appconnect": pycurl.APPCONNECT_TIME,
    "pretransfer": pycurl.PRETRANSFER_TIME,
    "starttransfer": pycurl.STARTTRANSFER_TIME,
    "total": pycurl.TOTAL_TIME,
    "redirect": pycurl.REDIRECT_TIME,
}


class CurlError(HTTPError):
    """Raised when libcurl fails; its ``code`` is 599, and ``errno`` what libcurl calls the failure."""

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(599, message)
        self.errno = errno


class _Transfer:
    """A request under way, and what has come of it so far."""

    def __init__(self, request: HTTPRequest, callback: _Callback, queue_start_time: float, start_time: float) -> None:
        self.request = request
        self.callback = callback
        self.headers = httputil.HTTPHeaders()
        self.buffer = BytesIO()
        # These are times of the loop's clock, but for the one that a response tells.
        self.queue_start_time = queue_start_time
        self.start_time = start_time
        self.start_wall_time = time.time()


class CurlAsyncHTTPClient(AsyncHTTPClient):
    """An HTTP client over libcurl, which knows proxies and digest authentication and keeps connections.

    ``max_clients``: how many requests run at a time.

    ``defaults``: see `.AsyncHTTPClient`.

    Every request has a handle of its own, so nothing that one sets can be left for another.
    """

    def initialize(self, max_clients: int = 10, defaults: dict[str, Any] | None = None) -> None:  # type: ignore[override]
        super().initialize(defaults=defaults)
        self.max_clients = max_clients
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timeout)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._handle_socket)
        self._requests: deque[tuple[HTTPRequest, _Callback, float]] = deque()
        # libcurl does not keep the handles alive.
        self._active: dict[Any, _Transfer] = {}
        self._fds: set[int] = set()
        self._timeout: object | None = None

    def close(self) -> None:
        if self._closed:
            return
        super().close()
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None
        for fd in self._fds:
            self.io_loop.remove_handler(fd)
        self._fds.clear()
        for curl in self._active:
            self._multi.remove_handle(curl)
            curl.close()
        self._active.clear()
        self._multi.close()
        # It refers to us, and we to it.
        self._multi = None

    def fetch_impl(self, request: HTTPRequest, callback: _Callback) -> None:
        self._requests.append((request, callback, self.io_loop.time()))
        self._process_queue()
        self._set_timeout(0)

    # What libcurl waits for.

    def _handle_socket(self, event: int, fd: int, multi: Any, data: bytes) -> None:
        """Called by libcurl to have a descriptor watched."""
        # It may close one and open another of the same number without saying so, hence the handler is always a new one.
        if fd in self._fds:
            self.io_loop.remove_handler(fd)
            self._fds.discard(fd)
        if event != pycurl.POLL_REMOVE:
            self.io_loop.add_handler(fd, self._handle_events, _EVENTS[event])
            self._fds.add(fd)

    def _set_timeout(self, milliseconds: int) -> None:
        """Called by libcurl to be called after some time; -1 means not to be."""
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None
        if milliseconds >= 0:
            self._timeout = self.io_loop.call_later(milliseconds / 1000.0, self._handle_timeout)

    def _handle_events(self, fd: int, events: int) -> None:
        action = 0
        if events & IOLoop.READ:
            action |= pycurl.CSELECT_IN
        if events & IOLoop.WRITE:
            action |= pycurl.CSELECT_OUT
        self._act(fd, action)

    def _handle_timeout(self) -> None:
        self._timeout = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)
        if self._closed or self._timeout is not None:
            return
        # libcurl does not repeat a time that it has named before.
        milliseconds = self._multi.timeout()
        if milliseconds >= 0:
            self._set_timeout(milliseconds)

    def _act(self, fd: int, action: int) -> None:
        """Let libcurl do what can be done now."""
        while True:
            try:
                result, _ = self._multi.socket_action(fd, action)
            except pycurl.error as e:
                result = e.args[0]
            if result != pycurl.E_CALL_MULTI_PERFORM:
                break
        self._finish_pending_requests()

    # Requests.

    def _process_queue(self) -> None:
        while self._requests and len(self._active) < self.max_clients and not self._closed:
            request, callback, queue_start_time = self._requests.popleft()
            transfer = _Transfer(request, callback, queue_start_time, self.io_loop.time())
            curl = pycurl.Curl()
            try:
                self._set_up(curl, transfer)
                self._multi.add_handle(curl)
            except Exception as e:
                curl.close()
                self._run_callback(callback, HTTPResponse(request, 599, error=e))
            else:
                self._active[curl] = transfer

    def _finish_pending_requests(self) -> None:
        while not self._closed:
            left, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._finish(curl, None)
            for curl, code, message in failed:
                self._finish(curl, CurlError(code, message))
            if left == 0:
                break
        self._process_queue()

    def _finish(self, curl: Any, error: CurlError | None) -> None:
        transfer = self._active.pop(curl, None)
        if transfer is None:
            return  # closed meanwhile
        self._multi.remove_handle(curl)
        times = {name: curl.getinfo(option) for name, option in _TIMES.items()}
        transfer.buffer.seek(0)  # it is for reading from now on
        times["queue"] = transfer.start_time - transfer.queue_start_time
        response = HTTPResponse(
            transfer.request,
            curl.getinfo(pycurl.HTTP_CODE) if error is None else error.code,
            headers=transfer.headers,
            buffer=transfer.buffer if error is None else None,
            effective_url=curl.getinfo(pycurl.EFFECTIVE_URL) if error is None else None,
            error=error,
            reason=transfer.headers.get("X-Http-Reason"),
            request_time=self.io_loop.time() - transfer.start_time,
            start_time=transfer.start_wall_time,
            time_info=times,
        )
        curl.close()
        self._run_callback(transfer.callback, response)

    def _run_callback(self, callback: _Callback, response: HTTPResponse) -> None:
        try:
            callback(response)
        except Exception:
            app_log.error("Exception in callback %r", callback, exc_info=True)

    # Options.

    def _set_up(self, curl: Any, transfer: _Transfer) -> None:
        request = transfer.request
        if request.ssl_options is not None:
            raise ValueError("ssl_options not supported in curl_httpclient")
        if request.body_producer is not None:
            raise NotImplementedError("body_producer not supported in curl_httpclient")
        # Signals are of no use where there may be threads, and libcurl would set handlers for its own.
        curl.setopt(pycurl.NOSIGNAL, 1)
        if hasattr(pycurl, "PROTOCOLS_STR"):
            curl.setopt(pycurl.PROTOCOLS_STR, "http,https")
            curl.setopt(pycurl.REDIR_PROTOCOLS_STR, "http,https")
        else:
            curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
            curl.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.URL, native_str(request.url))
        curl.setopt(pycurl.HTTPHEADER, _header_lines(request))
        curl.setopt(pycurl.USERAGENT, native_str(request.user_agent or f"Tornado/{version}"))
        curl.setopt(
            pycurl.HEADERFUNCTION, functools.partial(self._on_header_line, transfer.headers, request.header_callback)
        )
        curl.setopt(pycurl.WRITEFUNCTION, self._writer(transfer))
        curl.setopt(pycurl.FOLLOWLOCATION, int(bool(request.follow_redirects)))
        curl.setopt(pycurl.MAXREDIRS, request.max_redirects)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(1000 * (request.connect_timeout or 0)))
        curl.setopt(pycurl.TIMEOUT_MS, int(1000 * (request.request_timeout or 0)))
        if request.decompress_response:
            curl.setopt(pycurl.ENCODING, "gzip,deflate")
        _set_up_connection(curl, request)
        _set_up_method(curl, request)
        if request.auth_username is not None:
            curl.setopt(pycurl.HTTPAUTH, _auth_mode("auth_mode", request.auth_mode))
            curl.setopt(
                pycurl.USERPWD, httputil.encode_username_password(request.auth_username, request.auth_password or "")
            )
        if request.prepare_curl_callback is not None:
            request.prepare_curl_callback(curl)

    def _writer(self, transfer: _Transfer) -> Callable[[bytes], int]:
        streaming_callback = transfer.request.streaming_callback
        if streaming_callback is None:
            return transfer.buffer.write
        if iscoroutinefunction(streaming_callback):
            raise TypeError("'CurlAsyncHTTPClient' does not support async streaming_callbacks.")

        def write(chunk: bytes) -> int:
            # Not from within libcurl, which must not be called by what it calls.
            self.io_loop.add_callback(streaming_callback, chunk)
            return len(chunk)

        return write

    def _on_header_line(
        self, headers: httputil.HTTPHeaders, header_callback: Callable[[str], None] | None, data: bytes
    ) -> int | None:
        line = data.decode("latin1")
        if header_callback is not None:
            self.io_loop.add_callback(header_callback, line)
        line = line.rstrip("\r\n")
        try:
            if line.startswith("HTTP/"):
                # Another response, after a redirect or an informational one.
                headers.clear()
                headers["X-Http-Reason"] = line.split(" ", 2)[2] if line.count(" ") >= 2 else ""
            elif line:
                headers.parse_line(line)
        except httputil.HTTPInputError as e:
            gen_log.info("Malformed HTTP message: %s", e)
            return -1  # lets libcurl give up
        return None


def _header_lines(request: HTTPRequest) -> list[bytes]:
    headers = httputil.HTTPHeaders(request.headers)
    lines = []
    for name, value in headers.get_all():
        line = f"{native_str(name)}: {native_str(value)}"
        if "\r" in line or "\n" in line:
            raise ValueError(f"Illegal characters (CR or LF) in header: {line!r}")
        # Without a value, libcurl takes a colon as the wish that the header be left out, and a semicolon as the header.
        lines.append((line if value else f"{native_str(name)};").encode("latin1"))
    # What libcurl would send of its own accord: one costs a delay, the other means nothing here.
    if request.expect_100_continue:
        lines.append(b"Expect: 100-continue")
    elif "Expect" not in headers:
        lines.append(b"Expect:")
    if "Pragma" not in headers:
        lines.append(b"Pragma:")
    return lines


def _auth_mode(name: str, mode: str | None) -> int:
    if mode is None or mode == "basic":
        return int(pycurl.HTTPAUTH_BASIC)
    if mode == "digest":
        return int(pycurl.HTTPAUTH_DIGEST)
    raise ValueError(f"Unsupported {name} {mode}")


def _set_up_connection(curl: Any, request: HTTPRequest) -> None:
    """Set where to connect to, and whom to trust."""
    if request.network_interface:
        curl.setopt(pycurl.INTERFACE, request.network_interface)
    if request.proxy_host and request.proxy_port:
        curl.setopt(pycurl.PROXY, request.proxy_host)
        curl.setopt(pycurl.PROXYPORT, request.proxy_port)
        curl.setopt(pycurl.PROXYAUTH, _auth_mode("proxy_auth_mode", request.proxy_auth_mode))
        if request.proxy_username:
            credentials = httputil.encode_username_password(request.proxy_username, request.proxy_password or "")
            curl.setopt(pycurl.PROXYUSERPWD, credentials)
    curl.setopt(pycurl.SSL_VERIFYPEER, 1 if request.validate_cert else 0)
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.validate_cert else 0)
    if request.ca_certs is not None:
        curl.setopt(pycurl.CAINFO, request.ca_certs)
    if request.client_cert is not None:
        curl.setopt(pycurl.SSLCERT, request.client_cert)
    if request.client_key is not None:
        curl.setopt(pycurl.SSLKEY, request.client_key)
    if request.allow_ipv6 is False:
        curl.setopt(pycurl.IPRESOLVE, pycurl.IPRESOLVE_V4)


def _set_up_method(curl: Any, request: HTTPRequest) -> None:
    """Set the method and the body."""
    if request.method in _METHOD_OPTIONS:
        curl.setopt(_METHOD_OPTIONS[request.method], 1)
    elif request.allow_nonstandard_methods or request.method in _CUSTOM_METHODS:
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    else:
        raise KeyError(f"unknown method {request.method}")

    expected = request.method in ("POST", "PATCH", "PUT")
    present = request.body is not None
    if expected != present and not request.allow_nonstandard_methods:
        raise ValueError(
            f"Body must {'not ' if expected else ''}be None for method {request.method} "
            "(unless allow_nonstandard_methods is true)"
        )
    if not expected and not present:
        return
    if request.method == "GET":
        # libcurl would make something else of it.
        raise ValueError("Body must be None for GET request")
    body = BytesIO(utf8(request.body or b""))
    size = len(body.getvalue())

    def seek(offset: int, origin: int) -> int:
        # After a redirect the body is sent again.
        body.seek(offset, origin)
        return int(pycurl.SEEKFUNC_OK)

    curl.setopt(pycurl.READFUNCTION, body.read)
    curl.setopt(pycurl.SEEKFUNCTION, seek)
    if request.method == "POST":
        curl.setopt(pycurl.POSTFIELDSIZE, size)
    else:
        curl.setopt(pycurl.UPLOAD, 1)
        curl.setopt(pycurl.INFILESIZE, size)


if __name__ == "__main__":
    AsyncHTTPClient.configure(CurlAsyncHTTPClient)
    from tornado.httpclient import main

    main()
