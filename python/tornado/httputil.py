"""The vocabulary of HTTP: headers, requests, start lines, cookies, forms, ranges, dates.

Servers and clients both speak it. What parses here is the engine's, the same code that reads the heads of messages; this
module gives it Python's names and shapes. Nothing here does I/O.
"""

import calendar
import math
import re
import time
import unicodedata
from collections.abc import Awaitable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from http.client import responses
from http.cookies import CookieError, SimpleCookie
from ssl import SSLError
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tornado import _engine
from tornado._parameters import _encode_header as _encode_header
from tornado._parameters import _parse_header as _parse_header
from tornado.escape import utf8
from tornado.util import ObjectDict

if TYPE_CHECKING:
    import unittest
    from asyncio import Future

__all__ = [
    "HTTPConnection", "HTTPFile", "HTTPHeaders", "HTTPInputError", "HTTPMessageDelegate", "HTTPOutputError",
    "HTTPServerConnectionDelegate", "HTTPServerRequest", "ParseBodyConfig", "ParseMultipartConfig", "RequestStartLine",
    "ResponseStartLine", "encode_username_password", "format_timestamp", "parse_body_arguments", "parse_cookie",
    "parse_multipart_form_data", "parse_request_start_line", "parse_response_start_line", "qs_to_qsl", "responses",
    "set_parse_body_config", "split_host_and_port", "url_concat",
]  # fmt: skip

#: What may surround the value of a header.
HTTP_WHITESPACE = " \t"


class HTTPInputError(Exception):
    """Raised when a peer sends what is no well-formed HTTP. A server answers it with 400.

    .. versionadded:: 4.0
    """


class HTTPOutputError(Exception):
    """Raised when an application breaks off or contradicts itself in what it sends, for instance with a body that is
    longer than its ``Content-Length``.

    .. versionadded:: 4.0
    """


class _ABNF:
    """The grammar of RFC 9110 and 9112, as far as Python code asks for it, for ``fullmatch``. Heads are parsed by the
    engine, which has a grammar of its own."""

    token = field_name = method = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
    field_value = re.compile(r"(?:[\x21-\x7E\x80-\xFF](?:[\t \x21-\x7E\x80-\xFF]*[\x21-\x7E\x80-\xFF])?)?")
    reason_phrase = re.compile(r"[\t \x21-\x7E\x80-\xFF]+")
    request_target = re.compile(r"[\x21-\x7E\x80-\xFF]+")
    host = re.compile(r"(?:[\[\]:A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")


def _normalize_header(name: str) -> str:
    """Return the name of a header in Http-Header-Case.

    >>> _normalize_header("coNtent-TYPE")
    'Content-Type'
    """
    return _engine.normalize_header(name)


class HTTPHeaders(_engine.HTTPHeaders, MutableMapping[str, str]):
    """A mapping of the names of header fields to their values, in the order in which the names were first set.

    Names compare without case and are listed in ``Http-Header-Case``:

    >>> h = HTTPHeaders({"content-type": "text/html"})
    >>> list(h.keys())
    ['Content-Type']
    >>> h["Content-Type"], "CONTENT-TYPE" in h
    ('text/html', True)

    A header may be sent several times. `add` adds a value to those that are there; reading such a name as a mapping gives
    all values in one, joined by commas; `get_list` and `get_all` give them one by one:

    >>> h.add("Set-Cookie", "A=B")
    >>> h.add("Set-Cookie", "C=D")
    >>> h["set-cookie"]
    'A=B,C=D'
    >>> h.get_list("set-cookie")
    ['A=B', 'C=D']
    >>> for (k, v) in sorted(h.get_all()):
    ...     print(f"{k}: {v}")
    Content-Type: text/html
    Set-Cookie: A=B
    Set-Cookie: C=D

    Assigning replaces all values that there were:

    >>> h["Set-Cookie"] = "E=F"
    >>> h.get_list("set-cookie")
    ['E=F']

    `parse` reads a block of lines, `parse_line` a single one:

    >>> h = HTTPHeaders.parse("Content-Type: text/html\\r\\nContent-Length: 42\\r\\n")
    >>> h.parse_line("Expires: 0")
    >>> sorted(h.items())
    [('Content-Length', '42'), ('Content-Type', 'text/html'), ('Expires', '0')]

    `add`, `parse` and `parse_line` raise `HTTPInputError` for a name that is no token and for a value with control
    characters or with blanks around it. The text form has one line for each value:

    >>> print(h, end="")
    Content-Type: text/html
    Content-Length: 42
    Expires: 0

    Headers can be made from another mapping, from pairs or from keyword arguments, and can be copied and pickled.

    .. versionchanged:: 6.5
       Names and values are checked.
    """


