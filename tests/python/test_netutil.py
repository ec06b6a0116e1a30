import asyncio
import os
import socket
import ssl
import stat

import pytest
from tornado.netutil import (
    OverrideResolver,
    Resolver,
    add_accept_handler,
    bind_sockets,
    bind_unix_socket,
    is_valid_ip,
    ssl_options_to_context,
)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


def test_an_empty_address_means_all_interfaces():
    sockets = bind_sockets(0, "")
    try:
        assert {sock.getsockname()[0] for sock in sockets} <= {"0.0.0.0", "::"}
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
        assert [sock.family for sock in sockets] == sorted(sock.family for sock in sockets)
        assert not any(sock.getblocking() for sock in sockets)
    finally:
        for sock in sockets:
            sock.close()


def test_a_port_in_use_raises_and_leaves_nothing_open():
    (first,) = bind_sockets(0, "127.0.0.1")
    try:
        with pytest.raises(OSError):
            bind_sockets(first.getsockname()[1], "127.0.0.1")
    finally:
        first.close()


def test_a_unix_socket_replaces_a_stale_one_but_nothing_else(tmp_path):
    path = str(tmp_path / "socket")
    for _ in range(2):
        bind_unix_socket(path, mode=0o640).close()
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    os.remove(path)
    (tmp_path / "socket").write_text("precious")
    with pytest.raises(ValueError, match="not a socket"):
        bind_unix_socket(path)
    assert (tmp_path / "socket").read_text() == "precious"


@pytest.mark.skipif(not os.path.exists("/proc/net/unix"), reason="only Linux has abstract names")
def test_an_abstract_name_needs_no_file():
    name = f"\0tornado-test-{os.getpid()}"
    sock = bind_unix_socket(name)
    client = socket.socket(socket.AF_UNIX)
    client.connect(name)
    client.close()
    sock.close()


def test_what_removes_an_accept_handler_ends_the_batch():
    async def main():
        (listener,) = bind_sockets(0, "127.0.0.1")
        clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
        accepted = []

        def accept(connection, address):
            accepted.append(connection)
            remove()

        remove = add_accept_handler(listener, accept)
        await asyncio.sleep(0.05)
        assert len(accepted) == 1
        for sock in [listener, *clients, *accepted]:
            sock.close()

    run(main())


@pytest.mark.parametrize("text", ["", "\0", "1.2.3.4\0", "localhost", "1.2.3.4 ", "a" * 1000, "\ud800", "é" * 70, "[::1]"])
def test_what_is_no_address_is_not_valid_and_raises_nothing(text):
    assert not is_valid_ip(text)


def test_names_can_be_answered_without_asking():
    async def main():
        resolver = OverrideResolver(
            resolver=Resolver(),
            mapping={"a": "127.0.0.1", ("a", 1): ("127.0.0.2", 2), ("a", 1, socket.AF_INET): ("127.0.0.3", 3)},
        )
        assert (socket.AF_INET, ("127.0.0.1", 80)) in await resolver.resolve("a", 80)
        assert await resolver.resolve("a", 1) == [(socket.AF_INET, ("127.0.0.2", 2))]
        assert await resolver.resolve("a", 1, socket.AF_INET) == [(socket.AF_INET, ("127.0.0.3", 3))]

    run(main())


def test_a_client_verifies_unless_told_otherwise():
    context = ssl_options_to_context({}, server_side=False)
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    context = ssl_options_to_context({"cert_reqs": ssl.CERT_NONE}, server_side=False)
    assert context.verify_mode == ssl.CERT_NONE and not context.check_hostname
    assert context.options & ssl.OP_NO_COMPRESSION
    assert ssl_options_to_context(context) is context
    with pytest.raises(AssertionError):
        ssl_options_to_context({"certificate": "x"}, server_side=True)
