"""Templates: text with expressions and statements of Python in it, compiled to Python.

.. code-block:: python

    from tornado import template

    page = template.Template("<p>{% for name in names %}{{ name }} {% end %}</p>")
    print(page.generate(names=["Ada", "Grace"]))

``generate`` returns bytes. A `Loader` reads templates from a directory, so that they can extend and include one another:

.. code-block:: python

    loader = template.Loader("/home/app/templates")
    print(loader.load("page.html").generate(title="Hello"))

What stands in a template:

``{{ expression }}``
    Its value, through the escaping function of the file (``xhtml_escape`` unless said otherwise).
``{% apply function %} ... {% end %}``
    What the function makes of the text between.
``{% autoescape function %}``
    Another escaping function for this file, or ``None``. It counts for what is written in this file only.
``{% block name %} ... {% end %}``
    A part that a template may replace which extends this one.
``{% comment ... %}``, ``{# ... #}``
    Nothing.
``{% extends filename %}``
    This template is another one with some blocks replaced; what stands outside of blocks counts for nothing.
``{% for ... %} ... {% end %}``, ``{% while ... %} ... {% end %}``
    As in Python, with ``{% break %}``, ``{% continue %}`` and ``{% else %}``.
``{% from module import name %}``, ``{% import module %}``, ``{% set name = value %}``
    As in Python.
``{% if ... %} ... {% elif ... %} ... {% else %} ... {% end %}``
    As in Python.
``{% include filename %}``
    Another template, which sees the variables of this one, and keeps its own way of escaping.
``{% module expression %}``
    The output of a `tornado.web.UIModule`, unescaped.
``{% raw expression %}``
    The value of an expression, unescaped.
``{% try %} ... {% except ... %} ... {% else %} ... {% finally %} ... {% end %}``
    As in Python.
``{% whitespace mode %}``
    From here on in this file, how blanks in text are treated: see `filter_whitespace`.

``{{!``, ``{%!`` and ``{#!`` stand for ``{{``, ``{%`` and ``{#``. Of three braces in a row the inner two count.

Expressions see `escape`, `xhtml_escape`, `url_escape`, `json_encode`, `squeeze`, `linkify` and `datetime`, then what the
loader adds, then the arguments of `Template.generate`. Names that begin with ``_tt_`` belong to this module.

A template is a program: whoever writes one can do whatever the server can.
"""

import datetime
import linecache
import os.path
import posixpath
import re
import threading
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any, NamedTuple, Optional, Union

from tornado import escape
from tornado.log import app_log
from tornado.util import ObjectDict

__all__ = ["BaseLoader", "DictLoader", "Loader", "ParseError", "Template", "filter_whitespace"]


class _Unset:
    pass


_UNSET = _Unset()


