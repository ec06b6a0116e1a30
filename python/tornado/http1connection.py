"""HTTP/1.x over an `.IOStream`, for clients and for servers.

`.SimpleAsyncHTTPClient` speaks through `HTTP1Connection`, and a program may use both classes over streams of its own.
`.HTTPServer` serves plain sockets from the engine, which has the same rules in C.

What a peer sends is never trusted: everything it controls has a limit, and whatever two readers of HTTP could understand
in two ways is refused.
"""

import asyncio
import logging
import re
import zlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from tornado import gen, httputil, iostream
from tornado.concurrent import Future, future_add_done_callback, future_set_result_unless_cancelled
from tornado.escape import native_str, utf8
from tornado.iostream import StreamClosedError, UnsatisfiableReadError
from tornado.log import app_log, gen_log
from tornado.util import GzipDecompressor

__all__ = [
    "HTTP1Connection", "HTTP1ConnectionParameters", "HTTP1ServerConnection", "is_transfer_encoding_chunked", "parse_hex_int",
    "parse_int",
]  # fmt: skip

_CR_OR_LF = re.compile(rb"[\r\n]")
_DIGITS = re.compile(r"[0-9]+")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]+")

# The longest line that may give the size of a chunk. Extensions are not understood, so little room is needed.
_CHUNK_SIZE_LINE_MAX = 64


class _QuietException(Exception):
    """Stands for an exception that has been logged."""


