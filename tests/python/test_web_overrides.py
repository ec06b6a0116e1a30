"""Whatever Tornado reaches through `self.` may be overridden: in a class, a base, a mixin, an instance, and at any time."""

import pytest
from serving import answers, request
from tornado.web import Application, HTTPError, RequestHandler


class Plain(RequestHandler):
    def get(self):
        self.write("plain")


def body(cls, message=None, **settings):
    return answers(Application([(r"/", cls)], **settings), message or request("/"))[0].body


HOOKS = {
    "set_default_headers": lambda self: self.set_header("X-Hook", "1"),
    "prepare": lambda self: self.set_header("X-Hook", "1"),
    "initialize": lambda self: self.set_header("X-Hook", "1"),
    "compute_etag": lambda self: self.set_header("X-Hook", "1"),
    "set_etag_header": lambda self: self.set_header("X-Hook", "1"),
    "check_etag_header": lambda self: self.set_header("X-Hook", "1"),
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_called_wherever_it_comes_from(name):
    mixin = type("Mixin", (), {name: HOOKS[name]})
    cls = type("Handler", (mixin, Plain), {})
    assert answers(Application([(r"/", cls)]), request("/"))[0].headers["X-Hook"] == "1"


def test_methods_that_write_may_be_overridden():
    class Handler(Plain):
        def write(self, chunk):
            super().write(chunk + "!")

        def set_header(self, name, value):
            super().set_header(name, value + "?")

        def flush(self, include_footers=False):
            self.set_header("X-Flush", "yes")
            return super().flush(include_footers)

        def finish(self, chunk=None):
            return super().finish("end")

    found = answers(Application([(r"/", Handler)]), request("/"))[0]
    assert (found.body, found.headers["X-Flush"], found.headers["Content-Length"]) == (b"plain!end!", "yes?", "10")


def test_a_class_may_be_patched_between_requests():
    class Base(Plain):
        pass

    class Handler(Base):
        pass

    application = Application([(r"/", Handler)])
    assert answers(application, request("/"))[0].body == b"plain"
    Base.get = lambda self: self.write("base")
    assert answers(application, request("/"))[0].body == b"base"
    Handler.prepare = lambda self: self.write("prepared ")
    assert answers(application, request("/"))[0].body == b"prepared base"
    del Handler.prepare
    assert answers(application, request("/"))[0].body == b"base"


def test_request_handler_itself_may_be_patched(monkeypatch):
    monkeypatch.setattr(RequestHandler, "prepare", lambda self: self.write("patched "))
    assert body(Plain) == b"patched plain"


def test_an_instance_may_replace_a_method():
    class Handler(Plain):
        def prepare(self):
            self.get = lambda: self.write("instance")
            self.on_finish = lambda: seen.append("finished")

    seen = []
    assert body(Handler) == b"instance"
    assert seen == ["finished"]


def test_static_methods_and_properties_are_bound_as_python_does():
    class Handler(Plain):
        @staticmethod
        def prepare():
            seen.append("prepare")

        @property
        def get(self):
            return lambda: self.write("property")

    seen = []
    assert (body(Handler), seen) == (b"property", ["prepare"])


def test_a_class_with_an_init_or_slots_of_its_own_is_called():
    class Handler(Plain):
        __slots__ = ("mine",)

        def __init__(self, application, request, **kwargs):
            super().__init__(application, request, **kwargs)
            self.mine = "init"

        def get(self):
            self.write(self.mine)

    assert body(Handler) == b"init"


def test_supported_methods_may_be_extended():
    class Handler(RequestHandler):
        SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")

        def propfind(self):
            self.write("found")

    assert body(Handler, request("/", "PROPFIND")) == b"found"


def test_errors_pass_through_the_hooks_for_them():
    class Handler(RequestHandler):
        def get(self):
            raise HTTPError(404, "gone")

        def log_exception(self, typ, value, tb):
            seen.append(value.status_code)

        def write_error(self, status_code, **kwargs):
            self.write(f"mine {status_code}")

    seen = []
    assert (body(Handler), seen) == (b"mine 404", [404])


def test_the_log_may_be_taken_over():
    seen = []
    assert body(Plain, log_function=lambda handler: seen.append(handler.get_status())) == b"plain"

    class Mine(Application):
        def log_request(self, handler):
            seen.append(handler.request.uri)

    answers(Mine([(r"/", Plain)]), request("/"))
    assert seen == [200, "/"]


def test_an_application_may_route_for_itself():
    class Mine(Application):
        def find_handler(self, request, **kwargs):
            return self.get_handler_delegate(request, Plain)

    assert answers(Mine([]), request("/anything"))[0].body == b"plain"
