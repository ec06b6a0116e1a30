"""A client for TCP that does not block: looks names up, and takes the address that answers first."""

import datetime
import functools
import numbers
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

from tornado import gen
from tornado.concurrent import Future, future_add_done_callback
from tornado.gen import TimeoutError
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import Resolver

__all__ = ["TCPClient"]

# How long the first family of addresses is tried alone.
_INITIAL_CONNECT_TIMEOUT = 0.3


class _Connector:
    """Tries addresses until one answers, those of two families side by side.

    This is a simple form of what RFC 6555 calls Happy Eyeballs. The family of the first address has a head start. Within
    a family, one address is tried after the other.
    """

    def __init__(
        self,
        addrinfo: list[tuple[int, Any]],
        connect: Callable[[Any, Any], tuple[IOStream, "Future[IOStream]"]],
    ) -> None:
        self.io_loop = IOLoop.current()
        self.connect = connect
        self.future: Future[tuple[Any, Any, IOStream]] = Future()
        self.timeout: object | None = None
        self.connect_timeout: object | None = None
        self.last_error: BaseException | None = None
        self.remaining = len(addrinfo)
        self.primary_addrs, self.secondary_addrs = self.split(addrinfo)
        # All but the one that won.
        self.streams: set[IOStream] = set()

    @staticmethod
    def split(addrinfo: list[tuple[int, Any]]) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]]]:
        """Divide addresses into those of the family of the first, and the rest. The order is kept."""
        primary = [entry for entry in addrinfo if entry[0] == addrinfo[0][0]]
        secondary = [entry for entry in addrinfo if entry[0] != addrinfo[0][0]]
        return primary, secondary

    def start(
        self,
        timeout: float = _INITIAL_CONNECT_TIMEOUT,
        connect_timeout: float | datetime.timedelta | None = None,
    ) -> "Future[tuple[Any, Any, IOStream]]":
        """Begin, and give a future of the family, the address and the stream that won.

        ``timeout``: seconds until the second family is tried. ``connect_timeout``: the deadline of the whole.
        """
        self.try_connect(iter(self.primary_addrs))
        self.set_timeout(timeout)
        if connect_timeout is not None:
            self.set_connect_timeout(connect_timeout)
        return self.future

    def try_connect(self, addrs: Iterator[tuple[int, Any]]) -> None:
        try:
            family, address = next(addrs)
        except StopIteration:
            # The other family may still be busy.
            if self.remaining == 0 and not self.future.done():
                self.future.set_exception(self.last_error or OSError("connection failed"))
                self.clear_timeouts()
            return
        stream, future = self.connect(family, address)
        self.streams.add(stream)
        future_add_done_callback(future, functools.partial(self.on_connect_done, addrs, family, address))

    def on_connect_done(
        self, addrs: Iterator[tuple[int, Any]], family: int, address: Any, future: "Future[IOStream]"
    ) -> None:
        self.remaining -= 1
        try:
            stream = future.result()
        except Exception as e:
            if self.future.done():
                return
            self.last_error = e
            self.try_connect(addrs)
            if self.timeout is not None:
                # A failure is as good a reason to try the other family as waiting in vain.
                self.on_timeout()
            return
        if self.future.done():
            # Too late.
            stream.close()
            return
        self.clear_timeouts()
        self.streams.discard(stream)
        self.future.set_result((family, address, stream))
        self.close_streams()

    def set_timeout(self, timeout: float) -> None:
        self.timeout = self.io_loop.add_timeout(self.io_loop.time() + timeout, self.on_timeout)

    def on_timeout(self) -> None:
        """Begin with the second family."""
        self.clear_timeout()
        if not self.future.done():
            self.try_connect(iter(self.secondary_addrs))

    def clear_timeout(self) -> None:
        if self.timeout is not None:
            self.io_loop.remove_timeout(self.timeout)
            self.timeout = None

    def set_connect_timeout(self, connect_timeout: float | datetime.timedelta) -> None:
        self.connect_timeout = self.io_loop.add_timeout(connect_timeout, self.on_connect_timeout)

    def on_connect_timeout(self) -> None:
        if not self.future.done():
            self.future.set_exception(TimeoutError())
        self.clear_timeouts()
        self.close_streams()

    def clear_timeouts(self) -> None:
        self.clear_timeout()
        if self.connect_timeout is not None:
            self.io_loop.remove_timeout(self.connect_timeout)
            self.connect_timeout = None

    def close_streams(self) -> None:
        for stream in list(self.streams):
            stream.close()


