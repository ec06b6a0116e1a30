"""Handlers on the engine: what they are given, what they answer, and what happens when they fail."""

import asyncio
import contextvars
import gc
import logging
import sys

import pytest
from serving import answers, request
from tornado import gen
from tornado.iostream import StreamClosedError
from tornado.web import (
    Application,
    Finish,
    HTTPError,
    OutputTransform,
    RequestHandler,
    stream_request_body,
    url,
)


def handler(**methods):
    """A handler class with these attributes."""
    return type("Handler", (RequestHandler,), methods)


def answer(get, *requests, **settings):
    """What a handler with this `get` answers."""
    return answers(Application([(r"/.*", handler(get=get))], **settings), *(requests or [request("/")]))[0]


def test_text_has_a_type_a_length_and_an_etag():
    found = answer(lambda self: self.write("Hello, world"))
    assert found.body == b"Hello, world"
    assert found.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert found.headers["Content-Length"] == "12"
    assert found.headers["Etag"] == '"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"'


def test_a_matching_etag_is_answered_with_304_however_the_headers_were_looked_at():
    def looks(self):
        self.request.headers  # noqa: B018
        self.write("Hello, world")

    def changes(self):
        self._headers["X-More"] = "1"
        self.write("Hello, world")

    asked = request("/", If_None_Match='"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"')
    for get in (lambda self: self.write("Hello, world"), looks, changes):
        found = answer(get, asked)
        assert (found.code, found.body) == (304, b"")
        assert "Content-Type" not in found.headers


@pytest.mark.parametrize(
    "value",
    [{}, {"a": [1, 2.5, None, True, "\x7f\u20ac\U0001f600\n\"\\/"], "b": {"</script>": "</"}}, {1: 2}, {"n": 2**70}, {"t": (1,)}],
)
def test_a_dict_is_written_as_json_encode_has_it(value):
    from tornado.escape import json_encode

    found = answer(lambda self: self.write(value))
    assert found.body == json_encode(value).encode()
    assert found.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_a_replaced_json_encode_is_used(monkeypatch):
    monkeypatch.setattr("tornado.escape.json_encode", lambda value: "mine")
    assert answer(lambda self: self.write({"a": 1})).body == b"mine"


def test_a_list_is_not_written():
    def get(self):
        with pytest.raises(TypeError, match="security"):
            self.write([1])

    assert answer(get).code == 200


def test_headers_may_be_read_and_changed_as_a_mapping():
    def get(self):
        self.set_header("X-One", 1)
        self.add_header("X-Two", "a")
        self.add_header("X-Two", b"b")
        assert self._headers.get_list("X-Two") == ["a", "b"]
        del self._headers["X-One"]
        self.set_header("X-Three", "3")
        self.clear_header("Server")

    found = answer(get)
    assert found.headers.get_list("X-Two") == ["a", "b"]
    assert found.headers["X-Three"] == "3"
    assert "X-One" not in found.headers and "Server" not in found.headers


@pytest.mark.parametrize("value", ["a\r\nb", "a\x00", "\u20ac", "a\x7f"])
def test_a_header_value_cannot_split_a_response(value):
    def get(self):
        with pytest.raises(ValueError, match="Unsafe header value"):
            self.set_header("X", value)

    assert answer(get).code == 200


def test_groups_are_decoded_by_position_and_by_name():
    application = Application([
        url(r"/p/([^/]*)/(x)?", handler(get=lambda self, *args: self.write({"args": args})), name="p"),
        (r"/n/(?P<name>.*)", handler(get=lambda self, name: self.write(name))),
    ])
    first, second = answers(application, request("/p/a%20b/"), request("/n/caf%C3%A9"))
    assert first.body == b'{"args": ["a b", null]}'
    assert second.body == "caf\u00e9".encode()


def test_a_bad_group_is_answered_with_400():
    application = Application([(r"/(.*)", handler(get=lambda self, arg: None))])
    assert answers(application, request("/%ff"))[0].code == 400


def test_the_first_rule_that_matches_wins_also_over_a_literal_one():
    def says(text):
        return handler(get=lambda self: self.write(text))

    application = Application([(r"/a.*", says("pattern")), (r"/abc", says("literal")), (r"/b", says("b"))])
    assert [found.body for found in answers(application, request("/abc"), request("/b"))] == [b"pattern", b"b"]
    application.add_handlers("localhost", [(r"/b", says("host"))])
    assert answers(application, request("/b"))[0].body == b"host"


def test_a_rule_that_was_added_later_is_found():
    application = Application([(r"/", handler(get=lambda self: self.write("a")))])
    assert answers(application, request("/later"))[0].code == 404
    application.wildcard_router.add_rules([(r"/later", handler(get=lambda self: self.write("b")))])
    assert answers(application, request("/later"))[0].body == b"b"


def test_arguments_are_stripped_and_cleaned():
    def get(self):
        self.write({
            "a": self.get_argument("a"), "all": self.get_arguments("a", strip=False), "none": self.get_argument("x", None)
        })  # fmt: skip

    found = answer(get, request("/?a=1&a=%20x%01y%20"))
    assert found.body == b'{"a": "x y", "all": ["1", " x y "], "none": null}'
    assert answer(lambda self: self.get_argument("a"), request("/?a=%ff")).code == 400
    assert answer(lambda self: self.get_argument("a")).code == 400


