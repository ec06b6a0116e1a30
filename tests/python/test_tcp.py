import asyncio
import datetime
import socket

import pytest
from tornado.gen import TimeoutError
from tornado.iostream import StreamClosedError
from tornado.netutil import Resolver, bind_sockets
from tornado.tcpclient import TCPClient, _Connector
from tornado.tcpserver import TCPServer


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


class EchoServer(TCPServer):
    async def handle_stream(self, stream, address):
        try:
            while True:
                await stream.write(await stream.read_until(b"\n"))
        except StreamClosedError:
            pass


def serve(server):
    (sock,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(sock)
    return sock.getsockname()[1]


class Addresses(Resolver):
    def initialize(self, *addresses):
        self.addresses = addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        return [(socket.AF_INET, (address, port)) for address in self.addresses]


def test_client_and_server_speak_with_each_other():
    async def main():
        server = EchoServer()
        port = serve(server)
        stream = await TCPClient().connect("127.0.0.1", port, source_ip="127.0.0.1", timeout=5)
        await stream.write(b"hello\n")
        assert await stream.read_until(b"\n") == b"hello\n"
        stream.close()
        server.stop()

    run(main())


def test_an_address_that_refuses_is_passed_over():
    async def main():
        server = EchoServer()
        port = serve(server)
        stream = await TCPClient(Addresses("127.0.0.9", "127.0.0.1")).connect("anywhere", port)
        assert stream.socket.getpeername() == ("127.0.0.1", port)
        stream.close()
        server.stop()
        await asyncio.sleep(0)
        with pytest.raises(StreamClosedError) as caught:
            await TCPClient().connect("127.0.0.1", port)
        assert isinstance(caught.value.real_error, ConnectionRefusedError)

    run(main())


@pytest.mark.parametrize("timeout", [0.05, datetime.timedelta(milliseconds=50)])
def test_a_timeout_covers_the_handshake(timeout):
    async def main():
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with pytest.raises(TimeoutError):
            await TCPClient().connect("127.0.0.1", port, ssl_options={}, timeout=timeout)
        connection, _ = listener.accept()
        connection.settimeout(5)
        while connection.recv(10000):  # a greeting, and then the end
            pass
        connection.close()
        listener.close()

    run(main())


def test_a_timeout_is_seconds_or_a_timedelta():
    async def main():
        with pytest.raises(TypeError):
            await TCPClient().connect("127.0.0.1", 1, timeout="soon")

    run(main())


def test_no_addresses_are_a_failure_and_not_a_wait():
    async def main():
        with pytest.raises(OSError):
            await TCPClient(Addresses()).connect("anywhere", 1)

    run(main())


def test_families_keep_their_order():
    assert _Connector.split([(6, 1), (4, 2), (6, 3), (4, 4)]) == ([(6, 1), (6, 3)], [(4, 2), (4, 4)])


def test_what_a_handler_raises_is_logged_and_the_next_is_served(caplog):
    class Server(TCPServer):
        def handle_stream(self, stream, address):
            stream.close()
            raise RuntimeError("oops")

    async def main():
        server = Server()
        port = serve(server)
        for _ in range(2):
            stream = await TCPClient().connect("127.0.0.1", port)
            assert await stream.read_until_close() == b""
        server.stop()

    run(main())
    assert [record.getMessage() for record in caplog.records] == ["Error in connection callback"] * 2


def test_files_for_tls_must_be_there(tmp_path):
    with pytest.raises(KeyError, match="certfile"):
        TCPServer(ssl_options={"keyfile": "x"})
    with pytest.raises(ValueError, match="does not exist"):
        TCPServer(ssl_options={"certfile": str(tmp_path / "none")})
