"""The same routes on aiohttp: python aiohttp_app.py PORT."""

import asyncio
import sys

from aiohttp import web


async def hello(request):
    return web.Response(text="Hello, world")


async def sleep(request):
    await asyncio.sleep(0)
    return web.Response(text="Hello, world")


async def json(request):
    return web.json_response({"message": "Hello, world", "number": 1, "ok": True})


async def user(request):
    page = request.query.get("page", "1")
    agent = request.headers.get("User-Agent", "")
    answer = {"name": request.match_info["name"], "page": page, "agent": len(agent), "table": 3}
    return web.json_response(answer, headers={"X-Page": page})


app = web.Application()
app.add_routes([
    web.get("/", hello), web.get("/async", hello), web.get("/sleep", sleep), web.get("/json", json),
    web.get("/user/{name}", user),
])  # fmt: skip
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
