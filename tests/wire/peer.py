"""The client's end of one connection, and a parser of responses that forgives nothing.

A response that is not complete and well formed by RFC 9112 fails the test whatever the test expects of it: see Response.check.
"""

import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)")
NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
VALUE = rb"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?"
FIELD_LINE = re.compile(rb"(%s):[ \t]*(%s)?[ \t]*" % (NAME, VALUE))
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT")
DRIPPED_MAX = 4096  # of a longer send, only so much at its beginning and at its end goes out drop by drop


class Mismatch(Exception):
    """What came back is not what must come back."""


@dataclass
class Response:
    status: int
    fields: list = field(default_factory=list)  # (lower-case name, value) in order
    body: bytes = b""
    closes: bool = False

    def get(self, name):
        """All fields of that name as one value; None when there is none."""
        values = [value for key, value in self.fields if key == name]
        return ", ".join(values) if values else None

    @property
    def terse(self):
        """Is this the status line alone with which Tornado, by its own tests, refuses a request?"""
        return self.status in (400, 431) and not self.fields

    def check(self, may_be_terse):
        """What must hold for every response, whatever was asked."""
        if may_be_terse and self.terse:
            self.closes = True
            return
        lengths = [value for key, value in self.fields if key == "content-length"]
        codings = [value for key, value in self.fields if key == "transfer-encoding"]
        if len(lengths) > 1:
            raise Mismatch("more than one Content-Length")
        if lengths and not re.fullmatch(r"\d+", lengths[0]):
            raise Mismatch(f"malformed Content-Length: {lengths[0]}")
        if lengths and codings:
            raise Mismatch("both Content-Length and Transfer-Encoding")
        if codings and codings != ["chunked"]:
            raise Mismatch(f"Transfer-Encoding: {codings}")
        if (self.status < 200 or self.status == 204) and (lengths or codings):
            raise Mismatch(f"a {self.status} says how long its body is, RFC 9110, 8.6 and 9112, 6.1")
        if self.status >= 200 and not DATE.fullmatch(self.get("date") or ""):
            raise Mismatch(f"missing or malformed Date: {self.get('date')}")
        if self.status == 405 and self.get("allow") is None:
            raise Mismatch("a 405 without Allow, RFC 9110, 15.5.6")


def parse_head(head, may_be_terse=False):
    """The status line and the fields, without the blank line at the end."""
    lines = head.split(b"\r\n")
    match = STATUS_LINE.fullmatch(lines[0])
    if not match:
        raise Mismatch(f"malformed status line: {lines[0]!r}")
    response = Response(int(match[1]))
    for line in lines[1:]:
        match = FIELD_LINE.fullmatch(line)
        if not match:
            raise Mismatch(f"malformed header field: {line!r}")
        response.fields.append((match[1].decode().lower(), (match[2] or b"").decode("latin-1")))
    connection = (response.get("connection") or "").lower()
    response.closes = "close" in [option.strip() for option in connection.split(",")]
    response.check(may_be_terse)
    return response


