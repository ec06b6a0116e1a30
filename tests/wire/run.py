#!/usr/bin/env python3
"""Runs the wire tests: every *.wire file in this folder against a server program. Needs nothing but Python's standard library.

    tests/wire/run.py --server build/demos/probe                 all of them
    tests/wire/run.py --server build/demos/probe FILE...         some of them
    tests/wire/run.py --server "python3 probe.py" --face python  against another program
    tests/wire/run.py --server build/demos/probe --drip 1        every byte sent by itself

The server is started with --port, --address and --logging=none, and with what a test's `start:` line adds: once for each set of
options. At the end it must be alive, end with status 0 on SIGTERM, and have printed nothing to standard error.
"""

import argparse
import glob
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import peer
import script

HERE = os.path.dirname(os.path.abspath(__file__))


class Server:
    """One server process, started on a port that was free a moment ago."""

    def __init__(self, command, options):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = probe.getsockname()
        self.errors = tempfile.TemporaryFile()
        self.command = [*command, f"--port={self.address[1]}", "--address=127.0.0.1", "--logging=none", *options]
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors)

    def ready(self, seconds=20):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as attempt:
                if attempt.connect_ex(self.address) == 0:
                    return True
            time.sleep(0.02)
        return False

    def end(self):
        """Stop it. Returns what is wrong with how it ended, or an empty string."""
        wrong = []
        if self.process.poll() is not None:
            wrong.append(f"the server died with status {self.process.returncode}")
        else:
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(35)
                if status != 0:
                    wrong.append(f"the server ended with status {status} on SIGTERM")
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                wrong.append("the server did not end on SIGTERM")
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace")
        self.errors.close()
        if said:
            wrong.append("the server printed:\n" + said[-8000:])
        return "\n".join(wrong)


def look_up(value, path):
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


# What Tornado refuses with 400 alone, or 431; by RFC 9110 and 9112 it is one of these.
REFUSALS = {"400", "413", "414", "417", "431", "501", "505"}


def check_status(step, response):
    if response.terse and REFUSALS.intersection(step.status.split("|")):
        return
    for allowed in step.status.split("|"):
        if str(response.status) == allowed or (allowed.endswith("xx") and str(response.status)[0] == allowed[0]):
            return
    raise peer.Mismatch(f"status: expected {step.status}, got {response.status} {peer.show(response.body)}")


def check_condition(response, kind, *wanted):
    if kind == "field":
        got = response.get(wanted[0])
        if got != wanted[1]:
            raise peer.Mismatch(f"{wanted[0]}: expected {wanted[1]!r}, got {got!r}")
    elif kind == "field_match":
        got = response.get(wanted[0])
        if got is None or not re.fullmatch(wanted[1], got):
            raise peer.Mismatch(f"{wanted[0]}: {got!r} does not match {wanted[1]}")
    elif kind == "absent":
        if response.get(wanted[0]) is not None:
            raise peer.Mismatch(f"{wanted[0]}: {response.get(wanted[0])!r} was not to be there")
    elif kind == "body":
        if response.body != wanted[0]:
            raise peer.Mismatch(f"body: expected {peer.show(wanted[0])}, got {peer.show(response.body)}")
    elif kind == "body_length":
        if len(response.body) != wanted[0]:
            raise peer.Mismatch(f"body: expected {wanted[0]} bytes, got {len(response.body)}")
    elif kind == "body_match":
        if not re.search(wanted[0], response.body.decode("latin-1"), re.S):
            raise peer.Mismatch(f"body: {peer.show(response.body)} does not match {wanted[0]}")
    elif kind == "json":
        check_json(response, *wanted)


def check_json(response, path, wanted):
    try:
        got = look_up(json.loads(response.body), path)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise peer.Mismatch(f"json {path}: {error!r} in {peer.show(response.body)}") from None
    if got != wanted:
        raise peer.Mismatch(f"json {path}: expected {json.dumps(wanted)}, got {json.dumps(got)}")


