import asyncio
import contextlib
import gzip
import socket

import pytest
from tornado.http1connection import (
    HTTP1Connection,
    HTTP1ConnectionParameters,
    HTTP1ServerConnection,
    is_transfer_encoding_chunked,
    parse_hex_int,
    parse_int,
)
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


class Message(HTTPMessageDelegate):
    """Writes down what it is told; a server's answers with the body that came."""

    def __init__(self, connection=None):
        self.connection = connection
        self.events = []
        self.body = b""

    def headers_received(self, start_line, headers):
        self.start_line, self.headers = start_line, headers
        self.events.append("head")

    def data_received(self, chunk):
        self.body += chunk
        self.events.append(len(chunk))

    def finish(self):
        self.events.append("finish")
        if self.connection is not None:
            self.answer()

    def answer(self):
        headers = HTTPHeaders({"Content-Length": str(len(self.body))})
        self.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers, self.body)
        self.connection.finish()

    def on_connection_close(self):
        self.events.append("close")


class Server(HTTPServerConnectionDelegate):
    def __init__(self, message=Message):
        self.message = message
        self.messages = []
        self.closed = 0

    def start_request(self, server_conn, request_conn):
        self.messages.append(self.message(request_conn))
        return self.messages[-1]

    def on_close(self, server_conn):
        self.closed += 1


@contextlib.contextmanager
def served(delegate, **params):
    """Serve one connection; give the client's end of it."""
    here, there = (IOStream(sock) for sock in socket.socketpair())
    connection = HTTP1ServerConnection(there, HTTP1ConnectionParameters(**params), "somewhere")
    connection.start_serving(delegate)
    try:
        yield here
    finally:
        here.close()
        there.close()


def exchange(data, delegate=None, **params):
    """Return what a server that then closes, because the client does, has answered."""

    async def main():
        with served(Server() if delegate is None else delegate, **params) as client:
            client.write(data)
            answer = b""
            with contextlib.suppress(StreamClosedError, asyncio.TimeoutError):
                while True:
                    answer += await asyncio.wait_for(client.read_bytes(65536, partial=True), 0.1)
            return answer

    return run(main())


def read_response(data, method="GET", delegate=None, **params):
    """Return what a client was told of a response, after which the server closes."""

    async def main():
        here, there = (IOStream(sock) for sock in socket.socketpair())
        connection = HTTP1Connection(here, True, HTTP1ConnectionParameters(**params), "somewhere")
        connection.write_headers(RequestStartLine(method, "/", ""), HTTPHeaders())
        connection.finish()
        there.write(data)
        there.close()
        message = delegate or Message()
        with contextlib.suppress(StreamClosedError):
            await connection.read_response(message)
        here.close()
        return message

    return run(main())


def test_requests_that_come_together_are_answered_in_order():
    server = Server()
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
    answer = exchange(post + b"one" + post + b"two" + GET, server)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.index(b"\r\n\r\none") < answer.index(b"\r\n\r\ntwo")
    assert [message.events for message in server.messages[:3]] == [["head", 3, "finish"], ["head", 3, "finish"], ["head", "finish"]]
    assert server.closed == 1


@pytest.mark.parametrize(
    "head, reason",
    [
        ("GET /", "Malformed HTTP request line"),
        ("GET / HTTP/1.1\r\nHost a", "no colon in header line"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", "Only integer Content-Length is allowed"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0", "Only integer Content-Length is allowed"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2", "Multiple unequal Content-Lengths"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2", "Multiple unequal Content-Lengths"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101", "Content-Length too long"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            "Message with both Transfer-Encoding and Content-Length",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", "Unsupported Transfer-Encoding gzip, chunked"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked", "Illegal"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Unsupported"),
    ],
)
def test_a_head_that_two_readers_could_read_in_two_ways_is_refused(head, reason, caplog):
    with caplog.at_level("INFO"):
        answer = exchange(head.encode() + b"\r\n\r\n", max_body_size=100)
    assert answer == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    (text,) = [record.getMessage() for record in caplog.records]
    assert text.startswith("Malformed HTTP message from somewhere: ")
    assert reason == "Illegal" or reason in text


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"+5\r\nhello\r\n0\r\n\r\n", "invalid chunk size"),
        (b"0x5\r\nhello\r\n0\r\n\r\n", "invalid chunk size"),
        (b"5;a=b\r\nhello\r\n0\r\n\r\n", "invalid chunk size"),
        (b"\r\n", "invalid chunk size"),
        (b"5\r\nhello!\r\n0\r\n\r\n", "improperly terminated chunked request"),
        (b"0\r\nTrailer: x\r\n\r\n", "improperly terminated chunked request"),
        (b"5\r\nhello\r\n60\r\n" + b"x" * 0x60, "chunked body too large"),
    ],
)
def test_chunks_must_be_exact_and_within_the_limit(body, reason, caplog):
    with caplog.at_level("INFO"):
        answer = exchange(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body, max_body_size=100)
    assert answer == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert reason in caplog.text


