r"""Finds who answers a request.

An ``Application`` has a router of its own, which is all that most programs need: it takes a list of patterns and handler
classes. This module is for more than that. A `Router` is given a request, whose head is complete and whose body is not,
and returns the `.HTTPMessageDelegate` that takes it from there:

.. testcode::

    class CustomRouter(Router):
        def find_handler(self, request, **kwargs):
            return None if request.path == "/nowhere" else MessageDelegate(request.connection)

    server = HTTPServer(CustomRouter())

.. testoutput::
   :hide:

A `RuleRouter` asks a list of rules, of which each is a matcher and a target. The target may be another router, an
application, a `.HTTPServerConnectionDelegate`, or a function of the request:

.. testcode::

    router = RuleRouter([
        Rule(HostMatches("api.example.com"), Application([(r"/users/(\d+)", UserHandler)])),
        Rule(PathMatches("/ping"), ping),
        Rule(AnyMatches(), WSGIContainer(old_site)),
    ])

The first rule that matches, and whose target does not refuse by returning ``None``, counts. A router is given to
`.HTTPServer` as an application would be.

.. versionadded:: 4.5
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from tornado.escape import url_escape, url_unescape, utf8
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.log import app_log
from tornado.util import import_object, re_unescape

__all__ = [
    "AnyMatches", "DefaultHostMatches", "HostMatches", "Matcher", "PathMatches", "ReversibleRouter",
    "ReversibleRuleRouter", "Router", "Rule", "RuleRouter", "URLSpec",
]  # fmt: skip


class Router(HTTPServerConnectionDelegate):
    """Base of all routers."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Return the delegate that answers the request, or ``None`` when this router has none.

        ``kwargs`` is what the rule that led here knows: ``target_kwargs`` of the rule, and ``path_args`` and
        ``path_kwargs`` of its `PathMatches`.
        """
        raise NotImplementedError()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _RoutingDelegate(self, server_conn, request_conn)


class ReversibleRouter(Router):
    """A router whose routes have names, from which their URLs can be made."""

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """Return the URL of the route with this name, or ``None`` when there is no such route.

        ``args`` are what stands in place of the groups of its pattern, in order.
        """
        raise NotImplementedError()


class _RoutingDelegate(HTTPMessageDelegate):
    """Looks for the delegate when the head is known, and hands it everything from then on."""

    def __init__(self, router: Router, server_conn: object, request_conn: HTTPConnection) -> None:
        self.server_conn = server_conn
        self.request_conn = request_conn
        self.router = router
        self.delegate: HTTPMessageDelegate | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        request = HTTPServerRequest(
            connection=self.request_conn, server_connection=self.server_conn, start_line=start_line, headers=headers
        )
        self.delegate = self.router.find_handler(request)
        if self.delegate is None:
            app_log.debug("Delegate for %s %s request not found", start_line.method, start_line.path)
            self.delegate = _DefaultMessageDelegate(self.request_conn)
        return self.delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        assert self.delegate is not None
        return self.delegate.data_received(chunk)

    def finish(self) -> None:
        assert self.delegate is not None
        self.delegate.finish()

    def on_connection_close(self) -> None:
        # The head may have been refused, so that nobody was found.
        if self.delegate is not None:
            self.delegate.on_connection_close()


class _DefaultMessageDelegate(HTTPMessageDelegate):
    """Answers what nobody else does."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection

    def finish(self) -> None:
        self.connection.write_headers(ResponseStartLine("HTTP/1.1", 404, "Not Found"), HTTPHeaders({"Content-Length": "0"}))
        self.connection.finish()


class _CallableAdapter(HTTPMessageDelegate):
    """Collects a whole request and calls a function with it."""

    def __init__(self, request_callback: Callable[[HTTPServerRequest], None], request_conn: HTTPConnection) -> None:
        self.connection = request_conn
        self.request_callback = request_callback
        self.request: HTTPServerRequest | None = None
        self._chunks: list[bytes] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self.request = HTTPServerRequest(connection=self.connection, start_line=start_line, headers=headers)
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        assert self.request is not None
        self.request.body = b"".join(self._chunks)
        self._chunks.clear()
        self.request._parse_body()
        self.request_callback(self.request)

    def on_connection_close(self) -> None:
        self._chunks.clear()


