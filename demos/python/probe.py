"""The probe: the routes of demos/probe.c as a Tornado application, so that the same tests can drive both faces."""

import asyncio
import logging
import signal
import sys

import tornado.ioloop
import tornado.log
import tornado.web


class RootHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, world")

    head = get

    def post(self):
        self.set_header("Content-Type", "application/octet-stream")
        self.write(self.request.body)


class AnyMethodHandler(tornado.web.RequestHandler):
    """What answers every method, also those that HTTP does not know."""

    SUPPORTED_METHODS = tornado.web.RequestHandler.SUPPORTED_METHODS + ("BREW", "PROPFIND", "PURGE", "FOO")

    def answer(self):
        raise NotImplementedError()

    def __getattr__(self, name):
        if name.upper() in self.SUPPORTED_METHODS:
            return self.answer
        raise AttributeError(name)

    def get(self):
        self.answer()

    head = post = put = patch = delete = options = get


class EchoHandler(AnyMethodHandler):
    def answer(self):
        self.set_header("Content-Type", "application/octet-stream")
        self.write(self.request.body)


class InspectHandler(AnyMethodHandler):
    def answer(self):
        request = self.request
        self.write(
            {
                "method": request.method,
                "uri": request.uri,
                "path": request.path,
                "query": request.query,
                "version": request.version,
                "host": request.host,
                "headers": list(request.headers.get_all()),
                "body": request.body.hex(),
            }
        )


class CookiesHandler(tornado.web.RequestHandler):
    def get(self):
        self.write({name: morsel.value for name, morsel in self.cookies.items()})


class ChunksHandler(tornado.web.RequestHandler):
    async def get(self):
        for piece in ("one", "two", "three"):
            self.write(piece)
            await self.flush()

    head = get


class BigHandler(tornado.web.RequestHandler):
    async def get(self):
        try:
            n = int(self.get_argument("n"))
        except ValueError:
            raise tornado.web.HTTPError(400)
        self.set_header("Content-Length", str(n))
        piece = b"x" * 65536
        while n > len(piece):
            self.write(piece)
            await self.flush()
            n -= len(piece)
        self.write(piece[:n])

    head = get


class NoContentHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_status(204)


class BoomHandler(tornado.web.RequestHandler):
    def get(self):
        raise RuntimeError("boom")

    head = get


class SlowHandler(tornado.web.RequestHandler):
    async def get(self):
        await asyncio.sleep(0.05)
        self.write("slow")


def make_app():
    return tornado.web.Application(
        [
            (r"/", RootHandler),
            (r"/echo", EchoHandler),
            (r"/inspect", InspectHandler),
            (r"/cookies", CookiesHandler),
            (r"/chunks", ChunksHandler),
            (r"/big", BigHandler),
            (r"/nocontent", NoContentHandler),
            (r"/boom", BoomHandler),
            (r"/redirect", tornado.web.RedirectHandler, {"url": "/", "permanent": False}),
            (r"/slow", SlowHandler),
        ]
    )


# The options of demos/probe.c that an HTTPServer has, by their names there.
LIMITS = {
    "max-head-bytes": ("max_header_size", int),
    "max-body-bytes": ("max_body_size", int),
    "idle-timeout": ("idle_connection_timeout", float),
    "head-timeout": ("idle_connection_timeout", float),
    "body-timeout": ("body_timeout", float),
}


def main():
    options = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
    limits = {LIMITS[name][0]: LIMITS[name][1](value) for name, value in options.items() if name in LIMITS}
    if options.get("logging") == "none":
        logging.disable(logging.CRITICAL)
    else:
        tornado.log.enable_pretty_logging()
    make_app().listen(int(options.get("port", 8888)), options.get("address", ""), **limits)
    loop = tornado.ioloop.IOLoop.current()
    loop.asyncio_loop.add_signal_handler(signal.SIGTERM, loop.stop)
    loop.start()


if __name__ == "__main__":
    main()
