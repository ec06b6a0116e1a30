"""Sockets, names of hosts, and TLS: what servers and streams need of the network.

`bind_sockets` and `add_accept_handler` are the two halves of listening, `Resolver` turns the name of a host into
addresses, and `ssl_options_to_context` makes a `ssl.SSLContext` of a dictionary.
"""

import asyncio
import concurrent.futures
import errno
import os
import socket
import ssl
import stat
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.concurrent import dummy_executor, run_on_executor
from tornado.ioloop import IOLoop
from tornado.util import Configurable

__all__ = [
    "BlockingResolver", "DefaultExecutorResolver", "DefaultLoopResolver", "ExecutorResolver", "OverrideResolver", "Resolver",
    "ThreadedResolver", "add_accept_handler", "bind_sockets", "bind_unix_socket", "is_valid_ip", "ssl_options_to_context",
    "ssl_wrap_socket",
]  # fmt: skip


def _without_compression(context: ssl.SSLContext) -> ssl.SSLContext:
    # Compressing secrets beside text of an attacker's choice gives them away by length (CRIME).
    context.options |= ssl.OP_NO_COMPRESSION
    return context


# What streams use when nothing is said. A client verifies whom it speaks to.
_client_ssl_defaults = _without_compression(ssl.create_default_context(ssl.Purpose.SERVER_AUTH))
_server_ssl_defaults = _without_compression(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))

# How many connections may wait to be accepted; also how many are accepted before other events get their turn.
_DEFAULT_BACKLOG = 128

# Looking up a text by this encoding imports a module. Done here, it cannot happen on a thread of `ThreadedResolver`
# while the main thread holds the import lock, which would never end.
"".encode("idna")


def bind_sockets(
    port: int,
    address: str | None = None,
    family: socket.AddressFamily = socket.AF_UNSPEC,
    backlog: int = _DEFAULT_BACKLOG,
    flags: int | None = None,
    reuse_port: bool = False,
) -> list[socket.socket]:
    """Make sockets that listen on a port, one for each address.

    >>> sockets = bind_sockets(0, "127.0.0.1")
    >>> [sock.getsockname()[0] for sock in sockets]
    ['127.0.0.1']
    >>> for sock in sockets:
    ...     sock.close()

    ``port``: 0 lets the system choose; all sockets get the same number.

    ``address``: an IP address or the name of a host, which may stand for several. Empty or ``None`` means all interfaces.

    ``family``: `socket.AF_INET` or `socket.AF_INET6` restricts to one kind of address.

    ``backlog``: the argument of `socket.listen <socket.socket.listen>`.

    ``flags``: those of `~socket.getaddrinfo`; `socket.AI_PASSIVE` if not given.

    ``reuse_port``: let several processes listen on this port. Raises `ValueError` where the system does not know it.
    """
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("the platform doesn't support SO_REUSEPORT")
    if address == "":
        address = None
    if not socket.has_ipv6 and family == socket.AF_UNSPEC:
        # getaddrinfo may give addresses which no socket can be made for.
        family = socket.AF_INET
    if flags is None:
        flags = socket.AI_PASSIVE

    # The same address may come more than once. IPv4 sorts first.
    found = sorted(
        set(socket.getaddrinfo(address, port, family, socket.SOCK_STREAM, 0, flags)), key=lambda entry: (entry[0], str(entry))
    )
    sockets: list[socket.socket] = []
    unavailable: OSError | None = None
    bound_port: int | None = None
    try:
        for af, kind, proto, _, sockaddr in found:
            if sys.platform == "darwin" and address == "localhost" and af == socket.AF_INET6 and sockaddr[3] != 0:
                continue  # the link-local twin of ::1, which cannot be bound
            if bound_port is not None and port == 0:
                sockaddr = (sockaddr[0], bound_port, *sockaddr[2:])
            try:
                sock = _listening_socket(af, kind, proto, sockaddr, backlog, reuse_port)
            except OSError as e:
                # A name such as localhost may have an address of a family that this machine has switched off.
                if e.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) or len(found) == 1:
                    raise
                unavailable = e
                continue
            sockets.append(sock)
            bound_port = sock.getsockname()[1]
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    if not sockets and unavailable is not None:
        raise unavailable
    return sockets


