"""Tests of asynchronous code with `unittest`.

* `AsyncTestCase`, `AsyncHTTPTestCase` and `AsyncHTTPSTestCase` give each test a loop, and the latter two a server;
* `gen_test` lets a test method be a coroutine;
* `ExpectLog` checks what is logged.

.. code-block:: python

    class HelloTest(AsyncHTTPTestCase):
        def get_app(self):
            return hello.make_app()

        def test_homepage(self):
            response = self.fetch("/")
            self.assertEqual(response.code, 200)
            self.assertEqual(response.body, b"Hello, world")
"""

import asyncio
import functools
import inspect
import logging
import os
import re
import signal
import socket
import sys
import unittest
import warnings
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from tornado import gen
from tornado.ioloop import IOLoop, TimeoutError
from tornado.log import app_log
from tornado.platform.asyncio import AsyncIOMainLoop
from tornado.process import Subprocess

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient, HTTPResponse
    from tornado.httpserver import HTTPServer
    from tornado.web import Application

_T = TypeVar("_T")
_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def bind_unused_port(reuse_port: bool = False, address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """Return a listening socket on a free port, and the port's number.

    .. code-block:: python

        sock, port = bind_unused_port()
        server.add_sockets([sock])

    .. versionchanged:: 4.4
       Only the address 127.0.0.1 is listened on.

    .. versionchanged:: 6.2
       The ``address`` argument.
    """
    sock = socket.create_server((address, 0), backlog=128, reuse_port=reuse_port)
    sock.setblocking(False)
    return sock, sock.getsockname()[1]


def get_async_test_timeout() -> float:
    """Return how many seconds a test may wait: what the environment variable ``ASYNC_TEST_TIMEOUT`` says, or 5.

    .. versionadded:: 3.1
    """
    try:
        return float(os.environ["ASYNC_TEST_TIMEOUT"])
    except (KeyError, ValueError):
        return 5


class AsyncTestCase(unittest.TestCase):
    """A test case with an event loop of its own, ``self.io_loop``.

    .. code-block:: python

        class FetchTest(AsyncTestCase):
            @gen_test
            async def test_http_fetch(self):
                client = AsyncHTTPClient()
                response = await client.fetch("http://www.tornadoweb.org")
                self.assertIn(b"FriendFeed", response.body)

    Code that works with callbacks calls `stop` when it is done, and the test method calls `wait` for it. A test method
    that is a coroutine needs `gen_test`; without, it fails.

    `unittest.IsolatedAsyncioTestCase` serves tests of code that is asynchronous throughout as well.
    """

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self.__stopped = False
        self.__running = False
        self.__timed_out: float | None = None
        self.__stop_args: Any = None

    def setUp(self) -> None:
        super().setUp()
        if type(self).get_new_ioloop is not AsyncTestCase.get_new_ioloop:
            warnings.warn("get_new_ioloop is deprecated", DeprecationWarning, stacklevel=2)
        self.io_loop = self.get_new_ioloop()
        asyncio.set_event_loop(self.io_loop.asyncio_loop)

    def tearDown(self) -> None:
        asyncio_loop = self.io_loop.asyncio_loop
        # A task that is destroyed while it waits complains, so each is ended and given the time to do so.
        tasks = [task for task in asyncio.all_tasks(asyncio_loop) if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            asyncio_loop.run_until_complete(asyncio.wait(tasks))
        # The signal handler belongs to this loop; the next test has another.
        Subprocess.uninitialize()
        asyncio.set_event_loop(None)
        if not isinstance(self.io_loop, AsyncIOMainLoop):
            # That one is not ours. All others are.
            self.io_loop.close(all_fds=True)
        super().tearDown()

    def get_new_ioloop(self) -> IOLoop:
        """Return the loop for one test.

        .. deprecated:: 6.3
           Tests have loops of their own; to override this serves no purpose any more.
        """
        io_loop: IOLoop = IOLoop(make_current=False)
        return io_loop

    def _callTestMethod(self, method: Callable[..., Any]) -> None:
        """Call the test method, and do not let one pass that has not run."""
        result = method()
        if isinstance(result, Generator) or inspect.iscoroutine(result):
            raise TypeError(
                "Generator and coroutine test methods should be decorated with tornado.testing.gen_test"
            )
        if result is not None:
            raise ValueError(f"Return value from test method ignored: {result!r}")

    def stop(self, _arg: Any = None, **kwargs: Any) -> None:
        """Let `wait` return, now or when it is called. Its result is what was given here.

        .. deprecated:: 5.1
           Use `gen_test`.
        """
        assert _arg is None or not kwargs
        self.__stop_args = kwargs or _arg
        if self.__running:
            self.io_loop.stop()
            self.__running = False
        self.__stopped = True

    def wait(self, condition: Callable[..., bool] | None = None, timeout: float | None = None) -> Any:
        """Run the loop until `stop` is called, and return what was given to that.

        ``condition``: if given, run on until it holds as well.

        ``timeout``: in seconds, that of `get_async_test_timeout` if not given; zero means none. The test fails when it
        is exceeded.

        .. versionchanged:: 3.1
           The environment variable ``ASYNC_TEST_TIMEOUT``.

        .. deprecated:: 5.1
           Use `gen_test`.
        """
        if timeout is None:
            timeout = get_async_test_timeout()
        if not self.__stopped:
            handle = self.io_loop.call_later(timeout, self.__time_out, timeout) if timeout else None
            while True:
                self.__running = True
                self.io_loop.start()
                if self.__timed_out is not None or condition is None or condition():
                    break
            if handle is not None:
                self.io_loop.remove_timeout(handle)
        assert self.__stopped
        self.__stopped = False
        if self.__timed_out is not None:
            self.__timed_out = None
            raise self.failureException(f"Async operation timed out after {timeout} seconds")
        result = self.__stop_args
        self.__stop_args = None
        return result

    def __time_out(self, timeout: float) -> None:
        self.__timed_out = timeout
        self.stop()


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case with an HTTP server, for the application that the subclass returns from `get_app`.

    .. code-block:: python

        class HomepageTest(AsyncHTTPTestCase):
            def get_app(self):
                return Application([("/", HomepageHandler)])

            def test_homepage(self):
                response = self.fetch("/")
                self.assertEqual(response.code, 200)

    The attributes ``http_server`` and ``http_client`` are there for tests that need more than `fetch`; `get_url` makes
    addresses for the client.
    """

    def setUp(self) -> None:
        super().setUp()
        sock, self.__port = bind_unused_port()
        try:
            self.http_client = self.get_http_client()
            self._app = self.get_app()
            self.http_server = self.get_http_server()
        except BaseException:
            sock.close()
            raise
        self.http_server.add_sockets([sock])

    def tearDown(self) -> None:
        self.http_server.stop()
        self.io_loop.run_sync(self.http_server.close_all_connections, timeout=get_async_test_timeout())
        self.http_client.close()
        del self.http_server
        del self._app
        super().tearDown()

    def get_http_client(self) -> "AsyncHTTPClient":
        """Return the client that `fetch` uses."""
        from tornado.httpclient import AsyncHTTPClient

        return AsyncHTTPClient()

    def get_http_server(self) -> "HTTPServer":
        """Return the server, not listening yet."""
        from tornado.httpserver import HTTPServer

        return HTTPServer(self._app, **self.get_httpserver_options())

    def get_app(self) -> "Application":
        """Return the application to be tested: an `.Application` or another callback of `.HTTPServer`."""
        raise NotImplementedError()

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return more arguments for `.HTTPServer`."""
        return {}

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> "HTTPResponse":
        """Fetch a path of the server, and return the response when it is there.

        ``path``: a path, or a whole URL, which may lead to another server.

        ``raise_error``: whether to raise `.HTTPError` for a status other than 200 to 299, and other errors.

        The other arguments go to `.AsyncHTTPClient.fetch`. Fails after the time of `get_async_test_timeout`.

        .. versionchanged:: 5.0
           Whole URLs are accepted.

        .. versionchanged:: 5.1
           Added ``raise_error``. Errors of the connection are raised even if it is false.
        """
        url = path if path.lower().startswith(("http://", "https://")) else self.get_url(path)
        return cast(
            "HTTPResponse",
            self.io_loop.run_sync(
                lambda: self.http_client.fetch(url, raise_error=raise_error, **kwargs),
                timeout=get_async_test_timeout(),
            ),
        )

    def get_http_port(self) -> int:
        """Return the port of the server, which is another one for each test."""
        return self.__port

    def get_protocol(self) -> str:
        return "http"

    def get_url(self, path: str) -> str:
        """Return the URL of a path of the server."""
        return f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}{path}"


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """An `AsyncHTTPTestCase` whose server speaks TLS.

    .. code-block:: python

        class SecureHomepageTest(AsyncHTTPSTestCase):
            def get_app(self):
                return Application([("/", HomepageHandler)])
    """

    def get_http_client(self) -> "AsyncHTTPClient":
        from tornado.httpclient import AsyncHTTPClient

        # The options below are not those of other tests, so neither can the client be.
        return AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> dict[str, Any]:
        """Return the server's TLS options; by default a self-signed certificate that comes with this package."""
        return type(self).default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        directory = os.path.join(os.path.dirname(__file__), "test")
        return {
            "certfile": os.path.join(directory, "test.crt"),
            "keyfile": os.path.join(directory, "test.key"),
        }

    def get_protocol(self) -> str:
        return "https"


@overload
def gen_test(
    *, timeout: float | None = None
) -> Callable[[Callable[..., Generator[Any, Any, Any] | Coroutine[Any, Any, Any]]], Callable[..., None]]: ...
@overload
def gen_test(
    func: Callable[..., Generator[Any, Any, Any] | Coroutine[Any, Any, Any]],
) -> Callable[..., None]: ...
def gen_test(func: Callable[..., Any] | None = None, timeout: float | None = None) -> Any:
    """Decorator for test methods that are coroutines, be it with ``async def`` or with ``yield``.

    .. code-block:: python

        class MyTest(AsyncHTTPTestCase):
            @gen_test
            async def test_something(self):
                response = await self.http_client.fetch(self.get_url("/"))

            @gen_test(timeout=10)
            async def test_something_slow(self):
                response = await self.http_client.fetch(self.get_url("/slow"))

    ``timeout``: in seconds, that of `get_async_test_timeout` if not given. `.TimeoutError` is raised when it is exceeded.

    .. versionadded:: 3.1
       The ``timeout`` argument and the environment variable ``ASYNC_TEST_TIMEOUT``.

    .. versionchanged:: 4.0
       Passes arguments on, so that it can stand below other decorators.
    """
    if timeout is None:
        timeout = get_async_test_timeout()

    def decorator(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def wrapper(self: AsyncTestCase, *args: Any, **kwargs: Any) -> Any:
            running: Any = None

            def begin() -> Any:
                nonlocal running
                running = method(self, *args, **kwargs)
                return running

            try:
                return self.io_loop.run_sync(
                    begin if inspect.iscoroutinefunction(method) else gen.coroutine(begin), timeout=timeout
                )
            except TimeoutError as e:
                # Raised where the test is waiting, the error shows that line. A task has ended by cancellation already.
                if isinstance(running, Generator):
                    running.throw(e)
                raise
            finally:
                del running

        return wrapper

    return decorator if func is None else decorator(func)


class ExpectLog(logging.Filter):
    """Context manager that expects something to be logged, and keeps it out of the log.

    .. code-block:: python

        with ExpectLog("tornado.application", "Uncaught exception"):
            response = self.fetch("/error")

    ``logger``: the logger, or its name. It must be the one that is logged on, not one above it.

    ``regex``: the message must begin with a match of this. Messages that do not match are let through.

    ``required``: raise an exception at the end if there was no match.

    ``level``: the level that is expected; also makes the logger let this level through. Without, it is any from WARNING
    up: lower ones are deprecated, and will not match in the future.

    The attribute ``logged_stack`` tells whether anything was logged with a traceback.

    .. versionchanged:: 4.3
       Added ``logged_stack``.

    .. versionchanged:: 6.1
       Added ``level``.

    .. deprecated:: 6.3
       To match INFO and below without ``level``.
    """

    def __init__(
        self,
        logger: logging.Logger | str,
        regex: str,
        required: bool = True,
        level: int | None = None,
    ) -> None:
        super().__init__("")
        self.logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self.regex = re.compile(regex)
        self.required = required
        self.level = level
        #: How many messages matched.
        self.matched = 0
        self.deprecated_level_matched = 0
        self.logged_stack = False
        self._old_level: int | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            self.logged_stack = True
        if not self.regex.match(record.getMessage()):
            return True
        if self.level is None:
            # A warning from inside the logging machinery would not reach anybody, so it is kept for the end.
            self.deprecated_level_matched += record.levelno < logging.WARNING
        elif record.levelno != self.level:
            app_log.warning(
                "Got expected log message %r at unexpected level (%s vs %s)",
                record.getMessage(), logging.getLevelName(record.levelno), logging.getLevelName(self.level),
            )  # fmt: skip
            return True
        self.matched += 1
        return False

    def __enter__(self) -> "ExpectLog":
        if self.level is not None and self.level < self.logger.getEffectiveLevel():
            self._old_level = self.logger.level
            self.logger.setLevel(self.level)
        self.logger.addFilter(self)
        return self

    def __exit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._old_level is not None:
            self.logger.setLevel(self._old_level)
            self._old_level = None
        self.logger.removeFilter(self)
        if typ is not None:
            return
        if self.required and not self.matched:
            raise Exception("did not get expected log message")
        if self.required and self.deprecated_level_matched >= self.matched:
            warnings.warn(
                "ExpectLog matched at INFO or below without level argument", DeprecationWarning, stacklevel=2
            )


def setup_with_context_manager(testcase: unittest.TestCase, cm: "AbstractContextManager[_T]") -> _T:
    """Enter a context manager in ``setUp``, to be left when the test has ended.

    .. code-block:: python

        def setUp(self):
            super().setUp()
            setup_with_context_manager(self, warnings.catch_warnings())

    .. versionadded:: 6.2
    """
    value = cm.__enter__()
    testcase.addCleanup(cm.__exit__, None, None, None)
    return value


def main(**kwargs: Any) -> None:
    """Run tests from the command line, with the options of `tornado.options` besides those of `unittest.main`.

    .. code-block:: python

        # Runs all tests of a package: python -m mypackage.test.runtests
        TEST_MODULES = ["mypackage.test.foo_test", "mypackage.test.bar_test"]

        def all():
            return unittest.defaultTestLoader.loadTestsFromNames(TEST_MODULES)

        if __name__ == "__main__":
            tornado.testing.main()

    Tests can be named on the command line; otherwise the function ``all`` of the main module says which there are. The
    arguments go to `unittest.main`.

    .. versionchanged:: 5.0
       Does not set up logging by itself, but through `tornado.options.parse_command_line`.
    """
    from tornado.options import define, options, parse_command_line

    define(
        "exception_on_interrupt",
        type=bool,
        default=True,
        help="If true (default), ctrl-c raises a KeyboardInterrupt exception. This prints a stack trace but cannot "
        "interrupt certain operations. If false, the process is more reliably killed, but does not print a stack trace.",
    )
    define("verbose", type=bool, help="more output")
    define("quiet", type=bool, help="less output")
    define("failfast", type=bool, help="stop at the first failure")
    define("catch", type=bool, help="catch control-C and display results")
    define("buffer", type=bool, help="buffer output, and show it for failing tests only")

    argv = [sys.argv[0]] + parse_command_line(sys.argv)
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if options.verbose is not None:
        kwargs["verbosity"] = 2
    if options.quiet is not None:
        kwargs["verbosity"] = 0
    for name, argument in (("failfast", "failfast"), ("catch", "catchbreak"), ("buffer", "buffer")):
        if options[name] is not None:
            kwargs[argument] = True

    if __name__ == "__main__" and len(argv) == 1:
        print("No tests specified", file=sys.stderr)
        sys.exit(1)
    if len(argv) > 1:
        # Without a module, names on the command line are taken from the top.
        unittest.main(module=None, argv=argv, **kwargs)
    else:
        unittest.main(defaultTest="all", argv=argv, **kwargs)


if __name__ == "__main__":
    main()