class Rule:
    """A matcher, and what takes the requests that it matches."""

    def __init__(
        self, matcher: "Matcher", target: Any, target_kwargs: dict[str, Any] | None = None, name: str | None = None
    ) -> None:
        """``matcher``: a `Matcher`, which decides.

        ``target``: who takes the request. What it may be is for the router to say; see `RuleRouter`. A text is the
        dotted name of such a thing.

        ``target_kwargs``: what the target is told. For a handler class, arguments of ``initialize``.

        ``name``: for ``reverse_url``.
        """
        self.matcher = matcher
        self.target = import_object(target) if isinstance(target, str) else target
        self.target_kwargs = target_kwargs or {}
        self.name = name

    def reverse(self, *args: Any) -> str | None:
        """Return the URL that has these arguments, if the matcher can make one."""
        return self.matcher.reverse(*args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.matcher!r}, {self.target}, kwargs={self.target_kwargs!r}, name={self.name!r})"


#: What rules may be given as, besides `Rule`: (pattern or matcher, target[, target_kwargs[, name]]).
_RuleList = Sequence[Rule | list[Any] | tuple[Any, ...]]


class RuleRouter(Router):
    """A router that goes through a list of rules."""

    def __init__(self, rules: _RuleList | None = None) -> None:
        """``rules``: each a `Rule`, or a tuple of its arguments. A text in place of the matcher is the pattern of a
        `PathMatches`.

        Targets may be

        * another `Router`, which may find nothing, so that the rules that follow are asked;
        * a `.HTTPServerConnectionDelegate`, such as an application;
        * a function, which is called with the complete request and answers it through ``request.connection``.
        """
        self.rules: list[Rule] = []
        if rules:
            self.add_rules(rules)

    def add_rules(self, rules: _RuleList) -> None:
        """Append rules, which come in the same forms."""
        for rule in rules:
            if isinstance(rule, (tuple, list)):
                assert len(rule) in (2, 3, 4)
                matcher = PathMatches(rule[0]) if isinstance(rule[0], str) else rule[0]
                rule = Rule(matcher, *rule[1:])
            self.rules.append(self.process_rule(rule))

    def process_rule(self, rule: Rule) -> Rule:
        """Return the rule that is to be kept in place of this one. For subclasses."""
        return rule

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        for rule in self.rules:
            target_params = rule.matcher.match(request)
            if target_params is None:
                continue
            if rule.target_kwargs:
                target_params["target_kwargs"] = rule.target_kwargs
            delegate = self.get_target_delegate(rule.target, request, **target_params)
            if delegate is not None:
                return delegate
        return None

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        """Return the delegate for a rule's target, or ``None`` if that does not want the request.

        Subclasses extend it for targets of other kinds. ``target_params`` is what the matcher returned, with the
        ``target_kwargs`` of the rule.
        """
        if isinstance(target, Router):
            return target.find_handler(request, **target_params)
        if isinstance(target, HTTPServerConnectionDelegate):
            assert request.connection is not None
            return target.start_request(request.server_connection, request.connection)
        if callable(target):
            assert request.connection is not None
            return _CallableAdapter(partial(target, **target_params), request.connection)
        return None


class ReversibleRuleRouter(ReversibleRouter, RuleRouter):
    """A `RuleRouter` whose rules may have names. Routers below it are asked for names too."""

    def __init__(self, rules: _RuleList | None = None) -> None:
        self.named_rules: dict[str, Rule] = {}
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        rule = super().process_rule(rule)
        if rule.name:
            if rule.name in self.named_rules:
                app_log.warning("Multiple handlers named %s; replacing previous value", rule.name)
            self.named_rules[rule.name] = rule
        return rule

    def reverse_url(self, name: str, *args: Any) -> str | None:
        if name in self.named_rules:
            return self.named_rules[name].matcher.reverse(*args)
        for rule in self.rules:
            if isinstance(rule.target, ReversibleRouter):
                url = rule.target.reverse_url(name, *args)
                if url is not None:
                    return url
        return None


class Matcher:
    """What decides whether a rule applies."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return ``None`` if the request does not match, otherwise what the target shall be told, often nothing.

        For handler classes, ``path_args`` and ``path_kwargs`` become the arguments of ``get``, ``post`` and so on.
        """
        raise NotImplementedError()

    def reverse(self, *args: Any) -> str | None:
        """Return a URL that matches, with these arguments; ``None`` if that cannot be said."""
        return None