def test_errors_become_responses_and_log_lines(caplog):
    async def fails(self):
        await asyncio.sleep(0)
        1 / 0

    def refuses(self):
        raise HTTPError(403, "no %s", "way", reason="Not You")

    with caplog.at_level(logging.INFO):
        assert answer(fails).code == 500
        found = answer(refuses)
    assert found.code == 403 and b"403: Not You" in found.body
    assert "Uncaught exception GET / (127.0.0.1)" in caplog.text and "ZeroDivisionError" in caplog.text
    assert "403 GET / (127.0.0.1): no way" in caplog.text


def test_an_exception_is_the_current_one_in_write_error():
    class Handler(RequestHandler):
        def get(self):
            raise KeyError("x")

        def log_exception(self, *info):
            assert sys.exc_info()[0] is KeyError

        def write_error(self, status_code, **kwargs):
            self.finish(f"{status_code} {sys.exc_info()[0].__name__} {kwargs['exc_info'][0].__name__}")

    assert answers(Application([(r"/", Handler)]), request("/"))[0].body == b"500 KeyError KeyError"


def test_finish_ends_a_request_with_what_was_written():
    def get(self):
        self.write("a")
        raise Finish("b")

    assert answer(get).body == b"ab"


def test_a_response_may_be_flushed_in_pieces():
    async def get(self):
        for part in ("a", "b"):
            self.write(part)
            await self.flush()
            await asyncio.sleep(0)

    found = answer(get)
    assert found.headers["Transfer-Encoding"] == "chunked"
    assert found.body == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"


def test_work_after_finish_does_not_hold_up_the_connection():
    released = []

    async def get(self):
        await self.finish("early")
        await asyncio.sleep(0.01)
        released.append((self.request.uri, self.request.headers["Host"], self.get_status()))

    async def scenario(application):
        await asyncio.sleep(0.05)

    application = Application([(r"/", handler(get=get)), (r"/wait", handler(get=scenario))])
    first, _ = answers(application, request("/"), request("/wait"))
    assert first.body == b"early"
    assert released == [("/", "localhost", 200)]


def test_a_request_that_is_kept_can_still_be_read():
    kept = []
    answer(lambda self: kept.append(self.request), request("/path?a=1", X_Mine="yes"))
    gc.collect()
    assert (kept[0].uri, kept[0].headers["X-Mine"], kept[0].arguments) == ("/path?a=1", "yes", {"a": [b"1"]})
    assert kept[0].remote_ip == "127.0.0.1"


def test_a_handler_that_is_kept_still_has_its_response():
    kept = []

    def get(self):
        self.set_header("X-Mine", "yes")
        kept.append(self)

    answer(get, request("/path"))
    assert kept[0]._headers["X-Mine"] == "yes"
    assert kept[0].request.path == "/path" and kept[0]._finished


def test_pipelined_requests_are_answered_in_order():
    async def get(self):
        if self.request.path == "/slow":
            await asyncio.sleep(0.01)
        self.write(self.request.path)

    pipeline = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/slow", b"/fast", b"/slow"))
    body = answer(get, pipeline + request("/last")).body
    assert [part[-5:] for part in body.split(b"HTTP/1.1 200")][1:] != []
    order = [body.find(mark) for mark in (b"/fast", b"/last")]
    assert -1 not in order and order == sorted(order)


def test_context_variables_belong_to_one_request():
    variable = contextvars.ContextVar("variable", default="none")

    async def get(self):
        before = variable.get()
        token = variable.set(self.request.path)
        await asyncio.sleep(0.01)
        self.write(before + variable.get())
        if sys.version_info >= (3, 11):
            variable.reset(token)

    application = Application([(r"/.*", handler(get=get))])
    found = answers(application, request("/a"), request("/b"), together=True)
    assert [each.body for each in found] == [b"none/a", b"none/b"]


def test_a_streamed_body_comes_in_pieces_after_prepare():
    @stream_request_body
    class Upload(RequestHandler):
        async def prepare(self):
            self.seen = 0
            await asyncio.sleep(0)

        async def data_received(self, chunk):
            await asyncio.sleep(0)
            self.seen += len(chunk)

        def post(self):
            self.write(str(self.seen))

    found = answers(Application([(r"/", Upload)]), request("/", "POST", body=b"x" * 300000))[0]
    assert found.body == b"300000"


def test_a_peer_that_leaves_is_noticed_once():
    seen = []

    class Wait(RequestHandler):
        async def get(self):
            await asyncio.sleep(0.05)
            try:
                # The first bytes still go out: a peer may send no more and want to read on.
                for _ in range(10):
                    self.write("late")
                    await self.flush()
                    await asyncio.sleep(0.005)
            except StreamClosedError:
                seen.append("flush failed")

        def on_connection_close(self):
            seen.append("closed")

    async def main():
        server = Application([(r"/", Wait)]).listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/"))
        await asyncio.sleep(0.01)
        writer.transport.abort()
        await asyncio.sleep(0.2)
        server.stop()

    asyncio.run(main())
    assert seen == ["closed", "flush failed"]


def test_transforms_change_what_is_sent():
    class Shout(OutputTransform):
        def transform_first_chunk(self, status_code, headers, chunk, finishing):
            headers["X-Shout"] = "yes"
            return status_code, headers, chunk.upper()

    found = answer(lambda self: self.write("hello"), transforms=[Shout])
    assert (found.body, found.headers["X-Shout"], found.headers["Content-Length"]) == (b"HELLO", "yes", "5")


def test_coroutines_of_gen_answer_too():
    @gen.coroutine
    def get(self):
        yield gen.sleep(0.001)
        self.write("done")

    assert answer(get).body == b"done"


def test_what_is_not_awaitable_is_an_error():
    assert answer(lambda self: "text").code == 500
