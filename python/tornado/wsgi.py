"""Runs WSGI applications on this server.

WSGI (:pep:`3333`) is what Python web frameworks that block have in common. `WSGIContainer` makes such an application look
like a function for `.HTTPServer`, so that it can be served beside Tornado handlers, in one process. It is no faster there
than elsewhere, and one that waits on something makes everybody wait unless it is given threads to run on.
"""

import concurrent.futures
import logging
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import tornado
from tornado.concurrent import dummy_executor
from tornado.escape import url_unescape
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine, split_host_and_port
from tornado.ioloop import IOLoop
from tornado.log import access_log

__all__ = ["WSGIContainer", "to_wsgi_str"]

# What an application calls to say the status and the headers; it returns the older way of writing the body.
StartResponse = Callable[..., Callable[[bytes], None]]
WSGIApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def to_wsgi_str(s: bytes) -> str:
    """Return bytes as WSGI wants them: as text in which each character stands for a byte.

    >>> to_wsgi_str(b"caf\\xc3\\xa9") == "caf\\xc3\\xa9"
    True
    """
    assert isinstance(s, bytes)
    return s.decode("latin1")


class _Response:
    """What an application answers, all of it. Made and filled by one call, on whatever thread."""

    def __init__(self, application: WSGIApplication, environ: dict[str, Any]) -> None:
        self.started = False
        self.code = 0
        self.reason = ""
        self.headers = HTTPHeaders()
        chunks: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], None]:
            # An application may change its mind as long as nothing has been sent, and nothing is before it is done.
            code, _, self.reason = status.partition(" ")
            self.code = int(code)
            self.headers = HTTPHeaders()
            for name, value in headers:
                self.headers.add(name, value)
            self.started = True
            return chunks.append

        pieces = application(environ, start_response)
        try:
            # Generators do not begin before they are asked for their first piece.
            chunks.extend(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        if not self.started:
            raise Exception("WSGI app did not call start_response")
        self.body = b"".join(chunks)


class WSGIContainer:
    """Makes a WSGI application one that `.HTTPServer` can serve.

    .. code-block:: python

        def simple_app(environ, start_response):
            start_response("200 OK", [("Content-type", "text/plain")])
            return [b"Hello world!\\n"]

        async def main():
            container = tornado.wsgi.WSGIContainer(simple_app)
            http_server = tornado.httpserver.HTTPServer(container)
            http_server.listen(8888)
            await asyncio.Event().wait()

        asyncio.run(main())

    To serve it beside Tornado handlers, name it in a `.RuleRouter`, or in an application through a ``FallbackHandler``:

    .. code-block:: python

        tornado.web.Application([
            ("/tornado", MainHandler),
            (".*", FallbackHandler, dict(fallback=WSGIContainer(old_site))),
        ])

    ``executor``: where the application runs, for instance a `concurrent.futures.ThreadPoolExecutor`. Without one it runs
    on the event loop, which answers nobody else meanwhile.

    The whole response is collected before it is sent.

    .. versionchanged:: 6.3
       The ``executor`` argument.

    .. deprecated:: 6.3
       Running on the event loop; in Tornado 7.0 a thread pool will be the default.
    """

    def __init__(
        self, wsgi_application: WSGIApplication, executor: concurrent.futures.Executor | None = None
    ) -> None:
        self.wsgi_application = wsgi_application
        self.executor = dummy_executor if executor is None else executor

    def __call__(self, request: HTTPServerRequest) -> None:
        IOLoop.current().spawn_callback(self.handle_request, request)

    async def handle_request(self, request: HTTPServerRequest) -> None:
        """Run the application for a request, and send what it answers.

        When the application fails, the client gets a 500, and the exception goes on to the caller.
        """
        try:
            response = await IOLoop.current().run_in_executor(
                self.executor, _Response, self.wsgi_application, self.environ(request)
            )
        except Exception:
            headers = HTTPHeaders({"Content-Length": "0", "Server": _server()})
            self._send(request, 500, "Internal Server Error", headers, b"")
            raise
        headers = response.headers
        if response.code != 304:
            headers.setdefault("Content-Length", str(len(response.body)))
            headers.setdefault("Content-Type", "text/html; charset=UTF-8")
        headers.setdefault("Server", _server())
        self._send(request, response.code, response.reason, headers, response.body)

    def _send(self, request: HTTPServerRequest, code: int, reason: str, headers: HTTPHeaders, body: bytes) -> None:
        assert request.connection is not None
        request.connection.write_headers(ResponseStartLine("HTTP/1.1", code, reason), headers, chunk=body)
        request.connection.finish()
        self._log(code, request)

    def environ(self, request: HTTPServerRequest) -> dict[str, Any]:
        """Return what WSGI tells an application about a request.

        .. versionchanged:: 6.3
           No longer a static method.
        """
        host, port = split_host_and_port(request.host)
        if port is None:
            port = 443 if request.protocol == "https" else 80
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": to_wsgi_str(url_unescape(request.path, encoding=None, plus=False)),
            "QUERY_STRING": request.query,
            "REMOTE_ADDR": request.remote_ip,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": request.version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": request.protocol,
            "wsgi.input": BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": self.executor is not dummy_executor,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            key = name.replace("-", "_").upper()
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
        return environ

    def _log(self, status_code: int, request: HTTPServerRequest) -> None:
        level = logging.INFO if status_code < 400 else logging.WARNING if status_code < 500 else logging.ERROR
        access_log.log(
            level,
            "%d %s %s (%s) %.2fms",
            status_code, request.method, request.uri, request.remote_ip, 1000.0 * request.request_time(),
        )  # fmt: skip


def _server() -> str:
    return f"TornadoServer/{tornado.version}"
