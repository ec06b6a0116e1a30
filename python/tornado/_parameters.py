"""Values of headers that have parameters: ``text/html; charset=utf-8``. Part of `tornado.httputil`, which has its names."""

import email.utils
import re
from collections.abc import Iterator, Mapping
from typing import Any

# What stands between two semicolons; one inside of quotes counts for nothing. Whatever a part of the pattern has taken, the
# next can go on from there, to the end if need be; so nothing is ever tried twice, and time is linear.
_PARAMETER = re.compile(r'(?:[^;"]+|"(?:[^"\\]+|\\.|\\\Z)*(?:"|\Z))*', re.DOTALL)


def _parameters(line: str) -> Iterator[str]:
    at = 0
    while at <= len(line):
        match = _PARAMETER.match(line, at)
        assert match is not None
        yield match.group().strip()
        at = match.end() + 1


def _parse_header(line: str) -> tuple[str, dict[str, str]]:
    r"""Divide the value of a header such as ``Content-Type`` into what comes first and its parameters.

    >>> d = "form-data; foo=\"b\\\\a\\\"r\"; file*=utf-8''T%C3%A4st"
    >>> ct, d = _parse_header(d)
    >>> ct
    'form-data'
    >>> d["file"] == "T\u00e4st"
    True
    >>> d["foo"]
    'b\\a"r'

    Names are in lower case. What is no parameter is passed over.
    """
    key, *parameters = _parameters(line)
    values: dict[str, str] = {}
    extended: list[tuple[str, str]] = []
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals:
            continue
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1].replace("\\\\", "\\").replace('\\"', '"')
        if "*" in name:
            extended.append((name, value))
        else:
            values[name] = value
    if extended:
        try:
            values.update(_decode_extended(extended))
        except ValueError:
            pass  # a number of thousands of digits, a character set that is none for text
    return key, values


def _decode_extended(parameters: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Decode parameters that say their character set, and join those that come in pieces (RFC 2231 and 8187)."""
    # The first pair stands for the value that the parameters belong to; it is not looked at.
    for name, value in email.utils.decode_params([("", ""), *parameters])[1:]:
        text = email.utils.collapse_rfc2231_value(value)
        if len(text) >= 2 and text[0] == text[-1] == '"':
            text = text[1:-1]
        yield name, text


def _encode_header(key: str, pdict: Mapping[str, Any]) -> str:
    """Undo `_parse_header`. Parameters without a value are ``None``.

    >>> _encode_header("permessage-deflate", {"client_max_window_bits": 15, "client_no_context_takeover": None})
    'permessage-deflate; client_max_window_bits=15; client_no_context_takeover'
    """
    return "; ".join([key, *(name if value is None else f"{name}={value}" for name, value in pdict.items())])
