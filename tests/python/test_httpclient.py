import asyncio
import gzip
import socket
import threading

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClient, HTTPClientError, HTTPRequest, HTTPResponse, _RequestProxy
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError, SimpleAsyncHTTPClient

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


class Origin:
    """A server that answers in turn with given bytes, or by a coroutine, and keeps the requests that came."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        return self

    async def __aexit__(self, *exc_info):
        self.server.close()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
            first, _, rest = head.partition("\r\n")
            headers = HTTPHeaders.parse(rest)
            body = await reader.readexactly(int(headers.get("Content-Length", 0)))
            self.requests.append((first, headers, body))
            answer = self.answers.pop(0) if self.answers else OK
            if callable(answer):
                await answer(reader, writer)
            else:
                writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def fetch(*answers, path="", client=None, **kwargs):
    """Return what a client gets of a server, and what the server got of the client."""

    async def main():
        async with Origin(*answers) as origin:
            made = SimpleAsyncHTTPClient(force_instance=True, **(client or {}))
            try:
                response = await made.fetch(origin.url + path, **kwargs)
            finally:
                made.close()
            return response, origin.requests

    return run(main())


def redirect(location, code=302):
    return f"HTTP/1.1 {code} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_request_says_who_asks_whom_for_what():
    response, requests = fetch(OK, path="a?b#c")
    ((first, headers, body),) = requests
    assert first == "GET /a?b HTTP/1.1" and body == b""
    assert headers["Host"].startswith("127.0.0.1:") and headers["Connection"] == "close"
    assert headers["User-Agent"].startswith("Tornado/") and headers["Accept-Encoding"] == "gzip"
    assert (response.code, response.reason, response.body, response.error) == (200, "OK", b"ok", None)
    assert response.request_time >= 0 and response.time_info["queue"] >= 0


def test_the_headers_of_a_request_are_left_as_they_are():
    async def main():
        async with Origin() as origin:
            request = HTTPRequest(origin.url, method="POST", body="x", headers={"A": "b"})
            response = await AsyncHTTPClient().fetch(request)
            assert response.request is request
            assert dict(request.headers) == {"A": "b"}
            assert origin.requests[0][1]["Content-Type"] == "application/x-www-form-urlencoded"

    run(main())


@pytest.mark.parametrize("code, method, then", [(301, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"), (308, "PUT", "PUT")])
def test_a_redirect_may_change_the_method(code, method, then):
    response, requests = fetch(redirect("/there", code), OK, method=method, body=b"body")
    assert [first.split()[:2] for first, _, _ in requests] == [[method, "/"], [then, "/there"]]
    assert requests[1][2] == (b"body" if then == method else b"")
    assert ("Content-Type" in requests[1][1]) == (then == "POST")
    assert response.effective_url.endswith("/there") and response.request.method == method


def test_credentials_do_not_follow_to_another_origin():
    async def main():
        async with Origin() as other, Origin(redirect(f"http://u:p@127.0.0.1:{other.port}/")) as origin:
            headers = {"Authorization": "secret", "Cookie": "secret", "X-Other": "public"}
            await AsyncHTTPClient().fetch(origin.url, headers=headers, auth_username="me", auth_password="secret")
            _, first, _ = origin.requests[0]
            _, second, _ = other.requests[0]
            assert first["Authorization"].startswith("Basic ") and first["Cookie"] == "secret"
            assert "Authorization" not in second and "Cookie" not in second and second["X-Other"] == "public"

    run(main())


def test_there_are_only_so_many_redirects():
    async def main():
        async with Origin(*[redirect("/")] * 10) as origin:
            response = await AsyncHTTPClient().fetch(origin.url, max_redirects=3, raise_error=False)
            assert response.code == 302 and len(origin.requests) == 4
            response = await AsyncHTTPClient().fetch(origin.url, follow_redirects=False, raise_error=False)
            assert response.code == 302 and len(origin.requests) == 5

    run(main())


def test_a_redirect_that_fails_fails_the_request():
    with pytest.raises(ValueError, match="Unsupported url scheme"):
        fetch(redirect("ftp://example.com/"))


def test_codes_that_are_no_success_raise_or_not():
    answer = b"HTTP/1.1 404 Not Here\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(HTTPClientError) as caught:
        fetch(answer)
    assert str(caught.value) == "HTTP 404: Not Here" and caught.value.response.code == 404
    response, _ = fetch(answer, raise_error=False)
    assert response.code == 404 and response.error is not None
    with pytest.raises(HTTPClientError):
        response.rethrow()


def test_a_connection_that_breaks_off_raises_whatever_is_asked_for():
    for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", b"220 mail.example.com ready\r\n\r\n"):
        with pytest.raises(HTTPStreamClosedError):
            fetch(answer, raise_error=False)


def test_nobody_there_is_an_error_of_the_system():
    async def main():
        sock = socket.create_server(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        sock.close()
        with pytest.raises(ConnectionRefusedError):
            await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/")

    run(main())


def test_waiting_in_the_queue_counts():
    async def main():
        held = asyncio.Event()

        async def hold(reader, writer):
            await held.wait()
            writer.write(OK)

        async with Origin(hold) as origin:
            client = SimpleAsyncHTTPClient(force_instance=True, max_clients=1)
            first = client.fetch(origin.url)
            with pytest.raises(HTTPTimeoutError, match="Timeout in request queue"):
                await client.fetch(origin.url, connect_timeout=0.05)
            second = client.fetch(origin.url)
            # The one that gave up is passed over when its turn comes.
            held.set()
            assert (await first).body == (await second).body == b"ok"
            assert (await second).time_info["queue"] > 0
            assert len(origin.requests) == 2 and not client.active and not client.waiting
            client.close()

    run(main())


def test_a_response_that_takes_too_long():
    async def never(reader, writer):
        await asyncio.sleep(1)

    with pytest.raises(HTTPTimeoutError, match="Timeout during request"):
        fetch(never, request_timeout=0.05)


def test_a_body_can_be_taken_in_pieces_as_slowly_as_one_likes():
    taken = []

    async def take(chunk):
        await asyncio.sleep(0.001)
        taken.append(len(chunk))

    body = b"x" * 1_000_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body
    response, _ = fetch(answer, streaming_callback=take)
    assert sum(taken) == len(body) and len(taken) > 10 and response.body == b""


def test_what_a_callback_raises_is_what_fetch_raises(caplog):
    def fail(chunk):
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        fetch(OK, streaming_callback=fail)
    assert "Uncaught exception" in caplog.text


def test_the_head_can_be_seen_line_by_line():
    lines = []
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    fetch(interim + OK, header_callback=lines.append)
    assert lines == ["HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n", "\r\n"]


def test_a_small_response_cannot_become_a_large_one(caplog):
    packed = gzip.compress(bytes(10_000_000))
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(packed), packed)
    with caplog.at_level("INFO"), pytest.raises(HTTPStreamClosedError):
        fetch(answer, client={"max_body_size": 100_000})
    assert "decompressed body too large" in caplog.text
    response, _ = fetch(answer, decompress_response=False, client={"max_body_size": 100_000})
    assert response.body == packed


def test_a_body_may_be_produced_while_it_is_sent():
    async def produce(write):
        await write(b"12")
        await asyncio.sleep(0)
        await write(b"345")

    _, requests = fetch(method="POST", body_producer=produce, headers={"Content-Length": "5"})
    assert requests[0][2] == b"12345" and "Transfer-Encoding" not in requests[0][1]


@pytest.mark.parametrize("produced", [True, False])
def test_an_answer_is_heard_although_the_body_is_not(produced):
    """A server that takes no large bodies answers early and closes, while the client is still sending."""

    async def main():
        def answer():
            connection, _ = listener.accept()
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong")
            connection.close()

        async def produce(write):
            for _ in range(1000):
                await write(b"x" * 100_000)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            answering = asyncio.get_running_loop().run_in_executor(None, answer)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            body = dict(body_producer=produce) if produced else dict(body=b"x" * 100_000_000)
            response = await AsyncHTTPClient().fetch(url, method="POST", raise_error=False, **body)
            assert (response.code, response.body) == (413, b"long")
            await answering

    run(main())


@pytest.mark.parametrize(
    "kwargs, error",
    [
        (dict(method="POST"), ValueError),
        (dict(body=b"x"), ValueError),
        (dict(method="BREW"), KeyError),
        (dict(proxy_host="proxy", proxy_port=1), NotImplementedError),
        (dict(auth_username="a", auth_mode="digest"), ValueError),
        (dict(network_interface="eth0"), ValueError),
        (dict(headers={"A": "b\r\nC: d"}), ValueError),
        (dict(headers={"A\n": "b"}), ValueError),
    ],
)
def test_what_makes_no_sense_is_refused(kwargs, error):
    with pytest.raises(error):
        fetch(**kwargs)


def test_a_url_may_hold_a_name_and_a_password():
    async def main():
        async with Origin() as origin:
            await AsyncHTTPClient().fetch(origin.url.replace("//", "//Aladdin:open sesame@"))
            assert origin.requests[0][1]["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
            assert "@" not in origin.requests[0][1]["Host"]

    run(main())


def test_one_client_for_each_loop():
    async def main():
        assert AsyncHTTPClient() is AsyncHTTPClient()
        assert AsyncHTTPClient() is not AsyncHTTPClient(force_instance=True)
        client = AsyncHTTPClient()
        client.close()
        client.close()
        with pytest.raises(RuntimeError):
            client.fetch("http://localhost/")
        assert AsyncHTTPClient() is not client
        with pytest.raises(ValueError):
            AsyncHTTPClient().fetch(HTTPRequest("http://localhost/"), method="POST")
        return AsyncHTTPClient()

    assert run(main()) is not run(main())


def test_a_request_that_was_cancelled_still_logs_its_failure(caplog):
    async def main():
        async with Origin(b"") as origin:
            future = AsyncHTTPClient().fetch(origin.url)
            future.cancel()
            await asyncio.sleep(0.05)

    run(main())
    assert "Exception after Future was cancelled" in caplog.text


def test_the_client_that_blocks():
    started, done = threading.Event(), threading.Event()
    url = None

    async def serve():
        nonlocal url
        async with Origin() as origin:
            url = origin.url
            started.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait()
    client = HTTPClient()
    try:
        assert client.fetch(url).body == b"ok"
    finally:
        client.close()
        client.close()
        done.set()
        thread.join()


def test_defaults_fill_what_a_request_leaves_open():
    request = _RequestProxy(HTTPRequest("http://a/", request_timeout=0), dict(request_timeout=5, user_agent="x"))
    assert request.request_timeout == 0 and request.user_agent == "x"
    with pytest.raises(AttributeError):
        request.nonsense


def test_a_response_without_a_body_has_an_empty_one():
    response = HTTPResponse(HTTPRequest("http://a/"), 599, error=OSError("x"))
    assert response.body == b"" and response.reason == "Unknown"
    with pytest.raises(OSError):
        response.rethrow()
