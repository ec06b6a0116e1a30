#!/usr/bin/env python3
"""A served program as its administrator meets it: starting, failing to start, logging, stopping, running out of descriptors.

Usage: test_serve.py PROBE. Run by ctest; needs nothing but Python's standard library. Each test starts demos/probe.c by itself.
"""

import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

PROBE = ""
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
LISTENING = re.compile(r"Listening on [\d.]+:(\d+)")


class Server:
    """A probe process; what it prints to standard error goes to a file."""

    def __init__(self, *options, **popen):
        self.errors = tempfile.TemporaryFile("w+")
        options = options or ("--port=0", "--address=127.0.0.1")
        popen.setdefault("stderr", self.errors)
        self.process = subprocess.Popen([PROBE, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **popen)
        self.port = 0

    def printed(self):
        self.errors.flush()
        return os.pread(self.errors.fileno(), 1 << 22, 0).decode(errors="replace")

    def wait_until(self, text, seconds=10):
        deadline = time.monotonic() + seconds
        while not re.search(text, self.printed()):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"waited for {text!r}, but it printed:\n{self.printed()}")
            time.sleep(0.01)
        return self.printed()

    def ready(self):
        self.port = int(LISTENING.search(self.wait_until(LISTENING.pattern))[1])
        return self

    def reachable(self, port):
        """Like ready, for a server that does not print where it listens."""
        self.port = port
        for _ in range(500):
            try:
                self.connect().close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise AssertionError(f"nobody listens on port {port}")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def ask(self, path=b"/"):
        with self.connect() as connection:
            connection.sendall(GET % path)
            return connection.recv(65536)

    def signal(self, signum=signal.SIGTERM):
        self.process.send_signal(signum)

    def status(self, seconds=10):
        return self.process.wait(seconds)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Starting(unittest.TestCase):
    def fails_to_start(self, pattern, *options, **popen):
        with Server(*options, **popen) as server:
            self.assertEqual(server.status(), 1)
            self.assertRegex(server.printed(), rf"\A[^\n]*{pattern}[^\n]*\n\Z")

    def test_a_port_in_use_is_one_line_and_status_1(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.fails_to_start(f"127.0.0.1:{port}.*in use", f"--port={port}", "--address=127.0.0.1")

    def test_an_address_that_is_not_ours_is_one_line_and_status_1(self):
        self.fails_to_start("192.0.2.1", "--port=0", "--address=192.0.2.1")

    def test_a_bad_address_is_one_line_and_status_1(self):
        self.fails_to_start("nonsense", "--port=0", "--address=nonsense.invalid")

    def test_a_bad_port_is_one_line_and_status_1(self):
        self.fails_to_start("65536", "--port=65536")

    def test_an_unknown_option_is_one_line_and_status_1(self):
        self.fails_to_start("--prot", "--prot=1")

    def test_a_missing_right_is_one_line_and_status_1(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            if int(file.read()) < 2:
                self.skipTest("every port is free for everybody here")
        options = {"user": 65534} if os.getuid() == 0 else {}
        self.fails_to_start("ermission denied", "--port=1", "--address=127.0.0.1", **options)

    def test_help_is_printed_and_status_0(self):
        result = subprocess.run([PROBE, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("--port", result.stdout)

    def test_serves_with_its_standard_descriptors_closed(self):
        def close_them():
            for fd in range(3):
                os.close(fd)

        port = free_port()
        with Server(f"--port={port}", "--address=127.0.0.1", preexec_fn=close_them) as server:
            self.assertIn(b"Hello, world", server.reachable(port).ask())
            server.signal()
            self.assertEqual(server.status(), 0)

    def test_serves_ipv4_and_ipv6_on_one_port(self):
        with Server("--port=0") as server:
            server.ready()
            self.assertIn(b"200 OK", server.ask())
            if not socket.has_ipv6 or "[::]" not in server.printed():
                self.skipTest("there is no IPv6 here")
            with socket.create_connection(("::1", server.port), 10) as connection:
                connection.sendall(GET % b"/")
                self.assertIn(b"200 OK", connection.recv(65536))

    def ask_unix(self, name):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(name)
            connection.sendall(GET % b"/")
            return connection.recv(65536)

    def test_serves_on_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "probe.sock")
            with Server(f"--unix-socket={path}") as server:
                server.wait_until("probe.sock")
                self.assertIn(b"Hello, world", self.ask_unix(path))

    def test_serves_on_an_abstract_unix_socket(self):
        name = f"tornado-test-{os.getpid()}"
        with Server(f"--unix-socket=@{name}") as server:
            server.wait_until(name)
            self.assertIn(b"Hello, world", self.ask_unix("\0" + name))

    def test_serves_on_an_inherited_descriptor(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            fd = listener.fileno()
            with Server(f"--inherited-fd={fd}", pass_fds=[fd]) as server:
                server.ready()
                self.assertEqual(server.port, listener.getsockname()[1])
                self.assertIn(b"Hello, world", server.ask())


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Https(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.cert, self.key = (os.path.join(self.folder.name, name) for name in ("cert.pem", "key.pem"))
        self.make_certificate()
        self.options = ("--port=0", "--address=127.0.0.1", f"--tls-cert={self.cert}", f"--tls-key={self.key}")

    def tearDown(self):
        self.folder.cleanup()

    def make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.key, "-out", self.cert],
                       check=True, capture_output=True)

    def connect(self, server, **versions):
        context = ssl.create_default_context(cafile=self.cert)
        for name, version in versions.items():
            setattr(context, name, version)
        return context.wrap_socket(server.connect(), server_hostname="localhost")

    def ask(self, connection, path=b"/"):
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer

    def test_answers_small_and_large(self):
        with Server(*self.options) as server:
            with self.connect(server.ready()) as connection:
                self.assertIn(b"Hello, world", self.ask(connection))
            with self.connect(server) as connection:
                self.assertTrue(self.ask(connection, b"/big?n=3000000").endswith(b"\r\n\r\n" + b"x" * 3000000))

    def test_speaks_no_old_versions(self):
        with Server(*self.options) as server:
            with self.connect(server.ready(), maximum_version=ssl.TLSVersion.TLSv1_2) as connection:
                self.assertEqual(connection.version(), "TLSv1.2")
            with self.assertRaises((ssl.SSLError, ConnectionResetError)), warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.connect(server, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)

    def test_plain_http_gets_an_alert_and_disturbs_nobody(self):
        with Server(*self.options) as server:
            server.ready()
            with server.connect() as plain:
                plain.sendall(GET % b"/")
                self.assertNotIn(b"HTTP", plain.recv(4096))
            with self.connect(server) as connection:
                self.assertIn(b"Hello, world", self.ask(connection))

    def test_reads_a_new_certificate_on_sighup(self):
        with Server(*self.options) as server:
            with self.connect(server.ready()) as old:
                self.make_certificate()
                server.signal(signal.SIGHUP)
                server.wait_until("Certificate read again")
                with self.connect(server) as new:  # which trusts the new one only
                    self.assertIn(b"Hello, world", self.ask(new))
                self.assertIn(b"Hello, world", self.ask(old))

    def test_a_certificate_that_is_not_there_is_one_line_and_status_1(self):
        with Server("--port=0", "--tls-cert=/nowhere") as server:
            self.assertEqual(server.status(), 1)
            self.assertEqual(server.printed(), "/nowhere: no such file or entry\n")


class Logging(unittest.TestCase):
    LINE = r"\[{0} \d{{6}} \d\d:\d\d:\d\d \w+:\d+\] {1} \(127\.0\.0\.1\) \d+\.\d\dms"

    def test_a_request_is_a_line_in_the_format_of_tornado(self):
        with Server() as server:
            server.ready().ask()
            server.wait_until(self.LINE.format("I", "200 GET /"))

    def test_client_errors_are_warnings_and_server_errors_are_errors(self):
        with Server() as server:
            server.ready().ask(b"/nowhere")
            server.ask(b"/boom")
            server.wait_until(self.LINE.format("W", "404 GET /nowhere"))
            server.wait_until(self.LINE.format("E", "500 GET /boom"))

    def test_the_level_decides_what_is_logged(self):
        port = free_port()
        with Server(f"--port={port}", "--address=127.0.0.1", "--logging=warning") as server:
            server.reachable(port).ask()
            server.ask(b"/nowhere")
            server.wait_until(self.LINE.format("W", "404 GET /nowhere"))
            self.assertNotIn("200 GET", server.printed())

    def test_a_log_that_nobody_reads_does_not_stop_the_service(self):
        reader, writer = os.pipe()
        with Server("--port=0", "--address=127.0.0.1", stderr=writer) as server:
            os.close(writer)
            server.port = int(LISTENING.search(os.read(reader, 4096).decode())[1])
            with server.connect() as connection:
                for _ in range(3000):  # more lines than a pipe holds
                    connection.sendall(GET % b"/")
                    self.assertIn(b"200 OK", connection.recv(65536))
            os.close(reader)
            self.assertIn(b"200 OK", server.ask())
            server.signal()
            self.assertEqual(server.status(), 0)


    def test_a_full_disk_under_the_log_does_not_stop_the_service(self):
        port = free_port()
        with open("/dev/full", "w", encoding="ascii") as full:
            with Server(f"--port={port}", "--address=127.0.0.1", stderr=full) as server:
                server.reachable(port)
                for _ in range(100):
                    self.assertIn(b"200 OK", server.ask())
                server.signal()
                self.assertEqual(server.status(), 0)


class Stopping(unittest.TestCase):
    def test_an_idle_server_ends_at_once_with_status_0(self):
        for signum in (signal.SIGTERM, signal.SIGINT):
            with Server() as server, server.ready().connect() as idle:
                idle.sendall(GET % b"/")
                idle.recv(65536)
                begun = time.monotonic()
                server.signal(signum)
                self.assertEqual(server.status(), 0)
                self.assertLess(time.monotonic() - begun, 2)
                self.assertEqual(idle.recv(1), b"")

    def test_systemd_is_told_when_it_is_ready_and_when_it_stops(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("")  # a name of the system's choice
            manager.settimeout(10)
            name = "@" + manager.getsockname()[1:].decode()
            with Server(env={**os.environ, "NOTIFY_SOCKET": name}) as server:
                self.assertEqual(manager.recv(4096), b"READY=1\nMAINPID=%d" % server.process.pid)
                server.signal()
                self.assertEqual(manager.recv(4096), b"STOPPING=1")
                self.assertEqual(server.status(), 0)

    def test_what_is_in_flight_is_finished_and_nothing_new_accepted(self):
        with Server() as server, server.ready().connect() as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            time.sleep(0.1)
            server.signal()
            time.sleep(0.1)
            with self.assertRaises(ConnectionRefusedError):
                server.connect()
            connection.sendall(b"world")
            answer = connection.recv(65536)
            self.assertIn(b"200 OK", answer)
            self.assertIn(b"Connection: close", answer)
            self.assertTrue(answer.endswith(b"helloworld"))
            self.assertEqual(server.status(), 0)

    def test_a_large_answer_in_flight_is_finished(self):
        with Server() as server, server.ready().connect() as connection:
            connection.sendall(GET % b"/big?n=50000000")
            received = len(connection.recv(65536))
            server.signal()
            while piece := connection.recv(1 << 20):
                received += len(piece)
            self.assertGreater(received, 50000000)
            self.assertEqual(server.status(), 0)

    def test_the_grace_period_ends(self):
        with Server("--port=0", "--address=127.0.0.1", "--grace=0.3") as server, server.ready().connect() as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            time.sleep(0.1)
            begun = time.monotonic()
            server.signal()
            self.assertEqual(server.status(), 0)
            self.assertGreater(time.monotonic() - begun, 0.25)

    def test_a_grace_period_of_zero_gives_no_time(self):
        with Server("--port=0", "--address=127.0.0.1", "--grace=0") as server, server.ready().connect() as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            time.sleep(0.1)
            server.signal()
            self.assertEqual(server.status(2), 0)

    def test_a_second_signal_ends_it_at_once_with_status_1(self):
        with Server() as server, server.ready().connect() as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            time.sleep(0.1)
            server.signal()
            time.sleep(0.1)
            self.assertIsNone(server.process.poll())
            server.signal()
            self.assertEqual(server.status(2), 1)

    def test_other_signals_do_not_disturb_it(self):
        with Server() as server:
            server.ready()
            for _ in range(200):
                server.signal(signal.SIGPIPE)
                server.signal(signal.SIGCHLD)
            self.assertIn(b"200 OK", server.ask())


class Exhaustion(unittest.TestCase):
    DESCRIPTORS, CLIENTS = 64, 150

    def test_running_out_of_descriptors_is_survived_quietly(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.DESCRIPTORS, self.DESCRIPTORS))

        with Server(preexec_fn=limit) as server:
            server.ready()
            clients = [server.connect() for _ in range(self.CLIENTS)]
            time.sleep(0.5)
            cpu = server.cpu_seconds()
            time.sleep(2)
            self.assertLess(server.cpu_seconds() - cpu, 0.1, "it burns CPU while it has no descriptors")
            # Those that were accepted are served meanwhile.
            clients[0].sendall(GET % b"/")
            self.assertIn(b"200 OK", clients[0].recv(65536))
            # The last one waits in the system's queue, and is served within a second after the others have gone.
            last = clients.pop()
            last.sendall(GET % b"/")
            for client in clients:
                client.close()
            begun = time.monotonic()
            self.assertIn(b"200 OK", last.recv(65536))
            self.assertLess(time.monotonic() - begun, 1.5)
            last.close()
            self.assertLess(len(server.printed().splitlines()), 20, "it writes too much about having no descriptors")


class Endurance(unittest.TestCase):
    # Everything that the probe does without waiting, in one batch; the last request closes the connection.
    BATCH = 20 * (
        GET % b"/"
        + b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
        + b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        + GET % b"/inspect?a=1"
        + GET % b"/chunks"
        + GET % b"/nowhere"
        + GET % b"/boom"
        + GET % b"/cookies"
        + GET % b"/big?n=5000"
    ) + b"nonsense\r\n\r\n"
    ANSWERS = 20 * 9 + 1

    def run_batches(self, server, n):
        for _ in range(n):
            with server.connect() as connection:
                connection.sendall(self.BATCH)
                answers = b""
                while piece := connection.recv(1 << 20):
                    answers += piece
            self.assertEqual(answers.count(b"HTTP/1.1 "), self.ANSWERS)

    def test_memory_and_descriptors_stay_flat(self):
        def resident():
            with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * resource.getpagesize()

        def descriptors():
            """How many are open when the last connection has gone."""
            time.sleep(0.5)
            return len(os.listdir(f"/proc/{server.process.pid}/fd"))

        port = free_port()
        with Server(f"--port={port}", "--address=127.0.0.1", "--logging=none") as server:
            server.reachable(port)
            with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as file:
                if "san.so" in file.read():
                    self.skipTest("the sanitizers keep freed memory")
            self.run_batches(server, 100)
            before, open_before = resident(), descriptors()
            self.run_batches(server, 2000)
            self.assertLessEqual(resident() - before, before // 50)
            self.assertEqual(descriptors(), open_before)


def main():
    global PROBE
    PROBE = os.path.abspath(sys.argv.pop(1))
    program = unittest.main(exit=False, testRunner=unittest.TextTestRunner(stream=sys.stdout))
    bad = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad or not program.result.testsRun else 0)


if __name__ == "__main__":
    main()