class TCPClient:
    """Makes connections.

    .. code-block:: python

        stream = await TCPClient().connect("example.com", 443, ssl_options=ssl.create_default_context())

    ``resolver``: what looks names up; the configured `.Resolver` if not given.

    .. versionchanged:: 5.0
       The ``io_loop`` argument was removed.
    """

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._own_resolver = resolver is None
        self.resolver = Resolver() if resolver is None else resolver

    def close(self) -> None:
        """Free what the client holds; connections stay open."""
        if self._own_resolver:
            self.resolver.close()

    async def connect(
        self,
        host: str,
        port: int,
        af: socket.AddressFamily = socket.AF_UNSPEC,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        max_buffer_size: int | None = None,
        source_ip: str | None = None,
        source_port: int | None = None,
        timeout: float | datetime.timedelta | None = None,
    ) -> IOStream:
        """Connect to a host, and give a stream: an `.IOStream`, or with ``ssl_options`` an `.SSLIOStream`.

        ``af``: restricts to one family of addresses.

        ``ssl_options``: a `ssl.SSLContext`, or a dictionary for `.ssl_options_to_context`.

        ``max_buffer_size``: see `.BaseIOStream`.

        ``source_ip``, ``source_port``: where to connect from. A port alone goes with the loopback address.

        ``timeout``: for everything together, from looking up the name to the handshake: seconds from now on, or a
        `~datetime.timedelta`.

        Raises `OSError` when no address answers, and `TimeoutError`.

        .. versionchanged:: 4.5
           ``source_ip`` and ``source_port``.

        .. versionchanged:: 5.0
           ``timeout``.
        """
        deadline: float | None = None
        if isinstance(timeout, numbers.Real):
            deadline = IOLoop.current().time() + float(timeout)
        elif isinstance(timeout, datetime.timedelta):
            deadline = IOLoop.current().time() + timeout.total_seconds()
        elif timeout is not None:
            raise TypeError(f"Unsupported timeout {timeout!r}")

        found = self.resolver.resolve(host, port, af)
        addrinfo = await (found if deadline is None else gen.with_timeout(deadline, found))
        connector = _Connector(
            addrinfo, functools.partial(self._create_stream, max_buffer_size, source_ip=source_ip, source_port=source_port)
        )
        _, _, stream = await connector.start(connect_timeout=deadline)
        if ssl_options is None:
            return stream
        # The name in the certificate is the one that was asked for, whatever the address is.
        tls_stream = stream._into_tls(False, ssl_options, host)
        handshake = tls_stream.wait_for_handshake()
        try:
            return await (handshake if deadline is None else gen.with_timeout(deadline, handshake))
        except BaseException:
            tls_stream.close()
            raise

    def _create_stream(
        self,
        max_buffer_size: int | None,
        af: int,
        addr: tuple[Any, ...],
        source_ip: str | None = None,
        source_port: int | None = None,
    ) -> tuple[IOStream, "Future[IOStream]"]:
        """Begin to connect to one address."""
        sock = socket.socket(af)
        try:
            if source_ip is not None or source_port is not None:
                loopback = "::1" if af == socket.AF_INET6 else "127.0.0.1"
                sock.bind((source_ip or loopback, source_port or 0))
            stream = IOStream(sock, max_buffer_size=max_buffer_size)
        except OSError:
            sock.close()
            raise
        return stream, stream.connect(addr)