class ParseError(Exception):
    """Raised for a template that cannot be understood. ``filename`` and ``lineno`` say where.

    .. versionchanged:: 4.3
       Has ``filename`` and ``lineno``.
    """

    def __init__(self, message: str, filename: Optional[str] = None, lineno: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.filename = filename
        self.lineno = lineno

    def __str__(self) -> str:
        return f"{self.message} at {self.filename}:{self.lineno}"


def filter_whitespace(mode: str, text: str) -> str:
    """Return a text with its blanks as a mode has them.

    ``all``: as they are; ``single``: one blank for several, and one line end for all blanks around it; ``oneline``: one
    blank for any, line ends too.

    .. versionadded:: 4.3
    """
    if mode == "all":
        return text
    if mode == "single":
        return re.sub(r"\s*\n\s*", "\n", re.sub(r"[\t ]+", " ", text))
    if mode == "oneline":
        return re.sub(r"\s+", " ", text)
    raise Exception(f"invalid whitespace mode {mode}")


def _value_bytes(value: Any) -> bytes:
    """What an expression puts out."""
    return escape.utf8(value if isinstance(value, (str, bytes)) else str(value))


class Template:
    """A compiled template.

    ``template_string``: its text, or UTF-8. ``name``: stands in tracebacks; the default of ``whitespace`` depends on it:
    ``single`` for names that end with ``.html`` or ``.js``, otherwise ``all``. ``loader``: finds what the template extends
    and includes, and has defaults for what follows. ``compress_whitespace`` is an old name: true is ``single``, false
    ``all``. ``autoescape``: the name of a function, or ``None``.

    Raises `ParseError`.

    .. versionchanged:: 4.3
       The argument ``whitespace``.
    """

    def __init__(
        self,
        template_string: Union[str, bytes],
        name: str = "<string>",
        loader: "Optional[BaseLoader]" = None,
        compress_whitespace: Union[bool, _Unset] = _UNSET,
        autoescape: Optional[Union[str, bytes, _Unset]] = _UNSET,
        whitespace: Optional[str] = None,
    ) -> None:
        self.name = escape.native_str(name)
        if not isinstance(compress_whitespace, _Unset):
            if whitespace is not None:
                raise Exception("cannot set both whitespace and compress_whitespace")
            whitespace = "single" if compress_whitespace else "all"
        if whitespace is None:
            whitespace = loader.whitespace if loader else None
        if whitespace is None:
            whitespace = "single" if self.name.endswith((".html", ".js")) else "all"
        filter_whitespace(whitespace, "")  # complains about an unknown one

        self.autoescape: Optional[str]
        if not isinstance(autoescape, _Unset):
            self.autoescape = None if autoescape is None else escape.native_str(autoescape)
        else:
            self.autoescape = loader.autoescape if loader else _DEFAULT_AUTOESCAPE
        self.namespace: dict[str, Any] = loader.namespace if loader else {}

        self._body = _Parser(self, escape.native_str(template_string), whitespace).parse()
        self.code = _generate_code(self, loader)
        self._filename = self.name.replace(".", "_") + ".generated.py"
        try:
            # What this module has imported from __future__ is not for templates.
            self.compiled: CodeType = compile(self.code, self._filename, "exec", dont_inherit=True)
        except Exception:
            app_log.error("%s code:\n%s", self.name, _numbered(self.code))
            raise

    def generate(self, **kwargs: Any) -> bytes:
        """Return the template's output, with these variables."""
        namespace: dict[str, Any] = {
            "escape": escape.xhtml_escape,
            "xhtml_escape": escape.xhtml_escape,
            "url_escape": escape.url_escape,
            "json_encode": escape.json_encode,
            "squeeze": escape.squeeze,
            "linkify": escape.linkify,
            "datetime": datetime,
            "_tt_utf8": escape.utf8,
            "_tt_value": _value_bytes,
            # The traceback module asks these for the lines of generated code.
            "__name__": self.name.replace(".", "_"),
            "__loader__": ObjectDict(get_source=lambda name: self.code),
        }
        namespace.update(self.namespace)
        namespace.update(kwargs)
        exec(self.compiled, namespace)
        # It may still know the lines of an older template of that name.
        linecache.cache.pop(self._filename, None)
        # Taken out, or the function and its globals would keep each other, and all that was passed, until the collector comes.
        output: bytes = namespace.pop("_tt_execute")()
        return output


def _numbered(code: str) -> str:
    lines = code.splitlines()
    width = len(str(len(lines)))
    return "".join(f"{number:{width}}  {line}\n" for number, line in enumerate(lines, 1))


# -- Loaders --

_DEFAULT_AUTOESCAPE = "xhtml_escape"


class BaseLoader:
    """The base of what finds templates by name. Each is compiled once, and kept until `reset`; threads may share a loader.

    ``autoescape``: the default for its templates. ``namespace``: variables for all of them. ``whitespace``: the default for
    them, in place of one that depends on the name.

    A subclass has ``_create_template(name)``, and `resolve_path` for names that are relative to a template.

    .. versionchanged:: 4.3
       The argument ``whitespace``.
    """

    def __init__(
        self,
        autoescape: Optional[str] = _DEFAULT_AUTOESCAPE,
        namespace: Optional[dict[str, Any]] = None,
        whitespace: Optional[str] = None,
    ) -> None:
        self.autoescape = autoescape
        self.namespace = namespace or {}
        self.whitespace = whitespace
        self.templates: dict[str, Template] = {}
        # A template is loaded while another one is compiled that needs it.
        self.lock = threading.RLock()

    def reset(self) -> None:
        """Forget all templates."""
        with self.lock:
            self.templates = {}

    def resolve_path(self, name: str, parent_path: Optional[str] = None) -> str:
        """Return the full name of what a template calls ``name``."""
        raise NotImplementedError()

    def load(self, name: str, parent_path: Optional[str] = None) -> Template:
        """Return a template. ``parent_path``: the template that names it."""
        name = self.resolve_path(name, parent_path=parent_path)
        with self.lock:
            template = self.templates.get(name)
            if template is None:
                template = self.templates[name] = self._create_template(name)
            return template

    def _create_template(self, name: str) -> Template:
        raise NotImplementedError()


def _is_relative(name: str, parent_path: Optional[str]) -> bool:
    # "<string>" and the like are in no directory.
    return bool(parent_path) and not parent_path.startswith(("<", "/")) and not name.startswith("/")  # type: ignore


class Loader(BaseLoader):
    """Reads templates from a directory and those below it."""

    def __init__(self, root_directory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = os.path.abspath(root_directory)

    def resolve_path(self, name: str, parent_path: Optional[str] = None) -> str:
        if parent_path and _is_relative(name, parent_path):
            directory = os.path.dirname(os.path.join(self.root, parent_path))
            path = os.path.abspath(os.path.join(directory, name))
            # With the separator, or "templates-old" would be in "templates".
            root = os.path.join(self.root, "")
            if path.startswith(root):
                return path[len(root) :]
        return name

    def _create_template(self, name: str) -> Template:
        with open(os.path.join(self.root, name), "rb") as file:
            return Template(file.read(), name=name, loader=self)


class DictLoader(BaseLoader):
    """Takes templates from a dictionary, for tests above all."""

    def __init__(self, dict: "dict[str, str]", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dict = dict

    def resolve_path(self, name: str, parent_path: Optional[str] = None) -> str:
        if parent_path and _is_relative(name, parent_path):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent_path), name))
        return name

    def _create_template(self, name: str) -> Template:
        return Template(self.dict[name], name=name, loader=self)


