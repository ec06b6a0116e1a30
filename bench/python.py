#!/usr/bin/env python3
"""The Python package beside the original, uvicorn and aiohttp: CPU time for each request, side by side.

    make bench-python
    bench/python.py --seconds 2 --rounds 3 --instructions

Our package is the one in build/venv; the others come from PyPI into build/bench-venv, with the same interpreter. All serve the same
five routes (bench/python_apps) in one process and thread, in turn in each round, so that a busy moment of the machine meets all of
them; the quietest round of each counts. With --instructions, user instructions by callgrind are counted for ours, which do not
depend on the machine's mood.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import tempfile

import servers

APPS = os.path.join(servers.ROOT, "bench", "python_apps")
OURS = os.path.join(servers.ROOT, "build", "venv", "bin", "python")
THEIRS = os.path.join(servers.ROOT, "build", "bench-venv", "bin", "python")
PACKAGES = ["tornado==6.5.7", "uvicorn", "uvloop", "httptools", "aiohttp"]

BROWSER = {
    "Connection": "keep-alive",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-US,en;q=0.9,de;q=0.8",
    "Cookie": "session=0123456789abcdef; theme=dark",
    "Referer": "http://localhost/",
}
# What is asked for: name, path, header fields, and most instructions that ours may take.
CASES = [
    ("hello", "/", {}, 10_000),
    ("async, no wait", "/async", {}, 12_000),
    ("one sleep(0)", "/sleep", {}, 30_000),
    ("JSON", "/json", {}, 30_000),
    ("regex route, browser", "/user/joe?page=3", BROWSER, 60_000),
]


def set_up():
    """Make the environment of the others, once, and enter all servers."""
    if not os.access(OURS, os.X_OK):
        raise SystemExit("build/venv is missing: run make python")
    if not os.access(THEIRS, os.X_OK):
        base = subprocess.run([OURS, "-c", "import sys; print(sys._base_executable)"], capture_output=True, text=True, check=True)
        subprocess.run([base.stdout.strip(), "-m", "venv", os.path.dirname(os.path.dirname(THEIRS))], check=True)
        subprocess.run([THEIRS, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    servers.SERVERS.clear()
    app = os.path.join(APPS, "tornado_app.py")
    servers.SERVERS["ours"] = lambda port, folder: [OURS, app, str(port)]
    servers.SERVERS["Tornado 6.5.7"] = lambda port, folder: [THEIRS, app, str(port)]
    servers.SERVERS["uvicorn"] = lambda port, folder: [
        THEIRS, "-m", "uvicorn", "--app-dir", APPS, "--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http",
        "httptools", "--log-level", "critical", "--no-access-log", "asgi_app:app",
    ]  # fmt: skip
    servers.SERVERS["aiohttp"] = lambda port, folder: [THEIRS, os.path.join(APPS, "aiohttp_app.py"), str(port)]


def load(port, path, headers, connections, seconds):
    """Let wrk ask; gives requests, and the 50th and 99th percentile of latency as text."""
    options = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *options, f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=servers.pin(-1)).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"{path} is answered with an error:\n{text}")
    count = int(re.search(r"(\d+) requests in", text)[1])
    return (count, *(re.search(rf"^\s+{part}%\s+(\S+)$", text, re.M)[1] for part in (50, 99)))


def measure(name, path, headers, arguments):
    """CPU microseconds for each request, latencies, and the most memory that was resident."""
    with servers.Process(name) as server:
        load(server.port, path, headers, arguments.connections, 1)
        before = server.cpu_us()
        count, p50, p99 = load(server.port, path, headers, arguments.connections, arguments.seconds)
        return (server.cpu_us() - before) / count, p50, p99, server.resident_bytes()


def compare(arguments):
    for title, path, headers, _ in CASES:
        print(f"\n{title}, {arguments.connections} connections\n")
        print(f"  {'':16}{'us CPU':>9}{'range':>16}{'ratio':>8}{'p50':>10}{'p99':>10}{'MiB':>7}")
        rounds = {name: [] for name in servers.SERVERS}
        for _ in range(arguments.rounds):
            for name, results in rounds.items():
                results.append(measure(name, path, headers, arguments))
        ours = min(rounds["ours"])[0]
        for name, results in rounds.items():
            cpu, p50, p99, memory = min(results)
            spread = f"{cpu:.1f} - {max(results)[0]:.1f}"
            print(f"  {name:16}{cpu:9.2f}{spread:>16}{cpu / ours:8.1f}{p50:>10}{p99:>10}{memory / 2**20:7.0f}", flush=True)


def ask(port, path, headers, requests, connections=32):
    """Ask that many times, in waves over all connections."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **headers}.items())
    request = f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode()
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for _ in range(requests // connections):
        for each in sockets:
            each.sendall(request)
        for each in sockets:
            each.recv(65536)
    for each in sockets:
        each.close()


def total_instructions(path, headers, requests):
    """All user instructions of our server that answers that many requests, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        wrapper = ["env", "PYTHONHASHSEED=0", "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        with servers.Process("ours", wrapper) as server:
            server.pid = server.process.pid
            ask(server.port, path, headers, requests)
        with open(out, encoding="utf-8", errors="replace") as file:
            return int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.M)[1])


def instructions():
    few, many = 640, 3200
    failed = False
    print("\nUser instructions for each request, ours, 32 connections (most allowed)\n")
    for title, path, headers, most in CASES:
        count = (total_instructions(path, headers, many) - total_instructions(path, headers, few)) // (many - few)
        failed |= count > most
        print(f"  {title:24}{count:>10,}   ({most:,}){' TOO MANY' if count > most else ''}", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=2, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--instructions", action="store_true", help="count instructions instead")
    arguments = parser.parse_args()
    set_up()
    if arguments.instructions:
        raise SystemExit(instructions())
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed")
    compare(arguments)


if __name__ == "__main__":
    main()