class Peer:
    """A connection to the server: sends, and reads responses out of what has come."""

    def __init__(self, address, timeout, drip, may_be_terse=False):
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.timeout = timeout
        self.drip = drip
        self.may_be_terse = may_be_terse
        self.received = b""  # and not yet part of a response
        self.ended = None  # None, "close" or "reset": how the server ended its side
        self.must_close = False  # the last response said so

    def wait(self, seconds, writing=False):
        """Wait until bytes or the end came, or (when writing) until there is room; False when nothing did in time."""
        readable, writable, _ = select.select([] if self.ended else [self.socket], [self.socket] if writing else [], [], seconds)
        if readable:
            self.receive()
        return bool(readable or writable)

    def receive(self):
        try:
            data = self.socket.recv(1 << 20)
            self.received += data
            if not data:
                self.ended = "close"
        except BlockingIOError:
            pass
        except ConnectionError:
            self.ended = "reset"

    def send(self, data):
        """Send everything. A server that has refused us may stop listening: that is no failure, its answer is what counts."""
        head = tail = b""
        if self.drip:
            head, data, tail = self.dripped_parts(data)
        for i in range(0, len(head), self.drip or 1):
            self.send_piece(head[i : i + self.drip])
        self.send_piece(data)
        for i in range(0, len(tail), self.drip or 1):
            self.send_piece(tail[i : i + self.drip])

    @staticmethod
    def dripped_parts(data):
        if len(data) <= 2 * DRIPPED_MAX:
            return data, b"", b""
        return data[:DRIPPED_MAX], data[DRIPPED_MAX:-DRIPPED_MAX], data[-DRIPPED_MAX:]

    def send_piece(self, data):
        while data and self.ended != "reset":
            try:
                data = data[self.socket.send(data) :]
            except BlockingIOError:
                if not self.wait(self.timeout, writing=True):
                    raise Mismatch(f"the server does not take our bytes: {len(data)} are left") from None
            except ConnectionError:
                return

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.ended = "ours"

    def need(self, enough, what):
        """Read until enough(self.received) is not None, and return that."""
        deadline = time.monotonic() + self.timeout
        while True:
            found = enough(self.received)
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if self.ended or left <= 0:
                how = {None: "nothing more came", "close": "the connection was closed", "reset": "the connection was reset"}
                raise Mismatch(f"{how.get(self.ended, self.ended)}, but {what} was to come; got {show(self.received)}")
            self.wait(left)

    def take(self, n, what):
        self.need(lambda data: True if len(data) >= n else None, what)
        taken, self.received = self.received[:n], self.received[n:]
        return taken

    def take_line(self, what):
        end = self.need(lambda data: data.index(b"\r\n") if b"\r\n" in data else None, what)
        line, self.received = self.received[:end], self.received[end + 2 :]
        return line

    def response(self, to_head):
        """The next response, complete. Interim ones (1xx) count as responses."""
        if self.must_close:
            raise Mismatch("a further response after one with Connection: close was expected")
        end = self.need(lambda data: data.index(b"\r\n\r\n") if b"\r\n\r\n" in data else None, "a response")
        head, self.received = self.received[:end], self.received[end + 4 :]
        response = parse_head(head, self.may_be_terse)
        if not to_head and response.status >= 200 and response.status not in (204, 304):
            response.body = self.body(response)
        self.must_close = response.closes
        return response

    def body(self, response):
        if response.get("transfer-encoding"):
            return self.chunked_body()
        if response.get("content-length") is not None:
            n = int(response.get("content-length"))
            return self.take(n, f"a body of {n} bytes")
        self.need(lambda data: None if not self.ended else True, "the end of the connection, which ends this body")
        if self.ended != "close":
            raise Mismatch("a body ended by the end of the connection was cut off")
        body, self.received = self.received, b""
        return body

    def chunked_body(self):
        body = b""
        while True:
            line = self.take_line("the size of a chunk")
            if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", line):
                raise Mismatch(f"malformed size of a chunk: {line!r}")
            size = int(line, 16)
            if size == 0:
                break
            body += self.take(size, f"a chunk of {size} bytes")
            if self.take(2, "the end of a chunk") != b"\r\n":
                raise Mismatch("a chunk is not ended by CRLF")
        if self.take_line("the end of the chunked body") != b"":
            raise Mismatch("a trailer that nobody asked for")
        return body

    def expect_nothing(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.received and not self.ended and time.monotonic() < deadline:
            self.wait(max(0.0, deadline - time.monotonic()))
        if self.received or self.ended:
            raise Mismatch(f"nothing was to come, but got {show(self.received) if self.received else self.ended}")

    def expect_end(self, how):
        deadline = time.monotonic() + self.timeout
        while not self.ended and time.monotonic() < deadline:
            self.wait(max(0.0, deadline - time.monotonic()))
        if self.received:
            raise Mismatch(f"the end of the connection was to come, but got {show(self.received)}")
        if self.ended != how:
            raise Mismatch(f"expected {how} of the connection, got {self.ended or 'nothing'}")

    def discard(self):
        """Throw away what comes until the connection ends, in whichever way."""
        deadline = time.monotonic() + self.timeout
        while not self.ended and time.monotonic() < deadline:
            self.wait(max(0.0, deadline - time.monotonic()))
            self.received = b""
        if not self.ended:
            raise Mismatch("the connection was to end, but did not")

    def finish(self):
        """What holds at the end of every test: nothing came that was not asked for, and who said close has closed."""
        if self.ended == "ours":
            return
        if self.must_close and not self.ended:
            self.expect_end("close")
        self.wait(0)
        self.socket.close()
        if self.received:
            raise Mismatch(f"at the end there is more than was expected: {show(self.received)}")


def show(data, limit=400):
    """Bytes for a person to read, on one line."""
    text = repr(data[:limit])[1:]
    return text if len(data) <= limit else f"{text}... ({len(data)} bytes)"