class RequestStartLine(NamedTuple):
    """The first line of a request."""

    method: str
    path: str
    version: str


class ResponseStartLine(NamedTuple):
    """The first line of a response; ``reason`` is ``None`` when the server sent none."""

    version: str
    code: int
    reason: str | None


def _check_version(version: str) -> None:
    if not version.startswith("HTTP/1"):
        raise HTTPInputError(f"Unexpected HTTP version {version!r}")


def parse_request_start_line(line: str) -> RequestStartLine:
    """Divide the first line of an HTTP/1 request.

    >>> parse_request_start_line("GET /foo HTTP/1.1")
    RequestStartLine(method='GET', path='/foo', version='HTTP/1.1')

    Raises `HTTPInputError` for anything else.
    """
    start_line = RequestStartLine(*_engine.parse_request_line(line))
    _check_version(start_line.version)
    return start_line


def parse_response_start_line(line: str) -> ResponseStartLine:
    """Divide the first line of an HTTP/1 response.

    >>> parse_response_start_line("HTTP/1.1 200 OK")
    ResponseStartLine(version='HTTP/1.1', code=200, reason='OK')

    Raises `HTTPInputError` for anything else.
    """
    start_line = ResponseStartLine(*_engine.parse_status_line(line))
    _check_version(start_line.version)
    return start_line


