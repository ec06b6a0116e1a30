"""What subclasses override, and what they and others look at behind the engine's back, in the corners of both."""

import asyncio
import functools

import pytest
from serving import answers, ask, request
from tornado import httputil
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body


class Plain(RequestHandler):
    def get(self):
        self.write("plain")

    def post(self):
        self.write("posted")


def one(cls, message=None, **settings):
    return answers(Application([("/(?:.*)", cls)], **settings), message or request("/"))[0]


# Each hook, and a request that comes by it.
FAILING = request("/", "DELETE")
HOOKS = {
    **{name: request("/") for name in (
        "set_default_headers", "initialize", "prepare", "on_finish", "write", "finish", "flush", "set_header",
        "compute_etag", "set_etag_header", "check_etag_header", "_log", "get", "_execute",
    )},
    "post": request("/", "POST", body=b"a=b", Content_Type="application/x-www-form-urlencoded"),
    "check_xsrf_cookie": request("/", "POST", body=b"x"),
    "clear": FAILING,
    "log_exception": FAILING,
    "send_error": FAILING,
    "write_error": FAILING,
    "set_status": FAILING,
    "_handle_request_exception": FAILING,
}  # fmt: skip
# Those that an ordinary handler does not call by itself.
QUIET = {"set_header": {"get": lambda self: self.set_header("X-A", "b")}}


def make(base, name, called):
    def hook(self, *args, **kwargs):
        called.append(name)
        return original(self, *args, **kwargs)

    original = getattr(base, name)
    return hook


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_overridden_in_a_subclass_is_called(name):
    called = []
    cls = type("Handler", (Plain,), {**QUIET.get(name, {}), name: make(Plain, name, called)})
    one(cls, HOOKS[name], xsrf_cookies=name == "check_xsrf_cookie")
    assert name in called


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_of_a_mixin_is_called(name):
    called = []
    mixin = type("Mixin", (), {name: make(Plain, name, called)})
    one(type("Handler", (mixin, Plain), QUIET.get(name, {})), HOOKS[name], xsrf_cookies=name == "check_xsrf_cookie")
    assert name in called


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("where", ["class", "parent", "mixin", "base"])
def test_a_hook_is_called_that_is_patched_after_the_class_has_served(name, where, monkeypatch):
    class Mixin:
        pass

    class Parent(Plain):
        pass

    class Handler(Mixin, Parent):
        pass

    for key, value in QUIET.get(name, {}).items():
        setattr(Handler, key, value)
    application = Application([("/(?:.*)", Handler)], xsrf_cookies=name == "check_xsrf_cookie")
    answers(application, HOOKS[name])
    called = []
    place = {"class": Handler, "parent": Parent, "mixin": Mixin, "base": RequestHandler}[where]
    if where == "base" and name in ("get", "post"):
        place = Plain
    hook = make(place if where == "base" else Plain, name, called)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, hook, raising=False)
        answers(application, HOOKS[name])
        assert name in called
    called.clear()
    answers(application, HOOKS[name])
    assert called == []


@pytest.mark.parametrize("name", sorted(set(HOOKS) - {"_execute", "set_default_headers", "initialize"}))
def test_a_hook_that_an_instance_has_is_called(name):
    called = []

    class Handler(Plain):
        def initialize(self):
            original = getattr(self, name)

            def hook(*args, **kwargs):
                called.append(name)
                return original(*args, **kwargs)

            setattr(self, name, hook)

    for key, value in QUIET.get(name, {}).items():
        setattr(Handler, key, value)
    one(Handler, HOOKS[name], xsrf_cookies=name == "check_xsrf_cookie")
    assert name in called


@pytest.mark.parametrize("own_init", [False, True])
def test_every_handler_begins_with_clear(own_init):
    class Handler(Plain):
        def clear(self):
            super().clear()
            self.set_header("X-Clear", "1")

    if own_init:
        Handler.__init__ = lambda self, *args, **kwargs: super(Handler, self).__init__(*args, **kwargs)
    assert one(Handler).headers["X-Clear"] == "1"


def test_decode_argument_is_asked_for_groups_and_arguments():
    class Handler(RequestHandler):
        def decode_argument(self, value, name=None):
            return f"<{name}={value.decode()}>"

        def get(self, group):
            self.write(group + self.get_argument("a"))

    assert answers(Application([("/(.*)", Handler)]), request("/group?a=b"))[0].body == b"<None=group><a=b>"