def test_lengths_that_agree_are_one_length():
    answer = exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5, 5\r\n\r\nhello")
    assert answer.endswith(b"\r\n\r\nhello")


def test_empty_lines_before_a_request_are_passed_over():
    assert exchange(b"\r\n\r\n\n" + GET).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_head_that_is_too_long_ends_the_connection():
    assert exchange(b"GET / HTTP/1.1\r\nA: " + b"x" * 2000, max_header_size=1000) == b""


def test_a_head_that_takes_too_long_ends_the_connection():
    async def main():
        with served(Server(), header_timeout=0.05) as client:
            client.write(b"GET / HT")
            assert await client.read_until_close() == b""

    run(main())


def test_a_body_that_takes_too_long_ends_the_connection(caplog):
    async def main():
        server = Server()
        with caplog.at_level("INFO"), served(server, body_timeout=0.05) as client:
            client.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
            assert await client.read_until_close() == b""
        assert server.messages[0].events == ["head", 3, "close"]

    run(main())
    assert "Timeout reading body from somewhere" in caplog.text


@pytest.mark.parametrize(
    "head, again",
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", False),
        (b"GET / HTTP/1.0\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", True),
        (b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n", False),
    ],
)
def test_a_connection_is_kept_when_both_sides_know_it(head, again):
    answer = exchange(head + b"\r\n" + GET)
    assert answer.count(b"HTTP/1.1 200 OK") == (2 if again else 1)
    assert exchange(head + b"\r\n" + GET, no_keep_alive=True).count(b"HTTP/1.1 200 OK") == 1


def test_an_answer_before_the_body_drops_the_body_and_the_connection():
    class Early(Message):
        def headers_received(self, start_line, headers):
            super().headers_received(start_line, headers)
            self.answer()

        def finish(self):
            raise AssertionError("nobody asked")

    server = Server(Early)
    answer = exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + GET, server)
    assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert server.messages[0].body == b"" and len(server.messages) == 1


def test_the_client_is_asked_to_go_on():
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert exchange(head + b"hi").startswith(b"HTTP/1.1 100 (Continue)\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_body_without_a_length_goes_in_chunks():
    class Chunked(Message):
        def answer(self):
            self.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders())
            self.connection.write(b"x" * 17)
            self.connection.write(b"")
            self.connection.finish()

    answer = exchange(GET, Server(Chunked))
    assert answer == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"
    answer = exchange(b"HEAD / HTTP/1.0\r\n\r\n", Server(Chunked))
    assert b"chunked" not in answer


@pytest.mark.parametrize("body", [b"long", b"x"])
def test_a_body_must_be_as_long_as_announced(body, caplog):
    raised = []

    class Wrong(Message):
        def answer(self):
            try:
                headers = HTTPHeaders({"Content-Length": "3"})
                self.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers, body)
                self.connection.finish()
            except HTTPOutputError as e:
                raised.append(str(e))

    exchange(GET, Server(Wrong))
    assert raised == [
        "Tried to write more data than Content-Length" if len(body) > 3 else "Tried to write 2 bytes less than Content-Length"
    ]


@pytest.mark.parametrize("name, value", [("A", "b\r\nC: d"), ("A", "b\nc"), ("A", "b\rc"), ("A\r\nB", "c")])
def test_a_line_break_cannot_be_put_into_a_header(name, value):
    async def main():
        here, there = (IOStream(sock) for sock in socket.socketpair())
        connection = HTTP1Connection(here, True)
        headers = HTTPHeaders()
        headers[name] = value
        with pytest.raises(ValueError, match="Illegal characters"):
            connection.write_headers(RequestStartLine("GET", "/", ""), headers)
        here.close()
        assert await there.read_until_close() == b""

    run(main())