class HTTPServerRequest(_engine.Request):
    """A request, as a server's application sees it.

    Everything but `arguments`, `files` and `body` is text; arguments are lists of bytes, because nothing says what
    encoding they are in. Servers make these objects. A test may make one by hand; ``start_line`` is then the way to
    say what is requested, the separate ``method``, ``uri`` and ``version`` are older.

    .. attribute:: method

       Such as "GET".

    .. attribute:: uri

       The target of the request as it was sent.

    .. attribute:: path

       What precedes the question mark of `uri`, not decoded.

    .. attribute:: query

       What follows it.

    .. attribute:: version

       Such as "HTTP/1.1".

    .. attribute:: headers

       An `HTTPHeaders`.

    .. attribute:: body

       Bytes; empty when there is none, or when the handler takes it in pieces.

    .. attribute:: remote_ip

       The address of the client. With ``HTTPServer(xheaders=True)`` it is what the proxy in front says.

    .. attribute:: protocol

       "http" or "https"; what the proxy in front says counts here too.

    .. attribute:: host

       The ``Host`` header, usually with its port when that is not the usual one.

    .. attribute:: host_name

       The same in lower case, without the port.

    .. attribute:: arguments

       Names, as text, to lists of values, as bytes, of the query and of a form in the body together.
       ``RequestHandler.get_argument`` gives text.

    .. attribute:: query_arguments

       Those of the query. *New in version 3.2.*

    .. attribute:: body_arguments

       Those of the form in the body. *New in version 3.2.*

    .. attribute:: files

       The files of a form: names to lists of `HTTPFile`.

    .. attribute:: connection

       What the response can be written to when there is no ``RequestHandler``.

    .. attribute:: server_connection

       The connection which this request came in on; it lives on when the request is done.

    .. attribute:: cookies

       An `http.cookies.SimpleCookie`. Cookies with names that it does not allow are left out.

    Raises `HTTPInputError` without a ``Host`` header, unless this is HTTP/1.0, and with one that is no host.

    .. versionchanged:: 4.0
       Moved here from ``tornado.httpserver``, where it was called ``HTTPRequest``.

    .. versionchanged:: 6.5
       The ``Host`` header is checked.
    """

    # Requests that the server makes have everything of their connection and do not pass through __init__.
    _finish_time: float | None = None

    def __init__(
        self,
        method: str | None = None,
        uri: str | None = None,
        version: str = "HTTP/1.0",
        headers: HTTPHeaders | None = None,
        body: bytes | None = None,
        host: str | None = None,
        files: "dict[str, list[HTTPFile]] | None" = None,
        connection: "HTTPConnection | None" = None,
        start_line: RequestStartLine | None = None,
        server_connection: object | None = None,
    ) -> None:
        if start_line is not None:
            method, uri, version = start_line
        self.method = method
        self.uri = uri
        self.version = version
        self.headers = HTTPHeaders() if headers is None else headers
        self.body = body or b""

        context = getattr(connection, "context", None)
        self.remote_ip = getattr(context, "remote_ip", None)
        self.protocol = getattr(context, "protocol", "http")

        self.host = host or _requested_host(self.headers, version)
        self.host_name = split_host_and_port(self.host.lower())[0]
        self.files = files or {}
        self.connection = connection
        self.server_connection = server_connection
        self._start_time = time.time()

        self.path, _, self.query = (uri or "").partition("?")
        self.arguments = _engine.parse_query(self.query)
        self.query_arguments = {name: list(values) for name, values in self.arguments.items()}
        self.body_arguments: dict[str, list[bytes]] = {}

    def full_url(self) -> str:
        """Return the URL of this request, put together again."""
        return f"{self.protocol}://{self.host}{self.uri}"

    def request_time(self) -> float:
        """Return how many seconds the request has taken, or did take when it is finished."""
        return (time.time() if self._finish_time is None else self._finish_time) - self._start_time

    def get_ssl_certificate(self, binary_form: bool = False) -> None | dict[str, Any] | bytes:
        """Return the certificate of the client, or ``None`` when it has shown none.

        To ask clients for one, set ``verify_mode`` of the `ssl.SSLContext` that the server is given. The result is that
        of `ssl.SSLSocket.getpeercert`: a dictionary, or the bytes of the certificate with ``binary_form``.
        """
        try:
            if self.connection is None:
                return None
            certificate: dict[str, Any] | bytes | None
            certificate = self.connection.stream.socket.getpeercert(binary_form=binary_form)
        except (AttributeError, SSLError):
            return None
        return certificate

    def _parse_body(self) -> None:
        """Read the arguments and files of the body into the attributes. Raises `HTTPInputError`."""
        parse_body_arguments(
            self.headers.get("Content-Type", ""), self.body, self.body_arguments, self.files, self.headers
        )
        _extend(self.arguments, self.body_arguments)

    def __copy__(self) -> "HTTPServerRequest":
        # The attributes are not in a dictionary, where copy would look for them.
        other = type(self).__new__(type(self))
        for name in (*_REQUEST_ATTRIBUTES, *getattr(self, "__dict__", ())):
            setattr(other, name, getattr(self, name))
        return other

    def __repr__(self) -> str:
        # Without the headers, which hold what should not be logged.
        names = ("protocol", "host", "method", "uri", "version", "remote_ip")
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


_REQUEST_ATTRIBUTES = (
    "method", "uri", "path", "query", "version", "headers", "body", "remote_ip", "protocol", "host", "host_name",
    "arguments", "query_arguments", "body_arguments", "files", "cookies", "connection", "server_connection", "_start_time",
)  # fmt: skip


def _requested_host(headers: HTTPHeaders, version: str) -> str:
    host = headers.get("Host")
    if host is None:
        if version != "HTTP/1.0":
            raise HTTPInputError("Missing Host header")
        return "127.0.0.1"
    if "," in host:
        # Several headers, joined.
        raise HTTPInputError(f"Multiple host headers not allowed: {host!r}")
    if not _ABNF.host.fullmatch(host):
        raise HTTPInputError(f"Invalid Host header: {host!r}")
    return host


