"""The web framework: applications, request handlers, and what goes with them.

.. code-block:: python

    import asyncio
    import tornado.web

    class MainHandler(tornado.web.RequestHandler):
        def get(self):
            self.write("Hello, world")

    async def main():
        app = tornado.web.Application([(r"/", MainHandler)])
        app.listen(8888)
        await asyncio.Event().wait()

    asyncio.run(main())

Nothing here may be used from several threads at once, but for `.IOLoop.add_callback`: methods such as `RequestHandler.write`
belong to the thread of the event loop.
"""

import asyncio
import functools
import gzip
import re
import types
from collections.abc import Awaitable, Callable
from inspect import isclass
from io import BytesIO
from typing import Any, Optional, Union
from urllib.parse import urlencode, urlsplit

from tornado import _engine, httputil
from tornado._handler import _ARG_DEFAULT, _ArgDefaultMarker, RequestHandler
from tornado._signed import (
    DEFAULT_SIGNED_VALUE_MIN_VERSION,
    DEFAULT_SIGNED_VALUE_VERSION,
    MAX_SUPPORTED_SIGNED_VALUE_VERSION,
    MIN_SUPPORTED_SIGNED_VALUE_VERSION,
    _create_signature_v1,
    _create_signature_v2,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)
from tornado._static import StaticFileHandler
from tornado._ui import BUILT_IN_MODULES, TemplateModule, UIModule, is_absolute
from tornado._web_errors import Finish, HTTPError, MissingArgumentError
from tornado.concurrent import Future
from tornado.httpserver import HTTPServer
from tornado.log import access_log
from tornado.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    PathMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Rule,
    URLSpec,
)

__all__ = [
    "Application", "DEFAULT_SIGNED_VALUE_MIN_VERSION", "DEFAULT_SIGNED_VALUE_VERSION", "ErrorHandler", "FallbackHandler",
    "Finish", "GZipContentEncoding", "HTTPError", "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION", "MissingArgumentError", "OutputTransform", "RedirectHandler", "RequestHandler",
    "StaticFileHandler", "TemplateModule", "UIModule", "URLSpec", "addslash", "authenticated", "create_signed_value",
    "decode_signed_value", "get_signature_key_version", "is_absolute", "removeslash", "stream_request_body", "url",
]  # fmt: skip

url = URLSpec


# -- Decorators --


def stream_request_body(cls: type[RequestHandler]) -> type[RequestHandler]:
    """Class decorator for handlers that take the body of a request in pieces.

    `RequestHandler.data_received` is called with each of them; ``prepare`` is called when the headers have come, and the
    method when all of the body has. Arguments of the body are not parsed.

    .. code-block:: python

        @stream_request_body
        class UploadHandler(RequestHandler):
            def prepare(self):
                self.bytes = 0

            def data_received(self, chunk):
                self.bytes += len(chunk)

            def put(self):
                self.write(str(self.bytes))

    .. versionadded:: 4.0
    """
    if not isclass(cls) or not issubclass(cls, RequestHandler):
        raise TypeError(f"expected subclass of RequestHandler, got {cls!r}")
    cls._stream_request_body = True
    return cls


def _has_stream_request_body(cls: type[RequestHandler]) -> bool:
    if not issubclass(cls, RequestHandler):
        raise TypeError(f"expected subclass of RequestHandler, got {cls!r}")
    return cls._stream_request_body


def _redirect_to(handler: RequestHandler, uri: str) -> None:
    if handler.request.method not in ("GET", "HEAD"):
        raise HTTPError(404)
    if handler.request.query:
        uri += "?" + handler.request.query
    handler.redirect(uri, permanent=True)


def removeslash(method: Callable[..., Optional[Awaitable[None]]]) -> Callable[..., Optional[Awaitable[None]]]:
    """Decorator that redirects ``/foo/`` to ``/foo``. The route's pattern must allow both, as ``r"/foo/*"`` does."""

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Optional[Awaitable[None]]:
        if self.request.path.endswith("/"):
            uri = self.request.path.rstrip("/")
            if uri or self.request.method not in ("GET", "HEAD"):  # never from "/" to nothing
                _redirect_to(self, uri)
                return None
        return method(self, *args, **kwargs)

    return wrapper


