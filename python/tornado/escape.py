"""Conversions between text, bytes, HTML, JSON and URLs.

Every function takes bytes as well as text where that makes sense, and takes bytes to be UTF-8. None of them keeps state.
What servers do with every request is the engine's work: the same code as in the C face.
"""

import html
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any, overload

from tornado import _engine

__all__ = [
    "json_decode", "json_encode", "linkify", "native_str", "parse_qs_bytes", "recursive_unicode", "squeeze",
    "to_basestring", "to_unicode", "url_escape", "url_unescape", "utf8", "xhtml_escape", "xhtml_unescape",
]  # fmt: skip


@overload
def utf8(value: bytes) -> bytes: ...
@overload
def utf8(value: str) -> bytes: ...
@overload
def utf8(value: None) -> None: ...
def utf8(value: None | str | bytes) -> bytes | None:
    """Return text as UTF-8 bytes.

    >>> utf8("\u00e9")
    b'\\xc3\\xa9'

    Bytes and ``None`` come back unchanged. Raises `TypeError` for anything else.
    """
    if isinstance(value, str):
        return value.encode("utf-8")
    if value is None or isinstance(value, bytes):
        return value
    raise TypeError(f"Expected bytes, unicode, or None; got {type(value)!r}")


@overload
def to_unicode(value: str) -> str: ...
@overload
def to_unicode(value: bytes) -> str: ...
@overload
def to_unicode(value: None) -> None: ...
def to_unicode(value: None | str | bytes) -> str | None:
    """Return UTF-8 bytes as text.

    >>> to_unicode(b"caf\\xc3\\xa9") == "caf\u00e9"
    True

    Text and ``None`` come back unchanged. Raises `TypeError` for anything else, and `UnicodeDecodeError` for bytes
    that are not UTF-8.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8")
    raise TypeError(f"Expected bytes, unicode, or None; got {type(value)!r}")


# Other names for to_unicode, from the days when they differed; the first avoids a clash with variables called unicode.
_unicode = to_unicode
native_str = to_unicode
to_basestring = to_unicode


def recursive_unicode(obj: Any) -> Any:
    """Return a copy of a structure of dicts, lists and tuples in which all bytes are text.

    >>> recursive_unicode({b"ids": [b"a", 1]})
    {'ids': ['a', 1]}
    """
    if isinstance(obj, dict):
        return {recursive_unicode(key): recursive_unicode(value) for key, value in obj.items()}
    if isinstance(obj, list):
        return [recursive_unicode(item) for item in obj]
    if isinstance(obj, tuple):
        return tuple(recursive_unicode(item) for item in obj)
    if isinstance(obj, bytes):
        return to_unicode(obj)
    return obj


def xhtml_escape(value: str | bytes) -> str:
    """Make a string safe to stand in HTML or XML, between tags or inside a quoted attribute.

    >>> xhtml_escape("<a href='x'>")
    '&lt;a href=&#x27;x&#x27;&gt;'

    Escapes ``&``, ``<``, ``>``, ``"`` and ``'``. The result is always text.

    .. versionchanged:: 6.4
       The apostrophe becomes ``&#x27;``, as `html.escape` writes it; it was ``&#39;``.
    """
    return _engine.xhtml_escape(to_unicode(value))


def xhtml_unescape(value: str | bytes) -> str:
    """Undo `xhtml_escape`, and resolve every other character reference of HTML 5.

    >>> xhtml_unescape("1 &lt; 2 &amp; caf&eacute; &#x21;") == "1 < 2 & caf\u00e9 !"
    True

    .. versionchanged:: 6.4
       References without a semicolon, and numbers that are no character, follow the rules of HTML 5.
    """
    return html.unescape(to_unicode(value))


def json_encode(value: Any) -> str:
    """Return a value as JSON.

    >>> json_encode({"tag": "</script>"})
    '{"tag": "<\\\\/script>"}'

    ``</`` is written ``<\\/``, which means the same in JSON and cannot end a script element of a page that the result
    is pasted into. For options such as ``indent``, call `json.dumps`; then mind that danger yourself.
    """
    return json.dumps(value).replace("</", "<\\/")


def json_decode(value: str | bytes) -> Any:
    """Return the value of a JSON text.

    >>> json_decode(b'{"ids": [1, 2]}')
    {'ids': [1, 2]}

    Raises `ValueError` for what is not JSON.
    """
    return json.loads(to_unicode(value))


_BLANKS = re.compile(r"[\x00-\x20]+")


def squeeze(value: str) -> str:
    """Replace each run of blanks and control characters by one space, and drop those at the ends.

    >>> squeeze("  a\\t b\\n")
    'a b'
    """
    return _BLANKS.sub(" ", value).strip()


def url_escape(value: str | bytes, plus: bool = True) -> str:
    """Return a string as it may stand in a URL.

    >>> url_escape("a b/c"), url_escape("a b/c", plus=False)
    ('a+b%2Fc', 'a%20b/c')

    With ``plus`` the result suits a query: a space becomes ``+`` and ``/`` is escaped. Without, it suits a path.

    .. versionadded:: 3.1
       The ``plus`` argument.
    """
    return _engine.url_escape(value, plus)


@overload
def url_unescape(value: str | bytes, encoding: None, plus: bool = True) -> bytes: ...
@overload
def url_unescape(value: str | bytes, encoding: str = "utf-8", plus: bool = True) -> str: ...
def url_unescape(
    value: str | bytes, encoding: str | None = "utf-8", plus: bool = True
) -> str | bytes:
    """Undo `url_escape`.

    >>> url_unescape("caf%C3%A9+%2B") == "caf\u00e9 +"
    True
    >>> url_unescape("%ff", encoding=None)
    b'\\xff'

    ``encoding`` says what the escaped bytes mean; with ``None`` the result is bytes. ``plus`` must be as it was when
    the value was escaped.

    .. versionadded:: 3.1
       The ``plus`` argument.
    """
    if encoding is None:
        return _engine.url_unescape(value, plus)
    if encoding == "utf-8":
        return _engine.url_unescape(value, plus).decode("utf-8", "replace")
    # What is not escaped is text already, whatever the escaped bytes are.
    unquote = urllib.parse.unquote_plus if plus else urllib.parse.unquote
    return unquote(to_unicode(value), encoding=encoding)


def parse_qs_bytes(
    qs: str | bytes, keep_blank_values: bool = False, strict_parsing: bool = False
) -> dict[str, list[bytes]]:
    """Parse a query string into names, as text, and the list of each one's values, as bytes.

    >>> parse_qs_bytes("a=1&a=%ff&b=", keep_blank_values=True)
    {'a': [b'1', b'\\xff'], 'b': [b'']}

    Names are almost always ASCII and wanted as text; what encoding the values are in is for the caller to decide.
    Raises `ValueError` for malformed input when ``strict_parsing`` is true; otherwise it is passed over.
    """
    if not strict_parsing:
        return _engine.parse_query(qs, keep_blank_values)
    if isinstance(qs, bytes):
        qs = qs.decode("latin1")
    # Latin-1 maps every byte to the character of the same number, so no byte is lost on the way.
    parsed = urllib.parse.parse_qs(qs, keep_blank_values, strict_parsing, encoding="latin1", errors="strict")
    return {name: [value.encode("latin1") for value in values] for name, values in parsed.items()}


# The patterns below run over text that has been escaped already, so & starts a reference and < never appears.
_LINK_WORD = re.compile(r"[\w-]+")
_LINK_START = re.compile(r":/{1,3}")
# A stretch of a URL that ends with something better than punctuation.
_LINK_RUN = re.compile(r"(?:[^\s&()]|&(?:amp|quot);)*[^!\"#$%&'()*+,.:;<=>?@\[\]^`{|}~\s]")
# A pair of parentheses, without another pair inside.
_LINK_GROUP = re.compile(r"\((?:[^\s&()]|&(?:amp|quot);)*\)")

_LINK_LENGTH = 30


def linkify(
    text: str | bytes,
    shorten: bool = False,
    extra_params: str | Callable[[str], str] = "",
    require_protocol: bool = False,
    permitted_protocols: list[str] | None = None,
) -> str:
    """Turn plain text into HTML in which URLs are links.

    >>> linkify("See www.tornadoweb.org.")
    'See <a href="http://www.tornadoweb.org">www.tornadoweb.org</a>.'

    ``shorten``: show only the beginning of long URLs; the whole is in the title.

    ``extra_params``: more attributes for the tag, or a function that gets the URL and returns them, for instance
    ``'rel="nofollow"'``.

    ``require_protocol``: leave alone what merely begins with ``www.``.

    ``permitted_protocols``: what may be linked, ``http`` and ``https`` if not given. Think twice before allowing
    ``javascript``.

    The text is escaped first. Time is linear in its length, whatever it holds.
    """
    text = xhtml_escape(text)
    permitted = ("http", "https") if permitted_protocols is None else permitted_protocols
    pieces: list[str] = []
    done = 0
    for word in _LINK_WORD.finditer(text):
        if word.start() < done:
            continue  # inside the link before
        found = _find_link(text, word)
        if found is None:
            continue
        protocol, start, body, end = found
        if protocol not in permitted if protocol else require_protocol:
            link = text[start:end]
        else:
            link = _link(text[start:end], protocol, body - start, shorten, extra_params)
        pieces += text[done:start], link
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _find_link(text: str, word: "re.Match[str]") -> tuple[str, int, int, int] | None:
    """Return the protocol ("" for www.), start, start of what follows the protocol, and end of a link at this word."""
    separator = _LINK_START.match(text, word.end())
    if separator:
        protocol = word.group().lstrip("-")
        start, body = word.end() - len(protocol), separator.end()
        if not protocol:
            return None
        end = scan = body
    elif text.startswith(".", word.end()) and (word.group() == "www" or word.group().endswith("-www")):
        protocol = ""
        start = body = word.end() - len("www")
        end = scan = word.end() + 1
    else:
        return None
    while True:
        more = _LINK_RUN.match(text, scan) or _LINK_GROUP.match(text, scan)
        if more is None:
            break
        scan = more.end()
    return (protocol, start, body, scan) if scan > end else None


def _link(
    url: str, protocol: str, body: int, shorten: bool, extra_params: str | Callable[[str], str]
) -> str:
    href = url if protocol else "http://" + url
    params = extra_params(href) if callable(extra_params) else extra_params
    params = " " + params.strip() if params else ""
    shown = _shortened(url, body) if shorten else url
    if shown != url:
        params += f' title="{href}"'
    return f'<a href="{href}"{params}>{shown}</a>'


def _shortened(url: str, body: int) -> str:
    """Cut a long URL, preferably behind the host and the first few letters of the path."""
    if len(url) <= _LINK_LENGTH:
        return url
    short = url
    host, slash, path = url[body:].partition("/")
    if slash:
        first = path.split("/", 1)[0][:8]
        short = url[:body] + host + "/" + first.split("?", 1)[0].split(".", 1)[0]
    if len(short) > _LINK_LENGTH * 1.5:
        short = short[:_LINK_LENGTH]
    if short == url:
        return url
    # A character reference cut in two would show as garbage.
    reference = short.rfind("&")
    if reference > _LINK_LENGTH - 5:
        short = short[:reference]
    short += "..."
    return short if len(short) < len(url) else url