def _make_cookies(request: HTTPServerRequest) -> SimpleCookie:
    """Return what `HTTPServerRequest.cookies` is when it is first looked at."""
    cookies: SimpleCookie = SimpleCookie()
    for name, value in parse_cookie(request.headers.get("Cookie", "")).items():
        try:
            cookies[name] = value
        except CookieError:
            pass  # browsers send any name; one that is not allowed shall not cost the others
    return cookies


class HTTPServerConnectionDelegate:
    """What `.HTTPServer` tells about its connections. Applications that go below ``RequestHandler`` implement it.

    .. versionadded:: 4.0
    """

    def start_request(self, server_conn: object, request_conn: "HTTPConnection") -> "HTTPMessageDelegate":
        """Return a delegate for the request that begins now.

        ``server_conn`` stands for the connection as a whole, ``request_conn`` for this one exchange on it, which the
        response is written to.
        """
        raise NotImplementedError()

    def on_close(self, server_conn: object) -> None:
        """Called when a connection has been closed that a request came in on."""


class HTTPMessageDelegate:
    """What is told about one message, a request or a response, piece by piece.

    .. versionadded:: 4.0
    """

    # Returning something to wait for holds up the pieces that follow.

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Called when the head of the message is complete."""
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Called with each piece of the body. May return something to wait for before the next one."""
        return None

    def finish(self) -> None:
        """Called when the whole message has come."""

    def on_connection_close(self) -> None:
        """Called when the connection ends before the message does. `finish` is not called then."""


class HTTPConnection:
    """What applications write a response to.

    .. versionadded:: 4.0
    """

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> "Future[None]":
        """Write the head of a message, and the first piece of its body if one is given.

        Returns a future that is done when it has been written.

        .. versionchanged:: 6.0
           The ``callback`` argument is gone.
        """
        raise NotImplementedError()

    def write(self, chunk: bytes) -> "Future[None]":
        """Write a piece of the body. Returns a future that is done when it has been written."""
        raise NotImplementedError()

    def finish(self) -> None:
        """Say that the message is complete."""
        raise NotImplementedError()


def url_concat(url: str, args: None | dict[str, Any] | list[tuple[str, Any]] | tuple[tuple[str, Any], ...]) -> str:
    """Return a URL with more arguments in its query.

    >>> url_concat("http://example.com/foo", dict(c="d"))
    'http://example.com/foo?c=d'
    >>> url_concat("http://example.com/foo?a=b#there", [("c", "d"), ("c", "d2")])
    'http://example.com/foo?a=b&c=d&c=d2#there'

    With ``None`` the URL comes back as it is.
    """
    if args is None:
        return url
    if not isinstance(args, (dict, list, tuple)):
        raise TypeError(f"'args' parameter should be dict, list or tuple. Not {type(args)}")
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    query.extend(args.items() if isinstance(args, dict) else args)
    return urlunsplit(parts._replace(query=urlencode(query)))


class HTTPFile(ObjectDict):
    """A file of a form, as it stands in `HTTPServerRequest.files`. Its members are attributes and items both:

    * ``filename``
    * ``body``
    * ``content_type``
    """

    filename: str
    body: bytes
    content_type: str


@dataclass
class ParseMultipartConfig:
    """Limits for forms of the type ``multipart/form-data``.

    .. versionadded:: 6.5.5
    """

    #: Whether such bodies are parsed at all. Without, they are refused.
    enabled: bool = True

    #: How many fields and files there may be.
    max_parts: int = 100

    #: How many bytes the headers of each may have.
    max_part_header_size: int = 10 * 1024


@dataclass
class ParseBodyConfig:
    """How bodies of requests are parsed.

    .. versionadded:: 6.5.5
    """

    #: For ``multipart/form-data``.
    multipart: ParseMultipartConfig = field(default_factory=ParseMultipartConfig)

    #: How many arguments a form of the other type may have; more are refused. Each costs many times the memory of the three
    #: bytes that it takes to send one. The original has no such limit.
    max_arguments: int = 10_000


_DEFAULT_PARSE_BODY_CONFIG = ParseBodyConfig()


