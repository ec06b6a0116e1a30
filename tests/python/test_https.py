"""HTTPS of the engine: TLS by the ssl module, HTTP by C."""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from pathlib import Path

import pytest
import tornado.test
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

HERE = Path(tornado.test.__path__[0])
FILES = {"certfile": str(HERE / "test.crt"), "keyfile": str(HERE / "test.key")}
HELLO = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(**FILES)
    return context


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Hello(RequestHandler):
    def get(self):
        certificate = self.request.get_ssl_certificate()
        subject = certificate and dict(pairs[0] for pairs in certificate["subject"])
        self.finish({"protocol": self.request.protocol, "subject": subject})


class Sized(RequestHandler):
    def get(self):
        self.write(b"x" * int(self.get_argument("n")))

    def post(self):
        self.write(str(len(self.request.body)))


class Detached(RequestHandler):
    async def get(self):
        stream = self.detach()
        await stream.write(b"shout\n")
        while (line := await stream.read_until(b"\n")) != b"\n":
            await stream.write(line.upper())
        await stream.write(b"y" * 1_000_000)
        stream.close()


class Below(RequestHandler):
    def get(self):
        sock = self.request.connection.stream.socket
        self.finish({"version": sock.version(), "peer": sock.getpeername()[0]})


def run(talk, ssl_options=None, **options):
    """Serve, and let ``talk`` use the port."""

    async def main():
        app = Application([("/", Hello), ("/sized", Sized), ("/detached", Detached), ("/below", Below)])
        server = HTTPServer(app, ssl_options=ssl_options or server_context(), **options)
        (sock,) = bind_sockets(0, "127.0.0.1")
        server.add_socket(sock)
        try:
            return await asyncio.wait_for(talk(sock.getsockname()[1]), 20)
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(main())


@contextlib.asynccontextmanager
async def connection(port, context=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context or client_context())
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answer(reader):
    """The body of the next response."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
    return await reader.readexactly(int(length))


def ask(path, ssl_options=None, context=None, **options):
    async def talk(port):
        async with connection(port, context) as (reader, writer):
            writer.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
            return await answer(reader)

    return run(talk, ssl_options, **options)


@pytest.mark.parametrize("options", [server_context(), dict(FILES)], ids=["context", "dict"])
def test_a_request_over_tls_has_https_as_its_protocol(options):
    assert ask(b"/", options) == b'{"protocol": "https", "subject": null}'


def test_a_protocol_that_is_given_is_believed():
    assert b'"http"' in ask(b"/", protocol="http")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_socket_below_knows_the_version_and_the_peer(version):
    context = client_context()
    context.minimum_version = context.maximum_version = version
    name = version.name.replace("_", ".").encode()
    assert ask(b"/below", context=context) == b'{"version": "%b", "peer": "127.0.0.1"}' % name


def test_a_certificate_that_the_client_shows_can_be_asked_for():
    demanding = server_context()
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_verify_locations(FILES["certfile"])
    context = client_context()
    context.load_cert_chain(**FILES)
    assert b'"subject": {"' in ask(b"/", demanding, context)


def test_a_connection_is_kept_for_many_requests_and_they_may_come_at_once():
    async def talk(port):
        async with connection(port) as (reader, writer):
            for _ in range(3):
                writer.write(HELLO)
                assert b"https" in await answer(reader)
            writer.write(HELLO * 20)
            return [await answer(reader) for _ in range(20)]

    assert len(run(talk)) == 20


@pytest.mark.parametrize("size", [1, 16383, 16384, 16385, 100_000, 10_000_000])
def test_bodies_of_any_size_go_both_ways(size):
    async def talk(port):
        async with connection(port) as (reader, writer):
            writer.write(b"POST /sized HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
            writer.write(b"z" * size)
            assert await answer(reader) == str(size).encode()
            writer.write(b"GET /sized?n=%d HTTP/1.1\r\nHost: x\r\n\r\n" % size)
            await asyncio.sleep(0.01)  # so that the server has to wait for its reader
            return len(await answer(reader))

    assert run(talk) == size


def test_a_response_is_whole_even_when_the_connection_closes_behind_it():
    async def talk(port):
        async with connection(port) as (reader, writer):
            writer.write(b"GET /sized?n=3000000 HTTP/1.0\r\n\r\n")
            await asyncio.sleep(0.05)
            return len((await reader.read()).partition(b"\r\n\r\n")[2])

    assert run(talk) == 3_000_000


def test_records_that_come_byte_by_byte_are_put_together():
    """A client of our own, whose records arrive in as many pieces as they have bytes."""

    async def talk(port):
        loop = asyncio.get_running_loop()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context().wrap_bio(incoming, outgoing)
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def until_done(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        await loop.sock_sendall(sock, bytes([byte]))
                        await asyncio.sleep(0)
                    incoming.write(await loop.sock_recv(sock, 7))

        await until_done(tls.do_handshake)
        tls.write(HELLO)
        data = b""
        while not data.endswith(b"}"):
            data += await until_done(lambda: tls.read(100))
        sock.close()
        return data

    assert b"https" in run(talk)


def test_one_who_speaks_no_tls_is_logged_and_let_go(caplog):
    async def talk(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELLO)
        data = await reader.read()
        writer.close()
        return data

    assert b"HTTP/1" not in run(talk)
    (record,) = [r for r in caplog.records if r.name == "tornado.general"]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("SSL Error on ")
    assert record.exc_info is None


def test_a_client_without_the_certificate_that_is_demanded_gets_no_answer(caplog):
    demanding = server_context()
    demanding.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        ask(b"/", demanding)
    assert "SSL Error on " in caplog.text


def test_one_who_leaves_in_the_handshake_is_not_worth_a_word(caplog):
    async def talk(port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)

    run(talk)
    assert not caplog.records


def test_a_handshake_must_come_to_its_end_in_time():
    async def talk(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        data = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return data

    assert run(talk, idle_connection_timeout=0.1) == b""


def test_the_server_says_goodbye_before_it_closes():
    """Without close_notify, a client could not tell the end from an attack; asyncio's would raise."""

    def talk_blocking(port):
        context = client_context()
        with socket.create_connection(("127.0.0.1", port)) as plain:
            with context.wrap_socket(plain, suppress_ragged_eofs=False) as sock:
                sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
                while sock.recv(1000):
                    pass
        return True

    async def talk(port):
        return await asyncio.get_running_loop().run_in_executor(None, talk_blocking, port)

    assert run(talk)