def addslash(method: Callable[..., Optional[Awaitable[None]]]) -> Callable[..., Optional[Awaitable[None]]]:
    """Decorator that redirects ``/foo`` to ``/foo/``. The route's pattern must allow both, as ``r"/foo/?"`` does."""

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Optional[Awaitable[None]]:
        if not self.request.path.endswith("/"):
            _redirect_to(self, self.request.path + "/")
            return None
        return method(self, *args, **kwargs)

    return wrapper


def authenticated(method: Callable[..., Optional[Awaitable[None]]]) -> Callable[..., Optional[Awaitable[None]]]:
    """Decorator for methods that need a logged-in user: others are redirected to `RequestHandler.get_login_url`.

    Unless that URL has a query of its own, the argument ``next`` tells it where to go back to. Requests that are neither
    GET nor HEAD are answered with 403.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Optional[Awaitable[None]]:
        if self.current_user:
            return method(self, *args, **kwargs)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(403)
        url = self.get_login_url()
        if "?" not in url:
            # A login page on another site needs to be told where this one is.
            back = self.request.full_url() if urlsplit(url).scheme else self.request.uri
            url += "?" + urlencode(dict(next=back))
        self.redirect(url)
        return None

    return wrapper


# -- Applications --


class _ApplicationRouter(ReversibleRuleRouter):
    """The routes of an application: targets may be handler classes, and lists of further rules."""

    def __init__(self, application: "Application", rules: Any = None) -> None:
        assert isinstance(application, Application)
        self.application = application
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        rule = super().process_rule(rule)
        if isinstance(rule.target, (list, tuple)):
            rule.target = _ApplicationRouter(self.application, rule.target)
        return rule

    def get_target_delegate(
        self, target: Any, request: httputil.HTTPServerRequest, **target_params: Any
    ) -> Optional[httputil.HTTPMessageDelegate]:
        if isclass(target) and issubclass(target, RequestHandler):
            return self.application.get_handler_delegate(request, target, **target_params)
        return super().get_target_delegate(target, request, **target_params)


class Application(ReversibleRouter):
    """A collection of request handlers that makes up a web application.

    ``handlers``: the routes: `.Rule` objects such as `URLSpec`, or tuples ``(pattern, class[, arguments[, name]])``. They
    are tried in order. The arguments go to the ``initialize`` of the handler.

    ``default_host``: what requests for an unknown host are taken for, in routes that were added with `add_handlers`.

    ``transforms``: a list of `OutputTransform` classes.

    Other arguments are settings, which are kept in ``settings`` for the application's own use as well. Those that mean
    something here: ``autoreload``, ``compress_response``, ``debug``, ``default_handler_class``, ``default_handler_args``,
    ``log_function``, ``login_url``, ``serve_traceback``, ``ui_methods``, ``ui_modules``, ``xsrf_cookies``,
    ``xsrf_cookie_kwargs``, ``xsrf_cookie_name``, ``xsrf_cookie_version``; for signed cookies ``cookie_secret``,
    ``key_version``; for templates ``autoescape``, ``compiled_template_cache``, ``template_loader``, ``template_path``,
    ``template_whitespace``; for static files ``static_path``, ``static_url_prefix``, ``static_handler_class``,
    ``static_handler_args``, ``static_hash_cache``.

    .. versionchanged:: 4.5
       Works with `tornado.routing`.
    """

    def __init__(
        self,
        handlers: Any = None,
        default_host: Optional[str] = None,
        transforms: "Optional[list[type[OutputTransform]]]" = None,
        **settings: Any,
    ) -> None:
        if transforms is None:
            self.transforms: list[type[OutputTransform]] = []
            if settings.get("compress_response") or settings.get("gzip"):
                self.transforms.append(GZipContentEncoding)
        else:
            self.transforms = transforms
        self.default_host = default_host
        self.settings = settings
        self.ui_modules: dict[str, Any] = dict(BUILT_IN_MODULES)
        self.ui_methods: dict[str, Any] = {}
        self._load_ui_modules(settings.get("ui_modules", {}))
        self._load_ui_methods(settings.get("ui_methods", {}))
        if self.settings.get("debug"):
            self.settings.setdefault("autoreload", True)
            self.settings.setdefault("compiled_template_cache", False)
            self.settings.setdefault("static_hash_cache", False)
            self.settings.setdefault("serve_traceback", True)
        if self.settings.get("static_path"):
            handlers = [*self._static_rules(), *(handlers or ())]
        self.wildcard_router = _ApplicationRouter(self, handlers)
        self.default_router = _ApplicationRouter(self, [Rule(AnyMatches(), self.wildcard_router)])
        if self.settings.get("autoreload"):
            from tornado import autoreload

            autoreload.start()

    def _static_rules(self) -> list[Any]:
        """The routes of the setting ``static_path``, with the two files that browsers and robots look for at the root."""
        handler_class = self.settings.get("static_handler_class", StaticFileHandler)
        arguments = {**self.settings.get("static_handler_args", {}), "path": self.settings["static_path"]}
        prefix = re.escape(self.settings.get("static_url_prefix", "/static/"))
        patterns = (r"/(robots\.txt)", r"/(favicon\.ico)", prefix + "(.*)")
        return [(pattern, handler_class, arguments) for pattern in patterns]

    def listen(
        self,
        port: int,
        address: Optional[str] = None,
        *,
        family: Any = None,
        backlog: Optional[int] = None,
        flags: Optional[int] = None,
        reuse_port: bool = False,
        **kwargs: Any,
    ) -> HTTPServer:
        """Start a server for this application on a port, and return it.

        ``kwargs`` are arguments of `.HTTPServer`; the others are those of `.HTTPServer.listen`.

        .. versionchanged:: 4.3
           Returns the server.

        .. versionchanged:: 6.2
           Arguments of ``listen`` besides port and address.
        """
        where: dict[str, Any] = {"flags": flags, "reuse_port": reuse_port}
        if family is not None:
            where["family"] = family
        if backlog is not None:
            where["backlog"] = backlog
        server = HTTPServer(self, **kwargs)
        server.listen(port, address=address, **where)
        return server

    def add_handlers(self, host_pattern: str, host_handlers: Any) -> None:
        """Add routes for the hosts that a pattern matches; all such patterns are tried before the other routes."""
        host_matcher = HostMatches(host_pattern)
        rule = Rule(host_matcher, _ApplicationRouter(self, host_handlers))
        self.default_router.rules.insert(-1, rule)
        if self.default_host is not None:
            self.wildcard_router.add_rules([(DefaultHostMatches(self, host_matcher.host_pattern), host_handlers)])

    def add_transform(self, transform_class: "type[OutputTransform]") -> None:
        """Let responses pass through a transform."""
        self.transforms.append(transform_class)

    def _load_ui_methods(self, methods: Any) -> None:
        if isinstance(methods, types.ModuleType):
            self._load_ui_methods({name: getattr(methods, name) for name in dir(methods)})
        elif isinstance(methods, list):
            for part in methods:
                self._load_ui_methods(part)
        else:
            for name, function in methods.items():
                if not name.startswith("_") and hasattr(function, "__call__") and name[0].lower() == name[0]:
                    self.ui_methods[name] = function

    def _load_ui_modules(self, modules: Any) -> None:
        if isinstance(modules, types.ModuleType):
            self._load_ui_modules({name: getattr(modules, name) for name in dir(modules)})
        elif isinstance(modules, list):
            for part in modules:
                self._load_ui_modules(part)
        else:
            assert isinstance(modules, dict)
            self.ui_modules.update(modules)

    def __call__(self, request: httputil.HTTPServerRequest) -> Optional[Awaitable[None]]:
        """Answer a request whose body is complete."""
        return self.find_handler(request).execute()

    def find_handler(self, request: httputil.HTTPServerRequest, **kwargs: Any) -> "_HandlerDelegate":
        route = self.default_router.find_handler(request)
        if route is not None:
            return route  # type: ignore[return-value]
        if self.settings.get("default_handler_class"):
            return self.get_handler_delegate(
                request, self.settings["default_handler_class"], self.settings.get("default_handler_args", {})
            )
        return self.get_handler_delegate(request, ErrorHandler, {"status_code": 404})

    def get_handler_delegate(
        self,
        request: httputil.HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: Optional[dict[str, Any]] = None,
        path_args: Optional[list[bytes]] = None,
        path_kwargs: Optional[dict[str, bytes]] = None,
    ) -> "_HandlerDelegate":
        """Return a delegate that answers with a handler of a class.

        ``target_kwargs``: arguments of its ``initialize``; ``path_args`` and ``path_kwargs``: of its method.

        .. versionadded:: 4.5
        """
        return _HandlerDelegate(self, request, target_class, target_kwargs, path_args, path_kwargs)

    def reverse_url(self, name: str, *args: Any) -> str:
        """Return the URL of the route with that name. Raises `KeyError` when there is none.

        ``args`` take the places of the groups; they are made text and percent-encoded.
        """
        found = self.default_router.reverse_url(name, *args)
        if found is not None:
            return found
        raise KeyError(f"{name} not found in named urls")

    def log_request(self, handler: RequestHandler) -> None:
        """Write the line of the access log for a request. The setting ``log_function`` or a subclass may do otherwise."""
        if "log_function" in self.settings:
            self.settings["log_function"](handler)
            return
        status = handler.get_status()
        log = access_log.info if status < 400 else access_log.warning if status < 500 else access_log.error
        log("%d %s %.2fms", status, handler._request_summary(), 1000.0 * handler.request.request_time())


class _HandlerDelegate(httputil.HTTPMessageDelegate):
    """Answers a request with a handler that is made by calling its class: whatever the engine's fast path does not take."""

    def __init__(
        self,
        application: Application,
        request: httputil.HTTPServerRequest,
        handler_class: type[RequestHandler],
        handler_kwargs: Optional[dict[str, Any]],
        path_args: Optional[list[bytes]],
        path_kwargs: Optional[dict[str, bytes]],
    ) -> None:
        self.application = application
        self.connection = request.connection
        self.request = request
        self.handler_class = handler_class
        self.handler_kwargs = handler_kwargs or {}
        self.path_args = path_args or []
        self.path_kwargs = path_kwargs or {}
        self.chunks: list[bytes] = []
        self.stream_request_body = _has_stream_request_body(handler_class)

    def headers_received(
        self,
        start_line: Union[httputil.RequestStartLine, httputil.ResponseStartLine],
        headers: httputil.HTTPHeaders,
    ) -> Optional[Awaitable[None]]:
        if self.stream_request_body:
            self.request._body_future = Future()  # type: ignore[attr-defined]
            return self.execute()
        return None

    def data_received(self, data: bytes) -> Optional[Awaitable[None]]:
        if self.stream_request_body:
            return self.handler.data_received(data)
        self.chunks.append(data)
        return None

    def finish(self) -> None:
        if self.stream_request_body:
            self.request._body_future.set_result(None)  # type: ignore[attr-defined]
        else:
            self.request.body = b"".join(self.chunks)
            self.execute()

    def on_connection_close(self) -> None:
        if self.stream_request_body:
            self.handler.on_connection_close()
        else:
            self.chunks.clear()

    def execute(self) -> Optional[Awaitable[None]]:
        """Make the handler and start it. With a streamed body, returns what is done when ``prepare`` is."""
        self._forget_files()
        self.handler = self.handler_class(self.application, self.request, **self.handler_kwargs)
        transforms = [transform(self.request) for transform in self.application.transforms]
        if self.stream_request_body:
            self.handler._prepared_future = Future()
        task = asyncio.ensure_future(self.handler._execute(transforms, *self.path_args, **self.path_kwargs))
        task.add_done_callback(self._on_executed)
        return self.handler._prepared_future

    def _forget_files(self) -> None:
        """Whoever works on templates and static files wants to see his changes."""
        settings = self.application.settings
        if not settings.get("compiled_template_cache", True):
            with RequestHandler._template_loader_lock:
                for loader in RequestHandler._template_loaders.values():
                    loader.reset()
        if not settings.get("static_hash_cache", True):
            settings.get("static_handler_class", StaticFileHandler).reset()

    def _on_executed(self, task: "Future[None]") -> None:
        prepared = self.handler._prepared_future
        if prepared is not None and not prepared.done():
            # It was over before the body was wanted; nobody shall wait for that.
            prepared.set_result(None)
        if not task.cancelled():
            # Errors of the handler have become responses; what is left is for the event loop to complain about.
            task.result()