def _listening_socket(af: int, kind: int, proto: int, sockaddr: Any, backlog: int, reuse_port: bool) -> socket.socket:
    sock = socket.socket(af, kind, proto)
    try:
        if os.name != "nt":
            # On Windows this would let two processes listen on one port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if af == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
            # IPv4 has a socket of its own.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(sockaddr)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def bind_unix_socket(file: str, mode: int = 0o600, backlog: int = _DEFAULT_BACKLOG) -> socket.socket:
    """Make a Unix socket that listens.

    A socket that lies there from an earlier run is replaced; for any other file `ValueError` is raised.

    ``file``: its path. On Linux, one that begins with a zero byte is a name in the abstract namespace instead.

    ``mode``: the permissions of the file.

    .. versionchanged:: 6.5
       Abstract names.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        abstract = file.startswith("\0")
        if not abstract:
            _remove_stale_socket(file)
        sock.bind(file)
        if not abstract:
            os.chmod(file, mode)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale_socket(file: str) -> None:
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ValueError(f"File {file} exists and is not a socket")
    os.remove(file)


def add_accept_handler(sock: socket.socket, callback: Callable[[socket.socket, Any], None]) -> Callable[[], None]:
    """Accept the connections of a listening socket, and call ``callback(connection, address)`` with each.

    ``address`` has the form that `socket.socket.accept` returns.

    Returns a function which ends this; the socket stays open.

    .. versionchanged:: 5.0
       Returns a function.
    """
    io_loop = IOLoop.current()
    removed = False

    def accept_handler(fd: socket.socket, events: int) -> None:
        # A server under siege must get to its other events as well, so one turn accepts no endless number.
        for _ in range(_DEFAULT_BACKLOG):
            if removed:
                return
            try:
                connection, address = sock.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                # It was closed while it waited to be accepted.
                continue
            callback(connection, address)

    def remove_handler() -> None:
        nonlocal removed
        io_loop.remove_handler(sock)
        removed = True

    io_loop.add_handler(sock, accept_handler, IOLoop.READ)
    return remove_handler


def is_valid_ip(ip: str) -> bool:
    """Return whether a text is an IP address, of either version, in numbers.

    >>> is_valid_ip("127.0.0.1"), is_valid_ip("::1"), is_valid_ip("localhost")
    (True, True, False)

    Never raises.
    """
    if not ip or "\0" in ip:
        # getaddrinfo takes the first for any address, and reads the second to the zero byte only.
        return False
    try:
        return bool(socket.getaddrinfo(ip, 0, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
    except socket.gaierror as e:
        if e.args[0] in (socket.EAI_NONAME, getattr(socket, "EAI_ADDRFAMILY", None), getattr(socket, "EAI_NODATA", None)):
            return False
        raise
    except (UnicodeError, ValueError):
        # What is too long to be a name, or no name in the encoding of names.
        return False


class Resolver(Configurable):
    """Turns names of hosts into addresses.

    ``Resolver()`` gives an instance of the configured class, `DefaultLoopResolver` if nothing was configured. The others
    here are `DefaultExecutorResolver`, `BlockingResolver`, `ThreadedResolver` and `OverrideResolver`.

    .. code-block:: python

        for family, address in await Resolver().resolve("localhost", 80):
            print(family, address)

    .. versionchanged:: 5.0
       The default is `DefaultExecutorResolver`.

    .. versionchanged:: 6.2
       The default is `DefaultLoopResolver`.
    """

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return Resolver

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        return DefaultLoopResolver

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[list[tuple[int, Any]]]:
        """Find the addresses of a host.

        Gives a list of pairs of an address family and an address, which has the form that `socket.socket.connect` takes:
        ``(host, port)`` for IPv4, more for IPv6.

        Raises `OSError` when there is none.

        .. versionchanged:: 4.4
           All failures are `OSError`.
        """
        raise NotImplementedError()

    def close(self) -> None:
        """Free what the resolver holds.

        .. versionadded:: 3.1
        """


# The type of socket is always named: otherwise each address comes once for each type.
def _resolve_addr(host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    return [(af, address) for af, _, _, _, address in found]


class DefaultExecutorResolver(Resolver):
    """Asks the system on the default executor of the loop.

    .. versionadded:: 5.0

    .. deprecated:: 6.2
       Use `DefaultLoopResolver`.
    """

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        return await IOLoop.current().run_in_executor(None, _resolve_addr, host, port, family)


class DefaultLoopResolver(Resolver):
    """Asks the asyncio loop, which has a ``getaddrinfo`` of its own.

    .. versionadded:: 6.2
    """

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        return [(af, address) for af, _, _, _, address in found]


class ExecutorResolver(Resolver):
    """Asks the system on an executor.

    ``executor``: a `concurrent.futures.Executor`; without one, `resolve` blocks.

    ``close_executor``: whether `close` shuts it down.

    .. deprecated:: 5.0
       Use `DefaultLoopResolver`.
    """

    def initialize(self, executor: concurrent.futures.Executor | None = None, close_executor: bool = True) -> None:
        self.executor: concurrent.futures.Executor | None = dummy_executor if executor is None else executor
        # The dummy is everybody's.
        self.close_executor = close_executor and executor is not None

    def close(self) -> None:
        if self.close_executor and self.executor is not None:
            self.executor.shutdown()
        self.executor = None

    @run_on_executor
    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        return _resolve_addr(host, port, family)


class BlockingResolver(ExecutorResolver):
    """Asks the system and blocks until it answers.

    .. deprecated:: 5.0
       Use `DefaultLoopResolver`.
    """

    def initialize(self) -> None:  # type: ignore[override]
        super().initialize()


class ThreadedResolver(ExecutorResolver):
    """Asks the system on threads, which all resolvers of this class share.

    ``num_threads``: how many there are; the first resolver that is made decides.

    .. deprecated:: 5.0
       Use `DefaultLoopResolver`.
    """

    _threadpool: "concurrent.futures.ThreadPoolExecutor | None" = None
    _threadpool_pid: int | None = None

    def initialize(self, num_threads: int = 10) -> None:  # type: ignore[override]
        super().initialize(executor=self._create_threadpool(num_threads), close_executor=False)

    @classmethod
    def _create_threadpool(cls, num_threads: int) -> concurrent.futures.ThreadPoolExecutor:
        # Threads do not come along when a process forks.
        if cls._threadpool is None or cls._threadpool_pid != os.getpid():
            cls._threadpool = concurrent.futures.ThreadPoolExecutor(num_threads)
            cls._threadpool_pid = os.getpid()
        return cls._threadpool


class OverrideResolver(Resolver):
    """Answers for some names itself and asks another resolver for the rest, like a hosts file of the program.

    ``mapping``: its keys are hosts, or pairs of a host and a port, or triples of a host, a port and a family; the values
    are hosts, or pairs of a host and a port, for the other resolver.

    .. code-block:: python

        Resolver.configure(
            OverrideResolver,
            resolver=DefaultLoopResolver(),
            mapping={
                "example.com": "127.0.1.1",
                ("login.example.com", 443): ("localhost", 1443),
                ("login.example.com", 443, socket.AF_INET6): ("::1", 1443),
            },
        )

    .. versionchanged:: 5.0
       Triples.
    """

    def initialize(self, resolver: Resolver, mapping: dict[Any, Any]) -> None:
        self.resolver = resolver
        self.mapping = mapping

    def close(self) -> None:
        self.resolver.close()

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[list[tuple[int, Any]]]:
        if (host, port, family) in self.mapping:
            host, port = self.mapping[(host, port, family)]
        elif (host, port) in self.mapping:
            host, port = self.mapping[(host, port)]
        elif host in self.mapping:
            host = self.mapping[host]
        return self.resolver.resolve(host, port, family)


# The arguments of ssl.wrap_socket, a function that Python no longer has. Dictionaries of options have its names.
_SSL_CONTEXT_KEYWORDS = frozenset(("ssl_version", "certfile", "keyfile", "cert_reqs", "ca_certs", "ciphers"))


def ssl_options_to_context(
    ssl_options: dict[str, Any] | ssl.SSLContext, server_side: bool | None = None
) -> ssl.SSLContext:
    """Make a `ssl.SSLContext` of a dictionary of options; a context is returned as it is.

    ``ssl_options``: may have the keys ``ssl_version``, ``certfile``, ``keyfile``, ``cert_reqs``, ``ca_certs`` and
    ``ciphers``.

    ``server_side``: which side of the connection the context is for. It must be given, unless ``ssl_version`` says it.

    .. versionchanged:: 6.2
       The ``server_side`` argument.
    """
    if isinstance(ssl_options, ssl.SSLContext):
        return ssl_options
    assert isinstance(ssl_options, dict)
    assert all(key in _SSL_CONTEXT_KEYWORDS for key in ssl_options), ssl_options
    default_version = ssl.PROTOCOL_TLS
    if server_side:
        default_version = ssl.PROTOCOL_TLS_SERVER
    elif server_side is not None:
        default_version = ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(ssl_options.get("ssl_version", default_version))
    if "certfile" in ssl_options:
        context.load_cert_chain(ssl_options["certfile"], ssl_options.get("keyfile"))
    if "cert_reqs" in ssl_options:
        if ssl_options["cert_reqs"] == ssl.CERT_NONE:
            # The one makes no sense without the other, and Python insists.
            context.check_hostname = False
        context.verify_mode = ssl_options["cert_reqs"]
    if "ca_certs" in ssl_options:
        context.load_verify_locations(ssl_options["ca_certs"])
    if "ciphers" in ssl_options:
        context.set_ciphers(ssl_options["ciphers"])
    return _without_compression(context)


def ssl_wrap_socket(
    socket: socket.socket,
    ssl_options: dict[str, Any] | ssl.SSLContext,
    server_hostname: str | None = None,
    server_side: bool | None = None,
    **kwargs: Any,
) -> ssl.SSLSocket:
    """Put TLS around a socket.

    ``ssl_options``: a `ssl.SSLContext` or a dictionary for `ssl_options_to_context`.

    ``server_side``: which side this is; the client's if not given.

    Further arguments are those of `ssl.SSLContext.wrap_socket`.

    .. versionchanged:: 6.2
       The ``server_side`` argument.
    """
    context = ssl_options_to_context(ssl_options, server_side=server_side)
    if server_side is None:
        server_side = False
    return context.wrap_socket(socket, server_hostname=server_hostname, server_side=server_side, **kwargs)
