"""The same routes as a bare ASGI application, for uvicorn: nothing of a framework in between."""

import asyncio
import json
import re
from urllib.parse import parse_qs

USER = re.compile(r"/user/([^/]+)$")


async def app(scope, receive, send):
    path, content_type, extra = scope["path"], b"text/html; charset=UTF-8", []
    if path in ("/", "/async"):
        body = b"Hello, world"
    elif path == "/sleep":
        await asyncio.sleep(0)
        body = b"Hello, world"
    elif path == "/json":
        content_type = b"application/json"
        body = json.dumps({"message": "Hello, world", "number": 1, "ok": True}).encode()
    else:
        content_type = b"application/json"
        page = parse_qs(scope["query_string"].decode()).get("page", ["1"])[0]
        agent = dict(scope["headers"]).get(b"user-agent", b"")
        name = USER.match(path)[1]
        body = json.dumps({"name": name, "page": page, "agent": len(agent), "table": 3}).encode()
        extra = [(b"x-page", page.encode())]
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
