#!/usr/bin/env python3
"""User instructions for each request, by callgrind: the figure that does not depend on the machine's mood.

    make bench-instructions
    bench/instructions.py --server "other=./other {port}"

A server runs twice under callgrind, answering two different numbers of requests; the difference of the instructions divided by the
difference of the requests is what one costs, start and end apart. The client keeps 32 connections busy, one request each at a time.
"""

import argparse
import os
import re
import shutil
import socket
import tempfile

import servers

CONNECTIONS = 32
FEW, MANY = 3200, 12800
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def ask(port, requests):
    """Ask that many times, in waves over all connections."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for _ in range(requests // CONNECTIONS):
        for connection in connections:
            connection.sendall(REQUEST)
        for connection in connections:
            answer = b""
            while not answer.endswith(b"Hello, world"):
                answer += connection.recv(4096)
    for connection in connections:
        connection.close()


def instructions(name, requests):
    """All user instructions of a server that answers that many requests, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "callgrind.out")
        with servers.Process(name, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}"]) as server:
            server.pid = server.process.pid  # valgrind becomes the server: it has no child
            ask(server.port, requests)
        with open(path, encoding="utf-8", errors="replace") as file:
            return int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.M)[1])


def main():
    parser = argparse.ArgumentParser(description="User instructions for each request, by callgrind.")
    parser.add_argument("--server", action="append", default=[], metavar="NAME=COMMAND", help="one server more; {port} is its port")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed")
    for text in arguments.server:
        servers.add(text)
    print(f"User instructions for each request ({CONNECTIONS} connections)\n")
    for name in servers.SERVERS:
        if name == "nginx" and not os.access(servers.NGINX, os.X_OK):
            continue
        few, many = instructions(name, FEW), instructions(name, MANY)
        print(f"  {name:20}{(many - few) / (MANY - FEW):10.0f}")


if __name__ == "__main__":
    main()
