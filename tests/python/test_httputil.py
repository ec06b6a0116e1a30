"""What Tornado's own httputil_test leaves open, and what is ours: the types and parsers in C."""

import collections.abc
import copy
import datetime
import gc
import inspect
import pickle
import sys
import time
import tracemalloc
import weakref

import pytest
from tornado.httputil import (
    HTTPFile,
    HTTPHeaders,
    HTTPInputError,
    HTTPServerRequest,
    ParseBodyConfig,
    ParseMultipartConfig,
    RequestStartLine,
    ResponseStartLine,
    _encode_header,
    _get_content_range,
    _normalize_header,
    _parse_header,
    _parse_request_range,
    encode_username_password,
    format_timestamp,
    parse_body_arguments,
    parse_cookie,
    parse_multipart_form_data,
    parse_request_start_line,
    parse_response_start_line,
    set_parse_body_config,
    split_host_and_port,
    url_concat,
)


def headers_of(*pairs):
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    return headers


def seconds(function, *args):
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def assert_linear(function, n):
    """Ten times the input takes about ten times as long; a quadratic function takes a hundred times."""
    short = min(seconds(function, n) for _ in range(3))
    long = min(seconds(function, 10 * n) for _ in range(3))
    assert long < 40 * short + 0.02


class TestHeadersAsAMapping:
    def test_they_are_a_mutable_mapping(self):
        assert isinstance(HTTPHeaders(), collections.abc.MutableMapping)
        assert issubclass(HTTPHeaders, collections.abc.MutableMapping)

    @pytest.mark.parametrize(
        "given, kept",
        [
            ("content-type", "Content-Type"),
            ("CONTENT-TYPE", "Content-Type"),
            ("Content-Type", "Content-Type"),
            ("content-MD5", "Content-Md5"),
            ("x--y-", "X--Y-"),
            ("foo_bar.baz", "Foo_bar.baz"),
            ("9lives", "9lives"),
            ("-a", "-A"),
        ],
    )
    def test_names_are_kept_in_http_header_case(self, given, kept):
        assert list(HTTPHeaders({given: "x"})) == [kept]
        assert _normalize_header(given) == kept

    def test_names_compare_without_case(self):
        headers = HTTPHeaders({"Foo-Bar": "1"})
        assert headers["foo-bar"] == headers["FOO-BAR"] == headers.get("fOO-bAR") == "1"
        assert "foo-BAR" in headers and "foo" not in headers
        del headers["FOO-bar"]
        assert len(headers) == 0

    def test_names_come_in_the_order_of_first_insertion(self):
        headers = headers_of(("b", "1"), ("a", "2"), ("B", "3"))
        headers["c"] = "4"
        headers["a"] = "5"
        assert list(headers) == ["B", "A", "C"]
        assert list(headers.values()) == ["1,3", "5", "4"]

    def test_a_missing_name_is_a_key_error(self):
        with pytest.raises(KeyError, match="Foo"):
            HTTPHeaders()["foo"]
        with pytest.raises(KeyError, match="Foo"):
            del HTTPHeaders()["foo"]

    def test_get_takes_a_default_by_position_or_by_name(self):
        headers = HTTPHeaders()
        assert headers.get("foo") is None
        assert headers.get("foo", "bar") == "bar"
        assert headers.get("foo", default="bar") == "bar"
        for arguments, named in [((), {}), (("a", "b", "c"), {}), (("a",), {"other": 1}), (("a", "b"), {"default": 1})]:
            with pytest.raises(TypeError):
                headers.get(*arguments, **named)

    def test_what_is_no_text_is_no_name(self):
        headers = HTTPHeaders()
        assert 1 not in headers and None not in headers
        for name in (1, None, b"foo"):
            with pytest.raises(TypeError):
                headers[name]
            with pytest.raises(TypeError):
                headers[name] = "x"

    def test_assigned_values_are_not_looked_at(self):
        # As in Tornado; they are checked when they are sent.
        headers = HTTPHeaders({"Canary": ["Coal Mine"], "n": 1})
        assert headers["canary"] == ["Coal Mine"]
        assert list(headers.get_all()) == [("Canary", ["Coal Mine"]), ("N", 1)]
        headers["none"] = None
        assert headers["none"] is None

    def test_the_inherited_methods_work(self):
        headers = HTTPHeaders(a="1")
        assert headers.setdefault("A", "2") == "1"
        assert headers.setdefault("b", "2") == "2"
        headers.update({"C": "3"}, d="4")
        assert dict(headers.items()) == {"A": "1", "B": "2", "C": "3", "D": "4"}
        assert headers.pop("c") == "3" and headers.pop("c", None) is None
        assert headers.popitem() == ("A", "1")
        headers.clear()
        assert not headers

    def test_equality_is_that_of_mappings(self):
        assert HTTPHeaders({"a": "1"}) == {"A": "1"} == HTTPHeaders(A="1")
        assert HTTPHeaders({"a": "1"}) != HTTPHeaders({"a": "2"})
        with pytest.raises(TypeError):
            hash(HTTPHeaders())

    def test_they_match_mapping_patterns(self):
        match HTTPHeaders({"a": "1"}):
            case {"A": value}:
                assert value == "1"
            case _:
                pytest.fail("not taken for a mapping")

    @pytest.mark.parametrize(
        "source",
        [{"a": "1", "B": "2"}, [("a", "1"), ("B", "2")], headers_of(("a", "1"), ("b", "2"))],
    )
    def test_they_can_be_made_from_anything_that_has_pairs(self, source):
        assert list(HTTPHeaders(source).get_all()) == [("A", "1"), ("B", "2")]
        assert list(HTTPHeaders(source, c="3").get_all()) == [("A", "1"), ("B", "2"), ("C", "3")]

    def test_they_cannot_be_made_from_anything_else(self):
        for source in (1, None, [1], ["abc"]):
            with pytest.raises((TypeError, ValueError)):
                HTTPHeaders(source)
        with pytest.raises(TypeError):
            HTTPHeaders({}, {})


