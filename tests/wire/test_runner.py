#!/usr/bin/env python3
"""Tests of the wire runner itself: it reads scripts, and it forgives no server anything. Run by ctest.

Each test plays a script against a socket that answers with bytes written here.
"""

import socket
import sys
import threading
import unittest

import run
import script

DATE = b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 2\r\n\r\nhi"
ASK = 'send "x"\n'


def play(answer, text, then="close", drip=0, face="c"):
    """What goes wrong when a server that answers every connection with `answer` is asked by the script; "" when nothing does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)
                if then == "wait":
                    while connection.recv(1 << 16):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        result = run.Play(script.parse("t.wire", text), listener.getsockname(), 1.0, drip, face).run()
        thread.join()
        return result


class Scripts(unittest.TestCase):
    def test_strings_have_escapes_and_counts(self):
        self.assertEqual(script.items(r'"a\r\n\x00" 3 * "b" "\"\\"'), b'a\r\n\x00bbb"\\')

    def test_a_block_ends_its_lines_with_crlf(self):
        steps = script.parse("t", "send <<END\nGET / HTTP/1.1\nX: \\xff\n\nEND\n").steps
        self.assertEqual(steps[0].data, b"GET / HTTP/1.1\r\nX: \xff\r\n\r\n")

    def test_conditions_belong_to_the_expectation_above_them(self):
        steps = script.parse("t", 'expect 2 * 4xx\n    allow: GET\n    no x-y\n    body "a"\nexpect close\n').steps
        self.assertEqual((steps[0].number, steps[0].status), (2, "4xx"))
        self.assertEqual(steps[0].conditions, [(2, "field", "allow", "GET"), (3, "absent", "x-y"), (4, "body", b"a")])
        self.assertEqual(steps[1].verb, "expect_close")

    def test_mistakes_name_file_and_line(self):
        for text in ("sned", 'send "a', "send <<END\n", "expect 600", "pause 5", "    body", 'send "\\q"', "only: java"):
            with self.assertRaisesRegex(script.ScriptError, "^t"):
                script.parse("t", text)


class Answers(unittest.TestCase):
    def good(self, answer, text, **how):
        self.assertEqual(play(answer, ASK + text, **how), "")

    def bad(self, answer, text, complaint, **how):
        self.assertRegex(play(answer, ASK + text, **how), complaint)

    def test_a_good_answer_is_good(self):
        self.good(OK, 'expect 200\n    content-length: 2\n    body "hi"\n    no etag\n')

    def test_the_status_counts(self):
        self.bad(OK, "expect 404", r"t.wire:2: status: expected 404, got 200")

    def test_fields_count(self):
        self.bad(OK, "expect 200\n    content-length: 3", r"t.wire:3: content-length: expected '3', got '2'")
        self.bad(OK, "expect 200\n    no date", r"t.wire:3: date")
        self.bad(OK, "expect 200\n    etag ~ .*", r"t.wire:3: etag")

    def test_the_body_counts(self):
        self.bad(OK, 'expect 200\n    body "ho"', r"t.wire:3: body: expected 'ho', got 'hi'")
        self.bad(OK, "expect 200\n    body 3 bytes", r"t.wire:3: body: expected 3 bytes, got 2")
        self.bad(OK, "expect 200\n    body ~ ^.$", r"does not match")

    def test_what_nobody_asked_for_is_a_failure(self):
        self.bad(OK + b"!", "expect 200", r"more than was expected: '!'")

    def test_a_body_that_is_cut_off_is_a_failure(self):
        self.bad(OK[:-1], "expect 200", r"the connection was closed, but a body of 2 bytes was to come")

    def test_malformed_heads_are_failures(self):
        for wrong in (b"HTTP/1.1 200 OK\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200OK\r\n"):
            self.bad(OK.replace(b"HTTP/1.1 200 OK\r\n", wrong), "expect 200", r"malformed|was to come")
        for wrong in (b"X : y\r\n", b"X\r\n", b"X: a\x01\r\n", b" X: y\r\n"):
            self.bad(OK.replace(DATE, DATE + wrong), "expect 200", r"malformed header field")

    def test_ambiguous_framing_is_a_failure(self):
        length = b"Content-Length: 2\r\n"
        self.bad(OK.replace(length, 2 * length), "expect 200", r"more than one Content-Length")
        self.bad(OK.replace(length, length + b"Transfer-Encoding: chunked\r\n"), "expect 200", r"both")

    def test_a_final_answer_has_a_date(self):
        self.bad(OK.replace(DATE, b""), "expect 200", r"Date")

    def test_a_refusal_may_be_terse_on_the_python_face_alone(self):
        self.good(b"HTTP/1.1 400 Bad Request\r\n\r\n", "expect 501\n    connection: close\nexpect close", face="python")
        self.bad(b"HTTP/1.1 400 Bad Request\r\n\r\n", "expect 400\nexpect close", "Date")
        self.bad(b"HTTP/1.1 400 Bad Request\r\n\r\n", "expect 200\nexpect close", "status", face="python")

    def test_chunks_are_joined_and_checked(self):
        head = b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n"
        self.good(head + b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", 'expect 200\n    body "hi"')
        self.bad(head + b"1\r\nhi\r\n0\r\n\r\n", "expect 200", r"not ended by CRLF")
        self.bad(head + b"x\r\nh\r\n0\r\n\r\n", "expect 200", r"malformed size")
        self.bad(head + b"1\r\nh\r\n", "expect 200", r"size of a chunk was to come")

    def test_interim_answers_are_answers(self):
        self.good(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "expect 100\nexpect 200")

    def test_an_answer_to_head_has_no_body(self):
        self.good(OK[:-2], "expect 200\n    to HEAD\n    content-length: 2")

    def test_the_end_counts(self):
        self.good(OK, "expect 200\nexpect close")
        self.bad(OK, "expect 200\nexpect close", r"expected close of the connection, got nothing", then="wait")
        self.bad(OK.replace(DATE, DATE + b"Connection: close\r\n"), "expect 200", r"expected close", then="wait")
        self.bad(OK, "expect nothing 100ms", r"nothing was to come, but got")
        self.good(OK, "expect 200\nexpect nothing 50ms", then="wait")

    def test_raw_bytes_count(self):
        self.good(b"abc", 'expect raw "ab"\nexpect raw "c"\nexpect close')
        self.bad(OK, 'expect raw "HTTP/2"', r"expected 'HTTP/2', got 'HTTP/1'")

    def test_json_is_looked_up(self):
        answer = OK.replace(b"Content-Length: 2\r\n\r\nhi", b'Content-Length: 15\r\n\r\n{"a":[1,{"b":2}')
        answer = answer.replace(b"15", b"17") + b"]}"
        self.good(answer, "expect 200\n    json a.1.b = 2")
        self.bad(answer, "expect 200\n    json a.0 = 2", r"json a.0: expected 2, got 1")
        self.bad(answer, "expect 200\n    json c = 2", r"KeyError")


if __name__ == "__main__":
    result = unittest.TextTestRunner(stream=sys.stdout).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
