"""What Tornado's own routing_test leaves open."""

import logging
import re

import pytest
from serving import answers, request
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    PathMatches,
    ReversibleRuleRouter,
    Router,
    Rule,
    RuleRouter,
    URLSpec,
)


def request_for(target="/", host="www.example.com", **headers):
    line = RequestStartLine("GET", target, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders(headers, Host=host))


def answer(request, text):
    body = text if isinstance(text, bytes) else text.encode()
    request.connection.write_headers(
        ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders({"Content-Length": str(len(body))}), body
    )
    request.connection.finish()


class TestPaths:
    @pytest.mark.parametrize(
        "pattern, path, expected",
        [
            ("/a", "/a", {}),
            ("/a", "/ab", None),
            ("/a", "/b/a", None),
            ("/a$", "/a", {}),
            ("/a/?", "/a/", {}),
            ("/(.*)", "/x%20y+z", {"path_args": [b"x y+z"], "path_kwargs": {}}),
            ("/(.*)", "/%C3%A9%zz", {"path_args": [b"\xc3\xa9%zz"], "path_kwargs": {}}),
            ("/(?P<name>.*)", "/%ff", {"path_args": [], "path_kwargs": {"name": b"\xff"}}),
            ("/(a)?(b)", "/b", {"path_args": [None, b"b"], "path_kwargs": {}}),
            ("/(?P<x>a)?", "/", {"path_args": [], "path_kwargs": {"x": None}}),
        ],
    )
    def test_must_be_matched_as_a_whole_and_give_their_groups_decoded(self, pattern, path, expected):
        assert PathMatches(pattern).match(request_for(path)) == expected

    def test_are_matched_without_the_query(self):
        assert PathMatches("/a").match(request_for("/a?b")) == {}

    def test_may_be_given_as_a_compiled_pattern(self):
        assert PathMatches(re.compile("/A", re.IGNORECASE)).match(request_for("/a")) == {}

    def test_groups_are_either_all_named_or_all_positional(self):
        with pytest.raises(AssertionError, match="all named or all positional"):
            PathMatches("/(a)/(?P<b>c)")

    @pytest.mark.parametrize(
        "pattern, arguments, path",
        [
            ("/a", (), "/a"),
            ("^/a$", (), "/a"),
            (r"/a\.b", (), "/a.b"),
            (r"/a/(.*)/b/([0-9]+)", ("x y/\u00e9", 5), "/a/x%20y/%C3%A9/b/5"),
            ("/(?P<name>.*)/", (b"\xff",), "/%FF/"),
            ("/100%/(.*)", ("%s",), "/100%/%25s"),
        ],
    )
    def test_can_be_made_from_simple_patterns(self, pattern, arguments, path):
        assert PathMatches(pattern).reverse(*arguments) == path

    @pytest.mark.parametrize("pattern", ["/(?:a)", r"/\d+", "/(a(b))", r"/\(a\)", r"/(\))", r"/a\b"])
    def test_cannot_be_made_from_patterns_that_are_more_than_text_and_groups(self, pattern):
        with pytest.raises(ValueError, match="Cannot reverse url regex"):
            PathMatches(pattern).reverse("x")

    def test_take_as_many_arguments_as_there_are_groups(self):
        for arguments in ((), ("a", "b")):
            with pytest.raises(AssertionError, match="required number of arguments"):
                PathMatches("/(.*)").reverse(*arguments)


class TestHosts:
    def test_are_matched_as_a_whole_without_port_and_case(self):
        assert HostMatches("www.example.com").match(request_for(host="WWW.Example.com:8888")) == {}
        assert HostMatches("www").match(request_for()) is None
        assert HostMatches(r"\w+\.example\.com").match(request_for()) == {}

    def test_of_a_default_count_unless_a_proxy_stands_before(self):
        class Application:
            default_host = "www.example.com"

        matcher = DefaultHostMatches(Application(), re.compile(r"www\."))
        assert matcher.match(request_for(host="127.0.0.1")) == {}
        assert matcher.match(request_for(host="127.0.0.1", **{"X-Real-Ip": "1.2.3.4"})) is None