class TestSeveralValuesOfOneName:
    def test_they_are_joined_by_commas_and_listed_apart(self):
        headers = headers_of(("a", "1"), ("A", "2"), ("b", "3"), ("a", "4"))
        assert headers["a"] == "1,2,4"
        assert headers.get_list("a") == ["1", "2", "4"]
        assert headers.get_list("b") == ["3"]
        assert headers.get_list("c") == []
        assert list(headers.get_all()) == [("A", "1"), ("A", "2"), ("A", "4"), ("B", "3")]

    def test_a_value_added_after_reading_is_there_at_the_next_reading(self):
        headers = headers_of(("a", "1"), ("a", "2"))
        assert headers["a"] == "1,2"
        headers.add("a", "3")
        assert headers["a"] == "1,2,3"

    def test_assigning_replaces_all_of_them(self):
        headers = headers_of(("a", "1"), ("a", "2"))
        headers["a"] = "3"
        assert headers.get_list("a") == ["3"]
        headers.add("a", "4")
        assert headers["a"] == "3,4"

    def test_they_can_be_deleted_before_anybody_has_read_them(self):
        headers = headers_of(("a", "1"), ("a", "2"))
        del headers["a"]
        assert "a" not in headers and headers.get_list("a") == [] and len(headers) == 0
        headers.add("a", "3")
        assert headers["a"] == "3"

    def test_the_list_is_the_callers_own(self):
        headers = headers_of(("a", "1"), ("a", "2"))
        headers.get_list("a").append("3")
        assert headers.get_list("a") == ["1", "2"]

    def test_adding_takes_linear_time_also_when_read_in_between(self):
        def add(n):
            headers = HTTPHeaders()
            for _ in range(n):
                headers.add("x", "y")
                len(headers), "x" in headers
            assert len(headers["x"]) == 2 * n - 1

        assert_linear(add, 2000)

    @pytest.mark.parametrize("name", ["", " ", "a b", "a\n", "a:", "é", "€", "a\0", "(a)"])
    def test_what_is_no_token_is_refused_as_a_name(self, name):
        with pytest.raises(HTTPInputError, match="Invalid header name"):
            HTTPHeaders().add(name, "x")

    @pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\n", "a\r\nb: c", "\0", "a\x7f", "€", "a\x1fb"])
    def test_controls_and_blanks_around_it_are_refused_in_a_value(self, value):
        headers = HTTPHeaders()
        with pytest.raises(HTTPInputError, match="Invalid header value"):
            headers.add("a", value)
        assert len(headers) == 0

    @pytest.mark.parametrize("value", ["", "a b", "a\tb", "é", "\x80\xff", ",", '"'])
    def test_all_else_is_taken_as_a_value(self, value):
        assert headers_of(("a", value))["a"] == value

    def test_bytes_are_taken_for_utf_8(self):
        headers = HTTPHeaders()
        headers.add(b"a", b"b")
        assert list(headers.get_all()) == [("A", "b")]
        for value in (1, None, ["b"]):
            with pytest.raises(TypeError):
                headers.add("a", value)


