#!/usr/bin/env python3
"""What does a request cost? CPU time, system calls and memory of our hello beside a floor program and nginx.

    make bench                                      everything, about five minutes
    bench/bench.py --only cpu --seconds 2           one part
    bench/bench.py --server "other=./other {port}"  one server more

The main figure is CPU time of the server for each request, user and kernel, by the scheduler's own count. Requests a second are not
printed: on a virtual machine they say more about its neighbours. Server and load generator have a processor each, and all servers
are measured in turn in every round, so that what drifts hits all alike; ratios are taken within a round, and the medians of the
rounds are printed. A round is repeated when the floor program is off its own median by more than 15 %, and (at c=64) when nginx is
nearer to it than 10 %; when even repeating gives no such rounds, the output says so.
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
LOADS = {"c=1": (1, 1), "c=64": (64, 1), "c=512": (512, 1), "c=64 x16": (64, 16)}  # connections, requests in one write
ANCHOR_OFF_MAX = 0.15
NGINX_MIN = 1.10  # times the floor: below, the machine is in a slow phase in which the kernel's part drowns every difference
EXTRA_ROUNDS_MAX = 4
IDLE_CONNECTIONS = 10000


def wrk(port, connections, depth, seconds):
    """Load a server. Returns (how many requests it answered, what went wrong or an empty string)."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    url = f"http://127.0.0.1:{port}/"
    command += ["-s", f"{HERE}/pipe.lua", url, "--", str(depth)] if depth > 1 else [url]
    output = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=servers.pin(-1)).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", output)
    return int(re.search(r"(\d+) requests in", output)[1]), wrong[0] if wrong else ""


def cpu_of(name, load, seconds):
    """(CPU microseconds for each request, their user part) of one server under one load."""
    connections, depth = LOADS[load]
    wrong = ""
    for _ in range(3):
        with servers.Process(name) as server:
            wrk(server.port, min(connections, 16), depth, 1)
            cpu, user = server.cpu_us(), server.user_us()
            requests, wrong = wrk(server.port, connections, depth, seconds)
            if not wrong:
                return (server.cpu_us() - cpu) / requests, (server.user_us() - user) / requests
        print(f"  {name}, {load}: once more, because of: {wrong}")
    raise SystemExit(f"{name} cannot be measured under {load}: {wrong}")


def good_rounds(rounds, load):
    """The rounds that count: the anchor is near its own median, and nginx far enough from it."""
    if "floor" not in rounds[0]:
        return rounds
    middle = statistics.median(each["floor"][0] for each in rounds)
    near = [each for each in rounds if abs(each["floor"][0] / middle - 1) <= ANCHOR_OFF_MAX]
    if load != "c=64" or "nginx" not in rounds[0]:
        return near
    return [each for each in near if each["nginx"][0] >= NGINX_MIN * each["floor"][0]]


def play_rounds(names, load, arguments):
    """As many rounds as count, or all that were played when too few of them do."""
    rounds = []
    for _ in range(arguments.rounds + EXTRA_ROUNDS_MAX):
        rounds.append({name: cpu_of(name, load, arguments.seconds) for name in names})
        good = good_rounds(rounds, load)
        if len(good) >= arguments.rounds:
            return good
    print(f"\n  note: only {len(good)} of {len(rounds)} rounds of {load} count; all are shown")
    return rounds


def ratio(rounds, name, anchor):
    if anchor not in rounds[0]:
        return ""
    return f"{statistics.median(each[name][0] / each[anchor][0] for each in rounds):.2f}"


def measure_cpu(names, arguments):
    print(f"\nCPU microseconds for each request, median of {arguments.rounds} rounds (the user part in brackets)")
    for load in LOADS:
        rounds = play_rounds(names, load, arguments)
        print(f"\n  {load:20}{'us':>8}{'user':>9}{'/ floor':>9}{'/ nginx':>9}   rounds: {len(rounds)}")
        for name in names:
            total, user = (statistics.median(each[name][i] for each in rounds) for i in (0, 1))
            brackets = f"({user:.2f})"
            print(f"  {name:20}{total:8.2f}{brackets:>9}{ratio(rounds, name, 'floor'):>9}{ratio(rounds, name, 'nginx'):>9}")
        if "nginx" in names and "floor" in names:
            each_round = " ".join(f"{each['nginx'][0] / each['floor'][0]:.2f}" for each in rounds)
            print(f"  nginx / floor in each round: {each_round}")


def measure_syscalls(names):
    print("\nSystem calls for each request (c=64, counted by strace from start to end)\n")
    if not shutil.which("strace"):
        print("  strace is not installed")
        return
    for name in names:
        with tempfile.NamedTemporaryFile("r") as summary:
            with servers.Process(name, ["strace", "-c", "-f", "-o", summary.name]) as server:
                requests, _ = wrk(server.port, 64, 1, 2)
            counts = {}
            for line in summary.read().splitlines():
                match = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
                if match and match[2] != "total":
                    counts[match[2]] = int(match[1]) / requests
        often = ", ".join(f"{call} {n:.2f}" for call, n in sorted(counts.items(), key=lambda item: -item[1]) if n >= 0.005)
        print(f"  {name:20}{sum(counts.values()):8.2f}   {often}")


def connect_and_ask(source, port):
    """A connection from its own address (one has too few ports), after one request and its answer."""
    connection = socket.socket()
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"Hello, world"):
        piece = connection.recv(4096)
        if not piece:
            raise SystemExit("a connection was closed while it was asked")
        answer += piece
    return connection


def measure_idle(names):
    count = min(IDLE_CONNECTIONS, servers.descriptors_max() - 200)
    print(f"\nUser memory of an idle connection: growth of resident memory over {count} of them, after a request each\n")
    servers.pin(-1)()
    for name in names:
        with servers.Process(name) as server:
            connections = [connect_and_ask("127.0.0.1", server.port)]
            time.sleep(0.5)
            before = server.resident_bytes()
            connections += [connect_and_ask(f"127.0.0.{2 + i % 2}", server.port) for i in range(count)]
            time.sleep(1)
            grown = server.resident_bytes() - before
            cpu = server.cpu_us()
            time.sleep(2)
            idle_us = (server.cpu_us() - cpu) / 2
            for connection in connections:
                connection.close()
        print(f"  {name:20}{grown / count:8.0f} bytes   {idle_us:.0f} us of CPU a second while idle")


def main():
    parser = argparse.ArgumentParser(description="What does a request cost, beside a floor program and nginx?")
    parser.add_argument("--only", choices=["cpu", "syscalls", "idle"], help="one part of it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of one load")
    parser.add_argument("--load", action="append", choices=list(LOADS), help="only this load (may be repeated)")
    parser.add_argument("--server", action="append", default=[], metavar="NAME=COMMAND", help="one server more; {port} is its port")
    arguments = parser.parse_args()
    for text in arguments.server:
        servers.add(text)
    for load in [load for load in LOADS if arguments.load and load not in arguments.load]:
        del LOADS[load]
    names = [name for name in servers.SERVERS if name != "nginx" or os.access(servers.NGINX, os.X_OK)]
    if "nginx" not in names:
        print("nginx is not installed: measured without it")
    if arguments.only in (None, "cpu"):
        measure_cpu(names, arguments)
    if arguments.only in (None, "syscalls"):
        measure_syscalls(names)
    if arguments.only in (None, "idle"):
        measure_idle(names)


if __name__ == "__main__":
    main()