class Play:
    """One test being played: its steps in order, on the connections that it opens."""

    def __init__(self, test, address, timeout, drip, face):
        self.test, self.address, self.timeout, self.drip, self.face = test, address, timeout, drip, face
        self.peers = {}
        self.current = 1
        self.line = 0

    def peer(self):
        if self.current not in self.peers:
            self.peers[self.current] = peer.Peer(self.address, self.timeout, self.drip, may_be_terse=self.face == "python")
        return self.peers[self.current]

    def run(self):
        """An empty string when all went well, else what went wrong and where."""
        try:
            for step in self.test.steps:
                self.line = step.line
                self.step(step)
            for each in self.peers.values():
                each.finish()
        except (peer.Mismatch, OSError) as error:
            return f"{os.path.basename(self.test.path)}:{self.line}: {error}"
        finally:
            for each in self.peers.values():
                each.socket.close()
        return ""

    def step(self, step):
        if step.verb == "connection":
            self.current = step.number
            self.peer()
        elif step.verb == "send":
            self.peer().send(step.data)
        elif step.verb == "pause":
            time.sleep(step.seconds)
        elif step.verb == "half_close":
            self.peer().half_close()
        elif step.verb in ("close", "reset"):
            self.peer().close(reset=step.verb == "reset")
        elif step.verb == "expect_nothing":
            self.peer().expect_nothing(step.seconds)
        elif step.verb in ("expect_close", "expect_reset"):
            self.peer().expect_end(step.verb[len("expect_") :])
        elif step.verb == "expect_end":
            self.peer().discard()
        elif step.verb == "expect_raw":
            got = self.peer().take(len(step.data), peer.show(step.data))
            if got != step.data:
                raise peer.Mismatch(f"expected {peer.show(step.data)}, got {peer.show(got)}")
        else:
            for _ in range(step.number):
                self.expect(step)

    def expect(self, step):
        to_head = any(condition[1] == "head" for condition in step.conditions)
        response = self.peer().response(to_head)
        check_status(step, response)
        if response.terse:
            return  # nothing but its status line to look at
        for line, kind, *wanted in step.conditions:
            self.line = line
            check_condition(response, kind, *wanted)
        self.line = step.line


def load(paths, face):
    tests = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            test = script.parse(path, file.read())
        if test.only in ("", face):
            tests.append(test)
    return tests


def play_all(command, options, tests, arguments):
    """Play the tests that share one set of options against one server. Returns the failures."""
    server = Server(command, options)
    failures = []
    if server.ready():
        with ThreadPoolExecutor(arguments.threads) as pool:
            plays = [Play(test, server.address, arguments.timeout, arguments.drip, arguments.face) for test in tests]
            failures = [result for result in pool.map(Play.run, plays) if result]
    else:
        failures = [f"{os.path.basename(test.path)}: the server did not start" for test in tests]
    wrong = server.end()
    if wrong:
        failures.append(f"{shlex.join(server.command)}: {wrong}")
    return failures


def main():
    parser = argparse.ArgumentParser(description="Run the wire tests against a server program.")
    parser.add_argument("--server", required=True, help="the program, with its arguments if it has any")
    parser.add_argument("--face", choices=["c", "python"], default="c", help="which tests marked `only:` to run")
    parser.add_argument("--drip", type=int, default=0, metavar="N", help="send everything N bytes at a time")
    parser.add_argument("--threads", type=int, default=8, help="how many tests to play at once")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds to wait for anything that is to come")
    parser.add_argument("files", nargs="*", help="tests to run; all by default")
    arguments = parser.parse_args()
    try:
        tests = load(arguments.files or sorted(glob.glob(os.path.join(HERE, "*.wire"))), arguments.face)
    except script.ScriptError as error:
        sys.exit(str(error))
    groups = {}
    for test in tests:
        groups.setdefault(test.start, []).append(test)
    failures = []
    for options, group in groups.items():
        failures += play_all(shlex.split(arguments.server), options, group, arguments)
    for failure in failures:
        print("FAILED " + failure)
    failed = len(failures)
    print(f"{max(0, len(tests) - failed)} passed, {failed} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