class TestLinesOfHeaders:
    def test_lines_end_with_crlf_or_lf_or_the_text(self):
        assert list(HTTPHeaders.parse("a: 1\r\nb: 2\n\r\nc:3 \t").get_all()) == [("A", "1"), ("B", "2"), ("C", "3")]
        assert len(HTTPHeaders.parse("")) == 0

    @pytest.mark.parametrize(
        "text, reason",
        [
            ("a", "no colon in header line"),
            ("a: 1\r\nb", "no colon in header line"),
            (" a: 1", "first header line cannot start with whitespace"),
            ("\t", "first header line cannot start with whitespace"),
            ("a : 1", "Invalid header name 'a '"),
            (": 1", "Invalid header name ''"),
            ("a: 1\r", "Invalid header value"),
            ("a: 1\rb: 2\r\n", "Invalid header value"),
            ("a: 1\r\n \0", "Invalid header value"),
            ("a: \u20ac", "Invalid header value"),
        ],
    )
    def test_malformed_lines_are_refused_with_a_reason(self, text, reason):
        with pytest.raises(HTTPInputError, match=reason):
            HTTPHeaders.parse(text)

    def test_a_folded_line_continues_the_value_that_was_added_last(self):
        headers = HTTPHeaders.parse("a: 1\r\na: 2\r\n  3\r\n\t4 \r\nb: 5\r\n 6\r\n")
        assert headers.get_list("a") == ["1", "2 3 4"]
        assert headers["a"] == "1,2 3 4"
        assert headers["b"] == "5 6"

    def test_a_folded_line_without_text_adds_nothing(self):
        assert HTTPHeaders.parse("a: 1\r\n \r\n")["a"] == "1"

    def test_nothing_can_be_folded_onto_a_deleted_value(self):
        headers = HTTPHeaders.parse("a: 1")
        del headers["a"]
        with pytest.raises(HTTPInputError):
            headers.parse_line(" 2")

    def test_folding_does_not_change_a_copy(self):
        headers = HTTPHeaders.parse("a: 1\nb: 2\nb: 3")
        copied = headers.copy()
        value = headers.get_list("b")[1]
        headers.parse_line(" 4")
        assert (headers["b"], copied["b"], value) == ("2,3 4", "2,3", "3")

    def test_many_folded_lines_take_linear_time(self):
        assert_linear(lambda n: HTTPHeaders.parse("a: 1\n" + " 2\n" * n), 5000)

    def test_many_names_take_linear_time(self):
        assert_linear(lambda n: HTTPHeaders.parse("".join(f"a{i}: {i}\n" for i in range(n))), 2000)

    def test_text_form_and_parsing_undo_each_other(self):
        headers = headers_of(("a", "1"), ("a", "2"), ("b", ""))
        assert str(headers) == "A: 1\nA: 2\nB: \n"
        assert list(HTTPHeaders.parse(str(headers)).get_all()) == list(headers.get_all())


class Sub(HTTPHeaders):
    def __getitem__(self, name):
        return "<" + super().__getitem__(name) + ">"

    def __setitem__(self, name, value):
        super().__setitem__(name, value.upper())


