"""Reads .wire files: what a client sends, and what must come back.

A file is a list of directives, one a line; tests/wire/README.md describes them. This module turns a file into a list of Step, and
knows nothing of sockets. Its errors name the file and the line.
"""

import json
import re
from dataclasses import dataclass, field

DURATION = re.compile(r"(\d+)(ms|s)$")
ITEM = re.compile(r'\s*(?:(\d+)\s*\*\s*)?"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
PLAIN = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\", '"': '"'}
FIELD = re.compile(r"([\w-]+):\s*(.*)$")
MATCH = re.compile(r"([\w-]+) ~ (.+)$")


class ScriptError(Exception):
    """The .wire file itself is wrong."""


@dataclass
class Step:
    """One directive. `verb` names it; what else there is depends on it."""

    line: int
    verb: str
    data: bytes = b""  # send, expect raw
    seconds: float = 0.0  # pause, expect nothing
    number: int = 1  # connection: which; expect: how many times
    status: str = ""  # expect: "200", "4xx" or "400|431"
    conditions: list = field(default_factory=list)  # expect: (line, kind, ...) in the order of the file


@dataclass
class Script:
    path: str
    only: str = ""  # "c" or "python": the face that this test is about; both when empty
    start: tuple = ()  # options that the server is started with
    steps: list = field(default_factory=list)


def unescape(text):
    def one(match):
        name = match[1]
        if name[0] == "x" and len(name) == 3:
            return chr(int(name[1:], 16))
        if name in PLAIN:
            return PLAIN[name]
        raise ScriptError(f"unknown escape \\{name}")

    return ESCAPE.sub(one, text).encode("latin-1")


def items(text):
    """The bytes of `"text"` and `1000 * "text"`, one behind the other."""
    out, at = b"", 0
    while at < len(text):
        match = ITEM.match(text, at)
        if not match:
            raise ScriptError(f"expected a string in double quotes at: {text[at:]}")
        out += unescape(match[2]) * int(match[1] or 1)
        at = match.end()
    return out


def duration(text):
    match = DURATION.match(text)
    if not match:
        raise ScriptError(f"expected a duration such as 50ms, not {text}")
    return int(match[1]) * (0.001 if match[2] == "ms" else 1.0)


def condition(text):
    """One indented line below `expect`."""
    word, _, rest = text.partition(" ")
    if word == "body":
        if rest.startswith("~ "):
            return "body_match", rest[2:]
        match = re.match(r"(\d+) bytes$", rest)
        return ("body_length", int(match[1])) if match else ("body", items(rest))
    if word == "json":
        path, _, value = rest.partition(" = ")
        return "json", path, json.loads(value)
    if word == "no":
        return "absent", rest.lower()
    if text == "to HEAD":
        return ("head",)
    match = MATCH.match(text)
    if match:
        return "field_match", match[1].lower(), match[2]
    match = FIELD.match(text)
    if match:
        return "field", match[1].lower(), match[2]
    raise ScriptError(f"unknown condition: {text}")


def expectation(number, rest):
    word, _, argument = rest.partition(" ")
    if word in ("close", "reset", "end"):
        return Step(number, "expect_" + word)
    if word == "nothing":
        return Step(number, "expect_nothing", seconds=duration(argument or "100ms"))
    if word == "raw":
        return Step(number, "expect_raw", data=items(argument))
    match = re.match(r"(?:(\d+) \* )?([1-5](?:\d\d|xx)(?:\|[1-5]\d\d)*)$", rest)
    if not match:
        raise ScriptError(f"unknown expectation: {rest}")
    return Step(number, "expect", number=int(match[1] or 1), status=match[2])


class Reader:
    """The lines of a file, and where we are in them."""

    def __init__(self, text):
        self.lines = text.split("\n")
        self.at = 0

    def next(self):
        self.at += 1
        return self.lines[self.at - 1]

    def block(self, word):
        """The lines up to the one that is `word`, each ended by CRLF."""
        out = b""
        while self.at < len(self.lines):
            line = self.next()
            if line == word:
                return out
            out += unescape(line) + b"\r\n"
        raise ScriptError(f"the block is not ended by {word}")


def directive(reader, line):
    """The step that a line begins; a block or conditions may follow it."""
    number = reader.at
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word == "send":
        return Step(number, "send", data=reader.block(rest[2:]) if rest.startswith("<<") else items(rest))
    if word == "expect":
        return expectation(number, rest)
    if word == "pause":
        return Step(number, "pause", seconds=duration(rest))
    if word == "connection":
        return Step(number, "connection", number=int(rest))
    if word in ("close", "half-close", "reset") and not rest:
        return Step(number, word.replace("-", "_"))
    raise ScriptError(f"unknown directive: {line}")


def parse(path, text):
    """Turn the text of a .wire file into a Script. Fails with ScriptError."""
    script = Script(path)
    reader = Reader(text)
    try:
        while reader.at < len(reader.lines):
            line = reader.next().rstrip()
            if not line or line.lstrip().startswith("#"):
                continue
            if line[0] in " \t":
                if not script.steps or script.steps[-1].verb != "expect":
                    raise ScriptError("an indented line must follow expect STATUS")
                script.steps[-1].conditions.append((reader.at, *condition(line.strip())))
            elif line.startswith("only: "):
                script.only = line[6:].strip()
            elif line.startswith("start: "):
                script.start = tuple(line[7:].split())
            else:
                script.steps.append(directive(reader, line))
    except (ScriptError, ValueError) as error:
        raise ScriptError(f"{path}:{reader.at}: {error}") from None
    if script.only not in ("", "c", "python"):
        raise ScriptError(f"{path}: only: is followed by c or python")
    return script