class TestRules:
    def test_are_given_as_rules_or_tuples_or_lists(self):
        target = object()
        router = RuleRouter([("/a", target), ["/b", target, {"x": 1}], (AnyMatches(), target, None, "n"), Rule(AnyMatches(), target)])
        assert [rule.target_kwargs for rule in router.rules] == [{}, {"x": 1}, {}, {}]
        assert [rule.name for rule in router.rules] == [None, None, "n", None]
        for rule in (("/a",), ("/a", target, {}, "n", 1)):
            with pytest.raises(AssertionError):
                RuleRouter([rule])

    def test_may_name_their_target_by_its_dotted_path(self):
        assert Rule(AnyMatches(), "tornado.routing.Router").target is Router
        assert URLSpec("/", "tornado.routing.Router").handler_class is Router

    def test_show_what_they_are(self):
        assert repr(URLSpec("/a", int, {"b": 1}, "c")) == "URLSpec('/a$', <class 'int'>, kwargs={'b': 1}, name='c')"

    def test_with_names_can_be_reversed_also_through_other_routers(self):
        inner = ReversibleRuleRouter([URLSpec("/in/(.*)", object, name="inner")])
        router = ReversibleRuleRouter([Rule(PathMatches("/in/.*"), inner), URLSpec("/out", object, name="outer")])
        assert router.reverse_url("outer") == "/out"
        assert router.reverse_url("inner", "x y") == "/in/x%20y"
        assert router.reverse_url("missing") is None

    def test_of_one_name_are_reported_and_the_last_counts(self, caplog):
        router = ReversibleRuleRouter([URLSpec("/a", object, name="n"), URLSpec("/b", object, name="n")])
        assert router.reverse_url("n") == "/b"
        assert [(record.name, record.levelname) for record in caplog.records] == [("tornado.application", "WARNING")]
        assert "Multiple handlers named n; replacing previous value" in caplog.text


class Echo(HTTPServerConnectionDelegate):
    """Answers with what the delegate was told, in order."""

    def start_request(self, server_conn, request_conn):
        class Delegate(HTTPMessageDelegate):
            def __init__(self):
                self.connection = request_conn
                self.seen = []

            def headers_received(self, start_line, headers):
                self.seen.append(f"{start_line.method} {start_line.path}".encode())

            def data_received(self, chunk):
                self.seen.append(chunk)

            def finish(self):
                answer(self, b"|".join(self.seen))

        return Delegate()


class Picky(Router):
    """Has nothing for /no."""

    def find_handler(self, request, **kwargs):
        return None if request.path == "/no" else Echo().start_request(None, request.connection)


class TestServedRouters:
    def test_hand_the_whole_message_to_the_delegate_that_was_found(self):
        [found] = answers(RuleRouter([("/.*", Echo())]), request("/a?b", method="POST", body=b"hello"))
        assert (found.code, found.body) == (200, b"POST /a?b|hello")

    def test_ask_the_next_rule_when_a_target_finds_nothing(self):
        router = RuleRouter([(AnyMatches(), Picky()), ("/no", lambda request: answer(request, "last"))])
        assert [each.body for each in answers(router, request("/yes"), request("/no"))] == [b"GET /yes", b"last"]

    def test_answer_404_and_note_it_when_nobody_is_found(self, caplog):
        with caplog.at_level(logging.DEBUG, "tornado.application"):
            [missing] = answers(RuleRouter(), request("/nowhere"))
        assert (missing.code, missing.body) == (404, b"")
        assert "Delegate for GET /nowhere request not found" in caplog.text

    def test_choose_by_host(self):
        router = RuleRouter([(HostMatches("a.example"), lambda request: answer(request, "a")), (AnyMatches(), Echo())])
        assert [each.body for each in answers(router, request("/", host="a.example:1"), request("/", host="b.example"))] == [
            b"a",
            b"GET /",
        ]

    def test_call_functions_with_the_complete_request_and_what_the_rule_knows(self):
        def show(request, path_args, path_kwargs, target_kwargs):
            answer(request, f"{path_args} {target_kwargs} {request.body_arguments}")

        router = RuleRouter([("/(.*)", show, {"x": 1})])
        message = request("/y", method="POST", body=b"a=1", Content_Type="application/x-www-form-urlencoded")
        assert answers(router, message)[0].body == b"[b'y'] {'x': 1} {'a': [b'1']}"

    def test_answer_400_to_a_malformed_form_for_a_function(self, caplog):
        router = RuleRouter([("/", lambda request: answer(request, "never"))])
        message = request("/", method="POST", body=b"x", Content_Type="multipart/form-data; boundary=1")
        assert answers(router, message)[0].code == 400