class TestCopiesAndSubclasses:
    @pytest.mark.parametrize(
        "duplicate",
        [HTTPHeaders, HTTPHeaders.copy, copy.copy, copy.deepcopy]
        + [lambda h, p=p: pickle.loads(pickle.dumps(h, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)],
    )
    def test_copies_share_nothing_with_the_original(self, duplicate):
        headers = headers_of(("a", "1"), ("a", "2"), ("b", "3"))
        copied = duplicate(headers)
        assert type(copied) is HTTPHeaders
        copied.add("a", "4")
        copied["b"] = "5"
        assert list(headers.get_all()) == [("A", "1"), ("A", "2"), ("B", "3")]
        assert list(copied.get_all()) == [("A", "1"), ("A", "2"), ("A", "4"), ("B", "5")]

    def test_a_damaged_pickle_is_an_error_and_no_crash(self):
        for state in (None, (), ([],), ([1], None), ([("a",)], None), ([(1, 2)], None), ({}, None), ([], 1)):
            with pytest.raises((TypeError, AttributeError, ValueError)):
                HTTPHeaders().__setstate__(state)

    def test_what_a_subclass_overrides_is_used(self):
        headers = Sub({"a": "x"}, b="y")
        assert headers["a"] == "<X>" and headers.get("b") == "<Y>" and headers.get("c", 1) == 1
        assert dict(Sub({"a": "x"}).items()) == {"A": "<X>"}
        assert type(headers.copy()) is Sub and type(Sub.parse("a: b")) is Sub

    def test_attributes_are_kept_in_a_pickle(self):
        headers = HTTPHeaders(a="1")
        headers.note = "x"
        assert pickle.loads(pickle.dumps(headers)).note == "x"

    def test_weak_references_work(self):
        headers = HTTPHeaders()
        reference = weakref.ref(headers)
        del headers
        assert reference() is None

    def test_arguments_may_be_named(self):
        headers = HTTPHeaders.parse(headers="a: 1")
        headers.parse_line(line="a: 2")
        headers.add(name="a", value="3")
        assert headers.get_list(name="a") == ["1", "2", "3"]
        for method in (headers.get_list, headers.parse_line, HTTPHeaders.parse):
            for arguments, named in [((), {}), (("a", "b"), {}), ((), {"other": "a"}), (("a",), {"name": "a"})]:
                with pytest.raises(TypeError):
                    method(*arguments, **named)

    def test_methods_have_signatures(self):
        assert list(inspect.signature(HTTPHeaders.add).parameters) == ["self", "name", "value"]
        assert list(inspect.signature(HTTPHeaders.get).parameters) == ["self", "name", "default"]


class TestStartLines:
    def test_of_requests_are_named_tuples(self):
        line = parse_request_start_line("POST /a?b HTTP/1.0")
        assert line == ("POST", "/a?b", "HTTP/1.0")
        assert isinstance(line, RequestStartLine) and line._replace(method="GET").method == "GET"

    @pytest.mark.parametrize(
        "line",
        ["", "GET", "GET /", "GET  / HTTP/1.1", "GET /a b HTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.10", "G(T / HTTP/1.1",
         "GET /\x7f HTTP/1.1", "GET / HTTP/1.1\r\n", "GET /\u20ac HTTP/1.1"],
    )  # fmt: skip
    def test_of_requests_that_are_malformed_are_refused(self, line):
        with pytest.raises(HTTPInputError, match="Malformed HTTP request line"):
            parse_request_start_line(line)

    def test_of_responses_may_lack_a_reason(self):
        line = parse_response_start_line("HTTP/1.1 200 ")
        assert isinstance(line, ResponseStartLine) and line == ("HTTP/1.1", 200, None)
        assert parse_response_start_line("HTTP/1.0 404 Not Found") == ("HTTP/1.0", 404, "Not Found")

    @pytest.mark.parametrize("line", ["", "HTTP/1.1 200", "HTTP/1.1 20 OK", "HTTP/1.1  200 OK", "HTTP/1.1 200 O\x00K"])
    def test_of_responses_that_are_malformed_are_refused(self, line):
        with pytest.raises(HTTPInputError, match="Error parsing response start line"):
            parse_response_start_line(line)

    def test_of_another_version_are_refused(self):
        with pytest.raises(HTTPInputError, match="Unexpected HTTP version 'HTTP/2.0'"):
            parse_request_start_line("GET / HTTP/2.0")
        with pytest.raises(HTTPInputError, match="Unexpected HTTP version 'HTTP/0.9'"):
            parse_response_start_line("HTTP/0.9 200 OK")


class TestCookies:
    def test_text_beyond_latin_1_is_taken_as_it_is(self):
        assert parse_cookie("a=\u6d4b; \u6d4b=b") == {"a": "\u6d4b", "\u6d4b": "b"}

    def test_characters_of_latin_1_stay_what_they_are(self):
        assert parse_cookie('a=\xe9; b="\\351"') == {"a": "\xe9", "b": "\xe9"}

    def test_nothing_gives_no_cookies(self):
        assert parse_cookie("") == parse_cookie(" ; ;") == {}

    def test_only_text_is_parsed(self):
        for value in (None, b"a=b", 1):
            with pytest.raises(TypeError):
                parse_cookie(value)

    def test_of_a_request_with_bad_names_are_left_out(self):
        request = HTTPServerRequest(uri="/", headers=HTTPHeaders({"Cookie": 'a=1; b c=2; d="x\\073y"; path=/'}))
        assert {name: morsel.value for name, morsel in request.cookies.items()} == {"a": "1", "d": "x;y"}
        assert request.cookies is request.cookies


def multipart(*parts, boundary=b"1234"):
    head = b"--" + boundary + b"\r\nContent-Disposition: form-data; "
    return b"".join(head + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def parse(data, boundary=b"1234", **config):
    arguments, files = {}, {}
    parse_multipart_form_data(boundary, data, arguments, files, config=ParseMultipartConfig(**config) if config else None)
    return arguments, files


class TestForms:
    def test_parts_with_a_file_name_are_files_and_all_others_arguments(self):
        body = multipart(b'name="a"\r\n\r\n1', b'name="a"\r\n\r\n\xff', b'name=f; filename=x\r\nContent-Type: t/u\r\n\r\n\0')
        arguments, files = parse(body)
        assert arguments == {"a": [b"1", b"\xff"]}
        assert files == {"f": [HTTPFile(filename="x", body=b"\0", content_type="t/u")]}
        assert files["f"][0].body == files["f"][0]["body"] == b"\0"

    def test_an_empty_file_input_is_an_argument(self):
        assert parse(multipart(b'name="f"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')) == ({"f": [b""]}, {})

    def test_a_body_may_begin_with_a_part_at_once(self):
        body = multipart(b"name=a\r\n\r\n1", b"name=b\r\n\r\n2")
        assert parse(body.removeprefix(b"--1234\r\n")) == parse(body) == ({"a": [b"1"], "b": [b"2"]}, {})

    def test_names_are_utf_8(self):
        assert parse(multipart('name="\u00e9"\r\n\r\n1'.encode()))[0] == {"\u00e9": [b"1"]}

    def test_a_malformed_body_adds_nothing(self):
        arguments, files = {"a": [b"0"]}, {}
        with pytest.raises(HTTPInputError):
            parse_multipart_form_data(b"1234", multipart(b"name=a\r\n\r\n1", b"\r\n\r\n2"), arguments, files)
        assert (arguments, files) == ({"a": [b"0"]}, {})

    @pytest.mark.parametrize("body", [b"", b"--1234", b"x--1234--", b"--1234\r\n", b"--1234\r\n\r\n\r\n--1234--"])
    def test_what_is_no_multipart_body_is_refused(self, body):
        with pytest.raises(HTTPInputError):
            parse(body)

    @pytest.mark.parametrize("boundary", [b"a b", b"'()+_,-./:=?", b"x" * 300, b"\xff\x80", b'"quoted"'])
    def test_boundaries_may_be_anything_that_a_header_can_hold(self, boundary):
        assert parse(multipart(b"name=a\r\n\r\n1", boundary=boundary.strip(b'"')), boundary) == ({"a": [b"1"]}, {})

    def test_the_number_of_parts_is_limited(self):
        body = multipart(*[b"name=a\r\n\r\n"] * 100)
        assert len(parse(body)[0]["a"]) == 100
        assert len(parse(body, max_parts=100)[0]["a"]) == 100
        for config in ({"max_parts": 99}, {"max_parts": 0}):
            with pytest.raises(HTTPInputError, match="too many parts"):
                parse(body, **config)
        with pytest.raises(HTTPInputError, match="too many parts"):
            parse(multipart(*[b"name=a\r\n\r\n"] * 101))
        assert parse(multipart(), max_parts=0) == ({}, {})

    def test_the_headers_of_a_part_are_limited(self):
        head = b"name=a\r\nX: "
        fitting = 10 * 1024 - len(b"Content-Disposition: form-data; " + head)
        assert parse(multipart(head + b"x" * fitting + b"\r\n\r\n1"))[0] == {"a": [b"1"]}
        with pytest.raises(HTTPInputError, match="header too large"):
            parse(multipart(head + b"x" * (fitting + 1) + b"\r\n\r\n1"))
        with pytest.raises(HTTPInputError, match="header too large"):
            parse(multipart(b"name=a\r\n\r\n1"), max_part_header_size=0)

    def test_the_number_of_arguments_is_limited(self):
        def parse_form(n, **options):
            arguments = {}
            parse_body_arguments("application/x-www-form-urlencoded", b"a=1&" * n, arguments, {}, **options)
            return len(arguments.get("a", ()))

        assert parse_form(10_000) == 10_000
        assert parse_form(2, config=ParseBodyConfig(max_arguments=2)) == 2
        for n, options in ((10_001, {}), (3, {"config": ParseBodyConfig(max_arguments=2)})):
            with pytest.raises(HTTPInputError, match="too many arguments"):
                parse_form(n, **options)

    def test_many_parts_take_linear_time(self):
        assert_linear(lambda n: parse(multipart(*[b"name=a\r\n\r\n\r\n-"] * n), max_parts=n), 1000)

    def test_bodies_of_other_types_are_passed_over(self):
        arguments, files = {}, {}
        for content_type in ("", "text/plain", "multipart/mixed; boundary=1", "application/json"):
            parse_body_arguments(content_type, b"a=1", arguments, files)
        assert (arguments, files) == ({}, {})

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data; boundary=1234",
            "multipart/form-data;boundary=1234",
            'MULTIPART/form-data; charset=utf-8; boundary="1234"',
            "multipart/form-data; x; boundary=1234",
        ],
    )
    def test_the_boundary_is_found_among_the_parameters(self, content_type):
        arguments = {}
        parse_body_arguments(content_type, multipart(b"name=a\r\n\r\n1"), arguments, {})
        assert arguments == {"a": [b"1"]}

    def test_a_boundary_that_cannot_be_encoded_is_just_not_found(self):
        with pytest.raises(HTTPInputError):
            parse_body_arguments("multipart/form-data; boundary*=unicode_escape''%5Cud800", multipart(), {}, {})

    def test_a_body_without_a_boundary_or_in_a_coding_is_refused(self):
        for content_type in ("multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary="):
            with pytest.raises(HTTPInputError, match="multipart boundary not found"):
                parse_body_arguments(content_type, multipart(), {}, {})
        headers = HTTPHeaders({"Content-Encoding": "gzip"})
        for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=1234"):
            with pytest.raises(HTTPInputError, match="Unsupported Content-Encoding: gzip"):
                parse_body_arguments(content_type, multipart(), {}, {}, headers)

    def test_the_configuration_of_the_process_counts_unless_one_is_given(self):
        off = ParseBodyConfig(multipart=ParseMultipartConfig(enabled=False))
        set_parse_body_config(off)
        try:
            with pytest.raises(HTTPInputError, match="multipart/form-data parsing is disabled"):
                parse(multipart())
            parse_body_arguments("multipart/form-data; boundary=1234", multipart(), {}, {}, config=ParseBodyConfig())
        finally:
            set_parse_body_config(ParseBodyConfig())
        with pytest.raises(HTTPInputError, match="disabled"):
            parse_body_arguments("multipart/form-data; boundary=1234", multipart(), {}, {}, config=off)