class AnyMatches(Matcher):
    """Matches everything."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {}


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """The pattern of a whole text: nothing may follow what it matches."""
    if isinstance(pattern, str):
        return re.compile(pattern if pattern.endswith("$") else pattern + "$")
    return pattern


class HostMatches(Matcher):
    """Matches requests for certain hosts, by a pattern for the name without the port."""

    def __init__(self, host_pattern: str | re.Pattern[str]) -> None:
        self.host_pattern = _compiled(host_pattern)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {} if self.host_pattern.match(request.host_name) else None


class DefaultHostMatches(Matcher):
    """Matches every request to an application whose ``default_host`` matches the pattern.

    Requests that came through a proxy are left out: their ``Host`` header says what the browser meant.
    """

    def __init__(self, application: Any, host_pattern: re.Pattern[str]) -> None:
        self.application = application
        self.host_pattern = host_pattern

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        if "X-Real-Ip" not in request.headers and self.host_pattern.match(self.application.default_host):
            return {}
        return None


class PathMatches(Matcher):
    """Matches requests by the path, with a regular expression that must cover all of it.

    What its groups match is taken out of the path, percent-decoded, for the handler: all of them by position or all by
    name.
    """

    def __init__(self, path_pattern: str | re.Pattern[str]) -> None:
        self.regex = _compiled(path_pattern)
        assert len(self.regex.groupindex) in (0, self.regex.groups), (
            f"groups in url regexes must either be all named or all positional: {self.regex.pattern!r}"
        )
        # The literal text around the groups, for `reverse`; None when there is more than that.
        self._pieces = _literal_pieces(self.regex)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        match = self.regex.match(request.path)
        if match is None:
            return None
        if not self.regex.groups:
            return {}
        if self.regex.groupindex:
            return {
                "path_args": [],
                "path_kwargs": {name: _unquote_or_none(value) for name, value in match.groupdict().items()},
            }
        return {"path_args": [_unquote_or_none(value) for value in match.groups()], "path_kwargs": {}}

    def reverse(self, *args: Any) -> str | None:
        """Return the path with these arguments, percent-encoded, in place of the groups.

        Raises `ValueError` for a pattern that is more than literal text and groups.
        """
        if self._pieces is None:
            raise ValueError(f"Cannot reverse url regex {self.regex.pattern}")
        assert len(args) == self.regex.groups, "required number of arguments not found"
        texts = (utf8(arg if isinstance(arg, (str, bytes)) else str(arg)) for arg in args)
        return "".join(_alternate(self._pieces, (url_escape(text, plus=False) for text in texts)))


def _alternate(pieces: list[str], arguments: Iterator[str]) -> Iterator[str]:
    for piece in pieces:
        yield piece
        yield next(arguments, "")


def _literal_pieces(regex: re.Pattern[str]) -> list[str] | None:
    r"""Return what stands before, between and behind the groups of a pattern, or ``None`` if it is not that simple.

    >>> _literal_pieces(re.compile(r"/a\.b/(.*)/(\d+)$"))
    ['/a.b/', '/', '']
    >>> _literal_pieces(re.compile(r"/\d"))
    """
    pattern = regex.pattern.removeprefix("^").removesuffix("$")
    if regex.groups != pattern.count("("):
        # Escaped parentheses, or groups that capture nothing.
        return None
    first, *groups = pattern.split("(")
    pieces = [first]
    for group in groups:
        inside, closed, behind = group.partition(")")
        if not closed or inside.endswith("\\"):
            return None  # one group inside of another, or an escaped parenthesis inside of one
        pieces.append(behind)
    try:
        return [re_unescape(piece) for piece in pieces]
    except ValueError:
        # A class such as \d stands for itself only.
        return None


class URLSpec(Rule):
    """A rule of an ``Application``: a pattern for the path, and a handler class.

    .. versionchanged:: 4.5
       A kind of `Rule`, and at home in this module; ``tornado.web`` still has it.
    """

    def __init__(
        self, pattern: str | re.Pattern[str], handler: Any, kwargs: dict[str, Any] | None = None, name: str | None = None
    ) -> None:
        """``pattern``: regular expression for the whole path. Its groups become arguments of the handler's methods.

        ``handler``: subclass of ``RequestHandler``, or its dotted name.

        ``kwargs``: arguments for its ``initialize``.

        ``name``: for ``reverse_url``.
        """
        matcher = PathMatches(pattern)
        super().__init__(matcher, handler, kwargs, name)
        self.regex = matcher.regex
        self.handler_class = self.target
        self.kwargs = kwargs

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.regex.pattern!r}, {self.handler_class}, "
            f"kwargs={self.kwargs!r}, name={self.name!r})"
        )


def _unquote_or_none(value: str | None) -> bytes | None:
    """Percent-decode what a group matched; in a path, ``+`` stands for itself. Groups that took no part are None."""
    return None if value is None else url_unescape(value, encoding=None, plus=False)