def test_a_detached_stream_keeps_its_tls():
    async def talk(port):
        async with connection(port) as (reader, writer):
            # What comes together with the request is the stream's.
            writer.write(b"GET /detached HTTP/1.1\r\nHost: x\r\n\r\nfirst\n")
            assert await reader.readline() == b"shout\n"
            assert await reader.readline() == b"FIRST\n"
            writer.write(b"second\n")
            assert await reader.readline() == b"SECOND\n"
            writer.write(b"\n")
            return await reader.read()

    assert run(talk) == b"y" * 1_000_000


def test_the_name_that_a_client_asks_for_can_choose_the_certificate():
    asked = []
    context = server_context()
    context.sni_callback = lambda sock, name, original: asked.append(name)

    async def talk(port):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(), server_hostname="example.com"
        )
        writer.close()
        await writer.wait_closed()

    run(talk, context)
    assert asked == ["example.com"]


def test_a_callback_of_the_context_may_close_the_connection_it_is_called_for():
    async def talk(port):
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=client_context(), server_hostname="example.com")

    context = server_context()

    async def main():
        server = HTTPServer(Application([("/", Hello)]), ssl_options=context)
        context.sni_callback = lambda *_: server._server.close_all()
        (sock,) = bind_sockets(0, "127.0.0.1")
        server.add_socket(sock)
        await talk(sock.getsockname()[1])
        server.stop()
        await server.close_all_connections()

    asyncio.run(asyncio.wait_for(main(), 10))


def test_no_descriptors_are_left_behind():
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    async def talk(port):
        counts = []
        for _ in range(3):
            for path in (b"/", b"/below"):
                async with connection(port) as (reader, writer):
                    writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
                    await answer(reader)
            await asyncio.sleep(0.05)
            counts.append(descriptors())
        return counts

    first, *_, last = run(talk)
    assert first == last