# -- Handlers ready for use --


class ErrorHandler(RequestHandler):
    """Answers every request with an error."""

    def initialize(self, status_code: int) -> None:
        self.set_status(status_code)

    def prepare(self) -> None:
        raise HTTPError(self._status_code)

    def check_xsrf_cookie(self) -> None:
        # A POST to a page that is not there shall not be told about its cookie.
        pass


class RedirectHandler(RequestHandler):
    """Redirects every GET to a URL, with 301, or 302 if not ``permanent``.

    .. code-block:: python

        (r"/pictures/(.*)", RedirectHandler, {"url": "/photos/{0}"})

    Groups of the route take the places in the URL as `str.format` has it; the query is passed on.

    .. versionchanged:: 4.5
       Groups.
    """

    def initialize(self, url: str, permanent: bool = True) -> None:
        self._url = url
        self._permanent = permanent

    def get(self, *args: Any, **kwargs: Any) -> None:
        to_url = self._url.format(*args, **kwargs)
        if self.request.query_arguments:
            to_url = httputil.url_concat(to_url, list(httputil.qs_to_qsl(self.request.query_arguments)))
        self.redirect(to_url, permanent=self._permanent)


class FallbackHandler(RequestHandler):
    """Lets a function of a request answer, such as a `.WSGIContainer`, inside an application.

    .. code-block:: python

        Application([(r"/foo", FooHandler), (r".*", FallbackHandler, dict(fallback=WSGIContainer(wsgi_app)))])
    """

    def initialize(self, fallback: Callable[[httputil.HTTPServerRequest], None]) -> None:
        self.fallback = fallback

    def prepare(self) -> None:
        self.fallback(self.request)
        self._finished = True
        self.on_finish()


