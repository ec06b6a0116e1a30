"""What Tornado's own wsgi_test leaves open."""

import concurrent.futures
import threading
from wsgiref.validate import validator

import pytest
from serving import answers, request
from tornado.wsgi import WSGIContainer, to_wsgi_str


def application(status="200 OK", headers=(), body=(b"",)):
    def answer(environ, start_response):
        start_response(status, list(headers))
        return list(body)

    return answer


def seen_by(*requests, **options):
    """What the application is told about each request."""
    seen = []

    def answer(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        seen.append({**environ, "body": environ["wsgi.input"].read(100), "thread": threading.get_ident()})
        return [b""]

    answers(WSGIContainer(validator(answer), **options), *requests)
    return seen


def test_the_environment_says_all_that_the_request_does():
    [environ] = seen_by(
        request("/a%20b/%C3%A9?x=%20", method="POST", host="h.example:81", body=b"hello", Content_Type="text/x", X_Foo="\xe9")
    )
    assert environ["REQUEST_METHOD"] == "POST" and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["PATH_INFO"] == "/a b/\xc3\xa9" and environ["QUERY_STRING"] == "x=%20" and environ["SCRIPT_NAME"] == ""
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("h.example", "81")
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"], environ["body"]) == ("text/x", "5", b"hello")
    assert environ["HTTP_X_FOO"] == "\xe9" and environ["HTTP_HOST"] == "h.example:81"
    assert environ["REMOTE_ADDR"] == "127.0.0.1" and environ["wsgi.url_scheme"] == "http"
    assert "HTTP_CONTENT_TYPE" not in environ and "HTTP_CONTENT_LENGTH" not in environ


def test_repeated_headers_are_joined():
    [environ] = seen_by(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: 1\r\nA: 2\r\n\r\n")
    assert environ["HTTP_A"] == "1,2"


def test_without_a_port_the_usual_one_is_named():
    [environ] = seen_by(request("/", host="h.example"))
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("h.example", "80")


def test_headers_that_the_application_does_not_set_are_added():
    [answer] = answers(WSGIContainer(application(body=[b"ab", b"c"])), request("/"))
    assert (answer.code, answer.body) == (200, b"abc")
    assert answer.headers["Content-Length"] == "3"
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert answer.headers["Server"].startswith("TornadoServer/")


def test_headers_that_it_sets_are_kept():
    headers = [("content-type", "text/x"), ("server", "mine"), ("Set-Cookie", "a"), ("set-cookie", "b")]
    [answer] = answers(WSGIContainer(application("404 Gone Away", headers)), request("/"))
    assert answer.code == 404
    assert (answer.headers["Content-Type"], answer.headers["Server"]) == ("text/x", "mine")
    assert answer.headers.get_list("Set-Cookie") == ["a", "b"]


def test_a_304_gets_no_headers_of_a_body():
    [answer] = answers(WSGIContainer(application("304 Not Modified", [("Etag", '"x"')])), request("/"))
    assert answer.code == 304 and answer.headers["Etag"] == '"x"'
    assert "Content-Length" not in answer.headers and "Content-Type" not in answer.headers


def test_what_is_written_the_old_way_comes_first():
    def old(environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        write(b"b")
        return [b"c"]

    assert answers(WSGIContainer(old), request("/"))[0].body == b"abc"


def test_a_generator_may_start_the_response_with_its_first_piece():
    def lazy(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    assert answers(WSGIContainer(lazy), request("/"))[0].body == b"ab"


class Body:
    """An iterable that notes whether it was closed."""

    def __init__(self, error=None):
        self.closed = 0
        self.error = error

    def __iter__(self):
        yield b"a"
        if self.error:
            raise self.error

    def close(self):
        self.closed += 1


@pytest.mark.parametrize("error", [None, ValueError("broken")])
def test_what_has_a_close_is_closed_once_also_after_a_failure(error, caplog):
    body = Body(error)

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    [answer] = answers(WSGIContainer(app), request("/"))
    assert body.closed == 1
    assert answer.code == (500 if error else 200)


def fails(environ, start_response):
    raise ValueError("broken")


def says_nothing(environ, start_response):
    return [b"x"]


def splits_the_response(environ, start_response):
    start_response("200 OK", [("A", "b\r\nC: d")])
    return [b"x"]


@pytest.mark.parametrize("app", [fails, says_nothing, splits_the_response])
def test_an_application_that_fails_is_answered_500_and_logged(app, caplog):
    [answer] = answers(WSGIContainer(app), request("/"))
    assert (answer.code, answer.body) == (500, b"")
    assert "C" not in answer.headers
    assert any(record.levelname == "ERROR" and record.exc_info for record in caplog.records)


def test_an_application_may_change_its_mind_before_it_is_done():
    def app(environ, start_response):
        start_response("200 OK", [("A", "1")])
        start_response("500 Oops", [("B", "2")], None)
        return [b"x"]

    [answer] = answers(WSGIContainer(app), request("/"))
    assert answer.code == 500 and "A" not in answer.headers and answer.headers["B"] == "2"


def test_without_an_executor_it_runs_on_the_loop():
    [environ] = seen_by(request("/"))
    assert environ["thread"] == threading.get_ident() and environ["wsgi.multithread"] is False


def test_with_an_executor_requests_run_side_by_side():
    barrier = threading.Barrier(2, timeout=10)

    def meet(environ, start_response):
        start_response("200 OK", [])
        yield str(barrier.wait()).encode()

    with concurrent.futures.ThreadPoolExecutor() as executor:
        found = answers(WSGIContainer(meet, executor=executor), request("/"), request("/"), together=True)
        assert sorted(answer.body for answer in found) == [b"0", b"1"]
        [environ] = seen_by(request("/"), executor=executor)
    assert environ["thread"] != threading.get_ident() and environ["wsgi.multithread"] is True


@pytest.mark.parametrize("code, level", [(200, "INFO"), (404, "WARNING"), (500, "ERROR")])
def test_each_request_is_logged_by_its_outcome(code, level, caplog):
    with caplog.at_level("INFO", "tornado.access"):
        answers(WSGIContainer(application(f"{code} X")), request("/a?b"))
    [record] = [record for record in caplog.records if record.name == "tornado.access"]
    assert record.levelname == level
    assert record.getMessage().startswith(f"{code} GET /a?b (127.0.0.1) ")


def test_bytes_become_text_of_one_character_each():
    assert to_wsgi_str(b"\xc3\xa9") == "\xc3\xa9"
    with pytest.raises(AssertionError):
        to_wsgi_str("x")