def set_parse_body_config(config: ParseBodyConfig) -> None:
    """Set how bodies are parsed in this process from now on.

    >>> set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(max_parts=200)))
    >>> set_parse_body_config(ParseBodyConfig())

    .. versionadded:: 6.5.5
    """
    global _DEFAULT_PARSE_BODY_CONFIG
    _DEFAULT_PARSE_BODY_CONFIG = config


def _extend(to: dict[str, list[Any]], more: Mapping[str, list[Any]]) -> None:
    for name, values in more.items():
        to.setdefault(name, []).extend(values)


def parse_body_arguments(
    content_type: str,
    body: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    headers: HTTPHeaders | None = None,
    *,
    config: ParseBodyConfig | None = None,
) -> None:
    """Add what a form in a body says to two dictionaries.

    >>> arguments, files = {}, {}
    >>> parse_body_arguments("application/x-www-form-urlencoded", b"a=1&b=", arguments, files)
    >>> arguments
    {'a': [b'1'], 'b': [b'']}

    Bodies of another type than ``application/x-www-form-urlencoded`` and ``multipart/form-data`` are passed over. Raises
    `HTTPInputError` for a malformed body, and for one in a coding that was not undone; nothing is added then.
    """
    if config is None:
        config = _DEFAULT_PARSE_BODY_CONFIG
    media_type = content_type.partition(";")[0].strip().lower()
    is_multipart = media_type == "multipart/form-data"
    if not is_multipart and not media_type.startswith("application/x-www-form-urlencoded"):
        return
    if headers is not None and "Content-Encoding" in headers:
        raise HTTPInputError(f"Unsupported Content-Encoding: {headers['Content-Encoding']}")
    if not is_multipart:
        _extend(arguments, _engine.parse_query(body, True, config.max_arguments))
        return
    boundary = _parse_header(content_type)[1].get("boundary")
    if not boundary:
        raise HTTPInputError("Invalid multipart/form-data: multipart boundary not found")
    try:
        # Escapes in it may stand for characters that UTF-8 does not have.
        parse_multipart_form_data(boundary.encode("utf-8", "replace"), body, arguments, files, config=config.multipart)
    except HTTPInputError as e:
        raise HTTPInputError(f"Invalid multipart/form-data: {e}") from e


def parse_multipart_form_data(
    boundary: bytes,
    data: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    *,
    config: ParseMultipartConfig | None = None,
) -> None:
    """Add what a body of the type ``multipart/form-data`` says to two dictionaries.

    Parts with a file name become an `HTTPFile` in ``files``, all others bytes in ``arguments``. Raises `HTTPInputError`
    at the first defect; nothing is added then.

    .. versionchanged:: 6.5.0
       Raises instead of logging.

    .. versionchanged:: 6.5.5
       The ``config`` argument.
    """
    if config is None:
        config = _DEFAULT_PARSE_BODY_CONFIG.multipart
    if not config.enabled:
        raise HTTPInputError("multipart/form-data parsing is disabled")
    # RFC 2046 allows quotes around it, and some clients have them.
    if boundary.startswith(b'"') and boundary.endswith(b'"'):
        boundary = boundary[1:-1]
    new_arguments: dict[str, list[bytes]] = {}
    new_files: dict[str, list[HTTPFile]] = {}
    _engine.parse_multipart(
        boundary, data, new_arguments, new_files, HTTPFile, config.max_parts, config.max_part_header_size
    )
    _extend(arguments, new_arguments)
    _extend(files, new_files)


def format_timestamp(ts: int | float | tuple[int, ...] | time.struct_time | datetime) -> str:
    """Return a time in the form that HTTP has for it.

    >>> format_timestamp(1359312200)
    'Sun, 27 Jan 2013 18:43:20 GMT'

    ``ts`` is a number as `time.time` returns it, a tuple as `time.gmtime` returns it, or a `~datetime.datetime`; one
    without a time zone is taken for UTC. Raises `TypeError` for anything else.
    """
    if isinstance(ts, (int, float)):
        seconds = math.floor(ts)
    elif isinstance(ts, (tuple, time.struct_time)):
        seconds = calendar.timegm(ts)
    elif isinstance(ts, datetime):
        seconds = calendar.timegm(ts.utctimetuple())
    else:
        raise TypeError(f"unknown timestamp type: {ts!r}")
    return _engine.format_date(seconds)