# -- The tree of a template --


class _Place(NamedTuple):
    """Where something was written. The template says how to escape it: that may be known only at the end of the file."""

    template: Template
    line: int


class _Text(NamedTuple):
    value: str
    place: _Place


class _Expression(NamedTuple):
    source: str
    place: _Place
    raw: bool


class _Statement(NamedTuple):
    """One line of Python."""

    source: str
    place: _Place


class _Compound(NamedTuple):
    """A statement of Python with its clauses: the line that opens each, where that stands, and what is in it."""

    clauses: "list[tuple[str, _Place, list[Any]]]"


class _Apply(NamedTuple):
    function: str
    place: _Place
    body: "list[Any]"


class _Block(NamedTuple):
    name: str
    place: _Place
    body: "list[Any]"


class _Include(NamedTuple):
    name: str
    place: _Place


class _Extends(NamedTuple):
    name: str
    place: _Place


# -- From text to the tree --

# Of three opening braces the inner two count.
_TAG = re.compile(r"\{(?:\{(?!\{)|[%#])")
_TAG_ENDS = {"{{": ("}}", "expression"), "{%": ("%}", "block"), "{#": ("#}", "comment")}

# Which statements a clause can belong to.
_CLAUSES = {
    "else": ("if", "for", "while", "try"),
    "elif": ("if",),
    "except": ("try",),
    "finally": ("try",),
}
_LOOPS = ("for", "while")


class _Tag(NamedTuple):
    """A piece of a template: the kind is one of the keys of `_TAG_ENDS`, or empty for text."""

    kind: str
    text: str
    line: int


