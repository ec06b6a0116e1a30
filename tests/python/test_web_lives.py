"""How long things live: nothing of a server may outlast it, however it came to its end."""

import asyncio
import gc
import socket
import warnings

import pytest
from serving import request
from tornado import _engine
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler


class Waits(RequestHandler):
    async def get(self):
        await asyncio.Future()


class NeverFinishes(RequestHandler):
    def get(self):
        self._auto_finish = False


def engine_objects():
    for _ in range(3):  # the loop first, then what its Core holds
        gc.collect()
    kinds = (_engine.Core, _engine.Server, _engine.Connection, _engine.Driver, RequestHandler)
    return sum(isinstance(each, kinds) for each in gc.get_objects())


async def begin_requests():
    """A server with requests at every stage, and the sockets of their clients."""
    server = Application([(r"/waits", Waits), (r"/never", NeverFinishes)]).listen(0, "127.0.0.1")
    address = next(iter(server._sockets.values())).getsockname()
    clients = [socket.create_connection(address) for _ in range(4)]
    for client, message in zip(clients, (request("/waits"), request("/never"), b"GET / HT", b"")):
        client.sendall(message)
    await asyncio.sleep(0.02)
    return server, clients


@pytest.mark.parametrize("cancels", [True, False])
def test_a_loop_that_is_dropped_takes_its_servers_along(cancels):
    before = engine_objects()
    loop = asyncio.new_event_loop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        if cancels:
            loop.close()
            server, clients = asyncio.run(begin_requests())
        else:
            server, clients = loop.run_until_complete(begin_requests())
            loop.close()
        for client in clients:
            client.close()
        del server, loop
        IOLoop._ioloop_for_asyncio.clear()
        asyncio.set_event_loop(None)
        assert engine_objects() <= before


def test_a_server_is_closed_even_if_a_handler_never_finishes():
    async def main():
        server, clients = await begin_requests()
        server.stop()
        await asyncio.wait_for(server.close_all_connections(), 5)
        for client in clients:
            client.close()

    asyncio.run(main())


def test_a_stopped_server_goes_with_its_last_connection():
    async def main():
        server = Application([]).listen(0, "127.0.0.1")
        client = socket.create_connection(next(iter(server._sockets.values())).getsockname())
        await asyncio.sleep(0.01)
        server.stop()
        del server
        client.close()
        await asyncio.sleep(0.02)
        gc.collect()
        return sum(isinstance(each, _engine.Server) for each in gc.get_objects())

    gc.collect()
    before = sum(isinstance(each, _engine.Server) for each in gc.get_objects())
    assert asyncio.run(main()) <= before