def test_partial_and_callable_objects_stand_for_methods():
    class Callable:
        def __call__(self):
            called.append("prepare")

    called = []

    class Handler(Plain):
        prepare = Callable()
        on_finish = functools.partial(called.append, "on_finish")

    assert (one(Handler).body, called) == (b"plain", ["prepare", "on_finish"])


def test_bases_may_be_exchanged():
    class Other(Plain):
        def get(self):
            self.write("other")

    class Between(Plain):
        pass

    class Handler(Between):
        pass

    application = Application([("/", Handler)])
    before = answers(application, request("/"))[0].body
    Handler.__bases__ = (Other,)
    assert (before, answers(application, request("/"))[0].body) == (b"plain", b"other")


def test_a_metaclass_and_getattribute_of_ones_own_are_respected():
    class Meta(type):
        def __setattr__(cls, name, value):
            raise TypeError("this class is sealed")

    class Handler(Plain, metaclass=Meta):
        def __getattr__(self, name):
            if name == "extra":
                return "extra"
            raise AttributeError(name)

        def get(self):
            self.write(self.extra)

    assert one(Handler).body == b"extra"


def test_new_of_ones_own_is_called():
    class Handler(Plain):
        def __new__(cls, *args, **kwargs):
            made = super().__new__(cls, *args, **kwargs)
            made.word = "new"
            return made

        def get(self):
            self.write(self.word)

    assert one(Handler).body == b"new"


def test_slots_alone_work():
    class Handler(Plain):
        __slots__ = ("mine",)

        def get(self):
            self.mine = "slot"
            self.write(self.mine)

    assert one(Handler).body == b"slot"


def test_an_init_that_does_much_before_and_after_works():
    class Handler(Plain):
        def __init__(self, application, request, **kwargs):
            self.early = request.path
            super().__init__(application, request, **kwargs)
            self.late = self.get_status()

        def initialize(self, word):
            self.word = word

        async def get(self):
            await asyncio.sleep(0)
            self.write(f"{self.early} {self.late} {self.word}")

    assert answers(Application([("/", Handler, {"word": "w"})]), request("/"))[0].body == b"/ 200 w"


def test_private_views_are_live():
    class Handler(RequestHandler):
        def get(self):
            self.set_status(201)
            self.write("a")
            self.set_header("X-A", "1")
            seen.append(
                (
                    self._status_code,
                    list(self._write_buffer),
                    self._headers["X-A"],
                    self._finished,
                    self._headers_written,
                )
            )
            self._headers["X-B"] = "2"
            del self._headers["X-A"]
            self.set_header("X-C", "3")
            self._write_buffer.append(b"b")
            self.write("c")
            self._write_buffer = [*self._write_buffer, b"d"]
            self._status_code = 202
            self._reason = "Mine"

        def on_finish(self):
            seen.append((self._finished, self._headers_written))

    seen = []
    found = one(Handler)
    assert (found.code, found.body, found.headers["X-B"], found.headers["X-C"]) == (202, b"abcd", "2", "3")
    assert "X-A" not in found.headers
    assert seen == [(201, [b"a"], "1", False, False), (True, True)]


def test_headers_may_be_replaced_as_a_whole():
    class Handler(Plain):
        def prepare(self):
            self._headers = httputil.HTTPHeaders({"X-Only": "this"})

    assert one(Handler).headers["X-Only"] == "this"


def test_requests_can_be_printed_and_have_attributes_of_ones_own():
    class Handler(RequestHandler):
        def get(self):
            self.request.mine = "mine"
            vars(self.request)["also"] = "also"
            self.write(f"{self.request.also} {vars(self.request)['mine']} {'/path' in repr(self.request)}")

    assert one(Handler, request("/path")).body == b"also mine True"