def _parse_request_range(range_header: str) -> tuple[int | None, int | None] | None:
    """Return the beginning and the end which a ``Range`` header asks for, or ``None`` if it is to be ignored.

    The end is one behind the last byte, as in slices of Python; in the header, it is the last byte.

    >>> _parse_request_range("bytes=1-2")
    (1, 3)
    >>> _parse_request_range("bytes=6-")
    (6, None)
    >>> _parse_request_range("bytes=-6")
    (-6, None)
    >>> _parse_request_range("bytes=-0")
    (None, 0)
    >>> _parse_request_range("bytes=")
    (None, None)
    >>> _parse_request_range("foo=42")
    >>> _parse_request_range("bytes=1-2,6-10")

    Only one range is supported: answering several takes a body of the type ``multipart/byteranges``, which no browser
    asks for.
    """
    if range_header == "bytes=":
        return None, None
    if "-" not in range_header:
        range_header += "-"  # a lone number is where to begin; that is not RFC 9110, but Tornado has always read it so
    numbers = _engine.parse_range(range_header)
    if numbers is None:
        return None
    first, last = numbers
    if first is None:
        return (-last, None) if last else (None, 0)
    return first, None if last is None else last + 1


def _get_content_range(start: int | None, end: int | None, total: int) -> str:
    """Return the value of a ``Content-Range`` header.

    >>> print(_get_content_range(None, 1, 4))
    bytes 0-0/4
    >>> print(_get_content_range(1, 3, 4))
    bytes 1-2/4
    >>> print(_get_content_range(None, None, 4))
    bytes 0-3/4
    """
    return f"bytes {start or 0}-{(end or total) - 1}/{total}"


def encode_username_password(username: str | bytes, password: str | bytes) -> bytes:
    """Return what basic authentication sends, before base64.

    >>> encode_username_password("Aladdin", "open sesame")
    b'Aladdin:open sesame'

    Text is normalized (NFC) and encoded as UTF-8, RFC 7617.

    .. versionadded:: 5.1
    """
    if isinstance(username, str):
        username = unicodedata.normalize("NFC", username)
    if isinstance(password, str):
        password = unicodedata.normalize("NFC", password)
    return utf8(username) + b":" + utf8(password)


def split_host_and_port(netloc: str) -> tuple[str, int | None]:
    """Divide ``host:port``; the port is ``None`` when there is none.

    >>> split_host_and_port("example.com:8888")
    ('example.com', 8888)
    >>> split_host_and_port("[::1]")
    ('[::1]', None)

    .. versionadded:: 4.1
    """
    host, _, port = netloc.rpartition(":")
    if host and port.isascii() and port.isdecimal():
        return host, int(port)
    return netloc, None


def qs_to_qsl(qs: Mapping[Any, Iterable[Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of what `urllib.parse.parse_qs` returned.

    >>> list(qs_to_qsl({"a": ["1", "2"], "b": ["3"]}))
    [('a', '1'), ('a', '2'), ('b', '3')]

    .. versionadded:: 5.0
    """
    for name, values in qs.items():
        for value in values:
            yield name, value


def parse_cookie(cookie: str) -> dict[str, str]:
    """Divide the value of a ``Cookie`` header into names and values.

    >>> parse_cookie('a=1; b="x\\\\073y"')
    {'a': '1', 'b': 'x;y'}

    It does as browsers do rather than as the grammar says: every semicolon divides, names may be anything and even be
    missing, and of several cookies with one name the last counts. Quoted values are unquoted in Python's way.

    .. versionadded:: 4.4.2
    """
    return _engine.parse_cookie(cookie)


def doctests() -> "unittest.TestSuite":
    """Return the examples of this module as tests."""
    import doctest

    return doctest.DocTestSuite()


_engine.bind(
    http_headers=HTTPHeaders,
    http_input_error=HTTPInputError,
    http_output_error=HTTPOutputError,
    make_cookies=_make_cookies,
    parse_query=_engine.parse_query,
    request_class=HTTPServerRequest,
    request_start_line=RequestStartLine,
)