# -- Changing responses on their way --


class OutputTransform:
    """Changes responses before they are sent. A new one is made for each request.

    .. versionchanged:: 4.0
       ``transform_first_chunk`` gets the status, and returns it.
    """

    def __init__(self, request: httputil.HTTPServerRequest) -> None:
        pass

    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, httputil.HTTPHeaders, bytes]:
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk


class GZipContentEncoding(OutputTransform):
    """Compresses responses for clients that accept it; the setting ``compress_response`` asks for it.

    .. versionchanged:: 4.0
       Takes all types of text, and no body shorter than `MIN_LENGTH`.
    """

    #: Types that are worth it, besides all of text.
    CONTENT_TYPES = frozenset((
        "application/javascript", "application/x-javascript", "application/xml", "application/atom+xml",
        "application/json", "application/xhtml+xml", "image/svg+xml",
    ))  # fmt: skip
    #: 9 costs much more for very little.
    GZIP_LEVEL = 6
    #: A body shorter than this fits in a packet either way. One whose length is not known is compressed.
    MIN_LENGTH = 1024

    def __init__(self, request: httputil.HTTPServerRequest) -> None:
        self._gzipping = "gzip" in request.headers.get("Accept-Encoding", "")

    def _compressible_type(self, ctype: str) -> bool:
        return ctype.startswith("text/") or ctype in self.CONTENT_TYPES

    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, httputil.HTTPHeaders, bytes]:
        # Caches must know that the answer depends on it, also where it was not compressed.
        headers["Vary"] = headers["Vary"] + ", Accept-Encoding" if "Vary" in headers else "Accept-Encoding"
        if self._gzipping:
            ctype = headers.get("Content-Type", "").split(";")[0]
            self._gzipping = (
                self._compressible_type(ctype)
                and (not finishing or len(chunk) >= self.MIN_LENGTH)
                and "Content-Encoding" not in headers
            )
        if self._gzipping:
            headers["Content-Encoding"] = "gzip"
            self._gzip_value = BytesIO()
            self._gzip_file = gzip.GzipFile(mode="w", fileobj=self._gzip_value, compresslevel=self.GZIP_LEVEL)
            chunk = self.transform_chunk(chunk, finishing)
            if "Content-Length" in headers:
                if finishing:
                    headers["Content-Length"] = str(len(chunk))
                else:
                    del headers["Content-Length"]
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        if self._gzipping:
            self._gzip_file.write(chunk)
            if finishing:
                self._gzip_file.close()
            else:
                self._gzip_file.flush()
            chunk = self._gzip_value.getvalue()
            self._gzip_value.truncate(0)
            self._gzip_value.seek(0)
        return chunk