class _ExceptionLoggingContext:
    """Logs what a delegate raises, where it is the application's fault."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if value is None or not isinstance(value, Exception) or isinstance(value, (httputil.HTTPInputError, _QuietException)):
            return
        self.logger.error("Uncaught exception", exc_info=value)
        raise _QuietException from value


class HTTP1ConnectionParameters:
    """Settings of `HTTP1Connection` and `HTTP1ServerConnection`.

    ``no_keep_alive``: close after one request.

    ``chunk_size``: how many bytes of a body are read, and given to a delegate, at a time.

    ``max_header_size``: how many bytes the head of a message may have; 64 KiB if not given.

    ``header_timeout``: seconds until the head must be complete.

    ``max_body_size``: how many bytes a body may have, counted as they are delivered; the ``max_buffer_size`` of the stream
    if not given. With 0, there may be no bodies.

    ``body_timeout``: seconds until the body must be complete.

    ``decompress``: undo gzip.
    """

    def __init__(
        self,
        no_keep_alive: bool = False,
        chunk_size: int | None = None,
        max_header_size: int | None = None,
        header_timeout: float | None = None,
        max_body_size: int | None = None,
        body_timeout: float | None = None,
        decompress: bool = False,
    ) -> None:
        self.no_keep_alive = no_keep_alive
        self.chunk_size = chunk_size or 65536
        self.max_header_size = max_header_size or 65536
        self.header_timeout = header_timeout
        self.max_body_size = max_body_size
        self.body_timeout = body_timeout
        self.decompress = decompress


class HTTP1Connection(httputil.HTTPConnection):
    """One exchange of a request and a response over a stream.

    A client writes and then reads, a server reads and then writes; both methods of either kind are the same.

    ``stream``: an `.IOStream`.

    ``is_client``: which side this is.

    ``params``: an `HTTP1ConnectionParameters`.

    ``context``: whatever describes the connection as a whole; it appears in the log, and is the attribute ``context``.

    .. versionadded:: 4.0
    """

    def __init__(
        self,
        stream: iostream.IOStream,
        is_client: bool,
        params: HTTP1ConnectionParameters | None = None,
        context: object | None = None,
    ) -> None:
        self.is_client = is_client
        self.stream = stream
        self.params = HTTP1ConnectionParameters() if params is None else params
        self.context = context
        self.no_keep_alive = self.params.no_keep_alive
        # The delegate may change both for the message that is being read.
        self._max_body_size = self.params.max_body_size
        if self._max_body_size is None:
            self._max_body_size = self.stream.max_buffer_size
        self._body_timeout = self.params.body_timeout
        self._write_finished = False
        self._read_finished = False
        # Done when all that is to be written has been written, or cannot be any more.
        self._finish_future: Future[None] = Future()
        self._disconnect_on_finish = False
        self._close_callback: Callable[[], None] | None = None
        self._pending_write: Future[None] | None = None
        self._request_start_line: httputil.RequestStartLine | None = None
        self._response_start_line: httputil.ResponseStartLine | None = None
        self._request_headers: httputil.HTTPHeaders | None = None
        self._chunking_output = False
        # What is left of the Content-Length that was written; None if there was none.
        self._expected_content_remaining: int | None = None

    def read_response(self, delegate: httputil.HTTPMessageDelegate) -> Awaitable[bool]:
        """Read one message; a request, if this is a server.

        Gives whether the connection can be used for another one. When the other side breaks off within a message, the
        delegate is told so and `.StreamClosedError` is raised; what is no HTTP is logged, and closes the connection.
        """
        if self.params.decompress:
            delegate = _GzipMessageDelegate(delegate, self)
        return self._read_message(delegate)

    async def _read_message(self, delegate: httputil.HTTPMessageDelegate) -> bool:
        began = ended = False
        try:
            informational = True
            while informational:
                head = await self._read_head()
                if head is None:
                    return False
                start_line, headers = head
                self._disconnect_on_finish = not self._can_keep_alive(start_line, headers)
                began = True
                with _ExceptionLoggingContext(app_log):
                    waiting = delegate.headers_received(start_line, headers)
                    if waiting is not None:
                        await waiting
                if self.stream is None:
                    ended = True  # detached; the rest is none of ours
                    return False
                informational = isinstance(start_line, httputil.ResponseStartLine) and 100 <= start_line.code < 200
                if informational:
                    _check_no_length(headers)
            if not await self._read_body_in_time(start_line, headers, delegate):
                return False
            self._read_finished = True
            if not self._write_finished or self.is_client:
                ended = True
                with _ExceptionLoggingContext(app_log):
                    delegate.finish()
            return await self._wait_for_finish()
        except httputil.HTTPInputError as e:
            await self._refuse(e)
            return False
        finally:
            if began and not ended:
                with _ExceptionLoggingContext(app_log):
                    delegate.on_connection_close()
            self._clear_callbacks()

    async def _read_head(
        self,
    ) -> tuple[httputil.RequestStartLine | httputil.ResponseStartLine, httputil.HTTPHeaders] | None:
        """Read the head of a message; ``None`` if it took too long."""
        deadline = None
        if self.params.header_timeout is not None:
            deadline = self.stream.io_loop.time() + self.params.header_timeout
        text = ""
        while not text:
            reading = self.stream._read_head(self.params.max_header_size)
            if deadline is not None:
                try:
                    data = await gen.with_timeout(deadline, reading, quiet_exceptions=StreamClosedError)
                except gen.TimeoutError:
                    self.close()
                    return None
            else:
                data = await reading
            # RFC 9112, 2.2: empty lines before a message are passed over.
            text = data.decode("latin1").lstrip("\r\n")
        first, _, rest = text.partition("\n")
        first = first.rstrip("\r")
        if self.is_client:
            start_line: httputil.RequestStartLine | httputil.ResponseStartLine
            start_line = self._response_start_line = httputil.parse_response_start_line(first)
            return start_line, httputil.HTTPHeaders.parse(rest)
        start_line = self._request_start_line = httputil.parse_request_start_line(first)
        self._request_headers = httputil.HTTPHeaders.parse(rest)
        return start_line, self._request_headers

    async def _read_body_in_time(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
        delegate: httputil.HTTPMessageDelegate,
    ) -> bool:
        """Read the body, if there is one; return whether that did not take too long."""
        code = 0
        if isinstance(start_line, httputil.ResponseStartLine):
            code = start_line.code
            if code == 304 or (self._request_start_line is not None and self._request_start_line.method == "HEAD"):
                # Headers say how long the body would be.
                return True
        elif headers.get("Expect") == "100-continue" and not self._write_finished:
            self.stream.write(b"HTTP/1.1 100 (Continue)\r\n\r\n")
        body = self._read_body(code, headers, delegate)
        if body is None:
            return True
        if self._body_timeout is None:
            await body
            return True
        try:
            await gen.with_timeout(
                self.stream.io_loop.time() + self._body_timeout, body, quiet_exceptions=StreamClosedError
            )
        except gen.TimeoutError:
            gen_log.info("Timeout reading body from %s", self.context)
            self.stream.close()
            return False
        return True

    async def _wait_for_finish(self) -> bool:
        """Wait until the other half of the exchange is done too; return whether the connection is open still."""
        if self.stream is not None and not self._finish_future.done() and not self.stream.closed():
            self.stream.set_close_callback(self._on_connection_close)
            await self._finish_future
        if self.is_client and self._disconnect_on_finish:
            self.close()
        # What a closed stream still holds is not worth an answer that nobody gets.
        return self.stream is not None and not self.stream.closed()

    async def _refuse(self, error: httputil.HTTPInputError) -> None:
        gen_log.info("Malformed HTTP message from %s: %s", self.context, error)
        if not self.is_client and self.stream is not None and not self.stream.closed():
            await self.stream.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.close()

    def _clear_callbacks(self) -> None:
        """Keep no references that make cycles."""
        self._close_callback = None
        if self.stream is not None:
            self.stream.set_close_callback(None)

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call ``callback()`` when the connection is closed. Delegates have `.HTTPMessageDelegate.on_connection_close`.

        This is for after the request has been read.
        """
        self._close_callback = callback

    def _on_connection_close(self) -> None:
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            callback()
        if not self._finish_future.done():
            future_set_result_unless_cancelled(self._finish_future, None)
        self._clear_callbacks()

    def close(self) -> None:
        """Close the connection."""
        if self.stream is not None:
            self.stream.close()
        self._clear_callbacks()
        if not self._finish_future.done():
            future_set_result_unless_cancelled(self._finish_future, None)

    def detach(self) -> iostream.IOStream:
        """Give up the stream and return it; what is read and written from now on is not HTTP.

        To be called while a request is being handled.
        """
        self._clear_callbacks()
        stream = self.stream
        self.stream = None  # type: ignore[assignment]
        if not self._finish_future.done():
            future_set_result_unless_cancelled(self._finish_future, None)
        return stream

    def set_body_timeout(self, timeout: float) -> None:
        """Set the seconds until the body of the present message must be complete."""
        self._body_timeout = timeout

    def set_max_body_size(self, max_body_size: int) -> None:
        """Set how many bytes the body of the present message may have."""
        self._max_body_size = max_body_size

    # Writing.

    def write_headers(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
        chunk: bytes | None = None,
    ) -> "Future[None]":
        """Write the head of a message, and with it the first piece of its body.

        Adds what the protocol needs to ``headers``. Raises `ValueError` for a line break in a header, and what `write`
        raises.
        """
        if isinstance(start_line, httputil.RequestStartLine) or self.is_client:
            first = self._begin_request(httputil.RequestStartLine(*start_line), headers)
        else:
            first = self._begin_response(httputil.ResponseStartLine(*start_line), headers)
        if self._chunking_output:
            headers["Transfer-Encoding"] = "chunked"
        if self._expected_content_remaining is None and "Content-Length" in headers:
            self._expected_content_remaining = parse_int(headers["Content-Length"])

        lines = [first]
        for name, value in headers.get_all():
            lines.append(f"{native_str(name)}: {native_str(value)}".encode("latin1"))
        for line in lines:
            if _CR_OR_LF.search(line):
                raise ValueError(f"Illegal characters (CR or LF) in header: {line!r}")
        data = b"\r\n".join(lines) + b"\r\n\r\n"
        if chunk:
            data += self._format_chunk(chunk)
        return self._send(data)

    def _begin_request(self, start_line: httputil.RequestStartLine, headers: httputil.HTTPHeaders) -> bytes:
        self._request_start_line = start_line
        # These have a body, even if it is empty, and its end must be told.
        self._chunking_output = (
            start_line.method in ("POST", "PUT", "PATCH")
            and "Content-Length" not in headers
            and "Transfer-Encoding" not in headers
        )
        return utf8(f"{start_line.method} {start_line.path} HTTP/1.1")

    def _begin_response(self, start_line: httputil.ResponseStartLine, headers: httputil.HTTPHeaders) -> bytes:
        assert self._request_start_line is not None and self._request_headers is not None
        request = self._request_start_line
        self._response_start_line = start_line
        no_body = request.method == "HEAD" or start_line.code in (204, 304) or 100 <= start_line.code < 200
        self._chunking_output = (
            request.version == "HTTP/1.1"
            and not no_body
            and "Content-Length" not in headers
            and "Transfer-Encoding" not in headers
        )
        if request.version == "HTTP/1.1" and self._disconnect_on_finish:
            headers["Connection"] = "close"
        if request.version == "HTTP/1.0" and self._request_headers.get("Connection", "").lower() == "keep-alive":
            headers["Connection"] = "Keep-Alive"
        # The Content-Length of these is not that of what is sent.
        self._expected_content_remaining = 0 if request.method == "HEAD" or start_line.code == 304 else None
        return utf8(f"HTTP/1.1 {start_line.code} {start_line.reason}")

    def _format_chunk(self, chunk: bytes) -> bytes:
        if self._expected_content_remaining is not None:
            self._expected_content_remaining -= len(chunk)
            if self._expected_content_remaining < 0:
                # What follows on this connection would be taken for the rest of the body.
                self.stream.close()
                raise httputil.HTTPOutputError("Tried to write more data than Content-Length")
        if self._chunking_output and chunk:
            # An empty chunk would be the end of the body.
            return b"%x\r\n%b\r\n" % (len(chunk), chunk)
        return chunk

    def _send(self, data: bytes) -> "Future[None]":
        if self.stream.closed():
            future: Future[None] = Future()
            future.set_exception(StreamClosedError())
            future.exception()  # nobody needs to look
            return future
        self._pending_write = self.stream.write(data)
        return self._pending_write

    def write(self, chunk: bytes) -> "Future[None]":
        """Write a piece of the body.

        Raises `.HTTPOutputError` when that is more than the ``Content-Length`` said.
        """
        return self._send(self._format_chunk(chunk))

    def finish(self) -> None:
        """Say that the message is complete.

        Raises `.HTTPOutputError` when its body is shorter than the ``Content-Length`` said.
        """
        if self._expected_content_remaining and not self.stream.closed():
            self.stream.close()
            raise httputil.HTTPOutputError(
                f"Tried to write {self._expected_content_remaining} bytes less than Content-Length"
            )
        if self._chunking_output and not self.stream.closed():
            self._send(b"0\r\n\r\n")
        self._write_finished = True
        if not self._read_finished:
            # The rest of the request is read and dropped, but no other one is awaited behind it.
            self._disconnect_on_finish = True
        # Nothing more comes, so nothing is gained by waiting for it.
        self.stream.set_nodelay(True)
        if self._pending_write is None:
            self._finish_request(None)
        else:
            future_add_done_callback(self._pending_write, self._finish_request)

    def _finish_request(self, future: "Future[None] | None") -> None:
        self._pending_write = None
        if self.stream is None:
            return
        if not self.is_client and self._disconnect_on_finish:
            self.close()
            return
        self.stream.set_nodelay(False)
        if not self._finish_future.done():
            future_set_result_unless_cancelled(self._finish_future, None)

    # Reading.

    def _can_keep_alive(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> bool:
        if self.params.no_keep_alive:
            return False
        connection = headers.get("Connection", "").lower()
        if start_line.version == "HTTP/1.1":
            return connection != "close"
        if (
            "Content-Length" in headers
            or is_transfer_encoding_chunked(headers)
            or getattr(start_line, "method", None) in ("HEAD", "GET")
        ):
            return connection == "keep-alive"
        return False

    def _read_body(
        self, code: int, headers: httputil.HTTPHeaders, delegate: httputil.HTTPMessageDelegate
    ) -> Awaitable[None] | None:
        """Choose how to read the body; ``None`` if there is none (RFC 9112, 6.3)."""
        assert self._max_body_size is not None
        content_length = _content_length(headers)
        if content_length is not None and content_length > self._max_body_size:
            raise httputil.HTTPInputError("Content-Length too long")
        is_chunked = is_transfer_encoding_chunked(headers)
        if code == 204:
            if is_chunked or content_length not in (None, 0):
                raise httputil.HTTPInputError(f"Response with code {code} should not have body")
            return None
        if is_chunked:
            return self._read_chunked_body(delegate)
        if content_length is not None:
            return self._read_fixed_body(content_length, delegate)
        if self.is_client:
            return self._read_body_until_close(delegate)
        return None

    async def _deliver(self, data: bytes, delegate: httputil.HTTPMessageDelegate) -> None:
        if self._write_finished and not self.is_client:
            return  # the response has been given without it
        with _ExceptionLoggingContext(app_log):
            waiting = delegate.data_received(data)
            if waiting is not None:
                await waiting

    async def _read_fixed_body(self, content_length: int, delegate: httputil.HTTPMessageDelegate) -> None:
        while content_length > 0:
            data = await self.stream.read_bytes(min(self.params.chunk_size, content_length), partial=True)
            content_length -= len(data)
            await self._deliver(data, delegate)

    async def _read_chunked_body(self, delegate: httputil.HTTPMessageDelegate) -> None:
        # RFC 9112, 7.1, without extensions and trailers.
        total = 0
        while True:
            line = await self.stream.read_until(b"\r\n", max_bytes=_CHUNK_SIZE_LINE_MAX)
            try:
                size = parse_hex_int(line[:-2].decode("latin1"))
            except ValueError:
                raise httputil.HTTPInputError("invalid chunk size") from None
            total += size
            assert self._max_body_size is not None
            if total > self._max_body_size:
                raise httputil.HTTPInputError("chunked body too large")
            await self._read_fixed_body(size, delegate)
            if await self.stream.read_bytes(2) != b"\r\n":
                raise httputil.HTTPInputError("improperly terminated chunked request")
            if size == 0:
                return

    async def _read_body_until_close(self, delegate: httputil.HTTPMessageDelegate) -> None:
        total = 0
        while True:
            try:
                data = await self.stream.read_bytes(self.params.chunk_size, partial=True)
            except StreamClosedError as e:
                if isinstance(e.real_error, iostream.StreamBufferFullError):
                    raise
                return
            total += len(data)
            assert self._max_body_size is not None
            if total > self._max_body_size:
                raise httputil.HTTPInputError("body too large")
            await self._deliver(data, delegate)


class _GzipMessageDelegate(httputil.HTTPMessageDelegate):
    """Stands before a delegate and undoes gzip."""

    def __init__(self, delegate: httputil.HTTPMessageDelegate, connection: HTTP1Connection) -> None:
        self._delegate = delegate
        self._connection = connection
        self._decompressor: GzipDecompressor | None = None
        self._total = 0

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        if headers.get("Content-Encoding", "").lower() == "gzip":
            self._decompressor = GzipDecompressor()
            # The delegate sees a body that is not encoded, but can find out that it was.
            headers.add("X-Consumed-Content-Encoding", headers["Content-Encoding"])
            del headers["Content-Encoding"]
        return self._delegate.headers_received(start_line, headers)

    async def data_received(self, chunk: bytes) -> None:
        if self._decompressor is None:
            waiting = self._delegate.data_received(chunk)
            if waiting is not None:
                await waiting
            return
        limit = self._connection._max_body_size
        assert limit is not None
        while chunk:
            # In pieces, because a few bytes can become very many.
            try:
                data = self._decompressor.decompress(chunk, self._connection.params.chunk_size)
            except zlib.error as e:
                raise httputil.HTTPInputError(f"invalid gzip data: {e}") from e
            chunk = self._decompressor.unconsumed_tail
            if data:
                self._total += len(data)
                if self._total > limit:
                    raise httputil.HTTPInputError("decompressed body too large")
                waiting = self._delegate.data_received(data)
                if waiting is not None:
                    await waiting
            elif chunk:
                raise httputil.HTTPInputError("encountered unconsumed gzip data without making progress")

    def finish(self) -> None:
        if self._decompressor is not None and self._decompressor.flush():
            raise httputil.HTTPInputError("decompressor.flush returned data; possible truncated input")
        return self._delegate.finish()

    def on_connection_close(self) -> None:
        return self._delegate.on_connection_close()


class HTTP1ServerConnection:
    """Serves one stream, a request after the other.

    .. code-block:: python

        class HTTPOverMyServer(TCPServer):
            def handle_stream(self, stream, address):
                HTTP1ServerConnection(stream, HTTP1ConnectionParameters(), address).start_serving(my_delegate)

    The arguments are those of `HTTP1Connection`.
    """

    def __init__(
        self,
        stream: iostream.IOStream,
        params: HTTP1ConnectionParameters | None = None,
        context: object | None = None,
    ) -> None:
        self.stream = stream
        self.params = HTTP1ConnectionParameters() if params is None else params
        self.context = context
        self._serving_future: Future[None] | None = None

    async def close(self) -> None:
        """Close the connection, and return when nothing more happens on it."""
        self.stream.close()
        assert self._serving_future is not None
        try:
            await self._serving_future
        except Exception:
            pass  # has been logged

    def start_serving(self, delegate: httputil.HTTPServerConnectionDelegate) -> None:
        """Begin to serve."""
        assert isinstance(delegate, httputil.HTTPServerConnectionDelegate)
        future = gen.convert_yielded(self._server_request_loop(delegate))
        self._serving_future = future
        # What it raises shall be logged.
        self.stream.io_loop.add_future(future, lambda f: f.result())

    async def _server_request_loop(self, delegate: httputil.HTTPServerConnectionDelegate) -> None:
        try:
            while True:
                connection = HTTP1Connection(self.stream, False, self.params, self.context)
                request_delegate = delegate.start_request(self, connection)
                try:
                    if not await connection.read_response(request_delegate):
                        return
                except (StreamClosedError, UnsatisfiableReadError, asyncio.CancelledError):
                    return
                except _QuietException:
                    connection.close()
                    return
                except Exception:
                    gen_log.error("Uncaught exception", exc_info=True)
                    connection.close()
                    return
                # Others have their turn before the next request, which may be there already.
                await asyncio.sleep(0)
        finally:
            delegate.on_close(self)


def _check_no_length(headers: httputil.HTTPHeaders) -> None:
    if "Content-Length" in headers or "Transfer-Encoding" in headers:
        raise httputil.HTTPInputError("Informational response cannot have body")


def _content_length(headers: httputil.HTTPHeaders) -> int | None:
    """Return the length that a message announces. Several lengths are fine if they are the same (RFC 9110, 8.6)."""
    if "Content-Length" not in headers:
        return None
    text = headers["Content-Length"]
    if "," in text:
        pieces = re.split(r",[ \t]*", text)
        if any(piece != pieces[0] for piece in pieces):
            raise httputil.HTTPInputError(f"Multiple unequal Content-Lengths: {text!r}")
        text = headers["Content-Length"] = pieces[0]
    try:
        return parse_int(text)
    except ValueError:
        raise httputil.HTTPInputError(f"Only integer Content-Length is allowed: {text}") from None


def parse_int(s: str) -> int:
    """Parse a number as HTTP has it: digits, with no sign, blank or underscore.

    >>> parse_int("42")
    42

    Raises `ValueError` for anything else.
    """
    if _DIGITS.fullmatch(s) is None:
        raise ValueError(f"not an integer: {s!r}")
    return int(s)


def parse_hex_int(s: str) -> int:
    """Parse a hexadecimal number as HTTP has it.

    >>> parse_hex_int("2A")
    42

    Raises `ValueError` for anything else.
    """
    if _HEX_DIGITS.fullmatch(s) is None:
        raise ValueError(f"not a hexadecimal integer: {s!r}")
    return int(s, 16)


def is_transfer_encoding_chunked(headers: httputil.HTTPHeaders) -> bool:
    """Return whether headers say that the body comes in chunks.

    Raises `.HTTPInputError` for any other transfer coding, and for one beside a ``Content-Length``: a proxy may believe the
    one while we believe the other.
    """
    if "Transfer-Encoding" not in headers:
        return False
    if "Content-Length" in headers:
        raise httputil.HTTPInputError("Message with both Transfer-Encoding and Content-Length")
    # RFC 9112 allows more codings before this one, but nobody sends them.
    if headers["Transfer-Encoding"].lower() == "chunked":
        return True
    raise httputil.HTTPInputError(f"Unsupported Transfer-Encoding {headers['Transfer-Encoding']}")


def doctests() -> Any:
    """Return the examples of this module as tests."""
    import doctest

    return doctest.DocTestSuite()
