#!/usr/bin/env python3
"""The demos that speak plain protocols, as their users meet them.

Usage: test_network.py FOLDER_OF_THE_DEMOS. Run by ctest; needs Python's standard library, and openssl for a certificate.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

FOLDER = ""


class Demo:
    """A running demo, ended by SIGTERM; its port is the one that it says it listens on."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen([os.path.join(FOLDER, name), *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        match = re.match(r"Listening on port (\d+)", self.process.stdout.readline())
        self.port = int(match[1]) if match else 0

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.process.stdout.close()


def read_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line


def run(name, *arguments):
    return subprocess.run([os.path.join(FOLDER, name), *map(str, arguments)], capture_output=True, text=True, timeout=60)


class Network(unittest.TestCase):
    def test_echo_and_client_talk_to_each_other(self):
        with Demo("tcp_echo", 0) as echo:
            answer = run("tcp_client", "localhost", echo.port, "one", "two words")
            self.assertEqual((answer.returncode, answer.stdout), (0, "one\ntwo words\n"))

    def test_client_says_why_it_cannot_connect(self):
        answer = run("tcp_client", "127.0.0.1", 1, "x")
        self.assertEqual(answer.returncode, 1)
        self.assertEqual(answer.stderr, "cannot connect to 127.0.0.1:1: connection refused\n")

    def test_echo_ends_a_connection_with_too_long_a_line(self):
        with Demo("tcp_echo", 0) as echo, echo.connect() as connection:
            connection.sendall(b"x" * 8192)
            try:
                self.assertEqual(connection.recv(1), b"")
            except ConnectionResetError:
                pass

    def test_chat_tells_everybody_else(self):
        with Demo("chat_telnet", 0) as chat, chat.connect() as ann, chat.connect() as bob:
            self.assertEqual(read_line(ann), b"Welcome. Say something.\r\n")
            self.assertEqual(read_line(bob), b"Welcome. Say something.\r\n")
            self.assertEqual(read_line(ann), b"* Somebody comes in\r\n")
            ann.sendall(b"hello\r\n")
            self.assertEqual(read_line(bob), b"hello\r\n")
            bob.close()
            self.assertEqual(read_line(ann), b"* Somebody leaves\r\n")

    def test_forwarder_passes_on_both_directions_and_their_ends(self):
        with Demo("tcp_echo", 0) as echo, Demo("forwarder", 0, "127.0.0.1", echo.port) as forwarder:
            with forwarder.connect() as connection:
                lines = b"".join(b"line %d\n" % i for i in range(20000))
                connection.sendall(lines[:100000])
                connection.sendall(lines[100000:])
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
            self.assertEqual(answer, lines)

    def test_port_scan_finds_what_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.assertIn(f"{port}\n", run("port_scan", max(1, port - 50), min(65535, port + 50)).stdout)

    @unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificate")
    def test_tls_echo_answers_those_who_trust_it(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], check=True, capture_output=True)
            trust = ssl.create_default_context(cafile=cert)
            with Demo("tls_echo", 0, cert, key) as echo:
                for reread in (False, True):
                    with trust.wrap_socket(echo.connect(), server_hostname="localhost") as connection:
                        connection.sendall(b"secret\n")
                        self.assertEqual(read_line(connection), b"secret\n")
                    if not reread:
                        echo.process.send_signal(signal.SIGHUP)
                with self.assertRaises(ssl.SSLError):
                    ssl.create_default_context().wrap_socket(echo.connect(), server_hostname="localhost")


if __name__ == "__main__":
    FOLDER = sys.argv.pop(1)
    unittest.main()