def test_what_a_delegate_raises_is_logged_and_ends_the_connection(caplog):
    class Broken(Message):
        def finish(self):
            raise RuntimeError("oops")

    assert exchange(GET, Server(Broken)) == b""
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("tornado.application", "Uncaught exception")


def test_a_delegate_may_find_that_this_is_no_http(caplog):
    class Strict(Message):
        def headers_received(self, start_line, headers):
            raise HTTPInputError("not like this")

    with caplog.at_level("INFO"):
        assert exchange(GET, Server(Strict)) == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert "not like this" in caplog.text


def test_limits_can_be_set_for_one_message():
    class Generous(Message):
        def headers_received(self, start_line, headers):
            super().headers_received(start_line, headers)
            if "X-Long" in headers:
                self.connection.set_max_body_size(10)

    post = b"POST / HTTP/1.1\r\nHost: a\r\n%sContent-Length: 7\r\n\r\nabcdefg"
    answer = exchange(post % b"X-Long: 1\r\n" + post % b"", Server(Generous), max_body_size=5)
    assert answer.endswith(b"abcdefgHTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_stream_can_be_taken_over():
    class Upgrade(Message):
        def headers_received(self, start_line, headers):
            stream = self.connection.detach()
            stream.write(b"welcome\n")

        def on_connection_close(self):
            raise AssertionError("it was not closed")

    assert exchange(GET, Server(Upgrade)) == b"welcome\n"


def test_gzip_is_undone_within_the_limit(caplog):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: GZip\r\nContent-Length: %d\r\n\r\n"
    body = gzip.compress(b"a" * 100_000)
    message = read_response(head % len(body) + body, decompress=True)
    assert message.body == b"a" * 100_000 and message.events[-1] == "finish"
    assert message.headers["X-Consumed-Content-Encoding"] == "GZip" and "Content-Encoding" not in message.headers
    assert max(event for event in message.events if isinstance(event, int)) <= 65536
    with caplog.at_level("INFO"):
        message = read_response(head % len(body) + body, decompress=True, max_body_size=99_999)
    assert message.events[-1] == "close" and "decompressed body too large" in caplog.text
    with caplog.at_level("INFO"):
        message = read_response(head % 5 + b"hello", decompress=True)
    assert message.events == ["head", "close"] and "invalid gzip data" in caplog.text


@pytest.mark.parametrize(
    "data, method, events",
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", ["head", "finish"]),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", ["head", "finish"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", ["head", "finish"]),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "GET", ["head", 5, "finish"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "GET", ["head", 5, "close"]),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", ["head", "head", "finish"]),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "GET", ["head", "close"]),
        (b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", "GET", ["head", "close"]),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "GET", ["head", "close"]),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200, "GET", ["head", "close"]),
    ],
)
def test_the_end_of_a_response_is_found(data, method, events):
    assert read_response(data, method, max_body_size=100).events == events


def test_any_number_of_interim_responses_may_come():
    data = b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert read_response(data).events == ["head"] * 5001 + ["finish"]


def test_slow_delegates_are_waited_for():
    class Slow(Message):
        async def data_received(self, chunk):
            self.events.append("begin")
            await asyncio.sleep(0.001)
            self.events.append("end")

    message = read_response(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", chunk_size=2, delegate=Slow())
    assert message.events == ["head", "begin", "end", "begin", "end", "finish"]


def test_close_ends_what_is_being_served():
    async def main():
        here, there = (IOStream(sock) for sock in socket.socketpair())
        server = Server()
        connection = HTTP1ServerConnection(there)
        connection.start_serving(server)
        await asyncio.sleep(0)
        await connection.close()
        assert server.closed == 1
        here.close()

    run(main())


@pytest.mark.parametrize("text", ["", "+1", "-1", " 1", "1 ", "1_0", "0x1", "\u0661"])
def test_numbers_are_digits_only(text):
    for parse in (parse_int, parse_hex_int):
        with pytest.raises(ValueError):
            parse(text)


def test_only_chunked_is_chunked():
    assert is_transfer_encoding_chunked(HTTPHeaders({"Transfer-Encoding": "CHUNKED"}))
    assert not is_transfer_encoding_chunked(HTTPHeaders())
    with pytest.raises(HTTPInputError):
        is_transfer_encoding_chunked(HTTPHeaders({"Transfer-Encoding": "identity"}))