# -- For the engine --

# Patterns that stand for themselves: nothing special but escaped punctuation.
_LITERAL = re.compile(r"(?:[A-Za-z0-9_/~!@%&=:;,'\"<> -]|\\[.+*?()\[\]{}^$|\\/-])*")


def _literal_path(regex: "re.Pattern[str]") -> Optional[bytes]:
    pattern = regex.pattern
    if regex.flags == re.UNICODE and pattern.endswith("$") and _LITERAL.fullmatch(pattern[:-1]):
        return re.sub(r"\\(.)", r"\1", pattern[:-1]).encode()
    return None


def _is_ordinary(application: Application) -> bool:
    """Whether nobody has taken the routing of an application into his own hands, nor wants something done with each request."""
    cls = type(application)
    return (
        all(application.settings.get(name, True) for name in ("compiled_template_cache", "static_hash_cache"))
        and all(
            getattr(cls, name) is getattr(Application, name) and name not in application.__dict__
            for name in ("find_handler", "get_handler_delegate", "start_request")
        )
        and type(application.default_router) is _ApplicationRouter
        and type(application.wildcard_router) is _ApplicationRouter
        and len(application.default_router.rules) == 1
        and application.default_router.rules[0].target is application.wildcard_router
    )


def _compile_routes(application: Application) -> tuple[Any, list[Any]]:
    """Prepare what routes.c walks: the lists that it depends on, and the entries."""
    outer, rules = application.default_router.rules, application.wildcard_router.rules
    entries: list[Any] = []
    patterns: list[re.Pattern[str]] = []
    for rule in rules if _is_ordinary(application) else []:
        matcher, target = rule.matcher, rule.target
        if not (
            type(rule) in (Rule, URLSpec)
            and type(matcher) is PathMatches
            and isclass(target)
            and issubclass(target, RequestHandler)
        ):
            break  # whoever matches behind it must not be found before it
        regex = matcher.regex
        path = _literal_path(regex)
        if path is None:
            patterns.append(regex)
        elif any(earlier.match(path.decode()) for earlier in patterns):
            continue
        entries.append(
            (path, regex.match, target, rule.target_kwargs or None, regex.groups > 0, bool(regex.groupindex))
        )
    return (outer, rules), entries


_engine.bind(log_request=Application.log_request, compile_routes=_compile_routes)