class TestParameters:
    @pytest.mark.parametrize(
        "line, expected",
        [
            ("", ("", {})),
            ("a", ("a", {})),
            ("text/html; Charset=UTF-8", ("text/html", {"charset": "UTF-8"})),
            ('a; b="c;d"; e=f', ("a", {"b": "c;d", "e": "f"})),
            ("a; b= c ; d;;e=", ("a", {"b": "c", "e": ""})),
            ('a; b="c', ("a", {"b": '"c'})),
            ('a; b="\\"\\\\"', ("a", {"b": '"\\'})),
            ("a; b=1; B=2", ("a", {"b": "2"})),
            ("a; x*0=1; x*1=2", ("a", {"x": "12"})),
            ("a; x*=utf-8''%e2%82%ac", ("a", {"x": "\u20ac"})),
            ("a; x*=iso-8859-1'de'%e9", ("a", {"x": "\xe9"})),
            ("a; x*=nonsense''%e9; y=1", ("a", {"x": "\xe9", "y": "1"})),
            ("a; x*=idna''%e9; y=1", ("a", {"y": "1"})),
            ("a; x*" + 5000 * "9" + "=b; y=1", ("a", {"y": "1"})),
        ],
    )
    def test_are_read_as_browsers_and_mailers_write_them(self, line, expected):
        assert _parse_header(line) == expected

    @pytest.mark.parametrize("text", [";", '"', '\\"', '";', "a=b;", '"\\'])
    def test_take_linear_time(self, text):
        assert_linear(lambda n: _parse_header('a; b="' + text * n), 20000)

    def test_are_written_with_or_without_a_value(self):
        assert _encode_header("a", {"b": None, "c": 15}) == "a; b; c=15"


