"""Serves an application for a moment and asks it something, over a real socket and with a client of a dozen lines."""

import asyncio
from typing import Any, NamedTuple

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.netutil import bind_sockets


class Answer(NamedTuple):
    code: int
    headers: HTTPHeaders
    body: bytes


def request(path: str, method: str = "GET", host: str = "localhost", body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a request that is the last one of its connection."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin1") + body


async def ask(port: int, message: bytes) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(message)
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    first, _, rest = head.decode("latin1").partition("\r\n")
    return Answer(parse_response_start_line(first).code, HTTPHeaders.parse(rest), body)


def answers(application: Any, *requests: bytes, together: bool = False) -> list[Answer]:
    """Return what an application answers to some requests, one after the other or all at a time."""

    async def main() -> list[Answer]:
        server = HTTPServer(application)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        try:
            if together:
                return list(await asyncio.gather(*(ask(port, each) for each in requests)))
            return [await ask(port, each) for each in requests]
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(main())
