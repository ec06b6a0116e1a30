"""The routes of the comparison on Tornado, whichever one the interpreter that runs this has: python tornado_app.py PORT."""

import asyncio
import logging
import sys

import tornado.web


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("Hello, world")


class AsyncHello(tornado.web.RequestHandler):
    async def get(self):
        self.write("Hello, world")


class Sleep(tornado.web.RequestHandler):
    async def get(self):
        await asyncio.sleep(0)
        self.write("Hello, world")


class Json(tornado.web.RequestHandler):
    def get(self):
        self.write({"message": "Hello, world", "number": 1, "ok": True})


class User(tornado.web.RequestHandler):
    def initialize(self, table):
        self.table = table

    def prepare(self):
        self.agent = self.request.headers.get("User-Agent", "")

    def get(self, name):
        page = self.get_argument("page", "1")
        self.set_header("X-Page", page)
        self.set_status(200)
        self.write({"name": name, "page": page, "agent": len(self.agent), "table": self.table})


async def main():
    logging.disable(logging.CRITICAL)
    routes = [
        (r"/", Hello), (r"/async", AsyncHello), (r"/sleep", Sleep), (r"/json", Json),
        (r"/user/([^/]+)", User, {"table": 3}),
    ]  # fmt: skip
    tornado.web.Application(routes).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