class _Parser:
    """Makes the tree of one file."""

    def __init__(self, template: Template, source: str, whitespace: str) -> None:
        self.template = template
        self.whitespace = whitespace
        self.line = 1
        self.tags = self._split(source)

    def parse(self) -> "list[Any]":
        body, end = self._parse_body(None, None)
        if end is not None:
            raise self._error(f"Nothing is open for {{% {end.text} %}} to end", end.line)
        return body

    def _error(self, message: str, line: int) -> ParseError:
        return ParseError(message, self.template.name, line)

    def _split(self, source: str) -> Iterator[_Tag]:
        """The pieces of the source, in order."""
        at = 0
        while True:
            found = _TAG.search(source, at)
            text = source[at : found.start() if found else len(source)]
            if text:
                yield _Tag("", text, self.line)
                self.line += text.count("\n")
            if not found:
                return
            kind, at = found.group(), found.end()
            if source.startswith("!", at):
                yield _Tag("", kind, self.line)
                at += 1
                continue
            end, what = _TAG_ENDS[kind]
            stop = source.find(end, at)
            if stop < 0:
                raise self._error(f"Missing end {what} {end}", self.line)
            inside = source[at:stop]
            if kind != "{#":
                yield _Tag(kind, inside.strip(), self.line)
            self.line += inside.count("\n")
            at = stop + len(end)

    def _parse_body(self, opener: Optional[str], loop: Optional[str]) -> "tuple[list[Any], Optional[_Tag]]":
        """Parse until a tag that does not belong into this body, which is returned too: its end, or its next clause.

        ``opener``: the directive whose body it is. ``loop``: the loop that ``break`` would end.
        """
        body: list[Any] = []
        for tag in self.tags:
            place = _Place(self.template, tag.line)
            if not tag.kind:
                body.append(_Text(self._filtered(tag.text), place))
            elif not tag.text:
                raise self._error("Empty expression" if tag.kind == "{{" else "Empty block tag ({% %})", tag.line)
            elif tag.kind == "{{":
                body.append(_Expression(tag.text, place, raw=False))
            else:
                operator = tag.text.split(None, 1)[0]
                if operator == "end":
                    return body, tag
                if operator in _CLAUSES:
                    if opener not in _CLAUSES[operator]:
                        raise self._error(f"{operator} outside {' or '.join(_CLAUSES[operator])}", tag.line)
                    return body, tag
                body += self._parse_directive(operator, tag.text[len(operator) :].strip(), tag, place, loop)
        if opener:
            raise self._error(f"Missing {{% end %}} for {opener}", self.line)
        return body, None

    def _filtered(self, text: str) -> str:
        return text if "<pre>" in text else filter_whitespace(self.whitespace, text)

    def _parse_directive(self, operator: str, rest: str, tag: _Tag, place: _Place, loop: Optional[str]) -> Iterable[Any]:
        """The nodes that a directive stands for: one or none."""
        if operator in ("if", "try", *_LOOPS):
            return [self._parse_compound(operator, tag, place, loop)]
        if operator in ("break", "continue"):
            if not loop:
                raise self._error(f"{operator} outside for or while", tag.line)
            return [_Statement(tag.text, place)]
        if operator == "comment":
            return []
        if not rest:
            raise self._error(f"{operator} needs something behind it", tag.line)
        if operator in ("apply", "block"):
            # A function is called with the text; a loop around it is out of reach.
            body, _ = self._parse_body(operator, None if operator == "apply" else loop)
            node = _Apply(rest, place, body) if operator == "apply" else _Block(rest, place, body)
            return [node]
        if operator in ("include", "extends"):
            name = rest.strip("\"'")
            return [_Include(name, place) if operator == "include" else _Extends(name, place)]
        if operator in ("import", "from"):
            return [_Statement(tag.text, place)]
        if operator == "set":
            return [_Statement(rest, place)]
        if operator == "raw":
            return [_Expression(rest, place, raw=True)]
        if operator == "module":
            return [_Expression("_tt_modules." + rest, place, raw=True)]
        if operator == "autoescape":
            self.template.autoescape = None if rest == "None" else rest
            return []
        if operator == "whitespace":
            filter_whitespace(rest, "")
            self.whitespace = rest
            return []
        raise self._error(f"Unknown directive {operator!r}", tag.line)

    def _parse_compound(self, operator: str, tag: _Tag, place: _Place, loop: Optional[str]) -> _Compound:
        clauses: list[tuple[str, _Place, list[Any]]] = []
        opening: Optional[_Tag] = tag
        while opening is not None and opening.text.split(None, 1)[0] != "end":
            place = _Place(self.template, opening.line)
            body, end = self._parse_body(operator, operator if operator in _LOOPS else loop)
            clauses.append((opening.text, place, body))
            opening = end
        return _Compound(clauses)


# -- From the tree to Python --


