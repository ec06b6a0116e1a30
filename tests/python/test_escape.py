import html
import random
import time
import urllib.parse

import pytest
from tornado.escape import (
    json_decode,
    json_encode,
    linkify,
    parse_qs_bytes,
    squeeze,
    to_unicode,
    url_escape,
    url_unescape,
    utf8,
    xhtml_escape,
)


@pytest.mark.parametrize("convert", [utf8, to_unicode])
@pytest.mark.parametrize("value", [1, [], bytearray(b"x"), object()])
def test_only_text_and_bytes_are_converted(convert, value):
    with pytest.raises(TypeError, match="Expected bytes, unicode, or None"):
        convert(value)


def test_none_passes_through():
    assert utf8(None) is None
    assert to_unicode(None) is None


def test_json_cannot_end_a_script_element():
    assert json_encode("</script>") == '"<\\/script>"'
    assert json_decode(json_encode("</script>")) == "</script>"


def test_escaping_what_is_not_text_is_a_type_error():
    with pytest.raises((TypeError, AttributeError)):
        xhtml_escape(None)


def test_a_slash_is_escaped_in_a_query_but_not_in_a_path():
    assert url_escape("a/b c") == "a%2Fb+c"
    assert url_escape("a/b c", plus=False) == "a/b%20c"


def test_unescaping_to_bytes_minds_the_plus():
    assert url_unescape("a+b%2B", encoding=None) == b"a b+"
    assert url_unescape("a+b%2B", encoding=None, plus=False) == b"a+b+"


def test_query_values_keep_every_byte():
    query = "x=" + "".join(f"%{i:02x}" for i in range(256))
    assert parse_qs_bytes(query) == {"x": [bytes(range(256))]}
    assert parse_qs_bytes(query.encode()) == {"x": [bytes(range(256))]}


def test_blank_values_are_kept_on_request_only():
    assert parse_qs_bytes("a=&b=1") == {"b": [b"1"]}
    assert parse_qs_bytes("a=&b=1", keep_blank_values=True) == {"a": [b""], "b": [b"1"]}


def test_strict_parsing_refuses_what_has_no_equals_sign():
    with pytest.raises(ValueError):
        parse_qs_bytes("a", strict_parsing=True)


def text_of(pieces, chance, n):
    return "".join(chance.choice(pieces) for _ in range(chance.randrange(n)))


def test_what_the_engine_does_is_what_the_standard_library_does():
    chance = random.Random(1)
    pieces = ["a", "<", ">", "&", '"', "'", "\xe9", "\u6d4b", "\U0001f600", " ", "/", "+", "%", "%41", "%c3%a9", "%ff", "\0", "~"]
    for _ in range(5000):
        text = text_of(pieces[: chance.randrange(1, len(pieces) + 1)], chance, 12)
        assert xhtml_escape(text) == html.escape(text)
        assert url_escape(text) == url_escape(text.encode()) == urllib.parse.quote_plus(text)
        assert url_escape(text, plus=False) == urllib.parse.quote(text)
        assert url_unescape(text) == urllib.parse.unquote_plus(text)
        assert url_unescape(text, plus=False) == urllib.parse.unquote(text)
        assert url_unescape(text, None, plus=False) == urllib.parse.unquote_to_bytes(text)


@pytest.mark.parametrize("blank", [False, True])
def test_queries_are_parsed_as_by_the_standard_library(blank):
    chance = random.Random(2)
    for _ in range(5000):
        query = text_of(["a", "b", "=", "&", "=", "&", "%41", "+", "%", "\xe9", ";", "%ff", "1"], chance, 14)
        expected = urllib.parse.parse_qs(query, blank, encoding="latin1")
        found = parse_qs_bytes(query, keep_blank_values=blank)
        assert found == parse_qs_bytes(query.encode("latin1"), keep_blank_values=blank)
        assert {name: [value.decode("latin1") for value in values] for name, values in found.items()} == expected


def test_other_encodings_apply_to_what_is_escaped_only():
    assert url_unescape("\xe9%e9", "latin1") == "\xe9\xe9"
    assert url_unescape("%ff") == "\ufffd"


def test_control_characters_are_squeezed_too():
    assert squeeze("\0a\x1f\n b ") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-http://a.b", 'x-http://a.b'),
        ("-http://a.b", '-<a href="http://a.b">http://a.b</a>'),
        ("a-www.b.c", 'a-<a href="http://www.b.c">www.b.c</a>'),
        ("awww.b.c", "awww.b.c"),
        ("http://", "http://"),
        ("www.", "www."),
        ("http://...", "http://..."),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("http://a.b/?x&y=z", '<a href="http://a.b/?x&amp;y=z">http://a.b/?x&amp;y=z</a>'),
        ("http://a.b/?x&", '<a href="http://a.b/?x">http://a.b/?x</a>&amp;'),
        ('"http://a.b"', '&quot;<a href="http://a.b">http://a.b</a>&quot;'),
        ("'http://a.b'", '&#x27;<a href="http://a.b">http://a.b</a>&#x27;'),
        ("http://a.b http://c.d", '<a href="http://a.b">http://a.b</a> <a href="http://c.d">http://c.d</a>'),
        ("http://a.b/www.c.d", '<a href="http://a.b/www.c.d">http://a.b/www.c.d</a>'),
    ],
)
def test_links_are_found_where_they_are(text, expected):
    assert linkify(text) == expected


def test_shortening_does_not_cut_a_character_reference():
    linked = linkify("http://www.example.com/aaaaaa&bbbbbbbbbbbbbbbbbbbbbbb", shorten=True)
    assert ">http://www.example.com/aaaaaa..." in linked


def test_a_url_that_would_not_become_shorter_stays():
    url = "http://www.example.com/abcdefghij"
    assert linkify(url, shorten=True) == f'<a href="{url}">{url}</a>'


@pytest.mark.parametrize(
    "piece",
    ["-a", "a", "(", ")", ".", "www.", "http:/", "http://", "http://a(", "&", "a&", "()", "((a)", "http://(a", ":/", "www.()"],
)
def test_linkify_takes_time_in_proportion_to_the_text(piece):
    def seconds(count):
        text = piece * count
        begin = time.perf_counter()
        linkify(text)
        linkify("http://x" + text)
        return time.perf_counter() - begin

    small = min(seconds(2_000) for _ in range(3))
    # Sixteen times the text, allowed to take 64 times as long; quadratic work would take 256 times.
    assert min(seconds(32_000) for _ in range(3)) < 64 * max(small, 0.0005)
