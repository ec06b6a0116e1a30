"""Small helpers which the rest of the package, and some applications, use.

The one larger thing here is `Configurable`, the base of the classes whose implementation can be chosen at run time
(`.IOLoop`, ``AsyncHTTPClient``, ``HTTPServer``, ``Resolver``). Nothing here knows of an event loop.
"""

import asyncio
import importlib
import inspect
import os
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    import unittest

# Names from the days of two Pythons, kept because applications import them.
bytes_type = bytes
unicode_type = str
basestring_type = str

#: Raised when something did not finish in time; the same class as `asyncio.TimeoutError`.
#:
#: .. versionchanged:: 6.2
#:    ``tornado.gen.TimeoutError``, ``tornado.ioloop.TimeoutError`` and this name are all ``asyncio.TimeoutError``.
TimeoutError = asyncio.TimeoutError

_T = TypeVar("_T")


class ObjectDict(dict[str, Any]):
    """A dictionary whose items are also attributes.

    >>> point = ObjectDict(x=1)
    >>> point.y = 2
    >>> sorted(point.items())
    [('x', 1), ('y', 2)]

    A missing attribute raises `AttributeError`, so `getattr` with a default and `hasattr` work.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class GzipDecompressor:
    """Unpacks a gzip stream that arrives in pieces.

    >>> import gzip
    >>> unpacker = GzipDecompressor()
    >>> unpacker.decompress(gzip.compress(b"hello")) + unpacker.flush()
    b'hello'

    The calls are those of `zlib.decompressobj`, but a gzip header and trailer are expected around the data.
    """

    def __init__(self) -> None:
        # 16 more than the largest window tells zlib to read the gzip wrapping.
        self.decompressobj = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def decompress(self, value: bytes, max_length: int = 0) -> bytes:
        """Unpack a piece of the stream and return what it gives.

        At most ``max_length`` bytes are returned, if it is not zero; the input left over is then in
        `unconsumed_tail` and must be given again.
        """
        return self.decompressobj.decompress(value, max_length)

    @property
    def unconsumed_tail(self) -> bytes:
        """The input that the last call left because it had reached ``max_length``."""
        return self.decompressobj.unconsumed_tail

    def flush(self) -> bytes:
        """Return what is left to return. The object is of no use afterwards."""
        return self.decompressobj.flush()


def import_object(name: str) -> Any:
    """Import a module, or a name inside one, by its dotted path.

    >>> import tornado.escape
    >>> import_object("tornado.escape") is tornado.escape
    True
    >>> import_object("tornado.escape.utf8") is tornado.escape.utf8
    True
    >>> import_object("tornado.missing_module")
    Traceback (most recent call last):
        ...
    ImportError: No module named missing_module

    Raises `ImportError` when there is neither a module nor an attribute of that name.
    """
    parent, dot, child = name.rpartition(".")
    if not dot:
        return importlib.import_module(name)
    module = importlib.import_module(parent)
    try:
        return getattr(module, child)
    except AttributeError:
        pass
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name != name:
            raise
        raise ImportError(f"No module named {child}") from None


def exec_in(code: Any, glob: dict[str, Any], loc: Mapping[str, Any] | None = None) -> None:
    """Run source text or a code object with the given globals and locals.

    >>> names = {}
    >>> exec_in("answer = 6 * 7", names)
    >>> names["answer"]
    42

    Unlike the bare ``exec``, text is compiled without the ``__future__`` imports of the module that calls.
    """
    if isinstance(code, str):
        code = compile(code, "<string>", "exec", dont_inherit=True)
    exec(code, glob, loc)


def raise_exc_info(
    exc_info: tuple[type[BaseException] | None, BaseException | None, TracebackType | None],
) -> NoReturn:
    """Raise again what `sys.exc_info` returned, with its traceback.

    >>> import sys
    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError:
    ...     saved = sys.exc_info()
    >>> raise_exc_info(saved)
    Traceback (most recent call last):
        ...
    ZeroDivisionError: division by zero

    Raises `TypeError` when there is no exception in the triple.
    """
    error = exc_info[1]
    if error is None:
        raise TypeError("raise_exc_info called with no exception")
    try:
        raise error.with_traceback(exc_info[2])
    finally:
        # The traceback holds this frame; without the names the frame does not hold the traceback.
        del error, exc_info


def errno_from_exception(e: BaseException) -> int | None:
    """Return the error number which an exception carries, or ``None``.

    >>> errno_from_exception(OSError(2, "No such file or directory"))
    2

    Some exceptions of the operating system have it only as their first argument; this looks in both places.
    """
    number = getattr(e, "errno", None)
    if number is None and e.args:
        number = e.args[0]
    return number


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def re_unescape(s: str) -> str:
    r"""Undo `re.escape`.

    >>> re_unescape(re.escape("/index.html")) == "/index.html"
    True

    Raises `ValueError` for what `re.escape` cannot have written, which is a backslash before a letter or digit such as
    ``\d``.

    .. versionadded:: 4.4
    """
    return _ESCAPED.sub(_unescaped, s)


def _unescaped(match: "re.Match[str]") -> str:
    char = match.group(1)
    if char.isascii() and char.isalnum():
        raise ValueError(f"cannot unescape {match.group(0)!r}")
    return char


class Configurable:
    """Base of a class whose instances can be of a subclass chosen by configuration.

    A configurable class is made like any other, ``Base(...)``, but gives an instance of the configured subclass. It
    says in two class methods what it is configured as (itself, usually) and what the default is:

    >>> class Greeter(Configurable):
    ...     @classmethod
    ...     def configurable_base(cls):
    ...         return Greeter
    ...     @classmethod
    ...     def configurable_default(cls):
    ...         return PlainGreeter
    >>> class PlainGreeter(Greeter):
    ...     def initialize(self, name="world"):
    ...         self.text = "Hello, " + name
    >>> Greeter().text
    'Hello, world'
    >>> Greeter.configure(None, name="you")
    >>> Greeter().text
    'Hello, you'

    Subclasses do their set-up in `initialize`, not in ``__init__``. A subclass can still be made directly; then the
    configuration plays no part.

    .. versionchanged:: 5.0
       Configuration works at several levels of one hierarchy.
    """

    # What was configured lives on the configurable base itself; a subclass may be such a base again.
    __impl_class: type["Configurable"] | None = None
    __impl_kwargs: dict[str, Any] | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        base = cls.configurable_base()
        if cls is base:
            impl = cls.configured_class()
            if base.__impl_kwargs:
                kwargs = {**base.__impl_kwargs, **kwargs}
        else:
            impl = cls
        if impl.configurable_base() is not base:
            # The implementation is configurable itself; it chooses on.
            return impl(*args, **kwargs)
        instance = super().__new__(impl)
        instance.initialize(*args, **kwargs)
        return instance

    @classmethod
    def configurable_base(cls) -> type["Configurable"]:
        """Return the class whose configuration counts, normally the one which defines this method."""
        raise NotImplementedError()

    @classmethod
    def configurable_default(cls) -> type["Configurable"]:
        """Return the implementation that is used when nothing was configured."""
        raise NotImplementedError()

    def _initialize(self) -> None:
        pass

    #: Set up a new instance; called in place of ``__init__`` with the merged arguments.
    #:
    #: .. versionchanged:: 4.2
    #:    Positional arguments are accepted.
    initialize: Callable[..., None] = _initialize

    @classmethod
    def configure(cls, impl: "None | str | type[Configurable]", **kwargs: Any) -> None:
        """Choose the implementation, and arguments which every instance gets.

        ``impl`` is a class, its dotted name, or ``None`` for the default. Arguments given when an instance is made win
        over the ones given here. Raises `ValueError` when ``impl`` is not a subclass.
        """
        base = cls.configurable_base()
        if isinstance(impl, str):
            impl = import_object(impl)
        if impl is not None and not (isinstance(impl, type) and issubclass(impl, cls)):
            raise ValueError(f"Invalid subclass of {cls}")
        base.__impl_class = impl
        base.__impl_kwargs = kwargs

    @classmethod
    def configured_class(cls) -> type["Configurable"]:
        """Return the implementation that ``cls(...)`` gives."""
        base = cls.configurable_base()
        # Only the base's own setting counts: a class between it and Configurable may be configured differently.
        impl: type[Configurable] | None = base.__dict__.get("_Configurable__impl_class")
        if impl is None:
            impl = base.__impl_class = cls.configurable_default()
        return impl

    @classmethod
    def _save_configuration(cls) -> tuple[type["Configurable"] | None, dict[str, Any] | None]:
        base = cls.configurable_base()
        return base.__impl_class, base.__impl_kwargs

    @classmethod
    def _restore_configuration(
        cls, saved: tuple[type["Configurable"] | None, dict[str, Any] | None]
    ) -> None:
        base = cls.configurable_base()
        base.__impl_class, base.__impl_kwargs = saved


class ArgReplacer:
    """Finds one parameter of a function among arguments, wherever the caller put it.

    For decorators that look at or exchange an argument which may come by position or by name:

    >>> def fetch(url, callback=None): ...
    >>> replacer = ArgReplacer(fetch, "callback")
    >>> replacer.get_old_value(("/", print), {}) is print
    True
    >>> replacer.replace(None, ("/",), {"callback": print}) == (print, ("/",), {"callback": None})
    True
    """

    def __init__(self, func: Callable[..., Any], name: str) -> None:
        self.name = name
        names = _parameter_names(func)
        #: Where the parameter stands, or ``None`` when it can be given by name only.
        self.arg_pos: int | None = names.index(name) if name in names else None

    def get_old_value(self, args: Sequence[Any], kwargs: dict[str, Any], default: Any = None) -> Any:
        """Return the argument, or ``default`` when it was not given."""
        if self.arg_pos is not None and self.arg_pos < len(args):
            return args[self.arg_pos]
        return kwargs.get(self.name, default)

    def replace(
        self, new_value: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Any, Sequence[Any], dict[str, Any]]:
        """Put ``new_value`` in place of the argument.

        Returns the old value (``None`` if there was none) with the ``args`` and ``kwargs`` to call the function with;
        the ones passed in are changed only in so far as ``kwargs`` is the same dictionary.
        """
        if self.arg_pos is not None and self.arg_pos < len(args):
            old_value = args[self.arg_pos]
            args = list(args)
            args[self.arg_pos] = new_value
        else:
            old_value = kwargs.get(self.name)
            kwargs[self.name] = new_value
        return old_value, args, kwargs


def _parameter_names(func: Callable[..., Any]) -> Sequence[str]:
    try:
        return inspect.getfullargspec(func).args
    except TypeError:
        # Functions compiled by Cython cannot be inspected but may have a code object all the same.
        code = getattr(func, "func_code", None) or getattr(func, "__code__", None)
        if code is None:
            raise
        names: Sequence[str] = code.co_varnames[: code.co_argcount]
        return names


def timedelta_to_seconds(td: timedelta) -> float:
    """Return a `~datetime.timedelta` in seconds. The method ``total_seconds`` says the same."""
    return td.total_seconds()


def _websocket_mask_python(mask: bytes, data: bytes) -> bytes:
    """Mask or unmask the payload of a WebSocket frame (RFC 6455, 5.3): each byte is combined with one of the four.

    Raises `ValueError` for a mask of another length. Python's large numbers do the work, so time is linear.
    """
    if len(mask) != 4:
        raise ValueError("mask must be 4 bytes")
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def _choose_websocket_mask() -> Callable[[bytes, bytes], bytes]:
    """Take the compiled function unless the environment forbids it, or it is missing and not insisted on."""
    wanted = os.environ.get("TORNADO_EXTENSION")
    if wanted == "0" or os.environ.get("TORNADO_NO_EXTENSION"):
        return _websocket_mask_python
    try:
        speedups = importlib.import_module("tornado.speedups")
    except ImportError:
        if wanted == "1":
            raise
        return _websocket_mask_python
    function: Callable[[bytes, bytes], bytes] = speedups.websocket_mask
    return function


_websocket_mask = _choose_websocket_mask()


def doctests() -> "unittest.TestSuite":
    """Return the examples of this module as tests."""
    import doctest

    return doctest.DocTestSuite()