def _generate_code(template: Template, loader: Optional[BaseLoader]) -> str:
    """Write the program of a template: that of the last one which it extends, with the blocks of those before it."""
    chain = [template]
    while True:
        extends = next((node for node in chain[-1]._body if isinstance(node, _Extends)), None)
        if extends is None:
            break
        chain.append(_load(loader, extends.name, extends.place))
    writer = _Writer(loader)
    for file in reversed(chain):
        writer.find_blocks(file._body)
    writer.line("def _tt_execute():", _Place(chain[-1], 0))
    writer.function(chain[-1]._body, _Place(chain[-1], 0))
    return "\n".join(writer.lines) + "\n"


def _load(loader: Optional[BaseLoader], name: str, place: _Place) -> Template:
    if loader is None:
        raise ParseError("A template without a loader can neither extend nor include", place.template.name, place.line)
    return loader.load(name, place.template.name)


class _Writer:
    """Writes the lines of a program. Each ends with a comment that says which line of which template it comes from."""

    def __init__(self, loader: Optional[BaseLoader]) -> None:
        self.loader = loader
        self.lines: list[str] = []
        self.blocks: dict[str, _Block] = {}
        self._depth = 0
        self._functions = 0
        self._via: list[_Place] = []  # what included, or has blocks for, what is being written

    def find_blocks(self, body: "list[Any]") -> None:
        """Note the blocks of a tree, in place of those with the same names that were noted before."""
        for node in body:
            if isinstance(node, _Block):
                self.blocks[node.name] = node
                self.find_blocks(node.body)
            elif isinstance(node, _Apply):
                self.find_blocks(node.body)
            elif isinstance(node, _Compound):
                for _, _, clause in node.clauses:
                    self.find_blocks(clause)
            elif isinstance(node, _Include):
                self.find_blocks(_load(self.loader, node.name, node.place)._body)

    def line(self, source: str, place: _Place) -> None:
        comment = f"  # {place.template.name}:{place.line}"
        if self._via:
            comment += " (via " + ", ".join(f"{via.template.name}:{via.line}" for via in reversed(self._via)) + ")"
        self.lines.append("    " * self._depth + source + comment)

    def function(self, body: "list[Any]", place: _Place) -> None:
        """The inside of a function that returns the output of a body."""
        self._depth += 1
        self.line("_tt_buffer = []", place)
        self.line("_tt_append = _tt_buffer.append", place)
        self.nodes(body)
        self.line("return b''.join(_tt_buffer)", place)
        self._depth -= 1

    def nodes(self, body: "list[Any]") -> None:
        for node in body:
            _WRITE[type(node)](self, node)

    def text(self, node: _Text) -> None:
        if node.value:
            self.line(f"_tt_append({escape.utf8(node.value)!r})", node.place)

    def expression(self, node: _Expression) -> None:
        # On a line of its own, it may be whatever Python allows to the right of an assignment.
        self.line(f"_tt_tmp = {node.source}", node.place)
        function = None if node.raw else node.place.template.autoescape
        value = f"_tt_utf8({function}(_tt_value(_tt_tmp)))" if function else "_tt_value(_tt_tmp)"
        self.line(f"_tt_append({value})", node.place)

    def statement(self, node: _Statement) -> None:
        self.line(node.source, node.place)

    def compound(self, node: _Compound) -> None:
        for opening, place, body in node.clauses:
            self.line(opening + ":", place)
            self._depth += 1
            written = len(self.lines)
            self.nodes(body)
            if len(self.lines) == written:
                self.line("pass", place)
            self._depth -= 1

    def apply(self, node: _Apply) -> None:
        name = f"_tt_apply{self._functions}"
        self._functions += 1
        self.line(f"def {name}():", node.place)
        self.function(node.body, node.place)
        self.line(f"_tt_append(_tt_utf8({node.function}({name}())))", node.place)

    def block(self, node: _Block) -> None:
        self._via.append(node.place)
        self.nodes(self.blocks[node.name].body)
        self._via.pop()

    def include(self, node: _Include) -> None:
        included = _load(self.loader, node.name, node.place)
        self._via.append(node.place)
        self.nodes(included._body)
        self._via.pop()

    def nothing(self, node: _Extends) -> None:
        """The template above is being written in its place."""


_WRITE: dict[type, Any] = {
    _Text: _Writer.text,
    _Expression: _Writer.expression,
    _Statement: _Writer.statement,
    _Compound: _Writer.compound,
    _Apply: _Writer.apply,
    _Block: _Writer.block,
    _Include: _Writer.include,
    _Extends: _Writer.nothing,
}
