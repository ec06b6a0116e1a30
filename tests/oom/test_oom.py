#!/usr/bin/env python3
"""Every allocation fails in turn while a server starts, serves and stops.

Usage: test_oom.py OOM_PROBE. Run by ctest and by `make oom`. For n from 0 to the number of allocations of a whole run, a server is
started whose allocation n fails, once or for ever after. It must either refuse to start with one line and status 1, or serve: each
request is answered completely or its connection closed, later requests succeed (when only one allocation fails), and it ends on
SIGTERM with status 0. Under the sanitizers, this also finds whatever is leaked on the way.
"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))
import peer  # noqa: E402
import run  # noqa: E402

HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"
REQUESTS = [  # (what is sent, the status when nothing fails)
    (b"GET /" + HEAD + b"\r\n", 200),
    (b"POST /echo" + HEAD + b"Content-Length: 5\r\n\r\nhello", 200),
    (b"POST /echo" + HEAD + b"Content-Length: 200000\r\n\r\n" + 200000 * b"x", 200),
    (b"POST /echo" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + 3 * b"5\r\nhello\r\n" + b"0\r\n\r\n", 200),
    (b"GET /inspect?a=1" + HEAD + b"X-A: 1\r\n\r\n", 200),
    (b"GET /cookies" + HEAD + b"Cookie: a=1; b=2\r\n\r\n", 200),
    (b"GET /chunks" + HEAD + b"\r\n", 200),
    (b"GET /big?n=300000" + HEAD + b"\r\n", 200),
    (b"GET /redirect" + HEAD + b"\r\n", 302),
    (b"GET /nocontent" + HEAD + b"\r\n", 204),
    (b"GET /boom" + HEAD + b"\r\n", 500),
    (b"GET /nowhere" + HEAD + b"\r\n", 404),
    (b"DELETE /" + HEAD + b"\r\n", 405),
    (b"GET /slow" + HEAD + b"\r\n", 200),
    (b"nonsense\r\n\r\n", 400),
]
OF_NO_MEMORY = (500, 503)


class Probe(run.Server):
    def __init__(self, program, successes, how):
        super().__init__([program, str(successes), how], [])

    def finish(self):
        """Stop it; returns (its status, what it printed)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.errors.seek(0)
        printed = self.errors.read().decode(errors="replace")
        self.errors.close()
        return status, printed


def ask(address, sent, wanted):
    """Ask once on a connection of its own. Returns (what is wrong with the answer or an empty string, whether it was right)."""
    try:
        client = peer.Peer(address, 20, 0)
    except OSError as error:
        return f"cannot connect: {error}", False
    try:
        client.send(sent)
        response = client.response(False)
        if response.status not in (wanted, *OF_NO_MEMORY):
            return f"{sent[:40]!r} was answered {response.status}", False
        return "", response.status == wanted
    except peer.Mismatch as wrong:
        streamed = sent.startswith((b"GET /chunks", b"GET /big"))  # their heads are out before the rest is made
        if client.ended and (not client.received or streamed):
            return "", False
        return f"{sent[:40]!r}: {wrong}", False
    except OSError:
        return "", False
    finally:
        client.socket.close()


def one_run(program, successes, how):
    """Start, serve and stop with that failure. Returns (what went wrong, the number of allocations or 0)."""
    server = Probe(program, successes, how)
    wrong = []
    if server.ready():
        for sent, wanted in REQUESTS:
            wrong.append(ask(server.address, sent, wanted)[0])
        if how == "once":  # which one of these may still meet
            answers = [ask(server.address, *REQUESTS[0]) for _ in range(3)]
            wrong += [complaint for complaint, _ in answers]
            wrong.append("" if [right for _, right in answers].count(True) >= 2 else "the server does not recover")
        status, printed = server.finish()
        if status != 0:
            wrong.append(f"it ended with status {status}")
    else:
        status, printed = server.finish()
        if status != 1:
            wrong.append(f"it failed to start with status {status}")
    count = re.search(r"^allocations: (\d+)\n", printed, re.M)
    rest = re.sub(r"^allocations: \d+\n", "", printed, flags=re.M)
    if rest.count("\n") > (0 if status == 0 else 1) or not count:
        wrong.append("it printed:\n" + rest[-4000:])
    found = "; ".join(each for each in wrong if each)
    return (f"allocation {successes}, {how}: {found}" if found else ""), int(count[1]) if count else 0


def main():
    program = os.path.abspath(sys.argv[1])
    begun = time.monotonic()
    wrong, total = one_run(program, 1 << 30, "once")
    if wrong:
        sys.exit(wrong)
    # A failure changes what comes after it, so the last ones may lie a little beyond the count of a run without failures.
    runs = [(n, how) for how in ("once", "forever") for n in range(total + 20)]
    with ThreadPoolExecutor(4) as pool:
        found = [wrong for wrong, _ in pool.map(lambda each: one_run(program, *each), runs) if wrong]
    for each in found:
        print("FAILED " + each)
    print(f"{total} allocations, each failed once and for ever, in {time.monotonic() - begun:.0f} s")
    print(f"{len(runs) - len(found)} passed, {len(found)} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