class TestRequests:
    def test_a_start_line_counts_more_than_the_older_arguments(self):
        line = RequestStartLine("PUT", "/a/b?c=d&c=&e", "HTTP/1.1")
        request = HTTPServerRequest(method="GET", start_line=line, headers=HTTPHeaders(Host="X.org:80"))
        assert (request.method, request.uri, request.version) == line
        assert (request.path, request.query) == ("/a/b", "c=d&c=&e")
        assert request.arguments == request.query_arguments == {"c": [b"d", b""], "e": [b""]}
        assert (request.host, request.host_name) == ("X.org:80", "x.org")
        assert request.full_url() == "http://X.org:80/a/b?c=d&c=&e"
        assert (request.body, request.files, request.body_arguments) == (b"", {}, {})

    def test_arguments_of_query_and_body_do_not_share_their_lists(self):
        request = HTTPServerRequest(
            uri="/?a=1",
            headers=HTTPHeaders({"Content-Type": "application/x-www-form-urlencoded"}),
            body=b"a=2&b=%ff+",
        )
        request._parse_body()
        assert request.arguments == {"a": [b"1", b"2"], "b": [b"\xff "]}
        assert request.query_arguments == {"a": [b"1"]}
        assert request.body_arguments == {"a": [b"2"], "b": [b"\xff "]}

    def test_a_host_is_required_from_http_1_1_on(self):
        line = RequestStartLine("GET", "/", "HTTP/1.1")
        with pytest.raises(HTTPInputError, match="Missing Host header"):
            HTTPServerRequest(start_line=line)
        assert HTTPServerRequest(uri="/").host == "127.0.0.1"
        assert HTTPServerRequest(start_line=line, host="a.b").host == "a.b"

    @pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "a,b", "\xe9", "a%zz", "a\\b", "<a>"])
    def test_what_is_no_host_is_refused(self, host):
        with pytest.raises(HTTPInputError, match="(?i)host header"):
            HTTPServerRequest(uri="/", headers=HTTPHeaders(Host=host))

    @pytest.mark.parametrize(
        "host, name", [("a.b:8080", "a.b"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("A_b%20", "a_b%20"), ("", "")]
    )
    def test_the_name_of_the_host_has_no_port(self, host, name):
        assert HTTPServerRequest(uri="/", headers=HTTPHeaders(Host=host)).host_name == name

    def test_a_copy_has_the_same_attributes_and_does_not_change_the_original(self):
        request = HTTPServerRequest(uri="/a?b=c", headers=HTTPHeaders(Cookie="d=e"))
        copied = copy.copy(request)
        copied.path = "/x"
        assert (copied.uri, copied.arguments, copied.cookies["d"].value) == ("/a?b=c", {"b": [b"c"]}, "e")
        assert type(copied) is HTTPServerRequest and copied.headers is request.headers and request.path == "/a"

    def test_attributes_can_be_set_and_added(self):
        request = HTTPServerRequest(uri="/")
        request.uri = "/x"
        request.remote_ip = "::1"
        request.mine = 1
        assert (request.uri, request.remote_ip, request.mine) == ("/x", "::1", 1)
        assert request.request_time() >= 0
        assert request.get_ssl_certificate() is None


class TestSmallThings:
    @pytest.mark.parametrize(
        "field, expected",
        [
            ("bytes=0-0", (0, 1)),
            ("bytes=5-2", (5, 3)),
            ("bytes=26", (26, None)),
            ("bytes=-0", (None, 0)),
            ("bytes=", (None, None)),
            ("bytes=1-2,4-5", None),
            ("bytes=+1-2", None),
            ("bytes=1_0-20", None),
            ("bytes=\u0661-2", None),
            ("bytes=1-2\u20ac", None),
            ("", None),
        ],
    )
    def test_ranges_are_taken_strictly_or_not_at_all(self, field, expected):
        assert _parse_request_range(field) == expected

    def test_a_content_range_includes_its_last_byte(self):
        assert _get_content_range(1, 3, 10) == "bytes 1-2/10"
        assert _get_content_range(None, None, 10) == "bytes 0-9/10"

    @pytest.mark.parametrize(
        "netloc, expected",
        [("a:80", ("a", 80)), ("a", ("a", None)), ("a:", ("a:", None)), (":80", (":80", None)), ("[::1]", ("[::1]", None)),
         ("[::1]:8", ("[::1]", 8)), ("a:b", ("a:b", None)), ("", ("", None))],
    )  # fmt: skip
    def test_a_port_is_digits_behind_the_last_colon(self, netloc, expected):
        assert split_host_and_port(netloc) == expected

    def test_dates_before_1970_and_far_ahead_are_written(self):
        assert format_timestamp(-1.5) == "Wed, 31 Dec 1969 23:59:58 GMT"
        assert format_timestamp(253402300799) == "Fri, 31 Dec 9999 23:59:59 GMT"
        assert format_timestamp(datetime.datetime(2000, 2, 29)) == "Tue, 29 Feb 2000 00:00:00 GMT"
        for value in ("1", None, []):
            with pytest.raises(TypeError, match="unknown timestamp type"):
                format_timestamp(value)

    def test_arguments_are_appended_to_a_url(self):
        assert url_concat("/a?b=%20#c", [("d", "\xe9")]) == "/a?b=+&d=%C3%A9#c"
        assert url_concat("/a", None) == "/a"
        with pytest.raises(TypeError, match="'args' parameter should be dict, list or tuple"):
            url_concat("/a", "b=c")

    def test_credentials_are_normalized(self):
        assert encode_username_password("e\u0301", b"p\xff") == "\u00e9:p".encode() + b"\xff"


def refused(function, *args):
    try:
        function(*args)
    except (HTTPInputError, KeyError, TypeError):
        pass


def everything():
    """Go once through all that is in C, errors included."""
    headers = HTTPHeaders({"a": "1"})
    headers.add("a", "2")
    headers.add("b", "3")
    headers.parse_line("c: 4\r\n")
    headers.parse_line(" 5")
    headers.parse_line("a: 6")
    headers.parse_line(" 7")
    headers["a"], headers.get("b"), headers.get("x", None), str(headers), len(headers), "a" in headers, list(headers)
    list(headers.get_all()), headers.get_list("a"), dict(headers), headers == headers.copy()
    pickle.loads(pickle.dumps(copy.deepcopy(headers)))
    del headers["a"]
    HTTPHeaders(headers), HTTPHeaders([("a", "b")], c="d"), HTTPHeaders.parse("a: b\r\nA: c\r\n d\r\n")
    refused(headers.add, "a b", "c")
    refused(headers.add, "a", "c\n")
    refused(headers.add, 1, 2)
    refused(headers.__getitem__, "x")
    refused(headers.__getitem__, 1)
    refused(headers.__setstate__, ([1], None))
    refused(HTTPHeaders.parse, "a: b\r\nc")
    refused(HTTPHeaders.parse, "a: \u20ac")
    parse_request_start_line("GET / HTTP/1.1"), parse_response_start_line("HTTP/1.1 200 OK")
    refused(parse_request_start_line, "GET /")
    refused(parse_response_start_line, "\u20ac")
    parse_cookie('a=b; c="d\\073"; \xe9=f'), parse_cookie("a=\u6d4b")
    parse(multipart(b"name=a\r\n\r\n1", b"name=a\r\n\r\n2", b"name=f; filename=x\r\n\r\n3"))
    refused(parse, multipart(b"name=a\r\n\r\n1", b"\r\n"))
    refused(parse, multipart(b"name=a\r\n\r\n1"), b"1234")
    _parse_request_range("bytes=1-2"), _normalize_header("a-b"), format_timestamp(0)
    request = HTTPServerRequest(uri="/?a=%20&b", headers=HTTPHeaders(Host="x", Cookie="a=b"), body=b"")
    request.cookies, request.arguments, repr(request)


def grown(rounds):
    """How many objects and bytes more there are after so many rounds."""
    objects, size = len(gc.get_objects()), tracemalloc.get_traced_memory()[0]
    for _ in range(rounds):
        everything()
    gc.collect()
    return len(gc.get_objects()) - objects, tracemalloc.get_traced_memory()[0] - size


def test_nothing_is_leaked():
    tracemalloc.start()
    try:
        # Python's own caches grow for a while; what is leaked grows for ever.
        growths = [grown(500) for _ in range(5)]
    finally:
        tracemalloc.stop()
    assert min(objects for objects, _ in growths) < 10
    assert min(size for _, size in growths) < 500 * 8  # no object is that small


def test_references_to_what_is_given_are_given_up():
    name, value, text = "X-" + "Name", "some " + "value", "A: " + "1"
    counts = [sys.getrefcount(each) for each in (name, value, text)]
    for _ in range(100):
        headers = HTTPHeaders({name: value})
        headers.add(name, value)
        headers.parse_line(text)
        headers[name], headers.get(name), headers.get_list(name), list(headers.get_all())
        headers[name] = value
        del headers[name]
    del headers
    assert [sys.getrefcount(each) for each in (name, value, text)] == counts


def test_cycles_through_headers_are_collected():
    headers = HTTPHeaders()
    headers["self"] = headers
    reference = weakref.ref(headers)
    del headers
    gc.collect()
    assert reference() is None