def test_everything_of_a_request_that_is_kept_is_there_after_the_response():
    kept = []

    class Handler(RequestHandler):
        def post(self):
            kept.append(self.request)

    headers = {"Cookie": "a=b", "Content_Type": "application/x-www-form-urlencoded", "X_Mine": "mine"}
    messages = [request(f"/path?n={n}", "POST", host="Host:80", body=b"form=value", **headers) for n in range(2)]
    answers(Application([("/path", Handler)]), *messages)
    for n, kept_request in enumerate(kept):
        assert kept_request.method == "POST"
        assert (kept_request.uri, kept_request.path, kept_request.query) == (f"/path?n={n}", "/path", f"n={n}")
        assert (kept_request.version, kept_request.protocol, kept_request.remote_ip) == (
            "HTTP/1.1",
            "http",
            "127.0.0.1",
        )
        assert (kept_request.host, kept_request.host_name) == ("Host:80", "host")
        assert kept_request.headers["X-Mine"] == "mine"
        assert kept_request.cookies["a"].value == "b"
        assert kept_request.arguments == {"n": [str(n).encode()], "form": [b"value"]}
        assert (kept_request.body, kept_request.files) == (b"form=value", {})
        assert kept_request.full_url() == f"http://Host:80/path?n={n}"
        assert kept_request.request_time() >= 0


def test_a_streamed_body_waits_for_prepare_and_for_each_piece():
    order = []

    @stream_request_body
    class Handler(RequestHandler):
        async def prepare(self):
            order.append("prepare")
            await asyncio.sleep(0.01)
            order.append("prepared")

        async def data_received(self, chunk):
            order.append("piece")
            await asyncio.sleep(0.001)
            order.append(len(chunk))

        async def post(self):
            order.append("post")

    application = Application([("/", Handler)])

    async def main():
        server = HTTPServer(application, chunk_size=1000)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        found = await ask(sockets[0].getsockname()[1], request("/", "POST", body=b"x" * 2500))
        server.stop()
        return found.code

    assert asyncio.run(main()) == 200
    assert order[:2] == ["prepare", "prepared"] and order[-1] == "post"
    pieces = order[2:-1]
    assert pieces[::2] == ["piece"] * (len(pieces) // 2)
    assert sum(pieces[1::2]) == 2500 and max(pieces[1::2]) <= 1000


def test_a_streamed_body_can_be_refused_in_prepare_and_in_a_piece():
    class InPrepare(RequestHandler):
        async def prepare(self):
            raise HTTPError(413)

        def data_received(self, chunk):
            raise AssertionError

        post = Plain.post

    assert one(stream_request_body(InPrepare), request("/", "POST", body=b"x" * 10)).code == 413


def test_a_function_serves():
    def serve(message):
        assert isinstance(message, httputil.HTTPServerRequest)
        body = f"{message.method} {message.path} {message.body.decode()}".encode()
        headers = httputil.HTTPHeaders({"Content-Length": str(len(body))})
        message.connection.write_headers(httputil.ResponseStartLine("", 200, "OK"), headers)
        message.connection.write(body)
        message.connection.finish()

    assert answers(serve, request("/path", "POST", body=b"body"))[0].body == b"POST /path body"


def test_a_delegate_serves():
    class Message(httputil.HTTPMessageDelegate):
        def __init__(self, connection):
            self.connection, self.pieces = connection, []

        def headers_received(self, start_line, headers):
            self.start_line = start_line

        def data_received(self, chunk):
            self.pieces.append(chunk)

        def finish(self):
            body = self.start_line.path.encode() + b"".join(self.pieces)
            headers = httputil.HTTPHeaders({"Content-Length": str(len(body))})
            self.connection.write_headers(httputil.ResponseStartLine("", 200, "OK"), headers, body)
            self.connection.finish()

    class Server(httputil.HTTPServerConnectionDelegate):
        def start_request(self, server_connection, request_connection):
            return Message(request_connection)

    assert answers(Server(), request("/path", "POST", body=b" body"))[0].body == b"/path body"


def test_detach_gives_the_stream_with_what_has_come_already():
    class Handler(RequestHandler):
        async def get(self):
            self._auto_finish = False
            stream = self.detach()
            line = await stream.read_until(b"\n")
            await stream.write(b"raw " + line)
            stream.close()

    async def main():
        server = HTTPServer(Application([("/", Handler)]))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        reader, writer = await asyncio.open_connection("127.0.0.1", sockets[0].getsockname()[1])
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nline\n")
        found = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        server.stop()
        return found

    assert asyncio.run(main()) == b"raw line\n"
